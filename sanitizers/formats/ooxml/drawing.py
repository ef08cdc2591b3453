"""What DrawingML and VML may do in any Office file: show pictures that lie inside, and link where the policy allows."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from sanitizers import xml
from sanitizers.context import Context
from sanitizers.formats.office import tree
from sanitizers.formats.ooxml.page import Handler, Page, prune, references
from sanitizers.formats.ooxml.vocabulary import clark
from sanitizers.model import Action, Malformed

_JUMPS: Final = re.compile(
    r"ppaction://(?:noaction|hlinksldjump|hlinkshowjump\?jump=(?:nextslide|previousslide|firstslide|lastslide|lastslideviewed|endshow)"
    r"|customshow\?id=\d+(?:&return=true)?)?",
    re.IGNORECASE,
)
# Every element of the vocabulary that carries a relationship id.
REFERRERS: Final = clark(
    "a:blip a:hlinkClick a:hlinkHover a:hlinkMouseOver a15:svgBlip c:chart cx:chart c:userShapes c:externalData c:legacyDrawingHF "
    "dgm:relIds w:hyperlink w:headerReference w:footerReference v:imagedata v:fill v:stroke "
    "x:hyperlink x:drawing x:legacyDrawing x:legacyDrawingHF x:drawingHF x:picture x:tablePart x:pageSetup x:control x:controlPr "
    "x:pivotCache x:pivotCacheDefinition x:worksheetSource x:dataRef x14:slicer x14:slicerCache x15:timelineRef x15:timelineCacheRef "
    "p:sldId p:sldMasterId p:notesMasterId p:handoutMasterId p:sldLayoutId p:sld"
)
_ATTRIBUTE_ONLY: Final = clark("x:pageSetup x:controlPr v:fill v:stroke x:pivotCacheDefinition")
_UNWRAPPED: Final = clark("w:hyperlink")
_FRAMED: Final = clark("c:chart cx:chart dgm:relIds")
_FRAMES: Final = clark("w:drawing p:graphicFrame xdr:twoCellAnchor xdr:oneCellAnchor xdr:absoluteAnchor")
_STYLED: Final = etree.XPath("//*[@style]")
_VML_STYLE: Final = re.compile(r"url\s*\(|expression|behaviou?r|@import|\\", re.IGNORECASE)


def parse_vml(data: bytes, context: Context, where: str) -> xml.Element:
    """VML of old versions of Excel has an unclosed `<br>` in its comments, which Office itself reads; nothing else is forgiven."""
    try:
        return xml.parse(data, context.budget, where)
    except Malformed as refusal:
        if b"<br>" not in data or refusal.code == "xml.dtd":
            raise
        return xml.parse(data.replace(b"<br>", b"<br/>"), context.budget, where)


def check_references(page: Page) -> None:
    """No element names a relationship that is not kept."""
    for element in page.elements(REFERRERS):
        if not tree.attached(element, page.root):
            continue
        lost = [name for name, value in references(element) if value and not page.keeps(page.relations.get(value))]
        if lost:
            _let_go(element, lost, page)
    if "style" in page.names.attributes:
        _check_styles(page)


def _let_go(element: xml.Element, lost: list[str], page: Page) -> None:
    if element.tag in _ATTRIBUTE_ONLY:
        for name in lost:
            del element.attrib[name]
        return
    if element.tag in _UNWRAPPED:
        for name in lost:
            del element.attrib[name]
        if not any(name.endswith("}anchor") for name in element.attrib):
            tree.unwrap(element)
        return
    if element.tag in _FRAMED:
        element = tree.enclosing(element, _FRAMES)
        if element is None:
            raise Malformed("chart or diagram outside of a frame", where=page.name, code="ooxml.package")
    parent = element.getparent()
    if parent is None:
        raise Malformed("a root element refers to a part that cannot stay", where=page.name, code="ooxml.package")
    tree.remove(element)
    prune(parent)


def _check_styles(page: Page) -> None:
    """CSS of VML: nothing that a browser engine would load or run."""
    for element in _STYLED(page.root):
        style = element.get("style")
        if _VML_STYLE.search(style):
            del element.attrib["style"]
            page.found("ooxml.external_reference", "style", detail=style[:200])


def _blip(element: xml.Element, page: Page) -> None:
    """A picture by link becomes the picture beside it, or the neutral one."""
    linked = page.relation(element, "link")
    embedded = page.relation(element, "embed")
    names = [name for name, _ in references(element) if name.endswith("}link")]
    for name in names:
        del element.attrib[name]
    if linked is None or embedded is not None:
        return
    element.set(names[0].replace("}link", "}embed"), page.add(linked, page.rebuild.neutral_picture()))
    page.found("ooxml.picture_replaced", linked.id, Action.REWRITTEN, linked.target)


def _vector_picture(element: xml.Element, page: Page) -> None:
    """The SVG beside a picture stays only as SVG; otherwise the picture alone is shown."""
    relation = page.relation(element, "embed")
    if relation is not None and page.keeps(relation) and not page.kept[relation.id].endswith(".svg"):
        del page.kept[relation.id]
        parent = element.getparent()
        tree.remove(element)
        prune(parent)


def _click(element: xml.Element, page: Page) -> None:
    """A link of a shape or of text: web links by scheme, jumps inside the show; programs, macros, files and objects never."""
    action = element.get("action") or ""
    if action and not _JUMPS.fullmatch(action):
        page.found("ooxml.action", action.partition("?")[0], detail=action)
        tree.remove(element)


def _macro(element: xml.Element, page: Page) -> None:
    """A shape that starts a macro when clicked (SpreadsheetML drawings have the attribute, mostly empty)."""
    if element.get("macro"):
        page.found("ooxml.macro_link", element.get("macro") or "")
        element.set("macro", "")


HANDLERS: Final[dict[str, Handler]] = {
    **dict.fromkeys(clark("a:blip"), _blip),
    **dict.fromkeys(clark("a15:svgBlip"), _vector_picture),
    **dict.fromkeys(clark("a:hlinkClick a:hlinkHover a:hlinkMouseOver"), _click),
    **dict.fromkeys(clark("xdr:sp xdr:pic xdr:graphicFrame xdr:cxnSp cdr:sp cdr:pic cdr:graphicFrame cdr:cxnSp x:controlPr"), _macro),
}
