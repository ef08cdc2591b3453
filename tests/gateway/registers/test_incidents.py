"""The register by hand and by alert: what has to be said, what may be done when, and how far an incident reaches."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from gateway.model import Purpose, RecipientState
from gateway.people.roles import RefusedError
from gateway.registers.incidents import Incident, Incidents, Kind, Received
from gateway.storage import deliveries, ledger
from gateway.storage.blobs import Blob
from gateway.storage.journal import Journal
from tests.build.transfer import BODY, NOW, arrival, claimed, digest, settlement

KNOWN = {"response": "隔離した", "cause": "標的型", "prevention": "訓練"}


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = Journal(tmp_path / "sekisho.db")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def incidents(journal: Journal, clock: Clock) -> Incidents:
    return Incidents(journal, clock)


async def closed(incidents: Incidents) -> Incident:
    one = await incidents.open(None, Kind.SUSPICIOUS, "何か", who="sousa")
    await incidents.change(one.number, KNOWN, who="sousa")
    return await incidents.close(one.number, "済", who="sousa")


# --------------------------------------------------------------------------------------------------------------- by hand


_DEEDS: dict[str, Callable[[Incidents, str, str], Awaitable[Incident]]] = {
    "note": lambda incidents, number, text: incidents.note(number, text, who="sousa"),
    "change": lambda incidents, number, text: incidents.change(number, {"scope": text}, who="sousa"),
    "acknowledge": lambda incidents, number, text: incidents.acknowledge(number, text, who="sousa"),
    "close": lambda incidents, number, text: incidents.close(number, text, who="sousa"),
    "reopen": lambda incidents, number, text: incidents.reopen(number, text, who="sousa"),
}


@pytest.mark.parametrize("deed", ["note", "reopen"])
async def test_who_writes_says_something(incidents: Incidents, deed: str) -> None:
    one = await closed(incidents)
    with pytest.raises(RefusedError, match="say what happened"):
        await _DEEDS[deed](incidents, one.number, " \n")
    assert (await incidents.find(one.number)).state == "closed"
    assert [step.what for step in await incidents.steps(one)] == ["opened", "changed", "closed"]


@pytest.mark.parametrize("deed", ["note", "change", "acknowledge", "close"])
async def test_what_is_closed_is_written_in_no_more(incidents: Incidents, deed: str) -> None:
    one = await closed(incidents)
    with pytest.raises(RefusedError, match="it is closed"):
        await _DEEDS[deed](incidents, one.number, "後から")
    assert await incidents.find(one.number) == one


async def test_what_is_open_is_not_reopened_and_what_was_reopened_is_written_in(incidents: Incidents, clock: Clock) -> None:
    one = await closed(incidents)
    clock.now += 60
    again = await incidents.reopen(one.number, "再発した", who="kanri")
    assert (again.state, again.closed_at, again.closed_by, again.changed_at) == ("open", None, "", NOW + 60)
    with pytest.raises(RefusedError, match="it is open"):
        await incidents.reopen(one.number, "もう一度", who="kanri")
    await incidents.note(one.number, "続報", who="sousa")
    assert [(step.what, step.actor, step.text) for step in await incidents.steps(one)][2:] == [
        ("closed", "sousa", "済"), ("reopened", "kanri", "再発した"), ("noted", "sousa", "続報"),
    ]  # fmt: skip


@pytest.mark.parametrize("left_out", sorted(KNOWN))
async def test_it_is_closed_when_it_is_known(incidents: Incidents, left_out: str) -> None:
    one = await incidents.open(None, Kind.LEAK, "何か", who="sousa")
    await incidents.change(one.number, KNOWN | {left_out: " "}, who="sousa")
    with pytest.raises(RefusedError, match=f"write {left_out} before"):
        await incidents.close(one.number, "", who="sousa")
    assert (await incidents.find(one.number)).state == "open"


# -------------------------------------------------------------------------------------------------------------- by alert


async def test_an_alert_that_cannot_be_written_ends_nothing(
    incidents: Incidents, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    await incidents.alert(Kind.STORAGE, "満杯")
    await journal.write(lambda connection: connection.execute(text("ALTER TABLE incidents RENAME TO gone")))
    with caplog.at_level(logging.ERROR):
        await incidents.alert(Kind.CLOCK, "ずれ")
        await incidents.recovered(Kind.STORAGE, "戻った")
    assert [record.getMessage() for record in caplog.records] == [
        "an alert could not be written into the register", "a recovery could not be written into the register",
    ]  # fmt: skip


async def test_a_recovery_of_what_was_no_fault_is_none(incidents: Incidents) -> None:
    await incidents.recovered(Kind.STORAGE, "戻った")
    assert await incidents.listed() == []


# ---------------------------------------------------------------------------------------------------------- how far it is


async def mailed(journal: Journal, *recipients: str, content: bytes = BODY) -> str:
    """A mail that was let through and waits to be delivered. Its receipt number."""
    _, receipt_no = await journal.accept(arrival(content, recipients=recipients))
    await journal.settle(claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60)), settlement(), at=NOW)
    return receipt_no


async def tried(journal: Journal, at: float, **said: RecipientState) -> None:
    """The next hop's answer about each; local part → state."""
    (delivery,) = await journal.claim_deliveries(1, at=at, lease_until=at + 60)
    outcomes = [
        msgspec.structs.replace(one, state=state, due=at + 600 if state is RecipientState.WAITING else None, code=450, text=one.address)
        for one in delivery.recipients
        if (state := said[one.address.partition("@")[0]])
    ]
    await journal.settle_delivery(delivery, outcomes, None, at=at)


async def test_who_has_a_mail_and_since_when(incidents: Incidents, journal: Journal) -> None:
    receipt_no = await mailed(journal, "a@town.example.jp", "aa@town.example.jp", "b@town.example.jp", "c@town.example.jp")
    waiting, done, failed = RecipientState.WAITING, RecipientState.DELIVERED, RecipientState.FAILED
    await tried(journal, NOW + 10, a=waiting, aa=done, b=waiting, c=failed)
    await tried(journal, NOW + 700, a=done, b=waiting)
    one = await incidents.open(await journal.find(receipt_no), Kind.SUSPICIOUS, "不審", who="sousa")
    reach = await incidents.scope(one)
    assert reach is not None
    assert reach.received == (
        Received(receipt_no, "a@town.example.jp", "mail", NOW + 700),
        Received(receipt_no, "aa@town.example.jp", "mail", NOW + 10),
    )
    assert reach.waiting == (f"{receipt_no}: b@town.example.jp",)
    assert (reach.same, reach.sender, reach.late) == ((), 0, ())


async def test_notices_carry_nothing_and_what_the_record_gave_up_has_no_moment(incidents: Incidents, journal: Journal) -> None:
    receipt_no = await mailed(journal, "a@town.example.jp")
    transfer = await journal.find(receipt_no)
    await journal.write(
        lambda connection: deliveries.queue(
            connection, transfer.id, Purpose.NOTICE, sender="", recipients=("postmaster@town.example.jp",),
            blob=Blob(digest(BODY), len(BODY)), smtputf8=False, at=NOW,
        )
    )  # fmt: skip
    await tried(journal, NOW + 10, a=RecipientState.DELIVERED)
    await journal.record(at=NOW + 90, actor="kanri", action="login", subject="kanri", detail={})
    await journal.write(lambda connection: ledger.purge(connection, before=NOW + 60, at=NOW + 90, actor="retention"))
    one = await incidents.open(await journal.find(receipt_no), Kind.SUSPICIOUS, "不審", who="sousa")
    reach = await incidents.scope(one)
    assert reach is not None
    assert (reach.received, reach.waiting) == ((Received(receipt_no, "a@town.example.jp", "mail", None),), ())


async def test_the_same_bytes_and_the_same_sender_are_counted(incidents: Incidents, journal: Journal) -> None:
    first, twin = await mailed(journal, "a@town.example.jp"), await mailed(journal, "b@town.example.jp")
    other, _ = await journal.accept(arrival(b"other bytes", recipients=("c@town.example.jp",)))
    one = await incidents.open(await journal.find(first), Kind.MALWARE, "不審", who="sousa")
    reach = await incidents.scope(one)
    assert reach is not None
    assert ([each.receipt_no for each in reach.same], reach.sender) == ([twin], 2)
    assert {line.partition(": ")[0] for line in reach.waiting} == {first, twin}
    assert other not in {each.id for each in reach.same}


async def test_what_was_drawn_from_nothing_reaches_nobody(incidents: Incidents) -> None:
    assert await incidents.scope(await incidents.open(None, Kind.OTHER, "何か", who="sousa")) is None


async def test_what_is_kept_no_more_is_said_to_reach_nothing_known(incidents: Incidents, journal: Journal) -> None:
    one = await incidents.open(await journal.find(await mailed(journal, "a@town.example.jp")), Kind.LEAK, "漏えい", who="sousa")
    assert await incidents.scope(msgspec.structs.replace(one, receipt_no="20250101-000001")) is None
