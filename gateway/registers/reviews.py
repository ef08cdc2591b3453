"""点検の暦: what has to be looked at and signed each month or quarter, by whom, and what is overdue.

due = await reviews.due()
rows = await reviews.rows("exceptions", period)
await reviews.sign("exceptions", period, account, good=True, note="…")
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from gateway import periods
from gateway.auditing.inspections import BY_NAME, INSPECTIONS, USUAL, Customs, inspect
from gateway.model import rfc3339
from gateway.people.roles import RefusedError, Role
from gateway.periods import Every, Period
from gateway.storage import contacts, exceptions, incidents, ledger, signoffs
from gateway.storage.accounts import Account
from gateway.storage.journal import Journal
from gateway.storage.signoffs import SignedBeforeError, SignOff

_DAY: Final = 86_400.0
# So many periods back; what nobody has signed for longer is in the report of the year.
_MOST: Final = {Every.MONTH: 12, Every.QUARTER: 4}
_LONGEST: Final = 2_000

_NOT_YET: Final = "期間が終わってから確認してください。 / the period is not over yet"
_NOT_YOURS: Final = "この点検を確認する権限がありません。 / this review is not yours to sign"
_SIGNED: Final = "すでに確認済みです。 / it was signed before"
_FOUND: Final = "要対応とする場合は所見を書いてください。 / say what was found"


class Subject(NamedTuple):
    """What comes round. `name` of an inspection of the record begins with `log.`."""

    name: str
    ja: str
    en: str
    every: Every
    signers: frozenset[Role]


class Due(NamedTuple):
    """One period of a subject. `by`: the last moment for it, seconds since 1970; `signed` once it is."""

    subject: Subject
    period: Period
    by: float
    signed: SignOff | None
    overdue: bool


_AUDITORS: Final = frozenset({Role.AUDITOR, Role.CISO})
_CHIEFS: Final = frozenset({Role.CISO, Role.ADMINISTRATOR})
SUBJECTS: Final[Mapping[str, Subject]] = {
    one.name: one
    for one in (
        *(Subject(f"log.{each.name}", f"ログ点検：{each.ja}", f"record: {each.en}", Every.MONTH, _AUDITORS) for each in INSPECTIONS),
        Subject("exceptions", "例外措置の一覧", "exceptions", Every.QUARTER, frozenset({Role.CISO})),
        Subject("incidents", "事案・障害の記録", "incidents and faults", Every.QUARTER, frozenset({Role.CISO, Role.CSIRT})),
        Subject("contacts", "緊急連絡網", "emergency contacts", Every.QUARTER, _CHIEFS),
    )
}


class Reviews:
    """`grace`: days after the end of a period in which it is to be signed. `clock`: seconds since 1970."""

    def __init__(self, journal: Journal, clock: Callable[[], float], customs: Customs = USUAL, *, grace: int = 15) -> None:
        self._journal = journal
        self._clock = clock
        self._customs = customs
        self._grace = grace * _DAY
        self._shown: dict[str, Callable[[Period], Awaitable[list[dict[str, Any]]]]] = {
            "exceptions": self._exceptions,
            "incidents": self._incidents,
            "contacts": self._contacts,
        }

    async def due(self, *, signed: bool = True) -> list[Due]:
        """The youngest first; without `signed` only what is still to be done. Nothing is due from before the first entry of the record."""
        first = await self._journal.ask(ledger.first)
        begun = self._clock() if first is None else dt.datetime.fromisoformat(first.at).timestamp()
        given = {(one.subject, one.period): one for one in await self._journal.ask(signoffs.listed)}
        now, found = self._clock(), []
        for subject in SUBJECTS.values():
            for period in periods.ended(subject.every, now, begun, _MOST[subject.every]):
                done, by = given.get((subject.name, period.name)), period.until + self._grace
                if signed or done is None:
                    found.append(Due(subject, period, by, done, done is None and now > by))
        return sorted(found, key=lambda one: (-one.period.until, list(SUBJECTS).index(one.subject.name)))

    async def rows(self, subject: str, period: Period) -> list[dict[str, Any]]:
        """What is to be looked at. Raises KeyError."""
        known = SUBJECTS[subject].name
        if known in self._shown:
            return await self._shown[known](period)
        noticed = await inspect(self._journal, BY_NAME[known.removeprefix("log.")], period, self._customs)
        return [msgspec.to_builtins(one) for one in noticed]

    async def sign(self, subject: str, period: Period, account: Account, *, good: bool, note: str) -> SignOff:
        """Raises RefusedError, KeyError."""
        known, now, note = SUBJECTS[subject], self._clock(), note.strip()[:_LONGEST]
        if Role(account.role) not in known.signers:
            raise RefusedError(_NOT_YOURS)
        if period.every is not known.every or period.until > now:
            raise RefusedError(_NOT_YET)
        if not good and not note:
            raise RefusedError(_FOUND)
        rows = await self.rows(subject, period)
        digest = hashlib.sha256(msgspec.json.encode(rows, order="sorted")).hexdigest()
        given = SignOff(
            subject=known.name, period=period.name, at=now, actor=account.login, seen=len(rows), sha256=digest, good=good, note=note
        )
        try:
            await self._journal.write(lambda connection: signoffs.sign(connection, given))
        except SignedBeforeError:
            raise RefusedError(_SIGNED) from None
        return given

    # ------------------------------------------------------------------------------------------------------- registers

    async def _exceptions(self, period: Period) -> list[dict[str, Any]]:
        """Those that counted at some time of the period."""
        found = await self._journal.ask(lambda connection: exceptions.listed(connection, period.until, over=True, limit=10_000))
        return [
            {"number": one.number, "requester": one.requester, "approver": one.approver, "kind": one.kind, "action": one.action,
             "bound": ", ".join(filter(None, (one.sha256, one.sender, one.account))), "reason": one.reason, "risk": one.risk,
             "alternative": one.alternative, "granted_at": rfc3339(one.granted_at), "expires_at": rfc3339(one.expires_at),
             "revoked_at": rfc3339(one.revoked_at) if one.revoked_at is not None else "", "uses": one.uses}
            for one in reversed(found)
            if one.granted_at < period.until and min(one.expires_at, one.revoked_at or one.expires_at) > period.since
        ]  # fmt: skip

    async def _incidents(self, period: Period) -> list[dict[str, Any]]:
        found = await self._journal.ask(
            lambda connection: incidents.listed(connection, since=period.since, until=period.until, limit=10_000)
        )
        return [
            {"number": one.number, "kind": one.kind, "title": one.title, "state": one.state, "noticed_at": rfc3339(one.noticed_at),
             "closed_at": rfc3339(one.closed_at) if one.closed_at is not None else "", "response": one.response,
             "prevention": one.prevention}
            for one in reversed(found)
        ]  # fmt: skip

    async def _contacts(self, _: Period) -> list[dict[str, Any]]:
        found = await self._journal.ask(contacts.listed)
        return [
            {"level": one.level, "title": one.title, "name": one.name, "mail": one.mail, "phone": one.phone,
             "phone_after_hours": one.phone_after_hours, "changed_at": rfc3339(one.changed_at), "changed_by": one.changed_by}
            for one in found
        ]  # fmt: skip
