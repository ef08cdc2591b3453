"""A real Chromium for tests of pages: Debian's, driven by Playwright, never reaching beyond loopback."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
needs_chromium = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs chromium")
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync")  # fmt: skip
# Where pictures of the pages go, to be looked at; nowhere unless asked for.
PICTURES = os.environ.get("SEKISHO_SCREENSHOTS", "")


@asynccontextmanager
async def page(*, dark: bool = False) -> AsyncIterator[Page]:
    """One window of its own. Any error in the page's console, a broken policy of content included, fails the test."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        context = await browser.new_context(locale="ja-JP", color_scheme="dark" if dark else "light", viewport={"width": 1200, "height": 900})
        made = await context.new_page()
        wrong: list[str] = []
        made.on("pageerror", lambda error: wrong.append(str(error)))
        made.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        try:
            yield made
            # What a test provokes on purpose is told by the browser as a failed load.
            assert [text for text in wrong if not text.startswith("Failed to load resource")] == []
        finally:
            await browser.close()


async def picture(shown: Page, name: str) -> None:
    if PICTURES:
        await shown.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
