"""Pictures of binary drawings: read as files of their own, written so that they are read again."""

from __future__ import annotations

import struct
import zlib

import pytest

from sanitizers.budget import Budget
from sanitizers.formats.office import blips
from sanitizers.formats.office.pictures import Picture
from sanitizers.model import LimitExceeded, Limits

IDENTITY = bytes(range(16))
BOUNDS = struct.pack("<6i", 0, 0, 100, 50, 900, 450)


def _budget(most: int = 1 << 20) -> Budget:
    return Budget(Limits(expanded_bytes=most), 1000)


def _blip(kind: int, instance: int, body: bytes, ids: int = 1) -> bytes:
    return struct.pack("<HHI", instance << 4, kind, 16 * ids + len(body)) + IDENTITY * ids + body


def _metafile(content: bytes, *, packing: int = 0) -> bytes:
    packed = zlib.compress(content) if packing == 0 else content
    return struct.pack("<I24sIBB", len(content), BOUNDS, len(packed), packing, 0xFE) + packed


@pytest.mark.parametrize(
    ("kind", "single", "double", "ending"),
    [(0xF01D, 0x46A, 0x46B, "jpeg"), (0xF02A, 0x6E2, 0x6E3, "jpeg"), (0xF01E, 0x6E0, 0x6E1, "png"), (0xF029, 0x6E4, 0x6E5, "tiff")],
)
def test_a_picture_stands_behind_one_identity_or_two(kind: int, single: int, double: int, ending: str) -> None:
    for instance, ids in ((single, 1), (double, 2)):
        assert blips.read(_blip(kind, instance, b"\xffpicture", ids), _budget()) == blips.Blip(b"picture", ending)
        assert blips.fields(kind, instance) == (16,) * ids + (1,)
    assert blips.read(_blip(kind, single, b"\xff"), _budget()) is None, "no picture at all"


@pytest.mark.parametrize(("kind", "single", "double", "ending"), [(0xF01A, 0x3D4, 0x3D5, "emf"), (0xF01B, 0x216, 0x217, "wmf")])
def test_a_metafile_is_inflated_and_says_its_size(kind: int, single: int, double: int, ending: str) -> None:
    for packing in (0, 0xFE):
        for instance, ids in ((single, 1), (double, 2)):
            assert blips.read(_blip(kind, instance, _metafile(b"records", packing=packing), ids), _budget()) == blips.Blip(b"records", ending, BOUNDS)
    assert blips.fields(kind, double) == (16, 16, 34)
    broken = _metafile(b"records")[:34] + b"no zlib stream"
    assert blips.read(_blip(kind, single, broken), _budget()) is None


def test_a_bomb_of_a_metafile_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        blips.read(_blip(0xF01A, 0x3D4, _metafile(bytes(5000))), _budget(2000))


@pytest.mark.parametrize(
    "data", [b"", b"1234567", _blip(0xF01C, 0x542, b"\xffpict"), _blip(0xF01E, 0x6E0, b"\xffpicture")[:-1], _blip(0xF01A, 0x3D4, b"short"), struct.pack("<HHI", 0x6E00, 0xF01E, 4) + b"abcd"]
)
def test_what_is_no_picture_is_none(data: bytes) -> None:
    assert blips.read(data, _budget()) is None
    assert blips.fields(0xF01C, 0) == ()


@pytest.mark.parametrize(("bits", "colours", "packing", "pixels"), [(24, 0, 0, 54), (8, 0, 0, 54 + 1024), (8, 3, 0, 54 + 12), (1, 0, 0, 54 + 8), (32, 0, 3, 54 + 12)])
def test_a_bitmap_gets_the_head_of_a_file(bits: int, colours: int, packing: int, pixels: int) -> None:
    bitmap = struct.pack("<IiiHHIIiiII", 40, 2, 2, 1, bits, packing, 0, 0, 0, colours, 0) + bytes(16)
    read = blips.read(_blip(0xF01F, 0x7A8, b"\xff" + bitmap), _budget())
    assert read is not None
    assert read.content == struct.pack("<2sIHHI", b"BM", 14 + len(bitmap), 0, 0, pixels) + bitmap


@pytest.mark.parametrize("kind", blips.KINDS)
def test_what_is_written_is_read_again(kind: str) -> None:
    body = struct.pack("<IiiHHIIiiII", 40, 1, 1, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(4)
    content = struct.pack("<2sIHHI", b"BM", 14 + len(body), 0, 0, 54) + body if kind == "bmp" else b"picture"
    written = blips.write(Picture(content, kind), BOUNDS)
    read = blips.read(written.record, _budget())
    assert read == blips.Blip(content, kind, BOUNDS if kind in ("emf", "wmf") else bytes(24))
    assert blips.write(Picture(content, kind), BOUNDS) == written
    assert blips.write(Picture(content + b"x", kind), BOUNDS).digest != written.digest


def test_a_metafile_is_written_without_its_placeable_head() -> None:
    read = blips.read(blips.write(Picture(b"\xd7\xcd\xc6\x9a" + bytes(18) + b"records", "wmf")).record, _budget())
    assert read is not None
    assert read.content == b"records"
