"""Two sides for tests: an outer installation that releases things and an inner one that takes them in, with stand-ins for jail and blobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import msgspec
from aiohttp import web

from gateway import receipts
from gateway.crossing import papers
from gateway.crossing.line import Certificates, Gate, Line, client_context, server_context
from gateway.crossing.papers import OPENING, Papers
from gateway.crossing.pushing import Carrier, CarryError, Load, Pushing
from gateway.crossing.taking import Taken, Taking, Terms
from gateway.model import Door, Lane, State, Transfer, Zone
from gateway.policy import Policy
from gateway.receipts import Signer
from gateway.road.pipeline import Pipeline
from gateway.storage.journal import Journal
from mail.retry import Schedule
from sanitizers.model import Job, Report
from tests.build import journals
from tests.build.certificates import Authority
from tests.build.transfer import BODY, NOW, RESULT, FakeWorkers, MemoryBlobs, arrival, claimed, report, signer

LANE = Lane(name="inbound", source=Zone(name="internet"), target=Zone(name="office"))


def cleaned(job: Job, source: bytes) -> Report:
    return report(source=source, output=RESULT, policy=job.policy)


class Wall(Carrier):
    """A carrier that gets nothing over; what it was given is in `heads`."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    async def carry(self, load: Load) -> None:
        self.heads.append(load.head)
        raise CarryError("no line")

    async def close(self) -> None: ...


class ByHand(Carrier):
    """Gives what is carried straight to the inner side, and keeps it."""

    def __init__(self, taking: Taking) -> None:
        self.taking = taking
        self.carried: list[bytes] = []

    async def carry(self, load: Load) -> None:
        whole = b"".join([piece async for piece in load.chunks()])
        self.carried.append(whole)
        try:
            await self.taking.take(in_pieces(whole), via="hand")
        except Exception as error:
            raise CarryError(str(error)) from error

    async def close(self) -> None: ...


class Sides:
    """Both; `now` is the clock of both."""

    def __init__(self, outer: Journal, inner: Journal) -> None:
        self.outer, self.inner, self.now = outer, inner, NOW
        self.outer_blobs, self.inner_blobs = MemoryBlobs(), MemoryBlobs()
        self.signer: Signer = signer()
        self.told: list[tuple[str, str, str]] = []
        self.pipeline = Pipeline(outer, self.outer_blobs, FakeWorkers(cleaned), Policy(), self.signer, clock=self.clock)
        self.taking = self.taking_with()

    def clock(self) -> float:
        return self.now

    def taking_with(self, **terms: object) -> Taking:
        keys = {self.signer.id: receipts.public(self.signer.public_key)}
        chosen = Terms(**({"keys": keys, "lane": LANE} | terms))  # type: ignore[arg-type]
        return Taking(self.inner, self.inner_blobs, chosen, clock=self.clock, told=lambda *what: self.told.append(what))

    def pushing(self, carrier: Carrier, *, hold: float = 0.0, lane: Lane = LANE) -> Pushing:
        schedule = Schedule((60.0,), 3_600.0)
        return Pushing(
            self.outer, self.outer_blobs, carrier, self.signer, lane, schedule=schedule, hold=hold, clock=self.clock, chance=float
        )

    async def mail(self, *recipients: str) -> int:
        """A mail that was released."""
        return await self._released(arrival(recipients=recipients or ("kakari@town.example.jp",)))

    async def file(self, *to: str, name: str = "message.eml") -> int:
        """A file that `tanaka` brought and that was released."""
        return await self._released(arrival(door=Door.DROP, sender="tanaka", recipients=("tanaka", *to), name=name))

    async def _released(self, came: object) -> int:
        await self.outer_blobs.put(BODY)
        transfer_id, _ = await self.outer.accept(came)  # type: ignore[arg-type]
        await self.pipeline.process(claimed(await self.outer.claim(1, at=self.now, lease_until=self.now + 60)))
        return transfer_id

    async def until(self, pushing: Pushing, done: Callable[[], object]) -> None:
        """The outer side at work until `done` (a coroutine function) says so."""
        running = asyncio.create_task(pushing.run())
        try:
            async with asyncio.timeout(30):
                while not await done():  # type: ignore[misc]
                    assert not running.done(), running.exception()
                    await asyncio.sleep(0.01)
        finally:
            pushing.drain()
            await running

    async def push(self, carrier: Carrier, *numbers: int, state: State = State.DELIVERED, or_state: State | None = None) -> None:
        """Until these transfers of the outer side stand there, or there."""

        async def done() -> bool:
            return all([(await self.outer.transfer(number)).state in (state, or_state) for number in numbers])

        await self.until(self.pushing(carrier), done)

    async def sealed(self, **changes: object) -> bytes:
        """One released mail as it travels, its papers changed before they are signed."""
        wall = Wall()
        number = await self.mail()
        await self.push(wall, number, state=State.DEFERRED)
        return self.resealed(wall.heads[0], **changes) + RESULT

    def resealed(self, head: bytes, *, signer: Signer | None = None, sent_at: float | None = None, **changes: object) -> bytes:
        given, report_ = opened(head)
        changed = msgspec.structs.replace(given, **changes)
        return papers.sealed(changed, signer or self.signer, sent_at=given.sent_at if sent_at is None else sent_at) + report_

    async def arrived(self) -> list[Transfer]:
        return await self.inner.transfers()


def opened(head: bytes) -> tuple[Papers, bytes]:
    """Papers and what follows them."""
    length = papers.opening(head[: OPENING.size])
    end = OPENING.size + length
    return msgspec.json.decode(head[OPENING.size : end], type=Papers), head[end:]


async def in_pieces(whole: bytes, size: int = 1_000) -> AsyncIterator[bytes]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


async def handed(taking: Taking, whole: bytes) -> Taken:
    return await taking.take(in_pieces(whole), via="test")


@asynccontextmanager
async def sides(folder: Path) -> AsyncIterator[Sides]:
    outer, inner = await journals.new(folder / "outer.db"), await journals.new(folder / "inner.db")
    try:
        yield Sides(outer, inner)
    finally:
        await outer.stop()
        await inner.stop()


class Border:
    """The inner side's line on loopback, and what the outer side needs to dial it."""

    def __init__(self, sides: Sides, folder: Path, clients: Sequence[str] = ("outer.example.jp",)) -> None:
        self.authority = Authority(folder)
        server, client = self.authority.issue("127.0.0.1"), self.authority.issue("outer.example.jp")
        self._files = Certificates(server.certificate, server.key, self.authority.file)
        self.client = Certificates(client.certificate, client.key, self.authority.file)
        self.ready: list[str] = []
        self.gate = Gate(sides.taking, clients, self._readiness)
        self._runner = web.AppRunner(self.gate.application, access_log=None, handle_signals=False)
        self.port = 0

    async def _readiness(self) -> list[str]:
        return self.ready

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=server_context(self._files))
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def line(self, *, port: int | None = None, files: Certificates | None = None) -> Line:
        return Line(f"https://127.0.0.1:{port or self.port}", lambda: client_context(files or self.client))


__all__ = ["LANE", "Border", "ByHand", "Sides", "Wall", "handed", "in_pieces", "opened", "sides"]
