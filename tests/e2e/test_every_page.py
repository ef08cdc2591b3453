"""Every page of the administration, of the whole house: in English no Japanese is left, and in a narrow window the page does not slide."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from playwright.async_api import Page

from gateway.people.accounts import Role
from gateway.people.reviews import Reviews
from gateway.policy import KindAction
from gateway.publishing.versions import Subject
from gateway.requests.approvals import Kind
from gateway.requests.exceptions import Wanted
from gateway.storage import senders
from sanitizers.model import Kind as FileKind
from sanitizers.model import Match, Reason, Seen, Severity
from tests.build.faces_served import log_in
from tests.build.house import Open, opened
from tests.build.transfer import BODY, DAY, NOW, RESULT, arrival, claimed, held, report, settlement
from tests.e2e.browser import needs_chromium, page, picture

pytestmark = needs_chromium

JAPANESE = re.compile(r"[぀-ヿ㐀-鿿]+")
# Clauses of policies are quoted as their towns wrote them; so are the heads of columns that a file has, and a sample of a file name.
QUOTED = frozenset({"/conformity", "/people-import", "/account/style"})
PAGES = (
    "/", "/transfers", "/transfers/{done}", "/transfers/{held}", "/transfers/{held}/original", "/requests", "/requests/S-000001", "/requests/S-000002",
    "/exceptions", "/emergency", "/rules", "/policy", "/policy/form", "/policy/versions/{policy}", "/incidents", "/announcements", "/contacts",
    "/audit", "/inspections", "/inspections/exceptions/{month}", "/conformity", "/reports", "/people", "/people/sousa", "/people-import", "/departments",
    "/reviews", "/reviews/{review}", "/visits", "/drills", "/monitored", "/account", "/account/style", "/nothing-is-here",
)  # fmt: skip


async def settled(place: Open, name: str, given: object, at: float) -> str:
    journal = place.house.journal
    _, receipt_no = await journal.accept(arrival(name=name, received_at=at))
    claim = claimed(await journal.claim(1, at=at, lease_until=at + 60))
    await journal.settle(claim, settlement(given), at=at)  # type: ignore[arg-type]
    return receipt_no


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Open, dict[str, str]]]:
    """A house in use; what people called their things is long, and not Japanese."""
    async with opened(tmp_path, monkeypatch, SERVICE_ORGANISATION="Sekimachi") as made:
        await made.staff.add_department("Tax Office", "test")
        for login, role in (("kanri", Role.ADMINISTRATOR), ("sousa", Role.OPERATOR), ("ciso", Role.CISO)):
            await made.known(login, role)
            account = await made.house.accounts.find(login)
            assert account is not None
            await made.house.accounts.change(account, "test", name=f"Name of {login}", mail=f"{login}@town.example.jp", role=role)
        yield made, await used(made)


async def used(made: Open) -> dict[str, str]:
    """What the addresses of PAGES need."""
    house, clock = made.house, made.clock
    for content in (BODY, RESULT):
        await house.blobs.put(content)
    seen = (Seen("$dos", 78, b"This program cannot be run in DO".hex()),)
    match = Match(rule="Embedded_Program", severity=Severity.MEDIUM, where="word/oleObject1.bin", seen=seen)
    done = await settled(made, "a_very_long_name_of_a_document_without_any_space_in_it.docx", msgspec.structs.replace(report(), matches=(match,)), NOW)
    waits = await settled(made, "locked.zip", held(Reason.MALFORMED), NOW + 1)
    people = {login: await house.accounts.find(login) for login in ("kanri", "sousa")}
    kanri, sousa = people["kanri"], people["sousa"]
    assert kanri is not None
    assert sousa is not None
    wanted = Wanted(kind=FileKind.DXF, action=KindAction.CONFIRM, until=clock() + DAY, sha256="ab" * 32, risk="it stays", alternative="one machine")
    await house.exceptions.request(sousa, wanted, "drawings of the prefecture")
    await house.approvals.request(Kind.ANALYSIS, waits, sousa, "to be analysed", detail={"sha256": "cd" * 32})
    await house.journal.write(lambda connection: senders.stop(connection, "sousa@town.example.jp", at=NOW, actor="kanri", reason="spam"))
    review = await Reviews(house.journal, house.accounts, clock).begin(kanri)
    [version, *_] = await house.publishing.listed(Subject.POLICY)
    return {"done": done, "held": waits, "review": review, "policy": str(version.id), "month": "2026-11"}


@asynccontextmanager
async def shown(place: Open, width: int, language: str) -> AsyncIterator[tuple[str, Page]]:
    """The administration in a window of that width."""
    runner = web.AppRunner(place.faces["admin"])
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = "http://{}:{}".format(*runner.addresses[0][:2])
        async with page() as window:
            await window.set_viewport_size({"width": width, "height": 800})
            await log_in(window, address, "kanri")
            await window.goto(f"{address}/account")
            await window.locator("select[name=language]").select_option(language)
            await window.locator("form[action='/account/view'] button").click()
            await window.wait_for_url("**/account")
            yield address, window
    finally:
        await runner.cleanup()


def addresses(known: dict[str, str]) -> list[str]:
    return [path.format(**known) for path in PAGES]


async def test_in_english_there_is_no_japanese_left(place: tuple[Open, dict[str, str]]) -> None:
    house, known = place
    left: dict[str, list[str]] = {}
    async with shown(house, 1280, "en") as (address, window):
        for path in addresses(known):
            await window.goto(address + path)
            text = await window.evaluate(
                "[...document.querySelectorAll('details')].forEach(one => one.open = true); document.documentElement.innerText + ' '"
                " + [...document.querySelectorAll('[aria-label],[alt],[placeholder],[title]')].flatMap(e => [e.ariaLabel, e.alt, e.placeholder, e.title])"
            )
            if (found := JAPANESE.findall(text)) and path not in QUOTED:
                left[path] = found[:8]
    assert {path: found for path, found in left.items() if found != ["日本語"]} == {}


@pytest.mark.parametrize("language", ["ja", pytest.param("en", marks=pytest.mark.slow)])
async def test_a_narrow_window_does_not_slide(place: tuple[Open, dict[str, str]], language: str) -> None:
    """WCAG 2.2, 1.4.10 Reflow: a wide table moves inside of itself."""
    house, known = place
    wide: dict[str, int] = {}
    async with shown(house, 360, language) as (address, window):
        for path in addresses(known):
            await window.goto(address + path)
            over = await window.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            await picture(window, f"narrow-{path.strip('/').replace('/', '-') or 'home'}")
            if over > 0:
                wide[path] = over
    assert wide == {}
