"""Whose transfer is it: a face for staff shows and hands out only what the account itself brought in."""

from __future__ import annotations

from gateway.model import Door, Transfer
from gateway.people.accounts import Account
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter


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


def _is_mail_to(account: Account, transfer: Transfer) -> bool:
    return bool(account.mail) and account.mail in (recipient.lower() for recipient in transfer.recipients)


def shown(transfer: Transfer) -> dict[str, object]:
    """What a member of staff may know about his transfer."""
    listed = transfer.listed()
    keys = ("receipt_no", "door", "state", "verdict", "reason", "received_at", "name", "size", "sha256")
    return {key: listed[key] for key in keys} | {"output": transfer.result.name if transfer.result else None}
