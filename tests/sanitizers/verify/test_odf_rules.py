"""The second opinion on OpenDocument, rule by rule: kinds, the first member, what may link and where to, what counts as text."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import odf

NAME = "urn:oasis:names:tc:opendocument:xmlns:"
TYPES = [f"{name}{ending}" for name in ("text", "spreadsheet", "presentation", "graphics") for ending in ("", "-template")] + ["formula"]


def _first(content: str = "application/vnd.oasis.opendocument.text", *, name: str = "mimetype", method: int = 0, extra: bytes = b"") -> bytes:
    """The record of the first member, and where the directory ends."""
    data = content.encode()
    head = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, method, 0, 0, 0, len(data), len(data), len(name), len(extra))
    return head + name.encode() + extra + data + b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize("kind", TYPES)
def test_every_kind_of_document_is_told_by_its_first_bytes(kind: str) -> None:
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    assert odf._stored_mimetype(_first(media_type)) == media_type.encode()


@pytest.mark.parametrize(
    "data",
    [
        _first("application/vnd.oasis.opendocument.database"), _first("application/vnd.oasis.opendocument.text-master"), _first(name="mimetypf"),
        _first(name="a"), _first(method=8), _first(extra=b"more"), b"PK\x03\x05" + _first()[4:],
    ],
)  # fmt: skip
def test_another_first_member_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationFailed, match="first member"):
        odf._stored_mimetype(data)


def test_nothing_stands_behind_the_end() -> None:
    for tail in (b"x", b"PK\x05\x06"):
        with pytest.raises(VerificationFailed, match="behind the end"):
            odf._stored_mimetype(_first() + tail)


def test_there_is_an_opinion_for_every_kind() -> None:
    assert set(odf.VERIFIERS) == {Kind.ODT, Kind.ODS, Kind.ODP, Kind.ODG, Kind.ODF}


@pytest.mark.parametrize("field", ["comment", "extra"])
def test_what_only_the_directory_says_is_refused(field: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("content.xml", b"<a/>")
        setattr(package.infolist()[0], field, struct.pack("<2H", 0x7777, 0))
    with pytest.raises(VerificationFailed, match="comments or extra fields"):
        odf._members(out.getvalue())


def test_a_note_at_the_end_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("content.xml", b"<a/>")
        package.comment = b"note"
    with pytest.raises(VerificationFailed, match="comments or extra fields"):
        odf._members(out.getvalue())


def _manifest(text: bytes, names: tuple[str, ...] = ()) -> dict[str, str]:
    return odf._manifest({"META-INF/manifest.xml": text, "mimetype": b"x", **dict.fromkeys(names, b"")}, b"x")


def test_a_manifest_is_read_to_its_end() -> None:
    entry = b'<manifest:file-entry manifest:full-path="%b" manifest:media-type="%b"/>'
    start, end = b'<manifest:manifest xmlns:manifest="urn:m">', b"</manifest:manifest>"
    whole = start + entry % (b"/", b"x") + entry % (b"Object 1/", b"") + entry % (b"a.xml", b"") + end
    assert _manifest(whole, ("a.xml",)) == {"/": "x", "Object 1/": "", "a.xml": ""}
    for cut in (whole[: -len(end)], whole[:-1], b""):
        with pytest.raises(VerificationFailed, match="manifest:"):
            _manifest(cut, ("a.xml",))
    for names in ((), ("a.xml", "b.xml")):
        with pytest.raises(VerificationFailed, match="does not list"):
            _manifest(whole, names)


def _check(body: str, members: tuple[str, ...] = (), listed: tuple[str, ...] = ()) -> None:
    spaces = "".join(
        f' xmlns:{name}="{NAME}{full}:1.0"'
        for name, full in (("text", "text"), ("draw", "drawing"), ("form", "form"), ("chart", "chart"), ("office", "office"))
    )
    content = f'<office:a{spaces} xmlns:xlink="http://www.w3.org/1999/xlink">{body}</office:a>'.encode()
    odf._check_xml("content.xml", content, dict.fromkeys(members, b""), dict.fromkeys(listed, ""), ("https", "mailto"))


@pytest.mark.parametrize("tag", ["text:a", "draw:a", "draw:area-rectangle", "draw:area-circle", "draw:area-polygon", "form:button", "form:image"])
def test_what_may_link_links_to_allowed_schemes(tag: str) -> None:
    for target in ("https://a.jp/", "HTTPS://a.jp/", "mailto:a@b.jp", "#place", "https://a.jp/?a&amp;b"):
        _check(f'<{tag} xlink:href="{target}"/>')
    for target in ("http://a.jp/", "file:///c", "other.odt", "//host/x", "news:x", "x#place"):
        with pytest.raises(VerificationFailed, match="target"):
            _check(f'<{tag} xlink:href="{target}"/>')


@pytest.mark.parametrize("tag", ["draw:image", "draw:object", "text:p", "text:area-circle", "chart:a", "draw:button", "office:a"])
def test_what_may_not_link_stays_inside(tag: str) -> None:
    _check(f'<{tag} xlink:href="Pictures/a.png"/>', members=("Pictures/a.png",))
    _check(f'<{tag} xlink:href="./Object 1"/>', listed=("Object 1/",))
    for target in ("https://a.jp/", "#place", "Pictures/b.png", "Object 2", "a:content.xml"):
        with pytest.raises(VerificationFailed, match="target"):
            _check(f'<{tag} xlink:href="{target}"/>', members=("Pictures/a.png", "a:content.xml"), listed=("Object 1/",))


@pytest.mark.parametrize(("target", "inside"), [("..", True), (".", True), ("", True), ("../..", False), ("https://a.jp/", False), ("#a", False)])
def test_a_chart_names_the_document_that_it_stands_in(target: str, inside: bool) -> None:
    if inside:
        _check(f'<chart:chart xlink:href="{target}"/>')
        return
    with pytest.raises(VerificationFailed, match="target"):
        _check(f'<chart:chart xlink:href="{target}"/>')


def test_a_prefix_of_two_meanings_links_nowhere() -> None:
    _check(f'<text:a xmlns:text="{NAME}text:1.0" xlink:href="https://a.jp/"/>')
    with pytest.raises(VerificationFailed, match="target"):
        _check(f'<text:b xmlns:text="{NAME}drawing:1.0"/><text:a xlink:href="https://a.jp/"/>')


def test_the_text_of_paragraphs_counts_in_bytes() -> None:
    assert odf._text_length(b"<text:p>abc</text:p><text:h x='1'>de</text:h><text:span>f</text:span><table:x>ghi</table:x>") == 6


def _compared(made: bytes, given: bytes, *others: tuple[str, bytes]) -> None:
    odf._compare({"content.xml": made, **dict(others)}, Source(given))


def test_of_a_flat_document_every_part_counts() -> None:
    """Its text may be in another part of the package, and a picture is none."""
    flat = b"<?xml?><text:p>0123456789</text:p>"
    _compared(b"<a/>", flat, ("styles.xml", b"<text:p>0123456789</text:p>"))
    with pytest.raises(VerificationFailed, match="text is lost"):
        _compared(b"<a/>", flat, ("Pictures/a.png", b"<text:p>0123456789</text:p>"))
    _compared(b"<a/>", b" " * 100 + flat)       # a beginning that is none: an original that cannot be compared


def test_half_of_the_text_is_the_least() -> None:
    before = b"<office:a><text:p>%b</text:p></office:a>" % (b"x" * 100)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("content.xml", before)
    _compared(before.replace(b"x" * 50, b"", 1), package.getvalue())
    with pytest.raises(VerificationFailed, match="100 bytes before, 49 after"):
        _compared(before.replace(b"x" * 51, b"", 1), package.getvalue())


def test_half_of_the_text_is_the_least_of_a_long_document_too() -> None:
    """Of which one half is as it was, and the other gone."""
    lasting = b"<text:p>same text</text:p>" * 40_000
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("content.xml", b"<text:p>%b</text:p>" % (b"x" * 360_000) + lasting)
    _compared(lasting, package.getvalue())
    with pytest.raises(VerificationFailed, match="720000 bytes before, 359991 after"):
        _compared(lasting[26:], package.getvalue())


@pytest.mark.parametrize("word", ["dde-links", "tracked-changes", "annotation"])
def test_what_policy_may_take_away_is_not_missed(word: str) -> None:
    lasting = b"<office:a><text:p>abc</text:p>%b</office:a>"
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("content.xml", lasting % (f"<x:{word}><table:table-cell/><text:p>{'y' * 99}</text:p></x:{word}>".encode()))
    _compared(lasting % b"", package.getvalue())


def test_an_original_without_content_is_not_compared() -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("other.xml", b"<a/>")
    _compared(b"<a/>", package.getvalue())


def test_a_media_type_in_the_extra_field_is_none() -> None:
    kind = b"application/vnd.oasis.opendocument.text"
    head = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, len(kind), len(kind), 8, len(kind))
    with pytest.raises(VerificationFailed, match="first member"):
        odf._stored_mimetype(head + b"mimetype" + kind + kind + b"PK\x05\x06" + bytes(18))


def test_what_policy_takes_away_is_cut_out_whole() -> None:
    assert odf._lasting(b"a<o:annotation>b</o:annotation>c<o:annotation>d</o:annotation>e") == b"ace"
    assert odf._lasting(b"a<o:annotation>b<o:annotation>c</o:annotation>d<o:annotation>e</o:annotation>f</o:annotation>g") == b"ag"
    assert odf._lasting(b"<o:annotation>b</o:annotation></o:annotation>c<o:annotation>d</o:annotation>e") == b"ce"
    assert odf._lasting(b"a<o:annotation>b<o:annotation>c</o:annotation>d</o:annotation>e") == b"ae"
    assert odf._lasting(b"a<o:annotation/>b") == b"a<o:annotation/>b"
    assert odf._lasting(b"a</o:annotation></o:annotation>b<o:tracked-changes>c</o:tracked-changes>d") == b"bd"
