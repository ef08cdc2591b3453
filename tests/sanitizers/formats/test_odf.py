"""OpenDocument: what is kept, what is gone (D01 to D05), what is refused, and that twice is once."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from sanitizers.formats import BY_KIND, image, odf
from sanitizers.model import Kind, LimitExceeded, Limits, Reason, Verdict
from sanitizers.verify import VERIFIERS
from sanitizers.verify import image as image_opinion
from sanitizers.verify import odf as opinion
from tests.build import odf as build
from tests.build.context import run
from tests.build.odf import CANARY, Pack
from tests.build.ooxml import OLE, png

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "odf"
EVIL = f"http://192.0.2.1/{CANARY}"


@pytest.fixture(autouse=True)
def families(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (image.SANITIZER, odf.SANITIZER):
        for kind in one.kinds:
            monkeypatch.setitem(BY_KIND, kind, one)
    for kind, verifier in {**image_opinion.VERIFIERS, **opinion.VERIFIERS}.items():
        monkeypatch.setitem(VERIFIERS, kind, verifier)


def _frame(inside: str) -> str:
    return f'<text:p><draw:frame draw:name="枠" svg:width="2cm" svg:height="2cm">{inside}</draw:frame></text:p>'


def _cell(formula: str) -> Pack:
    return build.ods(f'<table:table-cell table:formula="{formula}" office:value-type="float" office:value="42"><text:p>42</text:p></table:table-cell>')


LISTENER = (
    '<office:event-listeners><script:event-listener script:language="ooo:script" script:event-name="dom:load" '
    f'xlink:href="vnd.sun.star.script:{CANARY}?language=Basic"/></office:event-listeners>'
)
CASES: dict[str, tuple[Callable[[], Pack], str]] = {
    "D01 Basic": (lambda: build.odt().member(f"Basic/Standard/{CANARY}.xml", "<m/>").member("Basic/script-lc.xml", "<l/>"), "odf.macro"),
    "D01 Python": (lambda: build.odt().member("Scripts/python/a.py", CANARY), "odf.macro"),
    "D01 script element": (lambda: build.odt(before=f"<office:scripts><office:script script:language='ooo:Basic'>{CANARY}</office:script></office:scripts>"), "odf.macro"),
    "D02 listener of the document": (lambda: build.odt(before=f"<office:scripts>{LISTENER}</office:scripts>"), "odf.macro"),
    "D02 listener of a shape": (lambda: build.odt(f'<text:p><draw:rect svg:width="1cm" svg:height="1cm">{LISTENER}</draw:rect></text:p>'), "odf.event_listener"),
    "D02 macro link": (lambda: build.odt(f'<text:p><text:a xlink:href="macro:///{CANARY}">文字</text:a></text:p>'), "odf.hyperlink"),
    "D02 script link": (lambda: build.odt(f'<text:p><text:a xlink:href="vnd.sun.star.script:{CANARY}">文字</text:a></text:p>'), "odf.hyperlink"),
    "D02 execute-macro": (lambda: build.odt(f'<text:p><text:execute-macro text:name="{CANARY}">文字</text:execute-macro></text:p>'), "odf.macro"),
    "D03 picture": (lambda: build.odt(_frame(f'<draw:image xlink:href="{EVIL}.png"/>')), "odf.external_image"),
    "D03 picture by UNC": (lambda: build.odt(_frame(f'<draw:image xlink:href="file://192.0.2.1/{CANARY}"/>')), "odf.external_image"),
    "D03 background": (lambda: build.odt(styles=f'<style:style style:name="a" style:family="paragraph"><style:paragraph-properties><style:background-image xlink:href="{EVIL}"/></style:paragraph-properties></style:style>'), "odf.external_image"),
    "D03 section": (lambda: build.odt(f'<text:section text:name="s"><text:section-source xlink:href="{EVIL}"/><text:p>節</text:p></text:section>'), "odf.external_reference"),
    "D03 frame": (lambda: build.odt(_frame(f'<draw:floating-frame xlink:href="{EVIL}"/>')), "odf.external_reference"),
    "D03 plug-in": (lambda: build.odt(_frame(f'<draw:plugin xlink:href="{EVIL}"/>')), "odf.media"),
    "D03 applet": (lambda: build.odt(_frame(f'<draw:applet xlink:href="{EVIL}" draw:code="{CANARY}"/>')), "odf.media"),
    "D03 DDE section": (lambda: build.odt(f'<text:section text:name="s"><office:dde-source office:dde-application="cmd" office:dde-topic="{CANARY}"/><text:p>節</text:p></text:section>'), "odf.dde"),
    "D03 table source": (lambda: build.ods(inside=f'<table:table table:name="x"><table:table-source xlink:href="{EVIL}"/></table:table>'), "odf.external_reference"),
    "D03 DDE formula": (lambda: _cell(f"of:=DDE(&quot;cmd&quot;;&quot;{CANARY}&quot;;&quot;x&quot;)"), "odf.dde"),
    "D03 WEBSERVICE": (lambda: _cell(f"of:=COM.MICROSOFT.WEBSERVICE(&quot;{EVIL}&quot;)"), "odf.formula"),
    "D03 unknown function": (lambda: _cell(f"of:=1+EVIL(&quot;{CANARY}&quot;)"), "odf.formula"),
    "D03 other file": (lambda: _cell(f"of:=['file:///{CANARY}.ods'#$Sheet1.A1]"), "odf.external_reference"),
    "D03 HYPERLINK": (lambda: _cell(f"of:=HYPERLINK(&quot;file:///{CANARY}&quot;)"), "odf.hyperlink"),
    "D03 database": (lambda: build.odt(f'<text:p><text:database-display text:database-name="{CANARY}" text:table-name="t" text:column-name="c">文字</text:database-display></text:p>'), "odf.database"),
    "D03 form submits": (lambda: build.odt(f'<office:forms><form:form xlink:href="{EVIL}"/></office:forms>'), "odf.external_reference"),
    "D04 OLE": (lambda: build.odt(_frame('<draw:object-ole xlink:href="./Object 1"/><draw:image xlink:href="Pictures/a.png"/>')).member("Object 1", OLE, "application/vnd.sun.star.oleobject").member("Pictures/a.png", png(), "image/png"), "odf.object"),
    "D04 configuration": (lambda: build.odt().member("Configurations2/accelerator/current.xml", f"<a>{CANARY}</a>"), "odf.settings"),
    "D04 unknown member": (lambda: build.odt().member(f"Pictures/{CANARY}.py", "x"), "odf.unknown_member"),
    "D04 thumbnail": (lambda: build.odt().member("Thumbnails/thumbnail.png", CANARY), "odf.thumbnail"),
    "unknown element": (lambda: build.odt(f'<x:run xmlns:x="urn:{CANARY}">1</x:run>'), "odf.unknown_markup"),
    "author": (lambda: build.odt().member("meta.xml", f"<office:document-meta {build.SPACES}><office:meta><dc:creator>{CANARY}</dc:creator></office:meta></office:document-meta>"), "file.metadata"),
}  # fmt: skip


def _texts(data: bytes) -> bytes:
    return b"\n".join(name.encode() + b"\n" + content for name, content in build.members(data).items())


@pytest.mark.parametrize("case", CASES)
def test_is_gone_and_said(case: str) -> None:
    make, code = CASES[case]
    given = make().bytes()
    assert CANARY.encode() in _texts(given)
    outcome = run(given, "様式")
    assert outcome.report.verdict is Verdict.SANITIZED, outcome.report.findings
    assert code in {finding.code for finding in outcome.report.findings}
    assert outcome.content is not None
    everything = _texts(outcome.content.bytes())
    assert CANARY.encode() not in everything
    assert b"192.0.2.1" not in everything
    assert b"\xd0\xcf\x11\xe0" not in everything
    assert "本文".encode() in everything


@pytest.mark.parametrize("case", CASES)
def test_twice_is_once(case: str) -> None:
    once = run(CASES[case][0]().bytes(), "様式").content
    assert once is not None
    twice = run(once.bytes(), "様式")
    assert twice.report.verdict is Verdict.CLEAN, twice.report.findings
    assert twice.content is not None
    assert twice.content.bytes() == once.bytes()


def test_shown_text_and_values_stay() -> None:
    for case, word in (("D02 execute-macro", "文字"), ("D03 section", "節"), ("D03 database", "文字"), ("D03 DDE formula", 'office:value="42"')):
        content = run(CASES[case][0]().bytes(), "x.odt").content
        assert content is not None
        assert word.encode() in _texts(content.bytes())


def test_picture_of_an_object_stays() -> None:
    content = run(CASES["D04 OLE"][0]().bytes(), "x.odt").content
    assert content is not None
    members = build.members(content.bytes())
    assert members["Pictures/a.png"].startswith(b"\x89PNG")
    assert b'href="Pictures/a.png"' in members["content.xml"]


KEPT = (
    '<text:h text:outline-level="1">見出し</text:h><text:p text:style-name="P1"><text:ruby text:style-name="R"><text:ruby-base>漢字</text:ruby-base>'
    '<text:ruby-text>かんじ</text:ruby-text></text:ruby><text:tab/><text:s text:c="3"/><text:note text:note-class="footnote"><text:note-citation>1'
    "</text:note-citation><text:note-body><text:p>注</text:p></text:note-body></text:note></text:p><text:list><text:list-item><text:p>項</text:p>"
    '</text:list-item></text:list><text:p><text:a xlink:href="https://example.jp/?a=1&amp;b=2">外</text:a><text:a xlink:href="#見出し|outline">内</text:a>'
    '<office:annotation><dc:creator>田中</dc:creator><text:p>意見</text:p></office:annotation></text:p><table:table table:name="t"><table:table-column/>'
    '<table:table-row><table:table-cell table:formula="of:=SUM([.A1:.B2])" office:value-type="float" office:value="3"><text:p>3</text:p></table:table-cell>'
    "</table:table-row></table:table>"
)


def _everything_kept() -> Pack:
    chart = build.content('<office:chart><chart:chart chart:class="chart:bar"><chart:plot-area/></chart:chart></office:chart>')
    pack = build.odt(KEPT + _frame('<draw:image xlink:href="Pictures/a.png" xlink:type="simple"/>') + _frame('<draw:object xlink:href="./Object 1"/>'))
    pack.member("Pictures/a.png", png(), "image/png").member("Object 1/content.xml", chart)
    pack.types["Object 1/"] = "application/vnd.oasis.opendocument.chart"
    meta = "<dc:title>題</dc:title><meta:keyword>自治体機密性２</meta:keyword><meta:user-defined meta:name='情報分類'>２</meta:user-defined>"
    return pack.member("meta.xml", f"<office:document-meta {build.SPACES}><office:meta>{meta}</office:meta></office:document-meta>")


def test_a_clean_file_keeps_its_meaning() -> None:
    given = _everything_kept().bytes()
    outcome = run(given, "様式")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.content is not None
    made = build.members(outcome.content.bytes())
    before = ET.canonicalize(build.members(given)["content.xml"].decode(), strip_text=False)
    after = ET.canonicalize(made["content.xml"].decode())
    for word in ("見出し", "かんじ", "注", "項", "意見", "https://example.jp/?a=1&amp;b=2", "of:=SUM([.A1:.B2])", 'text:c="3"', "#見出し|outline"):
        assert word in before
        assert word in after
    assert b"chart:plot-area" in made["Object 1/content.xml"]
    assert "自治体機密性２".encode() in made["meta.xml"]
    assert "情報分類".encode() in made["meta.xml"]


def test_media_type_stands_first_and_stored() -> None:
    for kind in ("text", "text-template"):
        pack = build.odt()
        pack.kind = f"application/vnd.oasis.opendocument.{kind}"
        content = run(pack.bytes(), "x.odt").content
        assert content is not None
        assert content.bytes()[30 : 38 + len(pack.kind)] == b"mimetype" + pack.kind.encode()


@pytest.mark.parametrize("name", ["content.xml", "styles.xml", "meta.xml", "settings.xml", "META-INF/manifest.xml"])
@pytest.mark.parametrize("damage", [b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", b"<a>", b"<a/>", b""])
def test_broken_files_are_refused(name: str, damage: bytes) -> None:
    pack = build.odt()
    members = {**build.members(pack.bytes()), name: damage}
    if name == "META-INF/manifest.xml" and damage == b"<a/>":
        pytest.skip("an empty list is no damage")
    out = Path(name).name
    data = _zip(members)
    assert run(data, out).report.reason is Reason.MALFORMED


def _zip(members: dict[str, bytes]) -> bytes:
    import io

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def test_repeated_cells_are_counted() -> None:
    cell = '<table:table-cell table:number-columns-repeated="99999999"><text:p>X</text:p></table:table-cell>'
    with pytest.raises(LimitExceeded):
        run(build.ods(cell).bytes(), "x.ods", limits=Limits())
    empty = '<table:table-cell table:number-columns-repeated="16000"/>'
    assert run(build.ods(empty).bytes(), "x.ods").report.verdict is Verdict.CLEAN


def test_encrypted_needs_its_password() -> None:
    given = build.odt(_frame('<draw:image xlink:href="Pictures/a.png"/>')).member("Pictures/a.png", png(), "image/png").encrypt("春").bytes()
    assert "本文".encode() not in _texts(given)
    assert run(given, "x.odt").report.reason is Reason.ENCRYPTED
    assert run(given, "x.odt", passwords=("夏",)).report.reason is Reason.ENCRYPTED
    outcome = run(given, "x.odt", passwords=("夏", "春"))
    assert outcome.content is not None, outcome.report.findings
    assert "本文".encode() in _texts(outcome.content.bytes())
    assert {finding.code for finding in outcome.report.findings} == {"file.decrypted"}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"aes256-cbc", b"aes256-gcm", Reason.ENCRYPTED), (b'"PBKDF2"', b'"argon2id"', Reason.ENCRYPTED),
        (b'count="1000"', b'count="-1"', Reason.MALFORMED), (b'size="', b'size="x', Reason.MALFORMED), (b'salt="', b'salt="!', Reason.MALFORMED),
        (b'salt="', 'salt="あ'.encode(), Reason.MALFORMED),
    ],
)  # fmt: skip
def test_unusual_encryption_is_held(old: bytes, new: bytes, reason: Reason) -> None:
    members = build.members(build.odt().encrypt("春").bytes())
    members["META-INF/manifest.xml"] = members["META-INF/manifest.xml"].replace(old, new)
    assert run(_zip(members), "x.odt", passwords=("春",)).report.reason is reason


def test_rounds_are_limited() -> None:
    members = build.members(build.odt().encrypt("春").bytes())
    members["META-INF/manifest.xml"] = members["META-INF/manifest.xml"].replace(b'count="1000"', b'count="99999999"')
    with pytest.raises(LimitExceeded):
        run(_zip(members), "x.odt", passwords=("春",))


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus")
def test_real_files_are_delivered() -> None:
    expected = {"pass_protected.ods": Reason.ENCRYPTED, "issue_594_dos.ods": Reason.LIMIT_EXCEEDED}
    for path in sorted(CORPUS.rglob("*.od[tspg]")):
        try:
            report = run(path.read_bytes(), path.name).report
            assert report.reason is expected.get(path.name), (path.name, report.findings)
        except LimitExceeded:
            assert expected.get(path.name) is Reason.LIMIT_EXCEEDED
        else:
            assert report.output is None or report.output.kind in (Kind.ODT, Kind.ODS, Kind.ODP, Kind.ODG)
