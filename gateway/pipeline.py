"""The road itself: claim what waits, have it sanitised, decide, settle.

Every step is durable before the next begins, and repeatable after a crash: a result that was stored twice is one blob, a
settlement that comes late is fenced off, a transfer whose worker was lost is tried again under a limit and then held.
Whatever is not an explicit delivery stays inside.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from gateway import log
from gateway.model import Claim, Decision, Result, Transfer, rfc3339
from gateway.policy import Policy, decide, locked, unconfirmed, unrebuilt
from gateway.progress import Progress
from gateway.receipts import Signer
from gateway.scanners.panel import Judgement, Panel, Ruling
from gateway.storage.blobs import Blob, Blobs, opened
from gateway.storage.faults import BlobDamagedError, BlobMissingError, LeaseLostError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.settling import Settlement, pack
from gateway.workers import Sanitized
from sanitizers.model import Authentication, Job, Reason, Report, Verdict

_log = log.get(__name__)

# Between two looks for work that nobody announced: other processes' transfers, leases that ran out.
_POLL_SECONDS: Final = 1.0
_LEASE_MARGIN_SECONDS: Final = 60.0
# After trouble with a store nothing new is begun for this long.
_PAUSE_SECONDS: Final = 5.0
_DAY_SECONDS: Final = 86_400
_AS_POLICY_SAYS: Final[Mapping[str, object]] = MappingProxyType({})

# (transfer, descriptor of its original) -> what is known of its sender; never raises for what the mail or the network does.
Authenticate = Callable[[Transfer, int], Awaitable[Authentication | None]]


async def _unknown(_transfer: Transfer, _source_fd: int) -> None:
    return None


class Workers(Protocol):
    """What the road needs of `gateway.workers.Workers`."""

    rules_version: str

    async def sanitize(self, source_fd: int, job: Job, progress: Callable[[str], None] = ...) -> Sanitized:
        """Always a report. The output's descriptor is the caller's; its size and SHA-256 are those of the report."""


class StoppedByScannersError(Exception):
    """Scanners from outside do not let the original or the result go on."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.note)
        self.judgement = judgement


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
        authenticate: Authenticate = _unknown,
        panel: Panel | None = None,
        clock: Callable[[], float] = time.time,
        released: Callable[[], None] = lambda: None,
        stayed: Callable[[], None] = lambda: None,
        passwords_seen: Callable[[Transfer, tuple[str, ...]], None] = lambda _transfer, _passwords: None,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        self.policy = policy
        self._journal = journal
        self._blobs = blobs
        self._workers = workers
        self._signer = signer
        self._concurrency = concurrency
        self._pickup_url = pickup_url
        self._authenticate = authenticate
        self.panel = panel or Panel()
        self._clock = clock
        self._released = released
        self._stayed = stayed
        self._passwords_seen = passwords_seen
        self._poll_seconds = poll_seconds
        self.progress = Progress()
        self._woken = asyncio.Event()
        self._draining = False
        self._busy = 0

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

    async def process(self, claim: Claim, passwords: tuple[str, ...] = ()) -> Decision | None:
        """The whole road of one transfer. None: its child was lost or a scanner is down, and it went back into the queue."""
        policy, transfer = self.policy, claim.transfer
        try:
            async with opened(self._blobs, transfer.blob or "") as source:
                report, output, seen = await self._jailed(source, transfer, policy, passwords)
        except (BlobMissingError, BlobDamagedError) as error:
            return await self._end(claim, _not_believed(f"original: {error}"))
        except StoppedByScannersError as stop:
            return await self._stopped(claim, stop.judgement, policy)
        try:
            if report.reason is Reason.WORKER_CRASHED and transfer.attempts < policy.attempts:
                await self._journal.put_back(claim, at=self._clock(), note="child lost", attempts=policy.attempts)
                return None
            decision, result = await self._conclude(transfer, report, output, policy)
        finally:
            if output is not None:
                os.close(output)
        settled = await self._settle(claim, decision, report, result)
        if seen:
            self._passwords_seen(transfer, seen)
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
        return await self._again(transfer, locked, actor=actor, note="password given", passwords=passwords)

    async def confirm(self, transfer: Transfer, *, actor: str, note: str) -> bool:
        """確認済み: `actor` approves the originals in it whose structure is sound and that policy would let through.

        Whether any passed. The approval stands in the report, the receipt's digest of it and the audit record. Raises as `unlock` does.
        """
        return await self._again(transfer, unconfirmed, actor=actor, note=f"confirmed: {note}", chosen={"confirmed_by": actor})

    async def as_pixels(self, transfer: Transfer, *, actor: str, note: str) -> bool:
        """PDFs in it that could not be rebuilt, as pictures of their pages. Whether any passed. Raises as `unlock` does."""
        return await self._again(transfer, unrebuilt, actor=actor, note=f"as pixels: {note}", chosen={"pdf_strict_pixels": True})

    async def _again(
        self,
        transfer: Transfer,
        waiting: Callable[[Report | None], tuple[Report, ...]],
        *,
        actor: str,
        note: str,
        passwords: tuple[str, ...] = (),
        chosen: Mapping[str, object] = _AS_POLICY_SAYS,
    ) -> bool:
        """The kept original once more, with fields of its treatment `chosen` otherwise; settled anew only if less of it is `waiting`."""
        policy = self.policy
        before = waiting(await self._journal.report(transfer.id))
        async with opened(self._blobs, transfer.blob or "") as source:
            report, output, _ = await self._jailed(source, transfer, policy, passwords, chosen)
        try:
            if report.reason in (Reason.WORKER_CRASHED, Reason.TIMEOUT) or len(waiting(report)) >= len(before):
                return False
            decision, result = await self._conclude(transfer, report, output, policy, str(chosen.get("confirmed_by", "")))
        finally:
            if output is not None:
                os.close(output)
        settlement = await self._settlement(transfer, decision, report, result)
        await self._journal.reopened(transfer, settlement, at=self._clock(), actor=actor, note=note)
        self._tell(transfer, decision)
        return True

    # --------------------------------------------------------------------------------------------------------- steps

    async def _jailed(
        self, source: int, transfer: Transfer, policy: Policy, passwords: tuple[str, ...], chosen: Mapping[str, object] = _AS_POLICY_SAYS
    ) -> Sanitized:
        await self._judge(source, transfer.size, transfer.sha256)
        job = self._job(transfer, policy, passwords, chosen, await self._authenticate(transfer, source))
        try:
            sanitized = await self._workers.sanitize(source, job, lambda name: self.progress.part(transfer.id, name))
        finally:
            self.progress.over(transfer.id)
        made = sanitized.report.output
        if made is not None and sanitized.output_fd is not None:
            try:
                await self._judge(sanitized.output_fd, made.size, made.sha256)
            except BaseException:
                os.close(sanitized.output_fd)
                raise
        return sanitized

    async def _judge(self, fd: int, size: int, sha256: str) -> None:
        """What the scanners from outside say. Raises StoppedByScannersError unless that is `clean`."""
        judgement = await self.panel.judge(fd, size, sha256)
        if judgement.ruling is not Ruling.CLEAN:
            raise StoppedByScannersError(judgement)

    async def _stopped(self, claim: Claim, judgement: Judgement, policy: Policy) -> Decision | None:
        """Blocked, held, or back into the queue until a required scanner answers again; only a wait of its own making is counted."""
        if judgement.ruling is Ruling.MALWARE:
            return await self._end(claim, Decision(verdict=Verdict.BLOCKED, reason=Reason.MALWARE, note=judgement.note))
        if judgement.ruling is Ruling.WAIT and (judgement.down or claim.transfer.attempts < policy.attempts):
            _log.error("a required scanner is silent", receipt_no=claim.transfer.receipt_no, note=judgement.note, down=judgement.down)
            await asyncio.sleep(_PAUSE_SECONDS)
            attempts = None if judgement.down else policy.attempts
            await self._journal.put_back(claim, at=self._clock(), note=judgement.note, attempts=attempts)
            return None
        return await self._end(claim, Decision(verdict=Verdict.HELD, reason=Reason.POLICY, note=judgement.note))

    def _job(
        self, transfer: Transfer, policy: Policy, passwords: tuple[str, ...], chosen: Mapping[str, object], known: Authentication | None
    ) -> Job:
        treatment = msgspec.structs.replace(
            policy.treatment,
            receipt_no=transfer.receipt_no,
            organisation=transfer.organisation,
            pickup_url=self._pickup_url,
            received_at=rfc3339(transfer.received_at),
            original_until=rfc3339(transfer.received_at + policy.original_days * _DAY_SECONDS)[:10],
            **chosen,
        )
        return Job(
            name=transfer.name,
            limits=policy.limits,
            treatment=treatment,
            passwords=passwords,
            policy=policy.version,
            rules=self._workers.rules_version,
            door=transfer.door,
            authentication=known,
        )

    async def _conclude(
        self, transfer: Transfer, report: Report, output: int | None, policy: Policy, confirmed_by: str = ""
    ) -> tuple[Decision, Result | None]:
        """The decision, and the rebuilt file stored. What policy holds is stored too: an operator may release it later."""
        decision = decide(report, policy, confirmed_by=confirmed_by)
        if decision.reason is Reason.VERIFICATION_FAILED or not report.verdict.delivers:
            return decision, None
        if report.input.sha256 != transfer.sha256 or report.output is None or output is None:
            return _not_believed("the report is about other bytes"), None
        stored = await self._blobs.put(output)
        if stored != Blob(report.output.sha256, report.output.size):
            return _not_believed("the result is not the one in the report"), None
        info = report.output
        return decision, Result(name=info.name, size=info.size, sha256=info.sha256, kind=info.kind)

    async def _settle(self, claim: Claim, decision: Decision, report: Report, result: Result | None) -> Decision:
        settlement = await self._settlement(claim.transfer, decision, report, result)
        await self._journal.settle(claim, settlement, at=self._clock())
        self._tell(claim.transfer, decision)
        return decision

    async def _settlement(self, transfer: Transfer, decision: Decision, report: Report, result: Result | None) -> Settlement:
        receipt = None
        if decision.verdict.delivers and result is not None:
            receipt = self._signer.issue(
                report,
                decision.verdict,
                receipt_no=transfer.receipt_no,
                organisation=transfer.organisation,
                output_sha256=result.sha256,
                output_size=result.size,
                at=self._clock(),
            )
        return Settlement(
            decision=decision,
            policy=report.policy,
            rules=report.rules,
            packed=await asyncio.to_thread(pack, report),
            matches=frozenset(match.rule for part in report.tree() for match in part.matches),
            names=tuple(part.input.name for part in report.tree()),
            result=result,
            receipt=receipt,
            message_id=report.mail.message_id or None if report.mail is not None else None,
            subject=report.mail.subject or None if report.mail is not None else None,
        )

    async def _end(self, claim: Claim, decision: Decision) -> Decision:
        """Without a report: there was nothing to hand to a worker, or what it made is not wanted."""
        await self._journal.settle(claim, Settlement(decision=decision, policy=self.policy.version), at=self._clock())
        self._tell(claim.transfer, decision)
        return decision

    def _tell(self, transfer: Transfer, decision: Decision) -> None:
        facts = {"receipt_no": transfer.receipt_no, "verdict": decision.verdict, "reason": decision.reason}
        _log.info("settled", **facts, note=decision.note, attempts=transfer.attempts)
        if decision.verdict.delivers:
            self._released()
        else:
            self._stayed()

    # ---------------------------------------------------------------------------------------------------------- crew

    async def _claim(self) -> list[Claim]:
        """Nothing while all lanes are busy. Trouble with the journal is waited out."""
        free = self._concurrency - self._busy
        if free <= 0:
            return []
        at = self._clock()
        try:
            if await self._journal.return_leases(at=at, attempts=self.policy.attempts):
                self._stayed()
            return await self._journal.claim(free, at=at, lease_until=self._lease_until(at))
        except StorageError as error:
            _log.error("no work can be claimed", error=str(error))
            await self._wait(_PAUSE_SECONDS)
            return []

    def _lease_until(self, at: float) -> float:
        return at + self.policy.limits.wall_seconds + 2 * self.panel.seconds + _LEASE_MARGIN_SECONDS

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _work(self, claim: Claim) -> None:
        """One claim to its end. Nothing that goes wrong with one transfer stops the road."""
        try:
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
        attempts = self.policy.attempts if counted else None
        try:
            await self._journal.put_back(claim, at=self._clock(), note=note, attempts=attempts)
        except (StorageError, LeaseLostError) as error:
            # Then the lease runs out by itself.
            _log.warning("not put back", receipt_no=claim.transfer.receipt_no, error=str(error))


def _not_believed(note: str) -> Decision:
    return Decision(verdict=Verdict.HELD, reason=Reason.VERIFICATION_FAILED, note=note)
