"""What may happen to an installation, one thing after the other, and what is written down of it: counts, and a picture of the hour."""

from __future__ import annotations

import itertools
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.build.cluster import CONCURRENCY, NAMES, Cluster, NextHop, Sender

# Longer than the database waits for a transaction that says nothing (10 s); longer than a node may say nothing (2 min): its leases end.
_SHORT_PAUSE, _LONG_PAUSE = 14.0, 135.0
_LOOK_SECONDS = 5.0


@dataclass
class Hour:
    """`looks`: seconds since the beginning, mails accepted, mails delivered, mails refused. `outages`: when, how long and what."""

    began: float = field(default_factory=time.monotonic)
    looks: list[tuple[float, int, int, int]] = field(default_factory=list)
    outages: list[tuple[float, float, str]] = field(default_factory=list)
    in_hand: int = 0

    @property
    def now(self) -> float:
        return time.monotonic() - self.began

    def look(self, sender: Sender, hop: NextHop, over: threading.Event) -> None:
        """Every few seconds until it is over."""
        while not over.wait(_LOOK_SECONDS):
            self.looks.append((self.now, len(sender.accepted), len(hop.arrived), sender.refused))

    def counts(self) -> Counter[str]:
        return Counter(what for _, _, what in self.outages)


class Outages:
    """`happen` until the time is over: each kind once in a row, then by the dice."""

    def __init__(self, cluster: Cluster, hour: Hour, seed: int = 11) -> None:
        self._cluster, self._hour = cluster, hour
        self._dice = random.Random(seed)
        # What happens, and how many nodes may have had mails in hand that they could not record.
        self._kinds: dict[str, tuple[Callable[[str], None], int]] = {
            "node killed": (self._kill, 1),
            "database fails over": (self._fail_over, 3),
            "object server stopped": (self._stop_objects, 3),
            "node cut off": (self._cut_node, 1),
            "database cut off, then fails over": (self._lose_primary, 3),
            "node paused": (self._pause, 1),
            "database cut off": (self._cut_database, 3),
            "object store cut off": (self._cut_objects, 3),
            "next hop cut off": (self._cut_town, 3),
            "node paused beyond its leases": (self._pause_long, 1),
        }

    def happen(self, seconds: float, quiet: tuple[float, float]) -> None:
        """`quiet`: seconds between two of them, at least and at most."""
        for number in itertools.count():
            time.sleep(self._dice.uniform(*quiet))
            if self._hour.now > seconds:
                return
            whats = list(self._kinds)
            what = whats[number] if number < len(whats) else self._dice.choice(whats)
            call, nodes = self._kinds[what]
            at, name = self._hour.now, NAMES[number % len(NAMES)]
            call(name)
            self._hour.in_hand += nodes * CONCURRENCY
            self._hour.outages.append((at, self._hour.now - at, what))
            print(f"{at:7.1f} s  {self._hour.now - at:5.1f} s  {what} {name if nodes == 1 else ''}", flush=True)  # noqa: T201 - a long run

    # ------------------------------------------------------------------------------------------------------------- nodes

    def _kill(self, name: str) -> None:
        self._cluster.kill(name)
        time.sleep(self._dice.uniform(0, 5))
        self._cluster.start(name)

    def _pause(self, name: str, seconds: float = _SHORT_PAUSE) -> None:
        self._cluster.signal(name, signal.SIGSTOP)
        time.sleep(seconds)
        self._cluster.signal(name, signal.SIGCONT)

    def _pause_long(self, name: str) -> None:
        self._pause(name, _LONG_PAUSE)

    def _cut_node(self, name: str) -> None:
        self._cut(name, self._dice.uniform(10, 40))

    # ------------------------------------------------------------------------------------------------ what the nodes stand on

    def _fail_over(self, _: str) -> None:
        self._cluster.database.fail_over()
        time.sleep(3)
        self._cluster.database.follow()

    def _lose_primary(self, _: str) -> None:
        """It is alive, but nobody reaches it. Who promotes the other one makes sure first that it does not come back as it is."""
        lost = self._cluster.database.primary
        self._cluster.network.cut(lost)
        time.sleep(self._dice.uniform(5, 10))
        self._cluster.database.fail_over()
        time.sleep(15)
        self._cluster.network.mend(lost)
        self._cluster.database.follow()

    def _cut_database(self, _: str) -> None:
        self._cut(self._cluster.database.primary, self._dice.uniform(3, 12))

    def _stop_objects(self, _: str) -> None:
        self._cluster.objects.stop("object")
        time.sleep(self._dice.uniform(3, 12))
        self._cluster.objects.start("object")
        self._cluster.objects.ready()

    def _cut_objects(self, _: str) -> None:
        self._cut("objects", self._dice.uniform(5, 20))

    def _cut_town(self, _: str) -> None:
        self._cut("town", self._dice.uniform(5, 20))

    def _cut(self, name: str, seconds: float) -> None:
        self._cluster.network.cut(name)
        time.sleep(seconds)
        self._cluster.network.mend(name)


# --------------------------------------------------------------------------------------------------------------- picture


_WIDTH, _HEIGHT, _LEFT, _TOP = 960, 300, 56, 20
_COLOURS = {"node": "#c0392b", "database": "#8e44ad", "object": "#d68910", "next": "#5d6d7e"}


def picture(hour: Hour) -> str:
    """An SVG: mails a minute taken in and handed on, mails that wait, and a bar for each thing that happened."""
    looks = [(0.0, 0, 0, 0), *hour.looks]
    ends = looks[-1][0]
    waiting = [(at, accepted - delivered) for at, accepted, delivered, _ in looks]
    rates = {"#1f618d": _per_minute([(at, accepted) for at, accepted, _, _ in looks]),
             "#1e8449": _per_minute([(at, delivered) for at, _, delivered, _ in looks])}  # fmt: skip
    highest = max([1.0, *(value for points in (*rates.values(), waiting) for _, value in points)])
    drawn = [f'<rect x="{_x(at, ends):.1f}" y="{_TOP}" width="{max(1.5, _x(at + long, ends) - _x(at, ends)):.1f}" height="{_HEIGHT}" '
             f'fill="{_COLOURS[what.split()[0]]}" opacity=".22"><title>{what}</title></rect>' for at, long, what in hour.outages]  # fmt: skip
    drawn.append(_line(waiting, ends, highest, "#999", ' stroke-dasharray="3 3"'))
    drawn += [_line(points, ends, highest, colour) for colour, points in rates.items()]
    step = max(1, round(ends / 60 / 6))
    drawn += [f'<text x="{_x(minute * 60, ends):.0f}" y="{_TOP + _HEIGHT + 16}" text-anchor="middle">{minute} min</text>'
              for minute in range(0, int(ends / 60) + 1, step)]  # fmt: skip
    drawn += [f'<text x="{_LEFT - 6}" y="{_y(highest * part, highest) + 4:.0f}" text-anchor="end">{highest * part:.0f}</text>' for part in (0, 0.5, 1)]
    told = (("#1f618d", "accepted a minute"), ("#1e8449", "delivered a minute"), ("#999", "waiting"), *((colour, f"{word} …") for word, colour in _COLOURS.items()))
    drawn += [f'<text x="{_LEFT + 128 * place}" y="{_TOP + _HEIGHT + 38}" fill="{colour}">■ {text}</text>' for place, (colour, text) in enumerate(told)]
    size = f"0 0 {_WIDTH} {_TOP + _HEIGHT + 50}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" font-family="sans-serif" font-size="12">{"".join(drawn)}</svg>\n'


def _per_minute(points: list[tuple[float, int]], over: float = 30.0) -> list[tuple[float, float]]:
    found, first = [], 0
    for at, count in points:
        while points[first][0] < at - over:
            first += 1
        since, before = points[first]
        found.append((at, 60.0 * (count - before) / (at - since) if at > since else 0.0))
    return found


def _x(at: float, ends: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - 10) * at / max(ends, 1.0)


def _y(value: float, highest: float) -> float:
    return _TOP + _HEIGHT * (1 - value / highest)


def _line(points: list[tuple[float, float]] | list[tuple[float, int]], ends: float, highest: float, colour: str, more: str = "") -> str:
    path = " ".join(f"{_x(at, ends):.1f},{_y(value, highest):.1f}" for at, value in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"{more}/>'
