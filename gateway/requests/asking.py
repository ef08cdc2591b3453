"""What staff may ask for about one of their own transfers, beyond its approval: its original, its macros, an original as it is (確認済み).

Each goes to another person through `gateway.requests.approvals`; what follows his word is done here. 原本の取出し opens the original for
a few days, to the one who asked and on the Internet side only. マクロ付き取込み becomes an exception (例外措置) for this very file, and
確認済み the approver's word on it; both send the kept original through the jail once more, which reads it to its end before it lets it
pass.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple

from sqlalchemy import Connection

from gateway.model import Door, IllegalTransitionError, Transfer
from gateway.policy import KindAction, macros_lost, unconfirmed
from gateway.requests.approvals import Approvals, Kind, RefusedError, Request, RequestState
from gateway.requests.operating import Deed, Operating
from gateway.road.pipeline import Pipeline, StoppedByScannersError
from gateway.storage import exceptions as exception_rows
from gateway.storage import ledger, settling, transfers
from gateway.storage.accounts import Account
from gateway.storage.blobs import Blobs, opened
from gateway.storage.faults import LeaseLostError
from gateway.storage.journal import Journal
from gateway.storage.settling import NotAllowedError
from gateway.telemetry import log
from sanitizers.model import BLOCKING_REASONS, Report

_log = log.get(__name__)

_DAY: Final = 86_400.0
# How long an approved original may be fetched, and how long a file may be brought in with its macros.
ORIGINAL_DAYS: Final = 7
_MACRO_DAYS: Final = 30
_ASKED: Final = "同じ申請が承認を待っています。 / the same was asked for and waits"
_NOT_NOW: Final = "このファイルについてこの申請はできません。 / this cannot be asked for about this file"


class Wish(NamedTuple):
    """One thing that may be asked for now, and the request that is open for it already."""

    kind: Kind
    asked: Request | None


class Asking:
    """Handlers of what follows stand in the approvals from the moment this is made."""

    def __init__(
        self, journal: Journal, approvals: Approvals, operating: Operating, *, pipeline: Pipeline, blobs: Blobs, clock: Callable[[], float]
    ) -> None:
        self._journal = journal
        self._approvals = approvals
        self._operating = operating
        self._pipeline = pipeline
        self._blobs = blobs
        self._clock = clock
        approvals.when_approved(Kind.ORIGINAL, within=_opened_to)
        approvals.when_approved(Kind.MACRO, within=self._excepted, then=self._with_macros)
        approvals.when_approved(Kind.CONFIRMED, then=self._confirm)

    # ---------------------------------------------------------------------------------------------------------- asking

    async def wishes(self, transfer: Transfer) -> list[Wish]:
        """What its owner may ask for, as it stands now."""
        report = await self._journal.report(transfer.id)
        open_ones = await self._approvals.listed(subject=transfer.receipt_no, states=[RequestState.REQUESTED])
        asked = {Kind(one.kind): one for one in open_ones}
        return [Wish(kind, asked.get(kind)) for kind in (Kind.MACRO, Kind.CONFIRMED, Kind.ORIGINAL) if possible(kind, transfer, report)]

    async def ask(self, kind: Kind, account: Account, transfer: Transfer, reason: str, approver: str = "") -> Request:
        """Raises RefusedError."""
        found = next((one for one in await self.wishes(transfer) if one.kind is kind), None)
        if found is None:
            raise RefusedError(_NOT_NOW)
        if found.asked is not None:
            raise RefusedError(_ASKED)
        detail = {"ファイル / file": transfer.subject or transfer.name, "SHA-256": transfer.sha256}
        return await self._approvals.request(kind, transfer.receipt_no, account, reason, detail=detail, approver=approver)

    # -------------------------------------------------------------------------------------------------------- originals

    async def original_until(self, account: Account, transfer: Transfer) -> float | None:
        """Until when this person may fetch the original; None if he may not."""
        if not possible(Kind.ORIGINAL, transfer, await self._journal.report(transfer.id)):
            return None
        granted = await self._approvals.listed(
            subject=transfer.receipt_no, kinds=[Kind.ORIGINAL], requester=account, states=[RequestState.APPROVED]
        )
        until = max((one.changed_at + ORIGINAL_DAYS * _DAY for one in granted), default=0.0)
        return until if until > self._clock() else None

    async def original(self, account: Account, transfer: Transfer) -> AbstractAsyncContextManager[int]:
        """A descriptor of the bytes as they came; written down before the first one leaves. Raises RefusedError."""
        if await self.original_until(account, transfer) is None or transfer.blob is None:
            raise RefusedError(_NOT_NOW)
        detail: dict[str, object] = {"sha256": transfer.sha256, "size": transfer.size}
        await self._journal.record(
            at=self._clock(), actor=account.login, action="original.taken", subject=transfer.receipt_no, detail=detail
        )
        return opened(self._blobs, transfer.blob, check=True)

    # ----------------------------------------------------------------------------------------------- what follows a word

    def _excepted(self, connection: Connection, request: Request) -> None:
        """In the transaction of the last word: an exception for this very file, for its kind, for a while."""
        transfer = transfers.find(connection, request.subject)
        report, _ = settling.report_of(connection, transfer.id)
        if report is None or not possible(Kind.MACRO, transfer, report):
            raise RefusedError(_NOT_NOW)
        at = self._clock()
        exception_rows.grant(
            connection,
            request=request.number,
            kind=report.input.kind,
            action=KindAction.CONFIRM,
            bound={"sha256": transfer.sha256},
            reason=request.reason,
            requester=request.requester.login,
            approver=request.decisions[-1].login,
            at=at,
            expires_at=at + _MACRO_DAYS * _DAY,
        )

    async def _with_macros(self, request: Request) -> None:
        async def excepted(transfer: Transfer, actor: str, note: str) -> None:
            if not await self._pipeline.with_macros(transfer, actor=actor, note=note):
                raise NotAllowedError(f"{transfer.receipt_no}: it cannot be read to its end")

        await self._again(request, excepted)

    async def _confirm(self, request: Request) -> None:
        async def confirmed(transfer: Transfer, actor: str, note: str) -> None:
            await self._operating.act(Deed.CONFIRM, transfer, actor=actor, note=note)

        await self._again(request, confirmed)

    async def _again(self, request: Request, step: Callable[[Transfer, str, str], Awaitable[None]]) -> None:
        """The kept original goes through the jail once more; one that does not come through stays as it is, and the log says why."""
        transfer = await self._journal.find(request.subject)
        try:
            await step(transfer, request.decisions[-1].login, f"request {request.number}")
        except (NotAllowedError, IllegalTransitionError, LeaseLostError, StoppedByScannersError) as error:
            _log.warning("approved, and not brought in", receipt_no=request.subject, number=request.number, why=str(error))


def _opened_to(connection: Connection, request: Request) -> None:
    ledger.append(
        connection,
        at=request.changed_at,
        actor=request.decisions[-1].login,
        action="original.opened",
        subject=request.subject,
        detail={"request": request.number, "to": request.requester.login, "days": ORIGINAL_DAYS},
    )


def possible(kind: Kind, transfer: Transfer, report: Report | None) -> bool:
    """Whether that may be asked for about it, as it stands."""
    if transfer.blob is None or transfer.reason in BLOCKING_REASONS or report is None or not transfer.at_rest:
        return False
    if kind is Kind.MACRO:
        return transfer.door in (Door.DROP, Door.API) and report in macros_lost(report)
    return bool(unconfirmed(report)) if kind is Kind.CONFIRMED else kind is Kind.ORIGINAL
