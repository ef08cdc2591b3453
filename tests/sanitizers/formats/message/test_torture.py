"""The torture cases of mail: each ends as it must, and none is forgotten."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from sanitizers.context import Outcome
from sanitizers.model import LimitExceeded
from tests.build.message import by_smtp, read_message
from tests.build.torture import RECEIVER, Case
from tests.build.torture_content import CASES as CONTENT
from tests.build.torture_structure import CASES as STRUCTURE

CASES = (*STRUCTURE, *CONTENT)
TESTS = Path(__file__).parents[3]


def _ended(case: Case) -> Outcome | str:
    """The outcome, or the code of the refusal."""
    data = case.built()
    try:
        outcome = by_smtp(data)
    except LimitExceeded as refusal:
        return refusal.code
    return outcome if outcome.content is not None else outcome.report.findings[-1].code


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number}: {case.name}")
def test_case_ends_as_it_must(case: Case) -> None:
    ended = _ended(case)
    if isinstance(ended, str) or case.ends != "delivered":
        assert ended == case.ends
        return
    assert ended.content is not None
    made = read_message(ended.content.bytes())
    assert case.body in (None, made.body)
    assert case.subject in (None, made.subject)
    assert all(words in made.text for words in case.says), made.text
    assert not any(words in made.text for words in case.hides), made.text
    assert case.files in (None, made.names)
    assert case.stays in (None, tuple(part.reason for part in ended.report.parts if part.reason))
    assert set(case.codes) <= {finding.code for finding in ended.report.findings}


def test_all_sixty_eight_cases_are_here() -> None:
    assert sorted({*RECEIVER, *(case.number for case in CASES)}) == list(range(1, 69))
    assert len({(case.number, case.name) for case in CASES}) == len(CASES)


@functools.cache
def _functions(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("number", RECEIVER)
def test_the_receivers_cases_have_their_tests(number: int) -> None:
    assert all(name in _functions(file) for file, name in RECEIVER[number])
