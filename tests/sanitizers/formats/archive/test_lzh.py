"""Headers of LHa archives, level by level: names, sizes, kinds of members, and what contradicts itself."""

from __future__ import annotations

import struct
from itertools import starmap

import libarchive
import pytest

from sanitizers.formats.archive import lzh
from sanitizers.formats.archive.pack import What
from sanitizers.model import LimitExceeded, Malformed, Unsupported
from tests.build.archive import lzh3

DATA = b"hello"


def _crc(data: bytes) -> int:
    """CRC-16/ARC."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def _extended(fields: dict[int, bytes], width: int = 2) -> bytes:
    """The chain: a size, then kind and content with the next size behind them."""
    shape = "<H" if width == 2 else "<I"
    out = b""
    for kind, content in fields.items():
        out += struct.pack(shape, 1 + len(content) + width) + bytes((kind,)) + content
    return out + bytes(width)


def _base(level: int, name: bytes, tail: bytes, data: bytes, method: bytes, packed: int) -> bytes:
    body = method + struct.pack("<IIIBB", packed, len(data), 0, 0x20, level) + bytes((len(name),)) + name + struct.pack("<H", _crc(data)) + tail
    return bytes((len(body), sum(body) & 0xFF)) + body


def level0(name: bytes = b"a.txt", data: bytes = DATA, method: bytes = b"-lh0-") -> bytes:
    return _base(0, name, b"", data, method, len(data)) + data


def level1(fields: dict[int, bytes], name: bytes = b"", data: bytes = DATA) -> bytes:
    chain = _extended(fields)
    return _base(1, name, b"U" + chain[:2], data, b"-lh0-", len(data) + len(chain) - 2) + chain[2:] + data


def level2(fields: dict[int, bytes], data: bytes = DATA, method: bytes = b"-lh0-", *, padding: bytes = b"") -> bytes:
    chain = _extended(fields) + padding
    return struct.pack("<H", 24 + len(chain)) + method + struct.pack("<IIIBBHB", len(data), len(data), 0, 0x20, 2, _crc(data), 0x55) + chain + data


def _members(data: bytes, most: int = 99) -> tuple[lzh.Member, ...]:
    return lzh.members(data + b"\0", most)


def _one(data: bytes) -> lzh.Member:
    (found,) = _members(data)
    return found


BY_LEVEL = {
    "0": level0(), "1": level1({1: b"a.txt"}), "1, its own name": level1({}, b"a.txt"), "2": level2({1: b"a.txt"}), "2, padded": level2({1: b"a.txt"}, padding=b"\0"),
    "3": lzh3("a.txt", DATA).removesuffix(b"\0"),
}  # fmt: skip


@pytest.mark.parametrize("level", BY_LEVEL)
def test_a_member_of_any_level_is_read(level: str) -> None:
    data = BY_LEVEL[level]
    member = _one(data)
    assert (member.name, member.what, member.size) == ("a.txt", What.FILE, 5)
    assert lzh.read(data + b"\0", member, 100).bytes() == DATA
    with pytest.raises(LimitExceeded):
        lzh.read(data + b"\0", member, 4)
    if level >= "2":
        return      # libarchive reads these with a sum in a field of their own only
    with libarchive.memory_reader(data + b"\0") as archive:     # another reader sees the same
        assert [(entry.pathname, b"".join(entry.get_blocks())) for entry in archive] == [("a.txt", DATA)]


def test_several_members_and_the_end() -> None:
    data = b"".join(BY_LEVEL.values())
    assert len(_members(data)) == len(BY_LEVEL)
    assert len(lzh.members(level0() + b"\0\x1a\0", 9)) == 1
    with pytest.raises(LimitExceeded):
        _members(data, 3)
    with pytest.raises(Malformed, match="after the end"):
        lzh.members(level0() + b"\0MZ", 9)
    for nothing in (b"", b"\0"):
        with pytest.raises(Malformed, match="no LZH member"):
            lzh.members(nothing, 9)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({1: "表.txt".encode("cp932")}, "表.txt"), ({1: b"a.txt", 2: b"one\xfftwo\xff"}, "one/two/a.txt"), ({1: b"one\\a.txt"}, "one/a.txt"),
        ({0x44: "髙.txt".encode("utf-16-le"), 0x45: "一\uffff".encode("utf-16-le"), 1: b"x"}, "一/髙.txt"), ({1: b"a.txt\0a note"}, "a.txt"),
        ({1: b"a.txt", 2: b"one\0two"}, "one/a.txt"), ({0x44: "髙.txt".encode("utf-16-le")}, "髙.txt"),
    ],
)  # fmt: skip
def test_names_of_members(fields: dict[int, bytes], name: str) -> None:
    assert _one(level2(fields)).name == name


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (level2({1: b"a", 0x50: struct.pack("<H", 0o100644)}), What.FILE), (level2({1: b"a", 0x50: struct.pack("<H", 0o120777)}), What.OTHER),
        (level2({1: b"a|/etc/passwd"}), What.OTHER), (level2({2: b"one\xff"}, b"", b"-lhd-"), What.FOLDER),
    ],
)  # fmt: skip
def test_kinds_of_members(data: bytes, what: What) -> None:
    assert _one(data).what is what


@pytest.mark.parametrize("method", [b"-lh1-", b"-lz5-", b"-lh2-", b"-pm2-"])
def test_a_method_that_nobody_uses_any_more_is_unsupported(method: bytes) -> None:
    data = level0(method=method)
    with pytest.raises(Unsupported, match="LZH method"):
        lzh.read(data, _one(data), 100)


def _with(data: bytes, place: int, value: bytes) -> bytes:
    return data[:place] + value + data[place + len(value) :]


def _summed(data: bytes) -> bytes:
    return data[:1] + bytes((sum(data[2 : 2 + data[0]]) & 0xFF,)) + data[2:]


BROKEN = {
    "no header": b"hello there, this is no archive at all", "cut off": level0()[:20], "sum": _with(level0(), 1, b"\x99"), "name too long": _with(level0(), 21, b"\xf0"),
    "data cut short": level0()[:-1], "chain in the middle": level1({1: b"a.txt"})[:-8], "chain longer than all": _summed(_with(level1({1: b"a.txt"}), 7, struct.pack("<I", 3))),
    "field too small": _with(level2({1: b"a.txt"}), 24, b"\1\0"), "field too large": _with(level2({1: b"a.txt"}), 24, b"\xff\xff"),
    "size before the fields": _with(level2({1: b"a.txt"}), 0, struct.pack("<H", 25)), "size behind the end": _with(level2({1: b"a.txt"}), 0, b"\x00\x7f"),
    "wide, another word": _with(lzh3("a.txt", DATA), 0, b"\x05"), "wide, cut off": lzh3("a.txt", DATA)[:30], "unicode": level2({0x44: b"\0\xd8x"}),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_contradicts_itself_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        lzh.members(BROKEN[name], 9)


def test_a_level_that_nobody_knows_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="level 4"):
        lzh.members(_with(level0(), 20, b"\4"), 9)


def test_a_field_stands_once() -> None:
    twice = b"".join(starmap(lambda kind, content: struct.pack("<H", 3 + len(content)) + bytes((kind,)) + content, [(1, b"a"), (1, b"b")])) + b"\0\0"
    head = struct.pack("<H", 24 + len(twice)) + b"-lh0-" + struct.pack("<IIIBBHB", 0, 0, 0, 0x20, 2, 0, 0x55)
    with pytest.raises(Malformed, match="twice"):
        _members(head + twice)


@pytest.mark.parametrize("data", [_with(level0(), 11, struct.pack("<I", 6)), level0(b"a.txt", DATA, b"-lh5-")])
def test_content_of_another_size_is_malformed(data: bytes) -> None:
    fixed = _summed(data)
    with pytest.raises(Malformed):
        lzh.read(fixed, _one(fixed), 100)
