"""An object store that lies, breaks off or is full: nothing is told to be kept that is not, and nothing is left open."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.storage import s3, s3_blobs
from gateway.storage.faults import BlobMissingError, StorageError, StorageFullError
from gateway.storage.s3 import Bucket
from gateway.storage.s3_blobs import ObjectShelf
from tests.build.catalogued import bucket_of

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
MIB = 1 << 20
NAME = "ab" * 32


class Store:
    """Objects in memory, in the words of S3. `odd` may answer instead: by method and the word of the query."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.odd: dict[tuple[str, str], Answer] = {}
        self.asked: list[tuple[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        word = next((name for name in ("list-type", "uploads", "partNumber", "uploadId") if name in request.query), "")
        self.asked.append((request.method, word))
        body = await request.read()
        if odd := self.odd.get((request.method, word)):
            return await odd(request)
        return self._answer(request, word, body)

    def _answer(self, request: web.Request, word: str, body: bytes) -> web.Response:
        upload = self.parts.setdefault(request.path, {})
        if word == "list-type":
            return web.Response(text="<ListBucketResult></ListBucketResult>")
        if word == "uploads":
            return web.Response(text="<UploadId>one</UploadId>")
        if word == "partNumber":
            upload[int(request.query["partNumber"])] = body
            return web.Response(headers={"ETag": '"tag"'})
        if word == "uploadId" and request.method == "POST":
            self.kept[request.path] = b"".join(upload[number] for number in sorted(upload))
            return web.Response(text="<CompleteMultipartUploadResult/>")
        if request.method == "PUT":
            self.kept[request.path] = body
        if request.method != "GET":
            return web.Response()
        if request.path not in self.kept:
            return web.Response(status=404)
        content = self.kept[request.path]
        if "Range" in request.headers:
            return web.Response(body=content[:1], status=206, headers={"Content-Range": f"bytes 0-0/{len(content)}"})
        return web.Response(body=content)


@asynccontextmanager
async def served(store: Store) -> AsyncIterator[Bucket]:
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{key:.*}", store.answer)
    async with TestServer(application) as server:
        bucket = bucket_of(str(server.make_url("")).rstrip("/"))
        await bucket.start()
        yield bucket
        await bucket.stop()


@pytest.fixture
async def store() -> Store:
    return Store()


@pytest.fixture
async def bucket(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bucket]:
    monkeypatch.setattr(s3, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(s3_blobs, "_PART", MIB)
    monkeypatch.setattr(s3_blobs, "_SMALL", 2 * MIB)
    async with served(store) as made:
        yield made


@pytest.fixture
async def shelf(bucket: Bucket, tmp_path: Path) -> ObjectShelf:
    made = ObjectShelf(bucket, tmp_path)
    await made.start()
    return made


@contextmanager
def nothing_stays_open() -> Iterator[None]:
    """No descriptor of this process but those of its connections, which stay for the next call."""

    def files() -> list[str]:
        found = []
        for name in os.listdir("/proc/self/fd"):
            try:
                found.append(os.readlink(f"/proc/self/fd/{name}"))
            except FileNotFoundError:
                continue
        return sorted(one for one in found if "memfd" in one or "deleted" in one)

    before = files()
    yield
    assert files() == before


def says(status: int = 200, text: str = "", **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=headers)

    return answer


async def breaks_off(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "100"})
    await answer.prepare(request)
    await answer.write(b"some of it")
    assert request.transport is not None
    request.transport.abort()
    return answer


# ------------------------------------------------------------------------------------------------------------- the shelf


@pytest.mark.parametrize("size", [0, 10, MIB, 3 * MIB + 1], ids=["empty", "small", "one part", "large"])
async def test_what_is_put_whole_is_read_whole(shelf: ObjectShelf, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    with nothing_stays_open():
        blob = await shelf.put(content)
        assert await shelf.read(blob.digest) == content
        (tmp_path / "file").write_bytes(content)
        fd = os.open(tmp_path / "file", os.O_RDONLY)
        assert await shelf.read((await shelf.put(fd)).digest) == content
        os.close(fd)


TOLD: dict[str, tuple[tuple[str, str], Answer, type[StorageError], str]] = {
    "another size": (("GET", ""), says(206, **{"Content-Range": "bytes 0-0/7"}), StorageError, "3145728 bytes were put, 7 are there"),
    "nothing there": (("GET", ""), says(404), StorageError, "None are there"),
    "not put together": (("POST", "uploadId"), says(200, "<Error/>"), StorageError, "not put together"),
    "no room": (("PUT", "partNumber"), says(507), StorageFullError, "507"),
    "refused": (("POST", "uploads"), says(403), StorageError, "403"),
    "without an end": (("POST", "uploadId"), says(200, "x" * (5 * MIB)), StorageError, "without an end"),
    "broken off again and again": (("PUT", "partNumber"), breaks_off, StorageError, "PUT: "),
}


@pytest.mark.parametrize("what", TOLD)
async def test_what_is_not_kept_is_not_told_to_be(store: Store, shelf: ObjectShelf, what: str) -> None:
    asked, answer, kind, word = TOLD[what]
    store.odd[asked] = answer
    with nothing_stays_open(), pytest.raises(kind, match=word):
        await shelf.put(bytes(3 * MIB))
    assert (("DELETE", "uploadId") in store.asked) == (what != "refused"), "the parts are given up"


async def test_parts_that_cannot_be_given_up_are_left_to_the_store(
    store: Store, shelf: ObjectShelf, caplog: pytest.LogCaptureFixture
) -> None:
    store.odd[("DELETE", "uploadId")] = says(403)
    writer = await shelf.begin()
    await writer.write(bytes(2 * MIB))
    await writer.abort()
    assert "parts of an object were left behind" in caplog.text
    with pytest.raises(StorageError, match="aborted"):
        await writer.write(bytes(2 * MIB))
    with pytest.raises(StorageError, match="aborted"):
        await writer.commit()
    assert store.kept == {}


async def test_a_call_that_fails_once_is_made_again(store: Store, shelf: ObjectShelf) -> None:
    async def once(request: web.Request) -> web.StreamResponse:
        del store.odd[("PUT", "")]
        return await breaks_off(request)

    store.odd[("PUT", "")] = once
    blob = await shelf.put(b"again")
    assert await shelf.read(blob.digest) == b"again"
    assert store.asked.count(("PUT", "")) == 2


# ------------------------------------------------------------------------------------------------------------- reading


async def test_what_breaks_off_is_no_object(store: Store, shelf: ObjectShelf) -> None:
    store.odd[("GET", "")] = breaks_off
    with nothing_stays_open(), pytest.raises(StorageError, match="GET: "):
        await shelf.open(NAME)
    store.odd[("GET", "")] = says(500)
    with pytest.raises(StorageError, match="500"):
        await shelf.open(NAME)
    store.odd.clear()
    with pytest.raises(BlobMissingError):
        await shelf.open(NAME)
    await shelf.stop()
    await shelf.stop()
    with pytest.raises(StorageError, match="closed"):
        await shelf.open(NAME)


async def test_a_spool_that_cannot_be_written_is_told(store: Store, bucket: Bucket, tmp_path: Path) -> None:
    blob = await ObjectShelf(bucket, tmp_path).put(bytes(3 * MIB))
    with nothing_stays_open(), pytest.raises(StorageError, match="spool: No such file"):
        await ObjectShelf(bucket, tmp_path / "none").open(blob.digest)

    # The room ends while what was in memory goes to the disk.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    inner = bucket.get

    async def running_full(key: str) -> AsyncIterator[bytes]:
        held = 0
        async for block in inner(key):
            held += len(block)
            if held > 2 * MIB:
                resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, hard))
            yield block

    bucket.get = running_full  # type: ignore[method-assign]
    try:
        with nothing_stays_open(), pytest.raises(StorageError, match="spool: File too large"):
            await ObjectShelf(bucket, tmp_path).open(blob.digest)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_who_gives_up_while_it_comes_leaves_nothing_open(store: Store, shelf: ObjectShelf) -> None:
    blob = await shelf.put(bytes(3 * MIB))
    held = asyncio.Event()

    async def stalls(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": str(3 * MIB)})
        await answer.prepare(request)
        await answer.write(bytes(2 * MIB + 1))
        held.set()
        await asyncio.sleep(30)
        return answer

    store.odd[("GET", "")] = stalls
    with nothing_stays_open():
        reading = asyncio.create_task(shelf.open(blob.digest))
        await held.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
