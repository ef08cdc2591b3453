"""Rules and policy at the desk: versions, their difference, their back-tests, and every step of theirs.

Administrators write; another administrator or the CISO approves; auditors read. The same rows serve `/api/v1/rulesets` and
`/api/v1/policies`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.admin import policy_form, publishing_pages
from gateway.admin.publishing_pages import APPROVERS, WRITERS, may
from gateway.model import rfc3339
from gateway.people.accounts import Account, RefusedError, Role
from gateway.publishing import rulesets
from gateway.publishing.backtest import Summary
from gateway.publishing.requests import PublishingRequests
from gateway.publishing.rule_check import RuleCheckError
from gateway.publishing.trials import NoSuchTrialError, Trial, Trials
from gateway.publishing.versions import POLICY_FILE, NoSuchVersionError, NotAnotherPersonError, NotNowError, Publishing, Subject, Version
from gateway.road.warm_parent import JailUnavailable
from gateway.storage import rescans, rule_matches
from gateway.storage.journal import Journal
from gateway.web import guarded
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of

BASES: Final = {Subject.RULES: "/api/v1/rulesets", Subject.POLICY: "/api/v1/policies"}
STEPS: Final = ("submit", "approve", "publish", "withdraw")
# A feed of rules is larger than what the other handlers of a face take.
_MOST_BODY: Final = 24 << 20
_MOST_ROWS: Final = 1_000
_DAYS: Final = 30
_DAY_SECONDS: Final = 86_400
_LIST: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_BODY: Final = {"application/json": {"schema": {"type": "object"}}}
_FAULTS: Final = {400: "bad", 404: "not found", 409: "not possible in this state"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """What a step, a rollback or a back-test is asked with."""

    reason: str = ""
    note: str = ""
    version: int | None = None
    days: int | None = None


class NewRules(msgspec.Struct, forbid_unknown_fields=True):
    """`files`: name → text, or null to take a file out; `whole`: they are the whole set."""

    files: dict[str, str | None]
    note: str = ""
    whole: bool = False


class NewPolicy(msgspec.Struct, forbid_unknown_fields=True):
    """The document."""

    text: str
    note: str = ""


class NewStates(msgspec.Struct, forbid_unknown_fields=True):
    """Rule → enabled, evaluation or disabled."""

    states: dict[str, str]
    note: str = ""


class PublishingDesk:
    """Handlers; see `Desk` in gateway.admin.app."""

    def __init__(
        self, journal: Journal, publishing: Publishing, trials: Trials, requests: PublishingRequests, clock: Callable[[], float] = time.time
    ) -> None:
        self._journal = journal
        self._requests = requests
        self.publishing = publishing
        self.trials = trials
        self._clock = clock
        self.routes: Sequence[Route] = (*self._of(Subject.RULES), *self._of(Subject.POLICY), *self._of_rules())

    def install(self, application: web.Application, signin: SignIn) -> None:
        """The pages, over the same doings."""
        publishing_pages.install(self, application, signin)
        policy_form.install(self, application, signin)

    # ---------------------------------------------------------------------------------------------------------- routes

    def _of(self, subject: Subject) -> list[Route]:
        base, one = BASES[subject], BASES[subject] + "/{version}"

        def handler(doing: Callable[[Subject, web.Request], Awaitable[web.StreamResponse]], *, writes: bool = False) -> Handler:
            @wraps(doing)
            async def handle(request: web.Request) -> web.StreamResponse:
                return await told(request, lambda: doing(subject, request), WRITERS if writes else frozenset(Role))

            return handle

        said = "the steps of a version, in its order: submit, approve (another person), publish; or withdraw"
        tests = one + "/backtests"
        faults = {422: "does not compile, cannot be read"}
        return [
            Route("GET", base, handler(self._list), "versions, the youngest first", content=_LIST),
            Route("POST", base, handler(self._draft, writes=True), "a new draft", 201, body=_BODY, faults=_FAULTS | faults),
            Route("GET", base + "/history", handler(self._history), "what was in force, the youngest first", content=_LIST),
            Route("POST", base + "/rollback", handler(self._rollback, writes=True), "back to a former one", body=_BODY, faults=_FAULTS),
            Route("GET", one, handler(self._show), "a version: text, difference, steps, back-tests", faults={404: "not found"}),
            *(Route("POST", f"{one}/{step}", self._stepping(subject, step), said, body=_BODY, faults=_FAULTS) for step in STEPS),
            Route("POST", tests, handler(self._ask, writes=True), "try it over the traffic kept", 202, body=_BODY, faults=_FAULTS),
            Route("GET", tests + "/{backtest}", handler(self._test), "progress, sums and differences", faults={404: "not found"}),
            Route("POST", tests + "/{backtest}/stop", handler(self._stop, writes=True), "stop it", faults=_FAULTS),
        ]

    def _of_rules(self) -> list[Route]:
        def handler(doing: Handler, *, writes: bool = False) -> Handler:
            @wraps(doing)
            async def handle(request: web.Request) -> web.StreamResponse:
                return await told(request, lambda: doing(request), WRITERS if writes else frozenset(Role))

            return handle

        days, bad = {"days": "statistics of so many days"}, {400: "bad"}
        taken, states = "files from elsewhere, into evaluation", "rules in other states, as a draft"

        def drafting(way: str, doing: Handler, summary: str) -> Route:
            path, faults = f"{BASES[Subject.RULES]}/{way}", _FAULTS | {422: "does not compile"}
            return Route("POST", path, handler(doing, writes=True), summary, 201, body=_BODY, faults=faults)

        return [
            drafting("import", self._import, taken),
            drafting("states", self._states, states),
            Route("GET", "/api/v1/rules", handler(self._rules), "rules in force: state, matches", content=_LIST, query=days, faults=bad),
            Route("GET", "/api/v1/rules/{rule}", handler(self._rule), "one rule: matches by day, transfers", query=days, faults=bad),
            Route("GET", "/api/v1/rescans", handler(self._rescans), "what was scanned again, and what it found late"),
        ]

    def _stepping(self, subject: Subject, step: str) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            async def doing() -> web.StreamResponse:
                version = await self.found(subject, request)
                asked = await _read(request, Asked)
                return web.json_response(shown(await self.step(version, step, account_of(request), asked.reason or asked.note)))

            return await told(request, doing, APPROVERS if step == "approve" else WRITERS)

        return handle

    # ------------------------------------------------------------------------------------------------------- versions

    async def _list(self, subject: Subject, _: web.Request) -> web.Response:
        standing = (await self.publishing.standing()).get(subject)
        return web.json_response([shown(version, standing) for version in await self.publishing.listed(subject, _MOST_ROWS)])

    async def _draft(self, subject: Subject, request: web.Request) -> web.Response:
        actor = account_of(request).login
        if subject is Subject.POLICY:
            policy = await _read(request, NewPolicy)
            made = await self.publishing.draft(subject, {POLICY_FILE: policy.text}, actor=actor, note=policy.note)
            return web.json_response(shown(made), status=201)
        rules = await _read(request, NewRules)
        if rules.whole:
            made = await self.publishing.draft(subject, rulesets.changed({}, rules.files), actor=actor, note=rules.note)
        else:
            made = await self.publishing.change_rules(rules.files, actor=actor, note=rules.note)
        return web.json_response(shown(made), status=201)

    async def _show(self, subject: Subject, request: web.Request) -> web.Response:
        version = await self.found(subject, request)
        await guarded.taken(request, self._journal, self._clock())
        standing = (await self.publishing.standing()).get(subject)
        more = {
            "files": await self.publishing.files(version.id),
            "difference": await self.publishing.difference(version.id),
            "steps": [msgspec.to_builtins(step) | {"at": rfc3339(step.at)} for step in await self.publishing.steps(version.id)],
            "backtests": [tried(trial) for trial in await self.trials.of_version(version.id)],
        }
        return web.json_response(shown(version, standing) | more)

    async def _history(self, subject: Subject, _: web.Request) -> web.Response:
        past = await self.publishing.history(subject, _MOST_ROWS)
        return web.json_response([msgspec.to_builtins(one) | {"at": rfc3339(one.at)} for one in past])

    async def _rollback(self, subject: Subject, request: web.Request) -> web.Response:
        asked = await _read(request, Asked)
        if not asked.reason:
            return problem(400, "理由を入力してください / a reason is needed")
        actor = account_of(request).login
        done = await self.publishing.rollback(subject, actor=actor, reason=asked.reason, version_id=asked.version)
        return web.json_response(shown(done, done.id))

    async def step(self, version: Version, step: str, account: Account, reason: str) -> Version:
        """One of STEPS; what a step may raise is turned into an answer by `told`."""
        if step == "publish":
            return await self.publishing.publish(version.id, actor=account.login, reason=reason)
        doing = {"submit": self._requests.submit, "approve": self._requests.approve, "withdraw": self._requests.withdraw}[step]
        return await doing(version, account, reason)

    async def found(self, subject: Subject, request: web.Request) -> Version:
        """The version that the address names. Raises NoSuchVersionError."""
        number = request.match_info["version"]
        if not number.isdecimal() or len(number) > 15:
            raise NoSuchVersionError(number)
        return await self.publishing.version(int(number), subject)

    # ------------------------------------------------------------------------------------------------------ back-tests

    async def _ask(self, subject: Subject, request: web.Request) -> web.Response:
        version = await self.found(subject, request)
        asked = await _read(request, Asked)
        if asked.days is not None and not 1 <= asked.days <= 3_650:
            return problem(400, "days: 1 … 3650")
        trial = await self.trials.ask(version, actor=account_of(request).login, days=asked.days)
        return web.json_response(tried(trial), status=202)

    async def _test(self, subject: Subject, request: web.Request) -> web.Response:
        trial = await self._trial(subject, request)
        differences = [msgspec.to_builtins(one) for one in await self.trials.differences(trial.id, _MOST_ROWS)]
        return web.json_response(tried(trial) | {"differences": differences})

    async def _stop(self, subject: Subject, request: web.Request) -> web.Response:
        trial = await self._trial(subject, request)
        return web.json_response(tried(await self.trials.stop(trial.id, actor=account_of(request).login)))

    async def _trial(self, subject: Subject, request: web.Request) -> Trial:
        version, number = await self.found(subject, request), request.match_info["backtest"]
        if not number.isdecimal() or len(number) > 15:
            raise NoSuchTrialError(number)
        trial = await self.trials.find(int(number))
        if trial.version_id != version.id:
            raise NoSuchTrialError(number)
        return trial

    # ----------------------------------------------------------------------------------------------------------- rules

    async def _import(self, request: web.Request) -> web.Response:
        given = await _read(request, NewRules)
        files = {name: text for name, text in given.files.items() if text is not None}
        made, answer = await self.publishing.take_foreign(files, actor=account_of(request).login, note=given.note)
        left_out = [msgspec.to_builtins(fault) for fault in answer.faults]
        if made is None:
            return problem(422, "取り込めるルールがありません / nothing of it can be taken", left_out=left_out)
        return web.json_response(shown(made) | {"taken": len(answer.rules), "left_out": left_out}, status=201)

    async def _states(self, request: web.Request) -> web.Response:
        given = await _read(request, NewStates)
        made = await self.publishing.set_states(given.states, actor=account_of(request).login, note=given.note)
        return web.json_response(shown(made), status=201)

    async def _rules(self, request: web.Request) -> web.Response:
        return web.json_response(await self.rules(_days(request)))

    async def rules(self, days: int = _DAYS) -> list[dict[str, Any]]:
        """Of the set in force: what the catalog says of each, and what it found in the last `days`."""
        files = await self.publishing.files_in_force(Subject.RULES) or {}
        since = self._clock() - days * _DAY_SECONDS
        matches = await self._journal.ask(lambda connection: rule_matches.totals(connection, since))
        listed = []
        for name, row in sorted(rulesets.catalog(files).items()):
            found = matches.get(name)
            more = {"matches": found.transfers if found else 0, "last_match": rfc3339(found.last_at) if found else None}
            listed.append({"rule": name, "state": "enabled", **row, **more})
        return listed

    async def _rule(self, request: web.Request) -> web.Response:
        rule, since = request.match_info["rule"], self._clock() - _days(request) * _DAY_SECONDS
        by_day = await self._journal.ask(lambda connection: rule_matches.daily(connection, rule, since))
        recent = await self._journal.ask(lambda connection: rule_matches.recent(connection, rule, 100))
        rows = [one._asdict() | {"received_at": rfc3339(one.received_at)} for one in recent]
        return web.json_response({"rule": rule, "days": by_day, "transfers": rows})

    async def late_hits(self, limit: int = _MOST_ROWS) -> list[rescans.LateHit]:
        """What was found in what had been let through, the youngest first."""
        return await self._journal.ask(lambda connection: rescans.late_hits(connection, limit))

    async def _rescans(self, _: web.Request) -> web.Response:
        runs = await self._journal.ask(lambda connection: rescans.listed(connection, 20))
        hits = await self.late_hits()
        return web.json_response({"rescans": msgspec.to_builtins(runs), "late_hits": msgspec.to_builtins(hits)})


# ------------------------------------------------------------------------------------------------------------ answering


def shown(version: Version, standing: int | None = None) -> dict[str, Any]:
    """A version as the interface shows it."""
    times = {"at": rfc3339(version.at), "stage_at": rfc3339(version.stage_at)}
    known = {"number": version.id, **msgspec.to_builtins(version), **times, "in_force": version.id == standing}
    del known["id"]
    return known


def tried(trial: Trial) -> dict[str, Any]:
    """A back-test as the interface shows it."""
    times = {name: None if at is None else rfc3339(at) for name, at in (("asked_at", trial.asked_at), ("ended_at", trial.ended_at))}
    summary = msgspec.to_builtins(msgspec.json.decode(trial.summary, type=Summary))
    known: dict[str, Any] = msgspec.to_builtins(trial)
    return known | times | {"since": rfc3339(trial.since), "summary": summary}


_REFUSED: Final[dict[type[Exception], int]] = {
    NoSuchVersionError: 404,
    NoSuchTrialError: 404,
    NotAnotherPersonError: 403,
    RefusedError: 403,
    NotNowError: 409,
    msgspec.DecodeError: 400,
    UnicodeDecodeError: 400,
    JailUnavailable: 503,
}
_ERRORS: Final[tuple[type[Exception], ...]] = (*_REFUSED, ValueError)


async def told(request: web.Request, doing: Callable[[], Awaitable[web.StreamResponse]], roles: frozenset[Role]) -> web.StreamResponse:
    """What it answers, or why not, as a problem."""
    if not may(account_of(request), roles):
        return problem(403)
    try:
        return await doing()
    except _ERRORS as error:
        return _why(error)


def _why(error: Exception) -> web.Response:
    """Anything else that was given cannot be put in force."""
    status = next((status for kind, status in _REFUSED.items() if isinstance(error, kind)), 422)
    if isinstance(error, RuleCheckError):
        return problem(status, str(error), faults=[msgspec.to_builtins(fault) for fault in error.faults])
    return problem(status, "" if status == 404 else str(error)[:1_000])


async def _read(request: web.Request, type_: type[Any]) -> Any:
    """The JSON of a request; none is `{}`. Raises msgspec.DecodeError."""
    blocks, size = [], 0
    async for block in request.content.iter_chunked(1 << 16):
        size += len(block)
        if size > _MOST_BODY:
            raise web.HTTPRequestEntityTooLarge(_MOST_BODY, size)
        blocks.append(block)
    return msgspec.json.decode(b"".join(blocks) or b"{}", type=type_)


def _days(request: web.Request) -> int:
    """Raises msgspec.DecodeError for what is no number of days."""
    text = request.query.get("days", str(_DAYS))
    if not text.isdecimal() or not 1 <= int(text) <= 3_650:
        raise msgspec.DecodeError("days: 1 … 3650")
    return int(text)
