"""What follows an approval and does not come about: nothing changes, and the log says why; and places that nobody may bring a file to."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway.people.accounts import Account
from gateway.requests.approvals import Kind, RefusedError, Request, RequestState
from gateway.requests.asking import Asking
from gateway.requests.bringing import Bringing, Usage
from gateway.requests.operating import Deed, Operating
from gateway.storage import exceptions
from sanitizers.model import Action, Finding, Report, Severity
from sanitizers.model import Kind as FileKind
from tests.build.face import Town, quick_passwords, town
from tests.build.transfer import RESULT, lost, report


def macros() -> Report:
    """Of a form whose macros were taken out."""
    finding = Finding(code="ooxml.vba", severity=Severity.HIGH, action=Action.REMOVED, where="word/vbaProject.bin")
    return msgspec.structs.replace(report(kind=FileKind.DOCM, output=RESULT), findings=(finding,))


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        await made.staff.add_department("税務課", "test")
        for login, head in (("tanaka", False), ("kacho", True), ("kanri", False)):
            await made.known(login)
            if login != "kanri":
                await made.staff.move(await named(made, login), ["税務課"], "test", head=head)
        yield made


async def named(place: Town, login: str) -> Account:
    found = await place.accounts.find(login)
    assert found is not None
    return found


def asking(place: Town) -> Asking:
    assert place.pipeline is not None
    operating = Operating(place.journal, place.seal, place.clock, place.pipeline)
    return Asking(place.journal, place.approvals, operating, pipeline=place.pipeline, blobs=place.blobs, clock=place.clock)


async def approved(place: Town, request: Request) -> Request:
    for login in ("kacho", "kanri"):
        request = await place.approvals.approve(request.number, await named(place, login), "確認", inspected=True)
    return request


async def disposed(place: Town, number: str) -> None:
    await Operating(place.journal, place.seal, place.clock).act(Deed.DELETE, await place.journal.find(number), actor="sousa", note="x")


async def test_macros_that_cannot_be_read_to_their_end_stay_out(place: Town, caplog: pytest.LogCaptureFixture) -> None:
    desk, number = asking(place), await place.settled("tanaka", macros())
    before = await place.journal.find(number)
    request = await desk.ask(Kind.MACRO, await named(place, "tanaka"), before, "計算に要る")
    place.workers.answer = lost
    with caplog.at_level(logging.WARNING):
        done = await approved(place, request)
    assert "approved, and not brought in" in [record.getMessage() for record in caplog.records]
    after = await place.journal.find(number)
    assert (done.state, after.state, after.verdict, after.result) == (RequestState.APPROVED, before.state, before.verdict, before.result)


async def test_no_exception_for_a_file_that_is_gone_meanwhile(place: Town) -> None:
    desk, number = asking(place), await place.settled("tanaka", macros())
    request = await desk.ask(Kind.MACRO, await named(place, "tanaka"), await place.journal.find(number), "計算に要る")
    await place.approvals.approve(request.number, await named(place, "kacho"), "確認")
    await disposed(place, number)
    with pytest.raises(RefusedError, match="cannot be asked for about this file"):
        await place.approvals.approve(request.number, await named(place, "kanri"), "確認")
    assert await place.journal.ask(lambda connection: exceptions.live(connection, place.clock())) == []
    assert (await place.approvals.find(request.number)).state is RequestState.REQUESTED


async def test_an_original_that_is_gone_opens_to_nobody(place: Town) -> None:
    desk, number = asking(place), await place.settled("tanaka")
    who = await named(place, "tanaka")
    request = await desk.ask(Kind.ORIGINAL, who, await place.journal.find(number), "署名を確かめる")
    assert (await place.approvals.approve(request.number, await named(place, "kacho"), "確認")).state is RequestState.APPROVED
    assert await desk.original_until(who, await place.journal.find(number)) is not None
    await disposed(place, number)
    gone = await place.journal.find(number)
    assert await desk.original_until(who, gone) is None
    with pytest.raises(RefusedError):
        await desk.original(who, gone)
    with pytest.raises(RefusedError, match="cannot be asked for"):
        await desk.ask(Kind.ORIGINAL, who, gone, "x")


async def test_a_file_goes_to_so_many_persons_and_to_no_place_that_there_is_not(place: Town) -> None:
    operating = Operating(place.journal, place.seal, place.clock)
    desk = Bringing(place.journal, place.approvals, operating, Usage(), {})
    who = await named(place, "tanaka")
    for wanted in ([f"person:p{number}" for number in range(21)], ["person:nobody"], ["share:none"], ["department:99"]):
        with pytest.raises(RefusedError):
            await desk.chosen(who, wanted)
    assert await desk.chosen(who, ["person:kacho", "", "person:kacho"]) == ("person:kacho",)
