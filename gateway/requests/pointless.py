"""申請の自動終了: a request from which nothing can follow any more is closed by itself, and who asked is told why.

A file that is blocked stays blocked whoever approves it; an original that is gone cannot be taken out. Such a request would wait for
somebody's word until it runs out, and his word would do nothing.

    Pointless(journal, approvals)       # looks at every request that waits, at each of the approvals' ticks
"""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import Connection

from gateway.model import Transfer
from gateway.requests.approvals import Approvals, Kind, Request
from gateway.requests.asking import possible
from gateway.requests.bringing import blocked, stays_outside
from gateway.requests.delegates import lasting
from gateway.requests.disposing import pending
from gateway.storage import approvals as rows
from gateway.storage import settling, transfers
from gateway.storage.approvals import NoLongerOpenError
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.journal import Journal
from sanitizers.model import BLOCKING_REASONS

_FORGOTTEN: Final = "ファイルの記録は残っていません。 / nothing is kept of the file any more"
_GONE: Final = "原本はもう保管されていません。 / the original is not kept any more"
_NEEDLESS: Final = "このファイルについて、この申請はもう必要ありません。 / it is not needed for this file any more"
_BACK: Final = "不在は終わったか、取り消されました。 / the absence is over, or was taken back"
_LATE: Final = "申請した期間が過ぎました。 / the time that was asked for is over"

_KEPT: Final = (Kind.ORIGINAL, Kind.ANALYSIS, Kind.MACRO, Kind.CONFIRMED)
_TIMED: Final = (Kind.EXCEPTION, Kind.VISIT)


def why_not(connection: Connection, request: Request, at: float) -> str:
    """Why nothing can follow this request any more, in words for who asked; empty where something still can."""
    kind = Kind(request.kind)
    if kind in _TIMED:
        return _LATE if request.detail.get("until", at + 1) <= at else ""
    if kind is Kind.DISPOSAL:
        return "" if pending(connection, request) else _NEEDLESS
    if kind is Kind.DELEGATE:
        return "" if lasting(connection, request, at) is not None else _BACK
    if kind is not Kind.FILE and kind not in _KEPT:
        return ""
    try:
        transfer = transfers.find(connection, request.subject)
    except NoSuchTransferError:
        return _FORGOTTEN
    return stays_outside(transfer) if kind is Kind.FILE else _not_kept(connection, kind, transfer)


def _not_kept(connection: Connection, kind: Kind, transfer: Transfer) -> str:
    """Of what needs the original as it came."""
    if transfer.blob is None:
        return _GONE
    if kind is Kind.ANALYSIS:
        return ""
    if transfer.reason in BLOCKING_REASONS:
        return blocked(transfer)
    if not transfer.at_rest:
        return ""
    report, _ = settling.report_of(connection, transfer.id)
    return "" if possible(kind, transfer, report) else _NEEDLESS


class Pointless:
    """Stands beside the approvals from the moment this is made."""

    def __init__(self, journal: Journal, approvals: Approvals) -> None:
        self._journal = journal
        self._approvals = approvals
        approvals.besides(self.close)

    async def close(self, at: float) -> None:
        """All that wait for nothing, each with its reason, its line in the record and its mail."""

        def found(connection: Connection) -> list[tuple[Request, str]]:
            return [(one, why) for one in rows.waiting(connection) if (why := why_not(connection, one, at))]

        for request, why in await self._journal.ask(found):
            try:
                closed = await self._journal.write(partial(rows.closed, request=request, why=why, at=at))
            except NoLongerOpenError:
                continue        # somebody was quicker
            if self._approvals.heard is not None:
                await self._approvals.heard(closed, [])
