"""`sekisho rules`, `policy` and `bundle`: drafts, steps by two people of the machine, one word back, all without a running service."""

from __future__ import annotations

import os
import pwd
import time
from pathlib import Path

import pytest

from gateway.commands import versions
from gateway.publishing import rulesets
from gateway.storage import rescans, rule_matches
from tests.build.face import Town
from tests.build.publishing import NEW_RULE
from tests.gateway.commands.conftest import Installation


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The built-in rules and one more."""
    made = tmp_path / "rules"
    made.mkdir()
    for name, text in rulesets.read(rulesets.builtin_folder()).items():
        (made / name).write_text(text, "utf-8")
    (made / "newer.yar").write_text(NEW_RULE)
    return made


def acting(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(versions, "actor", lambda: f"command:{name}")


def test_a_rule_set_goes_its_way(sekisho: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acting(monkeypatch, "kanri")
    sekisho("rules", "draft").failed(2, "--rules")
    sekisho("rules", "submit").failed(2, "which version")
    sekisho("rules", "submit", "7").failed(1, "no version 7")
    (drafted,) = sekisho("rules", "draft", "--rules", folder, "--note", "要望 12", "--json").rows
    number = drafted["number"]
    assert "+rule Newer" in sekisho("rules", "diff", number).out
    sekisho("rules", "publish", number).failed(1, "another person")
    assert sekisho("rules", "submit", number).status == 0
    sekisho("rules", "approve", number, "--note", "x").failed(1, "another person")
    acting(monkeypatch, "sousa")
    sekisho("rules", "approve", number).failed(1, "reason")
    assert sekisho("rules", "approve", number, "--note", "急ぎ").status == 0
    acting(monkeypatch, "kanri")
    assert sekisho("rules", "publish", number).status == 0
    listed = sekisho("rules", "versions", "--json").rows
    assert [(row["stage"], row["in_force"]) for row in listed] == [("published", True), ("published", False)]
    sekisho("rules", "rollback").failed(2, "why")
    assert sekisho("rules", "rollback", "--note", "誤検知").status == 0
    assert [row["in_force"] for row in sekisho("rules", "versions", "--json").rows] == [False, True]
    history = sekisho("rules", "history", "--json").rows
    assert [row["number"] for row in history] == [1, number, 1]
    assert sekisho("audit", "verify").status == 0


def test_states_imports_and_statistics(sekisho: Installation, tmp_path: Path) -> None:
    sekisho("rules", "state", "Test_EICAR").failed(2, "--state")
    sekisho("rules", "state", "Nobody", "--state", "disabled").failed(1, "Nobody")
    (drafted,) = sekisho("rules", "state", "Test_EICAR", "Test_GTUBE", "--state", "evaluation", "--json").rows
    assert sekisho("rules", "diff", drafted["number"]).out.count('+state = "evaluation"') == 2
    feed = tmp_path / "feed" / "deep"
    feed.mkdir(parents=True)
    (feed / "apt 1.yara").write_text(NEW_RULE + "rule Bad {\n condition:\n  filename\n}\n")
    fault, counts, made = sekisho("rules", "import", feed.parent, "--json").rows
    assert (fault["file"], fault["line"], fault["rule"]) == ("apt_1.yar", 4, "Bad")
    assert (counts, made["stage"]) == ({"taken": 1, "left_out": 1}, "draft")
    sekisho("rules", "import", tmp_path / "nowhere").failed(2)

    async def happened(place: Town) -> None:
        await place.settled()
        at = time.time()
        await place.journal.write(lambda connection: rule_matches.keep(connection, 1, ["Test_EICAR"], at))
        transfer = await place.journal.transfer(1)
        await place.journal.write(lambda connection: rescans.hit(connection, transfer, ["Test_EICAR"], at=at))

    sekisho.prepare(happened)
    rows = {row["rule"]: row for row in sekisho("rules", "list", "--json").rows}
    assert (rows["Test_EICAR"]["state"], rows["Test_EICAR"]["matches"], rows["Test_GTUBE"]["matches"]) == ("enabled", 1, 0)
    assert rows["Test_EICAR"]["last_match"]
    assert "Test_EICAR" in sekisho("rules", "list").out
    assert [row["name"] for row in sekisho("rules", "late", "--json").rows] == ["Test_EICAR"]


def test_a_policy_goes_its_way(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acting(monkeypatch, "kanri")
    file = tmp_path / "policy.toml"
    file.write_text("nonsense = 1")
    sekisho("policy", "check", file).failed(2, "nonsense")
    sekisho("policy", "draft", file).failed(1, "nonsense")
    sekisho("policy", "draft", tmp_path / "nowhere").failed(2)
    file.write_text("name = 'town'\n[kinds]\nsvg = 'hold'\n")
    assert sekisho("policy", "check", file, "--json").rows[0]["name"] == "town"
    number = sekisho("policy", "draft", file, "--json").rows[0]["number"]
    sekisho("rules", "submit", number).failed(1, "no version")
    for what in ("submit", "approve", "publish"):
        acting(monkeypatch, "sousa" if what == "approve" else "kanri")
        assert sekisho("policy", what, number, "--note", "x").status == 0
    assert sekisho("policy", "show").out == file.read_text()
    assert sekisho("policy", "show", number).out == file.read_text()
    assert "input_bytes" in sekisho("policy", "show", "--all").out
    assert sekisho("policy", "rollback", "--note", "x").status == 0
    assert sekisho("policy", "show").out == ""
    withdrawn = sekisho("policy", "draft", file, "--json").rows[0]["number"]
    assert sekisho("policy", "withdraw", withdrawn).status == 0


def test_a_bundle_from_one_site_to_another(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, file, deny = tmp_path / "update.key", tmp_path / "update.bundle", tmp_path / "deny.txt"
    deny.write_text("ab" * 32 + " known bad\n")
    assert sekisho("bundle", "key", key).status == 0
    assert key.stat().st_mode & 0o777 == 0o600
    sekisho("bundle", "key", key).failed(2)
    sekisho("bundle", "make", file).failed(2, "--key")
    made = sekisho("bundle", "make", file, "--key", key, "--deny", deny, "--note", "11月", "--json")
    assert made.status == 0, made.err
    sekisho("bundle", "make", file, "--key", key).failed(2)
    sekisho("bundle", "verify", file).failed(2, "updates.key")
    monkeypatch.setenv("SEKISHO_UPDATES_KEY", str(key) + ".pub")
    assert sekisho("bundle", "verify", file, "--json").rows == made.rows
    (taken,) = sekisho("bundle", "import", file, "--json").rows
    assert (taken["rules"], taken["lists"]["stage"]) == (None, "published"), "the rules are in force already"
    sekisho("bundle", "import", file).failed(1, "not newer")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    sekisho("bundle", "verify", file).failed(1, "signed")
    sekisho("bundle", "import", file).failed(1, "signed")
    sekisho("bundle", "rollback").failed(2, "why")
    assert sekisho("bundle", "rollback", "--note", "x").status == 0
    sekisho("bundle", "rollback", "--note", "x").failed(1)
    assert sekisho("audit", "verify").status == 0


def test_who_acts_is_not_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for `sudo`, which is root's word."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "sousa")
    monkeypatch.setenv("SUDO_USER", "hoka")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert versions.actor() == "command:hoka"
    monkeypatch.delenv("SUDO_USER")
    assert versions.actor() == f"command:{pwd.getpwuid(0).pw_name}"
    monkeypatch.setenv("SUDO_USER", "hoka")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    assert versions.actor() == "command:uid4000000001"
