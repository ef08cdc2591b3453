"""The pages of staff in a real browser: in English alone, dark and large, every component, a session that is about to end, requests."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from gateway.road.boxes import Quotas
from gateway.storage import accounts, people
from gateway.storage.people import Place
from sanitizers.model import Action, Finding, Reason, Severity, Verdict
from sanitizers.model import Kind as FileKind
from tests.build.face import Town, quick_passwords, town
from tests.build.faces_served import log_in, served
from tests.build.transfer import RESULT, report
from tests.e2e.browser import needs_chromium, page, picture

pytestmark = needs_chromium

JAPANESE = re.compile(r"[぀-ヿ㐀-鿿]+")
# What people called their things stays as they called it.
THEIRS = ("願書", "税務課", "田中", "課長", "日本語", "様式", "関町", "さん")


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """Tanaka, his head, and files of every sort."""
    quick_passwords(monkeypatch)
    async with town(tmp_path, quotas=Quotas(person=8 * len(RESULT), shared=0)) as made:
        for login in ("tanaka", "kacho", "kanri"):
            await made.known(login)

        def placed(connection: object) -> None:
            where = people.department_added(connection, organisation="関町", name="税務課", parent_id=None, at=made.clock(), actor="test")  # type: ignore[arg-type]
            for login, name in (("tanaka", "田中"), ("kacho", "課長")):
                account = accounts.by_login(connection, login)  # type: ignore[arg-type]
                assert account is not None
                accounts.changed(connection, account, at=made.clock(), actor="test", name=name, mail=f"{login}@town.example.jp")  # type: ignore[arg-type]
                at = [Place(department_id=where.id, main=True, head=login == "kacho")]
                people.placed(connection, account, at, at=made.clock(), actor="test")  # type: ignore[arg-type]

        await made.journal.write(placed)
        finding = Finding(code="ooxml.vba", severity=Severity.HIGH, action=Action.REMOVED, where="word/vbaProject.bin")
        made.form = await made.settled(given=msgspec.structs.replace(report(kind=FileKind.DOCM, output=RESULT), findings=(finding,)))  # type: ignore[attr-defined]
        for given in (report(Verdict.HELD, Reason.ENCRYPTED), report(Verdict.BLOCKED, Reason.FORBIDDEN_KIND)):
            await made.settled(given=given)
        for _ in range(6):
            await made.settled()
        yield made


async def serious(shown: Page) -> list[str]:
    found = await Axe().run(shown)
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found.response["violations"] if one["impact"] in ("serious", "critical")]


async def choose(shown: Page, address: str, **chosen: str) -> None:
    await shown.goto(f"{address}/account")
    for name, value in chosen.items():
        await shown.locator(f"select[name={name}]").select_option(value)
    await shown.locator("form[action='/account/view'] button").click()
    await shown.wait_for_url("**/account")


async def test_every_page_of_staff_for_everybody(place: Town) -> None:
    """Pictures to look at; axe finds nothing serious, light, dark and large."""
    form = place.form  # type: ignore[attr-defined]
    async with served(place, "drop") as drop, served(place, "pickup") as pickup, page() as shown:
        for face, address, paths in (
            ("drop", drop, ("/", f"/transfers/{form}", f"/transfers/{form}/receipt", "/account", "/account/style", "/requests", "/password")),
            ("pickup", pickup, ("/", f"/transfers/{form}")),
        ):
            await log_in(shown, address, "tanaka")
            for path in paths:
                await shown.goto(address + path)
                await picture(shown, f"staff-{face}{path.replace('/', '-').replace(form, 'one')}")
                assert await serious(shown) == [], path
        await shown.goto(f"{drop}/transfers/{form}")
        for summary in await shown.locator("summary").all():
            await summary.click()
        await picture(shown, "staff-drop-one-open")
        await choose(shown, drop, look="dark")
        await shown.locator("[name=large]").check()
        await shown.locator("form[action='/account/view'] button").click()
        for path in ("/account", f"/transfers/{form}", "/account/style", "/"):
            await shown.goto(drop + path)
            await picture(shown, f"staff-dark{path.replace('/', '-').replace(form, 'one')}")
            assert await serious(shown) == [], path
        assert await shown.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"


async def test_in_english_there_is_no_japanese_left(place: Town) -> None:
    form = place.form  # type: ignore[attr-defined]
    async with served(place, "drop") as drop, served(place, "pickup") as pickup, page() as shown:
        await shown.goto(f"{drop}/login?lang=en")
        await expect(shown.get_by_role("heading")).to_have_text("Log in")
        await picture(shown, "staff-english-login")
        await log_in(shown, drop, "tanaka")
        await choose(shown, drop, language="en")
        await expect(shown.locator("html")).to_have_attribute("lang", "en")
        await log_in(shown, pickup, "tanaka")
        left = {}
        pages = [(drop, one) for one in ("/", f"/transfers/{form}", f"/transfers/{form}/receipt", "/account", "/account/style", "/account/factors",
                                         "/requests", "/password", "/second")]  # fmt: skip
        for address, path in [*pages, (pickup, "/"), (pickup, f"/transfers/{form}")]:
            await shown.goto(address + path)
            for summary in await shown.locator("summary").all():
                await summary.click()
            await picture(shown, f"staff-english{path.replace('/', '-').replace(form, 'one')}-{'drop' if address == drop else 'pickup'}")
            text = await shown.locator("html").inner_text() + " ".join(await shown.evaluate(
                "[...document.querySelectorAll('[aria-label],[alt],[placeholder],[title]')].flatMap(e => [e.ariaLabel, e.alt, e.placeholder, e.title]).map(String)"
            ))
            for theirs in THEIRS:
                text = text.replace(theirs, "")
            if found := JAPANESE.findall(text):
                left[path] = found
        assert left == {}


async def test_a_session_that_is_about_to_end_says_so_and_stays_by_a_key(place: Town) -> None:
    async with served(place, "drop") as drop, page() as shown:
        await shown.clock.install()
        await log_in(shown, drop, "tanaka")
        seconds = int(await shown.locator("#idle").get_attribute("data-seconds") or 0)
        assert seconds == place.accounts.customs.idle - 60
        await shown.clock.fast_forward((seconds - 125) * 1000)
        await expect(shown.locator("#idle")).not_to_be_visible()
        await shown.clock.fast_forward(10_000)
        await expect(shown.locator("#idle")).to_be_visible()
        await expect(shown.locator("#idle-stay")).to_be_focused()
        await picture(shown, "staff-idle")
        assert await serious(shown) == []
        place.clock.pass_by(seconds - 100)
        async with shown.expect_response("**/account/stay") as answered:
            await shown.keyboard.press("Enter")
        assert (await answered.value).status == 204
        await expect(shown.locator("#idle")).not_to_be_visible()
        place.clock.pass_by(seconds - 100)
        assert (await shown.request.get(f"{drop}/account")).url.endswith("/account"), "the session went on"
        await shown.clock.fast_forward((seconds + 5) * 1000)
        await expect(shown.locator("#idle-over")).to_be_visible()
        await picture(shown, "staff-idle-over")
        await expect(shown.get_by_role("link", name="ログイン")).to_be_focused()


async def test_an_original_is_asked_for_in_the_page(place: Town) -> None:
    form = place.form  # type: ignore[attr-defined]
    async with served(place, "drop") as drop, page() as shown:
        await log_in(shown, drop, "tanaka")
        await shown.goto(f"{drop}/transfers/{form}")
        await shown.get_by_text("原本の取出しを申請する").click()
        wish = shown.locator("details", has_text="原本の取出しを申請する")
        await wish.get_by_label("理由").fill("電子納品の署名を確かめるため")
        await expect(wish.get_by_label("承認者")).to_have_value("kacho")
        await wish.get_by_role("button", name="申請する").click()
        await expect(shown.locator("dd.wait")).to_contain_text("承認待ち")
        await picture(shown, "staff-request")
        number = shown.url.rpartition("/")[2]
        account = await place.accounts.find("kacho")
        assert account is not None
        await place.approvals.approve(number, account)
        await shown.goto(f"{drop}/transfers/{form}")
        async with shown.expect_download() as download:
            await shown.get_by_role("link", name="原本を取り出す").click()
        assert (await (await download.value).path()).stat().st_size > 0
        await shown.get_by_text("インシデントを報告する").click()
        await shown.get_by_label("何が起きたか").fill("開いたら見知らぬ画面が出た")
        await shown.get_by_role("button", name="報告する").click()
        await expect(shown.get_by_role("status")).to_contain_text("IN-")
