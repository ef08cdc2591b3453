"""例外措置: what policy does not allow, for a time, for one file, one sender or one user; asked for by one and granted by another.

    exceptions = Exceptions(journal, approvals, clock)
    request = await exceptions.request(account, Wanted(kind=Kind.DXF, action=KindAction.CONFIRM, sha256="…", until=…), reason="…")
    await approvals.approve(request.number, ciso)           # from this moment it counts
    await exceptions.emergency(administrator, wanted, reason="…")       # 緊急例外: at once, for a day; the CISO looks at it afterwards

The road lays those that fit on policy (`gateway.road.orders`). What is over or revoked never counts, and every use stands in the audit
record.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec
from sqlalchemy import Connection

from gateway.policy import KindAction, feasible
from gateway.requests.approvals import Approvals, RefusedError, Request
from gateway.requests.approvals import Kind as RequestKind
from gateway.storage import exceptions as rows
from gateway.storage.accounts import Account
from gateway.storage.exceptions import Grant, NoSuchExceptionError
from gateway.storage.journal import Journal
from sanitizers.model import Kind

__all__ = ["Exceptions", "Grant", "NoSuchExceptionError", "Wanted"]

_DAY: Final = 86_400.0
# 例外措置 are granted for a year at most, and then looked at again.
_LONGEST_SECONDS: Final = 366 * _DAY
# 緊急例外: by then it was looked at, or is asked for in the ordinary way.
EMERGENCY_SECONDS: Final = _DAY
_LONGEST_TEXT: Final = 2_000
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_WHO: Final = re.compile(r"[^\s@\"'<>,;]{0,64}@[A-Za-z0-9.-]{1,253}|[a-z0-9][a-z0-9._-]{1,63}")

_UNBOUND: Final = "ファイル（SHA-256）、差出人、利用者のどれかを指定してください。 / say for which file (SHA-256), sender or user"
_NO_DIGEST: Final = "SHA-256は16進64桁です。 / a SHA-256 has 64 hexadecimal digits"
_NOBODY: Final = "{}: アドレス、@ドメイン、ログイン名のどれでもありません。 / neither an address, a @domain nor a log-in name"
_UNTIL: Final = "期限は今から1年以内にしてください。 / it has to end, within a year from now"
_A_DAY: Final = "緊急例外は24時間までです。 / an emergency exception lasts a day at most"
_IMPOSSIBLE: Final = "{kind}: この形式では「{action}」はできません。 / {action} is not to be had for this kind"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What an exception is to allow: `kind` treated as `action` says, until `until` (seconds since 1970). Where several of `sha256`,
    `sender` and `account` are given, all have to fit. `risk` and `alternative` (代替策): for whoever decides."""

    kind: Kind
    action: KindAction
    until: float
    sha256: str = ""
    sender: str = ""
    account: str = ""
    risk: str = ""
    alternative: str = ""

    @property
    def bound(self) -> dict[str, str]:
        given = {"sha256": self.sha256.lower(), "sender": self.sender.lower(), "account": self.account.lower()}
        return {name: value for name, value in given.items() if value}

    @property
    def subject(self) -> str:
        """In a few words."""
        return f"{self.kind} {self.action}: " + ", ".join(f"{name} {value}" for name, value in self.bound.items())


class Exceptions:
    """Asked for, granted by the approvals, listed and revoked. `clock`: seconds since 1970."""

    def __init__(self, journal: Journal, approvals: Approvals, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._approvals = approvals
        self._clock = clock
        approvals.when_approved(RequestKind.EXCEPTION, within=self._granted)
        approvals.when_approved(RequestKind.EMERGENCY, within=self._grant)

    async def request(self, account: Account, wanted: Wanted, reason: str) -> Request:
        """Raises RefusedError, in words for people."""
        self._check(wanted)
        return await self._approvals.request(RequestKind.EXCEPTION, wanted.subject, account, reason, detail=_detail(wanted))

    async def emergency(self, account: Account, wanted: Wanted, reason: str) -> Request:
        """緊急例外: counts at once and for a day at most; whoever may approve one later is asked to look at it within a day. Only for those
        who answer for the house, and only where the unavoidable way is open. Raises RefusedError, in words for people."""
        self._check(wanted)
        if wanted.until > self._clock() + EMERGENCY_SECONDS:
            raise RefusedError(_A_DAY)
        return await self._approvals.go_ahead(RequestKind.EMERGENCY, wanted.subject, account, reason, detail=_detail(wanted))

    async def may_declare(self, account: Account) -> bool:
        """Whether `emergency` is open to him."""
        return await self._approvals.may_go_ahead(RequestKind.EMERGENCY, account)

    def _check(self, wanted: Wanted) -> None:
        if not wanted.bound:
            raise RefusedError(_UNBOUND)
        if wanted.sha256 and not _SHA256.fullmatch(wanted.sha256.lower()):
            raise RefusedError(_NO_DIGEST)
        for who in (wanted.sender, wanted.account):
            if who and not _WHO.fullmatch(who.lower()):
                raise RefusedError(_NOBODY.format(who[:100]))
        if not feasible(wanted.action, wanted.kind):
            raise RefusedError(_IMPOSSIBLE.format(kind=wanted.kind, action=wanted.action))
        if not self._clock() < wanted.until <= self._clock() + _LONGEST_SECONDS:
            raise RefusedError(_UNTIL)

    def _granted(self, connection: Connection, request: Request) -> None:
        """In the transaction of the last word."""
        if request.decisions[-1].login == request.requester.login:
            # The approvals see to it; without another person there is no exception, whatever they are set to.
            raise RefusedError("承認者と申請者が同一です（兼務の禁止）。 / nobody may approve what he asked for himself")
        self._grant(connection, request)

    def _grant(self, connection: Connection, request: Request) -> None:
        detail, at = request.detail, self._clock()
        if detail["until"] <= at:
            raise RefusedError(_UNTIL)
        rows.grant(
            connection,
            request=request.number,
            kind=detail["kind"],
            action=detail["action"],
            bound=detail["bound"],
            reason=request.reason,
            requester=request.requester.login,
            approver=request.decisions[-1].login,
            at=at,
            expires_at=detail["until"],
            risk=detail.get("risk", ""),
            alternative=detail.get("alternative", ""),
        )

    async def listed(self, *, over: bool = False) -> list[Grant]:
        """Those that count, the youngest first; `over`: those that are over too."""
        return await self._journal.ask(lambda connection: rows.listed(connection, self._clock(), over=over))

    async def find(self, number: str) -> Grant:
        """Raises NoSuchExceptionError."""
        return await self._journal.ask(lambda connection: rows.find(connection, number))

    async def revoke(self, number: str, actor: str, reason: str) -> Grant:
        """取消し, by anybody who may grant or ask: less is let through. Raises NoSuchExceptionError, RefusedError."""
        if not reason.strip():
            raise RefusedError("理由を入力してください。 / a reason is needed")
        at = self._clock()
        return await self._journal.write(lambda connection: rows.revoke(connection, number, at=at, actor=actor, reason=reason.strip()))


def _detail(wanted: Wanted) -> dict[str, object]:
    """What the request carries until its last word."""
    return {
        "kind": wanted.kind.value, "action": wanted.action.value, "until": wanted.until, "bound": wanted.bound,
        "risk": wanted.risk.strip()[:_LONGEST_TEXT], "alternative": wanted.alternative.strip()[:_LONGEST_TEXT],
    }  # fmt: skip
