"""Who may decide a request at this moment: the chain above it, without anybody who stands behind it, up to the level that it has reached.

Every function runs inside a transaction of the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from gateway.people.authority import Seat, impartial, reached, seats
from gateway.people.requests import RULES, Kind
from gateway.people.roles import RefusedError
from gateway.storage import accounts as account_rows
from gateway.storage import people
from gateway.storage.accounts import Account
from gateway.storage.approvals import Request

NOT_YOURS: Final = "この申請を承認する権限がありません。 / this request is not yours to decide"
_SAME: Final = "承認者と申請者が同一です。承認できません（兼務の禁止）。 / nobody may approve what he asked for himself"


class Deciders:
    """`clock`: seconds since 1970; `patience`: seconds until the next of a chain is asked too."""

    def __init__(self, clock: Callable[[], float], patience: float) -> None:
        self._clock = clock
        self._patience = patience

    def seat(self, connection: Connection, request: Request, account: Account) -> Seat:
        """The seat from which this account may decide it. Raises RefusedError."""
        current = account_rows.by_id(connection, account.id)
        if current is None or current.disabled:
            raise RefusedError(NOT_YOURS)
        own = [seat for seat in self.asked(connection, request) if seat.account.id == account.id]
        if own:
            return min(own, key=lambda seat: seat.principal is not None)
        behind = people.persons_behind(connection, current) & _persons(connection, request)
        raise RefusedError(_SAME if behind else NOT_YOURS)

    def asked(self, connection: Connection, request: Request) -> list[Seat]:
        """Who may decide it now: impartial, and of a level that it has reached."""
        found = self.impartial(connection, request)
        level = self.level(request, found)
        return [seat for seat in found if seat.level <= level]

    def level(self, request: Request, found: Sequence[Seat]) -> int:
        """Which level of its chain it has reached. `found`: those who are impartial."""
        highest = len(RULES[Kind(request.kind)].steps[request.step]) - 1
        return reached(found, request.level, self._clock() - request.step_at, self._patience, highest)

    def impartial(self, connection: Connection, request: Request) -> list[Seat]:
        return impartial(self.everybody(connection, request), _persons(connection, request))

    def everybody(self, connection: Connection, request: Request) -> list[Seat]:
        """The whole chain of the step that it has reached, who stands behind the request included."""
        chain = RULES[Kind(request.kind)].steps[request.step]
        return seats(connection, chain, request.department_id, self._clock())


def _persons(connection: Connection, request: Request) -> set[str]:
    """Who must not decide: those behind the request, then and now, and those who decided an earlier step."""
    earlier = {one.person for one in request.decisions}
    return {*request.persons, *people.persons_behind(connection, request.requester)} | earlier
