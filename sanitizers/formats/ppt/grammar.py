"""What may stand where: rules by type of record. A rule makes the record anew from what it understands of it, or leaves it behind."""

from __future__ import annotations

import struct
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sanitizers.context import Context
from sanitizers.formats.ppt import records
from sanitizers.formats.ppt.records import Data, Record
from sanitizers.model import Action, LimitExceeded, Malformed

_DEEPEST: Final = 64
_LONGEST: Final = 65_536  # bytes of a name or another short text
FIRST: Final = (0,)

# Known to say nothing that the reader needs: what later versions keep for themselves beside what they show ([MS-PPT] 2.11), views, menus of
# colours, spelling, options of printing. Left behind without a word, as every program that does not know them leaves them.
QUIET: Final = frozenset({
    0x040E, 0x040F, 0x041C, 0x041D, 0x041E, 0x041F, 0x0420, 0x0422, 0x0423, 0x0424, 0x0425, 0x0426, 0x0427, 0x0428, 0x0BDD, 0x3714,
    0x2B0B, 0x2B0D, 0x0413, 0x0414, 0x03FA, 0x0407, 0x0408, 0x1770, 0x0FE7, 0xF118, 0xF11A, 0xF11E, 0xF11D, 0x0FC4, 0x07E9,
})  # fmt: skip
# Types of records that are always left behind → the code of the finding.
REPORTED: Final = {
    0x03FF: "ppt.macro", 0x1011: "ppt.object", 0x0FCC: "ppt.object", 0x0FCE: "ppt.object", 0x0FEE: "ppt.object", 0x0BC1: "ppt.object",
    0x1006: "ppt.media", 0x1007: "ppt.media", 0x100D: "ppt.media", 0x100E: "ppt.media", 0x100F: "ppt.media", 0x1010: "ppt.media",
    0x1005: "ppt.media", 0x07E4: "ppt.sound", 0x07E6: "ppt.sound", 0x0FB8: "ppt.embedded_font", 0x0406: "file.metadata",
    0x1389: "file.metadata", 0x0402: "file.metadata", 0x0FA7: "file.metadata", 0xF144: "ppt.animation", 0x2B02: "ppt.animation",
    0x1785: "ppt.mail",
}  # fmt: skip


@dataclass(slots=True)
class Deck:
    """What the parts of one presentation must know of each other."""

    context: Context
    pictures: int = 0                                       # places in the table of pictures
    links: set[int] = field(default_factory=set)            # ids of the hyperlinks that stay
    objects: dict[int, str] = field(default_factory=dict)   # ids of embedded objects and media → code of the finding
    length: int = 0                                         # characters of the text that is being read
    modules: str = ""                                       # of macros, for people
    link_gone: bool = False                                 # the link was left behind whose characters come next


class Place(NamedTuple):
    """Where a record stands: `where` for people, `depth` in containers."""

    deck: Deck
    where: str
    depth: int = 0

    def found(self, code: str, action: Action = Action.REMOVED, detail: str = "") -> None:
        self.deck.context.found(code, self.where, action, detail)

    def left(self, record: Record) -> None:
        """A record that has no rule here."""
        if record.kind in QUIET:
            return
        code = REPORTED.get(record.kind, "ppt.unknown_record")
        details = {"ppt.unknown_record": f"{record.kind:04X}", "ppt.macro": self.deck.modules}
        self.found(code, detail=details.get(code, ""))

    def broken(self, record: Record) -> bytes:
        """What is left of a record that cannot be read: nothing, reported."""
        self.found("ppt.broken_record", detail=f"{record.kind:04X} of {len(record.data)} bytes")
        return b""

    def deeper(self) -> Place:
        """One level further inside. Raises LimitExceeded where records nest too deep."""
        if self.depth >= _DEEPEST:
            raise LimitExceeded(f"records nested deeper than {_DEEPEST}")
        return Place(self.deck, self.where, self.depth + 1)


Rule = Callable[[Record, Place], bytes]
Grammar = dict[int, Rule]


def walk(data: Data, grammar: Grammar, place: Place) -> bytes:
    """The content of a container made anew: what has a rule by its rule, nothing else."""
    made: list[bytes] = []
    known = grammar.get
    for record in records.children(data):
        rule = known(record.kind)
        if rule is None:
            place.left(record)
        else:
            made.append(rule(record, place))
    return b"".join(made)


def atom(*layouts: str, version: int = 0, instances: Container[int] = FIRST) -> Rule:
    """Numbers of a known layout (of `struct`, little-endian); its pad bytes are what nobody reads, and are zero afterwards."""
    shapes = {shape.size: shape for shape in map(struct.Struct, (f"<{layout}" for layout in layouts))}
    padded = any("x" in layout for layout in layouts)

    def rule(record: Record, place: Place) -> bytes:
        shape = shapes.get(len(record.data))
        if shape is None or record.instance not in instances:
            return place.broken(record)
        content = shape.pack(*shape.unpack(record.data)) if padded else bytes(record.data)
        return records.written(record.kind, content, version, record.instance)

    return rule


def numbers(size: int, most: int) -> Rule:
    """At most so many numbers of one size."""

    def rule(record: Record, place: Place) -> bytes:
        if len(record.data) % size or len(record.data) > size * most:
            return place.broken(record)
        return records.written(record.kind, bytes(record.data))

    return rule


def string(instances: Container[int] = FIRST) -> Rule:
    """Text in UTF-16, up to where a reader ends it."""

    def rule(record: Record, place: Place) -> bytes:
        if len(record.data) % 2 or len(record.data) > _LONGEST or record.instance not in instances:
            return place.broken(record)
        return records.written(record.kind, ended(record.data), 0, record.instance)

    return rule


def ended(data: Data) -> bytes:
    """UTF-16 up to its end or its first NUL."""
    return bytes(data).decode("utf-16-le", "surrogatepass").partition("\0")[0].encode("utf-16-le", "surrogatepass")


def nest(grammar: Grammar, instances: Container[int] = FIRST) -> Rule:
    """A container; one that nothing is left of goes too."""

    def rule(record: Record, place: Place) -> bytes:
        if record.version != records.CONTAINER:
            raise Malformed(f"container {record.kind:04X} as an atom", where=place.where, code="ppt.malformed")
        if record.instance not in instances:
            return place.broken(record)
        inside = walk(record.data, grammar, place.deeper())
        return records.container(record.kind, inside, record.instance) if inside else b""

    return rule


def quiet(_record: Record, _place: Place) -> bytes:
    """Left behind without a word: nobody misses it."""
    return b""
