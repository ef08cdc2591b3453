"""Colours, shading and borders: [MS-DOC] 2.9.16, 2.9.17, 2.9.43, 2.9.119, 2.9.248, 2.9.249."""

from __future__ import annotations

import struct
from typing import Final

_PALETTE: Final = (
    "auto", "000000", "0000FF", "00FFFF", "00FF00", "FF00FF", "FF0000", "FFFF00", "FFFFFF", "000080", "008080", "008000", "800080",
    "800000", "808000", "808080", "C0C0C0",
)  # fmt: skip
HIGHLIGHTS: Final = (
    "none", "black", "blue", "cyan", "green", "magenta", "red", "yellow", "white", "darkBlue", "darkCyan", "darkGreen", "darkMagenta",
    "darkRed", "darkYellow", "darkGray", "lightGray",
)  # fmt: skip
_PATTERNS: Final = (
    "clear", "solid", "pct5", "pct10", "pct20", "pct25", "pct30", "pct40", "pct50", "pct60", "pct70", "pct75", "pct80", "pct90",
    "horzStripe", "vertStripe", "reverseDiagStripe", "diagStripe", "horzCross", "diagCross", "thinHorzStripe", "thinVertStripe",
    "thinReverseDiagStripe", "thinDiagStripe", "thinHorzCross", "thinDiagCross",
)  # fmt: skip
_MORE_PATTERNS: Final = {
    35: "pct5", 36: "pct5", 37: "pct12", 38: "pct15", 39: "pct15", 40: "pct15", 41: "pct20", 42: "pct20", 43: "pct35", 44: "pct30",
    45: "pct35", 46: "pct35", 47: "pct37", 48: "pct40", 49: "pct45", 50: "pct45", 51: "pct45", 52: "pct50", 53: "pct55", 54: "pct55",
    55: "pct60", 56: "pct60", 57: "pct62", 58: "pct65", 59: "pct65", 60: "pct65", 61: "pct70", 62: "pct70",
}  # fmt: skip
_LINES: Final = {
    1: "single", 2: "thick", 3: "double", 5: "single", 6: "dotted", 7: "dashed", 8: "dotDash", 9: "dotDotDash", 10: "triple",
    11: "thinThickSmallGap", 12: "thickThinSmallGap", 13: "thinThickThinSmallGap", 14: "thinThickMediumGap", 15: "thickThinMediumGap",
    16: "thinThickThinMediumGap", 17: "thinThickLargeGap", 18: "thickThinLargeGap", 19: "thinThickThinLargeGap", 20: "wave",
    21: "doubleWave", 22: "dashSmallGap", 23: "dashDotStroked", 24: "threeDEmboss", 25: "threeDEngrave", 26: "outset", 27: "inset",
}  # fmt: skip
_NOTHING: Final = (b"\xff\xff\xff\xff", b"\0\0\0\0\xff\xff\xff\xff", b"\xff" * 8)


def indexed(number: int) -> str:
    return _PALETTE[number] if number < len(_PALETTE) else "auto"


def colour(reference: bytes) -> str:
    """Of a COLORREF; `auto` where its fourth byte says so."""
    return "auto" if reference[3:4] == b"\xff" else reference[:3].hex().upper()


def is_none(operand: bytes) -> bool:
    """A border that says that there is none."""
    return len(operand) in (4, 8) and operand[1 if len(operand) == 4 else 5] == 0


def border(name: str, operand: bytes) -> str:
    """An element for a border of four or eight bytes; empty for one that says nothing."""
    if operand in _NOTHING:
        return ""
    if len(operand) == 8:
        drawn, (width, kind, more) = colour(operand), struct.unpack_from("<BBH", operand, 4)
    elif len(operand) == 4:
        width, kind, number, more = operand
        drawn = indexed(number)
    else:
        return ""
    if kind == 0 or (kind not in _LINES and kind < 64):
        return f'<w:{name} w:val="none"/>'
    shadow = ' w:shadow="1"' if more & 0x20 else ""
    line = _LINES.get(kind, "single")
    return f'<w:{name} w:val="{line}" w:sz="{min(max(width, 2), 96)}" w:space="{more & 0x1F}" w:color="{drawn}"{shadow}/>'


def shading(operand: bytes) -> str:
    """The attributes of w:shd for an SHD80 of two bytes or an SHD of ten; empty for one that says nothing."""
    if len(operand) == 2:
        said = int.from_bytes(operand, "little")
        if said == 0xFFFF:
            return ""
        front, back, pattern = indexed(said & 0x1F), indexed(said >> 5 & 0x1F), said >> 10
    elif len(operand) == 10:
        front, back, pattern = colour(operand[:4]), colour(operand[4:8]), int.from_bytes(operand[8:], "little")
    else:
        return ""
    if pattern == 0xFFFF:
        return ""
    name = _PATTERNS[pattern] if pattern < len(_PATTERNS) else _MORE_PATTERNS.get(pattern, "clear")
    return f'w:val="{name}" w:color="{front}" w:fill="{back}"'
