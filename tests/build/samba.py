"""A real SMB server on loopback with folders of its own, for as long as a test wants it."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.build.ports import free_port

SMBD: Final = shutil.which("smbd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
PASSWORD: Final = "ひみつ-4711"
_START_SECONDS: Final = 30.0


class Samba(NamedTuple):
    """`folder` is what the share `town` shows."""

    port: int
    user: str
    folder: Path
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def samba(home: Path) -> Iterator[Samba]:
    """Needs SMBD. The user is the one that the tests run as: Samba wants one whom the system knows."""
    port, user, folder = free_port(), getpass.getuser(), home / "town"
    for name in ("private", "lock", "state", "cache", "pid", "ncalrpc", "town"):
        (home / name).mkdir(parents=True)
    (home / "private").chmod(0o700)
    conf = home / "smb.conf"
    conf.write_text(_conf(home, port, user), "utf-8")
    typed = f"{PASSWORD}\n{PASSWORD}\n".encode()
    subprocess.run(["smbpasswd", "-c", str(conf), "-s", "-a", user], input=typed, check=True, capture_output=True, timeout=60)
    assert SMBD is not None
    words = [SMBD, "--foreground", "--no-process-group", f"--configfile={conf}", "--debug-stdout"]
    # Told to end, smbd tells its whole process group: it gets one of its own.
    with (
        (home / "smbd.log").open("wb") as told,
        subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=told, stderr=told, start_new_session=True) as process,
    ):
        try:
            _wait(port, process)
            yield Samba(port, user, folder, process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _conf(home: Path, port: int, user: str) -> str:
    return f"""[global]
smb ports = {port}
interfaces = 127.0.0.1
bind interfaces only = yes
server min protocol = SMB3
server smb encrypt = required
passdb backend = smbpasswd:{home}/private/smbpasswd
private dir = {home}/private
lock directory = {home}/lock
state directory = {home}/state
cache directory = {home}/cache
pid directory = {home}/pid
ncalrpc dir = {home}/ncalrpc
disable netbios = yes
load printers = no
printing = bsd
printcap name = /dev/null
[town]
path = {home}/town
valid users = {user}
read only = no
"""


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"smbd ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError("smbd does not listen")
