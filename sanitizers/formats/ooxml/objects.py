"""OLE objects and ActiveX controls of worksheets: each leaves the picture it was shown by, as a picture at its place in the drawing."""

from __future__ import annotations

from typing import Final, NamedTuple

from lxml import etree

from sanitizers import xml
from sanitizers.formats.office import tree
from sanitizers.formats.ooxml.page import Handler, Page, prune
from sanitizers.formats.ooxml.relationships import Relationship
from sanitizers.formats.ooxml.vocabulary import SPACES, clark

_OBJECT: Final = clark("x:oleObject")
_CONTROL: Final = clark("x:control")
_PROPERTIES: Final = clark("x:objectPr x:controlPr")
_DRAWING: Final = clark("x:drawing")
_CORNERS: Final = (clark("x:from"), clark("x:to"))
_OFFSETS: Final = ("col", "colOff", "row", "rowOff")
_SHAPE: Final = clark("a14:compatExt")
_ANCHORS: Final = clark("xdr:twoCellAnchor xdr:oneCellAnchor xdr:absoluteAnchor")
_ROOT: Final = clark("xdr:wsDr")


class Preview(NamedTuple):
    """A picture (name of its part in the new package) and the two corners, each column, offset, row, offset."""

    shape: str
    target: str
    relation: Relationship
    corners: tuple[tuple[str, ...], ...]


def place(page: Page, previews: list[Preview]) -> None:
    """Put the pictures where the shapes of the objects were."""
    if page.root.tag not in _ROOT:
        return
    shapes = {f"_x0000_s{preview.shape}" for preview in previews}
    for mark in list(page.root.iter(*_SHAPE)):
        anchor = tree.enclosing(mark, _ANCHORS)
        if mark.get("spid") in shapes and anchor is not None:
            tree.remove(anchor)
    for number, preview in enumerate(previews):
        page.root.append(_anchor(page, preview, 60_000 + number))


def _anchor(page: Page, preview: Preview, number: int) -> xml.Element:
    strict = page.root.tag.startswith("{http://purl.oclc.org")
    sheet, drawing, relations = (f"{{{SPACES[prefix][strict]}}}" for prefix in ("xdr", "a", "r"))
    anchor = etree.Element(f"{sheet}twoCellAnchor")
    for name, corner in zip(("from", "to"), preview.corners, strict=True):
        point = etree.SubElement(anchor, f"{sheet}{name}")
        for part, value in zip(_OFFSETS, corner, strict=True):
            etree.SubElement(point, f"{sheet}{part}").text = value
    picture = etree.SubElement(anchor, f"{sheet}pic")
    about = etree.SubElement(picture, f"{sheet}nvPicPr")
    etree.SubElement(about, f"{sheet}cNvPr", id=str(number), name=f"Picture {number}")
    etree.SubElement(about, f"{sheet}cNvPicPr")
    fill = etree.SubElement(picture, f"{sheet}blipFill")
    etree.SubElement(fill, f"{drawing}blip").set(f"{relations}embed", page.add(preview.relation, preview.target))
    etree.SubElement(etree.SubElement(fill, f"{drawing}stretch"), f"{drawing}fillRect")
    etree.SubElement(etree.SubElement(picture, f"{sheet}spPr"), f"{drawing}prstGeom", prst="rect")
    etree.SubElement(anchor, f"{sheet}clientData")
    return anchor


def _objects(element: xml.Element, page: Page) -> None:
    for ole in list(element.iter(*_OBJECT)):
        page.found("ooxml.ole_object", f"shape {ole.get('shapeId')}", detail=ole.get("progId") or "")
        _leave_picture(ole, page)
    tree.remove(element)


def _controls(element: xml.Element, page: Page) -> None:
    """Form controls have properties of their own kind; any other is ActiveX."""
    for control in list(element.iter(*_CONTROL)):
        relation = page.relation(control)
        if relation is None or relation.key != "ctrlProp":
            page.found("ooxml.activex", f"shape {control.get('shapeId')}", detail=control.get("name") or "")
            _leave_picture(control, page)
            parent = control.getparent()
            tree.remove(control)
            prune(parent)


def _leave_picture(active: xml.Element, page: Page) -> None:
    drawing = next((page.relation(one) for one in page.root.iter(*_DRAWING)), None)
    part = page.rebuild.package.resolve(page.part, drawing.target) if drawing is not None and not drawing.external else None
    if part is not None and (preview := _preview(active, page)) is not None:
        page.rebuild.previews.setdefault(part, []).append(preview)


def _preview(ole: xml.Element, page: Page) -> Preview | None:
    properties = next(ole.iter(*_PROPERTIES), None)
    relation = page.relation(properties) if properties is not None else None
    if properties is None or relation is None or relation.key != "image":
        return None
    corners = tuple(_corner(properties, names) for names in _CORNERS)
    target = page.rebuild.take(page, relation)
    return Preview(ole.get("shapeId") or "", target, relation, corners) if target is not None and all(corners) else None


def _corner(properties: xml.Element, names: frozenset[str]) -> tuple[str, ...]:
    """Column, offset, row, offset as decimal texts; () where one is missing or no number."""
    point = next(properties.iter(*names), None)
    texts = [(child.text or "").strip() for child in point] if point is not None else []
    return tuple(texts) if len(texts) == 4 and all(text.lstrip("-").isdecimal() for text in texts) else ()


HANDLERS: Final[dict[str, Handler]] = {
    **dict.fromkeys(clark("x:oleObjects"), _objects),
    **dict.fromkeys(clark("x:controls"), _controls),
}
