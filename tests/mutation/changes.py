"""Small changes to a module, each of which some test should notice: another comparison, a condition less, a table's row less, a step left out.

Texts are left alone (words are for people), and so are annotations, what is raised with, and formatted strings.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_OPERATIONS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitAnd,
}
_MOST_SHOWN: Final = 110


class Change(NamedTuple):
    """One change, not yet made. `name`: where and what, the same as long as that piece of source is. `function`: the qualified name of the
    function or method in whose body it is, empty for what is done when the module is loaded."""

    line: int
    name: str
    function: str
    make: Callable[[], None]


def changes(tree: ast.Module) -> list[Change]:
    """All of them, in the order of the source. Making one changes `tree`: make only one."""
    found = _Finder()
    found.visit(tree)
    return found.changes


def functions(tree: ast.Module) -> Iterator[tuple[str, int, int]]:
    """Qualified name, first and last line of every function and method; what is inside of one belongs to it."""
    for node in tree.body:
        for name, one in [("", node)] if not isinstance(node, ast.ClassDef) else [(f"{node.name}.", inner) for inner in node.body]:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}{one.name}", one.lineno, one.end_lineno or one.lineno


class _Finder(ast.NodeVisitor):
    """Walks a module and notes what could be otherwise."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._inside: list[str] = []
        self._function = ""
        self._seen: dict[str, int] = {}

    def _note(self, node: ast.expr | ast.stmt, before: str, after: str, make: Callable[[], None]) -> None:
        name = f"{'.'.join(self._inside) or 'module'}: {before[:_MOST_SHOWN]} → {after[:_MOST_SHOWN]}"
        self._seen[name] = number = self._seen.get(name, 0) + 1
        self.changes.append(Change(node.lineno, name if number == 1 else f"{name} ({number})", self._function, make))

    def _instead(self, node: ast.expr, others: Iterator[ast.expr] | list[ast.expr], parent: ast.AST, field: str, index: int | None) -> None:
        """Notes each of `others` in the place of `node`."""
        for other in others:

            def make(other: ast.expr = other) -> None:
                _put(parent, field, index, ast.fix_missing_locations(ast.copy_location(other, node)))

            self._note(node, ast.unparse(node), getattr(other, "words", "") or ast.unparse(other), make)

    # ------------------------------------------------------------------------------------------------------ the walk

    def generic_visit(self, node: ast.AST) -> None:
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "type_comment") or (field == "args" and isinstance(value, ast.arguments)):
                continue
            for index, one in enumerate(value) if isinstance(value, list) else ((None, value),):
                if isinstance(one, ast.expr):
                    self._instead(one, list(_others(one, field)), node, field, index)
                if isinstance(one, ast.stmt):
                    self._without(one, node, field, index)
                if isinstance(one, ast.AST):
                    self.visit(one)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inside.append(node.name)
        self.generic_visit(node)
        self._inside.pop()

    def _function_(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Defaults are worked out where the function is defined, its body where it is called."""
        self._inside.append(node.name)
        self.visit(node.args)
        outer, self._function = self._function, self._function or ".".join(self._inside)
        self.generic_visit(node)
        self._function = outer
        self._inside.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = _function_    # noqa: N815 - names that ast.NodeVisitor looks for

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Words."""

    def visit_Raise(self, node: ast.Raise) -> None:
        """What is raised is words; that it is raised is noted where the statement stands."""

    def visit_Assign(self, node: ast.Assign) -> None:
        if not any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets):
            self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for index, condition in enumerate(node.ifs):
            self._note(condition, f"if {ast.unparse(condition)}", "nothing", lambda index=index: node.ifs.__delitem__(index))    # type: ignore[misc]
        self.generic_visit(node)

    def _without(self, node: ast.stmt, parent: ast.AST, field: str, index: int | None) -> None:
        """Notes the step left out, where the module still makes sense without it."""
        match node:
            case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant) or value.value is not None:
                other: ast.stmt = ast.Return(ast.Constant(None))
            case ast.Raise() | ast.Continue() | ast.Break() | ast.AugAssign() | ast.Delete():
                other = ast.Pass()
            case ast.Expr(value=value) if not isinstance(value, ast.Constant):
                other = ast.Pass()
            case _:
                return
        other = ast.fix_missing_locations(ast.copy_location(other, node))
        self._note(node, ast.unparse(node), ast.unparse(other), lambda: _put(parent, field, index, other))


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


# -------------------------------------------------------------------------------------------------- what else it could say


def _others(node: ast.expr, field: str) -> Iterator[ast.expr]:
    if field == "test" and not isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), node)
    match node:
        case ast.Compare(left=left, ops=ops, comparators=right):
            for index, op in enumerate(ops):
                for other in _COMPARISONS[type(op)]:
                    yield ast.Compare(left, [*ops[:index], other(), *ops[index + 1 :]], right)
        case ast.BoolOp(op=bool_op, values=values):
            for index in range(len(values)):
                rest = values[:index] + values[index + 1 :]
                yield _without(values[index], ast.BoolOp(bool_op, rest) if len(rest) > 1 else copy.copy(rest[0]))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(left=first, op=operation, right=second) if type(operation) in _OPERATIONS:
            yield ast.BinOp(first, _OPERATIONS[type(operation)](), second)
        case ast.Constant(value=bool() | int() | float() as value):
            yield ast.Constant(not value if isinstance(value, bool) else value + 1)
        case ast.Set() | ast.Dict():
            yield from _a_row_less(node)
        case ast.List(ctx=ast.Load()) | ast.Tuple(ctx=ast.Load()) if field != "slice":
            yield from _a_row_less(node)


def _a_row_less(node: ast.Set | ast.Dict | ast.List | ast.Tuple) -> Iterator[ast.expr]:
    rows = list(node.values if isinstance(node, ast.Dict) else node.elts)
    for index, row in enumerate(rows):
        rest = rows[:index] + rows[index + 1 :]
        match node:
            case ast.Dict(keys=keys):
                yield _without(keys[index] or row, ast.Dict(keys[:index] + keys[index + 1 :], rest))
            case ast.Set():
                yield _without(row, ast.Set(rest) if rest else ast.Call(ast.Name("set", ast.Load()), [], []))
            case ast.List():
                yield _without(row, ast.List(rest, ast.Load()))
            case _:
                yield _without(row, ast.Tuple(rest, ast.Load()))


def _without(row: ast.expr, other: ast.expr) -> ast.expr:
    """Tells a change by what is missing."""
    other.words = f"without {ast.unparse(row)}"      # type: ignore[attr-defined]
    return other
