"""What /metrics tells: each meter moves when what it speaks of happens, and says in two languages what it is."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway.doctor import certificates, timekeeping
from gateway.doctor.certificates import CertificateError
from gateway.model import Decision, Door, RecipientState, State
from gateway.storage.halts import Halt
from gateway.storage.journal import Journal
from gateway.telemetry import metrics
from gateway.telemetry.watch import Watch
from sanitizers.model import Reason, Verdict
from tests.build import journals
from tests.build.certificates import Authority
from tests.build.transfer import NOW, arrival, claimed, held, settlement, transfer


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Place:
    def __init__(self, journal: Journal, folder: Path) -> None:
        self.journal, self.folder, self.now, self.wrong = journal, folder, NOW, list[str]()
        self.shown: dict[str, Path] = {}

    async def ready(self) -> list[str]:
        return self.wrong

    async def look(self) -> None:
        watch = Watch(
            self.journal,
            ready=self.ready,
            versions=lambda: ("rules-1", "policy-1"),
            walls=lambda: ("seccomp", "landlock"),
            folder=self.folder,
            reserve=7,
            shown=self.shown,
            clock=lambda: self.now,
        )
        await watch.look()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    journal = await journals.new(tmp_path / "sekisho.db")
    yield Place(journal, tmp_path)
    await journal.stop()


async def test_what_stands_in_the_journal(place: Place) -> None:
    await place.journal.accept(arrival())
    claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
    await place.journal.settle(claim, settlement(held()), at=NOW + 5)
    await place.journal.accept(arrival(received_at=NOW + 10))
    await place.journal.halt(Halt.DELIVERY, at=NOW, actor="somebody", reason="drill")
    place.now = NOW + 70
    await place.look()
    assert value("sekisho_transfers", state=State.HELD) == 1
    assert value("sekisho_transfers", state=State.RECEIVED) == 1
    assert value("sekisho_transfers", state=State.DEFERRED) == 0
    assert value("sekisho_oldest_seconds", state=State.RECEIVED) == 60
    assert value("sekisho_oldest_seconds", state=State.HELD) == 65
    assert value("sekisho_halted", what="delivery") == 1
    assert value("sekisho_halted", what="intake") == 0
    assert value("sekisho_owed_notices") == 1
    assert value("sekisho_audit_entries") >= 2
    assert value("sekisho_watched_timestamp_seconds") == NOW + 70


async def test_what_waits_for_the_next_hop(place: Place) -> None:
    await place.journal.accept(arrival())
    claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
    await place.journal.settle(claim, settlement(), at=NOW + 5)
    await place.look()
    assert value("sekisho_undelivered") == 1


async def test_the_house_and_the_machine(place: Place) -> None:
    place.wrong = ["starting"]
    place.shown = {"smtp": Authority(place.folder).issue("mail.town.example.jp", days=10).certificate}
    await place.look()
    assert value("sekisho_ready") == 0
    assert value("sekisho_jail_wall", wall="landlock") == 1
    assert 0 < value("sekisho_disk_free_bytes") <= value("sekisho_disk_size_bytes")
    assert value("sekisho_disk_reserve_bytes") == 7
    left = value("sekisho_certificate_expires_timestamp_seconds", use="smtp") - time.time()
    assert 9 * 86_400 < left < 11 * 86_400
    place.wrong = []
    await place.look()
    assert value("sekisho_ready") == 1


async def test_a_look_that_fails_does_not_pass_for_one(place: Place) -> None:
    await place.look()
    place.now = NOW + 100
    place.shown = {"smtp": place.folder / "gone.pem"}
    await place.look()
    assert value("sekisho_watched_timestamp_seconds") == NOW


def test_a_file_that_is_no_certificate(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\nnot one\n-----END CERTIFICATE-----\n")
    with pytest.raises(CertificateError, match=r"key\.pem"):
        certificates.expires(file)


def test_what_happens_is_counted() -> None:
    before = {
        "received": value("sekisho_received_total", door="drop"),
        "bytes": value("sekisho_received_bytes_total", door="drop"),
        "settled": value("sekisho_settled_total", door="smtp", verdict="held", reason="encrypted"),
        "seconds": value("sekisho_road_seconds_sum", door="smtp"),
        "late": value("sekisho_deliveries_total", way="mail", outcome="deferred"),
    }
    metrics.received(Door.DROP, 1_000)
    metrics.settled(transfer(), Decision(verdict=Verdict.HELD, reason=Reason.ENCRYPTED), NOW + 3)
    metrics.delivered("mail", RecipientState.WAITING)
    assert value("sekisho_received_total", door="drop") == before["received"] + 1
    assert value("sekisho_received_bytes_total", door="drop") == before["bytes"] + 1_000
    assert value("sekisho_settled_total", door="smtp", verdict="held", reason="encrypted") == before["settled"] + 1
    assert value("sekisho_road_seconds_sum", door="smtp") == before["seconds"] + 3
    assert value("sekisho_deliveries_total", way="mail", outcome="deferred") == before["late"] + 1


def test_the_list_of_monitored_items_is_what_is_exported() -> None:
    families = text_string_to_metric_families(generate_latest().decode())
    exported = {family.name for family in families if not family.name.endswith("_created")}
    items = metrics.monitored()
    ours = [item for item in items if item.name.startswith("sekisho_")]
    assert {item.name.removesuffix("_total") for item in items} == {name.removesuffix("_total") for name in exported}
    assert all(item.title[0] != item.title[1] for item in ours), "each of ours says it in both languages"
    assert any("\u3040" <= letter <= "\u9fff" for letter in ours[0].title[0])


def test_the_clock_as_the_kernel_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert timekeeping._read(0, 0x2001, 1_500_000, 20_000) == (True, 0.0015, 0.02)
    assert timekeeping._read(0, 0x0001, -1_500, 20_000) == (True, -0.0015, 0.02)
    assert not timekeeping._read(5, 0x0040, 0, 16_000_000).synchronised
    assert not timekeeping._read(0, 0x0040, 0, 16_000_000).synchronised
    known = timekeeping.clock()
    assert known is None or known.error >= 0
    monkeypatch.setattr(timekeeping, "_LIBC", object())
    assert timekeeping.clock() is None
