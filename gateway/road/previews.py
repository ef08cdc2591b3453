"""安全なプレビュー, seen from the road: what is held or was delivered is looked at in a jail of its own, and comes back as text and pixels.

The jail answers with letters, numbers and raw pixels, all within bounds; a PNG is written here from the pixels alone. No byte of the file
gets to a browser except as two hexadecimal digits. What was drawn is kept for a while in memory, and never longer than the file itself.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from gateway.road.workers import Workers
from gateway.storage.blobs import Blobs, opened
from sanitizers import preview_words
from sanitizers.model import Job, Limits, Reason
from sanitizers.preview_words import Look, Shown, View

# Of one look. Somebody waits for it at a screen.
LIMITS: Final = Limits(
    wall_seconds=20.0, cpu_seconds=15, memory_bytes=1 << 30, expanded_bytes=512 << 20, pixels=100_000_000, frames=500, parts=5_000
)
# How many looks may be at work together; the rest waits, up to so many.
AT_ONCE: Final = 2
_MOST_WAITING: Final = 30
_KEPT_BYTES: Final = 48 << 20
_PASSING: Final = (Reason.TIMEOUT, Reason.WORKER_CRASHED, Reason.LIMIT_EXCEEDED)
# Roughly what an answer without a picture weighs beside its lines, in bytes.
_ANSWER: Final = 4_096
# How long the jail of previews stays warm with nothing to do.
_IDLE_SECONDS: Final = 600.0

NewWorkers = Callable[[Mapping[str, str]], Workers]


class BusyError(Exception):
    """Too many look at once."""


class File(NamedTuple):
    """What is looked at: bytes by their digest, under the name that they came or go out with. `mail`: that is what it is, surely."""

    sha256: str
    name: str
    mail: bool = False


class Seen(NamedTuple):
    """The answer, and its picture as a PNG; empty where there is none."""

    shown: Shown
    png: bytes = b""


class Previews:
    """`new_workers`: makes a jail from rules; it is started at the first look and let go when nobody has looked for a while."""

    def __init__(self, blobs: Blobs, new_workers: NewWorkers, *, limits: Limits = LIMITS) -> None:
        self._blobs = blobs
        self._new_workers = new_workers
        self._limits = limits
        self._workers: Workers | None = None
        self._turnover = asyncio.Lock()
        self._looks = 0
        self._idle: asyncio.TimerHandle | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._kept: OrderedDict[tuple[str, str, str], Seen] = OrderedDict()
        self._kept_bytes = 0

    async def look(self, file: File, look: Look) -> Seen:
        """Raises BlobMissingError, BusyError and JailUnavailable; whatever the file does to its child is a `fault` of the answer."""
        async with opened(self._blobs, file.sha256) as fd:      # what was disposed of is not shown from memory either
            key = (file.sha256, file.name, preview_words.key(look))
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
            seen = await self._asked(fd, Job(name=file.name, limits=self._limits, door="smtp" if file.mail else "drop", look=look))
        self._keep(key, seen)
        return seen

    async def compare(self, before: File, after: File, part: tuple[int, ...] = (), other: tuple[int, ...] = ()) -> Shown:
        """What differs between a part of one file and a part of another: `difference` of the answer. Raises what `look` raises."""
        gist = (await self.look(before, Look(view=View.GIST, part=part))).shown
        if gist.gist is None:
            return gist
        return (await self.look(after, Look(view=View.DIFFERENCE, part=other, before=gist.gist))).shown

    async def stop(self) -> None:
        """Waits for those who look."""
        if self._idle is not None:
            self._idle.cancel()
        if self._leaving:
            await asyncio.wait(self._leaving)
        async with self._turnover:
            await self._let_go()

    async def _asked(self, fd: int, job: Job) -> Seen:
        if self._looks >= _MOST_WAITING:
            raise BusyError
        self._looks += 1
        try:
            shown, pixels = await (await self._jail()).show(fd, job)
        finally:
            self._looks -= 1
            self._rest()
        if shown.drawn is None:
            return Seen(shown)
        return Seen(shown, await asyncio.to_thread(png, *shown.drawn, pixels))

    async def _jail(self) -> Workers:
        async with self._turnover:
            if self._workers is None:
                made = self._new_workers({})
                await made.start()
                self._workers = made
            return self._workers

    def _rest(self) -> None:
        """Begins to wait anew for nobody to look."""
        loop = asyncio.get_running_loop()
        if self._idle is not None:
            self._idle.cancel()
        self._idle = loop.call_later(_IDLE_SECONDS, self._leave)

    def _leave(self) -> None:
        task = asyncio.get_running_loop().create_task(self._if_idle())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _if_idle(self) -> None:
        async with self._turnover:
            if not self._looks:
                await self._let_go()

    async def _let_go(self) -> None:
        self._kept.clear()
        self._kept_bytes = 0
        if self._workers is not None:
            leaving, self._workers = self._workers, None
            await leaving.stop()

    def _keep(self, key: tuple[str, str, str], seen: Seen) -> None:
        """What failed on a busy machine may succeed the next time."""
        if seen.shown.fault in _PASSING or key in self._kept:
            return
        self._kept[key] = seen
        self._kept_bytes += _weight(seen)
        while self._kept_bytes > _KEPT_BYTES:
            _, old = self._kept.popitem(last=False)
            self._kept_bytes -= _weight(old)


def _weight(seen: Seen) -> int:
    """About how many bytes of memory it takes."""
    gist = seen.shown.gist
    lines = sum(map(len, seen.shown.lines)) + sum(map(len, gist.lines if gist is not None else ()))
    return _ANSWER + len(seen.png) + 2 * lines + sum(map(len, gist.pages if gist is not None else ()))


def png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG of 8-bit RGB pixels and nothing else: header, data, end (PNG 3rd edition, 5.6). Raises ValueError for another number."""
    row = width * 3
    if len(pixels) != row * height or not pixels:
        raise ValueError("not that many pixels")
    lines = b"".join(b"\0" + pixels[at : at + row] for at in range(0, len(pixels), row))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 3)), (b"IEND", b""))
    )
