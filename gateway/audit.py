"""The append-only, hash-chained record: is it whole, and how it is handed to somebody who wants to check that himself.

Entries are written by the journal in the transaction that they tell about (`gateway.storage.ledger` says what a hash covers).
A chain by itself cannot show that its end was cut off: for that, keep the head of an earlier verification somewhere else and
pass it as `anchor`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec

from gateway.storage.journal import Journal
from gateway.storage.ledger import GENESIS, Entry


class Head(NamedTuple):
    """The last entry of the record at some moment: enough to show later that nothing before it has changed."""

    seq: int
    hash: str


class Verified(NamedTuple):
    """What a walk along the chain showed. `broken`: the first row that is not what it was, None if all are; `why` in one line."""

    entries: int
    head: Head
    broken: int | None = None
    why: str = ""


async def verify(journal: Journal, anchor: Head | None = None) -> Verified:
    """Walk the whole chain."""
    return await check(journal.entries(), anchor)


async def verify_end(journal: Journal, after: int) -> Verified:
    """Walk what follows row `after`, believing that row."""
    believed = [entry async for entry in _first(journal.entries(max(0, after - 1)))] if after else []
    return await check(journal.entries(after), start=Head(after, believed[0].hash) if believed else Head(0, GENESIS))


async def _first(entries: AsyncIterator[Entry]) -> AsyncIterator[Entry]:
    async for entry in entries:
        yield entry
        return


async def check(entries: AsyncIterator[Entry], anchor: Head | None = None, *, start: Head | None = None) -> Verified:
    """The same over entries from anywhere, an export for instance. `start`: the row before the first of them."""
    count, head, anchored = 0, start or Head(0, GENESIS), anchor is None
    async for entry in entries:
        if why := _fault(entry, head):
            return Verified(count, head, head.seq + 1, why)
        head = Head(entry.seq, entry.hash)
        count += 1
        if anchor is not None and entry.seq == anchor.seq:
            anchored = entry.hash == anchor.hash
            if not anchored:
                return Verified(count, head, entry.seq, "is not the row that was anchored")
    if not anchored:
        return Verified(count, head, head.seq + 1, "the end of the record is missing")
    return Verified(count, head)


def _fault(entry: Entry, before: Head) -> str:
    if entry.seq != before.seq + 1:
        return f"row {before.seq + 1} is missing"
    if entry.prev_hash != before.hash:
        return "does not follow from the row before it"
    return "" if entry.computed() == entry.hash else "content does not match its hash"


async def export(journal: Journal) -> AsyncIterator[str]:
    """One JSON object a line, in order, with all that a hash covers."""
    async for entry in journal.entries():
        yield msgspec.json.encode(entry).decode()
