"""The second opinion on documents that came as compound files: olefile and a flat walk of the pieces count what the docx must say."""

from __future__ import annotations

import html
import re
import struct
from collections import Counter
from typing import Final

from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import compound

_FLAGS, _MAIN, _PIECES = 0x0A, 0x4C, 0x01A2  # places in the head: flags, characters of the body, where the table of pieces is
_ENCRYPTED, _SECOND_TABLE, _NARROW = 0x0100, 0x0200, 0x4000_0000
_TEXT: Final = re.compile(rb"<w:(?:t|delText)(?: [^>]*)?>([^<]*)<")
_BEGIN, _SEPARATOR, _END = "\x13", "\x14", "\x15"
_CONTROLS: Final = "\r\x07\x0c\t\x0b\x01\x02\x05\x08\x1e\x1f"
_LEAST: Final = 0.99  # of the letters: a few stand in fields that make their text anew
_LEAST_ACCEPTED: Final = 0.3  # where what was deleted does not cross


def compare(parts: dict[str, bytes], original: Source, *, deleted_kept: bool) -> None:
    """Raises VerificationFailed where letters of the body are lost."""
    body = _body(original)
    if body is None:
        return  # locked: only the sanitizer has seen it
    said = html.unescape(b"".join(_TEXT.findall(parts["word/document.xml"])).decode())
    shown = shown_of(body)
    if _letters(shown) == said:
        return  # as it is most often, and quicker to see than to count
    before, after = (Counter(filter(str.isalnum, text)) for text in (shown, said))
    lost = (before - after).total()
    if lost > before.total() * (1 - (_LEAST if deleted_kept else _LEAST_ACCEPTED)):
        raise VerificationFailed(f"{lost} of {before.total()} letters are lost")


def _body(original: Source) -> str | None:
    """The units of the body as characters; None for a locked document."""
    with compound.opened(original) as streams:
        main: bytes = streams.openstream("WordDocument").read()
        (flags,) = struct.unpack_from("<H", main, _FLAGS)
        if flags & _ENCRYPTED:
            return None
        table: bytes = streams.openstream("1Table" if flags & _SECOND_TABLE else "0Table").read()
        (count,) = struct.unpack_from("<I", main, _MAIN)
        start, size = struct.unpack_from("<II", main, _PIECES)
        return _joined(main, table[start : start + size], count)


def _joined(main: bytes, clx: bytes, count: int) -> str:
    texts: list[str] = []
    for where, start, end in pieces_of(clx):
        length = max(0, min(end, count) - start)
        if where & _NARROW:
            at = (where ^ _NARROW) // 2
            texts.append(main[at : at + length].decode("latin-1"))
        else:
            texts.append(main[where : where + 2 * length].decode("utf-16-le", "replace"))
    return "".join(texts)


def pieces_of(clx: bytes) -> list[tuple[int, int, int]]:
    """Of each piece of a text: what is said of where it lies, and from which place to which it goes. Raises struct.error, IndexError."""
    at = 0
    while clx[at] == 1:
        at += 3 + int.from_bytes(clx[at + 1 : at + 3], "little")
    table = clx[at + 5 :]
    number = len(table) // 12
    places = struct.unpack_from(f"<{number + 1}I", table)
    return [
        (struct.unpack_from("<I", table, 4 * (number + 1) + 8 * index + 2)[0], places[index], places[index + 1]) for index in range(number)
    ]


def _letters(text: str) -> str:
    """Without the controls that a text usually has."""
    for one in _CONTROLS:
        text = text.replace(one, "")
    return text


def shown_of(body: str) -> str:
    """Without what fields are told: that stands between their beginning and the sign before their result."""
    if _BEGIN not in body:
        return body
    shown: list[str] = []
    told: list[bool] = []  # for each open field: still being told
    telling = 0
    for piece in re.split(f"([{_BEGIN}{_SEPARATOR}{_END}])", body):
        if piece == _BEGIN:
            told.append(True)
            telling += 1
        elif piece == _SEPARATOR and told:
            telling -= told[-1]
            told[-1] = False
        elif piece == _END and told:
            telling -= told.pop()
        elif not telling:
            shown.append(piece)
    return "".join(shown)
