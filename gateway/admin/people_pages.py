"""The pages of people and departments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from gateway.people import roster
from gateway.people.accounts import Account, RefusedError
from gateway.people.employment import EMPLOYMENTS, FEATURES, begins
from gateway.people.roles import HEAD, TITLES
from gateway.people.roster import Entry, Plan
from gateway.web.account_page import absence
from gateway.web.problem import problem
from gateway.web.signin import SignIn, account_of, posted
from gateway.web.words import when

if TYPE_CHECKING:
    from gateway.admin.people import PeopleDesk

_MOST_SHOWN: Final = 500


class PeoplePages:
    """Handlers over what the desk does."""

    def __init__(self, desk: PeopleDesk, signin: SignIn) -> None:
        self._desk = desk
        self._signin = signin

    def install(self, application: web.Application) -> None:
        self._signin.link("/people", "利用者", "People")
        self._signin.link("/departments", "課・グループ", "Departments")
        router = application.router
        router.add_get("/people", self._list)
        router.add_post("/people", self._add)
        router.add_get("/people-import", self._import)
        router.add_post("/people-import", self._preview)
        router.add_post("/people-import/follow", self._follow)
        router.add_get("/people/{login}", self._show)
        router.add_post("/people/{login}", self._change)
        router.add_post("/people/{login}/{deed}", self._deed)
        router.add_get("/departments", self._departments)
        router.add_post("/departments", self._add_department)
        router.add_post("/departments/place", self._place_department)
        router.add_post("/departments/close", self._close_department)
        router.add_post("/groups", self._set_group)
        router.add_post("/groups/dissolve", self._dissolve_group)

    # ----------------------------------------------------------------------------------------------------------- people

    async def _list(self, request: web.Request) -> web.Response:
        return await self._list_page(request)

    async def _list_page(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        wanted = request.query.get("q", "").strip().lower()
        found = [row for row in await self._desk.rows() if wanted in " ".join((row["login"], row["name"].lower(), *row["departments"]))]
        return self._signin.page(
            request, "people.html", status, error=error, rows=found[:_MOST_SHOWN], count=len(found), wanted=wanted, when=when,
            roles=_ROLES, departments=await self._open(), head=HEAD, employments=_EMPLOYMENTS, features=_FEATURES,
        )  # fmt: skip

    async def _add(self, request: web.Request) -> web.Response:
        given = _fields(await posted(request))
        try:
            password = await self._desk.add(given, account_of(request).login)
        except RefusedError as refusal:
            return await self._list_page(request, 422, str(refusal))
        return self._secrets(request, {given["login"]: password})

    async def _show(self, request: web.Request) -> web.Response:
        account = await self._desk.found(request)
        return problem(404) if account is None else await self._one(request, account)

    async def _one(self, request: web.Request, account: Account, status: int = 200, error: str = "") -> web.Response:
        sessions = [
            {"face": one.face, "client": one.client, "since": when(one.created_at)}
            for one in await self._desk.accounts.sessions_of(account)
        ]
        [row] = await self._desk.rows(account.login)
        return self._signin.page(
            request, "person.html", status, error=error, row=row, when=when, sessions=sessions, roles=_ROLES,
            departments=await self._open(), head=HEAD, employments=_EMPLOYMENTS, features=_FEATURES,
            absences=[absence(one) for one in await self._desk.accounts.absences.listed(account)],
        )  # fmt: skip

    async def _change(self, request: web.Request) -> web.StreamResponse:
        account = await self._desk.found(request)
        if account is None:
            return problem(404)
        try:
            await self._desk.change(account, _fields(await posted(request)), account_of(request))
        except RefusedError as refusal:
            return await self._one(request, account, 422, str(refusal))
        raise web.HTTPSeeOther(f"/people/{account.login}")

    async def _deed(self, request: web.Request) -> web.StreamResponse:
        account, deed = await self._desk.found(request), request.match_info["deed"]
        if account is None or deed not in self._desk.deeds:
            return problem(404)
        try:
            password = await self._desk.do(deed, account, account_of(request))
        except RefusedError as refusal:
            return await self._one(request, account, 422, str(refusal))
        if password:
            return self._secrets(request, {account.login: password})
        raise web.HTTPSeeOther(f"/people/{account.login}")

    def _secrets(self, request: web.Request, passwords: dict[str, str]) -> web.Response:
        return self._signin.page(request, "passwords.html", passwords=sorted(passwords.items()))

    # ---------------------------------------------------------------------------------------------------- the mass move

    async def _import(self, request: web.Request) -> web.Response:
        return self._signin.page(request, "people_import.html", plan=None, text="", complete=False)

    async def _preview(self, request: web.Request) -> web.Response:
        given = await posted(request)
        upload = given.get("file")
        data = upload.file.read() if isinstance(upload, web.FileField) else str(given.get("text", "")).encode()
        return await self._plan_page(request, data, complete=given.get("complete") == "yes")

    async def _plan_page(self, request: web.Request, data: bytes, *, complete: bool, status: int = 200, error: str = "") -> web.Response:
        entries, faults = roster.read(data)
        plan = await self._desk.staff.preview(entries, faults, complete=complete)
        text = data.decode("utf-8-sig", "replace") if _is_utf8(data) else data.decode("cp932", "replace")
        return self._signin.page(
            request, "people_import.html", status, error=error, plan=_shown(plan), text=text, complete=complete
        )

    async def _follow(self, request: web.Request) -> web.Response:
        given = await posted(request)
        data, complete = str(given.get("text", "")).encode(), given.get("complete") == "yes"
        entries, faults = roster.read(data)
        try:
            if faults:
                raise RefusedError(f"{faults[0].line}行目：{faults[0].why}")
            passwords = await self._desk.staff.follow(entries, str(given.get("seen", "")), account_of(request).login, complete=complete)
        except RefusedError as refusal:
            return await self._plan_page(request, data, complete=complete, status=422, error=str(refusal))
        return self._secrets(request, passwords)

    # ------------------------------------------------------------------------------------------- departments and groups

    async def _open(self) -> list[str]:
        return [one.name for one in await self._desk.staff.departments() if not one.closed]

    async def _departments(self, request: web.Request) -> web.Response:
        return await self._departments_page(request)

    async def _departments_page(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        found = await self._desk.staff.departments()
        names = {one.id: one.name for one in found}
        rows = [
            {"name": one.name, "above": names.get(one.parent_id or 0, ""), "closed": one.closed,
             "members": [f"{each.account.name or each.account.login}{'（所属長）' if each.head else ''}"
                         for each in await self._desk.staff.members(one)]}
            for one in found
        ]  # fmt: skip
        groups = await self._desk.staff.groups()
        return self._signin.page(
            request, "departments.html", status, error=error, rows=rows, departments=await self._open(), groups=groups
        )

    async def _add_department(self, request: web.Request) -> web.StreamResponse:
        given, actor = await posted(request), account_of(request).login
        try:
            await self._desk.staff.add_department(str(given.get("name", "")), actor, str(given.get("below", "")))
        except RefusedError as refusal:
            return await self._departments_page(request, 422, str(refusal))
        raise web.HTTPSeeOther("/departments")

    async def _place_department(self, request: web.Request) -> web.StreamResponse:
        given, actor = await posted(request), account_of(request).login
        try:
            await self._desk.staff.place_department(str(given.get("name", "")), str(given.get("below", "")), actor)
        except RefusedError as refusal:
            return await self._departments_page(request, 422, str(refusal))
        raise web.HTTPSeeOther("/departments")

    async def _close_department(self, request: web.Request) -> web.StreamResponse:
        given, actor = await posted(request), account_of(request).login
        try:
            await self._desk.staff.close_department(str(given.get("name", "")), actor)
        except RefusedError as refusal:
            return await self._departments_page(request, 422, str(refusal))
        raise web.HTTPSeeOther("/departments")

    async def _set_group(self, request: web.Request) -> web.StreamResponse:
        given, actor = await posted(request), account_of(request).login
        logins = str(given.get("members", "")).replace(",", " ").split()
        try:
            await self._desk.staff.set_group(str(given.get("name", "")), logins, actor)
        except RefusedError as refusal:
            return await self._departments_page(request, 422, str(refusal))
        raise web.HTTPSeeOther("/departments")

    async def _dissolve_group(self, request: web.Request) -> web.StreamResponse:
        given = await posted(request)
        if not await self._desk.staff.dissolve_group(str(given.get("name", "")), account_of(request).login):
            return problem(404)
        raise web.HTTPSeeOther("/departments")


_ROLES: Final = [(str(role), str(title)) for role, title in TITLES.items()]
_EMPLOYMENTS: Final = [(str(one), str(title)) for one, title in EMPLOYMENTS.items()]
_FEATURES: Final = [(f"may_{one}", str(one), str(title)) for one, title in FEATURES.items()]
_SWITCH: Final = {"yes": True, "no": False}


def _fields(given: Any) -> dict[str, Any]:
    """A form's fields as the interface would have them."""
    texts = ("login", "name", "mail", "role", "person", "employment", "reason")
    plain: dict[str, Any] = {name: str(given.get(name, "")) for name in texts if name in given}
    plain |= {name: _SWITCH[word] for name, _, _ in _FEATURES if (word := str(given.get(name, ""))) in _SWITCH}
    departments = [str(one) for one in (given.get("main", ""), *given.getall("departments", [])) if one]
    return plain | {"departments": departments, "head": given.get("head") == "yes"}


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _joining(one: Entry) -> str:
    employment = "" if one.terms.employment is None else EMPLOYMENTS[one.terms.employment].ja
    uses = begins(one.terms) | one.terms.features
    without = (f"{FEATURES[each].ja}：不可" for each, on in uses.items() if not on)
    return "　".join((one.login, one.name, "、".join(one.departments), employment, *without))


def _shown(plan: Plan) -> dict[str, Any]:
    return {
        "joins": [_joining(one) for one in plan.joins],
        "moves": [(f"{one.entry.login}　{one.entry.name}", one.changes) for one in plan.moves],
        "leaves": [f"{one.login}　{one.name}" for one in plan.leaves],
        "same": plan.same,
        "faults": [(one.line, one.why) for one in plan.faults],
        "seen": plan.digest,
    }
