"""One document written anew from its tree: each control word and destination by the lists, what they do not know left out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Final

from sanitizers import charset
from sanitizers.context import Context
from sanitizers.formats.office import instructions
from sanitizers.formats.office.classification import MARK
from sanitizers.formats.office.instructions import Reach
from sanitizers.formats.rtf import pictures, shapes, words, writer
from sanitizers.formats.rtf.destinations import COMMENTS, KEPT, PLAIN, REPORTED, SILENT
from sanitizers.formats.rtf.tokens import Binary, Group, Letter, Node, Word
from sanitizers.model import Action, LimitExceeded

_FONTS: Final = 4096            # CVE-2023-21716: a table of more than 32,768 fonts
_SIGNS: Final = frozenset("~-_|:")
_MARKED: Final = KEPT - PLAIN | {"cs", "ds", "ts", "tsrowd"}     # the last four are no destinations, and marked all the same
# Custom properties in which programs speak of themselves.
_IMPERSONAL: Final = frozenset({"AppVersion", "DocSecurity", "HyperlinksChanged", "LinksUpToDate", "ScaleCrop", "ShareDoc"})
_SHOWN: Final = 5               # details of one finding
_FIELDS: Final = {
    Reach.DDE: "rtf.dde", Reach.MACRO: "rtf.macro", Reach.LINK: "rtf.link", Reach.MERGE: "rtf.field", Reach.UNKNOWN: "rtf.field",
    **dict.fromkeys((Reach.EXTERNAL, Reach.OBJECT, Reach.CONTROL), "rtf.external_field"),
}  # fmt: skip
_HEXADECIMAL: Final = frozenset(b"0123456789abcdefABCDEF")


class Rebuild:
    """The state of one rebuild: what was left behind, by finding code."""

    def __init__(self, context: Context, root: Group) -> None:
        self._context = context
        self._gone: dict[str, list[str]] = {}
        self._charset = _charset(root)
        self._special: dict[str, Callable[[list[Node]], bytes]] = {
            "pict": self._picture, "field": self._field, "object": self._object, "result": self._content, "fonttbl": self._fonts,
            "upr": self._unicode, "ud": self._content, "userprops": self._properties, "sp": self._shape_property,
            "nonshppict": self._content,
        }  # fmt: skip

    def document(self, root: Group) -> bytes:
        """The whole file; then the findings."""
        self._scan_text(root)
        made = b"{\\rtf1" + self._content(root) + b"}\r\n"
        for code, details in self._gone.items():
            unique = list(dict.fromkeys(filter(None, details)))
            more = f" ({len(details)})" if len(details) > 1 else ""
            self._context.found(code, "", Action.REMOVED, "; ".join(unique[:_SHOWN]) + more)
        return made

    def _content(self, nodes: list[Node]) -> bytes:
        """What stands in a group, up to the word that gives it another meaning: such a word takes all that follows."""
        out: list[bytes] = []
        star, before = False, ""
        for index, node in enumerate(nodes):
            if isinstance(node, Group):
                name = _first_word(node)
                if not (name == "nonshppict" and before == "shppict"):      # the same picture for older readers
                    out.append(self._braced(node))
                before = name
            elif isinstance(node, bytes):
                out.append(writer.text(node))
            elif isinstance(node, Letter):
                out.append(writer.letter(node.unit))
            elif isinstance(node, Binary):
                self._left("rtf.binary", f"{len(node.data)} bytes")
            elif node.name == "*":
                star = True
            else:
                made, ended = self._word(node, nodes[index + 1 :] if self._takes_all(node.name, star=star) else [], star=star)
                out.append(made)
                if ended:
                    break
                star = False
        return b"".join(out)

    def _braced(self, group: Group) -> bytes:
        made = self._content(group)
        return b"{" + made + b"}" if made else b""

    def _takes_all(self, name: str, *, star: bool) -> bool:
        if name in self._special or name in SILENT or name in REPORTED or (name in COMMENTS and not self._context.treatment.comments_kept):
            return True
        return star and name not in KEPT and name not in words.WORDS

    def _word(self, node: Word, rest: list[Node], *, star: bool) -> tuple[bytes, bool]:
        """What becomes of a word, and whether the rest of its group went with it."""
        name = node.name
        if self._takes_all(name, star=star):
            return self._destination(name, rest), True
        if name in _SIGNS:
            return writer.word(name), False
        if (name in KEPT or name in words.WORDS) and words.fits(name, node.number):
            return (b"\\*" if star and name in _MARKED else b"") + writer.word(name, node.number), False
        if name in KEPT or name in words.WORDS:
            self._left("rtf.number", f"{name}{node.number}")
        elif name not in words.SILENT:
            self._left("rtf.unknown_word", name)
        return b"", False

    def _destination(self, name: str, rest: list[Node]) -> bytes:
        if name in self._special:
            return self._special[name](rest)
        if name in SILENT or name in words.SILENT:
            return b""
        said = self._said(rest)
        code = REPORTED.get(name, "rtf.comment" if name in COMMENTS else "rtf.unknown_destination")
        if code in ("rtf.object", "rtf.data_store"):
            self._scan(rest)
        if code != "file.metadata" or said.strip():
            self._left(code, name if code in ("rtf.unknown_destination", "file.metadata", "rtf.data_store") else said[:200])
        return b""

    # ---------------------------------------------------------------------------------------------- special destinations

    def _picture(self, rest: list[Node]) -> bytes:
        return pictures.picture(rest, self._context, "picture")

    def _fonts(self, rest: list[Node]) -> bytes:
        if sum(isinstance(node, Word) and node.name == "f" for node in _walk(rest)) > _FONTS:
            raise LimitExceeded(f"more than {_FONTS} fonts", where="fonttbl")
        return writer.word("fonttbl") + self._content(rest)

    def _unicode(self, rest: list[Node]) -> bytes:
        """`{\\upr{…}{\\*\\ud{…}}}`: the same for readers without Unicode, and for all others."""
        groups = [node for node in rest if isinstance(node, Group)]
        chosen = next((group for group in groups if _first_word(group) == "ud"), groups[0] if groups else Group())
        return self._content(chosen)

    def _field(self, rest: list[Node]) -> bytes:
        """`{\\field{\\*\\fldinst …}{\\fldrslt …}}`. Of a field that goes, what it showed stays."""
        groups = [node for node in rest if isinstance(node, Group)]
        made = [writer.word(node.name) for node in rest if isinstance(node, Word) and node.name in words.WORDS]
        shown = [self._braced(group) for group in groups if _first_word(group) == "fldrslt"]
        for group in groups:
            if _first_word(group) != "fldinst":
                continue
            instruction = self._instruction(_after(group, "fldinst"))
            if not instruction:
                return b"".join(shown)
            made.append(b"{\\*\\fldinst " + instruction + b"}")
        return b"\\field " + b"".join(made + shown)

    def _instruction(self, nodes: list[Node]) -> bytes:
        """What a field is to do, or nothing where it may not do that."""
        own = [node for node in nodes if not _holds(node, "field")]
        said, nested = self._said(own), len(own) < len(nodes)
        # It begins with another field, whose words nobody knows.
        nameless = nested and not self._said(list(itertools.takewhile(lambda node: not _holds(node, "field"), nodes))).strip()
        local = not nameless and instructions.is_local(said, self._context.treatment.link_schemes, nested=nested)
        made = self._content(nodes) if local else b""
        if not made.strip():
            self._left(_FIELDS[instructions.reach(said)], said.strip()[:200])
            return b""
        return made

    def _object(self, rest: list[Node]) -> bytes:
        """Of an object only the picture that it showed stays."""
        kinds = [self._said(_after(node, "objclass")) for node in rest if isinstance(node, Group) and _first_word(node) == "objclass"]
        self._left("rtf.object", ", ".join(kinds)[:200])
        self._scan(rest)
        return b"".join(self._braced(node) for node in rest if isinstance(node, Group) and _first_word(node) == "result")

    def _properties(self, rest: list[Node]) -> bytes:
        """`{\\propname …}\\proptype30{\\staticval …}` for each: marks of a classification stay, as text."""
        made: list[bytes] = []
        name = ""
        for group in (node for node in rest if isinstance(node, Group)):
            kind = _first_word(group)
            said = self._said(_after(group, kind)).strip() if kind else ""
            if kind == "propname":
                name = said
                if not MARK.match(name) and name not in _IMPERSONAL:
                    self._left("file.metadata", name)
            elif kind == "staticval" and MARK.match(name):
                made.append(b"{\\propname " + writer.words(name) + b"}\\proptype30 {\\staticval " + writer.words(said) + b"}")
        return b"\\*\\userprops " + b"".join(made) if made else b""

    def _shape_property(self, rest: list[Node]) -> bytes:
        groups = {_first_word(node): node for node in rest if isinstance(node, Group)}
        name = self._said(_after(groups.get("sn", Group()), "sn")).strip()
        value = _after(groups.get("sv", Group()), "sv")
        said = self._said(value).strip()
        made = b""
        if name in shapes.TEXTS:
            made = writer.words(said)
        elif name in shapes.PICTURES:
            made = b"".join(self._braced(node) for node in value if isinstance(node, Group) and _first_word(node) == "pict")
        elif shapes.is_plain(name, said):
            made = said.encode()
        elif name not in shapes.SILENT:
            self._left("rtf.link" if _holds(Group(value), "hl") else "rtf.shape_property", name[:60])
        return b"\\sp {\\sn " + writer.text(name.encode()) + b"}{\\sv " + made + b"}" if made else b""

    # ------------------------------------------------------------------------------------------------------- reporting

    def _left(self, code: str, detail: str) -> None:
        self._gone.setdefault(code, []).append(detail)

    def _said(self, nodes: list[Node]) -> str:
        return writer.spoken(nodes, self._charset)

    def _scan_text(self, root: Group) -> None:
        """Shows the scanner the letters behind escapes, which the file's own bytes do not spell."""
        letters = (chr(node.unit).encode("utf-8", "replace") if isinstance(node, Letter) else node for node in _walk(root))
        self._context.scan_layer(b"".join(piece for piece in letters if isinstance(piece, bytes)), "text")

    def _scan(self, nodes: list[Node]) -> None:
        """Shows the scanner what the digits hide, however they are spread over groups."""
        digits = bytes(octet for node in _walk(nodes) if isinstance(node, bytes) for octet in node if octet in _HEXADECIMAL)
        data = bytes.fromhex(digits[: len(digits) & ~1].decode()) + b"".join(node.data for node in _walk(nodes) if isinstance(node, Binary))
        if data:
            self._context.budget.spend_bytes(len(data))
            self._context.scan_layer(data, "object")


def _charset(root: Group) -> str:
    page = next((node.number for node in root if isinstance(node, Word) and node.name == "ansicpg"), None)
    return charset.canonical(f"cp{page}") or "cp1252"


def _first_word(group: Group) -> str:
    return next((node.name for node in group if isinstance(node, Word) and node.name != "*"), "")


def _after(group: Group, name: str) -> list[Node]:
    """What follows a word in its group."""
    for index, node in enumerate(group):
        if isinstance(node, Word) and node.name == name:
            return group[index + 1 :]
    return []


def _walk(nodes: list[Node]) -> Iterator[Node]:
    """Every node in the order of the file. Iterative: the cost of a node does not grow with its depth."""
    waiting = [iter(nodes)]
    while waiting:
        for node in waiting[-1]:
            yield node
            if isinstance(node, Group):
                waiting.append(iter(node))
                break
        else:
            waiting.pop()


def _holds(node: Node, name: str) -> bool:
    return isinstance(node, Group) and any(isinstance(item, Word) and item.name == name for item in _walk(node))
