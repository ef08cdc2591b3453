"""One poisoned mail through the whole running service: in by SMTP, out at the next hop."""

from __future__ import annotations

import asyncio
import email.policy
import shutil
import smtplib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.demo import samples
from tests.e2e.service import NextHop, Service


@pytest.fixture
async def service(tmp_path: Path, next_hop: NextHop) -> AsyncIterator[Service]:
    """Started as an installation starts it, from nothing."""
    running = Service(tmp_path / "var", next_hop.port)
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.kill()


async def arrived(next_hop: NextHop, count: int, seconds: float = 60.0) -> None:
    for _ in range(int(seconds / 0.1)):
        if len(next_hop.messages) >= count:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{len(next_hop.messages)} of {count} messages arrived")


def send(service: Service, **envelope: object) -> str:
    """Returns the reply to DATA."""
    with smtplib.SMTP("127.0.0.1", service.smtp, timeout=30) as client:
        client.ehlo("client.example")
        client.mail(str(envelope.get("sender", "taro@partner.example")))
        client.rcpt(str(envelope.get("recipient", "clerk@town.example.jp")))
        return client.data(samples.mail().as_bytes(policy=email.policy.SMTP))[1].decode()


async def test_the_sample_mail_comes_out_clean(service: Service, next_hop: NextHop) -> None:
    reply = await asyncio.to_thread(send, service)
    await arrived(next_hop, 1)
    [message] = next_hop.messages
    names = [part.get_filename() for part in message.iter_attachments()]
    assert names == ["様式1.docx", "見積書.pdf", "現場写真.jpg", "資料一式.zip"]
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "㈱山田工務店" in text
    assert "https://192.0.2.1" not in text
    receipt_no = reply.rpartition(" ")[2]
    assert receipt_no in text
    assert receipt_no in str(message["X-Sekisho-Result"])
    content = b"".join(part.get_payload(decode=True) or b"" for part in message.walk() if not part.is_multipart())
    for trace in (samples.PROGRAM, b"vbaProject", b"/JavaScript", b"Sample Camera"):
        assert trace not in content
    [row] = await asyncio.to_thread(service.transfers)
    assert (row["receipt_no"], row["door"], row["state"], row["verdict"]) == (receipt_no, "smtp", "delivered", "sanitized")
    assert row["message_id"] == "<sample-1@partner.example>"


async def test_a_stop_drains_and_ends_with_zero(service: Service, next_hop: NextHop) -> None:
    for _ in range(3):
        await asyncio.to_thread(send, service)
    assert await asyncio.to_thread(service.stop) == 0
    await asyncio.to_thread(service.start)
    await arrived(next_hop, 3)


async def test_mail_waits_for_a_next_hop_that_is_down(service: Service, next_hop: NextHop) -> None:
    next_hop.refuse = "451 4.3.0 not now"
    await asyncio.to_thread(send, service)
    await asyncio.sleep(2)
    assert next_hop.messages == []
    next_hop.refuse = ""
    await arrived(next_hop, 1)


async def test_a_dead_parent_in_mid_flight_loses_nothing(service: Service, next_hop: NextHop) -> None:
    import psutil

    sending = asyncio.gather(*(asyncio.to_thread(send, service) for _ in range(6)))
    await asyncio.sleep(0.3)
    assert service.process is not None
    for child in psutil.Process(service.process.pid).children():
        child.kill()
    await sending
    await arrived(next_hop, 6)


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
async def test_the_disk_has_it_before_the_client_is_told(service: Service, next_hop: NextHop, tmp_path: Path) -> None:
    """The system calls of the service in their order: body flushed, journal flushed, only then `250`."""
    trace = tmp_path / "trace"
    assert service.process is not None
    calls = "fsync,fdatasync,sendto,write,writev,sendmsg"
    words = ["strace", "-f", "-qq", "-yy", "-s", "64", "-e", f"trace={calls}", "-o", str(trace), "-p", str(service.process.pid)]
    tracer = await asyncio.create_subprocess_exec(*words)
    await asyncio.sleep(1)
    await asyncio.to_thread(send, service)
    await arrived(next_hop, 1)
    tracer.terminate()
    await tracer.wait()
    lines = trace.read_text("utf-8", "replace").splitlines()
    told = next(number for number, line in enumerate(lines) if '"250 2.0.0 Ok: queued as' in line)
    before = "\n".join(line for line in lines[:told] if "sync(" in line or "sync resumed" in line)
    assert "/blobs/" in before, "the body"
    assert "sekisho.db-wal" in before, "the row"


async def test_a_sender_of_too_much_is_stopped_and_everybody_else_goes_on(tmp_path: Path, next_hop: NextHop) -> None:
    him, her = "taro@partner.example", "hanako@partner.example"
    service = Service(tmp_path / "var", next_hop.port, {"SEKISHO_SMTP_SENDER_MAILS_PER_HOUR": "2", "SEKISHO_NOTICES_AT_ONCE": "false"})
    await asyncio.to_thread(service.start)

    async def held() -> dict[str, str]:
        """Receipt number → sender, once nothing is at work any more."""
        for _ in range(600):
            rows = await asyncio.to_thread(service.transfers)
            if all(row["state"] in ("held", "delivered") for row in rows):
                return {str(row["receipt_no"]): str(row["sender"]) for row in rows if row["state"] == "held"}
            await asyncio.sleep(0.1)
        raise AssertionError(rows)

    try:
        for count in (1, 2):
            await asyncio.to_thread(send, service, sender=him)
            await arrived(next_hop, count)
        assert "Ok" in await asyncio.to_thread(send, service, sender=him), "taken in all the same"
        await asyncio.to_thread(send, service, sender=her)
        await arrived(next_hop, 4)
        (number,) = await held()
        letters = [message for message, to in zip(next_hop.messages, next_hop.recipients, strict=True) if to == ["postmaster@town.example.jp"]]
        assert [him in letter.get_content() for letter in letters] == [True]
        for words in (("emergency", "resume", "--sender", him), ("transfer", "release", number)):
            done = await asyncio.to_thread(service.command, *words)
            assert done.returncode == 0, done.stderr
        await arrived(next_hop, 5)
        stopped = await asyncio.to_thread(service.command, "emergency", "stop", "--sender", her, "--reason", "調査")
        assert f"{her}: 調査" in stopped.stdout
        for sender in (her, him):
            await asyncio.to_thread(send, service, sender=sender)
        await arrived(next_hop, 6)
        assert list((await held()).values()) == [her]
        assert len(next_hop.messages) == 6
    finally:
        await asyncio.to_thread(service.kill)
