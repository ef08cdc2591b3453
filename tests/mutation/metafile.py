"""What the tests of EMF and WMF must notice when it is switched off: `python -m tests.mutation.metafile`."""

from __future__ import annotations

import struct
from typing import Any

from sanitizers.formats.metafile import emf, emf_records, wmf_records
from tests.mutation.runner import Mutant, main

_META = "sanitizers.formats.metafile"


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _rest(record: bytes, start: int, _: int) -> bytes:
    """Whatever stands there, to the end."""
    return record[start:]


def _as_it_was(record: bytes, _context: Any) -> Any:
    return None


def _header_kept(view: memoryview, body: int, records: int) -> bytes:
    made = bytearray(_header(view, body, records))
    made[88:100] = bytes(view[88:100]).ljust(12, b"\0")
    return bytes(made)


def _whole_font(kind: int, record: bytes, _: Any) -> bytes:
    return record


_header = emf._new_header

MUTANTS: tuple[Mutant, ...] = (
    Mutant("word on escapes", f"{_META}.emf:_ESCAPES", frozenset()),
    Mutant("word on comments", f"{_META}.emf:_comment", _as_it_was),
    Mutant("EMF+ alone", f"{_META}.emf:_PLUS_HEADER", 0),
    Mutant("word on EMF+", f"{_META}.emf:_PLUS", b"none"),
    Mutant("head of EMF", f"{_META}.emf:_header_length", lambda view: struct.unpack_from("<I", view, 4)[0]),
    Mutant("description and pixel format", f"{_META}.emf:_new_header", _header_kept),
    Mutant("places of objects", f"{_META}.emf_records:_check_handle", _nothing),
    Mutant("lengths of EMF records", f"{_META}.emf_records:_slice", _rest),
    Mutant("transforms", f"{_META}.emf_records:_TRANSFORMS", frozenset()),
    Mutant("unknown records", f"{_META}.emf_records:made", lambda _kind, record, _drawing: record),
    *(Mutant(f"EMF record {kind}", f"{_META}.emf_records:_VARIABLE[{kind}]", _whole_font) for kind in (75, 82, 84, 118)),
    Mutant("bitmaps of EMF", f"{_META}.emf_records:_BLITS", {}),
    Mutant("word on WMF escapes", f"{_META}.wmf:_ESCAPE", -1),
    Mutant("unknown WMF records", f"{_META}.wmf_records:made", lambda _function, data, _context: data),
    Mutant("lengths of WMF records", f"{_META}.wmf_records:_slice", _rest),
    Mutant("names of WMF fonts", f"{_META}.wmf_records:_VARIABLE[{0x02FB}]", bytes),
    Mutant("places of WMF objects", f"{_META}.wmf_records:CREATES", frozenset()),
    Mutant("patterns of WMF", f"{_META}.wmf_records:_pattern", lambda data, _context: data),
    Mutant("checksum of the placeable head", f"{_META}.wmf:_placeable", lambda view: (bytes(view[:22]), 22) if view[:4] == b"\xd7\xcd\xc6\x9a" else (b"", 0)),
    Mutant("bitmaps are made anew", f"{_META}.dib:rebuilt", _nothing),
)
assert {75, 82, 84, 118} <= emf_records._VARIABLE.keys()
assert 0x02FB in wmf_records._VARIABLE

if __name__ == "__main__":
    main(MUTANTS, ("tests/sanitizers/formats/metafile",))
