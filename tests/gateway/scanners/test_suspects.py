"""A file that takes a scanner down each time is held at last; no other file is blamed, and a scanner that is merely down blames none."""

from __future__ import annotations

import asyncio
import hashlib
import os

import pytest

from gateway.road import memory
from gateway.scanners.interface import Answer, Clean, Failed
from gateway.scanners.panel import Judgement, Panel, Ruling, Seat
from gateway.scanners.suspects import Room, Suspects

KILLER, INNOCENT = b"killer", b"innocent"


class Frail:
    """Falls over at KILLER with whatever it has in hand, and stands up when it is told to."""

    name = "frail"

    def __init__(self) -> None:
        self.up = True
        self.hands: set[bytes] = set()
        self.beside: list[set[bytes]] = []

    async def scan(self, fd: int, size: int) -> Answer:
        if not self.up:
            return Failed("down")
        content = os.pread(fd, size, 0)
        self.hands.add(content)
        await asyncio.sleep(0.01)
        self.beside.append(set(self.hands))
        if content == KILLER:
            self.up = False
        self.hands.discard(content)
        return Clean() if self.up else Failed("closed without an answer")

    async def age(self) -> float | None:
        return None


async def judge(panel: Panel, content: bytes) -> Judgement:
    with memory.filled("file", content) as fd:
        async with asyncio.timeout(10):
            return await panel.judge(fd, len(content), hashlib.sha256(content).hexdigest())


async def test_it_is_held_after_some_times_and_nobody_else_is() -> None:
    scanner = Frail()
    panel = Panel([Seat(scanner)])
    rulings = []
    for _ in range(4):
        scanner.up = True
        killer, innocent = await asyncio.gather(judge(panel, KILLER), judge(panel, INNOCENT))
        rulings.append(killer.ruling)
        assert innocent.ruling in (Ruling.CLEAN, Ruling.WAIT)
        assert innocent.ruling is Ruling.CLEAN or innocent.down, "waiting does not count against it"
    assert rulings == [Ruling.WAIT, Ruling.WAIT, Ruling.WAIT, Ruling.HOLD]
    scanner.up = True
    assert (await judge(panel, INNOCENT)).ruling is Ruling.CLEAN


async def test_a_suspect_is_looked_at_alone() -> None:
    scanner = Frail()
    panel = Panel([Seat(scanner)])
    await judge(panel, KILLER)
    scanner.up = True
    scanner.beside.clear()
    await asyncio.gather(*(judge(panel, content) for content in (INNOCENT, KILLER, b"other", b"third")))
    assert {KILLER} in scanner.beside
    assert all(hands == {KILLER} for hands in scanner.beside if KILLER in hands)


async def test_while_it_is_down_nobody_is_convicted() -> None:
    scanner = Frail()
    panel = Panel([Seat(scanner)])
    scanner.up = False
    for _ in range(10):
        judgement = await judge(panel, INNOCENT)
        assert (judgement.ruling, judgement.down) == (Ruling.WAIT, True)
    scanner.up = True
    assert (await judge(panel, INNOCENT)).ruling is Ruling.CLEAN
    assert hashlib.sha256(INNOCENT).hexdigest() not in panel._suspects


async def test_how_they_stand_is_asked_now_and_then() -> None:
    now, scanner = 0.0, Frail()
    asked = 0
    scan = scanner.scan

    async def counted(fd: int, size: int) -> Answer:
        nonlocal asked
        asked += 1
        return await scan(fd, size)

    scanner.scan = counted  # type: ignore[method-assign]
    panel = Panel([Seat(scanner)], clock=lambda: now)
    assert [one.trouble for one in await panel.standing()] == [""]
    await asyncio.gather(*(panel.standing() for _ in range(50)))
    assert asked == 1
    scanner.up, now = False, 6.0
    assert [one.trouble for one in await panel.standing()] == ["down"]
    assert asked == 2


def test_suspects_do_not_grow_without_bound() -> None:
    suspects = Suspects()
    for number in range(10_050):
        suspects.add(str(number))
    assert "0" not in suspects
    assert "10049" in suspects
    assert len(suspects._times) == 10_000


async def test_the_room_is_left_when_one_is_cancelled() -> None:
    room = Room()
    entered = asyncio.Event()

    async def stay() -> None:
        async with room.shared(5):
            entered.set()
            await asyncio.sleep(60)

    staying = asyncio.ensure_future(stay())
    await asyncio.wait_for(entered.wait(), 5)
    with pytest.raises(TimeoutError):
        async with room.alone(0.05):
            pass
    async with room.shared(0.05):
        pass
    staying.cancel()
    await asyncio.gather(staying, return_exceptions=True)
    async with room.alone(5):
        with pytest.raises(TimeoutError):
            async with room.shared(0.05):
                pass
    async with room.shared(5), room.shared(5):
        pass
