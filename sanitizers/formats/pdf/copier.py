"""The state of one rebuild: the input's reader, the output's writer, and what has been copied already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sanitizers.budget import Budget
from sanitizers.context import Context
from sanitizers.formats.pdf import filters, leftovers
from sanitizers.formats.pdf.content import Content
from sanitizers.formats.pdf.reader import Reader
from sanitizers.formats.pdf.shapes import LEFT, OMIT, Rule, Shape
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Stream, Value
from sanitizers.formats.pdf.writer import Writer
from sanitizers.model import Action, LimitExceeded, Malformed

# Forms in forms, patterns in forms, functions in functions: each takes one or two levels, and viewers stop at about 40 forms.
_NESTED: Final = 80


@dataclass
class Copier:
    """Copies values by rules. Cycles end where an object that is being copied is met again."""

    reader: Reader
    writer: Writer
    context: Context
    categories: Mapping[str, Rule] = field(default_factory=dict)    # resource category -> how its entries are copied
    pages: dict[Ref, Ref] = field(default_factory=dict)         # page of the input -> page of the output
    annotations: dict[Ref, Ref] = field(default_factory=dict)   # annotation or field likewise, as far as kept
    groups: dict[Ref, Ref] = field(default_factory=dict)        # optional content group likewise
    destinations: dict[bytes, Value] = field(default_factory=dict)  # named destinations that are kept
    around: Dictionary = field(default_factory=dict)            # the resources of the content that is being copied
    programs: dict[Ref, tuple[str, Ref] | None] = field(default_factory=dict)          # font program -> itself rebuilt
    contents: dict[Ref, tuple[Content, Ref]] = field(default_factory=dict)  # a page's stream -> itself rebuilt
    files: set[Ref] = field(default_factory=set)                # streams of attached files that have been met
    attached: dict[bytes, Ref] = field(default_factory=dict)    # name of an attachment that is kept -> its file specification
    taken: dict[str, int] = field(default_factory=dict)         # names of attachments, as `names.numbered` counts them
    hashed: int = 0             # bytes that signatures were checked against
    later: list[Callable[[], None]] = field(default_factory=list)   # what must wait until all else is copied
    resolve: Callable[[Value], Value] = field(init=False)       # the reader's
    _copied: dict[tuple[Ref, object], Value] = field(default_factory=dict)
    _open: set[tuple[Ref, object]] = field(default_factory=set)
    _depth: int = 0

    def __post_init__(self) -> None:
        self.resolve = self.reader.resolve

    @property
    def budget(self) -> Budget:
        return self.context.budget

    def named(self, value: Value) -> Name:
        """The name behind `value`, or the empty one: what else stands there may be no key of a table."""
        found = self.resolve(value)
        return found if isinstance(found, Name) else Name("")

    def fields(self, source: Dictionary, keys: Shape, where: str) -> Dictionary:
        """What the shape knows of a dictionary; the rest is reported."""
        self.descend(where)
        try:
            return self._fields(source, keys, where)
        finally:
            self.ascend()

    def descend(self, where: str) -> None:
        """One level of nesting: everything that calls itself again for a value inside a value passes through here, and through `ascend`.

        Raises LimitExceeded.
        """
        if self._depth >= _NESTED:
            raise LimitExceeded(f"objects are nested deeper than {_NESTED}", where=where)
        self._depth += 1

    def ascend(self) -> None:
        self._depth -= 1

    def _fields(self, source: Dictionary, keys: Shape, where: str) -> Dictionary:
        new: Dictionary = {}
        for key, value in source.items():
            rule = keys.rules.get(key)
            if rule is None:
                if key not in keys.silent:
                    self.leave(key, value, where)
                continue
            if value is None:
                continue
            copied = rule(self, value, where)
            if copied is LEFT:
                continue
            if copied is not OMIT:
                new[key] = copied
            elif self.resolve(value) is not None:
                self.drop("pdf.invalid_value", where, f"/{key}")
        return new

    def once(self, ref: Ref, role: object, make: Callable[[], Value], where: str) -> Value:
        """The copy of an indirect object in one role, as an indirect object. `make` copies it when that has not been done yet."""
        key = (ref, role)
        if key in self._copied:
            return self._copied[key]
        if key in self._open:
            self.drop("pdf.loop", where)
            return LEFT
        self._open.add(key)
        self.descend(where)
        try:
            copied = make()
        finally:
            self.ascend()
        self._open.discard(key)
        if copied is not OMIT and copied is not LEFT and not isinstance(copied, Ref | Name):
            copied = self.writer.add(copied)
        self._copied[key] = copied
        return copied

    def content_of(self, stream: Stream, where: str) -> bytes | None:
        """The decoded bytes of a stream that is no image, which the rules look at; None, reported, when it cannot be decoded."""
        if external(stream.fields):
            self.drop("pdf.external_stream", where)
            return None
        try:
            data = filters.content(stream, self.reader, self.budget)
        except Malformed as refusal:
            self.drop("pdf.unreadable_stream", where, refusal.detail)
            return None
        self.context.scan_layer(data, where)
        return data

    def drop(self, code: str, where: str, detail: str = "") -> None:
        self.context.found(code, where, Action.REMOVED, detail)

    def leave(self, key: str, value: Value, where: str) -> None:
        """A key that no shape knows: name what it would have been."""
        if self.resolve(value) is not None:
            leftovers.report(self, key, value, where)


def external(fields: Dictionary) -> bool:
    """A stream whose data would come from a file or a URL (ISO 32000-2 §7.3.8.2)."""
    return fields.get("F") is not None
