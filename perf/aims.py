"""What was aimed at and where it stands: each row is a figure of the report. One whose part did not run says so and is not judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from perf import growth


class Aim(NamedTuple):
    """`least`: the figure should be at least the bound; else at most. `of`: the figure in what was found, KeyError where it is not."""

    work: str
    unit: str
    bound: float
    least: bool
    of: Callable[[Mapping[str, Any]], float]


class Stand(NamedTuple):
    """`value` NaN: not measured in this run."""

    aim: Aim
    value: float

    @property
    def met(self) -> bool:
        return self.value >= self.aim.bound if self.aim.least else self.value <= self.aim.bound

    @property
    def said(self) -> str:
        if math.isnan(self.value):
            return "not measured"
        if self.met:
            return "met"
        short = self.aim.bound / self.value if self.aim.least else self.value / self.aim.bound
        return f"missed by a factor of {short:.2f}"


AIMS: Final[tuple[Aim, ...]] = (
    Aim("whole engine over codec floor, reference files", "× processor time", 1.6, least=False,
        of=lambda found: found["ratios"]["engine/floor all"]),
    Aim("mixed mails end to end, of what the floor allows", "of the rate", 0.6, least=True,
        of=lambda found: found["loads"]["mixed"]["of_floor"]),
    Aim("mixed mails end to end", "mails/s", 30.0, least=True, of=lambda found: found["loads"]["mixed"]["mails_per_second"]),
    Aim("p95 at half that load, bombs included", "s", 3.0, least=False, of=lambda found: found["loads"]["half"]["way"]["p95"]),
    Aim("text mails end to end, durable", "mails/s", 400.0, least=True, of=lambda found: found["loads"]["texts"]["mails_per_second"]),
    Aim("text mails, of Postfix's rate", "of the rate", 0.4, least=True, of=lambda found: _beside(found)["ours_over_theirs"]),
    Aim("jail and wire, 10 KB", "ms", 4.0, least=False, of=lambda found: found["jail"]["text of 10 KB"]["more"]),
    Aim("one processor to two", "×", 1.85, least=True, of=lambda found: found["scaling"]["ratio"]),
    Aim("cost growth, the steepest curve", "power of size", growth.STRAIGHT, least=False,
        of=lambda found: max(curve.power for curve in found["curves"])),
    Aim("memory of service and warm parent, mixed mails", "MB", 150.0, least=False,
        of=lambda found: found["loads"]["half"]["memory"]["service and warm parent"]),
    Aim("memory of a child, p99 of mixed mails", "MB", 250.0, least=False,
        of=lambda found: found["loads"]["half"]["memory"]["child p99"]),
    Aim("memory of a child, archive of 500 MB", "MB", 400.0, least=False, of=lambda found: found["archive"]["child largest"]),
    Aim("repeat of a known attachment", "ms", 5.0, least=False, of=lambda found: found["repeats"]["200 KiB"]["p50"]),
    Aim("cold start of the service to its first transfer", "s", 2.0, least=False, of=lambda found: found["start"]["service again"].first),
)  # fmt: skip


def _beside(found: Mapping[str, Any]) -> Mapping[str, float]:
    servers: Mapping[str, Mapping[str, float]] = found["servers"]
    return servers["Postfix, accepts and relays"]


def stands(found: Mapping[str, Any]) -> list[Stand]:
    return [Stand(aim, _value(aim, found)) for aim in AIMS]


def _value(aim: Aim, found: Mapping[str, Any]) -> float:
    try:
        return float(aim.of(found))
    except (KeyError, ValueError):
        return math.nan


def table(given: Sequence[Stand]) -> list[str]:
    """Lines of Markdown."""
    lines = ["| work | aim | here | |", "| --- | ---: | ---: | --- |"]
    for aim, value in given:
        bound = f"{'≥' if aim.least else '≤'} {aim.bound:g} {aim.unit}"
        here = "" if math.isnan(value) else f"{value:.3g}" if value < 1_000 else f"{value:.0f}"
        lines.append(f"| {aim.work} | {bound} | {here} | {Stand(aim, value).said} |")
    return lines
