"""The line between the sides: who may speak on it, and that it may be cut anywhere without losing or doubling anything."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from gateway.crossing.line import Certificates, client_context
from gateway.crossing.pushing import CarryError, Load
from gateway.model import Purpose, State
from tests.build.certificates import Authority
from tests.build.segments import Border, Sides, Wall, sides
from tests.build.transfer import RESULT, digest


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Sides]:
    async with sides(tmp_path) as made:
        yield made


@pytest.fixture
async def border(two: Sides, tmp_path: Path) -> AsyncIterator[Border]:
    async with Border(two, tmp_path) as made:
        yield made


class Cable:
    """A line in the middle that is cut after so many octets towards the inner side, or after so many on the way back."""

    def __init__(self, port: int, *, there: int | None = None, back: int | None = None) -> None:
        self._to = port
        self.there, self.back = there, back
        self.passed = [0, 0]
        self.port = 0
        self._running: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[Cable]:
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._to)
        ways = ((reader, inner_writer, 0, self.there), (inner_reader, writer, 1, self.back))
        tasks = [asyncio.create_task(self._pass(*way)) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in tasks:
                one.cancel()
            for end in (writer, inner_writer):
                with suppress(Exception):
                    end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: int, most: int | None) -> None:
        with suppress(ConnectionError):
            while block := await reader.read(1 << 14):
                if most is not None and self.passed[way] + len(block) > most:
                    writer.write(block[: most - self.passed[way]])
                    await writer.drain()
                    return
                self.passed[way] += len(block)
                writer.write(block)
                await writer.drain()


async def test_what_goes_over_the_line(two: Sides, border: Border) -> None:
    number = await two.mail()
    await two.push(border.line(), number)
    (there,) = await two.arrived()
    assert there.result is not None
    assert await two.inner_blobs.read(there.result.sha256) == RESULT


async def test_a_cable_that_is_cut_anywhere_loses_and_doubles_nothing(two: Sides, border: Border) -> None:
    """Measured once whole, then cut at every class of place both ways: in the greeting, the head, the papers, the content, the answer."""
    async with Cable(border.port).laid() as whole:
        first = await two.mail()
        await two.push(border.line(port=whole.port), first)
    there, back = whole.passed
    places = [{"there": int(there * part)} for part in (0, 0.05, 0.3, 0.5, 0.7, 0.9)] + [{"there": there - 1}]
    places += [{"back": int(back * part)} for part in (0, 0.3, 0.6, 0.9)] + [{"back": back - 1}]
    cut = 0
    for place in places:
        two.now += 10
        number = await two.mail()
        async with Cable(border.port, **place).laid() as cable:
            # The last octets of a line are its farewell: without them everything was said.
            await two.push(border.line(port=cable.port), number, state=State.DEFERRED, or_state=State.DELIVERED)
        cut += (await two.outer.transfer(number)).state is State.DEFERRED
        two.now += 100
        await two.push(border.line(), number)
        arrived = await two.arrived()
        receipt_no = (await two.outer.transfer(number)).receipt_no
        (transfer,) = [one for one in arrived if one.receipt_no == receipt_no]
        deliveries = [one for one in await two.inner.deliveries(transfer.id) if one.purpose is Purpose.MAIL]
        assert len(deliveries) == 1, f"once, cut at {place}"
    assert len(await two.arrived()) == 1 + len(places)
    assert cut >= 9
    assert not two.told


async def test_a_large_content_that_is_cut_in_the_middle(two: Sides, border: Border) -> None:
    content = bytes(range(256)) * 8_192
    blob = await two.outer_blobs.put(content)
    wall = Wall()
    number = await two.mail()
    await two.push(wall, number, state=State.DEFERRED)
    head = two.resealed(wall.heads[0], purpose=Purpose.NOTICE, sha256=blob.digest, size=blob.size, receipt="", result=None)
    async with opened(two, blob.digest) as fd:
        load = Load("x" * 64, "20261118-000001", two.resealed(head, crossing="x" * 64), fd, blob.size)
        async with Cable(border.port, there=1 << 20).laid() as cable:
            with pytest.raises(CarryError):
                await border.line(port=cable.port).carry(load)
        again = Load("x" * 64, "20261118-000001", two.resealed(head, crossing="x" * 64), fd, blob.size)
        await border.line().carry(again)
    letters = [entry async for entry in two.inner.entries() if entry.action == "letter.queued"]
    assert len(letters) == 1


@asynccontextmanager
async def opened(two: Sides, name: str) -> AsyncIterator[int]:
    import os

    fd = await two.outer_blobs.open(name)
    try:
        yield fd
    finally:
        os.close(fd)


# ------------------------------------------------------------------------------------------------------ who may speak


async def carried(two: Sides, border: Border, files: Certificates | None) -> None:
    number = await two.mail()
    await two.push(border.line(files=files), number, state=State.DEFERRED)
    assert await two.arrived() == []


async def test_nobody_without_a_certificate_of_the_authority(two: Sides, border: Border, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    foreign = Authority(tmp_path / "foreign", "another").issue("outer.example.jp")
    await carried(two, border, Certificates(foreign.certificate, foreign.key, border.authority.file))


async def test_nobody_with_a_certificate_that_is_over(two: Sides, border: Border) -> None:
    over = border.authority.issue("outer.example.jp", days=-1, file="over")
    await carried(two, border, Certificates(over.certificate, over.key, border.authority.file))


async def test_nobody_with_another_name(two: Sides, border: Border) -> None:
    other = border.authority.issue("somebody.example.jp")
    await carried(two, border, Certificates(other.certificate, other.key, border.authority.file))
    assert not two.told, "it was not even read"


async def test_the_outer_side_speaks_to_the_right_server_only(two: Sides, border: Border, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    foreign = Authority(tmp_path / "foreign", "another")
    number = await two.mail()
    await two.push(border.line(files=border.client._replace(authority=foreign.file)), number, state=State.DEFERRED)
    assert await two.arrived() == []


async def test_without_a_certificate_there_is_no_answer_at_all(border: Border) -> None:
    context = ssl.create_default_context(cafile=border.authority.file)
    async with aiohttp.ClientSession() as session:
        with pytest.raises((aiohttp.ClientError, OSError)):
            await session.get(f"https://127.0.0.1:{border.port}/readyz", ssl=context)


async def test_nothing_older_than_tls_1_3(border: Border) -> None:
    context = client_context(border.client)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", border.port, ssl=context)


async def test_the_line_knows_two_questions_and_no_more(border: Border) -> None:
    context = client_context(border.client)
    async with aiohttp.ClientSession() as session:

        async def status(method: str, path: str) -> int:
            async with session.request(method, f"https://127.0.0.1:{border.port}{path}", ssl=context) as answer:
                return answer.status

        assert await status("GET", "/readyz") == 200
        border.ready = ["stopping"]
        assert await status("GET", "/readyz") == 503
        assert await status("GET", "/") == 404
        assert await status("GET", "/metrics") == 404
        assert await status("GET", "/crossings/x") == 405
        assert await status("PUT", "/crossings/x") == 400


async def test_what_is_larger_than_allowed_is_not_read(two: Sides, border: Border) -> None:
    border.gate._most = 100
    number = await two.mail()
    await two.push(border.line(), number, state=State.DEFERRED)
    (delivery,) = await two.outer.deliveries(number)
    assert "413" in delivery.recipients[0].text or "Error" in delivery.recipients[0].text


async def test_an_answer_of_somebody_else_is_no_delivery(two: Sides, border: Border) -> None:
    """200 and nothing more is what any web server says."""
    from aiohttp import web

    async def yes(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"crossing": digest(b"another")})

    application = web.Application()
    application.router.add_put("/crossings/{crossing}", yes)
    runner = web.AppRunner(application)
    await runner.setup()
    from gateway.crossing.line import server_context

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        await web.SockSite(runner, listening, ssl_context=server_context(border._files)).start()
        number = await two.mail()
        await two.push(border.line(port=listening.getsockname()[1]), number, state=State.DEFERRED)
        await runner.cleanup()
