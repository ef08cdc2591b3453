"""Parts and relationships that are not what they should be: what is refused, what is left behind and said, what stays all the same."""

from __future__ import annotations

import io
import zipfile

import pytest

from sanitizers.context import Outcome
from sanitizers.model import Reason, Verdict
from tests.build import ooxml as build
from tests.build import ooxml_kept as kept
from tests.build import ooxml_samples as make
from tests.build.context import run
from tests.build.ooxml import OFFICE, OLE, C, Pack, R, X

MAIN = "word/document.xml"
ITEM = "{11111111-2222-3333-4444-555555555555}"
CUSTOM = "http://schemas.openxmlformats.org/officeDocument/2006/customXml"
CONTROL = f'<w:sdt><w:sdtPr><w:dataBinding w:xpath="/a" w:storeItemID="{ITEM}"/><w:text/></w:sdtPr><w:sdtContent>{build.paragraph("値")}</w:sdtContent></w:sdt>'


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


def parts(outcome: Outcome) -> dict[str, bytes]:
    assert outcome.content is not None, outcome.report.findings
    return build.members(outcome.content.bytes())


def _without(pack: Pack, name: str) -> bytes:
    """The package without one member, as it is in the ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member, content in build.members(pack.bytes()).items():
            if member != name:
                archive.writestr(member, content)
    return out.getvalue()


def _link(name: str) -> zipfile.ZipInfo:
    """A symbolic link, as Unix writes it into a ZIP file."""
    made = zipfile.ZipInfo(name)
    made.external_attr, made.create_system = 0o120777 << 16, 3
    return made


def _replaced(pack: Pack, name: str, old: str, new: str) -> Pack:
    assert old.encode() in pack.parts[name]
    pack.parts[name] = pack.parts[name].replace(old.encode(), new.encode())
    return pack


def _relations(lines: str) -> bytes:
    """A document whose own relationships are these lines."""
    pack = build.docx()
    content = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{lines}</Relationships>'
    return pack.part("word/_rels/document.xml.rels", content).bytes()


def _user_shapes(root: str) -> bytes:
    """A chart with drawn shapes of its own, whose part has this root."""
    pack = build.chart_in_sheet(build.xlsx().bytes())
    chart = "xl/charts/chart1.xml"
    _replaced(pack, chart, "</c:chartSpace>", '<c:userShapes r:id="rIdU"/></c:chartSpace>')
    space = "http://schemas.openxmlformats.org/drawingml/2006/chartDrawing"
    text = f'<{root} xmlns:c="{C}" xmlns:cdr="{space}" xmlns:r="{R}"/>'
    return pack.attach(chart, "rIdU", "chartUserShapes", "xl/drawings/drawing2.xml", text, f"{OFFICE}drawingml.chartshapes+xml").bytes()


@pytest.mark.parametrize(
    "data",
    [
        _relations(f'<Relationship Id="9 bad" Type="{R}/image" Target="x.png"/>'),
        _relations(f'<Relationship Type="{R}/image" Target="x.png"/>'),
        _relations(f'<Relationship Id="a" Type="{R}/image"/>'),
        _relations('<Relationship Id="a" Target="x.png"/>'),
        _relations(f'<Relationship Id="a" Type="{R}/image" Target="x.png"/><Relationship Id="a" Type="{R}/image" Target="y.png"/>'),
        build.docx(f'<w:p><c:chart xmlns:c="{C}" r:id="rIdNone"/></w:p>').bytes(),     # a chart in no frame
        _user_shapes('c:userShapes r:id="rIdNone"'),                                   # a root that refers to what is not there
        _user_shapes("cdr:drawing"),                                                   # a root that nobody writes
    ],
)  # fmt: skip
def test_packages_that_contradict_themselves_are_refused(data: bytes) -> None:
    outcome = run(data, "様式")
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)
    assert codes(outcome) == {"ooxml.package"}


def test_a_package_without_content_types_is_none() -> None:
    outcome = run(_without(build.docx(), "[Content_Types].xml"), "様式.docx")
    assert outcome.report.input.kind not in ("docx", "docm")


def test_content_types_that_are_a_link_are_none() -> None:
    out = io.BytesIO(_without(build.docx(), "[Content_Types].xml"))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(_link("[Content_Types].xml"), build.members(build.docx().bytes())["[Content_Types].xml"])
    outcome = run(out.getvalue(), "様式")
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)
    assert codes(outcome) == {"ooxml.package"}


def test_ordinary_user_shapes_stay() -> None:
    outcome = run(_user_shapes("c:userShapes"), "様式")
    assert outcome.report.verdict is Verdict.CLEAN
    assert "xl/drawings/drawing2.xml" in parts(outcome)


# ------------------------------------------------------------------------------------------- relationships that do not stay


@pytest.mark.parametrize(
    ("kind", "target", "code"),
    [
        ("image", "media/none.png", "ooxml.dangling"),
        ("footnotes", "none.xml", "ooxml.dangling"),
        ("http://example.com/rel", "none.bin", "ooxml.dangling"),
        ("hyperlink", "#place", None),
        ("calcChain", "none.xml", None),
    ],
)
def test_a_relationship_to_nothing_is_said_where_it_matters(kind: str, target: str, code: str | None) -> None:
    outcome = run(build.docx().link(MAIN, "rIdN", kind, target).bytes(), "様式")
    assert codes(outcome) == ({code} if code else set())
    assert not any(name.endswith("document.xml.rels") for name in parts(outcome))


def test_elements_that_name_what_is_not_there_go() -> None:
    """The picture, the link and what hangs on them; a place in the document keeps the link."""
    body = (
        build.inline_picture("rIdNone")
        + '<w:p><w:hyperlink r:id="rIdNone"><w:r><w:t>甲</w:t></w:r></w:hyperlink></w:p>'
        + '<w:p><w:hyperlink r:id="rIdNone" w:anchor="place"><w:r><w:t>乙</w:t></w:r></w:hyperlink></w:p>'
    )
    outcome = run(build.docx(body).bytes(), "様式")
    document = parts(outcome)[MAIN].decode()
    assert "rIdNone" not in document
    assert "<a:blip" not in document
    assert document.count("<w:hyperlink") == 1
    assert 'w:anchor="place"' in document
    assert "甲" in document
    assert "乙" in document


def test_the_frame_of_a_chart_that_is_not_there_goes() -> None:
    outcome = run(build.pptx(build.CHART_FRAME).bytes(), "様式")
    assert b"graphicFrame" not in parts(outcome)["ppt/slides/slide1.xml"]


def test_an_svg_below_a_picture_that_goes_goes_with_it() -> None:
    space = "http://schemas.microsoft.com/office/drawing/2016/SVG/main"
    inner = f'<a:extLst><a:ext uri="{{96DAC541-7B7A-43D3-8B79-37D633B846F1}}"><asvg:svgBlip xmlns:asvg="{space}" r:embed="rIdS"/></a:ext></a:extLst>'
    body = build.inline_picture("rIdNone").replace('r:embed="rIdNone"/>', f'r:embed="rIdNone">{inner}</a:blip>')
    outcome = run(build.docx(body).bytes(), "様式")
    assert b"svgBlip" not in parts(outcome)[MAIN]


def test_core_properties_stand_once() -> None:
    pack = kept.document()
    (source,) = [(target, kind) for identity, kind, target, _ in pack.links[""] if kind.endswith("core-properties")]
    pack.link("", "rIdCoreAgain", source[1], source[0])
    outcome = run(pack.bytes(), "様式")
    assert sum("core" in name for name in parts(outcome)) == 1


def test_a_new_picture_takes_no_id_that_is_in_use() -> None:
    """A linked picture becomes one beside it, under an id of its own."""
    pack = make.linked_picture(make.EVIL)
    for number in range(3):
        pack.link(MAIN, f"rIdNew{len(pack.links[MAIN]) + 1}", "hyperlink", f"https://example.jp/{number}", external=True)
    outcome = run(pack.bytes(), "様式")
    assert "ooxml.picture_replaced" in codes(outcome)
    assert parts(outcome)["word/_rels/document.xml.rels"].count(b"image") >= 1
    assert make.EVIL.encode() not in b"".join(parts(outcome).values())


def test_links_in_the_zip_file_are_said_to_stay_behind() -> None:
    out = io.BytesIO(build.docx().bytes())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(_link("word/link.xml"), "/etc/passwd")
    outcome = run(out.getvalue(), "様式")
    assert [(finding.code, finding.where, finding.detail) for finding in outcome.report.findings] == [("ooxml.unreferenced_part", "word/link.xml", "link")]
    assert "word/link.xml" not in parts(outcome)


def test_parts_that_hang_on_each_other_in_a_circle_are_looked_at_once() -> None:
    pack = make.doc("http://example.com/rel", "word/a.bin").attach("word/a.bin", "r1", "http://example.com/rel", "word/b.bin", OLE)
    pack.link("word/b.bin", "r1", "http://example.com/rel", "/word/a.bin").link("word/a.bin", "r2", "http://example.com/rel", "/word/b.bin")
    outcome = run(pack.bytes(), "様式")
    assert [finding.code for finding in outcome.report.findings] == ["ooxml.unknown_part"]
    assert not any(name.endswith(".bin") for name in parts(outcome))


# ------------------------------------------------------------------------------------------------------- custom XML


def _bound(item: str) -> Pack:
    pack = build.docx(CONTROL).attach(MAIN, "rIdX", "customXml", "customXml/item1.xml", "<a>値</a>")
    return pack.attach("customXml/item1.xml", "rId1", "customXmlProps", "customXml/itemProps1.xml", item, f"{OFFICE}customXmlProperties+xml")


PROPERTIES = f'<ds:datastoreItem ds:itemID="{ITEM}" xmlns:ds="{CUSTOM}"/>'


def test_an_item_that_two_relationships_name_is_taken_once() -> None:
    pack = _bound(PROPERTIES).link(MAIN, "rIdY", "customXml", "/customXml/item1.xml")
    outcome = run(pack.bytes(), "様式")
    assert outcome.report.verdict is Verdict.CLEAN
    assert [name for name in parts(outcome) if "customXml/item" in name and "rels" not in name and "Props" not in name] == ["customXml/item1.xml"]
    assert parts(outcome)["word/_rels/document.xml.rels"].count(b"item1.xml") == 2


@pytest.mark.parametrize(
    "properties",
    [
        PROPERTIES.replace(ITEM, "nonsense"),
        PROPERTIES.replace(CUSTOM, "urn:other"),
        "<datastoreItem/>",
    ],
)
def test_an_item_without_a_proper_id_stays_behind(properties: str) -> None:
    outcome = run(_bound(properties).bytes(), "様式")
    assert "ooxml.custom_xml" in codes(outcome)
    assert not any("customXml" in name for name in parts(outcome))


def test_other_relationships_of_an_item_are_not_its_properties() -> None:
    pack = build.docx(CONTROL).attach(MAIN, "rIdX", "customXml", "customXml/item1.xml", "<a>値</a>")
    pack.link("customXml/item1.xml", "r0", "customXmlProps", "http://192.0.2.1/props.xml", external=True)
    pack.link("customXml/item1.xml", "r1", "image", "/word/document.xml")
    pack.link("customXml/item1.xml", "r2", "customXmlProps", "none.xml")
    assert "ooxml.custom_xml" in codes(run(pack.bytes(), "様式"))
    pack.attach("customXml/item1.xml", "r3", "customXmlProps", "customXml/itemProps1.xml", PROPERTIES, f"{OFFICE}customXmlProperties+xml")
    made = parts(run(pack.bytes(), "様式"))
    assert "customXml/item1.xml" in made
    assert b"192.0.2.1" not in b"".join(made.values())


# ----------------------------------------------------------------------------------------------------- large parts


@pytest.mark.parametrize(
    ("pack", "name"),
    [
        (build.docx(build.paragraph("長い文書です。") * 6000), MAIN),
        (build.xlsx("".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}"><v>1</v></c></row>' for n in range(1, 6000))), "xl/worksheets/sheet1.xml"),
        (_replaced(kept.workbook(), "xl/workbook.xml", "</workbook>", "<extLst/>" + " " * 300_000 + "</workbook>"), "xl/workbook.xml"),
    ],
)
def test_what_was_large_is_whole_and_clean(pack: Pack, name: str) -> None:
    """Their second pass takes large parts as they stand."""
    outcome = run(pack.bytes(), "様式")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert name in parts(outcome)


def test_a_large_part_with_pictures_keeps_them() -> None:
    pack = build.docx(build.inline_picture("rIdP") + build.paragraph("長い文書です。") * 6000)
    outcome = run(pack.attach(MAIN, "rIdP", "image", "word/media/image1.png", build.png()).bytes(), "様式")
    assert outcome.report.verdict is Verdict.CLEAN
    assert len(parts(outcome)[MAIN]) > 1 << 18
    assert "word/media/image1.png" in parts(outcome)


def test_drawings_of_old_programs_with_an_open_line_break_are_read() -> None:
    """VML of comments, as Excel 2003 wrote it into files of 2007."""
    note = (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel">'
        '<v:shape id="_x0000_s1025" type="#_x0000_t202"><v:textbox><div>甲<br>乙</div></v:textbox><x:ClientData ObjectType="Note"/></v:shape></xml>'
    )
    for text, reason in ((note, None), (note.replace("</v:textbox>", ""), Reason.MALFORMED), ("<!DOCTYPE x>" + note, Reason.MALFORMED), (note.replace("<br>", "<p>"), Reason.MALFORMED)):
        pack = build.xlsx(after='<legacyDrawing r:id="rIdV"/>')
        pack.attach("xl/worksheets/sheet1.xml", "rIdV", "vmlDrawing", "xl/drawings/vmlDrawing1.vml", text, f"{OFFICE}vmlDrawing")
        outcome = run(pack.bytes(), "様式")
        assert outcome.report.reason == reason
        assert (outcome.content is None) == (reason is not None)
        assert X.encode() in parts(outcome)["xl/workbook.xml"] if reason is None else codes(outcome) <= {"xml.dtd", "xml.malformed"}
