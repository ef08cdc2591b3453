"""XML and JSON files.

Removes: style sheet and other processing instructions, comments, elements that browsers act on (XHTML, SVG, XInclude, XSLT …).
Keeps:   elements, attributes, text, namespaces, the encoding; the bare name of a DTD of 電子納品; JSON values, their order and spelling.
Refuses: any other DTD, what is not well-formed, unreadable characters, duplicate JSON keys, deep nesting.
Spec:    XML 1.0 fifth edition, Namespaces in XML; RFC 8259.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from xml.parsers import expat

from sanitizers import charset, xml
from sanitizers.context import Context, Rebuilt
from sanitizers.formats import text as plain
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Kind, LimitExceeded, Malformed
from sanitizers.source import Source

_DECLARATION: Final = re.compile(r"<\?xml\s[^>]{0,200}\?>\s*")
_ENCODING: Final = re.compile(rb"<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
# Encodings that XML goes out in again, by the name that its declaration then carries; everything else becomes UTF-8.
_WRITTEN: Final = {
    "utf-8": "UTF-8", "us-ascii": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp932": "Shift_JIS", "euc-jp": "EUC-JP",
}  # fmt: skip
# Vocabularies that a browser or an XML processor acts on wherever they stand in a document.
_ACTIVE: Final = frozenset({
    "http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2001/XInclude",
    "http://www.w3.org/2003/XInclude", "http://www.w3.org/1999/XSL/Transform", "http://www.w3.org/1999/XSL/Format",
    "http://www.mozilla.org/xbl", "http://www.w3.org/ns/xbl", "http://www.mozilla.org/keymaster/gatekeeper/there.is.only.xul",
    "http://schemas.microsoft.com/winfx/2006/xaml", "http://schemas.microsoft.com/winfx/2006/xaml/presentation",
    "urn:schemas-microsoft-com:xslt",
})  # fmt: skip
# Document types that the rules for electronic delivery (電子納品要領) prescribe: the name of a file beside the document, nothing more.
_DELIVERY: Final = re.compile(
    r"(INDE_[A-Z]|REP|REPORT|DRAW|DRAWING|PHOTO|SURVEY|SURV_[A-Z]{1,8}|MEET|PLAN|OTHRS|REGIST|REGISTER|BORING|BED|BRG|GRNDTST|CORECMP|ICON"
    r"|BIMCIM|MCI|DOC|MAINT|FAC|EQUIP|K_LD|M_LD)([A-Z]?\d{0,4})\.DTD",
    re.IGNORECASE,
)
_DOCTYPE: Final = re.compile(
    r"<!DOCTYPE\s{1,20}([\w.-]{1,64})\s{1,20}SYSTEM\s{1,20}([\"'])(?:\./)?([A-Za-z0-9_]{1,20}\.[A-Za-z]{3})\2\s{0,20}>"
)
_PROLOG: Final = (("<!--", "-->"), ("<?", "?>"))
_DEEPEST: Final = 256
_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_JSON_COST: Final = 24                  # bytes of Python objects for each byte of the densest JSON, `[[],[],…]`


def sanitize_xml(source: Source, context: Context) -> Rebuilt:
    """Elements, attributes and text, and at most the name of a known DTD. Raises Malformed, LimitExceeded."""
    text, encoding = _decoded_xml(source, context)
    text, doctype = _without_doctype(text)
    data = text.encode("utf-8")
    root = xml.parse(data, context.budget)
    if doctype and doctype[0] != root.tag:
        raise Malformed("the document type names another element", code="xml.dtd")
    _report_dropped(data, context)
    _drop_active(root, context)
    line = f'<!DOCTYPE {doctype[0]} SYSTEM "{doctype[1]}">\n' if doctype else ""
    return Rebuilt(Source(_written(root, line, encoding, context)), Kind.XML)


def _without_doctype(text: str) -> tuple[str, tuple[str, str] | None]:
    """The document without the name of a known document type, and (root element, file name) of that. Any other one stays, to be refused."""
    at = 0
    while at < len(text):
        at += len(text[at : at + 4096]) - len(text[at : at + 4096].lstrip())
        ending = next((end for start, end in _PROLOG if text.startswith(start, at)), None)
        if ending is None:
            break
        at = text.find(ending, at) + len(ending)
        if at < len(ending):
            return text, None
    match = _DOCTYPE.match(text, at)
    known = _DELIVERY.fullmatch(match[3]) if match else None
    if match is None or known is None:
        return text, None
    return text[:at] + "\n" * match[0].count("\n") + text[match.end() :], (match[1], known[0].upper())


def _decoded_xml(source: Source, context: Context) -> tuple[str, str]:
    """The document without its declaration, and the encoding that it came in. Raises Malformed for characters that mean nothing."""
    data = source.bytes()
    context.budget.spend_bytes(len(data))
    stated = _ENCODING.match(data[:300].lstrip(b"\xef\xbb\xbf"))
    decoded = charset.decode(data, stated[1].decode("ascii") if stated else "utf-8")
    if decoded.replaced:
        raise Malformed(f"{decoded.replaced} characters mean nothing in {decoded.charset}", code="xml.malformed")
    text = decoded.text.removeprefix("\ufeff")
    if declaration := _DECLARATION.match(text):
        # As many line ends as before, so that a refusal names the right line.
        text = "\n" * declaration[0].count("\n") + text[declaration.end() :]
    return text, decoded.charset


def _report_dropped(data: bytes, context: Context) -> None:
    """Comments and processing instructions, which the tree no longer has, as another parser sees them."""
    parser = expat.ParserCreate()
    comments = 0

    def comment(_: str) -> None:
        nonlocal comments
        comments += 1

    def instruction(target: str, _: str) -> None:
        code = "markup.stylesheet" if target == "xml-stylesheet" else "markup.processing_instruction"
        context.found(code, target)

    parser.CommentHandler = comment
    parser.ProcessingInstructionHandler = instruction
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Malformed(f"two parsers disagree: {error}", code="xml.malformed") from None
    if comments:
        context.found("markup.comment", "", Action.REMOVED, f"{comments}")


def _drop_active(root: xml.Element, context: Context) -> None:
    """Elements of active vocabularies, with all that is in them; a root of one is another kind of file."""
    doomed = [element for element in root.iter() if element.tag.partition("}")[0][1:] in _ACTIVE]
    for element in doomed:
        context.found("markup.active_element", element.tag.partition("}")[2])
        parent = element.getparent()
        if parent is None:
            raise Malformed("the whole document is of an active vocabulary", code="markup.active_element")
        _keep_tail(element, parent)
        parent.remove(element)


def _keep_tail(element: xml.Element, parent: xml.Element) -> None:
    """The text behind an element belongs to its parent."""
    if not element.tail:
        return
    before = element.getprevious()
    if before is None:
        parent.text = (parent.text or "") + element.tail
    else:
        before.tail = (before.tail or "") + element.tail


def _written(root: xml.Element, doctype: str, encoding: str, context: Context) -> bytes:
    """The tree in the encoding that it came in, where XML has a name for it and it can say every character; else in UTF-8."""
    body = doctype + xml.serialize(root).decode("utf-8").partition("?>")[2].lstrip("\n")
    if context.treatment.text_as_utf8 and encoding not in ("utf-8", "us-ascii"):
        context.found("text.encoding", "", Action.REWRITTEN, encoding)
        encoding = "utf-8"
    if name := _WRITTEN.get(encoding):
        whole = f'<?xml version="1.0" encoding="{name}"?>\n{body}'
        mark = "\ufeff" if name == "UTF-16" else ""
        data = charset.encode(mark + whole, "utf-8" if name == "UTF-8" else encoding)
        if charset.decode(data, name).text == whole:
            return data
    context.found("text.encoding", "", Action.REWRITTEN, encoding)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()


def sanitize_json(source: Source, context: Context) -> Rebuilt:
    """Parsed to prove that it is JSON and nothing else; the tokens go out as they were written, so that no number changes.

    Raises LimitExceeded, Malformed.
    """
    text, encoding, bom = plain.read(source, context)
    if len(text) * _JSON_COST > context.limits.memory_bytes:
        raise LimitExceeded(f"{len(text)} characters of JSON")
    text = plain.clean(text, context)
    try:
        # Numbers stay text here: one of a million digits is none of our business.
        json.loads(text, object_pairs_hook=_unique, parse_int=len, parse_float=len, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"JSON: {str(error)[:200]}", code="json.malformed") from None
    _refuse_depth(text)
    return Rebuilt(Source(plain.write(text, encoding, bom, context)), Kind.JSON)


def _refuse_depth(text: str) -> None:
    """Of valid JSON: every string is closed, so the pattern never goes back."""
    depth = 0
    for match in _BRACKETS.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
            if depth > _DEEPEST:
                raise Malformed(f"nested deeper than {_DEEPEST}", code="json.malformed")
        elif mark in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise Malformed("the same key twice in one object", code="json.duplicate_key")


def _refuse_constant(name: str) -> None:
    raise Malformed(f"{name} is not JSON", code="json.malformed")


XML: Final = Sanitizer(
    family="xml",
    kinds=frozenset({Kind.XML}),
    sanitize=sanitize_xml,
    removes="processing instructions, style sheet references, comments, elements that browsers act on",
    keeps="elements, attributes, text, namespaces, the encoding, the name of a DTD of 電子納品",
    refuses="any other DTD, what is not well-formed",
    spec="XML 1.0",
)
JSON: Final = Sanitizer(
    family="json",
    kinds=frozenset({Kind.JSON}),
    sanitize=sanitize_json,
    removes="control and invisible characters",
    keeps="values and numbers as written, their order",
    refuses="duplicate keys, deep nesting, what is not JSON",
    spec="RFC 8259",
)
