"""The second opinion on rebuilt pictures: their bytes walked by code that shares nothing with the coders, with lists of its own.

What is checked: only structural parts, no byte between or after them, nothing that reads as mark-up or as an archive, and the size
and the number of frames of the original.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

from isal import isal_zlib

from sanitizers.context import Context
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.image_size import measure

_JPEG_TABLES: Final = frozenset({0xDB, 0xC0, 0xC4, 0xDD})
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_EXIF: Final = re.compile(
    rb"II\*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0\0\0\0\0\x01\0\x03\x90\x02\0\x14\0\0\0\x2c\0\0\0\0\0\0\0"
    rb"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d\0"
)
_ADOBE: Final = b"Adobe\0\x64\0\0\0\0\0"
_PNG_CHUNKS: Final = {
    b"IHDR": 13, b"PLTE": None, b"tRNS": None, b"IDAT": None, b"IEND": 0, b"gAMA": 4, b"pHYs": 9, b"eXIf": 64,
    b"acTL": 8, b"fcTL": 26, b"fdAT": None,
}  # fmt: skip
_PNG_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}       # of colour types
_PNG_FILTERS: Final = 4
_BLOCK: Final = 1 << 20
_TIFF_TAGS: Final = frozenset({
    254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 282, 283, 284, 292, 293, 296, 297, 317, 320, 338, 339, 347,
    529, 530, 531, 532,
})  # fmt: skip
_TIFF_COMPRESSIONS: Final = frozenset({1, 3, 4, 5, 7, 8})
_TIFF_WIDTHS: Final = {1: 1, 3: 2, 4: 4, 5: 8, 7: 1}
_LONGEST_TIFF_VALUES: Final = {273: None, 279: None, 320: 768, 347: 2_000}
_MARK_UP: Final = re.compile(rb"<(?:script|\?php|html|iframe|!doctype|body|svg[\s>])", re.IGNORECASE)


def verify_jpeg(output: Source, original: Source, context: Context) -> None:
    """SOI, APP0 of JFIF, the minimal Exif, APP14, tables, one baseline frame, scans, EOI, and nothing more."""
    data = output.bytes()
    _require(data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9", "frame of markers")
    at, last = 2, len(data) - 2
    while at < last:
        _require(data[at] == 0xFF, "bytes between segments")
        marker, (length,) = data[at + 1], struct.unpack_from(">H", data, at + 2)
        body, at = data[at + 4 : at + 2 + length], at + 2 + length
        if marker == 0xDA:
            found = _AFTER_SCAN.search(data, at)
            at = found.start() if found else len(data)
        elif marker not in _JPEG_TABLES:
            _require(_is_plain_application(marker, body), f"segment {marker:02X}")
    _require(at == last, "data after the scan")
    _compare(data, Kind.JPEG, original, context)


def _is_plain_application(marker: int, body: bytes) -> bool:
    if marker == 0xE0:
        return len(body) == 14 and body[:7] == b"JFIF\0\x01\x01" and body[12:] == b"\0\0"
    if marker == 0xE1:
        return body[:6] == b"Exif\0\0" and _EXIF.fullmatch(body, 6) is not None
    return marker == 0xEE and body == _ADOBE


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
    bits = depth * _PNG_SAMPLES[colours]
    _check_deflated([body for name, body in chunks if name == b"IDAT"], 1 + (width * bits + 7) // 8, height)
    frames: list[tuple[memoryview, list[memoryview]]] = []
    for name, body in chunks:
        if name == b"fcTL":
            frames.append((body, []))
        elif name == b"fdAT":
            _require(bool(frames), "fdAT without fcTL")
            frames[-1][1].append(body[4:])
    for control, bodies in frames:
        width, height = struct.unpack_from(">II", control, 4)
        if bodies:
            _check_deflated(bodies, 1 + (width * bits + 7) // 8, height)


def _check_deflated(bodies: list[memoryview], row: int, rows: int) -> None:
    """`rows` rows of `row` bytes, each beginning with the number of a filter; nothing before, between or after them."""
    inflater: Any = isal_zlib.decompressobj()
    done = 0
    for rest in [*bodies, memoryview(b"")]:
        while block := _inflated(inflater, rest):
            _require(max(block[-done % row :: row], default=0) <= _PNG_FILTERS, "filter of a row")
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
        _require(name in _PNG_CHUNKS and _PNG_CHUNKS[name] in (None, length), f"chunk {name!r}")
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
    while data[at] != 0x3B:
        if data[at] == 0x2C:
            at = _sub_blocks(data, at + 11 + _gif_palette(data[at + 9]))
        elif data[at : at + 3] == b"\x21\xf9\x04":
            _require(data[at + 7] == 0 and data[at + 3] & 0xE2 == 0, "graphic control")
            at += 8
        else:
            _require(data[at : at + 16] == b"\x21\xff\x0bNETSCAPE2.0\x03\x01" and data[at + 18] == 0, "extension")
            at += 19
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
    size, reserved, pixels_at, header, width, height, planes, bits, compression, stored = struct.unpack_from("<IIIIiiHHII", data, 2)
    _require(size == len(data) and reserved == 0 and planes == 1 and (header, compression) in ((40, 0), (108, 3)), "header")
    (colours,) = struct.unpack_from("<I", data, 46)
    _require(pixels_at == 14 + header + 4 * colours and colours <= 256, "palette")
    _require(stored == (width * bits + 31) // 32 * 4 * height and pixels_at + stored == size, "rows")
    _compare(data, Kind.BMP, original, context)


def verify_tiff(output: Source, original: Source, context: Context) -> None:
    """Directories with listed tags of listed types, every offset inside the file, no circle, no byte in two strips."""
    data = output.bytes()
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4], "")
    _require(bool(order), "signature")
    (at,) = struct.unpack_from(order + "I", data, 4)
    seen: set[int] = set()
    strips: list[tuple[int, int]] = []
    while at:
        _require(at not in seen, "directories in a circle")
        seen.add(at)
        (count,) = struct.unpack_from(order + "H", data, at)
        places = range(at + 2, at + 2 + 12 * count, 12)
        for place in places:
            _check_tiff_entry(data, place, order)
        strips += _tiff_strips(data, places, order)
        (at,) = struct.unpack_from(order + "I", data, at + 2 + 12 * count)
    _check_strips(strips, len(data))
    _compare(data, Kind.TIFF, original, context)


def _tiff_strips(data: bytes, places: range, order: str) -> list[tuple[int, int]]:
    """Begin and end of each strip of one directory."""
    entries = {struct.unpack_from(order + "H", data, place)[0]: place for place in places}
    _require({273, 279} <= entries.keys(), "no strips")
    starts, sizes = (_tiff_values(data, entries[tag], order) for tag in (273, 279))
    _require(0 < len(starts) == len(sizes) and min(sizes) > 0, "strips")
    return [(start, start + size) for start, size in zip(starts, sizes, strict=True)]


def _tiff_values(data: bytes, place: int, order: str) -> tuple[int, ...]:
    """The numbers of one entry of type SHORT or LONG."""
    _, kind, count, offset = struct.unpack_from(order + "HHII", data, place)
    _require(kind in (3, 4), "type of a strip's place")
    start = offset if _TIFF_WIDTHS[kind] * count > 4 else place + 8
    return struct.unpack_from(f"{order}{count}{'H' if kind == 3 else 'I'}", data, start)


def _check_strips(strips: list[tuple[int, int]], size: int) -> None:
    """All behind the header and inside the file, one behind the other."""
    end = 8
    for start, following in sorted(strips):
        _require(end <= start and following <= size, "strips that overlap, or outside the file")
        end = following


def _check_tiff_entry(data: bytes, place: int, order: str) -> None:
    tag, kind, count, offset = struct.unpack_from(order + "HHII", data, place)
    _require(tag in _TIFF_TAGS and kind in _TIFF_WIDTHS, f"tag {tag}")
    longest = _LONGEST_TIFF_VALUES.get(tag, 8)
    _require(longest is None or count <= longest, f"length of tag {tag}")
    size = _TIFF_WIDTHS[kind] * count
    _require(size <= 4 or offset + size <= len(data), f"offset of tag {tag}")
    if tag == 259:
        (compression,) = struct.unpack_from(order + "H", data, place + 8)
        _require(compression in _TIFF_COMPRESSIONS, f"compression {compression}")


def verify_webp(output: Source, original: Source, context: Context) -> None:
    """One RIFF of picture chunks that ends where the file ends."""
    data = output.bytes()
    _require(data[:4] == b"RIFF" and data[8:12] == b"WEBP" and struct.unpack_from("<I", data, 4)[0] == len(data) - 8, "RIFF size")
    _check_riff(memoryview(data)[12:], frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"EXIF"}))
    _compare(data, Kind.WEBP, original, context)


def _check_riff(view: memoryview, allowed: frozenset[bytes]) -> None:
    at = 0
    while at < len(view):
        name, length = struct.unpack_from("<4sI", view, at)
        _require(name in allowed and at + 8 + length <= len(view), f"chunk {name!r}")
        body = view[at + 8 : at + 8 + length]
        if name == b"ANMF":
            _check_riff(body[16:], frozenset({b"VP8 ", b"VP8L", b"ALPH"}))
        elif name == b"EXIF":
            _require(_EXIF.fullmatch(body) is not None, "more than a date in EXIF")
        elif name == b"VP8X":
            _require(length == 10 and body[0] & 0xE5 == 0, "flags")
        at += 8 + length + (length & 1)
    _require(at == len(view), "data after the last chunk")


def verify_ico(output: Source, original: Source, context: Context) -> None:
    """Directory and PNG images back to back."""
    data = output.bytes()
    reserved, kind, count = struct.unpack_from("<HHH", data)
    _require((reserved, kind) == (0, 1) and count > 0, "directory")
    end = 6 + 16 * count
    for index in range(count):
        size, offset = struct.unpack_from("<II", data, 6 + 16 * index + 8)
        _require(offset == end, "gap between images")
        end += size
        _check_png(data[offset:end])
    _require(end == len(data), "data after the last image")
    _compare(data, Kind.ICO, original, context)


def _compare(data: bytes, kind: Kind, original: Source, context: Context) -> None:
    """Nothing speaks, and size and frames are those of the original."""
    _require(_MARK_UP.search(data) is None and data[-22:-18] != b"PK\x05\x06", "the bytes read as mark-up or as an archive")
    new, old = measure(data, kind), measure(original.bytes(), context.kind)
    _require(not (new.sides and old.sides) or bool(new.sides & old.sides), f"size {sorted(new.sides)}, was {sorted(old.sides)}")
    dropped = any(finding.code == "image.frames_dropped" for finding in context.findings)
    _require(not old.frames or new.frames == old.frames or dropped, f"{new.frames} frames, were {old.frames}")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise VerificationFailed(what)


def _guarded(check: Callable[[Source, Source, Context], None]) -> Callable[[Source, Source, Context], None]:
    """A file that ends in the middle of what is read is a wrong file, not a fault of the reader."""

    def guarded(output: Source, original: Source, context: Context) -> None:
        try:
            check(output, original, context)
        except (struct.error, IndexError) as error:
            raise VerificationFailed(f"ends too early: {error}") from None

    return guarded


VERIFIERS: Final = {
    kind: _guarded(check)
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
