"""What a sanitizer is handed besides the bytes: how to rebuild, where to report, how to send embedded parts round again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from sanitizers.budget import Budget
from sanitizers.findings import CODES
from sanitizers.model import Action, Finding, Job, Kind, Limits, MailFacts, Malware, Match, Reason, Report, Treatment
from sanitizers.source import Source


class Rebuilt(NamedTuple):
    """A new file, made by a sanitizer: its bytes and its kind (docm becomes docx)."""

    content: Source
    kind: Kind


class Outcome(NamedTuple):
    """The end of one part: its report, and its new bytes only if the verdict delivers."""

    report: Report
    content: Source | None


@dataclass(slots=True)
class Context:
    """One per part. A sanitizer writes to it only through its methods."""

    name: str
    kind: Kind
    job: Job
    budget: Budget
    depth: int
    # (name, content, where, depth) -> Outcome: the engine, for one embedded part
    examine: Callable[[str, Source, str, int], Outcome]
    # (content, where, kind) -> matches: YARA over one decoded layer
    scan: Callable[[Source, str, Kind], list[Match]]
    findings: list[Finding] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    parts: list[Report] = field(default_factory=list)
    mail: MailFacts | None = None
    second_pass: bool = False           # the content is what we just wrote: look at all of it, but what is returned is not used
    confirmed: bool = False             # what comes out is the original, by policy and approval
    passwords_seen: dict[str, None] = field(default_factory=dict)   # of other files, in a mail; one for the whole transfer, in order
    similarity: float | None = None     # set by a verifier that compared pictures of the pages
    _seen: set[tuple[str, str, str]] = field(default_factory=set)
    _matched: set[str] = field(default_factory=set)     # rules that matched a layer

    @property
    def treatment(self) -> Treatment:
        return self.job.treatment

    @property
    def limits(self) -> Limits:
        return self.job.limits

    @property
    def passwords(self) -> tuple[str, ...]:
        return self.job.passwords

    def found(self, code: str, where: str = "", action: Action = Action.REMOVED, detail: str = "") -> None:
        """Record that something was found and what was done about it; the same code at the same place counts once.

        `where`: a path a person can follow (`word/vbaProject.bin`, `page 3/annotation 2`). An undeclared code is a bug.
        Raises LimitExceeded where a transfer has more of them than anybody could read.
        """
        key = (code, where, action)
        if key in self._seen:
            return
        self._seen.add(key)
        self.budget.spend_finding()
        self.findings.append(
            Finding(code=code, severity=CODES[code].severity, action=action, where=where[:500], detail=detail[:500])
        )

    def scan_layer(self, data: bytes, where: str) -> None:
        """Scan a decoded layer (macro source, an inflated stream) that the raw bytes do not show. High matches block the part.

        A rule counts for the first layer that it matches: a thousand pages are not a thousand matches. The second pass reads what
        was written from layers that the first has scanned.
        """
        if self.second_pass:
            return
        for match in self.scan(Source(data), where, self.kind):
            if match.rule not in self._matched:
                self._matched.add(match.rule)
                self.matches.append(match)

    def embed(self, name: str, data: bytes | memoryview | Source, where: str) -> Outcome:
        """Send an embedded part round the engine under the same budget. Its report joins ours.

        Raises LimitExceeded for the whole transfer, and Malware unless this is a mail (whose text still goes to its reader). Any other
        refusal comes back as an Outcome that does not deliver; the caller leaves that part out and records it.
        """
        content = data if isinstance(data, Source) else Source(data)
        outcome = self.examine(name, content, where, self.depth + 1)
        self.parts.append(outcome.report)
        if outcome.report.reason is Reason.MALWARE and self.kind is not Kind.EML:
            raise Malware("in an embedded part", where=where)
        return outcome
