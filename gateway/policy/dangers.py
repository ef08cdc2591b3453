"""What a policy document lets through that somebody should look at twice: it is not refused, but said loudly wherever policy is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gateway.policy.document import KindAction, Layer, Policy
from gateway.policy.layers import CONFIRMABLE, stricter_value
from sanitizers.model import Kind, Limits

# Schemes that a reader runs or opens by itself.
_RUN: Final = frozenset({"javascript", "vbscript", "data", "file", "ms-msdt", "search-ms", "shell", "smb"})
_EXECUTABLE: Final = frozenset(
    {Kind.PE, Kind.ELF, Kind.MACHO, Kind.CLASS, Kind.JAR, Kind.APK, Kind.SCRIPT, Kind.LNK, Kind.URL, Kind.CHM, Kind.MSI}
)
# How many times the built-in limit is more than a machine of the usual size can be sure to bear.
_MUCH: Final = 4


def warnings(policy: Policy) -> tuple[str, ...]:
    """One line each, Japanese first, beginning with the key it is about; none for the built-in policy."""
    treatment = {name: getattr(policy.treatment, name) for name in policy.treatment.__struct_fields__}
    limits = {name: getattr(policy.limits, name) for name in policy.limits.__struct_fields__}
    found = [*_about(treatment, limits, policy.kinds, "")]
    for layer in policy.layers:
        found += _about(layer.treatment, layer.limits, layer.kinds, f"{layer.name}.")
        found += _forgeable(policy, layer)
    return tuple(found)


def _about(treatment: dict[str, Any], limits: dict[str, Any], kinds: dict[Kind, KindAction], prefix: str) -> Iterator[str]:
    for scheme in treatment.get("link_schemes", ()):
        if scheme.lower() in _RUN:
            yield f"{prefix}treatment.link_schemes: {scheme} は閲覧ソフトが実行・参照します / {scheme} is run or opened by readers"
    for kind in treatment.get("confirmed_kinds", ()):
        yield from _confirmed(kind, prefix)
    if treatment.get("mail_links_defanged") is False:
        yield f"{prefix}treatment.mail_links_defanged: メール本文のリンクが押せる形で届きます / links in mails stay live"
    for name, value in limits.items():
        if value > _MUCH * getattr(Limits(), name):
            yield f"{prefix}limits.{name}: 標準の{_MUCH}倍を超えています / more than {_MUCH} times the built-in limit"
    for kind, action in kinds.items():
        if action is KindAction.SANITIZE and (kind in _EXECUTABLE or kind is Kind.UNKNOWN):
            yield f"{prefix}kinds.{kind}: 無害化できない形式です（常に保留または遮断） / cannot be rebuilt, it stays held or blocked"


def _confirmed(kind: str, prefix: str) -> Iterator[str]:
    if kind in _EXECUTABLE:
        yield f"{prefix}treatment.confirmed_kinds: {kind} は実行形式です / {kind} is executable"
    elif kind not in CONFIRMABLE:
        yield f"{prefix}treatment.confirmed_kinds: {kind} は構造を確認できないため通りません / the structure of {kind} cannot be checked"


def _forgeable(policy: Policy, layer: Layer) -> Iterator[str]:
    """The envelope's sender is whatever its writer says: who is milder for a sender is mild for everybody who claims to be it."""
    if not layer.senders:
        return
    milder = [f"kinds.{kind}" for kind, action in layer.kinds.items() if action.rank < policy.action(kind).rank]
    for name, value in layer.treatment.items():
        if stricter_value(name, value, getattr(policy.treatment, name)) != value:
            milder.append(f"treatment.{name}")
    if milder or layer.strength:
        what = ", ".join(milder) or "strength"
        yield f"{layer.name}: 詐称できる差出人で緩めています（{what}） / is milder for a sender that anybody can claim to be ({what})"
