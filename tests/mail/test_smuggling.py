"""Two messages in one: what our receiver makes of every end of data, beside aiosmtpd; and what others make of what we send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as OracleEnvelope

from mail.receiver import ReceiverSettings
from mail.relay import Outgoing, Relay, RelaySettings
from mail.sink import Sink
from tests.build.smtp import FALSE_ENDS, OURS, TRUE_END, Client, serving

SECOND = f"MAIL FROM:<evil@x.example>\r\nRCPT TO:<clerk@{OURS}>\r\nDATA\r\nSubject: smuggled\r\n\r\nsecond".encode()


class Oracle:
    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.port = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: OracleEnvelope) -> str:  # noqa: N802 - aiosmtpd's hook
        assert isinstance(envelope.original_content, bytes)
        self.contents.append(envelope.original_content)
        return "250 Ok"


@asynccontextmanager
async def oracle() -> AsyncIterator[Oracle]:
    handler = Oracle()
    controller = UnthreadedController(handler, hostname="127.0.0.1", port=0, loop=asyncio.get_running_loop())
    controller.server = await controller._create_server()
    handler.port = controller.server.sockets[0].getsockname()[1]
    try:
        yield handler
    finally:
        controller.server.close()


async def conversation(port: int, octets: bytes) -> list[bytes]:
    """Everything in order, waiting where one has to; the replies from the end of the content on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    client = Client(reader, writer)
    await client.hello()
    await client.begins()
    await client.send(octets)
    replies = []
    while reply := await client.reply():
        replies.append(reply[:3])
        if reply[:3] == b"221":
            break
    client.close()
    return replies


@pytest.mark.parametrize("refuse", [True, False])
@pytest.mark.parametrize("name", FALSE_ENDS)
async def test_a_false_end_is_never_the_end(name: str, refuse: bool) -> None:
    octets = b"Subject: first\r\n\r\nfirst" + FALSE_ENDS[name] + SECOND + TRUE_END + b"QUIT\r\n"
    async with serving(receiver=ReceiverSettings(refuse_bare_newlines=refuse)) as (server, intake), oracle() as other:
        ours = await conversation(server.addresses[0][1], octets)
        theirs = await conversation(other.port, octets)
    assert len(ours) == len(theirs) == 2
    assert len(intake.messages) == (1 if ours[0] == b"250" else 0)
    assert len(other.contents) <= 1
    for _, content in intake.messages:
        assert b"MAIL FROM:<evil@x.example>" in content
        assert content == other.contents[0] or not refuse
    clean = FALSE_ENDS[name] in (b"\r\n .\r\n", b"\r\n. \r\n", b"\r\n..\r\n")
    assert ours[0] == (b"250" if clean or (not refuse and b"\0" not in FALSE_ENDS[name]) else b"550")


async def test_the_true_end_is_the_end_for_both() -> None:
    octets = b"Subject: first\r\n\r\nfirst" + TRUE_END + b"RSET\r\nQUIT\r\n"
    async with serving() as (server, intake), oracle() as other:
        assert await conversation(server.addresses[0][1], octets) == await conversation(other.port, octets) == [b"250", b"250", b"221"]
    assert [content for _, content in intake.messages] == other.contents == [b"Subject: first\r\n\r\nfirst\r\n"]


@pytest.mark.parametrize("name", FALSE_ENDS)
async def test_what_we_send_is_one_message_to_everybody(name: str) -> None:
    """As a sender: even if our own content held such an end, both next hops get one message and the same."""
    content = b"Subject: first\r\n\r\nfirst" + FALSE_ENDS[name] + SECOND + b"\r\n"
    sink = Sink()
    server = await sink.listen("127.0.0.1", 0)
    async with oracle() as other:
        for port in (server.addresses[0][1], other.port):
            relay = Relay(RelaySettings("127.0.0.1", port))
            [answer] = await relay.deliver(Outgoing("a@b.example", ["c@d.example"], content.replace(b"\0", b"")))
            assert answer.status == "delivered"
            await relay.close()
    await server.stop(0)
    [(_, kept)] = sink.messages
    assert [kept] == other.contents
    assert kept.replace(b"\r\n", b"").count(b"\n") == kept.replace(b"\r\n", b"").count(b"\r") == 0
