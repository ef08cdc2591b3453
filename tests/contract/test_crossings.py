"""What comes over from the outer side, on every database: taken once, known again, refused for the record, forgotten in time."""

from __future__ import annotations

import pytest

from gateway.model import ACROSS, Arrival, Door, Purpose, State, Way
from gateway.storage import crossings as rows
from gateway.storage import incidents
from gateway.storage.blobs import Blob
from gateway.storage.crossings import Crossing, NotNowError
from gateway.storage.faults import HaltedError
from gateway.storage.halts import Halt
from gateway.storage.journal import Journal
from gateway.storage.settling import Settlement
from tests.build.transfer import NOW, arrival, claimed, settlement

NUMBER = "20261118-000123"


def crossing(nonce: str = "n1", name: str = "c1", **changes: object) -> Crossing:
    given: dict[str, object] = {"nonce": nonce, "crossing": name, "key": "k", "sha256": "0" * 64, "sent_at": NOW, "at": NOW, "cleared": NOW}
    return Crossing(**(given | changes))  # type: ignore[arg-type]


async def take(journal: Journal, record: Crossing, came: Arrival | None = None, settled: Settlement | None = None) -> None:
    given, ended = came or arrival(), settled or settlement()
    await journal.write(lambda connection: rows.take(connection, record, given, NUMBER, ended))


async def test_a_mail_is_taken_once(journal: Journal) -> None:
    await take(journal, crossing())
    (transfer,) = await journal.transfers()
    assert (transfer.receipt_no, transfer.state, transfer.blob) == (NUMBER, State.RELEASED, None)
    (delivery,) = await journal.deliveries(transfer.id)
    assert delivery.purpose is Purpose.MAIL
    await take(journal, crossing("n2"))
    assert len(await journal.deliveries(transfer.id)) == 1, "the same thing with other papers"
    assert await journal.ask(lambda connection: rows.came(connection, "c1"))
    assert not await journal.ask(lambda connection: rows.came(connection, "c2"))
    assert (await journal.ask(lambda connection: rows.with_papers(connection, "n2"))) == crossing("n2")


async def test_more_of_a_file_comes_later_but_not_of_a_mail_on_its_way(journal: Journal) -> None:
    await take(journal, crossing(), arrival(door=Door.DROP, recipients=("tanaka",)))
    await take(journal, crossing("n2", "c2"), arrival(door=Door.DROP, recipients=("tanaka",)))
    assert len(await journal.transfers()) == 1
    mail = crossing("n3", "c3")
    await journal.write(lambda connection: rows.take(connection, mail, arrival(), "20261118-000124", settlement()))
    with pytest.raises(NotNowError):
        await journal.write(lambda connection: rows.take(connection, crossing("n4", "c4"), arrival(), "20261118-000124", settlement()))


async def test_a_number_that_this_side_gave_is_not_taken_over(journal: Journal) -> None:
    _, own = await journal.accept(arrival())
    with pytest.raises(NotNowError):
        await journal.write(lambda connection: rows.take(connection, crossing(), arrival(), own, settlement()))


async def test_nothing_while_intake_is_stopped(journal: Journal) -> None:
    await journal.halt(Halt.INTAKE, at=NOW, actor="somebody", reason="drill")
    with pytest.raises(HaltedError):
        await take(journal, crossing())
    with pytest.raises(HaltedError):
        await journal.write(lambda connection: rows.pass_on(connection, crossing(), ["a@town.example.jp"], b"x", NUMBER))
    assert await journal.transfers() == []


async def test_a_message_goes_on_to_each(journal: Journal) -> None:
    await journal.write(lambda connection: rows.pass_on(connection, crossing(), ["a@town.example.jp", "b@town.example.jp"], b"x", NUMBER))
    assert await journal.ask(lambda connection: rows.came(connection, "c1"))


async def test_a_refusal_is_written_down_and_calls_somebody_once(journal: Journal) -> None:
    for _ in range(2):
        await journal.write(lambda connection: rows.refused(connection, why="key", text="foreign", via="somebody", at=NOW))
    assert [entry.actor async for entry in journal.entries() if entry.action == "crossing.refused"] == ["somebody"] * 2
    assert len(await journal.ask(incidents.listed)) == 1


async def test_papers_are_cleared_once_and_forgotten(journal: Journal) -> None:
    await take(journal, crossing(cleared=None))
    await journal.write(lambda connection: rows.cleared(connection, "n1", NOW + 5))
    await journal.write(lambda connection: rows.cleared(connection, "n1", NOW + 9))
    assert await journal.ask(lambda connection: rows.with_papers(connection, "n1")) == crossing(cleared=NOW + 5)
    assert await journal.write(lambda connection: rows.forget(connection, NOW)) == 0
    assert await journal.write(lambda connection: rows.forget(connection, NOW + 1)) == 1


# ---------------------------------------------------------------------------------------------------- the outer side


async def test_files_for_boxes_are_given_something_that_carries_them(journal: Journal) -> None:
    transfer_id, _ = await journal.accept(arrival(door=Door.DROP, sender="tanaka", recipients=("tanaka",)))
    claim = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
    await journal.settle(claim, settlement(), at=NOW)
    assert await journal.write(lambda connection: rows.queue_boxes(connection, NOW, 10)) == 1
    assert await journal.write(lambda connection: rows.queue_boxes(connection, NOW, 10)) == 0, "once"
    (delivery,) = await journal.deliveries(transfer_id)
    transfer = await journal.transfer(transfer_id)
    assert transfer.result is not None
    assert (delivery.purpose, Blob(delivery.blob, delivery.size)) == (Purpose.BOX, Blob(transfer.result.sha256, transfer.result.size))
    assert await journal.claim_deliveries(10, at=NOW, lease_until=NOW + 60) == [], "not by post"


async def test_what_carries_a_transfer_waits_for_its_hold(journal: Journal) -> None:
    await journal.accept(arrival())
    claim = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
    await journal.settle(claim, settlement(), at=NOW)
    way = Way(ACROSS, 600.0)
    assert await journal.next_due(way=way) == NOW + 600
    assert await journal.claim_deliveries(10, at=NOW + 599, lease_until=NOW + 900, way=way) == []
    assert len(await journal.claim_deliveries(10, at=NOW + 600, lease_until=NOW + 900, way=way)) == 1
