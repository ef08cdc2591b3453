"""What other rules, or another policy, would have made of the traffic that is still kept.

Everything goes through the jail once more, nothing is delivered, and what differs from what really happened is told transfer by transfer.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import msgspec

from gateway.model import Transfer, rfc3339
from gateway.policy import Policy, decide
from gateway.storage.blobs import Blobs, opened
from gateway.storage.faults import BlobDamagedError, BlobMissingError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.workers import Workers
from sanitizers.model import Job, Reason, Report, Verdict

_PAGE: Final = 200
# What a worker's own trouble makes of a report says nothing about rules.
_NOT_THE_RULES: Final = (Reason.WORKER_CRASHED, Reason.TIMEOUT)


class Difference(NamedTuple):
    """One transfer that would have gone another way. `new` and `lost`: names of rules that match now and did not, or the reverse."""

    transfer: Transfer
    new: tuple[str, ...]
    lost: tuple[str, ...]
    before: Verdict | None
    after: Verdict


class Summary(msgspec.Struct):
    """Of one back-test. `gone`: originals that are not kept any more; `failed`: children that crashed or ran out of time."""

    tested: int = 0
    gone: int = 0
    failed: int = 0
    changed: int = 0
    new: Counter[str] = msgspec.field(default_factory=Counter)
    lost: Counter[str] = msgspec.field(default_factory=Counter)


class Backtest:
    """`workers` hold the candidate rules; `policy` is the candidate policy. Bounded by as many at a time as the workers have."""

    def __init__(self, journal: Journal, blobs: Blobs, workers: Workers, policy: Policy, *, jobs: int) -> None:
        self._journal = journal
        self._blobs = blobs
        self._workers = workers
        self._policy = policy
        self._jobs = jobs
        self.summary = Summary()

    async def run(self, since: float) -> AsyncIterator[Difference]:
        """Everything received since then, the youngest first; may be stopped at any time."""
        before_id: int | None = None
        while page := await self._journal.transfers(Filter(since=since, before_id=before_id, limit=_PAGE)):
            for start in range(0, len(page), self._jobs):
                for found in await asyncio.gather(*(self._one(transfer) for transfer in page[start : start + self._jobs])):
                    if found is not None:
                        yield found
            before_id = page[-1].id

    async def _one(self, transfer: Transfer) -> Difference | None:
        then = await self._journal.report(transfer.id)
        if transfer.blob is None or then is None:
            self.summary.gone += 1
            return None
        try:
            async with opened(self._blobs, transfer.blob) as source:
                sanitized = await self._workers.sanitize(source, self._job(transfer))
        except (BlobMissingError, BlobDamagedError):
            self.summary.gone += 1
            return None
        if sanitized.output_fd is not None:
            os.close(sanitized.output_fd)
        if sanitized.report.reason in _NOT_THE_RULES:
            self.summary.failed += 1
            return None
        self.summary.tested += 1
        return self._compared(transfer, then, sanitized.report)

    def _job(self, transfer: Transfer) -> Job:
        treatment = msgspec.structs.replace(
            self._policy.treatment,
            receipt_no=transfer.receipt_no,
            organisation=transfer.organisation,
            received_at=rfc3339(transfer.received_at),
        )
        return Job(
            name=transfer.name,
            limits=self._policy.limits,
            treatment=treatment,
            policy=self._policy.version,
            rules=self._workers.rules_version,
            door=transfer.door,
        )

    def _compared(self, transfer: Transfer, then: Report, now: Report) -> Difference | None:
        old, new = _rules(then), _rules(now)
        after = decide(now, self._policy).verdict
        # A person's later word on a transfer is not the rules'.
        before = then.verdict if transfer.verdict is Verdict.CONFIRMED else transfer.verdict
        if old == new and before is after:
            return None
        self.summary.changed += 1
        self.summary.new.update(new - old)
        self.summary.lost.update(old - new)
        return Difference(transfer, tuple(sorted(new - old)), tuple(sorted(old - new)), before, after)


def _rules(report: Report) -> set[str]:
    return {match.rule for part in report.tree() for match in part.matches}
