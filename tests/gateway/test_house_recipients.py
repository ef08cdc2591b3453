"""Whom mail is taken in for: those of a list, and of them those to whom it is permitted; what changes is taken up."""

from __future__ import annotations

import asyncio
import smtplib
import time
from pathlib import Path

import pytest

from gateway import config, house
from gateway.house import House
from gateway.people.accounts import Accounts, Role
from gateway.people.employment import Employment, Terms
from gateway.storage.journal import Journal
from tests.gateway.test_house import running
from tests.gateway.test_house import settings as settings  # noqa: PLC0414 - the fixture


async def test_a_list_of_recipients_and_a_newer_one(settings: config.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = tmp_path / "people.txt"
    people.write_text("# the town hall\n\nclerk@town.example.jp\n", "utf-8")
    monkeypatch.setenv("SEKISHO_SMTP_RECIPIENTS", str(people))
    given = config.load(None)

    def codes() -> list[int]:
        with smtplib.SMTP("127.0.0.1", int(given["smtp.listen"][0][1]), timeout=10) as client:
            client.ehlo()
            client.mail("a@b.example")
            return [client.rcpt(f"{name}@town.example.jp")[0] for name in ("clerk", "new", "postmaster")]

    made = House(given, frozenset({"smtp"}))
    async with running(made):
        assert await asyncio.to_thread(codes) == [250, 550, 250]
        people.write_text("clerk@town.example.jp\nnew@town.example.jp\n", "utf-8")
        await made.reload()
        assert await asyncio.to_thread(codes) == [250, 250, 250]
        people.write_text("not an address\n", "utf-8")
        await made.reload()
        assert await asyncio.to_thread(codes) == [250, 250, 250]


async def test_mail_to_whom_none_is_permitted_is_refused_until_somebody_permits_it(settings: config.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "_SHUT_SECONDS", 0.02)
    monkeypatch.setenv("SEKISHO_SMTP_DOMAINS", "town.example.jp")
    given = config.load(None)
    made = House(given, frozenset({"smtp"}))

    def answers() -> list[tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", int(given["smtp.listen"][0][1]), timeout=10) as client:
            client.ehlo()
            client.mail("a@b.example")
            return [client.rcpt(f"{name}@town.example.jp") for name in ("Kaikei", "kitei")]

    async def codes(*wanted: int) -> None:
        async with asyncio.timeout(20):
            while [code for code, _ in await asyncio.to_thread(answers)] != [*wanted]:
                await asyncio.sleep(0.02)

    journal = Journal(given.path("storage.path") / "sekisho.db")
    await journal.start()
    people = Accounts(journal, time.time)
    fiscal = Terms(employment=Employment.FISCAL_YEAR)
    await people.add("kaikei", "会計", Role.STAFF, "test", "kaikei@town.example.jp", terms=fiscal)
    await people.add("kitei", "規程", Role.STAFF, "test", "kitei@town.example.jp")
    await journal.stop()
    async with running(made):
        assert await asyncio.to_thread(answers) == [(550, b"5.7.1 Delivery to this recipient is not authorized"), (250, b"2.1.5 Recipient ok")]
        for mail, code in ((True, 250), (False, 550)):
            account = await made.accounts.find("kaikei")
            assert account is not None
            await made.accounts.change(account, "test", name="会計", mail=account.mail, role=Role.STAFF, terms=Terms(mail=mail, reason="窓口"))
            await codes(code, 250)
