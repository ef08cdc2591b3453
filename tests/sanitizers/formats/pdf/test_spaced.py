"""The quick reader of objects reads what the thorough one reads, and leaves to it whatever it does not know."""

from __future__ import annotations

import io
import random
from typing import Any

import pikepdf
import pytest

from sanitizers.formats.pdf import spaced, syntax
from sanitizers.formats.pdf.values import Name, Ref
from sanitizers.model import Malformed
from tests.build import pdf as build

_TOKENS = (
    b"/A", b"/B#20", b"/", b"1", b"-2", b"3.5", b".", b"--1", b"1e5", b"R", b"12 0 R", b"3 1 R", b"0 R", b"[", b"]", b"<<", b">>", b"(a b)", b"(x\\)y)",
    b"(a(b))", b"( 1 0 R )", b"<41>", b"<4 1>", b"true", b"null", b"f", b"<", b"(", b")", b"%", b"{", b"99999999999999999999", b"1\x0b2", b"/A\x00B",
)  # fmt: skip


def _read(parse: Any, text: bytes) -> Any:
    try:
        return _typed(parse(text))
    except Malformed:
        return "malformed"


def _typed(value: Any) -> Any:
    """With the type of everything in it, because equal is not alike: 1 and 1.0, a name and a string."""
    if isinstance(value, dict):
        return [(type(key), key, _typed(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return type(value), value


@pytest.mark.parametrize("seed", range(5))
def test_both_read_the_same(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(1000):
        gap = rng.choice((b" ", b" ", b"\n", b""))
        text = gap.join(rng.choices(_TOKENS, k=rng.randrange(1, 8)))
        assert _read(spaced.parse, text) == _read(syntax.parse, text), text


def test_both_read_real_objects_alike() -> None:
    with pikepdf.open(io.BytesIO(build.saved(build.clean()))) as document:
        texts = [found.stream_dict.unparse(resolved=True) if isinstance(found, pikepdf.Stream) else found.unparse(resolved=True)
                 for found in document.objects]  # fmt: skip
    assert len(texts) > 5
    for text in texts:
        assert _read(spaced.parse, text) == _read(syntax.parse, text), text


def test_values() -> None:
    text = b"<< /A [ 1 -2 .5 ] /B#20 (x 1 0 R \\( y) /C 12 0 R /D 3 1 R /E << /F true >> /G <4142> /H null >>"
    assert spaced.parse(text) == {
        "A": [1, -2, 0.5], "B ": b"x 1 0 R ( y", "C": Ref(12), "D": Ref(3, 1), "E": {"F": True}, "G": b"AB", "H": None,
    }  # fmt: skip
    assert type(spaced.parse(b"/X")) is Name
    assert all(type(key) is str for key in spaced.parse(text))


def test_arrays_in_arrays_end_somewhere() -> None:
    for depth in range(syntax.DEPTH - 3, syntax.DEPTH + 5):
        text = b"[ 1 " * depth + b"] " * depth
        assert _depth(spaced.parse, text) == _depth(syntax.parse, text)
    assert _depth(spaced.parse, b"[ " * 100_000 + b"] " * 100_000) == 0


def _depth(parse: Any, text: bytes) -> int:
    """How many arrays lie in each other; 0 when there are too many."""
    try:
        value, depth = parse(text), 0
    except Malformed:
        return 0
    while isinstance(value, list):
        value, depth = value[-1] if value else None, depth + 1
    return depth
