"""Annotations (ISO 32000-2 §12.5): the subtypes that only show or point, with their appearance rebuilt.

Those of other subtypes lose what they do; if they have an appearance it stays as a stamp, so that the page looks the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import content, leftovers, links
from sanitizers.formats.pdf.layers import membership
from sanitizers.formats.pdf.shapes import (
    LEFT,
    MATRIX,
    OMIT,
    RECTANGLE,
    Rule,
    Shape,
    array,
    boolean,
    either,
    integer,
    name,
    number,
    numbers,
    record,
    shape,
    string,
    typed,
)
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Stream, Value
from sanitizers.formats.pdf.xobjects import form

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_MAX_STATES: Final = 1000
# What an annotation of a dropped kind may do or carry; its other keys only describe it.
_DOING: Final = ("A", "AA", "PA", "FS", "AF")


def _appearance(copier: Copier, value: Value, where: str) -> Value:
    """A form, or a form for each state."""
    found = copier.resolve(value)
    if isinstance(found, Stream):
        return form(copier, value, where)
    if not isinstance(found, dict) or len(found) > _MAX_STATES:
        return OMIT
    states = {state: form(copier, item, f"{where}/{state}") for state, item in found.items() if copier.resolve(item) is not None}
    return {state: item for state, item in states.items() if item is not OMIT and item is not LEFT}


APPEARANCE: Final = record(shape({"N": _appearance, "R": _appearance, "D": _appearance}))


def default_appearance(copier: Copier, value: Value, _where: str) -> Value:
    """A string of text operators (§12.7.4.3), read and written as content."""
    text = copier.resolve(value)
    if not isinstance(text, bytes):
        return OMIT
    return content.rebuild(text, lambda _fields, _data: None).data.strip()


def _related(copier: Copier, value: Value, _where: str) -> Value:
    """Another annotation, if it is kept."""
    return copier.annotations.get(value, LEFT) if isinstance(value, Ref) else LEFT


def _dashed(copier: Copier, value: Value, where: str) -> Value:
    """Border: three numbers and perhaps a dash array."""
    found = copier.resolve(value)
    if not isinstance(found, list) or len(found) < 3:
        return OMIT
    new = [number(copier, item, where) for item in found[:3]]
    if len(found) > 3 and (dashes := array(number, 0, 20)(copier, found[3], where)) is not OMIT:
        new.append(dashes)
    return LEFT if OMIT in new else new


_COLOUR: Final = numbers(0, 4)
_BORDER_STYLE: Final = record(shape({"Type": typed("Border"), "W": number, "S": name, "D": array(number, 0, 20)}))
_BORDER_EFFECT: Final = record(shape({"S": name, "I": number}))
_POINTS: Final = numbers(2, 20_000)
_COMMON: Final[dict[str, Rule]] = {
    "Type": typed("Annot"), "Rect": RECTANGLE, "Contents": string, "NM": string, "M": string, "F": integer, "AP": APPEARANCE, "AS": name,
    "Border": _dashed, "BS": _BORDER_STYLE, "C": _COLOUR, "StructParent": integer, "OC": membership, "Lang": string,
}
_MARKUP: Final[dict[str, Rule]] = {
    **_COMMON, "T": string, "Popup": _related, "CA": number, "ca": number, "BM": name, "CreationDate": string, "Subj": string,
    "IRT": _related, "RT": name, "IT": name,
}
_SHAPED: Final[dict[str, Rule]] = {**_MARKUP, "IC": _COLOUR, "BE": _BORDER_EFFECT, "RD": numbers(4)}
_LINED: Final[dict[str, Rule]] = {**_SHAPED, "LE": either(name, array(name, 2, 2))}
_SILENT: Final = "Subtype P Parent RC DS AAPL:AKExtras Measure"


def _kind(rules: dict[str, Rule], **more: Rule) -> Shape:
    return shape({**rules, **more}, _SILENT)


_QUADS: Final = numbers(8, 80_000)
SHAPES: Final[dict[str, Shape]] = {
    "Link": _kind(_COMMON, A=links.action, Dest=links.destination, H=name, QuadPoints=_QUADS),
    "Text": _kind(_MARKUP, Open=boolean, Name=name, State=string, StateModel=string),
    "FreeText": _kind(_LINED, DA=default_appearance, Q=integer, CL=numbers(4, 6)),
    "Line": _kind(
        _LINED, L=numbers(4), LL=number, LLE=number, LLO=number, Cap=boolean, CP=name, CO=numbers(2),
    ),
    "Square": _kind(_SHAPED), "Circle": _kind(_SHAPED),
    "Polygon": _kind(_LINED, Vertices=_POINTS), "PolyLine": _kind(_LINED, Vertices=_POINTS),
    "Highlight": _kind(_MARKUP, QuadPoints=_QUADS), "Underline": _kind(_MARKUP, QuadPoints=_QUADS),
    "Squiggly": _kind(_MARKUP, QuadPoints=_QUADS), "StrikeOut": _kind(_MARKUP, QuadPoints=_QUADS),
    "Caret": _kind(_MARKUP, RD=numbers(4), Sy=name),
    "Stamp": _kind(_MARKUP, Name=name),
    "Ink": _kind(_MARKUP, InkList=array(_POINTS)),
    "Popup": _kind(_COMMON, Parent=_related, Open=boolean, T=string),
    "Watermark": _kind(_MARKUP, FixedPrint=record(shape({"Type": typed("FixedPrint"), "Matrix": MATRIX, "H": number, "V": number}))),
}
_WITH_POPUP: Final = SHAPES.keys() - {"Link", "Popup"}
_STAMP: Final = shape({key: _COMMON[key] for key in ("Type", "Rect", "F", "AP", "AS", "OC", "Contents", "NM")})
_ICON: Final = record(shape({"SW": name, "S": name, "A": array(number, 2, 2), "FB": boolean}))
_LOOKS: Final = record(shape({
    "R": integer, "BC": _COLOUR, "BG": _COLOUR, "CA": string, "RC": string, "AC": string, "TP": integer, "IF": _ICON, "I": form, "RI": form,
    "IX": form,
}))
WIDGET: Final[dict[str, Rule]] = {**_COMMON, "H": name, "MK": _LOOKS}


def is_kept(copier: Copier, found: Dictionary) -> bool:
    """Whether this annotation will be in the output: known to point or show, or something to look at."""
    subtype = copier.named(found.get("Subtype"))
    if subtype == "Popup":
        return _is_markup(copier, found.get("Parent"))
    return subtype in SHAPES or subtype == "Widget" or copier.resolve(copier.reader.dictionary(found.get("AP")).get("N")) is not None


def _is_markup(copier: Copier, value: Value) -> bool:
    """Whether a popup has something to belong to; without it there is nothing that it could open for."""
    return copier.named(copier.reader.dictionary(value).get("Subtype")) in _WITH_POPUP


def annotation(copier: Copier, found: Dictionary, where: str) -> Dictionary:
    """An annotation that is kept and no widget."""
    subtype = copier.named(found.get("Subtype"))
    if subtype in SHAPES:
        return {"Subtype": subtype, **copier.fields(found, SHAPES[subtype], where)}
    return stamp(copier, found, where)


def stamp(copier: Copier, found: Dictionary, where: str) -> Dictionary:
    """Only what can be seen of an annotation."""
    visible = {key: value for key, value in found.items() if key in _STAMP.rules}
    return {"Subtype": Name("Stamp"), **copier.fields(visible, _STAMP, where)}


def report(copier: Copier, found: Dictionary, where: str) -> None:
    """An annotation whose subtype is not copied: what it was and what it would have done."""
    leftovers.annotation(copier, copier.resolve(found.get("Subtype")), where)
    for key in _DOING:
        if key in found:
            leftovers.report(copier, key, found[key], where)
