"""The package itself: order, manifest, flat files, broken files, limits."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable

import pytest

from sanitizers.model import Kind, LimitExceeded, Limits, Reason, Verdict
from tests.build import odf as build
from tests.build.context import run
from tests.build.odf import CANARY, Pack
from tests.build.ooxml import OLE, png

PACKS = {"odt": build.odt, "ods": build.ods, "odp": build.odp, "odg": build.odg}


@pytest.mark.parametrize("make", PACKS.values(), ids=PACKS)
@pytest.mark.parametrize("ending", ["", "-template"])
def test_media_type_stands_first_and_stored(make: Callable[[], Pack], ending: str) -> None:
    pack = make()
    pack.kind += ending
    content = run(pack.bytes(), "x").content
    assert content is not None
    assert content.bytes()[30 : 38 + len(pack.kind)] == b"mimetype" + pack.kind.encode()
    with zipfile.ZipFile(io.BytesIO(content.bytes())) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")


def test_manifest_lists_what_is_there() -> None:
    pack = build.odt('<text:p><draw:frame><draw:image xlink:href="Pictures/a.png"/></draw:frame></text:p>').member("Pictures/a.png", png(), "image/png")
    pack.types["Pictures/none.png"] = "image/png"
    content = run(pack.member("Basic/a.xml", "<a/>").bytes(), "x.odt").content
    assert content is not None
    path, kind = (f"{build.O}manifest:1.0 {name}" for name in ("full-path", "media-type"))
    listed = {node.attributes[path]: node.attributes[kind] for node in build.walk(content.bytes()) if node.local == "file-entry"}
    assert listed == {"/": pack.kind, "content.xml": "text/xml", "Pictures/a.png": "image/png"}
    assert set(build.members(content.bytes())) == set(listed) - {"/"} | {"mimetype", "META-INF/manifest.xml"}


def test_package_without_mimetype_is_known_by_its_manifest() -> None:
    members = build.members(build.odt().bytes())
    del members["mimetype"]
    content = run(build.zipped(members), "x.odt").content
    assert content is not None
    assert content.bytes()[30:38] == b"mimetype"


@pytest.mark.parametrize("name", ["content.xml", "styles.xml", "meta.xml", "settings.xml", "META-INF/manifest.xml"])
@pytest.mark.parametrize("damage", [b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", b"<a>", b"<a/>", b""])
def test_broken_files_are_refused(name: str, damage: bytes) -> None:
    members = {**build.members(build.odt().bytes()), name: damage}
    if name == "META-INF/manifest.xml" and damage == b"<a/>":
        pytest.skip("an empty list is no damage")
    assert run(build.zipped(members), "x.odt").report.reason is Reason.MALFORMED


def test_no_content_is_refused() -> None:
    assert run(Pack().member("styles.xml", f"<office:document-styles {build.SPACES}/>").bytes(), "x.odt").report.reason is Reason.MALFORMED


def test_one_path_twice_in_the_manifest_is_refused() -> None:
    members = build.members(build.odt().bytes())
    entry = b'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="application/x"/></manifest:manifest>'
    members["META-INF/manifest.xml"] = members["META-INF/manifest.xml"].replace(b"</manifest:manifest>", entry)
    assert run(build.zipped(members), "x.odt").report.reason is Reason.MALFORMED


def test_other_kinds_of_opendocument_are_held() -> None:
    for kind in ("text-master", "database", "chart"):
        pack = build.odt()
        pack.kind = f"application/vnd.oasis.opendocument.{kind}"
        assert run(pack.bytes(), "x").report.reason is Reason.UNSUPPORTED_KIND


def test_a_formula_of_its_own() -> None:
    pack = Pack("formula").member("content.xml", '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math>')
    outcome = run(pack.bytes(), "x.odf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.report.output is not None
    assert outcome.report.output.name == "x.odf"


def test_repeated_cells_are_counted() -> None:
    cell = '<table:table-cell table:number-columns-repeated="99999999"><text:p>X</text:p></table:table-cell>'
    with pytest.raises(LimitExceeded):
        run(build.ods(cell).bytes(), "x.ods", limits=Limits())
    with pytest.raises(LimitExceeded):
        run(build.odt('<text:p><text:s text:c="999999999"/></text:p>').bytes(), "x.odt", limits=Limits())
    empty = '<table:table-cell table:number-columns-repeated="16000"/>'
    assert run(build.ods(empty).bytes(), "x.ods").report.verdict is Verdict.CLEAN


_PNG = base64.b64encode(png()).decode()
_CHART = '<office:document office:mimetype="application/vnd.oasis.opendocument.chart"><office:body><office:chart><chart:chart chart:class="chart:bar"/></office:chart></office:body></office:document>'
_FLAT_TEXT = (
    f"<office:text><text:p>本文<draw:frame><draw:image><office:binary-data>\n  {_PNG}\n</office:binary-data></draw:image></draw:frame>"
    f"<draw:frame><draw:object>{_CHART}</draw:object></draw:frame><draw:frame><draw:object><math:math><math:mi>x</math:mi></math:math></draw:object>"
    "</draw:frame></text:p></office:text>"
)
_FLAT_SHEET = '<office:spreadsheet><table:table table:name="表1"><table:table-row><table:table-cell><text:p>本文</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet>'


@pytest.mark.parametrize(
    ("kind", "body", "name", "made"),
    [
        ("text", _FLAT_TEXT, "x.fodt", Kind.ODT), ("spreadsheet", _FLAT_SHEET, "x.fods", Kind.ODS),
        ("presentation", "<office:presentation><draw:page><draw:frame><draw:text-box><text:p>本文</text:p></draw:text-box></draw:frame></draw:page></office:presentation>", "x.fodp", Kind.ODP),
    ],
)  # fmt: skip
def test_flat_files_become_packages(kind: str, body: str, name: str, made: Kind) -> None:
    outcome = run(build.flat(kind, body, "<office:scripts/>", meta="<dc:title>題</dc:title>"), name)
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.report.output is not None
    assert (outcome.report.output.kind, outcome.report.output.name) == (made, f"x.{made}")
    assert outcome.content is not None
    members = build.members(outcome.content.bytes())
    assert {"content.xml", "styles.xml", "meta.xml"} <= set(members)
    assert "本文".encode() in members["content.xml"]
    assert "題".encode() in members["meta.xml"]


def test_what_stands_inside_a_flat_file_becomes_members() -> None:
    """D05."""
    content = run(build.flat("text", _FLAT_TEXT), "x.fodt").content
    assert content is not None
    members = build.members(content.bytes())
    assert members["Pictures/picture-1.png"].startswith(b"\x89PNG")
    assert b"chart:bar" in members["Object 1/content.xml"]
    assert b"math" in members["Object 2/content.xml"]
    targets = [node.attributes["http://www.w3.org/1999/xlink href"] for node in build.walk(content.bytes()) if node.local in ("image", "object")]
    assert targets == ["Pictures/picture-1.png", "./Object 1", "./Object 2"]


def test_dangers_of_a_flat_file_are_gone() -> None:
    """D05: what hides in a single file is left out as in a package."""
    data = base64.b64encode(OLE + CANARY.encode()).decode()
    body = f"<office:text><text:p>本文<draw:frame><draw:object-ole><office:binary-data>{data}</office:binary-data></draw:object-ole></draw:frame></text:p>"
    body += f'<text:section text:name="s"><text:section-source xlink:href="http://192.0.2.1/{CANARY}"/></text:section></office:text>'
    basic = '<l:libraries xmlns:l="http://openoffice.org/2004/office"><l:library-embedded l:name="Standard"><l:module l:name="M"><l:source-code>'
    script = f"<office:scripts><office:script script:language='ooo:Basic'>{basic}{CANARY}</l:source-code></l:module></l:library-embedded></l:libraries></office:script></office:scripts>"
    outcome = run(build.flat("text", body, script), "x.fodt")
    assert {"odf.macro", "odf.object", "odf.external_reference"} <= {finding.code for finding in outcome.report.findings}
    assert outcome.content is not None
    everything = build.texts(outcome.content.bytes())
    assert CANARY.encode() not in everything
    assert data.encode() not in everything
    assert {node.local for node in build.walk(outcome.content.bytes())}.isdisjoint({"binary-data", "object-ole", "section-source", "scripts", "source-code"})


@pytest.mark.parametrize("body", ["<office:text><text:p><draw:frame><draw:image><office:binary-data>%%%</office:binary-data></draw:image></draw:frame></text:p></office:text>"])
def test_broken_flat_files_are_refused(body: str) -> None:
    assert run(build.flat("text", body), "x.fodt").report.reason is Reason.MALFORMED


def test_flat_objects_nested_deeply_are_refused() -> None:
    body = "<office:text/>"
    for _ in range(12):
        inside = f'<office:document office:mimetype="application/vnd.oasis.opendocument.text"><office:body>{body}</office:body></office:document>'
        body = f"<office:text><text:p><draw:frame><draw:object>{inside}</draw:object></draw:frame></text:p></office:text>"
    with pytest.raises(LimitExceeded):
        run(build.flat("text", body), "x.fodt")
