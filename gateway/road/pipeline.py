"""The road itself: claim what waits, have it sanitised, decide, settle.

Every step is durable before the next begins, and repeatable after a crash: a result that was stored twice is one blob, a
settlement that comes late is fenced off, a transfer whose worker was lost is tried again under a limit and then held.
Whatever is not an explicit delivery stays inside.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from gateway.model import Claim, Decision, State, Transfer
from gateway.policy import Policy, locked, macros_lost, unconfirmed, unrebuilt
from gateway.receipts import Signer
from gateway.road.orders import AS_POLICY_SAYS, Orders
from gateway.road.passage import Authenticate, Passage, StoppedByScannersError, Workers, nobody_asked
from gateway.road.progress import Progress
from gateway.road.results import Results
from gateway.road.settlements import Settlements, not_believed
from gateway.scanners.panel import Panel, Ruling
from gateway.storage.blobs import Blobs, opened
from gateway.storage.faults import BlobDamagedError, BlobMissingError, LeaseLostError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.results import ResultGoneError
from gateway.storage.settling import Settlement
from gateway.telemetry import log, metrics, tracing
from gateway.telling.alarm import Alarm
from sanitizers.model import Reason, Report

__all__ = ["LONGEST", "MOST_TRIES", "Pipeline", "StoppedByScannersError"]

_log = log.get(__name__)

# Passwords that people give: so many tries in a row, and none longer than any that the formats take; a child is not fed with more.
MOST_TRIES: Final = 5
LONGEST: Final = 512

# Between two looks for work that nobody announced: other processes' transfers, leases that ran out.
_POLL_SECONDS: Final = 1.0
_LEASE_MARGIN_SECONDS: Final = 60.0
# After trouble with a store nothing new is begun for this long.
_PAUSE_SECONDS: Final = 5.0


class Pipeline:
    """The road with `concurrency` lanes. `pickup_url`: where readers of a mail open what is locked in it; empty: nowhere.

    `policy` may be replaced at any time; work at hand keeps the one it began with.

    `released` is told that a delivery may be due, `stayed` that somebody may have to be told that something stays inside,
    `passwords_seen` what a mail had in it that may open another (only where policy asks for it).
    """

    def __init__(
        self,
        journal: Journal,
        blobs: Blobs,
        workers: Workers,
        policy: Policy,
        signer: Signer,
        *,
        concurrency: int = 2,
        pickup_url: str = "",
        authenticate: Authenticate = nobody_asked,
        panel: Panel | None = None,
        results: Results | None = None,
        alarm: Alarm | None = None,
        clock: Callable[[], float] = time.time,
        released: Callable[[], None] = lambda: None,
        stayed: Callable[[], None] = lambda: None,
        passwords_seen: Callable[[Transfer, tuple[str, ...]], None] = lambda _transfer, _passwords: None,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        orders = Orders(journal, policy, pickup_url=pickup_url, clock=clock)
        self.panel = panel or Panel()
        self._passage = Passage(workers, orders, self.panel, results=results, authenticate=authenticate)
        self._settlements = Settlements(blobs, signer, clock)
        self._journal = journal
        self._blobs = blobs
        self._concurrency = concurrency
        self._clock = clock
        self._released = released
        self._stayed = stayed
        self._passwords_seen = passwords_seen
        self._poll_seconds = poll_seconds
        self._alarm = alarm
        self._silent = False
        self._woken = asyncio.Event()
        self._draining = False
        self._busy = 0
        self._leases_looked_at = -math.inf      # by the clock of this process
        # What could not go back into the queue when it had to, and how: the journal did not answer.
        self._owed: list[tuple[Claim, str, bool]] = []

    @property
    def policy(self) -> Policy:
        """The document in force."""
        return self._passage.orders.policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self._passage.orders.policy = policy

    @property
    def progress(self) -> Progress:
        return self._passage.progress

    def wake(self) -> None:
        """Something was taken in."""
        self._woken.set()

    def drain(self) -> None:
        """Begin nothing more; `run` returns when the work at hand is settled."""
        self._draining = True
        self.wake()

    async def run(self) -> None:
        """Until `drain`. When it is cancelled, work at hand goes back into the queue."""
        async with asyncio.TaskGroup() as crew:
            while not self._draining:
                self._woken.clear()
                claims = await self._claim()
                for claim in claims:
                    self._busy += 1
                    crew.create_task(self._work(claim))
                if not claims:
                    await self._wait(self._poll_seconds)

    async def process(self, claim: Claim, passwords: tuple[str, ...] = (), *, anew: bool = False) -> Decision | None:
        """The whole road of one transfer. None: its child was lost or a scanner is down, and it went back into the queue.

        `anew`: with no result of before.
        """
        transfer, attempts = claim.transfer, self.policy.attempts
        try:
            async with opened(self._blobs, transfer.blob or "") as source:
                made = await self._passage.through(source, transfer, passwords=passwords, anew=anew)
        except (BlobMissingError, BlobDamagedError) as error:
            end = Settlement(decision=not_believed(f"original: {error}"), policy=self.policy.version)
            return await self._settle(claim, end)
        except StoppedByScannersError as stop:
            return await self._stopped(claim, stop, attempts)
        metrics.worked(made.report)
        try:
            if made.report.reason is Reason.WORKER_CRASHED and transfer.attempts < attempts:
                await self._journal.put_back(claim, at=self._clock(), note="child lost", attempts=attempts)
                return None
            settlement = await self._settlements.of(transfer, made)
        finally:
            made.close()
        try:
            settled = await self._settle(claim, settlement)
        except ResultGoneError:
            return await self.process(claim, passwords, anew=True)
        if made.passwords:
            self._passwords_seen(transfer, made.passwords)
        return settled

    async def retry(self, transfer_id: int, *, actor: str, note: str = "", passwords: tuple[str, ...] = ()) -> Decision | None:
        """Work on a held transfer now; the passwords are used and forgotten. Raises IllegalTransitionError, NotAllowedError."""
        at = self._clock()
        claim = await self._journal.retry(transfer_id, at=at, actor=actor, note=note, lease_until=self._lease_until(at))
        if claim is None:
            self._released()
            return None
        return await self.process(claim, passwords)

    async def unlock(self, transfer: Transfer, passwords: tuple[str, ...], *, actor: str) -> bool:
        """Work on what is locked in a transfer that is not at work; whether a password opened anything. If none did, nothing changes.

        The passwords are in memory only, here and in the jail. Raises IllegalTransitionError, LeaseLostError when the transfer moved on
        meanwhile, BlobMissingError, BlobDamagedError, StoppedByScannersError.
        """
        return await self._again(transfer, await self._fewer(transfer, locked), actor=actor, note="password given", passwords=passwords)

    async def confirm(self, transfer: Transfer, *, actor: str, note: str) -> bool:
        """確認済み: `actor` approves the originals in it whose structure is sound and that policy would let through.

        Whether any passed. The approval stands in the report, the receipt's digest of it and the audit record. Raises as `unlock` does.
        """
        fewer = await self._fewer(transfer, unconfirmed)
        return await self._again(transfer, fewer, actor=actor, note=f"confirmed: {note}", chosen={"confirmed_by": actor})

    async def with_macros(self, transfer: Transfer, *, actor: str, note: str) -> bool:
        """マクロ付き取込み, where an exception for its very digest counts. Whether it passed. Raises as `unlock` does."""
        return await self._again(transfer, await self._fewer(transfer, macros_lost), actor=actor, note=f"with macros: {note}")

    async def as_pixels(self, transfer: Transfer, *, actor: str, note: str) -> bool:
        """PDFs in it that could not be rebuilt, as pictures of their pages. Whether any passed. Raises as `unlock` does."""
        fewer = await self._fewer(transfer, unrebuilt)
        return await self._again(transfer, fewer, actor=actor, note=f"as pixels: {note}", chosen={"pdf_strict_pixels": True})

    async def again(
        self, transfer: Transfer, *, actor: str, note: str, chosen: Mapping[str, object] = AS_POLICY_SAYS, passwords: tuple[str, ...] = ()
    ) -> bool:
        """処理のやり直し by what is in force now, with fields of its treatment `chosen` otherwise. Whether it was settled anew: what is
        held always is, what was let go only if it goes again; with passwords only if one opened something. Raises as `unlock` does."""
        wanted = await self._fewer(transfer, locked) if passwords else _goes if transfer.state is not State.HELD else _whatever
        return await self._again(transfer, wanted, actor=actor, note=note, passwords=passwords, chosen=chosen)

    async def _fewer(self, transfer: Transfer, waiting: Callable[[Report | None], tuple[Report, ...]]) -> Callable[[Report], bool]:
        """Whether less of it is `waiting` than was."""
        before = len(waiting(await self._journal.report(transfer.id)))
        return lambda report: len(waiting(report)) < before

    async def _again(
        self,
        transfer: Transfer,
        wanted: Callable[[Report], bool],
        *,
        actor: str,
        note: str,
        passwords: tuple[str, ...] = (),
        chosen: Mapping[str, object] = AS_POLICY_SAYS,
    ) -> bool:
        """The kept original once more, with fields of its treatment `chosen` otherwise; settled anew if what comes of it is `wanted`."""
        async with opened(self._blobs, transfer.blob or "") as source:
            made = await self._passage.through(source, transfer, passwords=passwords, chosen=chosen, anew=True)
        try:
            if made.report.reason in (Reason.WORKER_CRASHED, Reason.TIMEOUT) or not wanted(made.report):
                return False
            settlement = await self._settlements.of(transfer, made, confirmed_by=str(chosen.get("confirmed_by", "")))
        finally:
            made.close()
        await self._journal.reopened(transfer, settlement, at=self._clock(), actor=actor, note=note)
        self._tell(transfer, settlement.decision)
        return True

    # --------------------------------------------------------------------------------------------------------- steps

    async def _stopped(self, claim: Claim, stop: StoppedByScannersError, attempts: int) -> Decision | None:
        """Blocked, held, or back into the queue until a required scanner answers again; only a wait of its own making is counted."""
        judgement, transfer = stop.judgement, claim.transfer
        if judgement.ruling is Ruling.WAIT and (judgement.down or transfer.attempts < attempts):
            _log.error("a required scanner is silent", receipt_no=transfer.receipt_no, note=judgement.note, down=judgement.down)
            first, self._silent = judgement.down and not self._silent, self._silent or judgement.down
            await self._journal.put_back(claim, at=self._clock(), note=judgement.note, attempts=None if judgement.down else attempts)
            if first and self._alarm is not None:
                await self._alarm.silent(transfer, judgement.note)
            return None
        decision = Decision(verdict=stop.report.verdict, reason=stop.report.reason, note=judgement.note)
        return await self._settle(claim, await self._settlements.stopped(transfer, decision, stop.report))

    async def _settle(self, claim: Claim, settlement: Settlement) -> Decision:
        with tracing.step("settle") as told:
            decision = await self._journal.settle(claim, settlement, at=self._clock())
            told["verdict"] = decision.verdict.value
        self._tell(claim.transfer, decision)
        return decision

    def _tell(self, transfer: Transfer, decision: Decision) -> None:
        metrics.settled(transfer, decision, self._clock())
        facts = {"receipt_no": transfer.receipt_no, "verdict": decision.verdict, "reason": decision.reason}
        _log.info("settled", **facts, note=decision.note, attempts=transfer.attempts)
        if decision.verdict.delivers:
            self._released()
        else:
            self._stayed()

    # ---------------------------------------------------------------------------------------------------------- crew

    async def _claim(self) -> list[Claim]:
        """Nothing while all lanes are busy, or a required scanner is silent. Trouble with the journal is waited out."""
        free = self._concurrency - self._busy
        if free <= 0 or not await self._heard_again():
            return []
        at = self._clock()
        try:
            await self._return_leases(at)
            return await self._journal.claim(free, at=at, lease_until=self._lease_until(at), weights=self.policy.weights)
        except StorageError as error:
            _log.error("no work can be claimed", error=str(error))
            await self._wait(_PAUSE_SECONDS)
            return []

    async def _return_leases(self, at: float) -> None:
        """Now and then, however often something is claimed. Nobody waits for a lease of ours to run out that is known to be over."""
        now = time.monotonic()
        if now - self._leases_looked_at < self._poll_seconds:
            return
        while self._owed:
            claim, note, counted = self._owed[-1]
            with suppress(LeaseLostError):
                await self._give_back(claim, note, counted=counted)
            self._owed.pop()
        if await self._journal.return_leases(at=at, attempts=self.policy.attempts):
            self._stayed()
        self._leases_looked_at = now

    async def _heard_again(self) -> bool:
        """While a required scanner is silent nothing is begun: the queue grows, and goes on by itself when it answers."""
        if self._silent and not await self.panel.silent():
            self._silent = False
            _log.info("the required scanners answer again")
            if self._alarm is not None:
                await self._alarm.heard()
        elif self._silent:
            await self._wait(_PAUSE_SECONDS)
        return not self._silent

    def _lease_until(self, at: float) -> float:
        return at + self.policy.longest_seconds + 2 * self.panel.seconds + _LEASE_MARGIN_SECONDS

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _work(self, claim: Claim) -> None:
        """One claim to its end. Nothing that goes wrong with one transfer stops the road."""
        try:
            with log.about(claim.transfer.receipt_no), tracing.step("work", attempts=claim.transfer.attempts):
                await self.process(claim)
        except LeaseLostError:
            _log.warning("a late worker was fenced off", receipt_no=claim.transfer.receipt_no)
        except StorageError as error:
            _log.error("a store failed", receipt_no=claim.transfer.receipt_no, error=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)
            await self._put_back(claim, "store failed", counted=False)
        except asyncio.CancelledError:
            await asyncio.shield(self._put_back(claim, "service stopped", counted=False))
            raise
        except Exception:  # noqa: BLE001 - a bug met in one transfer; the attempt is counted, and at the limit the transfer is held
            _log.exception("a transfer could not be processed", receipt_no=claim.transfer.receipt_no)
            await self._put_back(claim, "road failed", counted=True)
        finally:
            self._busy -= 1
            self.wake()

    async def _put_back(self, claim: Claim, note: str, *, counted: bool) -> None:
        """Into the queue again; if the journal does not answer, as soon as it does, or when the lease has run out."""
        try:
            await self._give_back(claim, note, counted=counted)
        except LeaseLostError:
            _log.warning("a late worker was fenced off", receipt_no=claim.transfer.receipt_no)
        except StorageError as error:
            _log.warning("not put back yet", receipt_no=claim.transfer.receipt_no, error=str(error))
            self._owed.append((claim, note, counted))

    async def _give_back(self, claim: Claim, note: str, *, counted: bool) -> None:
        await self._journal.put_back(claim, at=self._clock(), note=note, attempts=self.policy.attempts if counted else None)


def _whatever(_: Report) -> bool:
    return True


def _goes(report: Report) -> bool:
    return report.verdict.delivers
