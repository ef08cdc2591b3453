"""A password given later opens a locked file without a new upload: through the page's API, the command, and a restart in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
import aiosmtplib
import pytest

from tests.build import locked
from tests.build.launcher import Launcher
from tests.e2e.service import NextHop, Service
from tests.e2e.test_mail import arrived

PASSWORD = "P@ss-1234"
UP = "/api/v1/transfers"


class Clerk:
    """A person with a token, at both faces."""

    def __init__(self, service: Service, session: aiohttp.ClientSession, token: str) -> None:
        self._service, self._session = service, session
        self._headers = {"Authorization": f"Bearer {token}"}

    async def ask(self, port: int, method: str, path: str, **options: Any) -> tuple[int, Any]:
        headers = self._headers | options.pop("headers", {})
        async with self._session.request(method, f"http://127.0.0.1:{port}{path}", headers=headers, **options) as answer:
            body = await answer.read() if path.endswith("/file") else await answer.json(content_type=None)
            return answer.status, body

    async def upload(self, name: str, content: bytes) -> str:
        status, told = await self.ask(self._service.drop, "POST", UP, data=content, headers={"X-File-Name": name})
        assert status == 202
        return str(told["receipt_no"])

    async def shown(self, receipt_no: str) -> Any:
        """Once the road is done with it."""
        for _ in range(1200):
            status, told = await self.ask(self._service.drop, "GET", f"{UP}/{receipt_no}")
            assert status == 200
            if told["state"] not in ("received", "processing"):
                return told
            await asyncio.sleep(0.05)
        raise AssertionError(told)

    async def password(self, receipt_no: str, password: str, port: int | None = None) -> tuple[int, Any]:
        return await self.ask(port or self._service.drop, "POST", f"{UP}/{receipt_no}/password", json={"password": password})


@pytest.fixture
async def clerk(service: Service) -> AsyncIterator[Clerk]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Clerk(service, session, await asyncio.to_thread(service.person, "tanaka", "clerk@town.example.jp"))


@pytest.mark.slow
async def test_every_locked_kind_opens_with_its_password_after_a_restart(service: Service, clerk: Clerk) -> None:
    numbers = {name: await clerk.upload(name, build(PASSWORD)) for name, build in locked.KINDS.items()}
    for name, receipt_no in numbers.items():
        told = await clerk.shown(receipt_no)
        assert (told["state"], told["reason"], len(told["locked"])) == ("held", "encrypted", 1), name
        status, told = await clerk.password(receipt_no, "wrong")
        assert (status, told["tries_left"]) == (422, 4), name
    await asyncio.to_thread(service.kill)
    await asyncio.to_thread(service.start)
    for name, receipt_no in numbers.items():
        status, told = await clerk.password(receipt_no, PASSWORD)
        assert (status, told["state"], told["verdict"], told["locked"]) == (200, "released", "sanitized", []), (name, told)
        status, content = await clerk.ask(service.pickup, "GET", f"{UP}/{receipt_no}/file")
        assert status == 200
        assert content
        assert content != locked.KINDS[name](PASSWORD)
        assert (await clerk.password(receipt_no, PASSWORD))[0] == 409, "nothing is locked any more"
    for file in service.folder.rglob("sekisho.db*"):
        assert PASSWORD.encode() not in file.read_bytes()
    assert PASSWORD not in service.log()


@pytest.mark.slow
async def test_the_command_opens_and_takes_passwords_from_standard_input_only(service: Service, clerk: Clerk) -> None:
    receipt_no = await clerk.upload("a.zip", locked.zip_aes(PASSWORD))
    await clerk.shown(receipt_no)
    wrong = await asyncio.to_thread(service.command, "transfer", "unlock", receipt_no, "--password-file", "-", stdin="one\ntwo\n")
    assert (wrong.returncode, "no password fits" in wrong.stderr) == (1, True)
    right = await asyncio.to_thread(service.command, "transfer", "unlock", receipt_no, "--password-file", "-", stdin=f"three\n{PASSWORD}\n")
    assert right.returncode == 0, right.stderr
    assert (await clerk.shown(receipt_no))["state"] == "released"


async def test_a_locked_attachment_is_opened_by_its_recipient_and_the_mail_comes_again(
    service: Service, clerk: Clerk, next_hop: NextHop
) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "taro@partner.example", "clerk@town.example.jp", "資料"
    message.set_content("資料を送ります。パスワードは別のメールでお知らせします。\n")
    message.add_attachment(locked.zip_aes(PASSWORD), maintype="application", subtype="zip", filename="資料.zip")
    _, reply = await aiosmtplib.send(message, hostname="127.0.0.1", port=service.smtp, start_tls=False)
    receipt_no = reply.rpartition(" ")[2]
    await arrived(next_hop, 1)
    assert [part.get_filename() for part in next_hop.messages[0].iter_attachments()] == []
    status, told = await clerk.ask(service.pickup, "GET", f"{UP}/{receipt_no}")
    assert (status, told["locked"]) == (200, ["資料.zip"])
    for _ in range(100):
        status, told = await clerk.password(receipt_no, PASSWORD, service.pickup)
        if status != 409:       # it may still be in the hands of the post
            break
        await asyncio.sleep(0.05)
    assert (status, told["locked"]) == (200, [])
    await arrived(next_hop, 2)
    assert [part.get_filename() for part in next_hop.messages[1].iter_attachments()] == ["資料.zip"]


async def test_nobody_opens_what_is_not_his(service: Service, clerk: Clerk) -> None:
    receipt_no = await clerk.upload("a.zip", locked.zip_aes(PASSWORD))
    await clerk.shown(receipt_no)
    token = await asyncio.to_thread(service.person, "suzuki", "")
    async with aiohttp.ClientSession() as session:
        other = Clerk(service, session, token)
        assert (await other.password(receipt_no, PASSWORD))[0] == 404
        assert (await other.password(receipt_no, PASSWORD, service.pickup))[0] == 403
    assert (await clerk.shown(receipt_no))["state"] == "held"


async def test_the_password_in_a_second_mail_opens_the_first_where_policy_says_so(tmp_path: Path, next_hop: NextHop, launcher: Launcher) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("[treatment]\nmail_passwords_tried = true\n", "utf-8")
    service = Service(tmp_path / "var", next_hop.port, {"SEKISHO_POLICY_FILE": str(policy)}, launcher=launcher)
    await asyncio.to_thread(service.start)
    try:
        await send(service, "見積書", "パスワードは別途お送りします。", ("見積.zip", locked.KINDS["aes.zip"](PASSWORD)))
        await arrived(next_hop, 1)
        await send(service, "パスワードのお知らせ", f"先ほどのファイルのパスワードは以下の通りです。\n\n{PASSWORD}\n")
        await arrived(next_hop, 3)
        with_file = [message for message in next_hop.messages if [part for part in message.iter_attachments() if part.get_filename()]]
        assert [str(message["Subject"]) for message in with_file] == ["見積書"]
        assert PASSWORD not in service.log()
        assert PASSWORD not in "".join(path.read_bytes().decode("latin-1") for path in service.folder.glob("sekisho.db*"))
    finally:
        await asyncio.to_thread(service.kill)


async def send(service: Service, subject: str, text: str, *files: tuple[str, bytes]) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "taro@partner.example", "clerk@town.example.jp", subject
    message.set_content(text)
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="zip", filename=name)
    await aiosmtplib.send(message, hostname="127.0.0.1", port=service.smtp, start_tls=False)
