"""What several answers mean for one file: a hit stops it, silence of who is required never lets it pass."""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
from collections.abc import Callable

import pytest

from gateway.road import memory
from gateway.scanners.hashlists import HashLists
from gateway.scanners.interface import Answer, Clean, Failed, Found
from gateway.scanners.panel import Judgement, Panel, Ruling, Seat

FILE = b"a file"
SHA256 = hashlib.sha256(FILE).hexdigest()
DAY = 86_400.0


class Scripted:
    """A scanner that answers from the content it is handed."""

    def __init__(self, name: str, answer: Answer | Callable[[bytes], Answer] | Exception | None, age: float | None = 0.0) -> None:
        self.name, self.answer, self.told, self.seen, self.asked = name, answer, age, list[bytes](), 0

    async def scan(self, fd: int, size: int) -> Answer:
        content = os.pread(fd, size, 0)
        self.seen.append(content)
        if self.answer is None:
            await asyncio.sleep(60)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(content) if callable(self.answer) else self.answer  # type: ignore[return-value]

    async def age(self) -> float | None:
        self.asked += 1
        return self.told


def fails_on_the_file(content: bytes) -> Answer:
    return Failed("crashed") if content == FILE else Clean()


async def judge(*seats: Seat, lists: HashLists | None = None) -> Judgement:
    panel = Panel(seats, lists or HashLists())
    with memory.filled("sample", FILE) as fd:
        return await panel.judge(fd, len(FILE), SHA256)


def seat(answer: object, name: str = "a", *, age: float | None = 0.0, **options: object) -> Seat:
    return Seat(Scripted(name, answer, age), **options)  # type: ignore[arg-type]


async def test_all_clean_is_clean_and_each_saw_the_file() -> None:
    seats = (seat(Clean(), "a"), seat(Clean(), "b", required=False))
    judgement = await judge(*seats)
    assert (judgement.ruling, judgement.note, judgement.down) == (Ruling.CLEAN, "", False)
    assert [one.scanner for one in judgement.heard] == ["a", "b"]
    assert [seat.scanner.seen for seat in seats] == [[FILE], [FILE]]  # type: ignore[attr-defined]


async def test_nobody_on_the_panel_lets_all_pass() -> None:
    assert (await judge()).ruling is Ruling.CLEAN


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("other", [Clean(), Failed("down"), Failed("too large", lasting=True), ValueError(), None], ids=repr)
async def test_a_hit_of_anybody_is_malware_whatever_the_others_say(other: object, required: bool) -> None:
    judgement = await judge(seat(other, "a", seconds=0.1), seat(Found("Eicar"), "b", required=required))
    assert (judgement.ruling, judgement.note) == (Ruling.MALWARE, "b: Eicar")


async def test_a_hit_with_stale_signatures_is_a_hit() -> None:
    assert (await judge(seat(Found("Eicar"), age=99 * DAY, stale_seconds=DAY))).ruling is Ruling.MALWARE


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (Failed("not reachable"), "a: not reachable"),
        (None, "a: no answer in 0.1 s"),
        (ValueError("secret"), "a: failed: ValueError"),
        (TimeoutError(), "a: no answer in 0.1 s"),
        ("clean", "a: an answer of no known type"),
        (True, "a: an answer of no known type"),
    ],
    ids=repr,
)
async def test_a_required_one_without_an_opinion_makes_wait(answer: object, note: str) -> None:
    judgement = await judge(seat(answer, seconds=0.1), seat(Clean(), "b"))
    assert (judgement.ruling, judgement.note, judgement.down) == (Ruling.WAIT, note, True)
    judgement = await judge(seat(answer, seconds=0.1, required=False), seat(Clean(), "b"))
    assert judgement.ruling is Ruling.CLEAN
    assert judgement.heard[0].trouble == note.removeprefix("a: ")


async def test_a_scanner_that_fails_on_this_file_only_is_not_down() -> None:
    judgement = await judge(seat(fails_on_the_file))
    assert (judgement.ruling, judgement.down) == (Ruling.WAIT, False)
    judgement = await judge(seat(fails_on_the_file), seat(Failed("down"), "b", required=False))
    assert (judgement.ruling, judgement.down) == (Ruling.WAIT, False), "nobody waits for one that is not required"


async def test_what_will_never_be_scanned_is_held() -> None:
    judgement = await judge(seat(Failed("too large", lasting=True)), seat(Failed("down"), "b"))
    assert (judgement.ruling, judgement.note) == (Ruling.HOLD, "a: too large; b: down")
    assert (await judge(seat(Failed("too large", lasting=True), required=False), seat(Clean(), "b"))).ruling is Ruling.CLEAN


@pytest.mark.parametrize(
    ("age", "note"),
    [(DAY + 3600, "a: signatures are 25 h old"), (None, "a: the age of the signatures is not known"), (math.nan, "a: signatures are nan h old")],
)
async def test_stale_signatures_of_a_required_one_make_wait(age: float | None, note: str) -> None:
    judgement = await judge(seat(Clean(), age=age, stale_seconds=DAY))
    assert (judgement.ruling, judgement.note, judgement.down) == (Ruling.WAIT, note, True)
    assert (await judge(seat(Clean(), age=age, stale_seconds=DAY, required=False))).ruling is Ruling.CLEAN
    assert (await judge(seat(Clean(), age=age))).ruling is Ruling.CLEAN, "without a limit nobody asks"
    assert (await judge(seat(Clean(), age=DAY, stale_seconds=DAY))).ruling is Ruling.CLEAN


async def test_the_age_is_asked_once_a_minute_and_grows_meanwhile() -> None:
    now, scanner = [0.0], Scripted("a", Clean(), DAY - 30)
    panel = Panel([Seat(scanner, stale_seconds=DAY)], clock=lambda: now[0])
    with memory.filled("sample", FILE) as fd:
        rulings = []
        for now[0] in (0.0, 29.0, 31.0, 61.0):
            rulings.append((await panel.judge(fd, len(FILE), SHA256)).ruling)
            if now[0] == 31.0:
                scanner.told = 0.0
    assert rulings == [Ruling.CLEAN, Ruling.CLEAN, Ruling.WAIT, Ruling.CLEAN]
    assert scanner.asked == 2


async def test_lists_speak_first() -> None:
    digest = bytes.fromhex(SHA256)
    hit = seat(Found("Eicar"))
    denied = await judge(seat(Clean()), lists=HashLists(deny={digest: "Emotet"}, allow={digest: "ours"}))
    assert (denied.ruling, denied.note) == (Ruling.MALWARE, "deny list: Emotet")
    allowed = await judge(hit, lists=HashLists(allow={digest: "様式第1号"}))
    assert (allowed.ruling, allowed.note) == (Ruling.CLEAN, "allow list: 様式第1号")
    assert hit.scanner.seen == []  # type: ignore[attr-defined]
    assert (await judge(hit, lists=HashLists(allow={bytes(32): "another"}))).ruling is Ruling.MALWARE


async def test_all_are_asked_at_the_same_time() -> None:
    meeting = asyncio.Barrier(3)

    class Meeting(Scripted):
        async def scan(self, fd: int, size: int) -> Answer:
            await meeting.wait()
            return Clean()

    assert (await judge(*(Seat(Meeting(name, Clean()), seconds=5) for name in "abc"))).ruling is Ruling.CLEAN


async def test_a_cancelled_judgement_asks_nobody_any_longer() -> None:
    stopped = asyncio.Event()

    class Endless(Scripted):
        async def scan(self, fd: int, size: int) -> Answer:
            try:
                await asyncio.sleep(60)
            finally:
                stopped.set()
            return Clean()

    task = asyncio.ensure_future(judge(Seat(Endless("a", Clean()))))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()


async def test_standing_tells_how_each_does_without_a_file_of_anybody() -> None:
    panel = Panel([seat(Clean(), "a", age=60.0, stale_seconds=DAY), seat(Failed("down"), "b"), seat(Clean(), "c", age=2 * DAY, stale_seconds=DAY)])
    well, down, stale = await panel.standing()
    assert (well.trouble, well.age) == ("", 60.0)
    assert (down.scanner, down.trouble) == ("b", "down")
    assert (stale.trouble, stale.stale) == ("signatures are 48 h old", True)
    assert FILE not in panel.seats[0].scanner.seen  # type: ignore[attr-defined]


def test_the_longest_that_it_takes() -> None:
    assert Panel().seconds == 0
    assert Panel([seat(Clean(), seconds=30.0), seat(Clean(), "b", seconds=5.0)]).seconds == 2 * 30.0 + 3 * 10.0


async def test_who_cannot_be_heard_in_time_waits() -> None:
    """A file that may have brought a scanner down is scanned alone: others do not wait for it for ever, nor it for the others."""
    scanner = Scripted("a", Clean())
    panel = Panel([Seat(scanner, seconds=0.01)])
    with memory.filled("sample", FILE) as fd:
        async with panel._room.alone(1.0):
            judgement = await panel.judge(fd, len(FILE), SHA256)
        assert (judgement.ruling, judgement.down, judgement.note) == (Ruling.WAIT, True, "others are scanned alone")
        panel._suspects.add(SHA256)
        async with panel._room.shared(1.0):
            judgement = await panel.judge(fd, len(FILE), SHA256)
        assert (judgement.ruling, judgement.down, judgement.note) == (Ruling.WAIT, True, "waits to be scanned alone")
        assert scanner.seen == []
        assert (await panel.judge(fd, len(FILE), SHA256)).ruling is Ruling.CLEAN
