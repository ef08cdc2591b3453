"""The words of office documents, by the parts of their packages. Only text is read: no style, no formula is worked out."""

from __future__ import annotations

import datetime as dt
import re
import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sanitizers import xml
from sanitizers.formats.jtd import store
from sanitizers.formats.jtd import text as jtd_text
from sanitizers.model import Malformed, Refused
from sanitizers.preview_words import Table, table

ICHITARO_TEXT: Final = "DocumentText"
_MOST_ROWS: Final = 300
_MOST_CELLS: Final = 60
_MOST_REPEATED: Final = 60
_NUMBERS: Final = re.compile(r"(\d+)")
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})\d+")
_BUILT_IN_DAYS: Final = frozenset(map(str, (*range(14, 18), 22, *range(27, 37), *range(50, 59))))
_QUOTED: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_DAY: Final = re.compile(r"[yYdDeE](?![+-])")
# Atoms of text in a presentation of PowerPoint 97: UTF-16, and its lower bytes ([MS-PPT] 2.9.42, 2.9.44).
_TEXT_CHARS, _TEXT_BYTES, _CONTAINER = 0x0FA0, 0x0FA8, 0xF
_MOST_RECORDS: Final = 500_000

Element = Any


class Told(NamedTuple):
    """Lines, sheets, and where links lead."""

    lines: list[str]
    tables: list[Table]
    targets: list[str]


def document(found: dict[str, bytes]) -> Told:
    """WordprocessingML: the body, then notes, comments, headers and footers."""
    names = sorted((name for name in found if name.startswith("word/")), key=lambda name: (name != "word/document.xml", _order(name)))
    said = [text for name in names if not name.endswith(".rels") for text in _paragraphs(found[name])]
    return Told(said, [], _targets(found))


def slides(found: dict[str, bytes]) -> Told:
    """PresentationML, slide by slide, the notes of the speaker behind them."""
    said: list[str] = []
    for kind in ("ppt/slides/slide", "ppt/notesSlides/notesSlide", "ppt/comments/"):
        for name in sorted((name for name in found if name.startswith(kind)), key=_order):
            said += [f"── {name.rpartition('/')[2].removesuffix('.xml')} ──", *_paragraphs(found[name])]
    return Told(said, [], _targets(found))


def workbook(found: dict[str, bytes]) -> Told:
    """SpreadsheetML: values as they were stored last; a formula that has none shows itself."""
    shared = [_text(item) for item in _children(_root(found.get("xl/sharedStrings.xml", b"")), "si")]
    names = _sheet_names(found)
    sheets = sorted((name for name in found if name.startswith("xl/worksheets/") and name.endswith(".xml")), key=_order)
    dated = _dated(_root(found.get("xl/styles.xml", b"")))
    made = [table(names.get(name, name.rpartition("/")[2]), _grid(found[name], shared, dated)) for name in sheets]
    commented = sorted((name for name in found if name.startswith("xl/comments")), key=_order)
    notes = [text for name in commented for text in _paragraphs(found[name], ("comment",))]
    return Told(notes, made, _targets(found))


def open_document(found: dict[str, bytes]) -> Told:
    """ODF: paragraphs and headings, the tables of a spreadsheet."""
    root = _root(found.get("content.xml", b""))
    targets = [value for element in _walk(root, "a") for name, value in element.attrib.items() if name.endswith("}href")]
    spreadsheet = next(_walk(root, "spreadsheet"), None)
    if spreadsheet is None:
        return Told([_text(one) for one in _walk(root, "p", "h")], [], targets)
    made = []
    for sheet in _walk(spreadsheet, "table"):
        name = next((value for key, value in sheet.attrib.items() if key.endswith("}name")), "")
        rows = [_repeated(row) for row in _walk(sheet, "table-row")]
        while rows and not any(rows[-1]):
            rows.pop()
        made.append(table(name, rows))
    return Told([], made, targets)


def _repeated(row: Element) -> list[str]:
    cells: list[str] = []
    for cell in row:
        if _local(cell) not in ("table-cell", "covered-table-cell"):
            continue
        times = next((value for key, value in cell.attrib.items() if key.endswith("}number-columns-repeated")), "1")
        cells += ["\n".join(_text(one) for one in _walk(cell, "p"))] * min(max(1, _whole(times)), _MOST_REPEATED)
        if len(cells) > _MOST_CELLS:
            break
    while cells and not cells[-1]:
        cells.pop()
    return cells


# ------------------------------------------------------------------------------------------------------------ OOXML's parts


def _grid(data: bytes, shared: list[str], dated: frozenset[int]) -> list[list[str]]:
    """Each row in its place; what is empty at the ends is left out."""
    rows: list[list[str]] = []
    for row in _walk(_root(data), "row"):
        number = row.get("r", "")
        place = _whole(number) - 1 if _whole(number) > 0 else len(rows)
        if place > _MOST_ROWS:
            return [*rows, []] if len(rows) > _MOST_ROWS else rows + [[] for _ in range(_MOST_ROWS + 1 - len(rows))]
        rows += [[] for _ in range(place - len(rows))] + [_cells(row, shared, dated)]
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _cells(row: Element, shared: list[str], dated: frozenset[int]) -> list[str]:
    cells: list[str] = []
    for cell in _children(row, "c"):
        place = _REFERENCE.match(cell.get("r", ""))
        column = _column(place[1]) if place else len(cells)
        if column > _MOST_CELLS:
            break
        cells += [""] * (column - len(cells)) + [_value(cell, shared, dated)]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _dated(styles: Element | None) -> frozenset[int]:
    """The cell formats that show a number as a day: those that spell one, and some that are built in (ECMA-376-1, 18.8.30)."""
    spelled = {one.get("numFmtId"): _QUOTED.sub("", one.get("formatCode", "")) for one in _walk(styles, "numFmt")}
    custom = {number: _DAY.search(code) is not None for number, code in spelled.items()}
    formats = next(_walk(styles, "cellXfs"), None)
    return frozenset(
        index
        for index, one in enumerate(_children(formats, "xf"))
        if custom.get(number := one.get("numFmtId", "0"), number in _BUILT_IN_DAYS)
    )


def _day(value: str) -> str:
    """36951 → 2001-03-01, of the 1900 date system. What is no day stays as it is."""
    try:
        number = float(value)
        if not 60 < number < 2_958_466:
            return value
        moment = dt.datetime(1899, 12, 30, tzinfo=dt.UTC) + dt.timedelta(seconds=round(number * 86_400))
    except (ValueError, OverflowError):
        return value
    return moment.strftime("%Y-%m-%d") if number.is_integer() else moment.strftime("%Y-%m-%d %H:%M")


def _value(cell: Element, shared: list[str], dated: frozenset[int]) -> str:
    kind, value = cell.get("t", "n"), next(iter(_children(cell, "v")), None)
    if kind == "inlineStr":
        return _text(cell)
    if value is None:
        formula = next(iter(_children(cell, "f")), None)
        return f"={formula.text}" if formula is not None and formula.text else ""
    said: str = value.text or ""
    if kind == "s":
        return shared[_whole(said)] if 0 <= _whole(said) < len(shared) else ""
    return _day(said) if kind == "n" and _whole(cell.get("s", "0")) in dated else said


def _whole(text: str) -> int:
    """A number of rows, cells or styles; -1 for what is none, and for what no file has so many of."""
    return int(text) if text.isdecimal() and len(text) < 8 else -1


def _sheet_names(found: dict[str, bytes]) -> dict[str, str]:
    targets = {
        element.get("Id"): "xl/" + element.get("Target", "").removeprefix("/xl/")
        for element in _walk(_root(found.get("xl/_rels/workbook.xml.rels", b"")), "Relationship")
    }
    named = {}
    for sheet in _walk(_root(found.get("xl/workbook.xml", b"")), "sheet"):
        identifier = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
        hidden = "（非表示 / hidden）" if sheet.get("state", "visible") != "visible" else ""
        named[targets.get(identifier, "")] = sheet.get("name", "") + hidden
    return named


def _targets(found: dict[str, bytes]) -> list[str]:
    """What relationships name outside of the package: links, remote templates, pictures from elsewhere."""
    return [
        element.get("Target", "")
        for name in sorted(found)
        if name.endswith(".rels")
        for element in _walk(_root(found[name]), "Relationship")
        if element.get("TargetMode") == "External"
    ]


def _paragraphs(data: bytes, names: tuple[str, ...] = ("p",)) -> Iterator[str]:
    for paragraph in _walk(_root(data), *names):
        if text := _text(paragraph):
            yield text


def _text(element: Element) -> str:
    """Of its runs; a paragraph within a paragraph (a text box) is told by itself."""
    said: list[str] = []
    for one in element.iter():
        name = _local(one)
        if name in ("t", "delText") or (name in ("p", "h", "span", "a", "comment") and one.text and not one.text.isspace()):
            said.append(one.text or "")
        elif name in ("tab", "s"):
            said.append(" ")
        elif name in ("br", "cr", "line-break"):
            said.append(" / ")
        if one is not element and one.tail and not one.tail.isspace():
            said.append(one.tail)
    return "".join(said)


# ------------------------------------------------------------------------------------------------------------ XML, a little


def _root(data: bytes) -> Element | None:
    """None for a part that cannot be read: the others still say what they say."""
    if not data:
        return None
    try:
        return xml.parse(data)
    except Refused:
        return None


def _local(element: Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _walk(root: Element | None, *names: str) -> Iterator[Element]:
    if root is not None:
        yield from (one for one in root.iter() if _local(one) in names)


def _children(element: Element | None, name: str) -> list[Element]:
    return [] if element is None else [one for one in element if _local(one) == name]


def _order(name: str) -> list[object]:
    """slide10 behind slide2."""
    return [int(piece) if piece.isdecimal() else piece for piece in _NUMBERS.split(name)]


# ------------------------------------------------------------------------------------------------------------ older formats


def old_slides(streams: dict[str, bytes]) -> str:
    """The text atoms of a presentation of PowerPoint 97, in the order of the stream."""
    data = streams.get("PowerPoint Document", b"")
    said, at, count = [], 0, 0
    while at + 8 <= len(data) and count < _MOST_RECORDS:
        version, kind, size = struct.unpack_from("<HHI", data, at)
        at, count = at + 8, count + 1
        if version & 0xF == _CONTAINER:
            continue
        if kind in (_TEXT_CHARS, _TEXT_BYTES):
            said.append(data[at : at + size].decode("utf-16-le" if kind == _TEXT_CHARS else "latin-1", "replace").replace("\r", "\n"))
        at += size
    return "\n".join(said)


def ichitaro(streams: dict[str, bytes]) -> str:
    """Raises Malformed, and Unsupported for records that nobody knows."""
    if ICHITARO_TEXT not in streams:
        raise Malformed("no text of its own")
    return jtd_text.check(store.read(streams[ICHITARO_TEXT]))
