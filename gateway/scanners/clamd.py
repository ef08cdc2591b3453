"""ClamAV through its daemon (clamd(8)): descriptors over a unix socket, a stream over TCP.

A connection serves one command. Its reply is everything up to the end of the connection, and is believed only if it is exactly
one of the sentences that belong to that command; all else is `Failed`.

clamd says `OK` to a file that it left unread because of its own limits (MaxFileSize, MaxScanSize; `AlertExceedsMax no` is its default).
So nothing larger than `largest` is handed to it, which must not be more than clamd.conf allows, and AlertExceedsMax should be on.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
import socket
import stat
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Final

from gateway.scanners.connection import Line, connected
from gateway.scanners.interface import Answer, Clean, Failed, Found

# What Debian's clamd.conf allows a file (MaxFileSize) and a stream (StreamMaxLength).
LARGEST: Final = 25 << 20
_BLOCK: Final = 1 << 18
_REPLY_BYTES: Final = 4096
# A clock beside ours may be ahead, and clamd tells local time: a little way into the future is still "just now".
_AHEAD_SECONDS: Final = 86_400.0

# The number is of clamd's own descriptor and means nothing here.
_ABOUT: Final = {"zFILDES": re.compile(rb"fd\[\d{1,10}\]: "), "zINSTREAM": re.compile(rb"stream: ")}
_FOUND: Final = re.compile(rb"([\x21-\x7e]{1,256}) FOUND")
_ERROR: Final = re.compile(rb"([\x20-\x7e]{0,512}?)\.? ?ERROR")
# Alerts that say "not looked into", not "malware".
_UNREAD: Final = (b"Heuristics.Limits.Exceeded", b"Heuristics.Encrypted")
_TOO_LONG: Final = b"INSTREAM size limit exceeded. ERROR"
_VERSION: Final = re.compile(
    rb"ClamAV [\x21-\x2e\x30-\x7e]{1,64}/\d{1,9}/[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})"
)
_MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


class _UntrueError(Exception):
    """The daemon did not keep to its protocol."""


class Clamd:
    """A clamd at a socket's path or at (host, port). One answer takes at most `seconds`; `largest` in bytes."""

    def __init__(
        self,
        address: str | tuple[str, int],
        *,
        name: str = "clamav",
        seconds: float = 60.0,
        largest: int = LARGEST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._address = address
        self._seconds = seconds
        self._largest = largest
        self._clock = clock

    async def scan(self, fd: int, size: int) -> Answer:
        """See `OutsideScanner`. The daemon gets a descriptor of its own, for reading only."""
        if size > self._largest:
            return Failed(f"larger than the {self._largest} bytes that may be scanned", lasting=True)
        try:
            async with asyncio.timeout(self._seconds):
                with _for_reading(fd, size) as own:
                    command = "zFILDES" if isinstance(self._address, str) else "zINSTREAM"
                    return _answer(command, await (self._pass(own) if command == "zFILDES" else self._stream(own, size)))
        except TimeoutError:
            return Failed(f"no answer in {self._seconds:g} s")
        except (OSError, _UntrueError) as error:
            return Failed(_line(error))

    async def age(self) -> float | None:
        """See `OutsideScanner`. The daemon tells the date of its `daily` signatures in local time; without them it tells none."""
        try:
            async with asyncio.timeout(self._seconds), self._connection() as (reader, writer):
                writer.write(b"zVERSION\0")
                await writer.drain()
                made = _date(await _reply(reader))
        except (OSError, _UntrueError):     # a TimeoutError is an OSError
            return None
        age = self._clock() - made
        return None if age < -_AHEAD_SECONDS else max(age, 0.0)

    async def _pass(self, fd: int) -> bytes:
        async with self._connection() as (reader, writer):
            # asyncio cannot send descriptors. The socket is new and its buffer empty: these bytes do not block.
            with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as own:
                sent = socket.send_fds(own, [b"zFILDES\0\0"], [fd])
            if sent != len(b"zFILDES\0\0"):
                raise _UntrueError("takes no descriptor")
            return await _reply(reader)

    async def _stream(self, fd: int, size: int) -> bytes:
        async with self._connection() as (reader, writer):
            writer.write(b"zINSTREAM\0")
            async for block in _blocks(fd, size):
                writer.write(struct.pack(">I", len(block)) + block)
                await writer.drain()
            writer.write(struct.pack(">I", 0))
            await writer.drain()
            return await _reply(reader)

    def _connection(self) -> AbstractAsyncContextManager[Line]:
        if isinstance(self._address, str):
            return connected(asyncio.open_unix_connection(self._address))
        return connected(asyncio.open_connection(*self._address))


# ------------------------------------------------------------------------------------------------------------- the file


@contextmanager
def _for_reading(fd: int, size: int) -> Iterator[int]:
    """The same file opened anew: not writable, and its position is not the caller's. Raises OSError, _UntrueError."""
    own = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        facts = os.fstat(own)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size != size:
            raise _UntrueError("not a regular file of the size told")
        yield own
    finally:
        os.close(own)


async def _blocks(fd: int, size: int) -> AsyncIterator[bytes]:
    offset = 0
    while offset < size:
        block = await asyncio.to_thread(os.pread, fd, min(_BLOCK, size - offset), offset)
        if not block:
            raise _UntrueError("the file became shorter")
        yield block
        offset += len(block)


# ------------------------------------------------------------------------------------------------------------ the reply


async def _reply(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side closes: one sentence that ends with a zero octet. Raises OSError, _UntrueError."""
    untrusted = b""
    while len(untrusted) <= _REPLY_BYTES and (block := await reader.read(_REPLY_BYTES)):
        untrusted += block
    if len(untrusted) > _REPLY_BYTES:
        raise _UntrueError("an answer without end")
    if not untrusted:
        raise _UntrueError("closed without an answer")
    if untrusted.find(b"\0") != len(untrusted) - 1:
        raise _UntrueError("an answer that is not one sentence")
    return untrusted[:-1]


def _answer(command: str, untrusted_reply: bytes) -> Answer:
    about = _ABOUT[command].match(untrusted_reply)
    said = untrusted_reply[about.end() :] if about else untrusted_reply
    if about and said == b"OK":
        return Clean()
    if about and (found := _FOUND.fullmatch(said)):
        name = found[1].decode("ascii")
        return Failed(f"not looked into: {name}", lasting=True) if found[1].startswith(_UNREAD) else Found(name)
    # Some errors come without saying what they are about.
    if error := _ERROR.fullmatch(said):
        return Failed(f"error: {error[1].decode('ascii')}", lasting=said == _TOO_LONG)
    raise _UntrueError("an answer that means nothing")


def _date(untrusted_reply: bytes) -> float:
    """When the signatures were made, in seconds since 1970. Raises _UntrueError."""
    told = _VERSION.fullmatch(untrusted_reply)
    if told is None:
        raise _UntrueError("no date of signatures")
    day, hour, minute, second, year = (int(told[index]) for index in range(2, 7))
    try:
        # Naive on purpose: the daemon's local time, which is ours.
        return dt.datetime(year, _MONTHS.index(told[1]) + 1, day, hour, minute, second).timestamp()  # noqa: DTZ001
    except (ValueError, OverflowError):
        raise _UntrueError("no such date") from None


def _line(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"not reachable: {error.strerror or type(error).__name__}"
    return str(error)
