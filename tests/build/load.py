"""Many uploads at once against a running service, and how much memory its processes take meanwhile, as the kernel counts it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiohttp

_LOOK_SECONDS = 0.05
_BLOCK = 1 << 20
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PATIENCE = aiohttp.ClientTimeout(total=600)


@dataclass
class Watch:
    """Resident bytes of a process tree, by what its processes are. A child that sanitises is no part of the service: it comes and goes."""

    pid: int
    service: list[int] = field(default_factory=list)
    children: list[int] = field(default_factory=list)

    @property
    def growth(self) -> int:
        """Of the service, in bytes: the highest that was seen above the first."""
        return max(self.service) - self.service[0]

    def look(self) -> None:
        near = _children(self.pid)
        far = [below for child in near for below in _children(child)]
        self.service.append(sum(map(_resident, [self.pid, *near])))
        self.children.append(max(map(_resident, far), default=0))

    @contextlib.asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        async def look() -> None:
            while True:
                self.look()
                await asyncio.sleep(_LOOK_SECONDS)

        self.look()
        task = asyncio.create_task(look())
        try:
            yield
        finally:
            task.cancel()
            self.look()


def _children(pid: int) -> list[int]:
    """Of all its threads; proc(5)."""
    with contextlib.suppress(OSError):
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return []


def _resident(pid: int) -> int:
    """In bytes; 0 for one that has just ended."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


# --------------------------------------------------------------------------------------------------------------- uploads


async def content(size: int, mark: str) -> AsyncIterator[bytes]:
    """So many bytes that nobody else sends; never the whole of it in memory."""
    head = f"{mark}\n".encode()[:size]
    yield head
    left, block = size - len(head), b"0123456789abcde\n" * (_BLOCK // 16)
    while left > 0:
        yield block[: min(left, _BLOCK)]
        left -= _BLOCK


class Client:
    """One machine of a person, with as many connections as it needs."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(self._address, connector=connector, headers=self._headers, timeout=_PATIENCE)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def raw(self, size: int, mark: str) -> str:
        """As one body. The receipt number; raises AssertionError for any other answer."""
        headers = {"X-File-Name": f"{mark}.txt", "Content-Type": "application/octet-stream"}
        async with self._session.post("/api/v1/transfers", data=content(size, mark), headers=headers) as answer:
            return await _receipt(answer)

    async def form(self, size: int, mark: str) -> str:
        """As a browser without script sends it."""
        with aiohttp.MultipartWriter("form-data") as writer:
            part = writer.append(content(size, mark))
            part.set_content_disposition("form-data", name="file", filename=f"{mark}.txt")
        async with self._session.post("/api/v1/transfers", data=writer) as answer:
            return await _receipt(answer)

    async def tus(self, size: int, mark: str, piece: int = 8 << 20) -> str:
        """As our own page sends it."""
        tus = {"Tus-Resumable": "1.0.0"}
        named = {"Upload-Length": str(size), "Upload-Metadata": "filename " + base64.b64encode(f"{mark}.txt".encode()).decode()}
        async with self._session.post("/api/v1/uploads", headers=tus | named) as answer:
            assert answer.status == 201, await answer.text()
            where = answer.headers["Location"]
        for offset in range(0, size, piece):
            headers = tus | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            body = content(min(piece, size - offset), f"{mark} {offset}")
            async with self._session.patch(where, headers=headers, data=body) as answer:
                assert answer.status == 204, await answer.text()
        return answer.headers["Sekisho-Receipt-No"]


async def _receipt(answer: aiohttp.ClientResponse) -> str:
    assert answer.status == 202, f"{answer.status} {await answer.text()}"
    return str((await answer.json())["receipt_no"])


# ----------------------------------------------------------------------------------------------------------------- loops


@dataclass
class Ran:
    """Seconds that each took, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    took: float = 0.0

    def percentile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


Upload = Callable[[int], Awaitable[object]]


async def at_once(count: int, upload: Upload) -> Ran:
    """All of them side by side."""
    return await _run([0.0] * count, upload)


async def open_loop(rate: float, seconds: float, upload: Upload) -> Ran:
    """One every 1/rate seconds whether those before have ended or not; timed from when each was due: nobody waits unseen."""
    return await _run([number / rate for number in range(int(rate * seconds))], upload)


async def closed_loop(clients: int, each: int, upload: Upload) -> Ran:
    """So many clients, each with its next when its last has ended."""
    ran, began = Ran(), time.perf_counter()

    async def client(first: int) -> None:
        for number in range(first, first + each):
            await _one(ran, time.perf_counter(), upload, number)

    await asyncio.gather(*(client(index * each) for index in range(clients)))
    ran.took = time.perf_counter() - began
    return ran


async def _run(due: Sequence[float], upload: Upload) -> Ran:
    ran, began = Ran(), time.perf_counter()

    async def one(number: int, at: float) -> None:
        await asyncio.sleep(max(0.0, began + at - time.perf_counter()))
        await _one(ran, began + at, upload, number)

    await asyncio.gather(*(one(number, at) for number, at in enumerate(due)))
    ran.took = time.perf_counter() - began
    return ran


async def _one(ran: Ran, since: float, upload: Upload, number: int) -> None:
    try:
        await upload(number)
    except (AssertionError, aiohttp.ClientError, TimeoutError, OSError) as error:
        ran.errors.append(f"{type(error).__name__}: {error}"[:200])
    else:
        ran.seconds.append(time.perf_counter() - since)
