"""申請の自動終了: what can lead to nothing any more is closed by itself, and who asked is told why; what still can stays open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import audit
from gateway.model import Slip, SlipApproval
from gateway.people.accounts import Account
from gateway.requests.approvals import Kind, RefusedError, Request, RequestState
from gateway.requests.operating import Deed, Operating
from gateway.requests.pointless import Pointless
from gateway.storage.approvals import CLOSED_BECAUSE
from gateway.telling.notices import Office
from gateway.telling.request_mails import RequestMails
from sanitizers.model import Reason, Report, Verdict
from tests.build.face import PASSWORD, Town, client, log_in, quick_passwords, town
from tests.build.transfer import BODY, DAY, NOW, RESULT, arrival, claimed, held, report, settlement
from tests.gateway.telling.test_request_mails import known, mails

WHY = (
    "ファイルが遮断されました（取込みが禁止された形式です）。承認しても通りません。"
    " / the file was blocked (it is of a kind that may not cross); no approval lets it pass"
)
BLOCKED = report(Verdict.BLOCKED, Reason.FORBIDDEN_KIND)


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        assert made.faces["drop"] is not None, "what follows an approval stands"
        Pointless(made.journal, made.approvals)
        await made.staff.add_department("税務課", "test")
        made.clerk = await known(made, "tanaka")  # type: ignore[attr-defined]
        made.head = await known(made, "kacho", head=True)  # type: ignore[attr-defined]
        yield made
        assert (await audit.verify(made.journal)).broken is None


async def brought(place: Town, given: Report) -> str:
    """A file that waits for an approval, with its road behind it."""
    for content in (BODY, RESULT):
        await place.blobs.put(content)
    slip = Slip(purpose="調査", approval=SlipApproval.NEEDED)
    came = arrival(sender="tanaka", recipients=("tanaka",), name="様式.docm", door="drop", slip=slip)
    _, receipt_no = await place.journal.accept(came)
    claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
    await place.journal.settle(claim, place.signed(receipt_no, settlement(given), given), at=NOW)
    return receipt_no


async def asked(place: Town, kind: Kind, subject: str, **detail: object) -> Request:
    return await place.approvals.request(kind, subject, place.clerk, "国の調査票", detail=detail)  # type: ignore[attr-defined]


async def state(place: Town, request: Request) -> tuple[RequestState, str]:
    await place.approvals.tick()
    found = await place.approvals.find(request.number)
    return found.state, str(found.detail.get(CLOSED_BECAUSE, ""))


async def disposed(place: Town, receipt_no: str) -> None:
    operating = Operating(place.journal, place.seal, place.clock)
    await operating.act(Deed.DELETE, await place.journal.find(receipt_no), actor="sousa", note="期限切れ")


async def test_a_file_that_is_blocked_waits_for_nobody(place: Town) -> None:
    office = Office("postmaster@town.example.jp", "sekisho.example")
    request = await asked(place, Kind.FILE, await brought(place, BLOCKED))
    place.approvals.heard = RequestMails(place.journal, place.blobs, office, place.clock).tell
    assert await state(place, request) == (
        RequestState.CLOSED,
        WHY,
    )
    [(to, text)] = await mails(place, request.subject)
    assert to == "tanaka@town.example.jp"
    assert "自動で終了しました" in text
    assert "取込みが禁止された形式です" in text
    assert "it is of a kind that may not cross" in text
    entries = [one async for one in place.journal.entries(subject=request.number)]
    assert [(one.actor, one.action) for one in entries][-1] == ("sekisho", "request.closed")
    assert "取込みが禁止された形式です" in entries[-1].detail
    await place.approvals.tick()
    assert len(await mails(place, request.subject)) == 1, "once"


async def test_an_approval_that_lets_nothing_pass_is_not_given(place: Town) -> None:
    request = await asked(place, Kind.FILE, await brought(place, BLOCKED))
    head: Account = place.head  # type: ignore[attr-defined]
    with pytest.raises(RefusedError, match="遮断されました"):
        await place.approvals.approve(request.number, head)
    assert (await place.approvals.find(request.number)).state is RequestState.REQUESTED


async def test_what_still_can_follow_stays_open(place: Town) -> None:
    """Held for a password as well: once that is known, the approval counts."""
    waiting = [
        await asked(place, Kind.FILE, await brought(place, held())),
        await asked(place, Kind.FILE, await brought(place, report())),
        await asked(place, Kind.ORIGINAL, await place.settled("tanaka")),
        await asked(place, Kind.ANALYSIS, await place.settled("tanaka", BLOCKED)),
        await asked(place, Kind.EXCEPTION, "dxf", until=NOW + DAY),
        await asked(place, Kind.RULES, "rules-2"),
    ]
    assert [await state(place, one) for one in waiting] == [(RequestState.REQUESTED, "")] * len(waiting)


@pytest.mark.parametrize("kind", [Kind.FILE, Kind.ORIGINAL, Kind.ANALYSIS])
async def test_a_file_that_is_gone(place: Town, kind: Kind) -> None:
    receipt_no = await brought(place, held())
    request = await asked(place, kind, receipt_no)
    await disposed(place, receipt_no)
    closed, why = await state(place, request)
    assert closed is RequestState.CLOSED
    assert ("廃棄されました" if kind is Kind.FILE else "保管されていません") in why


async def test_what_blocked_a_file_closes_what_was_asked_about_its_original(place: Town) -> None:
    virus = report(Verdict.BLOCKED, Reason.MALWARE)
    request = await asked(place, Kind.ORIGINAL, await place.settled("tanaka", virus))
    assert "遮断されました" in (await state(place, request))[1]
    needless = await asked(place, Kind.CONFIRMED, await place.settled("tanaka"))
    assert "もう必要ありません" in (await state(place, needless))[1]


async def test_what_is_in_work_is_left_alone(place: Town) -> None:
    receipt_no = await place.settled("tanaka", held())
    request = await asked(place, Kind.CONFIRMED, receipt_no)
    transfer = await place.journal.find(receipt_no)
    await place.journal.retry(transfer.id, at=NOW, actor="sousa", note="もう一度")
    assert await state(place, request) == (RequestState.REQUESTED, "")


async def test_a_time_that_is_over_and_a_file_of_which_nothing_is_known(place: Town) -> None:
    late = await asked(place, Kind.VISIT, "itaku", until=NOW + DAY, **{"from": NOW})
    unknown = await asked(place, Kind.ORIGINAL, "20261118-000099")
    assert await state(place, late) == (RequestState.REQUESTED, "")
    assert "記録は残っていません" in (await state(place, unknown))[1]
    place.clock.pass_by(DAY)
    assert "期間が過ぎました" in (await state(place, late))[1]


async def test_its_page_says_why(place: Town) -> None:
    request = await asked(place, Kind.FILE, await brought(place, BLOCKED))
    await place.approvals.tick()
    page = await shown(place, request)
    assert "自動終了" in page
    assert "取込みが禁止された形式です" in page
    assert "取り下げる" not in page


async def shown(place: Town, request: Request) -> str:
    temporary = await place.accounts.reset_password(place.clerk, "test")  # type: ignore[attr-defined]
    clerk = await place.accounts.find("tanaka")
    assert clerk is not None
    await place.accounts.change_password(clerk, temporary, PASSWORD)
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        answer = await browser.get(f"/requests/{request.number}")
        assert answer.status == 200
        return await answer.text()


async def test_one_that_ends_while_another_is_closed_keeps_its_own_end(place: Town) -> None:
    numbers = [await brought(place, BLOCKED) for _ in range(2)]
    first, second = [await asked(place, Kind.FILE, one) for one in numbers]
    told: list[str] = []

    async def heard(request: Request, _: object) -> None:
        told.append(request.number)
        if request.number == first.number:
            await place.approvals.withdraw(second.number, place.clerk)  # type: ignore[attr-defined]

    place.approvals.heard = heard
    await place.approvals.tick()
    assert [(await place.approvals.find(one.number)).state for one in (first, second)] == [RequestState.CLOSED, RequestState.WITHDRAWN]
    assert told == [first.number], "not of the second: who withdrew it knows"
