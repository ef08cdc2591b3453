"""Brings what is meant for a share to it: claims what is due, puts the file there, settles, sleeps until the next is due."""

from __future__ import annotations

import asyncio
import importlib
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Final, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.messenger import Custom, Messenger
from gateway.model import SHARE, Addressee, Delivery, RecipientState, Transfer, Way
from gateway.receipts import ReceiptError, verify
from gateway.shares.directory import Directory
from gateway.shares.document import Share
from gateway.shares.placing import Folder, place
from gateway.storage.blobs import Blobs, opened
from gateway.storage.deliveries import SHARES
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.telemetry import log, tracing
from mail.retry import Schedule
from sanitizers import names

_log = log.get(__name__)

_POLL_SECONDS: Final = 5.0
_AT_ONCE: Final = 4
_BLOCK: Final = 1 << 20
# One file at its slowest: the largest that policy takes in over a bad line.
_PUT_SECONDS: Final = 1_800.0
_LEASE_SECONDS: Final = _PUT_SECONDS + 300.0


class _Load(NamedTuple):
    """One file, ready to be put: its name there, where its bytes are, and what goes beside it."""

    name: str
    fd: int
    size: int
    digest: str
    receipt: bytes | None


class Courier:
    """Run it once; `wake` when something became due; `drain` to stop.

    `shares`: by name. `public_key` (PEM): without a receipt that verifies with it nothing is put anywhere.
    """

    def __init__(
        self,
        journal: Journal,
        blobs: Blobs,
        shares: Mapping[str, Share],
        *,
        schedule: Schedule,
        public_key: bytes | Mapping[str, Ed25519PublicKey],
        way: Way = SHARES,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._shares = dict(shares)
        self._public_key = public_key
        # One thread a share: a server that hangs makes nobody wait but those who are bound for it.
        self._threads = {name: ThreadPoolExecutor(1, f"share-{name}") for name in self._shares}
        custom = Custom("share", way, _AT_ONCE, _LEASE_SECONDS, _POLL_SECONDS)
        self._messenger = Messenger(journal, custom, self._all, schedule=schedule, clock=clock, chance=chance)
        self.wake = self._messenger.wake
        self.drain = self._messenger.drain

    async def run(self) -> None:
        try:
            await self._messenger.run()
        finally:
            for thread in self._threads.values():
                thread.shutdown(wait=False, cancel_futures=True)

    async def _all(self, delivery: Delivery) -> list[Addressee]:
        with tracing.step("put on shares", delivery.receipt_no, size=delivery.size):
            return [await self._to(delivery, one) for one in delivery.recipients]

    async def _to(self, delivery: Delivery, addressee: Addressee) -> Addressee:
        share = self._shares.get(addressee.address.removeprefix(SHARE))
        if share is None:
            return self._messenger.late(delivery, addressee, "no such share")
        try:
            name = await self._put(delivery, share)
        except ReceiptError as error:
            _log.error("a file without a valid receipt stays here", receipt_no=delivery.receipt_no, error=str(error))
            return self._messenger.late(delivery, addressee, f"receipt: {error}")
        except (OSError, StorageError) as error:
            _log.warning("a share did not take a file", receipt_no=delivery.receipt_no, share=share.name, error=str(error)[:200])
            return self._messenger.late(delivery, addressee, f"{type(error).__name__}: {error}"[:500])
        _log.info("a file is on its share", receipt_no=delivery.receipt_no, share=share.name)
        return msgspec.structs.replace(addressee, state=RecipientState.DELIVERED, due=None, text=name)

    async def _put(self, delivery: Delivery, share: Share) -> str:
        """The name that the file has there. Raises OSError, TimeoutError among them, StorageError, ReceiptError."""
        transfer = await self._journal.transfer(delivery.transfer_id)
        receipt = await self._journal.receipt(transfer.id) or ""
        verify(delivery.blob, receipt, self._public_key)
        async with opened(self._blobs, delivery.blob, check=True) as fd:
            mine = os.dup(fd)       # the thread's own: it may outlast our patience
        load = _Load(_name(transfer), mine, delivery.size, delivery.blob, receipt.encode() if share.receipt else None)
        work = self._threads[share.name].submit(_put, share, load)
        try:
            async with asyncio.timeout(_PUT_SECONDS):
                return await asyncio.wrap_future(work)
        except BaseException:
            if work.cancel():       # it was never begun, and nobody else lets the descriptor go
                os.close(mine)
            raise


def _put(share: Share, load: _Load) -> str:
    """In the share's thread."""
    try:
        with _open(share) as folder:
            name = place(folder, load.name, _blocks(load.fd), size=load.size, digest=load.digest)
            if load.receipt is not None:
                _leave(folder, f"{name}.receipt.json", load.receipt)
            return name
    finally:
        os.close(load.fd)


def _leave(folder: Folder, name: str, content: bytes) -> None:
    """The receipt of the file that has just been put there."""
    if folder.size(name) is None:
        folder.write(name, [content])


def _open(share: Share) -> AbstractContextManager[Folder]:
    """The libraries of SFTP and SMB are loaded for the first share that needs them: most installations have none."""
    if share.folder is not None:
        return Directory(share.folder)
    opened: AbstractContextManager[Folder]
    if share.sftp is not None:
        opened = importlib.import_module("gateway.shares.sftp").SftpFolder(share.sftp)
    else:
        opened = importlib.import_module("gateway.shares.smb").SmbFolder(share.smb)
    return opened


def _blocks(fd: int) -> Iterator[bytes]:
    offset = 0
    while block := os.pread(fd, _BLOCK, offset):
        yield block
        offset += len(block)


def _name(transfer: Transfer) -> str:
    return names.safe(transfer.result.name if transfer.result is not None else transfer.name)


