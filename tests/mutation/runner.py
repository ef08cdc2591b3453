"""Do the tests notice when a removal rule is switched off? Each table of mutants is a program: `python -m tests.mutation.pdf [WORD...]`.

The words choose the mutants with one of them in the name. Prints a line for each: the rule, and the first test that fails without it.
Ends with 1 if any mutant survives, or if the tests fail without a mutant.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

_TOP: Final = Path(__file__).resolve().parents[2]
_SECONDS: Final = 600           # for the tests of one family
_FAILED: Final = "first failure: "


class Mutant(NamedTuple):
    """One rule switched off: while the tests run, `target` is `value`.

    `target`: `package.module:name`, `package.module:Class.name` or, for an entry of a mapping, `package.module:name[key]`. The name must be
    the one that the code looks up, and must exist. Without a target, `value` is called and does the switching itself.
    `first`: the part of the family's tests that is most likely to notice, run before all.
    """

    name: str
    target: str
    value: object
    first: str = ""


def apply(mutant: Mutant) -> None:
    """Switches the rule off in this process. Raises AttributeError or KeyError for a target that is no more."""
    if not mutant.target:
        assert callable(mutant.value)
        mutant.value()
        return
    module, _, path = mutant.target.partition(":")
    path, _, key = path.partition("[")
    holder: Any = importlib.import_module(module)
    *outer, last = path.split(".")
    for name in outer:
        holder = getattr(holder, name)
    found = getattr(holder, last)
    if not key:
        setattr(holder, last, mutant.value)
        return
    known = {str(one): one for one in found}
    found[known[key.removesuffix("]")]] = mutant.value


def main(mutants: Sequence[Mutant], tests: Sequence[str]) -> None:
    """Runs a whole table; also a single mutant, in the process that this one starts for it."""
    table = sys.modules["__main__"].__spec__
    assert table is not None, "a table is run as a module"
    if sys.argv[1:2] == ["--one"]:
        raise SystemExit(_one(mutants[int(sys.argv[2])] if sys.argv[2] else None, sys.argv[3:]))
    chosen = [index for index, mutant in enumerate(mutants) if not sys.argv[1:] or any(word in mutant.name for word in sys.argv[1:])]
    if failed := _run(table.name, "", tests):
        raise SystemExit(f"the tests fail without a mutant: {failed}")
    survived = 0
    for index in chosen:
        first = mutants[index].first
        killer = (_run(table.name, str(index), [first]) if first else "") or _run(table.name, str(index), tests)
        survived += not killer
        _say(f"{'killed  ' if killer else 'SURVIVED'}  {mutants[index].name}  {killer}".rstrip())
    _say(f"{len(chosen)} mutants, {survived} survived")
    raise SystemExit(bool(survived))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _run(table: str, index: str, tests: Sequence[str]) -> str:
    """The first test that fails under a mutant, in a process of its own; empty when all pass."""
    command = [sys.executable, "-m", table, "--one", index, *tests]
    try:
        done = subprocess.run(command, cwd=_TOP, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "no end"
    found = [line.removeprefix(_FAILED) for line in done.stdout.splitlines() if line.startswith(_FAILED)]
    if not found and done.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return found[0] if found else ""


def _one(mutant: Mutant | None, tests: Sequence[str]) -> int:
    if mutant is not None:
        apply(mutant)
    return int(pytest.main(["-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests], plugins=[_Watch()]))


class _Watch:
    """Prints the first failure in a form that `_run` finds."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            _say(f"\n{_FAILED}{report.nodeid}")
