"""A clerk at the drop in a real browser: a folder is dragged, the line breaks, only the keyboard is there, others' files stay others'."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Page, TimeoutError, expect  # noqa: A004 - the browser's own

from deploy.demo import samples
from tests.build import locked
from tests.build.cable import cable
from tests.e2e.browser import needs_chromium, page, picture
from tests.e2e.service import Service
from tests.e2e.test_pages import CHOSEN, first_log_in, folder_of, log_in

pytestmark = needs_chromium

# What the bars of the page have shown, the highest of each file.
WATCH_BARS = """
window.bars = {};
new MutationObserver(() => {
  for (const row of document.querySelectorAll("#results tbody tr")) {
    const bar = row.querySelector("progress"), name = row.querySelector(".name").textContent;
    if (bar && !bar.hidden) window.bars[name] = Math.max(window.bars[name] || 0, bar.hasAttribute("value") ? bar.value : 0);
  }
}).observe(document, { subtree: true, childList: true, attributes: true });
"""


async def drag(shown: Page, path: Path) -> None:
    """As the file manager does it: a folder from outside over the page, and let go."""
    box = await shown.locator("#drop").bounding_box()
    assert box is not None
    session = await shown.context.new_cdp_session(shown)
    where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        await session.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})


async def test_a_folder_of_twenty_files_is_dragged_in(service: Service, tmp_path: Path) -> None:
    await asyncio.to_thread(folder_of, tmp_path)
    async with page() as shown:
        await shown.add_init_script(WATCH_BARS)
        await first_log_in(shown, service)
        await shown.get_by_label("業務名").fill("県の照会")
        await drag(shown, tmp_path / "資料")
        rows = shown.locator("#results tbody tr")
        await expect(rows.locator(".said.ok, .said.stop")).to_have_count(20, timeout=60_000)
        await picture(shown, "folder-dragged")
        bars = await shown.evaluate("window.bars")
        assert len(bars) == 20, "each file had a bar"
        assert max(bars.values()) > 0, "and it moved"
        await expect(rows.filter(has_text="更新.exe").locator(".said")).to_have_class("said stop")
        await rows.filter(has_text="様式1.docm").locator("a").click()
        await expect(shown.get_by_text("マクロ").first).to_be_visible()
    taken = await asyncio.to_thread(service.transfers)
    assert sorted(one["name"] for one in taken) == sorted(path.name for path in (tmp_path / "資料").iterdir())


async def test_a_line_that_breaks_at_sixty_percent(service: Service, tmp_path: Path) -> None:
    """Not between two requests but in the middle of one: what has come is kept, and what was not is sent again by itself."""
    big = tmp_path / "航空写真.txt"
    line = "あいうえお\n".encode()
    big.write_bytes(line * (20_000_000 // len(line)))
    size = big.stat().st_size
    async with cable(service.drop) as line_, page() as shown:
        await first_log_in(shown, service)
        await log_in(shown, line_.port)
        line_.cut_at = line_.sent + int(size * 0.6)
        before = line_.sent
        await shown.locator("#files").set_input_files(str(big))
        await expect(shown.locator("#results .said.ok")).to_have_count(1, timeout=60_000)
        assert line_.cuts == 1
        assert line_.sent - before < size + (9 << 20), "at most the piece that was on its way is sent twice"
    [row] = await asyncio.to_thread(service.transfers)
    assert (row["size"], row["sha256"]) == (size, hashlib.sha256(big.read_bytes()).hexdigest())


@pytest.mark.slow
async def test_the_answer_to_the_last_byte_is_lost(service: Service, tmp_path: Path) -> None:
    """The file is there already: it is found again and not brought a second time."""
    file = tmp_path / "議事録.txt"
    file.write_text("議事録\n" * 1000, "utf-8")
    lost = 0
    async with page() as shown:
        await first_log_in(shown, service)

        async def answer_lost(route: object, request: object) -> None:
            nonlocal lost
            if request.method == "PATCH" and not lost:  # type: ignore[attr-defined]
                lost += 1
                await route.fetch()  # type: ignore[attr-defined]
                await route.abort("connectionreset")  # type: ignore[attr-defined]
            else:
                await route.continue_()  # type: ignore[attr-defined]

        await shown.route("**/api/v1/uploads/*", answer_lost)
        await shown.locator("#files").set_input_files(str(file))
        await expect(shown.locator("#results .said.ok")).to_have_count(1, timeout=60_000)
    assert lost == 1
    assert len(await asyncio.to_thread(service.transfers)) == 1


async def tab_to(shown: Page, selector: str) -> None:
    """By the tabulator key alone, as often as it takes."""
    for _ in range(60):
        if await shown.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        await shown.keyboard.press("Tab")
    raise AssertionError(f"no way to {selector} by keyboard")


async def choose_by_keyboard(shown: Page, file: Path) -> None:
    """The space bar opens the browser's own dialog, which a browser that is short of breath may miss once."""
    await tab_to(shown, "#files")
    for _ in range(4):
        with contextlib.suppress(TimeoutError):
            async with shown.expect_file_chooser(timeout=8_000) as chooser:
                await shown.keyboard.press("Space")
            await (await chooser.value).set_files(str(file))
            return
    raise AssertionError("no dialog")


async def test_from_log_in_to_the_fetched_file_by_keyboard_alone(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "様式1.docm"
    file.write_bytes(samples.docx(macro=True))
    async with page() as shown:
        await first_log_in(shown, service)
        await shown.goto(f"http://127.0.0.1:{service.drop}/")
        await choose_by_keyboard(shown, file)
        await expect(shown.locator("#results .said.ok")).to_have_count(1, timeout=30_000)
        await tab_to(shown, "#results .receipt a")
        await shown.keyboard.press("Enter")
        await expect(shown.get_by_text("マクロ").first).to_be_visible()
        await shown.goto(f"http://127.0.0.1:{service.pickup}/login")
        await tab_to(shown, "[name=login]")
        await shown.keyboard.type("tanaka")
        await tab_to(shown, "[name=password]")
        await shown.keyboard.type(CHOSEN)
        await shown.keyboard.press("Enter")
        await shown.wait_for_url(f"http://127.0.0.1:{service.pickup}/")
        await tab_to(shown, "a[href$='/file']")
        async with shown.expect_download() as download:
            await shown.keyboard.press("Enter")
        fetched = (await (await download.value).path()).read_bytes()
    assert not any("vba" in name.lower() for name in zipfile.ZipFile(io.BytesIO(fetched)).namelist())


async def test_a_locked_zip_with_the_wrong_and_the_right_password_and_nobody_elses(service: Service, tmp_path: Path) -> None:
    """By mouse; then another department's user has the number, and gets nothing for it."""
    file = tmp_path / "名簿.zip"
    file.write_bytes(locked.zip_aes("aikotoba"))
    async with page() as shown:
        await first_log_in(shown, service)
        await shown.locator("#files").set_input_files(str(file))
        await expect(shown.locator("#results .said.stop")).to_have_count(1, timeout=30_000)
        await shown.locator("#results .receipt a").click()
        for password, words in (("chigau", "あと4回"), ("aikotoba", "無害化済み")):
            await shown.get_by_label("パスワード").fill(password)
            await shown.locator("main form button").first.click()
            await expect(shown.get_by_text(words).first).to_be_visible()
        receipt_no = shown.url.rpartition("/")[2]
    async with page() as shown:
        await first_log_in(shown, service, "sato")
        await log_in(shown, service.pickup, "sato")
        await expect(shown.get_by_text("名簿")).to_have_count(0)
        for path in (f"/transfers/{receipt_no}", f"/api/v1/transfers/{receipt_no}/file", "/?box=tanaka"):
            answer = await shown.goto(f"http://127.0.0.1:{service.pickup}{path}")
            assert answer is not None
            assert answer.status == 403
        await picture(shown, "not-yours")
