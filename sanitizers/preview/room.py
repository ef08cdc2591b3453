"""Where one file is looked at: one budget, one list of passwords, and the sanitizers' own code where that reads a kind best."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sanitizers.budget import Budget
from sanitizers.context import Context, Outcome, Rebuilt
from sanitizers.formats import BY_KIND
from sanitizers.model import Job, Kind, PartInfo, Reason, Report, Unsupported, Verdict
from sanitizers.source import Source

# What is told of each part that a sanitizer would send round the engine: its name and bytes.
Caught = Callable[[str, Source], None]


class Room:
    """One per look."""

    def __init__(self, job: Job, size: int) -> None:
        self.budget = Budget(job.limits, size)
        self.passwords = job.passwords
        # Pages of a drawing and of the web as what can be shown of them.
        shown = msgspec.structs.replace(job.treatment, svg_as_pixels=True, pages_as_text=True)
        self._job = msgspec.structs.replace(job, treatment=shown, look=None)

    def rebuilt(self, source: Source, kind: Kind, name: str, caught: Caught = lambda _name, _part: None) -> Rebuilt:
        """What the sanitizer of that kind makes of it, without the parts in it, which are `caught`; not verified, never handed on.

        Raises Unsupported, and what the sanitizer raises.
        """
        sanitizer = BY_KIND.get(kind)
        if sanitizer is None:
            raise Unsupported(f"no reader for {kind}")

        def examine(part: str, content: Source, where: str, _depth: int) -> Outcome:
            self.budget.spend_part()
            caught(part, content)
            return _kept_out(part, content, where)

        context = Context(
            name=name, kind=kind, job=self._job, budget=self.budget, depth=0, examine=examine, scan=lambda _content, _where, _kind: []
        )
        return sanitizer.sanitize(source, context)


def _kept_out(name: str, content: Source, where: str) -> Outcome:
    info = PartInfo(name=name, size=len(content), sha256=content.sha256, kind=Kind.UNKNOWN)
    return Outcome(Report(path=where, verdict=Verdict.HELD, reason=Reason.POLICY, input=info, output=None), None)
