"""A real PostgreSQL on loopback with a data folder of its own, as long as a test run wants it, and a fresh room in it for each test."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.build.network import Place
from tests.build.ports import free_port

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
    port = free_port()
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
    """A primary and its synchronous standby, each at its place or both on loopback. `address`: whichever of the two takes writes."""

    def __init__(self, home: Path, other: dict[str, Any], places: tuple[Place, Place] | None = None) -> None:
        self._home, self._other = home, other
        self._at = dict(zip(("first", "second"), places or (None, None), strict=True))
        self._ports = {name: 5432 if place else free_port() for name, place in self._at.items()}
        self.primary, self.standby = "first", "second"
        hosts = "&".join(f"host={self._host(name)}:{self._ports[name]}" for name in self._at)
        self.address = f"postgresql://sekisho@/postgres?{hosts}&target_session_attrs=read-write"

    def prepare(self) -> None:
        """Both run, and no commit is answered before both have it."""
        assert PROGRAMS is not None
        first = self._home / "first"
        _run([PROGRAMS / "initdb", "-D", first, "-U", "sekisho", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"], self._other, self._home)
        with (first / "pg_hba.conf").open("a") as rules:
            rules.write("host all,replication all samenet trust\n")
        self._control("first", "start")
        self.follow()

    def follow(self) -> None:
        """The standby is made anew of the primary, and commits wait for it from now on."""
        assert PROGRAMS is not None
        folder = self._home / self.standby
        shutil.rmtree(folder, ignore_errors=True)
        source = f"host={self._host(self.primary)} port={self._ports[self.primary]} user=sekisho application_name={self.standby}"
        with self._inside(self.standby):
            _reached(self.alone(self.primary))
            _run([PROGRAMS / "pg_basebackup", "-D", folder, "-R", "-X", "stream", "-c", "fast", "-d", source], self._other, self._home)
        self._control(self.standby, "start")
        with self._inside(self.primary), psycopg.connect(self.alone(self.primary), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '\"{self.standby}\"'".encode())
            connection.execute("SELECT pg_reload_conf()")
            ends = time.monotonic() + _START_SECONDS
            while connection.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone() is None:
                if time.monotonic() > ends:
                    raise RuntimeError("the standby does not follow")
                time.sleep(0.1)

    def fail_over(self) -> None:
        """The primary is gone as in a power cut; the standby takes over, and waits for nobody until there is another one."""
        assert PROGRAMS is not None
        self._control(self.primary, "stop")
        with self._inside(self.standby):
            _run([PROGRAMS / "pg_ctl", "-D", self._home / self.standby, "-w", "promote"], self._other, self._home)
        self.primary, self.standby = self.standby, self.primary
        with self._inside(self.primary), psycopg.connect(self.alone(self.primary), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
            connection.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        for name in self._at:
            with contextlib.suppress(subprocess.SubprocessError):
                self._control(name, "stop")

    def _control(self, name: str, what: str) -> None:
        assert PROGRAMS is not None
        words: list[str | Path] = [PROGRAMS / "pg_ctl", "-D", self._home / name, "-w", what]
        if what == "start":
            settings = f"-h {self._host(name)} -p {self._ports[name]} -c unix_socket_directories= -c max_connections=100 -c shared_buffers=16MB"
            words += ["-l", self._home / f"{name}.log", "-o", settings]
        else:
            words += ["-m", "immediate"]
        with self._inside(name):
            _run(words, self._other, self._home)

    def _inside(self, name: str) -> contextlib.AbstractContextManager[None]:
        place = self._at[name]
        return place.inside() if place else contextlib.nullcontext()

    def _host(self, name: str) -> str:
        place = self._at[name]
        return place.address if place else "127.0.0.1"

    def alone(self, name: str) -> str:
        """The address of that one alone."""
        return f"postgresql://sekisho@{self._host(name)}:{self._ports[name]}/postgres"


def _reached(address: str) -> None:
    """A line that has just been mended finds its neighbours again after some seconds."""
    ends = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.5)
        else:
            return


@contextlib.contextmanager
def pair(places: tuple[Place, Place] | None = None) -> Iterator[Pair]:
    """Needs PROGRAMS."""
    home = Path(tempfile.mkdtemp(prefix="sekisho-postgres-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None))
    made = Pair(home, _other_user(home), places)
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
