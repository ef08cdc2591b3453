"""`sekisho migrate` and `sekisho keys`: an installation moves into other stores, and its keys turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from tests.build.face import Town
from tests.build.postgres import fresh
from tests.build.transfer import BODY, RESULT, digest
from tests.gateway.commands.conftest import Installation


async def two_transfers(town: Town) -> None:
    await town.settled("tanaka")
    await town.settled("suzuki")


def settings(folder: Path, name: str, **storage: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text("[storage]\n" + "".join(f"{key} = {value!r}\n" for key, value in storage.items()))
    return path


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "blobs").rglob("*") if path.is_file() and path.name != "placing.lock"}


@pytest.fixture
def moved(sekisho: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, postgres: str) -> tuple[Installation, Path, Path]:
    """An installation in files, its settings, and the settings of what it is to be: on PostgreSQL, sealed, elsewhere."""
    sekisho.prepare(two_transfers)
    monkeypatch.delenv("SEKISHO_STORAGE_PATH")
    (tmp_path / "master").write_text("11" * 32)
    old = settings(tmp_path, "old", path="var")
    return sekisho, old, settings(tmp_path, "new", path="new", url=fresh(postgres), key="file:master")


def test_an_installation_moves(moved: tuple[Installation, Path, Path], tmp_path: Path) -> None:
    sekisho, old, new = moved
    before = sekisho("transfer", "list", "--json", "--config", old).rows
    told = sekisho("migrate", "--config", old, "--to", new, "--json")
    assert told.status == 0, told.err
    assert told.rows[-1]["blobs"] == 2
    assert {row["table"]: row["rows"] for row in told.rows[:-1]}["transfers"] == len(before) == 2
    assert sekisho("transfer", "list", "--json", "--config", new).rows == before
    assert files(tmp_path / "new").isdisjoint({digest(BODY), digest(RESULT)}) and len(files(tmp_path / "new")) == 2
    assert sekisho("audit", "verify", "--config", new).status == 0
    # The old one keeps everything and lets nothing in or out.
    assert [row["stopped"] for row in sekisho("emergency", "status", "--json", "--config", old).rows] == [True, True]
    assert [row["stopped"] for row in sekisho("emergency", "status", "--json", "--config", new).rows] == [False, False]
    assert files(tmp_path / "var") == {digest(BODY), digest(RESULT)}
    sekisho("migrate", "--config", old, "--to", new).failed(1, "not empty")
    sekisho("migrate", "--config", old, "--to", old).failed(2, "same database")


def test_keys_turn_and_are_erased(moved: tuple[Installation, Path, Path], tmp_path: Path) -> None:
    sekisho, old, new = moved
    sekisho("migrate", "--config", old, "--to", new)
    sekisho("keys", "list", "--config", old).failed(1, "storage.key")
    (first,) = sekisho("keys", "list", "--json", "--config", new).rows
    assert (first["copies"], first["retired"]) == (2, False)
    turned = sekisho("keys", "turn", "--json", "--config", new).rows
    assert turned[0]["moved"] == 2 and [row["copies"] for row in turned[1:]] == [2]
    (tmp_path / "other").write_bytes(bytes(32))
    assert sekisho("keys", "master", "--to", "file:other", "--json", "--config", new).rows[0]["moved"] == 1
    sekisho("keys", "list", "--config", new).failed(1, "another master key")
    new.write_text(new.read_text().replace("file:master", "file:other"))
    assert sekisho("keys", "list", "--config", new).status == 0
    sekisho("keys", "erase", "--config", new, "--organisation", "").failed(2, "why")
    erased = sekisho("keys", "erase", "--config", new, "--organisation", "", "--reason", "合併", "--json")
    assert erased.status == 2
    actions = [row["action"] for row in sekisho("audit", "export", "--config", new).rows]
    assert [action for action in actions if action.startswith("key.")] == ["key.made", "key.turned", "key.destroyed", "key.master"]


def test_settings_that_cannot_be_are_refused(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEKISHO_STORAGE_PATH")
    (tmp_path / "keys").write_text("id\nsecret\n")
    good = {"path": "x", "blobs": "s3://bucket/place", "s3_endpoint": "https://store.example.jp", "s3_credentials": "keys"}
    for word, wrong in (
        ("s3://bucket", {"blobs": "http://bucket"}), ("https", {"s3_endpoint": "store"}), ("TLS", {"s3_endpoint": "http://store.example.jp"}),
        ("two lines", {"s3_credentials": "nowhere"}), ("storage.key", {"key": "file:nowhere"}),
    ):  # fmt: skip
        sekisho("transfer", "list", "--config", settings(tmp_path, "wrong", **(good | wrong))).failed(2, word)


async def test_both_kinds_of_stores_are_built(tmp_path: Path) -> None:
    from gateway.config import load
    from gateway.storage.catalogued import CataloguedBlobs
    from gateway.storage.chosen import stores

    journal, blobs = stores(load(settings(tmp_path, "plain", path="x")))
    assert isinstance(journal, Journal) and isinstance(blobs, LocalBlobs)
    (tmp_path / "keys").write_text("id secret")
    chosen = settings(tmp_path, "s3", path="x", blobs="s3://bucket", s3_endpoint="http://127.0.0.1:9", s3_credentials="keys")
    assert isinstance(stores(load(chosen))[1], CataloguedBlobs)


def test_a_backup_goes_from_any_stores_into_any(moved: tuple[Installation, Path, Path], tmp_path: Path, postgres: str) -> None:
    """From PostgreSQL, sealed, into files; from there into PostgreSQL under another key."""
    sekisho, old, new = moved
    sekisho("migrate", "--config", old, "--to", new)
    before = sekisho("transfer", "list", "--json", "--config", new).rows
    (tmp_path / "passphrase").write_text("kasumi-no-seki 2026\n")
    sealed, again = tmp_path / "first.backup", tmp_path / "second.backup"
    told = sekisho("backup", sealed, "--password-file", tmp_path / "passphrase", "--config", new, "--json")
    assert told.status == 0, told.err
    assert (told.rows[0]["transfers"], told.rows[0]["blobs"], told.rows[0]["gone"]) == (2, 2, 0)
    plain = settings(tmp_path, "plain", path="plain")
    assert sekisho("restore", sealed, "--password-file", tmp_path / "passphrase", "--config", plain).status == 0
    assert files(tmp_path / "plain") == {digest(BODY), digest(RESULT)}
    assert sekisho("transfer", "list", "--json", "--config", plain).rows == before
    assert sekisho("audit", "verify", "--config", plain).status == 0
    assert sekisho("backup", again, "--password-file", tmp_path / "passphrase", "--config", plain).status == 0
    (tmp_path / "other").write_bytes(bytes(32))
    third = settings(tmp_path, "third", path="third", url=fresh(postgres, again=True), key="file:other")
    told = sekisho("restore", again, "--password-file", tmp_path / "passphrase", "--config", third)
    assert told.status == 0, told.err
    assert sekisho("transfer", "list", "--json", "--config", third).rows == before
    assert not (tmp_path / "third" / "sekisho.db").exists()
    assert [row["copies"] for row in sekisho("keys", "list", "--json", "--config", third).rows] == [2]
