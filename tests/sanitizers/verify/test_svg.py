"""The second opinion on drawings refuses whatever is not on its own list."""

from __future__ import annotations

import base64

import msgspec
import pytest

from sanitizers.context import Context
from sanitizers.model import Kind, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.svg import verify
from tests.build.context import context, delivered

PICTURE = b"\x89PNG\r\n\x1a\n of the engine"


def given(*pictures: bytes, kind: Kind = Kind.PNG, verdict: Verdict = Verdict.CLEAN) -> Context:
    return delivered(context("a.svg", Kind.SVG, link_schemes=("https",)), *pictures, kind=kind, verdict=verdict)


def check(inside: str, *pictures: bytes, top: str = "svg", **facts: object) -> None:
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:o="urn:o"'
    verify(Source(f"<{top} {spaces}>{inside}</{top}>".encode()), Source(b""), given(*pictures, **facts))     # type: ignore[arg-type]


def image(data: bytes = PICTURE, kind: str = "png", element: str = "image") -> str:
    return f'<{element} xlink:href="data:image/{kind};base64,{base64.b64encode(data).decode()}"/>'


@pytest.mark.parametrize(
    "inside",
    [
        "", '<g id="a" class="b" aria-label="@x"><path d="M0 0" fill="url(#p)"/></g>', "<style>.a{fill:url(#b)}</style>", "<title>a</title>", "<desc>@import</desc>",
        '<use href="#a"/>', '<use xlink:href="#a"/>', '<a href="https://a.jp/"><text xml:space="preserve">x</text></a>', "<filter><feGaussianBlur/></filter>",
    ],
)  # fmt: skip
def test_a_plain_drawing_passes(inside: str) -> None:
    check(inside)


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("<script/>", "element"), ("<foreignObject/>", "element"), ("<o:g/>", "element"), ("<animate/>", "element"), ('<g onload="x"/>', "attribute"),
        ('<g o:x="x"/>', "attribute"), ("<!-- x -->", "comment"), ("<?x y?>", "instruction"), ("<g>", "expat"), ("<style>@import</style>", "reaches out"),
        ("<style>a{b:ur</style><style>l(x)}</style>", None), ("<style>a{b:url(x)}</style>", "reaches out"), ('<g fill="url(http://x)"/>', "reaches out"),
        ('<g style="a\\62"/>', "reaches out"), ("<style><g/></style>", "element inside style"), ("<title><a/></title>", "element inside title"),
        ('<use href="a.svg#b"/>', "reference"), ('<a href="javascript:x"/>', "reference"), ('<image href="https://a.jp/x.png"/>', "reference"),
        ('<g href="https://a.jp/"/>', "reference"), ('<use href="# a"/>', "reference"), ('<g fill="image-set(x)"/>', "reaches out"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(inside: str, why: str | None) -> None:
    if why is None:
        check(inside)
        return
    with pytest.raises(VerificationFailed, match=why):
        check(inside)


def test_another_root_and_a_document_type_are_refused() -> None:
    with pytest.raises(VerificationFailed, match="not a drawing"):
        check("", top="g")
    for text in ('<!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg"/>', '<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'):
        with pytest.raises(VerificationFailed, match="document type"):
            verify(Source(text.encode()), Source(b""), given())


def test_pictures_are_those_of_the_engine_each_as_often_as_it_came() -> None:
    check(image(), PICTURE)
    check(image(element="feImage").join(("<filter>", "</filter>")), PICTURE)
    check("", PICTURE, kind=Kind.TEXT)
    check("", PICTURE, verdict=Verdict.HELD)
    for inside, pictures, why in (
        (image(), (), "no sanitizer made"),
        (image() * 2, (PICTURE,), "no sanitizer made"),
        ("", (PICTURE,), "missing"),
        (image(kind="jpeg"), (PICTURE,), "no sanitizer made"),
        (image(element="use"), (PICTURE,), "reference"),
        (image().replace("=", "", 9), (PICTURE,), "expat|base64|reference"),
    ):
        with pytest.raises(VerificationFailed, match=why):
            check(inside, *pictures)


def test_base64_that_is_cut_is_no_picture() -> None:
    with pytest.raises(VerificationFailed, match="base64"):
        check('<image href="data:image/png;base64,iVBOR"/>')


@pytest.mark.parametrize(("kind", "head"), [("png", b"\x89PNG\r\n"), ("jpeg", b"\xff\xd8\xff"), ("gif", b"GIF8"), ("webp", b"RIFF")])
def test_a_picture_is_what_it_says(kind: str, head: bytes) -> None:
    check(image(head + b"x", kind), head + b"x")
    with pytest.raises(VerificationFailed, match="no sanitizer made"):
        check(image(b"x" + head, kind), b"x" + head)


def test_words_that_are_shown_may_say_anything() -> None:
    for name in ("aria-label", "id", "class"):
        check(f'<g {name}="@ expression"/>')
    for name in ("desc", "title", "style"):
        with pytest.raises(VerificationFailed, match="element inside"):
            check(f"<{name}><g/></{name}>")


@pytest.mark.parametrize("kind", [Kind.PNG, Kind.JPEG, Kind.GIF, Kind.WEBP])
def test_a_picture_that_was_delivered_and_is_not_there_is_missing(kind: Kind) -> None:
    with pytest.raises(VerificationFailed, match="missing"):
        check("", PICTURE, kind=kind)


def test_a_part_without_an_output_is_not_asked_for() -> None:
    context_ = given(PICTURE)
    context_.parts[:] = [msgspec.structs.replace(context_.parts[0], output=None)]
    verify(Source(b'<svg xmlns="http://www.w3.org/2000/svg"/>'), Source(b""), context_)


def test_a_drawing_that_does_not_end_is_refused() -> None:
    check('<text xml:lang="ja" xml:space="preserve">x</text>')
    with pytest.raises(VerificationFailed, match="expat"):
        verify(Source(b'<svg xmlns="http://www.w3.org/2000/svg"><g/>'), Source(b""), given())
