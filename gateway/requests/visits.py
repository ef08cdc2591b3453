"""委託事業者の作業: a vendor's account opens for a visit that was asked for, for a time, on another person's word; else it is shut.

    visits = Visits(journal, approvals, clock)
    request = await visits.request(account, vendor, from_at=…, until_at=…, purpose="…")
    await approvals.approve(request.number, ciso)               # from `from_at` on the vendor may log in
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from gateway.people.roles import Role
from gateway.requests.approvals import Approvals, Kind, RefusedError, Request
from gateway.storage import visits as rows
from gateway.storage.accounts import Account
from gateway.storage.journal import Journal
from gateway.storage.visits import Visit

__all__ = ["Visit", "Visits"]

_DAY: Final = 86_400.0
_LONGEST: Final = 7 * _DAY
_AHEAD: Final = 90 * _DAY
_WHEN: Final = "期間は90日以内に始まり、7日以内で終わるようにしてください。 / a visit begins within 90 days and lasts 7 days at most"
_WHO: Final = "委託事業者のアカウントではありません。 / not a vendor's account"


class Visits:
    """`clock`: seconds since 1970."""

    def __init__(self, journal: Journal, approvals: Approvals, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._approvals = approvals
        self._clock = clock
        approvals.when_approved(Kind.VISIT, within=self._granted)

    async def request(self, account: Account, vendor: Account, *, from_at: float, until_at: float, purpose: str) -> Request:
        """Raises RefusedError, in words for people."""
        now = self._clock()
        if Role(vendor.role) is not Role.CONTRACTOR or vendor.disabled:
            raise RefusedError(_WHO)
        if not now < until_at or not from_at < until_at <= from_at + _LONGEST or from_at > now + _AHEAD:
            raise RefusedError(_WHEN)
        detail = {"login": vendor.login, "account_id": vendor.id, "from": from_at, "until": until_at}
        subject = f"{vendor.login} {_moment(from_at)} - {_moment(until_at)}"
        return await self._approvals.request(Kind.VISIT, subject, account, purpose, detail=detail)

    def _granted(self, connection: Connection, request: Request) -> None:
        """In the transaction of the last word."""
        detail, at = request.detail, self._clock()
        if detail["until"] <= at:
            raise RefusedError(_WHEN)
        approver = request.decisions[-1].login
        rows.grant(connection, account_id=detail["account_id"], login=detail["login"], from_at=detail["from"], until_at=detail["until"],
                   purpose=request.reason, request=request.number, requester=request.requester.login, approver=approver, at=at)  # fmt: skip

    async def listed(self) -> list[Visit]:
        """The youngest first."""
        return await self._journal.ask(rows.listed)

    async def end(self, visit_id: int, account: Account, reason: str) -> bool:
        """Now, before its time: the vendor's sessions are refused from here on. False if it is over, or none. Raises RefusedError."""
        if not reason.strip():
            raise RefusedError("理由を入力してください。 / a reason is needed")
        at = self._clock()

        def ended(connection: Connection) -> bool:
            visit = rows.find(connection, visit_id)
            return visit is not None and rows.end(connection, visit, at=at, actor=account.login, reason=reason.strip()[:500])

        return await self._journal.write(ended)


def _moment(at: float) -> str:
    return f"{dt.datetime.fromtimestamp(at, dt.UTC).astimezone():%Y-%m-%d %H:%M}"
