"""What the house is fitted with by its settings: a file that cannot be read stops the start with the name of its setting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import fittings
from gateway.config import Config, ConfigError, load
from gateway.publishing.versions import DENY_FILE, Publishing, Subject
from gateway.telemetry import soc
from tests.build import journals
from tests.build.certificates import Authority
from tests.build.transfer import NOW, digest


def given(folder: Path, **changes: str) -> Config:
    said = {"storage_path": str(folder)} | changes
    return load(None, {f"SEKISHO_{name.upper()}": value for name, value in said.items()})


READ: dict[str, Callable[[Config], object]] = {
    "policy_file": fittings.read_policy,
    "smtp_recipients": fittings.read_recipients,
    "shares_file": fittings.read_shares,
    "scanners_deny": fittings.read_lists,
    "scanners_allow": fittings.read_lists,
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("file", ["nowhere", "folder", "octets"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, file: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "octets").write_bytes(b"\xff\xfe not text")
    section, _, rest = name.partition("_")
    with pytest.raises(ConfigError, match=rf"^{section}(\.{rest})?: ") as error:
        READ[name](given(tmp_path, **{name: str(tmp_path / file)}))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("where", ["nowhere", "http://soc.example.jp", "tls://soc.example.jp:99999", "udp://[::1", "tcp://soc..example.jp"])
async def test_a_collector_that_cannot_be_is_named(tmp_path: Path, where: str) -> None:
    journal = await journals.new(tmp_path / "sekisho.db")
    with pytest.raises(ConfigError, match=r"^log\.syslog: "):
        fittings.soc(given(tmp_path, log_syslog=where), journal, lambda: True)
    with pytest.raises(ConfigError, match=r"^log\.syslog: "):
        fittings.soc(given(tmp_path, log_syslog="tls://soc.example.jp", log_syslog_authority=str(tmp_path / "none")), journal, lambda: True)
    assert fittings.soc(given(tmp_path), journal, lambda: True) == []
    await journal.stop()


async def test_a_collector_is_told_until_the_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soc, "_PAUSES", ())
    journal = await journals.new(tmp_path / "sekisho.db")
    await journal.record(at=NOW, actor="somebody", action="x.y", subject="", detail={})
    settings = given(tmp_path, log_syslog="tls://127.0.0.1:1", log_syslog_authority=str(Authority(tmp_path).file))
    (work,) = fittings.soc(settings, journal, lambda: True)
    telling = asyncio.create_task(work)
    async with asyncio.timeout(20):
        while not (tmp_path / "soc.seq").exists():
            await asyncio.sleep(0.01)
    assert (tmp_path / "soc.seq").read_text() == "1"
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    await journal.stop()


async def test_what_was_published_goes_before_what_the_settings_name(tmp_path: Path) -> None:
    journal = await journals.new(tmp_path / "sekisho.db")
    (tmp_path / "policy.toml").write_text("attempts = 2\n")
    settings = given(tmp_path, policy_file=str(tmp_path / "policy.toml"))
    rules, chosen, panel = await fittings.what_is_in_force(settings, journal)
    assert (chosen.name, panel.lists.denied(digest(b"bad"))) == (fittings.read_policy(settings).name, None)
    publishing = Publishing(journal, lambda: NOW, lambda text: fittings.read_policy(settings, text))
    await publishing.seen_on_disk({Subject.RULES: rules, Subject.POLICY: {"policy.toml": "name = 'town'\n"}})
    await publishing.seen_on_disk({Subject.LISTS: {DENY_FILE: f"{digest(b'bad')} known bad\n"}})
    again, chosen, panel = await fittings.what_is_in_force(settings, journal)
    assert (again, chosen.name, panel.lists.denied(digest(b"bad"))) == (rules, "town", "known bad")
    await journal.stop()
