"""Bookmarks (ISO 32000-2 §12.3.3): titles with a destination in the file or an allowed link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import links
from sanitizers.formats.pdf.shapes import integer, numbers, shape, string
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Value, is_integer
from sanitizers.model import LimitExceeded

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_ITEM: Final = shape(
    {"Title": string, "Dest": links.destination, "A": links.action, "C": numbers(3), "F": integer},
    "Parent Prev Next First Last Count SE Type",
)
_MAX_ITEMS: Final = 500_000
_DEPTH: Final = 200


def outlines(copier: Copier, value: Value) -> Ref | None:
    """The whole outline anew; an item that is met twice is left out."""
    root = copier.reader.dictionary(value)
    if copier.resolve(root.get("First")) is None:
        return None
    new = copier.writer.reserve()
    fields: Dictionary = {"Type": Name("Outlines")}
    _Outline(copier).children(root, new, fields)
    copier.writer.put(new, fields)
    return new if "First" in fields else None


class _Outline:
    def __init__(self, copier: Copier) -> None:
        self._copier = copier
        self._seen: set[Ref] = set()
        self._number = 0

    def children(self, root: Dictionary, root_ref: Ref, root_fields: Dictionary) -> None:
        """Fills First, Last and Count of every level, without recursion."""
        todo: list[tuple[Dictionary, Ref, Dictionary, int]] = [(root, root_ref, root_fields, 0)]
        levels: list[tuple[Dictionary, list[Dictionary], bool]] = []
        while todo:
            source, ref, fields, depth = todo.pop()
            if depth > _DEPTH:
                raise LimitExceeded("outline levels", where="outline")
            siblings = self._siblings(source)
            kids = [(self._copier.writer.reserve(), self._item(item)) for item in siblings]
            _chain(ref, fields, kids)
            count = self._copier.resolve(source.get("Count"))
            levels.append((fields, [kid for _, kid in kids], depth > 0 and not (is_integer(count) and count > 0)))
            for item, (new, new_fields) in zip(siblings, kids, strict=True):
                self._copier.writer.put(new, new_fields)
                if "First" in item:
                    todo.append((item, new, new_fields, depth + 1))
        for fields, under, closed in reversed(levels):
            visible = sum(1 + max(0, kid.get("Count", 0)) for kid in under)
            if visible:
                fields["Count"] = -visible if closed else visible

    def _siblings(self, source: Dictionary) -> list[Dictionary]:
        items: list[Dictionary] = []
        node = source.get("First")
        while isinstance(node, Ref):
            found = self._copier.resolve(node)
            if not isinstance(found, dict):
                break
            if node in self._seen:
                self._copier.drop("pdf.loop", "outline")
                break
            self._seen.add(node)
            if len(self._seen) > _MAX_ITEMS:
                raise LimitExceeded("outline items", where="outline")
            items.append(found)
            node = found.get("Next")
        return items

    def _item(self, item: Dictionary) -> Dictionary:
        self._number += 1
        return {"Title": b"", **self._copier.fields(item, _ITEM, f"outline {self._number}")}


def _chain(parent: Ref, fields: Dictionary, kids: list[tuple[Ref, Dictionary]]) -> None:
    """First, Last, Parent, Prev and Next of one level."""
    for index, (_, kid) in enumerate(kids):
        kid["Parent"] = parent
        if index:
            kid["Prev"] = kids[index - 1][0]
        if index + 1 < len(kids):
            kid["Next"] = kids[index + 1][0]
    if kids:
        fields["First"], fields["Last"] = kids[0][0], kids[-1][0]
