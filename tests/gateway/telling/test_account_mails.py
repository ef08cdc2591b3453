"""Mails about log-ins."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from gateway.people.roles import Role
from gateway.storage import letters
from gateway.storage.faults import StorageError
from gateway.telling.account_mails import AccountMails
from gateway.telling.notices import Office
from tests.build.face import PASSWORD, Town, quick_passwords, town

OFFICE = Office(sender="kakari@town.example.jp", hostname="sekisho.town.example.jp")


async def posted(place: Town) -> list[EmailMessage]:
    """What waits for the post; each is taken once."""
    found = await place.journal.write(lambda c: letters.claim(c, 10, place.clock(), place.clock() + 1e9))
    contents = [await place.journal.ask(lambda c, one=one: letters.content(c, one.id)) for one in found]
    return [email.message_from_bytes(content, policy=email.policy.default) for content in contents]  # type: ignore[misc]


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        made.accounts.heard = AccountMails(made.journal, OFFICE, made.clock).tell
        await made.known("tanaka")
        account = await made.accounts.find("tanaka")
        await made.accounts.change(account, "test", name="田中", mail="tanaka@town.example.jp", role=Role.STAFF)
        yield made


async def test_a_new_terminal_is_told_of_and_an_old_one_is_not(place: Town) -> None:
    await place.accounts.log_in("tanaka", PASSWORD, "drop", "10.1.2.3")
    assert await posted(place) == [], "the first one of all is nothing new"
    await place.accounts.log_in("tanaka", PASSWORD, "drop", "10.1.2.3")
    assert await posted(place) == []
    await place.accounts.log_in("tanaka", PASSWORD, "pickup", "10.9.9.9")
    [mail] = await posted(place)
    assert mail["To"] == "tanaka@town.example.jp"
    assert "初めての端末" in mail["Subject"]
    for known in ("10.9.9.9", "受取", "A log-in from a new terminal", "change your password"):
        assert known in mail.get_content()


async def test_each_log_in_where_somebody_wants_to_hear_of_it(place: Town) -> None:
    account = await place.accounts.find("tanaka")
    assert account is not None
    await place.accounts.prefer(account, "mails")
    await place.accounts.log_in("tanaka", PASSWORD, "drop", "10.1.2.3")
    [mail] = await posted(place)
    assert "ログインがありました" in mail["Subject"]


async def test_a_wrong_password_is_no_log_in_and_nobody_without_an_address_is_written_to(place: Town) -> None:
    from gateway.people.roles import RefusedError

    await place.known("suzuki")
    for client in ("10.1.2.3", "10.9.9.9"):
        await place.accounts.log_in("suzuki", PASSWORD, "drop", client)
        with pytest.raises(RefusedError):
            await place.accounts.log_in("tanaka", "x", "drop", client)
    assert await posted(place) == []


async def test_a_mail_that_cannot_be_queued_stops_no_log_in(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await place.accounts.log_in("tanaka", PASSWORD, "drop", "10.1.2.3")

    def fails(*_: object, **__: object) -> int:
        raise StorageError("full")

    monkeypatch.setattr(letters, "queue", fails)
    value, _ = await place.accounts.log_in("tanaka", PASSWORD, "drop", "10.9.9.9")
    assert await place.accounts.session(value, "drop") is not None
