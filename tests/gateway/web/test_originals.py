"""An original leaves for analysis on two persons' word, locked, once, and written down."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from gateway.requests.operating import Deed, Operating
from tests.build.face import Town, client
from tests.build.transfer import BODY, held, signer

SEVEN = shutil.which("7z") or shutil.which("7zz") or ""


def one(number: str) -> str:
    return f"/api/v1/transfers/{number}/original"


async def asked(place: Town, browser: TestClient[Any, Any], number: str, login: str = "sousa") -> str:
    answer = await browser.post(one(number), headers=await place.token(login), json={"reason": "検体の解析"})
    assert answer.status == 202, await answer.text()
    return str((await answer.json())["number"])


async def approved(place: Town, number: str, login: str = "kanri") -> None:
    await place.known(login)
    account = await place.accounts.find(login)
    assert account is not None
    await place.approvals.approve(number, account, "確認した")


@pytest.mark.skipif(not SEVEN, reason="needs 7z")
async def test_two_persons_and_then_one_locked_archive(place: Town, tmp_path: Path) -> None:
    number, who = await place.settled("tanaka", held()), await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        refused = await browser.post(one(number) + "/take", headers=who, json={"reason": "解析"})
        assert refused.status == 409, "nobody has said yes"
        await approved(place, await asked(place, browser, number))
        told = await (await browser.post(one(number) + "/take", headers=who, json={"reason": "解析"})).json()
        stolen = await browser.get(told["url"], headers=await place.token("kanri"))
        assert stolen.status == 404, "a ticket is its own person's; and it is used up now"
        told = await (await browser.post(one(number) + "/take", headers=who, json={"reason": "解析"})).json()
        archive = await browser.get(told["url"], headers=who)
        assert archive.status == 200
        content = await archive.read()
        assert (await browser.get(told["url"], headers=who)).status == 404, "once"
    assert BODY not in content
    (tmp_path / "a.zip").write_bytes(content)
    ran = subprocess.run([SEVEN, "x", "-so", f"-p{told['password']}", "a.zip"], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert ran.stdout == BODY
    record = [entry async for entry in place.journal.entries(subject=number) if entry.action.startswith("original.")]
    assert [entry.action for entry in record] == ["original.taken", "original.taken", "original.fetched"]
    assert not any(told["password"] in entry.detail for entry in record)


async def test_nobody_approves_his_own_and_another_person_s_yes_is_not_mine(place: Town) -> None:
    number = await place.settled("tanaka", held())
    async with client(place.faces["admin"]) as browser:
        await approved(place, await asked(place, browser, number))
        for login in ("kanri",):
            answer = await browser.post(one(number) + "/take", headers=await place.token(login), json={"reason": "x"})
            assert answer.status == 409
        again = await asked(place, browser, number)
        assert (await (await browser.get(one(number), headers=await place.token("sousa"))).json())["request"]["number"] == again


async def test_a_ticket_and_a_yes_end(place: Town) -> None:
    number, who = await place.settled("tanaka", held()), await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        await approved(place, await asked(place, browser, number))
        told = await (await browser.post(one(number) + "/take", headers=who, json={"reason": "x"})).json()
        place.clock.pass_by(301)
        assert (await browser.get(told["url"], headers=who)).status == 404
        place.clock.pass_by(8 * 86_400)
        who = await place.token("sousa")
        assert (await browser.post(one(number) + "/take", headers=who, json={"reason": "x"})).status == 409


async def test_what_was_disposed_of_is_not_there_any_more(place: Town) -> None:
    number, who = await place.settled("tanaka", held()), await place.token("sousa")
    await Operating(place.journal, signer(), place.clock).act(Deed.DELETE, await place.journal.find(number), actor="sousa", note="x")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.post(one(number), headers=who, json={"reason": "x"})).status == 409
        assert "廃棄されています" in await (await browser.get(f"/transfers/{number}/original", headers=who)).text()


@pytest.mark.parametrize(("login", "status"), [("kansa", 403), ("tanaka", 403), ("sousa", 200), ("kanri", 200)])
async def test_who_may_stand_before_it(place: Town, login: str, status: int) -> None:
    number, who = await place.settled("tanaka", held()), await place.token(login)
    async with client(place.faces["admin"]) as browser:
        assert (await browser.get(one(number), headers=who)).status == status
        assert (await browser.get(f"/transfers/{number}/original", headers=who)).status == status
        assert (await browser.get(one("20200101-000001"), headers=who)).status == (404 if status == 200 else 403)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"reason": 7}'])
async def test_a_body_that_is_none(place: Town, body: bytes) -> None:
    number, who = await place.settled("tanaka", held()), await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        for path in (one(number), one(number) + "/take"):
            assert (await browser.post(path, headers=who, data=body)).status == 400


async def test_from_the_page(place: Town) -> None:
    number, who = await place.settled("tanaka", held()), await place.token("sousa")
    path = f"/transfers/{number}/original"
    async with client(place.faces["admin"]) as browser:
        assert "承認を申請する" in await (await browser.get(path, headers=who)).text()
        assert (await browser.post(path, headers=who, data={"what": "ask", "reason": " "})).status == 400
        assert (await browser.post(path, headers=who, data={"what": "take", "reason": "x"})).status == 409
        waiting = await (await browser.post(path, headers=who, data={"what": "ask", "reason": "検体の解析"})).text()
        assert "承認を待っています" in waiting
        await approved(place, "S-000001")
        assert "パスワードを作って取り出す" in await (await browser.get(path, headers=who)).text()
        taken = await (await browser.post(path, headers=who, data={"what": "take", "reason": "検体の解析"})).text()
        assert "original.zip?ticket=" in taken
        assert "この画面にだけ" in taken
