"""A Context as the engine would hand it to a sanitizer, for tests of one format at a time."""

from __future__ import annotations

from sanitizers.budget import Budget
from sanitizers.context import Context, Outcome, Rebuilt
from sanitizers.engine import Engine
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Finding, Job, Kind, Limits, PartInfo, Report, Treatment, Verdict
from sanitizers.scan import NO_RULES
from sanitizers.source import Source

CHANGES = (Action.REMOVED, Action.REWRITTEN)


def context(
    name: str = "x",
    kind: Kind = Kind.UNKNOWN,
    *,
    limits: Limits | None = None,
    passwords: tuple[str, ...] = (),
    size: int = 1 << 20,
    **treatment: object,
) -> Context:
    """Embedded parts go through a real engine; no rules are loaded. Keyword arguments are fields of Treatment."""
    job = Job(name=name, limits=limits or Limits(), treatment=Treatment(**treatment), passwords=passwords)  # type: ignore[arg-type]
    engine = Engine(job, NO_RULES, size)

    def examine(part: str, source: Source, where: str, depth: int) -> Outcome:
        return engine._examine(part, source, where, depth)

    return Context(name=name, kind=kind, job=job, budget=Budget(job.limits, size), depth=0, examine=examine, scan=NO_RULES.scan)


def delivered(given: Context, *contents: bytes, kind: Kind = Kind.PNG, verdict: Verdict = Verdict.CLEAN) -> Context:
    """As if the engine had delivered these for parts of the file."""
    for content in contents:
        info = PartInfo(name="part", size=len(content), sha256=Source(content).sha256, kind=kind)
        given.parts.append(Report(path="part", verdict=verdict, reason=None, input=info, output=info))
    return given


def sanitize(sanitizer: Sanitizer, data: bytes, kind: Kind, name: str = "x", **options: object) -> tuple[Rebuilt, Context]:
    """Run one sanitizer over bytes, without identify and verify."""
    given = context(name, kind, size=len(data), **options)  # type: ignore[arg-type]
    return sanitizer.sanitize(Source(data), given), given


def changes(given: Context) -> list[Finding]:
    """The findings that claim a removal or a rewriting."""
    return [finding for finding in given.findings if finding.action in CHANGES]


def run(data: bytes, name: str, **options: object) -> Outcome:
    """The whole engine over bytes, as in the jail but in this process. Raises LimitExceeded as the engine does."""
    limits = options.pop("limits", None) or Limits()
    passwords = options.pop("passwords", ())
    job = Job(name=name, limits=limits, treatment=Treatment(**options), passwords=passwords)  # type: ignore[arg-type]
    return Engine(job, NO_RULES, len(data)).run(Source(data))
