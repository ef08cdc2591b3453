"""A real PostgreSQL on loopback with a data folder of its own, as long as a test run wants it, and a fresh room in it for each test."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg

_START_SECONDS: Final = 60.0
_MEMORY: Final = "/dev/shm"


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


PROGRAMS: Final = _programs()


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of its maintenance database. Needs PROGRAMS. PostgreSQL does not run as root: then it runs as its own user."""
    assert PROGRAMS is not None
    # In memory where there is room: what is looked at here is what the tables say, not the disk.
    home = Path(tempfile.mkdtemp(prefix="sekisho-postgres-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None))
    other = _other_user(home)
    port = _free_port()
    words = ["-D", str(home / "data")]
    try:
        _run([PROGRAMS / "initdb", *words, "-U", "sekisho", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"], other, home)
        settings = f"-h 127.0.0.1 -p {port} -c unix_socket_directories= -c max_connections=200 -c shared_buffers=16MB"
        _run([PROGRAMS / "pg_ctl", *words, "-l", str(home / "log"), "-o", settings, "-w", "start"], other, home)
        yield f"postgresql://sekisho@127.0.0.1:{port}/postgres"
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            _run([PROGRAMS / "pg_ctl", *words, "-m", "immediate", "-w", "stop"], other, home)
        shutil.rmtree(home, ignore_errors=True)


class Pair:
    """A primary and its synchronous standby. `address`: whichever of the two takes writes."""

    def __init__(self, home: Path, other: dict[str, Any], ports: tuple[int, int]) -> None:
        self._home, self._other, self._ports = home, other, ports
        hosts = "&".join(f"host=127.0.0.1:{port}" for port in ports)
        self.address = f"postgresql://sekisho@/postgres?{hosts}&target_session_attrs=read-write"

    def prepare(self) -> None:
        """Both run, and no commit is answered before both have it."""
        assert PROGRAMS is not None
        first, second = self._home / "first", self._home / "second"
        _run([PROGRAMS / "initdb", "-D", first, "-U", "sekisho", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"], self._other, self._home)
        self._control(first, "start", self._ports[0])
        source = f"host=127.0.0.1 port={self._ports[0]} user=sekisho application_name=second"
        _run([PROGRAMS / "pg_basebackup", "-D", second, "-R", "-X", "stream", "-c", "fast", "-d", source], self._other, self._home)
        self._control(second, "start", self._ports[1])
        with psycopg.connect(f"postgresql://sekisho@127.0.0.1:{self._ports[0]}/postgres", autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'second'")
            connection.execute("SELECT pg_reload_conf()")
            ends = time.monotonic() + _START_SECONDS
            while connection.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone() is None:
                if time.monotonic() > ends:
                    raise RuntimeError("the standby does not follow")
                time.sleep(0.1)

    def fail_over(self) -> None:
        """The primary is gone as in a power cut; the standby takes over."""
        assert PROGRAMS is not None
        self._control(self._home / "first", "stop")
        _run([PROGRAMS / "pg_ctl", "-D", self._home / "second", "-w", "promote"], self._other, self._home)

    def stop(self) -> None:
        for name in ("first", "second"):
            with contextlib.suppress(subprocess.SubprocessError):
                self._control(self._home / name, "stop")

    def _control(self, data: Path, what: str, port: int = 0) -> None:
        assert PROGRAMS is not None
        words: list[str | Path] = [PROGRAMS / "pg_ctl", "-D", data, "-w", what]
        if what == "start":
            settings = f"-h 127.0.0.1 -p {port} -c unix_socket_directories= -c max_connections=100 -c shared_buffers=16MB"
            words += ["-l", self._home / f"{data.name}.log", "-o", settings]
        else:
            words += ["-m", "immediate"]
        _run(words, self._other, self._home)


@contextlib.contextmanager
def pair() -> Iterator[Pair]:
    """Needs PROGRAMS."""
    home = Path(tempfile.mkdtemp(prefix="sekisho-postgres-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None))
    made = Pair(home, _other_user(home), (_free_port(), _free_port()))
    try:
        made.prepare()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


def fresh(address: str, *, again: bool = False) -> str:
    """The address of an empty room on that server: a role of its own, whose tables lie in a schema of its own. The tables are made once
    and emptied by the superuser, past the triggers that would forbid it: a test after the other has the room to itself. `again`: a second
    room, without tables."""
    name = f"test_{os.getpid()}" + ("_again" if again else "")
    with psycopg.connect(address, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
            connection.execute(f'CREATE ROLE "{name}" LOGIN'.encode())
            connection.execute(f'CREATE SCHEMA "{name}" AUTHORIZATION "{name}"'.encode())
        if again:
            connection.execute(f'DROP SCHEMA "{name}" CASCADE'.encode())
            connection.execute(f'CREATE SCHEMA "{name}" AUTHORIZATION "{name}"'.encode())
        found = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename <> 'alembic_version'", (name,)
        ).fetchall()
        if found:
            connection.execute("SET session_replication_role = replica")
            tables = ", ".join(f'"{name}"."{table}"' for (table,) in found)
            for table, in found:
                connection.execute(f'ALTER TABLE "{name}"."{table}" DISABLE TRIGGER USER'.encode())
            connection.execute(f"TRUNCATE {tables} RESTART IDENTITY".encode())
            for table, in found:
                connection.execute(f'ALTER TABLE "{name}"."{table}" ENABLE TRIGGER USER'.encode())
    return address.replace("//sekisho@", f"//{name}@")


def _other_user(home: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            os.chown(home, user.pw_uid, user.pw_gid)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("no user to run PostgreSQL as")


def _run(words: list[str | Path], other: dict[str, Any], home: Path) -> None:
    """Output into a file: the server would keep a pipe open."""
    with tempfile.TemporaryFile() as told:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=told, stderr=told, cwd=home, timeout=_START_SECONDS, check=False, **other)
        if done.returncode:
            told.seek(0)
            raise subprocess.SubprocessError(told.read().decode("utf-8", "replace")[-2_000:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

