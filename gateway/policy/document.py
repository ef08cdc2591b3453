"""What a policy document says, as plain data: the whole house's word, and the layers that say otherwise for some of its traffic."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from sanitizers.model import Kind, Limits, Treatment


class PolicyError(ValueError):
    """A bad policy document. The text names the key and is one line."""


class KindAction(StrEnum):
    """What policy wants with a kind, from the mildest to the strictest."""

    CONFIRM = "confirm"         # 確認: the original may pass, structure checked, with an approval
    SANITIZE = "sanitize"       # rebuilt
    TEXT = "text"               # its text only
    PIXELS = "pixels"           # its pages as pictures
    HOLD = "hold"
    BLOCK = "block"

    @property
    def rank(self) -> int:
        """How strict, from 0."""
        return _RANKS[self]

    @property
    def stops(self) -> bool:
        return self in (KindAction.HOLD, KindAction.BLOCK)


_RANKS = {action: rank for rank, action in enumerate(KindAction)}


class Strength(StrEnum):
    """A named set of values of the treatment: `gateway.policy.strengths` has the table."""

    SECURITY = "security"       # 最大セキュリティ
    STANDARD = "standard"       # 標準
    FIDELITY = "fidelity"       # 最大整合性


class Layer(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What one table of the document (`path`) says otherwise, and for whom. Empty fields ask for nothing; `limits`, `treatment` and
    `kinds` hold only what was said.

    `members`: addresses, log-in names, or `@domain`, of those whom a transfer is for; `senders`: the same of those whom it is from.
    `weight`: how many turns in the queue an organisation has where others have one.
    """

    path: tuple[str, ...]
    organisation: str = ""
    department: str = ""
    lane: str = ""
    door: str = ""
    members: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    strength: Strength | None = None
    limits: dict[str, Any] = {}
    treatment: dict[str, Any] = {}
    kinds: dict[Kind, KindAction] = {}
    weight: float = 1.0

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @cached_property
    def insiders(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.members)

    @cached_property
    def outsiders(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.senders)


class Excepted(msgspec.Struct, frozen=True, kw_only=True):
    """A live exception (例外措置) as policy applies it: this kind this way, until `until`.

    `sha256`: only the file, or the part of a transfer, of that digest; empty: everything of the kind in the transfer it was found for.
    """

    number: str
    kind: Kind
    action: KindAction
    until: float
    approver: str
    sha256: str = ""

    @property
    def words(self) -> str:
        """As it stands in reports and receipts."""
        return f"例外措置 {self.number}（承認 {self.approver}）"


class Policy(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One policy document, read. The default is the strict built-in one.

    `limits`, `treatment` and `kinds` are the whole house's word; what holds for one transfer is `effective(policy, facts)`, a Policy
    without layers whose `applied` names those that were laid on and whose `document` is the version of the whole.
    """

    name: str = "builtin"
    strength: Strength | None = None
    limits: Limits = Limits()
    treatment: Treatment = Treatment()
    kinds: dict[Kind, KindAction] = {}
    attempts: int = 3
    original_days: int = 90
    layers: tuple[Layer, ...] = ()
    document: str = ""
    applied: tuple[str, ...] = ()
    exceptions: tuple[Excepted, ...] = ()

    @cached_property
    def version(self) -> str:
        """The first 12 hex digits of the SHA-256 of what the whole document says; the same for every transfer under it."""
        return self.document or digest_of(self)[:12]

    @cached_property
    def weights(self) -> dict[str, float]:
        """Organisation → turns in the queue; who is not in it has one."""
        return {layer.organisation: layer.weight for layer in self.layers if layer.weight != 1.0}

    @cached_property
    def longest_seconds(self) -> float:
        """The longest that the work on any transfer may take."""
        said = [layer.limits["wall_seconds"] for layer in self.layers if "wall_seconds" in layer.limits]
        return float(max([self.limits.wall_seconds, *said]))

    @cached_property
    def asks_departments(self) -> bool:
        """Whether it matters where somebody belongs."""
        return any(layer.department for layer in self.layers)

    @cached_property
    def resolved(self) -> dict[tuple[tuple[str, ...], ...], tuple[tuple[Policy, ...], Policy]]:
        """What `effective` found before, by the layers that fitted: for each person, and the strictest of them."""
        return {}

    def action(self, kind: Kind) -> KindAction:
        return self.kinds.get(kind, KindAction.SANITIZE)


# What documents did not have once: they say nothing where they are empty, so that a document keeps its version.
_LATER = ("strength", "layers", "document", "applied", "exceptions")


def digest_of(policy: Policy) -> str:
    """SHA-256 (hex) of what it says."""
    said: dict[str, Any] = msgspec.to_builtins(policy, order="deterministic")
    kept = {key: value for key, value in said.items() if value or key not in _LATER}
    return hashlib.sha256(msgspec.json.encode(kept)).hexdigest()
