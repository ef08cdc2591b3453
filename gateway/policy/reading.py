"""The policy document as TOML: read with every mistake named, and written out again."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any, Final, TypeVar

import msgspec

from gateway import config
from gateway.model import Door
from gateway.policy.document import KindAction, Layer, Policy, PolicyError, Strength
from gateway.policy.layers import feasible
from gateway.policy.strengths import NAMES, VALUES
from sanitizers.model import Kind, Limits, Treatment

T = TypeVar("T")

# Facts about one transfer, written by the road.
FACTS: Final = frozenset({"receipt_no", "organisation", "received_at", "confirmed_by", "confirmed_digests", "original_until", "pickup_url"})
SIZES: Final = frozenset({"input_bytes", "expanded_bytes", "expansion_floor", "memory_bytes"})
_WHOLE: Final = ("attempts", "original_days")
_SAID: Final = ("limits", "treatment", "kinds")
_DOCUMENT: Final = frozenset({"name", "attempts", "original_days", "strength", *_SAID, "organisations", "groups", "lanes", "doors"})
_ANY_LAYER: Final = frozenset({"strength", *_SAID})
_GROUP: Final = _ANY_LAYER | {"members", "senders"}
_ORGANISATION: Final = _ANY_LAYER | {"weight", "departments", "groups"}
_MOST_WEIGHT: Final = 1_000
_MOST: Final = 1 << 62      # what every reader of a job and the kernel can take


def load(text: str) -> Policy:
    """The policy that a TOML document says. Raises PolicyError, one line that names the key."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"policy: {error}") from None
    _known(document, _DOCUMENT, "")
    strength, limits, treatment, kinds = _said(document, "")
    whole = {key: value for key, value in document.items() if key in ("name", *_WHOLE)}
    values = (VALUES[strength] if strength else {}) | treatment
    policy = _convert(whole | {"limits": limits, "treatment": values, "kinds": kinds}, Policy, "")
    policy = msgspec.structs.replace(policy, strength=strength, layers=tuple(_layers(document)))
    for key in _WHOLE:
        if getattr(policy, key) < 1:
            raise PolicyError(f"{key}: must be at least 1")
    return policy


def _layers(document: dict[str, Any]) -> Iterator[Layer]:
    for name, table in _tables(document, "organisations"):
        path = ("organisations", name)
        own = _layer(path, table, _ORGANISATION, organisation=name)
        if own.strength or own.limits or own.treatment or own.kinds or own.weight != 1.0:
            yield own
        for department, inner in _tables(table, "departments", path):
            yield _layer((*path, "departments", department), inner, _ANY_LAYER, organisation=name, department=department)
        for group, inner in _tables(table, "groups", path):
            yield _group((*path, "groups", group), inner, organisation=name)
    for name, table in _tables(document, "groups"):
        yield _group(("groups", name), table)
    for name, table in _tables(document, "lanes"):
        yield _layer(("lanes", name), table, _ANY_LAYER, lane=name)
    for name, table in _tables(document, "doors"):
        if name not in set(Door):
            raise PolicyError(f"doors.{name}: must be one of {', '.join(Door)}")
        yield _layer(("doors", name), table, _ANY_LAYER, door=name)


def _group(path: tuple[str, ...], table: dict[str, Any], **whose: str) -> Layer:
    if not table.get("members") and not table.get("senders"):
        raise PolicyError(f"{'.'.join(path)}: names neither members nor senders")
    return _layer(path, table, _GROUP, **whose)


def _layer(path: tuple[str, ...], table: dict[str, Any], allowed: frozenset[str], **whose: str) -> Layer:
    prefix = ".".join(path) + "."
    _known(table, allowed, prefix)
    strength, limits, treatment, kinds = _said(table, prefix)
    rest: dict[str, Any] = {key: table[key] for key in ("members", "senders", "weight") if key in table}
    layer = _convert({"path": path, "strength": strength} | whose | rest, Layer, prefix)
    if not 0 < layer.weight <= _MOST_WEIGHT:
        raise PolicyError(f"{prefix}weight: must be a number above 0, at most {_MOST_WEIGHT}")
    if not all(layer.insiders) or not all(layer.outsiders):
        raise PolicyError(f"{prefix}members: an empty name fits nobody")
    return msgspec.structs.replace(layer, limits=limits, treatment=treatment, kinds=kinds)


def _tables(document: dict[str, Any], key: str, path: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """The named tables below one key. Groups keep their order, in which they are laid on; of the others it says nothing."""
    where = ".".join((*path, key))
    found = document.get(key, {})
    if not isinstance(found, dict):
        raise PolicyError(f"{where}: must be a table")
    for name, table in found.items() if key == "groups" else sorted(found.items()):
        if not isinstance(table, dict) or not name:
            raise PolicyError(f"{where}.{name}: must be a table with a name")
        yield name, table


# --------------------------------------------------------------------------------------------- what one table says


def _said(table: dict[str, Any], prefix: str) -> tuple[Strength | None, dict[str, Any], dict[str, Any], dict[Kind, KindAction]]:
    """Strength, limits, treatment and kinds of one table: only what was said, checked and in the types of the policy."""
    for section in _SAID:
        if not isinstance(table.get(section, {}), dict):
            raise PolicyError(f"{prefix}{section}: must be a table")
    limits = _fields(table.get("limits", {}), Limits, f"{prefix}limits.")
    treatment = _fields(table.get("treatment", {}), Treatment, f"{prefix}treatment.")
    return _strength(table, prefix), limits, treatment, _kinds(table.get("kinds", {}), f"{prefix}kinds.")


def _fields(table: dict[str, Any], type_: type[Limits | Treatment], prefix: str) -> dict[str, Any]:
    _known(table, frozenset(type_.__struct_fields__), prefix)
    if given := FACTS & table.keys():
        raise PolicyError(f"{prefix}{min(given)}: is set by the road, not by policy")
    table = {key: _size(value, f"{prefix}{key}") if key in SIZES else value for key, value in table.items()}
    read = _convert(table, type_, prefix)
    found = {key: getattr(read, key) for key in table}
    for key, value in found.items():
        if type_ is Limits and not 0 < value <= _MOST:
            raise PolicyError(f"{prefix}{key}: must be a number above 0, at most 2^62")
    return found


def _strength(table: dict[str, Any], prefix: str) -> Strength | None:
    if "strength" not in table:
        return None
    said = table["strength"]
    if isinstance(said, str) and said in NAMES:
        return NAMES[said]
    if said not in list(Strength):
        raise PolicyError(f"{prefix}strength: must be one of {', '.join((*NAMES, *Strength))}")
    return Strength(said)


def _kinds(table: dict[str, Any], prefix: str) -> dict[Kind, KindAction]:
    found = {}
    for kind, action in table.items():
        if kind not in set(Kind):
            raise PolicyError(f"{prefix}{kind}: no such kind")
        if action not in list(KindAction):      # not a set: what is written there may be a table
            raise PolicyError(f"{prefix}{kind}: must be one of {', '.join(KindAction)}")
        if not feasible(KindAction(action), Kind(kind)):
            raise PolicyError(f"{prefix}{kind}: {action} is not to be had for this kind")
        found[Kind(kind)] = KindAction(action)
    return found


def _known(table: dict[str, Any], fields: frozenset[str], prefix: str) -> None:
    for key in table:
        if key not in fields:
            raise PolicyError(f"{prefix}{key}: no such key in a policy")


def _size(value: object, name: str) -> int:
    try:
        return config.size(value)
    except ValueError as error:
        raise PolicyError(f"{name}: {error}") from None


def _convert(table: dict[str, Any], type_: type[T], prefix: str) -> T:
    try:
        return msgspec.convert(table, type_)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `")
        key = where.removeprefix("$").removeprefix(".").rstrip("`")
        raise PolicyError(f"{prefix}{key or 'policy'}: {what}") from None


# --------------------------------------------------------------------------------------------------------- written out


def dump(policy: Policy) -> str:
    """The document that says `policy`, every key of the house's word written out, of each layer what it says."""
    head: dict[str, Any] = {"name": policy.name, "attempts": policy.attempts, "original_days": policy.original_days}
    if policy.strength:
        head["strength"] = policy.strength
    treatment = {key: value for key, value in msgspec.structs.asdict(policy.treatment).items() if key not in FACTS}
    lines = [*_pairs(head)]
    for name, table in (("limits", msgspec.structs.asdict(policy.limits)), ("treatment", treatment)):
        lines += ["", f"[{name}]", *_pairs(table)]
    lines += ["", "[kinds]", *_pairs(dict(policy.kinds))]
    for layer in policy.layers:
        lines += _written(layer)
    return "\n".join(lines) + "\n"


def _written(layer: Layer) -> Iterator[str]:
    name = ".".join(_key(part) for part in layer.path)
    head: dict[str, Any] = {"strength": layer.strength, "members": layer.members, "senders": layer.senders}
    if layer.weight != 1.0:
        head["weight"] = layer.weight
    yield from ("", f"[{name}]", *_pairs({key: value for key, value in head.items() if value}))
    for section in _SAID:
        if table := getattr(layer, section):
            yield from ("", f"[{name}.{section}]", *_pairs(table))


def _pairs(table: dict[Any, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{_key(key)} = {_toml(value)}"


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else _toml(name)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    # A JSON string is a TOML string but for DEL: both escape the quote, the backslash and all other controls the same way.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007F")
