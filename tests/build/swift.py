"""A real object store that speaks S3 on loopback: OpenStack Swift with s3api (Debian's packages), its data in a folder of its own.

Four processes, as a small installation has them; each can be stopped and started again, as a disk that is pulled.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.build.network import Place
from tests.build.ports import free_port

_PYTHON: Final = "/usr/bin/python3"
_START_SECONDS: Final = 60.0
_MEMORY: Final = "/dev/shm"

KEY_ID: Final = "town:sekisho"
SECRET: Final = "a-secret-of-the-tests"

# Debian's own Python has the modules, ours has not.
HERE: Final = Path("/usr/lib/python3/dist-packages/swift/proxy/server.py").exists()

_RINGS: Final = """
import sys
import swift.common.utils as utils
utils.SWIFT_CONF_FILE = sys.argv[1] + "/swift.conf"
from swift.common.ring import RingBuilder
for name, port in zip(("account", "container", "object"), sys.argv[3:]):
    builder = RingBuilder(2, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "ip": sys.argv[2], "port": int(port), "device": "disk", "weight": 1})
    builder.rebalance()
    builder.get_ring().save(sys.argv[1] + "/" + name + ".ring.gz")
"""
# PR_SET_PDEATHSIG: it does not outlive a run of tests that is killed.
_SERVER: Final = """
import ctypes
import sys
ctypes.CDLL(None).prctl(1, 9)
import swift.common.utils as utils
utils.SWIFT_CONF_FILE = sys.argv[1] + "/swift.conf"
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[1] + "/" + sys.argv[2] + ".conf", sys.argv[2] + "-server", default_port=0))
"""
_STORE: Final = """
[DEFAULT]
bind_ip = {host}
bind_port = {port}
workers = 0
swift_dir = {home}
devices = {home}
mount_check = false
user = {user}
log_address = {home}/no-syslog
log_level = ERROR
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
_PROXY: Final = """
[DEFAULT]
bind_ip = {host}
bind_port = {port}
workers = 0
swift_dir = {home}
user = {user}
log_address = {home}/no-syslog
log_level = ERROR
[pipeline:main]
pipeline = catch_errors healthcheck cache listing_formats bulk s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
# There is no other node to turn to while one is stopped.
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:healthcheck]
use = egg:swift#healthcheck
# Needed by name only: nobody listens there.
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = ap-northeast-1
min_segment_size = 5242880
[filter:tempauth]
use = egg:swift#tempauth
user_town_sekisho = {secret} .admin .reseller_admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""


class Swift:
    """`endpoint`: where it speaks S3."""

    def __init__(self, home: Path, place: Place | None = None) -> None:
        self._home = home
        self._place = place
        self._host = place.address if place else "127.0.0.1"
        self._ports = dict(zip(("account", "container", "object", "proxy"), (free_port() for _ in range(4)), strict=True))
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.endpoint = f"http://{self._host}:{self._ports['proxy']}"

    def prepare(self) -> None:
        """Settings and rings."""
        user = pwd.getpwuid(os.geteuid()).pw_name
        (self._home / "disk").mkdir(exist_ok=True)
        (self._home / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = tests\nswift_hash_path_prefix = tests\n")
        for kind, port in self._ports.items():
            form = _PROXY if kind == "proxy" else _STORE
            (self._home / f"{kind}.conf").write_text(form.format(kind=kind, port=port, host=self._host, home=self._home, user=user, secret=SECRET))
        rings = [_PYTHON, "-c", _RINGS, str(self._home), self._host, *(str(self._ports[kind]) for kind in ("account", "container", "object"))]
        subprocess.run(rings, check=True, timeout=_START_SECONDS, capture_output=True)

    def start(self, kind: str) -> None:
        with (self._home / f"{kind}.log").open("ab") as told, self._inside():
            self._running[kind] = subprocess.Popen(
                [_PYTHON, "-c", _SERVER, str(self._home), kind], stdin=subprocess.DEVNULL, stdout=told, stderr=told, start_new_session=True
            )

    def ready(self) -> None:
        """Once every process answers."""
        ends = time.monotonic() + _START_SECONDS
        for kind, process in self._running.items():
            while not self._answers(self._ports[kind]):
                if process.poll() is not None or time.monotonic() > ends:
                    raise RuntimeError(f"{kind}: " + (self._home / f"{kind}.log").read_text("utf-8", "replace")[-2_000:])
                time.sleep(0.05)

    def stop(self, kind: str) -> None:
        """As a power cut would."""
        process = self._running.pop(kind)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    @property
    def processes(self) -> list[int]:
        """Of those that run."""
        return [process.pid for process in self._running.values()]

    def close(self) -> None:
        for kind in list(self._running):
            self.stop(kind)

    def _inside(self) -> contextlib.AbstractContextManager[None]:
        return self._place.inside() if self._place else contextlib.nullcontext()

    def _answers(self, port: int) -> bool:
        with self._inside(), contextlib.suppress(OSError), socket.create_connection((self._host, port), 1.0):
            return True
        return False


@contextlib.contextmanager
def server(place: Place | None = None) -> Iterator[Swift]:
    """At that place, or on loopback. Needs HERE."""
    home = Path(tempfile.mkdtemp(prefix="sekisho-swift-", dir=_folder()))
    swift = Swift(home, place)
    try:
        for left in (2, 1, 0):
            swift.prepare()
            for kind in ("account", "container", "object", "proxy"):
                swift.start(kind)
            try:
                swift.ready()
                break
            except RuntimeError:
                # Somebody else may have taken one of the ports in between.
                swift.close()
                if not left:
                    raise
                swift = Swift(home, place)
        yield swift
    finally:
        swift.close()
        shutil.rmtree(home, ignore_errors=True)


def _folder() -> str | None:
    """In memory where there is room and files may have extended attributes, which Swift keeps what it knows in."""
    try:
        with tempfile.NamedTemporaryFile(dir=_MEMORY) as probe:
            os.setxattr(probe.name, "user.swift.tests", b"x" * 300)
    except OSError:
        return None
    return _MEMORY
