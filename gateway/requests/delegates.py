"""代行者（代決者）の指名: whom somebody with a privilege names acts for him once the CISO has said so (小諸市 対策基準 6.2(1)③(ウ)).

    Delegates(approvals, accounts.absences, clock)      # from now on a nomination is asked for by itself
    await approvals.approve(number, ciso)               # from this moment the delegate may act, while the absence lasts

What a CISO asks for himself is another CISO's to decide. Where there is no other, the unavoidable way (止むを得ない場合) is open to him,
and only to him.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from gateway.people.absences import Absences, Nomination
from gateway.people.authority import impartial, nominee, seats
from gateway.people.requests import RULES
from gateway.requests.approvals import Approvals, Kind, RefusedError, Request
from gateway.storage import people
from gateway.storage.accounts import Account
from gateway.storage.people import Absence

_OVER: Final = "不在は終わったか、取り消されました。 / the absence is over, or was taken back"
_CHANGED: Final = "申請した人の権限が変わりました。 / whoever asked has another role now"
_HIMSELF: Final = "指名された本人は、代決で承認できません。 / who is named does not approve it for somebody else"
_OF_A_CISO: Final = "CISOの承認が必要です。自分だけで進めることはできません。 / this needs the word of a CISO"


class Delegates:
    """`clock`: seconds since 1970."""

    def __init__(self, approvals: Approvals, absences: Absences, clock: Callable[[], float]) -> None:
        self._approvals = approvals
        self._clock = clock
        approvals.when_approved(Kind.DELEGATE, within=self._approved)
        absences.nominate = self.request

    async def request(self, account: Account, nomination: Nomination) -> Request:
        """Raises RefusedError, in words for people."""
        named = nomination.delegate.login
        detail = {"absence": nomination.absence_id, "delegate": named, "role": account.role, "from": nomination.from_at,
                  "until": nomination.until_at}  # fmt: skip
        subject = f"{account.login} → {named} {_day(nomination.from_at)} - {_day(nomination.until_at - 1)}"
        return await self._approvals.request(Kind.DELEGATE, subject, account, nomination.reason, detail=detail)

    def _approved(self, connection: Connection, request: Request) -> None:
        """In the transaction of the last word."""
        at, account = self._clock(), request.requester
        absence = lasting(connection, request, at)
        if absence is None:
            raise RefusedError(_OVER)
        if account.role != request.detail["role"]:
            raise RefusedError(_CHANGED)
        delegate = nominee(connection, account, request.detail["delegate"])
        if any(one.principal and one.person == delegate.person for one in request.decisions):
            raise RefusedError(_HIMSELF)
        if request.unavoidable and _another_ciso(connection, request, at):
            raise RefusedError(_OF_A_CISO)
        people.delegated(connection, absence, account, delegate, request=request.number, at=at, actor=request.decisions[-1].login)


def lasting(connection: Connection, request: Request, at: float) -> Absence | None:
    """The absence that was asked for, if it is not over."""
    absence = people.absence(connection, request.detail["absence"])
    return None if absence is None or absence.account_id != request.requester.id or absence.until_at <= at else absence


def _another_ciso(connection: Connection, request: Request, at: float) -> bool:
    """Whether somebody else has a CISO's word, here or away."""
    return bool(impartial(seats(connection, RULES[Kind.DELEGATE].steps[0], None, at), request.persons))


def _day(at: float) -> str:
    return f"{dt.datetime.fromtimestamp(at, dt.UTC).astimezone():%Y-%m-%d}"
