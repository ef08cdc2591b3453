"""Tables for Excel: read back by another library, nothing in them runs, the same rows give the same bytes."""

from __future__ import annotations

import io

import openpyxl
import pytest

from gateway.admin import workbook
from gateway.admin.workbook import Workbook


def read(data: bytes) -> list[tuple[object, ...]]:
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    return [tuple(cell.value for cell in row) for row in sheet.iter_rows()]


def made(*rows: tuple[workbook.Cell, ...], titles: tuple[str, ...] = ("名前", "数")) -> bytes:
    book = Workbook(titles, [20] * len(titles))
    book.add(rows)
    return book.finish()


def test_another_reader_sees_the_same_rows() -> None:
    rows = (("総務課 <&> \"'", 1), ("　全角\n二行目", 2.5), ("😀", None), (None, 10**12))
    assert read(made(*rows)) == [("名前", "数"), *rows]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "\t=1", "=HYPERLINK(1)", "_x0041_", "_x003D_1+1"])
def test_whatever_it_begins_with_it_is_a_text(text: str) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(made((text, 1)))).worksheets[0]
    assert sheet["A2"].data_type == "s" or sheet["A2"].data_type == "inlineStr"
    assert sheet["A2"].value.replace("_x005F_", "_") == text
    assert sheet["A2"].data_type != "f"


def test_letters_that_xml_cannot_hold_are_replaced_and_long_texts_cut() -> None:
    assert read(made(("a\x00b\x1f\ufffe\ud800", 1)))[1][0] == "a\ufffdb\ufffd\ufffd\ufffd"
    assert read(made(("x" * 40_000, 1)))[1][0] == "x" * 32_767


def test_columns_beyond_z_and_the_same_bytes_each_time() -> None:
    titles = tuple(f"c{number}" for number in range(60))
    rows = [tuple(range(60))] * 2
    assert read(made(*rows, titles=titles))[2] == tuple(range(60))
    assert made(*rows, titles=titles) == made(*rows, titles=titles)


def test_a_row_of_another_length_or_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="length"):
        made(("a",))
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    made(("a", 1))
    with pytest.raises(ValueError, match="rows"):
        made(("a", 1), ("b", 2))
