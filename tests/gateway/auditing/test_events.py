"""What the code writes into the record and what the sheet of logs says are the same."""

from __future__ import annotations

import ast
import fnmatch
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.auditing.events import EVENTS, TITLES, said

GATEWAY = Path(__file__).parents[3] / "gateway"
# Functions whose arguments name an action, beside whatever is called with `action=`.
TELLERS = {"told", "_told"}
# Words that are given as `action` and mean something else: of argparse, of versions, of a form.
OTHERS = {"append", "store_true", "store_false", "in_force", "rollback", "count"}


@functools.cache
def written() -> tuple[tuple[str, str], ...]:
    return tuple(found())


def found() -> Iterator[tuple[str, str]]:
    """Each action in the code and where; a piece that is only known at run time is `*`."""
    for path in sorted(GATEWAY.rglob("*.py")):
        constants: dict[str, str] = {}
        text = path.read_text("utf-8")
        if "action=" not in text and "told(" not in text:
            continue
        nodes = list(ast.walk(ast.parse(text)))
        for node in nodes:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Constant):
                constants[node.target.id] = str(node.value.value)
        for node in nodes:
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = [keyword.value for keyword in node.keywords if keyword.arg == "action"]
            if name in TELLERS:
                given += [value for value in node.args if _text(value, constants).count(".") == 1]
            for value in given:
                if (said_there := _text(value, constants)) and said_there not in OTHERS:
                    yield said_there, f"{path.relative_to(GATEWAY.parent)}:{node.lineno}"


def _text(value: ast.expr, constants: dict[str, str]) -> str:
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr():
            return "".join(piece.value if isinstance(piece, ast.Constant) else "*" for piece in value.values)  # type: ignore[misc]
        case ast.Name(id=name):
            return constants.get(name, "")
    return ""


def test_the_walk_finds_what_is_there() -> None:
    known = {text for text, _ in written()}
    assert {"login", "transfer.received", "transfer.*", "request.made", "factor.added", "audit.anchored", "incident.*"} <= known


def test_every_action_of_the_code_has_its_row() -> None:
    missing = [f"{text} at {where}" for text, where in written() if not fnmatch.filter(EVENTS, text)]
    assert not missing, "gateway/auditing/events.py does not know: " + "; ".join(missing)


@pytest.mark.parametrize("name", EVENTS)
def test_every_row_is_complete(name: str) -> None:
    event = EVENTS[name]
    assert event.of in TITLES
    assert event.ja
    assert event.en
    assert said(name) == f"{event.ja} / {event.en}"


def test_an_action_of_another_version_stands_for_itself() -> None:
    assert said("something.else") == "something.else"
