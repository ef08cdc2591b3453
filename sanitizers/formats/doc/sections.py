"""Sections and page set-up: [MS-DOC] 2.6.4, 2.8.26 (PlcfSed) → w:sectPr, ECMA-376 part 1 §17.6."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.formats.doc import colours, markup, plc, sprms
from sanitizers.formats.doc.fib import Part, Streams
from sanitizers.formats.doc.numbering import number_format
from sanitizers.formats.doc.sprms import Properties, signed, unpack, unsigned
from sanitizers.model import Malformed

_NONE: Final = 0xFFFF_FFFF
_MOST: Final = 8192
_ITEM: Final = 12
_BREAKS: Final = ("continuous", "nextColumn", "nextPage", "evenPage", "oddPage")
_GRIDS: Final = ("", "linesAndChars", "lines", "snapToChars")
_ALIGNMENTS: Final = ("top", "center", "both", "bottom")
_RESTARTS: Final = ("continuous", "eachSect", "eachPage")
_LINE_NUMBERS: Final = ("newPage", "newSection", "continuous")
_FLOWS: Final = {1: "tbRl", 3: "btLr", 4: "lrTbV", 5: "tbRlV"}
_BORDERS: Final = (("top", 0x702B, 0xD234), ("left", 0x702C, 0xD235), ("bottom", 0x702D, 0xD236), ("right", 0x702E, 0xD237))
_LARGEST: Final = 31_680  # twips


class Section(NamedTuple):
    """`end`: the place behind its last character."""

    end: int
    properties: Properties
    grpprl: bytes


def read(streams: Streams) -> list[Section]:
    """Raises Malformed for sections whose looks leave the stream."""
    found = plc.read(streams.part(Part.SECTIONS), _ITEM)
    if len(found.items) > _MOST:
        raise Malformed("too many sections", code="doc.malformed")
    sections: list[Section] = []
    for end, item in zip(found.places[1:], found.items, strict=True):
        (at,) = struct.unpack_from("<I", item, 2)
        grpprl = b""
        if at != _NONE:
            (size,) = unpack("<H", streams.main, at) if at + 2 <= len(streams.main) else (-1,)
            if size < 0 or at + 2 + size > len(streams.main):
                raise Malformed("the look of a section leaves the stream", code="doc.malformed")
            grpprl = streams.main[at + 2 : at + 2 + size]
        sections.append(Section(end, sprms.merged(grpprl), grpprl))
    return sections


def write(section: Section, references: str) -> str:
    """w:sectPr; `references` to headers and footers."""
    said = section.properties
    flow = _FLOWS.get(unsigned(said.get(0x5033, b"\0")))
    lines = [
        references,
        _notes(said),
        _named("type", _BREAKS, said.get(0x3009, b"\2")),
        _page(said), _borders(said), _line_numbers(said), _page_numbers(said), _columns(section),
        '<w:formProt w:val="0"/>' if unsigned(said.get(0x3006, b"\0")) else "",
        _named("vAlign", _ALIGNMENTS, said.get(0x301A, b"\0")),
        "<w:titlePg/>" if unsigned(said.get(0x300A, b"\0")) else "",
        markup.value("textDirection", flow) if flow else "",
        "<w:bidi/>" if unsigned(said.get(0x3228, b"\0")) else "",
        _grid(said),
    ]  # fmt: skip
    return f"<w:sectPr>{''.join(lines)}</w:sectPr>"


def _named(name: str, names: tuple[str, ...], operand: bytes) -> str:
    number = unsigned(operand)
    return markup.value(name, names[number]) if number < len(names) and names[number] else ""


def _measure(said: Properties, number: int, default: int) -> int:
    """Within what pages can be; margins of lines may be negative."""
    operand = said.get(number)
    if operand is None:
        return default
    value = signed(operand)
    return value if -_LARGEST <= value <= _LARGEST else default


def _page(said: Properties) -> str:
    width, height = max(_measure(said, 0xB01F, 12_240), 144), max(_measure(said, 0xB020, 15_840), 144)
    turned = ' w:orient="landscape"' if unsigned(said.get(0x301D, b"\1")) == 2 else ""
    places = (("top", 0x9023, 1440), ("right", 0xB022, 1800), ("bottom", 0x9024, 1440), ("left", 0xB021, 1800), ("header", 0xB017, 720),
              ("footer", 0xB018, 720), ("gutter", 0xB025, 0))  # fmt: skip
    margins = "".join(f' w:{name}="{_measure(said, number, default)}"' for name, number, default in places)
    return f'<w:pgSz w:w="{width}" w:h="{height}"{turned}/><w:pgMar{margins}/>'


def _borders(said: Properties) -> str:
    lines = "".join(colours.border(name, said.get(later, said.get(older, b""))) for name, older, later in _BORDERS)
    if not lines:
        return ""
    flags = unsigned(said.get(0x522F, b"\0"))
    shown = ("allPages", "firstPage", "notFirstPage")[min(flags & 7, 2)]
    order = "back" if flags >> 3 & 3 == 1 else "front"
    start = "page" if flags >> 5 & 7 == 1 else "text"
    return f'<w:pgBorders w:zOrder="{order}" w:display="{shown}" w:offsetFrom="{start}">{lines}</w:pgBorders>'


def _line_numbers(said: Properties) -> str:
    step = unsigned(said.get(0x5015, b"\0"))
    if not step:
        return ""
    first = unsigned(said.get(0x501B, b"\0"))
    kind = min(unsigned(said.get(0x3013, b"\0")), 2)
    distance = max(_measure(said, 0x9016, 0), 0)
    return f'<w:lnNumType w:countBy="{step}" w:start="{first}" w:distance="{distance}" w:restart="{_LINE_NUMBERS[kind]}"/>'


def _page_numbers(said: Properties) -> str:
    form = number_format(unsigned(said.get(0x300E, b"\0")))
    first = unsigned(said.get(0x7044, said.get(0x501C, b"\0"))) if unsigned(said.get(0x3011, b"\0")) else None
    attributes = (f' w:fmt="{form}"' if form != "decimal" else "") + (f' w:start="{first}"' if first is not None else "")
    return f"<w:pgNumType{attributes}/>" if attributes else ""


def _columns(section: Section) -> str:
    said = section.properties
    count = min(unsigned(said.get(0x500B, b"\0")) + 1, 45)
    space = max(_measure(said, 0x900C, 720), 0)
    line = ' w:sep="1"' if unsigned(said.get(0x3019, b"\0")) else ""
    if count == 1 or unsigned(said.get(0x3005, b"\1")):
        return f'<w:cols{f" w:num={chr(34)}{count}{chr(34)}" if count > 1 else ""} w:space="{space}"{line}/>'
    widths, spaces = {}, {}
    for number, operand in sprms.read(section.grpprl):
        if number == 0xF203 and len(operand) == 3:
            widths[operand[0]] = unsigned(operand[1:])
        elif number == 0xF204 and len(operand) == 3:
            spaces[operand[0]] = unsigned(operand[1:])
    columns = "".join(f'<w:col w:w="{widths.get(n, 1440)}" w:space="{spaces.get(n, 0)}"/>' for n in range(count))
    return f'<w:cols w:num="{count}" w:space="{space}"{line} w:equalWidth="0">{columns}</w:cols>'


def _grid(said: Properties) -> str:
    kind = unsigned(said.get(0x5032, b"\0"))
    form = f' w:type="{_GRIDS[kind]}"' if 0 < kind < len(_GRIDS) else ""
    pitch = _measure(said, 0x9031, 0)
    space = signed(said.get(0x7030, b"\0"))
    line = f' w:linePitch="{pitch}"' if pitch > 0 else ""
    return f'<w:docGrid{form}{line}{f" w:charSpace={chr(34)}{space}{chr(34)}" if space else ""}/>' if form or line else ""


def _notes(said: Properties) -> str:
    """How footnotes and endnotes are counted."""
    lines = ""
    for name, form, first, restart in (("footnotePr", 0x5040, 0x503F, 0x303C), ("endnotePr", 0x5042, 0x5041, 0x303E)):
        inside = markup.value("numFmt", number_format(unsigned(said[form]))) if form in said else ""
        inside += markup.value("numStart", unsigned(said[first])) if first in said else ""
        kind = unsigned(said.get(restart, b"\xff"))
        inside += markup.value("numRestart", _RESTARTS[kind]) if kind < len(_RESTARTS) else ""
        lines += f"<w:{name}>{inside}</w:{name}>" if inside else ""
    return lines
