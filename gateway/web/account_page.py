"""One's own account: who one is here, sessions and tokens and their end, absences and who acts meanwhile, and 特権の行使 for a while."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, Literal

from aiohttp import web

from gateway.people.absences import Away
from gateway.people.accounts import Account, RefusedError, Role
from gateway.people.permissions import permitted
from gateway.people.roles import HEAD, PRIVILEGED
from gateway.requests.approvals import RequestState
from gateway.storage.people import Membership
from gateway.web.approval_pages import STATES
from gateway.web.problem import problem
from gateway.web.signin import SignIn, entered, posted
from gateway.web.view import View, english, when

_LONGEST_TEXT: Final = 500
_DAY: Final = dt.timedelta(days=1)
_OF_THE_PRIVILEGED: Final = (
    "特権のある人の代決者は、CISOが認めてから代決できます。登録すると不在はすぐに有効になり、代決者の指名はCISOへの申請になります。"
    " / your role is privileged: the absence holds at once, your delegate acts once the CISO has approved"
)
_OF_A_CISO: Final = (
    "CISOの代決者は、別のCISOが認めてから代決できます（不在はすぐに有効になります）。別のCISOがいない場合に限り、設定で認められて"
    "いれば、申請の画面の「止むを得ない場合」から理由を記録して進められます。その場合は自動で報告されます。"
    " / the absence holds at once, your delegate acts once another CISO has approved; only where there is none, and where the"
    " settings allow it, you may go ahead on the page of the request with a reason, which is reported by itself"
)
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
            absences=[absence(one) for one in await self._accounts.absences.listed(account)],
            named=_named(account),
            asks=permitted(self._signin.face, "GET", "/requests/{number}", Role(account.role)),
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
            await self._accounts.absences.register(
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
        if not await self._accounts.absences.end(account, int(number), account.login):
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


def absence(one: Away) -> dict[str, Any]:
    """One line of a list of absences; `said`: what is to be said of the delegate."""
    said, tone = _standing(one)
    asked = one.absence.approval or ("" if one.request is None or one.acts else one.request.number)
    return {"id": one.absence.id, "account_id": one.absence.account_id, "who": one.who, "delegate": one.delegate, "said": said,
            "tone": tone, "number": asked, "when": f"{when(one.absence.from_at)} – {when(one.absence.until_at)}",
            "reason": one.absence.reason}  # fmt: skip


def _standing(one: Away) -> tuple[str, str]:
    if one.acts:
        return ("CISO承認済み / approved by the CISO", "ok") if one.absence.approval else ("", "")
    if one.request is None or one.request.state is RequestState.APPROVED:
        return "CISOの承認がないため代決できません / does not act without the CISO's approval", "stop"
    ja, en, tone = STATES[one.request.state]
    return f"{ja} / {en}", tone


def _named(account: Account) -> str:
    """By whose word this person's delegate acts, where it is not his own."""
    if Role(account.role) not in PRIVILEGED:
        return ""
    return _OF_A_CISO if Role(account.role) is Role.CISO else _OF_THE_PRIVILEGED


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
