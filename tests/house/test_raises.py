"""Who calls a public function learns from its docstring, or from the protocol or class that it belongs to, what it raises."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import Final

import pytest

from tests.house.sizes import ROOMS, TOP, modules

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def _raised(node: ast.AST) -> Iterator[str]:
    """The names of public exceptions that the body raises itself; what is defined inside is not looked into."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise) and child.exc is not None:
            raised = child.exc.func if isinstance(child.exc, ast.Call) else child.exc
            name = raised.id if isinstance(raised, ast.Name) else ""
            if name[:1].isupper():
                yield name
        elif not isinstance(child, (*_FUNCTIONS, ast.Lambda)):
            yield from _raised(child)


def _public(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    """Functions and methods that others may call, each with what is written above it."""
    for node in tree.body:
        if isinstance(node, _FUNCTIONS) and not node.name.startswith("_"):
            yield node, ""
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            above = ast.get_docstring(node) or ""
            yield from ((one, above) for one in node.body if isinstance(one, _FUNCTIONS) and not one.name.startswith("_"))


@cache
def _promised() -> frozenset[str]:
    """Methods of protocols: what they raise is said there, once for all who keep them."""
    names: set[str] = set()
    for room in ROOMS:
        for path, _ in modules(room):
            source = (TOP / path).read_text("utf-8")
            for node in ast.parse(source).body if "(Protocol)" in source else ():
                if isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases):
                    names |= {one.name for one in node.body if isinstance(one, _FUNCTIONS)}
    return frozenset(names)


@pytest.mark.parametrize("room", ROOMS)
def test_public_functions_say_what_they_raise(room: str) -> None:
    """A command's `run` raises what `gateway/commands/__init__.py` says of all of them."""
    silent = []
    for path, _ in modules(room):
        tree = ast.parse((TOP / path).read_text("utf-8"))
        module = ast.get_docstring(tree) or ""
        for node, above in _public(tree):
            said = f"{ast.get_docstring(node) or ''} {above} {module}"
            if not ast.get_docstring(node) and (node.name in _promised() or path.parent.name == "commands"):
                continue
            if "raise" not in said.lower() and (silently := [name for name in _raised(node) if name not in said]):
                silent.append(f"{path}:{node.lineno} {node.name}: {', '.join(silently)}")
    assert silent == [], "say it in the docstring: Raises …"


def test_what_is_raised_is_seen() -> None:
    tree = ast.parse("def one():\n    if True:\n        raise Malformed('x')\n    def inner():\n        raise Hidden()\nclass A:\n    'above'\n    def two(self): raise Lost\n")
    assert [(node.name, above, list(_raised(node))) for node, above in _public(tree)] == [("one", "", ["Malformed"]), ("two", "above", ["Lost"])]
