"""Settings of what looks after the house: what cannot be is named in one line, what can be is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.auditing.places import FilePlace, SyslogPlace, TimestampPlace
from gateway.caretaking import customs, places, trusted
from gateway.config import Config, ConfigError, load
from gateway.storage.halts import Halt
from tests.build.certificates import Authority
from tests.build.face import town
from tests.build.transfer import NOW


def given(folder: Path, **changes: str) -> Config:
    said = {"storage_path": str(folder)} | changes
    return load(None, {f"SEKISHO_{name.upper()}": value for name, value in said.items()})


def clock() -> float:
    return NOW


@pytest.mark.parametrize("hours", ["", "9:00", "17:00,9:00", "9:00,9:00", "9:00,12:00,17:00"])
def test_hours_of_work_have_a_beginning_and_an_end(tmp_path: Path, hours: str) -> None:
    with pytest.raises(ConfigError, match=r"^audit\.hours: "):
        customs(given(tmp_path, audit_hours=hours))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("audit_anchor_timestamp", "tsa.example.jp"), ("audit_anchor_timestamp", "ftp://tsa.example.jp"), ("audit_anchor_syslog", "log.example.jp"),
        ("audit_anchor_syslog", "tls://log.example.jp"), ("audit_anchor_syslog", "udp://log.example.jp:0"), ("audit_anchor_syslog", "udp://:514"),
    ],
)  # fmt: skip
def test_a_place_that_is_none_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name.replace("_", r"\.", 1)):
        places(given(tmp_path, **{name: value}), clock)


def test_every_kind_of_place_is_built(tmp_path: Path) -> None:
    settings = given(tmp_path, audit_anchor_file=str(tmp_path / "anchors"), audit_anchor_syslog="udp://[fd00::1]",
                     audit_anchor_timestamp="http://tsa.example.jp/tsr")  # fmt: skip
    assert [type(one) for one in places(settings, clock)] == [FilePlace, SyslogPlace, TimestampPlace]
    assert places(given(tmp_path), clock) == []
    (syslog,) = places(given(tmp_path, audit_anchor_syslog="tcp://log.example.jp:6514"), clock)
    assert isinstance(syslog, SyslogPlace)
    assert "log.example.jp:6514" in syslog.name


def test_who_stands_behind_time_stamps_is_read_from_a_file(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    (found,) = trusted(given(tmp_path, audit_anchor_trusted=str(authority.file)))
    assert "test authority" in found.subject.rfc4514_string()
    assert trusted(given(tmp_path)) == []
    (tmp_path / "none.pem").write_text("no certificate")
    for name in ("none.pem", "nowhere.pem"):
        with pytest.raises(ConfigError, match=rf"^audit\.anchor_trusted: .*{name}"):
            trusted(given(tmp_path, audit_anchor_trusted=str(tmp_path / name)))


async def test_an_emergency_stop_is_seen(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        assert not await place.care._halted()
        await place.journal.halt(Halt.DELIVERY, at=NOW, actor="somebody", reason="drill")
        assert await place.care._halted()
