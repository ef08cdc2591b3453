"""What is set aside comes out as if it had been part of the tree: the same bytes, the same findings, of whatever is written."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanitizers import xml
from sanitizers.model import Verdict
from tests.build import ooxml as build
from tests.build.apart import apart, both, damaged, told
from tests.build.ooxml import CANARY, OFFICE, Pack

MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
MARK = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
CODE = "<w:r><w:instrText>{}</w:instrText></w:r>"
LINK = '<w:p><w:hyperlink r:id="rIdL"><w:r><w:t>link</w:t></w:r></w:hyperlink></w:p>'
PARAGRAPHS = (
    build.paragraph("本文"), build.paragraph("a &amp; b &lt; c"), build.paragraph("&quot;q&#65;"), build.paragraph('a > b "c"'), build.paragraph(""),
    build.paragraph("\U000f0000 0 \U000f0000"), build.paragraph("&#xF0000;0&#xf0000;"), build.paragraph(' w:rsidR="00AA00BB" <w:br/>'),
    '<w:p w:rsidR="00AA00BB" w:rsidRDefault="00AA00BB"><w:pPr><w:jc w:val="left"/></w:pPr><w:r w:rsidRPr="00AA00BB"><w:t>id</w:t></w:r></w:p>',
    '<w:p w14:paraId="0AA00BB0" w14:textId="77777777" w:rsidR="00AA00BB"><w:r><w:tab/></w:r></w:p>', '<w:p w:x="1" w:rsidR="1"/>', "<w:p/>",
    "<w:p></w:p>", "<w:p ><w:r/></w:p >", "<w:p><w:r><w:t xml:space='preserve'> </w:t></w:r></w:p>", "<w:p><!-- c --></w:p>", "<w:p><?p i?></w:p>",
    "<w:p><w:r><w:t><![CDATA[<w:p>]]></w:t></w:r></w:p>", '<w:p><w:foo w:val="1"/>\n</w:p>', '<w:p w:foo="1"><w:r><w:t>x</w:t></w:r></w:p>',
    f'<w:p><q:x xmlns:q="urn:q">{CANARY}</q:x></w:p>', '<w:p xmlns:w="urn:w"><w:t>other</w:t></w:p>', LINK, "<w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>",
    f"<w:tbl><w:tblPr/><w:tr><w:tc>{build.paragraph('1')}</w:tc></w:tr><w:tr><w:tc>{LINK}<w:tbl><w:tr/></w:tbl></w:tc></w:tr><w:tr/></w:tbl>",
    f"<w:sdt><w:sdtPr/><w:sdtContent>{build.paragraph('2')}{LINK}{build.paragraph('3')}</w:sdtContent></w:sdt>", build.field("DDE a b"), build.field("PAGE"),
    f"<w:p>{MARK.format('begin')}</w:p>", f"<w:p>{CODE.format('DDE')}</w:p>", f"<w:p>{CODE.format('PAGE')}</w:p>", f"<w:p>{MARK.format('separate')}</w:p>",
    f"<w:p>{MARK.format('end')}</w:p>", '<w:p><w:fldSimple w:instr="LINK x"><w:r><w:t>f</w:t></w:r></w:fldSimple></w:p>', "text",
    f"<mc:AlternateContent><mc:Choice Requires='w14'>{build.paragraph('c')}</mc:Choice><mc:Fallback><w:p>{MARK.format('begin')}</w:p></mc:Fallback></mc:AlternateContent>",
    '<w:p><w:ins w:id="1" w:author="a"><w:r><w:t>in</w:t></w:r></w:ins><w:del w:id="2" w:author="a"><w:r><w:delText>out</w:delText></w:r></w:del></w:p>',
    '<w:p><w:commentRangeStart w:id="0"/><w:r><w:t>c</w:t></w:r></w:p>', '<w:p><w:r><w:pict><v:shape style="width:1pt" href="http://x/"/></w:pict></w:r></w:p>',
    '<w:bookmarkStart w:id="0" w:name="a&quot;b"/><w:bookmarkEnd w:id="0"/>', '<w:p w:rsidR="00AA00BB" w:rsidR="00AA00BB"/>', "<w:altChunk r:id='x'/>",
)  # fmt: skip
CELLS = (
    '<c r="A1" s="1"><v>1</v></c>', '<c r="B1" t="s"><v>0</v></c>', "<c/>", '<c r="C1"><f>SUM(A1:B1)*1.1</f><v>2</v></c>', '<c r="C1"><f></f><v></v></c>',
    '<c r="D1"><f>WEBSERVICE("http://x/")</f><v>3</v></c>', '<c r="E1"><f t="shared" ref="E1:E9" si="0">EXEC("x")</f><v>4</v></c>',
    '<c r="E2"><f t="shared" si="0"/><v>5</v></c>', '<c r="F1"><f>IF(A1&gt;1,&quot;x&quot;,"y")</f><v>6</v></c>', "<c r='G1'><v>7</v></c>", '<c r="H1" foo="1"/>',
    '<c r="I1" t="inlineStr"><is><t>a &amp; b</t></is></c>', '<c r="J1"><f>[1]a!A1</f><v>8</v></c>', '<c r="K1"><f>cmd|\'/c calc\'!A0</f><v>9</v></c>',
    '<x:c xmlns:x="urn:x"/>', "<v>1</v>", "\n", '<c r="M1"><foo/></c>',
     '<c r="L1"><f>A1<v>DDE</v>|x!A1</f></c>',
)  # fmt: skip


def _document(body: str) -> bytes:
    pack = build.docx(body).link("word/document.xml", "rIdL", "hyperlink", "https://example.jp/", external=True)
    return pack.bytes()


def _alike(data: bytes, name: str, **treatment: object) -> None:
    expected, found = both(data, name, **treatment)
    assert found == expected


@given(st.lists(st.sampled_from(PARAGRAPHS), max_size=12), st.booleans())
@MANY
def test_documents(paragraphs: list[str], comments: bool) -> None:
    _alike(_document("".join(paragraphs)), "文書.docx", comments_kept=comments)


@given(st.lists(st.sampled_from(PARAGRAPHS), min_size=1, max_size=6), st.integers())
@MANY
def test_damaged_documents(paragraphs: list[str], seed: int) -> None:
    _alike(_document(damaged("".join(paragraphs), seed)), "文書.docx")


@given(st.lists(st.lists(st.sampled_from(CELLS), max_size=4), max_size=5), st.integers(0, 3))
@MANY
def test_sheets(cells: list[list[str]], seed: int) -> None:
    text = "".join(f'<row r="{number}" spans="1:3">{"".join(row)}</row>' for number, row in enumerate(cells, 1))
    _alike(build.xlsx(damaged(text, seed) if seed else text).bytes(), "表.xlsx")


def test_unknown_cells() -> None:
    _alike(build.xlsx(f'<row r="1">{CELLS[0]}</row><row r="2"><c r="A2"><foo/></c></row>').bytes(), "表.xlsx")


def test_a_copy_may_stand_before_its_formula() -> None:
    _alike(build.xlsx(f'<row r="1">{CELLS[7]}</row><row r="2">{CELLS[6]}</row>').bytes(), "表.xlsx")


@pytest.mark.parametrize("item", ["<t>a</t>", "<r><rPr><b/></rPr><t>a</t></r>", "<t>&quot;</t>", "<foo/>", '<t xml:space="preserve"> a</t>'])
def test_shared_texts(item: str) -> None:
    pack = build.xlsx('<row r="1"><c r="A1" t="s"><v>0</v></c></row>')
    texts = f'{build.HEAD}<sst xmlns="{build.X}" count="2" uniqueCount="2"><si><t>b</t></si><si>{item}</si></sst>'
    pack.attach("xl/workbook.xml", "rId2", "sharedStrings", "xl/sharedStrings.xml", texts, f"{OFFICE}spreadsheetml.sharedStrings+xml")
    _alike(pack.bytes(), "表.xlsx")


def _seen_by_trees(pack: Pack, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """All that was parsed into trees while the file was rebuilt."""
    seen: list[bytes] = []
    parse = xml.parse

    def remember(data: bytes, *rest: object) -> xml.Element:
        seen.append(data)
        return parse(data, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(xml, "parse", remember)
    with apart():
        assert told(pack.bytes(), name)[0] in (Verdict.CLEAN, Verdict.SANITIZED)
    return b"".join(seen).decode()


def test_only_what_a_rule_speaks_of_becomes_a_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    body = f"{build.paragraph('plain')}{build.field('PAGE', shown='field')}{build.paragraph('after')}"
    seen = _seen_by_trees(build.docx(body), "文書.docx", monkeypatch)
    assert "field" in seen
    assert "plain" not in seen
    assert "after" not in seen


@pytest.mark.parametrize("number", [8, 9])
def test_revision_ids_need_no_tree(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "00AA00BB" not in _seen_by_trees(build.docx(PARAGRAPHS[number]), "文書.docx", monkeypatch)


def test_text_in_an_open_field_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    body = f"<w:p>{MARK.format('begin')}</w:p>{build.paragraph('inside')}<w:p>{MARK.format('end')}</w:p>{build.paragraph('after')}"
    seen = _seen_by_trees(build.docx(body), "文書.docx", monkeypatch)
    assert "inside" in seen
    assert "after" not in seen


def test_only_rows_with_something_to_judge_become_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = '<row r="1"><c r="A1"><f>SUM(B1)</f><v>11</v></c></row><row r="2"><c r="A2"><f>RTD("x")</f><v>22</v></c></row>'
    seen = _seen_by_trees(build.xlsx(rows), "表.xlsx", monkeypatch)
    assert "<v>22" in seen
    assert "<v>11" not in seen
