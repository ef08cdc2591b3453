"""Drawings in rarer spellings: what each keeps, what each leaves behind, and what is refused before it is read."""

from __future__ import annotations

from typing import Any

import pytest

from sanitizers import vector
from sanitizers.context import Context
from sanitizers.formats import svg
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed
from sanitizers.source import Source
from sanitizers.verify import svg as verify_svg
from tests.build import svg as build
from tests.build.context import changes, sanitize

CANARY = build.CANARY


def run(data: bytes, **options: Any) -> tuple[str, Context]:
    made, given = sanitize(svg.SANITIZER, data, Kind.SVG, "x.svg", **options)
    verify_svg.verify(made.content, Source(data), given)
    again, second = sanitize(svg.SANITIZER, made.content.bytes(), Kind.SVG, "x.svg", **options)
    assert changes(second) == []
    assert again.content.bytes() == made.content.bytes()
    return made.content.bytes().decode(), given


def codes(given: Context) -> set[str]:
    return {finding.code for finding in changes(given)}


# --- elements and texts ---


@pytest.mark.parametrize(
    ("inside", "kept"),
    [
        ("<text>前<script/>後</text>", "<text>前後</text>"),
        ("<text><tspan>前</tspan><script/>後</text>", "<text><tspan>前</tspan>後</text>"),
        ("<text><tspan/>中<script/>後</text>", "<text><tspan/>中後</text>"),
        ("<text><script/>後</text>", "<text>後</text>"),
    ],
)
def test_text_behind_what_is_left_out_stays(inside: str, kept: str) -> None:
    output, given = run(build.drawing(inside))
    assert codes(given) == {"svg.script"}
    assert kept in output


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        (f"<title>表題<tspan>{CANARY}</tspan></title>", {"svg.element"}),
        (f"<desc>説明<script>{CANARY}</script></desc>", {"svg.script"}),
        (f"<desc>説明<rect onclick='{CANARY}'/></desc>", {"svg.event_handler", "svg.element"}),
        ("<desc>説明<use/></desc>", set[str]()),
    ],
)
def test_titles_and_descriptions_are_text_alone(inside: str, found: set[str]) -> None:
    output, given = run(build.drawing(inside))
    assert codes(given) == found
    assert CANARY not in output
    assert "表題" in output or "説明" in output


def test_a_script_inside_of_what_is_foreign_is_named_too() -> None:
    output, given = run(build.drawing(f'<foreignObject><p xmlns="http://www.w3.org/1999/xhtml"><script>{CANARY}</script></p></foreignObject>'))
    assert codes(given) == {"svg.foreign_object", "svg.script"}
    assert CANARY not in output


def test_elements_of_no_namespace_or_another_are_left_behind() -> None:
    output, given = run(f'<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:rect/><blink>{CANARY}</blink><e:x xmlns:e="urn:e"/></s:svg>'.encode())
    assert [(finding.code, finding.where) for finding in changes(given)] == [("svg.element", "blink"), ("svg.metadata", "x")]
    assert CANARY not in output


def test_a_drawing_without_its_namespace_keeps_those_that_it_has() -> None:
    output, given = run(f'<svg width="5"><rect/><e:x xmlns:e="urn:e">{CANARY}</e:x></svg>'.encode())
    assert codes(given) == {"svg.namespace", "svg.metadata"}
    assert CANARY not in output


# --- attributes ---


def test_one_reference_counts_where_there_are_two() -> None:
    output, given = run(build.drawing('<g id="a"/><g id="b"/><use xlink:href="#b" href="#a"/>'))
    assert codes(given) == set()
    assert 'href="#a"' in output
    assert "#b" not in output.replace('id="b"', "")


@pytest.mark.parametrize("attribute", ['xlink:type="simple"', 'tabindex="1"', 'fill=" "', 'style=";;"', 'xlink:title="x"'])
def test_attributes_that_say_nothing_are_left_behind_silently(attribute: str) -> None:
    output, given = run(build.drawing(f"<rect {attribute}/>"))
    assert codes(given) == set()
    assert "<rect/>" in output


def test_a_reference_to_nothing_draws_nothing() -> None:
    output, given = run(build.drawing('<use href="#nowhere"/>'))
    assert codes(given) == set()
    assert 'href="#nowhere"' in output


@pytest.mark.parametrize("text", ["AAAA=AAA", "A", "AAAAA"])
def test_a_picture_whose_base64_is_broken_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as refusal:
        run(build.drawing(f'<image href="data:image/png;base64,{text}"/>'))
    assert refusal.value.code == "svg.malformed"


# --- styles ---


@pytest.mark.parametrize(
    ("inside", "found", "kept"),
    [
        ('<rect style="fill:red;-inkscape-font-specification:x"/>', {"svg.metadata"}, 'style="fill:red"'),
        ('<rect style="fill:red;quotes:none"/>', {"svg.metadata"}, 'style="fill:red"'),
        ('<rect style="fill:red;nonsense"/>', set[str](), 'style="fill:red"'),
        ('<rect style="fill:red;:blue"/>', set[str](), 'style="fill:red"'),
        ('<rect style="fill:red;stroke:expression(1)"/>', {"svg.style"}, 'style="fill:red"'),
        ('<rect style="fill:red;stroke:rgb(1"/>', {"svg.style"}, 'style="fill:red"'),
        ('<rect style="fill:red;stroke:rgb(1))"/>', {"svg.style"}, 'style="fill:red"'),
        ('<rect style="fill:red;stroke:rgb(rgb(rgb(rgb(1))))"/>', {"svg.style"}, 'style="fill:red"'),
        ('<rect style="fill:red;stroke:&quot;a;b&quot;"/>', set[str](), "fill:red;stroke:"),
        ("<style>rect{fill:red} and more</style>", {"svg.style"}, "<style>rect{fill:red}</style>"),
        ("<style>rect{fill:red}  </style>", set[str](), "<style>rect{fill:red}</style>"),
        ("<style>@charset 'utf-8';rect{fill:red}</style>", set[str](), "<style>rect{fill:red}</style>"),
        ("<style>@namespace url(x);rect{fill:red}</style>", set[str](), "<style>rect{fill:red}</style>"),
        ("<style>@layer a;rect{fill:red}</style>", {"svg.style"}, "<style>rect{fill:red}</style>"),
        ("<style>rect{fill:red}@import</style>", {"svg.stylesheet"}, "<style>rect{fill:red}</style>"),
        ("<style>rect{fill:red}a[href]{fill:blue}</style>", {"svg.style"}, "<style>rect{fill:red}</style>"),
        ("<style>rect{fill:red}g{}</style>", set[str](), "<style>rect{fill:red}</style>"),
        ("<style>rect{fill:red</style>", set[str](), "<style>rect{fill:red}</style>"),
        ("<style>@media x{rect{fill:blue}}rect{fill:red}</style>", {"svg.style"}, "<style>rect{fill:red}</style>"),
    ],
)
def test_styles_are_written_anew_rule_by_rule(inside: str, found: set[str], kept: str) -> None:
    output, given = run(build.drawing(inside))
    assert codes(given) == found
    assert kept in output


# --- before the root ---


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'<?xml version="1.0" encoding="klingon"?><svg/>', "svg.malformed"),
        (b'<?xml version="1.0" encoding="hex"?><svg/>', "svg.malformed"),
        (b'<?xml version="1.0" encoding="utf-16"?><svg/>', "svg.malformed"),
        (build.drawing("<text>\udc80</text>".encode("utf-8", "surrogatepass").decode("latin-1")).replace("í".encode(), b"\xed"), "svg.malformed"),
        (b'<?xml version="1.0" encoding="shift_jis"?><svg>\x81</svg>', "svg.malformed"),
        (b"\xff\xfe<\0s\0v\0g\0/\0>", "svg.malformed"),
        (build.drawing(before="<!DOCTYPE >"), "xml.dtd"),
        (build.drawing(before='<!DOCTYPE svg SYSTEM "x" more>'), "xml.dtd"),
        (build.drawing(before="<!DOCTYPE svg [<!ELEMENT a ANY>] more>"), "xml.dtd"),
        (build.drawing(before="<!DOCTYPE svg [" + "".join(f'<!ENTITY e{n} "x">' for n in range(201)) + "]>"), "xml.dtd"),
    ],
    ids=["no such encoding", "an encoding of bytes", "UTF-16 without its mark", "not UTF-8", "not Shift_JIS", "half a character", "no name", "more", "more behind", "201"],
)  # fmt: skip
def test_what_readers_could_take_differently_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        run(data)
    assert refusal.value.code == code


def test_a_document_type_of_someone_elses_is_named() -> None:
    output, given = run(build.drawing(before='<!DOCTYPE svg SYSTEM "http://192.0.2.1/x.dtd">'))
    assert codes(given) == {"svg.dtd"}
    assert "192.0.2.1" not in output


def test_an_entity_that_is_not_declared_is_refused() -> None:
    with pytest.raises(Malformed):
        run(build.drawing("<text>&b;</text>", before='<!DOCTYPE svg [<!ENTITY a "x">]>'))


# --- as pixels ---


def test_pixels_are_counted_before_they_are_drawn() -> None:
    with pytest.raises(LimitExceeded):
        sanitize(svg.SANITIZER, build.drawing(), Kind.SVG, "x.svg", svg_as_pixels=True, limits=Limits(pixels=10_000))


def test_a_font_is_looked_for_where_distributions_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector, "_FONTS", {"None": "/nowhere/none.ttf"})
    assert vector._first_font() is None
    monkeypatch.setattr(vector, "_FONTS", {"None": "/nowhere/none.ttf", "This": __file__})
    family, data = vector._first_font() or ("", b"")
    assert (family, data[:3]) == ("This", b'"""')
