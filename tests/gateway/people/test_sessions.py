"""What a session tells its owner, how it ends, and what a privilege costs: shorter times, fewer mistakes, one person one side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.people.accounts import Account, RefusedError, Role
from gateway.people.customs import Customs
from tests.build.face import PASSWORD, Town, client, log_in, quick_passwords, town

OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        yield made


async def account_named(place: Town, login: str) -> Account:
    found = await place.accounts.find(login)
    assert found is not None
    return found


async def enter(place: Town, login: str = "tanaka", client: str = "192.0.2.1") -> str:
    return (await place.accounts.log_in(login, PASSWORD, "drop", client))[0]


async def test_the_last_log_in_log_out_and_failures_are_shown(place: Town) -> None:
    await place.known("tanaka")
    value = await enter(place)
    first = await place.accounts.session(value, "drop")
    assert first is not None
    assert (first.previous_at, first.new_terminal) == (None, False)
    place.clock.pass_by(600)
    await place.accounts.log_out(first.account, value)
    place.clock.pass_by(600)
    for _ in range(2):
        with pytest.raises(RefusedError):
            await place.accounts.log_in("tanaka", "wrong", "drop", "203.0.113.9")
    second = await place.accounts.session(await enter(place, client="198.51.100.7"), "drop")
    assert second is not None
    assert (second.previous_from, second.failed_since, second.new_terminal) == ("192.0.2.1", 2, True)
    assert second.previous_logout_at == (second.previous_at or 0) + 600
    third = await place.accounts.session(await enter(place, client="198.51.100.7"), "drop")
    assert third is not None
    assert (third.failed_since, third.new_terminal) == (0, False)
    assert [entry.action async for entry in place.journal.entries()].count("login.new_terminal") == 1
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        page = await (await browser.get("/")).text()
    assert "前回のログイン：令和" in page
    assert "端末 198.51.100.7" in page
    assert "初めての端末" in page


async def test_the_notice_stands_above_the_log_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)
    async with town(tmp_path, customs=Customs(notice="業務以外の利用は<禁止>です。")) as place, client(place.faces["drop"]) as browser:
        assert "業務以外の利用は&lt;禁止&gt;です。" in await (await browser.get("/login")).text()


async def test_sessions_are_listed_and_ended_by_their_owner_only(place: Town) -> None:
    await place.known("tanaka")
    await place.known("suzuki")
    lost = await enter(place, client="203.0.113.5")
    [session] = await place.accounts.sessions_of(await account_named(place, "tanaka"))
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "suzuki")
        assert "203.0.113.5" not in await (await browser.get("/account")).text()
        for handle in (session.handle, "x", session.handle[:-1] + "%"):
            assert (await browser.post(f"/account/sessions/{handle}/end", headers=OWN)).status == 404
        assert await place.accounts.session(lost, "drop")
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        assert "203.0.113.5" in await (await browser.get("/account")).text()
        assert (await browser.post(f"/account/sessions/{session.handle}/end", headers=OWN, allow_redirects=False)).status == 303
        assert await place.accounts.session(lost, "drop") is None
        assert (await browser.get("/account")).status == 200


async def test_privileged_sessions_end_sooner_and_lock_sooner(place: Town) -> None:
    await place.known("sousa")
    value = await enter(place, "sousa")
    place.clock.pass_by(15 * 60 + 1)
    assert await place.accounts.session(value, "drop") is None
    for _ in range(3):
        with pytest.raises(RefusedError):
            await place.accounts.log_in("sousa", "wrong", "admin", "")
    with pytest.raises(RefusedError):
        await enter(place, "sousa")


async def test_a_temporary_password_that_nobody_used_is_void_after_three_days(place: Town) -> None:
    first = await place.accounts.add("tanaka", "田中", Role.STAFF, "test")
    place.clock.pass_by(72 * 3600 - 1)
    assert await place.accounts.log_in("tanaka", first, "drop", "")
    place.clock.pass_by(2)
    with pytest.raises(RefusedError):
        await place.accounts.log_in("tanaka", first, "drop", "")


async def test_a_password_is_not_ones_name_or_department(place: Town) -> None:
    await place.staff.add_department("税務課", "test")
    first = await place.accounts.add("tanaka", "田中一郎", Role.STAFF, "test")
    account = await account_named(place, "tanaka")
    await place.staff.move(account, ["税務課"], "test")
    for bad in ("田中一郎-himitsu-2026", "watashi-ha-税務課-desu"):
        with pytest.raises(RefusedError, match="department"):
            await place.accounts.change_password(account, first, bad)
    await place.accounts.change_password(account, first, PASSWORD)


async def test_auditor_and_operator_are_never_one_person(place: Town) -> None:
    await place.known("sousa")
    await place.known("tanaka")
    with pytest.raises(RefusedError, match="audits"):
        await place.accounts.add("sousa-kansa", "操作", Role.AUDITOR, "test", person="sousa")
    await place.accounts.add("tanaka-kansa", "田中", Role.AUDITOR, "test", person="tanaka")
    with pytest.raises(RefusedError, match="audits"):
        await place.accounts.change(await account_named(place, "tanaka"), "test", name="田中", mail="", role=Role.OPERATOR)
    operator = await account_named(place, "sousa")
    await place.accounts.disable(operator, "test")
    await place.accounts.add("sousa-kansa", "操作", Role.AUDITOR, "test", person="sousa")
    with pytest.raises(RefusedError, match="audits"):
        await place.accounts.enable(operator, "test")
    with pytest.raises(RefusedError, match="no such account"):
        await place.accounts.add("dare", "誰", Role.STAFF, "test", person="nobody")


async def test_another_role_ends_sessions_and_tokens(place: Town) -> None:
    machine, value = await place.token("tanaka"), await enter(place)
    await place.accounts.change(await account_named(place, "tanaka"), "test", name="田中", mail="", role=Role.OPERATOR)
    assert await place.accounts.session(value, "drop") is None
    assert await place.accounts.by_token(machine["Authorization"].removeprefix("Bearer ")) is None


async def test_a_token_opens_its_faces_only_and_is_no_person(place: Town) -> None:
    await place.known("tanaka")
    account = await account_named(place, "tanaka")
    value = await place.accounts.issue_token(account, "copier", 60, "test", ["drop"])
    machine = {"Authorization": f"Bearer {value}"}
    async with client(place.faces["drop"]) as drop, client(place.faces["pickup"]) as pickup:
        assert (await drop.get("/", headers=machine)).status == 200
        assert (await pickup.get("/api/v1/transfers", headers=machine)).status == 401
        for path in ("/password", "/account/factors/totp", "/elevate/end", "/account/absences"):
            assert (await drop.post(path, headers=machine, data={"old": PASSWORD, "new": "another long phrase"})).status == 403
    [token] = await place.accounts.tokens_of(account)
    assert await place.accounts.revoke_token(account, token.handle, "test")
    assert await place.accounts.by_token(value, "drop") is None


async def test_whose_a_token_is_takes_it_back_on_his_page(place: Town) -> None:
    await place.known("tanaka")
    await place.known("suzuki")
    account = await account_named(place, "tanaka")
    value = await place.accounts.issue_token(account, "copier on the second floor", 60, "test")
    [token] = await place.accounts.tokens_of(account)
    machine, path = {"Authorization": f"Bearer {value}"}, f"/account/tokens/{token.handle}/end"
    async with client(place.faces["pickup"]) as owner, client(place.faces["pickup"]) as other:
        await log_in(other, "suzuki")
        assert "トークン" not in await (await other.get("/account")).text()
        assert (await other.post(path, headers=OWN)).status == 404
        assert (await other.post(path, headers=machine)).status == 403, "a machine is no person"
        assert (await other.get("/api/v1/transfers", headers=machine)).status == 200
        await log_in(owner, "tanaka")
        assert "copier on the second floor" in await (await owner.get("/account")).text()
        answer = await owner.post(path, headers=OWN, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/account")
        assert (await owner.post(path, headers=OWN)).status == 404
    assert await place.accounts.by_token(value, "pickup") is None
    assert [entry.action async for entry in place.journal.entries()].count("token.revoked") == 1


async def test_behind_tls_the_cookie_is_the_hosts_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)
    async with town(tmp_path, customs=Customs(second_factor="off", secure=True)) as place:
        await place.known("tanaka")
        async with client(place.faces["drop"]) as browser:
            answer = await log_in(browser, "tanaka")
            cookie = answer.cookies["__Host-sekisho-drop"]
            assert cookie["secure"]
            assert cookie["path"] == "/"
            assert not cookie["domain"]
            assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
            assert "Strict-Transport-Security" in (await browser.get("/none")).headers
            carried = {"Cookie": f"__Host-sekisho-drop={cookie.value}"} | OWN
            assert (await browser.get("/", headers=carried)).status == 200
            left = await browser.post("/logout", headers=carried, allow_redirects=False)
            assert left.cookies["__Host-sekisho-drop"]["secure"], "or the browser keeps it"
    async with town(tmp_path / "plain") as place, client(place.faces["drop"]) as browser:
        assert "Strict-Transport-Security" not in (await browser.get("/login")).headers


async def test_an_absence_is_registered_and_taken_back(place: Town) -> None:
    await place.known("tanaka")
    await place.known("suzuki")
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        good = {"from": "2026-11-18", "until": "2026-11-30", "delegate": "suzuki", "reason": "出張"}
        for wrong in ({"from": "x"}, {"until": "2026-11-01"}, {"reason": " "}, {"delegate": "nobody"}, {"delegate": "tanaka"}):
            assert (await browser.post("/account/absences", data=good | wrong, headers=OWN)).status == 400
        assert (await browser.post("/account/absences", data=good, headers=OWN, allow_redirects=False)).status == 303
        assert "出張" in await (await browser.get("/account")).text()
        [away] = await place.accounts.absences.listed(await account_named(place, "tanaka"))
        assert (away.who, away.delegate, away.acts, away.request) == ("tanakaさん", "suzukiさん", True, None)
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "suzuki")
        assert "出張" in await (await browser.get("/account")).text(), "the delegate is told"
        assert (await browser.post(f"/account/absences/{away.absence.id}/end", headers=OWN)).status == 404
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        for number in ("x", "9" * 30):
            assert (await browser.post(f"/account/absences/{number}/end", headers=OWN)).status == 404
        assert (await browser.post(f"/account/absences/{away.absence.id}/end", headers=OWN, allow_redirects=False)).status == 303
        assert await place.accounts.absences.listed(await account_named(place, "tanaka")) == []


async def test_a_shared_account_is_never_privileged(place: Town) -> None:
    await place.known("sousa")
    with pytest.raises(RefusedError, match="never shared"):
        await place.accounts.share(await account_named(place, "sousa"), [], "test")
