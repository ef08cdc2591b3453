"""A submitted version is a request of the one engine of approvals: it waits in the inbox of those who may decide, and their word is its.

Who may decide, who is too near to it, and what a house with one administrator does (止むを得ない場合) is the engine's to say. What was
submitted at the command line, where nobody has an account, is decided by `Publishing.approve` alone.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from gateway.publishing.versions import NotAnotherPersonError, NotNowError, Publishing, Subject, Version
from gateway.requests.approvals import Approvals, Kind, RefusedError, Request, RequestState
from gateway.storage.accounts import Account

_KINDS: Final = {Subject.RULES: Kind.RULES, Subject.POLICY: Kind.POLICY}


class PublishingRequests:
    """Hooks itself into `approvals`."""

    def __init__(self, publishing: Publishing, approvals: Approvals) -> None:
        self._publishing = publishing
        self._approvals = approvals
        for kind in _KINDS.values():
            approvals.when_approved(kind, within=self._approved)

    async def submit(self, version: Version, account: Account, note: str) -> Version:
        """Raises NotNowError, RefusedError."""
        done = await self._publishing.submit(version.id, actor=account.login, note=note)
        if version.subject in _KINDS and self._publishing.four_eyes:
            reason = note or version.note or version.version
            detail = {"version": version.id, "digest": version.version, "author": version.author}
            await self._approvals.request(_KINDS[version.subject], _about(version), account, reason, detail=detail)
        return done

    async def approve(self, version: Version, account: Account, reason: str) -> Version:
        """Raises NotAnotherPersonError, NotNowError, RefusedError."""
        request = await self._request(version)
        if request is None:
            return await self._publishing.approve(version.id, actor=account.login, reason=reason)
        await self._publishing.may_be_approved(version.id, actor=account.login, reason=reason)
        await self._approvals.approve(request.number, account, reason)
        return await self._publishing.version(version.id)

    async def withdraw(self, version: Version, account: Account, reason: str) -> Version:
        """The request goes with it where it is his own; another's has nothing left to approve. Raises NotNowError."""
        done = await self._publishing.withdraw(version.id, actor=account.login, reason=reason)
        request = await self._request(version)
        if request is not None and request.requester.id == account.id:
            await self._approvals.withdraw(request.number, account)
        return done

    async def _request(self, version: Version) -> Request | None:
        """The open one."""
        found = await self._approvals.listed(states=(RequestState.REQUESTED,), subject=_about(version), limit=1)
        return found[0] if found else None

    def _approved(self, connection: Connection, request: Request) -> None:
        """In the transaction of the last word. Raises RefusedError."""
        last = request.decisions[-1]
        try:
            self._publishing.approved(
                connection, int(request.detail["version"]), actor=last.login, reason=last.note, alone=request.unavoidable
            )
        except (NotNowError, NotAnotherPersonError) as error:
            raise RefusedError(str(error)) from None


def _about(version: Version) -> str:
    return f"{version.subject}-{version.id}"


