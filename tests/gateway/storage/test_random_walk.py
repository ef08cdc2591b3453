"""Operators, workers, post and crashes in any order: no step outside the table, nothing lost, nothing sent that was not released."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from gateway import audit
from gateway.model import TRANSITIONS, Addressee, Claim, Delivery, Door, IllegalTransitionError, Purpose, RecipientState, State
from gateway.storage.faults import LeaseLostError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.settling import NotAllowedError
from sanitizers.model import Reason, Verdict
from tests.build.transfer import NOW, arrival, held, report, settlement

STEPS = 400
OFTEN = "accept accept work work end end end send send sent sent sent operate operate crash"
REFUSALS = (IllegalTransitionError, NotAllowedError, LeaseLostError)


class Walk:
    """Random steps on one journal; refused ones are part of the walk."""

    def __init__(self, journal: Journal, seed: int) -> None:
        self.journal = journal
        self.chance = random.Random(seed)
        self.now = NOW
        self.accepted = 0
        self.claims: list[Claim] = []
        self.leased: list[Delivery] = []

    async def step(self) -> None:
        self.now += self.chance.random() * 10
        try:
            await getattr(self, self.chance.choice(OFTEN.split()))()
        except REFUSALS:
            pass

    async def accept(self) -> None:
        door = self.chance.choice((Door.SMTP, Door.SMTP, Door.DROP))
        await self.journal.accept(arrival(door=door, recipients=("a@town.example.jp", "b@town.example.jp"), received_at=self.now))
        self.accepted += 1

    async def work(self) -> None:
        self.claims += await self.journal.claim(2, at=self.now, lease_until=self.now + 40)

    async def end(self) -> None:
        """Of one of the last claims: many are late by now."""
        if not self.claims:
            return
        claim = self.chance.choice(self.claims[-4:])
        if self.chance.random() < 0.2:
            await self.journal.put_back(claim, at=self.now, note="", attempts=self.chance.choice((None, 2)))
        else:
            given = self.chance.choice((report(), report(Verdict.CLEAN), held(), report(Verdict.BLOCKED, Reason.MALWARE)))
            await self.journal.settle(claim, settlement(given), at=self.now)

    async def send(self) -> None:
        self.leased += await self.journal.claim_deliveries(3, at=self.now, lease_until=self.now + 40)

    async def sent(self) -> None:
        if not self.leased:
            return
        delivery = self.chance.choice(self.leased[-4:])
        if self.chance.random() < 0.2:
            await self.journal.give_back_delivery(delivery, at=self.now)
            return
        states = (RecipientState.DELIVERED, RecipientState.DELIVERED, RecipientState.WAITING, RecipientState.FAILED)
        outcomes = [
            Addressee(address=one.address, state=self.chance.choice(states), due=self.now + 5, code=1) for one in delivery.recipients
        ]
        await self.journal.settle_delivery(delivery, outcomes, None, at=self.now)

    async def operate(self) -> None:
        transfers = await self.journal.transfers(Filter(limit=10_000))
        if not transfers:
            return
        transfer_id = self.chance.choice(transfers).id
        match self.chance.randrange(4):
            case 0:
                await self.journal.hold(transfer_id, at=self.now, actor="operator")
            case 1:
                verdict = self.chance.choice((Verdict.CLEAN, Verdict.CONFIRMED))
                await self.journal.release(transfer_id, verdict, at=self.now, actor="operator", receipt="{}")
            case 2:
                claim = await self.journal.retry(transfer_id, at=self.now, actor="operator", lease_until=self.now + 40)
                self.claims += [claim] if claim is not None else []
            case _:
                await self.journal.dispose(transfer_id, at=self.now, actor="operator")

    async def crash(self) -> None:
        if self.chance.random() < 0.7:
            await self.journal.return_leases(at=self.now, attempts=3)
        else:
            await self.journal.requeue_transfers(at=self.now, attempts=3)
            await self.journal.requeue_deliveries(at=self.now)


@pytest.mark.parametrize("seed", range(4))
async def test_no_order_of_events_breaks_the_table(tmp_path: Path, seed: int) -> None:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    walk = Walk(journal, seed)
    for _ in range(STEPS):
        await walk.step()
    transfers = await journal.transfers(Filter(limit=10_000))
    assert len(transfers) == walk.accepted == sum((await journal.counts()).states.values())
    ways: dict[str, list[State]] = {}
    async for entry in journal.entries():
        detail = msgspec.json.decode(entry.detail)
        if entry.action.startswith("transfer.") and "to" in detail:
            way = ways.setdefault(entry.subject, [])
            assert detail.get("from") == (way[-1] if way else None)
            assert not way or detail["to"] in TRANSITIONS[way[-1]]
            way.append(State(detail["to"]))
    for transfer in transfers:
        way = ways[transfer.receipt_no]
        assert way[-1] is transfer.state
        mails = [delivery for delivery in await journal.deliveries(transfer.id) if delivery.purpose is Purpose.MAIL]
        assert len(mails) <= 1
        if mails:
            assert State.RELEASED in way
        if transfer.state is State.DELIVERED:
            assert {one.state for one in mails[0].recipients} == {RecipientState.DELIVERED}
    assert (await audit.verify(journal)).broken is None
    seen = Counter(state for way in ways.values() for state in way)
    assert set(seen) == set(State)      # the walk has been everywhere
    await journal.stop()
