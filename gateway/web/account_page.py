"""One's own account: who one is here, sessions and tokens and their end, absences and who acts meanwhile, and 特権の行使 for a while."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final, Literal

from aiohttp import web

from gateway.people.accounts import RefusedError
from gateway.people.roles import HEAD
from gateway.storage.people import Membership
from gateway.web.problem import problem
from gateway.web.signin import SignIn, entered, posted
from gateway.web.view import View, english, when

_LONGEST_TEXT: Final = 500
_DAY: Final = dt.timedelta(days=1)
_LOOKS: Final[Mapping[str, Literal["", "light", "dark"]]] = {"light": "light", "dark": "dark"}


class AccountPage:
    """Handlers that every face installs."""

    def __init__(self, signin: SignIn) -> None:
        self._signin = signin
        self._accounts = signin.accounts

    def install(self, application: web.Application) -> None:
        router = application.router
        router.add_get("/account", self._show)
        router.add_post("/account/view", self._prefer)
        router.add_post("/account/stay", self._stay)
        router.add_get("/account/style", self._style)
        router.add_post("/account/sessions/{handle}/end", self._end_session)
        router.add_post("/account/tokens/{handle}/end", self._revoke_token)
        router.add_post("/account/absences", self._absent)
        router.add_post("/account/absences/{absence}/end", self._back)
        router.add_get("/elevate", self._elevation)
        router.add_post("/elevate", self._elevate)
        router.add_post("/elevate/end", self._lower)

    async def _show(self, request: web.Request) -> web.Response:
        return await self._page(request)

    async def _page(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        inside = entered(request)
        account = inside.session.account
        sessions = [
            {"handle": one.handle, "face": one.face, "client": one.client, "since": when(one.created_at), "seen": when(one.seen_at),
             "this": one.handle == inside.session.handle}
            for one in await self._accounts.sessions_of(account)
        ]  # fmt: skip
        places = await self._accounts.places(account)
        return self._signin.page(
            request,
            "account.html",
            status,
            error=error,
            sessions=sessions,
            tokens=await self._accounts.tokens_of(account),
            places=[_place(one) for one in places],
            absences=await self._accounts.absences(account),
            heading=any(one.head for one in places),
            when=when,
            may_elevate=self._signin.may_elevate(account),
        )

    async def _end_session(self, request: web.Request) -> web.StreamResponse:
        account = entered(request).session.account
        if not await self._accounts.end_session(account, request.match_info["handle"], account.login):
            return problem(404)
        raise web.HTTPSeeOther("/account")

    async def _revoke_token(self, request: web.Request) -> web.StreamResponse:
        account = entered(request).session.account
        if not await self._accounts.revoke_token(account, request.match_info["handle"], account.login):
            return problem(404)
        raise web.HTTPSeeOther("/account")

    async def _prefer(self, request: web.Request) -> web.StreamResponse:
        account, given = entered(request).session.account, await posted(request)
        view = View(
            language="en" if given.get("language") == "en" else "ja",
            era=given.get("era") != "western",
            look=_LOOKS.get(str(given.get("look", "")), ""),
            large=given.get("large") == "yes",
            mails=given.get("mails") == "yes",
        )
        await self._accounts.prefer(account, view.written)
        raise web.HTTPSeeOther("/account")

    async def _stay(self, request: web.Request) -> web.Response:
        """Somebody is still there: the guard has noted it already."""
        entered(request)
        return web.Response(status=204)

    async def _style(self, request: web.Request) -> web.Response:
        """Every component of pages, as it looks in this person's own view."""
        return self._signin.page(request, "style.html", when=when)

    # ------------------------------------------------------------------------------------------------------- absences

    async def _absent(self, request: web.Request) -> web.StreamResponse:
        account, given = entered(request).session.account, await posted(request)
        try:
            begin, end = (_day(str(given.get(name, ""))) for name in ("from", "until"))
            await self._accounts.be_absent(
                account,
                delegate=str(given.get("delegate", "")).strip(),
                from_at=begin.timestamp(),
                until_at=(end + _DAY).timestamp(),
                reason=str(given.get("reason", "")),
                actor=account.login,
            )
        except RefusedError as refusal:
            return await self._page(request, 400, str(refusal))
        raise web.HTTPSeeOther("/account")

    async def _back(self, request: web.Request) -> web.StreamResponse:
        account, number = entered(request).session.account, request.match_info["absence"]
        if not (number.isascii() and number.isdigit() and len(number) < 18):
            return problem(404)
        if not await self._accounts.be_back(account, int(number), account.login):
            return problem(404)
        raise web.HTTPSeeOther("/account")

    # ------------------------------------------------------------------------------------------------------ elevation

    async def _elevation(self, request: web.Request) -> web.Response:
        return self._elevation_page(request)

    def _elevation_page(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        if not self._signin.may_elevate(entered(request).session.account):
            return problem(403)
        minutes = int(self._accounts.customs.elevation // 60)
        return self._signin.page(request, "elevate.html", status, error=error, minutes=minutes, back=_back(request.query.get("back", "/")))

    async def _elevate(self, request: web.Request) -> web.StreamResponse:
        inside, given = entered(request), await posted(request)
        if not self._signin.may_elevate(inside.session.account):
            return problem(403)
        try:
            await self._accounts.elevate(inside.session.account, inside.value, str(given.get("reason", "")))
        except RefusedError as refusal:
            return self._elevation_page(request, 400, str(refusal))
        raise web.HTTPSeeOther(_back(str(given.get("back", "/"))))

    async def _lower(self, request: web.Request) -> web.StreamResponse:
        inside = entered(request)
        await self._accounts.lower(inside.session.account, inside.value)
        raise web.HTTPSeeOther("/account")


def _place(one: Membership) -> str:
    ja, en = ("主務", "main") if one.main else ("兼務", "also")
    if one.head:
        ja, en = f"{ja}・{HEAD.ja}", f"{en}, {HEAD.en}"
    return f"{one.department.name}（{en}）" if english() else f"{one.department.name}（{ja}）"


def _day(text: str) -> dt.datetime:
    """The beginning of that day in the installation's own time zone. Raises RefusedError."""
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time()).astimezone()
    except ValueError:
        raise RefusedError("日付を入力してください。 / enter a date") from None


def _back(path: str) -> str:
    """A page of this face and of nobody else's."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path else "/"
