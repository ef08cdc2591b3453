"""The rules over all that the engine shows them of real files: what comes in, and every layer and part of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.build import corpus
from tests.corpus.conftest import Run

pytestmark = pytest.mark.corpus

MARKED = "eicar"        # the trait of a real file that carries a test mark: anything else with a `high` match is a false alarm


def traits() -> dict[str, set[str]]:
    return {row["path"]: set(row["traits"].split(",")) for row in corpus.manifest()}


def matches(report: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Of a report and of all parts in it."""
    waiting = [report]
    while waiting:
        part = waiting.pop()
        yield from part.get("matches", ())
        waiting += part.get("parts", ())


def test_the_rules_were_asked(corpus_run: Run) -> None:
    found = {match["rule"] for report in corpus_run.reports for match in matches(report)}
    assert len(found) > 5
    assert any(match["where"] for report in corpus_run.reports for match in matches(report))


def test_no_high_rule_fires_on_any_layer_of_an_honest_file(corpus_run: Run) -> None:
    marked = {path for path, names in traits().items() if MARKED in names}
    high = {report["path"]: match["rule"] for report in corpus_run.reports for match in matches(report) if match["severity"] == "high"}
    assert marked
    assert set(high) == marked, high


def test_nothing_but_a_test_mark_is_called_malware(corpus_run: Run) -> None:
    marked = {path for path, names in traits().items() if MARKED in names}
    assert {report["path"] for report in corpus_run.reports if report["reason"] == "malware"} == marked
