"""Registers, inspections, the audit record and reports in a real browser: an incident from a transfer to its printed report; a record
that is not whole any more; what is announced."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from gateway import periods
from gateway.periods import Every
from gateway.storage import contacts
from tests.build.face import Town, quick_passwords, town
from tests.build.faces_served import log_in, served
from tests.build.transfer import DAY, NOW
from tests.e2e.browser import needs_chromium, page, picture

pytestmark = needs_chromium


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        for login in ("sousa", "kansa", "kanri", "tanaka"):
            await made.known(login)
        yield made


async def looked_at(shown: Page, name: str) -> None:
    """A picture to look at; axe-core calls nothing on the page serious or critical."""
    await picture(shown, name)
    found = await Axe().run(shown)
    bad = [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    assert bad == [], name


async def chain(place: Town) -> None:
    people = (
        (1, "情報政策課長", "佐藤 一郎", "kacho@town.example.jp", "内線 1234", "090-0000-0001", 30),
        (2, "総務部長", "高橋 花子", "bucho@town.example.jp", "内線 1000", "090-0000-0002", 30),
        (3, "副町長（CISO）", "鈴木 次郎", "ciso@town.example.jp", "内線 2", "090-0000-0003", 60),
        (0, "県 情報セキュリティ窓口", "当番", "", "000-000-0000", "000-000-0001", 30),
    )
    for person in people:
        given = dict(zip(("level", "title", "name", "mail", "phone", "phone_after_hours", "minutes"), person, strict=True)) | {"note": ""}
        await place.journal.write(partial(contacts.put, given=given, who="kanri", at=NOW))


async def test_an_incident_from_a_transfer_to_its_printed_report(place: Town) -> None:
    receipt_no = await place.settled("tanaka")
    await place.journal.collected(await place.journal.find(receipt_no), at=NOW + 60, actor="tanaka")
    await chain(place)
    async with served(place, "admin") as address, page() as shown:
        await log_in(shown, address, "sousa")
        await shown.goto(f"{address}/transfers/{receipt_no}")
        await shown.get_by_role("link", name="事案として記録する").click()
        assert await shown.locator("#receipt").input_value() == receipt_no
        await shown.locator("#title").fill("不審な願書の取込み")
        await shown.locator("#text").fill("開いたところ、差出人に心当たりがないと利用者から連絡があった。")
        await looked_at(shown, "registers_incidents")
        await shown.get_by_role("button", name="記録を開始").click()
        await shown.wait_for_url("**/incidents/IN-*")
        assert await shown.get_by_text("受取り画面").count() == 1
        await shown.get_by_role("button", name="対応を引き受ける").click()
        await shown.get_by_text("sousa（").first.wait_for()
        for field, text in (
            ("scope", "受け取った職員1名"),
            ("response", "端末を隔離し、検査した。"),
            ("cause", "標的型メール"),
            ("prevention", "訓練を行う。"),
        ):
            await shown.locator(f"#{field}").fill(text)
        await shown.get_by_role("button", name="保存").click()
        await shown.locator("td.lines", has_text="標的型メール").wait_for()
        await shown.get_by_role("button", name="文書番号を付けて印刷").click()
        await shown.get_by_role("link", name=re.compile("DOC-")).wait_for()
        await looked_at(shown, "registers_incident")
        async with shown.expect_download() as fetching:
            await shown.get_by_role("link", name=re.compile("DOC-")).click()
        file = await (await fetching.value).path()
        assert file.read_bytes().startswith(b"%PDF-")
        await shown.get_by_role("button", name="完了する").click()
        await shown.locator("dd.ok", has_text="完了").wait_for()
        await shown.goto(f"{address}/contacts")
        await looked_at(shown, "registers_contacts")


async def test_a_byte_that_was_changed_in_the_database_is_shown(place: Town) -> None:
    async with served(place, "admin") as address, page() as shown:
        await log_in(shown, address, "kansa")
        await shown.goto(f"{address}/audit")
        await verified(place, address, shown)
        await shown.get_by_text("監査ログの検証：正常").wait_for()
        await looked_at(shown, "registers_audit")
        with sqlite3.connect(place.folder / "sekisho.db") as raw:
            raw.execute("DROP TRIGGER audit_refuses_update")
            raw.execute("UPDATE audit SET actor = actor || 'x' WHERE seq = 3")
        raw.close()
        await verified(place, address, shown)
        await shown.get_by_text("監査ログの検証：異常").wait_for()
        assert await shown.get_by_role("alert").count() == 1
        await looked_at(shown, "registers_audit_broken")
        await shown.goto(f"{address}/incidents")
        assert await shown.get_by_text("監査ログの異常").first.is_visible()


async def verified(place: Town, address: str, shown: Page) -> None:
    await shown.goto(f"{address}/audit")
    await shown.get_by_role("button", name="今すぐ検証").click()
    await shown.wait_for_url("**/audit")
    for walk in list(place.care.verification._walks):
        await asyncio.wait_for(walk, 20)
    await shown.goto(f"{address}/audit")


async def test_an_inspection_is_signed_and_a_case_is_asked(place: Town) -> None:
    for number in range(6):
        await place.journal.record(at=NOW + number, actor="tanaka", action="login.failed", subject="tanaka", detail={"client": "10.1.2.3"})
    month = periods.of(Every.MONTH, NOW)
    place.clock.now = month.until + 20 * DAY
    async with served(place, "admin") as address, page() as shown:
        await log_in(shown, address, "kansa")
        await shown.goto(f"{address}/inspections")
        assert await shown.get_by_text("期限超過").count() > 0
        await looked_at(shown, "registers_inspections")
        await shown.get_by_role("link", name="ログ点検：繰り返されたログイン失敗").first.click()
        await shown.get_by_label("要対応").check()
        await shown.locator("#note").fill("本人に確認した。")
        await looked_at(shown, "registers_inspection")
        await shown.get_by_role("button", name="確認して署名").click()
        await shown.get_by_text("内容のSHA-256").wait_for()
        await shown.goto(f"{address}/audit/cases")
        await shown.locator("#purpose").fill("ログイン失敗の調査")
        await shown.locator("#ordered").fill("CISO（情政第12号）")
        await shown.get_by_role("button", name="調査番号を取る").click()
        await shown.wait_for_url("**/audit/cases/CASE-*")
        await shown.locator("#since").fill("2026-11-01T00:00")
        await shown.locator("#actor").fill("tanaka")
        await shown.get_by_role("button", name="照会", exact=False).first.click()
        await shown.get_by_text("ログイン失敗 / log-in failed").first.wait_for()
        await looked_at(shown, "registers_case")


async def test_reports_and_what_is_announced(place: Town) -> None:
    await place.settled("tanaka")
    async with served(place, "admin") as address, served(place, "drop") as inside, page() as shown:
        await log_in(shown, address, "kanri")
        await shown.goto(f"{address}/reports")
        await shown.locator("#monthly").select_option("2026-11")
        await shown.locator("form", has=shown.locator("#monthly")).get_by_role("button").click()
        await shown.locator("td", has_text="月次報告").first.wait_for()
        await looked_at(shown, "registers_reports")
        await shown.goto(f"{address}/announcements")
        await shown.locator("#title").fill("11月21日（土）は保守のため停止します")
        await shown.locator("#text").fill("9時から12時まで、取込みと受取りができません。\n急ぎのときは情報政策課（内線1234）へ。")
        await shown.locator("#tone").select_option("wait")
        await shown.get_by_role("button", name="掲示する").click()
        await shown.get_by_text("掲示中").wait_for()
        await looked_at(shown, "registers_announcements")
        place.clock.pass_by(11)
        await log_in(shown, inside, "tanaka")
        assert await shown.get_by_text("保守のため停止します").is_visible()
        await looked_at(shown, "registers_announced")
