"""The durable states of every transfer, and the record of how they came about. Its suite: tests/contract/test_journal.py.

Writing operations return after COMMIT; if they raise, nothing of them was written. All raise JournalUnavailableError when the
database is locked, full or broken. Times are seconds since 1970 and always passed in.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.model import Addressee, Arrival, Claim, Decision, Delivery, Transfer, Way
from gateway.storage import counting, database, deliveries, digests, halts, ledger, nodes, postgresql, search, settling, transfers
from gateway.storage.blobs import Blob
from gateway.storage.committer import Committer
from gateway.storage.digests import Digest
from gateway.storage.disk import Disk
from gateway.storage.faults import JournalUnavailableError
from gateway.storage.halts import Halt, Halted
from gateway.storage.ledger import Entry
from gateway.storage.search import Counts, Filter
from gateway.storage.settling import Settlement
from sanitizers.model import Report, Verdict

T = TypeVar("T")

_PAGE: Final = 1_000
EQUAL: Final[Mapping[str, float]] = MappingProxyType({})


class Journal:
    """The journal in one SQLite file, or at the address of a PostgreSQL database. Any number of processes may ask and write.

    `shared`: other nodes may be at work on it. Only where that is not so may the one worker, and the one that delivers, take back at its
    start what its dead predecessor had in hand; else leases run out. `writer`: its engine; a transaction of it has the journal to itself.
    """

    def __init__(self, where: Path | str, *, busy_seconds: float = 5.0) -> None:
        self._path = where if isinstance(where, Path) else None
        if isinstance(where, Path):
            self.writer = database.writer_engine(where, busy_seconds=busy_seconds)
            self._reader = database.reader_engine(where, busy_seconds=busy_seconds)
        else:
            self.writer, self._reader = postgresql.writer_engine(where), postgresql.reader_engine(where)
        self.shared = self._path is None
        self.url = None if isinstance(where, Path) else where
        self._committer = Committer(self.writer)

    async def start(self) -> None:
        """Makes the file and brings the tables up to date. Raises JournalUnavailableError, also when it would not be durable."""

        def begin() -> None:
            try:
                if self._path is not None:
                    database.prepare(self._path, Disk())
            except OSError as error:
                raise JournalUnavailableError(f"database: {error.strerror}") from error
            database.migrate(self.writer)
            self._committer.start()

        await asyncio.to_thread(begin)

    async def stop(self) -> None:
        """Commits what was asked until now."""
        await asyncio.to_thread(self._committer.stop)
        counting.close(self.writer)
        self._reader.dispose()
        self.writer.dispose()

    # ------------------------------------------------------------------------------------------------------ taking in

    async def accept(
        self, arrival: Arrival, beside: Callable[[Connection, Arrival], None] = lambda _connection, _arrival: None
    ) -> tuple[int, str]:
        """The bytes are durable already; now the transfer is, with what is written `beside` it. Its id and receipt number."""

        def taken(connection: Connection) -> tuple[int, str]:
            number = transfers.accept(connection, arrival)
            beside(connection, arrival)
            return number

        return await self.write(taken, narrow=True)

    # -------------------------------------------------------------------------------------------------------- working

    async def claim(self, limit: int, *, at: float, lease_until: float, weights: Mapping[str, float] = EQUAL) -> list[Claim]:
        """Those whose turn it is, in PROCESSING now, their attempt counted. `weights`: organisation → turns where others have one."""
        return await self.write(lambda connection: transfers.claim(connection, limit, at, lease_until, weights), narrow=True)

    async def settle(self, claim: Claim, settlement: Settlement, *, at: float) -> Decision:
        """The decision that stands. Raises LeaseLostError for a late worker."""
        return await self.write(lambda connection: settling.settle(connection, claim, settlement, at), narrow=True)

    async def put_back(self, claim: Claim, *, at: float, note: str, attempts: int | None) -> None:
        """Into the queue again, or held after `attempts` of them; None: this one does not count. Raises LeaseLostError."""
        await self.write(lambda connection: transfers.put_back(connection, claim, at, note, attempts), narrow=True)

    async def return_leases(self, *, at: float, attempts: int) -> int:
        """What workers and post had in hand when their lease ran out; a transfer that was tried `attempts` times is held."""

        def anything(connection: Connection) -> list[str] | None:
            lost = nodes.lost(connection)
            ended = transfers.lease_ended(connection, at, lost) or deliveries.lease_ended(connection, at, lost)
            return lost if ended else None

        if (lost := await self.ask(anything)) is None:
            return 0

        def returned(connection: Connection) -> int:
            return transfers.return_leases(connection, at, at, attempts, lost) + deliveries.return_leases(connection, at, at, lost)

        return await self.write(returned)

    async def requeue_transfers(self, *, at: float, attempts: int) -> int:
        """At the start of the only worker: nobody works yet, so every lease on a transfer is a dead process's."""
        return await self.write(lambda connection: transfers.return_leases(connection, math.inf, at, attempts))

    async def requeue_deliveries(self, *, at: float) -> int:
        """The same for the only one that delivers."""
        return await self.write(lambda connection: deliveries.return_leases(connection, math.inf, at))

    # ------------------------------------------------------------------------------------------------------ passwords

    async def begin_try(self, transfer_id: int, *, most: int, at: float, actor: str) -> int:
        """A password is about to be tried; how many may follow. Raises NotAllowedError after `most` in a row."""
        return await self.write(lambda connection: settling.begin_try(connection, transfer_id, most=most, at=at, actor=actor))

    async def reopened(self, transfer: Transfer, settlement: Settlement, *, at: float, actor: str, note: str) -> None:
        """A password or an approval lets more of it out than before; wrong passwords are forgotten.

        Raises IllegalTransitionError, LeaseLostError when it has moved on meanwhile.
        """

        def settle(connection: Connection) -> None:
            settling.reopened(connection, transfer, settlement, at=at, actor=actor, note=note)
            settling.forget_tries(connection, transfer.id)

        await self.write(settle)

    # ------------------------------------------------------------------------------------------------------ operators

    async def retry(
        self, transfer_id: int, *, at: float, actor: str, note: str = "", lease_until: float | None = None
    ) -> Claim | None:
        """What is held is worked on again, by the caller if it takes a lease, else by the service; or sent again."""
        until = at if lease_until is None else lease_until
        return await self.write(
            lambda connection: settling.retry(connection, transfer_id, at=at, lease_until=until, actor=actor, note=note)
        )

    async def release(
        self, transfer_id: int, verdict: Verdict, *, at: float, actor: str, receipt: str, note: str = ""
    ) -> None:
        """Let a held transfer go as `policy.releasable` says. Raises NotAllowedError, IllegalTransitionError."""
        await self.write(
            lambda connection: settling.release(
                connection, transfer_id, verdict, at=at, actor=actor, note=note, receipt=receipt
            )
        )

    async def hold(self, transfer_id: int, *, at: float, actor: str, note: str = "") -> None:
        """Stop what has not left yet. Raises IllegalTransitionError."""
        await self.write(lambda connection: settling.hold(connection, transfer_id, at=at, actor=actor, note=note))

    async def dispose(self, transfer_id: int, *, at: float, actor: str, note: str = "") -> None:
        """Give original and result up. Raises IllegalTransitionError."""
        await self.write(lambda connection: settling.dispose(connection, transfer_id, at=at, actor=actor, note=note))

    async def record(self, *, at: float, actor: str, action: str, subject: str, detail: dict[str, object]) -> Entry:
        """Anything else that has to be known later: a log-in, a new policy, an export."""
        return await self.write(
            lambda connection: ledger.append(connection, at=at, actor=actor, action=action, subject=subject, detail=detail)
        )

    async def collected(self, transfer: Transfer, *, at: float, actor: str) -> None:
        """Somebody is about to be handed the file; recorded before its first byte. Raises HaltedError."""

        def collect(connection: Connection) -> None:
            halts.check(connection, Halt.DELIVERY)
            ledger.append(connection, at=at, actor=actor, action="file.collected", subject=transfer.receipt_no, detail={})

        await self.write(collect)

    # ------------------------------------------------------------------------------------------------- emergency stop

    async def halt(self, what: Halt, *, at: float, actor: str, reason: str) -> bool:
        """From this commit on nothing more is taken in, or nothing more leaves; False if it was so already."""
        return await self.write(lambda connection: halts.halt(connection, what, at=at, actor=actor, reason=reason))

    async def resume(self, what: Halt, *, at: float, actor: str, reason: str) -> bool:
        """The end of it; False if there was none."""
        return await self.write(lambda connection: halts.resume(connection, what, at=at, actor=actor, reason=reason))

    async def halted(self) -> dict[Halt, Halted]:
        return await self.ask(halts.standing)

    # ------------------------------------------------------------------------------------------------------- the post

    async def queue_notice(self, transfer_id: int, content: Blob, *, at: float) -> None:
        """To the recipients of a mail that stays inside; a second one for the same transfer is not queued."""
        await self.write(lambda connection: settling.queue_notice(connection, transfer_id, content, at))

    async def owed_digests(self, slot: float) -> list[Transfer]:
        """What has to stand in the digests of `slot`; nothing once they went out."""
        return await self.ask(lambda connection: digests.owed(connection, slot))

    async def queue_digests(self, slot: float, written: Sequence[Digest], *, at: float) -> bool:
        """False if they went out meanwhile."""
        return await self.write(lambda connection: digests.queue(connection, slot, written, at))

    async def claim_deliveries(self, limit: int, *, at: float, lease_until: float, way: Way = deliveries.POST) -> list[Delivery]:
        return await self.write(lambda connection: deliveries.claim(connection, limit, at, lease_until, way=way), narrow=True)

    async def settle_delivery(self, delivery: Delivery, outcomes: Sequence[Addressee], bounce: Blob | None, *, at: float) -> None:
        """Raises LeaseLostError."""
        await self.write(lambda connection: deliveries.settle(connection, delivery, outcomes, bounce, at), narrow=True)

    async def give_back_delivery(self, delivery: Delivery, *, at: float) -> None:
        """Untried. Raises LeaseLostError."""
        await self.write(lambda connection: deliveries.give_back(connection, delivery, at), narrow=True)

    async def next_due(self, *, way: Way = deliveries.POST) -> float | None:
        return await self.ask(lambda connection: deliveries.next_due(connection, way=way))

    # --------------------------------------------------------------------------------------------------------- asking

    async def transfer(self, transfer_id: int) -> Transfer:
        """Raises NoSuchTransferError."""
        return await self.ask(lambda connection: transfers.load(connection, transfer_id))

    async def find(self, receipt_no: str) -> Transfer:
        """Raises NoSuchTransferError."""
        return await self.ask(lambda connection: transfers.find(connection, receipt_no))

    async def transfers(self, wanted: Filter = Filter()) -> list[Transfer]:  # noqa: B008 - frozen
        return await self.ask(lambda connection: search.matching(connection, wanted))

    async def report(self, transfer_id: int) -> Report | None:
        return (await self.ask(lambda connection: settling.report_of(connection, transfer_id)))[0]

    async def receipt(self, transfer_id: int) -> str | None:
        return (await self.ask(lambda connection: settling.report_of(connection, transfer_id)))[1]

    async def deliveries(self, transfer_id: int) -> list[Delivery]:
        return await self.ask(lambda connection: deliveries.of_transfer(connection, transfer_id))

    async def owed_notices(self, limit: int = 100) -> list[Transfer]:
        return await self.ask(lambda connection: search.owed_notices(connection, limit))

    async def over_age(self, changed_before: float, limit: int = 100) -> list[Transfer]:
        return await self.ask(lambda connection: search.over_age(connection, changed_before, limit))

    async def counts(self) -> Counts:
        return await self.ask(search.counts)

    async def blob_in_use(self, digest: str) -> bool:
        return await self.ask(lambda connection: search.blob_in_use(connection, digest))

    async def entries(self, after: int = 0, subject: str | None = None) -> AsyncIterator[Entry]:
        """The audit record in order."""
        while page := await self.ask(lambda connection: list(ledger.entries(connection, after, subject, _PAGE))):  # noqa: B023
            for entry in page:
                yield entry
            after = page[-1].seq

    # ------------------------------------------------------------------------------------- for the other rows of the house

    async def write(self, operation: Callable[[Connection], T], *, narrow: bool = False) -> T:
        """Run it in the writer's next transaction; its result once that is durable. `narrow`: beside those of other nodes, see there."""
        return await self._committer.submit(operation, narrow=narrow)

    async def ask(self, question: Callable[[Connection], T]) -> T:
        """Run it in a reader's transaction, which cannot write."""

        def asked() -> T:
            try:
                with self._reader.begin() as connection:
                    return question(connection)
            except DBAPIError as error:
                raise JournalUnavailableError(f"journal: {error.orig}") from error
            except PoolTimeoutError as error:
                raise JournalUnavailableError("journal: all readers are at work") from error

        return await asyncio.to_thread(asked)
