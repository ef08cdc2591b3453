"""Round after round of one road of mail that meets kill -9, full and broken disks, a locked database and cut connections.

Whatever was answered 250 is delivered or held in the end, and a mail is delivered twice only where SMTP cannot close the window: the
next hop had it, and its answer, or our note of it, was lost.
"""

from __future__ import annotations

import asyncio
import errno
import json
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiosmtplib
import pytest

from gateway.model import State
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.search import Filter
from mail.replies import HANG_UP, Reply
from mail.sink import Sink
from tests.build.ports import free_port
from tests.e2e.road import COMMIT_STEPS, DISK_STEPS, Roads, Start

SENDERS = 4
DONE = {State.DELIVERED, State.HELD, State.BLOCKED}


@dataclass(slots=True)
class ShakyHop(Sink):
    """A next hop that hangs up or refuses for now at any step, once in `one_in` times; 0: never."""

    one_in: int = 0
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def answer(self, verb: str, address: str) -> Reply | None:
        if self.one_in and self.rng.randrange(self.one_in) == 0:
            return self.rng.choice((HANG_UP, Reply(451, "4.3.0", "Not now")))
        return None


class Senders:
    """Numbered mails, some cut off at any stage. `accepted`: those that were answered 250."""

    def __init__(self, port: int, seed: int) -> None:
        self.port = port
        self.accepted: set[str] = set()
        self.sent = 0
        self.cut = 0
        self.over = False
        self._rng = random.Random(seed)

    async def run(self) -> None:
        while not self.over:
            with suppress(OSError, aiosmtplib.SMTPException, TimeoutError, asyncio.IncompleteReadError):
                await (self._cut() if self._rng.random() < 0.2 else self._whole())
            await asyncio.sleep(0.005)

    async def _whole(self) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.port, timeout=10, use_tls=False, start_tls=False) as client:
            for _ in range(10):
                self.sent += 1
                name = f"fault-{self.sent}@partner.example"
                await client.sendmail(name, ["clerk@town.example.jp"], self._message(name))
                self.accepted.add(name)
                if self.over:
                    return

    async def _cut(self) -> None:
        """The connection ends after so many octets, wherever that is; nothing of it is ever answered 250."""
        reading, writing = await asyncio.open_connection("127.0.0.1", self.port)
        await reading.readline()
        self.sent += 1
        self.cut += 1
        name = f"cut-{self.sent}@partner.example"
        lines = b"EHLO x\r\nMAIL FROM:<%b>\r\nRCPT TO:<clerk@town.example.jp>\r\nDATA\r\n" % name.encode()
        whole = lines + self._message(name)
        for line in whole[: self._rng.randrange(len(whole))].splitlines(keepends=True):
            writing.write(line)
            if line == b"DATA\r\n":
                await asyncio.wait_for(reading.readuntil(b"354"), 5)
        writing.transport.abort()

    def _message(self, name: str) -> bytes:
        return f"Message-ID: <{name}>\r\nSubject: x\r\n\r\n".encode() + b"text\r\n" * self._rng.randrange(1, 5_000)


def faults(rng: random.Random) -> dict[str, object]:
    """One round's troubles; often none but the kill at its end."""
    kind = rng.choice(("kill", "kill", "disk", "disk", "commit", "lock"))
    if kind == "disk":
        error = rng.choice((errno.EIO, errno.ENOSPC, errno.EROFS))
        return {"disk": rng.choice(DISK_STEPS), "error": error, "nth": rng.randrange(20), "times": rng.choice((1, 3, 1000))}
    if kind == "commit":
        return {"commit": rng.choice(COMMIT_STEPS), "nth": rng.randrange(20), "times": rng.choice((1, 2, 5))}
    if kind == "lock":
        return {"lock": rng.uniform(0.1, 0.8)}
    return {}


async def rounds(tmp_path: Path, count: int, seed: int) -> None:
    """Runs them, then lets everything settle without any trouble, then counts."""
    rng = random.Random(seed)
    hop = ShakyHop()
    next_hop = await hop.listen("127.0.0.1", 0)
    port, folder = free_port(), tmp_path / "road"
    place = {"folder": str(folder), "port": port, "next_hop": next_hop.addresses[0][1]}
    senders = Senders(port, seed)
    async with Roads(tmp_path / "road.log") as roads:
        assert await roads.start(Start(**place))  # type: ignore[arg-type]
        sending = [asyncio.create_task(senders.run()) for _ in range(SENDERS)]
        for _ in range(count):
            hop.one_in = rng.choice((0, 0, 0, 50, 8))
            await roads.start(Start(**place, **faults(rng)))  # type: ignore[arg-type]
            await asyncio.sleep(rng.uniform(0.02, 0.4))
        hop.one_in = 0
        assert await roads.start(Start(**place))  # type: ignore[arg-type]
        # Not cancelled: a sender whose mail was just answered 250 must still write that down.
        senders.over = True
        await asyncio.gather(*sending)
        states = await settled(folder)
    await next_hop.stop(1)
    await check(folder, hop, senders, states)


async def settled(folder: Path) -> Counter[State]:
    """Until nothing is on its way any more, or nothing has moved for a minute: thousands may wait after many rounds."""
    journal = Journal(folder / "sekisho.db")
    await journal.start()
    seen, still = Counter[State](), 0
    try:
        for _ in range(100_000):
            counts = Counter({state: number for state, number in (await journal.counts()).states.items() if number})
            if set(counts) <= DONE:
                return counts
            still = still + 1 if counts == seen else 0
            if still > 600:
                break
            seen = counts
            await asyncio.sleep(0.1)
        return seen
    finally:
        await journal.stop()


async def check(folder: Path, hop: ShakyHop, senders: Senders, states: Counter[State]) -> None:
    delivered = Counter(content.split(b"\r\n", 1)[0][13:-1].decode() for _, content in hop.messages)
    journal, blobs = Journal(folder / "sekisho.db"), LocalBlobs(folder / "blobs")
    await journal.start()
    await blobs.start()
    held = {one.sender for one in await journal.transfers(Filter(limit=1_000_000)) if one.state in (State.HELD, State.BLOCKED)}
    missing = [one.receipt_no for one in await journal.transfers(Filter(limit=1_000_000)) if one.blob and not await blobs.exists(one.blob)]
    noted = Counter([entry.subject async for entry in journal.entries() if entry.action == "delivery.result" and _delivered(entry.detail)])
    await journal.stop()
    await blobs.stop()
    lost = senders.accepted - set(delivered) - held
    twice = sum(count - 1 for count in delivered.values())
    print(  # noqa: T201 - the figures of the run
        f"{senders.sent} sent, {senders.cut} of them cut, {len(senders.accepted)} accepted, {len(delivered)} delivered, "
        f"{len(held)} held, {twice} twice, {len(lost)} lost"
    )
    assert set(states) <= DONE, states
    assert not lost, sorted(lost)[:5]
    assert not missing, missing[:5]
    # A second copy goes out only while no delivery of the first is written down: none ever after.
    assert set(noted.values()) == {1}, noted.most_common(3)
    assert senders.accepted
    assert senders.cut
    assert not [name for name in delivered if name.startswith("cut-")]


def _delivered(detail: str) -> bool:
    """Of the mail itself, not of a notice about it."""
    said = json.loads(detail)
    return said["purpose"] == "mail" and any(one["state"] == "delivered" for one in said["recipients"])


async def test_fifteen_rounds_lose_nothing(tmp_path: Path) -> None:
    await rounds(tmp_path, 15, seed=20261121)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_two_thousand_rounds_lose_nothing(tmp_path: Path) -> None:
    await rounds(tmp_path, 2000, seed=365)
