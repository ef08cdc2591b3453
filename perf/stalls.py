"""How long the service's event loop keeps everybody waiting under load, and why: every turn of more than 20 milliseconds is explained.

    python perf/stalls.py [--count N] [--texts] [--json FILE]

A beat in the loop every five milliseconds says how late it came. What the loop's thread did meanwhile is what the kernel counted: it
computed (`ours`), it was ready and no processor was free (`machine`), or it waited for a disk, a lock or another thread (`waiting`). A
second thread writes down where the loop's thread stood while a beat was late. Whoever starts this module with `--inside FILE` gets the
command of the product with that beat in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop

from gateway import cli
from perf import load_smtp
from tests.e2e import service as services

_BEAT_SECONDS: Final = 0.005
_STALL_SECONDS: Final = 0.020
_ROOMS: Final = ("gateway", "mail", "sanitizers")
_SHOWN: Final = 8


class Stall(NamedTuple):
    """Seconds that a beat came late, and how the loop's thread spent them; the place in our code where it was seen most."""

    at: float
    late: float
    ours: float
    machine: float
    place: str

    @property
    def waiting(self) -> float:
        return max(0.0, self.late - self.ours - self.machine)

    @property
    def cause(self) -> str:
        spent = {"ours": self.ours, "machine": self.machine, "waiting": self.waiting}
        return max(spent, key=spent.__getitem__)


class Beat:
    """In the loop's thread. `seen`: where that thread stood at each look since the last beat, by the thread that looks."""

    def __init__(self) -> None:
        self.stalls: list[Stall] = []
        self.beats = 0
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._due = 0.0
        self._began = time.perf_counter()
        self._seen: Counter[str] = Counter()
        self._before = self._spent()
        threading.Thread(target=self._look, daemon=True).start()
        self._next()

    def _spent(self) -> tuple[float, float]:
        """Seconds on a processor, and ready without one; Documentation/scheduler/sched-stats.rst."""
        running, ready, _ = self._schedule.read_text("ascii").split()
        return int(running) / 1e9, int(ready) / 1e9

    def _next(self) -> None:
        self._due = time.perf_counter() + _BEAT_SECONDS
        self._loop.call_later(_BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        late, now, self.beats = time.perf_counter() - self._due, self._spent(), self.beats + 1
        if late > _STALL_SECONDS:
            ours, machine = now[0] - self._before[0], now[1] - self._before[1]
            place = self._seen.most_common(1)[0][0] if self._seen else "not seen"
            self.stalls.append(Stall(time.perf_counter() - self._began, late, ours, machine, place))
        self._seen.clear()
        self._before = now
        self._next()

    def _look(self) -> None:
        while True:
            time.sleep(_BEAT_SECONDS)
            if time.perf_counter() - self._due > _BEAT_SECONDS and (frame := sys._current_frames().get(self._thread)):  # noqa: SLF001 - the one way
                self._seen[_place(traceback.extract_stack(frame))] += 1

    def told(self) -> dict[str, Any]:
        return {"beats": self.beats, "seconds": time.perf_counter() - self._began, "stalls": [list(stall) for stall in self.stalls]}


def _place(stack: Sequence[traceback.FrameSummary]) -> str:
    """The innermost line of ours, and what it called."""
    inner = stack[-1]
    for frame in reversed(stack):
        path = Path(frame.filename)
        if room := next((part for part in path.parts if part in _ROOMS), None):
            named = f"{'/'.join(path.parts[path.parts.index(room):])} {frame.name}"
            return named if frame is inner else f"{named} > {Path(inner.filename).name} {inner.name}"
    return f"{Path(inner.filename).name} {inner.name}"


def inside(file: Path, words: Sequence[str]) -> int:
    """The command, with a beat in its loop."""
    run, kept = uvloop.run, []

    async def beaten(main: Coroutine[Any, Any, Any]) -> Any:
        kept.append(Beat())
        try:
            return await main
        finally:
            file.write_text(json.dumps(kept[0].told()))     # noqa: ASYNC240 - the loop is about to end

    uvloop.run = lambda main, **options: run(beaten(main), **options)
    return cli.main(words)


# -------------------------------------------------------------------------------------------------------------------- told


def explained(told: dict[str, Any], since: float = 0.0) -> dict[str, Any]:
    """Of the stalls after so many seconds (start-up has its own figure, start.py): counts by cause, the longest, the places of ours."""
    stalls = [Stall(*each) for each in told["stalls"] if each[0] > since]
    ours = [stall for stall in stalls if stall.cause == "ours"]
    places: dict[str, list[float]] = {}
    for stall in ours:
        places.setdefault(stall.place, []).append(stall.ours)
    dearest = sorted(places.items(), key=lambda item: -sum(item[1]))[:_SHOWN]
    return {
        "beats": told["beats"], "stalls": len(stalls), "by cause": dict(Counter(stall.cause for stall in stalls)),
        "longest ms": round(1000 * max((stall.late for stall in stalls), default=0.0), 1),
        "longest of ours ms": round(1000 * max((stall.ours for stall in ours), default=0.0), 1),
        "places": [f"{place}: {len(spent)} ×, longest {1000 * max(spent):.0f} ms" for place, spent in dearest],
    }  # fmt: skip


def measured(words: Sequence[str]) -> dict[str, Any]:
    """Of a load as `load_smtp.py` takes it."""
    given = load_smtp.arguments().parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        file, plain = Path(folder) / "beats.json", services.SEKISHO
        # The product's command, with a beat in it.
        services.SEKISHO = (sys.executable, str(Path(__file__).resolve()), "--inside", str(file))  # type: ignore[assignment]
        try:
            found = asyncio.run(load_smtp.measured(load_smtp.service_in(Path(folder)), load_smtp.mix(given), given))
        finally:
            services.SEKISHO = plain
        told = json.loads(file.read_text())
    return explained(told, since=told["seconds"] - found["seconds"] - 0.5) | {"faults": found["faults"]}


def main() -> int:
    if sys.argv[1:2] == ["--inside"]:
        return inside(Path(sys.argv[2]), sys.argv[3:])
    words = sys.argv[1:] or ["--count", "300"]
    if "-h" in words or "--help" in words:
        argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(words)
    found = measured(words)
    for name, value in found.items():
        print(f"{name:20} {value}" if name != "places" else "\n".join(value))
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
