"""中継停止: who sends too much is stopped once, on every node and database alike; nothing of his leaves after the word, and nothing is lost."""

from __future__ import annotations

import asyncio
import email
import email.policy

import pytest
from sqlalchemy import select

from gateway.model import Door, Purpose, RecipientState, State
from gateway.policy import releasable
from gateway.road.senders import Senders
from gateway.storage import deliveries, senders
from gateway.storage.blobs import Blob
from gateway.storage.journal import Journal
from gateway.storage.senders import HOUR, Limits, Stop
from gateway.storage.tables import letters
from gateway.telling.notices import Office
from sanitizers.model import Action, Reason, Verdict
from tests.build.postgres import fresh
from tests.build.road import delivery_of, outcome, state_of
from tests.build.transfer import NOW, RESULT, arrival, claimed, digest, held, settlement

OFFICE = Office(sender="postmaster@city.example.jp", hostname="sekisho.city.example.jp")
HIM = "Yamada@city.example.jp"
HIS = "yamada@city.example.jp"


async def sent(journal: Journal, limits: Limits, at: float = NOW, **changes: object) -> int:
    """A mail of his taken in."""
    return (await journal.accept(arrival(received_at=at, **({"sender": HIM} | changes)), Senders(limits, OFFICE)))[0]


async def settled(journal: Journal, at: float = NOW, **changes: object) -> int:
    """A mail of his that was rebuilt."""
    transfer_id = await sent(journal, Limits(), at, **changes)
    await journal.settle(claimed(await journal.claim(1, at=at, lease_until=at + 60)), settlement(), at=at)
    return transfer_id


async def stop(journal: Journal, sender: str = HIM, at: float = NOW) -> bool:
    return await journal.write(lambda connection: senders.stop(connection, sender, at=at, actor="sousa", reason="調査"))


async def release(journal: Journal, sender: str = HIM, at: float = NOW) -> bool:
    return await journal.write(lambda connection: senders.release(connection, sender, at=at, actor="kanri", reason="解決"))


async def listed(journal: Journal) -> list[str]:
    return [one.sender for one in await journal.ask(senders.listed)]


async def told(journal: Journal) -> list[tuple[str, str]]:
    """To whom the house wrote, and of whom."""
    rows = await journal.ask(lambda connection: connection.execute(select(letters.c.recipient, letters.c.about).order_by(letters.c.id)).all())
    return [tuple(row) for row in rows]


async def deeds(journal: Journal) -> list[tuple[str, str, str]]:
    return [(one.actor, one.action, one.subject) async for one in journal.entries() if one.action.startswith("sender.")]


# ------------------------------------------------------------------------------------------------------------- counted


async def test_the_mail_past_the_limit_stops_its_sender_and_the_postmaster_hears_of_it_once(journal: Journal) -> None:
    for number in range(3):
        await sent(journal, Limits(mails=3), NOW + number)
    assert (await listed(journal), await told(journal)) == ([], [])
    for number in range(3, 6):
        await sent(journal, Limits(mails=3), NOW + number)
    (one,) = await journal.ask(senders.listed)
    assert one == Stop(HIS, NOW + 3, "road", "1時間のメールの数 4（上限 3） / mails in an hour: 4, limit 3")
    assert await told(journal) == [(OFFICE.sender, HIS)]
    assert await deeds(journal) == [("road", "sender.stop", HIS)]
    assert len(await journal.transfers()) == 6, "nothing was refused"


async def test_recipients_are_counted_over_all_his_mails(journal: Journal) -> None:
    many = tuple(f"{number}@isp.example" for number in range(4))
    await sent(journal, Limits(recipients=8), recipients=many)
    await sent(journal, Limits(recipients=8), recipients=many)
    assert await listed(journal) == []
    await sent(journal, Limits(recipients=8))
    (one,) = await journal.ask(senders.listed)
    assert one.reason == "1時間の宛先の数 9（上限 8） / recipients in an hour: 9, limit 8"


async def test_one_mail_to_too_many_is_enough(journal: Journal) -> None:
    await sent(journal, Limits(recipients=2), recipients=("a@x.jp", "b@x.jp", "c@x.jp"))
    assert await listed(journal) == [HIS]


async def test_an_hour_later_he_begins_anew(journal: Journal) -> None:
    await sent(journal, Limits(mails=1))
    await sent(journal, Limits(mails=1), NOW + HOUR)
    assert await listed(journal) == []
    await sent(journal, Limits(mails=1), NOW + 2 * HOUR - 1)
    assert await listed(journal) == [HIS]


@pytest.mark.parametrize("changes", [{"sender": "sato@city.example.jp"}, {"sender": ""}, {"door": Door.DROP}], ids=["another's", "bounce", "file"])
async def test_what_is_not_mail_of_his_does_not_count(journal: Journal, changes: dict[str, object]) -> None:
    for _ in range(3):
        await sent(journal, Limits(mails=100), **changes)
    for _ in range(5):
        await sent(journal, Limits(mails=5))
    assert await listed(journal) == []
    await sent(journal, Limits(mails=5))
    assert await listed(journal) == [HIS]


@pytest.mark.parametrize("changes", [{"sender": ""}, {"door": Door.DROP}], ids=["bounce", "file"])
async def test_bounces_and_files_stop_nobody(journal: Journal, changes: dict[str, object]) -> None:
    for _ in range(3):
        await sent(journal, Limits(mails=1, recipients=1), **changes)
    assert await listed(journal) == []


async def test_capital_letters_do_not_make_another_sender(journal: Journal) -> None:
    for spelled in (HIM, HIS, HIS.upper()):
        await sent(journal, Limits(mails=2), sender=spelled)
    assert await listed(journal) == [HIS]


async def test_without_limits_nobody_is_stopped(journal: Journal) -> None:
    for _ in range(5):
        await sent(journal, Limits())
    assert await listed(journal) == []


async def test_who_was_let_go_is_counted_from_there_and_stopped_again(journal: Journal) -> None:
    for number in range(3):
        await sent(journal, Limits(mails=2), NOW + number)
    assert await release(journal, at=NOW + 5)
    for number in (6, 7):
        await sent(journal, Limits(mails=2), NOW + number)
    assert await listed(journal) == []
    await sent(journal, Limits(mails=2), NOW + 8)
    (one,) = await journal.ask(senders.listed)
    assert (one.since, "mails in an hour: 3" in one.reason) == (NOW + 8, True)
    assert [action for _, action, _ in await deeds(journal)] == ["sender.stop", "sender.release", "sender.stop"]
    assert await told(journal) == [(OFFICE.sender, HIS)] * 2


async def test_several_nodes_count_together_and_say_it_once(postgres: str) -> None:
    where = fresh(postgres)
    nodes = [Journal(where) for _ in range(3)]
    for node in nodes:
        await node.start()
    await asyncio.gather(*(sent(nodes[number % 3], Limits(mails=10), NOW + number / 100) for number in range(30)))
    await sent(nodes[0], Limits(mails=10), NOW + 1)
    assert [await listed(node) for node in nodes] == [[HIS]] * 3
    assert await told(nodes[1]) == [(OFFICE.sender, HIS)]
    assert await deeds(nodes[2]) == [("road", "sender.stop", HIS)]
    assert len(await nodes[0].transfers()) == 31
    for node in nodes:
        await node.stop()


# ------------------------------------------------------------------------------------------------------------- stopped


async def test_what_he_sends_meanwhile_is_held_with_its_result_and_says_why(journal: Journal) -> None:
    assert await stop(journal)
    transfer_id = await settled(journal, sender=HIS.upper())
    transfer, report = await journal.transfer(transfer_id), await journal.report(transfer_id)
    assert report is not None
    assert (transfer.state, transfer.verdict, transfer.reason, transfer.note) == (State.HELD, Verdict.HELD, Reason.POLICY, senders.NOTE)
    (why,) = [one for one in report.findings if one.code == "road.sender_stopped"]
    assert (why.action, why.detail) == (Action.KEPT, "調査")
    assert releasable(transfer, report) is Verdict.SANITIZED
    assert await journal.owed_notices() == [], "whom he wrote to hears nothing"
    assert await journal.claim_deliveries(9, at=NOW, lease_until=NOW + 60) == []


async def test_what_is_held_or_blocked_otherwise_keeps_its_reason(journal: Journal) -> None:
    await stop(journal)
    transfer_id = await sent(journal, Limits())
    await journal.settle(claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60)), settlement(held()), at=NOW)
    transfer, report = await journal.transfer(transfer_id), await journal.report(transfer_id)
    assert transfer.reason is Reason.ENCRYPTED
    assert report is not None
    assert [one.code for one in report.findings] == ["file.encrypted"]
    assert [one.id for one in await journal.owed_notices()] == [transfer_id]


async def test_nothing_that_was_let_through_leaves_after_the_word(journal: Journal) -> None:
    his, other = await settled(journal), await settled(journal, sender="sato@city.example.jp")
    assert await stop(journal)
    assert [one.transfer_id for one in await journal.claim_deliveries(9, at=NOW, lease_until=NOW + 60)] == [other], "the others go on"
    transfer = await journal.transfer(his)
    assert (transfer.state, transfer.note) == (State.HELD, senders.NOTE)
    assert await journal.claim_deliveries(9, at=NOW + HOUR, lease_until=NOW + HOUR + 60) == []
    assert await release(journal)
    assert await state_of(journal, his) is State.HELD, "until somebody lets it go"
    await journal.release(his, Verdict.SANITIZED, at=NOW, actor="sousa", receipt="{}")
    assert (await delivery_of(journal)).transfer_id == his


async def test_what_could_not_be_delivered_at_once_does_not_go_on(journal: Journal) -> None:
    transfer_id = await settled(journal)
    delivery = await delivery_of(journal)
    await stop(journal)
    waits = [outcome(one.address, RecipientState.WAITING, NOW + 60, 450) for one in delivery.recipients]
    await journal.settle_delivery(delivery, waits, None, at=NOW + 1)
    assert await state_of(journal, transfer_id) is State.DEFERRED
    assert await journal.claim_deliveries(9, at=NOW + 60, lease_until=NOW + 120) == []
    assert await state_of(journal, transfer_id) is State.HELD


async def test_who_lets_his_mail_go_before_him_sees_it_held_again(journal: Journal) -> None:
    await stop(journal)
    transfer_id = await settled(journal)
    await journal.release(transfer_id, Verdict.SANITIZED, at=NOW, actor="sousa", receipt="{}")
    assert await journal.claim_deliveries(9, at=NOW, lease_until=NOW + 60) == []
    assert await state_of(journal, transfer_id) is State.HELD


async def test_files_bounces_and_what_he_is_told_himself_go_on(journal: Journal) -> None:
    await stop(journal)
    upload, bounce = await settled(journal, door=Door.DROP), await settled(journal, sender="")
    assert await state_of(journal, upload) is State.RELEASED
    assert (await delivery_of(journal)).transfer_id == bounce
    his = await settled(journal)
    blob = Blob(digest(RESULT), len(RESULT))
    await journal.write(
        lambda connection: deliveries.queue(
            connection, his, Purpose.BOUNCE, sender="", recipients=(HIM,), blob=blob, smtputf8=False, at=NOW
        )
    )
    assert (await delivery_of(journal)).purpose is Purpose.BOUNCE


async def test_a_stop_is_said_once_and_both_words_are_recorded(journal: Journal) -> None:
    assert not await release(journal), "nobody is stopped"
    assert await stop(journal, f" {HIM} ")
    assert not await stop(journal, HIS, NOW + 1)
    assert await journal.ask(senders.listed) == [Stop(HIS, NOW, "sousa", "調査")]
    assert await release(journal, HIS.upper(), NOW + 2)
    assert not await release(journal, HIS, NOW + 3)
    assert await stop(journal, at=NOW + 4)
    assert await deeds(journal) == [("sousa", "sender.stop", HIS), ("kanri", "sender.release", HIS), ("sousa", "sender.stop", HIS)]
    await stop(journal, "a@x.jp", NOW + 3)
    assert await listed(journal) == ["a@x.jp", HIS], "the longest first"


async def test_what_the_postmaster_reads(journal: Journal) -> None:
    await sent(journal, Limits(recipients=1), recipients=("a@x.jp", "b@x.jp"))
    raw = await journal.ask(lambda connection: connection.execute(select(letters.c.content)).scalar_one())
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["To"] == OFFICE.sender
    assert message["Subject"] == "【要対応】差出人の中継を停止しました"
    for said in (HIS, "上限 1", "limit 1", "保留し、失いません", "nothing is lost", "sekisho emergency resume --sender"):
        assert said in message.get_content()
