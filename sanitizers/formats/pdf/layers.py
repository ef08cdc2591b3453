"""Optional content (ISO 32000-2 §8.11): groups, membership, and the default configuration, shown as the author meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf.shapes import LEFT, OMIT, array, either, name, number, one_of, record, shape, string, typed
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Value
from sanitizers.model import Action

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_STATE: Final = one_of("ON", "OFF")
_USAGE: Final = record(shape(
    {
        "View": record(shape({"ViewState": _STATE})), "Print": record(shape({"PrintState": _STATE, "Subtype": name})),
        "Export": record(shape({"ExportState": _STATE})), "Zoom": record(shape({"min": number, "max": number})),
        "Language": record(shape({"Lang": string, "Preferred": _STATE})), "PageElement": record(shape({"Subtype": name})),
    },
    "CreatorInfo User",
))
_GROUP: Final = shape(
    {"Type": typed("OCG"), "Name": string, "Intent": either(name, array(name)), "Usage": _USAGE}, "Metadata",
)
_DEPTH: Final = 32


def group(copier: Copier, value: Value, where: str) -> Value:
    """A reference to a group; the same group stays the same."""
    if not isinstance(value, Ref):
        return OMIT
    if value not in copier.groups:
        found = copier.resolve(value)
        if not isinstance(found, dict) or copier.resolve(found.get("Type")) not in ("OCG", None):
            return OMIT
        ref = copier.groups[value] = copier.writer.reserve()
        copier.writer.put(ref, {"Type": Name("OCG"), "Name": b"", **copier.fields(found, _GROUP, where)})
    return copier.groups[value]


def _expression(copier: Copier, value: Value, where: str) -> Value:
    return _visibility(copier, value, where, 0)


def _visibility(copier: Copier, value: Value, where: str, depth: int) -> Value:
    """A visibility expression: `[/And …]`, `[/Or …]`, `[/Not …]` over groups."""
    found = copier.resolve(value)
    if isinstance(found, dict):
        return group(copier, value, where)
    if not isinstance(found, list) or not found or depth > _DEPTH or copier.resolve(found[0]) not in ("And", "Or", "Not"):
        return OMIT
    items = [_visibility(copier, item, where, depth + 1) for item in found[1:1000]]
    return OMIT if OMIT in items else [Name(copier.resolve(found[0])), *items]


_MEMBERSHIP: Final = shape({
    "Type": typed("OCMD"), "OCGs": either(group, array(group)), "P": one_of("AllOn", "AnyOn", "AnyOff", "AllOff"), "VE": _expression,
})


def membership(copier: Copier, value: Value, where: str) -> Value:
    """What /OC and BDC's properties refer to: a group or a membership dictionary."""
    found = copier.resolve(value)
    if not isinstance(found, dict):
        return OMIT
    if copier.resolve(found.get("Type")) != "OCMD":
        return group(copier, value, where)
    if not isinstance(value, Ref):
        return copier.writer.add(copier.fields(found, _MEMBERSHIP, where))
    return copier.once(value, membership, lambda: copier.fields(found, _MEMBERSHIP, where), where)


def _order(copier: Copier, value: Value, where: str) -> Value:
    return _ordered(copier, value, where, 0)


def _ordered(copier: Copier, value: Value, where: str, depth: int) -> Value:
    """Groups, labels and arrays of them, as a viewer lists them."""
    found = copier.resolve(value)
    if isinstance(found, bytes):
        return found
    if isinstance(found, list):
        if depth > _DEPTH:
            return OMIT
        items = [_ordered(copier, item, where, depth + 1) for item in found]
        return [item for item in items if item is not OMIT]
    return group(copier, value, where)


_GROUPS: Final = array(group)
_EVENT: Final = record(shape({
    "Event": one_of("View", "Print", "Export"), "OCGs": _GROUPS, "Category": array(name),
}))
_CONFIGURATION: Final = shape(
    {
        "Name": string, "BaseState": one_of("ON", "OFF", "Unchanged"), "ON": _GROUPS, "OFF": _GROUPS, "Order": _order,
        "RBGroups": array(_GROUPS), "Locked": _GROUPS, "ListMode": one_of("AllPages", "VisiblePages"), "Intent": either(name, array(name)),
        "AS": array(_EVENT),
    },
    "Creator",
)


def properties(copier: Copier, value: Value, where: str) -> Value:
    """The catalog's OCProperties; only groups that something on a page uses."""
    found = copier.resolve(value)
    if not isinstance(found, dict):
        return OMIT
    default = copier.reader.dictionary(found.get("D"))
    configuration = copier.fields(default, _CONFIGURATION, f"{where}/D")
    _report_hidden(copier, configuration, where)
    groups = _GROUPS(copier, found.get("OCGs"), where)
    if groups is OMIT or not copier.groups:
        return LEFT
    listed = dict.fromkeys([*groups, *copier.groups.values()])
    return {"OCGs": list(listed), "D": configuration}


def _report_hidden(copier: Copier, configuration: Dictionary, where: str) -> None:
    """Layers that are off when the file opens: kept as they are, but said."""
    hidden = len(configuration.get("OFF", ()))
    if configuration.get("BaseState") == "OFF":
        hidden = max(0, len(copier.groups) - len(configuration.get("ON", ())))
    if hidden:
        copier.context.found("pdf.hidden_layer", where, Action.KEPT, f"{hidden}")
