"""Compound files: read as olefile reads them; what two readers could see differently is refused."""

from __future__ import annotations

import struct
from collections.abc import Callable

import olefile
import pytest

from sanitizers import cfb
from sanitizers.budget import Budget
from sanitizers.model import LimitExceeded, Limits, Malformed
from sanitizers.source import Source
from tests.build import cfb as build

STREAMS = {"Small": b"s" * 100, "Large": bytes(range(256)) * 40, "Folder/Inner": b"i" * 64, "Folder/Deep/None": b"", "Folder/Deep/More": b"m" * 5000}


def _open(data: bytes) -> cfb.Compound:
    return cfb.Compound(Source(data), Budget(Limits(), len(data)))


def _all(data: bytes) -> dict[str, bytes]:
    compound = _open(data)
    return {"/".join(path): compound.read(path) for path in compound.streams}


def test_it_reads_what_olefile_reads() -> None:
    data = build.compound(STREAMS)
    with olefile.OleFileIO(data) as other:
        assert {"/".join(path): other.openstream(path).read() for path in other.listdir()} == STREAMS
    assert _all(data) == STREAMS
    assert set(_open(data).storages) == {("Folder",), ("Folder", "Deep")}


def test_a_stream_is_found_in_any_case() -> None:
    compound = _open(build.compound({"WORKBOOK": b"x"}))
    assert compound.find("Workbook") == ("WORKBOOK",)
    assert compound.find("Book") is None


def test_slack_and_tail_are_never_read() -> None:
    """L05."""
    found = _all(build.compound(STREAMS, slack=b"\xcc", tail=b"hidden" * 200))
    assert found == STREAMS


def _changed(offset: int, shape: str, value: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        made = bytearray(data)
        struct.pack_into(shape, made, offset, value)
        return bytes(made)

    return change


def _fat(index: int, value: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        sector, = struct.unpack_from("<I", data, 76)
        return _changed((sector + 1) * 512 + 4 * index, "<I", value)(data)

    return change


def _entry(number: int, offset: int, shape: str, value: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        sector, = struct.unpack_from("<I", data, 48)
        return _changed((sector + 1) * 512 + 128 * number + offset, shape, value)(data)

    return change


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "no magic": _changed(0, "<B", 0),
    "other byte order": _changed(28, "<H", 0xFEFF),
    "sectors of another size": _changed(30, "<H", 10),
    "another cut-off": _changed(56, "<I", 64),
    "a loop in a chain": _fat(1, 0),
    "a chain into nothing": _fat(0, 0xFFFF),
    "a chain that is free": _fat(0, build.FREE),
    "the directory is elsewhere": _changed(48, "<I", 0x7FFFFFFF),
    "two streams in one place": _entry(2, 116, "<I", 0),
    "an entry hangs in itself": _entry(1, 68, "<I", 1),
    "an entry that does not exist": _entry(1, 72, "<I", 999),
    "an entry of no kind": _entry(1, 66, "<B", 7),
    "a root that is none": _entry(0, 66, "<B", 2),
    "a name that is too long": _entry(1, 64, "<H", 66),
    "a stream longer than its chain": _entry(1, 120, "<I", 1 << 30),
    "cut off": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_broken_files_are_refused(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Malformed):
        _all(damage(build.compound({"Aa": b"a" * 5000, "Bbb": b"b" * 5000, "Cccc": b"c" * 10})))


@pytest.mark.parametrize(("place", "missing"), [(48, 1), (48, 100), (48, 129), (60, 2), (60, 511)])
def test_tables_that_end_with_the_file_are_whole(place: int, missing: int) -> None:
    """Found by fuzzing: the last sector of a file may be short, but not where a table of entries stands in it."""
    data = bytearray(build.compound({"Aa": b"a" * 5000, "Bb": b"b" * 10}))
    start, = struct.unpack_from("<I", data, place)
    last = len(data) // 512 - 1
    data += data[(start + 1) * 512 : (start + 2) * 512]
    struct.pack_into("<I", data, place, last)
    whole = _fat(last, build.END)(bytes(data))
    assert set(_all(whole)) == {"Aa", "Bb"}
    with pytest.raises(Malformed):
        _all(whole[:-missing])


MINI: dict[str, Callable[[bytes], bytes]] = {
    "two small streams in one place": _entry(2, 116, "<I", 0),
    "a small stream that is nowhere": _entry(1, 116, "<I", 900),
    "a small stream whose table is too short": _entry(1, 116, "<I", 60),
    "less than the small streams are long": _entry(0, 120, "<I", 70),
    "no small streams": _entry(0, 120, "<I", 0),
    "no table of small streams": _changed(64, "<I", 0),
}


@pytest.mark.parametrize("damage", MINI.values(), ids=MINI)
def test_small_streams_that_lie_are_refused(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Malformed):
        _all(damage(build.compound({"Aa": b"a" * 100, "Bb": b"b" * 100})))


@pytest.mark.parametrize("missing", [1, 300, 511])
def test_a_last_sector_may_be_short(missing: int) -> None:
    """Writers leave out what would fill it up; a whole sector less is refused."""
    data = bytearray(build.compound({"Aa": b"a" * 5000}))
    start, = struct.unpack_from("<I", data, (1 + struct.unpack_from("<I", data, 48)[0]) * 512 + 128 + 116)
    last = start + 9
    end = len(data) // 512 - 1
    data += data[(last + 1) * 512 : (last + 2) * 512]
    moved = _fat(end, build.END)(_fat(last - 1, end)(bytes(data)))
    assert _all(moved) == {"Aa": b"a" * 5000}
    assert len(_all(moved[:-missing])["Aa"]) == 5000
    with pytest.raises(Malformed):
        _all(moved[:-512])


def test_two_names_that_differ_in_case_only_are_refused() -> None:
    with pytest.raises(Malformed):
        _all(build.compound({"Aa": b"1", "AA": b"2"}))


def test_storages_in_storages_are_limited() -> None:
    with pytest.raises(LimitExceeded):
        _open(build.compound({"/".join("abcdefgh" * 5): b"x"}))


def test_what_is_read_is_counted() -> None:
    data = build.compound({"Large": b"x" * 100_000})
    compound = cfb.Compound(Source(data), Budget(Limits(expanded_bytes=50_000), len(data)))
    with pytest.raises(LimitExceeded):
        compound.read(("Large",))
