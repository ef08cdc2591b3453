"""安全なプレビュー in a real browser: nothing of a file runs there, nothing asks for anything, and everybody can use the pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from gateway.model import Door
from gateway.requests.approvals import Kind
from sanitizers.model import Kind as FileKind
from sanitizers.model import Reason, Verdict
from tests.build import previews
from tests.build.face import Town, quick_passwords, town
from tests.build.faces_served import log_in, served
from tests.build.transfer import report
from tests.e2e.browser import needs_chromium, page, picture
from tests.e2e.test_desks import faults

pytestmark = needs_chromium

_LISTEN = "window.broken = []; document.addEventListener('securitypolicyviolation', event => broken.push(event.violatedDirective))"

_ARRIVED = "Promise.all([...document.images].map(one => one.complete || new Promise(done => { one.onload = one.onerror = done })))"


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        for login in ("tanaka", "sousa", "kacho"):
            await made.known(login)
        yield made


@asynccontextmanager
async def outside() -> AsyncIterator[tuple[str, list[bytes]]]:
    """An address on loopback, and what was asked of it."""
    asked: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/canary", asked
    finally:
        server.close()


@asynccontextmanager
async def watched(address: str, *, dark: bool = False) -> AsyncIterator[Page]:
    """A window in which no script of a file may run, and which may ask for nothing but our own pages."""
    wrong: list[str] = []
    async with page(dark=dark) as shown:
        shown.on("dialog", lambda dialog: wrong.append(dialog.message))
        shown.on("request", lambda request: None if request.url.startswith(address) else wrong.append(request.url))
        await shown.add_init_script(_LISTEN)
        yield shown
    assert wrong == []


async def drawn(shown: Page) -> int:
    """How many pictures there are, each of which is a picture."""
    await shown.evaluate(_ARRIVED)
    widths: list[int] = await shown.evaluate("[...document.querySelectorAll('main img')].map(one => one.naturalWidth)")
    assert all(widths), "a picture is missing"
    assert await shown.evaluate("broken") == []
    return len(widths)


async def brought(place: Town, address: str) -> dict[str, str]:
    """Files that try to reach that address, each by its whole way."""
    pdf, drawing = previews.reaching_pdf(address), previews.reaching_drawing(address)
    mail = previews.reaching_mail((pdf, "資料.pdf".encode()), (drawing, b"zu.svg"), outside=address)
    return {
        "pdf": await previews.through(place, pdf, previews.HOSTILE_NAME),
        "docm": await previews.through(place, previews.reaching_document(address), "通知.docm"),
        "svg": await previews.through(place, drawing, "地図.svg"),
        "mail": await previews.through(place, mail, "message.eml", sender="a@example.jp", door=Door.SMTP),
        "html": await previews.through(place, f'<script src="{address}"></script><img src="{address}" onerror="alert(1)">本文'.encode(), "a.html"),
    }


async def test_nothing_of_hostile_files_runs_or_reaches_out_and_every_page_is_for_everybody(place: Town) -> None:
    async with outside() as (address, asked), served(place, "admin") as face:
        numbers = await brought(place, address)
        wrong: dict[str, list[str]] = {}
        async with watched(face) as shown:
            await log_in(shown, face, "sousa")
            for name, number in numbers.items():
                for path in ("", "/original", *(("/original?view=parts", "/original?view=bytes") if name == "mail" else ())):
                    await shown.goto(f"{face}/transfers/{number}/preview{path}")
                    await expect(shown.get_by_role("heading", name="安全なプレビュー")).to_be_visible()
                    pictures = await drawn(shown)
                    assert pictures == {"": 2, "/original": 1}.get(path, 0) or name not in ("pdf", "svg"), (name, path)
                    if name in ("pdf", "mail"):
                        wrong[f"{name}{path}"] = await faults(shown)
                    await picture(shown, f"preview-{name}{path.replace('/', '-').replace('?', '-')}")
        assert asked == []
    assert {where: found for where, found in wrong.items() if found} == {}


async def test_from_the_desk_by_keyboard_to_a_part_of_a_mail_and_its_comparison(place: Town) -> None:
    number = (await brought(place, previews.OUTSIDE))["mail"]
    async with served(place, "admin") as face, watched(face, dark=True) as shown:
        await log_in(shown, face, "sousa")
        await shown.goto(f"{face}/transfers/{number}")
        await shown.get_by_role("link", name="安全なプレビュー（原本と比較）").focus()
        await shown.keyboard.press("Enter")
        await shown.wait_for_url("**/preview")      # the first look starts the jail
        row = shown.locator("tr", has_text="資料.pdf")
        await expect(row).to_contain_text("JavaScript")
        await expect(shown.locator("ins", has_text="hxxp").first).to_be_visible()
        await row.get_by_role("link", name="比較").focus()
        await shown.keyboard.press("Enter")
        await shown.wait_for_url("**/preview?part=0**")
        await expect(shown.get_by_text("100 %").first).to_be_visible()
        assert await drawn(shown) == 2
        await shown.get_by_role("link", name="2", exact=True).focus()
        await shown.keyboard.press("Enter")
        await shown.wait_for_url("**page=2**")
        await expect(shown.get_by_role("heading", name="2 ページ")).to_be_visible()
        assert await faults(shown) == []
        await picture(shown, "preview-part-dark")
        await shown.goto(f"{face}/transfers/{number}")
        await expect(shown.get_by_text("安全なプレビュー / safe preview").first).to_be_visible()      # in its record


async def test_staff_see_before_and_after_and_at_the_pickup_only_what_they_get(place: Town) -> None:
    number = (await brought(place, previews.OUTSIDE))["pdf"]
    async with served(place, "drop") as face, watched(face) as shown:
        await log_in(shown, face, "tanaka")
        await shown.goto(f"{face}/transfers/{number}")
        await shown.get_by_role("link", name="無害化の前後を見る").click()
        await shown.wait_for_url("**/preview")
        assert await drawn(shown) == 2
        await expect(shown.get_by_text("文字に違いはありません")).to_be_visible()
        assert await faults(shown) == []
        await picture(shown, "preview-drop")
    async with served(place, "pickup") as face, watched(face) as shown:
        await log_in(shown, face, "tanaka")
        await shown.goto(f"{face}/transfers/{number}")
        await shown.get_by_role("link", name="プレビュー").click()
        await shown.wait_for_url("**/preview/result")
        assert await drawn(shown) == 1
        await expect(shown.get_by_text("原本", exact=False)).to_have_count(0)
        await shown.get_by_role("link", name="次のページ").click()
        await shown.wait_for_url("**page=2**")
        await expect(shown.get_by_role("heading", name="2 / 2 ページ")).to_be_visible()
        assert await faults(shown) == []
        await picture(shown, "preview-pickup")


async def test_whoever_confirms_an_original_looks_at_it_first(place: Town) -> None:
    data = previews.reaching_pdf()
    receipt_no = await previews.through(place, data, "図面.pdf", given=report(Verdict.HELD, Reason.POLICY, source=data, kind=FileKind.PDF))
    await place.staff.add_department("税務課", "test")
    for login, head in (("tanaka", False), ("kacho", True)):
        account = await place.accounts.find(login)
        assert account is not None
        await place.staff.move(account, ["税務課"], "test", head=head)
    asking = await place.accounts.find("tanaka")
    assert asking is not None
    number = (await place.approvals.request(Kind.CONFIRMED, receipt_no, asking, "図面のため")).number
    async with served(place, "drop") as face, watched(face) as shown:
        await log_in(shown, face, "kacho")
        await shown.goto(f"{face}/requests/{number}")
        await expect(shown.get_by_text("まだ誰も開いていません")).to_be_visible()
        await shown.get_by_role("link", name="安全なプレビューを開く").click()
        await shown.wait_for_url("**/preview/original")     # there is no result to compare it with
        assert await drawn(shown) == 1
        await shown.get_by_role("link", name=receipt_no).click()
        await shown.wait_for_url(f"**/requests/{number}")
        await expect(shown.get_by_text("kacho（令和")).to_be_visible()
        assert await faults(shown) == []
        await picture(shown, "preview-approval")
