"""Rules and policy at the desk: two persons, a back-test before, one word back; who may do what; and the pages."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from gateway.people.accounts import RefusedError, Role
from gateway.publishing.versions import Subject
from gateway.storage import rescans
from tests.build.face import Town, client, csrf, log_in
from tests.build.publishing import NEW_RULE, RULES, Office, office

Browser = TestClient[web.Request, web.Application]
SETS, POLICIES = "/api/v1/rulesets", "/api/v1/policies"


@pytest.fixture
async def desk(place: Town) -> Office:
    place.roles["hoka"] = Role.ADMINISTRATOR
    return await office(place)


class Person:
    """Somebody with a token."""

    def __init__(self, browser: Browser, headers: dict[str, str]) -> None:
        self._browser = browser
        self._headers = headers

    async def get(self, path: str, status: int = 200) -> Any:
        answer = await self._browser.get(path, headers=self._headers)
        assert answer.status == status, await answer.text()
        return await answer.json()

    async def post(self, path: str, body: dict[str, object] | None = None, status: int = 200) -> Any:
        answer = await self._browser.post(path, json=body or {}, headers=self._headers)
        assert answer.status == status, await answer.text()
        return await answer.json()


async def test_the_whole_way_with_two_persons(place: Town, desk: Office) -> None:
    receipt_no = await place.settled()
    async with client(desk.admin) as browser:
        kanri, hoka, sousa, kansa = [Person(browser, await place.token(login)) for login in ("kanri", "hoka", "sousa", "kansa")]
        (first,) = await kansa.get(SETS)
        assert (first["stage"], first["in_force"], first["author"]) == ("published", True, "system")
        made = await kanri.post(SETS, {"files": {"b.yar": NEW_RULE}, "note": "要望 12"}, status=201)
        one = f"{SETS}/{made['number']}"
        await kanri.post(one + "/publish", status=409)
        await kanri.post(one + "/submit", {"note": "お願いします"})
        assert "+rule Newer" in (await sousa.get(one))["difference"]
        assert [entry.actor async for entry in place.journal.entries() if entry.action == "guarded.exported"] == ["sousa"]
        assert "兼務" in (await kanri.post(one + "/approve", status=403))["detail"], "the author alone is refused"
        await sousa.post(one + "/approve", {"reason": "x"}, status=403)
        assert "試行" in (await hoka.post(one + "/approve", status=409))["detail"], "and nobody without a back-test or a reason"
        asked = await kanri.post(one + "/backtests", status=202)
        assert (await kanri.get(f"{one}/backtests/{asked['id']}"))["state"] == "waiting"
        await kanri.post(one + "/backtests", status=409)
        assert await desk.trials.run_one() is not None
        test = await sousa.get(f"{one}/backtests/{asked['id']}")
        assert (test["state"], test["summary"]["new"]) == ("done", {"Newer": 1})
        assert [row["name"] for row in test["differences"]] == [receipt_no]
        assert test["done"] == test["total"] > 1, "the clean set was looked at too"
        await hoka.post(one + "/approve", {"reason": "確認"})
        await sousa.post(one + "/publish", status=403)
        assert (await kanri.post(one + "/publish"))["stage"] == "published"
        assert await desk.publishing.files_in_force(Subject.RULES) == RULES | {"b.yar": NEW_RULE}
        await kanri.post(SETS + "/rollback", status=400)
        back = await kanri.post(SETS + "/rollback", {"reason": "誤検知"})
        assert (back["number"], back["version"]) == (first["number"], first["version"])
        assert await desk.publishing.files_in_force(Subject.RULES) == RULES, "to the byte"
        assert [row["version_id"] for row in await kansa.get(SETS + "/history")] == [first["number"], made["number"], first["number"]]
    entries = [entry async for entry in place.journal.entries(subject=f"rules-{made['number']}")]
    assert [entry.action for entry in entries] == [
        "rules.draft", "rules.submitted", "rules.backtest", "rules.approved", "rules.published", "rules.in_force",
    ]  # fmt: skip
    assert [entry.actor for entry in entries] == ["kanri", "kanri", "kanri", "hoka", "kanri", "kanri"]
    assert '"version":1' in entries[-1].detail, "what was in force before stands beside it"


async def test_a_policy_goes_the_same_way(place: Town, desk: Office) -> None:
    async with client(desk.admin) as browser:
        kanri, hoka = Person(browser, await place.token("kanri")), Person(browser, await place.token("hoka"))
        wrong = await kanri.post(POLICIES, {"text": "nonsense = 1"}, status=422)
        assert "nonsense" in wrong["detail"]
        await kanri.post(POLICIES, {"text": ""}, status=409)
        made = await kanri.post(POLICIES, {"text": "[kinds]\npdf = 'hold'\n", "note": "x"}, status=201)
        await kanri.get(f"{SETS}/{made['number']}", status=404)
        one = f"{POLICIES}/{made['number']}"
        await kanri.post(one + "/submit")
        await hoka.post(one + "/approve", {"reason": "急ぎ"})
        await kanri.post(one + "/publish")
        assert "pdf" in ((await desk.publishing.files_in_force(Subject.POLICY)) or {})["policy.toml"]


async def test_who_may_do_what(place: Town, desk: Office) -> None:
    async with client(desk.admin) as browser:
        kanri, sousa, kansa = [Person(browser, await place.token(login)) for login in ("kanri", "sousa", "kansa")]
        for nobody in (sousa, kansa):
            await nobody.post(SETS, {"files": {"b.yar": NEW_RULE}}, status=403)
            await nobody.post(SETS + "/rollback", {"reason": "x"}, status=403)
            await nobody.post(SETS + "/states", {"states": {"Known": "disabled"}}, status=403)
        made = await kanri.post(SETS, {"files": {"b.yar": NEW_RULE}}, status=201)
        one = f"{SETS}/{made['number']}"
        for step in ("submit", "withdraw", "backtests"):
            await sousa.post(f"{one}/{step}", status=403)
        await kanri.post(one + "/submit")
        await kansa.post(one + "/approve", {"reason": "x"}, status=403)
        for path in (SETS, one, "/api/v1/rules", "/api/v1/rules/Known", "/api/v1/rescans", SETS + "/history"):
            await kansa.get(path)
        for path in (f"{SETS}/999", f"{SETS}/x", f"{SETS}/{'9' * 30}", f"{one}/backtests/7"):
            await kansa.get(path, status=404)
        for wrong in ({"files": 3}, {"files": {}, "more": 1}):
            await kanri.post(SETS, wrong, status=400)
        assert (await browser.get(SETS)).status == 401


async def test_what_does_not_compile_is_told_by_rule_and_line(place: Town, desk: Office) -> None:
    async with client(desk.admin) as browser:
        kanri = Person(browser, await place.token("kanri"))
        told = await kanri.post(SETS, {"files": {"b.yar": NEW_RULE + "rule Bad {\n condition:\n  nonsense }"}}, status=422)
        assert told["faults"] == [{"file": "b.yar", "line": 4, "rule": "Bad", "text": 'undefined identifier "nonsense"'}]
        for name in ("../b.yar", "b.txt", "x/b.yar"):
            await kanri.post(SETS, {"files": {name: NEW_RULE}}, status=422)
        feed = {"feed.yar": NEW_RULE + "rule Bad { condition: filename }\nrule Known { condition: true }\n"}
        made = await kanri.post(SETS + "/import", {"files": feed}, status=201)
        assert (made["taken"], [(fault["rule"], fault["line"]) for fault in made["left_out"]]) == (1, [("Bad", 2), ("Known", 3)])
        files = (await kanri.get(f"{SETS}/{made['number']}"))["files"]
        assert files["feed.yar"] == NEW_RULE
        assert '[Newer]\nstate = "evaluation"' in files["catalog.toml"]
        nothing = await kanri.post(SETS + "/import", {"files": {"feed.yar": "rule Bad { condition: filename }"}}, status=422)
        assert len(nothing["left_out"]) == 1


async def test_states_and_statistics(place: Town, desk: Office) -> None:
    async with client(desk.admin) as browser:
        kanri = Person(browser, await place.token("kanri"))
        made = await kanri.post(SETS + "/states", {"states": {"Known": "disabled"}, "note": "誤検知"}, status=201)
        difference = (await kanri.get(f"{SETS}/{made['number']}"))["difference"]
        assert '-state = "enabled"\n+state = "disabled"' in difference
        assert "# our rules" in (await kanri.get(f"{SETS}/{made['number']}"))["files"]["catalog.toml"]
        await kanri.post(SETS + "/states", {"states": {"Known": "asleep"}}, status=422)
        await kanri.post(SETS + "/states", {"states": {"Nobody": "disabled"}}, status=422)
        (row,) = await kanri.get("/api/v1/rules")
        assert (row["rule"], row["state"], row["matches"]) == ("Known", "enabled", 0)
        for wrong in ("?days=0", "?days=x", "?days=-1"):
            await kanri.get("/api/v1/rules" + wrong, status=400)


async def test_what_was_found_late_stands_first(place: Town, desk: Office) -> None:
    receipt_no = await place.settled()
    transfer = await place.journal.find(receipt_no)
    await place.journal.collected(transfer, at=place.clock(), actor="tanaka")
    await place.journal.write(lambda connection: rescans.hit(connection, transfer, ["Newer"], at=place.clock()))
    await place.known("kanri")
    async with client(desk.admin) as browser:
        kansa = Person(browser, await place.token("kansa"))
        (hit,) = (await kansa.get("/api/v1/rescans"))["late_hits"]
        assert (hit["receipt_no"], hit["name"], hit["received_by"]["collected"]) == (receipt_no, "Newer", ["tanaka"])
        await log_in(browser, "kanri")
        page = await (await browser.get("/rules")).text()
    assert page.index(receipt_no) < page.index("Versions")
    assert "tanaka" in page


async def test_the_pages_do_the_same_by_forms(place: Town, desk: Office) -> None:
    await place.settled()
    await place.known("kanri")
    await place.known("hoka")
    async with client(desk.admin) as one, client(desk.admin) as other:
        await log_in(one, "kanri")
        await log_in(other, "hoka")
        ours, theirs = await csrf(one), await csrf(other)
        page = await (await one.get("/rules")).text()
        assert "Known" in page
        drafted = await one.post("/rules", data={"csrf": ours, "name": "b.yar", "text": NEW_RULE.replace("\n", "\r\n"), "note": "<b>"},
                                 allow_redirects=False)  # fmt: skip
        at = drafted.headers["Location"]
        assert drafted.status == 303
        for browser, word, what, status in (
            (one, ours, "submit", 303), (other, theirs, "submit", 409), (one, ours, "approve", 409), (one, ours, "backtest", 303),
            (one, "", "backtest", 403), (one, ours, "nonsense", 400),
        ):  # fmt: skip
            answer = await browser.post(at, data={"csrf": word, "what": what}, allow_redirects=False)
            assert answer.status == status, what
        assert await desk.trials.run_one() is not None
        shown = await (await other.get(at)).text()
        assert "＋Newer" in shown
        assert "&lt;b&gt;" in shown
        assert (await other.post(at, data={"csrf": theirs, "what": "approve"}, allow_redirects=False)).status == 303
        assert (await one.post(at, data={"csrf": ours, "what": "publish"}, allow_redirects=False)).status == 303
        assert "適用中" in await (await one.get(at)).text()
        assert (await one.post("/rules", data={"csrf": ours, "rollback": "1", "note": ""}, allow_redirects=False)).status == 409
        assert (await one.post("/rules", data={"csrf": ours, "rollback": "1", "note": "誤検知"}, allow_redirects=False)).status == 303
        assert await desk.publishing.files_in_force(Subject.RULES) == RULES
        assert (await one.get("/policy")).status == 200
        assert (await one.get("/rules/versions/99")).status == 404


async def test_what_is_typed_is_looked_at_and_nothing_is_written_down(place: Town, desk: Office) -> None:
    await place.known("kanri")
    await place.known("sousa")
    broken = NEW_RULE + "rule Bad {\n condition:\n  nonsense }"
    async with client(desk.admin) as one, client(desk.admin) as other:
        await log_in(one, "kanri")
        await log_in(other, "sousa")
        ours = await csrf(one)

        async def asked(at: str, **fields: str) -> tuple[bool, str]:
            told = await (await one.post(f"{at}/check", data={"csrf": ours, **fields})).json()
            return told["good"], told["said"]

        assert await asked("/rules", name="b.yar", text=NEW_RULE.replace("\n", "\r\n")) == (True, "書き方に誤りはありません / it compiles")
        assert await asked("/rules", name="b.yar", text=broken) == (False, 'b.yar:4: Bad: undefined identifier "nonsense"')
        assert not (await asked("/rules", name="../b.yar", text=NEW_RULE))[0]
        assert (await asked("/policy", text='name = "x"\n'))[0]
        good, why = await asked("/policy", text="no = such\n")
        assert not good
        assert why
        assert (await one.post("/rules/check", data={"name": "b.yar", "text": NEW_RULE})).status == 403, "without the word of the form"
        theirs = await csrf(other)
        assert (await other.post("/rules/check", data={"csrf": theirs, "name": "b.yar", "text": NEW_RULE})).status == 403
    assert [version.id for version in await desk.publishing.listed(Subject.RULES, 10)] == [1]


async def test_what_is_submitted_waits_with_all_other_requests(place: Town, desk: Office) -> None:
    async with client(desk.admin) as browser:
        kanri = Person(browser, await place.token("kanri"))
        await place.known("hoka")
        one, other = [await place.accounts.find(login) for login in ("kanri", "hoka")]
        assert one is not None
        assert other is not None
        numbers = []
        for name in ("b.yar", "c.yar", "d.yar"):
            made = await kanri.post(SETS, {"files": {name: NEW_RULE.replace("Newer", name[0].upper())}, "note": "要望"}, status=201)
            await kanri.post(f"{SETS}/{made['number']}/submit", {"note": "お願い"})
            numbers.append(made["number"])
        waiting = await desk.approvals.waiting_for(other)
        assert [request.subject for request in waiting] == [f"rules-{number}" for number in numbers]
        assert await desk.approvals.waiting_for(one) == []
        with pytest.raises(RefusedError, match="reason"):
            await desk.approvals.approve(waiting[0].number, other)
        await desk.approvals.approve(waiting[0].number, other, "確認")
        assert (await kanri.get(f"{SETS}/{numbers[0]}"))["stage"] == "approved", "a word given there is the word"
        await kanri.post(f"{SETS}/{numbers[1]}/withdraw")
        assert [request.subject for request in await desk.approvals.waiting_for(other)] == [f"rules-{numbers[2]}"]
        await desk.approvals.proceed(waiting[2].number, one, "他の管理者が不在")
        alone = await kanri.get(f"{SETS}/{numbers[2]}")
        assert alone["stage"] == "approved", "止むを得ない場合, where the engine allows it"
        entries = [entry async for entry in place.journal.entries(subject=f"rules-{numbers[2]}") if entry.action == "rules.approved"]
        assert '"alone":true' in entries[0].detail


async def test_the_document_names_every_way(place: Town, desk: Office) -> None:
    async with client(desk.admin) as browser:
        paths = (await (await browser.get("/api/v1/openapi.json")).json())["paths"]
    for path in (SETS, SETS + "/{version}", SETS + "/{version}/approve", POLICIES + "/rollback", SETS + "/{version}/backtests/{backtest}/stop"):
        assert path in paths
