"""Document properties: what marks a presentation stays, who made it, where and with what goes. The same rule as for OOXML."""

from __future__ import annotations

from typing import Final

from sanitizers import cfb
from sanitizers.context import Context
from sanitizers.formats.office import property_sets as sets
from sanitizers.formats.office.classification import MARK
from sanitizers.model import Action

_SUMMARY, _DOCUMENT = "\x05SummaryInformation", "\x05DocumentSummaryInformation"
_KEPT: Final = {sets.SUMMARY: (sets.TITLE, sets.SUBJECT, sets.KEYWORDS), sets.DOCUMENT: (sets.CATEGORY, sets.STATUS)}
_GONE: Final = {
    (sets.SUMMARY, sets.AUTHOR): "author", (sets.SUMMARY, sets.COMMENTS): "comments", (sets.SUMMARY, sets.TEMPLATE): "template",
    (sets.SUMMARY, sets.LAST_AUTHOR): "last author", (sets.DOCUMENT, sets.MANAGER): "manager", (sets.DOCUMENT, sets.COMPANY): "company",
    (sets.DOCUMENT, sets.LINK_BASE): "hyperlink base",
}  # fmt: skip
_OWN: Final = "_PID_"  # of Office itself: links, identifiers


def rebuilt(compound: cfb.Compound, context: Context) -> dict[cfb.Path, bytes]:
    """The streams that something is left for."""
    found = [one for name in (_SUMMARY, _DOCUMENT) if (path := compound.find(name)) for one in sets.read(compound.read(path))]
    gone = [name for one in found for number in one.values if (name := _GONE.get((one.kind, number)))]
    marks, others = _user_defined(found)
    if gone or others:
        context.found("file.metadata", "SummaryInformation", Action.REMOVED, ", ".join((*gone, *others)))
    summary, document = (_kept(found, kind) for kind in (sets.SUMMARY, sets.DOCUMENT))
    made: dict[cfb.Path, bytes] = {}
    if summary.values:
        made[(_SUMMARY,)] = sets.write([summary])
    if document.values or marks.values:
        made[(_DOCUMENT,)] = sets.write([document, marks])
    return made


def _kept(found: list[sets.PropertySet], kind: bytes) -> sets.PropertySet:
    values = {number: text for one in found if one.kind == kind for number, text in one.values.items() if number in _KEPT[kind]}
    return sets.PropertySet(kind, values, {})


def _user_defined(found: list[sets.PropertySet]) -> tuple[sets.PropertySet, list[str]]:
    """The marks, and the names of all others."""
    named = {
        one.names[number]: text
        for one in found
        if one.kind == sets.USER_DEFINED
        for number, text in one.values.items()
        if number in one.names
    }
    marks = sorted((name, text) for name, text in named.items() if MARK.match(name))
    values = {number: text for number, (_, text) in enumerate(marks, 2)}
    names = {number: name for number, (name, _) in enumerate(marks, 2)}
    others = [name for name in named if not MARK.match(name) and not name.startswith(_OWN)]
    return sets.PropertySet(sets.USER_DEFINED, values, names), others
