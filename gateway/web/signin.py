"""Log-in, log-out and choosing a password: the same on every face; and who a request comes from, and whether he may.

A browser holds a session cookie of its face (`__Host-` where there is TLS), a machine sends `Authorization: Bearer …`. Everything
but the few pages named in `OPEN` needs one of them, and what `people.permissions` says of the endpoint.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

import jinja2
from aiohttp import web

from gateway.people import passwords
from gateway.people.accounts import SEEN_STEP_SECONDS, Account, Accounts, DirectoryError, RefusedError, Role, Session
from gateway.people.permissions import FACES, PERMISSIONS, action, needs_elevation, permitted
from gateway.people.roles import TITLES
from gateway.storage.announcements import Announcement
from gateway.telemetry import log
from gateway.web import view
from gateway.web.problem import Handler, problem
from gateway.web.routes import DOCUMENT
from gateway.web.words import elevation, previous_login

if TYPE_CHECKING:
    from multidict import MultiDictProxy

_log = log.get(__name__)

OPEN: Final = frozenset({"/healthz", "/readyz", "/metrics", "/login", "/login/sso", "/login/sso/back", DOCUMENT})
_STATIC: Final = "/static/"
_KINDS: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_ACCOUNT: Final = web.RequestKey("account", Account)
_CSRF: Final = web.RequestKey("csrf", str)
_ANNOUNCED: Final = web.RequestKey("announced", list)
_HSTS: Final = "max-age=31536000"
# 取扱注意: pages that are not for outside (`gateway.web.guarded`).
_GUARDED: Final = ("/rules", "/policy", "/conformity", "/monitored")

_templates: Final = jinja2.Environment(
    loader=jinja2.FunctionLoader(lambda name: view.template(resources.files("gateway.web").joinpath("templates", name).read_text("utf-8"))),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)
# With the context, which it does not look at: else what is constant would be said once and for all when the template is read.
_templates.filters["said"] = jinja2.pass_context(lambda _, text: view.said(text))
_templates.globals["english"] = view.english


class Entered(NamedTuple):
    """A browser that has logged in: its session and the session's value."""

    session: Session
    value: str


_ENTERED: Final = web.RequestKey("entered", Entered)


class Link(NamedTuple):
    """One entry of a face's menu."""

    path: str
    ja: str
    en: str


class Group(NamedTuple):
    """Entries of a menu that belong together, by their paths, in order."""

    ja: str
    en: str
    paths: tuple[str, ...]


class Section(NamedTuple):
    """A group as one person sees it: without a title where a face's menu is short enough to have no groups."""

    ja: str
    en: str
    links: list[Link]


def account_of(request: web.Request) -> Account:
    """Who acts; only behind `SignIn`."""
    return request[_ACCOUNT]


def entered(request: web.Request) -> Entered:
    """The browser's session. A machine's token has none, and may do nothing that is about sessions and passwords."""
    if _ENTERED not in request:
        raise web.HTTPForbidden
    return request[_ENTERED]


class SignIn:
    """Puts sign-in before a face."""

    def __init__(self, accounts: Accounts, face: str, title: str, *, jail: bool) -> None:
        self.accounts = accounts
        self.face = face
        self._title = title
        self._jail = jail
        self._secure = accounts.customs.secure
        self._cookie = f"__Host-sekisho-{face}" if self._secure else f"sekisho-{face}"
        self.announced: Callable[[], Awaitable[Sequence[Announcement]]] | None = None   # what stands above every page
        self.groups: Sequence[Group] = ()
        self._links: list[Link] = []
        self._ways: list[Link] = []

    def install(self, application: web.Application) -> None:
        application.middlewares.append(self._guard)
        if self._secure:
            application.on_response_prepare.append(_strict_transport)
        application.router.add_get("/login", self._form)
        application.router.add_post("/login", self._log_in)
        application.router.add_post("/logout", self._log_out)
        application.router.add_get("/password", self._password_form)
        application.router.add_post("/password", self._change_password)
        for file in sorted(resources.files("gateway.web").joinpath("static").iterdir(), key=lambda one: one.name):
            application.router.add_get(_STATIC + file.name, _static(file.name))

    def link(self, path: str, ja: str, en: str) -> None:
        """An entry of the menu, for those who may follow it."""
        self._links.append(Link(path, ja, en))

    def way_in(self, path: str, ja: str, en: str) -> None:
        """Another way to log in, shown beside the password."""
        self._ways.append(Link(path, ja, en))

    def page(self, request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
        """One page, with what every page shows."""
        account, inside, chosen = request.get(_ACCOUNT), request.get(_ENTERED), view.now()
        known = {"title": self._title, "face": self._title, "account": account, "csrf": request.get(_CSRF, ""), "jail": self._jail,
                 "error": "", "previous": previous_login(inside.session) if inside else "", "menu": self._menu(request, account),
                 "elevated": elevation(inside.session) if inside and self._is_elevated(inside.session) else "",
                 "role": TITLES[Role(account.role)] if account else "", "path": request.path, "desk": self.face == "admin",
                 "guarded": request.path.startswith(_GUARDED),
                 "announced": request.get(_ANNOUNCED, []), "view": chosen, "idle": self._idle(inside)}  # fmt: skip
        text = _templates.get_template(template).render(known | values)
        return web.Response(text=text, content_type="text/html", status=status)

    @staticmethod
    def fragment(template: str, **values: Any) -> str:
        """A part of a page that is renewed by itself."""
        return _templates.get_template(template).render(values)

    def _idle(self, inside: Entered | None) -> int:
        """Seconds without a request after which this session may be over; 0 where there is none."""
        return 0 if inside is None else int(max(self.accounts.customs.idle_of(inside.session.account) - SEEN_STEP_SECONDS, 1))

    def may_elevate(self, account: Account) -> bool:
        """Whether elevation means anything for this account."""
        return self.accounts.customs.elevation > 0 and any(Role(account.role) in grant.elevated for grant in PERMISSIONS.values())

    def begin(self, value: str, where: str) -> web.Response:
        """The redirect that begins a session in this browser."""
        response = _see_other(where)
        self.keep(response, value)
        return response

    def keep(self, response: web.Response, value: str) -> None:
        """The browser keeps the session."""
        response.set_cookie(self._cookie, value, httponly=True, samesite="Strict", secure=self._secure, path="/")

    def _menu(self, request: web.Request, account: Account | None) -> list[Section]:
        """What he may follow, once nothing has to be done first."""
        if account is None or self._first(request, account) is not None:
            return []
        free = {link.path: link for link in self._links if permitted(self.face, "GET", link.path, Role(account.role))}
        grouped = [Section(one.ja, one.en, [free.pop(path) for path in one.paths if path in free]) for one in self.groups]
        return [section for section in (*grouped, Section("", "", list(free.values()))) if section.links]

    def _is_elevated(self, session: Session) -> bool:
        return self.may_elevate(session.account) and self.accounts.elevated(session)

    # ------------------------------------------------------------------------------------------------------- the guard

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        view.use(view.read("en" if request.query.get("lang") == "en" else ""))
        if request.path in OPEN or request.path.startswith(_STATIC):
            return await handler(request)
        account = await self._by_token(request)
        if account is None:
            account = await self._by_cookie(request)
        if account is None:
            return self._unknown(request)
        request[_ACCOUNT] = account
        view.use(view.read(account.preferences))
        if Role(account.role) not in FACES[self.face]:
            return problem(403)
        if (first := self._first(request, account)) is not None and request.path not in first.allowed:
            if _is_api(request):
                return problem(403, first.why)
            raise web.HTTPSeeOther(first.page)
        if self.announced is not None and not _is_api(request):
            request[_ANNOUNCED] = list(await self.announced())
        return self._forbidden(request, account) or await handler(request)

    def _first(self, request: web.Request, account: Account) -> _First | None:
        """What has to be done before anything else."""
        inside = request.get(_ENTERED)
        if inside is not None and inside.session.factors and not inside.session.confirmed:
            return _SECOND
        if account.must_change:
            return _PASSWORD
        if inside is not None and not inside.session.factors and self.accounts.customs.needs_second_factor(account):
            return _ENROL
        return None

    def _forbidden(self, request: web.Request, account: Account) -> web.Response | None:
        resource = request.match_info.route.resource
        if resource is None:            # no such page, which is said to everybody alike
            return None
        role, where = Role(account.role), (self.face, request.method, resource.canonical)
        if action(*where) is None:
            _log.error("an endpoint that people.permissions does not name is nobody's", face=self.face, path=resource.canonical)
        if not permitted(*where, role):
            return problem(403)
        inside = request.get(_ENTERED)
        if inside is None or not needs_elevation(*where, role) or self.accounts.elevated(inside.session):
            return None
        if _is_api(request):
            return problem(403, _ELEVATE)
        raise web.HTTPSeeOther(f"/elevate?back={quote(_referer(request), safe='')}")

    async def _by_token(self, request: web.Request) -> Account | None:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        return await self.accounts.by_token(value.strip(), self.face) if kind == "Bearer" and value else None

    async def _by_cookie(self, request: web.Request) -> Account | None:
        value = request.cookies.get(self._cookie)
        session = await self.accounts.session(value, self.face) if value else None
        if value is None or session is None:
            return None
        request[_CSRF] = _csrf(value)
        request[_ENTERED] = Entered(session, value)
        if request.method not in ("GET", "HEAD") and not await self._meant(request):
            raise web.HTTPForbidden
        return session.account

    async def _meant(self, request: web.Request) -> bool:
        """A changing request of a browser comes from our own page: the browser says so, or the form carries the session's word."""
        if (ours := _from_ourselves(request)) is not None:
            return ours
        if request.content_type == "application/x-www-form-urlencoded":
            return _same(str((await posted(request)).get("csrf", "")), request[_CSRF])
        return _same(request.headers.get("X-CSRF-Token", ""), request[_CSRF])

    def _unknown(self, request: web.Request) -> web.StreamResponse:
        if _is_api(request):
            return problem(401)
        raise web.HTTPSeeOther("/login")

    # -------------------------------------------------------------------------------------------------------- the door

    async def _form(self, request: web.Request) -> web.Response:
        return self.log_in_page(request)

    def log_in_page(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        """The form, and what went wrong."""
        return self.page(request, "login.html", status, error=error, notice=self.accounts.customs.notice, ways=self._ways)

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        if _from_ourselves(request) is False:       # else a foreign page could log somebody in as another
            return problem(403)
        given = await posted(request)
        try:
            value, account = await self.accounts.log_in(
                str(given.get("login", "")), str(given.get("password", "")), self.face, request.remote or ""
            )
        except RefusedError as refusal:
            return self.log_in_page(request, 401, str(refusal))
        except DirectoryError:
            return self.log_in_page(request, 503, _NO_DIRECTORY)
        return self.begin(value, "/password" if account.must_change else "/")

    async def _log_out(self, request: web.Request) -> web.StreamResponse:
        inside = entered(request)
        await self.accounts.log_out(inside.session.account, inside.value)
        response = _see_other("/login")
        # The same attributes as it was set with, or a browser keeps a `__Host-` cookie.
        response.del_cookie(self._cookie, path="/", secure=self._secure, httponly=True, samesite="Strict")
        return response

    async def _password_form(self, request: web.Request) -> web.Response:
        return self.page(request, "password.html", rule=passwords.RULE)

    async def _change_password(self, request: web.Request) -> web.StreamResponse:
        given = await posted(request)
        old, new = str(given.get("old", "")), str(given.get("new", ""))
        try:
            await self.accounts.change_password(entered(request).session.account, old, new, request.remote or "")
        except RefusedError as refusal:
            return self.page(request, "password.html", 400, error=str(refusal), rule=passwords.RULE)
        raise web.HTTPSeeOther("/login")


class _First(NamedTuple):
    """Something that comes before everything else: its page, what else is open meanwhile, and why."""

    page: str
    allowed: frozenset[str]
    why: str


_SECOND: Final = _First(
    "/second",
    frozenset({"/second", "/second/passkey/options", "/second/passkey", "/logout"}),
    "二つ目の認証が済んでいません / the second factor is missing",
)
_PASSWORD: Final = _First(
    "/password", frozenset({"/password", "/logout"}), "初期パスワードを変更してください / change the temporary password first"
)
_ENROL: Final = _First(
    "/account/factors",
    frozenset({"/account/factors", "/account/factors/totp", "/account/factors/totp/qr.svg", "/account/factors/passkey/options",
               "/account/factors/passkey", "/logout", "/password"}),
    "二要素認証を登録してください / register a second factor first",
)  # fmt: skip
_ELEVATE: Final = "この操作には特権の行使が必要です（理由を記録します） / elevate first, with a reason"
_NO_DIRECTORY: Final = (
    "いまはログインを確認できません。しばらくしてからもう一度お試しください。 / log-in cannot be checked now, please try later"
)


def _is_api(request: web.Request) -> bool:
    return request.path.startswith("/api/")


def _referer(request: web.Request) -> str:
    """The page of this face that somebody came from, to go back to; never another house."""
    parts = urlsplit(request.headers.get("Referer", ""))
    if request.method == "GET":
        return request.path
    return parts.path if parts.netloc == request.host and parts.path.startswith("/") and not parts.path.startswith("//") else "/"


def _see_other(path: str) -> web.Response:
    """A redirect that can carry a cookie."""
    return web.Response(status=303, headers={"Location": path})


async def posted(request: web.Request) -> MultiDictProxy[str | bytes | bytearray | web.FileField]:
    """The fields of a form; one that cannot be read is a bad request."""
    try:
        return await request.post()
    except (ValueError, LookupError):       # the latter: an encoding that nobody knows
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


async def _strict_transport(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Strict-Transport-Security"] = _HSTS


def _static(name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Read once at start: what is served cannot be changed on disk under a running service."""
    content = resources.files("gateway.web").joinpath("static", name).read_bytes()
    kind = _KINDS[name.rpartition(".")[2]]

    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=content, content_type=kind, charset="utf-8")

    return serve
