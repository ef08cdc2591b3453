"""Each question of the log inspection finds what it asks for, and nothing else."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway import periods
from gateway.auditing.inspections import BY_NAME, Customs, Noticed, inspect
from gateway.auditing.investigations import Asked, Investigations, as_csv, asked_of
from gateway.people.roles import RefusedError
from gateway.periods import Every
from gateway.storage import ledger
from gateway.storage.journal import Journal
from gateway.web.given import moment

pytestmark = pytest.mark.asyncio

MONTH = periods.named("2026-11")


def local(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


async def told(journal: Journal, at: str, action: str, actor: str = "kanri", subject: str = "", **detail: object) -> None:
    await journal.record(at=local(at), actor=actor, action=action, subject=subject, detail=detail)


async def noticed(journal: Journal, name: str) -> list[Noticed]:
    return await inspect(journal, BY_NAME[name], MONTH, Customs())


async def test_administration_after_hours(journal: Journal) -> None:
    await told(journal, "2026-10-31T23:00", "account.added", subject="before")
    await told(journal, "2026-11-18T08:29", "account.added", subject="early")
    await told(journal, "2026-11-18T08:30", "account.added", subject="in time")
    await told(journal, "2026-11-18T17:15", "rules.published", subject="late")
    await told(journal, "2026-11-18T20:00", "transfer.released", actor="road", subject="by itself")
    await told(journal, "2026-11-18T20:01", "transfer.disposed", actor="retention", subject="by itself")
    await told(journal, "2026-11-18T20:02", "login", subject="may come at any time")
    await told(journal, "2026-11-21T12:00", "emergency.halt", subject="on Saturday")
    await told(journal, "2026-12-01T23:00", "account.added", subject="after")
    assert [one.about for one in await noticed(journal, "after_hours")] == ["early", "late", "on Saturday"]


async def test_repeated_failures_of_one_account_and_from_one_place(journal: Journal) -> None:
    for number in range(5):
        await told(journal, f"2026-11-18T09:0{number}", "login.failed", actor="tanaka", subject="tanaka", client=f"10.0.0.{number}")
        await told(journal, f"2026-11-19T09:0{number}", "login.failed", actor="?", subject=f"user{number}", client="10.9.9.9")
        await told(journal, f"2026-11-2{number}T09:30", "login.failed", actor="sato", subject="sato", client="")
    found = await noticed(journal, "failures")
    assert [(one.actor, one.count) for one in found] == [("tanaka", 5), ("10.9.9.9", 5)]
    assert found[1].about == "user0, user1, user2, user3, user4"


async def test_whoever_approved_alone_and_every_exception(journal: Journal) -> None:
    await told(journal, "2026-11-18T10:00", "request.approved", subject="S-1")
    await told(journal, "2026-11-18T10:01", "request.approved_alone", subject="S-2", note="災害対応")
    await told(journal, "2026-11-18T10:02", "exception.granted", subject="EX-1")
    await told(journal, "2026-11-18T10:03", "exception.used", actor="road", subject="EX-1")
    (alone,) = await noticed(journal, "self_approvals")
    assert (alone.about, alone.actor) == ("S-2", "kanri")
    assert "災害対応" in alone.detail
    assert [one.about for one in await noticed(journal, "exceptions")] == ["EX-1"]


async def test_mass_downloads_of_one_person_on_one_day(journal: Journal) -> None:
    for number in range(50):
        await told(journal, f"2026-11-18T10:{number:02}", "file.collected", actor="tanaka", subject=f"R-{number}")
        await told(journal, f"2026-11-{1 + number % 28:02}T11:00", "file.collected", actor="sato", subject=f"R-{number}")
    await told(journal, "2026-11-19T10:00", "transfers.exported", q="x")
    found = await noticed(journal, "downloads")
    assert [(one.actor, one.count) for one in found] == [("tanaka", 50), ("kanri", 1)]


async def test_an_empty_month_shows_nothing(journal: Journal) -> None:
    for name in BY_NAME:
        assert await noticed(journal, name) == []


# ------------------------------------------------------------------------------------------------------ investigations


async def test_what_may_be_asked(journal: Journal) -> None:
    await told(journal, "2026-11-18T10:00", "login", actor="tanaka", subject="tanaka", client="10.1.2.3")
    await told(journal, "2026-11-18T10:01", "login.failed", actor="tanaka", subject="tanaka", client="10.1.2.100%")
    await told(journal, "2026-11-18T10:02", "transfer.released", actor="road", subject="20261118-000001")
    asking = Investigations(journal, lambda: local("2026-11-20T10:00"))
    case = await asking.begin("調査", "CISO", "kansa")

    async def subjects(**asked: str) -> list[str]:
        wanted = Asked(since=MONTH.since, until=local("2026-11-18T11:00"), **asked)
        return [entry.action for entry in await asking.query(case.number, wanted, "kansa")]

    assert await subjects() == ["login", "login.failed", "transfer.released"]
    assert await subjects(actor="tanaka") == ["login", "login.failed"]
    assert await subjects(action="login") == ["login"]
    assert await subjects(action="transfer.") == ["transfer.released"]
    assert await subjects(subject="20261118-000001") == ["transfer.released"]
    assert await subjects(text="100%") == ["login.failed"], "a sign of the database's own means itself"
    assert (await asking.find(case.number)).queries == 6
    await asking.end(case.number, "kansa")
    with pytest.raises(RefusedError):
        await subjects()
    with pytest.raises(RefusedError):
        await asking.query("CASE-2026-9999", Asked(since=0, until=1), "kansa")


async def test_a_table_runs_nothing(journal: Journal) -> None:
    await told(journal, "2026-11-18T10:00", "login", actor="=cmd()", subject="@x")
    entries = [entry async for entry in journal.entries()]
    lines = as_csv(entries).decode("utf-8-sig").split("\r\n")
    assert ",'=cmd(),login," in lines[1]
    assert ",'@x," in lines[1]
    assert lines[1].endswith(entries[0].hash)


async def test_moments_of_a_form() -> None:
    now = local("2026-11-20T10:00")
    assert asked_of({}, now, moment).since == now - 30 * 86_400
    with pytest.raises(ValueError, match="until"):
        asked_of({"since": "2026-11-20T10:00"}, now, moment)
    with pytest.raises(ValueError, match="yesterday"):
        asked_of({"since": "yesterday"}, now, moment)


async def test_the_first_entry_of_a_moment_is_found(journal: Journal) -> None:
    for minute in range(20):
        await told(journal, f"2026-11-18T10:{minute:02}", "login")

    async def first(at: str) -> int:
        return await journal.ask(lambda connection: ledger.seq_at(connection, local(at)))

    assert [await first(at) for at in ("2026-11-01T00:00", "2026-11-18T10:00", "2026-11-18T10:05", "2026-11-18T10:05:01")] == [1, 1, 6, 7]
    assert await first("2026-12-01T00:00") == 21
    assert periods.of(Every.MONTH, local("2026-11-18T10:00")) == MONTH
