"""Sizes and frames as they are read from headers alone, byte by byte: what is read wrongly would let a wrong picture pass for the right one."""

from __future__ import annotations

import struct

import pillow_heif
import pytest

from sanitizers.model import Kind
from sanitizers.verify.image_size import measure
from tests.build import image as build

SOF = b"\xff%c\0\x0b\x08\0\x09\0\x05"       # 5 × 9
IHDR = struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 7, 3, 8, 2, 0, 0, 0, 0)
GIF = b"GIF89a" + struct.pack("<HH", 4, 6)
FRAME = b",\0\0\0\0\0\0\0\0%c%b\x02\x01x\0"     # flags, local table; the code size, one block


def png(*chunks: tuple[bytes, int]) -> bytes:
    """IHDR of 7 × 3, then chunks by name and length, filled with zeros."""
    return b"\x89PNG\r\n\x1a\n" + IHDR + b"".join(struct.pack(">I4s", size, name) + bytes(size + 4) for name, size in chunks)


def gif(flags: int, *blocks: bytes) -> bytes:
    return GIF + struct.pack("<BBB", flags, 0, 0) + b"".join(blocks)


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def webp(*chunks: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + b"".join(chunks)


def tiff(*pages: list[tuple[int, int, int]], order: str = ">", end: int = 0) -> bytes:
    """Classic; of each page (tag, type 3 or 4, value). `end`: where the last page says that another stands."""
    made = (b"MM" if order == ">" else b"II") + struct.pack(order + "HI", 42, 8)
    for number, tags in enumerate(pages):
        entries = b"".join(struct.pack(order + "HHI", tag, kind, 1) + struct.pack(order + ("H2x" if kind == 3 else "I"), value) for tag, kind, value in tags)
        after = len(made) + 2 + len(entries) + 4
        made += struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", after if number + 1 < len(pages) else end)
    return made


BIG_TIFF = (
    b"II\x2b\0\x08\0\0\0" + struct.pack("<Q", 16) + struct.pack("<Q", 2)
    + struct.pack("<HHQQ", 256, 4, 1, 70) + struct.pack("<HHQQ", 257, 3, 1, 50) + struct.pack("<Q", 0)
)  # fmt: skip
SIZE = [(256, 3, 70), (257, 4, 70_000)]
VP8X = chunk(b"VP8X", bytes(4) + b"\x04\0\0\x02\0\0")
ISPE = b"\0\0\0\x14ispe" + struct.pack(">III", 0, 9, 4)
Sides = tuple[int, int] | None

JPEG: list[tuple[bytes, Sides, int]] = [
    *((b"\xff\xd8" + SOF % marker, (5, 9), 1) for marker in (0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA)),
    *((b"\xff\xd8" + SOF % marker, None, 0) for marker in (0xC4, 0xC8, 0xCB, 0xCC, 0xD9)),
    *((b"\xff\xd8\xff%c" % alone + SOF % 0xC0, (5, 9), 1) for alone in (0x00, 0x01, 0xD0, 0xD7, 0xD8, 0xFF)),
    (b"\xff\xd8\xff\xe0\0\x08\xff\xc0\0\0\0\0" + SOF % 0xC0, (5, 9), 1),
    (b"\xff\xd8\xff" + SOF % 0xC0, (5, 9), 1),
    (b"\xff\xd8\xff\xd9" + SOF % 0xC0, None, 0),
    (b"\xff\xd8" + bytes(65_535) + SOF % 0xC0, (5, 9), 1),
    (b"\xff\xd8" + bytes(65_536) + SOF % 0xC0, None, 0),
    (b"", None, 0),
]
PNG: list[tuple[bytes, Sides, int]] = [
    (png((b"IDAT", 5), (b"IEND", 0)), (3, 7), 1),
    (png((b"acTL", 8), (b"fcTL", 26), (b"IDAT", 5), (b"fcTL", 26), (b"fdAT", 9), (b"IEND", 0)), (3, 7), 2),
    (png((b"IEND", 0), (b"fcTL", 26), (b"fcTL", 26)), (3, 7), 1),
    (png((b"fcTL", 26), (b"fcTL", 26)), (3, 7), 2),
    (png((b"fcTL", 26), (b"fcTL", 0))[:-4], (3, 7), 2),
    (png()[:20], None, 0),
]
GIFS: list[tuple[bytes, Sides, int]] = [
    (gif(0x80, bytes(6), b"\0", FRAME % (0x81, bytes(12)), b";"), (4, 6), 1),
    (gif(0x01, FRAME % (0x01, b""), FRAME % (0x01, b""), b";"), (4, 6), 2),
    (gif(0, b"!\xfe\x01x\0", FRAME % (0, b""), b";", FRAME % (0, b"")), (4, 6), 1),
    (gif(0, FRAME % (0, b"")), (4, 6), 1),
    (b"GIF89a" + struct.pack("<HHBBB", 0, 6, 0, 0, 0) + b"!\xfe\x01x\0;", None, 0),
    (b"GIF89a" + struct.pack("<HHBBB", 4, 0, 0, 0, 0) + FRAME % (0, b"") + b";", None, 1),
    (gif(0, FRAME % (0, b""))[:-1], None, 0),
]
TIFFS: list[tuple[bytes, Sides, int]] = [
    (BIG_TIFF, (50, 70), 1),
    (tiff(SIZE), (70, 70_000), 1),
    (tiff(SIZE, order="<"), (70, 70_000), 1),
    (tiff(SIZE, [(254, 3, 1), *SIZE]), (70, 70_000), 1),
    (tiff(SIZE, [(254, 4, 2), (256, 3, 1), (257, 3, 1)], [(255, 3, 1), *SIZE]), (70, 70_000), 3),
    (tiff([(254, 3, 1), *SIZE], [(256, 3, 1), (257, 3, 1)]), (70, 70_000), 2),
    (tiff([(257, 3, 5)]), (0, 5), 1),
    (tiff([(256, 3, 5)]), (0, 5), 1),
    (tiff(SIZE, end=8), (70, 70_000), 10_001),
    (b"MM\0*\0\0\0\0", None, 0),
    (b"MM", None, 0),
]
WEBPS: list[tuple[bytes, Sides, int]] = [
    (webp(chunk(b"VP8L", b"\x2f" + struct.pack("<I", 9 | 0x3FFE << 14 | 0xF << 28))), (10, 0x3FFF), 1),
    (webp(chunk(b"VP8 ", bytes(6) + struct.pack("<HH", 0x4005, 0x8007))), (5, 7), 1),
    (webp(VP8X, chunk(b"ANMF", b""), chunk(b"ANMF", b"x"), chunk(b"ANMF", b"")), (3, 5), 3),
    (webp(chunk(b"XXXX", b"x"), VP8X), (3, 5), 1),
    (webp(VP8X, b"ANMF"), (3, 5), 1),
    (webp(chunk(b"XXXX", b"x")), None, 0),
]
OTHERS: list[tuple[Kind, bytes, Sides, int]] = [
    (Kind.BMP, b"BM" + bytes(12) + struct.pack("<IHH", 12, 8, 2), (2, 8), 1),
    (Kind.BMP, b"BM" + bytes(12) + struct.pack("<Iii", 40, 8, -20), (8, 20), 1),
    (Kind.HEIC, ISPE, (4, 9), 1),
    (Kind.AVIF, b"clap" + ISPE, None, 0),
    (Kind.HEIC, bytes(65_532) + b"clap" + ISPE, None, 0),
    (Kind.HEIC, bytes(65_533) + b"clap" + ISPE, (4, 9), 1),
    (Kind.HEIC, bytes((1 << 20) - 8) + ISPE, (4, 9), 1),
    (Kind.HEIC, bytes((1 << 20) - 7) + ISPE, None, 1),
    (Kind.JP2, b"xx\xff\x4f\xff\x51\0\0\0\0" + struct.pack(">4I", 30, 40, 10, 5), (20, 35), 1),
    (Kind.JP2, b"\xff\x4f\xff\x51\0\0\0\0" + struct.pack(">4I", 30, 40, 10, 5), (20, 35), 1),
    (Kind.JP2, bytes(64), None, 0),
    (Kind.ICO, b"\0\0\x01\0\x03\0", None, 3),
    (Kind.SVG, b"<svg/>", None, 0),
]
CASES = [
    *((kind, *case) for kind, cases in ((Kind.JPEG, JPEG), (Kind.PNG, PNG), (Kind.GIF, GIFS), (Kind.TIFF, TIFFS), (Kind.WEBP, WEBPS)) for case in cases),
    *OTHERS,
]


@pytest.mark.parametrize(("kind", "data", "sides", "frames"), CASES, ids=[f"{kind}-{number}" for number, (kind, *_) in enumerate(CASES)])
def test_the_size_of(kind: Kind, data: bytes, sides: Sides, frames: int) -> None:
    found = measure(data, kind)
    assert found.sides == (frozenset() if sides is None else frozenset({sides}))
    assert found.frames == frames


def test_the_size_of_what_other_programs_write() -> None:
    """The scene is 96 × 64 pixels."""
    pillow_heif.register_heif_opener()
    plain = {Kind.JPEG: "JPEG", Kind.BMP: "BMP", Kind.WEBP: "WEBP", Kind.HEIC: "HEIF", Kind.AVIF: "AVIF", Kind.JP2: "JPEG2000", Kind.PNG: "PNG"}
    for kind, name in plain.items():
        assert measure(build.saved(build.scene(), name), kind) == (frozenset({(64, 96)}), 1)
    assert measure(build.tiff([build.scene(), build.scene()]), Kind.TIFF) == (frozenset({(64, 96)}), 2)
    assert measure(build.gif(3), Kind.GIF).frames == 3
    moving = build.saved(build.scene(), "PNG", save_all=True, append_images=[build.soft(), build.noise((96, 64))])
    assert measure(moving, Kind.PNG) == (frozenset({(64, 96)}), 3)
