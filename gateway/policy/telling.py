"""What holds for one transfer, told layer by layer: for `sekisho inspect --layers` and whoever asks why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.policy.dangers import warnings
from gateway.policy.document import Layer, Policy
from gateway.policy.strengths import VALUES
from sanitizers.model import Limits, Treatment


def told(document: Policy, holds: Policy) -> str:
    """`holds`: what `effective` made of `document`. One line a value that is not the built-in one, behind the layers that said it."""
    lines = [f"policy {document.name}, version {document.version}"]
    layers = {layer.name: layer for layer in document.layers}
    lines += [f"  house     {line}" for line in _house(document)]
    for name in holds.applied:
        lines += [f"  {name}  {line}" for line in _of(layers[name])]
    lines += [f"  exception {one.number}  {one.kind} {one.action}" for one in holds.exceptions]
    lines.append("holds:")
    lines += [f"  {line}" for line in _house(holds)] or ["  as built in"]
    lines += [f"! {line}" for line in warnings(document)]
    return "\n".join(lines) + "\n"


def _house(policy: Policy) -> Iterator[str]:
    """Where it differs from the built-in policy."""
    for section, said, built_in in (("limits", policy.limits, Limits()), ("treatment", policy.treatment, Treatment())):
        for name in said.__struct_fields__:
            if getattr(said, name) != getattr(built_in, name):
                yield f"{section}.{name} = {_shown(getattr(said, name))}"
    for kind, action in policy.kinds.items():
        yield f"kinds.{kind} = {action}"


def _of(layer: Layer) -> Iterator[str]:
    if layer.strength is not None:
        yield f"strength = {layer.strength}"
    values = (VALUES[layer.strength] if layer.strength is not None else {}) | layer.treatment
    for section, table in (("limits", layer.limits), ("treatment", values)):
        for name, value in table.items():
            yield f"{section}.{name} = {_shown(value)}"
    for kind, action in layer.kinds.items():
        yield f"kinds.{kind} = {action}"


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()
