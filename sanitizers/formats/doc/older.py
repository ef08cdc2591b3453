"""Word 6 and 95: the text alone, by policy. What nobody publishes any more cannot be rebuilt, but its words can be proven.

The text is what the head, the pieces and the characters' set say without contradiction. What was deleted under tracked changes and what
fields are told stays behind, what they showed stays; cells of a table are divided by tabs.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_left
from operator import itemgetter
from typing import Final

from sanitizers import cfb
from sanitizers.context import Context, Rebuilt
from sanitizers.formats import words
from sanitizers.formats.doc import older_head
from sanitizers.formats.doc.fib import Part
from sanitizers.formats.doc.fields import TEXT, Fields
from sanitizers.formats.doc.older_head import Head, Piece
from sanitizers.model import Action, LimitExceeded, Unsupported

_JAPANESE: Final = 0x0411
_MACINTOSH: Final = 0x0100
# Windows' number of a character set → what Python calls it.
_SETS: Final = {
    128: "cp932", 129: "cp949", 134: "cp936", 136: "cp950", 161: "cp1253", 162: "cp1254", 177: "cp1255", 178: "cp1256", 186: "cp1257",
    204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
_OF_LANGUAGE: Final = {_JAPANESE: "cp932", 0x0804: "cp936", 0x0404: "cp950", 0x0412: "cp949"}
_WIDE, _LEAST_PAIR = 2, 0x8100
_WESTERN, _SYMBOLS = "cp1252", 2
_CELL, _PARAGRAPH = 0x07, 0x0D  # marks
_last: Final = itemgetter(1)
_REPEATED, _ALWAYS = 4, 65_536  # a text may be so many times as long as its stream, and this long in any case
_NO_COMMANDS: Final = 2  # bytes of a list of commands that is empty
_LINES: Final = re.compile("[\r\n\x0b\x0c\x0e]")
_TABS_BEFORE_END: Final = re.compile("\t+(?=\r\n|$)")
_ROW: Final = re.compile("\x07\x07")
# What stands for something that is no text: picture, separators of notes, drawing; the hyphen that shows at the end of a line only.
_GONE: Final = re.compile("[\x00-\x06\x08\x0f-\x12\x16-\x1d\x1f]")
_PICTURES: Final = re.compile("[\x01\x08]")
_STORIES: Final = (
    ("footnotes", "脚注"), ("headers", "ヘッダー・フッター"), ("comments", "コメント"), ("endnotes", "文末脚注"),
    ("text_boxes", "テキストボックス"), ("header_text_boxes", "ヘッダーのテキストボックス"),
)  # fmt: skip


def rebuild(main: bytes, compound: cfb.Compound, context: Context) -> Rebuilt:
    """`main`: the stream WordDocument; what lies beside it has been reported. Raises Malformed, Unsupported, LimitExceeded."""
    head = older_head.read(main)
    if head.is_encrypted:
        raise Unsupported("a locked document of Word 95 or older")
    text = _Text(main, head, context)
    said = [text.story("main")]
    for name, title in _STORIES:
        if name == "comments" and head.counts.comments and not context.treatment.comments_kept:
            context.found("doc.comments", "", Action.REMOVED)
        elif shown := text.story(name).strip("\r\n"):
            said.append(f"［{title}］\r\n{shown}")
    _report(main, head, text, compound, context)
    return words.rebuilt("\r\n\r\n".join(one.strip("\r\n") for one in said) + "\r\n", "doc.as_text", context, "Word 6, 95")


def _report(main: bytes, head: Head, text: _Text, compound: cfb.Compound, context: Context) -> None:
    """What does not come along, beside the looks."""
    if head.counts.macros or len(head.part(main, Part.COMMANDS)) > _NO_COMMANDS:
        context.found("doc.macro", "commands", Action.REMOVED)
    if text.deletions:
        context.found("doc.comments", "", Action.REMOVED, "deleted under tracked changes")
    if text.pictures:
        context.found("doc.picture_left", "", Action.REMOVED, f"{text.pictures}")
    if compound.find("\x05SummaryInformation") is not None:
        context.found("file.metadata", "SummaryInformation", Action.REMOVED)


class _Text:
    """`pictures`: places of a picture or drawing in what was read; `deletions`: characters that were left out as deleted."""

    def __init__(self, main: bytes, head: Head, context: Context) -> None:
        self._main = main
        self._head = head
        self._context = context
        self._pieces = older_head.pieces(main, head)
        if sum(one.end - one.start for one in self._pieces) > _REPEATED * len(main) + _ALWAYS:
            raise LimitExceeded("pieces that repeat the text")
        self._deleted = _apart(older_head.deleted(main, head))
        self._row_ends = sorted({end - head.width for _, end in older_head.row_ends(main, head)})
        self._codec = _codec(main, head, self._pieces)
        self.pictures = 0
        self.deletions = 0

    def story(self, name: str) -> str:
        """The lines of one story, as they are shown. Raises Malformed, Unsupported."""
        index = self._head.counts._fields.index(name)
        start = sum(self._head.counts[:index])
        raw = self._stored(start, start + self._head.counts[index])
        self._context.budget.spend_bytes(2 * len(raw))
        try:
            units = raw.decode(self._codec) if self._head.width == 1 else _wide(raw, self._codec)
        except UnicodeDecodeError as error:
            raise Unsupported(f"characters that are none in {self._codec}: {error.object[error.start :][:2].hex()} in {name}") from None
        if not self._row_ends:
            units = _ROW.sub("\x07\r", units)
        fields = Fields(units, 0, len(units), self._context.treatment.link_schemes)
        for code, instruction in fields.found:
            self._context.found(code, instruction, Action.REMOVED)
        return self._lines(units, fields)

    def _lines(self, units: str, fields: Fields) -> str:
        shown: list[str] = []
        for at, unit in enumerate(units):
            if at in fields.rubies:
                shown.append(f"{fields.rubies[at].base}（{fields.rubies[at].guide}）")
            elif fields.fates[at] == TEXT:
                shown.append(unit)
        text = "".join(shown)
        self.pictures += len(_PICTURES.findall(text))
        text = _GONE.sub("", text.replace("\x1e", "-").replace("\x02", "＊"))
        return _TABS_BEFORE_END.sub("", _LINES.sub("\r\n", text.replace("\x07", "\t")))

    def _stored(self, start: int, end: int) -> bytes:
        """The bytes of these characters, without what is deleted; the mark that ends a row becomes that of a paragraph."""
        width = self._head.width
        stored = bytearray()
        for piece in self._pieces:
            first, last = max(start, piece.start), min(end, piece.end)
            if first < last:
                at = piece.at + width * (first - piece.start)
                stored += self._left(at, at + width * (last - first))
        return bytes(stored)

    def _left(self, at: int, stop: int) -> bytes:
        """Of one stretch of the stream."""
        kept = bytearray(self._main[at:stop])
        for end in self._row_ends[bisect_left(self._row_ends, at) : bisect_left(self._row_ends, stop)]:
            if kept[end - at] == _CELL:
                kept[end - at] = _PARAGRAPH
        parts: list[bytes] = []
        before = at
        for start, end in self._deleted[bisect_left(self._deleted, at, key=_last) :]:
            if start >= stop:
                break
            parts.append(bytes(kept[max(before - at, 0) : max(start - at, 0)]))
            self.deletions += min(end, stop) - max(start, at)
            before = end
        return b"".join([*parts, bytes(kept[before - at :])])


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same stretches in order, each byte in one of them at most."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        first = max(start, found[-1][1]) if found else start
        if first < end:
            found.append((first, end))
    return found


def _wide(raw: bytes, codec: str) -> str:
    """Two bytes for each character: a letter of ASCII, or a pair of bytes as East Asian sets have them, the first one on top.

    Raises UnicodeDecodeError, and Unsupported for a single letter beyond ASCII, which readers take from different sets.
    """
    known: dict[int, str] = {}
    units = struct.unpack(f"<{len(raw) // 2}H", raw)
    for unit in set(units):
        pair = unit.to_bytes(2, "big")
        if 0x80 <= unit < _LEAST_PAIR:
            raise Unsupported(f"a character that may be read in two ways ({unit:04X})")
        known[unit] = pair.decode(codec) if unit >= _LEAST_PAIR else chr(unit)
        if len(known[unit]) != 1:
            raise Unsupported(f"no pair of bytes in {codec} ({unit:04X})")
    return "".join(map(known.__getitem__, units))


def _codec(main: bytes, head: Head, pieces: list[Piece]) -> str:
    """Raises Unsupported where the document does not say in which set its characters are."""
    if head.characters == _MACINTOSH:
        if head.language in _OF_LANGUAGE or head.width == _WIDE:
            raise Unsupported("an East Asian document of a Macintosh")
        return "mac_roman"
    if head.characters:
        if head.characters not in _SETS:
            raise Unsupported(f"characters of an unknown set ({head.characters})")
        return _SETS[head.characters]
    if found := _OF_LANGUAGE.get(head.language):
        return found
    if head.width == _WIDE:
        raise Unsupported("wide characters of a language that has none")
    others = _sets_of_fonts(head.part(main, Part.FONTS)) - {0, _SYMBOLS, 255}
    if others and not all(main[one.at : one.at + one.end - one.start].isascii() for one in pieces):
        raise Unsupported(f"characters of several sets ({', '.join(map(str, sorted(others)))})")
    return _WESTERN


def _sets_of_fonts(table: bytes) -> set[int]:
    """The character set of each font: one byte of length without itself, flags, weight, set, name."""
    found: set[int] = set()
    at = 2
    while at + 5 < len(table):
        found.add(table[at + 4])
        at += 1 + table[at]
    return found
