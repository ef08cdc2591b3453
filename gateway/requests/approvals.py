"""承認: one person asks, another decides. One engine for everything that needs a second person.

    approvals = Approvals(journal, clock)
    approvals.when_approved(Kind.RULES, within=publish_rows, then=reload_rules)
    request = await approvals.request(Kind.RULES, subject=version, requester=account, reason="…", detail={…})
    request = await approvals.approve(request.number, other_account, note="…")      # the consequences follow from here

Who may decide is computed at that moment from departments, roles, absences and delegates (`people.authority`), and never includes a
human being who stands behind the request. Every refusal is a RefusedError in words for people.

Two kinds of consequence: `within` runs in the transaction of the last word, so it happens exactly once or the word is not given;
`then` runs after it, again after a crash until it once returned, so it must not mind being run twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from gateway.people.authority import Seat, offered, seats
from gateway.people.requests import REPORTS, RULES, Kind, Rule
from gateway.people.roles import RefusedError
from gateway.requests.deciders import NOT_YOURS, Deciders
from gateway.storage import approvals as rows
from gateway.storage import people
from gateway.storage.accounts import Account
from gateway.storage.approvals import NoLongerOpenError, NoSuchRequestError, Request, RequestState
from gateway.storage.journal import Journal
from gateway.telemetry import log

__all__ = ["RULES", "Approvals", "Kind", "NoSuchRequestError", "RefusedError", "Request", "RequestState", "Rule", "Seat"]

T = TypeVar("T")

_log = log.get(__name__)
_DAY: Final = 86_400.0
_LONGEST_TEXT: Final = 2_000

Within = Callable[[Connection, Request], None]
Then = Callable[[Request], Awaitable[None]]
Chore = Callable[[float], Awaitable[None]]
Heard = Callable[[Request, Sequence[Account]], Awaitable[None]]


_OVER: Final = "この申請はすでに処理されています。 / this request was decided before"
_LOOK: Final = "目視確認を行い、確認欄に記入してください。 / look at it first, and say so"
_REASON: Final = f"理由を入力してください（{_LONGEST_TEXT}文字まで）。 / a reason is needed, of at most {_LONGEST_TEXT} characters"
_NOT_THIS_ONE: Final = "この人は承認者に選べません。 / this person may not decide it"
_NO_WAY_ROUND: Final = "この申請は、別の人の承認が必要です。 / this needs another person's approval"


class Approvals:
    """All requests. `clock`: seconds since 1970; `patience`: seconds until the next of a chain is asked too; `unavoidable`: whether
    the way without a second person is open here; `heard` is told of each request and who is asked now."""

    def __init__(
        self,
        journal: Journal,
        clock: Callable[[], float],
        *,
        patience: float = _DAY,
        unavoidable: bool = True,
        heard: Heard | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._deciders = Deciders(clock, patience)
        self._unavoidable = unavoidable
        self.heard = heard
        self._within: dict[Kind, Within] = {}
        self._then: dict[Kind, Then] = {}
        self._chores: list[Chore] = []
        self._following = asyncio.Lock()

    def when_approved(self, kind: Kind, *, within: Within | None = None, then: Then | None = None) -> None:
        """What follows an approval of that kind."""
        if within is not None:
            self._within[kind] = within
        if then is not None:
            self._then[kind] = then

    def besides(self, chore: Chore) -> None:
        """What is to be done at every tick as well; it is given the moment."""
        self._chores.append(chore)

    # ---------------------------------------------------------------------------------------------------------- asking

    async def request(
        self,
        kind: Kind,
        subject: str,
        requester: Account,
        reason: str,
        *,
        detail: dict[str, Any] | None = None,
        department_id: int | None = None,
        approver: str = "",
    ) -> Request:
        """A new request, of the requester's main department unless another of his is named. Raises RefusedError.

        `approver`: log-in name of one of `candidates`, who is told first; the others of the chain may decide it as ever."""

        def made(connection: Connection) -> Request:
            one = self._made(connection, kind, subject, requester, reason=_needed(reason), detail=detail or {}, department_id=department_id)
            return self._towards(connection, one, approver) if approver else one

        request = await self._journal.write(made)
        await self._say(request, only=approver)
        return request

    async def candidates(self, kind: Kind, requester: Account) -> list[Seat]:
        """Who could decide such a request of this person, from below upwards, each once; those who are away are left out."""
        return await self._journal.ask(lambda connection: offered(connection, RULES[kind].steps[0], requester, self._clock()))

    async def withdraw(self, number: str, account: Account) -> Request:
        """By the one who asked. Raises RefusedError, NoSuchRequestError."""

        def withdrawn(connection: Connection) -> Request:
            request = self._open(connection, number)
            if request.requester.id != account.id:
                raise RefusedError(NOT_YOURS)
            rows.told(connection, request, "request.withdrawn", at=self._clock(), actor=account.login)
            return rows.moved(connection, request, self._clock(), state=RequestState.WITHDRAWN)

        return await self._written(withdrawn)

    # -------------------------------------------------------------------------------------------------------- deciding

    async def approve(self, number: str, account: Account, note: str = "", *, inspected: bool = False) -> Request:
        """A word for it; the last one needed carries it out. Raises RefusedError, NoSuchRequestError, and what `within` raises."""
        request = await self._written(lambda connection: self._approved(connection, number, account, _text(note), inspected=inspected))
        await self._say(request)
        return await self._follow(request)

    async def refuse(self, number: str, account: Account, note: str) -> Request:
        """差戻し, with its reason. Raises RefusedError, NoSuchRequestError."""

        def refused(connection: Connection) -> Request:
            request, at = self._open(connection, number), self._clock()
            seat = self._deciders.seat(connection, request, account)
            self._said(connection, request, seat, "refused", note=_needed(note))
            return rows.moved(connection, request, at, state=RequestState.REFUSED)

        request = await self._written(refused)
        await self._say(request)
        return request

    async def proceed(self, number: str, account: Account, reason: str) -> Request:
        """止むを得ない場合: somebody with the authority decides what he asked for himself. The report upwards is made in the same
        breath. Raises RefusedError, NoSuchRequestError."""
        request, report = await self._written(lambda connection: self._proceeded(connection, number, account, _needed(reason)))
        await self._say(report)
        return await self._follow(request)

    async def go_ahead(self, kind: Kind, subject: str, account: Account, reason: str, *, detail: dict[str, Any]) -> Request:
        """`request` and `proceed` in one, where there is no time for both (緊急例外). Raises RefusedError."""

        def gone(connection: Connection) -> tuple[Request, Request]:
            made = self._made(connection, kind, subject, account, reason=_needed(reason), detail=detail, department_id=None)
            return self._proceeded(connection, made.number, account, made.reason)

        request, report = await self._written(gone)
        await self._say(report)
        return await self._follow(request)

    async def may_go_ahead(self, kind: Kind, account: Account) -> bool:
        """Whether `go_ahead` is open to him."""

        def seated(connection: Connection) -> bool:
            chain = RULES[kind].steps[0]
            return any(seat.account.id == account.id for seat in seats(connection, chain, None, self._clock()))

        return self._unavoidable and RULES[kind].unavoidable and await self._journal.ask(seated)

    # ---------------------------------------------------------------------------------------------------------- looking

    async def find(self, number: str) -> Request:
        """Raises NoSuchRequestError."""
        return await self._journal.ask(lambda connection: rows.find(connection, number))

    async def listed(
        self,
        *,
        states: Sequence[RequestState] = (),
        kinds: Sequence[Kind] = (),
        subject: str | None = None,
        requester: Account | None = None,
        limit: int = 100,
    ) -> list[Request]:
        """The youngest first."""
        requester_id = None if requester is None else requester.id
        return await self._journal.ask(
            lambda connection: rows.listed(
                connection, states=states, kinds=kinds, subject=subject, requester_id=requester_id, limit=limit
            )
        )

    async def waiting_for(self, account: Account) -> list[Request]:
        """What this person may decide now, the oldest first."""

        def waiting(connection: Connection) -> list[Request]:
            open_ones = rows.waiting(connection)
            return [one for one in open_ones if any(seat.account.id == account.id for seat in self._deciders.asked(connection, one))]

        return await self._journal.ask(waiting)

    async def asked(self, request: Request) -> list[Seat]:
        """Who may decide it now."""
        return await self._journal.ask(lambda connection: self._deciders.asked(connection, request))

    async def may_stand_alone(self, request: Request, account: Account) -> bool:
        """Whether the unavoidable way is open to him."""
        return self._alone(request, account) and await self._journal.ask(
            lambda connection: any(seat.account.id == account.id for seat in self._deciders.everybody(connection, request))
        )

    async def tick(self) -> None:
        """Now and then: what waited too long is carried up or runs out, and what an approval still owes is done."""
        for request in await self._journal.ask(rows.waiting):
            await self._patiently(request, self._age)
        for request in await self._journal.ask(lambda connection: rows.owed(connection, list(self._then))):
            await self._patiently(request, self._follow)
        for chore in self._chores:
            await chore(self._clock())

    async def _age(self, request: Request) -> None:
        changed = await self._written(lambda connection: self._aged(connection, rows.by_id(connection, request.id)))
        if changed is not None:
            await self._say(changed)

    async def _patiently(self, request: Request, step: Callable[[Request], Awaitable[object]]) -> None:
        """One that fails keeps no other back; it is tried again next time."""
        try:
            await step(request)
        except RefusedError:
            return                      # somebody was quicker
        except Exception:  # noqa: BLE001 - whatever a consequence is, it stays owed
            _log.exception("a request has to wait", number=request.number)

    # ----------------------------------------------------------------------------------------- inside one transaction

    def _made(
        self,
        connection: Connection,
        kind: Kind,
        subject: str,
        requester: Account,
        *,
        reason: str,
        detail: dict[str, Any],
        department_id: int | None,
    ) -> Request:
        own = [one.department.id for one in people.memberships_of(connection, requester.id)]
        if department_id is not None and department_id not in own and kind not in REPORTS:
            raise RefusedError("所属していない課では申請できません。 / not a department of yours")
        at = self._clock()
        return rows.add(
            connection,
            kind=kind,
            subject=subject,
            detail=detail,
            requester=requester,
            persons=sorted(people.persons_behind(connection, requester)),
            department_id=department_id if department_id is not None else next(iter(own), None),
            reason=reason,
            at=at,
            expires_at=at + RULES[kind].days * _DAY,
        )

    def _towards(self, connection: Connection, request: Request, approver: str) -> Request:
        """Carried up to the level of whom the requester chose. Raises RefusedError."""
        levels = [seat.level for seat in self._deciders.impartial(connection, request) if seat.account.login == approver]
        if not levels:
            raise RefusedError(_NOT_THIS_ONE)
        return rows.moved(connection, request, self._clock(), level=max(min(levels), request.level))

    def _approved(self, connection: Connection, number: str, account: Account, note: str, *, inspected: bool) -> Request:
        request, at = self._open(connection, number), self._clock()
        rule = RULES[Kind(request.kind)]
        seat = self._deciders.seat(connection, request, account)
        if rule.inspected and not inspected:
            raise RefusedError(_LOOK)
        self._said(connection, request, seat, "approved", inspected=inspected, note=note)
        if request.step + 1 < len(rule.steps):
            return rows.moved(connection, request, at, step=request.step + 1, level=0, step_at=at)
        return self._carried(connection, rows.moved(connection, request, at, state=RequestState.APPROVED))

    def _proceeded(self, connection: Connection, number: str, account: Account, reason: str) -> tuple[Request, Request]:
        request, at = self._open(connection, number), self._clock()
        if not self._alone(request, account):
            raise RefusedError(_NO_WAY_ROUND)
        seat = next((one for one in self._deciders.everybody(connection, request) if one.account.id == account.id), None)
        if seat is None:
            raise RefusedError(NOT_YOURS)
        self._said(connection, request, seat, "approved_alone", note=reason)
        done = rows.moved(connection, request, at, state=RequestState.APPROVED, unavoidable=True)
        kind = RULES[Kind(request.kind)].report
        due = {"due": at + RULES[kind].due} if RULES[kind].due else {}
        detail = {"number": request.number, "kind": request.kind, "about": request.subject, **due}
        report = self._made(
            connection, kind, request.number, seat.account, reason=reason, detail=detail, department_id=request.department_id
        )
        return self._carried(connection, done), report

    def _alone(self, request: Request, account: Account) -> bool:
        rule = RULES[Kind(request.kind)]
        own = request.requester.id == account.id and request.state is RequestState.REQUESTED
        return own and self._unavoidable and rule.unavoidable and len(rule.steps) == 1

    def _said(self, connection: Connection, request: Request, seat: Seat, decision: str, *, note: str, inspected: bool = False) -> None:
        rows.decided(connection, request, seat.account, principal=seat.principal, decision=decision, inspected=inspected, note=note,
                     at=self._clock())  # fmt: skip

    def _carried(self, connection: Connection, request: Request) -> Request:
        """The consequence that stands or falls with the word."""
        kind = Kind(request.kind)
        if kind in self._within:
            self._within[kind](connection, request)
        # What has no consequence here is carried out by being approved.
        if kind not in self._then and (kind in self._within or kind in REPORTS):
            rows.carried_out(connection, request, self._clock())
        return rows.by_id(connection, request.id)

    def _aged(self, connection: Connection, request: Request) -> Request | None:
        """Run out, or carried further up; None if nothing changes."""
        at = self._clock()
        if request.state is not RequestState.REQUESTED:
            return None
        if request.expires_at <= at:
            rows.told(connection, request, "request.expired", at=at, actor="sekisho")
            return rows.moved(connection, request, at, state=RequestState.EXPIRED)
        level = self._deciders.level(request, self._deciders.impartial(connection, request))
        if level <= request.level:
            return None
        rows.told(connection, request, "request.escalated", at=at, actor="sekisho", level=level)
        return rows.moved(connection, request, at, level=level)

    def _open(self, connection: Connection, number: str) -> Request:
        request = rows.find(connection, number)
        if request.state is not RequestState.REQUESTED or request.expires_at <= self._clock():
            raise RefusedError(_OVER)
        return request

    # --------------------------------------------------------------------------------------------------------- outside

    async def _written(self, operation: Callable[[Connection], T]) -> T:
        try:
            return await self._journal.write(operation)
        except NoLongerOpenError:
            raise RefusedError(_OVER) from None

    async def _follow(self, request: Request) -> Request:
        """The consequence that comes after the word, one at a time."""
        then = self._then.get(Kind(request.kind))
        if then is None or request.state is not RequestState.APPROVED:
            return request
        async with self._following:
            current = await self.find(request.number)
            if current.carried_out_at is None:
                await then(current)
                await self._journal.write(lambda connection: rows.carried_out(connection, current, self._clock()))
        return await self.find(request.number)

    async def _say(self, request: Request, only: str = "") -> None:
        if self.heard is None:
            return
        asked = await self.asked(request) if request.state is RequestState.REQUESTED else []
        asked = [seat for seat in asked if only in ("", seat.account.login)]
        await self.heard(request, list({seat.account.id: seat.account for seat in asked}.values()))


def _text(given: str) -> str:
    if len(given) > _LONGEST_TEXT:
        raise RefusedError(_REASON)
    return given.strip()


def _needed(given: str) -> str:
    if not (text := _text(given)):
        raise RefusedError(_REASON)
    return text
