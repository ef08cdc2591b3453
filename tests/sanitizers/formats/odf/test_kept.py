"""What a clerk made is still there afterwards: the same elements, attributes and texts, by expat; odfpy opens it."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import pytest
from odf import opendocument, teletype
from odf.table import TableCell
from odf.text import H, P

from sanitizers.model import Verdict
from tests.build import odf as build
from tests.build.context import run
from tests.build.odf import Pack
from tests.build.ooxml import png

_STYLES = (
    '<style:style style:name="P1" style:family="paragraph"><style:paragraph-properties style:writing-mode="tb-rl" style:contextual-spacing="true"/>'
    '<style:text-properties style:font-name-asian="ＭＳ 明朝" fo:color="#ff0000" style:text-emphasize="dot above" style:text-combine="letters"/>'
    '</style:style><style:style style:name="R" style:family="ruby"><style:ruby-properties style:ruby-align="center"/></style:style>'
    '<style:style style:name="ce1" style:family="table-cell"><style:map style:condition="cell-content()&gt;5" style:apply-style-name="Bad"/></style:style>'
    '<number:date-style style:name="D"><number:era/><number:year number:calendar="gengou"/>年</number:date-style>'
)
_TEXT = (
    '<text:tracked-changes><text:changed-region text:id="c1"><text:insertion><office:change-info><dc:creator>田中</dc:creator></office:change-info>'
    '</text:insertion></text:changed-region><text:changed-region text:id="c2"><text:deletion><office:change-info/><text:p>旧</text:p></text:deletion>'
    '</text:changed-region></text:tracked-changes><text:h text:outline-level="1">見出し</text:h><text:p text:style-name="P1"><text:change-start '
    'text:change-id="c1"/>追加<text:change-end text:change-id="c1"/><text:change text:change-id="c2"/><text:ruby text:style-name="R"><text:ruby-base>漢字'
    '</text:ruby-base><text:ruby-text>かんじ</text:ruby-text></text:ruby><text:tab/><text:s text:c="3"/><text:note text:note-class="footnote">'
    "<text:note-citation>1</text:note-citation><text:note-body><text:p>注</text:p></text:note-body></text:note></text:p><text:list><text:list-item>"
    '<text:p>項</text:p></text:list-item></text:list><text:p><text:a xlink:href="https://example.jp/?a=1&amp;b=2">外</text:a><text:a '
    'xlink:href="#見出し|outline">内</text:a><office:annotation><dc:creator>田中</dc:creator><dc:date>2026-01-01T00:00:00</dc:date><text:p>意見</text:p>'
    '</office:annotation><text:bookmark text:name="栞"/><text:page-number>1</text:page-number></text:p><table:table table:name="t"><table:table-column/>'
    '<table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>升</text:p></table:table-cell><table:covered-table-cell/></table:table-row>'
    '</table:table><text:section text:name="s"><text:p>節</text:p></text:section><office:forms><form:form form:name="様式"><form:checkbox form:name="同意" '
    'form:control-implementation="ooo:com.sun.star.form.component.CheckBox"/><form:listbox form:dropdown="true"><form:option form:label="一"/>'
    "</form:listbox></form:form></office:forms>"
)
_SHEET = (
    '<table:table-cell table:style-name="ce1" table:formula="of:=SUM([.A1:.B2])" office:value-type="float" office:value="3"><text:p>3</text:p>'
    '</table:table-cell><table:table-cell table:formula="of:=VLOOKUP([.A1];[$表1.A1:.B9];2;0)&amp;HYPERLINK(&quot;https://example.jp/&quot;;&quot;a&quot;)" '
    'office:value-type="string" table:content-validation-name="v"><text:p>値</text:p></table:table-cell>'
)
_SHEET_PARTS = (
    '<table:named-expressions><table:named-range table:name="範囲" table:base-cell-address="$表1.$A$1" table:cell-range-address="$表1.$A$1:.$B$2"/>'
    '</table:named-expressions><table:database-ranges><table:database-range table:name="d" table:target-range-address="表1.A1:表1.B9" '
    'table:display-filter-buttons="true"/></table:database-ranges><table:data-pilot-tables><table:data-pilot-table table:name="p" '
    'table:target-range-address="表1.D1:表1.E9"><table:source-cell-range table:cell-range-address="表1.A1:表1.B9"/></table:data-pilot-table></table:data-pilot-tables>'
)
_SLIDE = (
    '<draw:custom-shape svg:width="1cm" svg:height="1cm"><text:p>図</text:p><draw:enhanced-geometry draw:type="star5" draw:enhanced-path="M 0 0 L 9 9 Z N"/>'
    '</draw:custom-shape><draw:connector svg:x1="0cm" svg:y1="0cm" svg:x2="1cm" svg:y2="1cm"/><anim:par presentation:node-type="timing-root"><anim:seq><anim:par '
    'smil:begin="next"><anim:set smil:targetElement="a" smil:attributeName="visibility" smil:to="visible"/></anim:par></anim:seq></anim:par>'
    '<presentation:notes><draw:page-thumbnail draw:page-number="1"/><draw:frame presentation:class="notes"><draw:text-box><text:p>覚書</text:p></draw:text-box>'
    "</draw:frame></presentation:notes>"
)
_MASTER = (
    '<office:styles><style:style style:name="Standard" style:family="paragraph"/></office:styles><office:automatic-styles><style:page-layout style:name="L">'
    '<style:page-layout-properties fo:page-width="21cm" style:writing-mode="tb-rl" style:layout-grid-mode="both"/></style:page-layout></office:automatic-styles>'
    '<office:master-styles><style:master-page style:name="M" style:page-layout-name="L"><style:header><text:p>自治体機密性２</text:p></style:header></style:master-page>'
    "</office:master-styles>"
)
_META = (
    "<dc:title>題</dc:title><dc:subject>件名</dc:subject><meta:keyword>自治体機密性２</meta:keyword>"
    "<meta:user-defined meta:name='情報分類'>２</meta:user-defined><meta:user-defined meta:name='MSIP_Label_1_Name'>社外秘</meta:user-defined>"
)
_CONTENT = {
    "text": lambda extra: build.content(f"<office:text>{_TEXT}<text:p>{extra}</text:p></office:text>", _STYLES),
    "spreadsheet": lambda extra: build.content(
        '<office:spreadsheet><table:content-validations><table:content-validation table:name="v" table:condition="of:cell-content-is-in-list(&quot;一&quot;)"/>'
        '</table:content-validations><table:table table:name="表1"><table:shapes>' + extra + f'</table:shapes><table:table-row>{_SHEET}</table:table-row>'
        '<calcext:conditional-formats><calcext:conditional-format calcext:target-range-address="表1.A1:表1.A9"><calcext:condition calcext:value="&gt;5" '
        f'calcext:apply-style-name="Bad"/></calcext:conditional-format></calcext:conditional-formats></table:table>{_SHEET_PARTS}</office:spreadsheet>', _STYLES),
    "presentation": lambda extra: build.content(
        f'<office:presentation><draw:page draw:name="p1" draw:master-page-name="M">{extra}{_SLIDE}</draw:page></office:presentation>', _STYLES),
    "graphics": lambda extra: build.content(f'<office:drawing><draw:page draw:name="p1" draw:master-page-name="M">{extra}</draw:page></office:drawing>', _STYLES),
}  # fmt: skip
_CHART = '<office:chart><chart:chart chart:class="chart:bar" xlink:href=".." xlink:type="simple"><chart:title><text:p>推移</text:p></chart:title><chart:plot-area/></chart:chart></office:chart>'
_FORMULA = '<math:math xmlns:math="http://www.w3.org/1998/Math/MathML"><math:semantics><math:mi>x</math:mi><math:annotation encoding="StarMath 5.0">x</math:annotation></math:semantics></math:math>'


def _frame(inside: str) -> str:
    return f'<draw:frame draw:name="枠" svg:width="2cm" svg:height="2cm">{inside}</draw:frame>'


def _everything(kind: str) -> Pack:
    extra = _frame('<draw:image xlink:href="Pictures/a.png" xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"/>')
    extra += _frame('<draw:object xlink:href="./Object 1"/>') + _frame('<draw:object xlink:href="./Object 2"/>')
    pack = Pack(kind).member("content.xml", _CONTENT[kind](extra))
    pack.member("styles.xml", f"<office:document-styles {build.SPACES}>{_MASTER}</office:document-styles>")
    pack.member("meta.xml", f"<office:document-meta {build.SPACES}><office:meta>{_META}</office:meta></office:document-meta>")
    pack.member("Pictures/a.png", png(), "image/png").member("Object 1/content.xml", build.content(_CHART)).member("Object 2/content.xml", _FORMULA)
    pack.types["Object 1/"] = "application/vnd.oasis.opendocument.chart"
    pack.types["Object 2/"] = "application/vnd.oasis.opendocument.formula"
    return pack


@pytest.mark.parametrize("kind", _CONTENT)
@pytest.mark.parametrize("ending", ["", "-template"])
def test_every_element_attribute_and_text_stays(kind: str, ending: str) -> None:
    pack = _everything(kind)
    pack.kind += ending
    outcome = run(pack.bytes(), "様式")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.content is not None
    made = build.members(outcome.content.bytes())
    assert set(made) == {*pack.members, "mimetype", "META-INF/manifest.xml"}
    for name, content in pack.members.items():
        if name.endswith(".xml") and name != "meta.xml":
            assert _meaning(made[name]) == _meaning(content), name
    for word in ("題", "件名", "自治体機密性２", "情報分類", "社外秘"):
        assert word in made["meta.xml"].decode()
    again = run(outcome.content.bytes(), "様式").content
    assert again is not None
    assert again.bytes() == outcome.content.bytes()


def _meaning(content: bytes) -> list[tuple[object, ...]]:
    return [(e.tag, sorted(e.attrib.items()), (e.text or ""), (e.tail or "")) for e in ET.fromstring(content).iter()]


@pytest.mark.parametrize("kind", _CONTENT)
def test_odfpy_opens_it(kind: str) -> None:
    content = run(_everything(kind).bytes(), "x").content
    assert content is not None
    document = opendocument.load(io.BytesIO(content.bytes()))
    texts = [teletype.extractText(element) for element in (*document.getElementsByType(P), *document.getElementsByType(H))]
    if kind == "text":
        assert "見出し" in texts
        assert any("漢字" in text for text in texts)
    if kind == "spreadsheet":
        assert next(cell.getAttribute("formula") for cell in document.getElementsByType(TableCell)) == "of:=SUM([.A1:.B2])"
    assert document.mimetype == f"application/vnd.oasis.opendocument.{kind}"


def test_a_picture_in_two_formats_shows_the_one_that_can_be_rebuilt() -> None:
    """LibreOffice nests a PNG into pictures that only it can draw, and sets SVG beside PNG."""
    nested = _frame('<draw:image xlink:href="Pictures/a.svm"><draw:image xlink:href="Pictures/a.png"/></draw:image>')
    beside = _frame('<draw:image xlink:href="Pictures/b.svm"/><draw:image xlink:href="Pictures/a.png"/>')
    pack = build.odt(f"<text:p>{nested}{beside}</text:p>").member("Pictures/a.png", png(), "image/png")
    pack.member("Pictures/a.svm", b"VCLMTF\x01\0", "").member("Pictures/b.svm", b"VCLMTF\x01\0", "")
    outcome = run(pack.bytes(), "x.odt")
    assert {finding.code for finding in outcome.report.findings} == {"odf.picture_replaced"}
    assert outcome.content is not None
    shown = [node.attributes["http://www.w3.org/1999/xlink href"] for node in build.walk(outcome.content.bytes()) if node.local == "image"]
    assert shown == ["Pictures/a.png", "Pictures/a.png"]
    assert [name for name in build.members(outcome.content.bytes()) if name.startswith("Pictures")] == ["Pictures/a.png"]


def test_other_prefixes_mean_the_same() -> None:
    pack = build.odt('<text:p><text:a xlink:href="https://example.jp/">外</text:a></text:p>')
    content = pack.members["content.xml"].decode()
    for prefix, other in (("office", "o"), ("text", "t"), ("xlink", "l")):
        content = content.replace(f"<{prefix}:", f"<{other}:").replace(f"</{prefix}:", f"</{other}:").replace(f" {prefix}:", f" {other}:").replace(f"xmlns:{prefix}=", f"xmlns:{other}=")
    outcome = run(pack.member("content.xml", content).bytes(), "x.odt")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings


def test_scripts_that_are_empty_are_not_worth_a_word() -> None:
    empty = "<office:scripts><office:script script:language='ooo:Basic'><l:libraries xmlns:l='http://openoffice.org/2004/office'>"
    for before in ("<office:scripts/>", f'{empty}<l:library-embedded l:name="Standard"/></l:libraries></office:script></office:scripts>'):
        outcome = run(build.odt(before=before).bytes(), "x.odt")
        assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings


_RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="content.xml"><rdf:type rdf:resource='
    '"http://docs.oasis-open.org/ns/office/1.2/meta/odf#ContentFile"/></rdf:Description><rdf:Description rdf:about=""><n:hasPart xmlns:n='
    '"http://docs.oasis-open.org/ns/office/1.2/meta/pkg#" rdf:resource="content.xml"/></rdf:Description></rdf:RDF>'
)


def test_the_list_of_members_that_every_document_has_is_not_worth_a_word() -> None:
    pack = build.odt().member("manifest.rdf", _RDF, "application/rdf+xml")
    outcome = run(pack.bytes(), "x.odt")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.content is not None
    assert "manifest.rdf" not in build.members(outcome.content.bytes())
