"""The object store: signatures as the standard's own examples have them, large objects in parts, and a store that fails."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.storage import s3
from gateway.storage.blobs import opened
from gateway.storage.faults import BlobMissingError, StorageError
from gateway.storage.s3 import Bucket, Credentials, signed_headers
from gateway.storage.s3_blobs import ObjectShelf
from tests.build.catalogued import bucket_of, catalogued
from tests.build.swift import Swift
from tests.build.transfer import digest

LARGE = os.urandom(17 << 20)
EMPTY = digest(b"")


@pytest.mark.parametrize(("query", "signature"), [
    ("lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
])  # fmt: skip
def test_a_call_is_signed_as_in_the_reference(query: str, signature: str) -> None:
    """Amazon S3 API Reference, "Signature Calculations for the Authorization Header", its examples."""
    given = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    host = "examplebucket.s3.amazonaws.com"
    headers = signed_headers(given, "us-east-1", 1_369_353_600.0, method="GET", host=host, path="/", query=query, payload=EMPTY)
    assert headers["Authorization"].endswith(f"Signature={signature}")
    assert "wJalr" not in repr(given)


@pytest.fixture
async def bucket(swift: Swift) -> AsyncIterator[Bucket]:
    made = bucket_of(swift.endpoint)
    await made.start()
    yield made
    await made.stop()


async def names(bucket: Bucket) -> list[str]:
    return [listed.key async for listed in bucket.listed()]


async def test_a_large_object_goes_in_parts(bucket: Bucket, tmp_path: Path) -> None:
    shelf = ObjectShelf(bucket, tmp_path / "spool")
    (tmp_path / "spool").mkdir()
    writer = await shelf.begin()
    for start in range(0, len(LARGE), 1 << 20):
        await writer.write(LARGE[start : start + (1 << 20)])
    blob = await writer.commit()
    assert blob.size == len(LARGE)
    async with opened(shelf, blob.digest) as fd:
        assert os.pread(fd, len(LARGE) + 1, 0) == LARGE
        with pytest.raises(OSError):
            os.write(fd, b"x")
    assert list((tmp_path / "spool").iterdir()) == []
    assert [name for name in await names(bucket) if "/" in name and name.endswith(blob.digest)] == [f"{blob.digest[:2]}/{blob.digest}"]


async def test_what_was_begun_and_given_up_leaves_nothing(bucket: Bucket, tmp_path: Path) -> None:
    shelf = ObjectShelf(bucket, tmp_path)
    writer = await shelf.begin()
    for start in range(0, len(LARGE), 1 << 20):
        await writer.write(LARGE[start : start + (1 << 20)])
    await writer.abort()
    await writer.abort()
    with pytest.raises(StorageError, match="aborted"):
        await writer.commit()
    assert await names(bucket) == []


async def test_a_list_has_pages(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_PAGE", 2)
    for number in range(5):
        await bucket.put(f"ab/{number:064x}", b"")
    assert [listed.rpartition("/")[2][-1] for listed in await names(bucket)] == list("01234")


async def test_two_nodes_make_one_bucket(swift: Swift) -> None:
    first = bucket_of(swift.endpoint)
    second = bucket_of(swift.endpoint, first._place.bucket)
    await asyncio.gather(first.start(), second.start())
    await first.put("ab", b"of the first")
    assert await second.size("ab") == 12
    await first.stop()
    await second.stop()


async def test_another_secret_is_refused(swift: Swift) -> None:
    made = Bucket(bucket_of(swift.endpoint)._place, Credentials("town:sekisho", "wrong"))
    with pytest.raises(StorageError, match="403"):
        await made.start()
    await made.stop()


async def test_an_object_server_that_is_gone_is_told_and_comes_back(swift: Swift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody was told that anything is kept while it was not; afterwards everything that was told of is there."""
    monkeypatch.setattr(s3, "_PAUSES", (0.05,))
    bucket = bucket_of(swift.endpoint)
    async with catalogued(tmp_path, ObjectShelf(bucket, tmp_path / "spool")) as (store, _):
        before = await store.put(b"before")
        swift.stop("object")
        try:
            with pytest.raises(StorageError, match="object store: PUT"):
                await store.put(b"during")
            with pytest.raises(StorageError) as told:
                await store.read(before.digest)
            assert not isinstance(told.value, BlobMissingError), "it is not to be had now, which is not the same as missing"
        finally:
            swift.start("object")
            swift.ready()
        assert await store.read(before.digest) == b"before"
        assert not await store.exists(digest(b"during"))
        during = await store.put(b"during")
        assert await store.read(during.digest) == b"during"


async def test_no_server_at_all_is_told_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_PAUSES", ())
    bucket = bucket_of("http://127.0.0.1:1")
    with pytest.raises(StorageError, match="ClientConnectorError"):
        await bucket.start()
    await bucket.stop()
    with pytest.raises(StorageError, match="closed"):
        await bucket.put("a", b"")


async def test_what_is_put_while_others_sweep_stays(swift: Swift, tmp_path: Path) -> None:
    """Two processes on one bucket and one journal: each put has a name of its own, so that no sweep takes what another has just put."""
    bucket, other = bucket_of(swift.endpoint), None
    async with catalogued(tmp_path, ObjectShelf(bucket, tmp_path / "spool")) as (store, journal):
        other = bucket_of(swift.endpoint, bucket._place.bucket)
        async with catalogued(tmp_path, ObjectShelf(other, tmp_path / "spool"), journal=journal) as (second, _):
            await store.put(b"same")
            began = time.time() + 0.05

            async def in_use(_: str) -> bool:
                await second.put(b"same")
                return False

            await asyncio.sleep(0.1)
            await store.sweep(in_use, began)
            assert await store.read(digest(b"same")) == b"same"
            assert await second.read(digest(b"same")) == b"same"
