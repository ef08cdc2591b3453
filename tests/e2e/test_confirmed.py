"""DocuWorks, which nobody can rebuild, by 確認済み: brought in, held with its reason, asked for, looked at, approved by another, fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.build import docuworks
from tests.build.ports import free_port
from tests.e2e.browser import needs_chromium, page, picture
from tests.e2e.service import Service
from tests.e2e.test_people_pages import CHOSEN, first_log_in, log_in, made

pytestmark = needs_chromium

NAME = "設計図.xdw"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Service]:
    """Where policy lets DocuWorks through with an approval."""
    policy = tmp_path / "policy.toml"
    policy.write_text('[treatment]\nconfirmed_kinds = ["xdw", "xbd"]\n', "utf-8")
    service = Service(tmp_path / "var", free_port(), environment={"SEKISHO_POLICY_FILE": str(policy)})
    service.start(90)
    try:
        yield service
    finally:
        service.kill()


async def staff(house: Service) -> tuple[str, str]:
    """The first passwords of a clerk and of the head of the same department."""
    await asyncio.to_thread(house.command, "department", "add", "建設課")
    clerk = await asyncio.to_thread(made, house, "tanaka", "--department", "建設課")
    return clerk, await asyncio.to_thread(made, house, "kacho", "--department", "建設課", "--head")


async def brought(shown: Page, path: Path, tone: str) -> None:
    """On the page of the file, once it is judged."""
    await shown.locator("#files").set_input_files(str(path))
    row = shown.locator("#results tbody tr", has_text=path.name)
    await expect(row.locator(f".said.{tone}")).to_be_visible(timeout=60_000)
    await row.locator("a").first.click()


async def asked_for(shown: Page) -> str:
    """The number of the request, from the page of a held file."""
    await expect(shown.get_by_text("承認待ちの原本").first).to_be_visible()
    await picture(shown, "docuworks-held")
    await shown.get_by_text("確認済みの取込み（原本のまま）を申請する").click()
    form = shown.locator("form", has=shown.locator('input[value="file.confirmed"]'))
    await form.locator("[name=reason]").fill("県から届いた設計図、電話で確認済み")
    await form.get_by_role("button", name="申請する").click()
    await shown.wait_for_url("**/requests/S-*")
    await expect(shown.get_by_text("承認待ち")).to_be_visible()
    await picture(shown, "docuworks-asked")
    return shown.url.rpartition("/")[2]


async def approved(shown: Page, drop: str, number: str) -> None:
    """The word counts only once its giver has opened the preview of the original."""
    await shown.goto(f"{drop}/requests/{number}")
    await shown.get_by_label("内容を目視で確認しました").check()
    await shown.get_by_role("button", name="承認する").click()
    await expect(shown.get_by_role("alert")).to_contain_text("先に")
    await shown.get_by_role("link", name="安全なプレビューを開く").click()
    await expect(shown.get_by_role("heading", name="安全なプレビュー")).to_be_visible()
    await picture(shown, "docuworks-preview")
    await shown.goto(f"{drop}/requests/{number}")
    await expect(shown.get_by_text("原本のプレビューを開いた人")).to_be_visible()
    await shown.get_by_label("内容を目視で確認しました").check()
    await shown.get_by_role("button", name="承認する").click()
    await expect(shown.get_by_text("目視確認済み").first).to_be_visible()
    await picture(shown, "docuworks-approved")


async def test_a_drawing_of_docuworks_by_two_persons(house: Service, tmp_path: Path) -> None:
    drawing = tmp_path / NAME
    drawing.write_bytes(docuworks.document())
    clerk, head = await staff(house)
    drop, pickup = f"http://127.0.0.1:{house.drop}", f"http://127.0.0.1:{house.pickup}"
    async with page() as shown:
        await first_log_in(shown, drop, "tanaka", clerk)
        await brought(shown, drawing, "stop")
        number = await asked_for(shown)
        await shown.context.clear_cookies()
        await first_log_in(shown, drop, "kacho", head)
        await shown.wait_for_url(f"{drop}/")
        await approved(shown, drop, number)
        await shown.context.clear_cookies()
        await shown.goto(f"{pickup}/login")
        await log_in(shown, "tanaka", CHOSEN)
        await shown.wait_for_url(f"{pickup}/")
        async with shown.expect_download() as download:
            await shown.locator("tr", has_text=NAME).get_by_role("link", name="受け取る").click()
        assert (await (await download.value).path()).read_bytes() == drawing.read_bytes()
    [row] = await asyncio.to_thread(house.transfers)
    assert (row["state"], row["verdict"]) == ("released", "confirmed")
