"""PresentationML: OLE objects and ActiveX controls become their pictures."""

from __future__ import annotations

import copy
from typing import Final

from lxml import etree

from sanitizers import xml
from sanitizers.formats.office import tree
from sanitizers.formats.ooxml.drawing import parse_vml
from sanitizers.formats.ooxml.page import Handler, Page, references
from sanitizers.formats.ooxml.vocabulary import SPACES, clark

_OBJECT: Final = clark("p:oleObj")
_CONTROL: Final = clark("p:control")
_SHAPES: Final = clark("p:spTree")
_PICTURE: Final = clark("p:pic")
_PROPERTIES: Final = clark("p:cNvPr")
_SHAPE: Final = clark("p:spPr")
_PLACE: Final = clark("p:xfrm")
_VML_SHAPE: Final = clark("v:shape")
_VML_IMAGE: Final = clark("v:imagedata")
_SPID: Final = "{urn:schemas-microsoft-com:office:office}spid"
_SHAPE_PLACE: Final = clark("a:xfrm")


def _frame(element: xml.Element, page: Page) -> None:
    """A frame around an OLE object: the picture that the object is shown by takes its place."""
    ole = next(element.iter(*_OBJECT), None)
    if ole is None:
        return
    picture = next(ole.iter(*_PICTURE), None)
    page.found("ooxml.ole_object", _name(element), detail=ole.get("progId") or "")
    if picture is None and (picture := _old_picture(ole, page)) is None:
        tree.remove(element)
        return
    _take_identity(element, picture)
    if picture.getparent() is not None:
        tree.remove(picture)
    tree.replace(element, [picture])


def _controls(element: xml.Element, page: Page) -> None:
    """The pictures that controls are shown by move to the end of the slide's shapes."""
    shapes = next(page.root.iter(*_SHAPES), None)
    for control in list(element.iter(*_CONTROL)):
        page.found("ooxml.activex", control.get("name") or "control")
        picture = next(control.iter(*_PICTURE), None)
        if picture is not None and shapes is not None:
            tree.remove(picture)
            shapes.append(picture)
    tree.remove(element)


def _old_picture(ole: xml.Element, page: Page) -> xml.Element | None:
    """PowerPoint 2007 keeps the picture in the VML drawing of the slide, in the shape that `spid` names."""
    drawing = next((one for one in page.relations.values() if one.key == "vmlDrawing" and not one.external), None)
    part = page.rebuild.package.resolve(page.part, drawing.target) if drawing else None
    if drawing is None or part is None:
        return None
    root = parse_vml(page.rebuild.package.read(part), page.context, page.rebuild.package.name(part))
    links = {one.id: one for one in page.rebuild.package.relationships(part)}
    for shape in root.iter(*_VML_SHAPE):
        image = next(shape.iter(*_VML_IMAGE), None)
        if image is None or ole.get("spid") not in (shape.get("id"), shape.get(_SPID)):
            continue
        link = next((links[value] for _, value in references(image) if value in links), None)
        source = Page(part, part, root, list(links.values()), page.rebuild)
        if link is not None and link.key == "image" and (target := page.rebuild.take(source, link)) is not None:
            return _picture(ole, page.add(link, target))
    return None


def _picture(ole: xml.Element, identity: str) -> xml.Element:
    slide = ole.tag.rpartition("}")[0] + "}"
    strict = slide.startswith("{http://purl.oclc.org")
    drawing, relations = (f"{{{SPACES[prefix][strict]}}}" for prefix in ("a", "r"))
    picture = etree.Element(f"{slide}pic")
    about = etree.SubElement(picture, f"{slide}nvPicPr")
    etree.SubElement(about, f"{slide}cNvPr", id="0", name="")
    etree.SubElement(about, f"{slide}cNvPicPr")
    etree.SubElement(about, f"{slide}nvPr")
    fill = etree.SubElement(picture, f"{slide}blipFill")
    etree.SubElement(fill, f"{drawing}blip").set(f"{relations}embed", identity)
    etree.SubElement(etree.SubElement(fill, f"{drawing}stretch"), f"{drawing}fillRect")
    shape = etree.SubElement(picture, f"{slide}spPr")
    etree.SubElement(shape, f"{drawing}prstGeom", prst="rect")
    return picture


def _name(element: xml.Element) -> str:
    properties = next(element.iter(*_PROPERTIES), None)
    return (properties.get("name") or "") if properties is not None else ""


def _take_identity(frame: xml.Element, picture: xml.Element) -> None:
    """Id, name and place of the frame: the picture inside often has none of its own."""
    theirs, own = next(frame.iter(*_PROPERTIES), None), next(picture.iter(*_PROPERTIES), None)
    if theirs is not None and own is not None:
        own.set("id", theirs.get("id") or "0")
        own.set("name", theirs.get("name") or "")
    shape, place = next(picture.iter(*_SHAPE), None), next(frame.iterchildren(*_PLACE), None)
    if shape is None or place is None or next(shape.iterchildren(*_SHAPE_PLACE), None) is not None:
        return
    moved = copy.deepcopy(place)
    moved.tag = moved[0].tag.rpartition("}")[0] + "}xfrm" if len(moved) else moved.tag
    moved.tail = None
    shape.insert(0, moved)


HANDLERS: Final[dict[str, Handler]] = {
    **dict.fromkeys(clark("p:graphicFrame"), _frame),
    **dict.fromkeys(clark("p:controls"), _controls),
}
