"""What every journal must do: durable states, one owner at a time, and a record of each step. Run on all implementations."""

from __future__ import annotations

import asyncio
import itertools

import msgspec
import pytest
from sqlalchemy import Connection, update

from gateway.model import Decision, Door, IllegalTransitionError, Purpose, RecipientState, State
from gateway.storage.blobs import Blob
from gateway.storage.faults import JournalUnavailableError, LeaseLostError, NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.settling import NotAllowedError
from gateway.storage.tables import transfers
from sanitizers.model import MailFacts, Reason, Verdict
from tests.build.road import accepted, delivery_of, kept_inside, outcome, released, state_of
from tests.build.transfer import BODY, DAY, NOW, RESULT, arrival, claimed, digest, held, report, settlement

ATTEMPTS = 3
NOTICE = Blob(digest(b"notice"), 6)


# ----------------------------------------------------------------------------------------------------------- taking in


async def test_an_accepted_transfer_is_there(journal: Journal) -> None:
    given = arrival(recipients=("a@town.example.jp", "b@town.example.jp"), smtputf8=True, client="192.0.2.1", organisation="町")
    transfer_id, receipt_no = await journal.accept(given)
    found = await journal.find(receipt_no)
    assert found == await journal.transfer(transfer_id)
    assert (found.state, found.verdict, found.attempts) == (State.RECEIVED, None, 0)
    assert (found.blob, found.size, found.recipients) == (given.sha256, given.size, given.recipients)
    assert (found.smtputf8, found.client, found.organisation, found.door) == (True, "192.0.2.1", "町", Door.SMTP)


async def test_receipt_numbers_count_each_day(journal: Journal) -> None:
    numbers = [(await journal.accept(arrival(received_at=at)))[1] for at in (NOW, NOW, NOW + DAY, NOW, NOW + DAY)]
    days, counts = zip(*(number.split("-") for number in numbers), strict=True)
    assert counts == ("000001", "000002", "000001", "000003", "000002")
    assert len(set(days)) == 2
    assert all(len(day) == 8 and day.isdigit() for day in days)


async def test_many_at_once_get_one_number_each(journal: Journal) -> None:
    numbers = [number for _, number in await asyncio.gather(*(journal.accept(arrival()) for _ in range(300)))]
    assert len(set(numbers)) == 300
    assert {transfer.receipt_no for transfer in await journal.transfers(Filter(limit=1000))} == set(numbers)


async def test_a_name_that_is_not_text_is_kept_readable(journal: Journal) -> None:
    transfer_id = await accepted(journal, name="caf\udce9.txt", sender="\udcff@example.com")
    assert (await journal.transfer(transfer_id)).name == "caf?.txt"


async def test_nobody_is_found_under_a_number_that_was_never_given(journal: Journal) -> None:
    with pytest.raises(NoSuchTransferError):
        await journal.find("20261120-000001")
    with pytest.raises(NoSuchTransferError):
        await journal.transfer(1)


async def test_one_operation_that_fails_takes_no_other_with_it(journal: Journal) -> None:
    broken = msgspec.structs.replace(arrival(), sha256=None)
    asked = [journal.accept(broken if number % 3 == 1 else arrival()) for number in range(30)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(answer, JournalUnavailableError) for answer in answers] == [number % 3 == 1 for number in range(30)]
    assert len(await journal.transfers()) == 20


# ------------------------------------------------------------------------------------------------------------- working


async def test_work_is_claimed_once_the_oldest_first(journal: Journal) -> None:
    ids = [await accepted(journal) for _ in range(5)]
    claims = await asyncio.gather(*(journal.claim(2, at=NOW, lease_until=NOW + 60) for _ in range(4)))
    assert [claim.transfer.id for batch in claims for claim in batch] == ids
    for claim in itertools.chain(*claims):
        assert (claim.transfer.state, claim.transfer.attempts) == (State.PROCESSING, 1)
        assert claim.transfer.recipients == ("kakari@town.example.jp",)
        assert await journal.transfer(claim.transfer.id) == claim.transfer


async def test_a_release_queues_the_mail_in_the_same_step(journal: Journal) -> None:
    recipients = ("a@town.example.jp", "b@town.example.jp", "a@town.example.jp")
    transfer_id = await accepted(journal, recipients=recipients)
    claim = claimed(await journal.claim(9, at=NOW, lease_until=NOW + 60))
    facts = MailFacts(message_id="<1@example.com>", subject="件名")
    given = msgspec.structs.replace(settlement(report(mail=facts)), message_id="<1@example.com>", subject="件名", receipt='{"a":1}')
    await journal.settle(claim, given, at=NOW + 1)
    transfer = await journal.transfer(transfer_id)
    assert (transfer.state, transfer.verdict, transfer.reason) == (State.RELEASED, Verdict.SANITIZED, None)
    assert (transfer.message_id, transfer.subject, transfer.policy) == ("<1@example.com>", "件名", "policy-1")
    assert transfer.result is not None
    assert transfer.result.sha256 == digest(RESULT)
    assert await journal.report(transfer_id) == report(mail=facts)
    assert await journal.receipt(transfer_id) == '{"a":1}'
    (delivery,) = await journal.deliveries(transfer_id)
    assert (delivery.purpose, delivery.blob, delivery.sender) == (Purpose.MAIL, digest(RESULT), "sender@example.com")
    assert [recipient.address for recipient in delivery.recipients] == ["a@town.example.jp", "b@town.example.jp"]
    assert await journal.next_due() == NOW + 1
    assert await journal.owed_notices() == []


async def test_a_released_file_waits_where_it_is_fetched(journal: Journal) -> None:
    transfer_id = await released(journal, door=Door.DROP, recipients=())
    assert await state_of(journal, transfer_id) is State.RELEASED
    assert await journal.deliveries(transfer_id) == []


@pytest.mark.parametrize(("reason", "state"), [(Reason.ENCRYPTED, State.HELD), (Reason.MALWARE, State.BLOCKED)])
async def test_what_stays_inside_owes_one_notice(journal: Journal, reason: Reason, state: State) -> None:
    transfer_id = await kept_inside(journal, reason)
    assert await state_of(journal, transfer_id) is state
    (owed,) = await journal.owed_notices()
    assert (owed.id, owed.reason) == (transfer_id, reason)
    for _ in range(2):
        await journal.queue_notice(transfer_id, NOTICE, at=NOW)
    assert await journal.owed_notices() == []
    (delivery,) = await journal.deliveries(transfer_id)
    assert (delivery.purpose, delivery.sender, delivery.blob) == (Purpose.NOTICE, "", NOTICE.digest)


async def test_a_second_hold_owes_no_second_notice(journal: Journal) -> None:
    transfer_id = await kept_inside(journal)
    await journal.queue_notice(transfer_id, NOTICE, at=NOW)
    claim = await journal.retry(transfer_id, at=NOW, actor="somebody", lease_until=NOW + 60)
    assert claim is not None
    await journal.settle(claim, settlement(held()), at=NOW)
    assert await journal.owed_notices() == []


async def test_a_held_file_owes_no_notice(journal: Journal) -> None:
    await kept_inside(journal, door=Door.DROP, recipients=())
    assert await journal.owed_notices() == []


async def test_a_delivery_without_result_or_receipt_cannot_be_settled(journal: Journal) -> None:
    transfer_id = await accepted(journal)
    claim = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
    whole = settlement()
    for flawed in (
        msgspec.structs.replace(whole, result=None),
        msgspec.structs.replace(whole, receipt=None),
        msgspec.structs.replace(whole, decision=Decision(verdict=Verdict.HELD, reason=Reason.POLICY)),
    ):
        with pytest.raises(ValueError, match="receipt"):
            await journal.settle(claim, flawed, at=NOW)
    assert await state_of(journal, transfer_id) is State.PROCESSING


async def test_a_late_worker_is_fenced_off(journal: Journal) -> None:
    transfer_id = await accepted(journal)
    late = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
    assert await journal.return_leases(at=NOW + 59, attempts=ATTEMPTS) == 0
    assert await journal.return_leases(at=NOW + 61, attempts=ATTEMPTS) == 1
    with pytest.raises(LeaseLostError):
        await journal.settle(late, settlement(), at=NOW + 62)
    second = claimed(await journal.claim(1, at=NOW + 62, lease_until=NOW + 120))
    assert second.transfer.attempts == 2
    for step in (journal.settle(late, settlement(), at=NOW), journal.put_back(late, at=NOW, note="", attempts=None)):
        with pytest.raises(LeaseLostError):
            await step
    await journal.settle(second, settlement(held()), at=NOW + 63)
    assert await state_of(journal, transfer_id) is State.HELD
    with pytest.raises(LeaseLostError):
        await journal.settle(second, settlement(), at=NOW + 64)
    assert await journal.deliveries(transfer_id) == []


async def test_a_lost_child_is_tried_again_under_a_limit(journal: Journal) -> None:
    transfer_id = await accepted(journal)
    for attempt in range(1, ATTEMPTS + 1):
        claim = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
        assert claim.transfer.attempts == attempt
        await journal.put_back(claim, at=NOW, note="child lost", attempts=ATTEMPTS)
    transfer = await journal.transfer(transfer_id)
    assert (transfer.state, transfer.verdict, transfer.reason) == (State.HELD, Verdict.HELD, Reason.WORKER_CRASHED)
    assert [owed.id for owed in await journal.owed_notices()] == [transfer_id]


async def test_an_attempt_that_was_not_the_transfers_fault_does_not_count(journal: Journal) -> None:
    await accepted(journal)
    for _ in range(ATTEMPTS * 2):
        claim = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
        assert claim.transfer.attempts == 1
        await journal.put_back(claim, at=NOW, note="service stopped", attempts=None)


async def test_after_a_restart_everything_in_hand_is_back(journal: Journal) -> None:
    delivering, processing = await released(journal), await accepted(journal)
    await journal.claim(1, at=NOW, lease_until=NOW + 1e9)
    delivery = await delivery_of(journal)
    assert await journal.requeue_transfers(at=NOW, attempts=ATTEMPTS) == 1
    assert await state_of(journal, processing) is State.RECEIVED
    assert await state_of(journal, delivering) is State.DELIVERING, "another process may be delivering it right now"
    assert await journal.requeue_deliveries(at=NOW) == 1
    assert await state_of(journal, delivering) is State.RELEASED
    with pytest.raises(LeaseLostError):
        await journal.settle_delivery(delivery, [], None, at=NOW)
    assert len(await journal.claim(9, at=NOW, lease_until=NOW + 60)) == 1
    (again,) = (await delivery_of(journal)).recipients
    assert again.attempts == 2


async def test_what_kills_the_whole_service_is_held_at_last(journal: Journal) -> None:
    transfer_id = await accepted(journal)
    for _ in range(ATTEMPTS):
        await journal.claim(1, at=NOW, lease_until=NOW + 60)
        await journal.requeue_transfers(at=NOW, attempts=ATTEMPTS)
    transfer = await journal.transfer(transfer_id)
    assert (transfer.state, transfer.reason) == (State.HELD, Reason.WORKER_CRASHED)
    assert await journal.claim(1, at=NOW, lease_until=NOW + 60) == []


async def damage(journal: Journal, transfer_id: int) -> None:
    def as_another_version_would(connection: Connection) -> None:
        connection.execute(update(transfers).where(transfers.c.id == transfer_id).values(reason="from the future"))

    await journal.write(as_another_version_would)


async def test_a_row_that_cannot_be_read_stops_nobody(journal: Journal) -> None:
    sending, working = await released(journal), await accepted(journal)
    await journal.claim(1, at=NOW, lease_until=NOW + 60)
    waiting, healthy = await accepted(journal), await accepted(journal)
    for transfer_id in (sending, working, waiting):
        await damage(journal, transfer_id)
    assert await journal.return_leases(at=NOW + 100, attempts=ATTEMPTS) == 1
    assert [claim.transfer.id for claim in await journal.claim(9, at=NOW, lease_until=NOW + 60)] == [healthy]
    assert await journal.claim_deliveries(9, at=NOW, lease_until=NOW + 60) == []
    for transfer_id in (working, waiting):
        transfer = await journal.transfer(transfer_id)
        assert transfer.state is State.HELD
        assert "from the future" in transfer.note
    assert {transfer.id for transfer in await journal.transfers()} == {working, waiting, healthy}
    actions = [entry.action async for entry in journal.entries()]
    assert (actions.count("transfer.unreadable"), actions.count("delivery.unreadable")) == (2, 1)


# ----------------------------------------------------------------------------------------------------------- operators


async def test_a_retry_begins_from_the_first_attempt(journal: Journal) -> None:
    transfer_id = await kept_inside(journal)
    claim = await journal.retry(transfer_id, at=NOW, actor="somebody", lease_until=NOW + 60)
    assert claim is not None
    assert (claim.transfer.state, claim.transfer.attempts) == (State.PROCESSING, 1)
    await journal.settle(claim, settlement(), at=NOW)
    assert await state_of(journal, transfer_id) is State.RELEASED
    assert len(await journal.deliveries(transfer_id)) == 1


async def test_a_retry_without_a_lease_is_left_to_the_service(journal: Journal) -> None:
    transfer_id = await kept_inside(journal)
    await journal.retry(transfer_id, at=NOW, actor="somebody")
    assert await journal.return_leases(at=NOW + 0.001, attempts=ATTEMPTS) == 1
    assert claimed(await journal.claim(1, at=NOW + 1, lease_until=NOW + 60)).transfer.id == transfer_id


async def test_what_policy_held_can_be_released_as_it_was_rebuilt(journal: Journal) -> None:
    transfer_id = await accepted(journal)
    claim = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
    by_policy = settlement(decision=Decision(verdict=Verdict.HELD, reason=Reason.POLICY))
    await journal.settle(claim, by_policy, at=NOW)
    await journal.release(transfer_id, Verdict.SANITIZED, at=NOW, actor="somebody", note="looked at", receipt='{"b":2}')
    transfer = await journal.transfer(transfer_id)
    assert (transfer.state, transfer.verdict, transfer.reason) == (State.RELEASED, Verdict.SANITIZED, None)
    assert await journal.receipt(transfer_id) == '{"b":2}'
    assert await journal.report(transfer_id) == report()
    assert (await delivery_of(journal)).blob == digest(RESULT)


async def test_what_has_no_result_is_never_released(journal: Journal) -> None:
    mail = await kept_inside(journal)
    file = await kept_inside(journal, door=Door.DROP, recipients=())
    malware = await kept_inside(journal, Reason.MALWARE, door=Door.DROP, recipients=())
    for transfer_id in (mail, file, malware):
        for verdict in (Verdict.SANITIZED, Verdict.CONFIRMED, Verdict.HELD):
            with pytest.raises(NotAllowedError):
                await journal.release(transfer_id, verdict, at=NOW, actor="a", receipt="{}")


async def test_a_hold_stops_what_has_not_left_and_a_release_sends_it_on(journal: Journal) -> None:
    transfer_id = await released(journal, recipients=("a@town.example.jp", "b@town.example.jp"))
    delivery = await delivery_of(journal)
    with pytest.raises(IllegalTransitionError):
        await journal.hold(transfer_id, at=NOW, actor="somebody")
    outcomes = [outcome("a@town.example.jp", RecipientState.DELIVERED), outcome("b@town.example.jp", RecipientState.WAITING, NOW + 9, 451)]
    await journal.settle_delivery(delivery, outcomes, None, at=NOW)
    await journal.hold(transfer_id, at=NOW, actor="somebody", note="wait")
    assert await journal.next_due() is None
    assert await journal.claim_deliveries(9, at=NOW + 99, lease_until=NOW + 199) == []
    await journal.release(transfer_id, Verdict.SANITIZED, at=NOW + 99, actor="somebody", receipt="{}")
    (recipient,) = (await delivery_of(journal, NOW + 99)).recipients
    assert recipient.address == "b@town.example.jp"


async def test_disposal_gives_the_blobs_up_and_keeps_the_row(journal: Journal) -> None:
    transfer_id = await released(journal, door=Door.DROP, recipients=())
    assert await journal.blob_in_use(digest(BODY))
    assert await journal.blob_in_use(digest(RESULT))
    await journal.dispose(transfer_id, at=NOW, actor="somebody")
    assert not await journal.blob_in_use(digest(BODY))
    assert not await journal.blob_in_use(digest(RESULT))
    transfer = await journal.transfer(transfer_id)
    assert (transfer.state, transfer.blob, transfer.result, transfer.sha256) == (State.DISPOSED, None, None, digest(BODY))
    assert await journal.report(transfer_id) == report()


async def test_a_mail_on_its_way_is_not_disposed_of(journal: Journal) -> None:
    transfer_id = await released(journal)
    with pytest.raises(IllegalTransitionError):
        await journal.dispose(transfer_id, at=NOW, actor="somebody")
    assert await journal.blob_in_use(digest(RESULT))


async def test_a_notice_that_is_still_to_be_sent_keeps_its_blob(journal: Journal) -> None:
    transfer_id = await kept_inside(journal)
    await journal.queue_notice(transfer_id, NOTICE, at=NOW)
    await journal.dispose(transfer_id, at=NOW, actor="somebody")
    assert await journal.blob_in_use(NOTICE.digest)
    delivery = await delivery_of(journal)
    await journal.settle_delivery(delivery, [outcome("kakari@town.example.jp", RecipientState.DELIVERED)], None, at=NOW)
    assert not await journal.blob_in_use(NOTICE.digest)
    assert await state_of(journal, transfer_id) is State.DISPOSED


async def test_retention_finds_what_rests_and_nothing_else(journal: Journal) -> None:
    resting = {await kept_inside(journal), await released(journal, door=Door.DROP, recipients=())}
    await released(journal)
    await accepted(journal)
    assert await journal.over_age(NOW - 1) == []
    assert {transfer.id for transfer in await journal.over_age(NOW + 1)} == resting


async def test_a_step_that_the_table_does_not_have_writes_nothing(journal: Journal) -> None:
    transfer_id = await accepted(journal)
    before = [entry async for entry in journal.entries()]
    for step in (
        journal.hold(transfer_id, at=NOW, actor="a"),
        journal.dispose(transfer_id, at=NOW, actor="a"),
        journal.retry(transfer_id, at=NOW, actor="a"),
    ):
        with pytest.raises(IllegalTransitionError):
            await step
    with pytest.raises(NotAllowedError):
        await journal.release(transfer_id, Verdict.CLEAN, at=NOW, actor="a", receipt="{}")
    assert await state_of(journal, transfer_id) is State.RECEIVED
    assert [entry async for entry in journal.entries()] == before


# -------------------------------------------------------------------------------------------------------------- asking


async def test_transfers_are_found_by_what_is_known_of_them(journal: Journal) -> None:
    first = await kept_inside(journal, sender="a_b@example.com", name="様式1.xlsx")
    second = await released(journal, sender="other@example.com", recipients=("x@town.example.jp",), received_at=NOW + DAY)
    third = await accepted(journal, door=Door.DROP, organisation="村", recipients=())

    async def ids(**wanted: object) -> list[int]:
        return [transfer.id for transfer in await journal.transfers(Filter(**wanted))]  # type: ignore[arg-type]

    assert await ids() == [third, second, first]
    assert await ids(states=(State.HELD, State.RECEIVED)) == [third, first]
    assert await ids(reason=Reason.ENCRYPTED) == [first]
    assert await ids(verdict=Verdict.SANITIZED) == [second]
    assert await ids(door=Door.DROP, organisation="村") == [third]
    assert await ids(recipient="x@town.example.jp") == [second]
    assert await ids(sender="a_b@example.com") == [first]
    assert await ids(text="様式") == [first]
    assert await ids(text="A_B@") == [first]
    assert await ids(text="%") == []
    assert await ids(since=NOW + DAY) == [second]
    assert await ids(until=NOW + 1, limit=1) == [third]
    assert await ids(before_id=second) == [first]
    assert await ids(sha256=digest(BODY)) == [third, second, first]


async def test_counts_say_where_everything_stands(journal: Journal) -> None:
    await accepted(journal, received_at=NOW - 50)
    counts = await journal.counts()
    assert counts.states[State.RECEIVED] == 1
    await released(journal, received_at=NOW - 60)       # the older row is taken first
    await kept_inside(journal)
    counts = await journal.counts()
    assert (counts.states[State.RELEASED], counts.states[State.HELD], counts.states[State.DELIVERED]) == (1, 1, 0)
    assert (counts.owed_notices, counts.undelivered) == (1, 1)


async def test_every_step_is_in_the_record(journal: Journal) -> None:
    transfer_id = await released(journal)
    done = [outcome("kakari@town.example.jp", RecipientState.DELIVERED)]
    await journal.settle_delivery(await delivery_of(journal), done, None, at=NOW)
    receipt_no = (await journal.transfer(transfer_id)).receipt_no
    actions = [entry.action async for entry in journal.entries(subject=receipt_no)]
    assert actions == [
        "transfer.received",
        "transfer.processing",
        "transfer.released",
        "transfer.delivering",
        "transfer.delivered",
        "delivery.result",
    ]
