"""`make run`: start the gateway on its embedded default, send one poisoned mail and one poisoned upload through it, show before and after.

    python deploy/demo/run.py [--once]

The service is the real one: `sekisho serve` as a process of its own, its jail standing, its database and blobs under `var/`. Only
the next hop is a stand-in that keeps mail in memory. `--once` ends after the samples; the exit status is 0 only if they came out right.
"""

from __future__ import annotations

import argparse
import asyncio
import email
import email.policy
import hashlib
import json
import os
import signal
import smtplib
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from email.message import EmailMessage
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP))

from deploy.demo import samples  # noqa: E402 - found through the line above
from gateway import config  # noqa: E402
from mail.server import Server  # noqa: E402
from mail.sink import Sink  # noqa: E402

SEKISHO = [sys.executable, "-m", "gateway.cli"]
JAPANESE = (os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "").startswith("ja")
VAR = TOP / "var"
PATIENCE = 60.0
ADMINISTRATOR = "first-administrator"


def say(ja: str, en: str) -> None:
    print(ja if JAPANESE else en, flush=True)


class Demo:
    """One run. Settings come from the environment (SEKISHO_…) as for the service itself."""

    def __init__(self) -> None:
        os.environ.setdefault("SEKISHO_STORAGE_PATH", str(VAR))
        os.environ.setdefault("SEKISHO_STORAGE_RESERVE", "64 MiB")
        os.environ.setdefault("SEKISHO_SERVICE_LOG_LEVEL", "warning")
        os.environ.setdefault("SEKISHO_SERVICE_LANGUAGE", "ja" if JAPANESE else "en")
        self.settings = config.load(None)
        self.sink = Sink()
        self.service: subprocess.Popen[bytes] | None = None
        self.wrong: list[str] = []

    async def run(self, *, once: bool) -> int:
        hop = await self._listen()
        try:
            await asyncio.to_thread(self._start)
            password = await asyncio.to_thread(self._administrator)
            await self._mail()
            await asyncio.to_thread(self._upload)
            self._doors(password)
            if not once:
                await self._until_interrupted()
        finally:
            await asyncio.to_thread(self._stop)
            await hop.stop(1)
        for what in self.wrong:
            print("WRONG:", what)
        return 1 if self.wrong else 0

    # --------------------------------------------------------------------------------------------------------- service

    async def _listen(self) -> Server:
        host, port = self.settings["relay.next_hop"]
        try:
            return await self.sink.listen(host, port)
        except OSError as error:
            sys.exit(f"sekisho: the next hop's address {host}:{port} cannot be had: {error.strerror}")

    def _start(self) -> None:
        say("関所を起動しています…", "Starting the gateway…")
        self.service = subprocess.Popen([*SEKISHO, "serve"])
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.service.poll() is not None:
                sys.exit("sekisho: the service did not start")
            if self._ready():
                return
            time.sleep(0.1)
        sys.exit("sekisho: the service is not ready")

    def _ready(self) -> bool:
        try:
            return self._get("admin", "/readyz")[0] == 200
        except OSError:
            return False

    def _stop(self) -> None:
        if self.service is not None and self.service.poll() is None:
            self.service.send_signal(signal.SIGTERM)
            try:
                self.service.wait(30)
            except subprocess.TimeoutExpired:
                self.service.kill()

    def _command(self, *words: str) -> list[dict[str, Any]]:
        done = subprocess.run([*SEKISHO, *words, "--json"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def _administrator(self) -> str:
        """The first administrator's single-use password; empty if there is one already."""
        if any(row["login"] == ADMINISTRATOR for row in self._command("user", "list")):
            return ""
        [made] = self._command("user", "add", ADMINISTRATOR, "--role", "administrator", "--name", "管理者")
        return str(made["password"])

    # ------------------------------------------------------------------------------------------------------------ mail

    async def _mail(self) -> None:
        before = samples.mail()
        kept = len(self.sink.messages)
        say("\n■ 見本のメールを送ります（SMTP）", "\n■ Sending the sample mail (SMTP)")
        reply = await asyncio.to_thread(self._send, before)
        receipt_no = reply.rpartition(" ")[2]
        say(f"  受付番号 {receipt_no}", f"  receipt number {receipt_no}")
        after = await self._received(kept)
        if after is None:
            self.wrong.append("the mail did not arrive")
            return
        [row] = [row for row in await asyncio.to_thread(self._command, "transfer", "list") if row["receipt_no"] == receipt_no]
        report = json.loads(subprocess.run([*SEKISHO, "transfer", "show", receipt_no], capture_output=True, check=True).stdout)["report"]
        self._compare(before, after, report)
        self._check_mail(after, row)

    def _send(self, message: EmailMessage) -> str:
        host, port = self.settings["smtp.listen"][0]
        with smtplib.SMTP(host, port, timeout=PATIENCE) as client:
            client.ehlo("partner.example")
            client.mail("taro@partner.example")
            code, why = client.rcpt("clerk@" + self.settings["smtp.domains"][0])
            if code != 250:
                raise RuntimeError(why.decode())
            return client.data(message.as_bytes(policy=email.policy.SMTP))[1].decode()

    async def _received(self, kept: int) -> EmailMessage | None:
        for _ in range(int(PATIENCE * 10)):
            if len(self.sink.messages) > kept:
                found = email.message_from_bytes(self.sink.messages[kept][1], policy=email.policy.default)
                return found if isinstance(found, EmailMessage) else None
            await asyncio.sleep(0.1)
        return None

    def _compare(self, before: EmailMessage, after: EmailMessage, report: dict[str, Any]) -> None:
        say("\n── 前：届いたメール", "\n── before: the mail as it came")
        for part in before.walk():
            if not part.is_multipart():
                content = part.get_payload(decode=True)
                print(f"  {part.get_content_type():<40} {part.get_filename() or '':<16} {len(content or b''):>8} bytes")
        say("\n── 後：次のメールサーバが受け取ったメール", "\n── after: the mail at the next hop")
        for name in ("From", "To", "Subject", "X-Sekisho-Result"):
            print(f"  {name}: {after[name]}")
        for part in after.walk():
            if not part.is_multipart():
                content = part.get_payload(decode=True)
                print(f"  {part.get_content_type():<40} {part.get_filename() or '':<16} {len(content or b''):>8} bytes")
        body = after.get_body(("plain",))
        print("\n".join("  | " + line for line in (body.get_content() if body else "").splitlines()))
        say("\n── 部品ごとの処理と理由", "\n── part by part, with the reasons")
        self._explain(report, 1)

    def _explain(self, report: dict[str, Any], depth: int) -> None:
        from sanitizers.findings import CODES  # noqa: PLC0415 - after the path is set

        indent = "  " * depth
        output = report["output"]
        name = report["input"]["name"] + (f" → {output['name']}" if output and output["name"] != report["input"]["name"] else "")
        print(f"{indent}{report['verdict']:<9} {name}" + (f" ({report['reason']})" if report["reason"] else ""))
        for finding in report["findings"]:
            code = CODES[finding["code"]]
            print(f"{indent}    {finding['action']:<9} {code.ja if JAPANESE else code.en}: {finding['where']} {finding['detail']}"[:160])
        for match in report["matches"]:
            print(f"{indent}    YARA      {match['rule']} ({match['severity']}) {match['where']}")
        for part in report["parts"]:
            self._explain(part, depth + 1)

    def _check_mail(self, after: EmailMessage, row: dict[str, Any]) -> None:
        names = [part.get_filename() for part in after.iter_attachments()]
        if names != ["様式1.docx", "見積書.pdf", "現場写真.jpg", "資料一式.zip"]:
            self.wrong.append(f"attachments are {names}")
        content = b"".join(part.get_payload(decode=True) or b"" for part in after.walk() if not part.is_multipart())
        for trace in (samples.PROGRAM, b"vbaProject", b"/JavaScript", b"Sample Camera", b"<script"):
            if trace in content:
                self.wrong.append(f"{trace[:20]!r} came through")
        if (row["state"], row["verdict"]) not in (("delivered", "sanitized"), ("delivering", "sanitized")):
            self.wrong.append(f"the transfer is {row['state']}, {row['verdict']}")

    # ---------------------------------------------------------------------------------------------------------- upload

    def _upload(self) -> None:
        """By the drop's interface, as the first member of staff, and back at the pickup."""
        say("\n■ 見本のファイルを取り込みます（取込み口）", "\n■ Bringing in the sample file (drop)")
        token = self._clerk()
        headers = {"Authorization": f"Bearer {token}", "X-File-Name": urllib.parse.quote("様式1.docm")}
        status, body = self._request("drop", "/api/v1/transfers", samples.docx(macro=True), headers)
        receipt_no = json.loads(body).get("receipt_no", "")
        say(f"  様式1.docm 受付番号 {receipt_no}（{status}）", f"  様式1.docm receipt number {receipt_no} ({status})")
        shown = self._settled(receipt_no, headers)
        if shown.get("output") is None:
            self.wrong.append(f"the upload is {shown.get('state')} ({shown.get('reason')})")
            return
        status, content = self._request("pickup", f"/api/v1/transfers/{receipt_no}/file", None, headers)
        self._explain(shown["report"], 1)
        digest = hashlib.sha256(content).hexdigest()
        say(f"  受取: {shown['output']} {len(content)} バイト", f"  picked up: {shown['output']} {len(content)} bytes")
        if status != 200 or digest != shown["report"]["output"]["sha256"] or b"vbaProject" in content:
            self.wrong.append("the file at the pickup is not the rebuilt one")

    def _clerk(self) -> str:
        """A clerk's token for the sample. His temporary password is changed first, as the service demands of everybody."""
        login = f"clerk-{int(time.time())}"
        [made] = self._command("user", "add", login, "--name", "見本の職員")
        form = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        base = self._base("drop")
        form.open(f"{base}/login", urllib.parse.urlencode({"login": login, "password": made["password"]}).encode())
        chosen = hashlib.sha256(os.urandom(16)).hexdigest()
        change = urllib.request.Request(f"{base}/password", headers={"Sec-Fetch-Site": "same-origin"})
        change.data = urllib.parse.urlencode({"old": made["password"], "new": chosen}).encode()
        form.open(change)
        [token] = self._command("user", "token", login, "--days", "1")
        return str(token["token"])

    def _settled(self, receipt_no: str, headers: dict[str, str]) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for _ in range(int(PATIENCE * 10)):
            shown = json.loads(self._request("drop", f"/api/v1/transfers/{receipt_no}", None, headers)[1])
            if shown.get("state") not in ("received", "processing"):
                break
            time.sleep(0.1)
        return shown

    # ------------------------------------------------------------------------------------------------------------ HTTP

    def _base(self, face: str) -> str:
        host, port = self.settings[f"{face}.listen"]
        return f"http://{host}:{port}"

    def _get(self, face: str, path: str) -> tuple[int, bytes]:
        return self._request(face, path, None, {})

    def _request(self, face: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        request = urllib.request.Request(self._base(face) + path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    # ----------------------------------------------------------------------------------------------------------- doors

    def _doors(self, password: str) -> None:
        host, port = self.settings["smtp.listen"][0]
        say("\n■ 開いている入口", "\n■ Open doors")
        print(f"  {'SMTP':<15} {host}:{port}")
        for face, ja, en in (("drop", "取込み", "drop"), ("pickup", "受取", "pickup"), ("admin", "管理", "administration")):
            print(f"  {ja if JAPANESE else en:<15} {self._base(face)}/")
        if password:
            say(
                f"  最初の管理者 {ADMINISTRATOR}、一度だけ使えるパスワード {password}",
                f"  first administrator {ADMINISTRATOR}, single-use password {password}",
            )

    async def _until_interrupted(self) -> None:
        say("\n終わるには Ctrl-C を押してください。", "\nPress Ctrl-C to stop.")
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make run")
    arguments.add_argument("--once", action="store_true", help="end after the samples")
    return asyncio.run(Demo().run(once=arguments.parse_args().once))


if __name__ == "__main__":
    sys.exit(main())
