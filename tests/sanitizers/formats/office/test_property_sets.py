"""Property sets: what is said in text stays by its number and name, and a damaged set says nothing; read again by olefile."""

from __future__ import annotations

import struct

import olefile
import pytest

from sanitizers.formats.office import property_sets as sets
from sanitizers.formats.office.property_sets import PropertySet
from tests.build.cfb import compound
from tests.build.xls import properties

USER = sets.USER_DEFINED.hex()


def _set(*values: tuple[int, bytes], page: int = 1200, kind: bytes = sets.USER_DEFINED) -> bytes:
    """`values`: whole ones, with their types."""
    given = ((1, struct.pack("<IHxx", 2, page)), *values)
    at, table = 8 + 8 * len(given), b""
    for number, value in given:
        table += struct.pack("<II", number, at)
        at += len(value)
    body = struct.pack("<II", at, len(given)) + table + b"".join(value for _, value in given)
    return struct.pack("<HHI16xI", 0xFFFE, 0, 0, 1) + kind + struct.pack("<I", 48) + body


def _names(*found: tuple[int, bytes]) -> bytes:
    return struct.pack("<I", len(found)) + b"".join(struct.pack("<II", number, len(name)) + name for number, name in found)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (struct.pack("<IH2x", 0x0B, 0xFFFF), "true"),
        (struct.pack("<IH2x", 0x0B, 0), "false"),
        (struct.pack("<Ih2x", 0x02, -5), "-5"),
        (struct.pack("<Ii", 0x03, 70_000), "70000"),
        (struct.pack("<II", 0x1E, 5) + "情報".encode("cp932") + b"\0", "情報"),
        (struct.pack("<II", 0x1F, 3) + "情報\0".encode("utf-16-le"), "情報"),
    ],
    ids=["true", "false", "short", "long", "bytes", "wide"],
)
def test_values_of_every_kind_are_said_in_words(value: bytes, said: str) -> None:
    assert sets.read(_set((2, value), page=932)) == [PropertySet(sets.USER_DEFINED, {2: said}, {})]


@pytest.mark.parametrize(
    "value",
    [struct.pack("<IQ", 0x40, 1 << 60), struct.pack("<II", 0x1F, 40_000) + bytes(80_000), struct.pack("<II", 0x1E, 70_000) + b"a" * 70_000, struct.pack("<II", 0x1E, 1) + b"\0"],
    ids=["a time", "too long", "too many bytes", "nothing"],
)
def test_what_is_no_text_is_left_out(value: bytes) -> None:
    assert sets.read(_set((2, value), (3, struct.pack("<Ii", 3, 7)), page=932)) == [PropertySet(sets.USER_DEFINED, {3: "7"}, {})]


@pytest.mark.parametrize(("page", "codec"), [(1252, "cp1252"), (1251, "cp1251"), (65001, "utf-8"), (10001, "shift_jis"), (4242, "cp1252")])
def test_texts_are_in_the_code_page_that_is_said(page: int, codec: str) -> None:
    said = {"cp1251": "текст", "shift_jis": "文", "utf-8": "文"}.get(codec, "é")
    encoded = said.encode(codec) + b"\0"
    names = _names((2, encoded))
    assert sets.read(_set((0, names), (2, struct.pack("<II", 0x1E, len(encoded)) + encoded), page=page)) == [PropertySet(sets.USER_DEFINED, {2: said}, {2: said})]


WHOLE = properties(USER, {2: "社外秘"}, {2: "区分"})
DAMAGED: dict[str, bytes] = {
    "nothing": b"",
    "another mark": b"\xff\xfe" + WHOLE[2:],
    "no place of the set": WHOLE[:40],
    "a place behind the end": WHOLE[:44] + struct.pack("<I", 9999) + WHOLE[48:],
    "values behind the end": WHOLE[:72] + struct.pack("<II", 2, 9999) + WHOLE[80:],
    "a name that is too long": _set((0, struct.pack("<III", 1, 2, 70_000) + bytes(70_000)), page=932),
    "names that are cut off": _set((0, struct.pack("<I", 9)), page=932),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_set_says_nothing(case: str) -> None:
    assert sets.read(WHOLE) == [PropertySet(sets.USER_DEFINED, {2: "社外秘"}, {2: "区分"})]
    assert sets.read(DAMAGED[case]) == []


def test_the_first_names_count() -> None:
    """Another list of them for each property would be as long as the file each time."""
    given = _set((0, _names((2, b"first\0"))), (0, _names((2, b"second\0"))), (2, struct.pack("<Ii", 3, 1)), page=1252)
    assert sets.read(given) == [PropertySet(sets.USER_DEFINED, {2: "1"}, {2: "first"})]


def test_one_damaged_set_leaves_the_other() -> None:
    single = _set((2, struct.pack("<Ii", 3, 1)))
    both = single[:24] + struct.pack("<I", 2) + sets.DOCUMENT + struct.pack("<I", 9999) + single[28:44] + struct.pack("<I", 68) + single[48:]
    assert [one.kind for one in sets.read(both)] == [sets.USER_DEFINED]


def test_what_is_written_is_read_by_another_reader() -> None:
    made = sets.write([PropertySet(sets.SUMMARY, {sets.TITLE: "題名", sets.KEYWORDS: "機密"}, {})])
    with olefile.OleFileIO(compound({"\x05SummaryInformation": made})) as opened:
        told = opened.get_metadata()
    assert (told.title.decode(), told.keywords.decode()) == ("題名", "機密")
    assert sets.read(made) == [PropertySet(sets.SUMMARY, {sets.TITLE: "題名", sets.KEYWORDS: "機密"}, {})]
