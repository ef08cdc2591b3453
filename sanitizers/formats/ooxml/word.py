"""WordprocessingML: fields, objects and links."""

from __future__ import annotations

from typing import Final

from sanitizers import xml
from sanitizers.formats.office import links, tree
from sanitizers.formats.ooxml import fields
from sanitizers.formats.ooxml.page import Handler, Page
from sanitizers.formats.ooxml.vocabulary import SPACES, clark

_ACTIVE: Final = clark("o:OLEObject w:control")
_STORE: Final = "storeItemID"


def prepare(page: Page) -> None:
    """Fields, before anything else moves: their parts are found by the order in which they stand."""
    if page.root.tag.startswith(tuple(f"{{{space}}}" for space in SPACES["w"])):
        fields.defuse(page)


def _object(element: xml.Element, page: Page) -> None:
    """An OLE object or control shows a VML picture of itself: that picture stays, in the element for pictures."""
    for active in list(element.iter(*_ACTIVE)):
        if page.relation(active) is None:
            page.found("ooxml.ole_object", "object")
        tree.remove(active)
    element.tag = element.tag.replace("}object", "}pict")
    element.attrib.clear()


def _hyperlink(element: xml.Element, page: Page) -> None:
    for name, value in element.attrib.items():
        if name.endswith("}anchor") and not links.is_place(value):
            del element.attrib[name]
            page.found("ooxml.hyperlink", "anchor", detail=value)


def _data_binding(element: xml.Element, page: Page) -> None:
    for name, value in element.attrib.items():
        if name.endswith(_STORE):
            page.rebuild.bound |= {value.lower()}


HANDLERS: Final[dict[str, Handler]] = {
    **dict.fromkeys(clark("w:object"), _object),
    **dict.fromkeys(clark("w:hyperlink"), _hyperlink),
    **dict.fromkeys(clark("w:dataBinding w15:dataBinding"), _data_binding),
}
