"""The service as a process of its own, with its own folder and ports, and a next hop that remembers what it was given."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.build.launcher import Forked, Launcher
from tests.build.ports import free_port

SEKISHO = (sys.executable, "-m", "gateway.cli")


@dataclass
class NextHop:
    """Counts messages by Message-ID. `refuse` is a reply given in place of 250."""

    port: int = field(default_factory=free_port)
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refuse: str = ""
    _controller: UnthreadedController | None = None

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's hook
        if self.refuse:
            return self.refuse
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 2.0.0 Ok"

    async def start(self) -> None:
        self._controller = UnthreadedController(
            self, hostname="127.0.0.1", port=self.port, loop=asyncio.get_running_loop(), data_size_limit=64 << 20, enable_SMTPUTF8=True
        )
        self._controller.server = await self._controller._create_server()

    async def stop(self) -> None:
        if self._controller is not None and self._controller.server is not None:
            self._controller.server.close()

    def counts(self) -> Counter[str]:
        return Counter(str(message["Message-ID"]) for message in self.messages)


@dataclass
class Service:
    """`sekisho serve` in a folder. `environment` are extra settings (SEKISHO_…). With a launcher it and the commands start as its forks."""

    folder: Path
    next_hop: int
    environment: dict[str, str] = field(default_factory=dict)
    smtp: int = field(default_factory=free_port)
    drop: int = field(default_factory=free_port)
    pickup: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | Forked | None = None
    roles: str = ""
    launcher: Launcher | None = None

    def _environment(self) -> dict[str, str]:
        settings = {
            "SEKISHO_STORAGE_PATH": str(self.folder),
            "SEKISHO_STORAGE_RESERVE": "1 MiB",
            "SEKISHO_SMTP_LISTEN": f"127.0.0.1:{self.smtp}",
            "SEKISHO_RELAY_NEXT_HOP": f"127.0.0.1:{self.next_hop}",
            "SEKISHO_RELAY_RETRY": "1s",
            "SEKISHO_DROP_LISTEN": f"127.0.0.1:{self.drop}",
            "SEKISHO_PICKUP_LISTEN": f"127.0.0.1:{self.pickup}",
            "SEKISHO_ADMIN_LISTEN": f"127.0.0.1:{self.admin}",
            "SEKISHO_SERVICE_LOG_LEVEL": "warning",
            "SEKISHO_PEOPLE_SECOND_FACTOR": "off",
            "SEKISHO_PEOPLE_ELEVATION": "0",
        }
        return os.environ | settings | self.environment

    def start(self, seconds: float = 120.0) -> None:
        """Returns when it is ready to take in; raises if it is not in time."""
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            words = ["serve", "--role", self.roles] if self.roles else ["serve"]
            if self.launcher is None:
                self.process = subprocess.Popen([*SEKISHO, *words], env=self._environment(), stdout=log, stderr=log)
            else:
                self.process = self.launcher.start(words, self._environment(), log.fileno(), log.fileno(), log.fileno())
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"sekisho serve ended with {self.process.returncode}: {self.log()[-2000:]}")
            if self.ready():
                return
            time.sleep(0.05)
        raise AssertionError(f"not ready: {self.log()[-2000:]}")

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 60.0) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def log(self) -> str:
        return (self.folder.parent / f"{self.folder.name}.log").read_text("utf-8", "replace")

    def command(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        if self.launcher is not None:
            return self.launcher.run(words, self._environment(), stdin)
        return subprocess.run(
            [*SEKISHO, *words], env=self._environment(), capture_output=True, text=True, timeout=60, check=False, input=stdin
        )

    def person(self, login: str, mail: str) -> str:
        """A clerk who has chosen a password of his own; his token."""
        added = self.command("user", "add", login, "--mail", mail, "--json")
        assert added.returncode == 0, added.stderr
        first = json.loads(added.stdout)["password"]
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        drop = f"http://127.0.0.1:{self.drop}"
        opener.open(f"{drop}/login", urllib.parse.urlencode({"login": login, "password": first}).encode())
        page = opener.open(f"{drop}/password").read().decode()
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        chosen = {"csrf": csrf, "old": first, "new": "kasumi-no-seki 2026"}
        opener.open(f"{drop}/password", urllib.parse.urlencode(chosen).encode())
        issued = self.command("user", "token", login, "--json")
        assert issued.returncode == 0, issued.stderr
        return str(json.loads(issued.stdout)["token"])

    def transfers(self) -> list[dict[str, Any]]:
        done = self.command("transfer", "list", "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]
