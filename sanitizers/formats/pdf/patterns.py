"""Patterns, shadings and graphics states (ISO 32000-2 §8.7, §8.4.5, §11.6.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import contents
from sanitizers.formats.pdf.colours import COLOUR_SPACE
from sanitizers.formats.pdf.fonts import FONT
from sanitizers.formats.pdf.functions import function_or_functions, transfer
from sanitizers.formats.pdf.shapes import (
    LEFT,
    MATRIX,
    OMIT,
    RECTANGLE,
    Rule,
    array,
    boolean,
    either,
    integer,
    name,
    number,
    numbers,
    one_of,
    shape,
    shared,
    typed,
)
from sanitizers.formats.pdf.values import Name, Stream, Value, is_integer
from sanitizers.formats.pdf.xobjects import form

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_STREAM_KEYS: Final = "Length Filter DecodeParms DL"
_SHADING: Final[dict[str, Rule]] = {
    "ColorSpace": COLOUR_SPACE, "Background": numbers(1, 32), "BBox": RECTANGLE, "AntiAlias": boolean, "Function": function_or_functions,
}
_SHADINGS: Final = {
    1: shape({**_SHADING, "Domain": numbers(4), "Matrix": MATRIX}, "ShadingType"),
    2: shape({**_SHADING, "Coords": numbers(4), "Domain": numbers(2), "Extend": array(boolean, 2, 2)}, "ShadingType"),
    3: shape({**_SHADING, "Coords": numbers(6), "Domain": numbers(2), "Extend": array(boolean, 2, 2)}, "ShadingType"),
}
_MESH: Final = shape(
    {
        **_SHADING, "BitsPerCoordinate": integer, "BitsPerComponent": integer, "BitsPerFlag": integer, "Decode": numbers(4, 72),
        "VerticesPerRow": integer,
    },
    "ShadingType " + _STREAM_KEYS,
)


def shading(copier: Copier, value: Value, where: str) -> Value:
    """Types 1 to 3 are dictionaries, 4 to 7 streams of mesh points."""
    found = copier.resolve(value)
    fields = copier.reader.dictionary(found)
    kind = copier.resolve(fields.get("ShadingType"))
    if is_integer(kind) and kind in _SHADINGS:
        return {"ShadingType": kind, **copier.fields(fields, _SHADINGS[kind], where)}
    if isinstance(found, Stream) and kind in (4, 5, 6, 7):
        data = copier.content_of(found, where)
        return LEFT if data is None else copier.writer.add_deflated({"ShadingType": kind, **copier.fields(fields, _MESH, where)}, data)
    return OMIT


SHADING: Final = shared(shading)


def _dashes(copier: Copier, value: Value, where: str) -> Value:
    found = copier.resolve(value)
    if not isinstance(found, list) or len(found) != 2:
        return OMIT
    lengths, phase = array(number, 0, 100)(copier, found[0], where), number(copier, found[1], where)
    return OMIT if OMIT in (lengths, phase) else [lengths, phase]


def _font_and_size(copier: Copier, value: Value, where: str) -> Value:
    found = copier.resolve(value)
    if not isinstance(found, list) or len(found) != 2:
        return OMIT
    font, size = FONT(copier, found[0], where), number(copier, found[1], where)
    return OMIT if OMIT in (font, size) or font is LEFT else [font, size]


_SOFT_MASK: Final = shape(
    {"Type": typed("Mask"), "S": one_of("Alpha", "Luminosity"), "G": form, "BC": numbers(1, 32), "TR": transfer},
)


def _soft_mask(copier: Copier, value: Value, where: str) -> Value:
    found = copier.resolve(value)
    if isinstance(found, Name):
        return Name("None")
    if not isinstance(found, dict):
        return OMIT
    new = copier.fields(found, _SOFT_MASK, where)
    return new if "G" in new and "S" in new else LEFT


_STATE: Final = shape(
    {
        "LW": number, "LC": integer, "LJ": integer, "ML": number, "D": _dashes, "RI": name, "OP": boolean, "op": boolean, "OPM": integer,
        "Font": _font_and_size, "BG": transfer, "BG2": transfer, "UCR": transfer, "UCR2": transfer, "TR": transfer, "TR2": transfer,
        "FL": number, "SM": number, "SA": boolean, "BM": either(name, array(name, 1, 32)),
        "SMask": shared(_soft_mask), "CA": number, "ca": number, "AIS": boolean, "TK": boolean,
    },
    # Halftones and black point choices concern a press alone.
    "Type HT HTO HTP UseBlackPtComp",
)


def _graphics_state(copier: Copier, value: Value, where: str) -> Value:
    found = copier.resolve(value)
    return {"Type": Name("ExtGState"), **copier.fields(found, _STATE, where)} if isinstance(found, dict) else OMIT


GRAPHICS_STATE: Final = shared(_graphics_state)

_TILING: Final = shape(
    {
        "PaintType": integer, "TilingType": integer, "BBox": RECTANGLE, "XStep": number, "YStep": number, "Matrix": MATRIX,
    },
    "Type PatternType Resources Name Metadata " + _STREAM_KEYS,
)
_SHADED: Final = shape({"Shading": SHADING, "Matrix": MATRIX, "ExtGState": GRAPHICS_STATE}, "Type PatternType")


def _pattern(copier: Copier, value: Value, where: str) -> Value:
    found = copier.resolve(value)
    kind = copier.resolve(copier.reader.dictionary(found).get("PatternType"))
    if isinstance(found, dict) and kind == 2:
        new = copier.fields(found, _SHADED, where)
        return {"Type": Name("Pattern"), "PatternType": 2, **new} if "Shading" in new else OMIT
    if not isinstance(found, Stream) or kind != 1:
        return OMIT
    own = copier.resolve(found.fields.get("Resources"))
    resources = own if isinstance(own, dict) else copier.around
    head = {"Type": Name("Pattern"), "PatternType": 1, **copier.fields(found.fields, _TILING, where)}
    with contents.within(copier, resources):
        content = contents.stream(copier, found, where)
    head["Resources"] = contents.resources(copier, resources, content.names, where)
    return copier.writer.add_deflated(head, content.data)


PATTERN: Final = shared(_pattern)
