"""Previews seen from the road: what comes out of the jail, what is believed of it, what is remembered, and for how long."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from PIL import Image

from gateway.road import previews
from gateway.road.previews import LIMITS, BusyError, File, Previews, png
from gateway.road.workers import Workers
from gateway.storage.faults import BlobMissingError
from sanitizers.model import Reason
from sanitizers.preview_words import Look, Shown, View
from tests.build import descriptors, pdf
from tests.build import previews as samples
from tests.build.transfer import MemoryBlobs

HOSTILE = (sys.executable, str(Path(__file__).parents[2] / "contract" / "hostile_viewer.py"))
# Patient enough for a machine that is busy.
QUICK = msgspec.structs.replace(LIMITS, wall_seconds=2.0, cpu_seconds=1)
PATIENT = msgspec.structs.replace(LIMITS, wall_seconds=60.0, cpu_seconds=30)


# One jail for all of these tests: to start one takes longer than most of them.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def looking(blobs: MemoryBlobs) -> AsyncIterator[Previews]:
    made = Previews(blobs, lambda rules: Workers(rules, 2), limits=PATIENT)
    yield made
    await made.stop()


async def kept(blobs: MemoryBlobs, data: bytes, name: str) -> File:
    return File((await blobs.put(data)).digest, name)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (640, 480)])
async def test_a_png_is_what_another_reader_sees(width: int, height: int) -> None:
    pixels = bytes(index * 7 % 256 for index in range(width * height * 3))
    seen = Image.open(io.BytesIO(png(width, height, pixels)))
    seen.load()
    assert (seen.format, seen.mode, seen.size, seen.tobytes()) == ("PNG", "RGB", (width, height), pixels)


@pytest.mark.parametrize("pixels", [b"", b"\0" * 11, b"\0" * 13])
async def test_a_png_of_another_number_of_pixels_is_not_made(pixels: bytes) -> None:
    with pytest.raises(ValueError, match="pixels"):
        png(2, 2, pixels)


async def test_text_pages_parts_and_bytes_through_the_jail(looking: Previews, blobs: MemoryBlobs) -> None:
    file = await kept(blobs, samples.reaching_pdf(), "a.pdf")
    content = (await looking.look(file, Look(view=View.CONTENT))).shown
    assert (content.kind, content.pages, content.lines, content.links) == ("pdf", 2, ("visible 1", "visible 2"), (samples.OUTSIDE,))
    page = await looking.look(file, Look(view=View.PAGE, page=1, width=300))
    assert Image.open(io.BytesIO(page.png)).size == page.shown.drawn
    assert (await looking.look(file, Look(view=View.BYTES))).shown.octets.startswith(b"%PDF")
    mail = await kept(blobs, samples.reaching_mail((samples.reaching_pdf(), b"a.pdf")), "a.eml")
    assert [piece.kind for piece in (await looking.look(mail, Look(view=View.PARTS))).shown.parts] == ["pdf"]


async def test_two_files_are_compared_without_one_seeing_the_other(looking: Previews, blobs: MemoryBlobs) -> None:
    before = await kept(blobs, samples.reaching_pdf(), "a.pdf")
    document = pdf.clean()
    document.pages[0].obj.Contents = document.make_stream(b"")
    after = await kept(blobs, pdf.saved(document), "a.pdf")
    found = (await looking.compare(before, after)).difference
    assert found is not None
    assert (found.lines, found.pages, found.equal) == ((2, 2), (2, 2), 1)
    assert found.alike[0] < 0.9 < found.alike[1]
    mail = await kept(blobs, samples.reaching_mail((samples.reaching_pdf(), b"a.pdf")), "a.eml")
    inner = (await looking.compare(before, mail, other=(0,))).difference
    assert inner is not None
    assert (inner.changes, inner.alike) == ((), (1.0, 1.0))


async def test_what_cannot_be_looked_into_is_compared_with_nothing(hostile: Previews, blobs: MemoryBlobs) -> None:
    """The fault of the first is the answer; the second is not even asked for."""
    compared = await hostile.compare(await kept(blobs, b"crash", "a.txt"), File("0" * 64, "nowhere.txt"))
    assert (compared.fault, compared.difference) == (Reason.WORKER_CRASHED, None)


async def test_what_was_seen_is_remembered_as_long_as_the_file_is_there(looking: Previews, blobs: MemoryBlobs) -> None:
    file = await kept(blobs, b"words", "a.txt")
    first = await looking.look(file, Look(view=View.CONTENT))
    assert await looking.look(file, Look(view=View.CONTENT)) is first
    assert await looking.look(file, Look(view=View.BYTES)) is not first
    assert await looking.look(file._replace(name="b.csv"), Look(view=View.CONTENT)) is not first
    await blobs.delete(file.sha256)
    with pytest.raises(BlobMissingError):
        await looking.look(file, Look(view=View.CONTENT))


async def test_memory_of_what_was_seen_is_bounded(looking: Previews, blobs: MemoryBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "_KEPT_BYTES", 10_000)
    looking._kept.clear()
    looking._kept_bytes = 0
    for number in range(6):
        await looking.look(await kept(blobs, b"words %d" % number, "a.txt"), Look(view=View.CONTENT))
    assert len(looking._kept) == 2
    assert looking._kept_bytes <= 10_000


async def test_the_jail_starts_with_the_first_look_and_goes_when_nobody_looks(
    looking: Previews, blobs: MemoryBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await kept(blobs, b"these words", "a.txt")
    monkeypatch.setattr(previews, "_IDLE_SECONDS", 0.0)
    await looking.look(file, Look(view=View.CONTENT))
    async with asyncio.timeout(30):
        while looking._workers is not None or looking._kept:
            await asyncio.sleep(0.01)
    monkeypatch.setattr(previews, "_IDLE_SECONDS", 600.0)
    assert (await looking.look(file, Look(view=View.CONTENT))).shown.lines == ("these words",)


async def test_too_many_at_once_are_turned_away(looking: Previews, blobs: MemoryBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "_MOST_WAITING", 0)
    with pytest.raises(BusyError):
        await looking.look(await kept(blobs, b"other words", "a.txt"), Look(view=View.CONTENT))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hostile(blobs: MemoryBlobs) -> AsyncIterator[Previews]:
    made = Previews(blobs, lambda rules: Workers(rules, 2, command=HOSTILE), limits=PATIENT)
    yield made
    await made.stop()


CRASHES = (
    "crash", "connect", "open_file", "fork", "too_few_pixels", "too_many_pixels", "pixels_unannounced", "a_report", "no_json", "too_long",
    "too_deep", "silent",
)  # fmt: skip


@pytest.mark.parametrize("deed", CRASHES)
async def test_what_a_child_makes_up_is_not_shown(hostile: Previews, blobs: MemoryBlobs, deed: str) -> None:
    seen = await hostile.look(await kept(blobs, deed.encode(), "x"), Look(view=View.CONTENT))
    assert seen == previews.Seen(Shown(fault=Reason.WORKER_CRASHED))
    assert (await hostile.look(await kept(blobs, b"good", "x"), Look(view=View.CONTENT))).shown.lines == ("good",)


@pytest.mark.parametrize(("deed", "fault"), [("spin", Reason.TIMEOUT), ("sleep", Reason.TIMEOUT)])
async def test_a_file_that_takes_too_long_is_given_up(
    hostile: Previews, blobs: MemoryBlobs, monkeypatch: pytest.MonkeyPatch, deed: str, fault: Reason
) -> None:
    monkeypatch.setattr(hostile, "_limits", QUICK)
    seen = await hostile.look(await kept(blobs, deed.encode(), "x"), Look(view=View.CONTENT))
    assert (seen.shown.fault, seen.png) == (fault, b"")


async def test_a_file_that_wants_all_memory_is_given_up(hostile: Previews, blobs: MemoryBlobs) -> None:
    assert (await hostile.look(await kept(blobs, b"eat", "x"), Look(view=View.CONTENT))).shown.fault == Reason.LIMIT_EXCEEDED


async def test_what_failed_is_tried_again(hostile: Previews, blobs: MemoryBlobs) -> None:
    file = await kept(blobs, b"crash", "x")
    await hostile.look(file, Look(view=View.CONTENT))
    assert file.sha256 not in {digest for digest, _, _ in hostile._kept}


async def test_a_page_that_takes_too_long_to_draw_is_given_up(
    looking: Previews, blobs: MemoryBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = pdf.clean()
    document.pages[0].obj.Contents = document.make_stream(b"0 0 m 900 900 l S 1 1 m 2 900 l 900 3 l f*\n" * 3_000_000)
    monkeypatch.setattr(looking, "_limits", QUICK)
    file = await kept(blobs, pdf.saved(document), "a.pdf")
    assert (await looking.look(file, Look(view=View.PAGE))).shown.fault == Reason.TIMEOUT


async def test_no_descriptor_is_left_open(looking: Previews, blobs: MemoryBlobs) -> None:
    file = await kept(blobs, samples.reaching_pdf(), "open.pdf")
    await looking.look(file, Look(view=View.CONTENT))
    before = descriptors.held()
    for page in (0, 1):
        await looking.look(file, Look(view=View.PAGE, page=page))
    assert descriptors.held() <= before
