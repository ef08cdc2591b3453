"""Is all well, in ten seconds: one light for each thing that can be wrong, and today's numbers beside those of a week ago."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec
from sqlalchemy import Connection

from gateway.doctor import certificates, timekeeping
from gateway.model import State
from gateway.people.requests import Kind
from gateway.scanners.panel import Heard, Panel
from gateway.storage import approvals, publishing, statistics, watching
from gateway.storage.approvals import RequestState
from gateway.storage.journal import Journal
from gateway.storage.statistics import Ranks

_DAY: Final = 86_400.0
_WEEK: Final = 7 * _DAY
_LAST: Final = 500
# Above these somebody should look, or act.
_SLOW_SECONDS: Final = (60.0, 600.0)
_OLD_SECONDS: Final = (120.0, 900.0)
_LATE_SECONDS: Final = (900.0, 14_400.0)
_FULL: Final = (0.80, 0.92)
_OFF_SECONDS: Final = (0.1, 1.0)
_EXPIRES_DAYS: Final = (30, 7)
_STALE_RULES: Final = (90 * _DAY, float("inf"))       # old rules are no fault of a machine's
# From the other side of two: a weekend without a mail is nothing, nor are the holidays of a new year.
_SILENT_SECONDS: Final = (3 * _DAY, 14 * _DAY)
# As many of each as stand in a list of the first.
_FIRST: Final = 8


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


class Period(StrEnum):
    """What the charts are about: today by the hour, or the last days."""

    TODAY = "today"
    WEEK = "week"
    MONTH = "month"


# How long a stretch of the chart is, how many there are, and how many days before today they begin.
_STRETCHES: Final = {Period.TODAY: (3600.0, 24, 0), Period.WEEK: (_DAY, 7, 6), Period.MONTH: (_DAY, 30, 29)}
# How old what is told may be: a month of a city is half a million rows, and its last minutes do not show.
_OLDEST: Final = {Period.TODAY: 60.0, Period.WEEK: 300.0, Period.MONTH: 900.0}


class Trend(msgspec.Struct, frozen=True):
    """A period from `since` on (seconds since 1970), in stretches of `step` seconds: numbers by verdict, and who and what stands first."""

    since: float
    step: float
    stretches: list[dict[str, int]]
    ranks: Ranks


class Day(msgspec.Struct, frozen=True):
    """Numbers by verdict: of today until now, and of the same weekday a week ago until the same time."""

    today: dict[str, int]
    week_ago: dict[str, int]


class Overview:
    """`versions`: walls and what is in force; `folder`: where everything is kept; `ready`: what stops the service, empty if nothing;
    `shown`: use → file of a certificate; `told`: what the kernel knows of its clock; `inner`: there is an outer side that hands over."""

    def __init__(
        self,
        journal: Journal,
        panel: Panel,
        *,
        versions: Callable[[], dict[str, str]],
        ready: Callable[[], Awaitable[list[str]]],
        folder: Path,
        clock: Callable[[], float],
        shown: Mapping[str, Path] = MappingProxyType({}),
        told: Callable[[], timekeeping.Clock | None] = timekeeping.clock,
        inner: bool = False,
    ) -> None:
        self._journal = journal
        self._panel = panel
        self.versions = versions
        self._ready = ready
        self._folder = folder
        self._clock = clock
        self._shown = shown
        self._told = told
        self._inner = inner
        self._trends: dict[Period, tuple[float, Trend]] = {}

    async def lights(self) -> list[Light]:
        """The service itself first, then what it stands on."""
        queues, scanners, shown = await self._queues(), await self._scanners(), await asyncio.to_thread(self._certificates)
        beside = [await self._rules(), *([await self._outer()] if self._inner else [])]
        lights = [await self._service(), *queues, await self._speed(), *scanners, *beside, await self._disk(), self._time(), *shown]
        return lights + await self._emergencies()

    async def day(self) -> Day:
        """Verdicts since midnight, and of the same day a week ago."""
        now, midnight, ask = self._clock(), self._midnight(), self._journal.ask
        return Day(
            today=await ask(lambda connection: statistics.by_verdict(connection, midnight, now + 1)),
            week_ago=await ask(lambda connection: statistics.by_verdict(connection, midnight - _WEEK, now - _WEEK)),
        )

    async def trend(self, period: Period) -> Trend:
        """Kept for a while; the more there is of it, the longer."""
        now = self._clock()
        kept = self._trends.get(period)
        if kept is None or not kept[0] <= now < kept[0] + _OLDEST[period]:
            kept = now, await self._looked_at(period)
            self._trends[period] = kept
        return kept[1]

    async def _looked_at(self, period: Period) -> Trend:
        step, steps, days = _STRETCHES[period]
        since = self._midnight() - days * _DAY

        def looked_at(connection: Connection) -> Trend:
            until = since + step * steps
            stretches = statistics.over_time(connection, since, step, steps)
            return Trend(since, step, stretches, statistics.ranks(connection, since, until, _FIRST))

        return await self._journal.ask(looked_at)

    def _midnight(self) -> float:
        today = dt.datetime.fromtimestamp(self._clock(), dt.UTC).astimezone()
        return today.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()

    async def _service(self) -> Light:
        wrong = await self._ready()
        said = (f"止まっています：{'、'.join(wrong)}", f"not taking in: {'; '.join(wrong)}") if wrong else ("動いています", "at work")
        return Light("service", ("受付と処理", "Intake and work"), Tone.STOP if wrong else Tone.OK, said)

    async def _queues(self) -> list[Light]:
        standing, now = await self._journal.ask(watching.standing), self._clock()

        def light(name: str, title: tuple[str, str], states: tuple[State, ...], limits: tuple[float, float]) -> Light:
            count = sum(standing.states[state] for state in states)
            age = max((now - standing.since[state] for state in states if state in standing.since), default=0.0)
            if not count:
                return Light(name, title, Tone.OK, ("待ちはありません", "nothing waits"))
            said = (f"{count}件、最も古いもの {_spell(age)}", f"{count}, the oldest for {age:.0f} s")
            return Light(name, title, _tone(age, limits), said)

        next_hop = light("next_hop", ("次の中継先", "Next hop"), (State.DEFERRED,), _LATE_SECONDS)
        if standing.states[State.DEFERRED] and (answer := await self._journal.ask(statistics.last_refusal)):
            next_hop = msgspec.structs.replace(next_hop, said=(f"{next_hop.said[0]}（{answer}）", next_hop.said[1]))
        waiting = light("queue", ("処理待ち", "Waiting for work"), (State.RECEIVED, State.PROCESSING), _OLD_SECONDS)
        return [waiting, next_hop, _held(standing.states[State.HELD])]

    async def _speed(self) -> Light:
        taken, title = await self._journal.ask(lambda connection: statistics.seconds_taken(connection, _LAST)), ("処理時間", "Time taken")
        if not taken:
            return Light("speed", title, Tone.OK, ("まだありません", "none yet"))
        p95 = taken[int(0.95 * (len(taken) - 1))]
        said = (f"直近{len(taken)}件の95％が{_spell(p95)}以内", f"95 % of the last {len(taken)} within {p95:.1f} s")
        return Light("speed", title, _tone(p95, _SLOW_SECONDS), said)

    async def _scanners(self) -> list[Light]:
        return [_scanner(heard) for heard in await self._panel.standing()]

    async def _rules(self) -> Light:
        title = ("検知ルール", "Rules")
        published = await self._journal.ask(lambda connection: publishing.history(connection, publishing.Subject.RULES, 1))
        if not published:
            return Light("rules", title, Tone.OK, ("製品に付属のルール", "as they came with the product"))
        age = max(0.0, self._clock() - published[0].at)
        said = (f"{age / _DAY:,.0f}日前に公開（{published[0].version}）", f"published {age / _DAY:,.0f} days ago")
        return Light("rules", title, _tone(age, _STALE_RULES), said)

    async def _outer(self) -> Light:
        last, title = await self._journal.ask(statistics.last_crossing), ("外側の系からの受渡し", "From the outer side")
        if last is None:
            return Light("outer", title, Tone.WAIT, ("最近の受渡しはありません", "nothing came lately"))
        age = max(0.0, self._clock() - last)
        return Light("outer", title, _tone(age, _SILENT_SECONDS), (f"最後は{_spell(age)}前", f"the last one {age:.0f} s ago"))

    async def _disk(self) -> Light:
        usage = await asyncio.to_thread(shutil.disk_usage, self._folder)
        used = 1 - usage.free / usage.total
        said = (f"空き {usage.free / 2**30:,.1f} GiB（使用率 {used:.0%}）", f"{usage.free / 2**30:,.1f} GiB free, {used:.0%} used")
        return Light("disk", ("ディスク", "Disk"), _tone(used, _FULL), said)

    def _time(self) -> Light:
        known, title = self._told(), ("時刻", "Clock")
        if known is None or not known.synchronised:
            return Light("clock", title, Tone.WAIT, ("時刻源と同期していません", "not synchronised"))
        off = abs(known.offset)
        return Light("clock", title, _tone(off, _OFF_SECONDS), (f"ずれ {1000 * off:.1f} ミリ秒", f"{1000 * off:.1f} ms off"))

    async def _emergencies(self) -> list[Light]:
        """A light only while an emergency exception (緊急例外) waits to be looked at."""
        open_, kinds = (RequestState.REQUESTED,), (Kind.EMERGENCY_REPORT,)
        waiting = await self._journal.ask(lambda connection: approvals.listed(connection, states=open_, kinds=kinds, limit=1_000))
        if not waiting:
            return []
        title, due = ("緊急例外の事後報告", "Emergency exceptions"), min(one.detail["due"] for one in waiting)
        until = dt.datetime.fromtimestamp(due, dt.UTC).astimezone().strftime("%Y-%m-%d %H:%M")
        said = (f"CISOの確認待ち {len(waiting)}件（期限 {until}）", f"{len(waiting)} to be looked at, the first by {until}")
        return [Light("emergency", title, Tone.STOP if due <= self._clock() else Tone.WAIT, said)]

    def _certificates(self) -> list[Light]:
        return [_certificate(use, file, self._clock()) for use, file in self._shown.items()]


def _held(count: int) -> Light:
    """People wait for these, which is nobody's fault: never red."""
    said = (f"{count:,}件", f"{count:,}") if count else ("ありません", "none")
    return Light("held", ("保留中", "Held"), Tone.OK, said)


def _certificate(use: str, file: Path, now: float) -> Light:
    title = (f"証明書（{use}）", f"Certificate ({use})")
    try:
        left = (certificates.expires(file) - now) / _DAY
    except (OSError, certificates.CertificateError) as error:
        return Light(f"certificate:{use}", title, Tone.STOP, (f"読めません：{error}", str(error)))
    tone = Tone.STOP if left < _EXPIRES_DAYS[1] else Tone.WAIT if left < _EXPIRES_DAYS[0] else Tone.OK
    said = (f"残り{left:,.0f}日", f"{left:,.0f} days left") if left > 0 else ("期限が切れています", "over")
    return Light(f"certificate:{use}", title, tone, said)


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
