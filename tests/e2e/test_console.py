"""The console in a real browser: the overview that moves by itself, many at once, four eyes on an original, the stop, reviews, visits."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import expect

from gateway.admin import overview
from gateway.model import Door, State
from gateway.people.accounts import Role
from gateway.storage.halts import Halt
from sanitizers.model import Match, Reason, Seen, Severity
from tests.build.face import Town, quick_passwords, town
from tests.build.faces_served import log_in, served
from tests.build.transfer import BODY, held, report
from tests.e2e.browser import needs_chromium, page, picture
from tests.e2e.test_desks import faults

pytestmark = needs_chromium
SEVEN = shutil.which("7z") or shutil.which("7zz") or ""


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    monkeypatch.setattr(overview, "_LIVE_SECONDS", 0.2)
    monkeypatch.setattr(overview.OverviewDesk.__init__, "__kwdefaults__", {"live": 0.2})
    async with town(tmp_path) as made:
        made.roles |= {"ciso": Role.CISO, "itaku": Role.CONTRACTOR}
        for login in ("tanaka", "sousa", "kanri", "ciso", "itaku"):
            await made.known(login)
        yield made


async def test_the_overview_moves_by_itself(place: Town) -> None:
    await place.settled("tanaka")
    async with served(place, "admin") as address, page() as shown:
        await log_in(shown, address, "sousa")
        await expect(shown.locator("#fresh")).to_contain_text("自動更新中")
        await expect(shown.locator("table.transfers tbody tr")).to_have_count(1)
        number = await place.settled("suzuki@partner.example.jp", held(), door=Door.SMTP)
        await expect(shown.get_by_role("link", name=number)).to_be_visible()
        await expect(shown.locator("table.numbers tr", has_text="合計").locator("td").first).to_have_text("2")
        await picture(shown, "overview-live")
        # Who stands on a link keeps it under his fingers; it moves on when he leaves.
        link = shown.get_by_role("link", name=number)
        await link.focus()
        await place.settled("kacho")
        await expect(shown.locator("#fresh")).to_contain_text("自動更新中")
        await expect(link).to_be_focused()
        await shown.get_by_role("link", name="30日間").click()
        await expect(shown.locator("table.transfers tbody tr")).to_have_count(3)
        await expect(shown.locator("svg.chart g")).to_have_count(30)


async def test_many_are_held_and_deleted_at_once(place: Town) -> None:
    numbers = [await place.settled("tanaka", held(Reason.MALFORMED)) for _ in range(3)]
    async with served(place, "admin") as address, page() as shown:
        await log_in(shown, address, "sousa")
        await shown.goto(address + "/transfers?reason=malformed")
        await shown.get_by_label(numbers[0], exact=True).check()
        await shown.get_by_label("理由（記録されます）").fill("事案の証拠")
        await shown.get_by_role("button", name="証拠として保全する").click()
        await expect(shown.get_by_role("status").first).to_contain_text("証拠として保全する：1件")
        await shown.get_by_role("button", name="すべて選ぶ").click()
        await expect(shown.locator("tbody input:checked")).to_have_count(3)
        await shown.get_by_label("理由（記録されます）").fill("期限切れ")
        await shown.get_by_role("button", name="廃棄する").click()
        await expect(shown.get_by_role("alert")).to_contain_text("取り消せません")
        await shown.get_by_role("button", name="すべて選ぶ").click()
        await shown.get_by_label("理由（記録されます）").fill("期限切れ")
        await shown.get_by_label("廃棄は取り消せないこと").check()
        await picture(shown, "many")
        await shown.get_by_role("button", name="廃棄する").click()
        await expect(shown.get_by_role("alert")).to_contain_text("証拠保全中")
    states = [(await place.journal.find(number)).state for number in numbers]
    assert states == [State.HELD, State.DISPOSED, State.DISPOSED]


@pytest.mark.skipif(not SEVEN, reason="needs 7z")
async def test_four_eyes_on_an_original(place: Town, tmp_path: Path) -> None:
    number = await place.settled("tanaka", held(Reason.MALFORMED))
    async with served(place, "admin") as address, page() as operator, page() as chief:
        await log_in(operator, address, "sousa")
        await operator.goto(address + f"/transfers/{number}")
        await operator.get_by_role("link", name="原本を取り出す").click()
        await operator.get_by_label("理由").fill("検体の解析")
        await operator.get_by_role("button", name="承認を申請する").click()
        await expect(operator.get_by_text("承認を待っています")).to_be_visible()
        await log_in(chief, address, "kanri")
        await chief.goto(address + "/requests")
        await chief.get_by_role("link", name="S-000001").first.click()
        await chief.get_by_role("button", name="承認").first.click()
        await expect(chief.get_by_text("承認済み").first).to_be_visible()
        await operator.reload()
        await operator.get_by_role("button", name="パスワードを作って取り出す").click()
        word = await operator.locator("code.word").inner_text()
        await picture(operator, "original-password")
        async with operator.expect_download() as waiting:
            await operator.get_by_role("link", name="暗号化zip").click()
        archive = await (await waiting.value).path()
        ran = subprocess.run([SEVEN, "x", "-so", f"-p{word}", str(archive)], capture_output=True, timeout=60, check=False)
        assert ran.stdout == BODY
        await operator.goto(address + f"/transfers/{number}")
        await expect(operator.get_by_text("原本の取出し（解析用）").first).to_be_visible()


async def test_what_matched_becomes_an_exception_that_ends(place: Town) -> None:
    seen = (Seen("$dos", 78, b"This program cannot be run in DO".hex()),)
    match = Match(rule="Embedded_Program", severity=Severity.MEDIUM, where="word/oleObject1.bin", seen=seen)
    number = await place.settled("tanaka", msgspec.structs.replace(report(), matches=(match,)))
    async with served(place, "admin") as address, page() as shown, page() as ciso:
        await log_in(shown, address, "sousa")
        await shown.goto(address + f"/transfers/{number}")
        await expect(shown.locator("pre.hex")).to_contain_text("54 68 69 73")
        await picture(shown, "matched")
        await shown.get_by_role("link", name="例外措置を申請する").click()
        digest = (await place.journal.find(number)).sha256
        await expect(shown.locator("#sha256")).to_have_value(digest)
        await expect(shown.locator("#action option[value=confirm]")).to_be_disabled()      # not for a mail
        await shown.locator("#kind").select_option("dxf")
        await shown.locator("#action").select_option("confirm")
        await shown.locator("#until").fill("2026-11-20")
        for field in ("#risk", "#alternative"):
            if await shown.locator(field).count():
                await shown.locator(field).fill("原本の構造を確認する")
        await shown.locator("#why").fill("県の照会の図面")
        await shown.locator("form[action='/exceptions'] button").click()
        await expect(shown.get_by_text("申請しました")).to_be_visible()
        await log_in(ciso, address, "ciso")
        await ciso.goto(address + "/requests")
        await ciso.get_by_role("link", name="S-000001").first.click()
        await ciso.get_by_role("button", name="承認").first.click()
        await expect(ciso.get_by_text("承認済み").first).to_be_visible()
        await shown.goto(address + "/exceptions")
        await expect(shown.locator("td.ok", has_text="有効")).to_be_visible()
        place.clock.pass_by(4 * 86_400)
        await log_in(shown, address, "sousa")
        await shown.goto(address + "/exceptions")
        await expect(shown.locator("td.stop", has_text="期限切れ")).to_be_visible()
        await picture(shown, "exception-over")


async def test_an_emergency_counts_at_once_and_the_ciso_looks_at_it_afterwards(place: Town) -> None:
    async with served(place, "admin") as address, page() as shown, page() as ciso:
        await log_in(shown, address, "kanri")
        await shown.goto(address + "/exceptions")
        await shown.locator("#kind").select_option("svg")
        await shown.locator("#sender").fill("@pref.example.lg.jp")
        await shown.locator("#why").fill("災害対応：県の避難所の図面")
        await shown.get_by_label("緊急例外として今すぐ使います").focus()
        await shown.keyboard.press("Space")
        await shown.keyboard.press("Tab")
        await picture(shown, "emergency-exception")
        await shown.keyboard.press("Enter")
        await expect(shown.get_by_role("status")).to_contain_text("緊急例外 EX-")
        await expect(shown.locator("td", has_text="緊急例外").first).to_contain_text("kanri")
        await log_in(ciso, address, "ciso")
        await expect(ciso.locator(".light.wait", has_text="緊急例外の事後報告")).to_contain_text("CISOの確認待ち 1件")
        await picture(ciso, "emergency-waits")
        await ciso.goto(address + "/requests")
        await ciso.get_by_role("link", name="S-000002").first.click()
        await expect(ciso.get_by_text("確認の期限")).to_be_visible()
        await ciso.get_by_role("button", name="承認").first.click()
        await expect(ciso.get_by_text("承認済み").first).to_be_visible()
        await ciso.goto(address + "/")
        await expect(ciso.locator(".light", has_text="緊急例外の事後報告")).to_have_count(0)


async def test_three_hundred_people_come_by_a_list_that_is_looked_at_first(place: Town, tmp_path: Path) -> None:
    await place.staff.add_department("税務課", "test")
    file = tmp_path / "異動.csv"
    rows = [f"shokuin{number:03d},職員{number:03d},税務課" for number in range(300)]
    file.write_bytes("\n".join(["ログイン名,氏名,所属", *rows, ""]).encode("cp932"))
    before = len(await place.accounts.listed())
    async with served(place, "admin") as address, page() as shown:
        await log_in(shown, address, "kanri")
        await shown.goto(address + "/people-import")
        await shown.get_by_label("ファイル", exact=False).first.set_input_files(str(file))
        await shown.get_by_role("button", name="内容を確認する").click()
        await expect(shown.get_by_text("shokuin299").first).to_be_visible()
        assert len(await place.accounts.listed()) == before, "nothing is done by looking"
        await picture(shown, "import-300")
        await shown.get_by_role("button", name="この内容で実行する").click()
        await expect(shown.locator("tr", has_text="shokuin299").locator("code")).to_be_visible()
        await expect(shown.locator("tr code")).to_have_count(300)
    assert len(await place.accounts.listed()) == before + 300


async def test_processed_again_with_another_strength_and_taken_back(place: Town) -> None:
    """By the keyboard alone, from the menu on."""
    number = await place.settled("tanaka", held(Reason.MALFORMED))
    async with served(place, "admin") as address, page() as shown:
        await log_in(shown, address, "sousa")
        await shown.get_by_role("navigation", name="メニュー").get_by_role("link", name="転送の検索").press("Enter")
        await shown.get_by_role("link", name=number).press("Enter")
        await shown.get_by_text("方法を選んで処理し直す").press("Enter")
        await shown.get_by_label("方法", exact=False).first.select_option("security")
        await shown.get_by_label("やり直す理由").fill("図が崩れるとの電話")
        await picture(shown, "again")
        await shown.keyboard.press("Enter")
        await expect(shown.get_by_text("行いました")).to_be_visible()
        assert (await place.journal.find(number)).state is State.RELEASED
        [job] = place.workers.jobs
        assert job.treatment.pdf_strict_pixels
        await expect(shown.get_by_text("again (security): 図が崩れるとの電話").first).to_be_visible()
        await shown.get_by_label("理由（記録されます）").fill("相手先の確認待ち")
        await shown.get_by_role("button", name="止める").click()
        back = shown.get_by_role("button", name="取り消す")
        await expect(back).to_be_visible()
        assert (await place.journal.find(number)).state is State.HELD
        await picture(shown, "taken-back")
        await back.press("Enter")
        await expect(shown.get_by_text("無害化した結果を通す").first).to_be_visible()
    assert (await place.journal.find(number)).state is State.RELEASED
    entries = [entry async for entry in place.journal.entries(subject=number)]
    assert "直前の操作の取消し" in entries[-1].detail


async def test_the_stop_and_the_way_on(place: Town) -> None:
    async with served(place, "admin") as address, page() as shown:
        await log_in(shown, address, "sousa")
        await shown.get_by_role("link", name="緊急停止").click()
        await shown.get_by_role("button", name="ただちに停止する").click()
        await expect(shown.locator("#reason")).to_be_focused()        # without a reason the browser itself says no
        await shown.keyboard.type("標的型メールの疑い")
        await shown.get_by_role("button", name="ただちに停止する").click()
        await expect(shown.get_by_text("停止中")).to_have_count(2)
        await picture(shown, "stopped")
        assert set(await place.journal.halted()) == set(Halt)
        await shown.locator("#reason").fill("確認が済んだ")
        await shown.get_by_role("button", name="再開する").click()
        await expect(shown.get_by_text("稼働中")).to_have_count(2)
        await shown.get_by_label("停止する差出人のアドレス").fill("nusumareta@town.example.jp")
        await shown.keyboard.press("Tab")
        await shown.keyboard.type("迷惑メールの送信")
        await shown.get_by_role("button", name="この差出人を停止する").click()
        await expect(shown.locator("td", has_text="nusumareta@town.example.jp")).to_be_visible()
        await picture(shown, "sender-stopped")
        await shown.get_by_label("nusumareta@town.example.jp を解除する理由").fill("端末を初期化した")
        await shown.keyboard.press("Enter")
        await expect(shown.locator("td", has_text="nusumareta@town.example.jp")).to_have_count(0)
    assert await place.journal.halted() == {}


async def test_a_review_of_privileges_and_a_visit(place: Town) -> None:
    async with served(place, "admin") as address, page() as chief, page() as ciso:
        await log_in(chief, address, "kanri")
        await chief.get_by_role("link", name="権限棚卸し").click()
        await chief.get_by_role("button", name="棚卸しを始める").click()
        for login in ("ciso", "itaku", "sousa", "tanaka"):
            await chief.get_by_label(f"{login} 判断").select_option("keep")
        await chief.get_by_role("button", name="判断を保存する").click()
        await picture(chief, "review")
        await log_in(ciso, address, "ciso")
        await ciso.goto(chief.url)
        await ciso.get_by_label("kanri 判断").select_option("keep")
        await ciso.get_by_role("button", name="判断を保存する").click()
        await ciso.get_by_role("button", name="完了とする").click()
        await expect(ciso.get_by_text("完了").first).to_be_visible()
        await ciso.get_by_role("link", name="委託事業者の作業").click()
        await ciso.get_by_label("開始").fill("2026-11-19T09:00")
        await ciso.get_by_label("終了").fill("2026-11-19T17:00")
        await ciso.get_by_label("目的").fill("定期保守")
        await ciso.get_by_role("button", name="申請する").click()
        await expect(ciso.get_by_role("status")).to_contain_text("申請しました")


PAGES = ["/?period=month", "/transfers?q=tanaka", "/transfers/{one}/original", "/reviews", "/reviews/{review}", "/visits", "/drills",
         "/monitored", "/emergency", "/exceptions"]  # fmt: skip


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["light", "dark"])
async def test_these_pages_are_for_everybody(place: Town, dark: bool) -> None:
    one = await place.settled("tanaka", held(Reason.MALFORMED))
    wrong: dict[str, list[str]] = {}
    async with served(place, "admin") as address, page(dark=dark) as shown:
        await log_in(shown, address, "kanri")
        await shown.goto(address + "/reviews")
        await shown.get_by_role("button", name="棚卸しを始める").click()
        review = shown.url.rpartition("/")[2]
        for path in PAGES:
            answer = await shown.goto(address + path.format(one=one, review=review))
            assert answer is not None
            assert answer.ok, path
            wrong[path] = await faults(shown)
            await picture(shown, f"console-{path.strip('/').split('/')[0].split('?')[0] or 'overview'}-{'dark' if dark else 'light'}")
    assert {path: found for path, found in wrong.items() if found} == {}
