"""What holds for one transfer: the layers that fit it laid on the house's word, one after the other, and exceptions last.

The order is: the whole house, the organisation, its departments from the outermost in, groups, lane, door; what comes later wins, value
by value. Last of all what a kind asks for (`pixels`, `text`, `confirm`) is put into the treatment.

A mail to several people gets one result: the strictest, value by value, of what each of them would get.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from functools import reduce
from typing import Any, Final

import msgspec

from gateway.model import INBOUND, Transfer
from gateway.policy.document import Excepted, KindAction, Layer, Policy
from gateway.policy.strengths import VALUES
from sanitizers.model import Kind, Limits

_MOST_RESOLVED: Final = 1_000


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What policy may ask about a transfer. `people`: whom it is for, addresses or log-in names; `departments`: person → the
    departments he belongs to, the outermost first; `sha256`: of the whole of it."""

    organisation: str = ""
    lane: str = INBOUND.name
    door: str = ""
    sender: str = ""
    people: tuple[str, ...] = ()
    departments: Mapping[str, tuple[str, ...]] = {}
    sha256: str = ""


def facts(transfer: Transfer, departments: Mapping[str, tuple[str, ...]] | None = None) -> Facts:
    """Of a transfer of the journal. An upload is for who brought it."""
    return Facts(
        organisation=transfer.organisation,
        lane=transfer.lane,
        door=transfer.door,
        sender=transfer.sender,
        people=transfer.recipients or (transfer.sender,),
        departments=departments or {},
        sha256=transfer.sha256,
    )


# ---------------------------------------------------------------------------------------------- what each kind asks for

# (action, kind) → what the treatment must be for it. An action that is not here is not to be had for that kind.
WAYS: Final[dict[tuple[KindAction, Kind], dict[str, Any]]] = {
    (KindAction.PIXELS, Kind.PDF): {"pdf_strict_pixels": True},
    (KindAction.PIXELS, Kind.SVG): {"svg_as_pixels": True},
    (KindAction.PIXELS, Kind.EMF): {"metafiles_as_pixels": True},
    (KindAction.PIXELS, Kind.WMF): {"metafiles_as_pixels": True},
    (KindAction.TEXT, Kind.HTML): {"pages_as_text": True},
    (KindAction.TEXT, Kind.MHT): {"pages_as_text": True},
    (KindAction.TEXT, Kind.EML): {"mail_attachments": False},
    (KindAction.TEXT, Kind.DOC): {"unrebuilt_as_text": True},
    (KindAction.TEXT, Kind.JTD): {"unrebuilt_as_text": True},
}
# Kinds whose structure the jail can read to its end (sanitizers.confirm): no other original ever passes.
CONFIRMABLE: Final = frozenset({Kind.DXF, Kind.JWW, Kind.P21, Kind.SFC, Kind.SHP, Kind.SHX, Kind.DBF, Kind.XDW, Kind.XBD})


def feasible(action: KindAction, kind: Kind) -> bool:
    """Whether the action is to be had for the kind."""
    if action is KindAction.CONFIRM:
        return kind in CONFIRMABLE
    return action not in (KindAction.PIXELS, KindAction.TEXT) or (action, kind) in WAYS


def _with_ways(policy: Policy) -> Policy:
    wanted: dict[str, Any] = {}
    for kind, action in policy.kinds.items():
        wanted |= WAYS.get((action, kind), {})
    confirmed = [kind for kind, action in policy.kinds.items() if action is KindAction.CONFIRM]
    if confirmed:
        wanted["confirmed_kinds"] = tuple(dict.fromkeys((*policy.treatment.confirmed_kinds, *sorted(confirmed))))
    return msgspec.structs.replace(policy, treatment=msgspec.structs.replace(policy.treatment, **wanted))


# ---------------------------------------------------------------------------------------------------------- the layers


def effective(policy: Policy, given: Facts, exceptions: Sequence[Excepted] = ()) -> Policy:
    """What holds for one transfer: pure, and quick the second time. `exceptions`: those that are live and fit the transfer.

    Raises ValueError.
    """
    if policy.document:
        raise ValueError("already resolved")
    fitting = {tuple(layer.name for layer in layers): layers for layers in (_fitting(policy, given, who) for who in given.people or ("",))}
    found = policy.resolved.get(tuple(fitting))
    if found is None:
        if len(policy.resolved) >= _MOST_RESOLVED:
            policy.resolved.clear()
        laid = tuple(_laid(policy, layers) for layers in fitting.values())
        found = policy.resolved[tuple(fitting)] = laid, reduce(strictest, map(_with_ways, laid))
    if not exceptions:
        return found[1]
    return reduce(strictest, (_with_ways(_excepted(one, given, exceptions)) for one in found[0]))


def _fitting(policy: Policy, given: Facts, person: str) -> list[Layer]:
    """The layers for one person, in the order in which they are laid on."""
    departments = ("", *given.departments.get(person, ()))

    def place(layer: Layer) -> tuple[int, int]:
        rank = 4 if layer.door else 3 if layer.lane else 2 if layer.members or layer.senders else 1
        return rank, departments.index(layer.department)

    layers = [layer for layer in policy.layers if layer.department in departments and _fits(layer, given, person)]
    return sorted(layers, key=place)


def _fits(layer: Layer, given: Facts, person: str) -> bool:
    return (
        layer.organisation in ("", given.organisation)
        and layer.lane in ("", given.lane)
        and layer.door in ("", given.door)
        and (not layer.members or named(person, layer.insiders))
        and (not layer.senders or named(given.sender, layer.outsiders))
    )


def named(who: str, names: Container[str]) -> bool:
    """Whether an address or log-in name is among `names`, or in a `@domain` among them. Upper and lower case are one."""
    who = who.lower()
    return who in names or (f"@{who.rpartition('@')[2]}" in names if "@" in who else False)


def _laid(policy: Policy, layers: Sequence[Layer]) -> Policy:
    limits, treatment, kinds = policy.limits, policy.treatment, dict(policy.kinds)
    for layer in layers:
        values = (VALUES[layer.strength] if layer.strength else {}) | layer.treatment
        limits = msgspec.structs.replace(limits, **layer.limits)
        treatment = msgspec.structs.replace(treatment, **values)
        kinds |= layer.kinds
    applied = tuple(layer.name for layer in layers)
    said = {"limits": limits, "treatment": treatment, "kinds": kinds}
    return msgspec.structs.replace(policy, **said, layers=(), document=policy.version, applied=applied)


def _excepted(policy: Policy, given: Facts, exceptions: Sequence[Excepted]) -> Policy:
    """With exceptions as the last layer. One of the digest of a part does not change what holds for the rest of the transfer; one that
    allows no more than policy does is none."""
    exceptions = [one for one in exceptions if policy.action(one.kind) is not one.action or _own_word(one)]
    kinds = policy.kinds | {one.kind: one.action for one in exceptions if one.sha256 in ("", given.sha256)}
    originals = tuple((one.sha256, one.words) for one in exceptions if one.sha256 and one.action is KindAction.CONFIRM)
    treatment = msgspec.structs.replace(policy.treatment, confirmed_digests=originals)
    return msgspec.structs.replace(policy, kinds=kinds, treatment=treatment, exceptions=tuple(exceptions))


def _own_word(one: Excepted) -> bool:
    """Whether it stands for a person's word on that very file, which policy by itself never does."""
    return one.action is KindAction.CONFIRM and bool(one.sha256)


# ------------------------------------------------------------------------------------------------------- the strictest


def _any(one: bool, other: bool) -> bool:
    return one or other


def _all(one: bool, other: bool) -> bool:
    return one and other


def _both(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value for value in one if value in other)


def _either(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


# RFC 2606: a domain that can never exist.
_NOBODYS: Final = ("invalid",)


def _domains(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Those of both lists, where an empty one stands for any: two that have none in common leave nobody's, and never any."""
    return (_both(one, other) or _NOBODYS) if one and other else one or other


_CODES: Final = ("ignored", "reported", "covered")

# Of two values the stricter. A field that is not here is a matter of form, and the first person's holds.
_STRICTER: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "link_schemes": _both,
    "mail_links_defanged": _any,
    "mail_attachments": _all,
    "mail_passwords_tried": _all,
    "mail_forwards_held": _any,
    "mail_author_domains": _domains,
    "pdf_attachments": _all,
    "pdf_forms_flattened": _any,
    "pdf_properties_kept": _both,
    "pdf_links_removed": _any,
    "pdf_strict_pixels": _any,
    "comments_kept": _all,
    "capture_date_kept": _all,
    "picture_codes": lambda one, other: max(one, other, key=_CODES.index),
    "low_bits_cleared": _any,
    "svg_as_pixels": _any,
    "metafiles_as_pixels": _any,
    "bad_member_holds_archive": _any,
    "pages_as_text": _any,
    "unrebuilt_as_text": _all,
    "confirmed_kinds": _both,
    "forbidden_extensions": _either,
}
FORM: Final = frozenset({"mail_charset", "mail_notice_at_end", "mail_subject_mark", "text_as_utf8", "language"})


def strictest(one: Policy, other: Policy) -> Policy:
    """Value by value the stricter of two that were resolved from one document."""
    limits = {name: min(getattr(one.limits, name), getattr(other.limits, name)) for name in Limits.__struct_fields__}
    treatment = {
        name: stricter(getattr(one.treatment, name), getattr(other.treatment, name)) for name, stricter in _STRICTER.items()
    }
    kinds = {kind: max(one.action(kind), other.action(kind), key=lambda action: action.rank) for kind in one.kinds | other.kinds}
    return msgspec.structs.replace(
        one,
        limits=Limits(**limits),
        treatment=msgspec.structs.replace(one.treatment, **treatment),
        kinds=kinds,
        applied=tuple(dict.fromkeys((*one.applied, *other.applied))),
        exceptions=tuple(dict.fromkeys((*one.exceptions, *other.exceptions))),
    )


def stricter_value(field: str, one: Any, other: Any) -> Any:
    """The stricter of two values of a field of the treatment; `one` where that is a matter of form."""
    return _STRICTER[field](one, other) if field in _STRICTER else one


def judged_fields() -> frozenset[str]:
    """The fields of the treatment that are known here: to have a stricter side, or to be a matter of form."""
    return frozenset(_STRICTER) | FORM
