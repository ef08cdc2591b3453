"""The server on a real socket: commits, clients that leave, dawdle, flood; stopping; TLS."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import socket
import struct

import pytest

from mail.pace import Times
from mail.receiver import ReceiverSettings
from mail.server import Server, ServerSettings
from tests.build.smtp import CONTENT, FULL_DISK, OURS, Client, MemoryIntake, calling, on_loop, serving, until, within

SHORT = Times(idle_seconds=0.2, data_seconds=5.0, least_rate=1000.0, rate_grace_seconds=0.2, reply_seconds=0.3, linger_seconds=0.2)


async def sent(server: Server, content: bytes = CONTENT) -> bytes:
    """A whole mail; the last reply."""
    async with calling(server) as client:
        await client.begins()
        await client.send(content)
        return await client.says(b".")


async def test_a_250_names_the_receipt_number_of_what_is_kept() -> None:
    async with serving() as (server, intake):
        assert await sent(server, b"..dot\r\n") == b"250 2.0.0 Ok: queued as 20261120-000001\r\n"
        [(envelope, content)] = intake.messages
        assert content == b".dot\r\n"
        assert (envelope.sender, envelope.recipients, envelope.client_ip) == ("taro@partner.example", (f"clerk@{OURS}",), "127.0.0.1")
        assert intake.aborted == 0


async def test_who_does_not_exist_is_told_at_once() -> None:
    async with serving() as (server, _), calling(server) as client:
        await client.says(b"EHLO x")
        await client.says(b"MAIL FROM:<a@b.example>")
        assert await client.says(b"RCPT TO:<nobody@%b>" % OURS.encode()) == b"550 5.1.1 No such recipient here\r\n"


async def test_who_may_not_receive_mail_is_told_at_once_and_the_others_get_theirs() -> None:
    async with serving() as (server, intake), calling(server) as client:
        await client.says(b"EHLO x")
        await client.says(b"MAIL FROM:<a@b.example>")
        refused = await client.says(b"RCPT TO:<shut@%b>" % OURS.encode())
        assert refused == b"550 5.7.1 Delivery to this recipient is not authorized\r\n"
        assert (await client.says(b"RCPT TO:<clerk@%b>" % OURS.encode()))[:3] == b"250"
        assert (await client.says(b"DATA"))[:3] == b"354"
        assert (await client.says(b"x\r\n."))[:3] == b"250"
        assert [envelope.recipients for envelope, _ in intake.messages] == [(f"clerk@{OURS}",)]


async def test_an_ordinary_client_sends_several_mails() -> None:
    def post(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            for _ in range(3):
                assert client.sendmail("a@b.example", [f"x@{OURS}", f"y@{OURS}"], CONTENT, ["BODY=8BITMIME"]) == {}

    async with serving() as (server, intake):
        await asyncio.to_thread(post, server.addresses[0][1])
        assert [content for _, content in intake.messages] == [CONTENT] * 3


@pytest.mark.parametrize("at", range(1, 23))
async def test_the_end_in_any_two_segments(at: int) -> None:
    octets = b"a\r\n..b\r\n.\r\nRSET\r\nQUIT\r\n"
    async with serving() as (server, intake), calling(server) as client:
        client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await client.begins()
        await client.send(octets[:at])
        await asyncio.sleep(0.002)
        await client.send(octets[at:])
        replies = await client.rest()
        assert [content for _, content in intake.messages] == [b"a\r\n.b\r\n"]
        assert [line[:3] for line in replies.splitlines()] == [b"250", b"250", b"221"]


async def test_content_that_comes_before_354_is_refused() -> None:
    async with serving() as (server, intake), calling(server) as client:
        await client.send(f"MAIL FROM:<>\r\nRCPT TO:<clerk@{OURS}>\r\nDATA\r\nSubject: x\r\n.\r\n".encode())
        assert [line[:3] for line in (await client.rest()).splitlines()] == [b"250", b"250", b"554"]
        assert intake.messages == []


# ------------------------------------------------------------------------------------------------- what fails with us


@pytest.mark.parametrize("step", ["accepts", "begin", "write", "commit"])
@pytest.mark.parametrize(("error", "code"), [(OSError(28, "No space left on device: /var/spool/x"), b"451 4.3.0"), (FULL_DISK, b"452 4.3.1")])
async def test_whatever_the_intake_raises_is_temporary_and_its_text_stays_here(
    step: str, error: Exception, code: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    if step == "accepts" and error is FULL_DISK:
        code = b"451 4.3.0"
    async with serving(MemoryIntake(fails={step: error})) as (server, intake), calling(server) as client:
        with caplog.at_level(logging.INFO):
            heard = [await client.says(b"MAIL FROM:<a@b.example>"), await client.says(f"RCPT TO:<clerk@{OURS}>".encode())]
            if step != "accepts":
                heard.append(await client.says(b"DATA"))
            if step in ("write", "commit"):
                await client.send(CONTENT)
                heard.append(await client.says(b"."))
        assert heard[-1].startswith(code)
        assert all(reply[:1] in b"23" for reply in heard[:-1])
        assert not any(b"var" in reply or b"octets" in reply for reply in heard)
        assert intake.messages == []
        assert intake.aborted == (1 if step in ("write", "commit") else 0)
        assert any(record.facts.get("step") == step for record in caplog.records if hasattr(record, "facts"))
        intake.fails.clear()
        await client.says(b"RSET")
        assert (await client.begins()).startswith(b"354")
        await client.send(CONTENT)
        assert (await client.says(b".")).startswith(b"250")


async def test_a_commit_that_never_ends_is_given_up_and_the_client_keeps_its_mail() -> None:
    intake = MemoryIntake(gate=asyncio.Event())
    async with serving(intake, settings=ServerSettings(times=Times(commit_seconds=0.1))) as (server, _):
        assert (await sent(server)).startswith(b"451 4.3.0")
        assert intake.messages == []
        assert intake.gate is not None
        intake.gate.set()
        await until(lambda: intake.messages)


async def test_no_250_before_the_commit() -> None:
    intake = MemoryIntake(gate=asyncio.Event())
    async with serving(intake) as (server, _), calling(server) as client:
        await client.begins()
        await client.send(CONTENT + b".\r\n")
        await until(lambda: intake.committing)
        with pytest.raises(TimeoutError):
            await within(client.reader.read(1), 0.1)
        assert intake.gate is not None
        intake.gate.set()
        assert (await client.reply()).startswith(b"250")


# -------------------------------------------------------------------------------------------------- clients that leave


async def test_a_client_that_closes_its_half_after_the_dot_is_answered() -> None:
    intake = MemoryIntake(gate=asyncio.Event())
    async with serving(intake) as (server, _), calling(server) as client:
        await client.begins()
        await client.send(CONTENT + b".\r\nQUIT\r\n")
        client.writer.write_eof()
        await until(lambda: intake.committing)
        assert intake.gate is not None
        intake.gate.set()
        assert [line[:3] for line in (await client.rest()).splitlines()] == [b"250", b"221"]
        assert len(intake.messages) == 1


async def test_a_client_that_is_cut_off_after_the_dot_has_its_mail_kept_once(caplog: pytest.LogCaptureFixture) -> None:
    intake = MemoryIntake(gate=asyncio.Event())
    async with serving(intake) as (server, _), calling(server) as client:
        await client.begins()
        await client.send(CONTENT + b".\r\n")
        await until(lambda: intake.committing)
        reset(client)
        await asyncio.sleep(0.05)
        assert intake.gate is not None
        intake.gate.set()
        with caplog.at_level(logging.INFO):
            await until(lambda: not server.sessions)
        assert len(intake.messages) == 1
        assert intake.aborted == 0
        assert any(getattr(record, "facts", {}).get("heard") is False for record in caplog.records)


@pytest.mark.parametrize("how", ["close", "half", "reset"])
async def test_a_client_that_leaves_before_the_dot_leaves_nothing(how: str) -> None:
    async with serving() as (server, intake), calling(server) as client:
        await client.begins()
        await client.send(b"half a mail\r\n.\r")
        await until(lambda: intake.blocks)
        if how == "reset":
            reset(client)
        elif how == "half":
            client.writer.write_eof()
        else:
            client.close()
        await until(lambda: not server.sessions)
        assert (intake.messages, intake.aborted) == ([], 1)


def reset(client: Client) -> None:
    raw = client.writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()


# ------------------------------------------------------------------------------------------------ clients that dawdle


async def test_who_says_nothing_is_sent_away() -> None:
    async with serving(settings=ServerSettings(times=SHORT)) as (server, _), calling(server) as client:
        assert (await client.rest()).startswith(b"421 4.4.2")
        await until(lambda: not server.sessions)


async def test_a_letter_now_and_then_is_not_a_command() -> None:
    async with serving(settings=ServerSettings(times=SHORT)) as (server, _), calling(server) as client:
        ended = asyncio.create_task(client.rest())
        for _ in range(100):
            client.writer.write(b"x")
            await asyncio.sleep(0.02)
            if ended.done():
                break
        assert (await ended).startswith(b"421 4.4.2")


@pytest.mark.parametrize("drip", [b"", b"x"])
async def test_content_below_the_least_rate_ends_and_leaves_nothing(drip: bytes) -> None:
    async with serving(settings=ServerSettings(times=SHORT)) as (server, intake), calling(server) as client:
        await client.begins()
        ended = asyncio.create_task(client.rest())
        for _ in range(100):
            client.writer.write(drip)
            await asyncio.sleep(0.02)
            if ended.done():
                break
        assert (await ended).startswith(b"421 4.4.2 Too slow")
        await until(lambda: not server.sessions)
        assert (intake.messages, intake.aborted) == ([], 1)


async def test_who_asks_and_never_listens_loses_the_connection() -> None:
    times = Times(reply_seconds=0.2, linger_seconds=0.1)
    receiver = ReceiverSettings(strict_pipelining=False)
    async with serving(receiver=receiver, settings=ServerSettings(times=times)) as (server, _), calling(server) as client:
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(20):
                while True:
                    client.writer.write(b"EHLO c\r\n" * 5_000)
                    await client.writer.drain()
        await until(lambda: not server.sessions)


async def test_the_time_that_we_take_is_not_the_clients() -> None:
    intake = MemoryIntake(gate=asyncio.Event())
    async with serving(intake, settings=ServerSettings(times=SHORT)) as (server, _), calling(server) as client:
        await client.begins()
        await client.send(CONTENT + b".\r\n")
        await asyncio.sleep(0.5)
        assert intake.gate is not None
        intake.gate.set()
        assert (await client.reply()).startswith(b"250")


# -------------------------------------------------------------------------------------------------------- limits


async def test_one_client_has_so_many_connections() -> None:
    async with serving(settings=ServerSettings(max_per_client=2)) as (server, _), calling(server), calling(server) as second:
        async with calling(server, hello=False) as third:
            assert (await third.rest()).startswith(b"421 4.7.0")
        assert (await second.says(b"NOOP")).startswith(b"250")
        second.close()
        await until(lambda: server.sessions == 1)
        async with calling(server, hello=False) as fourth:
            assert (await fourth.reply()).startswith(b"220")


async def test_a_thousand_idle_connections_do_not_keep_others_out() -> None:
    settings = ServerSettings(max_connections=100, max_per_client=40, trusted_hops=["127.0.0.2"])
    async with serving(settings=settings) as (server, intake):
        port = server.addresses[0][1]
        flood = [await asyncio.open_connection("127.0.0.1", port) for _ in range(300)]
        await until(lambda: server.sessions == 40)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
        client = Client(reader, writer)
        await client.hello()
        await client.begins()
        await client.send(CONTENT)
        assert (await client.says(b".")).startswith(b"250")
        assert len(intake.messages) == 1
        for _, other in (*flood, (reader, writer)):
            other.close()


async def test_messages_a_minute() -> None:
    async with serving(settings=ServerSettings(messages_per_minute=2)) as (server, intake):
        assert [(await sent(server))[:3] for _ in range(2)] == [b"250", b"250"]
        async with calling(server) as client:
            assert (await client.says(b"MAIL FROM:<a@b.example>")).startswith(b"450 4.7.1")
        assert len(intake.messages) == 2


async def test_five_thousand_recipients() -> None:
    people = [f"p{number}@{OURS}" for number in range(5_000)]
    async with serving() as (server, intake), calling(server) as client:
        await client.says(b"MAIL FROM:<a@b.example>")
        sending = asyncio.create_task(client.send("".join(f"RCPT TO:<{one}>\r\n" for one in people).encode()))
        replies = [(await client.reply())[:9] for _ in people]
        await sending
        assert replies == [b"250 2.1.5"] * 1000 + [b"452 4.5.3"] * 4000
        await client.says(b"DATA")
        await client.send(CONTENT)
        assert (await client.says(b".")).startswith(b"250")
        assert intake.messages[0][0].recipients == tuple(people[:1000])


async def test_an_oversized_mail_is_answered_and_cut() -> None:
    async with serving(receiver=ReceiverSettings(size_limit=10_000)) as (server, intake), calling(server) as client:
        await client.begins()
        ended = asyncio.create_task(client.rest())
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(20):
                while True:
                    await client.send(b"x" * 65_536)
                    await asyncio.sleep(0)
                    if server.sessions == 0:
                        raise ConnectionResetError
        assert (await ended).startswith(b"552 5.3.4")
        assert intake.messages == []
        assert intake.aborted == 1


async def test_a_slow_disk_holds_the_client_back_instead_of_filling_memory() -> None:
    intake = MemoryIntake()
    slow = asyncio.Event()

    class Slow:
        def __init__(self, incoming: object) -> None:
            self.incoming = incoming

        async def write(self, chunk: bytes) -> None:
            await slow.wait()
            await self.incoming.write(chunk)  # type: ignore[attr-defined]

        async def commit(self) -> str:
            return await self.incoming.commit()  # type: ignore[attr-defined, no-any-return]

        async def abort(self) -> None:
            await self.incoming.abort()  # type: ignore[attr-defined]

    begin = intake.begin
    intake.begin = lambda envelope: wrapped(begin(envelope))  # type: ignore[assignment, method-assign, arg-type, return-value]

    async def wrapped(opening: object) -> Slow:
        return Slow(await opening)  # type: ignore[misc]

    async with serving(intake) as (server, _), calling(server) as client:
        await client.begins()
        content = b"\r\n" * (8 << 20 >> 1)
        sending = asyncio.create_task(client.send(content + b".\r\n"))
        [session] = server._sessions
        await until(lambda: session._waiting > 1 << 18)
        await asyncio.sleep(0.1)
        assert session._waiting <= 1 << 19
        slow.set()
        await sending
        assert (await client.reply()).startswith(b"250")
        assert intake.messages[0][1] == content
        assert intake.largest <= 1 << 20


# ------------------------------------------------------------------------------------------------------- stopping


async def test_a_stop_ends_the_idle_and_lets_a_transaction_finish() -> None:
    async with serving() as (server, intake), calling(server) as idle, calling(server) as busy:
        await busy.begins()
        stopping = asyncio.create_task(server.stop(5))
        assert (await idle.rest()).startswith(b"421 4.3.2")
        await busy.send(CONTENT)
        assert (await busy.says(b".")).startswith(b"250")
        assert (await busy.rest()).startswith(b"421 4.3.2")
        await within(stopping)
        assert len(intake.messages) == 1
        with pytest.raises(OSError):
            await asyncio.open_connection(*server.addresses[0] if server.addresses else ("127.0.0.1", 1))


async def test_a_stop_does_not_wait_for_ever() -> None:
    async with serving() as (server, intake), calling(server) as client:
        await client.begins()
        await client.send(b"half")
        await until(lambda: intake.blocks)
        await within(server.stop(0.1))
        assert (await client.rest()).startswith(b"421 4.3.2")
        assert (intake.messages, intake.aborted) == ([], 1)


async def test_a_stop_in_the_middle_of_a_commit_answers_what_became_of_it() -> None:
    intake = MemoryIntake(gate=asyncio.Event())
    async with serving(intake) as (server, _), calling(server) as client:
        await client.begins()
        await client.send(CONTENT + b".\r\n")
        await until(lambda: intake.committing)
        stopping = asyncio.create_task(server.stop(0.05))
        await asyncio.sleep(0.2)
        assert intake.gate is not None
        intake.gate.set()
        replies = await client.rest()
        assert [line[:3] for line in replies.splitlines()] == [b"250", b"421"]
        await within(stopping)
        assert len(intake.messages) == 1


async def test_an_address_that_is_taken() -> None:
    async with serving() as (server, intake):
        other = Server(intake, ReceiverSettings())
        with pytest.raises(OSError):
            await other.start([("127.0.0.1", 0), server.addresses[0]])
        assert other.addresses == []


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_the_main_promises_hold_on_both_loops(loop: str) -> None:
    async def all_of_them() -> None:
        await test_a_client_that_closes_its_half_after_the_dot_is_answered()
        await test_a_250_names_the_receipt_number_of_what_is_kept()
        await test_an_oversized_mail_is_answered_and_cut()
        await test_a_client_that_leaves_before_the_dot_leaves_nothing("reset")
        await test_who_says_nothing_is_sent_away()

    on_loop(all_of_them(), loop)
