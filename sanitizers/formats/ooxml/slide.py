"""PresentationML: OLE objects become their pictures."""

from __future__ import annotations

import copy
from typing import Final

from sanitizers import xml
from sanitizers.formats.ooxml import tree
from sanitizers.formats.ooxml.page import Handler, Page
from sanitizers.formats.ooxml.vocabulary import clark

_OBJECT: Final = clark("p:oleObj")
_PICTURE: Final = clark("p:pic")
_PROPERTIES: Final = clark("p:cNvPr")
_SHAPE: Final = clark("p:spPr")
_PLACE: Final = clark("p:xfrm")
_SHAPE_PLACE: Final = clark("a:xfrm")


def _frame(element: xml.Element, page: Page) -> None:
    """A frame around an OLE object: the picture that the object is shown by takes its place."""
    ole = next(element.iter(*_OBJECT), None)
    if ole is None:
        return
    picture = next(ole.iter(*_PICTURE), None)
    page.found("ooxml.ole_object", _name(element), detail=ole.get("progId") or "")
    if picture is None:
        tree.remove(element)
        return
    _take_identity(element, picture)
    tree.remove(picture)
    tree.replace(element, [picture])


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


HANDLERS: Final[dict[str, Handler]] = dict.fromkeys(clark("p:graphicFrame"), _frame)
