"""One transfer on its way through the scanners from outside, the jail, and the scanners once more; or with a result of before."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple, Protocol

import msgspec

from gateway.model import Transfer
from gateway.policy import Policy, used
from gateway.road.orders import AS_POLICY_SAYS, Orders
from gateway.road.progress import Progress
from gateway.road.results import Results
from gateway.road.workers import Sanitized, lost_report
from gateway.scanners.interface import Found
from gateway.scanners.panel import Judgement, Panel, Ruling
from gateway.telemetry import tracing
from sanitizers.findings import CODES
from sanitizers.model import Action, Authentication, Finding, Job, Match, Reason, Report, Severity, Verdict

# (transfer, descriptor of its original) -> what is known of its sender; never raises for what the mail or the network does.
Authenticate = Callable[[Transfer, int], Awaitable[Authentication | None]]

_EXCEPTION: Final = CODES["road.exception"]


async def nobody_asked(_transfer: Transfer, _source_fd: int) -> None:
    return None


class Workers(Protocol):
    """What the road needs of `gateway.road.workers.Workers`."""

    rules_version: str

    async def sanitize(self, source_fd: int, job: Job, progress: Callable[[str], None] = ...) -> Sanitized:
        """Always a report. The output's descriptor is the caller's; its size and SHA-256 are those of the report."""


class StoppedByScannersError(Exception):
    """Scanners from outside do not let the original or the result go on; `report` says so too."""

    def __init__(self, judgement: Judgement, report: Report, policy: Policy) -> None:
        super().__init__(judgement.note)
        self.judgement = judgement
        self.report = report
        self.policy = policy


class Made(NamedTuple):
    """What came of one transfer. `policy`: what held for it; `output_fd`: the caller's, present exactly if the verdict delivers;
    `key`: under which its result may be given again; `reused`: it is one of before; `exceptions`: numbers of those that it went by."""

    report: Report
    output_fd: int | None
    policy: Policy
    passwords: tuple[str, ...] = ()
    key: str = ""
    reused: bool = False
    exceptions: tuple[str, ...] = ()

    def close(self) -> None:
        if self.output_fd is not None:
            os.close(self.output_fd)


class Passage:
    """`panel` and the policy of `orders` may be replaced at any time; what is under way keeps what it began with."""

    def __init__(
        self,
        workers: Workers,
        orders: Orders,
        panel: Panel,
        *,
        results: Results | None = None,
        authenticate: Authenticate = nobody_asked,
    ) -> None:
        self.orders = orders
        self.panel = panel
        self.progress = Progress()
        self._workers = workers
        self._results = results
        self._authenticate = authenticate

    async def through(
        self,
        source: int,
        transfer: Transfer,
        *,
        passwords: tuple[str, ...] = (),
        chosen: Mapping[str, object] = AS_POLICY_SAYS,
        anew: bool = False,
    ) -> Made:
        """`chosen`: fields of the treatment that a person wants otherwise; `anew`: with no result of before.

        Raises StoppedByScannersError.
        """
        policy = await self.orders.policy_for(transfer)
        job = self.orders.job(transfer, policy, self._workers.rules_version, passwords=passwords, chosen=chosen)
        unmade = lost_report(job, transfer.size, transfer.sha256, Reason.POLICY, "")
        await self._judge(source, transfer.size, transfer.sha256, policy, msgspec.structs.replace(unmade, findings=()))
        job = msgspec.structs.replace(job, authentication=await self._authenticate(transfer, source))
        key = self._results.key(transfer, job) if self._results is not None and not chosen else ""
        made = None if anew or not key else await self._of_before(key, transfer, policy)
        made = made or await self._jailed(source, transfer, policy, job, key)
        if made.report.output is None or made.output_fd is None:
            return made
        try:
            output = made.report.output
            await self._judge(made.output_fd, output.size, output.sha256, policy, made.report)
        except BaseException:
            made.close()
            raise
        return made

    async def _of_before(self, key: str, transfer: Transfer, policy: Policy) -> Made | None:
        found = None if self._results is None else await self._results.find(key, transfer)
        return None if found is None else _with_exceptions(Made(found.report, found.output_fd, policy, key=key, reused=True))

    async def _jailed(self, source: int, transfer: Transfer, policy: Policy, job: Job, key: str) -> Made:
        try:
            with tracing.step("sanitise", size=transfer.size) as told:
                report, output_fd, seen = await self._workers.sanitize(source, job, lambda name: self.progress.part(transfer.id, name))
                told["verdict"] = report.verdict.value
        finally:
            self.progress.over(transfer.id)
        keepable = self._results is not None and self._results.keepable(report)
        return _with_exceptions(Made(report, output_fd, policy, seen, key if keepable else ""))

    async def _judge(self, fd: int, size: int, sha256: str, policy: Policy, report: Report) -> None:
        """What the scanners from outside say. Raises StoppedByScannersError unless that is `clean`."""
        with tracing.step("scan", size=size):
            judgement = await self.panel.judge(fd, size, sha256)
        if judgement.ruling is not Ruling.CLEAN:
            raise StoppedByScannersError(judgement, await asyncio.to_thread(stopped, report, judgement), policy)


def _with_exceptions(made: Made) -> Made:
    """What went by an exception says by which."""
    numbers = {one.number: one.words for one in used(made.report, made.policy)}
    if not numbers or not made.report.verdict.delivers:
        return made
    note = Finding(code=_EXCEPTION.code, severity=_EXCEPTION.severity, action=Action.KEPT, where="")
    notes = (msgspec.structs.replace(note, detail=words) for words in numbers.values())
    report = msgspec.structs.replace(made.report, findings=(*made.report.findings, *notes))
    return made._replace(report=report, exceptions=tuple(numbers))


def stopped(report: Report, judgement: Judgement) -> Report:
    """The same report about what did not come out: malware, or what no scanner could look into."""
    malware = judgement.ruling is Ruling.MALWARE
    code = CODES["file.malware" if malware else "file.policy"]
    why = Finding(code=code.code, severity=code.severity, action=Action.REFUSED, where="", detail=judgement.note)
    # What the jail did to a file that never comes out was not done.
    others = tuple(msgspec.structs.replace(one, action=Action.REFUSED) if one.action.changes else one for one in report.findings)
    found = ((one.scanner, one.answer) for one in judgement.heard)
    hits = tuple(
        Match(rule=f"{name}:{answer.name}", severity=Severity.HIGH, where="") for name, answer in found if isinstance(answer, Found)
    )
    return msgspec.structs.replace(
        report,
        verdict=Verdict.BLOCKED if malware else Verdict.HELD,
        reason=Reason.MALWARE if malware else Reason.POLICY,
        output=None,
        findings=(*others, why),
        matches=(*report.matches, *hits),
    )
