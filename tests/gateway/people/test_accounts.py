"""Accounts: what a guess learns (nothing), when a session ends, what a copy of the database opens (nothing), and what is recorded."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import audit
from gateway.people import passwords
from gateway.people.accounts import LoginTakenError, RefusedError, Role
from tests.build.face import PASSWORD, Town, quick_passwords, town


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        yield made


async def enter(place: Town, login: str = "tanaka", password: str = PASSWORD, face: str = "drop") -> str:
    value, _ = await place.accounts.log_in(login, password, face, "192.0.2.1")
    return value


async def deeds(place: Town) -> list[tuple[str, str, str]]:
    return [(entry.actor, entry.action, entry.subject) async for entry in place.journal.entries()]


async def test_a_temporary_password_has_to_be_changed(place: Town) -> None:
    first = await place.accounts.add("tanaka", "田中", Role.STAFF, "kanri")
    _, account = await place.accounts.log_in("tanaka", first, "drop", "")
    assert account.must_change
    await place.accounts.change_password(account, first, PASSWORD)
    changed = await place.accounts.find("tanaka")
    assert changed is not None
    assert not changed.must_change
    with pytest.raises(RefusedError):
        await enter(place, password=first)
    assert await enter(place)
    again = await place.accounts.reset_password(changed, "kanri")
    reset = await place.accounts.find("tanaka")
    assert reset is not None
    assert reset.must_change
    assert again != first


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("short", "12 to 256"),
        ("x" * 300, "12 to 256"),
        ("abababababab", "different"),
        ("Tanaka-no-himitsu", "log-in name"),
        ("password1234", "common"),
        ("Qwerty-2026-12", "common"),
        ("123456789012", "common"),
    ],
)
async def test_a_weak_password_is_refused_with_words(place: Town, password: str, word: str) -> None:
    await place.known("tanaka")
    account = await place.accounts.find("tanaka")
    assert account is not None
    with pytest.raises(RefusedError, match=word) as refused:
        await place.accounts.change_password(account, PASSWORD, password)
    assert any("ぁ" <= letter <= "ん" for letter in str(refused.value))
    assert await enter(place)


async def test_a_new_password_needs_the_old_one_and_differs(place: Town) -> None:
    await place.known("tanaka")
    account = await place.accounts.find("tanaka")
    assert account is not None
    with pytest.raises(RefusedError, match="current"):
        await place.accounts.change_password(account, "wrong", "another long phrase")
    with pytest.raises(RefusedError, match="differ"):
        await place.accounts.change_password(account, PASSWORD, PASSWORD)


async def test_five_wrong_passwords_lock_for_fifteen_minutes(place: Town) -> None:
    await place.known("tanaka")
    for _ in range(5):
        with pytest.raises(RefusedError):
            await enter(place, password="wrong")
    with pytest.raises(RefusedError):
        await enter(place)
    place.clock.pass_by(15 * 60 - 1)
    with pytest.raises(RefusedError):
        await enter(place)
    place.clock.pass_by(2)
    with pytest.raises(RefusedError):
        await enter(place, password="wrong")
    assert await enter(place), "one wrong password after the lock does not lock again"


async def test_guesses_at_the_same_moment_are_counted_one_by_one(place: Town) -> None:
    await place.known("tanaka")
    guesses = [enter(place, password=f"wrong {number}") for number in range(8)]
    assert all(isinstance(outcome, RefusedError) for outcome in await asyncio.gather(*guesses, return_exceptions=True))
    with pytest.raises(RefusedError):
        await enter(place)


async def test_wrong_old_passwords_lock_too(place: Town) -> None:
    await place.known("tanaka")
    account = await place.accounts.find("tanaka")
    assert account is not None
    for _ in range(5):
        with pytest.raises(RefusedError):
            await place.accounts.change_password(account, "wrong", "another long phrase")
    with pytest.raises(RefusedError):
        await enter(place)


async def test_a_guess_learns_nothing_about_names(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await place.known("tanaka")
    await place.known("suzuki")
    disabled = await place.accounts.find("suzuki")
    assert disabled is not None
    await place.accounts.disable(disabled, "kanri")
    compared: list[str] = []
    real = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda hash_of, password: compared.append(hash_of) or real(hash_of, password))
    said, recorded = set(), []
    for login, password in (("tanaka", "wrong"), ("nobody", "wrong"), ("suzuki", PASSWORD)):
        before = len(await deeds(place))
        with pytest.raises(RefusedError) as refused:
            await enter(place, login, password)
        said.add(str(refused.value))
        recorded.append([action for _, action, _ in (await deeds(place))[before:]])
    assert len(said) == 1
    assert len(compared) == 3
    assert recorded == [["login.failed"]] * 3
    assert not any("nobody" in part for deed in await deeds(place) for part in deed), "what was typed as a name may be a password"


async def test_a_session_ends_when_idle_and_when_old(place: Town) -> None:
    await place.known("tanaka")
    value = await enter(place)
    place.clock.pass_by(30 * 60 - 1)
    assert await place.accounts.session(value, "drop")
    place.clock.pass_by(30 * 60 - 1)
    assert await place.accounts.session(value, "drop"), "it was seen in between"
    place.clock.pass_by(30 * 60 + 1)
    assert await place.accounts.session(value, "drop") is None
    place.clock.pass_by(-60)
    assert await place.accounts.session(value, "drop") is None, "an ended session does not come back"

    value = await enter(place)
    for _ in range(12 * 3):
        place.clock.pass_by(20 * 60)
        assert await place.accounts.session(value, "drop")
    place.clock.pass_by(1)
    assert await place.accounts.session(value, "drop") is None


async def test_a_session_belongs_to_its_face_and_ends_with_log_out(place: Town) -> None:
    await place.known("tanaka")
    value = await enter(place)
    assert await place.accounts.session(value, "pickup") is None
    session = await place.accounts.session(value, "drop")
    assert session is not None
    await place.accounts.log_out(session.account, value)
    assert await place.accounts.session(value, "drop") is None


async def test_a_new_password_ends_all_sessions(place: Town) -> None:
    await place.known("tanaka")
    values = [await enter(place), await enter(place, face="pickup")]
    account = await place.accounts.find("tanaka")
    assert account is not None
    await place.accounts.change_password(account, PASSWORD, "another long phrase")
    assert [await place.accounts.session(value, face) for value, face in zip(values, ("drop", "pickup"), strict=True)] == [None, None]


async def test_a_disabled_account_loses_session_token_and_log_in(place: Town) -> None:
    await place.known("tanaka")
    value = await enter(place)
    account = await place.accounts.find("tanaka")
    assert account is not None
    token = await place.accounts.issue_token(account, "scanner", 3600, "kanri")
    assert await place.accounts.by_token(token)
    await place.accounts.disable(account, "kanri")
    assert await place.accounts.session(value, "drop") is None
    assert await place.accounts.by_token(token) is None
    with pytest.raises(RefusedError):
        await enter(place)


async def test_a_token_runs_out(place: Town) -> None:
    await place.known("tanaka")
    account = await place.accounts.find("tanaka")
    assert account is not None
    token = await place.accounts.issue_token(account, "scanner", 3600, "kanri")
    place.clock.pass_by(3599)
    assert await place.accounts.by_token(token)
    place.clock.pass_by(2)
    assert await place.accounts.by_token(token) is None
    assert await place.accounts.by_token("\udcff") is None


@pytest.mark.parametrize("login", ["admin", "root", "test", "A", "田中", "a b", "../x", "a\nb", "-a", "x" * 65])
async def test_reserved_and_odd_names_are_refused(place: Town, login: str) -> None:
    with pytest.raises(RefusedError):
        await place.accounts.add(login, "", Role.STAFF, "kanri")
    assert await place.accounts.count() == 0


async def test_a_name_is_given_once(place: Town) -> None:
    await place.accounts.add("tanaka", "", Role.STAFF, "kanri")
    with pytest.raises(LoginTakenError):
        await place.accounts.add("tanaka", "", Role.ADMINISTRATOR, "kanri")
    assert [account.role for account in await place.accounts.listed()] == ["staff"]


async def test_the_database_holds_only_hashes(place: Town) -> None:
    first = await place.accounts.add("tanaka", "", Role.STAFF, "kanri")
    account = await place.accounts.find("tanaka")
    assert account is not None
    await place.accounts.change_password(account, first, PASSWORD)
    value = await enter(place)
    token = await place.accounts.issue_token(account, "scanner", 3600, "kanri")
    kept = b"".join(path.read_bytes() for path in place.folder.glob("sekisho.db*"))
    assert b"$argon2id$" in kept
    assert hashlib.sha256(token.encode()).hexdigest().encode() in kept
    for secret in (first, PASSWORD, value, token):
        assert secret.encode() not in kept


async def test_every_deed_is_recorded(place: Town) -> None:
    first = await place.accounts.add("tanaka", "", Role.STAFF, "kanri")
    with pytest.raises(RefusedError):
        await enter(place, password="wrong")
    value, account = await place.accounts.log_in("tanaka", first, "drop", "192.0.2.1")
    await place.accounts.log_out(account, value)
    await place.accounts.change_password(account, first, PASSWORD)
    await place.accounts.issue_token(account, "scanner", 60, "kanri")
    await place.accounts.reset_password(account, "kanri")
    await place.accounts.disable(account, "kanri")
    assert await deeds(place) == [
        ("kanri", "account.added", "tanaka"),
        ("tanaka", "login.failed", "tanaka"),
        ("tanaka", "login", "tanaka"),
        ("tanaka", "logout", "tanaka"),
        ("tanaka", "password.changed", "tanaka"),
        ("kanri", "token.added", "tanaka"),
        ("kanri", "password.changed", "tanaka"),
        ("kanri", "account.disabled", "tanaka"),
    ]
    assert (await audit.verify(place.journal)).broken is None


def test_temporary_passwords_differ_and_pass_their_own_rule() -> None:
    made = {passwords.temporary() for _ in range(50)}
    assert len(made) == 50
    assert all(passwords.weakness(password, "tanaka") is None for password in made)


def test_a_real_hash_is_argon2id_and_a_broken_one_opens_nothing() -> None:
    hash_of = passwords.hashed(PASSWORD)
    assert hash_of.startswith("$argon2id$")
    assert passwords.matches(hash_of, PASSWORD)
    assert not passwords.matches(hash_of, PASSWORD + " ")
    assert not passwords.matches("", PASSWORD)
    assert not passwords.matches("$argon2id$broken", "")
