"""Rows of requests and decisions: every function runs inside a transaction of the journal and tells the record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, and_, insert, select, update

from gateway.storage import ledger
from gateway.storage.accounts import Account, account_of_row
from gateway.storage.tables import accounts, decisions, departments, requests

# Under this name the detail of a closed request says why.
CLOSED_BECAUSE: Final = "自動終了の理由 / closed because"

_NUMBER: Final = re.compile(r"S-(\d{6,12})")


class RequestState(StrEnum):
    """Where a request stands. All but the first are final."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CLOSED = "closed"               # nothing could follow it any more


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One person's word on one step. `principal`: for whom a delegate spoke; empty: for himself."""

    step: int
    login: str
    name: str
    principal: str
    person: str
    decision: str
    inspected: bool
    note: str
    at: float


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request. Times are seconds since 1970; `persons` are the human beings behind the requester when it was asked."""

    id: int
    kind: str
    subject: str
    detail: dict[str, Any]
    state: RequestState
    requester: Account
    persons: tuple[str, ...]
    department_id: int | None
    department: str
    reason: str
    step: int
    level: int
    unavoidable: bool
    requested_at: float
    step_at: float
    expires_at: float
    changed_at: float
    carried_out_at: float | None
    decisions: tuple[Decision, ...] = ()

    @property
    def number(self) -> str:
        """申請番号."""
        return f"S-{self.id:06d}"


class NoSuchRequestError(Exception):
    """No request of that number."""


class NoLongerOpenError(Exception):
    """It was decided, withdrawn or ran out before."""


def add(
    connection: Connection,
    *,
    kind: str,
    subject: str,
    detail: dict[str, Any],
    requester: Account,
    persons: Sequence[str],
    department_id: int | None,
    reason: str,
    at: float,
    expires_at: float,
) -> Request:
    """A new request that waits for one of `persons`, or for anybody of the department who may. Times in seconds since 1970."""
    row = {"kind": kind, "subject": subject, "detail": msgspec.json.encode(detail).decode(), "state": RequestState.REQUESTED,
           "requester_id": requester.id, "persons": msgspec.json.encode(sorted(persons)).decode(), "department_id": department_id,
           "reason": reason, "step": 0, "level": 0, "unavoidable": False, "requested_at": at, "step_at": at, "expires_at": expires_at,
           "changed_at": at}  # fmt: skip
    result = connection.execute(insert(requests), row)
    assert result.inserted_primary_key is not None
    made = by_id(connection, int(result.inserted_primary_key[0]))
    told(connection, made, "request.made", at=at, actor=requester.login, reason=reason)
    return made


def told(connection: Connection, request: Request, action: str, *, at: float, actor: str, **more: object) -> None:
    """A line of the record, which names kind and subject each time."""
    detail: dict[str, object] = {"kind": request.kind, "about": request.subject, **more}
    ledger.append(connection, at=at, actor=actor, action=action, subject=request.number, detail=detail)


def find(connection: Connection, number: str) -> Request:
    """Raises NoSuchRequestError."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        raise NoSuchRequestError(number)
    return by_id(connection, int(match[1]))


def by_id(connection: Connection, request_id: int) -> Request:
    """Raises NoSuchRequestError."""
    row = connection.execute(_REQUESTS.where(requests.c.id == request_id)).one_or_none()
    if row is None:
        raise NoSuchRequestError(str(request_id))
    return _request(connection, row)


def listed(
    connection: Connection,
    *,
    states: Sequence[RequestState] = (),
    kinds: Sequence[str] = (),
    subject: str | None = None,
    requester_id: int | None = None,
    limit: int = 100,
) -> list[Request]:
    """The youngest first."""
    statement = _REQUESTS.order_by(requests.c.id.desc()).limit(limit)
    if states:
        statement = statement.where(requests.c.state.in_(states))
    if kinds:
        statement = statement.where(requests.c.kind.in_(kinds))
    if subject is not None:
        statement = statement.where(requests.c.subject == subject)
    if requester_id is not None:
        statement = statement.where(requests.c.requester_id == requester_id)
    return [_request(connection, row) for row in connection.execute(statement).all()]


def waiting(connection: Connection, limit: int = 1_000) -> list[Request]:
    """The oldest first."""
    statement = _REQUESTS.where(requests.c.state == RequestState.REQUESTED).order_by(requests.c.id).limit(limit)
    return [_request(connection, row) for row in connection.execute(statement).all()]


def owed(connection: Connection, kinds: Sequence[str], limit: int = 1_000) -> list[Request]:
    """Approved ones of these kinds whose consequence is not done yet, the oldest first."""
    undone = and_(requests.c.state == RequestState.APPROVED, requests.c.carried_out_at.is_(None), requests.c.kind.in_(kinds))
    return [_request(connection, row) for row in connection.execute(_REQUESTS.where(undone).order_by(requests.c.id).limit(limit)).all()]


def decided(
    connection: Connection,
    request: Request,
    account: Account,
    *,
    principal: Account | None,
    decision: str,
    inspected: bool,
    note: str,
    at: float,
) -> None:
    """The word itself; what it means for the state is `moved`."""
    row = {"request_id": request.id, "step": request.step, "account_id": account.id, "principal_id": principal.id if principal else None,
           "person": account.person, "decision": decision, "inspected": inspected, "note": note, "at": at}  # fmt: skip
    connection.execute(insert(decisions), row)
    told(connection, request, f"request.{decision}", at=at, actor=account.login, step=request.step,
         principal=principal.login if principal else "", inspected=inspected, note=note)  # fmt: skip


def moved(connection: Connection, request: Request, at: float, **values: object) -> Request:
    """Raises NoLongerOpenError if it is not open any more: nothing is ever decided twice."""
    still = and_(requests.c.id == request.id, requests.c.state == RequestState.REQUESTED, requests.c.step == request.step)
    if connection.execute(update(requests).where(still).values(changed_at=at, **values)).rowcount != 1:
        raise NoLongerOpenError(request.number)
    return by_id(connection, request.id)


def closed(connection: Connection, request: Request, why: str, at: float) -> Request:
    """By itself, since nothing can follow it any more. Raises NoLongerOpenError."""
    told(connection, request, "request.closed", at=at, actor="sekisho", why=why)
    detail = msgspec.json.encode({**request.detail, CLOSED_BECAUSE: why}).decode()
    return moved(connection, request, at, state=RequestState.CLOSED, detail=detail)


def carried_out(connection: Connection, request: Request, at: float) -> bool:
    """What follows the approval is done; False if it was before."""
    owed = and_(requests.c.id == request.id, requests.c.state == RequestState.APPROVED, requests.c.carried_out_at.is_(None))
    if connection.execute(update(requests).where(owed).values(carried_out_at=at)).rowcount != 1:
        return False
    told(connection, request, "request.carried_out", at=at, actor="sekisho")
    return True


_REQUESTS: Final = (
    select(
        accounts,
        *(column.label(f"request_{column.name}") for column in requests.c),
        departments.c.name.label("department_name"),
    )
    .select_from(requests)
    .join(accounts, accounts.c.id == requests.c.requester_id)
    .outerjoin(departments, departments.c.id == requests.c.department_id)
)
_PLAIN: Final = (
    "id", "kind", "subject", "department_id", "reason", "step", "level", "unavoidable", "requested_at", "step_at", "expires_at",
    "changed_at", "carried_out_at",
)  # fmt: skip


def _request(connection: Connection, row: Row[Any]) -> Request:
    return Request(
        **{name: getattr(row, f"request_{name}") for name in _PLAIN},
        detail=msgspec.json.decode(row.request_detail),
        state=RequestState(row.request_state),
        requester=account_of_row(row),
        persons=tuple(msgspec.json.decode(row.request_persons)),
        department=row.department_name or "",
        decisions=_decisions(connection, row.request_id),
    )


def _decisions(connection: Connection, request_id: int) -> tuple[Decision, ...]:
    principals = accounts.alias("principals")
    joined = (
        select(decisions, accounts.c.login, accounts.c.name, principals.c.login.label("principal"))
        .join(accounts, accounts.c.id == decisions.c.account_id)
        .outerjoin(principals, principals.c.id == decisions.c.principal_id)
    )
    rows = connection.execute(joined.where(decisions.c.request_id == request_id).order_by(decisions.c.step))
    return tuple(
        Decision(step=row.step, login=row.login, name=row.name, principal=row.principal or "", person=row.person, decision=row.decision,
                 inspected=row.inspected, note=row.note, at=row.at)
        for row in rows
    )  # fmt: skip
