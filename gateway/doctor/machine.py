"""What an installation stands on, looked at from outside the service: clock, disk, certificates, database, and who can be reached.

Each check is `ok`, `warn` (it works, and somebody should know) or `fail` (it must not serve like this), with one line.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
from sqlalchemy import text

from gateway.config import Config, ConfigError
from gateway.crossing import segments
from gateway.crossing.line import client_context
from gateway.doctor import certificates, timekeeping
from gateway.doctor.certificates import CertificateError
from gateway.doctor.flows import Flow, Way
from gateway.storage import postgresql
from gateway.storage.faults import JournalUnavailableError

_CONNECT_SECONDS: Final = 3.0
_OFF_SECONDS = (0.5, 60.0)
_DAYS: Final = 86_400.0
_LAST_DAYS: Final = 30
_FLUSHES: Final = 15
# No disk writes a block and says so in less; what does, says it without writing, or is no disk.
_TOO_FAST_SECONDS: Final = 20e-6
_VOLATILE: Final = frozenset({"tmpfs", "ramfs", "overlay"})
_REMOTE: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse", "fuseblk"})
_UNSAFE_OPTIONS: Final = frozenset({"nobarrier", "barrier=0", "data=writeback"})
_FEW_INODES: Final = 100_000
_CHECKED_BYTES: Final = 1 << 30


class Check(NamedTuple):
    """One thing looked at."""

    name: str
    state: str
    detail: str


# ------------------------------------------------------------------------------------------------------- clock and disk


def clock() -> Check:
    """Records that shall prove something need a clock that somebody keeps right."""
    known = timekeeping.clock()
    if known is None:
        return Check("clock", "warn", "the kernel does not tell whether it is synchronised")
    if not known.synchronised:
        return Check("clock", "warn", "not synchronised: no chrony or systemd-timesyncd keeps it right")
    off = abs(known.offset)
    state = "fail" if off > _OFF_SECONDS[1] else "warn" if off > _OFF_SECONDS[0] else "ok"
    return Check("clock", state, f"synchronised, {known.offset * 1000:+.1f} ms off, at most {known.error * 1000:.0f} ms")


def disk(settings: Config) -> Iterator[Check]:
    """Whether the folder of everything can be written, has room, and keeps what was flushed."""
    path = settings.path("storage.path")
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not os.access(existing, os.W_OK):
        yield Check("storage", "fail", f"{existing} cannot be written")
        return
    yield Check("storage", "ok", str(path))
    free, reserve = shutil.disk_usage(existing).free, settings["storage.reserve"]
    state = "ok" if free > 2 * reserve else "warn" if free > reserve else "fail"
    yield Check("disk space", state, f"{free >> 20} MiB free, intake stops below {reserve >> 20} MiB")
    seen = os.statvfs(existing)
    if seen.f_files and seen.f_favail < _FEW_INODES:
        yield Check("disk inodes", "warn", f"room for {seen.f_favail} more files")
    yield _kept(existing)
    yield _flush(existing)


def _kept(folder: Path) -> Check:
    kind, options = _mounted(folder)
    if kind in _VOLATILE:
        return Check("file system", "warn", f"{kind}: what is written there does not outlive the machine or the container")
    if unsafe := _UNSAFE_OPTIONS & options:
        return Check("file system", "fail", f"{kind} mounted with {', '.join(sorted(unsafe))}: a power cut loses what was accepted")
    if kind in _REMOTE:
        return Check("file system", "warn", f"{kind}: only its server knows whether a flush reached a disk")
    return Check("file system", "ok", kind)


def _mounted(folder: Path, table: Path = Path("/proc/self/mountinfo")) -> tuple[str, set[str]]:
    """Kind and options of the file system that the folder lies on: proc(5), mountinfo."""
    best, found = "", ("unknown", set[str]())
    for line in table.read_text("utf-8", "replace").splitlines():
        before, _, after = line.partition(" - ")
        fields, behind = before.split(), after.split()
        place = fields[4].encode().decode("unicode_escape")
        if len(place) >= len(best) and folder.resolve().is_relative_to(place):
            best, found = place, (behind[0], {*fields[5].split(","), *behind[2].split(",")})
    return found


def _flush(folder: Path) -> Check:
    """A disk that acknowledges a flush in no time may be lying about it; only its maker can tell."""
    probe = folder / f".sekisho-doctor-{os.getpid()}"
    try:
        fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            taken = [_flushed(fd, os.urandom(4096)) for _ in range(_FLUSHES)]
        finally:
            os.close(fd)
            probe.unlink()
    except OSError as error:
        return Check("disk flush", "fail", error.strerror or str(error))
    median = statistics.median(taken)
    said = f"{median * 1000:.2f} ms for one flush, the slowest of {_FLUSHES} {max(taken) * 1000:.2f} ms"
    if median < _TOO_FAST_SECONDS:
        return Check("disk flush", "warn", f"{said}: too fast for a disk that really writes")
    return Check("disk flush", "ok", said)


def _flushed(fd: int, block: bytes) -> float:
    began = time.perf_counter()
    os.write(fd, block)
    os.fdatasync(fd)
    return time.perf_counter() - began


# --------------------------------------------------------------------------------------------------------- certificates


def shown(files: Iterable[tuple[str, Path]], now: float) -> Iterator[Check]:
    """`files`: use and file of each certificate."""
    for use, file in files:
        try:
            left = (certificates.expires(file) - now) / _DAYS
        except (CertificateError, OSError) as error:
            yield Check(f"certificate: {use}", "fail", str(error))
            continue
        state = "fail" if left <= 0 else "warn" if left < _LAST_DAYS else "ok"
        yield Check(f"certificate: {use}", state, f"{left:.0f} days left" if left > 0 else f"ended {-left:.0f} days ago")


# ------------------------------------------------------------------------------------------------------------- database


def database(settings: Config) -> Iterator[Check]:
    """Nothing is changed: not even a missing one is made."""
    if where := settings["storage.url"] or settings["storage.database"]:
        yield from _postgresql(where)
        return
    file = settings.path("storage.path") / "sekisho.db"
    if not file.exists():
        yield Check("database", "ok", "SQLite, made at the first start")
        return
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=_CONNECT_SECONDS)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            whole = file.stat().st_size > _CHECKED_BYTES or connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.Error as error:
        yield Check("database", "fail", f"SQLite: {error}")
        return
    state = "ok" if whole and mode == "wal" else "fail"
    yield Check("database", state, f"SQLite {sqlite3.sqlite_version}, journal {mode}" if whole else "SQLite: damaged, restore a backup")


def _postgresql(where: str) -> Iterator[Check]:
    try:
        engine = postgresql.reader_engine(where)
        with engine.connect() as connection:
            version = connection.execute(text("SHOW server_version")).scalar_one()
            standby = connection.execute(text("SHOW synchronous_standby_names")).scalar_one()
            commits = connection.execute(text("SHOW synchronous_commit")).scalar_one()
        engine.dispose()
    except JournalUnavailableError as error:
        yield Check("database", "fail", str(error))
        return
    except Exception as error:  # noqa: BLE001 - whatever a driver says, it cannot be reached
        yield Check("database", "fail", " ".join(str(error).split())[:200])
        return
    yield Check("database", "ok", f"PostgreSQL {version}, synchronous_commit {commits}")
    if not standby:
        yield Check("database standby", "warn", "no synchronous standby: the loss of this server loses what it accepted last")


# ---------------------------------------------------------------------------------------------------------------- reach


async def reach(rows: Iterable[Flow]) -> list[Check]:
    """Whether every server of the flow table that speaks TCP answers; all at once."""
    wanted = {(row.setting, host, row.port) for row in rows if row.way is Way.OUT and row.protocol == "tcp" for host in row.peers}
    return list(await asyncio.gather(*(_answers(*one) for one in sorted(wanted))))


async def _answers(setting: str, host: str, port: int) -> Check:
    name = "next hop" if setting == "relay.next_hop" else f"reach: {setting}"
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        return Check(name, "warn", f"{host}:{port} does not answer ({type(error).__name__})")
    writer.close()
    return Check(name, "ok", f"{host}:{port} answers")


async def line(settings: Config) -> list[Check]:
    """Whether the inner side knows this one by its certificate, and is ready."""
    where: str = settings["crossing.to"]
    if not where.startswith("https://"):
        return []
    try:
        context = client_context(segments.certificates(settings))
        timeout = aiohttp.ClientTimeout(total=_CONNECT_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            session.get(f"{where.rstrip('/')}/readyz", ssl=context, allow_redirects=False) as answer,
        ):
            state = "ok" if answer.status == 200 else "warn"
            return [Check("inner side", state, f"answered {answer.status}")]
    except (ConfigError, aiohttp.ClientError, OSError, TimeoutError) as error:
        return [Check("inner side", "fail" if isinstance(error, ConfigError) else "warn", f"{type(error).__name__}: {error}"[:200])]
