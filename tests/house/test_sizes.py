"""Modules and functions stay of a size that one person reads at one sitting: 400 and 40 lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.sizes import ROOMS, TOP, functions, modules, table

LONGEST_MODULE, LONGEST_FUNCTION = 400, 40
# What is longer, and why it stays so.
LONGER = {
    "gateway/conformity/facts.py:count": "one number after the other, each with its question",
}


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_is_too_long(room: str) -> None:
    assert [(str(path), lines) for path, lines in modules(room) if lines > LONGEST_MODULE] == [], "split it by noun"


@pytest.mark.parametrize("room", ROOMS)
def test_no_function_is_too_long(room: str) -> None:
    """A migration is history: it says what was done, and nobody takes it apart any more."""
    paths = [path for path, _ in modules(room) if "migrations" not in path.parts]
    long = {f"{path}:{node.name}" for path in paths for node, lines in functions(path) if lines > LONGEST_FUNCTION}
    assert long <= set(LONGER), "take it apart, or say here why it stays"


def test_no_module_is_called_after_nothing() -> None:
    """A module is a noun of its own; what helps lives with the thing that it helps."""
    nothing = {"utils", "util", "helpers", "helper", "common", "base", "core", "manager", "misc"}
    assert [str(path) for room in (*ROOMS, "tests", "perf", "deploy") for path, _ in modules(room) if Path(path).stem in nothing] == []


def test_the_table_has_a_line_for_each_room() -> None:
    head, _, line = table(("mail",)).splitlines()
    assert line.split()[1] == "mail"
    assert head.count("|") == line.count("|")
    assert all((TOP / room / "__init__.py").exists() or any((TOP / room).glob("*.py")) for room in ROOMS)
