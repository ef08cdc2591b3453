"""`sekisho doctor` on an installation that is not in order: each trouble has its line, and the rest is looked at all the same."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.commands import doctor
from tests.gateway.commands.conftest import Installation

# The jail is not what is looked at here.
pytestmark = pytest.mark.usefixtures("no_jail")


@pytest.fixture
def no_jail(monkeypatch: pytest.MonkeyPatch) -> None:
    class Standing:
        walls = ("no-new-privs", "limits", "seccomp")
        rules_version = "rules-1"

        def __init__(self, rules: dict[str, str], _: int) -> None:
            if not rules:
                raise ValueError("no rules")

        async def start(self) -> None: ...

        async def stop(self) -> None: ...

    monkeypatch.setattr(doctor, "Workers", Standing)


def found(sekisho: Installation) -> dict[str, tuple[str, str]]:
    return {row["name"]: (row["state"], row["detail"]) for row in sekisho("doctor", "--json").rows}


def test_settings_that_name_no_server_are_told_and_the_rest_is_looked_at(sekisho: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_TRACING_TO", "collector")
    looked = found(sekisho)
    assert looked["settings"] == ("fail", "tracing.to: no host and port in 'collector'")
    assert looked["next hop"][0] == "warn", "the one that is set is asked all the same"
    assert "disk flush" in looked
    sekisho("doctor").failed(1, "settings")


def test_rules_that_cannot_be_read_are_told(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_POLICY_RULES", str(tmp_path / "none"))
    looked = found(sekisho)
    assert looked["rules"][0] == "fail"
    assert not any(name.startswith("jail") for name in looked)


def test_scanners_that_cannot_be_asked_are_told(sekisho: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_SCANNERS_REQUIRED", "clamav")
    assert found(sekisho)["scanners"] == ("fail", "scanners.required: clamav is not set up")


@contextmanager
def clamd() -> Iterator[int]:
    """One that finds nothing and has signatures of two hours ago, in a thread: the command has a loop of its own."""
    made = time.strftime("%a %b %d %H:%M:%S %Y", time.localtime(time.time() - 7_200))
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(10)
                    said = connection.recv(65_536)
                    while said.startswith(b"zINSTREAM") and not said.endswith(bytes(4)):
                        said += connection.recv(65_536)
                    connection.sendall(f"ClamAV 1.0.0/27000/{made}\0".encode() if said.startswith(b"zVERSION") else b"stream: OK\0")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def test_a_scanner_that_answers_and_lists_of_digests(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deny.txt").write_text("ab" * 32 + " known bad\n")
    monkeypatch.setenv("SEKISHO_SCANNERS_DENY", str(tmp_path / "deny.txt"))
    with clamd() as port:
        monkeypatch.setenv("SEKISHO_SCANNERS_CLAMD", f"127.0.0.1:{port}")
        monkeypatch.setenv("SEKISHO_SCANNERS_STALE", "1d")
        looked = found(sekisho)
        assert looked["scanner: clamav"] == ("ok", "answers, signatures 2 h old, not required")
        assert looked["lists of digests"] == ("ok", "1 denied, 0 allowed")
        monkeypatch.setenv("SEKISHO_SCANNERS_REQUIRED", "clamav")
        looked = found(sekisho)
        assert looked["scanner: clamav"] == ("ok", "answers, signatures 2 h old")
        assert "scanners" not in looked


def test_who_is_not_root_is_not_told_that_he_is(sekisho: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    for uid, told in ((0, True), (1_000, False)):
        monkeypatch.setattr(os, "geteuid", lambda uid=uid: uid)
        assert ("user" in found(sekisho)) is told


def test_alive_asks_the_service_itself(sekisho: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_ADMIN_LISTEN", "127.0.0.1:1")
    sekisho("doctor", "--alive").failed(1, "127.0.0.1:1: ConnectionRefusedError")
