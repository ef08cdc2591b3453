"""Members that are not what they should be, and names that nobody expects: refused, left behind with a word, or kept."""

from __future__ import annotations

import io
import zipfile

import pytest

from sanitizers.context import Outcome
from sanitizers.formats.odf import stretches
from sanitizers.model import LimitExceeded, Limits, Reason, Verdict
from tests.build import odf as build
from tests.build.apart import apart
from tests.build.context import run
from tests.build.odf import Pack
from tests.build.ooxml import emf, png

OBJECT = '<text:p><draw:frame><draw:object xlink:href="./{}"/><draw:image xlink:href="{}"/></draw:frame></text:p>'
PICTURE = '<text:p><draw:frame><draw:image xlink:href="{}"/></draw:frame></text:p>'
CHART = "application/vnd.oasis.opendocument.chart"


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


def made(pack: Pack, name: str = "x.odt") -> tuple[Outcome, dict[str, bytes]]:
    outcome = run(pack.bytes(), name)
    assert outcome.content is not None, outcome.report.findings
    return outcome, build.members(outcome.content.bytes())


def _chart(pack: Pack, folder: str = "Object 1", inside: str = "") -> Pack:
    body = f'<office:chart><chart:chart chart:class="chart:bar"/></office:chart>{inside}'
    pack.types[f"{folder}/"] = CHART
    return pack.member(f"{folder}/content.xml", build.content(body))


# ------------------------------------------------------------------------------------------------- what is not there


def test_a_package_without_a_manifest_is_refused() -> None:
    members = build.members(build.odt().bytes())
    del members["META-INF/manifest.xml"]
    outcome = run(build.zipped(members), "x.odt")
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)
    assert codes(outcome) == {"odf.package"}


def test_a_locked_member_that_promises_more_than_may_be_is_not_begun() -> None:
    members = build.members(build.odt().encrypt("春").bytes())
    manifest = members["META-INF/manifest.xml"]
    start = manifest.index(b'manifest:size="')
    members["META-INF/manifest.xml"] = manifest[:start] + b'manifest:size="99999999999"' + manifest[manifest.index(b'"', start + 15) + 1 :]
    with pytest.raises(LimitExceeded, match="99999999999"):
        run(build.zipped(members), "x.odt", passwords=("春",))


def test_an_object_whose_picture_is_not_there_is_drawn_by_the_application() -> None:
    outcome, members = made(_chart(build.odt(OBJECT.format("Object 1", "./ObjectReplacements/Object 1"))))
    assert outcome.report.verdict is Verdict.CLEAN
    assert b"draw:object" in members["content.xml"]
    assert b"draw:image" not in members["content.xml"]


def test_a_picture_of_an_object_in_an_old_format_is_left_to_the_application() -> None:
    pack = _chart(build.odt(OBJECT.format("Object 1", "./ObjectReplacements/Object 1") * 2))
    pack.member("ObjectReplacements/Object 1", emf(), "")
    outcome, members = made(pack)
    assert outcome.report.verdict is Verdict.CLEAN
    assert members["content.xml"].count(b"<draw:object") == 2      # one object may be shown twice
    assert b"draw:image" not in members["content.xml"]
    assert set(members) == {"mimetype", "content.xml", "Object 1/content.xml", "META-INF/manifest.xml"}


@pytest.mark.parametrize("flat", [False, True])
def test_a_member_that_is_no_picture_is_none_where_one_is_shown(flat: bool) -> None:
    """`content.xml` as a picture: in a package the neutral one takes its place, a flat file has no such member."""
    shown = PICTURE.format("content.xml")
    if flat:
        outcome = run(build.flat("text", f"<office:text><text:p>本文</text:p>{shown}</office:text>"), "x.fodt")
        assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)
        assert codes(outcome) == {"odf.package"}
        return
    outcome, members = made(build.odt(shown))
    assert codes(outcome) == {"odf.picture_replaced"}
    assert any(name.startswith("Pictures/") for name in members)


def test_pictures_of_one_name_in_two_folders_stay_two() -> None:
    pack = build.odt(PICTURE.format("Pictures/a.png") + PICTURE.format("Other/a.png") + PICTURE.format("Third/a.png"))
    for folder, colour in (("Pictures", b"\x01\x02\x03"), ("Other", b"\x04\x05\x06"), ("Third", b"\x01\x02\x03")):
        pack.member(f"{folder}/a.png", png(colour=colour), "image/png")
    outcome, members = made(pack)
    assert outcome.report.verdict is Verdict.CLEAN
    assert sorted(name for name in members if name.endswith(".png")) == ["Pictures/a-1.png", "Pictures/a.png"]


def test_links_in_the_zip_file_are_said_to_stay_behind() -> None:
    out = io.BytesIO(build.odt().bytes())
    link = zipfile.ZipInfo("Pictures/link.png")
    link.external_attr, link.create_system = 0o120777 << 16, 3
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    outcome = run(out.getvalue(), "x.odt")
    assert [(finding.code, finding.where, finding.detail) for finding in outcome.report.findings] == [("odf.unknown_member", "Pictures/link.png", "link")]
    assert outcome.content is not None
    assert "Pictures/link.png" not in build.members(outcome.content.bytes())


def test_what_an_object_says_of_itself_goes_without_a_word() -> None:
    pack = _chart(build.odt(OBJECT.format("Object 1", "./none/a.png")))
    pack.member("Object 1/meta.xml", "<a/>").member("Object 1/settings.xml", "<a/>").member("Object 1/other.xml", "<a/>")
    outcome, members = made(pack)
    assert [(finding.code, finding.where) for finding in outcome.report.findings] == [("odf.object", "Object 1/other.xml")]
    assert "Object 1/meta.xml" not in members


def test_objects_in_objects_are_taken_eight_deep() -> None:
    pack, folder = build.odt(OBJECT.format("Object 1", "./none/a.png")), ""
    for _ in range(12):
        folder += "Object 1/"
        pack.types[folder] = "application/vnd.oasis.opendocument.text"
        inner = OBJECT.format("Object 1", "./none/a.png")
        pack.member(f"{folder}content.xml", build.content(f"<office:text>{inner}</office:text>"))
    outcome, members = made(pack)
    assert max(name.count("Object 1/") for name in members) == 8
    assert "odf.object" in codes(outcome)


# ------------------------------------------------------------------------------------------------------ manifest.rdf

RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="content.xml"/>{}</rdf:RDF>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RDF.format(""), False),
        (RDF.format('<rdf:Description rdf:about="http://example.jp/who"/>'), True),
        (RDF.format("words"), False),
        (RDF.format("<rdf:Description>words</rdf:Description>"), True),
        (RDF.format('<q:x xmlns:q="urn:q"/>'), True),
        (RDF.format('<rdf:Description rdf:about=""/>' * 3000), True),    # more than any office program writes
        ("<rdf", True),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", True),
        ("", False),
    ],
)
def test_a_list_of_members_goes_without_a_word_and_more_than_that_with_one(text: str, said: bool) -> None:
    outcome, members = made(build.odt().member("manifest.rdf", text, "application/rdf+xml"))
    assert codes(outcome) == ({"odf.rdf"} if said else set())
    assert "manifest.rdf" not in members


# ---------------------------------------------------------------------------------------------------------- settings


def test_settings_are_an_allow_list() -> None:
    items = (
        '<config:config-item-set config:name="ooo:view-settings" config:strange="x"><config:config-item config:name="ZoomFactor" config:type="short">'
        '90</config:config-item><config:evil config:name="a"><config:config-item config:name="ZoomType" config:type="short">1</config:config-item>'
        '</config:evil><config:config-item-map-indexed config:name="a&#x202e;b"/></config:config-item-set>'
    )
    text = f'<office:document-settings {build.SPACES} office:version="1.3"><office:settings>{items}</office:settings></office:document-settings>'
    outcome, members = made(build.odt().member("settings.xml", text))
    assert "odf.unknown_markup" in codes(outcome)
    settings = members["settings.xml"].decode()
    assert 'config:name="ZoomFactor"' in settings
    assert "strange" not in settings
    assert "evil" not in settings
    assert "\u202e" not in settings


# --------------------------------------------------------------------------------------------------------- flat files


def test_a_flat_file_of_another_root_is_refused() -> None:
    data = build.flat("text", "<office:text><text:p>本文</text:p></office:text>").decode()
    other = data.replace("<office:document ", '<q:document xmlns:q="urn:q" ').replace("</office:document>", "</q:document>").encode()
    outcome = run(other, "x.fodt")
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)
    assert codes(outcome) == {"odf.package"}


def test_an_object_of_a_flat_file_with_nothing_in_it_leaves_nothing() -> None:
    body = '<office:text><text:p>本文<draw:frame><draw:object xlink:href="./Object 9"/></draw:frame></text:p></office:text>'
    outcome = run(build.flat("text", body), "x.fodt")
    assert codes(outcome) == {"odf.object"}
    assert outcome.content is not None
    assert b"draw:object" not in build.members(outcome.content.bytes())["content.xml"]


# ------------------------------------------------------------------------------------------------------------ content


@pytest.mark.parametrize(
    ("cells", "ends"),
    [
        ('<table:table-row table:number-rows-repeated="1048576"><table:table-cell><text:p>X</text:p></table:table-cell></table:table-row>' * 20, "limit"),
        ('<table:table-row table:number-rows-repeated="1048576"><table:table-cell/></table:table-row>' * 20, "whole"),
        ('<table:table-row table:number-rows-repeated="-5"><table:table-cell><text:p>X</text:p></table:table-cell></table:table-row>', "refused"),
    ],
)
def test_repeated_rows_are_counted(cells: str, ends: str) -> None:
    data = build.ods(inside=f'<table:table table:name="t">{cells}</table:table>').bytes()
    if ends == "limit":
        with pytest.raises(LimitExceeded):
            run(data, "x.ods", limits=Limits())
        return
    assert (run(data, "x.ods").report.reason is Reason.MALFORMED) == (ends == "refused")


def test_a_formula_longer_than_any_goes() -> None:
    formula = "of:=" + "1+" * 40_000 + "1"
    pack = build.ods(f'<table:table-cell table:formula="{formula}" office:value-type="float" office:value="42"><text:p>42</text:p></table:table-cell>')
    outcome, members = made(pack, "x.ods")
    assert codes(outcome) == {"odf.formula"}
    assert b"1+1+" not in members["content.xml"]
    assert b"42" in members["content.xml"]


def test_names_that_are_bad_by_themselves_and_by_each_other_go_once() -> None:
    name = '<table:named-expression table:name="{}" table:expression="of:={}"/>'
    both = name.format("near", "far+WEBSERVICE(1)") + name.format("far", "near+WEBSERVICE(2)") + name.format("far2", "far")
    outcome, members = made(build.ods(inside=f"<table:named-expressions>{both}</table:named-expressions>"), "x.ods")
    assert codes(outcome) == {"odf.formula"}
    assert len(outcome.report.findings) == 3
    assert b"WEBSERVICE" not in members["content.xml"]


def test_pictures_in_a_picture_that_goes_go_with_it() -> None:
    inner = '<draw:image xlink:href="http://192.0.2.1/x"><draw:image xlink:href="Pictures/a.png"><draw:image xlink:href="http://192.0.2.1/y"/></draw:image></draw:image>'
    pack = build.odt(f"<text:p><draw:frame>{inner}</draw:frame></text:p>").member("Pictures/a.png", png(), "image/png")
    outcome, members = made(pack)
    assert "odf.external_image" in codes(outcome)
    assert b"192.0.2.1" not in members["content.xml"]


def test_what_hangs_on_an_object_that_goes_is_not_looked_at_again() -> None:
    inner = '<draw:object xlink:href="http://192.0.2.1/x"><text:p><text:a xlink:href="file:///x">a</text:a></text:p></draw:object>'
    outcome, members = made(build.odt(f"<text:p><draw:frame>{inner}</draw:frame></text:p>"))
    assert codes(outcome) == {"odf.object"}
    assert b"192.0.2.1" not in members["content.xml"]


@pytest.mark.parametrize(("value", "stays"), [("plain", True), ("http://192.0.2.1/x", False), ("vnd.sun.star.script:x", False)])
def test_properties_of_controls_that_lead_out_go(value: str, stays: bool) -> None:
    said = f'<form:properties><form:property form:property-name="Title" office:value-type="string" office:string-value="{value}"/></form:properties>'
    _, members = made(build.odt(f'<office:forms><form:form><form:text form:id="a">{said}</form:text></form:form></office:forms>'))
    assert (value.encode() in members["content.xml"]) is stays


def test_traces_of_revisions_go_without_a_word() -> None:
    space = 'xmlns:officeooo="http://openoffice.org/2009/office"'
    styles = f'<style:style style:name="a" style:family="text"><style:text-properties {space} officeooo:rsid="001"/></style:style>'
    outcome, members = made(build.odt(f"<text:p><officeooo:annotation {space}/>x</text:p>", styles=styles))
    assert outcome.report.verdict is Verdict.CLEAN
    assert b"officeooo" not in members["content.xml"]


def test_formulas_without_end_are_judged_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was judged is forgotten from time to time."""
    monkeypatch.setattr(stretches, "_MOST_JUDGED", 5)
    cell = '<table:table-cell table:formula="of:={}" office:value-type="float" office:value="4"><text:p>4</text:p></table:table-cell>'
    cells = "".join(cell.format(f"SUM({number};{number * 7})") for number in range(40)) + cell.format("WEBSERVICE(1)") + cell.format("SUM(1;7)")
    with apart():
        outcome, members = made(build.ods(cells), "x.ods")
    assert codes(outcome) == {"odf.formula"}
    assert members["content.xml"].count(b"table:formula") == 41
