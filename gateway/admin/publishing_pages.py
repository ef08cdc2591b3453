"""The pages of rules and policy: what is in force, drafts on their way, and each version with its difference, back-tests and steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec
from aiohttp import web

from gateway.people.accounts import Account, RefusedError, Role
from gateway.policy import load, warnings
from gateway.publishing import rulesets
from gateway.publishing.backtest import Summary, most
from gateway.publishing.trials import Trials
from gateway.publishing.versions import (
    POLICY_FILE,
    NoSuchVersionError,
    NotAnotherPersonError,
    NotNowError,
    Publishing,
    Stage,
    Subject,
    Version,
    policy_text,
)
from gateway.road.warm_parent import JailUnavailable
from gateway.storage.rescans import LateHit
from gateway.storage.trials import Trial, TrialState
from gateway.web.signin import SignIn, account_of, posted
from gateway.web.view import day, said, when

WRITERS: Final = frozenset({Role.ADMINISTRATOR})
APPROVERS: Final = frozenset({Role.ADMINISTRATOR, Role.CISO})
PAGES: Final = {Subject.RULES: "/rules", Subject.POLICY: "/policy"}
_TITLES: Final = {Subject.RULES: ("検知ルール", "Rules"), Subject.POLICY: ("ポリシー", "Policy")}
STAGES: Final = {
    Stage.DRAFT: ("起案", "draft"),
    Stage.SUBMITTED: ("承認待ち", "submitted"),
    Stage.APPROVED: ("承認済み", "approved"),
    Stage.PUBLISHED: ("公開", "published"),
    Stage.WITHDRAWN: ("取下げ", "withdrawn"),
}
STATES: Final = {
    TrialState.WAITING: ("待機中", "waiting"),
    TrialState.RUNNING: ("実行中", "running"),
    TrialState.DONE: ("完了", "done"),
    TrialState.STOPPED: ("中止", "stopped"),
    TrialState.FAILED: ("失敗", "failed"),
}
_RULE_STATES: Final = {"enabled": "有効 / enabled", "evaluation": "評価中 / evaluation", "disabled": "停止 / disabled"}
_RECENT: Final = 50
_SHOWN_DIFFERENCES: Final = 200

Fields = Mapping[str, str]


class Desk(Protocol):
    """What the pages need of `gateway.admin.publishing.PublishingDesk`."""

    publishing: Publishing
    trials: Trials

    async def found(self, subject: Subject, request: web.Request) -> Version:
        """The version that the address names. Raises NoSuchVersionError."""

    async def step(self, version: Version, step: str, account: Account, reason: str) -> Version:
        """Submit, approve, publish or withdraw."""

    async def rules(self) -> list[dict[str, Any]]:
        """Those in force, with what they found."""

    async def late_hits(self, limit: int) -> list[LateHit]:
        """What was found in what had been let through."""


def may(account: Account, roles: frozenset[Role]) -> bool:
    return Role(account.role) in roles


def install(desk: Desk, application: web.Application, signin: SignIn) -> None:
    """`/rules` and `/policy`, and under each `/versions/{version}`; forms post to the same addresses, `/check` is asked while one types."""
    pages = _Pages(desk, signin)
    for subject, at in PAGES.items():
        signin.link(at, *_TITLES[subject])
        application.router.add_get(at, pages.shelf(subject))
        application.router.add_post(at, pages.drafting(subject))
        application.router.add_post(at + "/check", pages.checking(subject))
        application.router.add_get(at + "/versions/{version}", pages.one(subject))
        application.router.add_post(at + "/versions/{version}", pages.acting(subject))


class _Pages:
    def __init__(self, desk: Desk, signin: SignIn) -> None:
        self._desk = desk
        self._signin = signin

    def shelf(self, subject: Subject) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._shelf(subject, request)

        return handle

    def one(self, subject: Subject) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._one(subject, await self._found(subject, request), request)

        return handle

    def drafting(self, subject: Subject) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A new draft, or a rollback."""

        async def handle(request: web.Request) -> web.StreamResponse:
            fields = await self._fields(request)
            try:
                version = await self._drafted(subject, request, fields)
            except (NotNowError, ValueError, JailUnavailable) as error:
                return await self._shelf(subject, request, error=str(error), status=409)
            raise web.HTTPSeeOther(f"{PAGES[subject]}/versions/{version.id}")

        return handle

    def checking(self, subject: Subject) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Whether what stands in the form could be put in force: `good` and a line that says why not. Nothing is written down."""

        async def handle(request: web.Request) -> web.StreamResponse:
            fields = await self._fields(request)
            if not self._may(request, writes=True):
                raise web.HTTPForbidden
            try:
                text = await self._checked(subject, fields)
            except (NotNowError, ValueError, JailUnavailable) as error:
                return web.json_response({"good": False, "said": said(error)})
            return web.json_response({"good": True, "said": said(text)})

        return handle

    def acting(self, subject: Subject) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """One step of a version."""

        async def handle(request: web.Request) -> web.StreamResponse:
            version, fields = await self._found(subject, request), await self._fields(request)
            try:
                await self._acted(version, request, fields)
            except (NotNowError, NotAnotherPersonError, RefusedError) as error:
                return await self._one(subject, version, request, error=str(error), status=409)
            raise web.HTTPSeeOther(f"{PAGES[subject]}/versions/{version.id}")

        return handle

    # ----------------------------------------------------------------------------------------------------------- doing

    async def _found(self, subject: Subject, request: web.Request) -> Version:
        try:
            return await self._desk.found(subject, request)
        except NoSuchVersionError:
            raise web.HTTPNotFound from None

    async def _fields(self, request: web.Request) -> Fields:
        return {name: value for name, value in (await posted(request)).items() if isinstance(value, str)}

    async def _drafted(self, subject: Subject, request: web.Request, fields: Fields) -> Version:
        if not self._may(request, writes=True):
            raise web.HTTPForbidden
        doing, actor, note = self._desk.publishing, account_of(request).login, fields.get("note", "").strip()
        if "rollback" in fields:
            if not note:
                raise NotNowError("理由を入力してください / a reason is needed")
            return await doing.rollback(subject, actor=actor, reason=note)
        if "state" in fields:
            return await doing.set_states({fields.get("rule", ""): fields["state"]}, actor=actor, note=note)
        text = _typed(fields)
        if subject is Subject.POLICY:
            return await doing.draft(subject, {POLICY_FILE: text}, actor=actor, note=note)
        return await doing.change_rules({fields.get("name", ""): text or None}, actor=actor, note=note)

    async def _checked(self, subject: Subject, fields: Fields) -> str:
        """What can be said of it beside that it is right. Raises as a draft of it does."""
        doing, text = self._desk.publishing, _typed(fields)
        if subject is Subject.RULES:
            await doing.read(subject, await doing.rules_with({fields.get("name", ""): text or None}))
            return "書き方に誤りはありません / it compiles"
        await doing.read(subject, {POLICY_FILE: text})
        loosened = len(warnings(load(text)))
        return f"書き方に誤りはありません。緩和 {loosened}件 / it can be read; {loosened} things are loosened"

    async def _acted(self, version: Version, request: web.Request, fields: Fields) -> None:
        what, reason = fields.get("what", ""), fields.get("reason", "").strip()
        if not self._may(request, writes=what != "approve"):
            raise web.HTTPForbidden
        actor = account_of(request).login
        if what == "backtest":
            await self._desk.trials.ask(version, actor=actor)
        elif what == "stop":
            for trial in await self._desk.trials.of_version(version.id):
                if trial.state in (TrialState.WAITING, TrialState.RUNNING):
                    await self._desk.trials.stop(trial.id, actor=actor)
        elif what in ("submit", "approve", "publish", "withdraw"):
            await self._desk.step(version, what, account_of(request), reason)
        else:
            raise web.HTTPBadRequest

    def _may(self, request: web.Request, *, writes: bool) -> bool:
        return may(account_of(request), WRITERS if writes else APPROVERS)

    # --------------------------------------------------------------------------------------------------------- showing

    async def _shelf(self, subject: Subject, request: web.Request, *, error: str = "", status: int = 200) -> web.StreamResponse:
        doing = self._desk.publishing
        standing = (await doing.standing()).get(subject)
        files = await doing.files_in_force(subject) or {}
        name = request.query.get("file", "")
        return self._signin.page(
            request,
            "shelf.html",
            status,
            subject=subject,
            name_of=_TITLES[subject],
            at=PAGES[subject],
            standing=standing,
            versions=[_line(version) for version in await doing.listed(subject, _RECENT)],
            history=[(one, when(one.at)) for one in await doing.history(subject, _RECENT)],
            rules=[_ruled(row) for row in await self._desk.rules()] if subject is Subject.RULES else [],
            late=[(hit, when(hit.at)) for hit in await self._late(subject)],
            files=sorted(files),
            name=name if name in files else "",
            text=files.get(POLICY_FILE if subject is Subject.POLICY else name, ""),
            states=[(state, _RULE_STATES[state]) for state in rulesets.STATES],
            writes=self._may(request, writes=True),
            four_eyes=doing.four_eyes,
            error=error,
        )

    async def _late(self, subject: Subject) -> list[LateHit]:
        return await self._desk.late_hits(_RECENT) if subject is Subject.RULES else []

    async def _one(
        self, subject: Subject, version: Version, request: web.Request, *, error: str = "", status: int = 200
    ) -> web.StreamResponse:
        doing, trials = self._desk.publishing, await self._desk.trials.of_version(version.id)
        newest = trials[0] if trials else None
        differences = await self._desk.trials.differences(newest.id, _SHOWN_DIFFERENCES) if newest else []
        return self._signin.page(
            request,
            "version.html",
            status,
            name_of=_TITLES[subject],
            at=PAGES[subject],
            version=version,
            stage=STAGES[version.stage],
            difference=(await doing.difference(version.id)).splitlines(),
            warnings=warnings(load(policy_text(await doing.files(version.id)))) if subject is Subject.POLICY else (),
            steps=[(STAGES[step.stage], step, when(step.at)) for step in await doing.steps(version.id)],
            trial=None if newest is None else _shown(newest),
            differences=differences,
            standing=(await doing.standing()).get(subject),
            writes=self._may(request, writes=True),
            approves=self._may(request, writes=False),
            four_eyes=doing.four_eyes,
            error=error,
        )


def _typed(fields: Fields) -> str:
    """Browsers send CR LF from a text field."""
    return fields.get("text", "").replace("\r\n", "\n")


def _line(version: Version) -> dict[str, Any]:
    return {"id": version.id, "version": version.version, "stage": STAGES[version.stage], "author": version.author,
            "at": when(version.at), "note": version.note}  # fmt: skip


def _ruled(row: dict[str, Any]) -> dict[str, Any]:
    """A rule in force with its state and its last match in words."""
    last = dt.datetime.fromisoformat(row["last_match"]).timestamp() if row["last_match"] else None
    return row | {"said": _RULE_STATES.get(row["state"], row["state"]), "last": None if last is None else day(last)}


def _shown(trial: Trial) -> dict[str, Any]:
    """A back-test and its sums, the most frequent first."""
    summary = msgspec.json.decode(trial.summary, type=Summary)
    return {
        "trial": trial,
        "state": STATES[trial.state],
        "under_way": trial.state in (TrialState.WAITING, TrialState.RUNNING),
        "summary": summary,
        "counted": [
            (ja, en, most(counts)[:50])
            for ja, en, counts in (
                ("新たに検知", "new hits", summary.new),
                ("検知しなくなる", "lost hits", summary.lost),
                ("判定の変化", "verdicts", summary.verdicts),
                ("団体別", "by organisation", summary.organisations),
                ("所属別", "by department", summary.departments),
                ("安全なファイルでの誤検知", "hits on the clean set", summary.clean_hits),
            )
            if counts
        ],
    }
