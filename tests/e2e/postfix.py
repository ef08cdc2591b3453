"""A real Postfix in folders of its own, on loopback, with the lines that `deploy/postfix/` gives to administrators."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.build.ports import free_port

DEPLOY = Path(__file__).resolve().parents[2] / "deploy/postfix"
BINARY = shutil.which("postfix") or "/usr/sbin/postfix"
needs_postfix = pytest.mark.skipif(not Path(BINARY).exists() or os.geteuid() != 0, reason="needs Postfix and root to start it")

_SERVICES = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """One instance. `lines`: of main.cf; `services`: more of master.cf."""

    def __init__(self, lines: str, services: str = "", *, listen: int | None = None) -> None:
        # Paths of its sockets must be short, and its users must be able to reach them.
        self.folder = Path(tempfile.mkdtemp(prefix="pfx"))
        self.folder.chmod(0o755)
        self.port = listen or free_port()
        for name in ("etc", "queue", "data"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        (self.folder / "etc/main.cf").write_text(self._main() + lines)
        (self.folder / "etc/master.cf").write_text(_SERVICES.format(port=f"127.0.0.1:{self.port}") + services)

    def _main(self) -> str:
        return (
            f"queue_directory = {self.folder}/queue\ndata_directory = {self.folder}/data\nmaillog_file = {self.folder}/log\n"
            f"maillog_file_prefixes = {self.folder}\ncompatibility_level = 3.6\ninet_interfaces = loopback-only\ninet_protocols = ipv4\n"
            "myhostname = mx.town.example.jp\nmydestination =\nmynetworks = 192.0.2.0/24\nalias_maps =\nmulti_instance_name =\n"
            "minimal_backoff_time = 2s\nqueue_run_delay = 2s\nmaximal_backoff_time = 4s\nsmtp_dns_support_level = disabled\n"
        )

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([BINARY, "-c", str(self.folder / "etc"), *words], capture_output=True, text=True, timeout=60, check=False)

    def start(self) -> None:
        done = self.command("start")
        assert done.returncode == 0, done.stderr + self.log()
        for _ in range(100):
            if self.command("status").returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError(self.log())

    def stop(self) -> None:
        self.command("abort")
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        file = self.folder / "log"
        return file.read_text("utf-8", "replace")[-4000:] if file.exists() else ""

    def queued(self) -> int:
        """How many messages it still has."""
        found = (self.folder / "queue").glob("*/**/*")
        return sum(1 for path in found if path.is_file() and path.relative_to(self.folder / "queue").parts[0] in
                   ("incoming", "active", "deferred", "maildrop", "hold"))  # fmt: skip


def given(name: str, **ports: int) -> str:
    """A file of deploy/postfix with its example ports replaced by free ones."""
    text = (DEPLOY / name).read_text()
    for example, port in ports.items():
        text = text.replace(example.removeprefix("p"), str(port))
    return text
