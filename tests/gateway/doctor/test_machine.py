"""What the doctor says of clock, disk, certificates, database and servers: each goes to warn and to fail by what is really there."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from gateway import config
from gateway.config import Config
from gateway.doctor import machine, timekeeping
from gateway.doctor.flows import Flow, Way
from gateway.doctor.machine import Check
from gateway.doctor.timekeeping import Clock
from tests.build import journals
from tests.build.certificates import Authority
from tests.build.segments import Border, Sides, sides


def settings(folder: Path, **changes: str) -> Config:
    given = {"STORAGE_PATH": str(folder), "STORAGE_RESERVE": "1"} | {name.upper(): value for name, value in changes.items()}
    return config.load(None, {f"SEKISHO_{name}": value for name, value in given.items()})


def state(checks: list[Check], name: str) -> str:
    (found,) = [check for check in checks if check.name == name]
    return found.state


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, "warn"),
        (Clock(False, 0.0, 16.0), "warn"),
        (Clock(True, 0.01, 0.05), "ok"),
        (Clock(True, -0.7, 0.05), "warn"),
        (Clock(True, 75.0, 80.0), "fail"),
    ],
)
def test_the_clock(monkeypatch: pytest.MonkeyPatch, known: Clock | None, expected: str) -> None:
    monkeypatch.setattr(timekeeping, "clock", lambda: known)
    assert machine.clock().state == expected


def test_a_disk_that_is_in_order(tmp_path: Path) -> None:
    checks = list(machine.disk(settings(tmp_path)))
    assert {check.name for check in checks} >= {"storage", "disk space", "file system", "disk flush"}
    assert all(check.state != "fail" for check in checks)
    assert list(tmp_path.iterdir()) == [], "nothing is left there"


def test_too_little_room(tmp_path: Path) -> None:
    assert state(list(machine.disk(settings(tmp_path, storage_reserve="900 TiB"))), "disk space") == "fail"


class Seen(NamedTuple):
    f_files: int = 10
    f_favail: int = 3
    f_bavail: int = 1_000_000
    f_blocks: int = 2_000_000
    f_bfree: int = 1_000_000
    f_frsize: int = 4096


def test_few_files_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: Seen())
    assert state(list(machine.disk(settings(tmp_path))), "disk inodes") == "warn"


def test_a_flush_that_is_too_good_to_be_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_flushed", lambda *_: 1e-6)
    assert state(list(machine.disk(settings(tmp_path))), "disk flush") == "warn"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("24 1 254:0 / / rw,relatime - ext4 /dev/vda rw", "ok"),
        ("24 1 254:0 / / rw,relatime - ext4 /dev/vda rw,nobarrier", "fail"),
        ("24 1 254:0 / / rw,relatime - ext4 /dev/vda rw,data=writeback", "fail"),
        ("24 1 0:25 / / rw - tmpfs none rw", "warn"),
        ("24 1 0:25 / / rw - nfs4 server:/x rw,sync", "warn"),
    ],
)
def test_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, expected: str) -> None:
    (tmp_path / "mountinfo").write_text(line + "\n")
    read = machine._mounted
    monkeypatch.setattr(machine, "_mounted", lambda folder: read(folder, tmp_path / "mountinfo"))
    assert machine._kept(tmp_path).state == expected


def test_the_nearest_mount_counts(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    inner = str(tmp_path).replace(" ", "\\040")
    table.write_text(f"1 0 254:0 / / rw - ext4 /dev/vda rw\n2 1 0:25 / {inner} rw - tmpfs none rw\n3 1 0:26 / /elsewhere rw - xfs none rw\n")
    assert machine._mounted(tmp_path, table)[0] == "tmpfs"


def test_certificates(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = {
        "good": authority.issue("good.example.jp", days=90).certificate,
        "soon": authority.issue("soon.example.jp", days=10).certificate,
        "over": authority.issue("over.example.jp", days=-1).certificate,
        "gone": tmp_path / "gone.pem",
    }
    checks = list(machine.shown(files.items(), time.time()))
    assert [check.state for check in checks] == ["ok", "warn", "fail", "fail"]


async def test_the_database(tmp_path: Path) -> None:
    given = settings(tmp_path)
    assert [check.state for check in machine.database(given)] == ["ok"]
    assert not (tmp_path / "sekisho.db").exists(), "looking makes none"
    journal = await journals.new(tmp_path / "sekisho.db")
    await journal.stop()
    (found,) = machine.database(given)
    assert found.state == "ok"
    assert "wal" in found.detail
    with sqlite3.connect(tmp_path / "sekisho.db") as connection:
        connection.execute("PRAGMA journal_mode=delete")
    assert [check.state for check in machine.database(given)] == ["fail"]
    (tmp_path / "sekisho.db").write_bytes(b"not a database, and long enough to be looked at" * 100)
    assert [check.state for check in machine.database(given)] == ["fail"]


def test_a_database_server_that_is_not_there(tmp_path: Path) -> None:
    (found,) = machine.database(settings(tmp_path, storage_url="postgresql://nobody@127.0.0.1:1/x"))
    assert found.state == "fail"


def test_a_database_server_that_answers(tmp_path: Path, postgres: str) -> None:
    found, standby = machine.database(settings(tmp_path, storage_url=postgres))
    assert (found.state, found.detail.endswith("synchronous_commit on")) == ("ok", True)
    assert (standby.name, standby.state) == ("database standby", "warn")
    with psycopg.connect(postgres, autocommit=True) as superuser:
        superuser.execute("ALTER ROLE sekisho SET synchronous_commit = off")
        try:
            (found,) = machine.database(settings(tmp_path, storage_url=postgres))
            assert (found.state, "must be" in found.detail) == ("fail", True)
            superuser.execute("ALTER ROLE sekisho SET synchronous_commit = local")
            superuser.execute("ALTER ROLE sekisho SET default_transaction_read_only = on")
            assert [check.state for check in machine.database(settings(tmp_path, storage_url=postgres))] == ["ok", "warn"]
        finally:
            superuser.execute("ALTER ROLE sekisho RESET ALL")


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda folder, _: folder != tmp_path)     # root may write everywhere
    (found,) = machine.disk(settings(tmp_path / "var" / "sekisho"))
    assert (found.name, found.state) == ("storage", "fail")


def test_a_flush_that_fails(tmp_path: Path) -> None:
    (tmp_path / f".sekisho-doctor-{os.getpid()}").write_text("left by another")
    assert state(list(machine.disk(settings(tmp_path))), "disk flush") == "fail"


async def test_who_answers_and_who_does_not() -> None:
    async def taken(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(taken, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    def flow(setting: str, port: int, protocol: str = "tcp") -> Flow:
        return Flow(way=Way.OUT, protocol=protocol, port=port, peers=("127.0.0.1",), zone="", what=("", ""), setting=setting)

    checks = await machine.reach([flow("relay.next_hop", port), flow("directory.url", 1), flow("monitor.time", 123, "udp")])
    assert {check.name: check.state for check in checks} == {"next hop": "ok", "reach: directory.url": "warn"}
    server.close()


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Sides]:
    (tmp_path / "sides").mkdir()
    async with sides(tmp_path / "sides") as made:
        yield made


async def test_the_inner_side(two: Sides, tmp_path: Path) -> None:
    async with Border(two, tmp_path) as border:
        shown = {
            "crossing_to": f"https://127.0.0.1:{border.port}",
            "crossing_certificate": str(border.client.certificate),
            "crossing_key": str(border.client.key),
            "crossing_authority": str(border.client.authority),
        }
        assert [check.state for check in await machine.line(settings(tmp_path, **shown))] == ["ok"]
        border.ready = ["stopping"]
        assert [check.state for check in await machine.line(settings(tmp_path, **shown))] == ["warn"]
    assert [check.state for check in await machine.line(settings(tmp_path, **shown))] == ["warn"], "nobody there"
    assert [check.state for check in await machine.line(settings(tmp_path, crossing_to="https://127.0.0.1:1"))] == ["fail"]
    assert await machine.line(settings(tmp_path)) == []
