"""Custom XML parts: only those that content controls are bound to, and of them only elements, attributes and short texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

from sanitizers import xml
from sanitizers.formats.ooxml.relationships import Relationship

if TYPE_CHECKING:
    from sanitizers.formats.ooxml.page import Page
    from sanitizers.formats.ooxml.rebuild import Rebuild

PROPERTIES_TYPE: Final = "application/vnd.openxmlformats-officedocument.customXmlProperties+xml"
_SPACES: Final = (
    "http://schemas.openxmlformats.org/officeDocument/2006/customXml",
    "http://purl.oclc.org/ooxml/officeDocument/customXml",
)
_ID: Final = re.compile(r"\{[0-9A-Fa-f-]{36}\}")
_LARGEST: Final = 4 << 20          # bytes of one item: forms, not stores
_LONGEST_TEXT: Final = 64 << 10    # characters: names and dates, not files in disguise


def settle(rebuild: Rebuild, page: Page, relation: Relationship, target: str) -> None:
    """Take one item into the new package if it is bound to; else say that it stays behind."""
    name = rebuild.package.name(target)
    if (taken := rebuild.taken(target)) is not None:
        page.kept[relation.id] = taken
        return
    rebuild.silence(target)
    found = _properties(rebuild, target)
    if found is None or found[2].lower() not in rebuild.bound or (content := _content(rebuild, target, name)) is None:
        if found is not None:
            rebuild.silence(found[1])
        rebuild.context.found("ooxml.custom_xml", name)
        return
    link, properties, identity, space = found
    rebuild.items += 1
    number = rebuild.items
    made = rebuild.place(target, f"customXml/item{number}.xml", content)
    described = f"<ds:datastoreItem ds:itemID={quoteattr(identity)} xmlns:ds={quoteattr(space)}/>"
    written = f'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n{described}'.encode()
    about = rebuild.place(properties, f"customXml/itemProps{number}.xml", written, PROPERTIES_TYPE)
    page.kept[relation.id] = made
    rebuild.relate(target, made, link, about)


def _properties(rebuild: Rebuild, target: str) -> tuple[Relationship, str, str, str] | None:
    """The relationship to the properties of an item, their part, the item's id and its namespace."""
    for relation in rebuild.package.relationships(target):
        part = None if relation.external else rebuild.package.resolve(target, relation.target)
        if relation.key != "customXmlProps" or part is None:
            continue
        root = xml.parse(rebuild.package.read(part), rebuild.context.budget, rebuild.package.name(part))
        for space in _SPACES:
            identity = root.get(f"{{{space}}}itemID") or ""
            if _ID.fullmatch(identity):
                return relation, part, identity, space
    return None


def _content(rebuild: Rebuild, target: str, name: str) -> bytes | None:
    data = rebuild.package.read(target)
    if len(data) > _LARGEST:
        return None
    root = xml.parse(data, rebuild.context.budget, name)
    texts = (text for element in root.iter() for text in (element.text, element.tail, *element.attrib.values()) if text)
    return xml.serialize(root) if all(len(text) <= _LONGEST_TEXT for text in texts) else None
