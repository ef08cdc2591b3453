"""Single sign-on against a provider on loopback: the way there and back, who is let in, and every token that is not good enough."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from joserfc.jwk import RSAKey

from gateway import config
from gateway.config import ConfigError
from gateway.people import single_sign_on
from gateway.people.accounts import RefusedError
from gateway.people.single_sign_on import Provider
from tests.build.face import PASSWORD, Clock, Town, client, quick_passwords, town
from tests.build.provider import CLIENT, SECRET, Idp, idp

Browser = TestClient[web.Request, web.Application]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)


@asynccontextmanager
async def both(folder: Path) -> AsyncIterator[tuple[Town, Idp]]:
    clock = Clock()
    async with idp(clock) as provider, town(folder, provider=Provider(provider.issuer, CLIENT, SECRET)) as place:
        await place.known("tanaka")
        yield place, provider


async def there(browser: Browser) -> str:
    """At the provider, and the address that it sends the browser back to."""
    sent = await browser.get("/login/sso", allow_redirects=False)
    assert sent.status == 303
    async with aiohttp.ClientSession() as elsewhere, elsewhere.get(sent.headers["Location"], allow_redirects=False) as answer:
        assert answer.status == 303
        back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


async def test_there_and_back_and_in(tmp_path: Path) -> None:
    async with both(tmp_path) as (place, _), client(place.faces["drop"]) as browser:
        assert "シングルサインオン" in await (await browser.get("/login")).text()
        way = await there(browser)
        assert sorted(parse_qs(urlsplit(way).query)) == ["code", "state"]
        done = await browser.get(way)
        assert done.status == 200
        assert 'content="0; url=/"' in await done.text()
        assert done.cookies["sekisho-drop"]["samesite"] == "Strict"
        assert (await browser.get("/", allow_redirects=False)).status == 200
        with pytest.raises(RefusedError):
            await place.accounts.log_in("tanaka", PASSWORD, "drop", "")
        assert ("login", "sso") in [(one.action, "sso" if '"by":"sso"' in one.detail else "") async for one in place.journal.entries()]


async def test_he_is_known_by_his_subject_from_then_on(tmp_path: Path) -> None:
    async with both(tmp_path) as (place, provider), client(place.faces["drop"]) as browser:
        await browser.get(await there(browser))
        provider.login = "suzuki"
        await place.known("suzuki")
        await browser.get(await there(browser))
        assert "tanakaさん" in await (await browser.get("/account")).text(), "another name does not make him another"
        provider.subject, provider.login = "sub-2", "tanaka"
        refused = await browser.get(await there(browser))
        assert refused.status == 401, "the account does not change hands"


@pytest.mark.parametrize("who", ["nobody", "disabled", "shared", "none"])
async def test_who_is_not_registered_stays_out(tmp_path: Path, who: str) -> None:
    async with both(tmp_path) as (place, provider), client(place.faces["drop"]) as browser:
        account = await place.accounts.find("tanaka")
        assert account is not None
        if who == "disabled":
            await place.accounts.disable(account, "test")
        elif who == "shared":
            await place.accounts.share(account, [], "test")
        elif who == "none":
            provider.claims["preferred_username"] = 5
        else:
            provider.login = "nobody"
        answer = await browser.get(await there(browser))
        assert answer.status == 401
        assert "sekisho-drop" not in answer.cookies


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "other"}, {"nonce": None}, {"aud": "another"}, {"aud": None}, {"aud": [CLIENT, "another"]}, {"iss": "https://evil.example"},
        {"exp": 1}, {"exp": None}, {"iat": None}, {"sub": ""}, {"sub": None},
    ],
)  # fmt: skip
async def test_a_token_that_is_not_for_this_log_in_opens_nothing(tmp_path: Path, claims: dict[str, Any]) -> None:
    async with both(tmp_path) as (place, provider), client(place.faces["drop"]) as browser:
        provider.claims = claims
        answer = await browser.get(await there(browser))
        assert answer.status == 503
        assert "sekisho-drop" not in answer.cookies
        assert (await browser.get("/", allow_redirects=False)).headers["Location"] == "/login"


async def test_a_token_of_another_key_or_none_opens_nothing(tmp_path: Path) -> None:
    async with both(tmp_path) as (place, provider), client(place.faces["drop"]) as browser:
        provider.signing = RSAKey.generate_key(2048, {"kid": "1"}, private=True)
        assert (await browser.get(await there(browser))).status == 503
        provider.signing, provider.header = None, {"alg": "none"}
        assert (await browser.get(await there(browser))).status == 503


async def test_the_way_back_belongs_to_the_browser_that_went(tmp_path: Path) -> None:
    async with both(tmp_path) as (place, _):
        async with client(place.faces["drop"]) as browser:
            way = await there(browser)
        async with client(place.faces["drop"]) as victim:
            assert (await victim.get(way)).status == 401, "nobody is logged in as another by a link"
            await there(victim)
            assert (await victim.get(way)).status == 401
            for wrong in ("/login/sso/back", "/login/sso/back?code=x&state=%ff", "/login/sso/back?error=access_denied"):
                assert (await victim.get(wrong)).status == 401
        async with client(place.faces["drop"]) as late:
            way = await there(late)
            place.clock.pass_by(601)
            assert (await late.get(way)).status == 401


@pytest.mark.parametrize(
    "answers",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": 5}, {"authorization_endpoint": "javascript:x"}],
)
async def test_a_provider_that_is_not_what_it_says(tmp_path: Path, answers: dict[str, Any]) -> None:
    async with both(tmp_path) as (place, provider), client(place.faces["drop"]) as browser:
        provider.answers = answers
        assert (await browser.get("/login/sso", allow_redirects=False)).status == 503


async def test_a_provider_that_is_silent(tmp_path: Path) -> None:
    async with town(tmp_path, provider=Provider("http://127.0.0.1:9", CLIENT)) as place, client(place.faces["drop"]) as browser:
        answer = await browser.get("/login/sso", allow_redirects=False)
        assert answer.status == 503
        assert "いまは使えません" in await answer.text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SEKISHO_SSO_ISSUER": "http://idp.example"}, "https"),
        ({"SEKISHO_SSO_ISSUER": "https://idp.example"}, "client_id"),
        ({"SEKISHO_SSO_ISSUER": "https://idp.example", "SEKISHO_SSO_CLIENT_ID": "x", "SEKISHO_SSO_SECRET_FILE": "/none"}, "secret_file"),
    ],
)
async def test_wrong_settings_are_told(tmp_path: Path, given: dict[str, str], said: str) -> None:
    async with town(tmp_path) as place:
        with pytest.raises(ConfigError, match=said):
            single_sign_on.of(config.load(None, given), place.journal, place.clock)
        assert single_sign_on.of(config.load(None, {}), place.journal, place.clock) is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"issuer": "' + b"x" * (2 << 20) + b'"}', 200),
        (b"{}", 500),
        (b"", 302),
        (b"[]", 200),
        (b"7", 200),
        (b"<html>", 200),
        (b'{"issuer": "\xff"}', 200),
        (b"[" * 60_000, 200),
        (b"{}", 200),
    ],
    ids=["too long", "fails", "leads elsewhere", "a list", "a number", "a page", "no text", "too deep", "empty"],
)
async def test_an_answer_of_the_provider_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes, status: int) -> None:
    async def discovery(*_: object) -> web.Response:
        return web.Response(body=body, status=status, content_type="application/json")

    monkeypatch.setattr(Idp, "_discovery", discovery)
    async with both(tmp_path) as (place, _), client(place.faces["drop"]) as browser:
        assert (await browser.get("/login/sso", allow_redirects=False)).status == 503


async def test_settings_name_the_provider_and_its_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" a secret\n", "utf-8")
    given = {"SEKISHO_SSO_ISSUER": "https://idp.example", "SEKISHO_SSO_CLIENT_ID": CLIENT, "SEKISHO_SSO_SECRET_FILE": str(tmp_path / "secret")}
    async with town(tmp_path) as place:
        made = single_sign_on.of(config.load(None, given), place.journal, place.clock)
        assert made is not None
        assert made._provider[:3] == ("https://idp.example", CLIENT, "a secret")
