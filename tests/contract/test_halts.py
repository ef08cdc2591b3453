"""緊急停止: after the commit nothing is taken in and nothing leaves, whoever asks; what was stopped, by whom and why stands in the record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.model import Door, State
from gateway.storage.faults import HaltedError
from gateway.storage.halts import Halt, Halted
from gateway.storage.journal import Journal
from tests.build.transfer import NOW, arrival, claimed, settlement


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = Journal(tmp_path / "sekisho.db")
    await made.start()
    yield made
    await made.stop()


async def released(journal: Journal, door: Door) -> int:
    transfer_id, _ = await journal.accept(arrival(door=door))
    await journal.settle(claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60)), settlement(), at=NOW)
    return transfer_id


async def test_nothing_is_taken_in_while_intake_is_stopped(journal: Journal, tmp_path: Path) -> None:
    assert await journal.halt(Halt.INTAKE, at=NOW, actor="sousa", reason="訓練")
    beside = Journal(tmp_path / "sekisho.db")       # another process of the same installation
    await beside.start()
    for one in (journal, beside):
        for door in Door:
            with pytest.raises(HaltedError):
                await one.accept(arrival(door=door))
    assert await journal.transfers() == []
    assert await beside.resume(Halt.INTAKE, at=NOW, actor="sousa", reason="訓練終わり")
    await journal.accept(arrival())
    await beside.stop()


async def test_nothing_leaves_while_delivery_is_stopped(journal: Journal) -> None:
    mail, upload = await released(journal, Door.SMTP), await released(journal, Door.DROP)
    await journal.halt(Halt.DELIVERY, at=NOW, actor="sousa", reason="調査")
    assert await journal.next_due() is None
    assert await journal.claim_deliveries(9, at=NOW, lease_until=NOW + 60) == []
    with pytest.raises(HaltedError):
        await journal.collected(await journal.transfer(upload), at=NOW, actor="tanaka")
    await journal.accept(arrival())     # intake goes on
    await journal.resume(Halt.DELIVERY, at=NOW, actor="sousa", reason="")
    assert [one.transfer_id for one in await journal.claim_deliveries(9, at=NOW, lease_until=NOW + 60)] == [mail]
    await journal.collected(await journal.transfer(upload), at=NOW, actor="tanaka")
    assert (await journal.transfer(mail)).state is State.DELIVERING


async def test_who_stopped_it_and_why_is_known_and_recorded_once(journal: Journal) -> None:
    assert await journal.halted() == {}
    assert await journal.halt(Halt.DELIVERY, at=NOW, actor="sousa", reason="調査")
    assert not await journal.halt(Halt.DELIVERY, at=NOW + 1, actor="other", reason="again")
    assert await journal.halted() == {Halt.DELIVERY: Halted(NOW, "sousa", "調査")}
    assert await journal.resume(Halt.DELIVERY, at=NOW + 2, actor="kanri", reason="済")
    assert not await journal.resume(Halt.DELIVERY, at=NOW + 3, actor="kanri", reason="済")
    entries = [entry async for entry in journal.entries()]
    assert [(entry.actor, entry.action, entry.subject) for entry in entries] == [
        ("sousa", "emergency.halt", "delivery"), ("kanri", "emergency.resume", "delivery"),
    ]  # fmt: skip
