"""An administrator in a real browser: first log-in with password change and an authenticator, a passkey, elevation, people, an approval."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from base64 import b32decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from gateway.people import totp
from tests.build.launcher import Launcher
from tests.build.ports import free_port
from tests.e2e.browser import needs_chromium, page, picture
from tests.e2e.service import Service

pytestmark = needs_chromium

CHOSEN = "kasumi-no-seki 2026"
STRICT = {"SEKISHO_PEOPLE_SECOND_FACTOR": "privileged", "SEKISHO_PEOPLE_ELEVATION": "30m"}


@pytest.fixture
def strict(tmp_path: Path, request: pytest.FixtureRequest, launcher: Launcher) -> Iterator[Service]:
    folder = tmp_path / "strict"
    folder.mkdir()
    service = Service(folder, free_port(), environment=getattr(request, "param", STRICT), launcher=launcher)
    service.start()
    try:
        yield service
    finally:
        service.kill()


def made(service: Service, login: str, *words: str) -> str:
    """The temporary password."""
    added = service.command("user", "add", login, "--name", f"{login}さん", *words, "--json")
    assert added.returncode == 0, added.stderr
    return str(json.loads(added.stdout)["password"])


async def first_log_in(shown: Page, address: str, login: str, first: str) -> None:
    await shown.goto(f"{address}/")
    await log_in(shown, login, first)
    await shown.get_by_label("いまのパスワード").fill(first)
    await shown.get_by_label("新しいパスワード").fill(CHOSEN)
    await shown.keyboard.press("Enter")
    await shown.wait_for_url("**/login")
    await log_in(shown, login, CHOSEN)


async def log_in(shown: Page, login: str, password: str) -> None:
    await shown.get_by_label("ログイン名").fill(login)
    await shown.get_by_label("パスワード").fill(password)
    await shown.keyboard.press("Enter")


async def test_an_administrator_comes_in_and_moves_somebody(strict: Service) -> None:
    first = await asyncio.to_thread(made, strict, "kanri", "--role", "administrator")
    for name in ("総務部", "税務課"):
        await asyncio.to_thread(strict.command, "department", "add", name)
    await asyncio.to_thread(made, strict, "tanaka", "--department", "総務部")
    async with page() as shown:
        address = f"http://localhost:{strict.admin}"
        await first_log_in(shown, address, "kanri", first)
        await expect(shown.get_by_role("heading", name="二要素認証の登録")).to_be_visible()
        await shown.get_by_role("button", name="認証アプリを登録する").press("Enter")
        await expect(shown.locator("img.qr")).to_be_visible()
        await picture(shown, "factors")
        secret = b32decode((await shown.locator("ol code").inner_text()).replace(" ", ""))
        await shown.get_by_label("6桁のコード").fill(totp.code(secret, int(time.time() // 30)))
        await shown.keyboard.press("Enter")
        await expect(shown.locator("ul.codes li")).to_have_count(10)
        await picture(shown, "recovery-codes")
        code = await shown.locator("ul.codes code").first.inner_text()
        await shown.get_by_role("button", name="ログアウト").click()
        await log_in(shown, "kanri", CHOSEN)
        await expect(shown.get_by_role("heading", name="二要素認証")).to_be_visible()
        await picture(shown, "second")
        await expect(shown.locator("[autofocus]")).to_be_focused()
        await shown.keyboard.type(code)
        await shown.keyboard.press("Enter")
        await shown.get_by_role("link", name="利用者").click()
        await picture(shown, "people")
        await shown.get_by_role("link", name="tanaka").click()
        await shown.get_by_label("所属（主務）").select_option("税務課")
        await shown.get_by_role("button", name="変更する").click()
        await expect(shown.get_by_role("heading", name="特権の行使")).to_be_visible()
        await picture(shown, "elevate")
        await expect(shown.locator("[autofocus]")).to_be_focused()
        await shown.keyboard.type("4月1日の異動")
        await shown.keyboard.press("Enter")
        await expect(shown.get_by_text("特権を行使中")).to_be_visible()
        await shown.get_by_label("所属（主務）").select_option("税務課")
        await shown.get_by_role("button", name="変更する").click()
        await expect(shown.get_by_label("所属（主務）")).to_have_value("税務課")
        await picture(shown, "person")
        await shown.get_by_role("link", name="課・グループ").click()
        await expect(shown.locator("tr", has_text="税務課").first).to_contain_text("tanaka")
        await picture(shown, "departments")
        await shown.goto(f"{address}/account")
        await picture(shown, "account")


async def test_a_passkey_in_the_browser(strict: Service) -> None:
    first = await asyncio.to_thread(made, strict, "sousa", "--role", "operator")
    async with page() as shown:
        session = await shown.context.new_cdp_session(shown)
        await session.send("WebAuthn.enable")
        key = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
        await session.send("WebAuthn.addVirtualAuthenticator", {"options": key})
        address = f"http://localhost:{strict.admin}"
        await first_log_in(shown, address, "sousa", first)
        await shown.locator("#passkey-title").fill("机の鍵")
        await shown.get_by_role("button", name="パスキーを登録する").click()
        await expect(shown.locator("tr", has_text="机の鍵")).to_be_visible()
        await shown.get_by_role("button", name="ログアウト").click()
        await log_in(shown, "sousa", CHOSEN)
        await shown.get_by_role("button", name="パスキーで確認する").click()
        await shown.wait_for_url(f"{address}/")
        await expect(shown.get_by_role("link", name="sousaさん")).to_be_visible()


@pytest.mark.parametrize("strict", [{"SEKISHO_PEOPLE_ELEVATION": "30m"}], indirect=True)
async def test_a_list_of_people_is_previewed_and_followed(strict: Service, tmp_path: Path) -> None:
    first = await asyncio.to_thread(made, strict, "kanri", "--role", "administrator")
    await asyncio.to_thread(strict.command, "department", "add", "税務課")
    file = tmp_path / "異動.csv"
    await asyncio.to_thread(file.write_bytes, "ログイン名,氏名,所属\nhanako,山田花子,税務課\ntaro,太郎,夢の課\n".encode("cp932"))
    async with page() as shown:
        await first_log_in(shown, f"http://127.0.0.1:{strict.admin}", "kanri", first)
        await shown.wait_for_url(f"http://127.0.0.1:{strict.admin}/")
        await shown.goto(f"http://127.0.0.1:{strict.admin}/elevate?back=/people-import")
        await expect(shown.locator("[autofocus]")).to_be_focused()
        await shown.keyboard.type("異動")
        await shown.keyboard.press("Enter")
        await shown.get_by_label("ファイル", exact=False).first.set_input_files(str(file))
        await shown.get_by_role("button", name="内容を確認する").click()
        await expect(shown.get_by_text("3行目：課「夢の課」がありません")).to_be_visible()
        await picture(shown, "import-faults")
        await asyncio.to_thread(file.write_bytes, "ログイン名,氏名,所属\nhanako,山田花子,税務課\n".encode("cp932"))
        await shown.get_by_label("ファイル", exact=False).first.set_input_files(str(file))
        await shown.get_by_role("button", name="内容を確認する").click()
        await picture(shown, "import-preview")
        await shown.get_by_role("button", name="この内容で実行する").click()
        await expect(shown.locator("tr", has_text="hanako").locator("code")).to_be_visible()
        await picture(shown, "passwords")


@pytest.mark.parametrize("strict", [{"SEKISHO_PEOPLE_ELEVATION": "30m"}], indirect=True)
async def test_an_administrators_delegate_waits_for_the_ciso(strict: Service) -> None:
    roles = {"kanri": "administrator", "ciso": "ciso", "hosa": "staff"}
    first = {login: await asyncio.to_thread(made, strict, login, "--role", role) for login, role in roles.items()}
    address, today = f"http://127.0.0.1:{strict.admin}", dt.datetime.now(dt.UTC).astimezone().date()
    async with page() as away, page() as chief:
        await first_log_in(away, address, "kanri", first["kanri"])
        await away.get_by_role("link", name="kanriさん").click()
        await expect(away.get_by_text("CISOが認めてから代決できます")).to_be_visible()
        await away.get_by_label("開始日").fill(today.isoformat())
        await away.get_by_label("終了日").fill((today + dt.timedelta(days=7)).isoformat())
        await away.get_by_label("代決者のログイン名").fill("hosa")
        await away.get_by_label("理由").fill("長期研修")
        await away.get_by_role("button", name="登録する").click()
        row = away.locator("tr", has_text="長期研修")
        await expect(row).to_contain_text("承認待ち")
        await picture(away, "delegate-waits")
        await first_log_in(chief, address, "ciso", first["ciso"])
        await chief.get_by_role("link", name="申請・承認").click()
        await chief.locator("tr", has_text="代行者（代決者）の指名").first.get_by_role("link").click()
        await expect(chief.get_by_text("情報システム管理者", exact=False).first).to_be_visible()
        await picture(chief, "delegate-asked")
        await chief.get_by_role("button", name="承認する").click()
        await expect(chief.get_by_text("承認済み").first).to_be_visible()
        await away.reload()
        await expect(row).to_contain_text("CISO承認済み")
        await picture(away, "delegate-approved")


@pytest.mark.parametrize("strict", [{"SEKISHO_PEOPLE_ELEVATION": "30m"}], indirect=True)
async def test_the_drop_opens_once_somebody_permits_it(strict: Service) -> None:
    kanri = await asyncio.to_thread(made, strict, "kanri", "--role", "administrator")
    kaikei = await asyncio.to_thread(made, strict, "kaikei", "--employment", "fiscal_year")
    desk, drop = f"http://127.0.0.1:{strict.admin}", f"http://127.0.0.1:{strict.drop}"
    async with page() as chief, page() as clerk:
        await first_log_in(clerk, drop, "kaikei", kaikei)
        await expect(clerk.get_by_text("取込みの利用が許可されていません")).to_be_visible()
        await expect(clerk.locator("input[type=file]")).to_have_count(0)
        await picture(clerk, "drop-closed")
        await first_log_in(chief, desk, "kanri", kanri)
        await chief.wait_for_url(f"{desk}/")
        await chief.goto(f"{desk}/elevate?back=/people/kaikei")
        await chief.get_by_label("理由").fill("利用の許可")
        await chief.keyboard.press("Enter")
        await expect(chief.get_by_label("任用区分")).to_have_value("fiscal_year")
        await chief.get_by_label("取込みの利用").select_option("yes")
        await chief.get_by_role("button", name="変更する").click()
        await expect(chief.get_by_text("許可する理由がありません")).to_be_visible()
        await chief.get_by_label("取込みの利用").select_option("yes")
        await chief.get_by_label("許可・停止の理由").fill("国の調査票の取込み")
        await chief.get_by_role("button", name="変更する").click()
        await expect(chief.get_by_text("許可：kanri")).to_be_visible()
        await picture(chief, "permitted")
        await clerk.goto(drop)
        await expect(clerk.locator("input[type=file]").first).to_be_attached()
