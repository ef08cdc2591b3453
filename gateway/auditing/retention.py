"""保存期間: what is given up after its time, class by class, by nobody but this; each time with a record of the disposal (廃棄記録).

Originals and results have their time in the policy (`gateway.storage.upkeep`); what is here are the audit record, the papers that were
printed, what is known of transfers whose files are gone, and letters that are at their end. The records of disposals themselves are kept
for good.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Final, NamedTuple

from sqlalchemy import Connection

from gateway.storage import disposals, documents, forgetting, ledger, letters
from gateway.storage.journal import Journal

ACTOR: Final = "retention"
AUDIT: Final = "audit"
DOCUMENTS: Final = "documents"
ORIGINALS: Final = "originals"
TRANSFERS: Final = "transfers"
_DAY: Final = 86_400.0
_HOUR: Final = 3_600.0
# What is at its end here has served: the record says that it went.
_LETTERS_SECONDS: Final = 90 * _DAY
# Transfers that go in one transaction.
_AT_ONCE: Final = 500


class Kept(NamedTuple):
    """How long, in days; 0: for good."""

    audit: int
    documents: int
    transfers: int = 0


class Retention:
    """`clock`: seconds since 1970."""

    def __init__(self, journal: Journal, kept: Kept, clock: Callable[[], float]) -> None:
        self._journal = journal
        self.kept = kept
        self._clock = clock

    async def run_once(self) -> int:
        """All that is over its time; how many pieces. Between two transactions others have their turn."""
        gone = 0
        for step in (self._audit, self._documents, self._transfers):
            while count := await self._journal.write(step):
                gone += count
                await asyncio.sleep(0)
        return gone + await self._journal.write(lambda connection: letters.forget(connection, self._clock() - _LETTERS_SECONDS))

    def _audit(self, connection: Connection) -> int:
        if not self.kept.audit:
            return 0
        at = self._clock()
        before, first_entry = at - self.kept.audit * _DAY, ledger.first(connection)
        # A day's worth at a time, so that there is one record of it a day; what was begun is ended.
        begun = ledger.cut(connection)
        if first_entry is None or (first_entry.at > ledger.moment(before - _DAY) and (begun is None or begun.at < at - _HOUR)):
            return 0
        purged = ledger.purge(connection, before=before, at=at, actor=ACTOR)
        if purged is None:
            return 0
        cut, first, last = purged
        count = cut.seq - first.seq + 1
        detail: dict[str, object] = {"from": first.at, "to": last.at, "hash": cut.hash, "days": self.kept.audit}
        disposals.add(
            connection, what=AUDIT, count=count, oldest=str(first.seq), youngest=str(cut.seq), at=at, actor=ACTOR,
            method=disposals.DELETED, detail=detail,
        )  # fmt: skip
        return count

    def _documents(self, connection: Connection) -> int:
        if not self.kept.documents:
            return 0
        at = self._clock()
        gone = documents.give_up(connection, before=at - self.kept.documents * _DAY)
        if gone:
            detail: dict[str, object] = {"numbers": [one.number for one in gone], "days": self.kept.documents}
            disposals.add(
                connection, what=DOCUMENTS, count=len(gone), oldest=gone[0].number, youngest=gone[-1].number, at=at, actor=ACTOR,
                method=disposals.DELETED, detail=detail,
            )  # fmt: skip
        return len(gone)

    def _transfers(self, connection: Connection) -> int:
        """The digest of their receipt numbers, a line each, ties the record to the entries of each in the audit record."""
        if not self.kept.transfers:
            return 0
        at = self._clock()
        gone = forgetting.forget(connection, before=at - self.kept.transfers * _DAY, limit=_AT_ONCE)
        if gone:
            detail: dict[str, object] = {"days": self.kept.transfers, "sha256": hashlib.sha256("\n".join(gone).encode()).hexdigest()}
            disposals.add(
                connection, what=TRANSFERS, count=len(gone), oldest=gone[0], youngest=gone[-1], at=at, actor=ACTOR,
                method=disposals.DELETED, detail=detail,
            )  # fmt: skip
        return len(gone)
