"""Data validation and conditional formats: [MS-XLS] 2.4.97, 2.4.56, 2.4.42, 2.5.85."""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.formats.xls import markup, strings, styles
from sanitizers.formats.xls.book import Workbook
from sanitizers.formats.xls.formulas import Lost, column
from sanitizers.formats.xls.records import Record
from sanitizers.model import Action, Malformed

DV, CONDFMT, CF = 0x1BE, 0x1B0, 0x1B1

_TYPES: Final = (None, "whole", "decimal", "list", "date", "time", "textLength", "custom")
_OPERATORS: Final = (None, "notBetween", "equal", "notEqual", "greaterThan", "lessThan", "greaterThanOrEqual", "lessThanOrEqual")
_COMPARISONS: Final = ("between", "notBetween", "equal", "notEqual", "greaterThan", "lessThan", "greaterThanOrEqual", "lessThanOrEqual")
_STYLES: Final = (None, "warning", "information")
_INPUT: Final = (
    None, "on", "off", "disabled", "hiragana", "fullKatakana", "halfKatakana", "fullAlpha", "halfAlpha", "fullHangul", "halfHangul",
)  # fmt: skip
_NUMBER, _FONT, _ALIGNMENT, _BORDER, _PATTERN, _PROTECTION = (1 << bit for bit in range(25, 31))
_MOST_AREAS: Final = 8192

Area = tuple[int, int, int, int]


class Conditions:
    """Collects the records of one sheet; what reaches out of the workbook is left out and said."""

    def __init__(self, book: Workbook, where: str) -> None:
        self._book = book
        self._where = where
        self._validations: list[str] = []
        self._formats: list[tuple[str, list[str]]] = []
        self._base = (0, 0)
        self._rules = 0

    def add(self, record: Record) -> None:
        """A CondFmt, CF, DVal or DV record."""
        if self._book.encoding is not None:
            return  # BIFF5 has none
        if record.kind == CONDFMT:
            self._areas_of(record)
        elif record.kind == CF:
            self._format(record)
        else:
            self._validation(record)

    def xml(self) -> str:
        """Conditional formats, then validations."""
        formats = "".join(
            f'<conditionalFormatting sqref="{areas}">{"".join(rules)}</conditionalFormatting>'
            for areas, rules in self._formats
            if areas and rules
        )
        if not self._validations:
            return formats
        return f'{formats}<dataValidations count="{len(self._validations)}">{"".join(self._validations)}</dataValidations>'

    def _areas_of(self, record: Record) -> None:
        spelled, self._base = _areas(record.data, 12)
        self._formats.append((spelled, []))

    def _format(self, record: Record) -> None:
        kind, operator, first, second = record.unpack("<BBHH")
        data = record.data
        start = len(data) - first - second
        if not self._formats or start < 12 or kind not in (1, 2) or (kind == 1 and not 1 <= operator <= len(_COMPARISONS)):
            return
        formulas = [
            self._formula(data[start : start + first], self._base),
            self._formula(data[start + first :], self._base) if second else "",
        ]
        if None in formulas or not formulas[0]:
            return
        self._rules += 1
        said = f'type="cellIs" operator="{_COMPARISONS[operator - 1]}"' if kind == 1 else 'type="expression"'
        said += f' priority="{self._rules}"'
        look = self._book.styles.add_differential(_look(data[6:start]))
        inside = "".join(f"<formula>{markup.content(formula)}</formula>" for formula in formulas if formula)
        self._formats[-1][1].append(f'<cfRule {said} dxfId="{look}">{inside}</cfRule>')

    def _validation(self, record: Record) -> None:
        (flags,) = record.unpack("<I")
        data = record.data
        at = 4
        texts: list[str] = []
        for _ in range(4):
            text, at = strings.long(data, at, None)
            texts.append("" if text == "\0" else text)
        pieces: list[bytes] = []
        for _ in range(2):
            (size,) = struct.unpack_from("<H", data.ljust(at + 4, b"\0"), at)
            pieces.append(data[at + 4 : at + 4 + size])
            at += 4 + size
        areas, base = _areas(data, at)
        formulas = [self._formula(piece, base) if piece else "" for piece in pieces]
        if None in formulas or not areas:
            return
        if flags & 0x80 and formulas[0]:
            formulas[0] = formulas[0].replace("\0", ",")
        said = _validation_attributes(flags, texts)
        inside = "".join(f"<formula{n}>{markup.content(formula)}</formula{n}>" for n, formula in enumerate(formulas, 1) if formula)
        self._validations.append(f'<dataValidation{said} sqref="{areas}">{inside}</dataValidation>')

    def _formula(self, tokens: bytes, base: tuple[int, int]) -> str | None:
        try:
            return self._book.text(tokens, b"", base)
        except Lost as lost:
            self._book.context.found(lost.code, self._where, Action.REMOVED, lost.detail)
            return None


def _validation_attributes(flags: int, texts: list[str]) -> str:
    named = {
        "type": _pick(_TYPES, flags & 15), "errorStyle": _pick(_STYLES, flags >> 4 & 7), "imeMode": _pick(_INPUT, flags >> 10 & 0xFF),
        "operator": _pick(_OPERATORS, flags >> 20 & 15),
    }  # fmt: skip
    said = "".join(f' {name}="{value}"' for name, value in named.items() if value)
    marks = {"allowBlank": 0x100, "showDropDown": 0x200, "showInputMessage": 1 << 18, "showErrorMessage": 1 << 19}
    said += "".join(f' {name}="1"' for name, bit in marks.items() if flags & bit)
    names = ("promptTitle", "errorTitle", "prompt", "error")
    longest = (32, 32, 255, 255)
    said += "".join(
        f" {name}={markup.attribute(text[:most])}" for name, text, most in sorted(zip(names, texts, longest, strict=True)) if text
    )
    return said


def _look(data: bytes) -> str:
    """DXFN: of number format, font, alignment, border, pattern and protection, those that the flags name, one behind the other."""
    flags, at = struct.unpack_from("<I", data)[0], 6
    number = 2 if flags & _NUMBER else 0
    if flags & _NUMBER and struct.unpack_from("<H", data, 4)[0] & 1:
        number = int.from_bytes(data[at : at + 2], "little")  # a format of its own, of that many bytes
    at += number
    pieces: dict[str, str] = {}
    for flag, size, made in (
        (_FONT, 118, _font),
        (_ALIGNMENT, 8, None),
        (_BORDER, 8, _border),
        (_PATTERN, 4, _pattern),
        (_PROTECTION, 2, None),
    ):
        if flags & flag and at + size <= len(data):
            if made is not None:
                pieces[made.__name__] = made(data[at : at + size], flags)
            at += size
    return "".join(pieces.get(name, "") for name in ("_font", "_pattern", "_border"))


def _font(data: bytes, _: int) -> str:
    options, weight = struct.unpack_from("<IH", data, 68)
    (underline,) = struct.unpack_from("<B", data, 76)
    (colour,) = struct.unpack_from("<I", data, 80)
    (same_style,) = struct.unpack_from("<I", data, 88)
    same_underline, same_weight = struct.unpack_from("<II", data, 96)
    said = f'<b val="{int(weight > 500)}"/>' if not same_weight and weight in range(100, 1001) else ""
    said += f'<i val="{options >> 1 & 1}"/>' if not same_style & 2 else ""
    said += f'<strike val="{options >> 7 & 1}"/>' if not same_style & 0x80 else ""
    said += styles.colour("color", colour) if colour < 0x40 else ""
    said += "<u/>" if not same_underline and underline == 1 else ""
    return f"<font>{said}</font>" if said else ""


def _pattern(data: bytes, flags: int) -> str:
    (packed,) = struct.unpack("<I", data)
    pattern = styles.pattern(packed >> 10 & 63) if not flags & 1 << 16 else None
    front = styles.colour("fgColor", packed >> 16 & 127) if not flags & 1 << 17 else ""
    back = styles.colour("bgColor", packed >> 23 & 127) if not flags & 1 << 18 else ""
    kind = f' patternType="{pattern}"' if pattern else ""
    return f"<fill><patternFill{kind}>{front}{back}</patternFill></fill>"


def _border(data: bytes, flags: int) -> str:
    first, second = struct.unpack("<II", data)
    kinds = (first & 15, first >> 4 & 15, first >> 8 & 15, first >> 12 & 15)
    shades = (first >> 16 & 127, first >> 23 & 127, second & 127, second >> 7 & 127)
    sides = zip(("left", "right", "top", "bottom"), range(10, 14), kinds, shades, strict=True)
    inside = "".join(styles.line(name, styles.border_style(kind), shade) for name, bit, kind, shade in sides if not flags & 1 << bit)
    return f"<border>{inside}</border>" if inside else ""


def _areas(data: bytes, at: int) -> tuple[str, tuple[int, int]]:
    """The cells that something holds for, and the first of them, from which relative places count."""
    if at + 2 > len(data):
        raise Malformed("areas are cut off", code="xls.malformed")
    count = min(struct.unpack_from("<H", data, at)[0], _MOST_AREAS, (len(data) - at - 2) // 8)
    found = list(struct.iter_unpack("<HHHH", data[at + 2 : at + 2 + 8 * count]))
    fits = [area for area in found if area[0] <= area[1] and area[2] <= area[3] <= 255]
    return " ".join(map(spelled, fits)), (fits[0][0], fits[0][2]) if fits else (0, 0)


def spelled(area: Area) -> str:
    """`A1` or `A1:B2`."""
    first, last, left, right = area
    start = f"{column(left)}{first + 1}"
    return start if (first, left) == (last, right) else f"{start}:{column(right)}{last + 1}"


def _pick(names: tuple[str | None, ...], index: int) -> str | None:
    return names[index] if index < len(names) else None
