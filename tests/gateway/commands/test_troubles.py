"""What stands in a command's way on the machine: one line on standard error, the right status, and nothing half done."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from gateway.commands import versions
from gateway.publishing.trials import Trials
from tests.build.face import Town
from tests.build.publishing import NEW_RULE, RULES, FindingWorkers
from tests.build.transfer import BODY
from tests.gateway.commands.conftest import Installation

PASSPHRASE = "kasumi-no-seki 2026"


# ---------------------------------------------------------------------------------------------------------------- backup


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(f"{PASSPHRASE}\n")
    return tmp_path / "secret"


def test_an_empty_folder_is_no_installation(sekisho: Installation, tmp_path: Path, secret: Path) -> None:
    sekisho("backup", tmp_path / "b", "--password-file", secret).failed(1, "no installation")
    assert not (tmp_path / "b").exists()


def test_a_backup_that_cannot_be_written_leaves_no_half_of_one(sekisho: Installation, tmp_path: Path, secret: Path) -> None:
    sekisho("user", "add", "tanaka")
    for place in ("none/b", "secret/b"):
        sekisho("backup", tmp_path / place, "--password-file", secret).failed(1, "b.part")

    async def damaged(place: Town) -> None:
        await place.settled()
        (found,) = [path for path in (sekisho.folder / "blobs").rglob("*") if path.is_file() and path.read_bytes() == BODY]
        found.write_bytes(b"other")

    sekisho.prepare(damaged)
    sekisho("backup", tmp_path / "b", "--password-file", secret).failed(1, "content does not match")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret", "var"]


# ------------------------------------------------------------------------------------------------------------------ keys


def test_a_key_is_not_moved_to_what_is_none_and_is_destroyed_for_one_organisation(
    sekisho: Installation, tmp_path: Path
) -> None:
    (tmp_path / "master").write_text("11" * 32)
    (tmp_path / "sekisho.toml").write_text(f"[storage]\npath = 'var'\nkey = 'file:{tmp_path / 'master'}'\n")
    sekisho("user", "add", "tanaka")
    given = ("--config", tmp_path / "sekisho.toml")
    assert sekisho("keys", "turn", "--organisation", "関町", *given).status == 0
    sekisho("keys", "master", "--to", "file:none", *given).failed(1, "storage.key")
    before = sekisho("keys", "list", "--json", *given).rows
    erased = sekisho("keys", "erase", "--organisation", "関町", "--reason", "合併", "--json", *given)
    assert erased.status == 0, erased.err
    assert erased.rows[0] == {"organisation": "関町", "destroyed": len([row for row in before if row["organisation"] == "関町"])}
    assert [row for row in erased.rows[1:] if row["organisation"] == "関町"] == []


# ------------------------------------------------------------------------------------------------------ rules and policy


def test_rules_of_which_none_compiles_are_no_draft(sekisho: Installation, tmp_path: Path) -> None:
    (tmp_path / "bad.yar").write_text("rule Bad { condition: nonsense }")
    imported = sekisho("rules", "import", tmp_path / "bad.yar", "--json")
    imported.failed(1, "nothing of it compiles")
    assert [row.get("rule") for row in imported.rows] == ["Bad", None]


def test_a_policy_that_lets_danger_through_says_so(sekisho: Installation, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("[treatment]\nmail_links_defanged = false\n", "utf-8")
    checked = sekisho("policy", "check", tmp_path / "policy.toml", "--json")
    assert checked.status == 0
    assert "treatment.mail_links_defanged" in checked.rows[1]["warning"]


def test_a_version_is_tried_on_what_came_in(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs is told by name, and kept with the version. The jail is stood in for."""
    monkeypatch.setattr(versions, "low_priority", lambda rules, *_, **__: FindingWorkers(rules))
    monkeypatch.setattr("gateway.commands.rules.Workers", lambda rules, *_, **__: FindingWorkers(rules))

    (tmp_path / "in force").mkdir()
    for name, text in RULES.items():
        (tmp_path / "in force" / name).write_text(text, "utf-8")
    monkeypatch.setenv("SEKISHO_POLICY_RULES", str(tmp_path / "in force"))

    async def before(place: Town) -> None:
        await place.settled()

    sekisho.prepare(before)
    policy, rules = tmp_path / "policy.toml", tmp_path / "rules"
    policy.write_text("[kinds]\neml = 'hold'\n")
    number = sekisho("policy", "draft", policy, "--json").rows[0]["number"]
    tried = sekisho("policy", "try", number, "--days", "40000", "--json")
    assert tried.status == 0, tried.err
    changed, told = tried.rows
    assert (changed["before"], changed["after"]) == ("sanitized", "held")
    assert (told["state"], told["summary"]["tested"], told["summary"]["changed"]) == ("done", 1, 1)
    rules.mkdir()
    (rules / "newer.yar").write_text(NEW_RULE)
    tested = sekisho("rules", "backtest", "--rules", rules, "--policy", policy, "--days", "40000", "--json")
    assert tested.status == 0, tested.err
    assert [row.get("new") for row in tested.rows] == [["Newer"], None]


def test_a_back_test_that_another_process_has_begun_is_left_to_it(
    sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policy.toml").write_text("[kinds]\ntext = 'hold'\n")
    number = sekisho("policy", "draft", tmp_path / "policy.toml", "--json").rows[0]["number"]
    ask = Trials.ask

    async def taken(trials: Trials, *given: object, **named: object) -> object:
        asked = await ask(trials, *given, **named)  # type: ignore[arg-type]
        await trials._claim(asked.id)
        return asked

    monkeypatch.setattr(Trials, "ask", taken)
    sekisho("policy", "try", number).failed(1, "another process")


# ---------------------------------------------------------------------------------------------------------------- bundle


def test_a_bundle_says_who_approved_and_cannot_be_a_folder(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, folder = tmp_path / "update.key", tmp_path / "rules"
    folder.mkdir()
    (folder / "newer.yar").write_text(NEW_RULE)
    assert sekisho("bundle", "key", key).status == 0
    monkeypatch.setenv("SEKISHO_UPDATES_KEY", f"{key}.pub")
    sekisho("bundle", "import", tmp_path).failed(1, "Is a directory")
    sekisho("bundle", "import", tmp_path / "none").failed(1, "No such file")
    number = sekisho("rules", "draft", "--rules", folder, "--json").rows[0]["number"]
    for who, what in (("kanri", "submit"), ("sousa", "approve"), ("kanri", "publish")):
        monkeypatch.setattr(versions, "actor", lambda who=who: f"command:{who}")
        assert sekisho("rules", what, number, "--note", "急ぎ").status == 0
    made = sekisho("bundle", "make", tmp_path / "b", "--key", key, "--json")
    assert made.rows[0]["origin"]["approved_by"] == "command:sousa"
    given = sekisho("bundle", "make", tmp_path / "c", "--key", key, "--rules", folder, "--json")
    assert "approved_by" not in given.rows[0]["origin"], "nobody approved what was taken from a folder"


# ---------------------------------------------------------------------------------------------------------------- people


def test_all_sessions_of_a_person_end(sekisho: Installation) -> None:
    async def before(place: Town) -> None:
        place.clock.now = time.time()       # the command's clock is the machine's
        await place.known("tanaka")
        account = await place.accounts.find("tanaka")
        assert account is not None
        for face in ("drop", "pickup"):
            await place.accounts.admit(account, face, "10.0.0.9", "test")
        assert len(await place.accounts.sessions_of(account)) == 2

    async def after(place: Town) -> int:
        place.clock.now = time.time()
        account = await place.accounts.find("tanaka")
        assert account is not None
        return len(await place.accounts.sessions_of(account))

    sekisho.prepare(before)
    assert sekisho("user", "sessions", "tanaka").status == 0
    assert sekisho.prepare(after) == 0


def test_a_directory_that_is_away_changes_nobody(sekisho: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_DIRECTORY_URL", "ldaps://127.0.0.1:1")
    monkeypatch.setenv("SEKISHO_DIRECTORY_BASE", "dc=example")
    sekisho("user", "sync").failed(1)
    assert sekisho("user", "list", "--json").rows == []


# ---------------------------------------------------------------------------------------------------------------- record


def test_an_anchor_that_was_not_taken_is_told(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sekisho("user", "add", "tanaka")
    monkeypatch.setenv("SEKISHO_AUDIT_ANCHOR_FILE", str(tmp_path / "none" / "anchors"))
    sekisho("audit", "anchor").failed(1, "anchors")


def test_a_move_leaves_behind_what_retention_took(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def before(place: Town) -> None:
        await place.settled()
        await place.blobs.delete((await place.blobs.put(BODY)).digest)

    sekisho.prepare(before)
    monkeypatch.delenv("SEKISHO_STORAGE_PATH")
    (sekisho.folder / "receipt.key").write_bytes(os.urandom(32))
    for name in ("var", "new"):
        (tmp_path / f"{name}.toml").write_text(f"[storage]\npath = '{name}'\n")
    moved = sekisho("migrate", "--config", tmp_path / "var.toml", "--to", tmp_path / "new.toml", "--json")
    assert moved.status == 0, moved.err
    assert moved.rows[-1]["blobs"] == 1
    assert (tmp_path / "new" / "receipt.key").read_bytes() == (sekisho.folder / "receipt.key").read_bytes()
    with sqlite3.connect(tmp_path / "new" / "sekisho.db") as raw:
        assert raw.execute("SELECT count(*) FROM transfers").fetchone() == (1,)
    raw.close()


def test_an_interrupt_is_130_and_no_traceback(sekisho: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("gateway.commands.config.run", interrupted)
    assert sekisho("config").status == 130
