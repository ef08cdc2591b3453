"""How large modules and functions are, and how much is said about them: `python -m tests.house.sizes` prints a table of all rooms.

Lines are those of the file, from `def` to the last line of the body. `doc %`: public functions with a docstring; `typed %`: functions
that say what they return; `comments %`: comment tokens for each line that is not blank.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

TOP = Path(__file__).resolve().parents[2]
ROOMS = ("gateway", "mail", "sanitizers")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Row(NamedTuple):
    """One room, as the columns of the table."""

    room: str
    modules: Sequence[int]
    functions: Sequence[int]
    doc: float
    typed: float
    comments: float


def modules(room: str) -> Iterator[tuple[Path, int]]:
    """Path and lines of each."""
    for path in sorted((TOP / room).rglob("*.py")):
        yield path.relative_to(TOP), len(path.read_text("utf-8").splitlines())


def functions(path: Path) -> Iterator[tuple[_Function, int]]:
    """Node and lines of each in a module, those inside others too."""
    for node in ast.walk(ast.parse((TOP / path).read_text("utf-8"))):
        if isinstance(node, _Function):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1


def row(room: str) -> Row:
    paths = [path for path, _ in modules(room)]
    found = [pair for path in paths for pair in functions(path)]
    public = [node for node, _ in found if not node.name.startswith("_")]
    texts = [(TOP / path).read_text("utf-8") for path in paths]
    written = sum(bool(line.strip()) for text in texts for line in text.splitlines())
    comments = sum(token.type == tokenize.COMMENT for text in texts for token in tokenize.generate_tokens(io.StringIO(text).readline))
    return Row(
        room,
        sorted(lines for _, lines in modules(room)),
        sorted(lines for _, lines in found),
        100 * sum(ast.get_docstring(node) is not None for node in public) / len(public),
        100 * sum(node.returns is not None for node, _ in found) / len(found),
        100 * comments / written,
    )


def table(rooms: Sequence[str] = ROOMS) -> str:
    """Markdown, a line for each room."""
    head = ("room", "modules", "median", "p90", "max", "functions", "median", "p90", "max", "doc %", "typed %", "comments %")
    lines = [" | ".join(head), " | ".join(["---"] * len(head))]
    for room in rooms:
        made = row(room)
        sizes = [f"{figure:g}" for of in (made.modules, made.functions) for figure in (len(of), median(of), of[9 * len(of) // 10], of[-1])]
        lines.append(" | ".join([room, *sizes, *(f"{share:.0f}" for share in made[3:])]))
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
