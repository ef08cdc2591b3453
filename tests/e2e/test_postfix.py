"""Sekisho before, behind and between real Postfix, configured with the files of deploy/postfix."""

from __future__ import annotations

import asyncio
import email.policy
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiosmtplib
import pytest

from deploy.demo import samples
from tests.build.launcher import Launcher
from tests.build.ports import free_port
from tests.e2e.postfix import Postfix, given, needs_postfix
from tests.e2e.service import NextHop, Service
from tests.e2e.test_mail import arrived

pytestmark = needs_postfix

TO = "clerk@town.example.jp"


@pytest.fixture
def opened() -> Iterator[list[Postfix | Service]]:
    running: list[Postfix | Service] = []
    yield running
    for one in reversed(running):
        if isinstance(one, Postfix):
            one.stop()
        elif one.process is not None and one.process.poll() is None:
            one.kill()


async def send(port: int, recipient: str = TO) -> str:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        _, reply = await client.sendmail("taro@partner.example", [recipient], samples.mail().as_bytes(policy=email.policy.SMTP))
    return reply


def sekisho(tmp_path: Path, next_hop: int, launcher: Launcher) -> Service:
    return Service(tmp_path / "var", next_hop, {"SEKISHO_SMTP_TRUSTED_HOPS": "127.0.0.1"}, launcher=launcher)


def check_clean(next_hop: NextHop) -> None:
    [message] = next_hop.messages
    assert [part.get_filename() for part in message.iter_attachments()] == ["様式1.docx", "見積書.pdf", "現場写真.jpg", "資料一式.zip"]
    assert message["X-Sekisho-Result"] is not None


async def test_as_the_content_filter_of_one_postfix(tmp_path: Path, next_hop: NextHop, opened: list[Postfix | Service], launcher: Launcher) -> None:
    back, service_port = free_port(), free_port()
    inside = f"relay_domains = town.example.jp\nrelay_transport = smtp:[127.0.0.1]:{next_hop.port}\n"
    ports = {"p2525": service_port, "p10025": back}
    postfix = Postfix(given("content_filter.main.cf", **ports) + inside, given("content_filter.master.cf", **ports))
    service = sekisho(tmp_path, back, launcher)
    service.smtp = service_port
    opened += [postfix, service]
    await asyncio.to_thread(service.start)
    await asyncio.to_thread(postfix.start)
    await send(postfix.port)
    await arrived(next_hop, 1)
    check_clean(next_hop)
    [row] = await asyncio.to_thread(service.transfers)
    assert (row["state"], row["sender"], row["recipients"]) == ("delivered", "taro@partner.example", [TO])
    await asyncio.sleep(0.3)
    assert postfix.queued() == 0, postfix.log()


async def test_behind_a_relaying_postfix_that_waits_while_we_are_down(
    tmp_path: Path, next_hop: NextHop, opened: list[Postfix | Service], launcher: Launcher
) -> None:
    service = sekisho(tmp_path, next_hop.port, launcher)
    front = Postfix(given("relay.main.cf", p2525=service.smtp))
    opened += [front, service]
    await asyncio.to_thread(front.start)
    await send(front.port)
    await asyncio.sleep(1)
    assert front.queued() == 1, "nobody took it, so it is still there"
    await asyncio.to_thread(service.start)
    await arrived(next_hop, 1)
    check_clean(next_hop)
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await send(front.port, "someone@elsewhere.example")


async def test_before_a_postfix_that_refuses_for_a_while(tmp_path: Path, next_hop: NextHop, opened: list[Postfix | Service], launcher: Launcher) -> None:
    inner = Postfix(f"relay_domains = town.example.jp\nrelay_transport = smtp:[127.0.0.1]:{next_hop.port}\n")
    service = sekisho(tmp_path, inner.port, launcher)
    opened += [inner, service]
    await asyncio.to_thread(service.start)
    await send(service.smtp)
    await asyncio.sleep(1)      # nobody listens at the next hop yet
    await asyncio.to_thread(inner.start)
    await arrived(next_hop, 1)
    check_clean(next_hop)


@pytest.mark.slow
async def test_a_hundred_mails_of_smtp_source_all_arrive(tmp_path: Path, next_hop: NextHop, opened: list[Postfix | Service], launcher: Launcher) -> None:
    service = sekisho(tmp_path, next_hop.port, launcher)
    front = Postfix(given("relay.main.cf", p2525=service.smtp))
    opened += [front, service]
    await asyncio.to_thread(service.start)
    await asyncio.to_thread(front.start)
    load = ["smtp-source", "-s", "10", "-m", "100", "-l", "5120", "-f", "taro@partner.example", "-t", TO, f"127.0.0.1:{front.port}"]
    done = await asyncio.to_thread(subprocess.run, load, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    await arrived(next_hop, 100)
    rows = await asyncio.to_thread(service.transfers)
    assert len({row["receipt_no"] for row in rows}) == 100
    await asyncio.sleep(0.5)
    assert len(next_hop.messages) == 100
