"""Do the tests notice when a removal rule is switched off? Each table of mutants is a program: `python -m tests.mutation.pdf [WORD...]`.

The words choose the mutants with one of them in the name. Each is switched off in a fork of one process that has everything loaded and the
tests collected. Prints a line for each: the rule, and the first test that fails without it. Ends with 1 if any mutant survives, or if the
tests fail without a mutant.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pytest

from tests.mutation.operators import forked

_OPTIONS: Final = ("-q", "-s", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist")
_SECONDS: Final = 10            # of processor time above four times what the tests need
_LONG: Final = 1.0              # seconds: a test of more is run after the others
_FAILED, _BROKEN = "failed ", "broken "


class Mutant(NamedTuple):
    """One rule switched off: while the tests run, `target` is `value`.

    `target`: `package.module:name`, `package.module:Class.name` or, for an entry of a mapping, `package.module:name[key]`. The name must be
    the one that the code looks up, and must exist. Without a target, `value` is called and does the switching itself.
    `first`: the tests that are most likely to notice, run before all; they need not be of the family.
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
    """Runs a whole table. Raises SystemExit."""
    chosen = [mutant for mutant in mutants if not sys.argv[1:] or any(word in mutant.name for word in sys.argv[1:])]
    beside = {mutant.first.partition("::")[0] for mutant in chosen if mutant.first and not mutant.first.startswith(tuple(tests))}
    table = Table(chosen, tests)
    code = pytest.main([*_OPTIONS, *tests, *sorted(beside)], plugins=[table])
    raise SystemExit(int(code) or bool(table.survived))


class Table:
    """A plugin of pytest: where the tests would be run, they are run once for each mutant. `survived`: how many no test noticed."""

    def __init__(self, mutants: Sequence[Mutant], tests: Sequence[str]) -> None:
        self._mutants, self._tests = mutants, tuple(tests)
        self._out = os.dup(1)           # pytest takes the other one
        self._failed = ""
        self._killers: list[str] = []   # the last one first
        self._long: set[str] = set()
        self.survived = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed = self._failed or report.nodeid

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("tests that cannot be loaded")
        seconds = self._learn(session)
        for mutant in self._mutants:
            killer = self._killer(session, mutant, seconds)
            self.survived += not killer
            self._say(f"{'killed  ' if killer else 'SURVIVED'}  {mutant.name}  {killer}".rstrip())
        self._say(f"{len(self._mutants)} mutants, {self.survived} survived")
        return True

    def _learn(self, session: pytest.Session) -> int:
        """The seconds of processor time that the tests may take. Raises SystemExit if one fails."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said, good = forked(lambda pipe: self._run(session.items, pipe, timed=True))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if not good:
            raise SystemExit(f"the tests fail without a mutant: {said[-2000:]}")
        self._long = set(said.splitlines())
        return _SECONDS + 4 * int(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

    def _killer(self, session: pytest.Session, mutant: Mutant, seconds: int) -> str:
        """The first test that fails under a mutant; empty when all pass. Raises SystemExit for a mutant that is none."""

        ordered = self._ordered(session.items, mutant.first)

        def work(pipe: int) -> int:
            try:
                apply(mutant)
                return self._run(ordered, pipe)
            except Exception:  # noqa: BLE001 - whatever it is, the one who began the table must see it
                os.write(pipe, f"{_BROKEN}{traceback.format_exc()}".encode())
                return 1

        said, good = forked(work, seconds)
        if said.startswith(_BROKEN):
            raise SystemExit(f"{mutant.name}: {said}")
        killer = said.removeprefix(_FAILED) if said.startswith(_FAILED) else "" if good else "no end"
        if said:
            self._killers = [killer, *(one for one in self._killers if one != killer)]
        return killer

    def _ordered(self, items: Sequence[pytest.Item], first: str) -> list[pytest.Item]:
        """What a mutant is tried on: its own tests, then what noticed others, then the family's, those that take long at the end."""
        own = [item for item in items if first and item.nodeid.startswith(first)]
        if first and not own:
            raise LookupError(f"no test is {first}")
        family = [item for item in items if item.nodeid.startswith(self._tests) and item not in own]
        killers = sorted((item for item in family if item.nodeid in self._killers), key=lambda item: self._killers.index(item.nodeid))
        others = sorted((item for item in family if item.nodeid not in self._killers), key=lambda item: item.nodeid in self._long)
        return [*own, *killers, *others]

    def _run(self, items: Sequence[pytest.Item], pipe: int, *, timed: bool = False) -> int:
        """Runs tests until one fails, which is written; with `timed` also those that take long."""
        for item, following in zip(items, [*items[1:], None], strict=True):
            begun = time.process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                os.write(pipe, f"{_FAILED}{self._failed}".encode())
                return 1
            if timed and time.process_time() - begun > _LONG:
                os.write(pipe, f"{item.nodeid}\n".encode())
        return 0

    def _say(self, line: str) -> None:
        os.write(self._out, f"{line}\n".encode())
