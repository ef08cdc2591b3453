"""HEIC files that libheif reads but does not write for us: several pictures in one, and the tiles of a telephone's camera."""

from __future__ import annotations

import io
import struct

import pillow_heif
from PIL import Image

from tests.build import image as build

pillow_heif.register_heif_opener()


def heic(picture: Image.Image, **options: object) -> bytes:
    return build.saved(picture, "HEIF", **{"quality": 95, **options})


def several(*pictures: Image.Image) -> bytes:
    made = pillow_heif.HeifFile()
    for picture in pictures:
        made.add_from_pillow(picture)
    out = io.BytesIO()
    made.save(out, quality=95)
    return out.getvalue()


def ten_bits(size: tuple[int, int] = (96, 64)) -> bytes:
    """A slope of 10 bits a colour."""
    width, height = size
    pixels = b"".join(struct.pack("<3H", *[65_535 * x // width] * 3) for _ in range(height) for x in range(width))
    out = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", size, pixels).save(out, quality=95)
    return out.getvalue()


def box(name: bytes, body: bytes, full: int | None = None) -> bytes:
    head = b"" if full is None else struct.pack(">I", full)
    return struct.pack(">I4s", 8 + len(head) + len(body), name) + head + body


def _inside(data: bytes, *path: bytes) -> bytes:
    """The body of the first box of this path."""
    at, end = 0, len(data)
    for name in path:
        while data[at + 4 : at + 8] != name:
            at += struct.unpack_from(">I", data, at)[0]
        end, at = at + struct.unpack_from(">I", data, at)[0], at + 8 + (4 if name == b"meta" else 0)
    return data[at:end]


def grid(picture: Image.Image, side: int = 64, *, small: bool = False) -> bytes:
    """The picture as hidden tiles and an item that puts them together, cut to its own size, as telephones store photographs.

    `small`: the first tile is called a thumbnail of the whole.
    """
    columns, rows = -(-picture.width // side), -(-picture.height // side)
    files = [heic(picture.crop((x * side, y * side, (x + 1) * side, (y + 1) * side))) for y in range(rows) for x in range(columns)]
    coded = [_inside(file, b"mdat") for file in files]
    coding = box(b"hvcC", _inside(files[0], b"meta", b"iprp", b"ipco", b"hvcC"))
    count = len(files)
    layout = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, *picture.size)
    thumbnail = box(b"thmb", struct.pack(">3H", 1, 1, count + 1)) if small else b""
    head = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    meta = b""
    for _ in range(2):  # once to learn its length, once with the right offsets
        at, places = len(head) + len(meta) + 8, b""
        for item, body in enumerate([*coded, layout], 1):
            places += struct.pack(">HHHII", item, 0, 1, at, len(body))
            at += len(body)
        items = b"".join(
            box(b"infe", struct.pack(">HH4s", item, 0, b"hvc1" if item <= count else b"grid") + b"\0", 0x0200_0001 if item <= count else 0x0200_0000)
            for item in range(1, count + 2)
        )
        links = b"".join(struct.pack(">HBBB", item, 2, 0x81, 2) for item in range(1, count + 1)) + struct.pack(">HBB", count + 1, 1, 3)
        sizes = box(b"ispe", struct.pack(">II", side, side), 0) + box(b"ispe", struct.pack(">II", *picture.size), 0)
        meta = box(
            b"meta",
            box(b"hdlr", struct.pack(">I4s12x", 0, b"pict") + b"\0", 0)
            + box(b"pitm", struct.pack(">H", count + 1), 0)
            + box(b"iloc", struct.pack(">HH", 0x4400, count + 1) + places, 0)
            + box(b"iinf", struct.pack(">H", count + 1) + items, 0)
            + box(b"iref", box(b"dimg", struct.pack(f">HH{count}H", count + 1, count, *range(1, count + 1))) + thumbnail, 0)
            + box(b"iprp", box(b"ipco", coding + sizes) + box(b"ipma", struct.pack(">I", count + 1) + links, 0)),
            0,
        )
    return head + meta + box(b"mdat", b"".join(coded) + layout)
