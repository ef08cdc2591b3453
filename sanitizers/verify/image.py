"""The second opinion on rebuilt pictures: their bytes walked by code that shares nothing with the coders, with lists of its own.

What is checked: only structural parts, no byte between or after them, nothing that reads as mark-up or as an archive, and the size
and the number of frames of the original.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from isal import isal_zlib

from sanitizers.context import Context
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.image_size import measure

# Markers from SOI to SOS in the order of the encoder, how long each segment may be, and those with one content only.
_JPEG_ORDER: Final = re.compile(rb"(?:\xe0\xee?|\xee)\xe1?\xdb{1,4}\xc0\xc4{2,4}\xdd?\xda")
_JPEG_LENGTHS: Final = {0xDB: 65, 0xC0: 18, 0xC4: 273, 0xDD: 2, 0xDA: 12}
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_EXIF: Final = re.compile(
    rb"II\*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0\0\0\0\0\x01\0\x03\x90\x02\0\x14\0\0\0\x2c\0\0\0\0\0\0\0"
    rb"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d\0"
)
_JPEG_PLAIN: Final = {
    0xE0: re.compile(rb"JFIF\0\x01\x01[\0-\x02].{4}\0\0", re.DOTALL),
    0xE1: re.compile(rb"Exif\0\0" + _EXIF.pattern),
    0xEE: re.compile(rb"Adobe\0\x64\0\0\0\0\0"),
}
# Lengths of chunks; None of those whose content is inflated.
_PNG_CHUNKS: Final = {
    b"IHDR": (13,), b"PLTE": range(3, 771, 3), b"tRNS": range(1, 257), b"IDAT": None, b"IEND": (0,), b"gAMA": (4,), b"pHYs": (9,),
    b"eXIf": (64,), b"acTL": (8,), b"fcTL": (26,), b"fdAT": None,
}  # fmt: skip
_PNG_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}       # of colour types
_PNG_FILTERS: Final = bytes(range(5))
_BLOCK: Final = 1 << 20
# Length of the header, compression and bits of a pixel.
_BMP_WAYS: Final = frozenset({(40, 0, 1), (40, 0, 4), (40, 0, 8), (40, 0, 24), (108, 3, 32)})
_BMP_MASKS: Final = struct.pack("<5I", 0xFF_0000, 0xFF00, 0xFF, 0xFF00_0000, 0x7352_4742) + bytes(48)
# How many numbers there may be in each tag; None: as many as there are strips.
_TIFF_TAGS: Final = {
    256: 1, 257: 1, 258: 4, 259: 1, 262: 1, 273: None, 277: 1, 278: 1, 279: None, 282: 1, 283: 1, 284: 1, 296: 1, 317: 1, 320: 768,
    338: 1, 339: 1, 347: 574, 530: 2, 532: 6,
}  # fmt: skip
_TIFF_NEEDED: Final = frozenset({256, 257, 259, 273, 279})
_TIFF_COMPRESSIONS: Final = frozenset({3, 4, 5, 7, 8})
_TIFF_WIDTHS: Final = {3: 2, 4: 4, 5: 8, 7: 1}
# Between two pages, of which the second was a file of its own when it was written.
_TIFF_GAP: Final = re.compile(rb"\0{0,15}(?:II\*\0.{4})?", re.DOTALL)
_WEBP: Final = re.compile(rb"VP8 |VP8L|VP8X(?:(?:ALPH)?VP8 |VP8L)(?:EXIF)?|VP8XANIM(?:ANMF)+")
_WEBP_FRAME: Final = re.compile(rb"(?:ALPH)?VP8 |VP8L")
_WEBP_LENGTHS: Final = {b"VP8X": 10, b"ANIM": 6}
_MARK_UP: Final = re.compile(rb"<(?:script|\?php|html|iframe|!doctype|body|svg[\s>])", re.IGNORECASE)


def verify_jpeg(output: Source, original: Source, context: Context) -> None:
    """SOI, APP0 of JFIF or APP14 of Adobe, the minimal Exif, tables, one baseline frame, one scan, EOI, and nothing more."""
    data = output.bytes()
    _require(data[:2] == b"\xff\xd8", "SOI")
    at, markers = 2, bytearray()
    while not markers.endswith(b"\xda"):
        _require(data[at] == 0xFF, "bytes between segments")
        marker, (length,) = data[at + 1], struct.unpack_from(">H", data, at + 2)
        body, at = data[at + 4 : at + 2 + length], at + 2 + length
        _require(_is_plain(marker, body), f"segment {marker:02X}")
        markers.append(marker)
    _require(_JPEG_ORDER.fullmatch(markers) is not None, f"order of segments: {markers.hex(' ')}")
    end = _AFTER_SCAN.search(data, at)
    _require(end is not None and data[end.start() :] == b"\xff\xd9", "data after the scan")
    _compare(data, Kind.JPEG, original, context)


def _is_plain(marker: int, body: bytes) -> bool:
    if marker in _JPEG_PLAIN:
        return _JPEG_PLAIN[marker].fullmatch(body) is not None
    return marker in _JPEG_LENGTHS and len(body) <= _JPEG_LENGTHS[marker]


def verify_png(output: Source, original: Source, context: Context) -> None:
    data = output.bytes()
    _check_png(data)
    _compare(data, Kind.PNG, original, context)


def _check_png(data: bytes) -> None:
    """Listed chunks with right checksums, each in its place, up to IEND, which is the end; every row of every frame is there."""
    _require(data[:8] == b"\x89PNG\r\n\x1a\n", "signature")
    chunks = list(_png_chunks(data))
    names = [name for name, _ in chunks]
    _require(names[0] == b"IHDR" and names[-1] == b"IEND" and b"IDAT" in names, "order of chunks")
    first = names.index(b"IDAT")
    _require(set(names[first:-1]) <= {b"IDAT", b"fcTL", b"fdAT"}, "chunks after the pixels")
    for name in set(names) - {b"IDAT", b"fcTL", b"fdAT"}:
        _require(names.count(name) == 1, f"two chunks {name!r}")
    _check_rows(chunks)


def _check_rows(chunks: list[tuple[bytes, memoryview]]) -> None:
    """The deflated rows of the picture and of each frame, inflated by another decoder than wrote them."""
    width, height, depth, colours, *ways = struct.unpack(">IIBBBBB", chunks[0][1])
    _require(ways == [0, 0, 0] and colours in _PNG_SAMPLES, "way of storing")
    pictures: list[tuple[int, int, list[memoryview]]] = [(width, height, [])]
    for name, body in chunks:
        if name == b"IDAT":
            pictures[0][2].append(body)
        elif name == b"fcTL" and pictures[0][2]:    # one before them is of the picture itself
            pictures.append((*struct.unpack_from(">II", body, 4), []))
        elif name == b"fdAT":
            _require(len(pictures) > 1, "fdAT without fcTL")
            pictures[-1][2].append(body[4:])
    for width, height, bodies in pictures:
        _check_deflated(bodies, 1 + (width * depth * _PNG_SAMPLES[colours] + 7) // 8, height)


def _check_deflated(bodies: list[memoryview], row: int, rows: int) -> None:
    """`rows` rows of `row` bytes, each beginning with the number of a filter; nothing before, between or after them."""
    inflater: Any = isal_zlib.decompressobj()
    done = 0
    for rest in bodies:
        while block := _inflated(inflater, rest):
            _require(not block[-done % row :: row].translate(None, _PNG_FILTERS), "filter of a row")
            done += len(block)
            _require(done <= row * rows, "more rows than the picture has")
            rest = memoryview(inflater.unconsumed_tail)  # noqa: PLW2901
    _require(done == row * rows and inflater.eof and not inflater.unused_data, "rows")


def _inflated(inflater: Any, data: memoryview) -> bytes:
    try:
        block = bytes(inflater.decompress(data, _BLOCK))
    except isal_zlib.IsalError as error:  # type: ignore[misc]
        raise VerificationFailed(f"deflate: {error}") from None
    return block


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view, at = memoryview(data), 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = view[at + 8 : at + 8 + length]
        lengths = _PNG_CHUNKS.get(name, ())
        _require(lengths is None or length in lengths, f"chunk {name!r}")
        crc = isal_zlib.crc32(body, isal_zlib.crc32(name))
        _require(crc == struct.unpack_from(">I", data, at + 8 + length)[0], f"checksum of {name!r}")
        _require(name != b"eXIf" or _EXIF.fullmatch(body) is not None, "more than a date in eXIf")
        yield name, body
        at += 12 + length


def verify_gif(output: Source, original: Source, context: Context) -> None:
    """Header, palette, looping, frames with graphic control, trailer, and nothing more."""
    data = output.bytes()
    _require(data[:6] == b"GIF89a", "signature")
    at = 13 + _gif_palette(data[10])
    if data[at + 1] == 0xFF:
        _require(data[at : at + 16] == b"\x21\xff\x0bNETSCAPE2.0\x03\x01" and data[at + 18] == 0, "extension")
        at += 19
    while data[at] != 0x3B:
        if data[at] == 0x21:
            _require(data[at + 1 : at + 3] == b"\xf9\x04" and data[at + 7] == 0 and data[at + 3] & 0xE2 == 0, "extension")
            at += 8
        _require(data[at] == 0x2C, "no picture")
        at = _sub_blocks(data, at + 11 + _gif_palette(data[at + 9]))
    _require(at == len(data) - 1, "data after the trailer")
    _compare(data, Kind.GIF, original, context)


def _gif_palette(flags: int) -> int:
    return int(3 * (2 << (flags & 7))) if flags & 0x80 else 0


def _sub_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


def verify_bmp(output: Source, original: Source, context: Context) -> None:
    """One header, its palette, the rows, and a size that says so."""
    data = output.bytes()
    magic, size, reserved, pixels_at = struct.unpack_from("<2sIII", data)
    header, width, height, planes, bits, compression, stored = struct.unpack_from("<IiiHHII", data, 14)
    (colours,) = struct.unpack_from("<I", data, 46)
    _require((magic, size, reserved, planes) == (b"BM", len(data), 0, 1) and (header, compression, bits) in _BMP_WAYS, "header")
    _require(header == 40 or data[54:122] == _BMP_MASKS, "masks")
    _require(pixels_at == 14 + header + 4 * colours and colours <= 256, "palette")
    _require(stored == (width * bits + 31) // 32 * 4 * height and pixels_at + stored == size, "rows")
    _compare(data, Kind.BMP, original, context)


def verify_tiff(output: Source, original: Source, context: Context) -> None:
    """Directories with listed tags of listed types, one behind the other, and no byte that belongs to two things or to none."""
    data = output.bytes()
    magic, at = struct.unpack_from("<4sI", data)
    _require(magic == b"II*\0", "signature")
    end = 8
    parts = [(0, end)]
    while at:
        _require(at >= end, "directories in a circle")
        (count,) = struct.unpack_from("<H", data, at)
        end = at + 2 + 12 * count + 4
        places = {struct.unpack_from("<H", data, at + 2 + 12 * index)[0]: at + 2 + 12 * index for index in range(count)}
        _require(len(places) == count and list(places) == sorted(places), "order of tags")
        parts += [(at, end), *_tiff_parts(data, places)]
        (at,) = struct.unpack_from("<I", data, end - 4)
    _check_parts(parts, data)
    _compare(data, Kind.TIFF, original, context)


def _tiff_parts(data: bytes, places: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Begin and end of what one directory refers to: values that have no place in it, and strips."""
    for tag, place in places.items():
        start, size = _tiff_value(data, place)
        _require(tag != 259 or struct.unpack_from("<H", data, start)[0] in _TIFF_COMPRESSIONS, "compression")
        if size > 4:
            yield start, start + size
    _require(places.keys() >= _TIFF_NEEDED, "no strips, sides or compression")
    starts, sizes = (_tiff_numbers(data, places[tag]) for tag in (273, 279))
    yield from ((start, start + size) for start, size in zip(starts, sizes, strict=True))


def _tiff_value(data: bytes, place: int) -> tuple[int, int]:
    """Where the value of an entry begins, and how long it is."""
    tag, kind, count, offset = struct.unpack_from("<HHII", data, place)
    most = _TIFF_TAGS.get(tag, 0)
    _require(kind in _TIFF_WIDTHS and count > 0 and (most is None or count <= most), f"tag {tag}")
    size = _TIFF_WIDTHS[kind] * count
    return (offset if size > 4 else place + 8), size


def _tiff_numbers(data: bytes, place: int) -> tuple[int, ...]:
    """The numbers of an entry of type LONG."""
    kind, count = struct.unpack_from("<HI", data, place + 2)
    _require(kind == 4, "type of a strip's place")
    return struct.unpack_from(f"<{count}I", data, _tiff_value(data, place)[0])


def _check_parts(parts: list[tuple[int, int]], data: bytes) -> None:
    """One behind the other, with nothing but the coder's padding between them."""
    end = 0
    for start, following in sorted(parts):
        _require(end <= start < following, "strips or values that overlap, or are empty")
        _require(_TIFF_GAP.fullmatch(data, end, start) is not None, "bytes that belong to nothing")
        end = following
    _require(end <= len(data) and not data[end:].strip(b"\0"), "data outside of strips, or strips outside of the file")


def verify_webp(output: Source, original: Source, context: Context) -> None:
    """One RIFF of picture chunks that ends where the file ends."""
    data = output.bytes()
    _require(data[:12] == b"RIFF" + struct.pack("<I", len(data) - 8) + b"WEBP", "RIFF size")
    _check_riff(memoryview(data)[12:], _WEBP)
    _compare(data, Kind.WEBP, original, context)


def _check_riff(view: memoryview, order: re.Pattern[bytes]) -> None:
    at, names = 0, []
    while at < len(view):
        name, length = struct.unpack_from("<4sI", view, at)
        body = view[at + 8 : at + 8 + length]
        _require(len(body) == length == _WEBP_LENGTHS.get(name, length), f"length of chunk {name!r}")
        if name == b"ANMF":
            _check_riff(body[16:], _WEBP_FRAME)
        elif name == b"EXIF":
            _require(_EXIF.fullmatch(body) is not None, "more than a date in EXIF")
        elif name == b"VP8X":
            _require(body[0] & 0xE5 == 0 and not any(body[1:4]), "flags")
        names.append(name)
        at += 8 + length + (length & 1)
    _require(at == len(view) and order.fullmatch(b"".join(names)) is not None, f"chunks {names}")


def verify_ico(output: Source, original: Source, context: Context) -> None:
    """Directory and PNG images back to back."""
    data = output.bytes()
    reserved, kind, count = struct.unpack_from("<HHH", data)
    _require((reserved, kind) == (0, 1) and count > 0, "directory")
    end = 6 + 16 * count
    for place in range(6, end, 16):
        *sides, colours, planes, bits, size, offset = struct.unpack_from("<BBHHHII", data, place)
        _require((colours, planes, bits, offset) == (0, 1, 32, end), "entry of the directory")
        end += size
        _check_png(data[offset:end])
        _require(sides == [side & 255 for side in struct.unpack_from(">II", data, offset + 16)], "size of an image")
    _require(end == len(data), "data after the last image")
    _compare(data, Kind.ICO, original, context)


def _compare(data: bytes, kind: Kind, original: Source, context: Context) -> None:
    """Nothing speaks, and size and frames are those of the original."""
    _require(_MARK_UP.search(data) is None and b"PK\x05\x06" not in data[-65_557:], "the bytes read as mark-up or as an archive")
    new, old = measure(data, kind), measure(original.bytes(), context.kind)
    _require(not old.sides or bool(new.sides & old.sides), f"size {sorted(new.sides)}, was {sorted(old.sides)}")
    dropped = any(finding.code == "image.frames_dropped" for finding in context.findings)
    _require(not old.frames or new.frames == old.frames or dropped, f"{new.frames} frames, were {old.frames}")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise VerificationFailed(what)


def _guarded(check: Callable[[Source, Source, Context], None], output: Source, original: Source, context: Context) -> None:
    """A file that ends in the middle of what is read, or contradicts itself, is a wrong file, not a fault of the reader."""
    try:
        check(output, original, context)
    except (struct.error, IndexError, ValueError) as error:
        raise VerificationFailed(f"cannot be walked: {error}") from None


VERIFIERS: Final = {
    kind: partial(_guarded, check)
    for kind, check in {
        Kind.JPEG: verify_jpeg,
        Kind.PNG: verify_png,
        Kind.GIF: verify_gif,
        Kind.BMP: verify_bmp,
        Kind.TIFF: verify_tiff,
        Kind.WEBP: verify_webp,
        Kind.ICO: verify_ico,
    }.items()
}
