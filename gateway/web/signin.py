"""Log-in, log-out and choosing a password: the same on every face; and who a request comes from.

A browser holds a session cookie of its face (`__Host-` where there is TLS), a machine sends `Authorization: Bearer …`. Everything
but the few pages named in `OPEN` needs one of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

import jinja2
from aiohttp import web

from gateway.people.accounts import Account, Accounts, RefusedError, Role
from gateway.web.problem import Handler, problem
from gateway.web.routes import DOCUMENT
from gateway.web.words import previous_login

OPEN: Final = frozenset({"/healthz", "/readyz", "/metrics", "/login", DOCUMENT})
_STATIC: Final = "/static/"
_ACCOUNT: Final = web.RequestKey("account", Account)
_CSRF: Final = web.RequestKey("csrf", str)
_PREVIOUS: Final = web.RequestKey("previous", str)

_templates: Final = jinja2.Environment(
    loader=jinja2.FunctionLoader(lambda name: resources.files("gateway.web").joinpath("templates", name).read_text("utf-8")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)


def account_of(request: web.Request) -> Account:
    """Who acts; only behind `SignIn`."""
    return request[_ACCOUNT]


class SignIn:
    """Puts sign-in before a face. `allowed`: the roles that may use it at all."""

    def __init__(self, accounts: Accounts, face: str, title: str, allowed: frozenset[Role], *, jail: bool, secure: bool = False) -> None:
        self._accounts = accounts
        self._face = face
        self._title = title
        self._allowed = allowed
        self._jail = jail
        self._secure = secure
        self._cookie = f"__Host-sekisho-{face}" if secure else f"sekisho-{face}"

    def install(self, application: web.Application) -> None:
        application.middlewares.append(self._guard)
        application.router.add_get("/login", self._form)
        application.router.add_post("/login", self._log_in)
        application.router.add_post("/logout", self._log_out)
        application.router.add_get("/password", self._password_form)
        application.router.add_post("/password", self._change_password)
        for name in ("sekisho.css", "drop.js"):
            application.router.add_get(_STATIC + name, _static(name))

    def page(self, request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
        """One page, with what every page shows."""
        known = {"title": self._title, "face": self._title, "account": request.get(_ACCOUNT), "csrf": request.get(_CSRF, ""),
                 "jail": self._jail, "error": "", "previous": request.get(_PREVIOUS, "")}  # fmt: skip
        text = _templates.get_template(template).render(known | values)
        return web.Response(text=text, content_type="text/html", status=status)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN or request.path.startswith(_STATIC):
            return await handler(request)
        account = await self._by_token(request)
        if account is None:
            account = await self._by_cookie(request)
        if account is None:
            return self._unknown(request)
        if Role(account.role) not in self._allowed:
            return problem(403)
        request[_ACCOUNT] = account
        if account.must_change and request.path not in ("/password", "/logout"):
            if _is_api(request):
                return problem(403, "初期パスワードを変更してください / change the temporary password first")
            raise web.HTTPSeeOther("/password")
        return await handler(request)

    async def _by_token(self, request: web.Request) -> Account | None:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        return await self._accounts.by_token(value.strip()) if kind == "Bearer" and value else None

    async def _by_cookie(self, request: web.Request) -> Account | None:
        value = request.cookies.get(self._cookie)
        session = await self._accounts.session(value, self._face) if value else None
        if value is None or session is None:
            return None
        request[_CSRF] = _csrf(value)
        request[_PREVIOUS] = previous_login(session.account)
        if request.method not in ("GET", "HEAD") and not await self._meant(request):
            raise web.HTTPForbidden
        return session.account

    async def _meant(self, request: web.Request) -> bool:
        """A changing request of a browser comes from our own page: the browser says so, or the form carries the session's word."""
        if (ours := _from_ourselves(request)) is not None:
            return ours
        if request.content_type == "application/x-www-form-urlencoded":
            return _same(str((await _posted(request)).get("csrf", "")), request[_CSRF])
        return _same(request.headers.get("X-CSRF-Token", ""), request[_CSRF])

    def _unknown(self, request: web.Request) -> web.StreamResponse:
        if _is_api(request):
            return problem(401)
        raise web.HTTPSeeOther("/login")

    async def _form(self, request: web.Request) -> web.Response:
        return self.page(request, "login.html")

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        if _from_ourselves(request) is False:       # else a foreign page could log somebody in as another
            return problem(403)
        given = await _posted(request)
        try:
            value, account = await self._accounts.log_in(
                str(given.get("login", "")), str(given.get("password", "")), self._face, request.remote or ""
            )
        except RefusedError as refusal:
            return self.page(request, "login.html", 401, error=str(refusal))
        response = _see_other("/password" if account.must_change else "/")
        response.set_cookie(self._cookie, value, httponly=True, samesite="Strict", secure=self._secure, path="/")
        return response

    async def _log_out(self, request: web.Request) -> web.StreamResponse:
        if value := request.cookies.get(self._cookie):
            await self._accounts.log_out(account_of(request), value)
        response = _see_other("/login")
        response.del_cookie(self._cookie, path="/")
        return response

    async def _password_form(self, request: web.Request) -> web.Response:
        return self.page(request, "password.html")

    async def _change_password(self, request: web.Request) -> web.StreamResponse:
        given = await _posted(request)
        old, new = str(given.get("old", "")), str(given.get("new", ""))
        try:
            await self._accounts.change_password(account_of(request), old, new, request.remote or "")
        except RefusedError as refusal:
            return self.page(request, "password.html", 400, error=str(refusal))
        raise web.HTTPSeeOther("/login")


def _is_api(request: web.Request) -> bool:
    return request.path.startswith("/api/")


def _see_other(path: str) -> web.Response:
    """A redirect that can carry a cookie."""
    return web.Response(status=303, headers={"Location": path})


async def _posted(request: web.Request) -> Mapping[str, object]:
    """The fields of a form; one that cannot be read is a bad request."""
    try:
        return await request.post()
    except ValueError:
        raise web.HTTPBadRequest from None


def _from_ourselves(request: web.Request) -> bool | None:
    """What the browser says of the page that sent this: ours, another's, or nothing (browsers say less without TLS)."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site in ("same-origin", "none")
    return None if origin is None else urlsplit(origin).netloc == request.host


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def _csrf(session_value: str) -> str:
    return hashlib.sha256(b"csrf:" + session_value.encode("utf-8", "surrogateescape")).hexdigest()


def _static(name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Read once at start: what is served cannot be changed on disk under a running service."""
    content = resources.files("gateway.web").joinpath("static", name).read_bytes()
    kind = {"css": "text/css", "js": "text/javascript"}[name.rpartition(".")[2]]

    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=content, content_type=kind, charset="utf-8")

    return serve
