"""Files on their way in: whole and durable, or not there at all; and a name that is never a path."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.model import Door, State
from gateway.road.uploads import TooLargeError, Uploads
from gateway.storage.faults import StorageFullError
from tests.build.face import Town, town
from tests.build.transfer import NOW, digest


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


def uploads(place: Town, most: int = 10) -> Uploads:
    return Uploads(place.blobs, place.journal, place.clock, place.wake, most=most, organisation="関町")


async def chunks(*given: bytes) -> AsyncIterator[bytes]:
    for chunk in given:
        yield chunk


def stored(place: Town) -> list[str]:
    return [path.name for path in place.folder.glob("blobs/*/**/*") if path.is_file()]


async def test_an_upload_becomes_a_transfer(place: Town) -> None:
    receipt_no = await uploads(place).take("tanaka", "願書.docx", "192.0.2.1", chunks(b"01234", b"56789"))
    transfer = await place.journal.find(receipt_no)
    assert (transfer.door, transfer.state, transfer.sender, transfer.recipients) == (Door.DROP, State.RECEIVED, "tanaka", ("tanaka",))
    assert (transfer.name, transfer.size, transfer.sha256) == ("願書.docx", 10, digest(b"0123456789"))
    assert (transfer.organisation, transfer.client, transfer.received_at) == ("関町", "192.0.2.1", NOW)
    assert await place.blobs.read(digest(b"0123456789")) == b"0123456789"
    assert place.woken == 1


async def test_one_byte_too_many_keeps_nothing(place: Town) -> None:
    asked = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            asked.append(1)
            yield b"0123"

    with pytest.raises(TooLargeError):
        await uploads(place).take("tanaka", "x", "", endless())
    assert len(asked) == 3, "no byte more is read than needed to know"
    assert stored(place) == []
    assert await place.journal.transfers() == []
    assert place.woken == 0


async def test_a_client_that_goes_away_leaves_nothing(place: Town) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"0123"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await uploads(place).take("tanaka", "x", "", broken())
    assert stored(place) == []
    assert await place.journal.transfers() == []


async def test_a_full_store_takes_nothing_in(tmp_path: Path) -> None:
    async with town(tmp_path, reserve=1 << 60) as place:
        with pytest.raises(StorageFullError):
            await uploads(place).take("tanaka", "x", "", chunks(b"x"))
        assert stored(place) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\tanaka\\願書.docx", "願書.docx"),
        ("/", "file"),
        ("..", ".."),
        ("a\x00b\nc\u202ed", "a_b_c_d"),
        ("bad\udcff.txt", "bad_.txt"),
        ("あ" * 400, "あ" * 255),
        ("", "file"),
    ],
)
async def test_a_name_is_never_a_path(place: Town, given: str, kept: str) -> None:
    receipt_no = await uploads(place).take("tanaka", given, "", chunks(b"x"))
    assert (await place.journal.find(receipt_no)).name == kept
    assert stored(place) == [digest(b"x")]
