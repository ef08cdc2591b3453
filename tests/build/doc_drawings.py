"""Drawings beside the text of a document of Word 97: [MS-ODRAW] 2.2, record by record."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from sanitizers.formats.doc.fib import Part
from tests.build import doc
from tests.build.doc import SPECIAL, Para, Run, para

Area = tuple[int, int, int, int]
GROUP, SHAPE, STORE, ENTRY = 0xF003, 0xF004, 0xF001, 0xF007
_HERE: Area = (0, 0, 4000, 1200)


def record(kind: int, data: bytes, head: int = 0x0F) -> bytes:
    return struct.pack("<HHI", head, kind, len(data)) + data


def shape(
    kind: int, identity: int, options: Mapping[int, int] | None = None, *, more: Mapping[int, bytes] | None = None, flags: int = 0xA00,
    place: Area | None = None, inside: Area | None = None,
) -> bytes:  # fmt: skip
    """`more`: complex options, in order behind the simple ones; `place` in the group around, `inside` the measure of a group."""
    given = [*(options or {}).items(), *((number | 0x8000, len(said)) for number, said in (more or {}).items())]
    table = b"".join(struct.pack("<HI", *one) for one in given) + b"".join((more or {}).values())
    parts = [record(0xF009, struct.pack("<4i", *inside), 1)] if inside else []
    parts += [record(0xF00A, struct.pack("<II", identity, flags), kind << 4 | 2), record(0xF00B, table, len(given) << 4 | 3)]
    return record(SHAPE, b"".join([*parts, *([record(0xF00F, struct.pack("<4i", *place), 0)] if place else [])]))


def group(*members: bytes) -> bytes:
    """The first member is the group itself."""
    return record(GROUP, b"".join(members))


def blip(content: bytes, kind: int = 0xF01E, instance: int = 0x6E0) -> bytes:
    return record(kind, bytes(16) + b"\xff" + content, instance << 4)


def entry(blip_: bytes, *, at: int = 0xFFFFFFFF, name: bytes = b"") -> bytes:
    """Of the store: a picture behind it, or one that lies in the main stream."""
    return record(ENTRY, struct.pack("<BB16xHIIIBBBB", 6, 6, 0xFF, len(blip_), 1, at, 0, len(name), 0, 0) + name + blip_, 0x62)


def drawings(*shapes: bytes, store: bytes = b"", header: bool = False) -> bytes:
    """The part: the group of all, then one drawing; the first shape of it is the drawing itself."""
    whole = record(0xF000, record(STORE, store) if store else b"")
    return whole + bytes((header,)) + record(0xF002, group(shape(0, 1, flags=5), *shapes))


def anchor(identity: int = 9, area: Area = _HERE, flags: int = 0) -> bytes:
    return struct.pack("<I4iHI", identity, *area, flags, 0)


def document(*shapes: bytes, store: bytes = b"", at: bytes = b"", body: Para | None = None, **more: object) -> bytes:
    """One anchor, `at`, behind 絵."""
    parts = {Part.SHAPES: doc.plc([1, 3], [at or anchor()]), Part.DRAWINGS: drawings(*shapes, store=store)}
    return doc.document(body or para("絵", Run("\x08", SPECIAL)), parts=parts, **more)  # type: ignore[arg-type]
