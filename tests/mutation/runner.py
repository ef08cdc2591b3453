"""Do the tests notice when a removal rule is switched off? Each table of mutants is a program: `python -m tests.mutation.pdf [WORD...]`.

The words choose the mutants with one of them in the name. Each is switched off in a fork of one process that has everything loaded and the
tests collected. Prints a line for each: the rule, and the first test that fails without it and passes with it. Ends with 1 if any mutant
survives, or if a test fails without a mutant.
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
_SECONDS: Final = 600           # of processor time, for the tests of one family
_TEST_SECONDS: Final = 60       # for one of them
_LONG: Final = 1.0              # seconds: a test that was seen to take more is run after the others
_FAILED, _BROKEN, _TOOK_LONG = "failed ", "broken ", "long "
_NO_END: Final = "no end"


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
    holder, place = target(mutant)
    if isinstance(place, str):
        setattr(holder, place, mutant.value)
    else:
        holder[place[0]] = mutant.value


def target(mutant: Mutant) -> tuple[Any, str | tuple[Any]]:
    """What holds the rule, and its name there; its key in a tuple, where it is an entry of a mapping. Raises AttributeError or KeyError for
    one that is no more."""
    module, _, path = mutant.target.partition(":")
    path, _, key = path.partition("[")
    holder: Any = importlib.import_module(module)
    *outer, last = path.split(".")
    for name in outer:
        holder = getattr(holder, name)
    found = getattr(holder, last)
    if not key:
        return holder, last
    known = {str(one): one for one in found}
    return found, (known[key.removesuffix("]")],)


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
        for mutant in self._mutants:
            killer = self._killer(session, mutant)
            self.survived += not killer
            self._say(f"{'killed  ' if killer else 'SURVIVED'}  {mutant.name}  {killer}".rstrip())
        self._say(f"{len(self._mutants)} mutants, {self.survived} survived")
        return True

    def _killer(self, session: pytest.Session, mutant: Mutant) -> str:
        """The first test that fails under a mutant; empty when all pass. Raises SystemExit for a mutant or a test that is none."""
        ordered = self._ordered(session.items, mutant.first)
        killer = self._tried(ordered, mutant)
        if killer in self._killers or not killer or killer == _NO_END:
            return killer
        if self._tried([item for item in ordered if item.nodeid == killer], None):
            raise SystemExit(f"it fails without a mutant: {killer}")
        self._killers.insert(0, killer)
        return killer

    def _tried(self, items: Sequence[pytest.Item], mutant: Mutant | None) -> str:
        """The first of the tests that fails, in a fork; empty when all pass."""

        def work(pipe: int) -> int:
            try:
                if mutant is not None:
                    apply(mutant)
                return self._run(items, pipe)
            except Exception:  # noqa: BLE001 - whatever it is, the one who began the table must see it
                os.write(pipe, f"{_BROKEN}{traceback.format_exc()}".encode())
                return 1

        said, good = forked(work, _SECONDS)
        lines = said.splitlines()
        if any(line.startswith(_BROKEN) for line in lines):
            raise SystemExit(f"{mutant}: {said}")
        self._long.update(line.removeprefix(_TOOK_LONG) for line in lines if line.startswith(_TOOK_LONG))
        if good:
            return ""
        return lines[-1].removeprefix(_FAILED) if lines and lines[-1].startswith(_FAILED) else _NO_END

    def _ordered(self, items: Sequence[pytest.Item], first: str) -> list[pytest.Item]:
        """What a mutant is tried on: its own tests, then what noticed others, then the family's, those that take long at the end."""
        own = [item for item in items if first and item.nodeid.startswith(first)]
        if first and not own:
            raise LookupError(f"no test is {first}")
        family = [item for item in items if item.nodeid.startswith(self._tests) and item not in own]
        killers = sorted((item for item in family if item.nodeid in self._killers), key=lambda item: self._killers.index(item.nodeid))
        others = sorted((item for item in family if item.nodeid not in self._killers), key=lambda item: item.nodeid in self._long)
        return [*own, *killers, *others]

    def _run(self, items: Sequence[pytest.Item], pipe: int) -> int:
        """Runs tests until one fails, which is written; those that take long are written as well."""
        for item, following in zip(items, [*items[1:], None], strict=True):
            begun = time.process_time()
            resource.setrlimit(resource.RLIMIT_CPU, (int(begun) + _TEST_SECONDS, _SECONDS))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                os.write(pipe, f"{_FAILED}{self._failed}\n".encode())
                return 1
            if time.process_time() - begun > _LONG:
                os.write(pipe, f"{_TOOK_LONG}{item.nodeid}\n".encode())
        return 0

    def _say(self, line: str) -> None:
        os.write(self._out, f"{line}\n".encode())
