"""What the inner side makes of bytes that no outer side of ours sends: refused with a word, counted and told, never a fault of the house."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import msgspec
import pytest

from gateway.crossing import folder as folder_
from gateway.crossing import papers, taking
from gateway.crossing.folder import REFUSED, FromFolder
from gateway.crossing.line import client_context
from gateway.crossing.papers import OPENING, RefusedError
from gateway.crossing.pushing import CarryError, Load
from gateway.crossing.taking import Taken, Taking
from gateway.model import Purpose, State
from gateway.road import memory
from gateway.storage.halts import Halt
from gateway.storage.settling import pack
from sanitizers.model import Report
from tests.build.segments import Border, Sides, handed, opened, sides
from tests.build.transfer import NOW, digest, report

DEEP = 100_000
MESSAGE = b"Subject: held\r\n\r\nIt is held.\r\n"


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Sides]:
    async with sides(tmp_path) as made:
        yield made


async def refused(two: Sides, whole: bytes, why: str) -> str:
    with pytest.raises(RefusedError) as caught:
        await handed(two.taking, whole)
    assert (caught.value.why, two.told[-1][0]) == (why, why)
    assert await two.arrived() == []
    return str(caught.value)


# ---------------------------------------------------------------------------------------------------------------- papers


def _with(name: str, value: bytes) -> Callable[[bytes], bytes]:
    """Papers whose field of that name says it, in JSON."""

    def changed(document: bytes) -> bytes:
        said = {key: json.dumps(one).encode() for key, one in json.loads(document).items()} | {name: value}
        return b"{" + b",".join(json.dumps(key).encode() + b":" + one for key, one in said.items()) + b"}"

    return changed


PAPERS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "no JSON": (lambda _: b"papers", "format"),
    "no UTF-8": (_with("subject", b'"\xff"'), "format"),
    "something unknown": (_with("evil", b"1"), "format"),
    "endlessly nested": (_with("slip", b'{"x":' + b"[" * DEEP + b"]" * DEEP + b"}"), "format"),
    "a signature that is no base64": (_with("signature", b'"***"'), "signature"),
    "a signature of other letters": (_with("signature", '"署名"'.encode()), "signature"),
    "no signature": (_with("signature", b'""'), "signature"),
    "a size below nothing": (_with("report_size", b"-1"), "signature"),
}


def altered(sealed: bytes, change: Callable[[bytes], bytes]) -> bytes:
    length = papers.opening(sealed[: OPENING.size])
    document = change(sealed[OPENING.size : OPENING.size + length])
    return OPENING.pack(papers.MAGIC, len(document)) + document + sealed[OPENING.size + length :]


@pytest.mark.parametrize("what", PAPERS)
async def test_papers_that_cannot_be_are_refused_before_anything_of_them_is_believed(two: Sides, what: str) -> None:
    change, why = PAPERS[what]
    await refused(two, altered(await two.sealed(), change), why)
    assert not (await handed(two.taking, await two.sealed())).again, "the next ones are taken"


@pytest.mark.parametrize("what", ["endlessly nested", "a signature of other letters"])
async def test_a_folder_with_such_a_file_goes_on_to_the_next(two: Sides, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "exchange"
    folder.mkdir()
    (folder / "a.sekisho").write_bytes(altered(await two.sealed(), PAPERS[what][0]))
    (folder / "b.sekisho").write_bytes(await two.sealed())
    assert await FromFolder(folder, two.taking).look() == 2
    assert [path.name for path in (folder / REFUSED).iterdir()] == ["a.sekisho"]
    assert len(await two.arrived()) == 1


# --------------------------------------------------------------------------------------------------------------- reports


REPORTS: dict[str, tuple[bytes, str]] = {
    "of another file": (pack(report(source=b"another")), "speaks of another file"),
    "not deflated": (b"not deflated", "cannot be read"),
    "cut": (pack(report())[:-5], "larger than any"),
    "no JSON": (zlib.compress(b"report"), "cannot be read"),
    "no UTF-8": (zlib.compress(msgspec.json.encode(report()).replace(b"message.eml", b"message\xff\xff\xff\xff")), "cannot be read"),
    "endlessly nested": (zlib.compress(b'{"x":' + b"[" * DEEP + b"]" * DEEP + b"}"), "cannot be read"),
}  # fmt: skip


def with_report(two: Sides, sealed: bytes, packed: bytes) -> bytes:
    """Signed around another report: whoever signs may be wrong."""
    given, rest = opened(sealed)
    changed = msgspec.structs.replace(given, report_size=len(packed), report_sha256=digest(packed))
    return papers.sealed(changed, two.signer, sent_at=NOW) + packed + rest[given.report_size :]


@pytest.mark.parametrize("what", REPORTS)
async def test_a_report_that_is_none_is_refused(two: Sides, what: str) -> None:
    packed, said = REPORTS[what]
    assert said in await refused(two, with_report(two, await two.sealed(), packed), "report")


async def test_a_report_that_inflates_without_end_is_not_inflated(two: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "_LARGEST_INFLATED", 1_000)
    bomb = zlib.compress(bytes(1_000_000))
    assert "larger than any" in await refused(two, with_report(two, await two.sealed(), bomb), "report")
    assert msgspec.json.decode(zlib.decompress(pack(report())), type=Report) == report()


# -------------------------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("changes", "content", "why"),
    [
        ({"size": (8 << 20) + 1}, MESSAGE, "large"),
        ({"sha256": digest(b"another")}, MESSAGE, "content"),
        ({}, MESSAGE[:-1] + b"?", "content"),
        ({}, MESSAGE + b"?", "format"),
    ],
)
async def test_a_message_that_is_not_the_signed_one_is_refused(two: Sides, changes: dict[str, object], content: bytes, why: str) -> None:
    message = {"purpose": Purpose.NOTICE, "sha256": digest(MESSAGE), "size": len(MESSAGE), "receipt": "", "result": None, "report_size": 0,
               "report_sha256": digest(b"")}  # fmt: skip
    sealed = await two.sealed(**(message | changes))
    head = sealed[: OPENING.size + papers.opening(sealed[: OPENING.size])]
    await refused(two, head + content, why)
    assert [entry async for entry in two.inner.entries() if entry.action == "letter.queued"] == []


async def test_pieces_may_be_empty(two: Sides) -> None:
    sealed = await two.sealed()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(sealed), 500):
            yield b""
            yield sealed[start : start + 500]
        yield b""

    assert not (await two.taking.take(pieces(), via="test")).again


async def test_a_content_that_is_shorter_than_its_row_is_not_carried() -> None:
    with memory.filled("content", b"short") as fd:
        load = Load("crossing", "20261118-000001", b"head", fd, 100)
        with pytest.raises(CarryError, match="shorter than its row"):
            await anext(piece async for piece in load.chunks() if piece == b"never")


# ---------------------------------------------------------------------------------------------------------------- answers


async def test_the_line_says_why_it_takes_nothing(two: Sides, tmp_path: Path) -> None:
    sealed = await two.sealed()
    async with Border(two, tmp_path) as border, aiohttp.ClientSession() as session:

        async def put(whole: bytes) -> tuple[int, str]:
            url, context = f"https://127.0.0.1:{border.port}/crossings/x", client_context(border.client)
            async with session.put(url, data=whole, ssl=context) as answer:
                return answer.status, await answer.text()

        status, text = await put(altered(sealed, PAPERS["a signature of other letters"][0]))
        assert (status, "signature" in text) == (422, True)
        await two.inner.halt(Halt.INTAKE, at=NOW, actor="somebody", reason="drill")
        assert (await put(sealed))[0] == 503
        await two.inner.resume(Halt.INTAKE, at=NOW, actor="somebody", reason="over")
        assert (await put(sealed))[0] == 201
        status, text = await put(sealed)
        assert (status, "replay" in text) == (409, True)


@pytest.mark.parametrize("said", [b"", b"yes", b"[]", b"\xff", b'{"crossing": ' + b"[" * 15_000])
async def test_an_answer_that_names_nothing_is_no_delivery(two: Sides, tmp_path: Path, said: bytes) -> None:
    async def yes(request: aiohttp.web.Request) -> aiohttp.web.Response:
        await request.read()
        return aiohttp.web.Response(body=said)

    border = Border(two, tmp_path)
    application = aiohttp.web.Application()
    application.router.add_put("/crossings/{crossing}", yes)
    border._runner = aiohttp.web.AppRunner(application)
    async with border:
        number = await two.mail()
        await two.push(border.line(), number, state=State.DEFERRED)
    (delivery,) = await two.outer.deliveries(number)
    assert "the inner side answered 200" in delivery.recipients[0].text


# ---------------------------------------------------------------------------------------------------------------- folder


async def test_a_folder_that_is_away_is_waited_for(two: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(folder_, "_PAUSE_SECONDS", 0.01)
    folder = tmp_path / "exchange"
    looking = asyncio.create_task(FromFolder(folder, two.taking, poll_seconds=0.01).run())
    async with asyncio.timeout(20):
        while "cannot be read" not in caplog.text:
            await asyncio.sleep(0.005)
        folder.mkdir()
        (folder / "a.sekisho").write_bytes(await two.sealed())
        while not await two.arrived():
            await asyncio.sleep(0.005)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


class Meanwhile(Taking):
    """Somebody does something to the folder while the first file is taken."""

    deeds: list[Callable[[], object]]

    async def take(self, *given: object, **named: object) -> Taken:
        while self.deeds:
            self.deeds.pop()()
        return await super().take(*given, **named)  # type: ignore[arg-type]


async def test_a_file_that_went_away_or_cannot_be_read_holds_up_no_other(
    two: Sides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "exchange"
    folder.mkdir()
    for name in ("a", "b", "c", "d"):
        (folder / f"{name}.sekisho").write_bytes(await two.sealed())
    def gone_and_replaced() -> None:
        (folder / "b.sekisho").unlink()
        (folder / "c.sekisho").unlink()
        (folder / "c.sekisho").symlink_to("/etc/passwd")

    meanwhile = Meanwhile(two.inner, two.inner_blobs, two.taking._terms, clock=two.clock)
    meanwhile.deeds = [gone_and_replaced]
    assert await FromFolder(folder, meanwhile).look() == 2
    assert len(await two.arrived()) == 2
    assert [path.name for path in folder.iterdir()] == ["c.sekisho"]
    assert caplog.text.count("cannot be read") == 1
