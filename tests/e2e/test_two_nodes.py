"""Two nodes as a prefecture runs them: one takes in, one works and delivers; PostgreSQL and an object store between them, sealed at rest."""

from __future__ import annotations

import asyncio
import os
import shutil
import smtplib
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from gateway.storage.s3 import Bucket, Credentials, Place
from tests.build import swift as swift_
from tests.build.postgres import fresh
from tests.build.swift import Swift
from tests.e2e.service import NextHop, Service

pytestmark = pytest.mark.slow

SECRET = "マイナンバー 1234 5678 9012"
ARRIVES_SECONDS = 60.0


@pytest.fixture
async def nodes(tmp_path: Path, next_hop: NextHop, postgres: str, swift: Swift) -> AsyncIterator[tuple[Service, Service]]:
    (tmp_path / "credentials").write_text(f"{swift_.KEY_ID}\n{swift_.SECRET}\n")
    (tmp_path / "master").write_bytes(os.urandom(32))
    stores = {
        "SEKISHO_STORAGE_URL": fresh(postgres),
        "SEKISHO_STORAGE_BLOBS": f"s3://{tmp_path.name.replace('_', '-').lower()}/kasumi",
        "SEKISHO_STORAGE_S3_ENDPOINT": swift.endpoint,
        "SEKISHO_STORAGE_S3_REGION": "ap-northeast-1",
        "SEKISHO_STORAGE_S3_CREDENTIALS": str(tmp_path / "credentials"),
        "SEKISHO_STORAGE_KEY": f"file:{tmp_path / 'master'}",
    }
    outer = Service(tmp_path / "outer", next_hop.port, stores, roles="smtp,admin")
    inner = Service(tmp_path / "inner", next_hop.port, stores, roles="worker,deliver,admin")
    await asyncio.to_thread(outer.start, 90)
    inner.folder.mkdir()
    for name in ("receipt.key", "receipt.pub", "secrets.key"):      # what the nodes of one installation share
        if (outer.folder / name).exists():
            shutil.copy(outer.folder / name, inner.folder / name)
    yield outer, inner
    for node in (outer, inner):
        if node.process is not None and node.process.poll() is None:
            node.kill()


def send(node: Service, number: int) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "sender@partner.example", "kakari@town.example.jp", f"No. {number}"
    message["Message-ID"] = f"<{number}@partner.example>"
    message.set_content(SECRET)
    with smtplib.SMTP("127.0.0.1", node.smtp, timeout=30) as client:
        client.send_message(message)


async def test_one_takes_in_and_another_delivers(nodes: tuple[Service, Service], next_hop: NextHop, tmp_path: Path, swift: Swift) -> None:
    outer, inner = nodes
    for number in range(3):
        await asyncio.to_thread(send, outer, number)
    outer.kill()        # what it has taken in is the others' as well
    await asyncio.to_thread(inner.start, 90)
    async with asyncio.timeout(ARRIVES_SECONDS):
        while len(next_hop.counts()) < 3:
            await asyncio.sleep(0.1)
    assert set(next_hop.counts().values()) == {1}
    assert SECRET in str(next_hop.messages[0].get_body(("plain",)).get_content())   # type: ignore[union-attr]
    # Woken by the other node, not by the clock.
    await asyncio.to_thread(outer.start, 90)
    await asyncio.to_thread(send, outer, 9)
    async with asyncio.timeout(ARRIVES_SECONDS):
        while len(next_hop.counts()) < 4:
            await asyncio.sleep(0.1)
    rows = await asyncio.to_thread(inner.transfers)
    assert {row["state"] for row in rows} == {"delivered"}
    assert await asyncio.to_thread(inner.stop, 60) == 0
    assert not list((inner.folder / "blobs").rglob("*")) and not list((outer.folder / "blobs").rglob("*")), "nothing lies on a node"
    kept = await everything(swift, inner.environment["SEKISHO_STORAGE_BLOBS"].split("/")[2])
    assert len(kept) >= 8, "originals and results"
    assert not any(word in content for content in kept for word in (SECRET.encode(), b"Content-Type:", b"partner.example"))
    assert (await asyncio.to_thread(inner.command, "audit", "verify")).returncode == 0


async def everything(swift: Swift, bucket: str) -> list[bytes]:
    """All that lies below the prefix of this installation."""
    place = Place(swift.endpoint, bucket, "ap-northeast-1", "kasumi/")
    opened = Bucket(place, Credentials(swift_.KEY_ID, swift_.SECRET))
    await opened.start()
    try:
        return [b"".join([block async for block in opened.get(listed.key)]) async for listed in opened.listed()]
    finally:
        await opened.stop()
