"""The relay against next hops that behave, refuse, hang, leave and lie: the right answer for each recipient, and no mail taken for delivered."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mail.answer import Verdict, of_error
from mail.relay import Outgoing, Relay, RelaySettings, Tls
from mail.replies import HANG_UP, Reply
from mail.sink import HANG, Fault, Sink
from tests.build.smtp import CONTENT, DROPS, HANGS, certificate, hop, until, within

A, B, C = "a@town.example.jp", "b@town.example.jp", "c@town.example.jp"
TEMPORARY = Reply(451, "4.2.0", "later")
FOR_GOOD = Reply(550, "5.1.1", "nobody")


def settings(port: int, **more: object) -> RelaySettings:
    quick = {"connect_seconds": 0.3, "reply_seconds": 0.3, "final_seconds": 0.3, "delivery_seconds": 5.0}
    return RelaySettings("127.0.0.1", port, **(quick | more))  # type: ignore[arg-type]


@asynccontextmanager
async def sinking(*faults: Fault, tls: ssl.SSLContext | None = None, **more: object) -> AsyncIterator[tuple[Sink, Relay]]:
    sink = Sink(faults=list(faults))
    server = await sink.listen("127.0.0.1", 0, tls)
    relay = Relay(settings(server.addresses[0][1], **more))
    try:
        yield sink, relay
    finally:
        sink.freed.set()
        await relay.close()
        await server.stop(0)


async def test_every_recipient_has_its_answer() -> None:
    async with sinking() as (sink, relay):
        answers = await relay.deliver(Outgoing("x@y.example", [A, B], CONTENT))
        assert [(answer.address, answer.status, answer.code, answer.enhanced) for answer in answers] == [
            (A, "delivered", 250, "2.0.0"), (B, "delivered", 250, "2.0.0"),
        ]  # fmt: skip
        [(envelope, content)] = sink.messages
        assert content == CONTENT
        assert (envelope.sender, envelope.recipients, envelope.size) == ("x@y.example", (A, B), len(CONTENT))
        assert "queued as sink-1" in answers[0].text


@pytest.mark.parametrize("sender", ["", "foo..bar.@docomo.ne.jp", '"a b\\"c@d"@x.example', "bounce-a%b@x.example", "a@[192.0.2.1]"])
async def test_senders_go_out_as_they_came_in(sender: str) -> None:
    async with sinking() as (sink, relay):
        [answer] = await relay.deliver(Outgoing(sender, [A], CONTENT))
        assert answer.status == "delivered"
        assert sink.messages[0][0].sender == sender


@pytest.mark.parametrize("bad", ["a\r\nDATA@x.example", "a@x.example> SIZE=1", "a b@x.example", "a\0@x.example"])
async def test_no_address_becomes_a_command(bad: str) -> None:
    async with hop() as raw:
        relay = Relay(settings(raw.port))
        assert [answer.status for answer in await relay.deliver(Outgoing("x@y.example", [bad, A], CONTENT))] == ["failed", "delivered"]
        assert [answer.status for answer in await relay.deliver(Outgoing(bad, [A], CONTENT))] == ["failed"]
        await relay.close()
        assert not any(b"SIZE=1" in line or b"\0" in line for line in raw.heard)
        assert raw.heard.count(b"DATA\r\n") == 1


# ------------------------------------------------------------------------------------------------- what the hop says


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(("reply", "status"), [(TEMPORARY, "deferred"), (FOR_GOOD, "failed")])
async def test_a_refusal_at_any_stage(verb: str, reply: Reply, status: str) -> None:
    async with sinking(Fault(verb, reply, times=1)) as (sink, relay):
        answers = await relay.deliver(Outgoing("x@y.example", [A], CONTENT))
        assert [(answer.status, answer.code, answer.enhanced, answer.text) for answer in answers] == [
            (status, reply.code, reply.enhanced, reply.text)
        ]
        assert sink.messages == []
        # The same connection goes on.
        assert (await relay.deliver(Outgoing("x@y.example", [A], CONTENT)))[0].status == "delivered"
        assert sink.steps.count("CONNECT") == 1


async def test_each_recipient_by_itself() -> None:
    async with sinking(Fault("RCPT", FOR_GOOD, B), Fault("RCPT", TEMPORARY, C)) as (sink, relay):
        answers = await relay.deliver(Outgoing("x@y.example", [A, B, C], CONTENT))
        assert [answer.status for answer in answers] == ["delivered", "failed", "deferred"]
        assert sink.messages[0][0].recipients == (A,)


async def test_a_421_in_the_middle() -> None:
    async with sinking(Fault("RCPT", Reply(421, "4.3.2", "closing"), B, times=1)) as (sink, relay):
        answers = await relay.deliver(Outgoing("x@y.example", [A, B, C], CONTENT))
        assert [(answer.status, answer.code) for answer in answers] == [("deferred", 0), ("deferred", 421), ("deferred", 0)]
        assert sink.messages == []
        assert (await relay.deliver(Outgoing("x@y.example", [A], CONTENT)))[0].status == "delivered"


async def test_too_many_recipients_come_with_the_next_transaction() -> None:
    async with sinking(Fault("RCPT", Reply(452, "4.5.3", "too many"), C, times=1)) as (sink, relay):
        assert [answer.status for answer in await relay.deliver(Outgoing("x@y.example", [A, B, C], CONTENT))] == ["delivered"] * 3
        assert [envelope.recipients for envelope, _ in sink.messages] == [(A, B), (C,)]
    async with sinking(Fault("RCPT", Reply(452, "4.5.3", "too many"))) as (sink, relay):
        assert [answer.status for answer in await relay.deliver(Outgoing("x@y.example", [A, B], CONTENT))] == ["deferred"] * 2
    people = [f"p{number}@town.example.jp" for number in range(25)]
    async with sinking(recipients_per_transaction=10) as (sink, relay):
        assert [answer.status for answer in await relay.deliver(Outgoing("x@y.example", people, CONTENT))] == ["delivered"] * 25
        assert [len(envelope.recipients) for envelope, _ in sink.messages] == [10, 10, 5]


# ------------------------------------------------------------------------------------------------- what breaks


@pytest.mark.parametrize("verb", ["connect", "ehlo", "mail", "rcpt", "data", "end"])
@pytest.mark.parametrize("how", [HANGS, DROPS])
async def test_hanging_and_leaving_at_any_stage_is_temporary(verb: str, how: bytes) -> None:
    async with hop(**{verb: how}) as raw:
        relay = Relay(settings(raw.port))
        [answer] = await within(relay.deliver(Outgoing("x@y.example", [A], CONTENT)))  # type: ignore[misc]
        assert (answer.status, answer.code, answer.enhanced[0]) == ("deferred", 0, "4")
        assert answer.unreached == (verb in ("connect", "ehlo"))
        raw.script.clear()
        assert (await relay.deliver(Outgoing("x@y.example", [A], CONTENT)))[0].status == "delivered"
        await relay.close()


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."])
async def test_the_sink_can_hang_up_at_any_stage(verb: str) -> None:
    async with sinking(Fault(verb, HANG_UP, times=1)) as (sink, relay):
        assert (await relay.deliver(Outgoing("x@y.example", [A], CONTENT)))[0].status == "deferred"
        assert sink.messages == []
        assert (await relay.deliver(Outgoing("x@y.example", [A], CONTENT)))[0].status == "delivered"


@pytest.mark.parametrize("verb", ["DATA", "."])
async def test_the_sink_can_hang(verb: str) -> None:
    async with sinking(Fault(verb, HANG, times=1)) as (sink, relay):
        assert (await relay.deliver(Outgoing("x@y.example", [A], CONTENT)))[0].text == "timed out"
        assert sink.messages == []


async def test_what_was_refused_before_the_break_stays_refused() -> None:
    async with sinking(Fault("RCPT", FOR_GOOD, A), Fault("DATA", HANG_UP)) as (_, relay):
        assert [answer.status for answer in await relay.deliver(Outgoing("x@y.example", [A, B], CONTENT))] == ["failed", "deferred"]


async def test_a_hop_that_is_not_there() -> None:
    relay = Relay(settings(1))
    answers = await relay.deliver(Outgoing("x@y.example", [A, B], CONTENT))
    assert [(answer.status, answer.enhanced, answer.unreached) for answer in answers] == [("deferred", "4.4.1", True)] * 2


@pytest.mark.parametrize("greeting", [b"421 4.3.2 busy\r\n", b"554 5.7.1 not you\r\n", b"hello\r\n", b"220", b"HTTP/1.1 400\r\n\r\n"])
async def test_a_greeting_that_is_none_is_temporary_for_all_mail(greeting: bytes) -> None:
    async with hop(connect=greeting) as raw:
        [answer] = await Relay(settings(raw.port)).deliver(Outgoing("x@y.example", [A], CONTENT))
        assert (answer.status, answer.enhanced, answer.unreached) == ("deferred", "4.4.1", True)


# ------------------------------------------------------------------------------------------------- who lies


@pytest.mark.parametrize(
    "script",
    [
        {"rcpt": b"250 ok\r\n250 ok\r\n"},  # one too many, which would be taken for the answer to DATA
        {"rcpt": b"250 ok\r\n354 go\r\n250 queued\r\n"},
        {"mail": b"250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n"},
        {"data": b"250 ok\r\n"},  # no 354, so nothing was taken
        {"data": b"354 go\r\n250 queued\r\n"},  # before it has come
        {"data": b"250-354 go\r\n250 ok\r\n"},
        {"ehlo": b"250 hop\r\n250 a\r\n250 b\r\n250 c\r\n354 d\r\n250 e\r\n"},
        {"end": b"354 go on\r\n"},
        {"end": b"220 hop\r\n"},
        {"end": b"queued\r\n"},
        {"end": b"999 x\r\n"},
        {"end": b"250-more\r\n"},
        {"data": b"x" * 100_000},
    ],
)  # fmt: skip
async def test_no_lie_makes_a_mail_delivered(script: dict[str, bytes]) -> None:
    """A 220 to the end of the content is a 2xx; nothing else here may be taken for one."""
    async with hop(**script) as raw:
        relay = Relay(settings(raw.port))
        [answer] = await within(relay.deliver(Outgoing("x@y.example", [A], CONTENT)))  # type: ignore[misc]
        expected = "delivered" if script == {"end": b"220 hop\r\n"} else "deferred"
        assert answer.status == expected
        await relay.close()


async def test_control_characters_of_a_reply_go_nowhere() -> None:
    async with hop(rcpt=b"550-5.1.1 no\x1b[31m\x00such\r\n550 5.1.1 us\xffer\xe3\x81\x82\r\n") as raw:
        [answer] = await Relay(settings(raw.port)).deliver(Outgoing("x@y.example", [A], CONTENT))
        assert (answer.status, answer.enhanced) == ("failed", "5.1.1")
        assert answer.text.isprintable()
        assert "あ" in answer.text


@pytest.mark.parametrize(
    ("reply", "status", "enhanced"),
    [
        (b"550 no\r\n", "failed", "5.0.0"), (b"550 4.7.1 no\r\n", "failed", "5.0.0"), (b"451 5.7.1 no\r\n", "deferred", "4.0.0"),
        (b"450 4.2.1\r\n", "deferred", "4.2.1"), (b"354 5.1.1 what\r\n", "deferred", "4.5.0"), (b"600 x\r\n", "deferred", "4.5.0"),
    ],
)  # fmt: skip
async def test_status_and_digits_agree(reply: bytes, status: str, enhanced: str) -> None:
    async with hop(rcpt=reply) as raw:
        [answer] = await Relay(settings(raw.port)).deliver(Outgoing("x@y.example", [A], CONTENT))
        assert (answer.status, answer.enhanced) == (status, enhanced)


async def test_a_hop_that_knows_no_ehlo_is_greeted_as_in_the_old_days() -> None:
    async with hop(ehlo=b"502 5.5.2 what\r\n") as raw:
        relay = Relay(settings(raw.port))
        [answer] = await relay.deliver(Outgoing("x@y.example", [A], CONTENT))
        await relay.close()
        assert answer.status == "delivered"
        assert [line.split()[0] for line in raw.heard[:3]] == [b"EHLO", b"HELO", b"MAIL"]


async def test_who_is_stopped_while_it_connects_leaves_nothing_behind() -> None:
    async with hop(connect=HANGS) as raw:
        relay = Relay(settings(raw.port, connect_seconds=10.0))
        delivering = asyncio.create_task(relay.deliver(Outgoing("x@y.example", [A], CONTENT)))
        await until(lambda: raw.connections)
        delivering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await within(delivering)
        await relay.close()


def test_what_no_library_promised_is_temporary() -> None:
    assert of_error(ValueError("secret")) == Verdict("deferred", 0, "4.3.0", "no sensible answer")


# ------------------------------------------------------------------------------------------------- SMTPUTF8


async def test_addresses_beyond_ascii_need_a_hop_that_takes_them() -> None:
    async with sinking() as (sink, relay):
        [answer] = await relay.deliver(Outgoing("差出人@x.example", ["役場@town.example.jp"], CONTENT, smtputf8=True))
        assert answer.status == "delivered"
        assert (sink.messages[0][0].sender, sink.messages[0][0].smtputf8) == ("差出人@x.example", True)
    async with hop() as raw:
        relay = Relay(settings(raw.port))
        [answer] = await relay.deliver(Outgoing("差出人@x.example", [A], CONTENT, smtputf8=True))
        assert (answer.status, answer.enhanced) == ("failed", "5.6.7")
        answers = await relay.deliver(Outgoing("x@y.example", [A, "役場@town.example.jp"], CONTENT, smtputf8=True))
        assert [(answer.status, answer.enhanced) for answer in answers] == [("delivered", "2.0.0"), ("failed", "5.6.7")]
        await relay.close()


# ------------------------------------------------------------------------------------------------- connections


async def test_connections_are_kept_and_their_number_is_bounded() -> None:
    async with sinking(concurrency=3, messages_per_connection=5) as (sink, relay):
        for _ in range(4):
            await asyncio.gather(*(relay.deliver(Outgoing("x@y.example", [A], CONTENT)) for _ in range(6)))
        assert len(sink.messages) == 24
        assert 24 / 5 <= sink.steps.count("CONNECT") <= 7


async def test_a_connection_that_rested_too_long_is_not_used() -> None:
    now = [0.0]
    async with hop() as raw:
        relay = Relay(settings(raw.port), clock=lambda: now[0])
        for now[0] in (0.0, 59.0, 200.0):
            assert (await relay.deliver(Outgoing("x@y.example", [A], CONTENT)))[0].status == "delivered"
        await relay.close()
        assert raw.connections == 2


async def test_a_kept_connection_that_died_is_replaced() -> None:
    async with sinking(Fault("RSET", HANG_UP, times=1)) as (sink, relay):
        for _ in range(2):
            assert (await relay.deliver(Outgoing("x@y.example", [A], CONTENT)))[0].status == "delivered"
        assert sink.steps.count("CONNECT") == 2


async def test_cancelling_leaves_no_connection_in_mid_transaction() -> None:
    async with sinking(Fault(".", HANG, times=1), final_seconds=60.0, delivery_seconds=60.0) as (sink, relay):
        task = asyncio.create_task(relay.deliver(Outgoing("x@y.example", [A], CONTENT)))
        await until(lambda: "." in sink.steps)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await relay.deliver(Outgoing("x@y.example", [B], CONTENT)))[0].status == "delivered"
        assert [envelope.recipients for envelope, _ in sink.messages] == [(B,)]


async def test_a_whole_delivery_has_a_deadline() -> None:
    async with hop(end=HANGS) as raw:
        relay = Relay(settings(raw.port, final_seconds=60.0, delivery_seconds=0.2))
        assert (await within(relay.deliver(Outgoing("x@y.example", [A], CONTENT))))[0].text == "timed out"  # type: ignore[index]


# ------------------------------------------------------------------------------------------------- TLS


@pytest.mark.parametrize("mode", Tls)
@pytest.mark.parametrize("offered", [False, True])
async def test_tls_by_setting(tmp_path: Path, mode: Tls, offered: bool) -> None:
    tls, trusting = certificate(tmp_path, "localhost")
    sink = Sink()
    server = await sink.listen("127.0.0.1", 0, tls if offered else None)
    hop_at = RelaySettings("localhost", server.addresses[0][1], tls=mode, connect_seconds=2.0)
    relay = Relay(hop_at, trusting if mode is Tls.REQUIRED else None)
    [answer] = await relay.deliver(Outgoing("x@y.example", [A], CONTENT))
    if mode is Tls.REQUIRED and not offered:
        assert (answer.status, answer.enhanced, sink.messages) == ("deferred", "4.7.4", [])
    else:
        assert answer.status == "delivered"
        assert sink.messages[0][0].tls == (offered and mode is not Tls.NEVER)
    await relay.close()
    await server.stop(0)


async def test_required_tls_wants_the_right_certificate(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path, "localhost")
    sink = Sink()
    server = await sink.listen("127.0.0.1", 0, tls)
    relay = Relay(RelaySettings("localhost", server.addresses[0][1], tls=Tls.REQUIRED, connect_seconds=2.0))
    [answer] = await relay.deliver(Outgoing("x@y.example", [A], CONTENT))
    assert (answer.status, sink.messages) == ("deferred", [])
    await server.stop(0)


@pytest.mark.parametrize("starttls", [b"454 4.7.0 not now\r\n", b"220 go\r\nnonsense\r\n", DROPS])
async def test_broken_tls_is_passed_by_where_it_is_opportunistic(starttls: bytes) -> None:
    async with hop(ehlo=b"250-hop\r\n250 STARTTLS\r\n", starttls=starttls) as raw:
        relay = Relay(settings(raw.port, tls=Tls.OPPORTUNISTIC))
        [answer] = await within(relay.deliver(Outgoing("x@y.example", [A], CONTENT)))  # type: ignore[misc]
        assert (answer.status, raw.connections) == ("delivered", 2)
        await relay.close()
        relay = Relay(settings(raw.port, tls=Tls.REQUIRED))
        [answer] = await within(relay.deliver(Outgoing("x@y.example", [A], CONTENT)))  # type: ignore[misc]
        assert answer.status == "deferred"
        assert len(raw.contents) == 1
