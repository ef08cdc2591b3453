"""The queue: what becomes of each recipient, how much at a time, and how it stops."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from mail import queue
from mail.answer import Answer
from mail.envelope import Notify, Wishes
from mail.outbox import Delivery, Outbox
from mail.queue import Queue, QueueSettings
from mail.relay import Outgoing, Relay, RelaySettings
from mail.replies import Reply
from mail.retry import Schedule
from mail.sink import Fault, Sink
from tests.build.smtp import CONTENT, NOW, MemoryOutbox, delivery, until, within

OK = ("delivered", 250, "2.0.0", "ok")
LATER = ("deferred", 451, "4.2.0", "later")
NEVER = ("failed", 550, "5.1.1", "nobody")
AWAY = ("deferred", 0, "4.4.1", "cannot be reached")
SETTINGS = QueueSettings("mx.example.jp", "postmaster@town.example.jp", concurrency=3, schedule=Schedule((60, 300), expire=1000))


@dataclass
class Hop:
    """Stands in for the relay. `says` by address; `gate` holds every delivery until it is set."""

    says: dict[str, tuple[str, int, str, str]] = field(default_factory=dict)
    otherwise: tuple[str, int, str, str] = OK
    gate: asyncio.Event | None = None
    busy: int = 0
    most: int = 0
    calls: list[tuple[str, tuple[str, ...], bytes]] = field(default_factory=list)
    closed: bool = False

    async def deliver(self, mail: Outgoing) -> list[Answer]:
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            self.calls.append((mail.sender, tuple(mail.recipients), mail.content))
            if self.gate is not None:
                await self.gate.wait()
            await asyncio.sleep(0)
            return [Answer(address, *self.says.get(address, self.otherwise)) for address in mail.recipients]  # type: ignore[arg-type]
        finally:
            self.busy -= 1

    async def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_SETTLE_PAUSES", (0.01, 0.01))
    monkeypatch.setattr(queue, "_PAUSE_SECONDS", 0.01)


async def worked(outbox: MemoryOutbox, hop: Hop, done: Callable[[], object], now: float = NOW, settings: QueueSettings = SETTINGS) -> Queue:
    made = Queue(outbox, hop, settings, lambda: now, lambda: 0.0)
    running = asyncio.create_task(made.run())
    await until(done)
    made.drain()
    await within(running)
    assert hop.closed
    return made


async def test_each_recipient_is_settled_by_itself_in_one_go() -> None:
    outbox: MemoryOutbox = MemoryOutbox([delivery("a@x", "b@x", "c@x", attempts=1)])
    as_outbox: Outbox = outbox
    hop = Hop({"b@x": LATER, "c@x": NEVER})
    await worked(outbox, hop, lambda: outbox.settled)
    assert as_outbox is outbox
    [(_, results, notice)] = outbox.settled
    assert [(result.address, result.status, result.code, result.retry_at) for result in results] == [
        ("a@x", "delivered", 250, None), ("b@x", "deferred", 451, NOW + 300), ("c@x", "failed", 550, None),
    ]  # fmt: skip
    assert hop.calls == [("taro@partner.example", ("a@x", "b@x", "c@x"), CONTENT)]
    assert notice is not None
    assert b"c@x" in notice
    assert b"b@x" not in notice


async def test_a_null_sender_is_never_told(caplog: pytest.LogCaptureFixture) -> None:
    outbox = MemoryOutbox([delivery("a@x", sender="")])
    await worked(outbox, Hop(otherwise=NEVER), lambda: outbox.settled)
    assert outbox.settled[0][2] is None
    assert "without a sender" in caplog.text


async def test_time_runs_out() -> None:
    outbox = MemoryOutbox([delivery("a@x", attempts=7, first_at=NOW - 1000)])
    await worked(outbox, Hop(otherwise=LATER), lambda: outbox.settled)
    [(_, [result], notice)] = outbox.settled
    assert (result.status, result.code, result.enhanced) == ("failed", 451, "5.4.7")
    assert result.text == "gave up after 8 attempts; the last: 4.2.0 later"
    assert notice is not None
    assert email.message_from_bytes(notice).get_content_type() == "multipart/report"


async def test_so_many_at_a_time_and_all_of_them() -> None:
    outbox = MemoryOutbox([delivery(number=number) for number in range(50)])
    hop = Hop()
    await worked(outbox, hop, lambda: len(outbox.settled) == 50)
    assert hop.most <= 3
    assert outbox.most_leased <= 3
    assert max(outbox.claims) <= 3


async def test_it_sleeps_until_woken() -> None:
    outbox, hop = MemoryOutbox(), Hop()
    made = Queue(outbox, hop, SETTINGS, lambda: NOW)
    running = asyncio.create_task(made.run())
    await until(lambda: outbox.claims)
    await asyncio.sleep(0.05)
    assert len(outbox.claims) == 1
    outbox.waiting.append(delivery())
    made.wake()
    await until(lambda: outbox.settled, seconds=1)
    made.drain()
    await within(running)


async def test_it_sleeps_until_the_next_is_due() -> None:
    outbox, hop = MemoryOutbox(due=NOW + 0.1), Hop()
    made = Queue(outbox, hop, SETTINGS, lambda: NOW)
    running = asyncio.create_task(made.run())
    await until(lambda: outbox.claims)
    outbox.waiting.append(delivery())
    await until(lambda: outbox.settled, seconds=1)
    made.drain()
    await within(running)


# ------------------------------------------------------------------------------------------------- what fails with us


async def test_an_outbox_that_fails_for_a_while_costs_nothing() -> None:
    outbox = MemoryOutbox([delivery()], fails={"claim": 2, "next_due": 2, "settle": 2})
    hop = Hop()
    await worked(outbox, hop, lambda: outbox.settled)
    assert len(hop.calls) == 1  # delivered once, however often it had to be written down
    assert len(outbox.settled) == 1


async def test_what_cannot_be_settled_at_all_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    outbox = MemoryOutbox([delivery(number=1)], fails={"settle": 3})
    hop = Hop()
    made = Queue(outbox, hop, SETTINGS, lambda: NOW)
    running = asyncio.create_task(made.run())
    await until(lambda: not outbox.fails["settle"])
    outbox.waiting.append(delivery(number=2))
    made.wake()
    await until(lambda: outbox.settled)
    assert outbox.settled[0][0].id == "d2"
    assert "could not be settled" in caplog.text
    made.drain()
    await within(running)


async def test_a_message_that_cannot_be_read_is_put_off() -> None:
    outbox = MemoryOutbox([delivery()], fails={"read": 1})
    hop = Hop()
    await worked(outbox, hop, lambda: outbox.settled)
    assert hop.calls == []
    assert [(result.status, result.retry_at) for result in outbox.settled[0][1]] == [("deferred", NOW + 60)]


# ------------------------------------------------------------------------------------------------- a hop that is away


async def test_while_the_hop_is_away_one_at_a_time_finds_out_and_the_rest_waits() -> None:
    outbox = MemoryOutbox([delivery(number=number) for number in range(20)])
    hop, now = Hop(otherwise=AWAY), [NOW]
    made = Queue(outbox, hop, SETTINGS, lambda: now[0])
    running = asyncio.create_task(made.run())
    await until(lambda: len(outbox.settled) == 3)
    await asyncio.sleep(0.05)
    assert len(hop.calls) == 3
    now[0] += 1.0
    made.wake()
    await until(lambda: len(outbox.settled) == 4)
    await asyncio.sleep(0.05)
    assert len(hop.calls) == 4
    assert outbox.claims[-1] == 1
    hop.otherwise = OK
    now[0] += 2.0
    made.wake()
    await until(lambda: len(outbox.settled) == 20)
    assert hop.most == 3
    made.drain()
    await within(running)


# ------------------------------------------------------------------------------------------------------- stopping


async def test_a_drain_begins_nothing_and_finishes_what_is_on_the_wire() -> None:
    outbox = MemoryOutbox([delivery(number=number) for number in range(10)])
    hop = Hop(gate=asyncio.Event())
    made = Queue(outbox, hop, SETTINGS, lambda: NOW)
    running = asyncio.create_task(made.run())
    await until(lambda: hop.busy == 3)
    made.drain()
    await asyncio.sleep(0.02)
    assert not running.done()
    assert hop.gate is not None
    hop.gate.set()
    await within(running)
    assert len(outbox.settled) == 3
    assert outbox.released == []
    assert len(outbox.waiting) == 7


async def test_a_cancelled_delivery_gives_its_lease_back() -> None:
    outbox = MemoryOutbox([delivery(number=1)], fails={"release": 0})
    hop = Hop(gate=asyncio.Event())
    running = asyncio.create_task(Queue(outbox, hop, SETTINGS, lambda: NOW).run())
    await until(lambda: hop.busy)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [one.id for one in outbox.released] == ["d1"]
    assert outbox.settled == []
    assert hop.closed


async def test_a_release_that_fails_does_not_hide_the_stop() -> None:
    outbox = MemoryOutbox([delivery(number=1)], fails={"release": 1})
    hop = Hop(gate=asyncio.Event())
    running = asyncio.create_task(Queue(outbox, hop, SETTINGS, lambda: NOW).run())
    await until(lambda: hop.busy)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_was_delivered_is_written_down_even_when_told_to_stop() -> None:
    released = asyncio.Event()

    class Slow(MemoryOutbox):
        settling = False

        async def settle(self, delivery: Delivery, results: Sequence[object], notice: bytes | None) -> None:
            self.settling = True
            await released.wait()
            await super().settle(delivery, results, notice)  # type: ignore[arg-type]

    outbox = Slow([delivery()])
    running = asyncio.create_task(Queue(outbox, Hop(), SETTINGS, lambda: NOW).run())
    await until(lambda: outbox.settling)
    running.cancel()
    await asyncio.sleep(0.02)
    released.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(outbox.settled) == 1
    assert outbox.released == []


# ------------------------------------------------------------------------------------------------- with the real relay


async def test_queue_relay_and_sink_together() -> None:
    sink = Sink(faults=[Fault("RCPT", Reply(550, "5.1.1", "nobody"), "gone@x.example"), Fault("RCPT", Reply(451, "4.2.0", "l"), "late@x.example")])
    server = await sink.listen("127.0.0.1", 0)
    relay = Relay(RelaySettings("127.0.0.1", server.addresses[0][1]))
    outbox = MemoryOutbox([delivery("a@x.example", "gone@x.example", "late@x.example", number=number) for number in range(10)])
    made = Queue(outbox, relay, SETTINGS, lambda: NOW)
    running = asyncio.create_task(made.run())
    await until(lambda: len(outbox.settled) == 10)
    made.drain()
    await within(running)
    await server.stop(1)
    assert {tuple(result.status for result in results) for _, results, _ in outbox.settled} == {("delivered", "failed", "deferred")}
    assert [envelope.recipients for envelope, _ in sink.messages] == [("a@x.example",)] * 10


# ------------------------------------------------------------------------------------------------------------ RFC 3461


@pytest.mark.parametrize(
    ("on", "answer", "attempts", "subject"),
    [
        (("SUCCESS",), OK, 0, "配送しました"),
        (("SUCCESS",), (*OK, True), 0, None),
        (("SUCCESS",), NEVER, 0, None),
        (("NEVER",), NEVER, 0, None),
        ((), OK, 0, None),
        ((), NEVER, 0, "配送できませんでした"),
        # The schedule of these tests reaches 300 seconds with the third attempt.
        (("DELAY",), LATER, 2, "配送が遅れています"),
        (("DELAY",), LATER, 1, None),
        (("DELAY",), LATER, 3, None),
        ((), LATER, 2, None),
    ],
)
async def test_the_sender_hears_what_he_asked_for(on: tuple[str, ...], answer: tuple[object, ...], attempts: int, subject: str | None) -> None:
    about = replace(delivery("a@town.example.jp", attempts=attempts), wishes=Wishes(of={"a@town.example.jp": Notify(on)}))
    outbox = MemoryOutbox([about])
    working = Queue(outbox, Hop(otherwise=answer), replace(SETTINGS, delay_seconds=300), clock=lambda: NOW)  # type: ignore[arg-type]
    running = asyncio.create_task(working.run())
    await until(lambda: bool(outbox.settled))
    working.drain()
    await within(running)
    [(_, _, notice)] = outbox.settled
    if subject is None:
        assert notice is None
    else:
        assert notice is not None
        assert str(email.message_from_bytes(notice, policy=email.policy.default)["Subject"]).startswith(subject)


async def test_wishes_reach_a_next_hop_that_knows_them() -> None:
    wishes = Wishes("id +1", "HDRS", {"a@town.example.jp": Notify(("SUCCESS", "DELAY"), "rfc822;old@town.example.jp")})
    for offered in (True, False):
        sink = Sink(dsn=offered)
        server = await sink.listen("127.0.0.1", 0)
        relay = Relay(RelaySettings("127.0.0.1", server.addresses[0][1]))
        answers = await within(relay.deliver(Outgoing("x@y.example", ["a@town.example.jp", "b@town.example.jp"], CONTENT, wishes=wishes)))
        await relay.close()
        await server.stop(1)
        [(envelope, _)] = sink.messages
        assert envelope.wishes == (wishes if offered else Wishes())
        assert [answer.passed_on for answer in answers] == [offered, offered]  # type: ignore[attr-defined]


async def test_who_has_no_room_claims_nothing_however_often_it_is_woken() -> None:
    outbox, hop = MemoryOutbox([delivery(number=number) for number in range(5)]), Hop(gate=asyncio.Event())
    made = Queue(outbox, hop, SETTINGS, lambda: NOW, lambda: 0.0)
    running = asyncio.create_task(made.run())
    await until(lambda: hop.busy == SETTINGS.concurrency)
    made.wake()
    await asyncio.sleep(0.02)
    assert (outbox.claims, hop.busy) == ([3], 3)
    assert hop.gate is not None
    hop.gate.set()
    await until(lambda: len(outbox.settled) == 5)
    made.drain()
    await within(running)
