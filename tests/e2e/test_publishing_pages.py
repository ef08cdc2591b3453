"""Rules in a real browser: one writes and tries, another looks and agrees, by the buttons and the keyboard; and axe-core looks on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from gateway.people.accounts import Role
from gateway.publishing.versions import Subject
from tests.build.face import Town, quick_passwords, town
from tests.build.faces_served import log_in
from tests.build.publishing import NEW_RULE, RULES, Office, office
from tests.e2e.browser import needs_chromium, page, picture
from tests.e2e.test_desks import faults

pytestmark = needs_chromium


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        made.roles["hoka"] = Role.ADMINISTRATOR
        for login in ("kanri", "hoka"):
            await made.known(login)
        yield made


@pytest.fixture
async def desk(place: Town) -> Office:
    return await office(place)


async def test_one_writes_and_another_agrees(place: Town, desk: Office) -> None:
    receipt_no = await place.settled()
    async with TestServer(desk.admin) as server, page() as one, page(dark=True) as other:
        address = str(server.make_url("/")).rstrip("/")
        await log_in(one, address, "kanri")
        await log_in(other, address, "hoka")
        await one.goto(address + "/rules")
        assert await faults(one) == []
        await one.get_by_label("ファイル名").fill("b.yar")
        await one.get_by_label("本文").fill(NEW_RULE + "rule Bad { condition: nonsense }")
        await expect(one.get_by_text('Bad: undefined identifier "nonsense"')).to_be_visible()
        assert await faults(one) == []
        await picture(one, "typed")
        await one.get_by_label("本文").fill(NEW_RULE)
        await expect(one.get_by_text("書き方に誤りはありません")).to_be_visible()
        await one.get_by_label("内容・理由").fill("要望 12")
        await one.keyboard.press("Enter")
        await expect(one.get_by_text("+rule Newer")).to_be_visible()
        await one.get_by_role("button", name="承認を求める").click()
        await one.get_by_role("button", name="過去の原本で試行").click()
        await expect(one.get_by_role("button", name="試行を中止")).to_be_visible()
        assert await faults(one) == []
        assert await desk.trials.run_one() is not None
        await other.goto(address + one.url.removeprefix(address))
        await expect(other.get_by_role("link", name=receipt_no)).to_be_visible()
        assert await faults(other) == []
        await picture(other, "version")
        await other.get_by_role("button", name="承認", exact=False).first.click()
        await expect(other.get_by_text("承認済み").first).to_be_visible()
        await one.reload()
        await one.get_by_role("button", name="公開").click()
        await expect(one.get_by_text("適用中")).to_be_visible()
        assert await desk.publishing.files_in_force(Subject.RULES) == RULES | {"b.yar": NEW_RULE.rstrip("\n") + "\n"}
        await one.goto(address + "/rules")
        await picture(one, "rules")
        await one.get_by_label("前の版に戻す理由").fill("誤検知")
        await one.get_by_role("button", name="前の版に戻す").click()
        await expect(one.get_by_text("適用中").first).to_be_visible()
        assert await desk.publishing.files_in_force(Subject.RULES) == RULES
        await one.goto(address + "/policy")
        assert await faults(one) == []


async def test_policy_is_set_by_a_form_and_the_keyboard(place: Town, desk: Office) -> None:
    async with TestServer(desk.admin) as server, page() as one:
        address = str(server.make_url("/")).rstrip("/")
        await log_in(one, address, "kanri")
        await one.goto(address + "/policy")
        await one.get_by_role("link", name="フォームで設定する").click()
        assert await faults(one) == []
        await picture(one, "policy-form")
        await one.get_by_label("PDFを画像にする").select_option("true")
        await one.get_by_label("ページ数").fill("many")
        await one.get_by_label("内容・理由").fill("要望 15")
        await one.keyboard.press("Enter")
        await expect(one.get_by_role("alert")).to_contain_text("limits.pages")
        await expect(one.get_by_label("PDFを画像にする")).to_have_value("true")
        await one.get_by_label("ページ数").fill("500")
        await one.get_by_role("button", name="起案する").click()
        await expect(one.get_by_text("+pdf_strict_pixels = true")).to_be_visible()
        await expect(one.get_by_text("+pages = 500")).to_be_visible()
        await one.goto(address + "/policy/form")
        await one.get_by_text("別の適用先を加える").click()
        await one.locator("#of").select_option("groups")
        await one.locator("#name").fill("cad")
        await one.keyboard.press("Enter")
        await expect(one.get_by_role("heading", name="groups › cad")).to_be_visible()
        await one.get_by_role("checkbox", name="宛先").check()
        await one.get_by_role("textbox", name="宛先").fill("yamada, @cad.example.jp")
        await one.get_by_label("コメントと変更履歴").select_option("false")
        await one.get_by_label("メール本文のリンクを押せない形").select_option("false")
        await picture(one, "policy-form-group")
        assert await faults(one) == []
        await one.get_by_label("内容・理由").fill("要望 16")
        await one.keyboard.press("Enter")
        await expect(one.get_by_text("+members")).to_be_visible()
        await expect(one.get_by_text("groups.cad.treatment.mail_links_defanged: メール本文のリンクが押せる形で届きます")).to_be_visible()
        drafts = await desk.publishing.listed(Subject.POLICY)
        assert [version.note for version in drafts[:2]] == ["要望 16", "要望 15"]


async def test_the_form_of_a_policy_is_for_those_who_write_it(place: Town, desk: Office) -> None:
    place.roles["kansa"] = Role.AUDITOR
    await place.known("kansa")
    async with TestServer(desk.admin) as server, page() as one:
        address = str(server.make_url("/")).rstrip("/")
        await log_in(one, address, "kansa")
        await one.goto(address + "/policy/form")
        await expect(one.get_by_label("PDFを画像にする")).to_be_disabled()
        assert await one.get_by_role("button", name="起案する").count() == 0
        answer = await one.goto(address + "/policy/form?table=limits&table=x")
        assert answer is not None
        assert answer.status == 404
