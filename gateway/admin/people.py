"""利用者と組織: accounts and their deeds, departments and groups, and the list of a mass move. Rows of the interface; pages beside them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.admin import people_pages
from gateway.people import roster
from gateway.people.accounts import Account, Accounts, Described, LoginTakenError, RefusedError, Role
from gateway.people.employment import Employment, Terms
from gateway.people.roles import PRIVILEGED, TITLES
from gateway.people.staff import Staff
from gateway.web.given import an_object
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of

_PEOPLE: Final = "/api/v1/people"
_ONE: Final = _PEOPLE + "/{login}"
_DEPARTMENTS: Final = "/api/v1/departments"
_OBJECT: Final = {"application/json": {"schema": {"type": "object"}}}
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_TAKEN: Final = "このログイン名は使われています / this log-in name is taken"
_NOT_YOURSELF: Final = "自分自身には行えません。 / not on yourself"
_LAST: Final = "最後の情報システム管理者です。先に別の管理者を登録してください。 / the last administrator"
_CHANGEABLE: Final = "name, mail, role, departments (the main one first), head; employment, may_drop, may_mail and the reason why"
_DAY: Final = 86_400.0
_UNUSED_DAYS: Final = 90
_DEEDS: Final = ("disable", "enable", "unlock", "reset", "forget-factors", "end-sessions")


class PeopleDesk:
    """Handlers; see `Desk` in gateway.web.desks. `clock`: seconds since 1970."""

    deeds = _DEEDS

    def __init__(self, accounts: Accounts, staff: Staff, clock: Callable[[], float]) -> None:
        self.accounts = accounts
        self.staff = staff
        self.clock = clock
        faults = {400: "not as it should be", 404: "not found", 409: "not possible", 422: "refused, with the reason"}
        only = {400: "not as it should be", 422: "refused, with the reason"}
        self.routes: Sequence[Route] = (
            Route("GET", _PEOPLE, self._list, "accounts", content=_ROWS),
            Route("POST", _PEOPLE, self._add, "a new account; its temporary password, once", 201, body=_OBJECT, faults=only),
            Route("POST", f"{_PEOPLE}-import/preview", self._preview, "what a list would change", body=_CSV, query=_COMPLETE, faults=only),
            Route("POST", f"{_PEOPLE}-import", self._follow, "follow the list that was previewed", body=_CSV,
                  query=_COMPLETE | {"seen": "digest of the preview"}, faults=only),
            Route("GET", _ONE, self._show, "one account", faults={404: "not found"}),
            Route("PATCH", _ONE, self._change, _CHANGEABLE, body=_OBJECT, faults=faults),
            *(Route("POST", f"{_ONE}/{deed}", self._deed, f"{deed} it", faults=faults) for deed in _DEEDS),
            Route("GET", _DEPARTMENTS, self._departments, "departments", content=_ROWS),
            Route("POST", _DEPARTMENTS, self._add_department, "a new department", 201, body=_OBJECT, faults=only),
            Route("GET", "/api/v1/groups", self._groups, "groups and their members"),
            Route("PUT", "/api/v1/groups/{name}", self._set_group, "exactly these members", body=_OBJECT, faults=only),
        )  # fmt: skip

    def install(self, application: web.Application, signin: SignIn) -> None:
        people_pages.PeoplePages(self, signin).install(application)

    # ----------------------------------------------------------------------------------------------- what pages ask too

    async def found(self, request: web.Request) -> Account | None:
        return await self.accounts.find(request.match_info["login"])

    async def rows(self, login: str | None = None) -> list[dict[str, Any]]:
        """Accounts as administrators see them: all, or the one of that name."""
        return [self._row(one) for one in await self.accounts.described(login)]

    def _row(self, one: Described) -> dict[str, Any]:
        account, now = one.account, self.clock()
        role, last = Role(account.role), account.last_login_at
        return {
            "login": account.login, "name": account.name, "mail": account.mail, "role": role, "title": str(TITLES[role]),
            "departments": [each.department.name for each in one.places], "head": any(each.head for each in one.places),
            "person": account.person, "shared": account.shared, "disabled": account.disabled, "locked": account.locked_until > now,
            "must_change": account.must_change, "last_login_at": last, "last_login_from": account.last_login_from,
            "unused": not account.disabled and now - (last or account.password_set_at) > _UNUSED_DAYS * _DAY,
            "privileged": role in PRIVILEGED, "directory": account.directory, "factors": one.factors,
            "employment": account.employment, "may_drop": account.may_drop, "may_mail": account.may_mail,
            "permits": [msgspec.structs.asdict(each) for each in one.permits],
        }  # fmt: skip

    async def add(self, given: Mapping[str, Any], actor: str) -> str:
        """The temporary password. Raises RefusedError."""
        login, name, mail, person = (_text(given, field) for field in ("login", "name", "mail", "person"))
        departments = await self._departments_of(given)
        try:
            password = await self.accounts.add(login, name, _role(given), actor, mail, person=person, terms=_terms(given))
        except LoginTakenError:
            raise RefusedError(_TAKEN) from None
        if departments and (made := await self.accounts.find(login)) is not None:
            await self.staff.move(made, departments, actor, head=given.get("head") is True)
        return password

    async def _departments_of(self, given: Mapping[str, Any]) -> list[str]:
        """Raises RefusedError for one that there is not."""
        departments, known = _names(given), {one.name for one in await self.staff.departments() if not one.closed}
        if missing := [one for one in departments if one not in known]:
            raise RefusedError(f"課「{'、'.join(missing)}」がありません / no such department")
        return departments

    async def change(self, account: Account, given: Mapping[str, Any], actor: Account) -> None:
        """Raises RefusedError."""
        role = _role(given) if "role" in given else Role(account.role)
        if role != account.role:
            await self._may_lose(account, actor)
        wanted = await self._departments_of(given)      # looked at before anything is written
        name, mail = (_text(given, field) if field in given else getattr(account, field) for field in ("name", "mail"))
        await self.accounts.change(account, actor.login, name=name, mail=mail, role=role, terms=_terms(given))
        if "departments" in given or "head" in given:
            places = await self.accounts.places(account)
            departments = wanted if "departments" in given else [one.department.name for one in places]
            head = given["head"] is True if "head" in given else any(one.head for one in places)
            current = await self.accounts.find(account.login)
            assert current is not None
            await self.staff.move(current, departments, actor.login, head=head)

    async def do(self, deed: str, account: Account, actor: Account) -> str:
        """A temporary password where there is one. Raises RefusedError."""
        if deed == "disable":
            await self._may_lose(account, actor)
            await self.accounts.disable(account, actor.login)
        elif deed == "enable":
            await self.accounts.enable(account, actor.login)
        elif deed == "unlock":
            await self.accounts.unlock(account, actor.login)
        elif deed == "reset":
            return await self._reset(account, actor)
        elif deed == "forget-factors":
            _not_oneself(account, actor)
            await self.accounts.factors.reset(account, actor.login)
        else:
            for session in await self.accounts.sessions_of(account):
                await self.accounts.end_session(account, session.handle, actor.login)
        return ""

    async def _reset(self, account: Account, actor: Account) -> str:
        _not_oneself(account, actor)
        if account.directory:
            raise RefusedError("パスワードは職員のディレクトリにあります。 / its password is in the directory")
        return await self.accounts.reset_password(account, actor.login)

    async def _may_lose(self, account: Account, actor: Account) -> None:
        """Nobody locks himself out, and somebody has to be left who can let others in."""
        _not_oneself(account, actor)
        if Role(account.role) is Role.ADMINISTRATOR and not account.disabled:
            left = [one for one in await self.accounts.listed() if one.role == Role.ADMINISTRATOR and not one.disabled]
            if len(left) <= 1:
                raise RefusedError(_LAST)

    # ------------------------------------------------------------------------------------------------------------- API

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(await self.rows())

    async def _show(self, request: web.Request) -> web.Response:
        found = await self.rows(request.match_info["login"])
        return web.json_response(found[0]) if found else problem(404)

    async def _add(self, request: web.Request) -> web.Response:
        given = await an_object(request)
        return await _told(lambda: self._added(given, account_of(request).login))

    async def _added(self, given: Mapping[str, Any], actor: str) -> web.Response:
        password = await self.add(given, actor)
        return web.json_response({"login": given["login"], "password": password}, status=201)

    async def _change(self, request: web.Request) -> web.Response:
        account, given = await self.found(request), await an_object(request)
        if account is None:
            return problem(404)

        async def changed() -> web.Response:
            await self.change(account, given, account_of(request))
            return await self._show(request)

        return await _told(changed)

    async def _deed(self, request: web.Request) -> web.Response:
        account = await self.found(request)
        if account is None:
            return problem(404)

        async def done() -> web.Response:
            password = await self.do(request.path.rpartition("/")[2], account, account_of(request))
            [row] = await self.rows(account.login)
            return web.json_response(row | ({"password": password} if password else {}))

        return await _told(done)

    async def _departments(self, _: web.Request) -> web.Response:
        return web.json_response([msgspec.to_builtins(one) for one in await self.staff.departments()])

    async def _add_department(self, request: web.Request) -> web.Response:
        given = await an_object(request)

        async def added() -> web.Response:
            made = await self.staff.add_department(_text(given, "name"), account_of(request).login, _text(given, "below"))
            return web.json_response(msgspec.to_builtins(made), status=201)

        return await _told(added)

    async def _groups(self, _: web.Request) -> web.Response:
        return web.json_response(await self.staff.groups())

    async def _set_group(self, request: web.Request) -> web.Response:
        given, name = await an_object(request), request.match_info["name"]

        async def put() -> web.Response:
            await self.staff.set_group(name, _names(given, "members"), account_of(request).login)
            return web.json_response({name: (await self.staff.groups())[name]})

        return await _told(put)

    async def _preview(self, request: web.Request) -> web.Response:
        entries, faults = roster.read(await request.read())
        plan = await self.staff.preview(entries, faults, complete=request.query.get("complete") == "1")
        return web.json_response(msgspec.to_builtins(plan) | {"seen": plan.digest})

    async def _follow(self, request: web.Request) -> web.Response:
        entries, faults = roster.read(await request.read())
        complete, seen = request.query.get("complete") == "1", request.query.get("seen", "")

        async def followed() -> web.Response:
            if faults:
                raise RefusedError(f"{faults[0].line}: {faults[0].why}")
            passwords = await self.staff.follow(entries, seen, account_of(request).login, complete=complete)
            return web.json_response({"passwords": passwords})

        return await _told(followed)


_CSV: Final = {"text/csv": {"schema": {"type": "string"}}}
_COMPLETE: Final = {"complete": "1: the list is everybody, staff whom it does not name leave"}


async def _told(doing: Callable[[], Awaitable[web.Response]]) -> web.Response:
    try:
        return await doing()
    except RefusedError as refusal:
        return problem(422, str(refusal))


def _text(given: Mapping[str, Any], field: str) -> str:
    value = given.get(field, "")
    if not isinstance(value, str) or len(value) > 500:
        raise RefusedError(f"{field}: 文字列ではないか、長すぎます / not text, or too long")
    return value.strip()


def _names(given: Mapping[str, Any], field: str = "departments") -> list[str]:
    value = given.get(field, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and len(one) <= 200 for one in value):
        raise RefusedError(f"{field}: 名前の一覧ではありません / not a list of names")
    return [one.strip() for one in value if one.strip()]


def _role(given: Mapping[str, Any]) -> Role:
    try:
        return Role(_text(given, "role") or Role.STAFF)
    except ValueError:
        raise RefusedError("権限が正しくありません / no such role") from None


def _terms(given: Mapping[str, Any]) -> Terms:
    try:
        employment = Employment(_text(given, "employment")) if given.get("employment") else None
    except ValueError:
        raise RefusedError("任用区分が正しくありません / no such employment") from None
    return Terms(employment=employment, drop=_switch(given, "may_drop"), mail=_switch(given, "may_mail"), reason=_text(given, "reason"))


def _switch(given: Mapping[str, Any], field: str) -> bool | None:
    value = given.get(field)
    if value is not None and not isinstance(value, bool):
        raise RefusedError(f"{field}: true か false です / true or false")
    return value


def _not_oneself(account: Account, actor: Account) -> None:
    if account.person == actor.person:
        raise RefusedError(_NOT_YOURSELF)
