"""The true kind of a part, from its bytes and never from its name; and what a name alone forbids or contradicts.

The outermost structure decides: what a program would do with the first bytes. libmagic is asked last, for kinds that need no look inside.
A name may only choose among the text kinds, which differ in nothing but the name.
"""

from __future__ import annotations

from sanitizers.identify.magic import by_magic
from sanitizers.identify.rules import forbidden, mismatch
from sanitizers.identify.signature import by_signature
from sanitizers.identify.text import by_text
from sanitizers.model import Kind
from sanitizers.source import Source

__all__ = ["forbidden", "identify", "mismatch"]


def identify(source: Source, name: str) -> Kind:
    """In doubt UNKNOWN; never a text kind for bytes that are not text."""
    if not len(source):
        return Kind.EMPTY
    return by_signature(source) or by_text(source, name) or by_magic(source) or Kind.UNKNOWN
