"""The JIS character sets as Japanese software really writes them: ISO-2022-JP as CP50220/CP50221, and EUC-JP with the vendor rows.

Python's own `iso2022_jp*` codecs refuse the NEC and IBM rows (①, ㈱, 髙), half-width kana and a missing last escape, all of which
ordinary mail contains. Here every JIS X 0208 pair is turned into Shift_JIS by arithmetic and read as CP932, so that the same
character always comes out the same (～ is U+FF5E) whichever way it travelled.

Sources: RFC 1468, RFC 2237 (JIS X 0212), Microsoft CP932, CP50220, CP50221 and CP51932, OSF UI-OSF-JP eucJP-ms.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Callable
from typing import Final, NamedTuple

GETA: Final = "〓"  # what Japanese typesetting puts where the type is missing


class Run(NamedTuple):
    """Decoded text and how many characters of it are 〓 because nothing is known for their bytes."""

    text: str
    replaced: int


def _shift_jis(row: int, cell: int) -> bytes:
    """One JIS X 0208 pair (each 0x21..0x7E) as Shift_JIS: two rows share one lead byte, which skips 0xA0..0xDF."""
    lead = (row - 0x21) // 2 + 0x81
    if lead >= 0xA0:
        lead += 0x40
    return bytes((lead, cell + 0x7E if row % 2 == 0 else cell + (0x1F if cell < 0x60 else 0x20)))


def _table() -> list[str]:
    """Index: both bytes of a pair as one big-endian number; value: the character, or 〓 where CP932 has none."""
    table = [GETA] * 0x8000
    for row in range(0x21, 0x7F):
        for cell in range(0x21, 0x7F):
            try:
                table[row << 8 | cell] = _shift_jis(row, cell).decode("cp932")
            except UnicodeDecodeError:
                continue
    return table


_PAIRS: Final = _table()
_KNOWN_GETA: Final = 0x222E  # the one pair that really means 〓
_GETA_PAIR: Final = b"\x22\x2e"

# What other tables call the same glyph; both spellings go out as the one pair.
_TWINS: Final = {"〜": "～", "‖": "∥", "−": "－", "¢": "￠", "£": "￡", "¬": "￢", "—": "―", "¦": "￤"}


def _reverse() -> dict[str, bytes]:
    """Character to pair; the lowest pair wins where NEC repeated a character of JIS X 0208."""
    pairs: dict[str, bytes] = {}
    for number, char in enumerate(_PAIRS):
        if char != GETA or number == _KNOWN_GETA:
            pairs.setdefault(char, number.to_bytes(2, "big"))
    for twin, char in _TWINS.items():
        pairs.setdefault(twin, pairs[char])
    return pairs


_BYTES: Final = _reverse()
_HIGH: Final = bytes(byte & 0x7F for byte in range(256))
_TO_HIGH: Final = bytes(byte | 0x80 for byte in range(256))

# RFC 1468, 2237, 1554 and JIS X 0213; SO and SI switch the kana of 7-bit JIS X 0201.
_ESCAPE: Final = re.compile(rb"(\x1b(?:\$\([@BDOPQ]|\$[@B]|\([ABHIJ]|&@)|[\x0e\x0f])")
EVIDENCE: Final = re.compile(rb"\x1b(?:\$[@B]|\$\([@BDOPQ]|\([IJ])")
_PAIR_RUN: Final = re.compile(rb"((?:[\x21-\x7e]{2})+)")
_HIGH_RUN: Final = re.compile(rb"([\x80-\xff]+)")
_KANA_RUN: Final = re.compile(rb"([\x21-\x5f]+)")
_GRAPHIC: Final = bytes(range(0x21, 0x7F))
_TWO_BYTES: Final = {b"\x1b$@", b"\x1b$B", b"\x1b$(@", b"\x1b$(B", b"\x1b$(O", b"\x1b$(Q"}
_SUPPLEMENT: Final = b"\x1b$(D"
_SECOND_PLANE: Final = b"\x1b$(P"
_KANA: Final = {b"\x1b(I", b"\x0e"}


def _pairs(run: bytes) -> Run:
    """An even run of bytes 0x21..0x7E as JIS X 0208 with the NEC and IBM rows."""
    numbers = struct.unpack(f">{len(run) // 2}H", run)
    text = "".join(map(_PAIRS.__getitem__, numbers))
    if GETA not in text:
        return Run(text, 0)
    return Run(text, text.count(GETA) - numbers.count(_KNOWN_GETA))


def _supplement(run: bytes) -> Run:
    """An even run of bytes 0x21..0x7E as JIS X 0212."""
    high = run.translate(_TO_HIGH)
    packed = b"".join(b"\x8f" + high[at : at + 2] for at in range(0, len(high), 2))
    text = packed.decode("euc_jp", "replace")
    if "\ufffd" not in text:
        return Run(text, 0)
    # One unknown pair makes several U+FFFD, or is taken for one of JIS X 0208: look at each so that one pair is one 〓.
    chars = [_supplementary(high[at : at + 2]) for at in range(0, len(high), 2)]
    return Run("".join(chars), chars.count(GETA))


def _supplementary(pair: bytes) -> str:
    try:
        return (b"\x8f" + pair).decode("euc_jp")
    except UnicodeDecodeError:
        return GETA


def _kana(run: bytes) -> str:
    """Bytes 0x21..0x5F as the half-width kana of JIS X 0201."""
    return "".join(chr(0xFF40 + byte) for byte in run)


def _double(run: bytes, pairs: Callable[[bytes], Run], eight_bit: Callable[[bytes], Run]) -> list[Run]:
    """A run in a two-byte set: pairs; single spaces and controls stay, a lone half is 〓, 8-bit bytes by their own evidence."""
    if len(run) % 2 == 0 and not run.translate(None, _GRAPHIC):
        return [pairs(run)]
    out = []
    for index, piece in enumerate(_PAIR_RUN.split(run)):
        if index % 2:
            out.append(pairs(piece))
            continue
        for odd, part in enumerate(_HIGH_RUN.split(piece)):
            if odd:
                out.append(eight_bit(part))
            elif part:
                lone = sum(0x21 <= byte <= 0x7E for byte in part)
                text = "".join(GETA if 0x21 <= byte <= 0x7E else chr(byte) for byte in part)
                out.append(Run(text, lone))
    return out


def _single(run: bytes, eight_bit: Callable[[bytes], Run]) -> list[Run]:
    """A run in ASCII or JIS X 0201 Roman (whose ¥ every mail program shows for a backslash anyway)."""
    if run.isascii():
        return [Run(run.decode("ascii"), 0)]
    return [eight_bit(run)]


def _half(run: bytes, eight_bit: Callable[[bytes], Run]) -> list[Run]:
    """A run in half-width kana: the kana, and everything else as it stands."""
    out: list[Run] = []
    for index, piece in enumerate(_KANA_RUN.split(run)):
        out.extend([Run(_kana(piece), 0)] if index % 2 else _single(piece, eight_bit))
    return out


def _in_set(charset: bytes, run: bytes, eight_bit: Callable[[bytes], Run]) -> list[Run]:
    if charset in _TWO_BYTES:
        return _double(run, _pairs, eight_bit)
    if charset == _SUPPLEMENT:
        return _double(run, _supplement, eight_bit)
    if charset == _SECOND_PLANE:
        return _double(run, lambda pairs: Run(GETA * (len(pairs) // 2), len(pairs) // 2), eight_bit)
    if charset in _KANA:
        return _half(run, eight_bit)
    return _single(run, eight_bit)


def _wide(charset: bytes) -> bool:
    return charset in _TWO_BYTES or charset in (_SUPPLEMENT, _SECOND_PLANE)


def _split_lost(charset: bytes, run: bytes, following: bytes) -> tuple[bytes, bytes]:
    """Where a two-byte set was not closed before the end of a line: what still is in the set, and what is ASCII again.

    A later escape back to ASCII shows that the set was meant to go on over the line end; otherwise the escape was lost there.
    """
    if not _wide(charset) or following in (b"\x1b(B", b"\x1b(J"):
        return run, b""
    end = run.find(b"\n")
    return (run, b"") if end < 0 else (run[:end], run[end:])


def decode_jis(data: bytes, eight_bit: Callable[[bytes], Run]) -> Run:
    """ISO-2022-JP in all its forms. `eight_bit` reads runs that have bytes above 0x7F (a footer that some gateway appended)."""
    out: list[str] = []
    replaced = 0
    pieces = _ESCAPE.split(data)  # text, escape, text, escape, … text
    charset = b"\x1b(B"
    for index in range(0, len(pieces), 2):
        run = pieces[index]
        following = pieces[index + 1] if index + 1 < len(pieces) else b""
        if charset == b"\x1b(B" and run.isascii():
            out.append(run.decode("ascii"))
        elif run:
            inside, after = _split_lost(charset, run, following)
            found = _in_set(charset, inside, eight_bit)
            if after:
                found += _single(after, eight_bit)
            out += [text for text, _ in found]
            replaced += sum(count for _, count in found)
        if following != b"\x1b&@":  # announces JIS X 0208-1990 before its own escape
            charset = b"\x1b(B" if following == b"\x0f" else following
    return Run("".join(out), replaced)


_EUC: Final = re.compile(
    rb"((?:[\xa1-\xfe]{2})+)|((?:\x8e[\xa1-\xdf])+)|((?:\x8f[\xa1-\xfe]{2})+)|([\x00-\x7f]+)|([\x80-\x8d\x90-\xa0\xff]+)|(.)",
    re.DOTALL,
)


def decode_euc(data: bytes) -> Run:
    """EUC-JP with the NEC and IBM rows (CP51932), half-width kana and JIS X 0212. Bytes that fit nowhere become 〓."""
    out: list[Run] = []
    for match in _EUC.finditer(data):
        pairs, kana, supplement, ascii_run, never, _ = match.groups()
        if pairs:
            out.append(_pairs(pairs.translate(_HIGH)))
        elif kana:
            out.append(Run(_kana(kana.replace(b"\x8e", b"").translate(_HIGH)), 0))
        elif supplement:
            out.append(_supplement(supplement.replace(b"\x8f", b"").translate(_HIGH)))
        elif ascii_run:
            out.append(Run(ascii_run.decode("ascii"), 0))
        else:
            out.append(Run(GETA * len(never or b"?"), len(never or b"?")))
    return Run("".join(run.text for run in out), sum(run.replaced for run in out))


_HALF_WIDTH: Final = re.compile("[｡-ﾟ]+")
_CLASSES: Final = re.compile("([\x00-\x7f]+)|([｡-ﾟ]+)|([^\x00-\x7f｡-ﾟ]+)")


def encode_jis(text: str, *, kana: bool) -> bytes:
    """ISO-2022-JP with the vendor rows (CP50221). Unknown characters become 〓, every line ends in ASCII.

    `kana`: half-width kana as they are (ISO-2022-JP-MS); False writes them full-width, as CP50220 does.
    """
    if not kana:
        text = _HALF_WIDTH.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    out, now = [], b"\x1b(B"
    for match in _CLASSES.finditer(text):
        if match[1]:
            wanted, run = b"\x1b(B", match[1].encode("ascii")
        elif match[2]:
            wanted, run = b"\x1b(I", bytes(ord(char) - 0xFF40 for char in match[2])
        else:
            wanted, run = b"\x1b$B", b"".join(_BYTES.get(char, _GETA_PAIR) for char in match[3])
        if wanted != now:
            out.append(wanted)
            now = wanted
        out.append(run)
    if now != b"\x1b(B":
        out.append(b"\x1b(B")
    return b"".join(out)


def encode_euc(text: str) -> bytes:
    """EUC-JP with the vendor rows (CP51932). Unknown characters become 〓."""
    out = []
    for match in _CLASSES.finditer(text):
        if match[1]:
            out.append(match[1].encode("ascii"))
        elif match[2]:
            out.append(b"".join(bytes((0x8E, ord(char) - 0xFEC0)) for char in match[2]))
        else:
            out.append(b"".join(_BYTES.get(char, _GETA_PAIR) for char in match[3]).translate(_TO_HIGH))
    return b"".join(out)
