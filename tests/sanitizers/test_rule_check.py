"""Rule files looked at in a process of its own: what is wrong with a whole file, what a rule costs, and no answer without walls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sanitizers import rule_check
from sanitizers.jail import walls
from sanitizers.rule_check import answer
from sanitizers.rule_words import RuleAnswer, RuleFault, RuleQuestion

ROOT = Path(__file__).resolve().parents[2]
GOOD = "rule Good { condition: true }\n"
# Each of its rules compiles alone; together the last one falls under a wildcard that was used before it.
LATE = "rule A1 { condition: true }\nrule B { condition: A1 or any of (A*) }\nrule A2 { condition: true }\n"


def test_a_foreign_file_whose_rules_compile_alone_but_not_together_is_left_out_whole() -> None:
    told = answer(RuleQuestion(files={}, foreign={"feed.yar": LATE, "good.yar": GOOD, "words.yar": "these are words"}))
    assert dict(told.taken) == {"good.yar": GOOD}
    assert [rule.name for rule in told.rules] == ["Good"]
    assert told.faults == (
        RuleFault(file="feed.yar", line=3, rule="", text='rule identifier "A2" matches previously used wildcard rule set'),
        RuleFault(file="words.yar", line=1, rule="", text="not a rule (an include, or unreadable)"),
    )


def test_a_rule_that_breaks_the_scanner_is_the_dearest() -> None:
    breaks = "rule Breaks { strings: $a = /AAAA((A|AA|AAA){1,30}){1,30}x/ condition: $a }\n"
    flood = "rule Flood { strings: $a = /(.|\\n)/ condition: #a > 2000000 }\n"    # more matches than the scanner keeps: it warns
    told = answer(RuleQuestion(files={"x.yar": GOOD + flood + breaks}, cost=True))
    assert {cost.name for cost in told.costs} == {"Good", "Flood", "Breaks"}
    assert told.costs[0].name == "Breaks"
    assert told.costs[0].ms_per_mib > 5_000


def _question(**fields: object) -> int:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream:
        stream.write(msgspec.json.encode(RuleQuestion(files={"x.yar": GOOD}, **fields)))  # type: ignore[arg-type]
    return reading


def test_the_process_answers_from_behind_its_walls() -> None:
    question = _question()
    command = [sys.executable, "-m", "sanitizers.rule_check", f"--question={question}"]
    made = subprocess.run(command, pass_fds=(question,), capture_output=True, cwd=ROOT, timeout=60, check=False)
    os.close(question)
    assert (made.returncode, made.stderr) == (0, b"")
    told = msgspec.json.decode(made.stdout, type=RuleAnswer)
    assert ([rule.name for rule in told.rules], told.faults) == (["Good"], ())


class _LeftError(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("jail_required", [True, False])
def test_without_walls_there_is_an_answer_only_where_none_are_required(
    jail_required: bool, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """As on a kernel that has none of them."""

    def missing(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    def leave(status: int) -> None:
        raise _LeftError(status)

    monkeypatch.setattr(walls, "put_up_outer", lambda: None)
    monkeypatch.setattr(walls, "put_up_inner", missing)
    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(sys, "argv", ["sekisho-rule-check", f"--question={_question(jail_required=jail_required)}"])
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    with pytest.raises(OSError, match="not implemented") if jail_required else pytest.raises(_LeftError, match="0"):
        rule_check.main()
    said = capfdbinary.readouterr().out
    assert not said if jail_required else msgspec.json.decode(said, type=RuleAnswer).version
