"""A table as an Excel workbook (ECMA-376, SpreadsheetML), written row by row and never read: one sheet of texts and numbers.

Every text is an inline string, which no program runs as a formula, whatever it begins with.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Final

KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Limits of the format: letters of a cell, rows of a sheet.
_LONGEST: Final = 32_767
MOST_ROWS: Final = 1_048_576
_WIDTHS: Final = (8, 60)
# What XML 1.0 cannot hold; and what the format itself reads as an escape (ECMA-376 part 1, 22.9.2.19).
_NO_LETTER: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPE: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELATIONS: Final = f'<Relationships xmlns="{_PACKAGE}/relationships">'
_PARTS: Final = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'{_RELATIONS}<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets>'
    "</workbook>",
    "xl/_rels/workbook.xml.rels": f'{_RELATIONS}<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Yu Gothic"/></font>'
    '<font><b/><sz val="11"/><name val="Yu Gothic"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}  # fmt: skip

Cell = str | int | float | None


class Workbook:
    """One sheet under one row of titles, which stays in sight. `widths`: of the columns, in letters."""

    def __init__(self, titles: Sequence[str], widths: Sequence[int]) -> None:
        self._columns, self._rows = len(titles), 0
        self._sheet = _Part("xl/worksheets/sheet1.xml")
        sized = "".join(
            f'<col min="{number}" max="{number}" width="{min(max(width, _WIDTHS[0]), _WIDTHS[1])}" customWidth="1"/>'
            for number, width in enumerate(widths, 1)
        )
        pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        view = f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        self._sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}">{view}<cols>{sized}</cols><sheetData>')
        self._write([titles], look=1)

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Raises ValueError for more rows than a sheet holds."""
        self._write(rows, look=0)

    def finish(self) -> bytes:
        """The whole file: an xlsx of one sheet."""
        self._sheet.write("</sheetData></worksheet>")
        parts = []
        for name, text in _PARTS.items():
            parts.append(part := _Part(name))
            part.write(_HEAD + text)
        return _package([*parts, self._sheet])

    def _write(self, rows: Iterable[Sequence[Cell]], *, look: int) -> None:
        written = []
        for row in rows:
            self._rows += 1
            if self._rows > MOST_ROWS or len(row) != self._columns:
                raise ValueError("more rows than a sheet holds, or a row of another length")
            cells = "".join(_cell(f"{_letters(number)}{self._rows}", value, look) for number, value in enumerate(row))
            written.append(f'<row r="{self._rows}">{cells}</row>')
        self._sheet.write("".join(written))


def _cell(at: str, value: Cell, look: int) -> str:
    if value is None or value == "":
        return ""
    style = f' s="{look}"' if look else ""
    if isinstance(value, int | float):
        return f'<c r="{at}"{style}><v>{value!r}</v></c>'
    text = _ESCAPE.sub("_x005F_", _NO_LETTER.sub("\ufffd", value[:_LONGEST]))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<c r="{at}" t="inlineStr"{style}><is><t xml:space="preserve">{text}</t></is></c>'


def _letters(number: int) -> str:
    """A, B, … Z, AA: the name of a column, counted from 0."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


class _Part:
    """One deflated part of the package, as it grows."""

    def __init__(self, name: str) -> None:
        self.name = name.encode()
        self.size = self.crc = 0
        self._packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._packed: list[bytes] = []

    def write(self, text: str) -> None:
        data = text.encode()
        self.size += len(data)
        self.crc = zlib.crc32(data, self.crc)
        self._packed.append(self._packer.compress(data))

    def packed(self) -> bytes:
        self._packed.append(self._packer.flush())
        return b"".join(self._packed)


def _package(parts: Sequence[_Part]) -> bytes:
    """A zip (APPNOTE 6.3) of deflated parts, dated 1980-01-01: the same rows give the same bytes."""
    body, directory = bytearray(), bytearray()
    for part in parts:
        packed, offset = part.packed(), len(body)
        fields = (20, 0, 8, 0, 0x0021, part.crc, len(packed), part.size, len(part.name), 0)
        body += struct.pack("<IHHHHHIIIHH", 0x04034B50, *fields) + part.name + packed
        directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, *fields, 0, 0, 0, 0, offset) + part.name
    return bytes(body + directory + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(parts), len(parts), len(directory), len(body), 0))
