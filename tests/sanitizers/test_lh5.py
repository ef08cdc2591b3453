"""-lh5- alone: exactly as many bytes as are told of, and not one more."""

from __future__ import annotations

import pytest

from sanitizers import lh5, library
from sanitizers.budget import Budget
from sanitizers.model import LimitExceeded, Limits, Malformed
from tests.build.archive import cpio, crc16
from tests.build.jtd import squeezed

DATA = "一太郎の文書です。".encode("cp932") * 40
PACKED = squeezed(DATA)


def budget(**limits: int) -> Budget:
    return Budget(Limits(**limits), 1)


@pytest.mark.parametrize("crc", [None, crc16(DATA)])
def test_what_is_told_of_comes_out(crc: int | None) -> None:
    assert lh5.unpacked(PACKED, len(DATA), budget(), crc).bytes() == DATA


@pytest.mark.parametrize(
    ("packed", "size", "crc", "why"),
    [
        (PACKED, len(DATA) - 1, None, "more compressed data"), (PACKED, 0, None, "more compressed data"), (PACKED, len(DATA) + 1, None, "cut off"),
        (PACKED[:-9], len(DATA), None, "compressed data"), (PACKED, len(DATA), crc16(DATA) ^ 1, "CRC"), (b"", 9, None, "cut off"),
        (b"\xff" * 40, 900, None, "compressed data"),
    ],
    ids=["more", "nothing told of", "less", "cut", "checksum", "nothing", "garbage"],
)  # fmt: skip
def test_anything_else_is_refused(packed: bytes, size: int, crc: int | None, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        lh5.unpacked(packed, size, budget(), crc)


def test_the_budget_is_asked_first_and_paid() -> None:
    with pytest.raises(LimitExceeded):
        lh5.unpacked(PACKED, 1 << 40, budget())
    spent = budget()
    before = spent.expanded_left
    lh5.unpacked(PACKED, len(DATA), spent)
    assert before - spent.expanded_left >= len(DATA)


def test_an_archive_without_a_member_has_no_first_one() -> None:
    with library.reading(cpio({}), "cpio") as opened, pytest.raises(Malformed, match="no member"):
        opened.first(100)
    with library.reading(cpio({"a.txt": b"hello"}), "cpio") as opened:
        assert opened.first(100).bytes() == b"hello"
