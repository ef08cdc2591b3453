"""The second opinion on OpenDocument refuses whatever is not a plain package of listed members with harmless markup."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest

from sanitizers.formats.office.pictures import NEUTRAL
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import odf
from tests.build.context import context, delivered

PICTURE = b"\x89PNG\r\n\x1a\n of the engine"
TYPE = "application/vnd.oasis.opendocument.text"
NS = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = "".join(f' xmlns:{name}="{NS}:{full}:1.0"' for name, full in (("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("form", "form"), ("chart", "chart")))
SPACES += ' xmlns:xlink="http://www.w3.org/1999/xlink"'


def content(body: str = "<text:p>本文</text:p>", spaces: str = "") -> bytes:
    return f"<office:document-content{SPACES}{spaces}><office:body>{body}</office:body></office:document-content>".encode()


def manifest(*names: str, kind: str = TYPE, inside: str = "") -> bytes:
    entries = "".join(f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="{kind if name == "/" else ""}"/>' for name in ("/", *names))
    return f'<manifest:manifest xmlns:manifest="{NS}:manifest:1.0">{entries}{inside}</manifest:manifest>'.encode()


def package(members: dict[str, bytes] | None = None, *, mimetype: str = TYPE, stored: bool = True, listed: bytes | None = None, comment: bytes = b"") -> bytes:
    parts = {"content.xml": content(), **(members or {})}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), mimetype, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        archive.writestr(zipfile.ZipInfo("META-INF/manifest.xml"), manifest(*parts) if listed is None else listed)
        archive.comment = comment
    return out.getvalue()


def check(data: bytes, original: bytes | None = None) -> None:
    given = delivered(context("a", Kind.ODT, link_schemes=("https",)), PICTURE)
    odf.verify(Source(data), Source(data if original is None else original), given)


def body(inside: str) -> bytes:
    return package({"content.xml": content(inside)})


@pytest.mark.parametrize(
    "data",
    [
        package(), package({"Pictures/a.png": PICTURE, "Pictures/b.png": NEUTRAL.content, "styles.xml": content(), "Object 1/content.xml": content()}), package({"meta.xml": content()}),
        body('<text:a xlink:href="https://a.jp/">x</text:a>'), body('<text:a xlink:href="#a">x</text:a>'), body('<text:a xlink:href="content.xml">x</text:a>'),
        body('<draw:image xlink:href="./content.xml"/>'), body('<chart:chart xlink:href=".."/>'), body('<text:p text:formula="1+&quot;DDE(&quot;">x</text:p>'),
        body('<text:p office:string-value=" macro: x">x</text:p>'),
    ],
)  # fmt: skip
def test_a_plain_package_passes(data: bytes) -> None:
    check(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (package(mimetype="application/zip"), "first member"), (package(stored=False), "first member"), (package(comment=b"x"), "behind the end"),
        (b"PK" + bytes(100), "first member"), (package()[:-60], "behind the end"),
        (package({"Basic/a.xml": content()}), "member"), (package({"Scripts/a.py": b"x"}), "member"), (package({"Pictures/a.png": b"MZ"}), "Pictures/a.png is not what was rebuilt"),
        (package({"Pictures/a.png": PICTURE + b"x"}), "not what was rebuilt"), (package({"Pictures/a.exe": b"x"}), "member"), (package({"CONTENT.xml": content()}), "two members"),
        (package(listed=manifest()), "does not list"), (package(listed=manifest("content.xml", "styles.xml")), "does not list"),
        (package(listed=manifest("content.xml", kind="x")), "does not list"), (package(listed=b"<a"), "manifest:"), (package(listed=b"<a/>"), "a in the manifest"),
        (package(listed=manifest("content.xml", inside="<manifest:file-entry/>")), "manifest:"),
        (package(listed=manifest("content.xml", inside="<manifest:encryption-data/>")), "encryption-data in"),
        (body("<text:p>"), "expat"), (body("<!-- x -->"), "comment"), (body("<draw:plugin/>"), "plugin"), (body("<office:script/>"), "script"),
        (package({"content.xml": content(spaces=' xmlns:q="urn:q"')}), "namespace"), (body('<text:a xlink:actuate="onLoad" xlink:href="#a"/>'), "onLoad"),
        (body('<draw:a draw:x="1" xlink:actuate="onLoad"/>'), "onLoad"), (body('<text:p text:x="macro:x"/>'), "command"), (body('<text:p text:x=" vnd.sun.star.script:x"/>'), "command"),
        (body('<text:p text:formula="of:=DDE(1)"/>'), "formula"), (body('<text:p text:condition="webservice (1)"/>'), "formula"),
        (body("<text:p text:expression=\"'#x\"/>"), "formula"), (body('<text:a xlink:href="http://a.jp/">x</text:a>'), "target"),
        (body('<text:a xlink:href="other.odt">x</text:a>'), "target"), (body('<draw:image xlink:href="https://a.jp/"/>'), "target"),
        (body('<draw:image xlink:href="../content.xml"/>'), "target"), (body('<chart:chart xlink:href="https://a.jp"/>'), "target"),
        (package({"content.xml": content('<text:p xmlns:text="http://www.w3.org/x"/><text:a xlink:href="https://a.jp/"/>')}), "target"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(VerificationFailed, match=why):
        check(data)


def test_a_package_that_zipfile_cannot_read_is_refused() -> None:
    whole = package()
    at = whole.index(b"PK\x01\x02")
    with pytest.raises(VerificationFailed, match="zipfile"):
        check(whole[:at] + b"XX" + whole[at + 2 :])


CELLS = content("<table:table-cell/>" * 3)
LONG = f"<text:p>{'x' * 1_000}</text:p>"
FLAT = b"\xef\xbb\xbf <?xml version='1.0'?>" + content("<text:p>0123456789</text:p>")


@pytest.mark.parametrize(
    ("made", "given", "why"),
    [
        (content("<table:table-cell/>"), package({"content.xml": CELLS}), "cells"),
        (content("<text:p>0</text:p>"), package({"content.xml": content("<text:p>0123456789</text:p>")}), "text is lost"),
        (content("<text:p>0</text:p>"), FLAT, "text is lost"),
    ],
)
def test_what_is_lost_is_noticed(made: bytes, given: bytes, why: str) -> None:
    with pytest.raises(VerificationFailed, match=why):
        check(package({"content.xml": made}), given)


@pytest.mark.parametrize(
    ("made", "given"),
    [
        (content("<text:p>01234</text:p>"), package({"content.xml": content("<text:p>0123456789</text:p>")})),
        (content("<text:p>0123456789</text:p>"), FLAT),
        (content("x"), b"locked"),
        (content("x"), package({"content.xml": content("<text:p>0123456789</text:p>").decode().encode("utf-16")})),
        (content("<text:p>a</text:p>"), package({"content.xml": content("<text:tracked-changes><text:p>0123456789</text:p></text:tracked-changes><text:p>a</text:p>")})),
        (content("<text:p>a</text:p>"), package({"content.xml": content("<office:annotation/><office:annotation><text:p>0123456789<office:annotation>x</office:annotation></text:p></office:annotation><text:p>a</text:p>")})),
        # much is lost where something changed, little of the whole
        (content(LONG * 1_000), package({"content.xml": content("<text:p>lost and gone</text:p>" + LONG.replace("x" * 1_000, "y" * 1_000) * 300 + LONG * 1_000)})),
        # far from the change, everything is as it was
        (content("<text:p>0</text:p>" + "<text:p>same text</text:p>" * 40_000), package({"content.xml": content("<text:p>0123456789</text:p>" + "<text:p>same text</text:p>" * 40_000)})),
    ],
)
def test_what_may_go_or_cannot_be_compared_is_not_counted(made: bytes, given: bytes) -> None:
    check(package({"content.xml": made}), given)


def test_what_stands_in_an_open_branch_does_not_last() -> None:
    assert odf._lasting(b"a<o:annotation>b") == b"a"
    assert odf._lasting(b"a</o:annotation>b<o:dde-links>c</o:dde-links>d") == b"bd"


@pytest.mark.parametrize("error", [zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError])
def test_whatever_zipfile_stumbles_over_is_a_refusal(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_file: object) -> None:
        raise error("x")

    data = package()
    monkeypatch.setattr(zipfile, "ZipFile", stumble)
    with pytest.raises(VerificationFailed, match="zipfile"):
        check(data)
    assert odf._content(data) == b"", "of an original it is no reason"
