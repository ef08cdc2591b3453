"""The categories of a resource dictionary (ISO 32000-2 §7.8.3), each with the rule for its entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import layers, operators
from sanitizers.formats.pdf.colours import COLOUR_SPACE
from sanitizers.formats.pdf.fonts import FONT
from sanitizers.formats.pdf.patterns import GRAPHICS_STATE, PATTERN, SHADING
from sanitizers.formats.pdf.shapes import OMIT, Rule, integer, name, record, shape, string
from sanitizers.formats.pdf.values import Value
from sanitizers.formats.pdf.xobjects import xobject

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_LIST: Final = record(shape(
    {"MCID": integer, "ActualText": string, "Alt": string, "E": string, "Lang": string, "Type": name, "Subtype": name},
    " ".join(sorted(operators.PROPERTIES)) + " Metadata Contents Title",
))


def _properties(copier: Copier, value: Value, where: str) -> Value:
    """What marked content refers to: optional content, or a property list."""
    found = copier.resolve(value)
    if not isinstance(found, dict):
        return OMIT
    if copier.resolve(found.get("Type")) in ("OCG", "OCMD"):
        return layers.membership(copier, value, where)
    return _LIST(copier, value, where)


CATEGORIES: Final[Mapping[str, Rule]] = {
    "ColorSpace": COLOUR_SPACE, "ExtGState": GRAPHICS_STATE, "Font": FONT, "Pattern": PATTERN, "Properties": _properties,
    "Shading": SHADING, "XObject": xobject,
}
