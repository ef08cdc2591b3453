"""Where a file goes, who may fetch it, and until when."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from gateway.model import State
from gateway.requests.bringing import Usage
from gateway.road.boxes import Quotas
from gateway.storage.faults import JournalUnavailableError
from tests.build.face import Town, client, quick_passwords, town
from tests.build.transfer import NOW, RESULT, claimed, held, report, settlement

UPLOADS = "/api/v1/transfers"
SHARES = {"share:zeimu": "税務課の共有フォルダー"}
DAY = 86_400.0


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """Tanaka and Suzuki in 税務課, Sato in 総務課, Kacho its head."""
    quick_passwords(monkeypatch)
    async with town(tmp_path, shares=SHARES) as made:
        await people(made)
        yield made


async def people(made: Town) -> None:
    for name in ("税務課", "総務課"):
        await made.staff.add_department(name, "test")
    for login, where, head in (("tanaka", "税務課", False), ("suzuki", "税務課", False), ("kacho", "税務課", True), ("sato", "総務課", False)):
        await made.known(login)
        account = await made.accounts.find(login)
        assert account is not None
        await made.staff.move(account, [where], "test", head=head)


async def department(made: Town, name: str) -> str:
    (found,) = [one.id for one in await made.staff.departments() if one.name == name]
    return f"department:{found}"


async def bring(made: Town, login: str = "tanaka", status: int = 202, **said: str) -> str:
    """Through the API of the drop, and over the road."""
    async with client(made.faces["drop"]) as browser:
        answer = await browser.post(UPLOADS, params=said, data=b"x", headers=await made.token(login) | {"X-File-Name": "a.docx"})
        assert answer.status == status, await answer.text()
        if status != 202:
            return str((await answer.json())["detail"])
        number = str((await answer.json())["receipt_no"])
    await work(made)
    return number


async def work(made: Town, *, stays: bool = False) -> None:
    await made.blobs.put(RESULT)
    claim = claimed(await made.journal.claim(1, at=NOW, lease_until=NOW + 60))
    given = held() if stays else report(source=b"x")
    await made.journal.settle(claim, made.signed(claim.transfer.receipt_no, settlement(given), given), at=NOW)


async def box(made: Town, login: str, query: str = "", status: int = 200) -> list[str]:
    async with client(made.faces["pickup"]) as browser:
        answer = await browser.get(UPLOADS + query, headers=await made.token(login))
        assert answer.status == status
        return [row["receipt_no"] for row in await answer.json()] if status == 200 else []


async def fetch(made: Town, login: str, number: str) -> int:
    async with client(made.faces["pickup"]) as browser:
        answer = await browser.get(f"{UPLOADS}/{number}/file", headers=await made.token(login))
        assert answer.status != 200 or await answer.read() == RESULT
        return answer.status


async def test_a_file_for_the_department_is_its_members_alone(place: Town) -> None:
    number = await bring(place, to=await department(place, "税務課"))
    assert [await fetch(place, who, number) for who in ("tanaka", "suzuki", "sato")] == [200, 200, 403]
    assert [await box(place, who) for who in ("tanaka", "suzuki", "sato")] == [[number], [number], []]
    collected = [entry.actor async for entry in place.journal.entries(subject=number) if entry.action == "file.collected"]
    assert collected == ["tanaka", "suzuki"]


async def test_a_file_for_one_person_is_not_his_departments(place: Town) -> None:
    number = await bring(place, to="person:sato")
    assert [await fetch(place, who, number) for who in ("sato", "suzuki")] == [200, 403]
    assert await box(place, "sato", "?box=person:sato") == [number]


async def test_a_file_for_oneself_is_nobody_elses(place: Town) -> None:
    number = await bring(place)
    assert [await fetch(place, who, number) for who in ("tanaka", "suzuki")] == [200, 403]


async def test_what_is_held_is_shown_to_him_who_brought_it_only(place: Town) -> None:
    async with client(place.faces["drop"]) as browser:
        to = {"to": await department(place, "税務課")}
        answer = await browser.post(UPLOADS, params=to, data=b"x", headers=await place.token("tanaka"))
        number = (await answer.json())["receipt_no"]
    await work(place, stays=True)
    assert [await box(place, who) for who in ("tanaka", "suzuki")] == [[number], []]
    assert [await fetch(place, who, number) for who in ("tanaka", "suzuki")] == [409, 403]


async def test_who_leaves_the_department_leaves_its_box(place: Town) -> None:
    number = await bring(place, to=await department(place, "税務課"))
    account = await place.accounts.find("suzuki")
    assert account is not None
    await place.staff.move(account, ["総務課"], "test")
    assert await fetch(place, "suzuki", number) == 403


async def test_a_box_of_others_is_as_unknown_as_none(place: Town) -> None:
    for query in (f"?box={await department(place, '総務課')}", "?box=department:999", "?box=suzuki", "?box=person:suzuki"):
        await box(place, "tanaka", query, 403)


@pytest.mark.parametrize("to", ["share:soumu", "department:999", "person:nobody", "suzuki", "kakari@town.example.jp"])
async def test_nothing_goes_where_it_is_not_offered(place: Town, to: str) -> None:
    assert "受取先" in await bring(place, status=422, to=to)
    assert (await place.journal.transfers()) == []


async def test_another_departments_box_is_not_offered(place: Town) -> None:
    await bring(place, status=422, to=await department(place, "総務課"))
    async with client(place.faces["drop"]) as browser:
        offered = await (await browser.get("/api/v1/destinations", headers=await place.token("tanaka"))).json()
    assert [one["to"] for one in offered] == [await department(place, "税務課"), "share:zeimu"]


async def test_a_share_is_a_delivery(place: Town) -> None:
    number = await bring(place, to="share:zeimu")
    (delivery,) = await place.journal.deliveries((await place.journal.find(number)).id)
    assert [one.address for one in delivery.recipients] == ["share:zeimu"]


async def test_after_its_time_it_is_not_handed_out(place: Town) -> None:
    number = await bring(place)
    place.clock.pass_by(13 * DAY)
    assert await fetch(place, "tanaka", number) == 200
    place.clock.pass_by(2 * DAY)
    assert await fetch(place, "tanaka", number) == 410
    async with client(place.faces["pickup"]) as browser:
        assert "期限切れ" in await (await browser.get("/", headers=await place.token("tanaka"))).text()


async def test_many_at_once_in_one_zip(place: Town) -> None:
    numbers = [await bring(place) for _ in range(3)]
    who = await place.token("tanaka")
    async with client(place.faces["pickup"]) as browser:
        answer = await browser.post("/zip", headers=who, data=[("receipt_no", number) for number in numbers])
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
        assert archive.testzip() is None
        assert archive.namelist() == ["message.eml", "message (2).eml", "message (3).eml"]
        assert {archive.read(name) for name in archive.namelist()} == {RESULT}
        for wrong, status in (([], 400), (["20261118-999999"], 403)):
            answer = await browser.post("/zip", headers=who, data=[("receipt_no", number) for number in wrong])
            assert answer.status == status
        answer = await browser.post("/zip", headers=await place.token("sato"), data={"receipt_no": numbers[0]})
        assert answer.status == 403


async def test_words_find_it_in_its_box(place: Town) -> None:
    number = await bring(place)
    assert await box(place, "tanaka", "?q=docx") == [number]
    assert await box(place, "tanaka", "?q=pdf") == []


# ----------------------------------------------------------------------------------------------------- what has to be said

STRICT = Usage(classifications=("自治体機密性2", "自治体機密性1"), approval="unknown", required=True)
SAID = {"purpose": "予算", "reason": "県からの通知", "classification": "自治体機密性1"}


@pytest.fixture
async def strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path, usage=STRICT) as made:
        await people(made)
        yield made


@pytest.mark.parametrize("missing", ["purpose", "reason", "classification"])
async def test_what_must_be_said_is_asked_for(strict: Town, missing: str) -> None:
    await bring(strict, status=422, **{name: value for name, value in SAID.items() if name != missing})
    assert await strict.journal.transfers() == []


async def test_a_classification_that_is_none_is_refused(strict: Town) -> None:
    await bring(strict, status=422, **SAID | {"classification": "極秘"})
    await bring(strict, status=422, **SAID | {"purpose": "x" * 101})
    await bring(strict, **SAID)


async def waiting(made: Town, login: str) -> list[str]:
    async with client(made.faces["drop"]) as browser:
        answer = await browser.get("/api/v1/requests", headers=await made.token(login))
        return [row["number"] for row in await answer.json()]


async def word(made: Town, login: str, number: str, deed: str = "approve", note: str = "") -> int:
    async with client(made.faces["drop"]) as browser:
        answer = await browser.post(f"/api/v1/requests/{number}/{deed}", headers=await made.token(login), json={"note": note})
        return answer.status


async def test_an_unknown_classification_waits_for_the_head_and_then_goes(strict: Town) -> None:
    number = await bring(strict, **SAID | {"classification": "不明"})
    assert (await strict.journal.find(number)).state is State.HELD
    assert await fetch(strict, "tanaka", number) == 409
    (request,) = await waiting(strict, "kacho")
    assert await waiting(strict, "sato") == []
    assert await word(strict, "tanaka", request) in (404, 409)
    assert await word(strict, "kacho", request) == 200
    assert (await strict.journal.find(number)).state is State.RELEASED
    assert await fetch(strict, "tanaka", number) == 200


async def test_what_was_taken_in_without_its_request_gets_it_later(strict: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal fails, or the service dies, after the file and before the request."""
    async def broken(*_: object, **__: object) -> None:
        raise JournalUnavailableError("journal: disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(strict.approvals, "request", broken)
        number = await bring(strict, **SAID | {"classification": "不明"})
    assert await waiting(strict, "kacho") == []
    await strict.approvals.tick()
    assert await waiting(strict, "kacho") == [], "its own request may still be on its way"
    strict.clock.pass_by(61)
    await strict.approvals.tick()
    (request,) = await waiting(strict, "kacho")
    strict.clock.pass_by(61)
    await strict.approvals.tick()
    assert await waiting(strict, "kacho") == [request], "once"
    assert await word(strict, "kacho", request, "refuse", "公開資料ではありません") == 200
    strict.clock.pass_by(61)
    await strict.approvals.tick()
    assert await waiting(strict, "kacho") == [], "what was refused is not asked for again by itself"
    assert (await strict.journal.find(number)).state is State.HELD


async def test_approved_before_it_is_ready_it_goes_by_itself(strict: Town) -> None:
    async with client(strict.faces["drop"]) as browser:
        answer = await browser.post(UPLOADS, params=SAID | {"classification": "不明"}, data=b"x", headers=await strict.token("tanaka"))
        number = (await answer.json())["receipt_no"]
    (request,) = await waiting(strict, "kacho")
    assert await word(strict, "kacho", request) == 200
    await work(strict)
    assert (await strict.journal.find(number)).state is State.RELEASED


async def test_refused_it_stays(strict: Town) -> None:
    number = await bring(strict, **SAID | {"classification": "不明"})
    (request,) = await waiting(strict, "kacho")
    assert await word(strict, "kacho", request, "refuse", "公開資料ではありません") == 200
    assert (await strict.journal.find(number)).state is State.HELD
    assert await fetch(strict, "tanaka", number) == 409


async def test_an_operator_cannot_go_round_the_approval(strict: Town) -> None:
    number = await bring(strict, **SAID | {"classification": "不明"})
    async with client(strict.faces["admin"]) as browser:
        answer = await browser.post(f"{UPLOADS}/{number}/release", headers=await strict.token("sousa"), json={"reason": "急ぎ"})
        assert answer.status == 422
    assert (await strict.journal.find(number)).state is State.HELD


async def test_malware_is_not_approved_away(strict: Town) -> None:
    async with client(strict.faces["drop"]) as browser:
        answer = await browser.post(UPLOADS, params=SAID | {"classification": "不明"}, data=b"x", headers=await strict.token("tanaka"))
        number = (await answer.json())["receipt_no"]
    await work(strict, stays=True)
    (request,) = await waiting(strict, "kacho")
    assert await word(strict, "kacho", request) == 200
    assert (await strict.journal.find(number)).state is State.HELD


# ------------------------------------------------------------------------------------- groups, persons, quotas, proof


async def test_a_file_for_a_restricted_group(place: Town) -> None:
    from gateway.storage import people as rows

    ids = [account.id for login in ("tanaka", "sato") if (account := await place.accounts.find(login)) is not None]
    group = await place.journal.write(lambda c: rows.group_set(c, "選挙班", ids, at=NOW, actor="test"))
    async with client(place.faces["drop"]) as browser:
        page = await (await browser.get("/", headers=await place.token("tanaka"))).text()
        assert f'<option value="group:{group}">選挙班の受取箱' in page
        assert f"group:{group}" not in await (await browser.get("/", headers=await place.token("suzuki"))).text()
    assert "no such destination" in await bring(place, "suzuki", 422, to=f"group:{group}")
    number = await bring(place, to=f"group:{group}")
    assert [await fetch(place, who, number) for who in ("sato", "suzuki")] == [200, 403]
    assert await box(place, "sato", f"?box=group:{group}") == [number]
    assert await box(place, "suzuki", f"?box=group:{group}", 403) == []


async def test_named_persons_in_the_form(place: Town) -> None:
    from tests.build.face import csrf, log_in

    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        form = aiohttp.FormData({"csrf": await csrf(browser), "to": "", "persons": "sato、kacho"})
        form.add_field("file", b"x", filename="a.docx")
        answer = await browser.post("/", data=form, headers={"X-CSRF-Token": await csrf(browser)}, allow_redirects=False)
        assert answer.status == 303, await answer.text()
    await work(place)
    [transfer] = await place.journal.transfers()
    assert transfer.recipients == ("tanaka", "person:sato", "person:kacho")
    assert [await fetch(place, who, transfer.receipt_no) for who in ("sato", "kacho", "suzuki")] == [200, 200, 403]


async def test_a_full_box_takes_nothing_more_and_says_so_on_both_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)
    async with town(tmp_path, quotas=Quotas(person=2 * len(RESULT))) as made:
        await people(made)
        await bring(made)
        for face in ("drop", "pickup"):
            async with client(made.faces[face]) as browser:
                assert "％になりました" not in await (await browser.get("/", headers=await made.token("tanaka"))).text()
        await bring(made)
        assert "is full (100 %)" in await bring(made, status=422)
        assert "is full (100 %)" in await bring(made, "sato", 422, to="person:tanaka")
        await bring(made, "sato")
        for face in ("drop", "pickup"):
            async with client(made.faces[face]) as browser:
                assert "いっぱいです（100％）" in await (await browser.get("/", headers=await made.token("tanaka"))).text()


async def test_without_a_receipt_that_verifies_nothing_is_handed_out(place: Town) -> None:
    """The signature of another house is none."""
    from tests.build.transfer import signer

    number = await bring(place, to="person:sato")
    place.seal = signer()
    forged = await bring(place, to="person:sato")
    assert [await fetch(place, "sato", one) for one in (number, forged)] == [200, 409]
    assert await box(place, "sato") == [number]
    assert sorted(await box(place, "tanaka")) == sorted([number, forged])
    async with client(place.faces["pickup"]) as browser:
        page = await (await browser.get("/", headers=await place.token("tanaka"))).text()
        assert f"/api/v1/transfers/{number}/file" in page
        assert f"/api/v1/transfers/{forged}/file" not in page
