"""Places for anchors that cannot be used: each says why in one line, and nothing else stops."""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509

from gateway.auditing import places
from gateway.auditing.anchors import Anchor, Anchoring, PlaceError
from gateway.auditing.places import FilePlace, SyslogPlace, TimestampPlace
from gateway.model import rfc3339
from gateway.storage.journal import Journal
from tests.build.stamping import STAMPS, Holder, issue, reply, twice
from tests.build.transfer import NOW, FaultyDisk

SEQ, DIGEST = 7, hashlib.sha256(b"x").digest()


def anchor(proof: bytes = b"") -> Anchor:
    return Anchor(at=rfc3339(NOW), organisation="", seq=SEQ, hash=DIGEST.hex(), proof=base64.b64encode(proof).decode())


async def test_a_file_that_cannot_be_read_or_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "anchors.jsonl"
    assert await FilePlace(path).read() == [], "nothing was put there yet"
    for step in ("write", "flush"):
        with pytest.raises(PlaceError, match=os.strerror(errno.ENOSPC)):
            await FilePlace(path, FaultyDisk(step, errno.ENOSPC)).put(anchor())
    await FilePlace(path).put(anchor())
    assert await FilePlace(path).read() == [anchor()], "half a line is not left there"
    monkeypatch.setattr(places, "_MOST_BYTES", path.stat().st_size - 1)
    with pytest.raises(PlaceError, match="larger than any number of anchors"):
        await FilePlace(path).read()
    monkeypatch.undo()
    path.unlink()
    path.mkdir()
    with pytest.raises(PlaceError, match=os.strerror(errno.EISDIR)):
        await FilePlace(path).read()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PlaceError, match=os.strerror(errno.ELOOP)):
        await FilePlace(tmp_path / "link").put(anchor())


async def test_nothing_is_read_back_where_nothing_can_be() -> None:
    assert await SyslogPlace("127.0.0.1", 1, clock=lambda: NOW).read() == []
    assert await TimestampPlace("http://127.0.0.1:1/").read() == []


# ------------------------------------------------------------------------------------------------------ an authority


class Authority:
    """Answers whatever a test wants it to."""

    def __init__(self) -> None:
        self.signer = issue("stamps", uses=STAMPS)
        self.said: bytes | None = None
        self.status = 200

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.read()
        at = asked.index(b"\x04\x20") + 2
        digest, nonce = asked[at : at + 32], int.from_bytes(asked[at + 34 : at + 34 + asked[at + 33]])
        said = reply(self.signer, digest, nonce) if self.said is None else self.said
        return web.Response(body=said, status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def authority() -> AsyncIterator[tuple[Authority, str]]:
    made, application = Authority(), web.Application()
    application.router.add_post("/", made.answer)
    async with TestServer(application) as server:
        yield made, str(server.make_url("/"))


def _signed(holder: Holder) -> list[x509.Certificate]:
    return [holder.certificate]


async def test_an_answer_that_proves_it_goes_along_with_the_anchor(authority: tuple[Authority, str]) -> None:
    made, url = authority
    put = await TimestampPlace(url, _signed(made.signer)).put(anchor())
    assert (put.seq, put.hash, bool(put.proof)) == (SEQ, DIGEST.hex(), True)


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        (302, None, "HTTP 302"),
        (200, b"", "not a timestamp response"),
        (200, b"<html>", "not a timestamp response"),
        (200, reply(issue("stamps", uses=STAMPS), DIGEST, 5), "not about what was asked"),
    ],
)
async def test_an_answer_that_proves_nothing_is_not_kept(
    authority: tuple[Authority, str], status: int, said: bytes | None, why: str
) -> None:
    made, url = authority
    made.status, made.said = status, said
    with pytest.raises(PlaceError, match=why):
        await TimestampPlace(url).put(anchor())


async def test_an_authority_of_others_or_with_a_broken_certificate_is_not_believed(authority: tuple[Authority, str]) -> None:
    made, url = authority
    with pytest.raises(PlaceError, match="nobody who is trusted"):
        await TimestampPlace(url, _signed(issue("another", ca=True))).put(anchor())
    made.signer = twice(made.signer)
    with pytest.raises(PlaceError, match="cannot be read"):
        await TimestampPlace(url).put(anchor())


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = Journal(tmp_path / "sekisho.db")
    await made.start()
    yield made
    await made.stop()


async def test_a_proof_that_somebody_broke_is_found_by_the_walk_and_ends_nothing(journal: Journal, tmp_path: Path) -> None:
    place = FilePlace(tmp_path / "anchors.jsonl")
    broken = twice(issue("stamps", uses=STAMPS))
    await place.put(anchor(reply(broken, DIGEST, 1 << 62)))
    walked, _, _ = await Anchoring(journal, [place], lambda: NOW).verify()
    assert (walked.broken, "cannot be read" in walked.why) == (SEQ, True)


# ------------------------------------------------------------------------------------------------------ now and then


async def test_anchors_are_put_away_again_after_a_failure(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place = FilePlace(tmp_path / "anchors.jsonl")
    await asyncio.wait_for(Anchoring(journal, [], lambda: NOW).run(), 20)
    anchoring, written = Anchoring(journal, [place], lambda: NOW, every=0.0), place._append
    monkeypatch.setattr(place, "_append", lambda line: (monkeypatch.setattr(place, "_append", written), 1 / 0))
    await journal.record(at=NOW, actor="kanri", action="login", subject="kanri", detail={})
    running = asyncio.ensure_future(anchoring.run())
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(20):
            while not await place.read():
                await asyncio.sleep(0)
    running.cancel()
    assert [record.getMessage() for record in caplog.records] == ["a chore went wrong"]
    assert [one.seq for one in await place.read()] == [1]
