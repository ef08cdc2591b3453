"""Which half of the road an installation is, by its settings; and both halves at work, each a service of its own."""

from __future__ import annotations

import asyncio
import smtplib
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway import config, house
from gateway.config import Config, ConfigError
from gateway.crossing import segments
from gateway.house import House
from gateway.model import ACROSS, BOUNCES, BY_POST, Door, Purpose, State
from gateway.storage.deliveries import POST
from gateway.storage.keys import signing_key
from tests.build import journals
from tests.build.certificates import Authority
from tests.build.face import quick_passwords
from tests.build.ports import free_port
from tests.build.transfer import BODY, NOW, RESULT, FakeWorkers, MemoryBlobs, arrival
from tests.gateway.test_house import Fake, running


def settings(folder: Path, **changes: str) -> Config:
    """Of one installation in its own folder; `crossing_to` sets `[crossing] to`."""
    folder.mkdir(exist_ok=True)
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules/a.yar").write_text("rule A { condition: false }")
    given = {
        "STORAGE_PATH": str(folder / "var"),
        "STORAGE_RESERVE": "1",
        "POLICY_RULES": str(folder / "rules"),
        "SMTP_LISTEN": f"127.0.0.1:{free_port()}",
        "SERVICE_DRAIN": "5s",
        "MAIL_AUTHENTICATION": "off",
    } | {f"{face}_LISTEN": f"127.0.0.1:{free_port()}" for face in ("DROP", "PICKUP", "ADMIN")}
    given |= {name.upper(): value for name, value in changes.items()}
    return config.load(None, {f"SEKISHO_{name}": value for name, value in given.items()})


class Cleaning(Fake):
    """Workers that let everything out."""

    def __init__(self, rules: Mapping[str, str], *given: object, **more: object) -> None:
        super().__init__(rules, *given, **more)
        self.walls = ("seccomp (fake)",)


# ----------------------------------------------------------------------------------------------------------- settings


def test_one_box_is_both_sides(tmp_path: Path) -> None:
    given = settings(tmp_path)
    assert not segments.crosses(given)
    assert segments.post_way(given) == POST
    assert segments.post_way(given).purposes == BY_POST


def test_the_outer_side_sends_bounces_alone_by_post(tmp_path: Path) -> None:
    given = settings(tmp_path, crossing_to=str(tmp_path))
    assert segments.post_way(given).purposes == BOUNCES
    assert not BOUNCES & ACROSS
    assert set(Purpose) == BOUNCES | ACROSS, "every purpose goes one of the two ways"


def test_zones_and_lane_are_called_as_the_settings_say(tmp_path: Path) -> None:
    given = settings(tmp_path, lane_name="outbound", lane_source="総合行政", lane_target="インターネット", lane_hold="10m")
    lane = segments.lane(given)
    assert (lane.name, lane.source.name, lane.target.name) == ("outbound", "総合行政", "インターネット")
    assert segments.post_way(given).hold == 600


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lane_target_class": "mynumber"}, "マイナンバー"),
        ({"lane_target": "outer"}, "lane.target"),
        ({"crossing_to": "ftp://inner"}, "crossing.to"),
        ({"crossing_to": "https://inner:8443"}, "crossing.certificate"),
        ({"crossing_listen": "127.0.0.1:0"}, "crossing.keys"),
        ({"crossing_listen": "127.0.0.1:0", "crossing_keys": "none.pub"}, "crossing.keys"),
    ],
)
async def test_a_half_that_cannot_stand_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], said: str
) -> None:
    monkeypatch.setattr(house, "Workers", Fake)
    with pytest.raises(ConfigError, match=said):
        async with running(House(settings(tmp_path, **changes), frozenset({"deliver", "gate"}))):
            pass


# --------------------------------------------------------------------------------------------------------- both halves


async def _started(made: House, folder: Path) -> None:
    (folder / "var").mkdir(parents=True, exist_ok=True)
    journal = await journals.new(folder / "var/sekisho.db")
    await journal.stop()
    assert made is not None


def _mail(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("somebody@example.com", ["kakari@town.example.jp"], b"From: somebody@example.com\r\nSubject: x\r\n\r\nHello\r\n")


async def _arrived(inner: House, count: int) -> None:
    async with asyncio.timeout(20):
        while len(await inner.journal.transfers()) < count:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("way", ["line", "folder", "mail"])
async def test_a_mail_goes_through_both_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Taken in outside, worked on there, handed over, and waiting inside for its next hop, which is not there."""
    quick_passwords(monkeypatch)
    monkeypatch.setattr(house, "Workers", Cleaning)
    monkeypatch.setattr(house, "low_priority", Cleaning)
    monkeypatch.setattr(FakeWorkers, "__init__", _cleans)
    authority = Authority(tmp_path)
    server, client = authority.issue("127.0.0.1"), authority.issue("outer.example.jp")
    port, exchange = free_port(), tmp_path / "exchange"
    exchange.mkdir()
    shown = {"crossing_authority": str(authority.file)}
    door = free_port()
    to = {"line": f"https://127.0.0.1:{port}", "folder": str(exchange), "mail": "mailto:crossing@town.example.jp"}[way]
    outer_settings = settings(
        tmp_path / "outer", crossing_to=to, crossing_certificate=str(client.certificate), crossing_key=str(client.key),
        relay_next_hop=f"127.0.0.1:{door}", relay_tls="never", **shown,
    )  # fmt: skip
    listens = {"crossing_listen": f"127.0.0.1:{port}"}
    where = {"line": listens, "folder": {"crossing_folder": str(exchange)}, "mail": {"crossing_address": "crossing@town.example.jp"}}[way]
    inner_settings = settings(
        tmp_path / "inner", crossing_certificate=str(server.certificate), crossing_key=str(server.key),
        crossing_keys=str(tmp_path / "outer/var/receipt.pub"), crossing_clients="outer.example.jp",
        relay_next_hop=f"127.0.0.1:{free_port()}", smtp_listen=f"127.0.0.1:{door}", **where, **shown,
    )  # fmt: skip
    outer = House(outer_settings, frozenset({"smtp", "worker", "deliver"}))
    await _started(outer, tmp_path / "outer")
    async with running(outer):
        inner = House(inner_settings, frozenset({"gate", "pickup", "deliver", "smtp"}))
        await _started(inner, tmp_path / "inner")
        async with running(inner):
            await asyncio.to_thread(_mail, outer_settings["smtp.listen"][0][1])
            await _arrived(inner, 1)
            (there,) = await inner.journal.transfers()
            (here,) = await outer.journal.transfers()
            assert there.receipt_no == here.receipt_no
            assert there.blob is None
            (delivery,) = await inner.journal.deliveries(there.id)
            assert delivery.recipients[0].address == "kakari@town.example.jp"
            async with asyncio.timeout(20):
                while (await outer.journal.transfers())[0].state is not State.DELIVERED:
                    await asyncio.sleep(0.02)


_plain = FakeWorkers.__init__


def _cleans(self: FakeWorkers, *given: object, **more: object) -> None:
    from tests.build.segments import cleaned

    _plain(self, cleaned)


@pytest.mark.parametrize("content", [None, b"no certificate"])
async def test_a_certificate_that_cannot_be_read_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    monkeypatch.setattr(house, "Workers", Fake)
    for name in ("certificate", "authority"):
        if content is not None:
            (tmp_path / name).write_bytes(content)
    signing_key(tmp_path / "outer")
    changes = {"crossing_listen": f"127.0.0.1:{free_port()}", "crossing_keys": str(tmp_path / "outer" / "receipt.pub")}
    changes |= {f"crossing_{name}": str(tmp_path / name) for name in ("certificate", "authority")}
    with pytest.raises(ConfigError, match=r"^crossing\.certificate: "):
        async with running(House(settings(tmp_path / "inner", **changes), frozenset({"gate"}))):
            pass


async def test_papers_that_cannot_be_forgotten_now_are_forgotten_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(segments, "_FORGET_SECONDS", 0.01)
    signing_key(tmp_path / "outer")
    given = settings(tmp_path / "inner", crossing_folder=str(tmp_path), crossing_keys=str(tmp_path / "outer" / "receipt.pub"))
    away = await journals.new(tmp_path / "sekisho.db")
    await away.stop()

    async def ready() -> list[str]:
        return []

    inner = segments.Inner(given, away, MemoryBlobs(), ready=ready, let_in=lambda: None, clock=lambda: NOW)
    forgetting, *others = [asyncio.ensure_future(chore) for chore in inner.chores()]
    async with asyncio.timeout(20):
        while caplog.text.count("old papers cannot be forgotten") < 2:
            await asyncio.sleep(0.005)
    for one in (forgetting, *others):
        one.cancel()
    await asyncio.gather(forgetting, *others, return_exceptions=True)


async def test_one_box_with_shares_has_a_courier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "Workers", Cleaning)
    quick_passwords(monkeypatch)
    (tmp_path / "zeimu").mkdir()
    (tmp_path / "shares.toml").write_text(f"[zeimu]\nfolder = '{tmp_path / 'zeimu'}'\n", "utf-8")
    made = House(settings(tmp_path / "one", shares_file=str(tmp_path / "shares.toml")), frozenset({"worker", "deliver"}))
    async with running(made):
        await made.blobs.put(BODY)
        await made.journal.accept(arrival(door=Door.DROP, sender="tanaka", recipients=("tanaka", "share:zeimu"), received_at=time.time()))
        made._work_to_do()
        async with asyncio.timeout(20):
            while not list((tmp_path / "zeimu").glob("message.eml.receipt.json")):
                await asyncio.sleep(0.02)
    assert (tmp_path / "zeimu" / "message.eml").read_bytes() == RESULT
