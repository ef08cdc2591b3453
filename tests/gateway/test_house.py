"""The house: which roles do what at the start, how it stops, and that a bad file changes nothing in a running service."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import aiosmtplib
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway import config, fittings, house
from gateway.config import ConfigError
from gateway.house import House
from gateway.model import State
from gateway.people import permissions
from gateway.people.accounts import Role
from gateway.publishing.versions import Stage, Subject
from gateway.requests.approvals import Approvals
from gateway.road.workers import JailUnavailable
from gateway.storage import nodes
from gateway.storage.journal import Journal
from gateway.web.signin import OPEN
from tests.build.face import quick_passwords
from tests.build.ports import free_port
from tests.build.postgres import fresh
from tests.build.transfer import FakeWorkers, arrival

URL = "http://127.0.0.1:{}"


class Fake(FakeWorkers):
    """Workers without a jail whose rules compile unless they say `bad`."""

    walls = ("seccomp (fake)",)

    def __init__(self, rules: Mapping[str, str], *_: object, **__: object) -> None:
        super().__init__()
        self.given = dict(rules)

    async def start(self) -> None:
        await self.reload(self.given)

    async def stop(self) -> None: ...

    async def reload(self, rules: Mapping[str, str]) -> None:
        if "bad" in rules.get("a.yar", ""):
            raise ValueError("a.yar: syntax error")
        self.given, self.rules_version = dict(rules), str(len(rules.get("a.yar", "")))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> config.Config:
    quick_passwords(monkeypatch)
    monkeypatch.setattr(house, "Workers", Fake)
    monkeypatch.setattr(house, "low_priority", Fake)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/a.yar").write_text("rule A { condition: false }")
    (tmp_path / "policy.toml").write_text("attempts = 2\n")
    given = {
        "SEKISHO_STORAGE_PATH": str(tmp_path / "var"),
        "SEKISHO_STORAGE_RESERVE": "1",
        "SEKISHO_POLICY_RULES": str(tmp_path / "rules"),
        "SEKISHO_POLICY_FILE": str(tmp_path / "policy.toml"),
        "SEKISHO_SMTP_LISTEN": f"127.0.0.1:{free_port()}",
        "SEKISHO_SERVICE_DRAIN": "5s",
    } | {f"SEKISHO_{face}_LISTEN": f"127.0.0.1:{free_port()}" for face in ("DROP", "PICKUP", "ADMIN")}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return config.load(None)


@asynccontextmanager
async def running(made: House) -> AsyncIterator[asyncio.Event]:
    """Started; stopped at the end, within a bound."""
    stop, started = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(made.serve(stop, started.set))
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait((serving, waiting), timeout=20, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        waiting.cancel()
        await serving
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.wait_for(serving, 20)


def port_of(settings: config.Config, face: str) -> int:
    return int(settings[f"{face}.listen"][1])


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ({"admin"}, []),
        ({"drop", "smtp", "deliver"}, ["deliveries"]),
        ({"worker"}, ["transfers 3"]),
        (set(house.ROLES), ["transfers 3", "deliveries"]),
    ],
)
async def test_each_role_takes_back_only_what_its_own_predecessor_had(
    settings: config.Config, roles: set[str], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked = House(settings, frozenset(roles)), []

    async def transfers(*, at: float, attempts: int) -> int:
        asked.append(f"transfers {attempts}")
        return 0

    async def deliveries(*, at: float) -> int:
        asked.append("deliveries")
        return 0

    monkeypatch.setattr(made.journal, "requeue_transfers", transfers)
    monkeypatch.setattr(made.journal, "requeue_deliveries", deliveries)
    async with running(made):
        pass
    assert asked == expected


def certificate(folder: Path) -> Path:
    """Of its own making, with its key in the same file."""
    key, at = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sekisho.localhost")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), at, at + dt.timedelta(days=1))
    unsealed = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unsealed)
    file = folder / "mail.pem"
    file.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + pem)
    return file


@pytest.mark.parametrize("offered", [True, False])
async def test_starttls_is_offered_where_a_certificate_is_set(
    settings: config.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, offered: bool
) -> None:
    if offered:
        monkeypatch.setenv("SEKISHO_SMTP_TLS_CERTIFICATE", str(certificate(tmp_path)))
        settings = config.load(None)
    port = settings["smtp.listen"][0][1]
    async with running(House(settings, frozenset({"smtp"}))):
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, validate_certs=False)
        async with client:
            await client.ehlo()
            assert client.supports_extension("starttls") is offered
            if offered:
                await client.starttls()
                assert (await client.ehlo()).code == 250


def test_a_certificate_that_cannot_be_read_stops_the_start(settings: config.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_SMTP_TLS_CERTIFICATE", "none.pem")
    with pytest.raises(ConfigError, match=r"smtp\.tls_certificate"):
        House(config.load(None))


async def test_a_role_opens_its_own_door_only(settings: config.Config) -> None:
    async with running(House(settings, frozenset({"pickup"}))), aiohttp.ClientSession() as session:
        async with session.get(URL.format(port_of(settings, "pickup")) + "/readyz") as answer:
            assert answer.status == 200
        for face in ("drop", "admin"):
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(URL.format(port_of(settings, face)) + "/healthz")


async def test_every_endpoint_of_the_house_is_in_the_table_of_permissions(settings: config.Config) -> None:
    made = House(settings, frozenset({"drop", "pickup", "admin"}))
    async with running(made):
        asked = 0
        for face, listener in zip(("drop", "pickup", "admin"), made._listeners, strict=True):
            for route in listener._runner.app.router.routes():
                assert route.resource is not None
                path = route.resource.canonical
                if path not in OPEN and not path.startswith("/static/"):
                    asked += 1
                    assert permissions.action(face, route.method, path), f"add to gateway/people/permissions.py: {face} {route.method} {path}"
        assert asked > 150


async def test_an_upload_goes_down_the_road_and_comes_out(settings: config.Config) -> None:
    made = House(settings, frozenset({"drop", "pickup", "worker"}))
    async with running(made), aiohttp.ClientSession() as session:
        first = await made.accounts.add("tanaka", "", Role.STAFF, "test")
        account = await made.accounts.find("tanaka")
        assert account is not None
        await made.accounts.change_password(account, first, "kasumi-no-seki 2026")
        headers = {"Authorization": "Bearer " + await made.accounts.issue_token(account, "x", 60, "test")}
        up = URL.format(port_of(settings, "drop")) + "/api/v1/transfers"
        async with session.post(up, data=b"what came in", headers=headers) as answer:
            receipt_no = (await answer.json())["receipt_no"]
        down = URL.format(port_of(settings, "pickup")) + f"/api/v1/transfers/{receipt_no}/file"
        for _ in range(200):
            async with session.get(down, headers=headers) as answer:
                status, content = answer.status, await answer.read()
            if status != 409:
                break
            await asyncio.sleep(0.02)
        assert (status, content) == (200, b"what goes out")


async def test_a_stop_closes_the_doors_and_finishes_what_is_in_hand(settings: config.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    made = House(settings, frozenset({"drop", "worker"}))
    at_work, go_on = asyncio.Event(), asyncio.Event()
    real = made.workers.sanitize

    async def slow(*given: object) -> object:
        at_work.set()
        await go_on.wait()
        return await real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(made.workers, "sanitize", slow)
    async with running(made) as stop:
        await made.blobs.put(b"what came in")
        transfer_id, _ = await made.journal.accept(arrival())
        await asyncio.wait_for(at_work.wait(), 10)
        stop.set()
        for _ in range(200):
            try:
                with socket.create_connection(("127.0.0.1", port_of(settings, "drop")), timeout=1):
                    await asyncio.sleep(0.02)
            except ConnectionRefusedError:
                break
        else:
            pytest.fail("the door stays open while draining")
        assert (await made.journal.transfer(transfer_id)).state is State.PROCESSING
        states = []
        settle = made.journal.settle

        async def settled(*given: object, **more: object) -> None:
            await settle(*given, **more)  # type: ignore[arg-type]
            states.append((await made.journal.transfer(transfer_id)).state)

        monkeypatch.setattr(made.journal, "settle", settled)
        go_on.set()
    assert states == [State.RELEASED]


async def test_a_bad_file_changes_nothing(settings: config.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_POLICY_FOUR_EYES", "false")
    made = House(config.load(None), frozenset({"worker"}))
    rules, policy = tmp_path / "rules/a.yar", tmp_path / "policy.toml"
    async with running(made):
        pipeline = made._pipeline
        assert pipeline is not None
        before = (pipeline.policy, made.workers.rules_version)
        rules.write_text("bad")
        await made.reload()
        assert (pipeline.policy, made.workers.rules_version) == before
        rules.write_text("rule Another { condition: false }")
        policy.write_text("nonsense = 1\n")
        await made.reload()
        assert (pipeline.policy, made.workers.rules_version) == before, "neither, when one of the two is bad"
        rules.unlink()
        policy.write_text("[kinds]\npdf = 'hold'\n")
        await made.reload()
        assert (pipeline.policy, made.workers.rules_version) == before
        rules.write_text("rule Another { condition: false }")
        await made.reload()
        assert pipeline.policy != before[0]
        assert made.workers.rules_version != before[1]


async def test_another_file_is_a_draft_where_a_second_person_must_agree(settings: config.Config, tmp_path: Path) -> None:
    rules, before = tmp_path / "rules/a.yar", "rule A { condition: false }"
    for text, drafts in ((before, 0), ("rule Another { condition: false }", 1), ("rule Another { condition: false }", 1), (before, 1)):
        rules.write_text(text)
        made = House(settings, frozenset({"worker"}))
        async with running(made):
            assert made.workers.rules_version == str(len(before)), "what is in force, not what lies on disk"
            await made.reload()
            listed = await made.publishing.listed(Subject.RULES)
            assert [version.stage for version in listed] == [Stage.DRAFT] * drafts + [Stage.PUBLISHED]
            assert {version.author for version in listed} == {"system"}


async def test_what_another_process_publishes_is_taken_up(settings: config.Config) -> None:
    made, other = House(settings, frozenset({"worker"})), House(settings, frozenset({"admin"}))
    async with running(made), running(other):
        files = {"a.yar": "rule Longer_Than_Before { condition: false }"}
        drafted = await other.publishing.draft(Subject.RULES, files, actor="kanri")
        await other.publishing.submit(drafted.id, actor="kanri")
        await other.publishing.approve(drafted.id, actor="sousa", reason="test")
        await other.publishing.publish(drafted.id, actor="kanri")
        assert other.workers.rules_version == str(len(files["a.yar"])), "at once in the process that publishes"
        async with asyncio.timeout(20):
            while made.workers.rules_version != other.workers.rules_version:
                await asyncio.sleep(0.05)
        await other.publishing.put_in_force(Subject.LISTS, {"deny.txt": "ab" * 32 + " known bad\n"}, actor="kanri", reason="bundle")
        async with asyncio.timeout(20):
            while made._panel.lists.denied("ab" * 32) is None:
                await asyncio.sleep(0.05)


def test_scanners_by_settings(settings: config.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fittings.read_panel(settings).seats == []
    (tmp_path / "deny.txt").write_text(f"{'0' * 64} known bad\n", "utf-8")
    for name, value in (("CLAMD", "/run/clamd.sock"), ("REQUIRED", "clamav"), ("DENY", "deny.txt"), ("STALE", "2d")):
        monkeypatch.setenv(f"SEKISHO_SCANNERS_{name}", value)
    panel = fittings.read_panel(config.load(None))
    (seat,) = panel.seats
    assert (seat.scanner.name, seat.required, seat.stale_seconds) == ("clamav", True, 2 * 86_400)
    assert panel.lists.denied("0" * 64) == "known bad"


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [("REQUIRED", "clamav", "not set up"), ("DENY", "nowhere.txt", "scanners"), ("CLAMD", "nohost", "scanners"), ("ICAP", "http://h/x", "icap"), ("ALLOW", "bad.txt", "bad.txt")],
)
def test_bad_scanner_settings_do_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: config.Config, name: str, value: str, word: str) -> None:
    (tmp_path / "bad.txt").write_text("no digest\n", "utf-8")
    monkeypatch.setenv(f"SEKISHO_SCANNERS_{name}", value)
    with pytest.raises(config.ConfigError, match=word):
        House(config.load(None))


async def test_lists_of_digests_are_read_again(settings: config.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deny = tmp_path / "deny.txt"
    deny.write_text(f"{'0' * 64} old\n", "utf-8")
    monkeypatch.setenv("SEKISHO_SCANNERS_DENY", "deny.txt")
    made = House(config.load(None), frozenset({"worker"}))
    async with running(made):
        deny.write_text(f"{'1' * 64} new\n", "utf-8")
        await made.reload()
        assert (made._panel.lists.denied("0" * 64), made._panel.lists.denied("1" * 64)) == (None, "new")
        deny.write_text("no digest\n", "utf-8")
        await made.reload()
        assert made._panel.lists.denied("1" * 64) == "new", "a bad list changes nothing"


async def test_it_is_not_ready_while_a_required_scanner_is_silent(
    settings: config.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("CLAMD", str(tmp_path / "clamd.sock")), ("ICAP", f"icap://127.0.0.1:{free_port()}/avscan")):
        monkeypatch.setenv(f"SEKISHO_SCANNERS_{name}", value)
    for required, ready in (("", True), ("clamav", False), ("icap", False)):
        monkeypatch.setenv("SEKISHO_SCANNERS_REQUIRED", required)
        made = config.load(None)
        async with running(House(made, frozenset({"worker", "admin"}))), aiohttp.ClientSession() as session:
            async with session.get(URL.format(port_of(made, "admin")) + "/readyz") as answer:
                said = await answer.json(content_type=None)
            assert answer.status == (200 if ready else 503)
            assert ready or str(said["detail"]).startswith(f"{required}: not reachable")
            async with session.get(URL.format(port_of(made, "admin")) + "/healthz") as answer:
                assert answer.status == 200


async def test_what_is_unsafe_is_logged_at_the_start(
    settings: config.Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "policy.toml").write_text("[treatment]\nmail_links_defanged = false\n")
    async with running(House(settings, frozenset({"worker"}))):
        pass
    assert any("unsafe" in record.getMessage() for record in caplog.records)


async def test_bad_rules_or_no_jail_do_not_start(settings: config.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules/a.yar").write_text("bad")
    with pytest.raises(ConfigError, match=r"policy\.rules"):
        async with running(House(settings)):
            pass

    async def no_jail(_: object) -> None:
        raise JailUnavailable("no seccomp")

    monkeypatch.setattr(Fake, "start", no_jail)
    with pytest.raises(JailUnavailable):
        async with running(House(settings)):
            pass
    with pytest.raises(OSError, match=r"."):
        socket.create_connection(("127.0.0.1", port_of(settings, "drop")), timeout=1)


# ------------------------------------------------------------------------------------------------- as a process of its own

SERVE = (sys.executable, "-m", "gateway.cli", "serve", "--role")
ROOT = str(Path(__file__).parents[2])


@pytest.mark.parametrize("role", ["admin", "smtp"])
def test_a_taken_address_is_one_line(settings: config.Config, role: str) -> None:
    port = port_of(settings, "admin") if role == "admin" else settings["smtp.listen"][0][1]
    with socket.create_server(("127.0.0.1", port)):
        environment = os.environ | {"PYTHONPATH": ROOT, "SEKISHO_SERVICE_LOG_LEVEL": "error"}
        ran = subprocess.run([*SERVE, role], check=False, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1, ran.stderr
    assert ran.stderr.startswith("sekisho: ")
    assert str(port) in ran.stderr


def test_sigterm_drains_and_sighup_reloads(settings: config.Config, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": ROOT}
    process = subprocess.Popen([*SERVE, "admin,worker"], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        events = []
        for line in process.stderr:
            events.append(json.loads(line)["event"])
            if events[-1] == "serving":
                (tmp_path / "rules/a.yar").write_text("rule Bad { condition: nonsense }")
                process.send_signal(signal.SIGHUP)
            elif events[-1] == "nothing was reloaded":
                process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert events[-1] == "draining"
    finally:
        process.kill()
        process.wait(10)


async def test_requests_that_nobody_answers_are_carried_up(settings: config.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = asyncio.Event()

    async def tick(_: Approvals) -> None:
        looked.set()

    monkeypatch.setattr(Approvals, "tick", tick)
    async with running(House(settings, frozenset({"worker"}))), asyncio.timeout(20):
        await looked.wait()


async def test_work_that_does_not_end_in_time_goes_back_into_the_queue(settings: config.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_SERVICE_DRAIN", "50ms")
    made = House(config.load(None), frozenset({"worker"}))
    at_work = asyncio.Event()

    async def stuck(*_: object) -> object:
        at_work.set()
        return await asyncio.Event().wait()

    monkeypatch.setattr(made.workers, "sanitize", stuck)
    async with running(made):
        await made.blobs.put(b"what came in")
        transfer_id, _ = await made.journal.accept(arrival())
        await asyncio.wait_for(at_work.wait(), 10)
    again = Journal(settings.path("storage.path") / "sekisho.db")
    await again.start()
    transfer = await again.transfer(transfer_id)
    assert (transfer.state, transfer.attempts) == (State.RECEIVED, 0)
    await again.stop()


async def test_a_node_of_several_says_so_and_hears_the_others(settings: config.Config, monkeypatch: pytest.MonkeyPatch, postgres: str) -> None:
    monkeypatch.setenv("SEKISHO_STORAGE_URL", fresh(postgres))
    made = House(config.load(None), frozenset({"worker", "deliver"}))
    async with running(made):
        async with asyncio.timeout(20):
            while not await made.journal.ask(nodes.all_of_them) or not made.leader.leads:
                await asyncio.sleep(0.02)
        (here,) = await made.journal.ask(nodes.all_of_them)
        assert here.roles == "deliver,worker"
