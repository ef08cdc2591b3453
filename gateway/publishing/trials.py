"""Back-tests of drafts: asked for by a person, run at low priority, one at a time, stopped by a word, kept with the version.

Which process runs one does not matter: it is a row in the journal, leased as long as somebody works on it, begun anew when he is lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection

from gateway.policy import Policy
from gateway.publishing import clean_set, rule_check
from gateway.publishing.backtest import Backtest, Slow, Summary
from gateway.publishing.versions import NoSuchVersionError, NotNowError, Publishing, Subject, Version, policy_text
from gateway.road.warm_parent import COMMAND
from gateway.road.workers import JailUnavailable, Workers
from gateway.storage import trials as rows
from gateway.storage.blobs import Blobs
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.storage.search import counted_since
from gateway.storage.trials import Changed, NoSuchTrialError, Trial, TrialState
from gateway.telemetry import log

__all__ = ["Changed", "NoSuchTrialError", "Trial", "TrialState", "Trials", "low_priority"]

_log = log.get(__name__)

DAY_SECONDS: Final = 86_400.0
_LEASE_SECONDS: Final = 300.0
_POLL_SECONDS: Final = 5.0
# How often what was found goes into the journal.
_WRITE_SECONDS: Final = 1.0
_MOST_SLOW: Final = 20
# A rule that costs less than this for each MiB is not named: the whole set costs about ten times as much.
_SLOW_MS: Final = 1.0
_MOST_DIFFERENCES: Final = 100_000

Rules = Mapping[str, str]


def low_priority(rules: Rules, jobs: int, *, jail_required: bool) -> Workers:
    """Workers that take what the others leave over."""
    return Workers(rules, jobs, jail_required=jail_required, command=("/usr/bin/nice", "-n", "10", *COMMAND))


class _StoppedError(Exception):
    """Somebody said so, or it is another's now."""


class Trials:
    """`new_workers` makes workers with candidate rules. `clean`: a folder of files that must stay clean. `jobs`: at a time."""

    def __init__(
        self,
        journal: Journal,
        blobs: Blobs,
        publishing: Publishing,
        read_policy: Callable[[str], Policy],
        clock: Callable[[], float],
        *,
        new_workers: Callable[[Rules], Workers],
        clean: Path | None = None,
        days: int = 7,
        jobs: int = 1,
        jail_required: bool = True,
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._publishing = publishing
        self._read_policy = read_policy
        self._clock = clock
        self._new_workers = new_workers
        self._clean = clean
        self._days = days
        self._jobs = jobs
        self._jail_required = jail_required
        self._woken = asyncio.Event()

    # ---------------------------------------------------------------------------------------------------------- asking

    async def ask(self, version: Version, *, actor: str, days: int | None = None) -> Trial:
        """Over the traffic of the last `days`. Raises NotNowError."""
        if version.subject is Subject.LISTS:
            raise NotNowError("リストは試行できません / lists are not tried")
        at = self._clock()
        since = at - (days or self._days) * DAY_SECONDS
        asked = await self._journal.write(lambda connection: rows.ask(connection, version, since=since, at=at, actor=actor))
        self._woken.set()
        return asked

    async def stop(self, trial_id: int, *, actor: str) -> Trial:
        """Raises NoSuchTrialError, NotNowError."""
        at = self._clock()
        return await self._journal.write(lambda connection: rows.stop(connection, trial_id, at=at, actor=actor))

    async def find(self, trial_id: int) -> Trial:
        """Raises NoSuchTrialError."""
        return await self._journal.ask(lambda connection: rows.load(connection, trial_id))

    async def of_version(self, version_id: int) -> list[Trial]:
        """The youngest first."""
        return await self._journal.ask(lambda connection: rows.of_version(connection, version_id))

    async def differences(self, trial_id: int, limit: int = 1_000) -> list[Changed]:
        return await self._journal.ask(lambda connection: rows.differences(connection, trial_id, limit=limit))

    # --------------------------------------------------------------------------------------------------------- running

    async def run(self) -> None:
        """Until it is cancelled: whatever is asked for, one after the other."""
        while True:
            self._woken.clear()
            try:
                while await self.run_one():
                    pass
            except StorageError as error:
                _log.error("back-tests have to wait", error=str(error))
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def run_one(self, trial_id: int | None = None) -> Trial | None:
        """That one, or the next that waits; None if there is none."""
        trial = await self._claim(trial_id)
        if trial is None:
            return None
        summary = Summary()
        state = TrialState.DONE
        try:
            await self._try(trial, summary)
        except _StoppedError:
            state = TrialState.STOPPED
        except (ValueError, OSError, JailUnavailable, NoSuchVersionError) as error:
            state, summary.error = TrialState.FAILED, str(error)[:500]
            _log.error("a back-test failed", backtest=trial.id, error=str(error))
        at, said = self._clock(), _json(summary)
        await self._journal.write(lambda connection: rows.end(connection, trial.id, state, at=at, summary=said))
        return await self.find(trial.id)

    async def _claim(self, trial_id: int | None) -> Trial | None:
        at = self._clock()

        def claimed(connection: Connection) -> Trial | None:
            return rows.claim(connection, at=at, lease_until=at + _LEASE_SECONDS, trial_id=trial_id)

        return await self._journal.write(claimed)

    async def _try(self, trial: Trial, summary: Summary) -> None:
        version = await self._publishing.version(trial.version_id)
        rules, policy = await self._candidate(version)
        if version.subject is Subject.RULES:
            summary.slow = await self._slow(rules)
        workers = self._new_workers(rules)
        await workers.start()
        try:
            test = Backtest(self._journal, self._blobs, workers, policy, jobs=self._jobs)
            test.summary = summary
            total = await self._journal.ask(lambda connection: counted_since(connection, trial.since))
            await self._write_down(trial, test, total + await asyncio.to_thread(clean_set.count, self._clean))
        finally:
            await workers.stop()

    async def _candidate(self, version: Version) -> tuple[Rules, Policy]:
        """What would stand together: the version, and what is in force of the other."""
        files = {
            subject: await (self._publishing.files(version.id) if version.subject is subject else self._publishing.files_in_force(subject))
            for subject in (Subject.RULES, Subject.POLICY)
        }
        policy = files[Subject.POLICY]
        return files[Subject.RULES] or {}, Policy() if policy is None else self._read_policy(policy_text(policy))

    async def _slow(self, rules: Rules) -> tuple[Slow, ...]:
        costs = (await rule_check.cost(rules, jail_required=self._jail_required)).costs
        return tuple(Slow(cost.name, cost.ms_per_mib) for cost in costs[:_MOST_SLOW] if cost.ms_per_mib >= _SLOW_MS)

    async def _write_down(self, trial: Trial, test: Backtest, total: int) -> None:
        """Every second or so, and at the end. Raises _StoppedError."""
        found: list[Changed] = []
        kept, last = 0, time.monotonic()

        async def write() -> None:
            nonlocal found, kept
            batch, found = found[: _MOST_DIFFERENCES - kept], []
            kept += len(batch)
            done, said, until = test.done, _json(test.summary), self._clock() + _LEASE_SECONDS
            most = max(total, done)
            alive = await self._journal.write(
                lambda connection: rows.progress(connection, trial.id, batch, done=done, total=most, summary=said, lease_until=until)
            )
            if not alive:
                raise _StoppedError

        await write()
        async for step in _both(test, trial.since, self._clean):
            found += step
            if time.monotonic() - last >= _WRITE_SECONDS:
                await write()
                last = time.monotonic()
        await write()


async def _both(test: Backtest, since: float, clean: Path | None) -> AsyncIterator[list[Changed]]:
    async for step in test.clean(clean_set.samples(clean)):
        yield step
    async for step in test.steps(since):
        yield step


def _json(summary: Summary) -> str:
    return msgspec.json.encode(summary).decode()
