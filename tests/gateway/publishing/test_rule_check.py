"""Rule files are asked about in another process: whatever comes of that process is an answer, a fault with its place, or 'not now'."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from gateway.publishing import rule_check, rulesets
from gateway.publishing.rule_check import RuleAnswer, RuleCheckError
from gateway.publishing.rulesets import CATALOG, RuleSetError
from gateway.road.warm_parent import JailUnavailable
from tests.build.publishing import NEW_RULE, RULES

GOOD = msgspec.json.encode(RuleAnswer(version="v"))


def stand_in(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """A compiler that does as it likes."""
    monkeypatch.setattr(rule_check, "_COMMAND", (sys.executable, "-I", "-c", f"import os, sys, time\n{code}"))


async def test_what_does_not_compile_is_told_with_its_place() -> None:
    with pytest.raises(RuleCheckError) as fault:
        await rule_check.check({"a.yar": "rule Good { condition: true }\nrule Bad {\n condition: nonsense\n}\n", CATALOG: ""})
    (only,) = fault.value.faults
    assert (only.file, only.rule, only.line) == ("a.yar", "Bad", 3)
    assert str(fault.value).startswith("a.yar:3: Bad: ")


async def test_too_much_is_not_even_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, f"os.write(1, {GOOD!r})")
    monkeypatch.setattr(rule_check, "MOST_BYTES", 1 << 20)
    assert (await rule_check.check(RULES)).version == "v"
    with pytest.raises(RuleCheckError, match="larger than 1 MiB"):
        await rule_check.check({"a.yar": " " * (1 << 20)})
    with pytest.raises(RuleCheckError, match="larger than 1 MiB"):
        await rule_check.foreign(RULES, {"b.yar": " " * (1 << 20)})


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("sys.stderr.write('first\\nno walls\\n'); sys.exit(3)", "status 3 no walls"),
        (f"os.write(1, {GOOD!r}); os.kill(os.getpid(), 9)", "status -9"),
        ("os.write(1, b'')", "Input data was truncated"),
        ("os.write(1, b'{\"version\": 7}')", "Expected `str`, got `int`"),
        ("os.write(1, b'{\"version\": \"\\xff\"}')", "could not be looked at"),
        ("os.write(1, b'[' * 100000)", "Expected `object`, got `array`"),
    ],
    ids=["it fails", "it is killed", "it says nothing", "it says something else", "it says no text", "it says too deep a thing"],
)
async def test_a_compiler_that_does_not_answer_lets_nothing_through(monkeypatch: pytest.MonkeyPatch, code: str, why: str) -> None:
    stand_in(monkeypatch, code)
    with pytest.raises(JailUnavailable, match=why):
        await rule_check.check(RULES)


async def test_a_compiler_that_takes_for_ever_or_says_too_much_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_check, "_MOST_ANSWER", 1_000)
    stand_in(monkeypatch, f"sys.stdout.write({GOOD.decode()!r} + ' ' * 300000)")
    with pytest.raises(JailUnavailable, match="Input data was truncated"):
        await rule_check.check(RULES)
    monkeypatch.setattr(rule_check, "_SECONDS", 0.1)
    stand_in(monkeypatch, "time.sleep(60)")
    with pytest.raises(JailUnavailable, match="status -9 no answer in time"):       # killed, and heard of
        await rule_check.check(RULES)


# --------------------------------------------------------------------------------------------------------- sets of rules


@pytest.mark.parametrize(
    ("catalog", "states", "why"),
    [
        ("", {"Known": "loud"}, "a state is one of"),
        ("", {"no rule": "disabled"}, "not a name of a rule"),
        ("", {"x\n[y": "disabled"}, "not a name of a rule"),
        ("Known = 7\n", {"Known": "disabled"}, "Known is not a table"),
        ("[Known", {"Known": "disabled"}, "catalog.toml: "),
        ('Known = { state = "enabled" }\n', {"Known": "disabled"}, "catalog.toml: "),
        ('[Known]\n"state" = "enabled"\n', {"Known": "disabled"}, "catalog.toml: "),
        ('[Other]\nwhy = """\n[Known]\n"""\n', {"Known": "disabled"}, "written so that a state cannot be changed"),
        ('[Known]\nwhy = """\nstate = "x"\n"""\n', {"Known": "disabled"}, "written so that a state cannot be changed"),
    ],
)
def test_a_state_that_cannot_be_set_is_refused(catalog: str, states: dict[str, str], why: str) -> None:
    with pytest.raises(RuleSetError, match=why):
        rulesets.with_states(RULES | {CATALOG: catalog}, states)


@pytest.mark.parametrize(
    ("catalog", "expected"),
    [
        ('[Known]\nwhy = "x" # as it was\n\n[Other]\n', '[Known]\nstate = "disabled"\nwhy = "x" # as it was\n\n[Other]\n'),
        ("[Known]\nstate = 'enabled'  # for now\n", '[Known]\nstate = "disabled"  # for now\n'),
        ('["Known"]\n', '["Known"]\nstate = "disabled"\n'),
        ("# ours\n", '# ours\n\n[Known]\nstate = "disabled"\n'),
    ],
)
def test_a_state_is_set_and_the_rest_stays_as_it_is_written(catalog: str, expected: str) -> None:
    assert rulesets.with_states(RULES | {CATALOG: catalog}, {"Known": "disabled"})[CATALOG] == expected


def test_rules_from_elsewhere_come_under_one_name_each(tmp_path: Path) -> None:
    for folder, name in (("a", "one rule.yara"), ("b", "two.yar"), ("b", "notes.yarn"), ("b", "plain.txt")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_bytes(b"\xef\xbb\xbf// \xff" + NEW_RULE.encode())
    (tmp_path / "b" / "folder.yar").mkdir()
    assert rulesets.read_foreign([tmp_path]) == dict.fromkeys(("one_rule.yar", "two.yar"), "// \ufffd" + NEW_RULE)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "two.yar").write_text(NEW_RULE)
    with pytest.raises(RuleSetError, match=r"two\.yar: two files of this name"):
        rulesets.read_foreign([tmp_path])
    with pytest.raises(RuleSetError, match="there is no"):
        rulesets.read_foreign([tmp_path / "b" / "plain.txt"])


def test_a_folder_without_rules_is_no_set(tmp_path: Path) -> None:
    (tmp_path / CATALOG).write_text("")
    with pytest.raises(ValueError, match=r"no \*\.yar file"):
        rulesets.read(tmp_path)
    for changes, why in (({"../a.yar": ""}, "not a name of a rule file"), ({"a.yar": None}, "no rule would be left")):
        with pytest.raises(RuleSetError, match=why):
            rulesets.changed(RULES, changes)


def test_a_rule_that_is_gone_takes_its_row_along() -> None:
    made = rulesets.with_foreign(RULES, {"b.yar": NEW_RULE}, {"Newer": "b.yar"}, ["Known", "Never"])
    assert rulesets.catalog(made).keys() == {"Newer"}
    assert rulesets.state_of(rulesets.catalog(made), "Newer") == "evaluation"
    again = rulesets.with_foreign(rulesets.with_states(made, {"Newer": "enabled"}), {"b.yar": NEW_RULE}, {"Newer": "b.yar"}, [])
    assert rulesets.state_of(rulesets.catalog(again), "Newer") == "enabled", "what a person said stays"
