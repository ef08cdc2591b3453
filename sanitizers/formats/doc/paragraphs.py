"""The look of paragraphs: [MS-DOC] 2.6.2 → w:pPr, ECMA-376 part 1 §17.3.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sanitizers.formats.doc import colours, markup
from sanitizers.formats.doc.sprms import Properties, read, signed, unpack, unsigned

BETWEEN: Final = (0x6428, 0xC652)
STYLE, LEVEL, LIST, IN_TABLE, ROW_END, DEPTH, INNER_CELL, INNER_ROW_END = 0x4600, 0x260A, 0x460B, 0x2416, 0x2417, 0x6649, 0x244B, 0x244C
_TABS: Final = frozenset({0xC60D, 0xC615})
_ALIGNMENTS: Final = (
    "left", "center", "right", "both", "distribute", "mediumKashida", "", "highKashida", "lowKashida", "thaiDistribute",
)  # fmt: skip
_ON_LINE: Final = ("top", "center", "baseline", "bottom", "auto")
_BORDERS: Final = (("top", 0x6424, 0xC64E), ("left", 0x6425, 0xC64F), ("bottom", 0x6426, 0xC650), ("right", 0x6427, 0xC651),
                   ("between", 0x6428, 0xC652), ("bar", 0x6629, 0xC653))  # fmt: skip
_KINDS_OF_TABS: Final = ("left", "center", "right", "decimal", "bar", "left", "num")
_LEADERS: Final = ("", "dot", "hyphen", "underscore", "heavy", "middleDot")
_FLOW: Final = {0: "lrTb", 1: "tbRl", 3: "btLr", 4: "lrTbV", 5: "tbRlV"}
_NO_LEVEL: Final = 9
_WRAPS: Final = {1: "notBeside", 2: "around", 3: "none", 4: "tight", 5: "through"}

Relations = Callable[[int, int], str]


def write(properties: Properties, grpprl: bytes, style: str, numbering: Relations, *, between: bool = True) -> str:
    """What stands inside of w:pPr, without the look of the mark. `numbering`: (index of the list, level) → w:numPr.

    `between`: the style may have a line between paragraphs, so that it says something to have none.
    """
    said = properties.get
    lines = [
        markup.value("pStyle", style) if style else "",
        _switch("keepNext", said(0x2406)), _switch("keepLines", said(0x2405)), _switch("pageBreakBefore", said(0x2407)),
        _frame(properties),
        _switch("widowControl", said(0x2431)),
        _number(properties, numbering),
        _switch("suppressLineNumbers", said(0x240C)),
        _borders(properties, between=between), _shade(properties), _tabs(grpprl),
        _switch("suppressAutoHyphens", said(0x242A)), _switch("kinsoku", said(0x2433)), _switch("wordWrap", said(0x2434)),
        _switch("overflowPunct", said(0x2435)), _switch("topLinePunct", said(0x2436)), _switch("autoSpaceDE", said(0x2437)),
        _switch("autoSpaceDN", said(0x2438)), _switch("bidi", said(0x2441)), _switch("adjustRightInd", said(0x2448)),
        _switch("snapToGrid", said(0x2447)),
        _spacing(properties), _indents(properties),
        _switch("contextualSpacing", said(0x246D)), _switch("mirrorIndents", said(0x2470)),
        _named("jc", _ALIGNMENTS, said(0x2461, said(0x2403))),
        _named("textAlignment", _ON_LINE, said(0x4439)),
        _outline(said(0x2640)),
    ]  # fmt: skip
    return "".join(lines)


def _switch(name: str, operand: bytes | None) -> str:
    return "" if operand is None else markup.switch(name, on=unsigned(operand) != 0)


def _named(name: str, names: tuple[str, ...], operand: bytes | None) -> str:
    number = len(names) if operand is None else unsigned(operand)
    return markup.value(name, names[number]) if number < len(names) and names[number] else ""


def _outline(operand: bytes | None) -> str:
    return markup.value("outlineLvl", unsigned(operand)) if operand is not None and unsigned(operand) <= _NO_LEVEL else ""


def _number(properties: Properties, numbering: Relations) -> str:
    if LIST not in properties:
        return ""
    return numbering(unsigned(properties[LIST]), min(unsigned(properties.get(LEVEL, b"\0")), 8))


def _borders(properties: Properties, *, between: bool) -> str:
    found = [(name, properties.get(later, properties.get(older, b""))) for name, older, later in _BORDERS]
    lines = "".join(colours.border(name, said) for name, said in found if between or name != "between" or not colours.is_none(said))
    return f"<w:pBdr>{lines}</w:pBdr>" if lines else ""


def _shade(properties: Properties) -> str:
    said = colours.shading(properties.get(0xC64D, properties.get(0x442D, b"")))
    return f"<w:shd {said}/>" if said else ""


def _tabs(grpprl: bytes) -> str:
    """All of them in order: a later change adds to an earlier one."""
    places: dict[int, str] = {}
    for number, operand in read(grpprl):
        if number in _TABS and operand:
            _change_tabs(operand, number == 0xC615, places)
    lines = "".join(f'<w:tab {said} w:pos="{place}"/>' for place, said in sorted(places.items()))
    return f"<w:tabs>{lines}</w:tabs>" if lines else ""


def _change_tabs(operand: bytes, close: bool, places: dict[int, str]) -> None:
    count = operand[0]
    for place in unpack(f"<{count}h", operand, 1):
        places[place] = 'w:val="clear"'
    at = 1 + (4 if close else 2) * count
    if at >= len(operand):
        return
    added = operand[at]
    stops = unpack(f"<{added}h{added}B", operand, at + 1)
    for place, said in zip(stops[:added], stops[added:], strict=True):
        kind, leader = said & 0x07, said >> 3 & 0x07
        leading = f' w:leader="{_LEADERS[leader]}"' if 0 < leader < len(_LEADERS) else ""
        places[place] = f'w:val="{_KINDS_OF_TABS[kind] if kind < len(_KINDS_OF_TABS) else "left"}"{leading}'


def _spacing(properties: Properties) -> str:
    said: list[str] = []
    for name, points, lines, auto in (("before", 0xA413, 0x4458, 0x245B), ("after", 0xA414, 0x4459, 0x245C)):
        if points in properties:
            said.append(f' w:{name}="{unsigned(properties[points])}"')
        if lines in properties:
            said.append(f' w:{name}Lines="{max(signed(properties[lines]), 0)}"')
        if auto in properties:
            said.append(f' w:{name}Autospacing="{int(unsigned(properties[auto]) != 0)}"')
    if 0x6412 in properties:
        height, multiple = unpack("<hh", properties[0x6412])
        rule = "auto" if multiple or not height else "exact" if height < 0 else "atLeast"
        said.append(f' w:line="{abs(height) or 240}" w:lineRule="{rule}"')
    return f"<w:spacing{''.join(said)}/>" if said else ""


def _indents(properties: Properties) -> str:
    said: list[str] = []
    for name, older, later, letters in (("left", 0x840F, 0x845E, 0x4456), ("right", 0x840E, 0x845D, 0x4455)):
        measure = properties.get(later, properties.get(older))
        if measure is not None:
            said.append(f' w:{name}="{signed(measure)}"')
        if letters in properties:
            said.append(f' w:{name}Chars="{signed(properties[letters])}"')
    first = properties.get(0x8460, properties.get(0x8411))
    for operand, ending in ((first, ""), (properties.get(0x4457), "Chars")):
        if operand is not None:
            measure_ = signed(operand)
            said.append(f' w:{"hanging" if measure_ < 0 else "firstLine"}{ending}="{abs(measure_)}"')
    return f"<w:ind{''.join(said)}/>" if said else ""


def _frame(properties: Properties) -> str:
    """Text that stands in a frame of its own: [MS-DOC] 2.6.2, sprmPDxaAbs to sprmPDcs."""
    if not {0x841A, 0x261B, 0x8418, 0x8419, 0x442C} & properties.keys():
        return ""
    said = [f' w:w="{signed(properties[0x841A])}"' if 0x841A in properties and signed(properties[0x841A]) > 0 else ""]
    height = unsigned(properties.get(0x442B, b"\0"))
    if height & 0x7FFF:
        said.append(f' w:h="{height & 0x7FFF}" w:hRule="{"atLeast" if height & 0x8000 else "exact"}"')
    place = unsigned(properties.get(0x261B, b"\0"))
    drop = unsigned(properties.get(0x442C, b"\0"))
    if drop & 0x07 in (1, 2):
        said.append(f' w:dropCap="{("drop", "margin")[(drop & 0x07) - 1]}" w:lines="{min(max(drop >> 3, 1), 10)}"')
    said.append(f' w:hSpace="{signed(properties[0x842F])}"' if 0x842F in properties else "")
    said.append(f' w:vSpace="{signed(properties[0x842E])}"' if 0x842E in properties else "")
    wrap = _WRAPS.get(unsigned(properties.get(0x2423, b"\0")))
    said.append(f' w:wrap="{wrap}"' if wrap else "")
    vertical = ("margin", "page", "text", "text")[place >> 4 & 0x03]
    horizontal = ("text", "margin", "page", "text")[place >> 6 & 0x03]
    said.append(f' w:vAnchor="{vertical}" w:hAnchor="{horizontal}"')
    said.append(_place("x", properties.get(0x8418), {0: "left", -4: "center", -8: "right", -12: "inside", -16: "outside"}))
    said.append(_place("y", properties.get(0x8419), {0: "inline", -4: "top", -8: "center", -12: "bottom", -16: "inside", -20: "outside"}))
    return f"<w:framePr{''.join(said)}/>"


def _place(axis: str, operand: bytes | None, names: dict[int, str]) -> str:
    if operand is None:
        return ""
    place = signed(operand)
    return f' w:{axis}Align="{names[place]}"' if place in names else f' w:{axis}="{place}"'
