"""期限前の廃棄: an original that is disposed of before its days are over goes on another person's word, never on that of one alone.

    disposing = Disposing(journal, approvals, clock)
    asked = await disposing.ask([transfer, …], account, reason="…")
    await approvals.approve(asked.request.number, administrator)       # they are gone, with one disposal record (廃棄記録)

What is kept as evidence is not asked about; what became evidence since, or went on its way, stays, and the disposal record says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection

from gateway.model import Transfer
from gateway.requests.approvals import Approvals, Kind, RefusedError, Request
from gateway.requests.operating import disposed, why_it_stays
from gateway.storage import transfers
from gateway.storage.accounts import Account
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.settling import NotAllowedError

RECEIPTS: Final = "receipt_nos"
_FORGOTTEN: Final = "ファイルの記録は残っていません。 / nothing is kept of the file any more"


class Asked(NamedTuple):
    """`refused`: receipt number → why it is not in the request."""

    request: Request
    refused: dict[str, str]


class Disposing:
    """Asked for here; carried out with the last word of the approvals. `clock`: seconds since 1970."""

    def __init__(self, journal: Journal, approvals: Approvals, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._approvals = approvals
        self._clock = clock
        approvals.when_approved(Kind.DISPOSAL, within=self._dispose)

    async def ask(self, wanted: Sequence[Transfer], account: Account, reason: str) -> Asked:
        """One request for all that can be disposed of. Raises NotAllowedError if none can, RefusedError without a reason."""

        def looked_at(connection: Connection) -> dict[str, str]:
            return {one.receipt_no: why for one in wanted if (why := why_it_stays(connection, one))}

        refused = await self._journal.ask(looked_at)
        numbers = [one.receipt_no for one in wanted if one.receipt_no not in refused]
        if not numbers:
            raise NotAllowedError(next(iter(refused.values())))
        request = await self._approvals.request(Kind.DISPOSAL, numbers[0], account, reason, detail={RECEIPTS: numbers})
        return Asked(request, refused)

    def _dispose(self, connection: Connection, request: Request) -> None:
        """In the transaction of the last word."""
        found = []
        for number in request.detail[RECEIPTS]:
            try:
                found.append(transfers.find(connection, number))
            except NoSuchTransferError:
                continue        # its record is over as well
        actor = request.decisions[-1].login
        said = {"request": request.number, "requester": request.requester.login}
        refused = disposed(connection, found, at=self._clock(), actor=actor, note=request.reason, said=said)
        if len(refused) == len(found):
            raise RefusedError(next(iter(refused.values()), _FORGOTTEN))


def pending(connection: Connection, request: Request) -> bool:
    """Whether anything of it can still be disposed of."""
    for number in request.detail[RECEIPTS]:
        try:
            if not why_it_stays(connection, transfers.find(connection, number)):
                return True
        except NoSuchTransferError:
            continue
    return False
