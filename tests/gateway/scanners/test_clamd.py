"""clamd's client: a real daemon with signatures of our own, and one that lies, stalls and floods."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gateway.road import memory
from gateway.scanners.clamd import LARGEST, Clamd
from gateway.scanners.interface import Answer, Clean, Failed, Found
from tests.build import descriptors
from tests.build.clamd import HASHED, MARKER, Daemon, answers, needs_clamd, scan

NOW = 1_795_000_000.0

Address = str | tuple[str, int]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


# -------------------------------------------------------------------------------------------------------- a real daemon


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    daemon = Daemon(tmp_path)
    daemon.write("AlertExceedsMax yes\n")
    try:
        await daemon.start()
        yield daemon
    finally:
        await daemon.stop()


@needs_clamd
async def test_a_real_daemon_over_both_roads(daemon: Daemon) -> None:
    for scanner in (Clamd(daemon.socket), Clamd(("127.0.0.1", daemon.port))):
        assert await scan(scanner, "ふつうの文書".encode()) == Clean()
        assert await scan(scanner, b"") == Clean()
        assert await scan(scanner, b"before " + MARKER + b" after") == Found("Sekisho.Test.Marker.UNOFFICIAL")
        assert await scan(scanner, HASHED) == Found("Sekisho.Test.Digest.UNOFFICIAL")
        assert await scan(scanner, b" " * 900_000 + MARKER) == Found("Sekisho.Test.Marker.UNOFFICIAL")
        assert await scanner.age() is None, "signatures of our own have no date"


@needs_clamd
async def test_what_a_real_daemon_does_not_read_is_not_clean(daemon: Daemon) -> None:
    large = b"\0" * (3 << 20)
    unread = await scan(Clamd(daemon.socket), large)
    assert unread == Failed("not looked into: Heuristics.Limits.Exceeded.MaxFileSize", lasting=True)
    assert isinstance(await scan(Clamd(("127.0.0.1", daemon.port)), large), Failed)
    assert await scan(Clamd(daemon.socket, largest=len(large) - 1), large) == Failed("larger than the 3145727 bytes that may be scanned", lasting=True)


@needs_clamd
async def test_many_at_a_time_leave_no_descriptor_behind(daemon: Daemon) -> None:
    scanner = Clamd(daemon.socket)
    await scan(scanner, b"first")
    before = descriptors.held()
    said = await asyncio.gather(*(scan(scanner, (MARKER if number % 3 == 0 else b"clean") + b"%d" % number) for number in range(60)))
    assert [isinstance(answer, Found) for answer in said] == [number % 3 == 0 for number in range(60)]
    assert set(map(type, said)) == {Clean, Found}
    assert descriptors.held() <= before


@needs_clamd
async def test_a_stopped_daemon_fails_and_a_new_one_is_asked_again(daemon: Daemon) -> None:
    scanner = Clamd(daemon.socket, seconds=0.3)
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGSTOP)
    assert await scan(scanner, b"hello") == Failed("no answer in 0.3 s")
    assert await scanner.age() is None
    await daemon.stop()
    assert isinstance(await scan(scanner, b"hello"), Failed)
    await daemon.start()
    assert await answers(Clamd(daemon.socket))


@needs_clamd
async def test_the_callers_descriptor_is_left_as_it_was(daemon: Daemon) -> None:
    with memory.filled("sample", b"some text") as fd:
        os.lseek(fd, 4, os.SEEK_SET)
        assert await Clamd(daemon.socket).scan(fd, 9) == Clean()
        assert os.lseek(fd, 0, os.SEEK_CUR) == 4
        memory.seal(fd)


# ----------------------------------------------------------------------------------------------------- a hostile daemon


class Hostile:
    """Takes a whole command like clamd does, then does what the test wants."""

    def __init__(self, path: Path, talk: Talk) -> None:
        self.address, self._talk = str(path / "hostile.sock"), talk
        self.done = asyncio.Event()

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_unix_server(self._serve, self.address)
        return self.address

    async def __aexit__(self, *_: object) -> None:
        self.done.set()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()


def says(reply: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\0")
        writer.write(reply)
        await writer.drain()

    return talk


LIES = {
    "nothing": b"",
    "no end": b"fd[3]: OK",
    "another end": b"fd[3]: OK\n",
    "two answers": b"fd[3]: OK\0fd[4]: OK\0",
    "more after the end": b"fd[3]: OK\0\0",
    "of a session": b"2: fd[3]: OK\0",
    "about a stream": b"stream: OK\0",
    "about a path": b"/tmp/other: OK\0",
    "about nobody": b"OK\0",
    "about no number": b"fd[]: OK\0",
    "not quite": b"fd[3]: OK \0",
    "small letters": b"fd[3]: ok\0",
    "contradicting itself": b"fd[3]: OK FOUND OK\0",
    "found without a name": b"fd[3]:  FOUND\0",
    "found with a line end": b"fd[3]: a\nb FOUND\0",
    "another command": b"PONG\0",
    "unknown": b"UNKNOWN COMMAND\0",
    "octets": bytes(range(1, 256)) + b"\0",
    "a line too many": b"fd[3]: Not a regular file ERROR\nfd[3]: OK\0",
}


@pytest.mark.parametrize("reply", LIES.values(), ids=LIES.keys())
async def test_an_answer_that_is_not_to_the_letter_is_no_opinion(tmp_path: Path, reply: bytes) -> None:
    before = descriptors.held()
    async with Hostile(tmp_path, says(reply)) as address:
        answer = await scan(Clamd(address, seconds=5), b"hello")
        assert isinstance(answer, Failed)
        assert not answer.lasting
        assert answer.text.isprintable()
    await asyncio.sleep(0)
    assert descriptors.held() <= before


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (b"fd[12]: OK\0", Clean()),
        (b"fd[12]: Win.Test.EICAR_HDB-1 FOUND\0", Found("Win.Test.EICAR_HDB-1")),
        (b"fd[12]: Win.X(44d88612fea8a8f36de82e1278abb02f:68) FOUND\0", Found("Win.X(44d88612fea8a8f36de82e1278abb02f:68)")),
        (b"fd[12]: Can't allocate memory ERROR\0", Failed("error: Can't allocate memory")),
        (b"INSTREAM size limit exceeded. ERROR\0", Failed("error: INSTREAM size limit exceeded", lasting=True)),
        (b"fd[12]: Heuristics.Encrypted.Zip FOUND\0", Failed("not looked into: Heuristics.Encrypted.Zip", lasting=True)),
    ],
)
async def test_an_answer_to_the_letter(tmp_path: Path, reply: bytes, answer: Answer) -> None:
    async with Hostile(tmp_path, says(reply)) as address:
        assert await scan(Clamd(address, seconds=5), b"hello") == answer


@pytest.mark.parametrize(
    ("reply", "text"),
    [(b"", "closed without an answer"), (b"fd[3]: OK\0fd[4]: OK\0", "an answer that is not one sentence"), (b"PONG\0", "an answer that means nothing")],
)
async def test_the_operator_is_told_what_was_wrong(tmp_path: Path, reply: bytes, text: str) -> None:
    async with Hostile(tmp_path, says(reply)) as address:
        assert await scan(Clamd(address, seconds=5), b"hello") == Failed(text)


async def test_one_that_never_answers(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with Hostile(tmp_path, silent) as address:
        assert await scan(Clamd(address, seconds=0.2), b"hello") == Failed("no answer in 0.2 s")
        assert await Clamd(address, seconds=0.2).age() is None


async def test_one_that_answers_and_does_not_close(tmp_path: Path) -> None:
    """More may follow: an answer is over when the connection is."""

    async def lingering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await says(b"fd[3]: OK\0")(reader, writer)
        await reader.read()

    async with Hostile(tmp_path, lingering) as address:
        assert await scan(Clamd(address, seconds=0.2), b"hello") == Failed("no answer in 0.2 s")


async def test_one_that_never_stops(tmp_path: Path) -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(b"A" * 65_536)
            await writer.drain()
            sent += 65_536

    async with Hostile(tmp_path, flood) as address:
        assert await scan(Clamd(address, seconds=10), b"hello") == Failed("an answer without end")
    assert sent < 8 << 20


async def test_one_that_closes_at_once(tmp_path: Path) -> None:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with Hostile(tmp_path, closing) as address:
        assert isinstance(await scan(Clamd(address, seconds=5), b"hello"), Failed)


async def test_one_that_accepts_nobody(tmp_path: Path) -> None:
    path = str(tmp_path / "full.sock")
    with socket.socket(socket.AF_UNIX) as full:
        full.bind(path)
        full.listen(0)
        said = await asyncio.gather(*(scan(Clamd(path, seconds=0.3), b"hello") for _ in range(4)))
    assert {type(answer) for answer in said} == {Failed}


async def test_none_at_all(tmp_path: Path) -> None:
    for address in (str(tmp_path / "none.sock"), str(tmp_path), ("127.0.0.1", 1)):
        assert isinstance(await scan(Clamd(address, seconds=5), b"hello"), Failed)
        assert await Clamd(address, seconds=5).age() is None


# ------------------------------------------------------------------------------------------------------------ the stream


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", 0))
        taker.listen()
        yield taker


async def streamed(content: bytes, reply: bytes, *, seconds: float = 10, deaf: bool = False) -> tuple[Answer, bytes]:
    """The answer over TCP, and the stream as the daemon read it."""
    seen, over = bytearray(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if deaf:
                await over.wait()
            assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
            while length := struct.unpack(">I", await reader.readexactly(4))[0]:
                seen.extend(await reader.readexactly(length))
            writer.write(reply)
            await writer.drain()
        writer.close()

    with listening() as taker:
        server = await asyncio.start_server(talk, sock=taker)
        async with server:
            answer = await scan(Clamd(taker.getsockname(), seconds=seconds), content)
            over.set()
    return answer, bytes(seen)


async def test_a_stream_carries_every_octet() -> None:
    content = bytes(range(256)) * 4001
    assert await streamed(content, b"stream: OK\0") == (Clean(), content)
    assert await streamed(b"", b"stream: OK\0") == (Clean(), b"")


async def test_an_answer_of_the_other_command_is_no_opinion_about_a_stream() -> None:
    for reply in (b"fd[3]: OK\0", b"1: stream: OK\0", b"stream[2]: OK\0", b"stream: OK\0stream: OK\0"):
        answer, _ = await streamed(b"hello", reply)
        assert isinstance(answer, Failed), reply


async def test_one_that_does_not_read_its_stream() -> None:
    answer, _ = await streamed(b"\0" * (16 << 20), b"stream: OK\0", seconds=0.5, deaf=True)
    assert answer == Failed("no answer in 0.5 s")


async def test_a_file_that_becomes_shorter_meanwhile_is_no_opinion(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(24 << 20))

    async def cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        os.truncate(tmp_path / "file", 1)       # what is not yet read of it waits in front of a daemon that does not read
        while await reader.read(1 << 20):
            pass
        writer.close()

    with listening() as taker:
        async with await asyncio.start_server(cutting, sock=taker):
            fd = os.open(tmp_path / "file", os.O_RDONLY)
            assert await Clamd(taker.getsockname(), seconds=20).scan(fd, 24 << 20) == Failed("the file became shorter")
            os.close(fd)


# -------------------------------------------------------------------------------------------------------------- the file


async def test_only_a_whole_regular_file_is_handed_over(tmp_path: Path) -> None:
    async with Hostile(tmp_path, says(b"fd[3]: OK\0")) as address:
        scanner = Clamd(address, seconds=5)
        assert await scan(scanner, b"hello", 5) == Clean()
        assert isinstance(await scan(scanner, b"hello", 4), Failed)
        assert isinstance(await scan(scanner, b"hello", 6), Failed)
        folder = os.open(tmp_path, os.O_RDONLY)
        try:
            assert isinstance(await scanner.scan(folder, os.fstat(folder).st_size), Failed)
        finally:
            os.close(folder)
        assert isinstance(await scanner.scan(999_999, 5), Failed)
        assert await scanner.scan(0, LARGEST + 1) == Failed(f"larger than the {LARGEST} bytes that may be scanned", lasting=True)


async def test_the_daemon_gets_the_file_but_may_not_write_it(tmp_path: Path) -> None:
    seen: list[object] = []
    path = str(tmp_path / "taking.sock")

    def take(taker: socket.socket) -> None:
        connection, _ = taker.accept()
        with connection:
            command, given, _, _ = socket.recv_fds(connection, 64, 4)
            seen.extend((command, len(given), os.pread(given[0], 64, 0)))
            try:
                os.pwrite(given[0], b"changed", 0)
                seen.append("written")
            except OSError:
                seen.append("refused")
            for fd in given:
                os.close(fd)
            connection.sendall(b"fd[3]: OK\0")

    with socket.socket(socket.AF_UNIX) as taker:
        taker.bind(path)
        taker.listen()
        answer, _ = await asyncio.gather(scan(Clamd(path, seconds=5), b"hello"), asyncio.to_thread(take, taker))
    assert answer == Clean()
    assert seen == [b"zFILDES\0\0", 1, b"hello", "refused"]


# --------------------------------------------------------------------------------------------------------------- the age


def dated(seconds_ago: float) -> bytes:
    return b"ClamAV 1.4.6/27123/" + time.ctime(NOW - seconds_ago).encode() + b"\0"


@pytest.mark.parametrize(
    ("reply", "age"),
    [
        (dated(0), 0.0),
        (dated(7_200), 7_200.0),
        (dated(12 * 86_400 + 5), 12 * 86_400 + 5.0),
        (dated(-3_600), 0.0),
        (dated(-2 * 86_400), None),
        (b"ClamAV 1.4.6\0", None),
        (b"ClamAV 1.4.6/27123/\0", None),
        (b"ClamAV 1.4.6/27123/Wed Nov 31 09:00:00 2026\0", None),
        (b"ClamAV 1.4.6/27123/Wed Nix 18 09:00:00 2026\0", None),
        (b"ClamAV 1.4.6/27123/Wed Nov 18 25:00:00 2026\0", None),
        (b"ClamAV 1.4.6/27123/Sat Jan  1 00:00:00 0000\0", None),
        (b"ClamAV 1.4.6/27123/Wed Nov 18 09:00:00 2026", None),
        (b"ClamAV 1.4.6/27123/Wed Nov 18 09:00:00 2026\n\0", None),
        (b"ClamAV 1.4.6/27123/Wed Nov 18 09:00:00 2026\0ClamAV\0", None),
        (b"PONG\0", None),
        (b"", None),
    ],
)
async def test_the_age_of_signatures(tmp_path: Path, reply: bytes, age: float | None) -> None:
    async with Hostile(tmp_path, says(reply)) as address:
        assert await Clamd(address, seconds=5, clock=lambda: NOW).age() == age
