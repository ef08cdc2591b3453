"""Whose transfer is it: a face for staff shows and hands out only what the account brought in, or what is meant for it."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gateway.model import Door, State, Transfer
from gateway.people.accounts import Account
from gateway.storage import boxes as box_rows
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.web.problem import Handler, problem

# Where files are fetched, what is another's and what there is not are refused in the same words: neither tells whether it exists.
NOT_YOURS: Final = "そのような受付番号や受取箱はないか、あなた宛てではありません / there is no such file or box, or it is not for you"


def not_yours() -> web.Response:
    return problem(403, NOT_YOURS)


@web.middleware
async def strangers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Behind the sign-in of such a face: every address that names a transfer, whichever handler it has."""
    try:
        answer = await handler(request)
    except web.HTTPNotFound:
        answer = problem(404)
    return not_yours() if answer.status == 404 and "receipt_no" in request.match_info else answer


async def boxes(journal: Journal, account: Account) -> dict[str, str]:
    """Where files for this person lie, address → title: his own box, those of his departments and groups, and what is for him alone."""
    return await journal.ask(lambda connection: box_rows.of(connection, account))


def mine(account: Account, limit: int) -> Filter:
    """His last uploads. Only of the drop: the sender of a mail is whatever somebody wrote there."""
    return Filter(door=Door.DROP, sender=account.login, limit=limit)


async def own(journal: Journal, account: Account, receipt_no: str) -> Transfer:
    """That transfer if this account brought it in or it is a mail to its address; another's is as unknown as none.

    Raises NoSuchTransferError.
    """
    transfer = await journal.find(receipt_no)
    if not (_is_mail_to(account, transfer) if transfer.door is Door.SMTP else transfer.sender == account.login):
        raise NoSuchTransferError(receipt_no)
    return transfer


async def meant_for(journal: Journal, account: Account, receipt_no: str) -> Transfer:
    """That transfer if it is this account's own, or a delivered file for its departments or for it alone. Raises NoSuchTransferError."""
    try:
        return await own(journal, account, receipt_no)
    except NoSuchTransferError:
        transfer = await journal.find(receipt_no)
        theirs = (await boxes(journal, account)).keys() & set(transfer.recipients)
        if transfer.door is not Door.DROP or not theirs or not delivered(transfer):
            raise
        return transfer


# An operator may have stopped it after its verdict, which then stays as it was. What is late for a share can be fetched all the same.
_THROUGH: Final = (State.RELEASED, State.DELIVERING, State.DELIVERED, State.DEFERRED, State.UNDELIVERABLE)


def delivered(transfer: Transfer) -> bool:
    """Whether it may be handed out."""
    through = transfer.state in _THROUGH and transfer.result is not None
    return through and transfer.verdict is not None and transfer.verdict.delivers


def _is_mail_to(account: Account, transfer: Transfer) -> bool:
    return account.may_mail and bool(account.mail) and account.mail in (recipient.lower() for recipient in transfer.recipients)


def shown(transfer: Transfer) -> dict[str, object]:
    """What a member of staff may know about his transfer."""
    listed = transfer.listed()
    keys = ("receipt_no", "door", "state", "verdict", "reason", "received_at", "name", "size", "sha256")
    return {key: listed[key] for key in keys} | {"output": transfer.result.name if transfer.result else None}
