"""The policy document, and what it makes of a report: pure functions.

A document is TOML; every key has a default on the strict side: the empty document is the built-in policy. Its version is a
digest of what it says, so two documents that say the same have one version.

    name = "town"
    attempts = 3                    # how often a transfer whose process was lost is tried
    original_days = 90              # how long originals and results are kept
    [limits]
    input_bytes = "512 MiB"         # every field of sanitizers.model.Limits
    [treatment]
    mail_attachments = true         # every field of sanitizers.model.Treatment that is not a fact about one transfer
    [kinds]
    svg = "hold"                    # sanitize (the default), hold or block, by true kind, wherever in a transfer it lies
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from enum import StrEnum
from typing import Any, Final

import msgspec

from gateway import config
from gateway.model import Decision, Transfer
from sanitizers.model import BLOCKING_REASONS, Kind, Limits, Reason, Report, Treatment, Verdict


class PolicyError(ValueError):
    """A bad policy document. The text names the key and is one line."""


class KindAction(StrEnum):
    """What policy wants with a kind."""

    SANITIZE = "sanitize"
    HOLD = "hold"
    BLOCK = "block"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """One policy document, read. The default is the strict built-in one."""

    name: str = "builtin"
    limits: Limits = Limits()
    treatment: Treatment = Treatment()
    kinds: dict[Kind, KindAction] = {}
    attempts: int = 3
    original_days: int = 90

    @property
    def version(self) -> str:
        """The first 12 hex digits of the SHA-256 of what the document says."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()[:12]

    def action(self, kind: Kind) -> KindAction:
        return self.kinds.get(kind, KindAction.SANITIZE)


_AWAITING: Final = "confirm.approval_needed"

# -------------------------------------------------------------------------------------------------------------- decide

_STRICTNESS: Final = (KindAction.SANITIZE, KindAction.HOLD, KindAction.BLOCK)


def decide(report: Report, policy: Policy, *, confirmed_by: str = "") -> Decision:
    """Fail closed: only a report that is an explicit delivery and agrees with itself and with policy is released.

    `confirmed_by`: who approved the originals in it whose structure was checked (確認済み); without that there may be none.
    """
    if flaw := _flaw(report) or _unapproved(report, policy, confirmed_by):
        return Decision(verdict=Verdict.HELD, reason=Reason.VERIFICATION_FAILED, note=flaw)
    if not report.verdict.delivers:
        return Decision(verdict=report.verdict, reason=report.reason)
    strictest = (0, report.input.kind)
    for part in report.tree():
        for kind in _kinds(part):
            strictest = max(strictest, (_STRICTNESS.index(policy.action(kind)), kind))
    rank, kind = strictest
    return Decision(verdict=report.verdict) if rank == 0 else _by_kind(_STRICTNESS[rank], kind)


def _flaw(report: Report) -> str:
    """Why a report cannot be believed; empty if it can."""
    if not report.verdict.delivers:
        agrees = report.reason is not None and (report.verdict is Verdict.BLOCKED) == (report.reason in BLOCKING_REASONS)
        return "" if agrees else f"{report.verdict} for {report.reason}"
    if report.reason is not None:
        return f"{report.verdict} with the reason {report.reason}"
    # An output may have the input's digest: plain text, or our own output sent in again, is rebuilt into the same bytes.
    return f"{report.verdict} without an output" if report.output is None else ""


def _unapproved(report: Report, policy: Policy, confirmed_by: str) -> str:
    confirmed = [part for part in report.tree() if part.verdict is Verdict.CONFIRMED]
    if confirmed and not confirmed_by:
        return "only a person may confirm an original"
    foreign = [part.input.kind for part in confirmed if part.input.kind not in policy.treatment.confirmed_kinds]
    return f"policy lets no original of kind {foreign[0]} through" if foreign else ""


def _kinds(part: Report) -> tuple[Kind, ...]:
    return (part.input.kind,) if part.output is None else (part.input.kind, part.output.kind)


def _by_kind(action: KindAction, kind: Kind) -> Decision:
    note = f"policy: {kind} {action}"
    if action is KindAction.BLOCK:
        return Decision(verdict=Verdict.BLOCKED, reason=Reason.FORBIDDEN_KIND, note=note)
    return Decision(verdict=Verdict.HELD, reason=Reason.POLICY, note=note)


def releasable(transfer: Transfer, report: Report | None) -> Verdict | None:
    """As what an operator may release what policy held: its rebuilt result; None if there is none to be had."""
    if transfer.reason in BLOCKING_REASONS or transfer.verdict is not Verdict.HELD:
        return None
    if transfer.result is not None and report is not None and not _flaw(report) and report.verdict.delivers:
        return report.verdict
    return None


def locked(report: Report | None) -> tuple[Report, ...]:
    """The innermost parts that wait for a password."""
    if report is None:
        return ()
    waiting = [part for part in report.tree() if part.reason is Reason.ENCRYPTED]
    return tuple(part for part in waiting if not any(inner.reason is Reason.ENCRYPTED for inner in part.parts))


def unconfirmed(report: Report | None) -> tuple[Report, ...]:
    """The originals whose structure is sound, that policy would let through, and that nobody has approved yet."""
    if report is None:
        return ()
    return tuple(part for part in report.tree() if any(finding.code == _AWAITING for finding in part.findings))


def unrebuilt(report: Report | None) -> tuple[Report, ...]:
    """The PDFs that could not be rebuilt, for another reason than a password or malware."""
    if report is None:
        return ()
    others = (Reason.ENCRYPTED, *BLOCKING_REASONS)
    return tuple(part for part in report.tree() if part.input.kind is Kind.PDF and not part.verdict.delivers and part.reason not in others)


# ---------------------------------------------------------------------------------------------------------------- read

# Facts about one transfer, written by the road.
_FACTS: Final = frozenset({"receipt_no", "organisation", "received_at", "confirmed_by", "original_until", "pickup_url"})
_SIZES: Final = frozenset({"input_bytes", "expanded_bytes", "expansion_floor", "memory_bytes"})
_WHOLE: Final = ("attempts", "original_days")


def load(text: str) -> Policy:
    """The policy that a TOML document says. Raises PolicyError, one line that names the key."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"policy: {error}") from None
    _known(document, Policy, "")
    for section in ("limits", "treatment", "kinds"):
        if not isinstance(document.get(section, {}), dict):
            raise PolicyError(f"{section}: must be a table")
    _known(document.get("limits", {}), Limits, "limits.")
    _known(document.get("treatment", {}), Treatment, "treatment.")
    _check_kinds(document.get("kinds", {}))
    if given := _FACTS & document.get("treatment", {}).keys():
        raise PolicyError(f"treatment.{min(given)}: is set by the road, not by policy")
    _read_sizes(document.get("limits", {}))
    policy = _convert(document)
    _in_range(policy)
    return policy


def dump(policy: Policy) -> str:
    """The document that says `policy`, every key written out."""
    said = msgspec.to_builtins(policy, order="deterministic")
    tables = {key: said.pop(key) for key in ("limits", "treatment", "kinds")}
    for fact in _FACTS:
        del tables["treatment"][fact]
    lines = [f"{key} = {_toml(value)}" for key, value in said.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{_toml(key) if name == 'kinds' else key} = {_toml(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _known(table: dict[str, Any], type_: type[msgspec.Struct], prefix: str) -> None:
    fields = {field.name for field in msgspec.structs.fields(type_)}
    for key in table:
        if key not in fields:
            raise PolicyError(f"{prefix}{key}: no such key in a policy")


def _check_kinds(kinds: dict[str, Any]) -> None:
    for kind, action in kinds.items():
        if kind not in set(Kind):
            raise PolicyError(f"kinds.{kind}: no such kind")
        if action not in set(KindAction):
            raise PolicyError(f"kinds.{kind}: must be one of {', '.join(KindAction)}")


def _read_sizes(limits: dict[str, Any]) -> None:
    for key in _SIZES & limits.keys():
        try:
            limits[key] = config.size(limits[key])
        except ValueError as error:
            raise PolicyError(f"limits.{key}: {error}") from None


def _convert(document: dict[str, Any]) -> Policy:
    try:
        return msgspec.convert(document, Policy)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `")
        key = where.removeprefix("$.").rstrip("`") or "policy"
        raise PolicyError(f"{key}: {what}") from None


def _in_range(policy: Policy) -> None:
    for key in _WHOLE:
        if getattr(policy, key) < 1:
            raise PolicyError(f"{key}: must be at least 1")
    for field in msgspec.structs.fields(Limits):
        if not 0 < getattr(policy.limits, field.name) < math.inf:
            raise PolicyError(f"limits.{field.name}: must be a number above 0")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    # A JSON string is a TOML string: both escape the quote, the backslash and controls the same way.
    return msgspec.json.encode(value).decode()
