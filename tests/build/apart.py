"""Large documents are rebuilt in part without a tree; these switches make documents of any size count as large, or none."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from sanitizers.formats.office import excerpt
from sanitizers.formats.ooxml import rebuild, rows, stretches
from sanitizers.model import LimitExceeded
from tests.build.context import run

_NEVER = 1 << 60
_SIGNS = ("<", ">", "/", '"', "'", "&", " ", "=", "\r", "&#65;", "&quot;", "&x;", "]]>", "<!-- -->", "<?a b?>", "\U000f0000", "\x01", "é")


@contextmanager
def apart() -> Iterator[None]:
    """Whatever can be set aside is set aside, and every row is a piece of its own; the second pass looks at all of it."""
    small = (excerpt, "LARGE", 0), (excerpt, "_LEAST", 1), (excerpt, "_SHARE", _NEVER), (rows, "_LARGE", 0), (rows, "_PIECE", 1), (rebuild, "_STANDS", _NEVER)
    with ExitStack() as stack:
        for module, name, value in small:
            stack.enter_context(patch.object(module, name, value))
        yield


@contextmanager
def whole() -> Iterator[None]:
    """Everything becomes one tree."""

    def never(_: rows.Sheet) -> Callable[[int, int], bool]:
        return lambda _start, _end: False

    with patch.object(excerpt, "LARGE", _NEVER), patch.object(rows, "_LARGE", _NEVER), patch.object(stretches, "quiet_rows", never):
        yield


def told(data: bytes, name: str, **treatment: object) -> tuple[object, ...]:
    """All that the engine says of a file, but for what it had found before it refused a broken one, and what it makes of it."""
    try:
        outcome = run(data, name, **treatment)
    except LimitExceeded:
        return ("limit",)
    report = outcome.report
    findings = sorted((one.code, one.where, one.action, one.detail) for one in report.findings) if outcome.content else []
    return report.verdict, report.reason, findings, outcome.content and outcome.content.bytes()


def both(data: bytes, name: str, **treatment: object) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """What is told of a file when nothing is set aside, and when all is that can be."""
    with whole():
        expected = told(data, name, **treatment)
    with apart():
        return expected, told(data, name, **treatment)


def damaged(text: str, seed: int) -> str:
    """The text with some of its pieces left out, doubled, moved or sprinkled with signs."""
    rng = random.Random(seed)
    for _ in range(rng.randrange(1, 4)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice((0, 0, 0, 1, 1, 5, 40)))
        middle = rng.choice(("", rng.choice(_SIGNS), text[start:end] * 2, rng.choice(_SIGNS) + text[start:end]))
        text = text[:start] + middle + text[end:]
    return text
