"""The second opinion on documents of which the text alone goes out: olefile and a flat walk of their own find the letters again."""

from __future__ import annotations

import struct
from collections import Counter
from typing import Final

from sanitizers.context import Context
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import compound, jtd
from sanitizers.verify.doc import pieces_of, shown_of

KINDS: Final = frozenset({Kind.DOC, Kind.JTD})

_LEAST: Final = 0.99  # of the letters: a few stand in fields that make their text anew
_TITLES: Final = Counter("脚注ヘッダーフッターコメント文末脚注テキストボックスヘッダーのテキストボックス")
_COMPLEX, _WIDE = 0x0004, 0x1000
_FAR_EAST: Final = {0x0411: "cp932", 0x0804: "cp936", 0x0404: "cp950", 0x0412: "cp949"}
_CODECS: Final = {
    0x0100: "mac_roman", 128: "cp932", 129: "cp949", 134: "cp936", 136: "cp950", 161: "cp1253", 162: "cp1254", 177: "cp1255", 178: "cp1256",
    186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
_COMPRESSED, _STORES, _MANY = "JSCompDocument", ("DocumentText", "Header", "Footnote"), b"QLSTV.01"
_RECORD, _WORDS = 0x1C, 0x01


def compare(said: str, original: Source, context: Context) -> None:
    """Raises VerificationFailed where the text says what the document does not, or where letters of the document are lost."""
    found = _word(original) if context.kind is Kind.DOC else _ichitaro(original)
    if found is None:
        return  # only the sanitizer has unpacked it
    before, shown = found
    now = Counter(filter(str.isalnum, said))
    added = now - Counter(filter(str.isalnum, before)) - _TITLES
    if added:
        raise VerificationFailed(f"{added.total()} letters that the document does not have")
    wanted = Counter(filter(str.isalnum, shown))
    lost = (wanted - now).total()
    codes = {finding.code for finding in context.findings}
    if lost > wanted.total() * (1 - _LEAST) and "doc.comments" not in codes:
        raise VerificationFailed(f"{lost} of {wanted.total()} letters are lost")


# ------------------------------------------------------------------------------------------------------------ Word 6 and 95


def _word(original: Source) -> tuple[str, str]:
    """All that is stored as text, and what of the body is shown."""
    with compound.opened(original) as streams:
        main: bytes = streams.openstream("WordDocument").read()
        flags, language, characters = (struct.unpack_from("<H", main, at)[0] for at in (0x0A, 0x06, 0x14))
        width = 2 if flags & _WIDE else 1
        counts = struct.unpack_from("<8I", main, 0x34)
        if flags & _COMPLEX:
            start, size = struct.unpack_from("<II", main, 0x160)
            raw = b"".join(main[where : where + end - first] for where, first, end in pieces_of(main[start : start + size]))
        else:
            (start,) = struct.unpack_from("<I", main, 0x18)
            raw = main[start : start + width * sum(counts)]
        codec = _codec(characters, language)
        body = raw[: width * counts[0]]
        if flags & _WIDE:
            raw, body = _narrow(raw), _narrow(body)
        return raw.decode(codec, "replace"), shown_of(body.decode(codec, "replace"))


def _narrow(raw: bytes) -> bytes:
    """The first byte of a pair is the upper half of its unit; where that is empty there is one byte."""
    pairs = zip(raw[::2], raw[1::2], strict=False)
    return b"".join(bytes((high, low)) if high else bytes((low,)) for low, high in pairs)


def _codec(characters: int, language: int) -> str:
    return _CODECS[characters] if characters else _FAR_EAST.get(language, "cp1252")


# --------------------------------------------------------------------------------------------------------------------- 一太郎


def _ichitaro(original: Source) -> tuple[str, str] | None:
    """All units of the stores of text, and those that stand outside of records; None for a compressed document."""
    with compound.opened(original) as streams:
        if streams.exists(_COMPRESSED):
            return None
        stores = [streams.openstream(name).read() for name in _STORES if streams.exists(name)]
        everything = [unit for stream in stores for text in _texts(stream) for unit in _units(text)]
        return _characters(everything), _characters(_outside(everything))


def _texts(stream: bytes) -> list[bytes]:
    """In the order of their numbers: the pieces of a text come after the list that names them."""
    found = dict(jtd.runs(stream))
    listed = found.get(0, b"")
    if listed[:8] != _MANY:
        return [run[8:] for run in found.values()]
    return [struct.pack(">I", length) + found[number] for length, number in struct.iter_unpack(">II", listed[12:])]


def _units(run: bytes) -> tuple[int, ...]:
    (count,) = struct.unpack_from(">I", run)
    return struct.unpack_from(f">{count}H", run, 4)


def _outside(units: list[int]) -> list[int]:
    """Without records; of those that hold words (class 1) the words stay."""
    kept: list[int] = []
    at = 0
    while at < len(units):
        if units[at] != _RECORD:
            kept.append(units[at])
            at += 1
        elif units[at + 1] == _WORDS:
            at += 7
        else:
            at += max(units[at + 2], 1)
    return [unit for unit in kept if unit >= 0x20]


def _characters(units: list[int]) -> str:
    return struct.pack(f"<{len(units)}H", *units).decode("utf-16-le", "replace")
