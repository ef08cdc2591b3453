"""Stores whose catalogue stands in a journal, for tests: sealed or not, on any shelf."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.storage.blobs import Blobs
from gateway.storage.catalogued import CataloguedBlobs
from gateway.storage.journal import Journal
from gateway.storage.keyring import Keyring
from gateway.storage.master import LocalMaster
from gateway.storage.s3 import Bucket, Credentials, Place
from tests.build import swift

MASTER = LocalMaster(bytes(range(32)))
TOWN = "かすみ町"


def bucket_of(endpoint: str, name: str = "") -> Bucket:
    """A new one, unless it is named."""
    place = Place(endpoint, name or f"test-{secrets.token_hex(8)}", "ap-northeast-1", "sekisho/")
    return Bucket(place, Credentials(swift.KEY_ID, swift.SECRET))


@asynccontextmanager
async def catalogued(
    folder: Path, shelf: Blobs, *, sealed: bool = True, journal: Journal | None = None
) -> AsyncIterator[tuple[CataloguedBlobs, Journal]]:
    """Started; with a journal of its own unless one is given."""
    own = journal or Journal(folder / "sekisho.db")
    if journal is None:
        await own.start()
    keyring = Keyring(own, MASTER, time.time) if sealed else None
    store = CataloguedBlobs(shelf, own, keyring, owner=TOWN, clock=time.time)
    await store.start()
    try:
        yield store, own
    finally:
        await store.stop()
        if journal is None:
            await own.stop()
