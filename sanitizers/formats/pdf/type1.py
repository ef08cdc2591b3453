"""Type 1 font programs (Adobe Type 1 Font Format, 1990; ISO 32000-2 §9.9): read as data and written as a program of our own.

What a program says in PostScript apart from that data is left behind. Charstrings of known operators are copied as they are, so every
glyph stays as drawn; readers do flex and hint replacement themselves, whatever /OtherSubrs holds.
"""

from __future__ import annotations

import re
import struct
from typing import Final, NamedTuple

from sanitizers.formats.pdf.charstrings import sound_type1
from sanitizers.model import Malformed

_SPACE: Final = rb"[\x00\t\n\f\r ]"
_REGULAR: Final = rb"[^\x00\t\n\f\r ()<>\[\]{}/%]"
_NUMBER: Final = rb"[+-]?(?:[0-9]{1,12}\.?[0-9]{0,12}|\.[0-9]{1,12})(?:[eE][+-]?[0-9]{1,2})?"
_EEXEC: Final = re.compile(rb"currentfile\s+eexec[ \t]?(?:\r\n|[\r\n \t])")
_UNREAD: Final = re.compile(rb"%[^\r\n]*+|\((?:[^()\\]++|\\[\x00-\xff])*+\)")
_FONT_NAME: Final = re.compile(rb"/FontName" + _SPACE + rb"*/(" + _REGULAR + rb"{1,127})")
_ARRAY: Final = _SPACE + rb"*+[\[{]((?:" + _SPACE + rb"|" + _NUMBER + rb"(?!" + _REGULAR + rb"))*+)[\]}]"
_SCALAR: Final = _SPACE + rb"*+(" + _NUMBER + rb"|true|false)(?!" + _REGULAR + rb")"
_ENCODING: Final = re.compile(rb"/Encoding" + _SPACE + rb"*(?:(StandardEncoding|ISOLatin1Encoding)|(\[)|[0-9]+" + _SPACE + rb"+array)")
_ENCODED: Final = re.compile(
    rb"\bdup" + _SPACE + rb"*(8#[0-7]{1,3}|16#[0-9A-Fa-f]{1,2}|[0-9]{1,3})" + _SPACE + rb"*/(" + _REGULAR + rb"{1,127})" + _SPACE
    + rb"*put\b|\b(def)\b"
)
_LISTED: Final = re.compile(_SPACE + rb"*/(" + _REGULAR + rb"{0,127})")
_SUBRS: Final = re.compile(rb"/Subrs" + _SPACE + rb"+([0-9]{1,5})" + _SPACE + rb"+array")
_BODY: Final = _SPACE + rb"+([0-9]{1,5})" + _SPACE + rb"+" + _REGULAR + rb"+ "     # length, and the word that reads so many bytes
_SUBR: Final = re.compile(
    rb"(?:" + _SPACE + rb"*(?!dup\b)" + _REGULAR + rb"+){0,3}?" + _SPACE + rb"*dup" + _SPACE + rb"+([0-9]{1,5})" + _BODY
)
_CHARSTRINGS: Final = re.compile(rb"/CharStrings" + _SPACE + rb"+([0-9]{1,5})")
_CHARSTRING: Final = re.compile(rb"[^/]{0,64}?/(" + _REGULAR + rb"{1,127})" + _BODY)
_HEX: Final = re.compile(rb"[0-9A-Fa-f\s]{8}")

# What a Private dictionary says besides the glyphs (§5): arrays of so many numbers at most, and single values.
_ARRAYS: Final = {
    b"BlueValues": 14, b"OtherBlues": 10, b"FamilyBlues": 14, b"FamilyOtherBlues": 10, b"StdHW": 1, b"StdVW": 1, b"StemSnapH": 12,
    b"StemSnapV": 12,
}
_SCALARS: Final = (b"BlueScale", b"BlueShift", b"BlueFuzz", b"ForceBold", b"LanguageGroup", b"lenIV", b"ExpansionFactor", b"RndStemUp")

_EEXEC_KEY: Final = 55665
_CHARSTRING_KEY: Final = 4330
_LEADS: Final = frozenset(b"%d" % lead for lead in range(-1, 17))
_EMPTY, _RETURN = b"\x8b\x8b\x0d\x0e", b"\x0b"     # 0 0 hsbw endchar
_C1, _C2 = 52845, 22719
_ZEROS: Final = 512
_TRAILER: Final = b"\n" + (b"0" * 64 + b"\n") * 8 + b"cleartomark\n"


class Rebuilt(NamedTuple):
    """The program anew, the lengths of its clear and its encrypted part, and how many glyphs could not be kept."""

    data: bytes
    clear: int
    encrypted: int
    emptied: int


class _Font(NamedTuple):
    """All that is kept of a program. `encoding`: a name, or glyph names by code."""

    name: bytes
    values: list[bytes]
    encoding: bytes | dict[int, bytes]
    private: list[bytes]
    subrs: dict[int, bytes]
    glyphs: dict[bytes, bytes]
    emptied: int


def rebuild(data: bytes) -> Rebuilt:
    """Raises Malformed."""
    if data[:1] == b"\x80":
        data = _without_segments(data)
    start = data.find(b"%!")
    match = _EEXEC.search(data, max(0, start))
    if start < 0 or match is None:
        raise Malformed("Type 1: no encrypted part")
    font = _read(data[start : match.start()], decrypt(_binary(data[match.end() :]), _EEXEC_KEY)[4:])
    clear = _clear_part(font)
    encrypted = encrypt(bytes(4) + _private_part(font), _EEXEC_KEY)
    return Rebuilt(clear + encrypted + _TRAILER, len(clear), len(encrypted), font.emptied)


def _read(clear: bytes, plain: bytes) -> _Font:
    clear = _UNREAD.sub(b" ", clear)
    _refuse_masters(clear)
    subrs, head, rest = _subrs(plain)
    glyphs, between = _glyphs(plain, rest)
    name = _FONT_NAME.search(clear)
    values = [b"/PaintType " + (_scalar(clear, b"PaintType") or b"0") + b" def"]
    values += _matrix(clear)
    values.append(b"/FontBBox {" + (_array(clear, b"FontBBox", 4, 4) or b"0 0 0 0") + b"} readonly def")
    if width := _scalar(clear, b"StrokeWidth"):
        values.append(b"/StrokeWidth " + width + b" def")
    private = plain[:head] + b" " + between
    lead = _lead(private)
    sound = {key: body if _is_sound(body, lead) else _encrypted(_EMPTY, lead) for key, body in glyphs.items()}
    subrs = {index: body if _is_sound(body, lead) else _encrypted(_RETURN, lead) for index, body in subrs.items()}
    emptied = sum(sound[key] is not body for key, body in glyphs.items())
    return _Font(name[1] if name else b"F", values, _encoding(clear), _private(private), subrs, sound, emptied)


def _refuse_masters(clear: bytes) -> None:
    """Raises Malformed for a multiple-master font, whose glyphs need operators that are not copied."""
    if b"/WeightVector" in clear:
        raise Malformed("Type 1: several masters")


def _lead(private: bytes) -> int:
    """lenIV: how many bytes stand before each charstring."""
    value = _scalar(private, b"lenIV") or b"4"
    if value not in _LEADS:
        raise Malformed("Type 1: lenIV out of range")
    return int(value)


def _is_sound(body: bytes, lead: int) -> bool:
    """`lead`: how many bytes stand before a charstring; below 0 it is not encrypted."""
    return sound_type1(body if lead < 0 else decrypt(body, _CHARSTRING_KEY)[lead:])


def _encrypted(program: bytes, lead: int) -> bytes:
    return program if lead < 0 else encrypt(bytes(lead) + program, _CHARSTRING_KEY)


def _scalar(text: bytes, key: bytes) -> bytes | None:
    match = re.search(rb"/" + key + _SCALAR, text)
    return match[1] if match else None


def _array(text: bytes, key: bytes, least: int, most: int) -> bytes | None:
    """Numbers between brackets or braces, whichever the program uses."""
    match = re.search(rb"/" + key + _ARRAY, text)
    numbers = match[1].split() if match else []
    return b" ".join(numbers) if least <= len(numbers) <= most else None


def _matrix(clear: bytes) -> list[bytes]:
    """Six numbers (CVE-2024-4367). None stays none: some readers then draw nothing, others by a usual matrix. Raises Malformed."""
    if b"/FontMatrix" not in clear:
        return []
    numbers = _array(clear, b"FontMatrix", 6, 6)
    if numbers is None:
        raise Malformed("Type 1: a FontMatrix that is not six numbers")
    return [b"/FontMatrix [" + numbers + b"] readonly def"]


def _encoding(clear: bytes) -> bytes | dict[int, bytes]:
    match = _ENCODING.search(clear)
    if match is None:
        return b"StandardEncoding"
    if match[1]:
        return match[1]
    codes: dict[int, bytes] = {}
    position = match.end()
    if match[2]:
        while len(codes) < 256 and (item := _LISTED.match(clear, position)):
            codes[len(codes)], position = item[1], item.end()
        return codes
    for item in _ENCODED.finditer(clear, position):
        if item[3] is not None:
            break
        base, _, digits = item[1].rpartition(b"#")
        if (code := int(digits, int(base or 10))) < 256:
            codes[code] = item[2]
    return codes


def _subrs(plain: bytes) -> tuple[dict[int, bytes], int, int]:
    """The subroutines (§8), where they begin and where they end."""
    match = _SUBRS.search(plain)
    glyphs = _CHARSTRINGS.search(plain)
    if match is None or (glyphs is not None and glyphs.start() < match.start()):
        return {}, glyphs.start() if glyphs else 0, 0
    found: dict[int, bytes] = {}
    position = match.end()
    while len(found) < int(match[1]) and (item := _SUBR.match(plain, position)):
        position = item.end() + int(item[2])
        found[int(item[1])] = _cut(plain, item.end(), position)
    return {index: body for index, body in found.items() if index < int(match[1])}, match.start(), position


def _glyphs(plain: bytes, start: int) -> tuple[dict[bytes, bytes], bytes]:
    """The charstrings by name, the first of a name, and the text before them. Raises Malformed when there is none."""
    match = _CHARSTRINGS.search(plain, start)
    found: dict[bytes, bytes] = {}
    if match is not None:
        position = match.end()
        while item := _CHARSTRING.match(plain, position):
            position = item.end() + int(item[2])
            found.setdefault(item[1], _cut(plain, item.end(), position))
    if match is None or not found:
        raise Malformed("Type 1: no glyphs")
    return found, plain[start : match.start()]


def _cut(plain: bytes, start: int, end: int) -> bytes:
    if end > len(plain):
        raise Malformed("Type 1: a charstring ends outside the data")
    return plain[start:end]


def _private(text: bytes) -> list[bytes]:
    lines = []
    for key, most in _ARRAYS.items():
        if (numbers := _array(text, key, 0, most)) is not None:
            lines.append(b"/" + key + b" [" + numbers + b"] def")
    single = {key: _scalar(text, key) for key in _SCALARS}
    return lines + [b"/%b %b def" % (key, value) for key, value in single.items() if value is not None]


def _clear_part(font: _Font) -> bytes:
    lines = [b"%!PS-AdobeFont-1.0: " + font.name, b"12 dict begin", b"/FontName /" + font.name + b" def", b"/FontType 1 def", *font.values]
    if isinstance(font.encoding, bytes):
        lines.append(b"/Encoding " + font.encoding + b" def")
    else:
        lines.append(b"/Encoding 256 array 0 1 255 {1 index exch /.notdef put} for")
        lines += [b"dup %d /%b put" % (code, name) for code, name in sorted(font.encoding.items()) if name not in (b"", b".notdef")]
        lines.append(b"readonly def")
    return b"\n".join([*lines, b"currentdict end", b"currentfile eexec\n"])


def _private_part(font: _Font) -> bytes:
    count = max(font.subrs, default=-1) + 1
    head = [
        b"dup /Private %d dict dup begin" % (len(font.private) + 9), b"/RD {string currentfile exch readstring pop} executeonly def",
        b"/ND {noaccess def} executeonly def", b"/NP {noaccess put} executeonly def", *font.private, b"/MinFeature {16 16} def",
        b"/password 5839 def", b"/OtherSubrs [{} {} {} {}] noaccess def",
    ]
    if count:
        head.append(b"/Subrs %d array" % count)
        head += [b"dup %d %d RD %b NP" % (index, len(body), body) for index, body in sorted(font.subrs.items())]
        head.append(b"ND")
    head.append(b"2 index /CharStrings %d dict dup begin" % len(font.glyphs))
    head += [b"/%b %d RD %b ND" % (name, len(body), body) for name, body in font.glyphs.items()]
    tail = (b"end", b"end", b"readonly put", b"noaccess put", b"dup /FontName get exch definefont pop", b"mark currentfile closefile\n")
    return b"\n".join([*head, *tail])


def _without_segments(data: bytes) -> bytes:
    """The parts of a PFB file joined."""
    out, position = bytearray(), 0
    while position + 6 <= len(data) and data[position] == 0x80 and data[position + 1] in (1, 2):
        (length,) = struct.unpack_from("<I", data, position + 2)
        out += data[position + 6 : position + 6 + length]
        position += 6 + length
    return bytes(out)


def _binary(data: bytes) -> bytes:
    """The encrypted part without the zeros after it; hexadecimal becomes binary."""
    end = data.rfind(b"cleartomark")
    if end >= 0:
        data = _without_zeros(data[:end])
    if _HEX.match(data):
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", data)
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
    return data


def _without_zeros(data: bytes) -> bytes:
    """Without the 512 zeros before `cleartomark`, however they are broken into lines."""
    end, zeros = len(data), 0
    while end and zeros < _ZEROS and data[end - 1 : end] in (b"0", b"\r", b"\n", b" ", b"\t"):
        end -= 1
        zeros += data[end : end + 1] == b"0"
    return data[:end].removesuffix(b"\n")


def decrypt(data: bytes, key: int) -> bytes:
    """Adobe Type 1 Font Format §7.3."""
    out = bytearray(len(data))
    for index, cipher in enumerate(data):
        out[index] = cipher ^ (key >> 8)
        key = ((cipher + key) * _C1 + _C2) & 0xFFFF
    return bytes(out)


def encrypt(data: bytes, key: int) -> bytes:
    """Adobe Type 1 Font Format §7.3."""
    out = bytearray(len(data))
    for index, plain in enumerate(data):
        cipher = out[index] = plain ^ (key >> 8)
        key = ((cipher + key) * _C1 + _C2) & 0xFFFF
    return bytes(out)
