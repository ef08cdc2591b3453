"""The commands beside the service: exit status, one line on standard error, and the words that programs read."""

from __future__ import annotations

import json
import socket
import sqlite3
from pathlib import Path

import pytest

from gateway import config
from gateway.commands import doctor, rules
from gateway.model import Decision, Door
from gateway.receipts import Signer
from gateway.road.workers import JailUnavailable
from gateway.storage.keys import signing_key
from sanitizers.model import Reason, Verdict
from tests.build.face import Town
from tests.build.transfer import NOW, RESULT, arrival, claimed, digest, held, report, settlement
from tests.gateway.commands.conftest import Installation

LISTED = {"receipt_no", "door", "state", "verdict", "reason", "received_at", "sender", "recipients", "message_id", "size", "sha256"}


@pytest.mark.parametrize(
    ("words", "status", "word"),
    [
        ((), 2, "required"),
        (("nonsense",), 2, "nonsense"),
        (("transfer", "show"), 2, "RECEIPT_NO"),
        (("transfer", "list", "--state", "none"), 2, "none"),
        (("transfer", "list", "--limit", "x"), 2, "limit"),
        (("transfer", "show", "20261118-999999"), 1, "no such transfer"),
        (("transfer", "release", "20261118-999999"), 1, "no such transfer"),
        (("user", "add"), 2, "LOGIN"),
        (("user", "add", "admin"), 2, "admin"),
        (("user", "add", "tanaka", "--role", "king"), 2, "king"),
        (("user", "disable", "nobody"), 1, "no such account"),
        (("user", "token", "nobody", "--days", "0"), 2, "--days"),
        (("serve", "--role", "smtp,moat"), 2, "moat"),
        (("serve", "--config", "none.toml"), 2, "none.toml"),
        (("config", "--check", "none.toml"), 2, "none.toml"),
        (("rules", "check", "--rules", "none"), 2, "none"),
        (("receipt", "verify", "none", "none"), 2, "none"),
        (("receipt", "verify", "."), 2, "RECEIPT"),
        (("sanitize", "none", "-o", "out"), 2, "none"),
        (("sanitize", "none"), 2, "output"),
        (("transfer", "unlock", "20261118-000001"), 2, "--password-file"),
        (("transfer", "retry", "20261118-000001", "--password-file", "-"), 2, "--password-file"),
        (("transfer", "hold", "20261118-000001", "--as-pixels"), 2, "--as-pixels"),
        (("keys", "master"), 2, "--to"),
        (("keys", "erase", "--organisation", "関町"), 2, "why"),
        (("policy", "versions", "--days", "0"), 2, "--days"),
        (("policy", "check"), 2, "which FILE"),
        (("policy", "draft", "one", "two"), 2, "which FILE"),
        (("policy", "show", "one"), 2, "NUMBER"),
        (("policy", "submit", "one"), 2, "NUMBER"),
        (("policy", "submit", "1", "2"), 2, "NUMBER"),
        (("rules", "list", "--days", "0"), 2, "--days"),
        (("rules", "import"), 2, "which files"),
        (("rules", "backtest", "--policy", "none"), 2, "none"),
        (("bundle", "make"), 2, "which FILE"),
        (("bundle", "verify", "none", "--key", "none"), 2, "none"),
        (("flows", "--role", "smtp,moat"), 2, "moat"),
        (("backup", "town.backup", "--password-file", "none"), 2, "none"),
    ],
)
def test_wrong_usage_and_failure_are_one_line(sekisho: Installation, words: tuple[str, ...], status: int, word: str) -> None:
    sekisho(*words).failed(status, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[smtp]\nlistn = []\n", "smtp.listn"),
        ("[smtp]\nsize_limit = 'much'\n", "smtp.size_limit"),
        ("[jail]\nrequired = 'perhaps'\n", "jail.required"),
        ("not toml", "sekisho.toml"),
    ],
)
def test_a_bad_setting_is_named(sekisho: Installation, tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "sekisho.toml"
    file.write_text(text, "utf-8")
    for command in (("serve",), ("transfer", "list"), ("user", "list"), ("doctor",), ("audit", "verify")):
        sekisho(*command, "--config", file).failed(2, word)
    sekisho("config", "--check", file).failed(2, word)


def test_a_bad_setting_of_the_environment_is_named(sekisho: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_SMTP_LISTEN", "nowhere")
    sekisho("transfer", "list").failed(2, "smtp.listen")


def test_config_prints_a_file_that_loads_as_the_defaults(sekisho: Installation, tmp_path: Path) -> None:
    printed = sekisho("config")
    assert printed.status == 0
    file = tmp_path / "printed.toml"
    file.write_text(printed.out, "utf-8")
    assert config.load(file, {}).values == config.load(None, {}).values
    assert sekisho("config", "--check", file).status == 0
    assert {row["key"] for row in json.loads(sekisho("config", "--json").out)} == {setting.name for setting in config.SETTINGS}


def test_stores_that_cannot_be_opened_fail_in_one_line(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x")
    monkeypatch.setenv("SEKISHO_STORAGE_PATH", str(in_the_way))
    for words in (("transfer", "list"), ("user", "list"), ("audit", "verify"), ("serve", "--role", "admin")):
        sekisho(*words).failed(1)


# ------------------------------------------------------------------------------------------------------------ accounts


def test_accounts(sekisho: Installation) -> None:
    added = sekisho("user", "add", "tanaka", "--name", "田中", "--role", "operator", "--json")
    assert added.status == 0
    (shown,) = added.rows
    assert len(shown["password"]) == 23
    sekisho("user", "add", "tanaka").failed(1, "taken")
    (listed,) = sekisho("user", "list", "--json").rows
    assert listed == {"login": "tanaka", "name": "田中", "mail": "", "role": "operator", "disabled": False, "employment": "regular",
                      "may_drop": True, "may_mail": True}  # fmt: skip
    assert sekisho("user", "reset", "tanaka").out.strip() != shown["password"]
    assert len(sekisho("user", "token", "tanaka").out.strip()) == 43
    assert sekisho("user", "disable", "tanaka").status == 0
    assert sekisho("user", "list", "--json").rows[0]["disabled"] is True
    sekisho("user", "token", "tanaka").failed(1, "disabled")
    actions = [(row["action"], row["actor"].split(":")[0]) for row in sekisho("audit", "export").rows]
    assert actions == [(action, "command") for action in ("account.added", "password.changed", "token.added", "account.disabled")]


def test_how_somebody_is_employed_and_what_is_permitted(sekisho: Installation) -> None:
    assert sekisho("user", "add", "kaikei", "--employment", "fiscal_year").status == 0
    sekisho("user", "add", "shonin", "--employment", "fiscal_year", "--permit", "drop").failed(2, "no reason")
    assert sekisho("user", "add", "shonin", "--employment", "fiscal_year", "--permit", "drop", "--reason", "調査票").status == 0
    assert {row["login"]: (row["may_drop"], row["may_mail"]) for row in sekisho("user", "list", "--json").rows} == {
        "kaikei": (False, False), "shonin": (True, False),
    }  # fmt: skip
    sekisho("user", "add", "x1", "--employment", "king").failed(2, "king")
    sekisho("user", "add", "x1", "--permit", "king").failed(2, "king")


def test_departments_and_lists_of_people(sekisho: Installation, tmp_path: Path) -> None:
    assert sekisho("department", "add", "総務部").status == 0
    assert sekisho("department", "add", "税務課", "--below", "総務部").status == 0
    sekisho("department", "add", "税務課").failed(2, "such a department")
    assert sekisho("user", "add", "kacho", "--department", "税務課", "--head").status == 0
    sekisho("user", "add", "dareka", "--department", "夢の課").failed(2, "no such department")
    rows = sekisho("department", "list", "--json").rows
    assert rows[-1] == {"name": "総務部", "below": "", "closed": False, "members": []}
    assert (rows[0]["below"], rows[0]["members"]) == ("総務部", ["kacho"])
    sekisho("department", "close", "税務課").failed(2, "still belong")
    assert sekisho("department", "place", "税務課").status == 0
    sekisho("department", "add").failed(2, "NAME")
    file = tmp_path / "people.csv"
    file.write_text("login,name,department\nhanako,花子,税務課\n", "utf-8")
    assert sekisho("user", "import", str(file), "--json").rows[0] == {"joins": ["hanako"]}
    assert len(sekisho("user", "list", "--json").rows) == 1, "only looked at"
    assert len(sekisho("user", "import", str(file), "--confirm", "--json").rows[-1]["password"]) == 23
    assert len(sekisho("user", "list", "--json").rows) == 2
    file.write_text("login,name,department\ntaro,太郎,夢の課\n", "utf-8")
    sekisho("user", "import", str(file), "--confirm").failed(1, "no such department")
    sekisho("user", "import", str(tmp_path / "none")).failed(2, "No such file")
    sekisho("user", "sync").failed(2, "directory.url")


def test_more_deeds_on_accounts(sekisho: Installation) -> None:
    sekisho("user", "add", "sousa", "--role", "operator")
    sekisho("user", "add", "kansa", "--role", "auditor", "--person", "sousa").failed(2, "audits")
    for words in (("mfa", "reset", "sousa"), ("unlock", "sousa"), ("sessions", "sousa"), ("disable", "sousa"), ("enable", "sousa")):
        assert sekisho("user", *words).status == 0, words
    sekisho("user", "add", "madoguchi")
    assert sekisho("user", "share", "madoguchi", "--member", "sousa").status == 0
    sekisho("user", "share", "madoguchi", "--member", "nobody").failed(1, "no such account")
    sekisho("user", "share", "sousa", "--member", "madoguchi").failed(2, "never shared")
    sekisho("user", "mfa", "sousa").failed(2, "reset LOGIN")
    sekisho("user", "mfa", "reset", "nobody").failed(1, "no such account")
    sekisho("user", "disable", "sousa", "more").failed(2, "too much")
    assert sekisho("user", "token", "sousa", "--face", "admin").status == 0
    sekisho("user", "token", "sousa", "--face", "cellar").failed(2, "cellar")


# ----------------------------------------------------------------------------------------------------------- transfers


def test_transfer_list_has_the_keys_of_the_contract(sekisho: Installation) -> None:
    async def before(place: Town) -> list[str]:
        return [await place.settled("a@example.com", door=Door.SMTP), await place.settled("tanaka", held())]

    first, second = sekisho.prepare(before)
    rows = sekisho("transfer", "list", "--json").rows
    assert [row["receipt_no"] for row in rows] == [second, first]
    assert all(row.keys() >= LISTED for row in rows)
    assert (rows[0]["door"], rows[0]["state"], rows[0]["verdict"], rows[0]["reason"]) == ("drop", "held", "held", "encrypted")
    assert rows[1]["recipients"] == ["a@example.com"]
    assert sekisho("transfer", "list", "--state", "held", "--json").rows == rows[:1]
    assert sekisho("transfer", "list", "--search", "tanaka", "--json").rows == rows[:1]
    assert sekisho("transfer", "list", "--limit", "1", "--json").rows == rows[:1]
    for_people = sekisho("transfer", "list").out.splitlines()
    assert len(for_people) == 2
    assert second in for_people[0]
    shown = json.loads(sekisho("transfer", "show", first).out)
    assert (shown["report"]["verdict"], shown["receipt"]["receipt_no"]) == ("sanitized", first)


def test_what_an_operator_may_do(sekisho: Installation) -> None:
    async def before(place: Town) -> list[str]:
        numbers = [await place.settled("a", held()), await place.settled("b"), await place.settled("c", report(Verdict.BLOCKED, Reason.MALWARE))]
        _, by_policy = await place.journal.accept(arrival(door=Door.DROP, sender="d", recipients=("d",)))
        claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
        decision = Decision(verdict=Verdict.HELD, reason=Reason.POLICY)
        await place.journal.settle(claim, settlement(report(output=RESULT), decision), at=NOW)
        return [*numbers, by_policy]

    encrypted, sent, malware, by_policy = sekisho.prepare(before)
    sekisho("transfer", "release", encrypted).failed(1, encrypted)
    sekisho("transfer", "release", malware).failed(1, malware)
    sekisho("transfer", "release", sent).failed(1, sent)

    released = sekisho("transfer", "release", by_policy, "--reason", "確認した", "--json")
    assert released.status == 0
    assert (released.rows[0]["state"], released.rows[0]["verdict"]) == ("released", "sanitized")
    receipt = json.loads(sekisho("transfer", "show", by_policy).out)["receipt"]
    assert (receipt["receipt_no"], receipt["output_sha256"]) == (by_policy, digest(RESULT))

    assert sekisho("transfer", "hold", sent, "--json").rows[0]["state"] == "held"
    assert sekisho("transfer", "release", sent, "--json").rows[0]["state"] == "released", "what was stopped can go on"
    sekisho("transfer", "hold", malware).failed(1, malware)
    assert sekisho("transfer", "retry", encrypted, "--json").rows[0]["state"] in ("received", "processing")
    sekisho("transfer", "retry", malware).failed(1, malware)
    assert sekisho("transfer", "delete", malware, "--json").rows[0]["state"] == "disposed"
    sekisho("transfer", "delete", malware).failed(1, malware)
    recorded = [row for row in sekisho("audit", "export").rows if row["actor"].startswith("command:")]
    assert len(recorded) == 6, "and the record of the disposal"
    assert any("確認した" in json.dumps(row, ensure_ascii=False) for row in recorded)


# --------------------------------------------------------------------------------------------------- record and receipt


def test_one_changed_byte_breaks_the_record(sekisho: Installation) -> None:
    sekisho.prepare(lambda place: place.settled())
    sekisho("user", "add", "tanaka")
    whole = sekisho("audit", "verify", "--json")
    assert (whole.status, whole.rows[0]["broken"]) == (0, None)
    assert whole.rows[0]["entries"] > 1
    with sqlite3.connect(sekisho.folder / "sekisho.db") as raw:
        with pytest.raises(sqlite3.Error):
            raw.execute("UPDATE audit SET actor = 'x' WHERE seq = 2")
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f'DROP TRIGGER "{name}"')
        raw.execute("UPDATE audit SET subject = substr(subject, 1, length(subject) - 1) || 'X' WHERE seq = 2")
    raw.close()
    sekisho("audit", "verify").failed(1, "2")
    broken = sekisho("audit", "verify", "--json")
    broken.failed(1)
    assert broken.rows[0]["broken"] == 2


def test_a_receipt_good_and_altered(sekisho: Installation, tmp_path: Path) -> None:
    signer = Signer(signing_key(sekisho.folder))
    document = signer.issue(
        report(), Verdict.SANITIZED, receipt_no="20261118-000001", organisation="関町", output_sha256=digest(RESULT), output_size=len(RESULT), at=NOW
    )
    file, receipt = tmp_path / "file.docx", tmp_path / "file.json"
    file.write_bytes(RESULT)
    receipt.write_text(document, "utf-8")
    good = sekisho("receipt", "verify", file, receipt, "--json")
    assert good.status == 0
    assert good.rows[0]["receipt_no"] == "20261118-000001"
    assert sekisho("receipt", "verify", file, receipt, "--key", sekisho.folder / "receipt.pub").status == 0
    receipt.write_text(document.replace("20261118-000001", "20261118-000002"), "utf-8")
    sekisho("receipt", "verify", file, receipt).failed(1, "signature")
    receipt.write_text(document, "utf-8")
    file.write_bytes(RESULT + b"\n")
    sekisho("receipt", "verify", file, receipt).failed(1, "another file")
    receipt.write_text("{", "utf-8")
    sekisho("receipt", "verify", file, receipt).failed(1)
    sekisho("receipt", "verify", file, receipt, "--key", file).failed(1)
    sekisho("receipt", "verify", tmp_path, receipt).failed(2)


# ------------------------------------------------------------------------------------------------------ rules and doctor


def test_rules(sekisho: Installation, tmp_path: Path) -> None:
    listed = sekisho("rules", "list", "--json").rows
    assert {"Test_EICAR", "Office_AutoOpen"} <= {row["rule"] for row in listed}
    checked = sekisho("rules", "check", "--json")
    assert checked.status == 0
    assert checked.rows[0]["version"]
    folder = tmp_path / "rules"
    folder.mkdir()
    sekisho("rules", "check", "--rules", folder).failed(2, "no *.yar")
    (folder / "bad.yar").write_text("rule Bad { condition: nonsense }")
    sekisho("rules", "check", "--rules", folder).failed(1, "bad.yar")
    (folder / "catalog.toml").write_text("not toml")
    sekisho("rules", "list", "--rules", folder).failed(2)


def test_without_a_jail_commands_fail_in_one_line(sekisho: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoJail:
        def __init__(self, *_: object, **__: object) -> None: ...

        async def start(self) -> None:
            raise JailUnavailable("no seccomp here")

    monkeypatch.setattr(rules, "Workers", NoJail)
    sekisho("rules", "check").failed(1, "seccomp")
    monkeypatch.setattr(doctor, "Workers", NoJail)
    looked = sekisho("doctor", "--json")
    looked.failed(1, "jail")
    assert {"name": "jail", "state": "fail", "detail": "no seccomp here"} in looked.rows


def test_doctor(sekisho: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hop:
        monkeypatch.setenv("SEKISHO_RELAY_NEXT_HOP", f"127.0.0.1:{hop.getsockname()[1]}")
        looked = sekisho("doctor", "--json")
    assert looked.status == 0, looked.err
    found = {row["name"]: row["state"] for row in looked.rows}
    assert found["jail"] == "ok"
    assert found["jail: seccomp"] == "ok"
    assert found["next hop"] == "ok"
    assert found["disk flush"] == "ok"
    assert set(found.values()) <= {"ok", "warn"}
    assert all(row.keys() == {"name", "state", "detail"} for row in looked.rows)
    assert list(sekisho.folder.iterdir()) == [], "looking leaves nothing behind"


def test_doctor_asks_the_scanners_and_reads_the_policy(sekisho: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> dict[str, tuple[str, str]]:
        return {row["name"]: (row["state"], row["detail"]) for row in sekisho("doctor", "--json").rows}

    assert found()["scanners"][0] == "warn"
    monkeypatch.setenv("SEKISHO_SCANNERS_CLAMD", str(tmp_path / "no.socket"))
    looked = found()
    assert (looked["scanners"][0], looked["scanner: clamav"][0]) == ("warn", "warn")
    monkeypatch.setenv("SEKISHO_SCANNERS_REQUIRED", "clamav")
    looked = found()
    assert "scanners" not in looked
    assert looked["scanner: clamav"][0] == "fail"
    sekisho("doctor").failed(1, "scanner: clamav")
    policy = tmp_path / "policy.toml"
    policy.write_text("[treatment]\nmail_links_defanged = false")
    monkeypatch.setenv("SEKISHO_POLICY_FILE", str(policy))
    assert found()["policy"] == ("warn", "treatment.mail_links_defanged: メール本文のリンクが押せる形で届きます / links in mails stay live")
    policy.write_text("nonsense")
    sekisho("doctor").failed(1, "policy")


def test_backup_and_restore(sekisho: Installation, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("kasumi-no-seki 2026\n")
    file = tmp_path / "town.backup"
    sekisho("user", "add", "tanaka")
    made = sekisho("backup", str(file), "--password-file", str(secret), "--json")
    assert made.status == 0
    assert file.stat().st_mode & 0o077 == 0
    sekisho("restore", str(file), "--password-file", str(secret)).failed(1, "not empty")
    secret.write_text("short\n")
    sekisho("backup", str(file), "--password-file", str(secret)).failed(2, "12 characters")
    sekisho("restore", str(tmp_path / "none"), "--password-file", str(secret)).failed(2, "12 characters")


def test_emergency_stop_needs_a_reason_and_is_seen(sekisho: Installation) -> None:
    sekisho("emergency", "stop").failed(2, "--reason")
    sekisho("emergency", "stop", "delivery", "--reason", "調査")
    stopped = {row["what"]: row["stopped"] for row in sekisho("emergency", "status", "--json").rows}
    assert stopped == {"intake": False, "delivery": True}
    assert not any(row["stopped"] for row in sekisho("emergency", "resume", "--json").rows)


def test_a_sender_is_stopped_seen_and_let_go(sekisho: Installation) -> None:
    sekisho("emergency", "stop", "--sender", "a@city.example.jp").failed(2, "--reason")
    sekisho("emergency", "stop", "delivery", "--sender", "a@city.example.jp", "--reason", "x").failed(2, "nothing else")
    sekisho("emergency", "stop", "--sender", "a", "--reason", "x").failed(2, "one address")
    halts = [{"what": "intake", "stopped": False}, {"what": "delivery", "stopped": False}]
    first, second, stopped = sekisho("emergency", "stop", "--sender", "A@city.example.jp", "--reason", "迷惑メール", "--json").rows
    assert [first, second] == halts, "of everybody else nothing is stopped"
    assert (stopped["what"], stopped["sender"], stopped["stopped"], stopped["reason"]) == ("sender", "a@city.example.jp", True, "迷惑メール")
    assert str(stopped["actor"]).startswith("command:")
    said = sekisho("emergency", "status", "--sender", "a@city.example.jp").out
    assert "a@city.example.jp: 迷惑メール" in said
    assert sekisho("emergency", "resume", "--sender", "a@CITY.example.jp", "--json").rows == halts
