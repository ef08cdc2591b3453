"""Mails about requests: who is asked is told, and who asked is told what became of it. The list of requests does not depend on them.

A mail is filed with the transfer that a request speaks of; requests that speak of none (rules, exceptions) are seen on their page only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from gateway.model import Purpose
from gateway.people.requests import RULES, Kind
from gateway.storage import deliveries
from gateway.storage.accounts import Account
from gateway.storage.approvals import CLOSED_BECAUSE, Request, RequestState
from gateway.storage.blobs import Blob, Blobs
from gateway.storage.faults import NoSuchTransferError, StorageError
from gateway.storage.journal import Journal
from gateway.telemetry import log
from gateway.telling import notices
from gateway.telling.notices import Office, Words

_log = log.get(__name__)

_SAID = {
    RequestState.REQUESTED: Words("承認をお願いします", "please decide"),
    RequestState.APPROVED: Words("承認されました", "approved"),
    RequestState.REFUSED: Words("差し戻されました", "refused"),
    RequestState.EXPIRED: Words("期限が切れました", "it ran out"),
    RequestState.WITHDRAWN: Words("取り下げられました", "withdrawn"),
    RequestState.CLOSED: Words("自動で終了しました", "closed by itself"),
}


class RequestMails:
    """What `Approvals` tells goes out as mail. `queued` is told of each. A store that fails loses a mail and nothing else."""

    def __init__(
        self, journal: Journal, blobs: Blobs, office: Office, clock: Callable[[], float], queued: Callable[[], None] = lambda: None
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._office = office
        self._clock = clock
        self._queued = queued

    async def tell(self, request: Request, asked: Sequence[Account]) -> None:
        """`asked`: who may decide it now; empty once it was decided."""
        people = asked if request.state is RequestState.REQUESTED else [request.requester]
        addresses = sorted({one.mail for one in people if one.mail and not one.disabled})
        if not addresses:
            return
        try:
            transfer = await self._journal.find(request.subject)
            rule, at = RULES[Kind(request.kind)], self._clock()
            words = [Words(rule.ja, rule.en), _SAID[request.state], *_why(request)]
            written = [
                (address, await self._blobs.put(notices.request_notice(address, request.number, words, self._office, at)))
                for address in addresses
            ]
            await self._journal.write(lambda connection: _queue(connection, transfer.id, written, at))
        except NoSuchTransferError:
            return
        except StorageError as error:
            _log.error("nobody could be told of a request", number=request.number, error=str(error))
            return
        self._queued()


def _why(request: Request) -> list[Words]:
    """Of one that was closed by itself."""
    ja, _, en = str(request.detail.get(CLOSED_BECAUSE, "")).partition(" / ")
    return [Words(ja, en)] if ja else []


def _queue(connection: Connection, transfer_id: int, written: Sequence[tuple[str, Blob]], at: float) -> None:
    """One mail for each, so that nobody sees the others' addresses."""
    for to, blob in written:
        deliveries.queue(
            connection, transfer_id, Purpose.NOTICE, sender="", recipients=(to,), blob=blob, smtputf8=not to.isascii(), at=at
        )
