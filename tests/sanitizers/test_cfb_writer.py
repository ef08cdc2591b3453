"""Compound files laid out anew: two other readers see the streams and nothing else; the directory is a balanced tree."""

from __future__ import annotations

import io
import struct

import olefile
import pytest

from sanitizers import cfb, cfb_writer
from sanitizers.budget import Budget
from sanitizers.model import Limits, Malformed
from sanitizers.source import Source

SIZES = (0, 1, 63, 64, 65, 4095, 4096, 4097, 100_000)


def _read(data: bytes) -> dict[tuple[str, ...], bytes]:
    compound = cfb.Compound(Source(data), Budget(Limits(), len(data)))
    return {path: compound.read(path) for path in compound.streams}


def _seen(data: bytes) -> dict[tuple[str, ...], bytes]:
    """By olefile, which is told to complain about anything."""
    with olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_UNSURE) as compound:
        assert compound.parsing_issues == []
        return {tuple(path): compound.openstream(path).read() for path in compound.listdir()}


@pytest.mark.parametrize("size", SIZES)
def test_two_readers_see_the_streams(size: int) -> None:
    streams = {("本文",): b"x" * size, ("B", "中"): b"y" * 5000, ("B", "C", "d"): b"z" * 70, **{(f"s{number}",): b"w" * number for number in range(size % 41)}}
    made = cfb_writer.write(streams)
    assert _read(made) == _seen(made) == streams
    assert len(made) % 512 == 0
    assert cfb_writer.write(streams) == made


def test_a_fat_that_the_header_cannot_list() -> None:
    streams = {("large",): bytes(8 << 20), ("small",): b"1"}
    made = cfb_writer.write(streams)
    assert struct.unpack_from("<I", made, 72) == (1,)
    assert _read(made) == _seen(made) == streams


def test_what_fills_a_sector_is_zero() -> None:
    made = cfb_writer.write({("a",): b"\xaa" * 5000, ("b",): b"\xbb" * 70})
    at = made.index(b"\xaa" * 5000)
    assert made[at + 5000 : at + 5120] == bytes(120)
    at = made.index(b"\xbb" * 70)
    assert made[at + 70 : at + 512] == bytes(442)


def test_the_class_of_the_root() -> None:
    class_id = bytes(range(16))
    made = cfb_writer.write({("a",): b"1"}, class_id)
    assert cfb.Compound(Source(made), Budget(Limits(), len(made))).class_id == class_id


def _in_order(made: bytes) -> list[str]:
    """Names of the root's children as its tree has them; no red entry below a red one, as many black ones on every way down."""
    start = 512 * (1 + struct.unpack_from("<I", made, 48)[0])

    def walk(number: int, *, red: bool) -> tuple[int, list[str]]:
        if number == 0xFFFFFFFF:
            return 0, []
        entry = made[start + 128 * number :][:128]
        length, _, colour, left, right = struct.unpack_from("<HBBII", entry, 64)
        assert not (red and colour == 0)
        (black, before), (black_too, after) = (walk(one, red=colour == 0) for one in (left, right))
        assert black == black_too
        return black + colour, [*before, entry[: length - 2].decode("utf-16-le"), *after]

    return walk(struct.unpack_from("<I", made, start + 76)[0], red=False)[1]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 31, 100])
def test_the_directory_is_a_red_black_tree(count: int) -> None:
    """[MS-CFB] 2.6.4."""
    assert _in_order(cfb_writer.write({(f"{number:03}",): b"1" for number in range(count)})) == [f"{number:03}" for number in range(count)]


def test_shorter_names_come_first_whatever_their_letters() -> None:
    assert _in_order(cfb_writer.write({("zz",): b"1", ("aaa",): b"2", ("ZY",): b"3", ("é",): b"4", ("É1",): b"5"})) == ["é", "ZY", "zz", "É1", "aaa"]


@pytest.mark.parametrize(
    "streams", [{("x" * 32,): b""}, {("a/b",): b""}, {("",): b""}, {("a",): b"", ("A",): b""}, {("a",): b"", ("a", "b"): b""}, {("a", "b"): b"", ("a",): b""}]
)
def test_names_that_may_not_be(streams: dict[tuple[str, ...], bytes]) -> None:
    with pytest.raises(Malformed):
        cfb_writer.write(streams)
