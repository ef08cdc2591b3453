"""What the registers must do on every journal: numbers, histories that only grow, one fault for one trouble."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Connection, Delete, Update, delete, update
from sqlalchemy.exc import DBAPIError

from gateway.storage import incidents, letters
from gateway.storage.faults import JournalUnavailableError, LeaseLostError
from gateway.storage.incidents import ClosedError, Incident, Kind, NoSuchIncidentError, Register, open_incident
from gateway.storage.journal import Journal
from gateway.storage.tables import incident_steps
from tests.build.road import accepted
from tests.build.transfer import NOW

pytestmark = pytest.mark.asyncio


async def opened(journal: Journal, kind: Kind | str = Kind.SUSPICIOUS, *, with_transfer: bool = True, **changes: object) -> Incident:
    transfer = await journal.transfer(await accepted(journal)) if with_transfer else None
    given = {"transfer": transfer, "kind": kind, "text": "不審な添付がありました。", "who": "tanaka", "moment": NOW} | changes
    return await journal.write(lambda connection: open_incident(connection, **given))  # type: ignore[arg-type]


async def test_an_incident_is_drawn_from_a_transfer(journal: Journal) -> None:
    one = await opened(journal)
    assert one.number == "IN-2026-0001"
    assert (one.register, one.kind, one.state, one.opened_by) == (Register.INCIDENT, Kind.SUSPICIOUS, "open", "tanaka")
    assert (one.receipt_no[-6:], one.occurred_at, one.noticed_at) == ("000001", NOW, NOW)
    assert one.title == "不審な添付がありました。"
    assert await journal.ask(lambda connection: incidents.of_transfer(connection, one.receipt_no)) == [one]
    last = [entry async for entry in journal.entries(subject=one.number)][-1]
    assert (last.action, last.actor) == ("incident.opened", "tanaka")
    assert "不審な添付" in last.detail


async def test_what_many_notice_is_one_incident(journal: Journal) -> None:
    one = await opened(journal)
    transfer = await journal.find(one.receipt_no)
    again = await opened(journal, transfer=transfer, who="suzuki", text="私にも届きました。", moment=NOW + 60)
    assert again.number == one.number
    assert (await opened(journal)).number == "IN-2026-0002", "another transfer is another incident"
    history = await journal.ask(lambda connection: incidents.steps(connection, one))
    assert [(step.what, step.actor) for step in history] == [("opened", "tanaka"), ("reported", "suzuki")]


async def test_a_kind_that_nobody_knows_is_other(journal: Journal) -> None:
    assert (await opened(journal, "something else")).kind is Kind.OTHER


async def test_a_fault_is_one_until_it_is_closed(journal: Journal) -> None:
    first = await opened(journal, Kind.SCANNER, with_transfer=False, text="clamd does not answer", who="road")
    assert (first.number, first.register, first.transfer_id) == ("FA-2026-0001", Register.FAULT, None)
    assert (await opened(journal, Kind.SCANNER, moment=NOW + 5)).number == first.number
    healed = await journal.write(lambda connection: incidents.recovered(connection, Kind.SCANNER, "heard", moment=NOW + 9))
    assert healed is not None
    assert (healed.recovered_at, healed.state) == (NOW + 9, "open"), "a person closes it"
    assert await journal.write(lambda connection: incidents.recovered(connection, Kind.SCANNER, "heard", moment=NOW + 10)) is None


async def test_it_is_closed_when_all_is_written(journal: Journal) -> None:
    one = await opened(journal)

    def close(connection: Connection) -> Incident:
        return incidents.close(connection, one.number, "済", who="ciso", moment=NOW + 9)

    with pytest.raises(ClosedError, match="response, cause, prevention"):
        await journal.write(close)
    known = {"response": "隔離した", "cause": "標的型", "prevention": "訓練", "recovered_at": NOW + 5, "state": "closed", "number": "X"}
    await journal.write(lambda connection: incidents.change(connection, one.number, known, who="csirt", moment=NOW + 8))
    closed = await journal.write(close)
    assert (closed.number, closed.state, closed.closed_by, closed.closed_at, closed.cause) == (
        one.number,
        "closed",
        "ciso",
        NOW + 9,
        "標的型",
    )
    for deed in (incidents.note, incidents.close, incidents.acknowledge):
        with pytest.raises(ClosedError):
            await journal.write(partial(_again, deed, one.number))
    again = await journal.write(lambda connection: incidents.reopen(connection, one.number, "見落とし", who="ciso", moment=NOW + 10))
    assert (again.state, again.closed_at, again.closed_by) == ("open", None, "")
    history = await journal.ask(lambda connection: incidents.steps(connection, one))
    assert [step.what for step in history] == ["opened", "changed", "closed", "reopened"]


def _again(deed: Callable[..., Incident], number: str, connection: Connection) -> Incident:
    return deed(connection, number, "?", who="a", moment=NOW)


def _executed(deed: Update | Delete, connection: Connection) -> None:
    connection.execute(deed)


async def test_open_ones_stand_first_and_old_ones_go(journal: Journal) -> None:
    old, young = await opened(journal), await opened(journal, moment=NOW + 100)
    await journal.write(
        lambda connection: incidents.change(connection, young.number, dict.fromkeys(incidents.NEEDED, "x"), who="a", moment=NOW + 101)
    )
    await journal.write(lambda connection: incidents.close(connection, young.number, "", who="a", moment=NOW + 102))
    fault = await opened(journal, Kind.CLOCK, with_transfer=False, text="")

    async def numbers(**asked: object) -> list[str]:
        return [one.number for one in await journal.ask(lambda connection: incidents.listed(connection, **asked))]  # type: ignore[arg-type]

    assert await numbers() == [fault.number, old.number, young.number]
    assert await numbers(register=Register.FAULT) == [fault.number]
    assert await numbers(since=NOW + 1_000) == [fault.number, old.number]
    assert await numbers(until=NOW + 50) == [fault.number, old.number]


async def test_the_chain_stops_where_somebody_takes_it_on(journal: Journal) -> None:
    one = await opened(journal)
    assert [found.number for found in await journal.ask(incidents.unanswered)] == [one.number]
    told = await journal.write(lambda connection: incidents.told(connection, one, 1, "課長", moment=NOW + 1))
    assert (told.told_level, told.told_at) == (1, NOW + 1)
    taken = await journal.write(lambda connection: incidents.acknowledge(connection, one.number, who="kacho", moment=NOW + 2))
    assert (taken.acknowledged_by, taken.acknowledged_at) == ("kacho", NOW + 2)
    assert await journal.ask(incidents.unanswered) == []


async def test_the_history_only_grows(journal: Journal) -> None:
    await opened(journal)
    for deed in (update(incident_steps).values(text="nothing happened"), delete(incident_steps)):
        with pytest.raises((DBAPIError, JournalUnavailableError)):
            await journal.write(partial(_executed, deed))


async def test_nobody_finds_what_was_never_opened(journal: Journal) -> None:
    with pytest.raises(NoSuchIncidentError):
        await journal.ask(lambda connection: incidents.find(connection, "IN-2026-0001"))


# ------------------------------------------------------------------------------------------------------------- letters


async def queued(journal: Journal, *recipients: str) -> int:
    return await journal.write(lambda connection: letters.queue(connection, recipients, b"Subject: x\r\n\r\n", about="monthly", at=NOW))


async def test_a_letter_goes_to_each_alone(journal: Journal) -> None:
    assert await queued(journal, "a@town.example.jp", "b@town.example.jp", "a@town.example.jp") == 2
    assert await journal.ask(letters.next_due) == NOW
    claimed = await journal.write(lambda connection: letters.claim(connection, 10, NOW, NOW + 60))
    assert [(one.recipient, one.size) for one in claimed] == [("a@town.example.jp", 14), ("b@town.example.jp", 14)]
    assert await journal.ask(letters.next_due) == NOW + 60, "the leases count"
    assert await journal.write(lambda connection: letters.claim(connection, 10, NOW + 59, NOW + 99)) == []
    first, second = claimed
    await journal.write(lambda connection: letters.settle(connection, first, letters.DELIVERED, "250", again=None, at=NOW))
    await journal.write(lambda connection: letters.settle(connection, second, letters.WAITING, "450", again=NOW + 300, at=NOW))
    assert await journal.ask(lambda connection: letters.content(connection, first.id)) == b"", "it is at its end"
    (again,) = await journal.write(lambda connection: letters.claim(connection, 10, NOW + 300, NOW + 400))
    assert (again.id, again.attempts) == (second.id, 1)
    assert await journal.ask(letters.waiting) == 1


async def test_a_late_post_writes_nothing(journal: Journal) -> None:
    await queued(journal, "a@town.example.jp")
    (late,) = await journal.write(lambda connection: letters.claim(connection, 1, NOW, NOW + 1))
    (owner,) = await journal.write(lambda connection: letters.claim(connection, 1, NOW + 2, NOW + 60))
    with pytest.raises(LeaseLostError):
        await journal.write(lambda connection: letters.settle(connection, late, letters.DELIVERED, "", again=None, at=NOW + 3))
    await journal.write(lambda connection: letters.give_back(connection, owner))
    assert len(await journal.write(lambda connection: letters.claim(connection, 1, NOW + 4, NOW + 60))) == 1
