"""How the work on a transfer ends: the decision, the result in the store, the receipt of a delivery, and all that is written of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from gateway.model import Decision, Result, Transfer
from gateway.policy import decide
from gateway.receipts import Signer
from gateway.road.passage import Made
from gateway.storage.blobs import Blob, Blobs
from gateway.storage.settling import Settlement, pack
from sanitizers.model import Reason, Report, Verdict


def not_believed(note: str) -> Decision:
    """Held: what the jail says does not agree with what is there."""
    return Decision(verdict=Verdict.HELD, reason=Reason.VERIFICATION_FAILED, note=note)


class Settlements:
    """`clock`: seconds since 1970."""

    def __init__(self, blobs: Blobs, signer: Signer, clock: Callable[[], float] = time.time) -> None:
        self._blobs = blobs
        self._signer = signer
        self._clock = clock

    async def of(self, transfer: Transfer, made: Made, *, confirmed_by: str = "") -> Settlement:
        """`confirmed_by`: who approved the originals in it, by a word on this transfer."""
        decision, result = await self._conclude(transfer, made, confirmed_by)
        delivered = decision.verdict.delivers
        return await self._written(
            transfer,
            decision,
            made.report,
            result,
            key=made.key if delivered and decision.verdict is made.report.verdict else "",
            reused=made.reused,
            exceptions=made.exceptions if delivered else (),
        )

    async def stopped(self, transfer: Transfer, decision: Decision, report: Report) -> Settlement:
        """Without a result: what was made, if anything, is not wanted."""
        return await self._written(transfer, decision, report, None)

    async def _conclude(self, transfer: Transfer, made: Made, confirmed_by: str) -> tuple[Decision, Result | None]:
        """The decision, and the rebuilt file stored. What policy holds is stored too: an operator may release it later."""
        report, info = made.report, made.report.output
        decision = decide(report, made.policy, confirmed_by=confirmed_by)
        if decision.reason is Reason.VERIFICATION_FAILED or not report.verdict.delivers:
            return decision, None
        if report.input.sha256 != transfer.sha256 or info is None or made.output_fd is None:
            return not_believed("the report is about other bytes"), None
        # One of before lies in the store; that it still does when this is written, the journal sees to.
        if not made.reused and await self._blobs.put(made.output_fd, owner=transfer.organisation) != Blob(info.sha256, info.size):
            return not_believed("the result is not the one in the report"), None
        return decision, Result(name=info.name, size=info.size, sha256=info.sha256, kind=info.kind)

    async def _written(
        self,
        transfer: Transfer,
        decision: Decision,
        report: Report,
        result: Result | None,
        *,
        key: str = "",
        reused: bool = False,
        exceptions: tuple[str, ...] = (),
    ) -> Settlement:
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
            key=key,
            reused=reused,
            exceptions=exceptions,
        )
