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
    """That transfer if it is this account's; another's is as unknown as none. Raises NoSuchTransferError."""
    transfer = await journal.find(receipt_no)
    if transfer.door is not Door.DROP or transfer.sender != account.login:
        raise NoSuchTransferError(receipt_no)
    return transfer


def shown(transfer: Transfer) -> dict[str, object]:
    """What a member of staff may know about his transfer."""
    listed = transfer.listed()
    keys = ("receipt_no", "door", "state", "verdict", "reason", "received_at", "name", "size", "sha256")
    return {key: listed[key] for key in keys} | {"output": transfer.result.name if transfer.result else None}
