"""Workbooks of Excel 5 and 95 (BIFF5) record by record: byte strings in the code page, references that name their sheets themselves."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.build import cfb
from tests.build.xls import END, GLOBALS, WORKSHEET, begin, record

VERSION = 0x0500
SELF = record(0x0017, b"\x01\x04")     # EXTERNSHEET of the workbook itself


def text(value: str, width: str = "H") -> bytes:
    said = value.encode("cp932")
    return struct.pack(f"<{width}", len(said)) + said


def label(row: int, col: int, value: str, *, rich: bool = False) -> bytes:
    return record(0x00D6 if rich else 0x0204, struct.pack("<HHH", row, col, 15) + text(value) + (b"\0" if rich else b""))


def font(face: str = "ＭＳ ゴシック") -> bytes:
    return record(0x0031, struct.pack("<HHHHHBBBB", 220, 0, 0x7FFF, 400, 0, 0, 0, 128, 0) + text(face, "B"))


def cell_format(number_format: int = 0, *, area: int = 0, lines: int = 0, turned: int = 0) -> bytes:
    return record(0x00E0, struct.pack("<HHHBBII", 0, number_format, 1, 0x22, turned, area, lines))


def name(called: str, tokens: bytes) -> bytes:
    said = called.encode("cp932")
    return record(0x0018, struct.pack("<HBBHHH4x", 0, 0, len(said), len(tokens), 0, 0) + said + tokens)


STYLES = (font(), *[cell_format()] * 16)


def stream(*records: bytes, before: Sequence[bytes] = (), styles: Sequence[bytes] = STYLES, called: str = "集計表") -> bytes:
    """A workbook stream of one sheet with 本文 in A1 and 12.5 in B1."""
    sheet = begin(WORKSHEET, VERSION) + label(0, 0, "本文") + record(0x0203, struct.pack("<HHHd", 0, 1, 15, 12.5)) + b"".join(records) + END
    head = begin(GLOBALS, VERSION) + record(0x0042, b"\xa4\x03") + b"".join(styles)
    after = b"".join(before) + END
    size = 4 + 6 + len(text(called, "B"))
    return head + record(0x0085, struct.pack("<IBB", len(head) + size + len(after), 0, 0) + text(called, "B")) + after + sheet


def workbook(*records: bytes, before: Sequence[bytes] = (), styles: Sequence[bytes] = STYLES) -> bytes:
    return cfb.compound({"Book": stream(*records, before=before, styles=styles)})
