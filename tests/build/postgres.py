"""A real PostgreSQL on loopback with a data folder of its own, as long as a test run wants it, and a fresh room in it for each test."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
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


def fresh(address: str) -> str:
    """The address of an empty room on that server: a role of its own, whose tables lie in a schema of its own. The tables are made once
    and emptied by the superuser, past the triggers that would forbid it: a test after the other has the room to itself."""
    name = f"test_{os.getpid()}"
    with psycopg.connect(address, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
            connection.execute(f'CREATE ROLE "{name}" LOGIN'.encode())
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

