"""The page of second factors: what it shows once, what it refuses, and that a secret nobody can open locks nobody out of the page."""

from __future__ import annotations

import asyncio
import re
from base64 import b32decode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.people import totp
from gateway.people.accounts import Account, RefusedError
from gateway.people.customs import Customs
from gateway.storage.sealer import Sealer
from tests.build.face import Town, client, log_in, quick_passwords, town

OWN = {"Sec-Fetch-Site": "same-origin"}
PAGE = "/account/factors"


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path, customs=Customs(elevation=0)) as made:
        await made.known("tanaka")
        yield made


async def tanaka(place: Town) -> Account:
    found = await place.accounts.find("tanaka")
    assert found is not None
    return found


def code(place: Town, secret: str) -> str:
    return totp.code(b32decode(secret.replace(" ", "")), int(place.clock() // 30))


async def test_recovery_codes_come_with_the_first_authenticator_and_when_asked_for(place: Town) -> None:
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        shown = []
        for _ in range(2):
            started = await browser.post(f"{PAGE}/totp", headers=OWN, allow_redirects=False)
            assert (started.status, started.headers["Location"]) == (303, PAGE)
            page = await (await browser.get(PAGE)).text()
            found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
            assert found is not None
            answer = await browser.post(PAGE, data={"code": code(place, found[1]), "title": "電話"}, headers=OWN, allow_redirects=False)
            shown.append((answer.status, len(re.findall(r"<li><code>", await answer.text()))))
            place.clock.pass_by(60)
        assert shown == [(200, 10), (303, 0)], "a second one leaves the codes as they are"
        again = await browser.post(f"{PAGE}/recovery", headers=OWN)
        assert (again.status, len(re.findall(r"<li><code>", await again.text()))) == (200, 10)
        first, second = await place.accounts.factors.listed(await tanaka(place))
        gone = await browser.post(f"{PAGE}/{first.id}/remove", headers=OWN, allow_redirects=False)
        assert (gone.status, gone.headers["Location"]) == (303, PAGE)
        assert (await browser.post(f"{PAGE}/{first.id}/remove", headers=OWN)).status == 404
        assert await place.accounts.factors.listed(await tanaka(place)) == [second]


async def test_a_code_that_is_sent_twice_at_once_counts_once(place: Town) -> None:
    account, factors = await tanaka(place), place.accounts.factors
    with pytest.raises(RefusedError):
        await factors.finish_totp(account, "000000", "")
    started = await factors.start_totp(account)
    given = code(place, started.secret)
    done = await asyncio.gather(*(factors.finish_totp(account, given, "電話") for _ in range(4)), return_exceptions=True)
    assert (done.count(None), {type(one) for one in done if one is not None}) == (1, {RefusedError})
    assert len(await factors.listed(account)) == 1


async def test_a_secret_under_another_key_is_said_and_can_be_begun_anew(place: Town) -> None:
    """As after a restore without the key of the installation."""
    factors = place.accounts.factors
    await factors.start_totp(await tanaka(place))
    factors._sealer = Sealer()
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        page = await browser.get(PAGE)
        assert page.status == 200
        text = await page.text()
        assert ("<code>" in text, "認証アプリの登録を読み出せません" in text) == (False, True)
        assert (await browser.get(f"{PAGE}/totp/qr.svg")).status == 404
        assert (await browser.post(PAGE, data={"code": "000000"}, headers=OWN)).status == 400
        await browser.post(f"{PAGE}/totp", headers=OWN)
        assert "<code>" in await (await browser.get(PAGE)).text()
        assert (await browser.get(f"{PAGE}/totp/qr.svg")).status == 200


@pytest.mark.parametrize(
    ("path", "body", "kind", "status"),
    [
        ("/passkey", b"\xff\xfe", "application/json", 400),
        ("/passkey", b"{}", "application/json; charset=nothing", 400),
        ("/passkey", b"x" * 70_000, "application/json", 413),
        ("/passkey", b"{}", "application/json", 400),
    ],
)
async def test_a_passkey_that_is_none(place: Town, path: str, body: bytes, kind: str, status: int) -> None:
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        own = OWN | {"Origin": f"http://{browser.host}:{browser.port}", "Content-Type": kind}
        assert (await browser.post(PAGE + path, data=body, headers=own)).status == status


async def test_a_passkey_is_for_the_address_that_the_browser_shows(place: Town) -> None:
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        for origin in ("https://evil.example", "", f"http://{browser.host}"):
            answer = await browser.post(f"{PAGE}/passkey/options", headers=OWN | ({"Origin": origin} if origin else {}))
            assert answer.status == 403, origin
