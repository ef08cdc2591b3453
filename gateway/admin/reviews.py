"""権限棚卸し at the desk: begin one, say something of each account, sign it off; as pages and as rows of the interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.admin.exports import harmless, written
from gateway.people.reviews import Decision, Line, Review, Reviews, undone
from gateway.people.roles import TITLES, RefusedError, Role
from gateway.web.given import an_object
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of, posted
from gateway.web.view import said
from gateway.web.words import when

_ALL: Final = "/api/v1/reviews"
_ONE: Final = _ALL + "/{number}"
_TEXT: Final = {"type": "string"}
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_SAID: Final = {
    "application/json": {
        "schema": {"type": "object", "required": ["login", "decision"],
                   "properties": {"login": _TEXT, "decision": {"enum": [*Decision]}, "note": _TEXT}}
    }
}  # fmt: skip
_NOTE: Final = {"application/json": {"schema": {"type": "object", "properties": {"note": _TEXT}}}}
DECISIONS: Final = {
    Decision.KEEP: ("継続", "keep", "ok"),
    Decision.CHANGE: ("変更", "change", "wait"),
    Decision.REMOVE: ("削除", "remove", "stop"),
}


_TITLES: Final = ("ログイン名", "氏名", "権限", "所属", "前回のログイン", "注意", "判断", "理由", "判断した人", "判断日時")


class ReviewsDesk:
    """Handlers; see gateway.web.desks.Desk. `clock`: seconds since 1970."""

    def __init__(self, reviews: Reviews, clock: Callable[[], float]) -> None:
        self._reviews = reviews
        self._clock = clock
        self._signin: SignIn
        missing, faults = {404: "not found"}, {400: "not as it should be", 422: "refused, with the reason"}
        self.routes: Sequence[Route] = (
            Route("GET", _ALL, self._list, "reviews of privileges, the youngest first", content=_ROWS),
            Route("POST", _ALL, self._begin, "begin one", 201, faults=faults),
            Route("GET", _ONE, self._show, "one review and its accounts", faults=missing),
            Route("POST", f"{_ONE}/decide", self._decide, "say something of one account", body=_SAID, faults=faults),
            Route("POST", f"{_ONE}/close", self._close, "sign it off; by another person than the one who began it", body=_NOTE,
                  faults=faults),
        )  # fmt: skip

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/reviews", "権限棚卸し", "Privilege review")
        application.router.add_get("/reviews", self._page)
        application.router.add_post("/reviews", self._begin_from_page)
        application.router.add_get("/reviews/{number}", self._one)
        application.router.add_get("/reviews/{number}/table.csv", self._export)
        application.router.add_post("/reviews/{number}", self._from_page)

    # ------------------------------------------------------------------------------------------------------------- API

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([msgspec.to_builtins(one) for one in await self._reviews.listed()])

    async def _begin(self, request: web.Request) -> web.Response:
        try:
            number = await self._reviews.begin(account_of(request))
        except RefusedError as refusal:
            return problem(422, str(refusal))
        return web.json_response({"number": number}, status=201)

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(await self._told(await self._named(request)))

    async def _told(self, review: Review) -> dict[str, Any]:
        lines = await self._reviews.lines(review)
        waits = undone(lines, await self._reviews.standing())
        told: dict[str, Any] = msgspec.to_builtins(review)
        return told | {"lines": msgspec.to_builtins(lines), "undone": waits}

    async def _decide(self, request: web.Request) -> web.Response:
        review, given = await self._named(request), await an_object(request)
        try:
            login, decision, note = given["login"], Decision(given["decision"]), given.get("note", "")
            if not isinstance(login, str) or not isinstance(note, str):
                raise TypeError
        except (KeyError, ValueError, TypeError):
            return problem(400)
        return await self._done(request, lambda: self._reviews.decide(review.number, login, decision, note, account_of(request)))

    async def _close(self, request: web.Request) -> web.Response:
        review, note = await self._named(request), (await an_object(request)).get("note", "")
        if not isinstance(note, str):
            return problem(400)
        return await self._done(request, lambda: self._reviews.close(review.number, note, account_of(request)))

    async def _done(self, request: web.Request, doing: Callable[[], Any]) -> web.Response:
        try:
            await doing()
        except RefusedError as refusal:
            return problem(422, str(refusal))
        return web.json_response(await self._told(await self._named(request)))

    async def _named(self, request: web.Request) -> Review:
        try:
            return await self._reviews.find(request.match_info["number"])
        except RefusedError:
            raise web.HTTPNotFound from None

    # ----------------------------------------------------------------------------------------------------------- pages

    async def _page(self, request: web.Request) -> web.Response:
        return await self._shelf(request)

    async def _shelf(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        found, due, now = await self._reviews.listed(), await self._reviews.due_at(), self._clock()
        return self._signin.page(
            request, "reviews.html", status, error=error, when=when, due=due, overdue=due < now, now=now, rows=found,
            open=next((one for one in found if one.closed_at is None), None),
        )  # fmt: skip

    async def _begin_from_page(self, request: web.Request) -> web.StreamResponse:
        try:
            number = await self._reviews.begin(account_of(request))
        except RefusedError as refusal:
            return await self._shelf(request, 422, str(refusal))
        raise web.HTTPSeeOther(f"/reviews/{number}")

    async def _one(self, request: web.Request) -> web.Response:
        return await self._shown(request, await self._named(request))

    async def _shown(self, request: web.Request, review: Review, status: int = 200, error: str = "") -> web.Response:
        lines = await self._reviews.lines(review)
        waits = set(undone(lines, await self._reviews.standing()))
        account, late = account_of(request), review.closed_at is None and review.due_at < self._clock()
        return self._signin.page(
            request, "review.html", status, error=error, when=when, review=review, late=late,
            rows=[_row(line, own=line.facts["person"] == account.person, waits=line.login in waits) for line in lines],
            decisions=[(one.value, *said) for one, said in DECISIONS.items()],
            said={one.value: said for one, said in DECISIONS.items()}, stands_out=sum(bool(_out(line)) for line in lines),
        )  # fmt: skip

    async def _from_page(self, request: web.Request) -> web.StreamResponse:
        """One button decides all rows of the page whose choice was made, another signs it off."""
        review, given, actor = await self._named(request), await posted(request), account_of(request)
        try:
            if given.get("what") == "close":
                await self._reviews.close(review.number, str(given.get("note", "")), actor)
            else:
                for line in await self._reviews.lines(review):
                    decision, note = str(given.get(f"decision:{line.login}", "")), str(given.get(f"note:{line.login}", ""))
                    if decision and (decision, note) != (line.decision, line.note):
                        await self._reviews.decide(review.number, line.login, Decision(decision), note, actor)
        except RefusedError as refusal:
            return await self._shown(request, await self._named(request), 422, str(refusal))
        except ValueError:
            raise web.HTTPBadRequest from None
        raise web.HTTPSeeOther(f"/reviews/{review.number}")

    async def _export(self, request: web.Request) -> web.Response:
        review = await self._named(request)
        table: list[Sequence[str]] = [_TITLES]
        for line in await self._reviews.lines(review):
            row, said = _row(line, own=False, waits=False), DECISIONS[Decision(line.decision)][0] if line.decision else ""
            cells = (
                line.login, row["name"], row["title"], "、".join(row["departments"]), row["last"], "、".join(ja for ja, _ in row["out"]),
                said, line.note, line.decided_by, when(line.decided_at) if line.decided_at else "",
            )  # fmt: skip
            table.append([harmless(str(cell)) for cell in cells])
        headers = {"Content-Disposition": f'attachment; filename="{review.number}.csv"'}
        return web.Response(body=b"\xef\xbb\xbf" + written(table), content_type="text/csv", charset="utf-8", headers=headers)


def _row(line: Line, *, own: bool, waits: bool) -> dict[str, Any]:
    facts = line.facts
    last = facts["last_login_at"]
    return {"login": line.login, "name": facts["name"], "title": str(TITLES[Role(facts["role"])]), "departments": facts["departments"],
            "head": facts["head"], "last": when(last) if last else said("なし / none"), "out": _out(line), "decision": line.decision,
            "note": line.note, "by": line.decided_by, "own": own, "waits": waits}  # fmt: skip


def _out(line: Line) -> list[tuple[str, str]]:
    """What of an account stands out."""
    facts: Mapping[str, Any] = line.facts
    told = {
        ("90日以上未使用", "unused for 90 days"): facts["unused"],
        ("共用ID", "shared"): facts["shared"],
        ("特権", "privileged"): facts["privileged"],
        ("二要素なし", "no second factor"): facts["privileged"] and not facts["factors"],
        ("所属なし", "no department"): not facts["departments"] and facts["role"] == Role.STAFF,
    }
    return [words for words, holds in told.items() if holds]
