"""Whose previews: for each face the transfer that a request is about, whether this person may see its original, and the desks for that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec
from aiohttp import web

from gateway.model import Door, State, Transfer
from gateway.people.accounts import Account, Role
from gateway.requests.approvals import Approvals, Kind, NoSuchRequestError, Request, RequestState
from gateway.road.previews import Previews
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.web.approval_pages import ABOUT_A_FILE
from gateway.web.desks import Desk
from gateway.web.ownership import delivered, meant_for, own
from gateway.web.preview_pages import ACTION, Finder, PreviewPages, Subject
from gateway.web.signin import account_of
from gateway.web.words import when

_TRANSFERS: Final = "/transfers/{receipt_no}"
_OVERSEERS: Final = frozenset({Role.CISO, Role.ADMINISTRATOR})


class Looking(NamedTuple):
    """What the desks stand on. `clock`: seconds since 1970."""

    previews: Previews
    journal: Journal
    approvals: Approvals
    clock: Callable[[], float]

    def of_drop(self, *, originals: bool) -> list[Desk]:
        return [self._pages(brought(self.journal, originals=originals), _TRANSFERS), self._of_requests(overseen=False)]

    def of_pickup(self) -> list[Desk]:
        return [self._pages(fetched(self.journal), _TRANSFERS, originals=False)]

    def of_admin(self) -> list[Desk]:
        return [self._pages(everything(self.journal), _TRANSFERS), self._of_requests(overseen=True)]

    def _of_requests(self, *, overseen: bool) -> Desk:
        return self._pages(requested(self.journal, self.approvals, overseen=overseen), "/requests/{number}")

    def _pages(self, find: Finder, under: str, *, originals: bool = True) -> Desk:
        return PreviewPages(self.previews, self.journal, self.clock, find, under=under, originals=originals)


def everything(journal: Journal) -> Finder:
    """For the administration: every transfer; each look at what other people sent is written down."""

    async def find(request: web.Request) -> Subject | None:
        try:
            transfer = await journal.find(request.match_info["receipt_no"])
        except NoSuchTransferError:
            return None
        return Subject(transfer, f"/transfers/{transfer.receipt_no}", original=True, recorded=frozenset({"original", "result"}))

    return find


def brought(journal: Journal, *, originals: bool) -> Finder:
    """For the drop: one's own. `originals`: whether what one brought oneself is shown as it came; never what was blocked."""

    async def find(request: web.Request) -> Subject | None:
        account = account_of(request)
        try:
            transfer = await own(journal, account, request.match_info["receipt_no"])
        except NoSuchTransferError:
            return None
        may = originals and transfer.door is Door.DROP and transfer.sender == account.login and transfer.state is not State.BLOCKED
        return _of_staff(transfer, may, f"/transfers/{transfer.receipt_no}")

    return find


def fetched(journal: Journal) -> Finder:
    """For the pickup: what may be fetched, as it was made. There is no way to an original."""

    async def find(request: web.Request) -> Subject | None:
        try:
            transfer = await meant_for(journal, account_of(request), request.match_info["receipt_no"])
        except NoSuchTransferError:
            return None
        return _of_staff(transfer, False, f"/transfers/{transfer.receipt_no}") if delivered(transfer) else None

    return find


def requested(journal: Journal, approvals: Approvals, *, overseen: bool = False) -> Finder:
    """For those who decide a request, and for him who made it: 目視確認 before a word is given."""

    async def find(request: web.Request) -> Subject | None:
        try:
            asked = await approvals.find(request.match_info["number"])
            if Kind(asked.kind) not in ABOUT_A_FILE or not await _concerns(approvals, asked, account_of(request), overseen=overseen):
                return None
            transfer = await journal.find(asked.subject)
        except (NoSuchRequestError, NoSuchTransferError):
            return None
        shown = transfer.state is not State.BLOCKED
        return Subject(transfer, f"/requests/{asked.number}", original=shown, detail={"request": asked.number})

    return find


async def _concerns(approvals: Approvals, asked: Request, account: Account, *, overseen: bool) -> bool:
    seats = await approvals.asked(asked) if asked.state is RequestState.REQUESTED else []
    concerned = {asked.requester.login, *(seat.account.login for seat in seats), *(one.login for one in asked.decisions)}
    return account.login in concerned or (overseen and Role(account.role) in _OVERSEERS)


def _of_staff(transfer: Transfer, original: bool, back: str) -> Subject:
    through = delivered(transfer)
    return Subject(transfer if through else _unfetched(transfer), back, original=original)


def _unfetched(transfer: Transfer) -> Transfer:
    """A result that waits for somebody's word is not shown before."""
    return msgspec.structs.replace(transfer, result=None)


async def looks(journal: Journal, receipt_no: str) -> list[tuple[str, str]]:
    """Who looked at the original, and when first: login and moment in words."""
    found: dict[str, str] = {}
    async for entry in journal.entries(subject=receipt_no):
        if entry.action == ACTION and '"side":"original"' in entry.detail:
            found.setdefault(entry.actor, when(_seconds(entry.at)))
    return list(found.items())


def _seconds(at: str) -> float:
    return dt.datetime.fromisoformat(at).timestamp()
