"""Rule files taken apart: what looks like the end of a rule and is not, and what is no rule at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import yara

from sanitizers import rule_text
from sanitizers.rule_check import _sample, answer
from sanitizers.rule_words import RuleQuestion

RULES = Path(__file__).resolve().parents[2] / "rules"
FILES = {path.name: path.read_text("utf-8") for path in RULES.iterdir() if path.suffix == ".yar" or path.name == "catalog.toml"}

TRICKY = """
import "pe"
// rule In_A_Remark { condition: true }
/* rule In_Another {
   condition: true } */
private rule Helper : one two { strings: $a = /ab\\/}{1,2}/i condition: $a }

rule Quoted {
    meta: text = "} rule Inside { condition: true }"
    strings:
        $h = { 41 4? [2-4] ( 42 | 43 ) } // }
        $r = /\\{"/
    condition: Helper and ($h or $r) and 6 \\ 2 == 3
}
global rule Everywhere { condition: true }
rule Last{condition:Quoted}
"""


def test_where_rules_begin_and_end() -> None:
    found = rule_text.parts(TRICKY)
    assert [(rule.name, rule.line, rule.is_global) for rule in found.rules] == [
        ("Helper", 6, False), ("Quoted", 8, False), ("Everywhere", 15, True), ("Last", 16, False),
    ]  # fmt: skip
    assert found.imports == ('import "pe"',)
    assert found.unread == ()
    by_name = {rule.name: rule for rule in found.rules}
    for rule in found.rules:
        alone = rule_text.with_needed(rule, by_name)
        assert yara.compile(source="\n".join((*found.imports, *(one.text for one in alone))))
    assert [rule.name for rule in rule_text.with_needed(found.rules[3], by_name)] == ["Helper", "Quoted", "Last"]


@pytest.mark.parametrize("name", sorted(name for name in FILES if name.endswith(".yar")))
def test_our_own_files_have_the_rules_that_the_compiler_sees(name: str) -> None:
    compiled = [rule.identifier for rule in yara.compile(source=FILES[name], externals={"kind": "", "where": "", "size": 0})]
    found = rule_text.parts(FILES[name])
    assert [rule.name for rule in found.rules] == compiled
    assert found.unread == ()


@pytest.mark.parametrize(
    ("text", "lines"),
    [('include "x.yar"\nrule A { condition: true }', (1,)), ("nonsense", (1,)), ("\n\nrule", (3,)), ("rule A", (1,)), ("rule A { condition: {", (1,)),
     ("rule { }", (1,)), ("/* no end", ()), ("", ())],
)  # fmt: skip
def test_what_is_no_rule_is_named_by_its_line(text: str, lines: tuple[int, ...]) -> None:
    assert rule_text.parts(text).unread == lines


def test_a_flood_of_beginnings_ends() -> None:
    for piece in ("/*", '"\\', "/\\", "rule A {", "}", "rule ", '"', "rule A : ", "private ", "import "):
        rule_text.parts(piece * 30_000)


def test_faults_are_told_rule_by_rule() -> None:
    bad = "rule A { condition: true }\nrule B {\n condition:\n  nonsense\n}\nrule C { condition: B }\n"
    told = answer(RuleQuestion(files={"x.yar": bad}))
    assert [(fault.rule, fault.line, fault.text) for fault in told.faults] == [
        ("B", 4, 'undefined identifier "nonsense"'), ("C", 6, 'undefined identifier "B"'),
    ]  # fmt: skip
    (twice,) = answer(RuleQuestion(files={"x.yar": "rule A { condition: true }\nrule A { condition: true }"})).faults
    assert (twice.rule, twice.line) == ("A", 2)
    (whole,) = answer(RuleQuestion(files={"x.yar": "rule A { condition: true }", "catalog.toml": "[B]\nstate = 'enabled'"})).faults
    assert "B" in whole.text


def test_of_files_from_elsewhere_what_compiles_is_taken() -> None:
    told = answer(RuleQuestion(files=FILES, foreign={"feed.yar": TRICKY + "rule Test_EICAR { condition: true }\nrule K { meta: kinds = 3 condition: true }"}))
    assert [rule.name for rule in told.rules] == ["Helper", "Quoted", "Last"]
    assert {fault.rule for fault in told.faults} == {"Everywhere", "Test_EICAR", "K"}
    assert answer(RuleQuestion(files={**FILES, **told.taken})).faults == ()


def test_every_rule_has_a_cost() -> None:
    told = answer(RuleQuestion(files=FILES, cost=True))
    assert {cost.name for cost in told.costs} == {rule.name for rule in told.rules}
    assert all(cost.ms_per_mib >= 0 for cost in told.costs)
    assert [cost.ms_per_mib for cost in told.costs] == sorted((cost.ms_per_mib for cost in told.costs), reverse=True)
    assert len(_sample()) == 1 << 20
