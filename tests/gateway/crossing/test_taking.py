"""What the inner side lets in, and that it lets in nothing else: forged, altered, used twice, signed by somebody else, meant for others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from prometheus_client import REGISTRY

from gateway import receipts
from gateway.crossing import papers
from gateway.crossing.papers import OPENING, RefusedError
from gateway.crossing.taking import BrokenOffError
from gateway.model import ACROSS, Door, Lane, Purpose, RecipientState, State, Way, Zone
from gateway.storage import incidents
from gateway.storage.crossings import NotNowError
from gateway.storage.faults import HaltedError
from gateway.storage.halts import Halt
from gateway.storage.incidents import Kind
from sanitizers.model import Verdict
from tests.build.segments import ByHand, Sides, Wall, handed, opened, sides
from tests.build.transfer import DAY, NOW, RESULT, digest, signer


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Sides]:
    async with sides(tmp_path) as made:
        yield made


async def test_a_mail_goes_over_and_on_to_its_recipients(two: Sides) -> None:
    number = await two.mail("kakari@town.example.jp", "kacho@town.example.jp")
    await two.push(ByHand(two.taking), number)
    (there,) = await two.arrived()
    here = await two.outer.transfer(number)
    assert (there.receipt_no, there.state, there.verdict) == (here.receipt_no, State.RELEASED, Verdict.SANITIZED)
    assert (there.sha256, there.size, there.blob) == (here.sha256, here.size, None), "the original stays outside"
    assert there.result == here.result
    assert await two.inner_blobs.read(digest(RESULT)) == RESULT
    (delivery,) = await two.inner.deliveries(there.id)
    assert delivery.purpose is Purpose.MAIL
    assert [one.address for one in delivery.recipients] == ["kakari@town.example.jp", "kacho@town.example.jp"]
    assert await two.inner.receipt(there.id) == await two.outer.receipt(number)
    mine, theirs = await two.outer.report(number), await two.inner.report(there.id)
    assert mine == theirs
    assert mine is not None
    assert [entry.action async for entry in two.inner.entries(subject=there.receipt_no)][:2] == ["transfer.received", "transfer.processing"]


async def test_a_file_goes_over_into_its_boxes_and_shares(two: Sides) -> None:
    number = await two.file("suzuki", "share:zeimu", name="report.pdf")
    await two.push(ByHand(two.taking), number)
    (there,) = await two.arrived()
    assert (there.door, there.recipients, there.name) == (Door.DROP, ("tanaka", "suzuki", "share:zeimu"), "report.pdf")
    (delivery,) = await two.inner.deliveries(there.id)
    assert [one.address for one in delivery.recipients] == ["share:zeimu"]


async def test_a_file_for_boxes_alone(two: Sides) -> None:
    number = await two.file()
    await two.push(ByHand(two.taking), number)
    (there,) = await two.arrived()
    assert there.state is State.RELEASED
    assert await two.inner.deliveries(there.id) == []


async def test_a_notice_goes_over_without_its_transfer(two: Sides) -> None:
    number = await two.mail()
    await two.push(ByHand(two.taking), number)
    notice = await two.outer_blobs.put(b"Subject: held\r\n\r\nIt is held.\r\n")
    sealed = await two.sealed(
        purpose=Purpose.NOTICE, sha256=notice.digest, size=notice.size, receipt="", result=None, report_size=0,
        report_sha256=digest(b""), crossing="another",
    )  # fmt: skip
    head = sealed[: OPENING.size + papers.opening(sealed[: OPENING.size])]
    assert not (await handed(two.taking, head + b"Subject: held\r\n\r\nIt is held.\r\n")).again
    assert len(await two.arrived()) == 1
    queued = [entry async for entry in two.inner.entries() if entry.action == "letter.queued"]
    assert len(queued) == 1


async def test_the_same_thing_with_new_papers_is_here_already(two: Sides) -> None:
    sealed = await two.sealed()
    assert not (await handed(two.taking, sealed)).again
    given, rest = opened(sealed)
    again = papers.sealed(given, two.signer, sent_at=two.now) + rest
    assert (await handed(two.taking, again)).again
    assert len(await two.arrived()) == 1
    assert not two.told


async def test_more_of_it_comes_later(two: Sides) -> None:
    number = await two.file()
    by_hand = ByHand(two.taking)
    await two.push(by_hand, number)
    transfer = await two.outer.transfer(number)
    settlement = (await two.outer.report(number), await two.outer.receipt(number))
    assert settlement[0] is not None
    given, rest = opened(by_hand.carried[0])
    more = papers.sealed(msgspec.structs.replace(given, crossing="more"), two.signer, sent_at=two.now) + rest
    assert not (await handed(two.taking, more)).again
    (there,) = await two.arrived()
    assert (there.receipt_no, there.state) == (transfer.receipt_no, State.RELEASED)


async def test_what_somebody_stopped_inside_stays_stopped(two: Sides) -> None:
    number = await two.file()
    by_hand = ByHand(two.taking)
    await two.push(by_hand, number)
    (there,) = await two.arrived()
    await two.inner.hold(there.id, at=two.now, actor="somebody")
    given, rest = opened(by_hand.carried[0])
    with pytest.raises(NotNowError):
        await handed(two.taking, papers.sealed(msgspec.structs.replace(given, crossing="more"), two.signer, sent_at=two.now) + rest)
    assert (await two.arrived())[0].state is State.HELD


async def test_nothing_is_taken_in_while_intake_is_stopped(two: Sides) -> None:
    sealed = await two.sealed()
    await two.inner.halt(Halt.INTAKE, at=NOW, actor="somebody", reason="drill")
    with pytest.raises(HaltedError):
        await handed(two.taking, sealed)
    assert await two.arrived() == []
    await two.inner.resume(Halt.INTAKE, at=NOW, actor="somebody", reason="over")
    assert not (await handed(two.taking, sealed)).again, "the papers were not used up"


# ------------------------------------------------------------------------------------------------------------ refused


async def refused(two: Sides, whole: bytes, why: str) -> None:
    before = REGISTRY.get_sample_value("sekisho_crossings_refused_total", {"reason": why}) or 0
    with pytest.raises(RefusedError) as caught:
        await handed(two.taking, whole)
    assert caught.value.why == why
    assert REGISTRY.get_sample_value("sekisho_crossings_refused_total", {"reason": why}) == before + 1
    assert two.told[-1][0] == why
    written = [entry async for entry in two.inner.entries() if entry.action == "crossing.refused"]
    assert written, "it stands in the audit record"
    assert why in written[-1].detail
    called = [one for one in await two.inner.ask(incidents.listed) if one.kind is Kind.ACCESS]
    assert len(called) == 1, "somebody is called, once"


async def nothing_kept(two: Sides) -> None:
    assert await two.arrived() == []
    assert two.inner_blobs.kept == {}


@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("lane", {"lane": "outbound"}),
        ("lane", {"target": "elsewhere"}),
        ("lane", {"source": "elsewhere"}),
        ("time", {"sent_at": NOW - 8 * DAY}),
        ("time", {"sent_at": NOW + 3_600}),
        ("receipt", {"receipt": ""}),
        ("receipt", {"receipt_no": "20261118-999999"}),
        ("receipt", {"verdict": Verdict.CLEAN}),
        ("receipt", {"organisation": "somebody else"}),
        ("receipt", {"input_sha256": digest(b"another")}),
        ("receipt", {"result": None}),
        ("receipt", {"size": len(RESULT) + 1}),
        ("receipt", {"sha256": digest(b"another")}),
        ("receipt", {"purpose": Purpose.NOTICE}),
        ("format", {"purpose": Purpose.BOUNCE}),
        ("format", {"report_size": papers.LARGEST_REPORT + 1}),
        ("format", {"schema": "sekisho.crossing/2"}),
        ("report", {"report_sha256": digest(b"another")}),
    ],
)
async def test_papers_that_say_something_else_are_refused(two: Sides, why: str, changes: dict[str, object]) -> None:
    """Even with the right signature: whoever signs may be wrong."""
    await refused(two, await two.sealed(**changes), why)
    await nothing_kept(two)


async def test_a_foreign_key_is_refused(two: Sides) -> None:
    await refused(two, await two.sealed(signer=signer()), "key")
    await nothing_kept(two)


async def test_a_key_that_calls_itself_another_is_refused(two: Sides) -> None:
    sealed = await two.sealed()
    given, rest = opened(sealed)
    forged = papers.sealed(given, signer(), sent_at=NOW)
    named, _ = opened(forged)
    document = msgspec.json.encode(msgspec.structs.replace(named, key=two.signer.id), order="sorted")
    await refused(two, OPENING.pack(papers.MAGIC, len(document)) + document + rest, "signature")
    await nothing_kept(two)


async def test_a_receipt_of_another_key_is_refused(two: Sides) -> None:
    """Papers by the right key around a receipt that it did not sign."""
    wall = Wall()
    number = await two.mail()
    await two.push(wall, number, state=State.DEFERRED)
    given, _ = opened(wall.heads[0])
    receipt = msgspec.json.decode(given.receipt, type=receipts.Receipt)
    forged = msgspec.json.encode(msgspec.structs.replace(receipt, findings=99).document(), order="sorted").decode()
    await refused(two, two.resealed(wall.heads[0], receipt=forged) + RESULT, "receipt")
    await nothing_kept(two)


async def test_every_changed_octet_is_refused(two: Sides) -> None:
    """Of each part one, and some between: nowhere is there an octet that nothing binds."""
    sealed = await two.sealed()
    length = papers.opening(sealed[: OPENING.size])
    ends = (0, 7, 8, OPENING.size, OPENING.size + length, len(sealed) - len(RESULT), len(sealed) - 1)
    places = sorted({*ends, *range(0, len(sealed), 97)})
    for place in places:
        altered = bytearray(sealed)
        altered[place] ^= 0x01
        with pytest.raises((RefusedError, BrokenOffError)):
            await handed(two.taking, bytes(altered))
    await nothing_kept(two)
    assert not (await handed(two.taking, sealed)).again


async def test_what_is_longer_than_was_signed_is_refused(two: Sides) -> None:
    await refused(two, await two.sealed() + b"x", "format")
    await nothing_kept(two)


async def test_used_papers_are_refused(two: Sides) -> None:
    sealed = await two.sealed()
    await handed(two.taking, sealed)
    await refused(two, sealed, "replay")
    await refused(two, sealed, "replay")
    assert len(await two.arrived()) == 1


async def test_old_papers_stay_refused_after_they_are_forgotten(two: Sides) -> None:
    sealed = await two.sealed()
    await handed(two.taking, sealed)
    two.now = NOW + 15 * DAY
    assert await two.taking.forget() == 1
    await refused(two, sealed, "time")


async def test_papers_are_remembered_as_long_as_they_are_good(two: Sides) -> None:
    sealed = await two.sealed()
    await handed(two.taking, sealed)
    two.now = NOW + 7 * DAY
    assert await two.taking.forget() == 0
    await refused(two, sealed, "replay")


async def test_what_is_too_large_is_refused_before_it_is_read(two: Sides) -> None:
    sealed = await two.sealed()
    two.taking = two.taking_with(largest=3)
    await refused(two, sealed, "large")


async def test_another_lane_needs_another_gate(two: Sides) -> None:
    sealed = await two.sealed()
    outbound = Lane(name="outbound", source=Zone(name="office"), target=Zone(name="internet"))
    two.taking = two.taking_with(lane=outbound)
    await refused(two, sealed, "lane")


async def test_what_breaks_off_leaves_nothing_and_comes_again(two: Sides) -> None:
    sealed = await two.sealed()
    for cut in (0, 3, OPENING.size, OPENING.size + 40, len(sealed) - len(RESULT), len(sealed) - 1):
        with pytest.raises(BrokenOffError):
            await handed(two.taking, sealed[:cut])
        await nothing_kept(two)
    assert not two.told, "a line that breaks is no attack"
    assert not (await handed(two.taking, sealed)).again


async def test_what_was_not_delivered_is_tried_again_until_its_time_is_over(two: Sides) -> None:
    number = await two.mail()
    await two.push(Wall(), number, state=State.DEFERRED)
    (delivery,) = await two.outer.deliveries(number)
    assert delivery.recipients[0].text == "CarryError: no line"
    two.now = NOW + 3_600
    await two.push(Wall(), number, state=State.UNDELIVERABLE)
    (delivery,) = await two.outer.deliveries(number)
    assert delivery.recipients[0].state is RecipientState.FAILED


async def test_what_is_released_waits_for_its_hold_to_be_over(two: Sides) -> None:
    number = await two.file()
    by_hand = ByHand(two.taking)
    pushing = two.pushing(by_hand, hold=600.0)

    async def waits() -> bool:
        return bool(await two.outer.deliveries(number)) and await two.outer.next_due(way=Way(ACROSS, 600.0)) == NOW + 600

    await two.until(pushing, waits)
    assert by_hand.carried == []
    await two.outer.hold(number, at=NOW + 10, actor="somebody", note="not that one")
    two.now = NOW + 700

    async def looked() -> bool:
        return await two.outer.next_due(way=Way(ACROSS, 600.0)) is None

    await two.until(two.pushing(by_hand, hold=600.0), looked)
    assert by_hand.carried == []
    assert (await two.outer.transfer(number)).state is State.HELD
