"""How a dictionary is copied: a table of the keys that its type may have, each with a rule for its value.

A rule takes (copier, value, where) and returns the new value, `OMIT` when the value is not what the key calls for, or `LEFT`. There is no
rule that copies "anything": a key without a rule stays behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from sanitizers.formats.pdf.values import Name, Ref, Value, is_integer, is_number

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

OMIT: Final = object()          # not what the key calls for: the caller reports it
LEFT: Final = object()          # left behind and reported already, or not worth a word
Rule = Callable[["Copier", Value, str], Value]


class Shape(NamedTuple):
    """Keys with their rules, and keys that may be left out without a word because nothing is lost with them."""

    rules: Mapping[str, Rule]
    silent: frozenset[str] = frozenset()


def shape(rules: Mapping[str, Rule], silent: str = "") -> Shape:
    return Shape(rules, frozenset(silent.split()))


def number(copier: Copier, value: Value, _where: str) -> Value:
    value = copier.resolve(value)
    return value if is_number(value) and abs(value) < 1e15 else OMIT


def integer(copier: Copier, value: Value, _where: str) -> Value:
    """Some writers give `4.0` where an integer belongs; viewers take it."""
    value = copier.resolve(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 31:
        return int(value)
    return value if is_integer(value) and abs(value) < 1 << 53 else OMIT


def boolean(copier: Copier, value: Value, _where: str) -> Value:
    value = copier.resolve(value)
    return value if isinstance(value, bool) else OMIT


def name(copier: Copier, value: Value, _where: str) -> Value:
    value = copier.resolve(value)
    return value if isinstance(value, Name) and len(value) <= 1024 else OMIT


def string(copier: Copier, value: Value, _where: str) -> Value:
    """A string. Text longer than 64 KiB may be a stream in some keys; those keys say so themselves."""
    value = copier.resolve(value)
    return value if isinstance(value, bytes) else OMIT


def one_of(*names: str) -> Rule:
    """A name out of a list."""
    known = frozenset(names)

    def rule(copier: Copier, value: Value, _where: str) -> Value:
        value = copier.resolve(value)
        return value if isinstance(value, Name) and value in known else OMIT

    return rule


def literally(new: Value) -> Rule:
    """Always the same value, whatever the input says: /Type and the like."""
    return lambda _copier, _value, _where: new


def typed(text: str) -> Rule:
    return literally(Name(text))


def numbers(least: int, most: int = 0) -> Rule:
    """An array of `least` to `most` numbers; longer ones are cut as viewers do."""
    most = most or least

    def rule(copier: Copier, value: Value, _where: str) -> Value:
        value = copier.resolve(value)
        if not isinstance(value, list) or len(value) < least:
            return OMIT
        items = [number(copier, item, "") for item in value[:most]]
        return OMIT if OMIT in items else items

    return rule


def array(item: Rule, least: int = 0, most: int = 1 << 20) -> Rule:
    """An array whose items all satisfy one rule; the ones that do not are left out, unless fewer than `least` would stay."""

    def rule(copier: Copier, value: Value, where: str) -> Value:
        value = copier.resolve(value)
        if not isinstance(value, list) or not least <= len(value) <= most:
            return OMIT
        items = [new for new in (item(copier, old, where) for old in value) if new is not OMIT and new is not LEFT]
        return items if len(items) >= least else OMIT

    return rule


def record(keys: Shape) -> Rule:
    """A dictionary of one shape, written in place."""

    def rule(copier: Copier, value: Value, where: str) -> Value:
        value = copier.resolve(value)
        if not isinstance(value, dict):
            return OMIT
        return copier.fields(value, keys, where)

    return rule


def either(*rules: Rule) -> Rule:
    """The first rule that takes the value."""

    def rule(copier: Copier, value: Value, where: str) -> Value:
        for choice in rules:
            if (new := choice(copier, value, where)) is not OMIT:
                return new
        return OMIT

    return rule


def shared(inner: Rule) -> Rule:
    """An object of its own if the input had one: copied once, however often it is referred to."""

    def rule(copier: Copier, value: Value, where: str) -> Value:
        if not isinstance(value, Ref):
            return inner(copier, value, where)
        return copier.once(value, inner, lambda: inner(copier, value, where), where)

    return rule


RECTANGLE: Final = numbers(4)
MATRIX: Final = numbers(6)
