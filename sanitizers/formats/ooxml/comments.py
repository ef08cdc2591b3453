"""Comments and tracked changes, where policy does not want them to cross: comments go, changes are accepted."""

from __future__ import annotations

from typing import Final

from sanitizers import xml
from sanitizers.formats.office import tree
from sanitizers.formats.ooxml.page import Page
from sanitizers.formats.ooxml.vocabulary import clark

ROLES: Final = frozenset(
    {"comments", "commentsExtended", "commentsIds", "commentsExtensible", "threadedComment", "person", "commentAuthors", "authors"}
)

_REMOVED: Final = clark(
    "w:commentRangeStart w:commentRangeEnd w:commentReference w:del w:moveFrom w:moveFromRangeStart w:moveFromRangeEnd w:moveToRangeStart "
    "w:moveToRangeEnd w:rPrChange w:pPrChange w:sectPrChange w:tblPrChange w:tblPrExChange w:trPrChange w:tcPrChange w:tblGridChange "
    "w:numberingChange w:cellIns w:cellDel w:cellMerge"
)
_ACCEPTED: Final = clark("w:ins w:moveTo")
_DELETED: Final = clark("w:del")
_ROW_PROPERTIES: Final = clark("w:trPr")
_NOTE: Final = clark("vx:ClientData")
MARKS: Final = _REMOVED | _ACCEPTED | _NOTE


def drop(page: Page) -> None:
    """Accept what was inserted, leave out what was deleted, and every mark of a comment."""
    marks = [*page.root.iter(*_REMOVED, *_ACCEPTED), *(data for data in page.root.iter(*_NOTE) if data.get("ObjectType") == "Note")]
    for element in marks:
        if tree.attached(element, page.root) and element.getparent() is not None:
            _settle(element)
    if marks:
        page.found("ooxml.comments")


def _settle(element: xml.Element) -> None:
    parent = element.getparent()
    if element.tag in _DELETED and parent.tag in _ROW_PROPERTIES:
        tree.remove(parent.getparent())     # the whole row was deleted
    elif element.tag in _ACCEPTED:
        tree.unwrap(element)
    elif element.tag in _NOTE:
        tree.remove(parent)
    else:
        tree.remove(element)
