"""STARTTLS on a real socket, and hops that speak for others: XFORWARD, the PROXY protocol."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from pathlib import Path

import pytest

from mail.pace import Times
from mail.receiver import ReceiverSettings
from mail.server import Server, ServerSettings
from tests.build.smtp import CONTENT, OURS, MemoryIntake, calling, certificate, on_loop, serving, until

SHORT = Times(idle_seconds=0.2, data_seconds=5.0, least_rate=1000.0, rate_grace_seconds=0.2, reply_seconds=0.3, linger_seconds=0.2)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_starttls(tmp_path: Path, loop: str) -> None:
    tls, trusting = certificate(tmp_path)

    def post(port: int) -> None:
        with smtplib.SMTP("localhost", port, timeout=10) as client:
            client.starttls(context=trusting)
            client.ehlo()
            assert not client.has_extn("starttls")
            assert client.sendmail("a@b.example", f"x@{OURS}", CONTENT * 20_000) == {}
            client.sendmail("a@b.example", f"x@{OURS}", CONTENT)

    async def both() -> None:
        async with serving(tls=tls) as (server, intake):
            await asyncio.to_thread(post, server.addresses[0][1])
            assert [(envelope.tls, len(content)) for envelope, content in intake.messages] == [
                (True, 20_000 * len(CONTENT)), (True, len(CONTENT)),
            ]  # fmt: skip

    on_loop(both(), loop)


async def test_plain_commands_do_not_survive_starttls(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path)
    async with serving(tls=tls) as (server, intake), calling(server) as client:
        await client.send(b"STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n")
        assert (await client.rest()).startswith(b"554")
        assert intake.begun == 0


async def test_a_handshake_that_fails_ends_the_session(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path)
    async with serving(tls=tls, settings=ServerSettings(times=SHORT)) as (server, _), calling(server) as client:
        assert (await client.says(b"STARTTLS")).startswith(b"220")
        await client.send(b"this is no handshake\r\n\r\n")
        await client.rest()
        await until(lambda: not server.sessions)


async def test_an_untrusting_client_goes_away(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path)
    async with serving(tls=tls) as (server, intake), calling(server) as client:
        await client.says(b"STARTTLS")
        with pytest.raises(ssl.SSLError):
            await client.writer.start_tls(ssl.create_default_context(), server_hostname="localhost")
        client.close()
        await until(lambda: not server.sessions)
        assert intake.begun == 0


async def test_xforward_from_a_trusted_hop_only() -> None:
    async with serving(settings=ServerSettings(trusted_hops=["127.0.0.0/8"])) as (server, intake), calling(server) as client:
        assert (await client.says(b"XFORWARD ADDR=198.51.100.7 NAME=mail.x.example")).startswith(b"250")
        await client.begins()
        await client.send(CONTENT)
        assert (await client.says(b".")).startswith(b"250")
        assert (intake.messages[0][0].client_ip, intake.messages[0][0].client_name) == ("198.51.100.7", "mail.x.example")
    async with serving() as (server, _), calling(server) as client:
        assert (await client.says(b"XFORWARD ADDR=198.51.100.7")).startswith(b"502")


@pytest.mark.parametrize("at", [1, 5, 40, 200])
async def test_the_proxy_protocol(at: int) -> None:
    settings = ServerSettings(trusted_hops=["127.0.0.1"], proxy_protocol=True)
    async with serving(settings=settings) as (server, intake), calling(server, hello=False) as client:
        octets = b"PROXY TCP4 198.51.100.7 192.0.2.1 4000 25\r\n"
        await client.send(octets[:at])
        await asyncio.sleep(0.01)
        await client.send(octets[at:])
        await client.hello()
        await client.begins()
        await client.send(CONTENT)
        assert (await client.says(b".")).startswith(b"250")
        assert intake.messages[0][0].client_ip == "198.51.100.7"
        client.close()
        await until(lambda: not server.sessions)


async def test_without_the_header_a_trusted_hop_is_not_served() -> None:
    settings = ServerSettings(trusted_hops=["127.0.0.1"], proxy_protocol=True, times=SHORT)
    async with serving(settings=settings) as (server, _), calling(server, hello=False) as client:
        await client.send(b"EHLO c\r\n")
        assert await client.rest() == b""


def test_a_bad_trusted_hop_is_no_setting() -> None:
    with pytest.raises(ValueError):
        Server(MemoryIntake(), ReceiverSettings(), ServerSettings(trusted_hops=["mail.example"]))
