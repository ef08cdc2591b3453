"""One node of several, as a process of its own: takes mail in, sanitises it (without a jail) and hands it on, and writes down what it did.

    accepted    a line for each receipt number that somebody was told
    delivered   a line for each mail that was handed on: receipt number, digest, node

Run as `python -m tests.build.node SETTINGS`, a JSON object: url, folder, name, rate (mails a second), lease (seconds), swift (endpoint).
"""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from gateway.model import RecipientState
from gateway.policy import Policy
from gateway.road.pipeline import Pipeline
from gateway.storage import bells, postgresql, upkeep
from gateway.storage.bells import Bell
from gateway.storage.blobs import Blobs
from gateway.storage.catalogued import CataloguedBlobs
from gateway.storage.faults import LeaseLostError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.keyring import Keyring
from gateway.storage.leader import Leader
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.s3_blobs import ObjectShelf
from tests.build.catalogued import MASTER, bucket_of
from tests.build.transfer import FakeWorkers, arrival, signer


class Node:
    def __init__(self, settings: dict[str, Any]) -> None:
        postgresql._FORGOTTEN = "2s"        # type: ignore[misc]
        self.settings = settings
        self.folder = Path(settings["folder"])
        self.journal = Journal(settings["url"])
        self.blobs: Blobs = self._blobs()
        self.pipeline = Pipeline(self.journal, self.blobs, FakeWorkers(), Policy(attempts=1_000), signer(), poll_seconds=1.0)
        self.pipeline._lease_until = lambda at: at + settings["lease"]      # type: ignore[method-assign]
        self.leader = Leader(settings["url"], ask_seconds=0.5, silent_seconds=3.0)
        self.post = asyncio.Event()
        self.stop = asyncio.Event()

    def _blobs(self) -> Blobs:
        if not self.settings.get("swift"):
            return LocalBlobs(self.folder / "blobs")
        shelf = ObjectShelf(bucket_of(self.settings["swift"], "nodes"), self.folder / "spool")
        return CataloguedBlobs(shelf, self.journal, Keyring(self.journal, MASTER), owner="かすみ町")

    async def run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stop.set)
        await self._until_it_works(self.journal.start)
        await self._until_it_works(self.blobs.start)
        chores = [bells.listen(self.settings["url"], {Bell.WORK: self.pipeline.wake, Bell.POST: self.post.set}), self.leader.run(),
                  self.leader.only(self._upkeep), self._take_in(), self._deliver()]  # fmt: skip
        tasks = [asyncio.create_task(chore) for chore in chores]
        road = asyncio.create_task(self.pipeline.run())
        self._write("started", self.settings["name"])
        await self.stop.wait()
        for task in tasks:
            task.cancel()
        self.pipeline.drain()
        await asyncio.wait([road], timeout=5)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.blobs.stop()
        await self.journal.stop()

    async def _until_it_works(self, call: Any) -> None:
        while True:
            try:
                return await call()
            except StorageError:
                await asyncio.sleep(0.5)

    async def _take_in(self) -> None:
        """Each body is another one, as large as mails are."""
        while self.settings["rate"]:
            body = os.urandom(random.choice((200, 20_000, 300_000)))
            try:
                blob = await self.blobs.put(body)
                _, receipt_no = await self.journal.accept(arrival(body, received_at=time.time()))
                assert blob.digest == hashlib.sha256(body).hexdigest()
                self._write("accepted", receipt_no)
            except StorageError:
                self._write("refused", self.settings["name"])
            await asyncio.sleep(random.expovariate(self.settings["rate"]))

    async def _deliver(self) -> None:
        while True:
            self.post.clear()
            try:
                at = time.time()
                for delivery in await self.journal.claim_deliveries(4, at=at, lease_until=at + self.settings["lease"]):
                    content = await self.blobs.read(delivery.blob)
                    self._write("delivered", f"{delivery.receipt_no} {hashlib.sha256(content).hexdigest()} {self.settings['name']}")
                    said = [msgspec.structs.replace(one, state=RecipientState.DELIVERED, code=250) for one in delivery.recipients]
                    await self.journal.settle_delivery(delivery, said, None, at=time.time())
            except LeaseLostError as error:
                self._write("fenced", f"{error} {self.settings['name']}")
            except StorageError:
                await asyncio.sleep(0.2)
            try:
                async with asyncio.timeout(0.5):
                    await self.post.wait()
            except TimeoutError:
                pass

    async def _upkeep(self) -> None:
        while True:
            self._write("led", self.settings["name"])
            try:
                await upkeep.sweep(self.journal, self.blobs, time.time(), grace=30.0)
            except StorageError:
                pass
            await asyncio.sleep(1.0)

    def _write(self, name: str, line: str) -> None:
        """One line at once, from however many processes."""
        fd = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(fd, f"{line}\n".encode())
        finally:
            os.close(fd)


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG: it does not outlive a run of tests that is killed
    asyncio.run(Node(json.loads(sys.argv[1])).run())
