"""The append-only, hash-chained record: is it whole, and how it is handed to somebody who wants to check that himself.

Entries are written by the journal in the transaction that they tell about (`gateway.storage.ledger` says what a hash covers).
A chain by itself cannot show that its end was cut off, or that all of it was written anew: for that, heads of it are kept in other
places (`gateway.auditing.anchors`) and passed as `anchors`. Its beginning may be missing after its time: the journal says up to where,
and an entry of the record itself has to say the same (`gateway.storage.ledger.purge`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final, NamedTuple

import msgspec

from gateway.storage import ledger
from gateway.storage.journal import Journal
from gateway.storage.ledger import GENESIS, PURGED, Cut, Entry

_TELL_EVERY: Final = 1_000


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


async def verify(
    journal: Journal, anchor: Head | None = None, *, anchors: Iterable[Head] = (), progress: Callable[[int], None] = lambda _: None
) -> Verified:
    """Walk the whole chain, from where the record begins. `progress` is told how many entries were walked."""
    cut = await journal.ask(ledger.cut)
    known = {one.seq: one.hash for one in ([anchor] if anchor is not None else list(anchors))}
    if cut is None:
        return await _checked(journal.entries(), known, Head(0, GENESIS), progress=progress)
    if known.pop(cut.seq, cut.hash) != cut.hash:
        return Verified(0, Head(cut.seq, cut.hash), cut.seq, "is not the row that was anchored")
    left = {seq: digest for seq, digest in known.items() if seq > cut.seq}
    return await _checked(journal.entries(), left, Head(cut.seq, cut.hash), cut=cut, progress=progress)


async def verify_end(journal: Journal, after: int) -> Verified:
    """Walk what follows row `after`, believing that row."""
    cut = await journal.ask(ledger.cut)
    if cut is not None and after <= cut.seq:
        return await check(journal.entries(), start=Head(cut.seq, cut.hash))
    believed = [entry async for entry in _first(journal.entries(max(0, after - 1)))] if after else []
    return await check(journal.entries(after), start=Head(after, believed[0].hash) if believed else Head(0, GENESIS))


async def _first(entries: AsyncIterator[Entry]) -> AsyncIterator[Entry]:
    async for entry in entries:
        yield entry
        return


async def check(entries: AsyncIterator[Entry], anchor: Head | None = None, *, start: Head | None = None) -> Verified:
    """The same over entries from anywhere, an export for instance. `start`: the row before the first of them."""
    known = {} if anchor is None else {anchor.seq: anchor.hash}
    return await _checked(entries, known, start or Head(0, GENESIS))


async def _checked(
    entries: AsyncIterator[Entry],
    anchors: dict[int, str],
    head: Head,
    *,
    cut: Cut | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Verified:
    count, owned = 0, cut is None
    async for entry in entries:
        if why := _fault(entry, head):
            return Verified(count, head, head.seq + 1, why)
        head = Head(entry.seq, entry.hash)
        count += 1
        if anchors.pop(entry.seq, entry.hash) != entry.hash:
            return Verified(count, head, entry.seq, "is not the row that was anchored")
        owned = owned or (entry.action == PURGED and cut is not None and _owns(entry, cut))
        if count % _TELL_EVERY == 0:
            progress(count)
    progress(count)
    if anchors:
        return Verified(count, head, head.seq + 1, "the end of the record is missing")
    if not owned:
        return Verified(count, head, cut.seq if cut is not None else 0, "its beginning is missing, and the record does not say why")
    return Verified(count, head)


def _owns(entry: Entry, cut: Cut) -> bool:
    """Whether that entry says that the record was cut there."""
    detail = msgspec.json.decode(entry.detail)
    return (detail.get("seq"), detail.get("hash")) == (cut.seq, cut.hash)


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
