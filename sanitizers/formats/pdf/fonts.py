"""Fonts (ISO 32000-2 §9): dictionaries by type, programs through `fontfiles`, Type 3 glyphs as content streams."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import cmaps, contents, fontfiles
from sanitizers.formats.pdf.shapes import (
    MATRIX,
    OMIT,
    RECTANGLE,
    array,
    either,
    integer,
    name,
    number,
    numbers,
    record,
    shape,
    shared,
    string,
    typed,
)
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Stream, Value, is_integer, is_number
from sanitizers.model import LimitExceeded

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier
    from sanitizers.formats.pdf.shapes import Shape

_MAX_GLYPHS: Final = 65536
_MAX_CID_WIDTHS: Final = 4 * _MAX_GLYPHS     # /W2 has up to five numbers for a range, and three for a CID of its own

_DESCRIPTOR: Final = shape(
    {
        "Type": typed("FontDescriptor"), "FontName": name, "FontFamily": string, "FontStretch": name, "FontWeight": number,
        "Flags": integer, "FontBBox": RECTANGLE, "ItalicAngle": number, "Ascent": number, "Descent": number, "Leading": number,
        "CapHeight": number,
        "XHeight": number, "StemV": number, "StemH": number, "AvgWidth": number, "MaxWidth": number, "MissingWidth": number,
        "CharSet": string, "Style": record(shape({"Panose": string})), "Lang": name,
    },
    "CIDSet FD FontFile FontFile2 FontFile3 Length1",
)


def _descriptor(copier: Copier, value: Value, where: str) -> Value:
    found = copier.resolve(value)
    if not isinstance(found, dict):
        return OMIT
    new = copier.fields(found, _DESCRIPTOR, where)
    for key in ("FontFile", "FontFile2", "FontFile3"):
        if key in found and (program := fontfiles.program(copier, found[key], f"{where}/{key}")) is not None:
            new[program[0]] = program[1]
            break
    return new


def _widths(copier: Copier, value: Value, _where: str) -> Value:
    """Widths of a simple font: numbers, or references to numbers."""
    found = copier.resolve(value)
    if not isinstance(found, list) or len(found) > _MAX_GLYPHS:
        return OMIT
    items = map(copier.resolve, found)
    return [item if is_number(item) else 0 for item in items]


def _cid_widths(copier: Copier, value: Value, where: str) -> Value:
    """`first [w …]` and `first last w` (§9.7.4.3), for /W and /W2."""
    found = copier.resolve(value)
    if not isinstance(found, list):
        return OMIT
    new: list[Value] = []
    left = _MAX_CID_WIDTHS
    for item in map(copier.resolve, found):
        left -= len(item) + 1 if isinstance(item, list) else 1
        if left < 0:
            raise LimitExceeded(f"more than {_MAX_CID_WIDTHS} glyph widths", where=where)
        if is_number(item):
            new.append(item)
        elif isinstance(item, list):
            new.append([width if is_number(width) else 0 for width in map(copier.resolve, item)])
    return new


def _differences(copier: Copier, value: Value, _where: str) -> Value:
    found = copier.resolve(value)
    if not isinstance(found, list):
        return OMIT
    items = map(copier.resolve, found)
    return [item for item in items if isinstance(item, Name) or (is_integer(item) and 0 <= item < 65536)]


def _gid_map(copier: Copier, value: Value, where: str) -> Value:
    """CIDToGIDMap: Identity or two bytes for each CID."""
    found = copier.resolve(value)
    if isinstance(found, Name):
        return Name("Identity")
    if not isinstance(found, Stream):
        return OMIT
    data = copier.content_of(found, where)
    return OMIT if data is None else copier.writer.add_deflated({}, data[: 2 * _MAX_GLYPHS])


_ENCODING: Final = record(shape({"BaseEncoding": name, "Differences": _differences}, "Type"))
_SYSTEM: Final = record(shape({"Registry": string, "Ordering": string, "Supplement": integer}))
_IGNORED: Final = "Type Subtype Name Metadata"
_SIMPLE_KEYS: Final = {
    "BaseFont": name, "FirstChar": integer, "LastChar": integer, "Widths": shared(_widths), "FontDescriptor": shared(_descriptor),
    "Encoding": shared(either(name, _ENCODING)), "ToUnicode": cmaps.TO_UNICODE, "Lang": name,
}
_SIMPLE: Final = shape(_SIMPLE_KEYS, _IGNORED + " CIDToGIDMap DW W")
_CID_FONT: Final = shape(
    {
        "BaseFont": name, "CIDSystemInfo": _SYSTEM, "FontDescriptor": shared(_descriptor), "DW": number, "W": shared(_cid_widths),
        "DW2": numbers(2), "W2": shared(_cid_widths), "CIDToGIDMap": shared(_gid_map),
    },
    _IGNORED + " ToUnicode Encoding",
)


def _descendant(copier: Copier, value: Value, where: str) -> Value:
    return _by_subtype(copier, value, where, _DESCENDANTS)


_COMPOSITE: Final = shape(
    {
        "BaseFont": name, "Encoding": cmaps.ENCODING, "DescendantFonts": array(shared(_descendant), 1, 4), "ToUnicode": cmaps.TO_UNICODE,
    },
    _IGNORED + " FontDescriptor FirstChar LastChar Widths CIDToGIDMap CIDSystemInfo DW W",
)
_TYPE3: Final = shape(
    {**_SIMPLE_KEYS, "FontBBox": RECTANGLE, "FontMatrix": MATRIX}, _IGNORED + " CharProcs Resources BaseFont CIDToGIDMap",
)
_DESCENDANTS: Final = {"CIDFontType0": _CID_FONT, "CIDFontType2": _CID_FONT}
_FONTS: Final[dict[str, Shape]] = {"Type0": _COMPOSITE, "Type1": _SIMPLE, "MMType1": _SIMPLE, "TrueType": _SIMPLE, "Type3": _TYPE3}


def _by_subtype(copier: Copier, value: Value, where: str, kinds: dict[str, Shape]) -> Value:
    found = copier.resolve(value)
    if not isinstance(found, dict):
        return OMIT
    subtype = copier.named(found.get("Subtype"))
    if subtype not in kinds:
        return OMIT
    new: Dictionary = {"Type": Name("Font"), "Subtype": subtype, **copier.fields(found, kinds[subtype], where)}
    if subtype == "Type3":
        _glyphs(copier, found, new, where)
    if subtype == "Type0" and not new.get("DescendantFonts"):
        return OMIT
    return new


FONT: Final = shared(lambda copier, value, where: _by_subtype(copier, value, where, _FONTS))


def _glyphs(copier: Copier, found: Dictionary, new: Dictionary, where: str) -> None:
    """Type 3 glyph procedures (§9.6.4): content streams that share the font's resources."""
    resources = copier.reader.dictionary(found.get("Resources")) or copier.around
    names: set[str] = set()
    procedures: Dictionary = {}
    for glyph, procedure in copier.reader.dictionary(found.get("CharProcs")).items():
        stream = copier.resolve(procedure)
        if not isinstance(stream, Stream) or not isinstance(procedure, Ref):
            continue
        with contents.within(copier, resources):
            content = contents.stream(copier, stream, f"{where}/glyph {glyph}")
        names |= content.names
        procedures[glyph] = copier.once(procedure, "glyph", partial(copier.writer.add_deflated, {}, content.data), where)
    new["CharProcs"] = procedures
    new["Resources"] = contents.resources(copier, resources, frozenset(names), where)
