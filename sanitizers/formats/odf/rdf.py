"""`manifest.rdf`: every document of LibreOffice has one that lists its own members; anything more is worth a word. ODF 1.3 part 2 §6."""

from __future__ import annotations

from typing import Final

from sanitizers import xml
from sanitizers.budget import Budget
from sanitizers.model import Malformed

MEMBER: Final = "manifest.rdf"

_RDF: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_PACKAGE: Final = "http://docs.oasis-open.org/ns/office/1.2/meta/"
_ELEMENTS: Final = frozenset({f"{_RDF}RDF", f"{_RDF}Description", f"{_RDF}type", f"{{{_PACKAGE}pkg#}}hasPart"})
_ATTRIBUTES: Final = frozenset({f"{_RDF}about", f"{_RDF}resource"})
_MEMBERS: Final = frozenset({"", "content.xml", "styles.xml", "meta.xml", "settings.xml"})
_LARGEST: Final = 1 << 16


def says_nothing(data: bytes, budget: Budget) -> bool:
    """It only tells which members the package has, as the manifest does too."""
    if len(data) > _LARGEST:
        return False
    try:
        root = xml.parse(data, budget, MEMBER)
    except Malformed:
        return False
    return all(
        element.tag in _ELEMENTS
        and not (element.text or "").strip()
        and all(name in _ATTRIBUTES and (value in _MEMBERS or value.startswith(_PACKAGE)) for name, value in element.attrib.items())
        for element in root.iter()
    )
