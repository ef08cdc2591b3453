"""Tables of reports: what is too long for paper stands in the CSV and is said so, sizes for people, links of pages."""

from __future__ import annotations

import pytest

from gateway.printing import paper
from gateway.reports import tables
from gateway.reports.tables import Sheet, as_csv, bytes_said
from gateway.web.preview_saying import page_numbers


def test_what_is_too_long_for_paper_stands_in_the_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_ON_PAPER", 2)
    sheet = Sheet("rows", "表", ("a",), tuple((str(number),) for number in range(5)))
    heading, table, more = sheet.on_paper()
    assert isinstance(heading, paper.Heading)
    assert isinstance(table, paper.Table)
    assert isinstance(more, paper.Paragraph)
    assert (table.rows, more.text.partition("。")[0]) == ((("0",), ("1",)), "ほか3件はCSVにあります")
    assert as_csv([sheet]).decode("utf-8-sig").split() == ["表", "a", "0", "1", "2", "3", "4"]
    assert [type(block) for block in sheet._replace(rows=()).on_paper()] == [paper.Heading, paper.Paragraph]


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1 KiB"), ((1 << 20) - 1, "1,023 KiB"), (1 << 30, "1 GiB"), (5 << 40, "5 TiB"), (1 << 51, "2,048 TiB")],
)
def test_a_size_is_rounded_down(size: int, said: str) -> None:
    assert bytes_said(size) == said


@pytest.mark.parametrize(
    ("page", "pages", "shown"),
    [
        (1, 1, [1]), (1, 3, [1, 2, 3]), (1, 9, [1, 2, 3, 0, 8, 9]), (5, 9, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (10, 20, [1, 2, 0, 8, 9, 10, 11, 12, 0, 19, 20]), (20, 20, [1, 2, 0, 18, 19, 20]),
    ],
)  # fmt: skip
def test_pages_worth_a_link(page: int, pages: int, shown: list[int]) -> None:
    assert page_numbers(page, pages) == shown
