"""What is read of each kind, and that nothing of it is more than text."""

from __future__ import annotations

import pikepdf
import pytest

from sanitizers import preview, wire
from sanitizers.model import Job, Reason
from sanitizers.preview_words import Look, Shown, View, decode, encode
from sanitizers.source import Source
from tests.build import jtd, message, odf, ooxml, outlook, pdf, ppt, previews, rtf, xls
from tests.build import zip as archive


def look(data: bytes, name: str = "x", view: View = View.CONTENT, **asked: object) -> tuple[Shown, bytes]:
    """As it would arrive on the road."""
    shown, pixels = preview.show(Job(name=name), Look(view=view, **asked), Source(data))  # type: ignore[arg-type]
    return decode(encode(shown), len(pixels)), pixels


def said(data: bytes, name: str = "x") -> str:
    shown, _ = look(data, name)
    assert shown.fault == ""
    return "\n".join([*shown.lines, *("|".join(row) for table in shown.tables for row in table.rows)])


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (pdf.saved(pdf.clean()), "a.pdf", "visible 1\nvisible 2"),
        (previews.reaching_document(), "a.docx", "本文\n<script>alert(1)</script>\n本文の二行目"),
        (ooxml.xlsx('<row r="3"><c r="C3" t="inlineStr"><is><t>三</t></is></c></row>').bytes(), "a.xlsx", "\n\n||三"),
        (ooxml.pptx(ooxml.shape("箱の中")).bytes(), "a.pptx", "── slide1 ──\n題名\n箱の中"),
        (odf.odt("<text:h>見出し</text:h>").bytes(), "a.odt", "本文\n見出し"),
        (odf.ods("<table:table-cell><text:p>二</text:p></table:table-cell>").bytes(), "a.ods", "本文|二"),
        (odf.odp().bytes(), "a.odp", "本文"),
        (xls.workbook(xls.sheet()), "a.xls", "本文|12.5"),
        (ppt.presentation(), "a.ppt", "題名"),
        (rtf.document(b"\\pard plain words\\par"), "a.rtf", "plain words"),
        ("一行目\r\n二行目\r\n".encode("cp932"), "a.txt", "一行目\n二行目"),
        ("名前,金額\r\n山田,=1+1\r\n".encode("cp932"), "a.csv", "名前|金額\n山田|=1+1"),
        (b"<html><body><script>alert(1)</script></body></html>", "a.html", "<html><body><script>alert(1)</script></body></html>"),
        (previews.reaching_drawing(), "a.svg", previews.reaching_drawing().decode()),
    ],
    ids=lambda given: given if isinstance(given, str) and "." in given[:3] else "",
)
def test_words_of_each_kind(data: bytes, name: str, words: str) -> None:
    assert words in said(data, name)


def test_ichitaro_plain_and_compressed() -> None:
    plain = jtd.document()
    words = said(plain, "a.jtd")
    assert words.strip()
    assert said(jtd.packed(plain), "a.jtdc") == words


def test_days_and_hidden_sheets_of_a_workbook() -> None:
    cells = '<row r="1"><c r="A1" s="1"><v>36951</v></c><c r="B1"><v>36951</v></c><c r="C1" s="2"><v>36951.5</v></c><c r="D1"><f>NOW()</f></c></row>'
    pack = ooxml.xlsx(cells, sheets='<sheet name="裏帳簿" sheetId="1" state="veryHidden" r:id="rId1"/>')
    formats = '<numFmts count="1"><numFmt numFmtId="170" formatCode="yyyy&quot;年&quot;m"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs>'
    pack.part("xl/styles.xml", f'{ooxml.HEAD}<styleSheet xmlns="{ooxml.X}">{formats}</styleSheet>')
    shown, _ = look(pack.bytes(), "a.xlsx")
    assert shown.tables[0].rows == (("2001-03-01", "36951", "2001-03-01 12:00", "=NOW()"),)
    assert shown.tables[0].name == "裏帳簿（非表示 / hidden）"


def test_a_sheet_that_says_too_much_is_cut_and_says_so() -> None:
    rows = "".join(f'<row r="{number}"><c r="A{number}"><v>{number}</v></c></row>' for number in range(1, 400))
    table = look(ooxml.xlsx(rows).bytes(), "a.xlsx")[0].tables[0]
    assert (len(table.rows), table.cut) == (300, True)
    far = look(ooxml.xlsx('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>').bytes(), "a.xlsx")[0].tables[0]
    assert (far.rows[-1:], far.cut) == (((),), True)


def test_a_mail_shows_its_header_and_its_text_and_where_links_lead() -> None:
    shown, _ = look(previews.reaching_mail(), "a.eml")
    assert dict(shown.head)["From"].startswith("山田")
    assert "本文です" in shown.lines
    assert any(previews.OUTSIDE in one for one in shown.lines)
    assert "alert" not in "".join(shown.lines)


def test_a_mail_that_the_engine_refuses_as_ambiguous_is_shown_all_the_same() -> None:
    data = message.mail(b"words\r\n", b"Content-Type: text/plain\r\nContent-Type: text/html\r\n")
    assert "words" in said(data, "a.eml")


@pytest.mark.parametrize("header", ["=?iso-2022-jp?b?GyRCJDMkbCRPPm43bxsoQg==?=", "=?utf-8?q?=E3=81=93?=", "=?x-unknown?b?/w==?=", "=?utf-8?b?!!?="])
def test_headers_in_any_state_are_only_text(header: str) -> None:
    data = message.mail(b"x\r\n", b"Subject: " + header.encode() + b"\r\nX-Mailer: \x82\xa0\r\n", head=b"From: a@example.jp\r\nTo: b@example.jp\r\n")
    shown, _ = look(data, "a.eml")
    assert "Subject" in dict(shown.head)
    assert dict(shown.head)["X-Mailer"] == "あ"


def test_outlook_items_are_read_as_the_mails_that_they_are() -> None:
    values: dict[int, object] = {0x0037: "件名です", 0x1000: "本文です", 0x001A: "IPM.Note"}
    for data, name in ((outlook.msg(values), "a.msg"), (outlook.tnef(values, ("a.txt", b"x")), "winmail.dat")):
        shown, _ = look(data, name)
        assert "本文です" in shown.lines, name


def test_links_are_text() -> None:
    assert look(previews.reaching_pdf(), "a.pdf")[0].links == (previews.OUTSIDE,)
    document = ooxml.docx().link("word/document.xml", "rId9", "hyperlink", "file://server/share", external=True).bytes()
    assert look(document, "a.docx")[0].links == ("file://server/share",)


def test_an_archive_says_what_is_in_it() -> None:
    assert said(archive.plain(**{"a.txt": b"x" * 1_234, "b.txt": b"y"}), "a.zip") == "a.txt　1,234\nb.txt　1"


def test_a_book_is_read_chapter_by_chapter() -> None:
    data = archive.build(archive.Entry(b"mimetype", b"application/epub+zip", method=0), archive.Entry(b"a.xhtml", "<p>第一章</p>".encode()),
                         archive.Entry(b"META-INF/container.xml", b"<container/>"))  # fmt: skip
    shown, _ = look(data, "a.epub")
    assert shown.kind == "epub"
    assert "第一章" in shown.lines


@pytest.mark.parametrize(
    ("data", "name", "fault"),
    [
        (ooxml.locked(ooxml.docx(), "secret"), "a.docx", Reason.ENCRYPTED),
        (pdf.saved(pdf.clean(), encryption=pikepdf.Encryption(owner="o", user="u")), "a.pdf", Reason.ENCRYPTED),
        (b"%PDF-1.7\nnothing else", "a.pdf", Reason.MALFORMED),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "a.doc", ""),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, name: str, fault: str) -> None:
    assert look(data, name)[0].fault == fault


def test_kinds_without_a_reader_show_their_bytes() -> None:
    shown, _ = look(b"MZ" + bytes(200), "a.exe", View.BYTES, start=1)
    assert (shown.octets[:2], shown.fault) == (b"Z\0", "")
    assert look(b"MZ" + bytes(200), "a.exe")[0].lines == ()
    assert look(b"abc", "a.txt", View.BYTES, start=1 << 39)[0].octets == b""


@pytest.mark.parametrize("letters", ["表" * 210, '"' * 210])
def test_no_answer_is_larger_than_a_frame_holds(letters: str) -> None:
    """The worst that a table, a text and a comparison can say."""
    rows = "\r\n".join(",".join([letters.replace('"', '""').join('""')] * 60) for _ in range(320))
    for data, name in ((rows.encode(), "a.csv"), ("\n".join([letters * 4] * 4_000).encode(), "a.txt")):
        gist = look(data[: len(data) // 2], name, View.GIST)[0].gist
        for view in (View.CONTENT, View.DIFFERENCE):
            shown, _ = preview.show(Job(name=name), Look(view=view, before=gist), Source(data))
            assert len(wire.encode_frame(wire.FrameType.SHOWN, encode(shown))) < 8 << 20
            assert decode(encode(shown), 0).kind
            assert shown.fault == ""


def test_cells_of_several_lines_are_told_in_one() -> None:
    assert look(b'"a\nb",c\r\n1,2\r\n', "a.csv")[0].tables[0].rows[0] == ("a / b", "c")
