"""自己点検票 at the desk: as a page that prints well, as JSON, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

import msgspec
from aiohttp import web

from gateway.conformity.facts import Gathering
from gateway.conformity.sheet import PROFILES, TITLES, Answer, Profile, Row, clauses, sheet, sums
from gateway.storage.journal import Journal
from gateway.web import guarded
from gateway.web.routes import Route
from gateway.web.signin import SignIn
from gateway.web.words import when

_SHEET: Final = "/api/v1/conformity.csv"


class ConformityDesk:
    """Handlers; see gateway.web.desks.Desk."""

    def __init__(self, journal: Journal, gathering: Gathering) -> None:
        self._journal = journal
        self._gathering = gathering
        self._signin: SignIn
        query = {"policy": "clauses of this body's policy only", "profile": f"{', '.join(Profile)}; without: as the settings say"}
        missing = {404: "no such policy or profile"}
        self.routes: Sequence[Route] = (
            Route("GET", "/api/v1/conformity", self._tell, "clauses, answers and evidence", query=query, faults=missing),
            Route("GET", _SHEET, self._export, "the same as CSV", content={"text/csv": {"schema": {"type": "string"}}},
                  query=query, faults=missing),
        )  # fmt: skip

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/conformity", "自己点検票", "Conformity")
        application.router.add_get("/conformity", self._page)

    async def _rows(self, request: web.Request) -> list[Row]:
        policy = request.query.get("policy", "")
        if policy and policy not in policies():
            raise web.HTTPNotFound
        return sheet(await self._gathering.facts(), policy, _profile(request))

    async def _tell(self, request: web.Request) -> web.Response:
        rows = await self._rows(request)
        return web.json_response({"sums": sums(rows), "rows": msgspec.to_builtins(rows)})

    async def _export(self, request: web.Request) -> web.Response:
        rows = await self._rows(request)
        await guarded.taken(request, self._journal, self._gathering.now())
        written = io.StringIO(newline="")
        table = csv.writer(written, lineterminator="\r\n")
        table.writerow(("番号", "ポリシー", "条項", "条文（抜粋）", "判定", "対応", "設定", "証跡"))
        for row in rows:
            clause = row.clause
            answers = [(title, one.setting, one.evidence) for title, one in row.answers] or [("", "", "")]
            for title, setting, evidence in answers:
                table.writerow((clause.id, clause.policy, clause.at, clause.quote, TITLES[row.answer][0], title, setting, evidence))
        return guarded.table("自己点検票", written.getvalue().encode("utf-8-sig"))

    async def _page(self, request: web.Request) -> web.Response:
        rows = await self._rows(request)
        return self._signin.page(
            request,
            "conformity.html",
            rows=rows,
            titles=TITLES,
            sums=[(TITLES[answer], count, _TONES[answer]) for answer, count in sums(rows).items()],
            tones=_TONES,
            policies=policies(),
            policy=request.query.get("policy", ""),
            profiles=[(one.value, " / ".join(words)) for one, words in PROFILES.items()],
            profile=_profile(request) or self._gathering.profile,
            exports=guarded.may_take(request, _SHEET),
            here=request.rel_url,
            at=when(self._gathering.now()),
        )


_TONES = {Answer.FITS: "ok", Answer.FAILS: "stop", Answer.OPEN: "wait", Answer.DUTY: "", Answer.APART: ""}


def _profile(request: web.Request) -> Profile | None:
    asked = request.query.get("profile", "")
    if asked and asked not in set(Profile):
        raise web.HTTPNotFound
    return Profile(asked) if asked else None


def policies() -> tuple[str, ...]:
    return tuple(dict.fromkeys(clause.policy for clause in clauses()))
