"""Colour spaces (ISO 32000-2 §8.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import icc
from sanitizers.formats.pdf.functions import FUNCTION
from sanitizers.formats.pdf.shapes import LEFT, OMIT, name, number, numbers, shape, shared
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Stream, Value, is_integer

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

DEVICE: Final = {"DeviceGray": 1, "DeviceRGB": 3, "DeviceCMYK": 4}
SHORT: Final = {"G": "DeviceGray", "RGB": "DeviceRGB", "CMYK": "DeviceCMYK", "I": "Indexed"}
_BY_COUNT: Final = {1: "DeviceGray", 3: "DeviceRGB", 4: "DeviceCMYK"}
_TRIPLE: Final = numbers(3)
_CIE: Final = {
    "CalGray": shape({"WhitePoint": _TRIPLE, "BlackPoint": _TRIPLE, "Gamma": number}),
    "CalRGB": shape({"WhitePoint": _TRIPLE, "BlackPoint": _TRIPLE, "Gamma": _TRIPLE, "Matrix": numbers(9)}),
    "Lab": shape({"WhitePoint": _TRIPLE, "BlackPoint": _TRIPLE, "Range": numbers(4)}),
}
_PROFILE: Final = shape({"Range": numbers(2, 8)}, "N Alternate Length Filter DecodeParms DL Metadata Type")
_MAX_COLORANTS: Final = 32
_DEEPEST: Final = 8     # a colour space on another on another …


def colour_space(copier: Copier, value: Value, where: str) -> Value:
    """Any colour space. A short name of inline images is spelt out."""
    return _space(copier, value, where, 0)


COLOUR_SPACE: Final = shared(colour_space)


def _space(copier: Copier, value: Value, where: str, depth: int) -> Value:
    found = copier.resolve(value)
    if isinstance(found, Name):
        return _named(found)
    if not isinstance(found, list) or not found or depth > _DEEPEST:
        return OMIT
    family = copier.resolve(found[0])
    family = SHORT.get(family, family) if isinstance(family, Name) else ""
    if len(found) == 1:
        return _named(Name(family))
    if family in _CIE:
        return [Name(family), copier.fields(copier.reader.dictionary(found[1]), _CIE[family], where)]
    copy = _FAMILIES.get(family)
    return copy(copier, found, where, depth + 1) if copy else OMIT


def _named(found: Name) -> Value:
    found = Name(SHORT.get(found, found))
    if found in ("CalRGB", "CalGray", "CalCMYK"):  # without their dictionary viewers take the device space
        return Name(found.replace("Cal", "Device"))
    return found if found in DEVICE or found == "Pattern" else OMIT


def _icc_based(copier: Copier, found: list[Value], where: str, depth: int) -> Value:
    stream = copier.resolve(found[1])
    if not isinstance(stream, Stream):
        return OMIT
    ref = found[1] if isinstance(found[1], Ref) else stream.ref
    profile = copier.once(ref, "profile", lambda: _profile(copier, stream, where, depth), where)
    return [Name("ICCBased"), profile] if isinstance(profile, Ref) else profile


def _profile(copier: Copier, stream: Stream, where: str, depth: int) -> Value:
    """The profile rebuilt, or, when it is no sound profile for N components, the alternate space as viewers take it."""
    count = _count(copier, stream.fields)
    fields = copier.fields(stream.fields, _PROFILE, where)
    data = copier.content_of(stream, where)
    profile = icc.rebuild(data, count) if data is not None and count else None
    alternate = _space(copier, stream.fields.get("Alternate"), where, depth + 1)
    if profile is not None:
        if alternate is not OMIT:
            fields["Alternate"] = alternate
        return copier.writer.add_deflated({"N": count, **fields}, profile)
    if data is not None:
        copier.drop("pdf.invalid_profile", where)
    if alternate is not OMIT:
        return alternate
    return Name(_BY_COUNT[count]) if count else OMIT


def _count(copier: Copier, fields: Dictionary) -> int:
    """How many components a profile is for; 0 when it does not say so."""
    count = copier.resolve(fields.get("N"))
    return count if is_integer(count) and count in _BY_COUNT else 0


def _indexed(copier: Copier, found: list[Value], where: str, depth: int) -> Value:
    if len(found) < 4:
        return OMIT
    base = _space(copier, found[1], where, depth)
    highest, table = copier.resolve(found[2]), copier.resolve(found[3])
    count = component_count(copier, found[1])
    if isinstance(table, Stream):
        table = copier.content_of(table, where)
    if base is OMIT or not count or not is_integer(highest) or not 0 <= highest <= 255 or not isinstance(table, bytes):
        return OMIT
    table = table[: count * (highest + 1)]
    if len(table) > 96:
        return [Name("Indexed"), base, highest, copier.writer.add_deflated({}, table)]
    return [Name("Indexed"), base, highest, table]


def _separation(copier: Copier, found: list[Value], where: str, depth: int) -> Value:
    if len(found) < 4:
        return OMIT
    colorant = name(copier, found[1], where)
    base, tint = _space(copier, found[2], where, depth), FUNCTION(copier, found[3], where)
    if OMIT in (colorant, base, tint) or tint is LEFT:
        return OMIT
    return [Name("Separation"), colorant, base, tint]


def _device_n(copier: Copier, found: list[Value], where: str, depth: int) -> Value:
    if len(found) < 4:
        return OMIT
    colorants = copier.reader.array(found[1])
    names = [name(copier, item, where) for item in colorants[:_MAX_COLORANTS]]
    base, tint = _space(copier, found[2], where, depth), FUNCTION(copier, found[3], where)
    if OMIT in (base, tint, *names) or tint is LEFT or not names:
        return OMIT
    new = [Name("DeviceN"), names, base, tint]
    # The attributes guide separation on a press; only the one that changes how a space is read is kept.
    if len(found) > 4 and copier.resolve(copier.reader.dictionary(found[4]).get("Subtype")) == "NChannel":
        new.append({"Subtype": Name("DeviceN")})
    return new


def _pattern(copier: Copier, found: list[Value], where: str, depth: int) -> Value:
    base = _space(copier, found[1], where, depth)
    return OMIT if base is OMIT else [Name("Pattern"), base]


_FAMILIES: Final = {
    "ICCBased": _icc_based, "Indexed": _indexed, "Separation": _separation, "DeviceN": _device_n, "Pattern": _pattern,
}


def component_count(copier: Copier, value: Value, resources: Dictionary | None = None) -> int:
    """How many components a colour of this space has; 0 when that cannot be said. Names are looked up in `resources`."""
    found = copier.resolve(value)
    if isinstance(found, Name):
        found = Name(SHORT.get(found, found))
        if found in DEVICE or resources is None:
            return DEVICE.get(found, {"CalGray": 1, "CalRGB": 3}.get(found, 0))
        named = copier.reader.dictionary(resources.get("ColorSpace")).get(found)
        return component_count(copier, named) if named is not None else 0
    if not isinstance(found, list) or not found:
        return 0
    family = copier.resolve(found[0])
    family = SHORT.get(family, family) if isinstance(family, Name) else ""
    if family == "ICCBased" and len(found) > 1:
        return _count(copier, copier.reader.dictionary(found[1]))
    if family == "DeviceN" and len(found) > 1:
        return len(copier.reader.array(found[1]))
    return {**DEVICE, "CalGray": 1, "CalRGB": 3, "Lab": 3, "Indexed": 1, "Separation": 1}.get(family, 0)


def is_indexed(copier: Copier, value: Value) -> bool:
    found = copier.resolve(value)
    return isinstance(found, list) and bool(found) and copier.resolve(found[0]) in ("Indexed", "I")
