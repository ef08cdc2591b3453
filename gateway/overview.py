"""Is all well, in ten seconds: one light for each thing that can be wrong, and today's numbers beside those of a week ago."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from gateway.model import State
from gateway.scanners.panel import Heard, Panel
from gateway.storage import statistics
from gateway.storage.journal import Journal

_DAY: Final = 86_400.0
_WEEK: Final = 7 * _DAY
_LAST: Final = 500
# Above these somebody should look, or act.
_SLOW_SECONDS: Final = (60.0, 600.0)
_OLD_SECONDS: Final = (120.0, 900.0)
_LATE_SECONDS: Final = (900.0, 14_400.0)
_FULL: Final = (0.80, 0.92)


class Tone(StrEnum):
    """How a light burns."""

    OK = "ok"
    WAIT = "wait"
    STOP = "stop"


class Light(msgspec.Struct, frozen=True):
    """One thing that can be wrong. `said` in Japanese and English."""

    name: str
    title: tuple[str, str]
    tone: Tone
    said: tuple[str, str]


class Day(msgspec.Struct, frozen=True):
    """Numbers by verdict: of today until now, of the same weekday a week ago until the same time, and of today by the hour."""

    today: dict[str, int]
    week_ago: dict[str, int]
    hours: list[dict[str, int]]


class Overview:
    """`versions`: walls and what is in force; `folder`: where everything is kept; `ready`: what stops the service, empty if nothing."""

    def __init__(
        self,
        journal: Journal,
        panel: Panel,
        *,
        versions: Callable[[], dict[str, str]],
        ready: Callable[[], Awaitable[list[str]]],
        folder: Path,
        clock: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._panel = panel
        self.versions = versions
        self._ready = ready
        self._folder = folder
        self._clock = clock

    async def lights(self) -> list[Light]:
        """The service itself first, then what it stands on."""
        return [await self._service(), *await self._queues(), await self._speed(), *await self._scanners(), await self._disk()]

    async def day(self) -> Day:
        now = self._clock()
        midnight = dt.datetime.fromtimestamp(now, dt.UTC).astimezone().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        ask = self._journal.ask
        return Day(
            today=await ask(lambda connection: statistics.by_verdict(connection, midnight, now + 1)),
            week_ago=await ask(lambda connection: statistics.by_verdict(connection, midnight - _WEEK, now - _WEEK)),
            hours=await ask(lambda connection: statistics.by_hour(connection, midnight, 24)),
        )

    async def _service(self) -> Light:
        wrong = await self._ready()
        said = (f"止まっています：{'、'.join(wrong)}", f"not taking in: {'; '.join(wrong)}") if wrong else ("動いています", "at work")
        return Light("service", ("受付と処理", "Intake and work"), Tone.STOP if wrong else Tone.OK, said)

    async def _queues(self) -> list[Light]:
        counts, now = await self._journal.counts(), self._clock()

        def light(name: str, title: tuple[str, str], states: tuple[State, ...], limits: tuple[float, float]) -> Light:
            count = sum(counts.states[state] for state in states)
            age = max((now - counts.oldest[state] for state in states if state in counts.oldest), default=0.0)
            if not count:
                return Light(name, title, Tone.OK, ("待ちはありません", "nothing waits"))
            said = (f"{count}件、最も古いもの {_spell(age)}", f"{count}, the oldest for {age:.0f} s")
            return Light(name, title, _tone(age, limits), said)

        return [
            light("queue", ("処理待ち", "Waiting for work"), (State.RECEIVED, State.PROCESSING), _OLD_SECONDS),
            light("next_hop", ("配送待ち", "Waiting for the next hop"), (State.DEFERRED,), _LATE_SECONDS),
        ]

    async def _speed(self) -> Light:
        taken, title = await self._journal.ask(lambda connection: statistics.seconds_taken(connection, _LAST)), ("処理時間", "Time taken")
        if not taken:
            return Light("speed", title, Tone.OK, ("まだありません", "none yet"))
        p95 = taken[int(0.95 * (len(taken) - 1))]
        said = (f"直近{len(taken)}件の95％が{_spell(p95)}以内", f"95 % of the last {len(taken)} within {p95:.1f} s")
        return Light("speed", title, _tone(p95, _SLOW_SECONDS), said)

    async def _scanners(self) -> list[Light]:
        return [_scanner(heard) for heard in await self._panel.standing()]

    async def _disk(self) -> Light:
        usage = await asyncio.to_thread(shutil.disk_usage, self._folder)
        used = 1 - usage.free / usage.total
        said = (f"空き {usage.free / 2**30:,.1f} GiB（使用率 {used:.0%}）", f"{usage.free / 2**30:,.1f} GiB free, {used:.0%} used")
        return Light("disk", ("ディスク", "Disk"), _tone(used, _FULL), said)


def _scanner(heard: Heard) -> Light:
    age = "" if heard.age is None else f"、パターン {_spell(heard.age)}前"
    title = (f"ウイルス検査（{heard.scanner}）", f"Scanner ({heard.scanner})")
    if not heard.trouble:
        return Light(f"scanner:{heard.scanner}", title, Tone.OK, (f"応答しています{age}", "answers"))
    return Light(
        f"scanner:{heard.scanner}", title, Tone.STOP if heard.required else Tone.WAIT, (f"判定できません：{heard.trouble}", heard.trouble)
    )


def _tone(value: float, limits: tuple[float, float]) -> Tone:
    return Tone.STOP if value >= limits[1] else Tone.WAIT if value >= limits[0] else Tone.OK


def _spell(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f}秒"
    if seconds < 120:
        return f"{seconds:.0f}秒"
    return f"{seconds / 60:.0f}分" if seconds < 7200 else f"{seconds / 3600:.0f}時間"
