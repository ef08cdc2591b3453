"""The desks in a real browser: a clerk phones, somebody looks, releases, approves; and every page is for everybody (axe-core)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from gateway.model import Door, State
from gateway.requests.bringing import Usage
from sanitizers.model import Action, Finding, Match, Reason, Severity
from tests.build.face import Town, client, quick_passwords, town
from tests.build.faces_served import log_in, served
from tests.build.transfer import NOW, RESULT, claimed, held, report, settlement
from tests.e2e.browser import needs_chromium, page, picture

pytestmark = needs_chromium


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    usage = Usage(classifications=("自治体機密性2", "自治体機密性1"), approval="unknown")
    async with town(tmp_path, usage=usage, shares={"share:zeimu": "税務課の共有フォルダー"}) as made:
        await made.staff.add_department("税務課", "test")
        for login, head in (("tanaka", False), ("kacho", True)):
            await made.known(login)
            account = await made.accounts.find(login)
            assert account is not None
            await made.staff.move(account, ["税務課"], "test", head=head)
        for login in ("sousa", "kansa", "kanri"):
            await made.known(login)
        yield made


def poisoned() -> object:
    macro = Finding(code="ooxml.vba", severity=Severity.HIGH, action=Action.REMOVED, where="word/vbaProject.bin")
    match = Match(rule="Office_RemoteTemplate", severity=Severity.MEDIUM, where="word/settings.xml")
    return msgspec.structs.replace(report(), findings=(macro,), matches=(match,))


async def test_a_clerk_phones_and_the_file_is_found_seen_and_let_go(place: Town) -> None:
    number = await place.settled("tanaka", poisoned())  # type: ignore[arg-type]
    await place.settled("sender@partner.example.jp", held(), door=Door.SMTP)
    await place.journal.hold((await place.journal.find(number)).id, at=NOW, actor="sousa", note="確認中")
    async with served(place, "admin") as address, page() as shown:
        await log_in(shown, address, "sousa")
        await expect(shown.get_by_role("heading", name="概況")).to_be_visible()
        await picture(shown, "overview")
        await shown.get_by_role("link", name="転送の検索").click()
        await shown.get_by_role("searchbox").fill("ＴＡＮＡＫＡ　願書")
        await shown.keyboard.press("Enter")
        await expect(shown.locator("tbody tr")).to_have_count(1)
        await shown.get_by_role("link", name=number).click()
        for words in ("VBAマクロ", "Office_RemoteTemplate", "確認中", "経過"):
            await expect(shown.get_by_text(words).first).to_be_visible()
        await picture(shown, "one-transfer")
        release = shown.get_by_role("button", name="無害化した結果を通す")
        await release.click()
        await expect(shown.get_by_label("理由（記録されます）")).to_be_focused()        # without a reason the browser itself says no
        await shown.keyboard.type("電話で内容を確認")
        await shown.keyboard.press("Enter")
        await expect(shown.get_by_text("電話で内容を確認").first).to_be_visible()
    assert (await place.journal.find(number)).state is State.RELEASED


async def test_a_file_of_unknown_class_waits_for_the_head_who_approves_it(place: Town) -> None:
    async with client(place.faces["drop"]) as browser:
        answer = await browser.post("/api/v1/transfers", params={"classification": "不明", "reason": "県の照会"}, data=b"x",
                                    headers=await place.token("tanaka"))  # fmt: skip
        number = (await answer.json())["receipt_no"]
    await place.blobs.put(RESULT)
    claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
    await place.journal.settle(claim, settlement(report(source=b"x")), at=NOW)
    async with served(place, "drop") as address, page() as shown:
        await log_in(shown, address, "tanaka")
        await expect(shown.locator(f"tr[data-receipt='{number}']")).to_contain_text("承認待ち")
        await picture(shown, "waits-for-approval")
        await shown.goto(address + "/requests")
        await expect(shown.get_by_role("button", name="承認")).to_have_count(0)
        # Who asked gets no button; who sends the form nevertheless is refused.
        await shown.goto(address + "/requests/S-000001")
        await expect(shown.get_by_role("button", name="承認")).to_have_count(0)
        await shown.evaluate(
            "() => { const form = document.querySelector('form[action$=\"/withdraw\"]');"
            " form.action = form.action.replace('withdraw', 'approve'); form.submit(); }"
        )
        await expect(shown.get_by_role("alert")).to_contain_text("承認者と申請者が同一です")
        assert (await place.journal.find(number)).state is State.HELD
    async with served(place, "drop") as address, page() as shown:
        await log_in(shown, address, "kacho")
        await shown.get_by_role("link", name="申請・承認").click()
        await shown.get_by_role("link", name="S-000001").first.click()
        await picture(shown, "request")
        await shown.get_by_role("button", name="承認").first.click()
        await expect(shown.get_by_text("承認済み").first).to_be_visible()
    assert (await place.journal.find(number)).state is State.RELEASED


PAGES = {
    "drop": ("tanaka", ["/", "/requests", "/account", "/password", "/transfers/{held}"]),
    "pickup": ("tanaka", ["/", "/account", "/transfers/{done}"]),
    "admin": ("kanri", ["/", "/transfers", "/transfers/{held}", "/transfers/{done}", "/people", "/departments", "/requests", "/account"]),
}


async def faults(shown: Page) -> list[str]:
    """What axe-core calls serious or critical: rule, and the first element."""
    found = (await Axe().run(shown)).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:150]}" for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["light", "dark"])
@pytest.mark.parametrize("face", list(PAGES))
async def test_every_page_is_for_everybody(place: Town, face: str, dark: bool) -> None:
    login, paths = PAGES[face]
    numbers = {"held": await place.settled("tanaka", held(Reason.MALFORMED)), "done": await place.settled("tanaka", poisoned())}  # type: ignore[arg-type]
    wrong: dict[str, list[str]] = {}
    async with served(place, face) as address, page(dark=dark) as shown:
        await shown.goto(address + "/login")
        wrong["/login"] = await faults(shown)
        await log_in(shown, address, login)
        for path in paths:
            answer = await shown.goto(address + path.format(**numbers))
            assert answer is not None
            assert answer.ok, path
            wrong[path] = await faults(shown)
    assert {path: found for path, found in wrong.items() if found} == {}


async def test_the_eyes_that_look_at_the_pages_see() -> None:
    async with page() as shown:
        await shown.set_content("<html lang=ja><title>x</title><main><h1>x</h1><input><p style='color:#ccc;background:#fff'>薄い</p></main></html>")
        assert {one.partition(":")[0] for one in await faults(shown)} == {"color-contrast", "label"}
