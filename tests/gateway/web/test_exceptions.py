"""例外措置 on the faces: asked for by staff, granted by the CISO among the requests, taken back by who may."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.admin.app import admin
from gateway.people.accounts import Role
from gateway.policy import KindAction, feasible
from gateway.requests.approvals import Approvals
from gateway.requests.exceptions import Exceptions
from gateway.web.approval_pages import ApprovalPages
from gateway.web.exception_pages import ExceptionPages
from sanitizers.model import Kind
from tests.build.face import ROLES, Town, client, csrf, log_in, quick_passwords, town
from tests.build.transfer import BODY, NOW, digest

ALL = "/api/v1/exceptions"
HASH = digest(BODY)


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    monkeypatch.setitem(ROLES, "fukucho", Role.CISO)
    async with town(tmp_path) as made:
        async def ready() -> list[str]:
            return []

        approvals = Approvals(made.journal, made.clock)
        exceptions = Exceptions(made.journal, approvals, made.clock)
        desks = [ApprovalPages(approvals, overseen=True), ExceptionPages(exceptions, made.clock)]
        made.faces["admin"] = admin(made.accounts, ready, desks, jail=True)
        yield made


def day(days: float) -> str:
    return dt.datetime.fromtimestamp(NOW + days * 86_400, dt.UTC).astimezone().date().isoformat()


def asked(**changes: str) -> dict[str, str]:
    return {"kind": "svg", "action": "sanitize", "sha256": HASH, "until": day(30), "reason": "設計図面"} | changes


async def test_ask_grant_list_and_revoke(place: Town) -> None:
    clerk, ciso, auditor = [await place.token(login) for login in ("sousa", "fukucho", "kansa")]
    async with client(place.faces["admin"]) as browser:
        answer = await browser.post(ALL, json=asked(), headers=clerk)
        assert answer.status == 202
        number = (await answer.json())["request"]
        assert await (await browser.get(ALL, headers=clerk)).json() == []
        assert (await browser.post(f"/api/v1/requests/{number}/approve", json={"note": ""}, headers=clerk)).status == 409
        assert (await browser.post(f"/api/v1/requests/{number}/approve", json={"note": "許可"}, headers=ciso)).status == 200
        (one,) = await (await browser.get(ALL, headers=auditor)).json()
        assert (one["kind"], one["action"], one["live"], one["requester"], one["approver"]) == ("svg", "sanitize", True, "sousa", "fukucho")
        assert (await (await browser.get(f"{ALL}/{one['number']}", headers=clerk)).json())["sha256"] == HASH
        assert (await browser.get(f"{ALL}/EX-1", headers=clerk)).status == 404
        revoke = f"{ALL}/{one['number']}/revoke"
        assert (await browser.post(revoke, json={"reason": "x"}, headers=auditor)).status == 404, "an auditor changes nothing"
        assert (await browser.post(revoke, json={"reason": " "}, headers=ciso)).status == 400
        assert (await browser.post(revoke, json={}, headers=ciso)).status == 400
        assert (await (await browser.post(revoke, json={"reason": "不要"}, headers=ciso)).json())["live"] is False
        assert (await browser.post(revoke, json={"reason": "不要"}, headers=ciso)).status == 404
        assert await (await browser.get(ALL, headers=auditor)).json() == []
        assert len(await (await browser.get(f"{ALL}?over=1", headers=auditor)).json()) == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"kind": "none"}, 400),
        ({"action": "pass"}, 400),
        ({"until": "tomorrow"}, 400),
        ({"until": "9999-12-31"}, 422),
        ({"until": day(-2)}, 422),
        ({"until": day(400)}, 422),
        ({"reason": " "}, 422),
        ({"sha256": ""}, 422),
        ({"kind": "pe", "action": "confirm"}, 422),
        ({"colour": "red"}, 400),
    ],
)
async def test_what_is_not_understood_or_not_to_be_had(place: Town, changes: dict[str, str], status: int) -> None:
    async with client(place.faces["admin"]) as browser:
        assert (await browser.post(ALL, json=asked(**changes), headers=await place.token("sousa"))).status == status


async def test_the_page_does_the_same_without_script(place: Town) -> None:
    await place.known("sousa")
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "sousa")
        word = await csrf(browser, "/exceptions")
        for changes, status, said in (({}, 202, "S-000001"), ({"until": ""}, 400, "入力"), ({"sha256": ""}, 422, "指定してください")):
            answer = await browser.post("/exceptions", data=asked(**changes) | {"csrf": word})
            assert answer.status == status
            assert said in await answer.text()
        ciso = await place.token("fukucho")
        await browser.post("/api/v1/requests/S-000001/approve", json={"note": ""}, headers=ciso)
        page = await (await browser.get("/exceptions")).text()
        number = "EX-" + page.partition("EX-")[2][:9]
        assert re.findall(r"<script(?! src=\"/static/[a-z]+\.js\" defer>)", page) == []
        assert "style=" not in page
        assert (await browser.post(f"/exceptions/{number}/revoke", data={"reason": " ", "csrf": word})).status == 400
        assert (await browser.post(f"/exceptions/{number}/revoke", data={"reason": "済", "csrf": word}, allow_redirects=False)).status == 303
        assert (await browser.post(f"/exceptions/{number}/revoke", data={"reason": "済", "csrf": word})).status == 404
        page = await (await browser.get("/exceptions")).text()
        assert "取消し / revoked" in page
        assert "有効 0件（うち30日以内に期限 0件）、終了 1件" in page


async def test_the_form_says_for_which_kinds_a_treatment_is_to_be_had(place: Town) -> None:
    """For its script, which offers no other, and in words; whatever is sent is looked at again."""
    await place.known("sousa")
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "sousa")
        page = await (await browser.get("/exceptions?kind=docx")).text()
        offered = re.findall(r'<option value="([a-z]+)"(?: data-kinds="([a-z0-9 ]+)")?', page)
        assert {action: kinds.split() for action, kinds in offered if kinds} == {
            action: [one for one in sorted(Kind) if feasible(action, one)] for action in (KindAction.CONFIRM, KindAction.TEXT, KindAction.PIXELS)
        }
        assert {action for action, _ in offered} == set(KindAction)
        assert "画像化（emf・pdf・svg・wmf） / as pictures (emf, pdf, svg, wmf)</option>" in page
        assert '<option value="sanitize" selected>' in page
        assert "<option selected>docx</option>" in page


async def test_an_emergency_by_two_clicks_and_a_reason(place: Town) -> None:
    await place.known("kanri")
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "kanri")
        word = await csrf(browser, "/exceptions")
        given = asked(until="") | {"csrf": word, "emergency": "yes"}
        for changes, status, said in (
            ({"emergency": ""}, 400, "緊急例外であることを確認"), ({"kind": "nonsense"}, 400, "入力"), ({"reason": " "}, 422, "理由"),
            ({"sha256": "", "until": day(1)}, 422, "指定してください"), ({}, 201, "緊急例外 EX-"),
        ):  # fmt: skip
            answer = await browser.post("/exceptions/emergency", data=given | changes)
            assert answer.status == status, changes
            assert said in await answer.text()
        assert "緊急例外 / emergency</strong> kanri" in await (await browser.get("/exceptions")).text()
        assert "緊急例外の事後報告" in await (await browser.get("/requests?all=1")).text()


async def test_nobody_else_is_offered_an_emergency(place: Town) -> None:
    await place.known("sousa")
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "sousa")
        word = await csrf(browser, "/exceptions")
        assert "/exceptions/emergency" not in await (await browser.get("/exceptions")).text()
        answer = await browser.post("/exceptions/emergency", data=asked(until="") | {"csrf": word, "emergency": "yes"})
        assert answer.status == 422
        assert "not yours" in await answer.text()


async def test_an_emergency_by_a_program(place: Town) -> None:
    admin, ciso, clerk = [await place.token(login) for login in ("kanri", "fukucho", "sousa")]
    given = {name: value for name, value in asked().items() if name != "until"}
    async with client(place.faces["admin"]) as browser:
        answer = await browser.post(f"{ALL}/emergency", json=given, headers=admin)
        assert answer.status == 201
        made = await answer.json()
        assert (made["live"], made["emergency"], made["requester"], made["approver"]) == (True, True, "kanri", "kanri")
        for body, status in ((asked(), 400), (given | {"sha256": "x"}, 422), (given | {"reason": ""}, 422)):
            assert (await browser.post(f"{ALL}/emergency", json=body, headers=admin)).status == status
        assert (await browser.post(f"{ALL}/emergency", data=b"{", headers=admin)).status == 400
        assert (await browser.post(f"{ALL}/emergency", json=given, headers=clerk)).status == 422
        waiting = await (await browser.get("/api/v1/requests", headers=ciso)).json()
        assert [one["kind"] for one in waiting] == ["report.emergency"]
