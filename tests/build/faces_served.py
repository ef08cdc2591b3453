"""The faces of a town on ports of loopback, for a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from playwright.async_api import Page

from tests.build.face import PASSWORD, Town


@asynccontextmanager
async def served(place: Town, face: str) -> AsyncIterator[str]:
    """The address of that face."""
    runner = web.AppRunner(place.faces[face])
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def log_in(shown: Page, address: str, login: str) -> None:
    """A person who is known already."""
    await shown.goto(address + "/login")
    await shown.locator("[name=login]").fill(login)
    await shown.locator("[name=password]").fill(PASSWORD)
    await shown.locator("main button").first.click()
    await shown.wait_for_url(lambda url: not url.endswith("/login"))
