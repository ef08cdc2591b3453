"""Rules and policy at the desk: what is no question, who may not, and what has changed meanwhile."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from gateway.admin import publishing
from gateway.people.accounts import Role
from gateway.publishing.trials import TrialState
from gateway.publishing.versions import Stage, Subject, Version
from tests.build.face import Town, client, csrf, log_in
from tests.build.publishing import NEW_RULE, RULES, Office, office

pytestmark = pytest.mark.asyncio

Browser = TestClient[web.Request, web.Application]
SETS = "/api/v1/rulesets"
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def desk(place: Town) -> Office:
    place.roles["hoka"] = Role.ADMINISTRATOR
    return await office(place)


async def drafted(desk: Office, rule: str = NEW_RULE) -> Version:
    return await desk.publishing.change_rules({"b.yar": rule}, actor="kanri")


async def entered(place: Town, browser: Browser, login: str = "kanri") -> None:
    await place.known(login)
    assert (await log_in(browser, login)).status == 303


async def test_a_question_that_is_none(place: Town, desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    version, head = await drafted(desk), await place.token("kanri")
    one = f"{SETS}/{version.id}"
    async with client(desk.admin) as browser:
        for body in (b"{", b"[]", b'{"days": "x"}', b"\xff"):
            assert (await browser.post(f"{one}/backtests", headers=head, data=body)).status == 400
        for days in (0, 3_651, -1):
            assert (await browser.post(f"{one}/backtests", headers=head, json={"days": days})).status == 400
        for query in ("0", "3651", "x", "9" * 5_000):
            assert (await browser.get(f"/api/v1/rules?days={query}", headers=head)).status in (400, 422)
        for number in ("x", "9" * 16, "99"):
            assert (await browser.get(f"{SETS}/{number}", headers=head)).status == 404
        monkeypatch.setattr(publishing, "_MOST_BODY", 1_000)
        large = await browser.post(SETS, headers=head, json={"files": {"c.yar": " " * 2_000}})
        assert large.status == 413
    assert await desk.trials.of_version(version.id) == []


async def test_a_whole_set_takes_the_place_of_what_was_there(place: Town, desk: Office) -> None:
    head = await place.token("kanri")
    async with client(desk.admin) as browser:
        made = await browser.post(SETS, headers=head, json={"files": {"b.yar": NEW_RULE}, "whole": True, "note": "入替え"})
        assert made.status == 201
        shown = await (await browser.get(f"{SETS}/{(await made.json())['number']}", headers=head)).json()
        assert shown["files"] == {"b.yar": NEW_RULE}
        for files in ({}, {"../b.yar": NEW_RULE}, {"b.txt": ""}):
            answer = await browser.post(SETS, headers=head, json={"files": files, "whole": True})
            assert answer.status in (400, 409, 422), files


async def test_a_back_test_belongs_to_its_version_and_is_stopped(place: Town, desk: Office) -> None:
    version, other, head = await drafted(desk), await drafted(desk, NEW_RULE.replace("Newer", "Other")), await place.token("kanri")
    async with client(desk.admin) as browser:
        asked = await (await browser.post(f"{SETS}/{version.id}/backtests", headers=head, json={"days": 3})).json()
        for number in (f"{SETS}/{other.id}/backtests/{asked['id']}", f"{SETS}/{version.id}/backtests/x", f"{SETS}/{version.id}/backtests/99"):
            assert (await browser.get(number, headers=head)).status == 404
            assert (await browser.post(f"{number}/stop", headers=head)).status == 404
        stopped = await browser.post(f"{SETS}/{version.id}/backtests/{asked['id']}/stop", headers=head)
        assert (stopped.status, (await stopped.json())["state"]) == (200, "stopped")
        assert (await browser.post(f"{SETS}/{version.id}/backtests/{asked['id']}/stop", headers=head)).status == 409


async def test_the_page_of_a_version(place: Town, desk: Office) -> None:
    version = await drafted(desk)
    path = f"/rules/versions/{version.id}"
    async with client(desk.admin) as browser:
        await entered(place, browser)
        word = await csrf(browser, path)

        async def sent(**given: str) -> int:
            return (await browser.post(path, data=given | {"csrf": word}, allow_redirects=False)).status

        assert await sent(what="explode") == 400
        assert await sent() == 400
        assert await sent(what="backtest") == 303
        assert await sent(what="stop") == 303
        assert [one.state for one in await desk.trials.of_version(version.id)] == [TrialState.STOPPED]
        assert await sent(what="approve", reason="x") in (403, 409), "his own"
        assert (await browser.get("/rules/versions/99")).status == 404
        garbled = await browser.post(path, headers=OWN | {"Content-Type": "application/x-www-form-urlencoded"}, data=b"what=\xff")
        assert garbled.status == 400
    assert (await desk.publishing.version(version.id)).stage is Stage.DRAFT


async def test_rules_and_policy_from_the_page(place: Town, desk: Office) -> None:
    async with client(desk.admin) as browser:
        await entered(place, browser)
        word = await csrf(browser, "/rules")

        async def sent(page: str, **given: str) -> tuple[int, str]:
            answer = await browser.post(page, data=given | {"csrf": word}, allow_redirects=False)
            return answer.status, answer.headers.get("Location", "") or await answer.text()

        status, where = await sent("/rules", rule="Known", state="disabled", note="誤検知")
        assert (status, where.rpartition("/")[0]) == (303, "/rules/versions")
        assert 'state = "disabled"' in (await desk.publishing.files(int(where.rpartition("/")[2])))["catalog.toml"]
        for given in ({"rule": "Known", "state": "loud"}, {"rule": "", "state": "disabled"}, {"rollback": "1", "note": ""}):
            assert (await sent("/rules", **given))[0] in (400, 409, 422), given
        status, where = await sent("/policy", text="[kinds]\ndxf = 'hold'\n", note="図面")
        assert (status, where.rpartition("/")[0]) == (303, "/policy/versions")
        assert (await sent("/policy", text="nonsense = 1\n"))[0] in (400, 409, 422)


async def test_a_form_of_policy_that_somebody_changed_meanwhile(place: Town, desk: Office) -> None:
    async with client(desk.admin) as browser:
        await entered(place, browser)
        page = await (await browser.get("/policy/form")).text()
        assert (await browser.get("/policy/form?of=nothing")).status == 200
        assert "name" in page
        word = await csrf(browser, "/policy/form")
        moved = await browser.post("/policy/form", data={"csrf": word, "base": "another", "note": "x"})
        assert (moved.status, "別の版が公開されました" in await moved.text()) == (409, True)
    assert len(await desk.publishing.listed(Subject.POLICY)) == 1


@pytest.mark.parametrize("login", ["sousa", "kansa"])
async def test_who_reads_does_not_write(place: Town, desk: Office, login: str) -> None:
    version = await drafted(desk)
    async with client(desk.admin) as browser:
        await entered(place, browser, login)
        for path, given in (
            ("/rules", {"name": "c.yar", "text": NEW_RULE}),
            ("/policy", {"text": ""}),
            ("/policy/form", {"base": ""}),
            (f"/rules/versions/{version.id}", {"what": "withdraw"}),
        ):
            answer = await browser.post(path, data=given, headers=OWN, allow_redirects=False)
            assert answer.status == 403, path
    assert [one.stage for one in await desk.publishing.listed(Subject.RULES)] == [Stage.DRAFT, Stage.PUBLISHED]
    assert await desk.publishing.files_in_force(Subject.RULES) == RULES
