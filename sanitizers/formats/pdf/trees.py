"""Name trees and number trees (ISO 32000-2 §7.9.6 and §7.9.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sanitizers.formats.pdf.reader import Reader
from sanitizers.formats.pdf.values import Dictionary, Ref, Value
from sanitizers.formats.pdf.writer import Writer

_LEAF: Final = 64


def walk(reader: Reader, root: Value, entries: str) -> Iterator[tuple[Value, Value]]:
    """Keys and values in order; a node that is met twice is skipped. `entries`: `Names` or `Nums`."""
    todo, seen = [root], set()
    while todo:
        node = todo.pop()
        if isinstance(node, Ref):
            if node in seen:
                continue
            seen.add(node)
        fields = reader.dictionary(node)
        todo += reversed([kid for kid in reader.array(fields.get("Kids")) if isinstance(kid, Ref | dict)])
        items = reader.array(fields.get(entries))
        for index in range(0, len(items) - 1, 2):
            yield reader.resolve(items[index]), items[index + 1]


def write(writer: Writer, items: list[tuple[Value, Value]], entries: str) -> Ref:
    """A tree of two levels over items that are sorted by key."""
    leaves: list[Value] = []
    for start in range(0, len(items), _LEAF):
        part = items[start : start + _LEAF]
        leaf: Dictionary = {entries: [value for pair in part for value in pair], "Limits": [part[0][0], part[-1][0]]}
        leaves.append(leaf)
    if len(leaves) <= 1:
        return writer.add({entries: leaves[0][entries] if leaves else []})
    return writer.add({"Kids": [writer.add(leaf) for leaf in leaves]})
