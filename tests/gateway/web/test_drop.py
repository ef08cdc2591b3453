"""The drop: raw and multipart, streamed, bounded; and what became of one's own files."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from aiohttp import FormData

from gateway.model import Door
from gateway.storage.faults import JournalUnavailableError, StorageFullError
from tests.build.face import MOST, Town, client, csrf, log_in
from tests.build.transfer import digest

UP = "/api/v1/transfers"


def stored(place: Town) -> set[str]:
    return {path.name for path in place.folder.glob("blobs/*/**/*") if path.is_file()}


def form(*files: tuple[str, bytes]) -> FormData:
    made = FormData(quote_fields=False)
    made.add_field("csrf", "ignored by a machine")
    for name, content in files:
        made.add_field("file", content, filename=name, content_type="application/octet-stream")
    return made


async def test_one_raw_file(place: Town) -> None:
    tanaka = await place.token("tanaka")
    async with client(place.faces["drop"]) as browser:
        answer = await browser.post(UP, data=b"content", headers=tanaka | {"X-File-Name": "%E9%A1%98%E6%9B%B8.docx"})
        assert answer.status == 202
        told = await answer.json()
        assert told["receipt_nos"] == [told["receipt_no"]]
        shown = await (await browser.get(f"{UP}/{told['receipt_no']}", headers=tanaka)).json()
    assert (shown["name"], shown["state"], shown["size"], shown["report"]) == ("願書.docx", "received", 7, None)
    assert await place.blobs.read(digest(b"content")) == b"content"
    assert place.woken == 1


async def test_a_raw_name_in_raw_bytes_and_bad_escapes(place: Town) -> None:
    tanaka = await place.token("tanaka")
    async with client(place.faces["drop"]) as browser:
        for name in (b"%ff%fe.txt", "願書.txt".encode(), b"..%2f..%2fx.txt"):
            headers: Any = tanaka | {"X-File-Name": name.decode("utf-8", "surrogateescape")}
            assert (await browser.post(UP, data=b"x", headers=headers)).status == 202
    assert {transfer.name for transfer in await place.journal.transfers()} == {"\ufffd\ufffd.txt", "願書.txt", "x.txt"}


async def test_several_files_of_one_form(place: Town) -> None:
    tanaka = await place.token("tanaka")
    big = bytes(range(256)) * 2000
    async with client(place.faces["drop"]) as browser:
        answer = await browser.post(UP, data=form(("a.txt", b"a"), ("..\\b.txt", big), ("c.txt", b"")), headers=tanaka)
        told = await answer.json()
    assert answer.status == 202
    assert len(told["receipt_nos"]) == 3
    kept = {transfer.name: transfer.sha256 for transfer in await place.journal.transfers()}
    assert kept == {"a.txt": digest(b"a"), "b.txt": digest(big), "c.txt": digest(b"")}


async def test_too_large_keeps_nothing(place: Town) -> None:
    tanaka = await place.token("tanaka")

    async def streamed() -> Any:
        for _ in range(MOST // 65_536 + 2):
            yield b"x" * 65_536

    async with client(place.faces["drop"]) as browser:
        for body in (b"x" * (MOST + 1), streamed(), form(("a", b"x" * (MOST + 1)))):
            answer = await browser.post(UP, data=body, headers=tanaka)
            assert answer.status == 413
            assert "1 MiB" in (await answer.json())["detail"]
        assert await place.journal.transfers() == []
        assert stored(place) == set()
        assert (await browser.post(UP, data=b"x" * MOST, headers=tanaka)).status == 202
        answer = await browser.post(UP, data=form(("a", b"a"), ("b", b"y" * (MOST + 1))), headers=tanaka)
        assert answer.status == 413
        told = await answer.json()
    assert len(told["receipt_nos"]) == 1, "what was taken in before is told"
    assert stored(place) == {digest(b"x" * MOST), digest(b"a")}


async def test_a_bomb_of_a_content_encoding_is_stopped_at_the_limit(place: Town) -> None:
    tanaka = await place.token("tanaka")
    async with client(place.faces["drop"]) as browser:
        answer = await browser.post(UP, data=zlib.compress(b"0" * (64 << 20)), headers=tanaka | {"Content-Encoding": "deflate"})
        assert answer.status in (400, 413)
    assert stored(place) == set()


BOUNDARY = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (BOUNDARY, PART + b"\r\nhalf of i"),
        (BOUNDARY, PART + b"\r\nwithout an end\r\n"),
        (BOUNDARY, PART + b"Content-Length: 100\r\n\r\nhalf of i"),
        (BOUNDARY, b"no boundary at all"),
        (BOUNDARY, b"--b--\r\n"),
        (BOUNDARY, b""),
        (BOUNDARY, b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file name\r\n--b--\r\n'),
        ("multipart/form-data", PART + b"\r\nx\r\n--b--\r\n"),
        ("application/octet-stream", b""),
    ],
)
async def test_a_broken_body_is_no_file(place: Town, kind: str, body: bytes) -> None:
    tanaka = await place.token("tanaka")
    async with client(place.faces["drop"]) as browser:
        answer = await browser.post(UP, data=body, headers=tanaka | {"Content-Type": kind})
        assert answer.status == 400
        assert (await answer.json())["status"] == 400
    assert await place.journal.transfers() == []
    assert stored(place) == set()


async def test_a_store_that_cannot_says_503(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    tanaka = await place.token("tanaka")

    async def full(**_: object) -> None:
        raise StorageFullError("blobs: less free space than the reserve")

    async def broken(_: object) -> None:
        raise JournalUnavailableError("journal: disk I/O error")

    async with client(place.faces["drop"]) as browser:
        monkeypatch.setattr(place.journal, "accept", broken)
        assert (await browser.post(UP, data=b"x", headers=tanaka)).status == 503
        monkeypatch.setattr(place.blobs, "begin", full)
        answer = await browser.post(UP, data=b"x", headers=tanaka)
        assert answer.status == 503
        assert "reserve" not in await answer.text()
    assert await place.journal.transfers() == []


async def test_the_page_takes_files_and_shows_ones_own(place: Town) -> None:
    await place.known("tanaka")
    theirs = await place.settled("suzuki")
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        headers = {"X-CSRF-Token": await csrf(browser, "/")}
        answer = await browser.post("/", data=form(("<img src=x>.txt", b"a")), headers=headers, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        page = await (await browser.get("/")).text()
        (mine,) = [transfer.receipt_no for transfer in await place.journal.transfers() if transfer.sender == "tanaka"]
        assert mine in page
        assert "受付済み" in page
        assert "<img src=x>" not in page
        assert theirs not in page


async def test_anothers_transfer_is_as_unknown_as_none(place: Town) -> None:
    suzuki = await place.token("suzuki")
    mine, mail = await place.settled("tanaka"), await place.settled("suzuki", door=Door.SMTP)
    async with client(place.faces["drop"]) as browser:
        said = [await (await browser.get(f"{UP}/{no}", headers=suzuki)).json() for no in (mine, mail, "20261118-999999", "..%2f..", "%00")]
        assert all(one == said[0] for one in said)
        assert said[0]["status"] == 404
        shown = await (await browser.get(f"{UP}/{mine}", headers=await place.token("tanaka"))).json()
        assert (shown["verdict"], shown["report"]["verdict"]) == ("sanitized", "sanitized")
        for path in (f"{UP}/{mine}/file", f"{UP}/{mine}/original", f"/blobs/{shown['sha256']}"):
            assert (await browser.get(path, headers=await place.token("tanaka"))).status == 404
