"""The desk of transfers: found in seconds, understood at a glance, acted on with a reason."""

from __future__ import annotations

import csv
import html
import io
from typing import Any

import msgspec
import openpyxl
import pytest

from gateway.admin import drafting
from gateway.model import Door, IllegalTransitionError, State
from gateway.people.roles import Role
from gateway.requests.operating import Deed, Way
from gateway.road.pipeline import MOST_TRIES
from gateway.storage import disposals, upkeep
from gateway.storage.search import Filter
from sanitizers.model import Action, Finding, MailFacts, Match, Reason, Seen, Severity, Treatment, Verdict
from sanitizers.scan import compile_rules
from sanitizers.source import Source
from tests.build.face import Town, client
from tests.build.transfer import NOW, arrival, held, report

LIST = "/api/v1/transfers"


async def numbers(place: Town, query: str, login: str = "kansa") -> list[str]:
    async with client(place.faces["admin"]) as browser:
        answer = await browser.get(LIST + query, headers=await place.token(login))
        assert answer.status == 200, await answer.text()
        return [row["receipt_no"] for row in await answer.json()]


async def test_every_condition_narrows(place: Town) -> None:
    one, other = await place.settled("tanaka"), await place.settled("a@example.com", held(), door=Door.SMTP)
    for query, found in {
        "?door=smtp": [other],
        "?verdict=sanitized": [one],
        "?reason=encrypted": [other],
        "?sender=tanaka": [one],
        "?recipient=a@example.com": [other],
        f"?sha256={(await place.journal.find(one)).sha256.upper()}": [other, one],
        "?rule=None_Such": [],
        "?organisation=elsewhere": [],
        "?since=2026-11-01&until=2026-11-30": [other, one],
        "?until=2026-11-01": [],
        "?since=2026-12-01T00:00:00%2B09:00": [],
        f"?before={other}": [one],
        "?q=tanaka%20%E9%A1%98%E6%9B%B8": [one],
        "?reason=&state=&since=": [other, one],
    }.items():
        assert await numbers(place, query) == found, query


@pytest.mark.parametrize("query", ["?since=yesterday", "?door=window", "?reason=none", "?before=20260101-000001", "?colour=red"])
async def test_a_condition_that_is_none_is_a_bad_request_on_both_ways(place: Town, query: str) -> None:
    who = await place.token("kansa")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.get(LIST + query, headers=who)).status == 400
        page = await browser.get("/transfers" + query, headers=who)
        assert page.status == 400
        assert "検索条件を確かめてください" in await page.text()


async def test_one_transfer_tells_its_whole_story(place: Town) -> None:
    number = await place.settled("tanaka", held())
    same = await place.settled("suzuki")
    async with client(place.faces["admin"]) as browser:
        who = await place.token("kansa")
        shown = await (await browser.get(f"{LIST}/{number}", headers=who)).json()
        page = await (await browser.get(f"/transfers/{number}", headers=who)).text()
    assert shown["same"] == [same]
    assert [entry["action"] for entry in shown["record"]] == ["transfer.received", "transfer.processing", "transfer.held"]
    assert set(shown["deeds"]) == {"retry", "again", "keep", "delete"}
    for words in ("経過", "受付済み / received", "保留 / held", "暗号化", "同じファイル", same):
        assert words in page, words
    assert "もう一度処理する" not in page, "an auditor looks"
    async with client(place.faces["admin"]) as browser:
        assert "もう一度処理する" in await (await browser.get(f"/transfers/{number}", headers=await place.token("sousa"))).text()


async def act(place: Town, number: str, deed: str, reason: object = "電話で確認", login: str = "sousa") -> int:
    async with client(place.faces["admin"]) as browser:
        answer = await browser.post(f"{LIST}/{number}/{deed}", headers=await place.token(login), json={"reason": reason})
        return answer.status


async def test_deeds_are_done_and_written_down(place: Town) -> None:
    number = await place.settled("tanaka", report(Verdict.SANITIZED))
    assert await act(place, number, "hold") == 200
    assert (await place.journal.find(number)).state is State.HELD
    assert await act(place, number, "release") == 200
    assert (await place.journal.find(number)).state is State.RELEASED
    assert place.woken
    assert await act(place, number, "delete") == 200
    entries = [entry async for entry in place.journal.entries(subject=number)]
    assert [(entry.actor, "電話で確認" in entry.detail) for entry in entries[-3:]] == [("sousa", True)] * 3


async def test_retry_puts_it_back_to_work(place: Town) -> None:
    number = await place.settled("tanaka", held())
    assert await act(place, number, "retry") == 200
    assert (await place.journal.find(number)).state is State.PROCESSING


@pytest.mark.parametrize(
    ("deed", "reason", "status"),
    [
        ("hold", "", 400),
        ("hold", "  ", 400),
        ("hold", 7, 400),
        ("burn", "x", 400),
        ("hold", "x", 409),
        ("release", "x", 422),
        ("confirm", "x", 422),
        ("as-pixels", "x", 422),
        ("again", "x", 422),
    ],
)
async def test_what_cannot_be_done_is_refused_and_changes_nothing(place: Town, deed: str, reason: object, status: int) -> None:
    number = await place.settled("tanaka", held(Reason.MALWARE))
    before = await place.journal.find(number)
    assert await act(place, number, deed, reason) == status
    assert await place.journal.find(number) == before


@pytest.mark.parametrize("login", ["kansa", "tanaka"])
async def test_only_those_who_operate_act(place: Town, login: str) -> None:
    number = await place.settled("suzuki", held())
    assert await act(place, number, "delete", login=login) == 403
    assert (await place.journal.find(number)).state is State.HELD


async def test_from_the_page(place: Town) -> None:
    number, who = await place.settled("tanaka"), await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        answer = await browser.post(f"/transfers/{number}", headers=who, data={"deed": "hold", "reason": "確認中"}, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, f"/transfers/{number}?done=hold")
        again = await browser.post(f"/transfers/{number}", headers=who, data={"deed": "hold", "reason": "確認中"})
        assert again.status == 409
        assert "できませんでした" in await again.text()
        assert (await browser.post(f"/transfers/{number}", headers=who, data={"deed": "release", "reason": " "})).status == 409


async def test_nobody_confirms_what_he_brought_himself(place: Town) -> None:
    asks = Finding(code="confirm.approval_needed", severity=Severity.LOW, action=Action.REFUSED, where="")
    waiting = msgspec.structs.replace(held(Reason.POLICY), findings=(asks,))
    mine, theirs = await place.settled("sousa", waiting), await place.settled("tanaka", waiting)
    assert await act(place, mine, "confirm") == 422
    async with client(place.faces["admin"]) as browser:
        shown = await (await browser.get(f"{LIST}/{theirs}", headers=await place.token("kansa"))).json()
    assert Deed.CONFIRM in shown["deeds"]


async def test_the_export_is_a_table_that_runs_nothing(place: Town) -> None:
    await place.settled("=HYPERLINK(1)")
    await place.settled("tanaka", held())
    async with client(place.faces["admin"]) as browser:
        answer = await browser.get("/api/v1/transfers.csv?q=tanaka", headers=await place.token("kansa"))
        whole = await browser.get("/api/v1/transfers.csv", headers=await place.token("kansa"))
        assert answer.status == 200
        few, all_ = await answer.read(), await whole.read()
    assert few.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(few.decode("utf-8-sig"))))
    assert [(row["差出人・利用者"], row["状態"], row["理由"]) for row in rows] == [("tanaka", "held", "encrypted")]
    assert "'=HYPERLINK(1)" in all_.decode("utf-8-sig")
    assert [entry.actor async for entry in place.journal.entries() if entry.action == "transfers.exported"] == ["kansa", "kansa"]


async def test_the_workbook_has_the_same_rows_and_runs_nothing(place: Town) -> None:
    await place.settled("=HYPERLINK(1)")
    await place.settled("tanaka", held())
    async with client(place.faces["admin"]) as browser:
        answer = await browser.get("/api/v1/transfers.xlsx?limit=1", headers=await place.token("kansa"))
        assert answer.status == 200
        sheet = openpyxl.load_workbook(io.BytesIO(await answer.read())).worksheets[0]
        assert (await browser.get("/api/v1/transfers.xlsx?colour=red", headers=await place.token("kansa"))).status == 400
    senders = [(row[4].value, row[4].data_type, row[8].data_type) for row in sheet.iter_rows(min_row=2)]
    assert senders == [("tanaka", "s", "n"), ("=HYPERLINK(1)", "s", "n")]
    assert [entry.actor async for entry in place.journal.entries() if entry.action == "transfers.exported"] == ["kansa"]


async def many(place: Town, deed: str, numbers: object, reason: object = "一括の確認", login: str = "sousa") -> tuple[int, dict[str, Any]]:
    async with client(place.faces["admin"]) as browser:
        given = {"deed": deed, "receipt_nos": numbers, "reason": reason}
        answer = await browser.post(LIST, headers=await place.token(login), json=given)
        return answer.status, await answer.json() if answer.status == 200 else {}


async def test_one_deed_on_many_tells_which_it_could_not_be_done_on(place: Town) -> None:
    free, blocked = [await place.settled() for _ in range(3)], await place.settled("suzuki", held(Reason.MALWARE))
    status, told = await many(place, "hold", [*free, blocked])
    assert (status, told["done"], list(told["refused"])) == (200, free, [blocked])
    assert {(await place.journal.find(number)).state for number in free} == {State.HELD}
    assert (await many(place, "release", free))[1]["done"] == free
    summed = [entry async for entry in place.journal.entries() if entry.action == "transfers.many"]
    assert [(entry.actor, "一括の確認" in entry.detail) for entry in summed] == [("sousa", True)] * 2


async def test_many_deleted_together_have_one_disposal_record(place: Town) -> None:
    numbers = [await place.settled("suzuki", held()) for _ in range(3)]
    assert (await many(place, "keep", numbers[:1]))[0] == 200
    status, told = await many(place, "delete", numbers)
    assert (status, told["done"], list(told["refused"])) == (200, numbers[1:], numbers[:1])
    [record] = await place.journal.ask(disposals.listed)
    assert (record.what, record.count, record.actor, record.detail["receipt_nos"]) == ("transfer", 2, "sousa", numbers[1:])
    assert record.detail["reason"] == "一括の確認"


@pytest.mark.parametrize(
    ("deed", "numbers", "reason", "status"),
    [("hold", [], "x", 400), ("hold", "20261118-000001", "x", 400), ("hold", [7], "x", 400), ("burn", ["a"], "x", 400),
     ("hold", ["20200101-000001"], "x", 404), ("hold", None, "", 400), ("confirm", None, "x", 400), ("as-pixels", None, "x", 400),
     ("again", None, "x", 400),
     ("hold", ["a"] + ["b%d" % number for number in range(200)], "x", 400)],
)  # fmt: skip
async def test_what_is_no_deed_for_many_is_refused(place: Town, deed: str, numbers: object, reason: str, status: int) -> None:
    number = await place.settled()
    assert (await many(place, deed, [number] if numbers is None else numbers, reason))[0] == status
    assert (await place.journal.find(number)).state is State.RELEASED


@pytest.mark.parametrize("login", ["kansa", "tanaka"])
async def test_only_those_who_operate_act_on_many(place: Town, login: str) -> None:
    number = await place.settled()
    assert (await many(place, "hold", [number], login=login))[0] == 403


async def test_many_from_the_page_and_deleting_asks_twice(place: Town) -> None:
    numbers, who = [await place.settled("suzuki", held()) for _ in range(2)], await place.token("sousa")
    async with client(place.faces["admin"]) as browser:

        async def send(**given: str) -> tuple[int, str]:
            data = [("receipt_no", number) for number in numbers] + list({"deed": "delete", "reason": "期限切れ"}.items() | given.items())
            answer = await browser.post("/transfers?reason=encrypted", headers=who, data=data)
            return answer.status, await answer.text()

        status, text = await send()
        assert (status, "取り消せません" in text) == (409, True)
        status, text = await send(sure="yes")
        assert (status, "廃棄する：2件" in text) == (200, True)
    assert {(await place.journal.find(number)).state for number in numbers} == {State.DISPOSED}


async def test_what_is_kept_as_evidence_stays_whoever_asks_and_however_old_it_is(place: Town) -> None:
    number = await place.settled("suzuki", held())
    assert await act(place, number, "keep", "事案 IN-2026-0001") == 200
    assert await act(place, number, "keep") == 422
    assert await act(place, number, "delete") == 422
    transfer = await place.journal.find(number)
    with pytest.raises(IllegalTransitionError):
        await place.journal.dispose(transfer.id, at=NOW, actor="retention")
    assert await upkeep.dispose_over_age(place.journal, 1, NOW + 400 * 86_400.0) == 0
    async with client(place.faces["admin"]) as browser:
        page = await (await browser.get(f"/transfers/{number}", headers=await place.token("sousa"))).text()
    assert "証拠保全中" in page
    assert "IN-2026-0001" in page
    assert "廃棄する" not in page
    assert await act(place, number, "let-go", "事案終結") == 200
    assert await act(place, number, "let-go") == 422
    assert await act(place, number, "delete") == 200
    assert await act(place, number, "keep") == 422
    actions = [entry.action async for entry in place.journal.entries(subject=number)]
    assert [action for action in actions if action.startswith("evidence")] == ["evidence.kept", "evidence.let_go"]


async def test_what_matched_is_shown_in_hex_and_becomes_a_rule_that_compiles(place: Town) -> None:
    seen = (Seen("$stub", 0x4E, b"This program <cannot>".hex()), Seen("$mz", 0, b"MZ".hex()))
    match = Match(rule="Embedded_Program", severity=Severity.MEDIUM, where="word/oleObject1.bin", seen=seen)
    number = await place.settled("tanaka", msgspec.structs.replace(report(), matches=(match,)))
    async with client(place.faces["admin"]) as browser:
        page = html.unescape(await (await browser.get(f"/transfers/{number}", headers=await place.token("sousa"))).text())
        looked = await (await browser.get(f"/transfers/{number}", headers=await place.token("kansa"))).text()
    for words in ("0x0000004e", "54 68 69 73 20 70 72 6F", "This program <cannot>", "/exceptions?sha256="):
        assert words in page, words
    assert "Local_" not in looked, "an auditor drafts nothing"
    transfer = await place.journal.find(number)
    drafted = drafting.draft(transfer, await place.journal.report(transfer.id), "sousa")
    assert drafted.text.split("\n")[2] in page
    rules = compile_rules({drafted.name: drafted.text})
    assert [one.rule for one in rules.scan(Source(b"..This program <cannot>"), "", report().input.kind)] == [f"Local_{number.replace('-', '_')}"]
    assert rules.scan(Source(b"This program"), "", report().input.kind) == []


async def test_a_rule_can_be_drafted_where_nothing_matched_yet(place: Town) -> None:
    transfer = await place.journal.find(await place.settled())
    compile_rules({"a.yar": drafting.draft(transfer, report(), "o'brien\n\"x").text})


async def test_what_went_to_a_department_is_found_by_it(place: Town) -> None:
    for name in ("税務課", "総務課"):
        await place.staff.add_department(name, "test")
    for login, name in (("tanaka", "税務課"), ("suzuki", "総務課")):
        await place.known(login)
        account = await place.accounts.find(login)
        assert account is not None
        await place.accounts.change(account, "test", name=login, mail=f"{login}@town.example.jp", role=Role.STAFF)
        await place.staff.move(account, [name], "test", head=False)
    brought, other = await place.settled("tanaka"), await place.settled("suzuki")
    await place.journal.accept(arrival(door=Door.SMTP, sender="a@example.com", recipients=("tanaka@town.example.jp",)))
    [mail] = [one.receipt_no for one in await place.journal.transfers(Filter(sender="a@example.com"))]
    assert await numbers(place, "?department=税務課") == [mail, brought]
    assert await numbers(place, "?department=総務課") == [other]
    assert await numbers(place, "?department=無い課") == []


async def again(place: Town, number: str, login: str = "sousa", **given: object) -> int:
    async with client(place.faces["admin"]) as browser:
        body = {"reason": "崩れるとの電話"} | given
        answer = await browser.post(f"{LIST}/{number}/again", headers=await place.token(login), json=body)
        return answer.status


@pytest.mark.parametrize("way", [*Way])
async def test_what_is_held_is_processed_again_in_the_way_that_is_chosen(place: Town, way: Way) -> None:
    number = await place.settled("tanaka", held(Reason.MALFORMED))
    assert await again(place, number, way=way) == 200
    after = await place.journal.find(number)
    assert (after.state, after.verdict, after.rules) == (State.RELEASED, Verdict.SANITIZED, "rules-1")
    [job] = place.workers.jobs
    expected = {
        Way.POLICY: (False, False, Treatment().link_schemes),
        Way.SECURITY: (True, True, ()),
        Way.STANDARD: (False, False, Treatment().link_schemes),
        Way.PIXELS: (True, True, Treatment().link_schemes),
    }
    assert (job.treatment.pdf_strict_pixels, job.treatment.svg_as_pixels, job.treatment.link_schemes) == expected[way]
    said = [entry async for entry in place.journal.entries(subject=number) if f"again ({way})" in entry.detail]
    assert [(entry.actor, "崩れるとの電話" in entry.detail) for entry in said] == [("sousa", True)]


async def test_what_was_let_go_stays_unless_something_goes_again(place: Town) -> None:
    number = await place.settled("tanaka")
    before = await place.journal.find(number)
    place.workers.answer = lambda job, source: held(Reason.MALFORMED)
    assert await again(place, number) == 422
    assert await place.journal.find(number) == before
    place.workers.answer = lambda job, source: report(source=source, policy=job.policy)
    assert await again(place, number, way="security") == 200
    assert (await place.journal.find(number)).state is State.RELEASED


@pytest.mark.parametrize(
    ("given", "status"),
    [({"way": "loosest"}, 400), ({"reason": " "}, 400), ({"password": 7}, 400), ({"password": "himitsu"}, 422)],
)
async def test_no_such_way_no_reason_or_nothing_locked_changes_nothing(place: Town, given: dict[str, object], status: int) -> None:
    number = await place.settled("tanaka", held(Reason.MALFORMED))
    before = await place.journal.find(number)
    assert await again(place, number, **given) == status
    assert await place.journal.find(number) == before
    assert place.workers.jobs == []


async def test_nobody_chooses_how_his_own_file_is_processed(place: Town) -> None:
    number = await place.settled("sousa", held(Reason.MALFORMED))
    assert await again(place, number) == 422
    assert place.workers.jobs == []


async def test_a_password_given_at_the_desk_is_counted_and_written_nowhere(place: Town) -> None:
    number = await place.settled("tanaka", held(Reason.ENCRYPTED))
    place.workers.answer = lambda job, source: (
        report(source=source, policy=job.policy) if "himitsu" in job.passwords else held(Reason.ENCRYPTED)
    )
    async with client(place.faces["admin"]) as browser:
        page = await (await browser.get(f"/transfers/{number}", headers=await place.token("sousa"))).text()
    assert 'name="password" type="password"' in page
    assert await again(place, number, password="chigau") == 422
    assert (await place.journal.find(number)).state is State.HELD
    assert await again(place, number, password="himitsu") == 200
    assert (await place.journal.find(number)).state is State.RELEASED
    entries = [entry async for entry in place.journal.entries()]
    assert len([entry for entry in entries if entry.action == "transfer.password"]) == 2
    assert not [entry for entry in entries if "himitsu" in entry.detail or "chigau" in entry.detail]


async def test_passwords_run_out(place: Town) -> None:
    number = await place.settled("tanaka", held(Reason.ENCRYPTED))
    place.workers.answer = lambda job, source: held(Reason.ENCRYPTED)
    assert [await again(place, number, password="chigau") for _ in range(MOST_TRIES + 1)] == [422] * (MOST_TRIES + 1)
    assert len(place.workers.jobs) == MOST_TRIES


@pytest.mark.parametrize(("deed", "back", "state"), [("hold", "release", State.RELEASED), ("keep", "let-go", State.RELEASED)])
async def test_what_was_done_can_be_taken_back_on_the_spot(place: Town, deed: str, back: str, state: State) -> None:
    number, who = await place.settled("tanaka"), await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        page = await (await browser.post(f"/transfers/{number}", headers=who, data={"deed": deed, "reason": "間違い"})).text()
        assert "取り消す" in page
        assert f'name="deed" value="{back}"' in page
        page = await (await browser.post(f"/transfers/{number}", headers=who, data={"deed": back, "reason": "取消し"})).text()
        assert f'name="deed" value="{deed}"' in page
    assert (await place.journal.find(number)).state is state


async def test_many_are_taken_back_together_and_what_is_deleted_is_not(place: Town) -> None:
    numbers, who = [await place.settled("tanaka") for _ in range(2)], await place.token("sousa")
    async with client(place.faces["admin"]) as browser:

        async def send(deed: str, **given: str) -> str:
            data = [("receipt_no", number) for number in numbers] + list({"deed": deed, "reason": "確認"}.items() | given.items())
            return await (await browser.post("/transfers", headers=who, data=data)).text()

        page = await send("hold")
        assert [f'type="hidden" name="receipt_no" value="{number}"' in page for number in numbers] == [True, True]
        assert "取り消す" in await send("release")
        assert "取り消す" not in await send("delete", sure="yes")


async def test_one_transfer_shows_its_header_and_its_receipt(place: Town) -> None:
    facts = MailFacts(message_id="<1@partner.example>", subject="照会", author="<b>山田</b> <yamada@partner.example>")
    number = await place.settled("sender@partner.example", report(mail=facts), door=Door.SMTP)
    waits = await place.settled("tanaka", held())
    async with client(place.faces["admin"]) as browser:
        who = await place.token("sousa")
        page = await (await browser.get(f"/transfers/{number}", headers=who)).text()
        for words in ("ヘッダーの差出人", "&lt;b&gt;山田&lt;/b&gt;", "&lt;1@partner.example&gt;", "無害化証明", "input_sha256", "メール / mail", "関所（自動）"):
            assert words in page
        assert "<b>山田" not in page
        page = await (await browser.get(f"/transfers/{waits}", headers=who)).text()
        assert "ヘッダーの差出人" not in page
        assert "input_sha256" not in page
