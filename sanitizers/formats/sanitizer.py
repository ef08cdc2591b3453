"""The shape of one family's sanitizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sanitizers.context import Context, Rebuilt
from sanitizers.model import Kind
from sanitizers.source import Source


class Sanitizer(NamedTuple):
    """Copies what it knows to be harmless from a source into a new file; what it does not know stays behind and is reported.

    `sanitize` raises `Refused` (one of its kinds) where the input is at fault, and nothing else on purpose.
    The four texts are printed as the formats table of the README; one short English clause each.
    """

    family: str
    kinds: frozenset[Kind]
    sanitize: Callable[[Source, Context], Rebuilt]
    removes: str
    keeps: str
    refuses: str
    spec: str
