"""An upload that is cut goes on where it was, also after a restart; nothing of it is a transfer before its last byte."""

from __future__ import annotations

import asyncio
import base64
import errno
import logging
import os
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientError

from gateway.storage.faults import StorageError, StorageFullError
from gateway.storage.unfinished import Begun, NoSuchUploadError, Unfinished, WrongOffsetError
from tests.build.face import MOST, Town, client
from tests.build.transfer import NOW, FaultyDisk, digest

UP = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = {"Content-Type": "application/offset+octet-stream"}


def named(name: str, length: int) -> dict[str, str]:
    return TUS | {"Upload-Length": str(length), "Upload-Metadata": "filename " + base64.b64encode(name.encode()).decode() + ",x eA=="}


async def test_cut_in_the_middle_and_resumed(place: Town) -> None:
    tanaka, content = await place.token("tanaka"), os.urandom(700_000)
    async with client(place.faces["drop"]) as browser:
        begun = await browser.post(UP, headers=tanaka | named("図面一式.zip", len(content)))
        assert begun.status == 201
        where = begun.headers["Location"]
        first = await browser.patch(where, data=content[:420_000], headers=tanaka | TUS | OCTETS | {"Upload-Offset": "0"})
        assert (first.status, first.headers["Upload-Offset"]) == (204, "420000")
        assert await place.journal.transfers() == [], "not whole, so no transfer"
    async with client(place.faces["drop"]) as browser:      # another connection, as after a restart
        told = await browser.head(where, headers=tanaka | TUS)
        assert (told.headers["Upload-Offset"], told.headers["Upload-Length"]) == ("420000", "700000")
        wrong = await browser.patch(where, data=content[400_000:], headers=tanaka | TUS | OCTETS | {"Upload-Offset": "400000"})
        assert wrong.status == 409
        last = await browser.patch(where, data=content[420_000:], headers=tanaka | TUS | OCTETS | {"Upload-Offset": "420000"})
        receipt_no = last.headers["Sekisho-Receipt-No"]
        lost = await browser.head(where, headers=tanaka | TUS)
        assert (lost.headers["Upload-Offset"], lost.headers["Sekisho-Receipt-No"]) == ("700000", receipt_no), "the answer may be lost"
        again = await browser.patch(where, data=b"", headers=tanaka | TUS | OCTETS | {"Upload-Offset": "700000"})
        assert (again.status, again.headers["Sekisho-Receipt-No"]) == (204, receipt_no)
        for data, offset in ((b"more", "700000"), (b"x", "0"), (b"", "0")):
            answer = await browser.patch(where, data=data, headers=tanaka | TUS | OCTETS | {"Upload-Offset": offset})
            assert (answer.status, answer.headers.get("Sekisho-Receipt-No")) in ((409, None), (204, receipt_no)), "nothing is added"
    [transfer] = await place.journal.transfers()
    assert (transfer.receipt_no, transfer.name, transfer.sha256, transfer.sender) == (receipt_no, "図面一式.zip", digest(content), "tanaka")
    assert await place.blobs.read(transfer.sha256) == content
    store = Unfinished(place.folder / "uploads")
    assert [path.suffix for path in (place.folder / "uploads").iterdir()] == [".json"], "its bytes are kept once"
    assert (store.of("tanaka"), store.sweep(NOW + 1)) == (0, 1)
    assert list((place.folder / "uploads").iterdir()) == []


async def test_a_dead_line_keeps_nobody_waiting(place: Town) -> None:
    """The cable is pulled: the first line stays open for ever, silent. Whoever asks for the offset gets it, and may go on."""
    tanaka, content = await place.token("tanaka"), os.urandom(300_000)
    silent = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield content[:150_000]
        await silent.wait()

    async with client(place.faces["drop"]) as browser, client(place.faces["drop"]) as other:
        where = (await browser.post(UP, headers=tanaka | named("a.txt", len(content)))).headers["Location"]
        headers = tanaka | TUS | OCTETS | {"Upload-Offset": "0", "Content-Length": str(len(content))}
        first = asyncio.create_task(browser.request("PATCH", where, data=half(), headers=headers))
        async with asyncio.timeout(20):
            offset = 0
            while not first.done():
                offset = int((await other.head(where, headers=tanaka | TUS)).headers["Upload-Offset"])
                await asyncio.sleep(0.01)
            with pytest.raises(ClientError):
                await first
            rest = await other.patch(where, data=content[offset:], headers=tanaka | TUS | OCTETS | {"Upload-Offset": str(offset)})
        assert rest.headers["Sekisho-Receipt-No"]
    [transfer] = await place.journal.transfers()
    assert transfer.sha256 == digest(content)


async def test_what_is_refused(place: Town) -> None:
    tanaka = await place.token("tanaka")
    async with client(place.faces["drop"]) as browser:
        for headers, status in (
            (TUS, 400), (named("a", MOST + 1), 413), (named("a", 1) | {"Tus-Resumable": "0.2"}, 412),
            (named("a", 1) | {"Upload-Length": "-1"}, 400), (named("a", 1) | {"Upload-Metadata": "filename !"}, 400),
            (named("a", 1) | {"Upload-Metadata": "filename 署名"}, 400),
        ):  # fmt: skip
            assert (await browser.post(UP, headers=tanaka | headers)).status == status
        where = (await browser.post(UP, headers=tanaka | named("a", 3))).headers["Location"]
        for data, headers, status in (
            (b"abc", TUS | {"Upload-Offset": "0"} | {"Content-Type": "text/plain"}, 415), (b"abc", TUS | OCTETS, 400),
            (b"abcd", TUS | OCTETS | {"Upload-Offset": "0"}, 409), (b"abc", OCTETS | {"Upload-Offset": "0"}, 412),
        ):  # fmt: skip
            assert (await browser.patch(where, data=data, headers=tanaka | headers)).status == status
        suzuki = await place.token("suzuki")
        assert (await browser.head(where, headers=suzuki | TUS)).status == 404, "another's upload is unknown"
        assert (await browser.delete(where, headers=suzuki | TUS)).status == 404
        assert (await browser.head(f"{UP}/..%2f..%2fsekisho", headers=tanaka | TUS)).status == 404
        assert (await browser.delete(where, headers=tanaka | TUS)).status == 204
        assert (await browser.head(where, headers=tanaka | TUS)).status == 404
        for _ in range(50):
            assert (await browser.post(UP, headers=tanaka | named("a", 3))).status == 201
        assert (await browser.post(UP, headers=tanaka | named("a", 3))).status == 409
    assert await place.journal.transfers() == []


async def test_an_empty_file_is_whole_at_once(place: Town) -> None:
    tanaka = await place.token("tanaka")
    async with client(place.faces["drop"]) as browser:
        answer = await browser.post(UP, headers=tanaka | named("empty.txt", 0))
        assert answer.status == 201
    assert [transfer.receipt_no for transfer in await place.journal.transfers()] == [answer.headers["Sekisho-Receipt-No"]]


def test_unfinished_uploads_end_after_their_time(place: Town) -> None:
    store = Unfinished(place.folder / "uploads")
    old, young = (store.begin(Begun(owner="tanaka", name="a", length=3, at=at)) for at in (NOW - 10, NOW))
    assert store.sweep(NOW - 5) == 1
    with pytest.raises(NoSuchUploadError):
        store.about(old)
    assert store.append(young, 0, b"ab") == 2
    with pytest.raises(WrongOffsetError):
        store.append(young, 2, b"too much")


@pytest.mark.parametrize(("step", "error"), [("create", errno.EACCES), ("write", errno.ENOSPC), ("flush", errno.EIO)])
def test_trouble_with_the_disk_is_told(place: Town, step: str, error: int) -> None:
    with pytest.raises(StorageError):
        Unfinished(place.folder / "uploads", disk=FaultyDisk(step, error)).begin(Begun(owner="t", name="a", length=1, at=NOW))


def test_no_room_is_no_upload(place: Town) -> None:
    with pytest.raises(StorageFullError):
        Unfinished(place.folder / "uploads", reserve=1 << 60).begin(Begun(owner="t", name="a", length=1, at=NOW))


async def test_a_place_that_there_is_not_begins_no_upload(place: Town) -> None:
    tanaka = await place.token("tanaka")
    to = ",to " + base64.b64encode(b"share:none").decode()
    async with client(place.faces["drop"]) as browser:
        given = named("a.txt", 5)
        answer = await browser.post(UP, headers=tanaka | given | {"Upload-Metadata": given["Upload-Metadata"] + to})
        assert answer.status == 422


async def test_an_upload_that_cannot_be_put_away_is_a_transfer_all_the_same(
    place: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise StorageFullError("full")

    tanaka = await place.token("tanaka")
    monkeypatch.setattr(Unfinished, "become", full)
    async with client(place.faces["drop"]) as browser:
        begun = await browser.post(UP, headers=tanaka | named("a.txt", 5))
        with caplog.at_level(logging.ERROR):
            last = await browser.patch(begun.headers["Location"], data=b"hello", headers=tanaka | TUS | OCTETS | {"Upload-Offset": "0"})
        assert last.status == 204
    assert [one.receipt_no for one in await place.journal.transfers()] == [last.headers["Sekisho-Receipt-No"]]
    assert "an upload that is a transfer cannot be put away" in [record.getMessage() for record in caplog.records]
