"""Destinations and the two actions that survive: GoTo inside the file and URI with an allowed scheme (ISO 32000-2 §12.3.2, §12.6.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import leftovers, trees
from sanitizers.formats.pdf.shapes import LEFT, OMIT, shape
from sanitizers.formats.pdf.values import Name, Ref, Value, is_integer, is_number

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

# Name of the fit: how many numbers (or nulls) follow.
_FITS: Final = {"XYZ": 3, "Fit": 0, "FitH": 1, "FitV": 1, "FitR": 4, "FitB": 0, "FitBH": 1, "FitBV": 1}
_WRAPPING: Final = shape({}, "D S SD Type")
_SCHEME: Final = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*):")
_CONTROL: Final = re.compile(rb"[\x00-\x20\x7f]")
_MAX_URI: Final = 8192


def action(copier: Copier, value: Value, where: str) -> Value:
    """A GoTo or URI action without what would follow it; anything else is reported by its kind."""
    found = copier.resolve(value)
    if not isinstance(found, dict):
        return OMIT
    kind = copier.resolve(found.get("S"))
    new: Value = LEFT
    if kind == "GoTo":
        target = destination(copier, found.get("D"), where)
        new = {"S": Name("GoTo"), "D": target} if target not in (OMIT, LEFT) else LEFT
    elif kind == "URI" and (uri := _uri(copier, found.get("URI"))) is not None:
        new = _outward(copier, uri, where)
    else:
        leftovers.actions(copier, found, where)
        return LEFT
    if "Next" in found:
        leftovers.actions(copier, found["Next"], f"{where}/Next")
    if "JS" in found:
        leftovers.report(copier, "JS", found["JS"], where)
    return new


def _outward(copier: Copier, uri: bytes, where: str) -> Value:
    """The action that follows an allowed link; with `pdf_links_removed` there is none."""
    if copier.context.treatment.pdf_links_removed:
        copier.drop("pdf.link", where, uri[:200].decode("latin-1"))
        return LEFT
    return {"S": Name("URI"), "URI": uri}


def _uri(copier: Copier, value: Value) -> bytes | None:
    """The URI if it is absolute and its scheme allowed. Blanks inside it are encoded, control characters refuse it."""
    text = copier.resolve(value)
    if not isinstance(text, bytes) or len(text) > _MAX_URI:
        return None
    text = text.strip(b" \t\r\n\x00").replace(b" ", b"%20")
    scheme = _SCHEME.match(text)
    if scheme is None or _CONTROL.search(text):
        return None
    return text if scheme[1].lower().decode() in copier.context.treatment.link_schemes else None


def destination(copier: Copier, value: Value, where: str) -> Value:
    """An explicit destination on a page of this file, or the name of one. A dangling one leads nowhere in any viewer and is left out."""
    found = copier.resolve(value)
    if isinstance(found, Name):
        found = found.encode("utf-8", "surrogateescape")
    if isinstance(found, bytes):
        return found if found in copier.destinations else LEFT
    return explicit(copier, found, where)


def explicit(copier: Copier, value: Value, where: str) -> Value:
    """`[page /XYZ left top zoom]` and its kin; also wrapped as `<< /D … >>`."""
    found = copier.resolve(value)
    if isinstance(found, dict):
        if where:
            copier.fields(found, _WRAPPING, where)
        found = copier.resolve(found.get("D"))
    if not isinstance(found, list) or not found:
        return LEFT if found is None or isinstance(found, list) else OMIT
    page = _page(copier, found[0])
    if page is None:
        return LEFT
    fit = copier.resolve(found[1]) if len(found) > 1 else Name("Fit")
    if not isinstance(fit, Name) or fit not in _FITS:
        return [page, Name("Fit")]
    numbers = [item if is_number(item) else None for item in map(copier.resolve, found[2 : 2 + _FITS[fit]])]
    return [page, fit, *numbers, *[None] * (_FITS[fit] - len(numbers))]


def _page(copier: Copier, value: Value) -> Ref | None:
    if isinstance(value, Ref):
        return copier.pages.get(value)
    order = list(copier.pages.values()) if is_integer(value) else []
    return order[value] if is_integer(value) and 0 <= value < len(order) else None


def named(copier: Copier, catalog: dict[str, Value]) -> Ref | None:
    """Every named destination that leads to a page, as one new name tree; fills `copier.destinations`."""
    old = copier.reader.dictionary(catalog.get("Dests"))
    pairs = [(key.encode("utf-8", "surrogateescape"), value) for key, value in old.items()]
    names = copier.reader.dictionary(catalog.get("Names"))
    pairs += [pair for pair in trees.walk(copier.reader, names.get("Dests"), "Names") if isinstance(pair[0], bytes)]
    for key, value in pairs:
        target = explicit(copier, value, "catalog/Names/Dests")
        if target is not OMIT and target is not LEFT:
            copier.destinations.setdefault(key, target)
    if not copier.destinations:
        return None
    return trees.write(copier.writer, sorted(copier.destinations.items()), "Names")
