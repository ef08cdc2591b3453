"""What stands before the root of a drawing: encoding, document type, entities, processing instructions.

Old editors write a DOCTYPE with plain text entities for namespaces; every viewer expands those, so they are expanded here, textually and
within limits, and the DOCTYPE is left behind. Entities that hold mark-up, other entities or files are refused.
Spec: XML 1.0 (fifth edition) sections 2.8, 4.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from sanitizers.context import Context
from sanitizers.model import Malformed

_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_ENCODINGS: Final = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252", "shift_jis", "cp932", "euc_jp", "iso2022_jp"})
_DECLARATION: Final = re.compile(r"\s*<\?xml\s[^>]*?\?>")
_DECLARED: Final = re.compile(rb"""^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_BEFORE: Final = re.compile(r"\s+|<!--.*?-->|<\?(?P<target>[^\s?]+).*?\?>", re.DOTALL)
_DOCTYPE: Final = re.compile(
    r"""<!DOCTYPE\s+[\w:.-]+(?P<id>\s+(?:PUBLIC\s+(?:"[^"]*"|'[^']*')\s*|SYSTEM\s+)(?:"[^"]*"|'[^']*')?)?\s*(?P<subset>\[)?""", re.DOTALL
)
_IN_SUBSET: Final = re.compile(
    r"""\s+|<!--.*?-->|<\?.*?\?>
      | <!ENTITY\s+(?P<name>[A-Za-z_][\w.-]*)\s+(?:"(?P<double>[^"%&<]*)"|'(?P<single>[^'%&<]*)')\s*>
      | <!(?:ELEMENT|ATTLIST|NOTATION)\s(?:"[^"]*"|'[^']*'|[^>"'])*>""",
    re.DOTALL | re.VERBOSE,
)
_REFERENCE: Final = re.compile(r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|&([A-Za-z_][\w.-]*);", re.DOTALL)
_W3C: Final = re.compile(r'\s+PUBLIC\s+"-//W3C//DTD SVG 1\.[01][\w .]*//EN"\s*"http://www\.w3\.org/[\w./-]*"')
_MAX_ENTITIES: Final = 200


def plain(data: bytes, context: Context) -> bytes:
    """The document in UTF-8 from its first element on, without DOCTYPE. Raises Malformed for what readers could take differently."""
    text = _text(data)
    declaration = _DECLARATION.match(text)
    at = _skip(text, declaration.end() if declaration else 0, context)
    if text.startswith("<!DOCTYPE", at):
        entities, at = _doctype(text, at, context)
        at = _skip(text, at, context)
        return _expanded(text[at:], entities, context).encode()
    return text[at:].encode()


def _text(data: bytes) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _decoded(data[len(bom) :], encoding)
    declared = _DECLARED.match(data[:1024])
    name = declared[1].decode("ascii") if declared else "utf-8"
    try:
        encoding = codecs.lookup(name).name
    except LookupError:
        raise Malformed(f"encoding {name}", code="svg.malformed") from None
    if encoding not in _ENCODINGS:
        raise Malformed(f"encoding {name}", code="svg.malformed")
    return _decoded(data, "cp932" if encoding == "shift_jis" else encoding)


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Malformed(f"not {encoding} at byte {error.start}", code="svg.malformed") from None


def _skip(text: str, at: int, context: Context) -> int:
    """Past white space, comments and processing instructions."""
    while found := _BEFORE.match(text, at):
        if found["target"] == "xml-stylesheet":
            context.found("svg.stylesheet", "xml-stylesheet")
        at = found.end()
    return at


def _doctype(text: str, at: int, context: Context) -> tuple[dict[str, str], int]:
    head = _DOCTYPE.match(text, at)
    if head is None:
        raise Malformed("document type declaration", code="xml.dtd")
    entities: dict[str, str] = {}
    at = head.end()
    if head["subset"]:
        at = _subset(text, at, entities)
    end = re.compile(r"\s*>").match(text, at)
    if end is None:
        raise Malformed("document type declaration", code="xml.dtd")
    if head["subset"] or (head["id"] and not _W3C.fullmatch(head["id"].rstrip())):
        context.found("svg.dtd", "DOCTYPE")
    return entities, end.end()


def _subset(text: str, at: int, entities: dict[str, str]) -> int:
    """The internal subset: entities of plain text are taken, declarations of elements and attributes are passed over."""
    while not text.startswith("]", at):
        found = _IN_SUBSET.match(text, at)
        if found is None or len(entities) >= _MAX_ENTITIES:
            raise Malformed("entity that holds more than plain text", code="xml.dtd")
        if name := found["name"]:
            entities.setdefault(name, found["double"] if found["double"] is not None else found["single"])
        at = found.end()
    return at + 1


def _expanded(text: str, entities: dict[str, str], context: Context) -> str:
    """The first declaration of a name counts, as XML says; what is not declared here stays, and the parser refuses it."""
    if not entities:
        return text

    def replacement(found: re.Match[str]) -> str:
        entity = entities.get(found[1] or "")
        if entity is None:
            return found[0]
        context.budget.spend_bytes(len(entity))
        return entity.replace('"', "&quot;").replace(">", "&gt;")

    return _REFERENCE.sub(replacement, text)
