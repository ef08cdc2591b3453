"""Installed by the documented steps into a bare Debian 12: it serves as its own user with the jail standing, is upgraded, and goes again;
and what the container file says, step by step in such a root, where no engine is needed: the image serves as the file ends.

Slow: makes a root folder (debootstrap) and an environment in it. Needs root and a mirror; skips without.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.build.ports import free_port

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
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    """As it comes, with the wheels of the lock file in it. To be copied."""
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
    yield Root(folder, wheels)
    shutil.rmtree(folder, ignore_errors=True)


def copied(debian: Root, folder: Path) -> Root:
    """Another one of its own."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(debian.folder), str(folder)], check=True, timeout=300)
    return Root(folder, debian.wheels)


@pytest.fixture
def root(debian: Root, tmp_path: Path) -> Iterator[Root]:
    made = copied(debian, tmp_path / "root")
    made.unpack()
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)


def settings_for(ports: Mapping[str, int]) -> str:
    return f"""[storage]
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
"""


def test_install_serve_upgrade_uninstall(root: Root) -> None:
    """In one, as each step stands on the one before."""
    assert "installed: " in root.run("sh", "/srv/sekisho/deploy/install.sh").stdout
    owner = root.run("stat", "-c", "%U %a", "/var/lib/sekisho", "/etc/sekisho/sekisho.toml").stdout.split()
    assert owner == ["sekisho", "700", "root", "640"]
    ports = {name: free_port() for name in ("smtp", "drop", "pickup", "admin", "monitor")}
    settings = root.folder / "etc/sekisho/sekisho.toml"
    settings.write_text(settings_for(ports), "utf-8")
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


# ----------------------------------------------------------------------------------------------------------- container

# What such a root has already is not fetched again: `apt-get install` only says whether it is there.
_NO_APT = """#!/bin/sh
[ "$1" = install ] || exit 0
shift
for name; do
    case $name in -*) ;; *) dpkg-query -W -f='${Status}' "$name" | grep -q 'ok installed' || exit 1 ;; esac
done
"""


class Image:
    """What the steps of one stage have made of a root: its folder, and under which circumstances the next step runs."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self.environment: dict[str, str] = {}
        self.user, self.folder = "0", "/"
        self.entrypoint: tuple[str, ...] = ()
        self.command: tuple[str, ...] = ()
        self.health: tuple[str, ...] = ()
        stub = root.folder / "usr/local/sbin/apt-get"
        stub.write_text(_NO_APT, "utf-8")
        stub.chmod(0o755)

    def step(self, name: str, rest: str, others: Mapping[str, Image]) -> None:
        if name == "RUN":
            done = self.run("sh", "-c", rest)
            assert done.returncode == 0, f"{rest}: {done.stdout[-1_000:]}{done.stderr[-2_000:]}"
        elif name == "COPY":
            self.copy(rest.split(), others)
        elif name == "ENV":
            self.environment |= dict(word.split("=", 1) for word in rest.split())
        elif name == "USER":
            self.user = rest
        elif name == "WORKDIR":
            self.folder = rest
            (self.root.folder / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif name == "ENTRYPOINT":
            self.entrypoint = tuple(json.loads(rest))
        elif name == "CMD":
            self.command = tuple(json.loads(rest))
        elif name == "HEALTHCHECK":
            self.health = tuple(json.loads(rest[rest.index("[") :]))
        else:
            assert name in ("VOLUME", "EXPOSE", "STOPSIGNAL"), name

    def copy(self, words: list[str], others: Mapping[str, Image]) -> None:
        source = TOP
        if words[0].startswith("--from="):
            source, words = others[words[0].removeprefix("--from=")].root.folder, words[1:]
        *names, to = words
        target = self.root.folder / to.lstrip("/") if to.startswith("/") else self.root.folder / self.folder.lstrip("/") / to
        for one in names:
            whole = source / one.lstrip("/")
            if whole.is_dir():          # what is in it goes there, not the folder itself
                shutil.copytree(whole, target, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (target if to.endswith("/") else target.parent).mkdir(parents=True, exist_ok=True)
                shutil.copy(whole, target)

    def words(self, *words: str) -> list[str]:
        own = ("setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--no-new-privs", "--bounding-set=-all")
        inside = ("env", "-C", self.folder, *(f"{key}={value}" for key, value in self.environment.items()))
        return self.root.command(*(own if self.user != "0" else ()), *inside, *words)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.words(*words), env=self.root.environment(), capture_output=True, text=True, check=False, timeout=900)


def built(debian: Root, folder: Path) -> Image:
    """The last stage of the container file, its steps taken one by one."""
    text = (TOP / "deploy/Containerfile").read_text("utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ").splitlines()
    images: dict[str, Image] = {}
    for line in filter(str.strip, lines):
        name, rest = line.split(maxsplit=1)
        if name == "FROM":
            label = rest.partition(" AS ")[2] or "last"
            images[label] = image = Image(copied(debian, folder / label))
        else:
            image.step(name, " ".join(rest.split()), images)
    return images["last"]


def test_the_steps_of_the_container_file_make_an_image_that_serves(debian: Root, tmp_path: Path) -> None:
    image = built(debian, tmp_path)
    try:
        ports = {name: free_port() for name in ("smtp", "drop", "pickup", "admin", "monitor")}
        settings = image.root.folder / "etc/sekisho/sekisho.toml"
        settings.parent.mkdir()
        settings.write_text(settings_for(ports).replace('path = "/var/lib/sekisho"\n', ""), "utf-8")
        service = subprocess.Popen(
            image.words(*image.entrypoint, *image.command), env=image.root.environment(), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        try:
            taken_in(ports, service)
            assert image.run(*image.health).returncode == 0, "its health check says so too"
        finally:
            assert stopped(service) == 0
        (owner,) = {path.stat().st_uid for path in (image.root.folder / "var/lib/sekisho").iterdir() if path.suffix == ".db"}
        assert str(owner) == image.user
    finally:
        for one in tmp_path.iterdir():
            shutil.rmtree(one, ignore_errors=True)


# -------------------------------------------------------------------------------------------------------------- serving


def serves(root: Root, ports: Mapping[str, int], *, mails: int) -> None:
    """As its own user: the jail stands, a mail comes in and is settled; `mails` are there then, those of before among them."""
    own = ("setpriv", "--reuid=sekisho", "--regid=sekisho", "--clear-groups", "--no-new-privs", "--bounding-set=-all")
    run = ("/usr/local/bin/sekisho", "serve", "--config", "/etc/sekisho/sekisho.toml")
    service = subprocess.Popen(root.command(*own, *run), env=root.environment(), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        taken_in(ports, service)
        listed = root.run(*own, "/usr/local/bin/sekisho", "transfer", "list", "--json", "--config", "/etc/sekisho/sekisho.toml").stdout
        assert len([json.loads(line) for line in listed.splitlines()]) == mails
    finally:
        assert stopped(service) == 0, "it drains and goes"
    (owner,) = {path.stat().st_uid for path in (root.folder / "var/lib/sekisho").iterdir()}
    assert owner != 0


def taken_in(ports: Mapping[str, int], service: subprocess.Popen[str]) -> None:
    """One mail, to its settlement behind the walls."""
    until(lambda: status(ports["monitor"], "/readyz") == 200, service)
    with smtplib.SMTP("127.0.0.1", ports["smtp"], timeout=20) as client:
        client.sendmail("a@example.com", ["b@town.example.jp"], b"From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n")
    counted = 'sekisho_settled_total{door="smtp",reason="",verdict="clean"}'
    until(lambda: any(line.startswith(counted) for line in body(ports["monitor"], "/metrics").splitlines()), service)
    assert 'sekisho_jail_wall{wall="seccomp' in body(ports["monitor"], "/metrics")


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
