"""Objects and controls on slides: gone, and the picture by which they were shown stays, in its place and under its name."""

from __future__ import annotations

import io

import pytest
from pptx import Presentation

from tests.build import ooxml as build
from tests.build.context import run
from tests.build.ooxml import OFFICE, OLE, Pack
from tests.build.ooxml_cases import CASES
from tests.build.ooxml_samples import slide_control, slide_object

SLIDE, DRAWING = "ppt/slides/slide1.xml", "ppt/drawings/vmlDrawing1.vml"
VML = 'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'


def _made(pack: Pack) -> tuple[dict[str, bytes], list[str]]:
    outcome = run(pack.bytes(), "案内.pptx")
    assert outcome.content is not None, outcome.report.findings
    data = outcome.content.bytes()
    Presentation(io.BytesIO(data))      # another reader takes it
    return build.members(data), [finding.code for finding in outcome.report.findings]


def _old_object(shape: str = '<v:shape id="_x0000_s1026"><v:imagedata o:relid="rId1"/></v:shape>', spid: str = "_x0000_s1026") -> Pack:
    """An object of PowerPoint 2007, whose picture is in a drawing beside the slide."""
    pack = slide_object()
    text = pack.parts[SLIDE].decode()
    start, end = text.index("<p:pic>"), text.index("</p:pic>") + len("</p:pic>")
    pack.parts[SLIDE] = (text[:start] + text[end:]).replace('progId="Package"', f'progId="Package" spid="{spid}"').encode()
    pack.links[SLIDE] = [link for link in pack.links[SLIDE] if link[0] != "rIdI"]
    pack.attach(SLIDE, "rIdV", "vmlDrawing", DRAWING, f"<xml {VML}>{shape}</xml>", f"{OFFICE}vmlDrawing")
    return pack.attach(DRAWING, "rId1", "image", "ppt/media/image9.png", build.png())


def test_the_picture_of_an_old_object_comes_from_the_drawing_beside_it() -> None:
    parts, codes = _made(_old_object())
    assert "ooxml.ole_object" in codes
    slide = parts[SLIDE].decode()
    assert "graphicFrame" not in slide
    picture = slide.partition("<p:pic>")[2].partition("</p:pic>")[0]
    assert '<p:cNvPr id="4" name="表"/>' in picture, "under the name of the frame"
    assert '<a:ext cx="9" cy="9"/>' in picture, "in its place"
    assert 'r:embed="' in picture
    assert any(name.startswith("ppt/media/") for name in parts)
    assert OLE not in parts.values()


@pytest.mark.parametrize(
    "pack",
    [
        _old_object(spid="_x0000_s9"), _old_object('<v:shape id="_x0000_s1026"/>'), _old_object('<v:shape id="_x0000_s1026"><v:imagedata o:relid="rId9"/></v:shape>'),
        _old_object("<v:rect/>"),
    ],
    ids=["of another shape", "no picture", "a picture that is not there", "no shape"],
)  # fmt: skip
def test_an_object_without_a_picture_goes_whole(pack: Pack) -> None:
    parts, codes = _made(pack)
    assert "ooxml.ole_object" in codes
    assert b"graphicFrame" not in parts[SLIDE]
    assert b"<p:pic>" not in parts[SLIDE]
    assert "題名" in parts[SLIDE].decode()


def test_a_shape_may_be_named_by_its_other_identity() -> None:
    parts, _ = _made(_old_object('<v:shape id="a" o:spid="_x0000_s1026"><v:imagedata o:relid="rId1"/></v:shape>'))
    assert b"<p:pic>" in parts[SLIDE]


def test_the_picture_of_a_control_moves_to_the_shapes() -> None:
    pack = slide_control()
    picture = (
        '<p:pic><p:nvPicPr><p:cNvPr id="9" name="ボタン"/><p:cNvPicPr/><p:nvPr/></p:nvPicPr><p:blipFill><a:blip r:embed="rIdI"/></p:blipFill><p:spPr/></p:pic>'
    )
    pack.parts[SLIDE] = pack.parts[SLIDE].replace(b'r:id="rIdC"/></p:controls>', f'r:id="rIdC">{picture}</p:control></p:controls>'.encode())
    parts, codes = _made(pack.attach(SLIDE, "rIdI", "image", "ppt/media/image1.png", build.png()))
    assert "ooxml.activex" in codes
    slide = parts[SLIDE].decode()
    assert "control" not in slide
    assert "ボタン" in slide.partition("<p:spTree")[2].partition("</p:spTree>")[0]


def test_a_control_without_a_picture_goes_whole() -> None:
    parts, codes = _made(slide_control())
    assert "ooxml.activex" in codes
    assert b"control" not in parts[SLIDE]
    assert b"<p:pic>" not in parts[SLIDE]


def test_a_picture_with_a_place_of_its_own_keeps_it() -> None:
    pack = CASES["O13 OLE package on a slide"][0]()
    pack.parts[SLIDE] = pack.parts[SLIDE].replace(
        b"<p:spPr/></p:pic></p:oleObj>", b'<p:spPr><a:xfrm><a:off x="1" y="2"/><a:ext cx="3" cy="4"/></a:xfrm></p:spPr></p:pic></p:oleObj>'
    )
    parts, _ = _made(pack)
    slide = parts[SLIDE].decode().partition("<p:pic>")[2]
    assert '<a:ext cx="3" cy="4"/>' in slide
    assert '<a:ext cx="9" cy="9"/>' not in slide
