"""The table of replies: its digits agree, and what it says in public says nothing of us."""

from __future__ import annotations

import pytest

from mail.replies import HANG_UP, Trouble, gravest


@pytest.mark.parametrize("trouble", Trouble)
def test_the_digits_agree(trouble: Trouble) -> None:
    reply = trouble.value
    assert 200 <= reply.code < 600
    if reply.enhanced:
        assert reply.enhanced[0] == str(reply.code)[0]
        assert [part.isdigit() for part in reply.enhanced.split(".")] == [True, True, True]
    else:
        assert reply.code == 354


def test_no_two_are_the_same() -> None:
    assert len({trouble.value for trouble in Trouble}) == len(Trouble.__members__)


@pytest.mark.parametrize("trouble", Trouble)
def test_the_public_text_is_one_ascii_line_and_not_the_reason(trouble: Trouble) -> None:
    reply = trouble.value
    line = reply.line("\u3042")
    assert line.isascii()
    assert line.endswith(b"\r\n")
    assert line.count(b"\n") == 1
    assert len(line) < 100
    assert bool(reply.reason) == (reply.code >= 400)
    assert not reply.reason or reply.reason.encode() not in line


def test_the_table_goes_from_good_to_grave() -> None:
    classes = [trouble.value.code // 100 for trouble in Trouble if trouble.value.code // 100 >= 4]
    assert classes == sorted(classes)
    assert gravest([Trouble.LOOP, Trouble.FULL]) is Trouble.LOOP
    assert gravest([Trouble.FULL, Trouble.TOO_LARGE, Trouble.NOT_NOW]) is Trouble.TOO_LARGE


def test_hanging_up_is_no_line_of_the_table() -> None:
    assert HANG_UP not in {trouble.value for trouble in Trouble}
