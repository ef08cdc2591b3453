"""What every journal must do for the post: deliveries, their recipients, leases and notices. Run on all implementations."""

from __future__ import annotations

from gateway.model import Purpose, RecipientState, State
from gateway.storage.blobs import Blob
from gateway.storage.journal import Journal
from tests.build.road import delivery_of, outcome, released, state_of
from tests.build.transfer import DAY, NOW, digest

ATTEMPTS = 3
NOTICE = Blob(digest(b"notice"), 6)


async def test_recipients_end_one_by_one(journal: Journal) -> None:
    names = [f"{letter}@town.example.jp" for letter in "abc"]
    transfer_id = await released(journal, recipients=tuple(names))
    first = await delivery_of(journal)
    assert await state_of(journal, transfer_id) is State.DELIVERING
    assert [(one.address, one.attempts) for one in first.recipients] == [(name, 1) for name in names]
    assert await journal.claim_deliveries(9, at=NOW, lease_until=NOW + 60) == []
    outcomes = [
        outcome(names[0], RecipientState.DELIVERED),
        outcome(names[1], RecipientState.WAITING, NOW + 300, 451),
        outcome(names[2], RecipientState.WAITING, NOW + 60, 451),
    ]
    await journal.settle_delivery(first, outcomes, None, at=NOW + 1)
    assert await state_of(journal, transfer_id) is State.DEFERRED
    assert await journal.next_due() == NOW + 60
    second = await delivery_of(journal, NOW + 60)
    assert [(one.address, one.attempts, one.code) for one in second.recipients] == [(names[2], 2, 451)]
    await journal.settle_delivery(second, [outcome(names[2], RecipientState.DELIVERED)], None, at=NOW + 61)
    third = await delivery_of(journal, NOW + 300)
    await journal.settle_delivery(third, [outcome(names[1], RecipientState.DELIVERED)], None, at=NOW + 301)
    assert await state_of(journal, transfer_id) is State.DELIVERED
    assert await journal.next_due() is None
    (stored,) = await journal.deliveries(transfer_id)
    assert {one.state for one in stored.recipients} == {RecipientState.DELIVERED}


async def test_a_failure_bounces_to_the_sender_without_a_sender(journal: Journal) -> None:
    transfer_id = await released(journal)
    bounce = Blob(digest(b"bounce"), 6)
    failed = [outcome("kakari@town.example.jp", RecipientState.FAILED, code=550)]
    await journal.settle_delivery(await delivery_of(journal), failed, bounce, at=NOW)
    assert await state_of(journal, transfer_id) is State.UNDELIVERABLE
    returned = await delivery_of(journal)
    assert (returned.purpose, returned.sender, returned.blob) == (Purpose.BOUNCE, "", bounce.digest)
    assert [one.address for one in returned.recipients] == ["sender@example.com"]
    # A bounce that bounces ends there.
    await journal.settle_delivery(returned, [outcome("sender@example.com", RecipientState.FAILED, code=550)], bounce, at=NOW)
    assert await journal.next_due() is None
    assert await state_of(journal, transfer_id) is State.UNDELIVERABLE


async def test_a_mail_without_a_sender_never_bounces(journal: Journal) -> None:
    await released(journal, sender="")
    failed = [outcome("kakari@town.example.jp", RecipientState.FAILED, code=550)]
    await journal.settle_delivery(await delivery_of(journal), failed, NOTICE, at=NOW)
    assert await journal.next_due() is None


async def test_what_was_undeliverable_can_be_sent_again(journal: Journal) -> None:
    transfer_id = await released(journal)
    failed = [outcome("kakari@town.example.jp", RecipientState.FAILED, code=550)]
    await journal.settle_delivery(await delivery_of(journal), failed, None, at=NOW)
    assert await journal.retry(transfer_id, at=NOW + DAY, actor="somebody") is None
    delivery = await delivery_of(journal, NOW + DAY)
    assert delivery.first_at == NOW + DAY
    assert await state_of(journal, transfer_id) is State.DELIVERING


async def test_a_delivery_given_back_was_never_tried(journal: Journal) -> None:
    transfer_id = await released(journal)
    await journal.give_back_delivery(await delivery_of(journal), at=NOW)
    assert await state_of(journal, transfer_id) is State.RELEASED
    (recipient,) = (await delivery_of(journal)).recipients
    assert recipient.attempts == 1


async def test_a_recipient_of_whom_nothing_was_said_is_tried_again_later(journal: Journal) -> None:
    await released(journal)
    await journal.settle_delivery(await delivery_of(journal), [], None, at=NOW)
    due = await journal.next_due()
    assert due is not None
    assert due > NOW
