"""The second factor: codes that count once, passkeys that sign for this house only, recovery codes, and who is made to have one."""

from __future__ import annotations

import re
from base64 import b32decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from gateway.people import totp
from gateway.people.accounts import Account, RefusedError
from gateway.people.customs import Customs
from gateway.storage.sealed import SealBrokenError
from gateway.storage.sealer import Sealer
from tests.build.authenticator import Authenticator
from tests.build.face import PASSWORD, Town, client, log_in, quick_passwords, town

Browser = TestClient[web.Request, web.Application]
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path, customs=Customs(elevation=0)) as made:
        yield made


async def account_named(place: Town, login: str) -> Account:
    found = await place.accounts.find(login)
    assert found is not None
    return found


async def enrolled(place: Town, login: str) -> bytes:
    """A known person with an authenticator; its secret."""
    await place.known(login)
    account = await account_named(place, login)
    secret = b32decode((await place.accounts.factors.start_totp(account)).secret.replace(" ", ""))
    await place.accounts.factors.finish_totp(account, totp.code(secret, int(place.clock() // 30)), "電話")
    place.clock.pass_by(60)
    return secret


def now(place: Town, secret: bytes, steps: int = 0) -> str:
    return totp.code(secret, int(place.clock() // 30) + steps)


# RFC 6238, appendix B, the SHA-1 rows, their last six digits.
@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037"), (20000000000, "353130")],
)
def test_the_codes_are_those_of_the_rfc(at: int, code: str) -> None:
    assert totp.code(b"12345678901234567890", at // 30) == code


def test_a_secret_opens_for_its_owner_under_its_key_only() -> None:
    sealer = Sealer()
    sealed = sealer.seal(b"secret", "totp:1")
    assert sealer.open(sealed, "totp:1") == b"secret"
    assert sealer.seal(b"secret", "totp:1") != sealed
    for other, text, about in ((sealer, sealed, "totp:2"), (Sealer(), sealed, "totp:1"), (sealer, sealed[:-8] + "AAAAAAA=", "totp:1"), (sealer, "x", "")):
        with pytest.raises(SealBrokenError):
            other.open(text, about)


async def test_a_privileged_role_is_made_to_register_one_and_asked_for_it_from_then_on(place: Town) -> None:
    await place.known("sousa")
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "sousa")
        answer = await browser.get("/", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/account/factors")
        assert (await browser.get("/api/v1/transfers")).status == 403
        assert (await browser.get("/account/factors/totp/qr.svg")).status == 404
        await browser.post("/account/factors/totp", headers=OWN)
        page = await (await browser.get("/account/factors")).text()
        secret = b32decode(re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", ""))  # type: ignore[index]
        picture = await browser.get("/account/factors/totp/qr.svg")
        assert picture.content_type == "image/svg+xml"
        assert (await browser.post("/account/factors", data={"code": "000000"}, headers=OWN)).status == 400
        codes = re.findall(r"<li><code>([a-z2-9-]{19})</code>", await (await browser.post("/account/factors", data={"code": now(place, secret)}, headers=OWN)).text())
        assert len(codes) == 10
        assert (await browser.get("/")).status == 200
    place.clock.pass_by(60)
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "sousa")
        answer = await browser.get("/account/factors", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/second"), "a password alone does not add another authenticator"
        for path in ("/password", "/account", "/"):
            assert (await browser.get(path, allow_redirects=False)).headers["Location"] == "/second"
        assert (await browser.get("/api/v1/transfers")).status == 403
        assert (await browser.post("/second", data={"code": "000000"}, headers=OWN)).status == 401
        done = await browser.post("/second", data={"code": now(place, secret)}, headers=OWN, allow_redirects=False)
        assert (done.status, done.headers["Location"]) == (303, "/")
        assert (await browser.get("/api/v1/transfers")).status == 200
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "sousa")
        for again in (now(place, secret), now(place, secret, -1)):
            assert (await browser.post("/second", data={"code": again}, headers=OWN)).status == 401, "each code counts once"
        assert (await browser.post("/second", data={"code": codes[0]}, headers=OWN, allow_redirects=False)).status == 303


async def test_staff_need_none_and_are_asked_once_they_have_one(place: Town) -> None:
    await place.known("tanaka")
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        assert (await browser.get("/")).status == 200
    secret = await enrolled(place, "suzuki")
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "suzuki")
        assert (await browser.get("/", allow_redirects=False)).headers["Location"] == "/second"
        wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in now(place, secret))
        assert (await browser.post("/second", data={"code": f" {wide[:3]} {wide[3:]} "}, headers=OWN, allow_redirects=False)).status == 303
        assert (await browser.get("/")).status == 200


async def test_wrong_codes_lock_like_wrong_passwords(place: Town) -> None:
    secret = await enrolled(place, "sousa")
    account = await account_named(place, "sousa")
    value, _ = await place.accounts.log_in("sousa", PASSWORD, "admin", "")
    for _ in range(3):
        with pytest.raises(RefusedError):
            await place.accounts.factors.confirm(account, "000000", value, "")
    with pytest.raises(RefusedError):
        await place.accounts.factors.confirm(account, now(place, secret), value, "")
    with pytest.raises(RefusedError):
        await place.accounts.log_in("sousa", PASSWORD, "admin", "")
    session = await place.accounts.session(value, "admin")
    assert session is not None
    assert not session.confirmed


async def test_a_recovery_code_opens_once_and_new_ones_void_the_old(place: Town) -> None:
    await enrolled(place, "tanaka")
    account, factors = await account_named(place, "tanaka"), place.accounts.factors
    old = await factors.new_recovery_codes(account)
    codes = await factors.new_recovery_codes(account)
    value, _ = await place.accounts.log_in("tanaka", PASSWORD, "drop", "")
    await factors.confirm(account, f" {codes[3].upper()} ", value, "")
    for void in (codes[3], old[0]):
        with pytest.raises(RefusedError):
            await factors.confirm(account, void, value, "")
    assert await factors.recovery_left(account) == 9


async def test_codes_and_secrets_do_not_stand_in_the_database(place: Town) -> None:
    secret = await enrolled(place, "tanaka")
    account = await account_named(place, "tanaka")
    codes = await place.accounts.factors.new_recovery_codes(account)
    await place.journal.stop()
    stored = b"".join(path.read_bytes() for path in place.folder.glob("sekisho.db*"))
    for hidden in (secret, totp.shown(secret).replace(" ", "").encode(), *(code.encode() for code in codes)):
        assert hidden not in stored


async def test_everything_lost_and_begun_anew(place: Town) -> None:
    await enrolled(place, "sousa")
    account = await account_named(place, "sousa")
    value, _ = await place.accounts.log_in("sousa", PASSWORD, "admin", "")
    await place.accounts.factors.reset(account, "kanri")
    assert await place.accounts.session(value, "admin") is None
    assert await place.accounts.factors.listed(account) == []
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "sousa")
        assert (await browser.get("/", allow_redirects=False)).headers["Location"] == "/account/factors"


async def test_nobody_removes_another_ones(place: Town) -> None:
    await enrolled(place, "tanaka")
    await place.known("suzuki")
    [factor] = await place.accounts.factors.listed(await account_named(place, "tanaka"))
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "suzuki")
        for number in (factor.id, "x", "9" * 30, "-1"):
            assert (await browser.post(f"/account/factors/{number}/remove", headers=OWN)).status == 404
    assert await place.accounts.factors.listed(await account_named(place, "tanaka")) == [factor]


# ------------------------------------------------------------------------------------------------------------- passkeys


def key_for(browser: Browser, **other: Any) -> tuple[Authenticator, dict[str, str]]:
    origin = f"http://{browser.host}:{browser.port}"
    return Authenticator(**({"origin": origin, "host": browser.host} | other)), {"Origin": origin, "Content-Type": "application/json"}


async def posted(browser: Browser, path: str, headers: dict[str, str], data: str = "") -> tuple[int, dict[str, Any]]:
    answer = await browser.post(path, data=data, headers=headers)
    return answer.status, await answer.json()


async def test_a_passkey_is_registered_and_opens(place: Town) -> None:
    await place.known("sousa")
    async with client(place.faces["admin"]) as browser:
        key, own = key_for(browser)
        await log_in(browser, "sousa")
        _, options = await posted(browser, "/account/factors/passkey/options", own)
        assert options["rp"]["id"] == browser.host
        assert (await posted(browser, "/account/factors/passkey?title=%E9%8D%B5", own, key.create(options)))[0] == 200
        assert (await browser.get("/")).status == 200, "it confirms the session that made it"
        [factor] = await place.accounts.factors.listed(await account_named(place, "sousa"))
        assert (factor.kind, factor.title) == ("passkey", "鍵")
        browser.session.cookie_jar.clear()
        await log_in(browser, "sousa")
        assert (await browser.get("/", allow_redirects=False)).headers["Location"] == "/second"
        _, options = await posted(browser, "/second/passkey/options", own)
        shown = key.get(options)
        assert await posted(browser, "/second/passkey", own, shown) == (200, {"next": "/"})
        assert (await browser.get("/")).status == 200
        browser.session.cookie_jar.clear()
        await log_in(browser, "sousa")
        await posted(browser, "/second/passkey/options", own)
        assert (await posted(browser, "/second/passkey", own, shown))[0] == 401, "an answer to another challenge"


@pytest.mark.parametrize("wrong", ["origin", "host", "key", "stale", "none", "junk"])
async def test_a_passkey_that_signs_for_another_house_opens_nothing(place: Town, wrong: str) -> None:
    await place.known("sousa")
    async with client(place.faces["admin"]) as browser:
        key, own = key_for(browser, counts=wrong != "stale")
        key.count = 5 if wrong == "stale" else 0
        await log_in(browser, "sousa")
        _, options = await posted(browser, "/account/factors/passkey/options", own)
        assert (await posted(browser, "/account/factors/passkey", own, key.create(options)))[0] == 200
        browser.session.cookie_jar.clear()
        await log_in(browser, "sousa")
        _, options = await posted(browser, "/second/passkey/options", own)
        if wrong == "origin":
            key.origin = "https://evil.example"
        elif wrong == "host":
            key.host = "evil.example"
        elif wrong == "key":
            key.key = Authenticator("", "").key
        elif wrong == "none":
            options["challenge"] = "bm9uZQ"
        given = {"junk": '{"id": 1}'}.get(wrong) or key.get(options)
        assert (await posted(browser, "/second/passkey", own, given))[0] == 401
        assert (await browser.get("/", allow_redirects=False)).headers["Location"] == "/second"


async def test_a_registration_of_another_page_is_refused(place: Town) -> None:
    await place.known("sousa")
    async with client(place.faces["admin"]) as browser:
        key, own = key_for(browser)
        await log_in(browser, "sousa")
        for data in ("", "{}", "null", "[1]", key.create({"challenge": "bm9uZQ"})):
            assert (await posted(browser, "/account/factors/passkey", own, data))[0] == 400
        _, options = await posted(browser, "/account/factors/passkey/options", own)
        key.origin = "https://evil.example"
        assert (await posted(browser, "/account/factors/passkey", own, key.create(options)))[0] == 400
        assert await place.accounts.factors.listed(await account_named(place, "sousa")) == []
