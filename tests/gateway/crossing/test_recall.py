"""What the outer side finds too late: the inner one keeps back what it still has, knows who has got it, and calls somebody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from gateway.crossing import papers
from gateway.crossing.papers import RefusedError
from gateway.crossing.pushing import Pushing
from gateway.model import Purpose, RecipientState, State, Transfer
from gateway.storage import deliveries, incidents, rescans
from gateway.storage.crossings import NotNowError
from gateway.storage.incidents import Kind
from tests.build.segments import ByHand, Sides, Wall, handed, opened, sides
from tests.build.transfer import NOW, RESULT

FOUND = ("Newer", "clamav: Doc.Dropper")


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Sides]:
    async with sides(tmp_path) as made:
        yield made


async def recalled(two: Sides, number: int, content: bytes = msgspec.json.encode(FOUND)) -> None:
    """As a second look of the outer side has it carried."""
    transfer = await two.outer.transfer(number)
    blob = await two.outer_blobs.put(content)

    def queue(connection: Connection) -> int:
        return deliveries.queue(
            connection, number, Purpose.RECALL, sender="", recipients=(transfer.receipt_no,), blob=blob, smtputf8=False, at=two.now
        )

    await two.outer.write(queue)


async def carried(two: Sides, number: int, pushing: Pushing) -> None:
    async def done() -> bool:
        return all(one.recipients[0].state is not RecipientState.WAITING for one in await two.outer.deliveries(number) if one.purpose is Purpose.RECALL)

    await two.until(pushing, done)


async def over_there(two: Sides, number: int) -> Transfer:
    return await two.inner.find((await two.outer.transfer(number)).receipt_no)


async def test_what_waits_in_a_box_is_fetched_no_more(two: Sides) -> None:
    number = await two.file()
    await two.push(ByHand(two.taking), number)
    there = await over_there(two, number)
    await two.inner.collected(there, at=NOW, actor="tanaka")
    await recalled(two, number)
    await carried(two, number, two.pushing(ByHand(two.taking)))
    there = await over_there(two, number)
    assert (there.state, there.note) == (State.HELD, "found late: Newer, clamav: Doc.Dropper")
    hits = await two.inner.ask(lambda connection: rescans.late_hits(connection, 10))
    assert {(hit.receipt_no, hit.name, hit.received_by.collected) for hit in hits} == {(there.receipt_no, name, ("tanaka",)) for name in FOUND}
    (incident,) = await two.inner.ask(incidents.listed)
    assert (incident.kind, incident.receipt_no, incident.opened_by) == (Kind.LATE_HIT, there.receipt_no, "crossing")
    assert not two.told, "nothing was refused"


async def test_a_mail_that_has_not_left_the_inner_side_stays(two: Sides) -> None:
    waiting, gone = await two.mail("kakari@town.example.jp"), await two.mail("kacho@town.example.jp")
    await two.push(ByHand(two.taking), waiting, gone)
    later = await two.inner.claim_deliveries(10, at=NOW, lease_until=NOW + 60)
    for delivery in later:
        left = delivery.receipt_no == (await two.outer.transfer(gone)).receipt_no
        state = RecipientState.DELIVERED if left else RecipientState.WAITING
        said = [msgspec.structs.replace(one, state=state, due=None if left else NOW + 600) for one in delivery.recipients]
        await two.inner.settle_delivery(delivery, said, None, at=NOW)
    for number in (waiting, gone):
        await recalled(two, number)
        await carried(two, number, two.pushing(ByHand(two.taking)))
    assert (await over_there(two, waiting)).state is State.HELD
    assert not [one for one in await two.inner.claim_deliveries(10, at=NOW + 3_600, lease_until=NOW + 4_000) if one.purpose is Purpose.MAIL]
    assert (await over_there(two, gone)).state is State.DELIVERED, "what is gone is gone, and said"
    hits = await two.inner.ask(lambda connection: rescans.late_hits(connection, 10))
    assert {hit.received_by.delivered for hit in hits} == {(), ("kacho@town.example.jp",)}


async def test_a_recall_is_carried_once_and_waits_for_what_it_speaks_of(two: Sides) -> None:
    wall, number = Wall(), await two.mail()
    await two.push(wall, number, state=State.DEFERRED)
    await recalled(two, number)
    await two.push(wall, number, state=State.DEFERRED)
    pushing = two.pushing(wall)
    seen = len(wall.heads)

    async def tried() -> bool:
        return len(wall.heads) > seen or any(opened(head)[0].purpose is Purpose.RECALL for head in wall.heads)

    await two.until(pushing, tried)
    recall = next(head for head in wall.heads if opened(head)[0].purpose is Purpose.RECALL)
    whole = recall + msgspec.json.encode(FOUND)
    with pytest.raises(NotNowError):
        await handed(two.taking, whole)
    assert not await two.inner.ask(incidents.listed), "it comes again by itself: nobody is called"
    await handed(two.taking, wall.heads[0] + RESULT)
    assert not (await handed(two.taking, whole)).again
    assert (await over_there(two, number)).state is State.HELD
    fresh = papers.sealed(opened(recall)[0], two.signer, sent_at=NOW + 1) + msgspec.json.encode(FOUND)
    assert (await handed(two.taking, fresh)).again
    with pytest.raises(RefusedError, match="used before"):
        await handed(two.taking, whole)
    assert len(await two.inner.ask(incidents.listed)) == 2, "of the recall, and of papers used twice"


@pytest.mark.parametrize("content", [b'{"names": 1}', b"\xff", b'"Newer"'])
async def test_a_recall_that_cannot_be_read_is_refused(two: Sides, content: bytes) -> None:
    number = await two.file()
    await two.push(ByHand(two.taking), number)
    await recalled(two, number, content)
    await two.until(two.pushing(ByHand(two.taking)), lambda: _told(two))
    assert (await over_there(two, number)).state is State.RELEASED
    assert [why for why, _, _ in two.told] == ["format"]


async def _told(two: Sides) -> bool:
    return bool(two.told)
