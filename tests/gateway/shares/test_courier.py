"""From the journal to the share: once, after its receipt was proven, again as long as the share does not answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.model import Door, State
from gateway.policy import Policy
from gateway.receipts import verify
from gateway.road.pipeline import Pipeline
from gateway.shares.courier import Courier
from gateway.shares.document import Share, Smb
from gateway.shares.smb import SmbFolder
from gateway.storage.deliveries import SHARES
from gateway.storage.halts import Halt
from gateway.storage.journal import Journal
from mail.retry import Schedule
from sanitizers.model import Job, Report
from tests.build.samba import PASSWORD, SMBD, samba
from tests.build.sftp import sftp
from tests.build.transfer import BODY, NOW, RESULT, FakeWorkers, MemoryBlobs, arrival, claimed, report, signer


def clean(job: Job, source: bytes) -> Report:
    return report(source=source, output=RESULT, policy=job.policy)


class Road:
    """A journal, a pipeline with stand-ins, and one share `zeimu`."""

    def __init__(self, journal: Journal, folder: Path) -> None:
        self.journal, self.folder, self.now = journal, folder, NOW
        self.blobs, self.signer = MemoryBlobs(), signer()
        self.pipeline = Pipeline(journal, self.blobs, FakeWorkers(clean), Policy(), self.signer, clock=lambda: self.now)
        self.courier = self.courier_to(Share(name="zeimu", title="税務課", folder=folder))
        self.running: asyncio.Task[None] | None = None

    def courier_to(self, *shares: Share, key: bytes = b"") -> Courier:
        schedule = Schedule((60.0,), 600.0)
        known = {share.name: share for share in shares}
        return Courier(
            self.journal, self.blobs, known, schedule=schedule, public_key=key or self.signer.public_key, clock=lambda: self.now, chance=float
        )

    async def bring(self, *to: str, name: str = "message.eml") -> int:
        await self.blobs.put(BODY)
        came = arrival(door=Door.DROP, sender="tanaka", recipients=("tanaka", *to), name=name)
        transfer_id, _ = await self.journal.accept(came)
        await self.pipeline.process(claimed(await self.journal.claim(1, at=self.now, lease_until=self.now + 60)))
        return transfer_id

    async def state(self, transfer_id: int) -> State:
        return (await self.journal.transfer(transfer_id)).state

    async def until(self, transfer_id: int, state: State) -> None:
        """The courier at work until the transfer stands there."""
        running = asyncio.create_task(self.courier.run())
        try:
            async with asyncio.timeout(30):
                while await self.state(transfer_id) is not state:
                    assert not running.done()
                    await asyncio.sleep(0.01)
        finally:
            self.courier.drain()
            await running


@pytest.fixture
async def road(tmp_path: Path) -> AsyncIterator[Road]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    (tmp_path / "zeimu").mkdir()
    yield Road(journal, tmp_path / "zeimu")
    await journal.stop()


async def test_a_file_comes_to_its_share_with_its_receipt(road: Road) -> None:
    number = await road.bring("share:zeimu")
    await road.until(number, State.DELIVERED)
    (name, receipt) = sorted(path.name for path in road.folder.iterdir())
    assert (road.folder / name).read_bytes() == RESULT
    assert receipt == f"{name}.receipt.json"
    transfer = await road.journal.transfer(number)
    assert transfer.result is not None
    assert verify(transfer.result.sha256, (road.folder / receipt).read_bytes(), road.signer.public_key).receipt_no == transfer.receipt_no
    ((delivery,), *_) = [await road.journal.deliveries(number)]
    assert [(one.address, one.text) for one in delivery.recipients] == [("share:zeimu", name)]


async def test_a_file_without_a_share_waits_in_its_box(road: Road) -> None:
    number = await road.bring()
    assert await road.state(number) is State.RELEASED
    assert await road.journal.deliveries(number) == []


async def test_the_post_and_the_courier_each_take_their_own(road: Road) -> None:
    await road.bring("share:zeimu")
    assert await road.journal.claim_deliveries(10, at=NOW, lease_until=NOW + 60) == []
    assert await road.journal.next_due() is None
    assert await road.journal.next_due(way=SHARES) == NOW


async def test_a_share_that_is_away_is_asked_again_and_then_given_up(road: Road) -> None:
    road.folder.rmdir()
    number = await road.bring("share:zeimu")
    await road.until(number, State.DEFERRED)
    (delivery,) = await road.journal.deliveries(number)
    assert delivery.recipients[0].due == NOW + 60
    road.now += 700
    road.courier = road.courier_to(Share(name="zeimu", title="", folder=road.folder))
    await road.until(number, State.UNDELIVERABLE)
    road.folder.mkdir()
    await road.journal.retry(number, at=road.now, actor="tanaka")
    road.courier = road.courier_to(Share(name="zeimu", title="", folder=road.folder))
    await road.until(number, State.DELIVERED)


async def test_a_share_that_nobody_knows_waits(road: Road) -> None:
    number = await road.bring("share:zeimu")
    road.courier = road.courier_to()
    await road.until(number, State.DEFERRED)


async def test_without_a_receipt_that_verifies_nothing_is_put_anywhere(road: Road) -> None:
    number = await road.bring("share:zeimu")
    foreign = signer().public_key
    road.courier = road.courier_to(Share(name="zeimu", title="", folder=road.folder), key=foreign)
    await road.until(number, State.DEFERRED)
    assert list(road.folder.iterdir()) == []


async def test_a_blob_that_is_not_what_it_was_is_not_put_anywhere(road: Road) -> None:
    number = await road.bring("share:zeimu")
    result = (await road.journal.transfer(number)).result
    assert result is not None
    road.blobs.kept[result.sha256] = b"damaged"
    await road.until(number, State.DEFERRED)
    assert list(road.folder.iterdir()) == []


async def test_nothing_leaves_while_delivery_is_stopped(road: Road) -> None:
    number = await road.bring("share:zeimu")
    await road.journal.halt(Halt.DELIVERY, at=NOW, actor="x", reason="y")
    assert await road.journal.claim_deliveries(10, at=NOW, lease_until=NOW + 60, way=SHARES) == []
    assert await road.state(number) is State.RELEASED


async def test_two_shares_are_two_outcomes(road: Road, tmp_path: Path) -> None:
    number = await road.bring("share:zeimu", "share:soumu")
    road.courier = road.courier_to(
        Share(name="zeimu", title="", folder=road.folder), Share(name="soumu", title="", folder=tmp_path / "away")
    )
    await road.until(number, State.DEFERRED)
    (delivery,) = await road.journal.deliveries(number)
    assert {one.address: str(one.state) for one in delivery.recipients} == {"share:zeimu": "delivered", "share:soumu": "waiting"}


@pytest.mark.skipif(SMBD is None, reason="Samba is not here")
async def test_a_real_samba_takes_it_and_says_no_to_a_wrong_password(road: Road, tmp_path: Path) -> None:
    with samba(tmp_path / "samba") as server:
        place = Smb(server="127.0.0.1", share="town", folder="取込み", user=server.user, password=PASSWORD, port=server.port)
        (server.folder / "取込み").mkdir()
        (server.folder / "取込み" / "message.eml").write_bytes(b"of somebody else")
        number = await road.bring("share:zeimu")
        wrong = Smb(server="127.0.0.1", share="town", folder="", user=server.user, password="another", port=server.port)
        road.courier = road.courier_to(Share(name="zeimu", title="", smb=wrong))
        await road.until(number, State.DEFERRED)
        road.now += 100
        road.courier = road.courier_to(Share(name="zeimu", title="", smb=place))
        await road.until(number, State.DELIVERED)
        there = {path.name: path.read_bytes() for path in (server.folder / "取込み").iterdir()}
        assert there["message.eml"] == b"of somebody else"
        assert there["message (2).eml"] == RESULT
        assert set(there) == {"message.eml", "message (2).eml", "message (2).eml.receipt.json"}


async def test_a_real_sftp_server_takes_it_and_says_no_to_a_wrong_password(road: Road, tmp_path: Path) -> None:
    with sftp(tmp_path / "sftp") as server:
        (server.folder / "取込み" / "message.eml").write_bytes(b"of somebody else")
        number = await road.bring("share:zeimu")
        road.courier = road.courier_to(Share(name="zeimu", title="", sftp=server.place(password="another")))
        await road.until(number, State.DEFERRED)
        road.now += 100
        road.courier = road.courier_to(Share(name="zeimu", title="", sftp=server.place()))
        await road.until(number, State.DELIVERED)
        there = {path.name: path.read_bytes() for path in (server.folder / "取込み").iterdir()}
        assert there["message.eml"] == b"of somebody else"
        assert there["message (2).eml"] == RESULT
        assert set(there) == {"message.eml", "message (2).eml", "message (2).eml.receipt.json"}


@pytest.mark.skipif(SMBD is None, reason="Samba is not here")
def test_what_a_samba_refuses_is_an_oserror_and_never_a_missing_file(tmp_path: Path) -> None:
    with samba(tmp_path / "samba") as server:
        place = Smb(server="127.0.0.1", share="town", folder="", user=server.user, password=PASSWORD, port=server.port)
        with SmbFolder(place) as folder:
            folder.write("a.txt", [b"a"])
            folder.write("b.txt", [b"b"])
            with pytest.raises(FileExistsError):
                folder.rename("a.txt", "b.txt")
            for refused in ("a?b.txt", "a<b.txt"):
                for call in (folder.size, folder.remove):
                    with pytest.raises(OSError, match=refused[1] if refused[1] != "?" else r"\?"):
                        call(refused)
            folder.remove("none.txt")
            assert folder.size("none.txt") is None
        assert {path.name: path.read_bytes() for path in server.folder.iterdir()} == {"a.txt": b"a", "b.txt": b"b"}


def opened() -> list[str]:
    """What the descriptors of this process are."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return found


async def test_a_delivery_that_is_given_up_before_it_began_leaves_nothing_open(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread a share: the second waits for the first, which hangs."""
    first, over = threading.Event(), threading.Event()

    def hangs(*_: object) -> str:
        first.set()
        over.wait(20)
        return "late"

    monkeypatch.setattr("gateway.shares.courier._PUT_SECONDS", 0.2)
    road.courier._threads["zeimu"].submit(hangs)
    await asyncio.to_thread(first.wait, 10)
    number = await road.bring("share:zeimu")
    await road.until(number, State.DEFERRED)
    over.set()
    assert not [name for name in opened() if name.startswith("/memfd:blob")]
    assert list(road.folder.iterdir()) == []


async def test_a_share_may_do_without_receipts(road: Road) -> None:
    road.courier = road.courier_to(Share(name="zeimu", title="税務課", folder=road.folder, receipt=False))
    number = await road.bring("share:zeimu")
    await road.until(number, State.DELIVERED)
    assert [path.name for path in road.folder.iterdir()] == ["message.eml"]


async def test_a_receipt_that_is_there_already_is_left(road: Road) -> None:
    """The courier came before and its word was lost."""
    number = await road.bring("share:zeimu")
    (road.folder / "message.eml").write_bytes(RESULT)
    (road.folder / "message.eml.receipt.json").write_bytes(b"{}")
    await road.until(number, State.DELIVERED)
    assert (road.folder / "message.eml.receipt.json").read_bytes() == b"{}"
