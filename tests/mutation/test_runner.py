"""What a table of mutants says, seen on a small one of its own."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.runner import target

TOP = Path(__file__).resolve().parents[2]
RULES = """
MOST = 3
NAMES = {"a": 1}

def unused():
    return 0
"""
TESTS = """
import rules
import pytest

@pytest.mark.parametrize("count", [2, 4])
def test_most(count):
    assert (count > rules.MOST) is (count == 4)

def test_names():
    assert rules.NAMES["a"] == 1
"""
TABLE = """
import os
from tests.mutation.runner import Mutant, main

if __name__ == "__main__":
    main(({mutants}), ("test_rules.py",))
"""
WRONG = "\ndef test_wrong():\n    assert False\n"


def _table(folder: Path, mutants: str, more: str = "") -> subprocess.CompletedProcess[str]:
    for name, text in {"rules.py": RULES, "test_rules.py": TESTS + more, "table.py": TABLE.format(mutants=mutants)}.items():
        (folder / name).write_text(text, "utf-8")
    path = {"PYTHONPATH": f"{TOP}:{folder}", "PATH": "/usr/bin:/bin", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p xdist.plugin"}
    return subprocess.run([sys.executable, "-m", "table"], cwd=folder, env=path, capture_output=True, text=True, timeout=120, check=False)


def test_each_rule_has_its_test(tmp_path: Path) -> None:
    mutants = """
        Mutant("limit", "rules:MOST", 99),
        Mutant("name", "rules:NAMES[a]", 2),
        Mutant("last", "rules:MOST", 1, "test_rules.py::test_most[2]"),
        Mutant("killed by the system", "", lambda: os.kill(os.getpid(), 9)),
    """
    done = _table(tmp_path, mutants)
    assert done.stdout.split("\n")[:5] == [
        "killed    limit  test_rules.py::test_most[4]",
        "killed    name  test_rules.py::test_names",
        "killed    last  test_rules.py::test_most[2]",
        "killed    killed by the system  no end",
        "4 mutants, 0 survived",
    ]
    assert done.returncode == 0


def test_what_no_test_notices_is_said(tmp_path: Path) -> None:
    done = _table(tmp_path, 'Mutant("unused", "rules:unused", None), Mutant("limit", "rules:MOST", 99)')
    assert done.stdout.split("\n")[:3] == ["SURVIVED  unused", "killed    limit  test_rules.py::test_most[4]", "2 mutants, 1 survived"]
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("mutants", "more", "said"),
    [
        ('Mutant("gone", "rules:GONE", 0),', "", "no attribute 'GONE'"),
        ('Mutant("gone", "rules:NAMES[z]", 0),', "", "KeyError: 'z'"),
        ('Mutant("unused", "rules:unused", None),', WRONG, "it fails without a mutant: test_rules.py::test_wrong"),
        ('Mutant("limit", "rules:MOST", 9, "test_rules.py::test_nothing"),', "", "no test is test_rules.py::test_nothing"),
    ],
)
def test_a_table_that_is_wrong_ends(tmp_path: Path, mutants: str, more: str, said: str) -> None:
    done = _table(tmp_path, mutants, more)
    assert said in done.stdout + done.stderr
    assert done.returncode


@pytest.mark.parametrize("table", sorted(path.stem for path in Path(__file__).parent.glob("*.py") if "\nMUTANTS" in path.read_text("utf-8")))
def test_every_rule_of_a_table_is_still_there(table: str) -> None:
    """The tables are run by hand and now and then: one that names what was renamed says nothing until then."""
    mutants = importlib.import_module(f"tests.mutation.{table}").MUTANTS
    assert len(mutants) > 5
    for mutant in mutants:
        if mutant.target:
            target(mutant)
        first = TOP / mutant.first.partition("::")[0]
        assert first.exists(), mutant.first
