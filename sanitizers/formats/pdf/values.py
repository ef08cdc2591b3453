"""PDF objects as plain data (ISO 32000-2 §7.3).

A dictionary is a `dict[str, Value]` whose keys lack the slash, an array a `list`, a string `bytes`, a name a `Name`, a reference a `Ref`;
numbers, booleans and null are Python's own. A stream is a `Stream`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeGuard

# int | float | bool | None | bytes | Name | Ref | list | dict | Stream; spelled Any because every use checks what it got.
Value = Any
Dictionary = dict[str, Value]


class Name(str):
    """A name without its slash; bytes that are not UTF-8 are kept as surrogates."""

    __slots__ = ()


class Ref(NamedTuple):
    """An indirect reference: into the input when it came from the reader, into the output when it came from the writer."""

    number: int
    generation: int = 0


class Stream(NamedTuple):
    """A stream of the input: its dictionary, where it stands, and how to get its bytes, decrypted but not decoded."""

    fields: Dictionary
    ref: Ref
    raw: Callable[[], bytes]


_NUMERIC: Final = frozenset((int, float))


def is_number(value: Value) -> TypeGuard[int | float]:
    """True for an integer or a real, not for a boolean."""
    return type(value) in _NUMERIC


def is_integer(value: Value) -> TypeGuard[int]:
    return type(value) is int
