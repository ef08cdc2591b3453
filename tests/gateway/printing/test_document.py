"""Papers as PDF: read back by other libraries, drawn, and looked at by our own sanitizer."""

from __future__ import annotations

import io

import pikepdf
import pypdfium2
import pytest

from gateway.printing.document import printed
from gateway.printing.letters import lines, width
from gateway.printing.paper import Facts, Heading, NewPage, Paper, Paragraph, Signatures, Table
from sanitizers.model import Verdict
from tests.build.context import run

_KEY = "0123456789abcdef" * 4


def _paper(*blocks, **more):
    return Paper(title="無害化証明書 / Certificate", number="文書番号 20261120-000123", blocks=blocks, **more)


def _texts(data: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(data)
    return [document[place].get_textpage().get_text_range() for place in range(len(document))]


def test_everything_said_stands_on_the_page():
    data = printed(
        _paper(
            Facts((("受付番号", "20261120-000123"), ("SHA-256", _KEY))),
            Heading("内容 / Findings"),
            Table(("ファイル", "内容"), (("様式１（案）.xlsm", "マクロを除去しました。ｱｲｳ"), ("𠮷野.pdf",))),
            Paragraph("①㈱髙～－"),
            Signatures(("起案", "確認")),
            issued="令和8年11月20日",
            organisation="関所町",
        )
    )
    (text,) = _texts(data)
    for part in ("無害化証明書", "20261120-000123", _KEY, "様式１（案）.xlsm", "ｱｲｳ", "𠮷野.pdf", "①㈱髙～－", "起案", "令和8年11月20日", "関所町", "1 / 1"):
        assert part in text


def test_a_long_table_repeats_its_head_and_loses_no_row():
    texts = _texts(printed(_paper(Table(("名前", "数"), tuple((f"件{n:04}。", str(n)) for n in range(200)), right=frozenset({1})))))
    assert len(texts) > 3
    assert all("名前" in text for text in texts)
    whole = "".join(texts)
    assert all(f"件{n:04}" in whole for n in range(200))
    assert f"{len(texts)} / {len(texts)}" in texts[-1]


def test_a_row_longer_than_a_page_goes_on_overleaf():
    text = "".join(f"{n:04}番" for n in range(1500))
    texts = _texts(printed(_paper(Facts((("長い", text),)))))
    assert len(texts) > 1
    whole = "".join("".join(page.split()) for page in texts)
    assert all(f"{n:04}番" in whole for n in range(0, 1500, 7))


def test_an_empty_table_says_so():
    assert "なし" in _texts(printed(_paper(Table(("名前",), ()))))[0]


def test_a_new_page_and_a_heading_that_does_not_stand_alone():
    texts = _texts(printed(_paper(Paragraph("一"), NewPage(), Paragraph("\n".join("行" * 52)), Heading("章"), Paragraph("続き"))))
    assert "章" in texts[-1]
    assert "続き" in texts[-1]
    assert "章" not in texts[1]


def test_the_same_paper_gives_the_same_bytes_and_nothing_acts_in_it():
    one, two = printed(_paper(Paragraph("同じ"))), printed(_paper(Paragraph("同じ")))
    assert one == two
    with pikepdf.open(io.BytesIO(one)) as document:
        assert not document.check_pdf_syntax()
        assert set(document.Root.keys()) == {"/Type", "/Pages", "/Lang", "/ViewerPreferences"}
        assert "/CreationDate" not in document.docinfo
        assert str(document.docinfo["/Title"]) == "無害化証明書 / Certificate"


@pytest.mark.parametrize("hostile", [") Tj ET <</S/JavaScript>>", "\\)\\(", "(<script>alert(1)</script>)", "\x00\x1b[31m\u202eabc", "\ud800"])
def test_no_text_is_a_command(hostile):
    data = printed(_paper(Table(("a",), ((hostile,),)), organisation=hostile))
    with pikepdf.open(io.BytesIO(data)) as document:
        assert not document.check_pdf_syntax()
        operators = {str(instruction.operator) for instruction in pikepdf.parse_content_stream(document.pages[0])}
    assert operators <= {"w", "G", "g", "re", "f", "S", "BT", "ET", "Td", "Tr", "Tf", "Tj"}


def test_what_is_in_use_comes_back_clean_from_our_own_gate():
    outcome = run(printed(_paper(Facts((("受付番号", "1"),)))), "証明書.pdf")
    assert outcome.report.verdict == Verdict.CLEAN
    assert "受付番号" in _texts(outcome.content.bytes())[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("あいうえお", ["あいう", "えお"]),
        ("あいう。えお", ["あい", "う。え", "お"]),
        ("あい「うえ", ["あい", "「うえ"]),
        ("a\nb", ["a", "b"]),
        ("ab cd ef", ["ab cd", "ef"]),
        ("abcdefghij", ["abcde", "fghij"]),
        ("。。。。。", ["。。。", "。。"]),
    ],
)
def test_lines_break_where_they_may(text, expected):
    assert lines(text, 30, 10) == expected


def test_no_line_is_wider_than_asked():
    text = "令和8年度 Annual report (final) の、「様式」を https://www.town.example.jp/a/b/c?d=e で公開。" * 9
    for most in (12, 37, 100, 400):
        broken = lines(text, most, 10)
        assert all(width(line, 10) <= most for line in broken)
        assert "".join("".join(broken).split()) == "".join(text.split())


def test_a_head_of_any_length_leaves_room_for_rows():
    texts = _texts(printed(_paper(Table(("題" * 5000, "b"), (("行一", "x"), ("行二", "y"))))))
    assert len(texts) == 1
    assert "行二" in texts[0]


def test_a_cell_without_end_ends_with_an_ellipsis():
    texts = _texts(printed(_paper(Table(("a",), (("\n".join("あ" * 3000),),)))))
    assert "…" in texts[-1]
    assert len(texts) < 12
