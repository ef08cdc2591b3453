"""One part: identify, scan, sanitize, verify; its embedded parts again, under one budget."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import msgspec

from sanitizers import confirm, identify, names, registers
from sanitizers.budget import Budget
from sanitizers.context import Context, Outcome, Rebuilt
from sanitizers.formats import BY_KIND
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import (
    BLOCKING_REASONS,
    Action,
    Finding,
    Forbidden,
    Job,
    Kind,
    LimitExceeded,
    Malware,
    Match,
    PartInfo,
    Refused,
    Report,
    Severity,
    Verdict,
    VerificationFailed,
)
from sanitizers.scan import Scanner
from sanitizers.source import Source
from sanitizers.verify import VERIFIERS


class Engine:
    """The engine of one transfer. `progress` is told the name of each part as it begins."""

    def __init__(self, job: Job, scanner: Scanner, input_bytes: int, progress: Callable[[str], None] = lambda _: None) -> None:
        self._job = job
        self._scanner = scanner
        self._input_bytes = input_bytes
        self._budget = Budget(job.limits, input_bytes)
        self._progress = progress
        # What looks like a password of another file, for the road alone.
        self.passwords_seen: dict[str, None] = {}
        # Digests of what this engine itself rebuilt: the second pass need not rebuild them again.
        self._vouched: dict[str, Kind] = {}

    def run(self, source: Source) -> Outcome:
        """The whole transfer. Raises LimitExceeded with nothing delivered; any other Refused ends in the Outcome."""
        # What came in by SMTP is a mail, however little of one it shows.
        kind = Kind.EML if self._job.door == "smtp" and len(source) else None
        return self._examine(self._job.name, source, "", 0, kind)

    def _examine(self, name: str, source: Source, where: str, depth: int, kind: Kind | None = None) -> Outcome:
        started = time.monotonic()
        self._progress(where or name)
        self._budget.check_depth(depth)
        self._budget.spend_part()
        context = self._context(name, kind or identify.identify(source, name), depth)
        try:
            rebuilt = self._rebuild(source, context)
        except LimitExceeded as refusal:
            if not refusal.where:
                refusal.where = where
            raise
        except Refused as refusal:
            context.found(refusal.code, refusal.where or where, Action.REFUSED, refusal.detail)
            return Outcome(_refusal(context, source, refusal, started), None)
        self._vouched[rebuilt.content.sha256] = rebuilt.kind
        return Outcome(_delivery(context, source, rebuilt, started), rebuilt.content)

    def _context(self, name: str, kind: Kind, depth: int) -> Context:
        return Context(
            name=name,
            kind=kind,
            job=self._job,
            budget=self._budget,
            depth=depth,
            examine=self._examine,
            scan=self._scanner.scan,
            passwords_seen=self.passwords_seen,
        )

    def _rebuild(self, source: Source, context: Context) -> Rebuilt:
        context.matches.extend(self._scanner.scan(source, "", context.kind))
        if why := identify.forbidden(context.kind, context.name, context.treatment.forbidden_extensions):
            raise Forbidden(why)
        _refuse_malware(context.matches)
        if mismatch := identify.mismatch(context.kind, context.name):
            context.found("file.kind_mismatch", "", Action.REWRITTEN, mismatch)
        sanitizer = BY_KIND.get(context.kind)
        if sanitizer is None:
            return confirm.confirmed(source, context)
        registers.clear()
        if by := confirm.excepted(source, context):
            return self._with_macros(source, context, sanitizer, by)
        rebuilt = sanitizer.sanitize(source, context)
        _refuse_malware(context.matches)
        self._verify(rebuilt, source, context)
        return rebuilt

    def _with_macros(self, source: Source, context: Context, sanitizer: Sanitizer, by: str) -> Rebuilt:
        """マクロ付き取込み: rebuilt to have all of it read, and thrown away."""
        layers: list[str] = []

        def scan(layer: Source, where: str, kind: Kind) -> list[Match]:
            layers.append(where)
            return self._scanner.scan(layer, where, kind)

        looked = dataclasses.replace(self._context(context.name, context.kind, context.depth), scan=scan)
        sanitizer.sanitize(source, looked)
        _refuse_malware(looked.matches)
        return confirm.as_it_came(source, context, looked, layers, by)

    def _verify(self, rebuilt: Rebuilt, source: Source, context: Context) -> None:
        """Re-identify, re-scan, a second opinion by other code, and a second pass that must find nothing."""
        output = rebuilt.content
        seen = identify.identify(output, names.with_extension(context.name, rebuilt.kind))
        if seen is not rebuilt.kind:
            raise VerificationFailed(f"rebuilt as {rebuilt.kind}, looks like {seen}")
        if strong := self._scanner.scan_for_blocking(output, "", rebuilt.kind):
            raise VerificationFailed(f"rule {strong[0].rule} matches the result")
        verifier = VERIFIERS.get(rebuilt.kind)
        if verifier is None:
            raise VerificationFailed(f"no second opinion for {rebuilt.kind}")
        registers.clear()
        verifier(output, source, context)
        self._second_pass(rebuilt, context)

    def _second_pass(self, rebuilt: Rebuilt, context: Context) -> None:
        again = self._context(names.with_extension(context.name, rebuilt.kind), rebuilt.kind, context.depth)
        again.examine = self._revisit
        again.second_pass = True
        again.budget = Budget(self._job.limits, self._input_bytes)
        try:
            BY_KIND[rebuilt.kind].sanitize(rebuilt.content, again)
        except LimitExceeded:
            raise
        except Refused as refusal:
            raise VerificationFailed(f"second pass refuses the result: {refusal.code} {refusal.detail}") from refusal
        if left := [finding for finding in again.findings if finding.action.changes]:
            raise VerificationFailed(f"second pass still finds {left[0].code} at {left[0].where or 'the file'}")

    def _revisit(self, name: str, source: Source, where: str, depth: int) -> Outcome:
        """The second pass meets an embedded part: one that we rebuilt ourselves stands, any other must come through as it is."""
        kind = self._vouched.get(source.sha256)
        if kind is None:
            outcome = self._examine(name, source, where, depth)
            if outcome.content is None or outcome.content.sha256 != source.sha256:
                raise VerificationFailed(f"{where or name} changes once more")
            return outcome
        info = PartInfo(name=name, size=len(source), sha256=source.sha256, kind=kind)
        report = Report(path=where, verdict=Verdict.CLEAN, reason=None, input=info, output=info)
        return Outcome(report, source)


def _refuse_malware(matches: list[Match]) -> None:
    for match in matches:
        if match.severity is Severity.HIGH:
            raise Malware(match.rule, where=match.where)


def _input(context: Context, source: Source) -> PartInfo:
    return PartInfo(name=context.name, size=len(source), sha256=source.sha256, kind=context.kind)


def _elapsed(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _refusal(context: Context, source: Source, refusal: Refused, started: float) -> Report:
    verdict = Verdict.BLOCKED if refusal.reason in BLOCKING_REASONS else Verdict.HELD
    return Report(
        path=context.name,
        verdict=verdict,
        reason=refusal.reason,
        input=_input(context, source),
        output=None,
        findings=tuple(_not_done(finding) for finding in context.findings),
        matches=tuple(context.matches),
        parts=tuple(context.parts),
        policy=context.job.policy,
        rules=context.job.rules,
        elapsed_ms=_elapsed(started),
        mail=context.mail,
    )


def _not_done(finding: Finding) -> Finding:
    """Nothing was removed from what never came out: what was found in it was refused with it."""
    return msgspec.structs.replace(finding, action=Action.REFUSED) if finding.action.changes else finding


def _delivery(context: Context, source: Source, rebuilt: Rebuilt, started: float) -> Report:
    changed = any(finding.action.changes for finding in context.findings)
    changed = changed or any(part.verdict is not Verdict.CLEAN for part in context.parts)
    output = PartInfo(
        name=names.with_extension(context.name, rebuilt.kind),
        size=len(rebuilt.content),
        sha256=rebuilt.content.sha256,
        kind=rebuilt.kind,
    )
    return Report(
        path=context.name,
        verdict=Verdict.CONFIRMED if context.confirmed else Verdict.SANITIZED if changed else Verdict.CLEAN,
        reason=None,
        input=_input(context, source),
        output=output,
        findings=tuple(context.findings),
        matches=tuple(context.matches),
        parts=tuple(context.parts),
        policy=context.job.policy,
        rules=context.job.rules,
        elapsed_ms=_elapsed(started),
        mail=context.mail,
        similarity=context.similarity,
    )
