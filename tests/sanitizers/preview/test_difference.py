"""What differs between two files: lines, pages, and that nobody can compare with what he made up."""

from __future__ import annotations

import pytest

from sanitizers.model import Reason
from sanitizers.preview_words import MOST_LINES, Difference, Gist, View
from tests.build import pdf, previews
from tests.sanitizers.preview.test_reading import look


def differ(before: bytes, after: bytes, name: str = "a.txt") -> Difference:
    gist = look(before, name, View.GIST)[0].gist
    found = look(after, name, View.DIFFERENCE, before=gist)[0].difference
    assert found is not None
    return found


def text(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def test_equal_files_differ_in_nothing() -> None:
    found = differ(text("一", "二"), text("一", "二"))
    assert (found.changes, found.equal, found.lines, found.cut) == ((), 2, (2, 2), False)


def test_lines_that_came_and_went_stand_in_their_order_with_what_is_beside_them() -> None:
    kept = [f"行{number}" for number in range(20)]
    found = differ(text(*kept[:10], "前", *kept[10:]), text(*kept[:10], "後", *kept[10:]))
    assert [(change.sign, change.text) for change in found.changes] == [
        ("…", "8"), (" ", "行8"), (" ", "行9"), ("-", "前"), ("+", "後"), (" ", "行10"), (" ", "行11"), ("…", "8"),
    ]  # fmt: skip
    assert (found.equal, found.lines) == (20, (21, 21))


def test_what_stayed_between_two_changes_stays_between_them() -> None:
    found = differ(text("a", "b", "c", "d", "e"), text("a", "B", "c", "D", "e"))
    assert [change.sign + change.text for change in found.changes] == [" a", "-b", "+B", " c", "-d", "+D", " e"]
    assert found.equal == 3


def test_lines_at_the_ends() -> None:
    assert [change.sign for change in differ(b"", text("a")).changes] == ["+"]
    assert [change.sign for change in differ(text("a"), b"").changes] == ["-"]
    assert [(one.sign, one.text) for one in differ(text("a", "b"), text("b")).changes] == [("-", "a"), (" ", "b")]


def test_what_is_too_long_to_be_compared_in_order_is_compared_by_its_lines() -> None:
    before = [f"a{number}" for number in range(2_900)]
    found = differ(text("x", *before), text(*(f"b{number}" for number in range(2_900)), "a5"))
    assert found.equal == 1
    assert len(found.changes) == MOST_LINES
    assert found.cut


def test_pages_are_compared_by_their_looks() -> None:
    one, other = pdf.clean(), pdf.clean()
    other.pages[1].obj.Contents = other.make_stream(b"0 0 300 300 re f")
    found = differ(pdf.saved(one), pdf.saved(other), "a.pdf")
    assert found.pages == (2, 2)
    assert found.alike[0] == 1.0
    assert found.alike[1] < 0.5


def test_pictures_are_compared_too() -> None:
    assert differ(previews.picture(), previews.picture(), "a.png").alike == (1.0,)
    assert differ(previews.picture(), previews.picture(colour=(0, 0, 200)), "a.png").alike[0] < 1.0


@pytest.mark.parametrize("forged", [b"", b"x", bytes(4) + bytes(4) + b"x", b"\xff" * 40, b"\0\0\1\0\0\0\1\0not deflate"])
def test_fingerprints_that_nobody_made_are_refused(forged: bytes) -> None:
    shown, _ = look(previews.picture(), "a.png", View.DIFFERENCE, before=Gist(pages=(forged,), count=1))
    if forged:
        assert shown.fault == Reason.MALFORMED
    else:
        assert shown.difference is not None
        assert shown.difference.alike == ()


def test_a_file_that_cannot_be_read_still_has_a_gist() -> None:
    shown, _ = look(b"%PDF-1.7 nothing", "a.pdf", View.GIST)
    assert (shown.gist, shown.fault) == (Gist(), Reason.MALFORMED)
