"""ICAP (RFC 3507) against servers built here: honest ones of every manner, and hostile ones; no word of theirs is clean but the two that are."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.road import memory
from gateway.scanners.icap import Icap
from gateway.scanners.interface import Answer, Clean, Failed, Found
from tests.build.clamd import MARKER, Daemon, needs_clamd
from tests.build.ports import free_port

FILE = bytes(range(256)) * 1000
OPTIONS = b'ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nISTag: "x"\r\nAllow: 204\r\nEncapsulated: null-body=0\r\n'
CLEAN = b'ICAP/1.0 204 No Content\r\nISTag: "x"\r\n\r\n'

Talk = Callable[["Server", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """One connection, one request: OPTIONS is answered with `options`, anything else is `talk`'s."""

    def __init__(self, talk: Talk, options: bytes = OPTIONS) -> None:
        self.talk, self.options = talk, options
        self.requests: list[bytes] = []
        self.bodies: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head)
            if head.startswith(b"OPTIONS"):
                writer.write(self.options + b"\r\n" if self.options.startswith(b"ICAP") and not self.options.endswith(b"\r\n\r\n") else self.options)
                await writer.drain()
            else:
                await self.talk(self, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def shown(self, reader: asyncio.StreamReader) -> None:
        """The encapsulated heads of a request."""
        parts = dict(part.strip().split(b"=") for part in self.requests[-1].split(b"Encapsulated: ")[1].split(b"\r\n")[0].split(b","))
        await reader.readexactly(max(int(at) for at in parts.values()))

    async def body(self, reader: asyncio.StreamReader) -> tuple[bytes, bool]:
        """Chunks up to the empty one, and whether that says it was the last (ieof)."""
        content = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            length = int(line.split(b";")[0], 16)
            block = await reader.readexactly(length + 2)
            if not length:
                self.bodies.append(content)
                return content, b"ieof" in line
            content += block[:-2]

    @property
    def url(self) -> str:
        return f"icap://127.0.0.1:{self.port}/avscan"


@asynccontextmanager
async def serving(talk: Talk, options: bytes = OPTIONS) -> AsyncIterator[Server]:
    made = Server(talk, options)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


async def scan(server: Server | str, content: bytes = FILE, seconds: float = 20.0) -> Answer:
    url = server if isinstance(server, str) else server.url
    with memory.filled("file", content) as fd:
        os.lseek(fd, 3, os.SEEK_SET)
        try:
            return await asyncio.wait_for(Icap(url, seconds=seconds).scan(fd, len(content)), 25)
        finally:
            assert os.lseek(fd, 0, os.SEEK_CUR) == 3, "the position is the caller's"


def answers(reply: bytes) -> Talk:
    async def talk(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.shown(reader)
        await server.body(reader)
        writer.write(reply)
        await writer.drain()

    return talk


def encapsulated(content: bytes, status: bytes = b"HTTP/1.1 200 OK", fields: bytes = b"") -> bytes:
    head = status + b"\r\nContent-Type: text/html\r\n\r\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(content[at : at + 5000]), content[at : at + 5000]) for at in range(0, len(content), 5000))
    return b"ICAP/1.0 200 OK\r\n%bEncapsulated: res-hdr=0, res-body=%d\r\n\r\n%b%b0\r\n\r\n" % (fields, len(head), head, chunks)


# ---------------------------------------------------------------------------------------------------------- honest servers


async def test_204_is_clean_and_the_whole_file_was_shown() -> None:
    async with serving(answers(CLEAN)) as server:
        assert await scan(server) == Clean()
        assert server.bodies == [FILE]
        asked, shown = server.requests
        assert asked.startswith(b"OPTIONS icap://127.0.0.1:") and b"\r\nHost: 127.0.0.1:" in asked
        assert shown.startswith(b"RESPMOD ") and b"\r\nAllow: 204\r\n" in shown and b"Preview" not in shown


async def test_it_is_asked_once_what_it_can_do_and_again_later() -> None:
    async with serving(answers(CLEAN), OPTIONS + b"Options-TTL: 100\r\n") as server:
        now = 0.0
        icap = Icap(server.url, clock=lambda: now)
        with memory.filled("file", FILE) as fd:
            for _ in range(3):
                assert await icap.scan(fd, len(FILE)) == Clean()
            assert sum(head.startswith(b"OPTIONS") for head in server.requests) == 1
            now = 101.0
            await icap.scan(fd, len(FILE))
            assert sum(head.startswith(b"OPTIONS") for head in server.requests) == 2


@pytest.mark.parametrize("preview", [0, 30, 1024, 300_000])
@pytest.mark.parametrize("content", [FILE, b"", b"x" * 30])
async def test_previews(preview: int, content: bytes) -> None:
    async def talk(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.shown(reader)
        _, over = await server.body(reader)
        if not over:
            writer.write(b"ICAP/1.0 100 Continue\r\n\r\n")
            await server.body(reader)
        writer.write(CLEAN)

    async with serving(talk, OPTIONS + b"Preview: %d\r\n" % preview) as server:
        assert await scan(server, content) == Clean()
        assert b"".join(server.bodies) == content
        assert len(server.bodies[0]) == min(preview, len(content), 65_536)


async def test_a_word_after_the_preview_alone() -> None:
    async def talk(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.shown(reader)
        await server.body(reader)
        writer.write(CLEAN)

    async with serving(talk, OPTIONS + b"Preview: 16\r\n") as server:
        assert await scan(server) == Clean()
        assert server.bodies == [FILE[:16]]


async def test_reqmod_where_nothing_else_is_offered() -> None:
    async with serving(answers(CLEAN), OPTIONS.replace(b"RESPMOD", b"REQMOD")) as server:
        assert await scan(server) == Clean()
        assert server.requests[1].startswith(b"REQMOD ") and b"req-body=" in server.requests[1]
        assert server.bodies == [FILE]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (b"X-Infection-Found: Type=0; Resolution=2; Threat=Eicar-Test-Signature;\r\n", "Eicar-Test-Signature"),
        (b"X-Virus-ID: Win.Test.EICAR_HDB-1\r\n", "Win.Test.EICAR_HDB-1"),
        (b"X-Violations-Found: 1\r\n\tfile\r\n\tEicar\r\n\t0\r\n", "1 file Eicar 0"),
        (b"X-Infection-Found: Type=0; Resolution=2; Threat=\xe3\x82\xa6\x01;\r\n", "unnamed"),
        (b"x-VIRUS-name: A\r\n", "A"),
    ],
)
@pytest.mark.parametrize("status", [b"200 OK", b"204 No Content", b"403 Forbidden"])
async def test_what_it_names_is_malware_whatever_the_status(fields: bytes, name: str, status: bytes) -> None:
    async with serving(answers(b"ICAP/1.0 %b\r\n%b\r\n" % (status, fields))) as server:
        assert await scan(server) == Found(name)


async def test_a_server_without_204_gives_the_same_bytes_back() -> None:
    async with serving(answers(encapsulated(FILE))) as server:
        assert await scan(server) == Clean()


async def test_an_answer_before_the_end_is_heard() -> None:
    async def talk(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.shown(reader)
        await reader.readexactly(1000)
        writer.write(b"ICAP/1.0 200 OK\r\nX-Virus-ID: Early\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with serving(talk) as server:
        assert await scan(server, FILE * 40) == Found("Early")


# --------------------------------------------------------------------------------------------------------- hostile servers


@pytest.mark.parametrize(
    "reply",
    [
        encapsulated(FILE[:-1]),
        encapsulated(FILE + b"x"),
        encapsulated(b"y" + FILE[1:]),
        encapsulated(b"<html>blocked</html>", b"HTTP/1.1 403 Forbidden"),
        encapsulated(FILE, b"HTTP/1.1 403 Forbidden"),
        b"ICAP/1.0 200 OK\r\nEncapsulated: null-body=0\r\n\r\n",
        b"ICAP/1.0 200 OK\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-body=-5\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-body=99999999\r\n\r\n",
    ],
    ids=["shorter", "longer", "other", "page", "status", "no body", "no parts", "negative", "far"],
)
async def test_other_content_without_a_name_is_for_a_person(reply: bytes) -> None:
    async with serving(answers(reply)) as server:
        answer = await scan(server)
        assert isinstance(answer, Failed)
        assert answer.lasting


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"ICAP/1.0 204",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"ICAP/1.0 204 No Content\nISTag: x\n\n" + b"\r\n\r\n",
        b"ICAP/2.0 204 No Content\r\n\r\n",
        b"ICAP/1.0 2040 No Content\r\n\r\n",
        b"ICAP/1.0 404 Not Found\r\n\r\n",
        b"ICAP/1.0 500 Error\r\n\r\n",
        b"ICAP/1.0 503 Overloaded\r\n\r\n",
        b"ICAP/1.0 100 Continue\r\n\r\n",
        b"ICAP/1.0 204 No Content\r\nbad header\r\n\r\n",
        b"ICAP/1.0 204 No Content\r\n" + b"A: b\r\n" * 300 + b"\r\n",
        b"ICAP/1.0 204 No Content\r\nA: " + b"x" * 100_000,
        encapsulated(FILE)[:-1000],
        encapsulated(FILE).replace(b"1388\r\n", b"zz\r\n", 1),
        encapsulated(FILE[:5000]).replace(b"\r\n0\r\n\r\n", b"xx0\r\n\r\n"),
        encapsulated(FILE).replace(b"\r\n1388\r\n", b"\r\n" + b"1" * 70_000 + b"\r\n", 1),
    ],
)
async def test_what_is_no_word_is_no_opinion(reply: bytes) -> None:
    async with serving(answers(reply)) as server:
        answer = await scan(server)
        assert isinstance(answer, Failed), answer
        assert not answer.lasting
        assert "\n" not in answer.text and len(answer.text) < 200


@pytest.mark.parametrize(
    "options",
    [b"", b"ICAP/1.0 404 Not Found\r\n\r\n", b"ICAP/1.0 200 OK\r\nMethods: LOGMOD\r\n\r\n", b"ICAP/1.0 200 OK\r\n\r\n", b"x" * 200_000],
)
async def test_who_cannot_say_what_it_can_do_is_not_asked_more(options: bytes) -> None:
    async with serving(answers(CLEAN), options) as server:
        assert isinstance(await scan(server), Failed)
        assert all(head.startswith(b"OPTIONS") for head in server.requests)


async def test_one_that_never_ends_is_left_at_the_limit() -> None:
    async def drip(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.shown(reader)
        await server.body(reader)
        await asyncio.sleep(60)

    async with serving(drip) as server:
        began = time.monotonic()
        assert await scan(server, seconds=0.3) == Failed("no answer in 0.3 s")
        assert time.monotonic() - began < 10


async def test_one_that_reads_nothing_and_one_that_wants_more_than_there_is() -> None:
    async def deaf(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async def greedy(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.shown(reader)
        await server.body(reader)
        writer.write(b"ICAP/1.0 100 Continue\r\n\r\n")

    async with serving(deaf) as server:
        assert isinstance(await scan(server, FILE * 100, seconds=0.3), Failed)
    async with serving(greedy, OPTIONS + b"Preview: 300000\r\n") as server:
        assert await scan(server, b"x" * 10) == Failed("wants more than there is")


async def test_a_file_that_becomes_shorter_meanwhile_is_no_opinion(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(32 << 20))

    async def cutting(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        os.truncate(tmp_path / "file", 1)       # what is not yet read of it waits in front of a server that does not read
        await server.shown(reader)
        await server.body(reader)

    async with serving(cutting) as server:
        fd = os.open(tmp_path / "file", os.O_RDONLY)
        assert await Icap(server.url, seconds=1).scan(fd, 32 << 20) == Failed("no answer in 1 s"), "it waits for the rest"
        os.close(fd)


async def test_nobody_there() -> None:
    async with serving(answers(CLEAN)) as server:
        gone = server.url
    answer = await scan(gone)
    assert isinstance(answer, Failed)
    assert not answer.lasting


@pytest.mark.parametrize("url", ["", "http://127.0.0.1/x", "icap:///x", "icap://h:99999/x", "icap://user@h/x", "icap://h/a b"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"icap|[Pp]ort"):
        Icap(url)


# ------------------------------------------------------------------------------------------------------- a real server

C_ICAP = shutil.which("c-icap")
MODULES = next(iter(Path("/usr/lib").glob("*/c_icap")), Path("/none"))
needs_c_icap = pytest.mark.skipif(not C_ICAP or not (MODULES / "virus_scan.so").exists(), reason="c-icap with its virus scan is not installed")


@asynccontextmanager
async def c_icap(folder: Path, clamd: str) -> AsyncIterator[int]:
    """c-icap before that clamd, on a port of its own."""
    port = free_port()
    (folder / "c-icap.conf").write_text(
        f"PidFile {folder}/pid\nCommandsSocket {folder}/ctl\nStartServers 1\nMaxServers 1\nThreadsPerChild 4\nPort 127.0.0.1:{port}\n"
        f"TmpDir {folder}\nServerLog {folder}/server.log\nModulesDir {MODULES}\nServicesDir {MODULES}\n"
        "LoadMagicFile /etc/c-icap/c-icap.magic\nService echo srv_echo.so\nService antivirus_module virus_scan.so\n"
        "ServiceAlias avscan virus_scan?allow204=on&sizelimit=off&mode=simple\n"
        "ServiceAlias back virus_scan?allow204=off&sizelimit=off&mode=simple\nModule common clamd_mod.so\n"
        f"clamd_mod.ClamdSocket {clamd}\nvirus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GIF JPEG MSOFFICE\n"
    )
    assert C_ICAP is not None
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(C_ICAP, "-f", str(folder / "c-icap.conf"), "-N", "-D", stdout=log, stderr=log)
    try:
        async with asyncio.timeout(30):
            while await scan(f"icap://127.0.0.1:{port}/echo", b"is anybody there") != Clean():
                assert process.returncode is None, (folder / "log").read_text()
                await asyncio.sleep(0.05)
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


@needs_clamd
@needs_c_icap
async def test_c_icap_before_clamd(tmp_path: Path) -> None:
    (tmp_path / "clamd").mkdir()
    (tmp_path / "icap").mkdir()
    daemon = Daemon(tmp_path / "clamd")
    daemon.write()
    try:
        await daemon.start()
        async with c_icap(tmp_path / "icap", daemon.socket) as port:
            for service in ("avscan", "back"):
                url = f"icap://127.0.0.1:{port}/{service}"
                for harmless in (b"", b"hello", FILE):
                    assert await scan(url, harmless) == Clean(), service
                for size in (0, 100, 2000, 900_000):
                    assert await scan(url, b" " * size + MARKER) == Found("Sekisho.Test.Marker.UNOFFICIAL")
            assert isinstance(await scan(f"icap://127.0.0.1:{port}/none"), Failed)
    finally:
        await daemon.stop()
