"""`sekisho audit`: anchored elsewhere, so that even a cut end is found."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.gateway.commands.conftest import Installation


@pytest.fixture
def anchored(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the anchors are, after one was put there."""
    file = tmp_path / "elsewhere.jsonl"
    monkeypatch.setenv("SEKISHO_AUDIT_ANCHOR_FILE", str(file))
    sekisho("user", "add", "tanaka")
    sekisho("user", "add", "sato")
    assert sekisho("audit", "anchor").status == 0
    return file


def cut(sekisho: Installation) -> None:
    with sqlite3.connect(sekisho.folder / "sekisho.db") as raw:
        raw.execute("DROP TRIGGER audit_refuses_delete")
        raw.execute("DELETE FROM audit WHERE seq > 1")
    raw.close()


def test_a_cut_end_is_found(sekisho: Installation, anchored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sekisho("audit", "verify", "--json")
    assert (whole.status, whole.rows[0]["broken"], whole.rows[0]["anchors"]) == (0, None, 1)
    cut(sekisho)
    sekisho("audit", "verify").failed(1, "the end of the record is missing")
    monkeypatch.delenv("SEKISHO_AUDIT_ANCHOR_FILE")
    assert sekisho("audit", "verify").status == 0, "the chain alone does not show it"
    sekisho("audit", "verify", "--anchors", str(anchored)).failed(1, "the end of the record is missing")


def test_anchors_that_cannot_be_read_are_no_proof(sekisho: Installation, anchored: Path) -> None:
    anchored.write_text("{}\n")
    sekisho("audit", "verify").failed(1, "anchors cannot be read")
    anchored.unlink()
    shutil.rmtree(anchored, ignore_errors=True)
    assert sekisho("audit", "verify").status == 0


def test_there_has_to_be_a_place(sekisho: Installation) -> None:
    sekisho("audit", "anchor").failed(1, "audit.anchor_file")


def test_nothing_new_needs_no_anchor(sekisho: Installation, anchored: Path) -> None:
    assert sekisho("audit", "anchor").status == 0
    assert len(anchored.read_text().splitlines()) == 1


@pytest.mark.parametrize("where", ["host", "http://host", "udp://", "tcp://host:x", "udp://host:99999"])
def test_a_syslog_server_that_is_none(sekisho: Installation, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setenv("SEKISHO_AUDIT_ANCHOR_SYSLOG", where)
    sekisho("audit", "verify").failed(2, "audit.anchor_syslog")
