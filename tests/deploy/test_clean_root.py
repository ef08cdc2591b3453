"""Installed by the documented steps into a bare Debian 12: it serves as its own user with the jail standing, is upgraded, and goes again.

Slow: makes a root folder (debootstrap) and an environment in it. Needs root and a mirror; skips without.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
_PACKAGES = "python3,python3-venv,libmagic1,libarchive13,ca-certificates"
_RELEASE = ("deploy", "gateway", "mail", "sanitizers", "rules", "pyproject.toml", "README.md")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]


class Root:
    """A Debian 12 below a folder. `run` works in it, with a /proc of its own, and sees the network of this machine."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.folder = folder
        self.wheels = wheels

    def command(self, *words: str) -> list[str]:
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.folder}/proc", "chroot", str(self.folder), *words]

    def environment(self) -> Mapping[str, str]:
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": "/wheels",
            "SEKISHO_NO_APT": "1",
            "LANG": "C.UTF-8",
        }

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*words), env=self.environment(), capture_output=True, text=True, check=False, timeout=900, stdin=subprocess.DEVNULL
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done

    def unpack(self) -> None:
        """The release, as somebody would copy it there."""
        release = self.folder / "srv/sekisho"
        shutil.rmtree(release, ignore_errors=True)
        release.mkdir(parents=True)
        for name in _RELEASE:
            source = TOP / name
            if source.is_dir():
                shutil.copytree(source, release / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, release / name)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        pytest.skip("needs root and debootstrap")
    folder, wheels = tmp_path_factory.mktemp("clean") / "root", tmp_path_factory.mktemp("wheels")
    given = os.environ.get("SEKISHO_CLEAN_ROOT", "")
    make = ["cp", "-a", given, str(folder)] if given else ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(folder)]
    if subprocess.run(make, capture_output=True, check=False, timeout=900).returncode != 0:
        pytest.skip("a Debian root cannot be made here")
    pip = [sys.executable, "-m", "pip", "download", "-q", "-d", str(wheels)]
    locked = subprocess.run([*pip, "--require-hashes", "-r", str(TOP / "deploy/requirements.lock")], capture_output=True, check=False, text=True)
    built = subprocess.run([*pip, "hatchling>=1.33"], capture_output=True, check=False, text=True)
    if locked.returncode or built.returncode:
        pytest.skip(f"packages cannot be fetched here: {locked.stderr[-300:]}{built.stderr[-300:]}")
    shutil.copytree(wheels, folder / "wheels")
    made = Root(folder, wheels)
    made.unpack()
    yield made
    shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_install_serve_upgrade_uninstall(root: Root) -> None:
    """In one, as each step stands on the one before."""
    assert "installed: " in root.run("sh", "/srv/sekisho/deploy/install.sh").stdout
    owner = root.run("stat", "-c", "%U %a", "/var/lib/sekisho", "/etc/sekisho/sekisho.toml").stdout.split()
    assert owner == ["sekisho", "700", "root", "640"]
    ports = {name: free_port() for name in ("smtp", "drop", "pickup", "admin", "monitor")}
    settings = root.folder / "etc/sekisho/sekisho.toml"
    settings.write_text(
        f"""[storage]
path = "/var/lib/sekisho"
reserve = "1 MiB"
[smtp]
listen = ["127.0.0.1:{ports["smtp"]}"]
domains = ["town.example.jp"]
[mail]
authentication = "off"
[drop]
listen = "127.0.0.1:{ports["drop"]}"
[pickup]
listen = "127.0.0.1:{ports["pickup"]}"
[admin]
listen = "127.0.0.1:{ports["admin"]}"
[monitor]
listen = "127.0.0.1:{ports["monitor"]}"
""",
        "utf-8",
    )
    serves(root, ports, mails=1)
    root.unpack()
    assert "installed: " in root.run("sh", "/srv/sekisho/deploy/install.sh").stdout
    assert "town.example.jp" in settings.read_text("utf-8"), "an upgrade leaves the settings as they are"
    serves(root, ports, mails=2)
    root.run("sh", "/opt/sekisho/deploy/uninstall.sh")
    assert not (root.folder / "opt/sekisho").exists()
    assert (root.folder / "var/lib/sekisho/sekisho.db").exists(), "what was taken in stays"
    root.run("sh", "/srv/sekisho/deploy/uninstall.sh", "--everything")
    assert not (root.folder / "var/lib/sekisho").exists()
    assert "sekisho" not in (root.folder / "etc/passwd").read_text("utf-8")


def serves(root: Root, ports: Mapping[str, int], *, mails: int) -> None:
    """As its own user: the jail stands, a mail comes in and is settled; `mails` are there then, those of before among them."""
    own = ("setpriv", "--reuid=sekisho", "--regid=sekisho", "--clear-groups", "--no-new-privs", "--bounding-set=-all")
    run = ("/usr/local/bin/sekisho", "serve", "--config", "/etc/sekisho/sekisho.toml")
    service = subprocess.Popen(root.command(*own, *run), env=root.environment(), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        until(lambda: status(ports["monitor"], "/readyz") == 200, service)
        with smtplib.SMTP("127.0.0.1", ports["smtp"], timeout=20) as client:
            client.sendmail("a@example.com", ["b@town.example.jp"], b"From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n")
        counted = 'sekisho_settled_total{door="smtp",reason="",verdict="clean"}'
        until(lambda: any(line.startswith(counted) for line in body(ports["monitor"], "/metrics").splitlines()), service)
        assert 'sekisho_jail_wall{wall="seccomp' in body(ports["monitor"], "/metrics")
        listed = root.run(*own, "/usr/local/bin/sekisho", "transfer", "list", "--json", "--config", "/etc/sekisho/sekisho.toml").stdout
        assert len([json.loads(line) for line in listed.splitlines()]) == mails
    finally:
        assert stopped(service) == 0, "it drains and goes"
    (owner,) = {path.stat().st_uid for path in (root.folder / "var/lib/sekisho").iterdir()}
    assert owner != 0


def stopped(service: subprocess.Popen[str]) -> int:
    """Its status. `unshare` passes no signal on, and goes when its child goes."""
    (child, *_) = Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text("ascii").split() or ["0"]
    if int(child):
        os.kill(int(child), signal.SIGTERM)
    try:
        return service.wait(timeout=60)
    except subprocess.TimeoutExpired:
        service.kill()
        return service.wait()


def status(port: int, path: str) -> int:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0


def body(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    return connection.getresponse().read().decode()


def until(done: object, service: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while not done():  # type: ignore[operator]
        if service.poll() is not None or time.monotonic() > end:
            service.kill()
            raise AssertionError(f"the service does not do it: {service.communicate()[1][-3000:]}")
        time.sleep(0.1)
