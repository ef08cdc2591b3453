"""Files that say something strange about themselves: what can be read of them is shown, and why the rest is not."""

from __future__ import annotations

import io
import tarfile

import pikepdf
import pytest
from PIL import Image

from sanitizers.model import Job, Kind, Malformed, Reason, Unsupported
from sanitizers.preview import office, reading
from sanitizers.preview.room import Room
from sanitizers.preview_words import MOST_PARTS, View
from sanitizers.source import Source
from tests.build import jtd, message, odf, ooxml, pdf, previews
from tests.build import zip as archive
from tests.build.pdf_bytes import document, one_page
from tests.sanitizers.preview.test_reading import look, said

HUGE = "9" * 5000       # more digits than Python makes a number of


def sheet(cells: str, styles: str = "") -> tuple[tuple[str, ...], ...]:
    pack = ooxml.xlsx(cells)
    if styles:
        pack.part("xl/styles.xml", f'{ooxml.HEAD}<styleSheet xmlns="{ooxml.X}"><cellXfs>{styles}</cellXfs></styleSheet>')
    shown, _ = look(pack.bytes(), "a.xlsx")
    assert shown.fault == ""
    return shown.tables[0].rows


DAY = '<xf numFmtId="0"/><xf numFmtId="14"/>'
CELLS: dict[str, tuple[str, str, tuple[tuple[str, ...], ...]]] = {
    "a text of a number that no list has": (f'<row r="1"><c r="A1" t="s"><v>{HUGE}</v></c><c r="B1"><v>1</v></c></row>', "", (("", "1"),)),
    "a style of such a number": (f'<row r="1"><c r="A1" s="{HUGE}"><v>1</v></c></row>', DAY, (("1",),)),
    "a row of such a number": (f'<row r="{HUGE}"><c r="A1"><v>1</v></c></row>', "", (("1",),)),
    "no numbers at all": ("<row><c><v>1</v></c><c><v>2</v></c></row>", "", (("1", "2"),)),
    "empty cells and rows at the end": ('<row r="1"><c r="A1"><v>1</v></c><c r="B1"/></row><row r="2"><c r="A2"/></row>', "", (("1",),)),
    "a column beyond the last that is shown": ('<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>2</v></c></row>', "", (("1",),)),
    "days that are none": (
        '<row r="1"><c r="A1" s="1"><v>1</v></c><c r="B1" s="1"><v>soon</v></c><c r="C1" s="1"><v>1e400</v></c><c r="D1" s="1"><v>36951</v></c></row>',
        DAY, (("1", "soon", "1e400", "2001-03-01"),),
    ),
    "tabs and line ends": ('<row r="1"><c r="A1" t="inlineStr"><is><r><t>a</t></r><tab/><r><t>b</t></r><br/><r><t>c</t></r></is></c></row>', "", (("a b / c",),)),
}  # fmt: skip


@pytest.mark.parametrize("kind", CELLS)
def test_cells_of_a_workbook(kind: str) -> None:
    cells, styles, wanted = CELLS[kind]
    assert sheet(cells, styles) == wanted


def _cell(text: str, more: str = "") -> str:
    return f"<table:table-cell{more}><text:p>{text}</text:p></table:table-cell>"


def test_cells_of_an_open_document() -> None:
    empty = "<table:table-cell/>"
    far = _cell("", ' table:number-columns-repeated="99"') + _cell("far") + _cell("further")
    rows = f"</table:table-row><table:table-row>{far}"
    rows += f"</table:table-row><table:table-row><table:shapes/>{empty}</table:table-row><table:table-row>"
    more = _cell("二", f' table:number-columns-repeated="{HUGE}"') + _cell("三", ' table:number-columns-repeated="2"') + _cell("a<text:s/>b<text:line-break/>c<text:span>d</text:span>e")
    shown, _ = look(odf.ods(more + empty + rows).bytes(), "a.ods")
    assert [list(row) for row in shown.tables[0].rows][:1] == [["本文", "二", "三", "三", "a b / cde"]]
    assert len(shown.tables[0].rows) == 2


def test_words_around_a_span_stay_in_their_order() -> None:
    assert "前中後" in said(odf.odt("<text:p>前<text:span>中</text:span>後</text:p>").bytes(), "a.odt")


def test_a_list_that_is_too_long_or_no_list_is_shown_as_far_as_it_goes() -> None:
    shown, _ = look("\r\n".join(f"{row},x" for row in range(900)).encode(), "a.csv")
    assert (shown.tables[0].rows[0], shown.tables[0].cut) == (("0", "x"), True)
    field = look(b'"' + b"x" * 200_000 + b'",2\r\n', "a.csv")[0]
    assert (field.tables, field.lines[0][:3], field.fault) == ((), '"xx', "")


def test_a_document_without_its_text_says_so() -> None:
    with pytest.raises(Malformed, match="no text of its own"):
        office.ichitaro(jtd.streams(DocumentText=None))


def test_a_message_in_a_message_is_a_part_of_its_own() -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\nSubject: inside\r\n\r\nwords\r\n"
    empty = b"Content-Type: message/external-body\r\n\r\n"
    data = message.parts_mail(message.text(), inner, empty)
    shown, _ = look(data, "a.eml", View.PARTS)
    assert len(shown.parts) >= 1
    assert "words" in said_part(data, (0,))


def said_part(data: bytes, part: tuple[int, ...]) -> str:
    shown, _ = look(data, "a.eml", part=part)
    return "\n".join(shown.lines)


def test_a_header_that_breaks_the_rules_is_shown_as_it_stands() -> None:
    data = message.mail(b"x\r\n", b"Subject: =?utf-8?b?A?=\r\n", head=b"From: a@example.jp\r\nTo: b@example.jp\r\n")
    assert dict(look(data, "a.eml")[0].head)["Subject"] == "=?utf-8?b?A?="


def test_more_parts_than_are_told_are_cut() -> None:
    many = archive.plain(**{f"{number}.txt": b"x" for number in range(MOST_PARTS - 1)})
    for data in (archive.plain(**{f"{number}.txt": b"x" for number in range(MOST_PARTS + 5)}), archive.plain(**{"a.zip": many, "b.txt": b"x"})):
        shown, _ = look(data, "a.zip", View.PARTS)
        assert (len(shown.parts), shown.cut) == (MOST_PARTS, True)
    assert (len(tree := look(archive.plain(**{"a.zip": many}), "a.zip", View.PARTS)[0].parts), tree[-1].part) == (MOST_PARTS, (0, MOST_PARTS - 2))


@pytest.mark.parametrize(("name", "data"), [("a.rar", b"Rar!\x1a\x07\x01\x00" + bytes(30)), ("a.gz", b"\x1f\x8b\x08\x00" + bytes(30))])
def test_an_archive_that_nobody_opens_says_so(name: str, data: bytes) -> None:
    shown, _ = look(data, name, View.PARTS)
    assert shown.parts == ()
    assert shown.fault in (Reason.MALFORMED, Reason.UNSUPPORTED_KIND)


def test_a_package_that_no_strict_reader_opens_is_listed_all_the_same() -> None:
    """Two members of one name: the engine refuses it, whoever looks sees both."""
    twice = archive.build(archive.Entry(b"[Content_Types].xml", b"<Types/>"), archive.Entry(b"word/document.xml", b"<a/>"), archive.Entry(b"word/document.xml", b"<b/>"))
    shown, _ = look(twice, "a.docx", View.PARTS)
    assert [piece.name for piece in shown.parts].count("word/document.xml") == 2
    tape = io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w") as packed:
        for _ in range(2):
            held = tarfile.TarInfo("a.txt")
            held.size = 1
            packed.addfile(held, io.BytesIO(b"x"))
    assert len(look(tape.getvalue(), "a.tar", View.PARTS)[0].parts) == 2


def test_an_attachment_of_a_document_that_cannot_be_read_is_there_and_empty() -> None:
    made = pdf.clean()
    made.attachments["a.txt"] = b"words"
    with pikepdf.open(io.BytesIO(pdf.saved(made))) as opened:
        for found in opened.objects:
            if isinstance(found, pikepdf.Stream) and found.get("/Type") == pikepdf.Name.EmbeddedFile:
                found.write(b"", filter=pikepdf.Name.FlateDecode)
        data = pdf.saved(opened)
    shown, _ = look(data, "a.pdf", View.PARTS)
    assert [(piece.name, piece.size) for piece in shown.parts] in ([("a.txt", 0)], [("a.txt", 5)])


BROKEN_PAGE = document({**one_page(), 2: b"<</Type/Pages/Kids[null 3 0 R]/Count 2>>"})


def test_a_page_that_cannot_be_opened_leaves_the_others() -> None:
    shown, _ = look(BROKEN_PAGE, "a.pdf")
    assert "visible" in "".join(shown.lines)
    assert (shown.pages, look(BROKEN_PAGE, "a.pdf", View.PAGE)[0].fault) == (2, Reason.LIMIT_EXCEEDED)
    assert look(BROKEN_PAGE, "a.pdf", View.PAGE, page=9)[0].fault == Reason.MALFORMED
    assert look(BROKEN_PAGE, "a.pdf", View.PAGE, page=1)[0].drawn is not None


def test_the_words_of_a_long_document_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_LINES", 0)
    shown, _ = look(pdf.saved(pdf.clean()), "a.pdf")
    assert (shown.lines, shown.cut) == (("visible 1",), True)


def test_the_pages_of_a_tiff_are_counted() -> None:
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, "TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9), "white")] * 2)
    assert look(out.getvalue(), "a.tif")[0].pages == 3
    assert look(out.getvalue()[:40], "a.tif")[0].pages == 0
    assert look(out.getvalue(), "a.tif", View.PAGE, page=2)[0].drawn is not None


def test_there_is_no_reader_for_every_kind() -> None:
    with pytest.raises(Unsupported, match="no reader for"):
        Room(Job(name="a.exe"), 9).rebuilt(Source(previews.picture()), Kind.PE, "a.exe")
