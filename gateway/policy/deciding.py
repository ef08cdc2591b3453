"""What policy makes of a report: pure functions."""

from __future__ import annotations

from typing import Final

from gateway.model import Decision, Transfer
from gateway.policy.document import Excepted, KindAction, Policy
from sanitizers.model import BLOCKING_REASONS, Action, Kind, Reason, Report, Verdict

_AWAITING: Final = "confirm.approval_needed"
# The jail looks for it where policy wants it held, and nowhere else.
_FORWARDED: Final = "mail.forwarded"
_MACROS: Final = frozenset({"ooxml.vba"})
# As `sanitizers.confirm` has them: the jail reads the whole before one passes with its macros.
_WITH_MACROS: Final = frozenset({Kind.DOCM, Kind.DOTM, Kind.XLSM, Kind.XLTM, Kind.PPTM, Kind.PPSM, Kind.POTM})


def decide(report: Report, policy: Policy, *, confirmed_by: str = "") -> Decision:
    """Fail closed: only a report that is an explicit delivery and agrees with itself and with policy is released.

    `policy`: what holds for this transfer. `confirmed_by`: who approved the originals in it whose structure was checked (確認済み);
    without that, or an exception for it, there may be none.
    """
    if flaw := _flaw(report) or _unapproved(report, policy, confirmed_by):
        return Decision(verdict=Verdict.HELD, reason=Reason.VERIFICATION_FAILED, note=flaw)
    if not report.verdict.delivers:
        return Decision(verdict=report.verdict, reason=report.reason)
    strictest = (KindAction.CONFIRM, report.input.kind)
    for part in report.tree():
        for kind in _kinds(part):
            wanted = _action(part, kind, policy)
            strictest = max(strictest, (wanted, kind), key=lambda one: (one[0].rank, one[1]))
    action, kind = strictest
    if action.stops:
        return _by_kind(action, kind)
    if fields := [finding.where for finding in report.findings if finding.code == _FORWARDED]:
        return Decision(verdict=Verdict.HELD, reason=Reason.POLICY, note=f"policy: forwarded automatically ({', '.join(fields)})")
    return Decision(verdict=report.verdict)


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
    for part in report.tree():
        if part.verdict is not Verdict.CONFIRMED or _digest_excepted(part, part.input.kind, policy, KindAction.CONFIRM):
            continue
        if not confirmed_by:
            return "only a person may confirm an original"
        if part.input.kind not in policy.treatment.confirmed_kinds:
            return f"policy lets no original of kind {part.input.kind} through"
    return ""


def _action(part: Report, kind: Kind, policy: Policy) -> KindAction:
    """What holds for a kind of this part: an exception for its very digest before what holds for all."""
    for one in policy.exceptions:
        if one.kind is part.input.kind and one.sha256 == part.input.sha256:
            return one.action
    return policy.action(kind)


def _digest_excepted(part: Report, kind: Kind, policy: Policy, action: KindAction) -> bool:
    return any(one.action is action and one.kind is kind and one.sha256 == part.input.sha256 for one in policy.exceptions)


def used(report: Report, policy: Policy) -> tuple[Excepted, ...]:
    """The exceptions that something delivered in a report went by: without them policy would have had it otherwise."""
    parts = [part for part in report.tree() if part.verdict.delivers]
    return tuple(
        one
        for one in policy.exceptions
        if any(part.input.kind is one.kind and one.sha256 in ("", part.input.sha256) for part in parts)
    )


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


def macros_lost(report: Report | None) -> tuple[Report, ...]:
    """The whole file, where its macros were taken out and the jail could bring it in with them: by an exception for its digest alone."""
    if report is None or report.input.kind not in _WITH_MACROS or not report.verdict.delivers or report.verdict is Verdict.CONFIRMED:
        return ()
    return (report,) if any(one.code in _MACROS and one.action is Action.REMOVED for one in report.findings) else ()


def unrebuilt(report: Report | None) -> tuple[Report, ...]:
    """The PDFs that could not be rebuilt, for another reason than a password or malware."""
    if report is None:
        return ()
    others = (Reason.ENCRYPTED, *BLOCKING_REASONS)
    return tuple(part for part in report.tree() if part.input.kind is Kind.PDF and not part.verdict.delivers and part.reason not in others)
