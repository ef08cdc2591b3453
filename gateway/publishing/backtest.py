"""What other rules, or another policy, would have made of the traffic that is still kept, and of files that are known to be clean.

Everything goes through the jail once more, nothing is delivered, and what differs from what really happened is told transfer by transfer.
Of the clean set every rule that matches is told: nothing may, whatever matched before.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from typing import Final

import msgspec

from gateway.model import Transfer
from gateway.policy import Policy, decide, facts
from gateway.publishing.clean_set import Sample
from gateway.road import memory
from gateway.road.orders import Orders
from gateway.road.workers import Workers
from gateway.storage.blobs import Blobs, opened
from gateway.storage.faults import BlobDamagedError, BlobMissingError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.standing import standing
from gateway.storage.trials import Changed
from sanitizers.model import Job, Reason, Report, Severity, Verdict

_PAGE: Final = 200
_MOST_NAMES: Final = 200
# What a worker's own trouble makes of a report says nothing about rules.
_NOT_THE_RULES: Final = (Reason.WORKER_CRASHED, Reason.TIMEOUT)


class Slow(msgspec.Struct, frozen=True):
    """A rule that costs more than the others."""

    rule: str
    ms_per_mib: float


class Summary(msgspec.Struct):
    """Of one back-test. `gone`: originals that are not kept any more; `failed`: children that crashed or ran out of time; `new` and
    `lost`: rule → transfers; `organisations` and `departments`: name → transfers that would have gone another way; `clean_hits`:
    rule → clean samples.

    `slow`: rules by their cost, the dearest first. `error`: why it could not be done.
    """

    tested: int = 0
    gone: int = 0
    failed: int = 0
    changed: int = 0
    new: dict[str, int] = {}
    lost: dict[str, int] = {}
    organisations: dict[str, int] = {}
    departments: dict[str, int] = {}
    verdicts: dict[str, int] = {}
    clean_tested: int = 0
    clean_hits: dict[str, int] = {}
    slow: tuple[Slow, ...] = ()
    error: str = ""


class Backtest:
    """`workers` hold the candidate rules; `policy` is the candidate policy. Bounded by as many at a time as the workers have."""

    def __init__(self, journal: Journal, blobs: Blobs, workers: Workers, policy: Policy, *, jobs: int) -> None:
        self._journal = journal
        self._blobs = blobs
        self._workers = workers
        self._orders = Orders(journal, policy)
        self._jobs = jobs
        self.summary = Summary()

    @property
    def done(self) -> int:
        """How many were looked at."""
        return self.summary.tested + self.summary.gone + self.summary.failed + self.summary.clean_tested

    async def run(self, since: float) -> AsyncIterator[Changed]:
        """Everything received since then, the youngest first; may be stopped at any time."""
        async for page in self._pages(since):
            for found in page:
                if found is not None:
                    yield found

    async def steps(self, since: float) -> AsyncIterator[list[Changed]]:
        """The same; each step is as much as is worked on at a time, also where nothing differs."""
        async for page in self._pages(since):
            yield [found for found in page if found is not None]

    async def clean(self, samples: Iterable[Sample]) -> AsyncIterator[list[Changed]]:
        """The clean set, sample by sample."""
        for sample in samples:
            found = await self._sample(sample)
            yield [found] if found is not None else []

    async def _pages(self, since: float) -> AsyncIterator[list[Changed | None]]:
        before_id: int | None = None
        while page := await self._journal.transfers(Filter(since=since, before_id=before_id, limit=_PAGE)):
            for start in range(0, len(page), self._jobs):
                yield await asyncio.gather(*(self._one(transfer) for transfer in page[start : start + self._jobs]))
            before_id = page[-1].id

    async def _one(self, transfer: Transfer) -> Changed | None:
        then = await self._journal.report(transfer.id)
        if transfer.blob is None or then is None:
            self.summary.gone += 1
            return None
        policy = await self._orders.policy_for(transfer)
        try:
            async with opened(self._blobs, transfer.blob) as source:
                now = await self._jailed(source, self._orders.job(transfer, policy, self._workers.rules_version))
        except (BlobMissingError, BlobDamagedError):
            self.summary.gone += 1
            return None
        if now.reason in _NOT_THE_RULES:
            self.summary.failed += 1
            return None
        self.summary.tested += 1
        found = self._compared(transfer, then, now, policy)
        if found is not None:
            _count(self.summary.departments, await self._departments(transfer))
        return found

    async def _departments(self, transfer: Transfer) -> set[str]:
        """The main departments of those whom it is for, as far as they are known."""
        who, at = facts(transfer).people, transfer.received_at
        known = await self._journal.ask(lambda connection: standing(connection, who, transfer.organisation, at))
        return {names[-1] for names in known.departments.values()}

    async def _jailed(self, source: int, job: Job) -> Report:
        sanitized = await self._workers.sanitize(source, job)
        if sanitized.output_fd is not None:
            os.close(sanitized.output_fd)
        return sanitized.report

    def _compared(self, transfer: Transfer, then: Report, now: Report, policy: Policy) -> Changed | None:
        old, new = rules_in(then), rules_in(now)
        after = decide(now, policy).verdict
        # A person's later word on a transfer is not the rules'.
        before = then.verdict if transfer.verdict is Verdict.CONFIRMED else transfer.verdict
        if old == new and before is after:
            return None
        summary = self.summary
        summary.changed += 1
        _count(summary.new, new - old)
        _count(summary.lost, old - new)
        _count(summary.organisations, [transfer.organisation])
        if before is not after:
            _count(summary.verdicts, [f"{before or '-'} → {after}"])
        return Changed(
            transfer_id=transfer.id,
            name=transfer.receipt_no,
            organisation=transfer.organisation,
            new=tuple(sorted(new - old)),
            lost=tuple(sorted(old - new)),
            before=before,
            after=after,
        )

    async def _sample(self, sample: Sample) -> Changed | None:
        transfer = sample.transfer()
        job = self._orders.job(transfer, await self._orders.policy_for(transfer), self._workers.rules_version)
        with memory.filled("clean", sample.content) as fd:
            source = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                report = await self._jailed(source, job)
            finally:
                os.close(source)
        self.summary.clean_tested += 1
        hits = {match.rule for part in report.tree() for match in part.matches if match.severity is not Severity.INFO}
        if not hits and report.verdict is not Verdict.BLOCKED:
            return None
        _count(self.summary.clean_hits, hits)
        return Changed(
            transfer_id=None, name=sample.name, organisation="", new=tuple(sorted(hits)), lost=(), before=None, after=report.verdict
        )


def rules_in(report: Report) -> set[str]:
    """The names of all rules that matched somewhere in it."""
    return {match.rule for part in report.tree() for match in part.matches}


def most(counts: dict[str, int]) -> list[tuple[str, int]]:
    """The most frequent first."""
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _count(counts: dict[str, int], names: Iterable[str]) -> None:
    """A sum that is shown on a page has an end."""
    for name in names:
        if name in counts or len(counts) < _MOST_NAMES:
            counts[name] = counts.get(name, 0) + 1
