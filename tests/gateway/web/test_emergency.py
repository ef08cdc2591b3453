"""緊急停止 at the desk: at once, with a reason, by those who may; and on again."""

from __future__ import annotations

import pytest

from gateway.storage.faults import HaltedError
from gateway.storage.halts import Halt
from tests.build.face import Town, client
from tests.build.transfer import arrival

ALL = "/api/v1/emergency"


async def test_stop_and_resume(place: Town) -> None:
    who = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        told = await (await browser.post(f"{ALL}/stop", headers=who, json={"what": ["intake"], "reason": "標的型メール"})).json()
        assert (told["intake"]["actor"], told["intake"]["reason"], told["delivery"]) == ("sousa", "標的型メール", None)
        with pytest.raises(HaltedError):
            await place.journal.accept(arrival())
        page = await (await browser.get("/emergency", headers=await place.token("kansa"))).text()
        assert "停止中" in page
        assert "ただちに停止する" not in page, "an auditor looks"
        woken = place.woken
        assert (await browser.post(f"{ALL}/resume", headers=who, json={"what": [*Halt], "reason": "確認が済んだ"})).status == 200
        assert await (await browser.get(ALL, headers=who)).json() == {"intake": None, "delivery": None, "senders": []}
    assert place.woken > woken
    await place.journal.accept(arrival())
    actions = [(entry.action, entry.subject) async for entry in place.journal.entries() if entry.action.startswith("emergency")]
    assert actions == [("emergency.halt", "intake"), ("emergency.resume", "intake")]


@pytest.mark.parametrize(
    "wrong", [{}, {"what": [], "reason": "x"}, {"what": ["all"], "reason": "x"}, {"what": ["intake"], "reason": " "}, {"what": ["intake"], "reason": 7}, {"what": 7, "reason": "x"}]
)
async def test_without_what_or_why_nothing_stops(place: Town, wrong: dict[str, object]) -> None:
    who = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.post(f"{ALL}/stop", headers=who, json=wrong)).status == 400
        assert (await browser.post("/emergency", headers=who, data={"deed": "stop", "reason": "x"})).status == 400
        assert (await browser.post("/emergency", headers=who, data={"deed": "stop", "what": "all", "reason": "x"})).status == 400
    assert await place.journal.halted() == {}


@pytest.mark.parametrize(("login", "status"), [("kansa", 403), ("tanaka", 403), ("kanri", 200), ("sousa", 200)])
async def test_who_may(place: Town, login: str, status: int) -> None:
    async with client(place.faces["admin"]) as browser:
        answer = await browser.post(f"{ALL}/stop", headers=await place.token(login), json={"what": ["delivery"], "reason": "x"})
        assert answer.status == status


async def test_one_sender_is_stopped_and_let_go(place: Town) -> None:
    who, auditor = await place.token("sousa"), await place.token("kansa")
    async with client(place.faces["admin"]) as browser:
        given = {"sender": " Nusumareta@town.example.jp ", "reason": "迷惑メールの送信"}
        told = await (await browser.post(f"{ALL}/stop", headers=who, json=given)).json()
        assert (told["intake"], told["delivery"]) == (None, None)
        [stop] = told["senders"]
        assert (stop["sender"], stop["actor"], stop["reason"]) == ("nusumareta@town.example.jp", "sousa", "迷惑メールの送信")
        page = await (await browser.get("/emergency", headers=auditor)).text()
        assert "nusumareta@town.example.jp" in page
        assert "解除する" not in page, "an auditor looks"
        assert (await browser.post(f"{ALL}/resume", headers=auditor, json=given)).status == 403
        data = {"deed": "resume", "sender": stop["sender"], "reason": "端末を初期化した"}
        assert (await browser.post("/emergency", headers=who, data=data, allow_redirects=False)).status == 303
        assert (await (await browser.get(ALL, headers=who)).json())["senders"] == []
    told = [(entry.action, entry.actor) async for entry in place.journal.entries() if entry.action.startswith("sender.")]
    assert told == [("sender.stop", "sousa"), ("sender.release", "sousa")]


@pytest.mark.parametrize("wrong", [{"sender": "nobody"}, {"sender": ""}, {"sender": 7}, {"sender": "a@" + "b" * 320}, {"sender": "a@b.jp", "reason": " "}])
async def test_what_is_no_sender_or_has_no_reason_is_not_stopped(place: Town, wrong: dict[str, object]) -> None:
    who = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.post(f"{ALL}/stop", headers=who, json={"reason": "x"} | wrong)).status == 400
        data = {"deed": "stop", "reason": "x"} | {name: str(value) for name, value in wrong.items()}
        assert (await browser.post("/emergency", headers=who, data=data)).status == 400
        assert (await (await browser.get(ALL, headers=who)).json())["senders"] == []
