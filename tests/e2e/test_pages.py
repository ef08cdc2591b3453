"""What a clerk does, in a real browser: first log-in, bringing files in, seeing what happened, a password, fetching the result."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from deploy.demo import samples
from tests.build import locked
from tests.e2e.browser import needs_chromium, page, picture
from tests.e2e.service import Service

pytestmark = needs_chromium

CHOSEN = "kasumi-no-seki 2026"


async def first_log_in(shown: Page, service: Service, login: str = "tanaka") -> None:
    added = await asyncio.to_thread(service.command, "user", "add", login, "--name", "田中", "--json")
    first = json.loads(added.stdout)["password"]
    await shown.goto(f"http://127.0.0.1:{service.drop}/")
    await picture(shown, "log-in")
    await shown.get_by_label("ログイン名").fill(login)
    await shown.get_by_label("パスワード").fill(first)
    await shown.keyboard.press("Enter")
    await picture(shown, "first-password")
    await shown.get_by_label("いまのパスワード").fill(first)
    await shown.get_by_label("新しいパスワード").fill(CHOSEN)
    await shown.keyboard.press("Enter")
    await shown.wait_for_url("**/login")
    await log_in(shown, service.drop, login)


async def log_in(shown: Page, port: int, login: str = "tanaka") -> None:
    await shown.goto(f"http://127.0.0.1:{port}/login")
    await shown.get_by_label("ログイン名").fill(login)
    await shown.get_by_label("パスワード").fill(CHOSEN)
    await shown.keyboard.press("Enter")
    await shown.wait_for_url(f"http://127.0.0.1:{port}/")


def folder_of(tmp_path: Path) -> list[str]:
    """Twenty files of a desk, one of them a program."""
    folder = tmp_path / "資料"
    folder.mkdir()
    for number in range(17):
        (folder / f"メモ{number:02}.txt").write_text(f"会議メモ {number}\n" * 50, "utf-8")
    (folder / "様式1.docm").write_bytes(samples.docx(macro=True))
    (folder / "見積書.pdf").write_bytes(samples.pdf())
    (folder / "更新.exe").write_bytes(samples.PROGRAM)
    return [str(path) for path in sorted(folder.iterdir())]


@pytest.mark.slow     # test_drop.py drags twenty
async def test_twenty_files_at_once_each_with_its_result(service: Service, tmp_path: Path) -> None:
    async with page() as shown:
        await first_log_in(shown, service)
        await shown.locator("#files").set_input_files(await asyncio.to_thread(folder_of, tmp_path))
        done = shown.locator("#results tr .said.ok, #results tr .said.stop")
        await expect(done).to_have_count(20, timeout=60_000)
        await picture(shown, "twenty-files")
        program = shown.locator("#results tr", has_text="更新.exe")
        await expect(program.locator(".said")).to_have_class("said stop")
        form = shown.locator("#results tr", has_text="様式1.docm")
        await expect(form.locator(".said")).to_contain_text("無害化済み")
        await form.locator("a").click()
        await expect(shown.get_by_text("マクロ").first).to_be_visible()
        await picture(shown, "transfer")
        await log_in(shown, service.pickup)
        await picture(shown, "pickup")
        async with shown.expect_download() as download:
            await shown.locator("tr", has_text="様式1.docx").get_by_role("link", name="受け取る").click()
        fetched = (await (await download.value).path()).read_bytes()
        assert not any("vba" in name.lower() for name in zipfile.ZipFile(io.BytesIO(fetched)).namelist())


@pytest.mark.slow     # test_drop.py cuts the line in the middle of a request
async def test_an_upload_that_is_cut_goes_on_where_it_was(service: Service, tmp_path: Path) -> None:
    """60 of 100 percent are sent, then the line breaks for a moment."""
    big = tmp_path / "写真一式.txt"
    line = "あいうえお\n"
    big.write_text(line * (20_000_000 // len(line.encode())), "utf-8")
    patches: list[int] = []
    async with page() as shown:
        await first_log_in(shown, service)

        async def cut(route: object, request: object) -> None:
            offset = int(request.headers["upload-offset"])  # type: ignore[attr-defined]
            patches.append(offset)
            if len(patches) == 2:
                await route.abort("connectionreset")  # type: ignore[attr-defined]
            else:
                await route.continue_()  # type: ignore[attr-defined]

        await shown.route("**/api/v1/uploads/*", lambda route, request: cut(route, request) if request.method == "PATCH" else route.continue_())
        await shown.locator("#files").set_input_files(str(big))
        await expect(shown.locator("#results .said.ok")).to_have_count(1, timeout=60_000)
    assert patches[0] == 0
    assert patches[1] == patches[2] == 8 << 20, "what had come was not sent again"
    [row] = await asyncio.to_thread(service.transfers)
    assert row["size"] == big.stat().st_size


async def test_a_locked_file_is_opened_in_the_page_by_keyboard_alone(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "名簿.zip"
    file.write_bytes(locked.zip_aes("aikotoba"))
    async with page(dark=True) as shown:
        await first_log_in(shown, service)
        await shown.locator("#files").set_input_files(str(file))
        await expect(shown.locator("#results .said.stop")).to_have_count(1, timeout=30_000)
        await shown.locator("#results .receipt a").focus()
        await shown.keyboard.press("Enter")
        await expect(shown.get_by_label("パスワード")).to_be_focused()
        await picture(shown, "locked-dark")
        await shown.keyboard.type("chigau")
        await shown.keyboard.press("Enter")
        await expect(shown.get_by_role("alert")).to_contain_text("あと4回")
        await expect(shown.get_by_label("パスワード")).to_be_focused()
        await shown.keyboard.type("aikotoba")
        await shown.keyboard.press("Enter")
        await expect(shown.locator("dd.ok")).to_contain_text("無害化済み")
        await picture(shown, "opened-dark")
