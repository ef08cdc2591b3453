"""How a worksheet looks and prints: columns, view, page. [MS-XLS] 2.4.53, 2.4.346, 2.4.257, 2.4.351; ECMA-376 part 1 §18.3.1."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import ClassVar, Final

from sanitizers.formats.xls import markup, strings
from sanitizers.formats.xls.book import Workbook
from sanitizers.formats.xls.formulas import column
from sanitizers.formats.xls.records import Record

COLINFO, DEFCOLWIDTH, STANDARDWIDTH, DEFAULTROWHEIGHT, GUTS, WSBOOL = 0x7D, 0x55, 0x99, 0x225, 0x80, 0x81
WINDOW2, PANE, SCL, SELECTION, SHEETEXT = 0x23E, 0x41, 0xA0, 0x1D, 0x862
LEFT, RIGHT, TOP, BOTTOM, SETUP, HEADER, FOOTER = 0x26, 0x27, 0x28, 0x29, 0xA1, 0x14, 0x15
HCENTER, VCENTER, PRINT_GRID, PRINT_HEADERS, ROW_BREAKS, COLUMN_BREAKS = 0x83, 0x84, 0x2B, 0x2A, 0x1B, 0x1A
PROTECT, SCENARIO_PROTECT, OBJECT_PROTECT, PASSWORD = 0x12, 0xDD, 0x63, 0x13

_SIDES: Final = {LEFT: "left", RIGHT: "right", TOP: "top", BOTTOM: "bottom"}
_SWITCHES: Final = {HCENTER: "horizontalCentered", VCENTER: "verticalCentered", PRINT_GRID: "gridLines", PRINT_HEADERS: "headings"}
_MARGINS: Final = {"left": 0.75, "right": 0.75, "top": 1.0, "bottom": 1.0, "header": 0.5, "footer": 0.5}
_WIDEST: Final = 255
_PIXELS: Final = 7  # of a digit in the usual font
_PANES: Final = {0: "bottomRight", 1: "topRight", 2: "bottomLeft", 3: "topLeft"}
_MOST_BREAKS: Final = 1026
_GRID, _HEADINGS, _ZEROS, _FROZEN, _LINES, _RIGHT_TO_LEFT, _SELECTED, _PAGES = 0x02, 0x04, 0x10, 0x08, 0x01, 0x40, 0x200, 0x800


class Layout:
    """Collects the records; the methods in the order of a worksheet's elements write them."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._columns: list[str] = []
        self._widest_level = 0
        self._width = 0
        self._format = ' defaultRowHeight="13.5"'
        self._standard = 0
        self.widths: dict[int, float] = {}  # of columns, in pixels
        self.height = 13.5  # of rows, in points
        self._bools = 0x04C1
        self._tab = ""
        self._view: tuple[int, int, int, int] = (_GRID | _HEADINGS | _ZEROS, 0, 0, 0)  # flags, first row, first column, grid colour
        self._pane = ""
        self._zoom = ""
        self._selections: list[str] = []
        self._margins = dict(_MARGINS)
        self._setup = ""
        self._texts: dict[str, str] = {}
        self._switches: list[str] = []
        self._breaks: dict[str, str] = {}
        self._locks: dict[int, int] = {}

    @property
    def width(self) -> float:
        """Of columns of which nothing is said, in pixels."""
        return round(self._standard / 256 * _PIXELS) if self._standard else (self._width or 8) * _PIXELS + 8

    def add(self, record: Record) -> None:
        self.READERS[record.kind](self, record)

    def properties(self) -> str:
        """`sheetPr`, empty where nothing differs from what holds anyway."""
        fit = '<pageSetUpPr fitToPage="1"/>' if self._bools & 0x100 else ""
        below, right = self._bools & 0x40, self._bools & 0x80
        sides = ("" if below else ' summaryBelow="0"') + ("" if right else ' summaryRight="0"')
        outline = f"<outlinePr{sides}/>" if sides else ""
        inside = f"{self._tab}{outline}{fit}"
        return f"<sheetPr>{inside}</sheetPr>" if inside else ""

    def view(self, *, active: bool) -> str:
        """`sheetViews` with its one view."""
        flags, top, left, _ = self._view
        said = "".join(
            f' {name}="0"'
            for name, bit in (("showGridLines", _GRID), ("showRowColHeaders", _HEADINGS), ("showZeros", _ZEROS))
            if not flags & bit
        )
        said += "".join(f' {name}="1"' for name, bit in (("showFormulas", _LINES), ("rightToLeft", _RIGHT_TO_LEFT)) if flags & bit)
        said += ' tabSelected="1"' if active else ""
        said += ' view="pageBreakPreview"' if flags & _PAGES else ""
        said += f' topLeftCell="{column(left & 0xFF)}{top + 1}"' if top or left else ""
        pane = self._pane.replace("@", "frozen" if flags & _FROZEN else "split")
        return f'<sheetViews><sheetView{said}{self._zoom} workbookViewId="0">{pane}{"".join(self._selections[:4])}</sheetView></sheetViews>'

    def columns(self, deepest: int) -> str:
        """`deepest`: level of the outline of rows."""
        width = (
            f' defaultColWidth="{self._standard / 256:.8g}"' if self._standard else f' baseColWidth="{self._width}"' if self._width else ""
        )
        levels = f' outlineLevelRow="{deepest}"' if deepest else ""
        levels += f' outlineLevelCol="{self._widest_level}"' if self._widest_level else ""
        made = f"<sheetFormatPr{width}{self._format}{levels}/>"
        return made + (f"<cols>{''.join(self._columns)}</cols>" if self._columns else "")

    def protection(self) -> str:
        """`sheetProtection`; empty if the sheet is not protected."""
        if not self._locks.get(PROTECT):
            return ""
        hash_of = self._locks.get(PASSWORD, 0)
        said = f' password="{hash_of:04X}"' if hash_of else ""
        said += ' objects="1"' if self._locks.get(OBJECT_PROTECT) else ""
        said += ' scenarios="1"' if self._locks.get(SCENARIO_PROTECT) else ""
        return f'<sheetProtection{said} sheet="1"/>'

    def page(self) -> str:
        """All of how the sheet is printed, in the order of the schema."""
        options = "".join(f' {name}="1"' for name in self._switches)
        margins = " ".join(f'{name}="{value:.8g}"' for name, value in self._margins.items())
        texts = "".join(markup.element(tag, text) for tag, text in sorted(self._texts.items(), reverse=True))
        return (
            (f"<printOptions{options}/>" if options else "")
            + f"<pageMargins {margins}/>{self._setup}"
            + (f"<headerFooter>{texts}</headerFooter>" if texts else "")
            + self._breaks.get("rowBreaks", "") + self._breaks.get("colBreaks", "")
        )  # fmt: skip

    # reading

    def _column(self, record: Record) -> None:
        first, last, width, style, flags = record.unpack("<5H")
        last = min(last, 255)
        if first > last:
            return
        said = f' width="{min(width / 256, _WIDEST):.8g}" customWidth="1"'
        said += f' style="{number}"' if (number := self._book.styles.index(style)) else ""
        said += ' hidden="1"' if flags & 1 else ""
        self.widths.update(dict.fromkeys(range(first, last + 1), 0 if flags & 1 else round(width / 256 * _PIXELS)))
        level = flags >> 8 & 7
        self._widest_level = max(self._widest_level, level)
        said += f' outlineLevel="{level}"' if level else ""
        said += ' collapsed="1"' if flags & 0x1000 else ""
        if not self._columns or int(self._columns[-1].split('max="')[1].split('"')[0]) <= first:
            self._columns.append(f'<col min="{first + 1}" max="{last + 1}"{said}/>')

    def _default_width(self, record: Record) -> None:
        self._width = min(record.unpack("<H")[0], _WIDEST)

    def _standard_width(self, record: Record) -> None:
        self._standard = min(record.unpack("<H")[0], _WIDEST * 256)

    def _row_height(self, record: Record) -> None:
        flags, height = record.unpack("<HH")
        self.height = (height & 0x7FFF) / 20
        own = ' customHeight="1"' if flags & 1 else ""
        self._format = f' defaultRowHeight="{(height & 0x7FFF) / 20:g}"{own}' + (' zeroHeight="1"' if flags & 2 else "")

    def _bool(self, record: Record) -> None:
        self._bools = record.unpack("<H")[0]

    def _tab_colour(self, record: Record) -> None:
        colour = record.unpack("<I", 16)[0] & 0x7F
        self._tab = f'<tabColor indexed="{colour}"/>' if 8 <= colour < 64 else ""

    def _window(self, record: Record) -> None:
        flags, top, left, colour = record.unpack("<HHHH")
        self._view = (flags, top, left, colour)

    def _panes(self, record: Record) -> None:
        across, down, top, left, active = record.unpack("<HHHHB")
        split = (f' xSplit="{across}"' if across else "") + (f' ySplit="{down}"' if down else "")
        if split and left < 256:
            self._pane = f'<pane{split} topLeftCell="{column(left)}{top + 1}" activePane="{_PANES.get(active, "topLeft")}" state="@"/>'

    def _scale(self, record: Record) -> None:
        over, under = record.unpack("<HH")
        if under and 10 <= 100 * over // under <= 400:
            self._zoom = f' zoomScale="{100 * over // under}" zoomScaleNormal="{100 * over // under}"'

    def _selection(self, record: Record) -> None:
        pane, row, col = record.unpack("<BHH")
        if col < 256 and pane in _PANES:
            which = "" if pane == 3 else f' pane="{_PANES[pane]}"'
            at = f"{column(col)}{row + 1}"
            if self._pane or not which:
                self._selections.append(f'<selection{which} activeCell="{at}" sqref="{at}"/>')

    def _margin(self, record: Record) -> None:
        self._margins[_SIDES[record.kind]] = _inches(record, 0)

    def _page_setup(self, record: Record) -> None:
        paper, scale, start, wide, high, flags = record.unpack("<6H")
        self._margins["header"], self._margins["footer"] = _inches(record, 16), _inches(record, 24)
        said = ' pageOrder="overThenDown"' if flags & 1 else ""
        said += f' useFirstPageNumber="1" firstPageNumber="{start}"' if flags & 0x80 else ""
        said += ' blackAndWhite="1"' if flags & 8 else ""
        if not flags & 4:  # else a printer that we do not know says the rest
            said += f' paperSize="{paper}"' if 0 < paper < 120 else ""
            said += f' scale="{scale}"' if 10 <= scale <= 400 else ""
            said += "" if flags & 0x40 else f' orientation="{"portrait" if flags & 2 else "landscape"}"'
        said += f' fitToWidth="{wide}" fitToHeight="{high}"' if self._bools & 0x100 else ""
        self._setup = f"<pageSetup{said}/>" if said else ""

    def _header_text(self, record: Record) -> None:
        if record.data:
            text, _ = (
                strings.long(record.data, 0, None) if self._book.encoding is None else strings.short(record.data, 0, self._book.encoding)
            )
            if text:
                self._texts["oddHeader" if record.kind == HEADER else "oddFooter"] = text[:255]

    def _switch(self, record: Record) -> None:
        if record.unpack("<H")[0] == 1 and _SWITCHES[record.kind] not in self._switches:
            self._switches.append(_SWITCHES[record.kind])

    def _break(self, record: Record) -> None:
        tag, most = ("rowBreaks", 255) if record.kind == ROW_BREAKS else ("colBreaks", 65535)
        (count,) = record.unpack("<H")
        data, width = record.data, 6 if self._book.encoding is None else 2
        ids = sorted(
            {
                struct.unpack_from("<H", data, 2 + width * n)[0]
                for n in range(min(count, _MOST_BREAKS, (len(data) - 2) // width))
            }
            - {0}
        )
        inside = "".join(f'<brk id="{number}" max="{most}" man="1"/>' for number in ids)
        self._breaks[tag] = f'<{tag} count="{len(ids)}" manualBreakCount="{len(ids)}">{inside}</{tag}>' if ids else ""

    def _lock(self, record: Record) -> None:
        self._locks[record.kind] = record.unpack("<H")[0]

    READERS: ClassVar[dict[int, Callable[[Layout, Record], None]]] = {
        COLINFO: _column,
        DEFCOLWIDTH: _default_width,
        STANDARDWIDTH: _standard_width,
        DEFAULTROWHEIGHT: _row_height,
        WSBOOL: _bool,
        SHEETEXT: _tab_colour,
        WINDOW2: _window,
        PANE: _panes,
        SCL: _scale,
        SELECTION: _selection,
        **dict.fromkeys(_SIDES, _margin),
        SETUP: _page_setup,
        HEADER: _header_text,
        FOOTER: _header_text,
        **dict.fromkeys(_SWITCHES, _switch),
        ROW_BREAKS: _break,
        COLUMN_BREAKS: _break,
        **dict.fromkeys((PROTECT, SCENARIO_PROTECT, OBJECT_PROTECT, PASSWORD), _lock),
    }


def _inches(record: Record, offset: int) -> float:
    value: float = record.unpack("<d", offset)[0]
    return value if 0 <= value < 49 else 0.5


RECORDS: Final = frozenset(Layout.READERS)
