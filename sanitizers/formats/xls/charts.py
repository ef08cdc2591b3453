"""Charts inside of worksheets: their kind, their series as references into this workbook, titles, axes and legend. [MS-XLS] 2.2.3.

A chart is drawn anew from what it shows; its colours and fonts are those of the reader. What cannot be said as bars, lines, areas, a pie,
a radar or a scatter of this workbook's cells is left behind. → c:chartSpace, ECMA-376 part 1 §21.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Final

from sanitizers.formats.xls import markup, strings
from sanitizers.formats.xls.book import Workbook
from sanitizers.formats.xls.formulas import Lost
from sanitizers.formats.xls.records import Record

_BEGIN, _END = 0x1033, 0x1034
_TEXT, _FORMAT, _SERIES = 0x1025, 0x1014, 0x1003
_BAR, _LINE, _PIE, _AREA, _SCATTER, _RADAR, _FILLED_RADAR = 0x1017, 0x1018, 0x1019, 0x101A, 0x101B, 0x103E, 0x1040
_LOOK, _AREA_LOOK, _LINE_LOOK, _EVERY_POINT = 0x1006, 0x100A, 0x1007, 0xFFFF
_NAME, _VALUES, _CATEGORIES = 0, 1, 2
_REFERENCE: Final = 2
_TITLE, _VALUE_AXIS, _CATEGORY_AXIS = 1, 2, 3
_LEGENDS: Final = {0: "b", 1: "tr", 2: "t", 3: "r", 4: "l"}
_MOST_SERIES: Final = 255
_DEEPEST: Final = 64
_MAIN: Final = "http://schemas.openxmlformats.org/drawingml/2006/"
# What Excel 97 gives to series that have no colour of their own: to areas, to lines.
_FILLS: Final = ("9999FF", "993366", "FFFFCC", "CCFFFF", "660066", "FF8080", "0066CC", "CCCCFF")
_LINES: Final = ("000080", "FF00FF", "FFCC00", "00CCFF", "800080", "800000", "008080", "0000FF")
_POINTS: Final = 24  # of a pie that get a colour
_AXES: Final = (1001, 1002)  # their identities: categories, values


@dataclass(slots=True)
class _Series:
    """`said`: references by what they are for; `name`: as text; `fill`, `line`: colours of its own; `group`: of the formats."""

    said: dict[int, str] = field(default_factory=dict)
    name: str = ""
    fill: str = ""
    line: str = ""
    group: int = 0
    kept: bool = True


@dataclass(slots=True)
class _Group:
    """Series of one kind. `flags`: as the record of the kind has them; `hole`: of a doughnut, in hundredths."""

    kind: int = 0
    flags: int = 0
    hole: int = 0
    gap: int = 150
    varied: bool = False


class Chart:
    """Collects the records of one chart; `xml()` is its part, or empty."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._open: list[int] = []  # records whose blocks are open
        self._last = 0
        self._series: list[_Series] = []
        self._groups: dict[int, _Group] = {}
        self._group = _Group()
        self._whole = False  # what is said about looks holds for the whole series
        self._text = ""
        self._titles: dict[int, str] = {}
        self._legend = ""
        self.lost = ""  # the code of the finding on a series that leads out of the workbook

    def add(self, record: Record) -> None:
        """One more record of the chart's stream."""
        if record.kind == _BEGIN:
            self._open.append(self._last)
            if len(self._open) > _DEEPEST:
                self._series = []
        elif record.kind == _END:
            if self._open:
                self._open.pop()
        elif reader := self.READERS.get(record.kind):
            reader(self, record)
        self._last = record.kind

    def _inside(self, kind: int) -> bool:
        return bool(self._open) and self._open[-1] == kind

    def _new_series(self, _: Record) -> None:
        self._series.append(_Series())

    def _reference(self, record: Record) -> None:
        which, how, _, _, size = record.unpack("<BBHHH")
        if not self._inside(_SERIES) or not self._series or how != _REFERENCE or not size:
            return
        try:
            found = self._book.text(record.data[8 : 8 + size], b"")
        except Lost as lost:
            self.lost = lost.code
            self._series[-1].kept = self._series[-1].kept and which == _NAME
            return
        if "(" not in found:
            self._series[-1].said[which] = found

    def _said(self, record: Record) -> None:
        said, _ = strings.short(record.data, 2, None)
        if self._inside(_SERIES) and self._series:
            self._series[-1].name = said
        elif self._inside(_TEXT):
            self._text = said

    def _new_text(self, _: Record) -> None:
        self._text = ""

    def _link(self, record: Record) -> None:
        (what,) = record.unpack("<H")
        if self._inside(_TEXT) and self._text:
            self._titles[what] = self._text

    def _look(self, record: Record) -> None:
        self._whole = self._inside(_SERIES) and record.unpack("<H")[0] == _EVERY_POINT

    def _colour(self, record: Record) -> None:
        """Of areas and of lines; where it is automatic, the reader's."""
        if not self._whole or not self._inside(_LOOK) or not self._series:
            return
        area = record.kind == _AREA_LOOK
        (flags,) = record.unpack("<H", 10 if area else 8)
        colour = "" if flags & 1 else record.data[:3].hex().upper()
        setattr(self._series[-1], "fill" if area else "line", colour)

    def _of_group(self, record: Record) -> None:
        if self._inside(_SERIES) and self._series:
            self._series[-1].group = record.unpack("<H")[0]

    def _drop(self, _: Record) -> None:
        """A trend line, or bars of errors."""
        if self._inside(_SERIES) and self._series:
            self._series[-1].kept = False

    def _new_group(self, record: Record) -> None:
        flags, order = record.unpack("<16xHH")
        self._group = _Group(varied=bool(flags & 1))
        self._groups[order] = self._group

    def _kind(self, record: Record) -> None:
        group, kind = self._group, record.kind
        group.kind = kind
        if kind == _BAR:
            _, group.gap, group.flags = record.unpack("<hHH")
        elif kind == _PIE:
            _, group.hole, group.flags = record.unpack("<HHH")
        elif kind == _SCATTER:
            (group.flags,) = record.unpack("<4xH")
        else:
            (group.flags,) = record.unpack("<H")

    def _show_legend(self, record: Record) -> None:
        self._legend = _LEGENDS.get(record.unpack("<16xB")[0], "r")

    READERS: ClassVar[dict[int, Callable[[Chart, Record], None]]] = {
        _SERIES: _new_series, 0x1051: _reference, 0x100D: _said, _TEXT: _new_text, 0x1027: _link, 0x1045: _of_group, 0x104A: _drop,
        0x104B: _drop, _LOOK: _look, _AREA_LOOK: _colour, _LINE_LOOK: _colour, _FORMAT: _new_group, 0x1015: _show_legend,
        **dict.fromkeys((_BAR, _LINE, _PIE, _AREA, _SCATTER, _RADAR, _FILLED_RADAR), _kind),
    }  # fmt: skip

    # writing

    def xml(self) -> str:
        """Empty where nothing can be shown. Pies have no axes, and stand alone."""
        shown = [one for one in self._series if one.kept and _VALUES in one.said][:_MOST_SERIES]
        groups = {
            order: (group, [(number, one) for number, one in enumerate(shown) if one.group == order])
            for order, group in sorted(self._groups.items())
            if group.kind and not (group.kind == _SCATTER and group.flags & 1)
        }
        drawn = [(group, members) for group, members in groups.values() if members]
        round_ones = [one for one in drawn if one[0].kind == _PIE]
        drawn = round_ones[:1] or drawn
        if not drawn or len({_axes_of(group) for group, _ in drawn}) > 1:
            return ""
        inside = "".join(_drawn(group, members) for group, members in drawn) + self._axes(drawn[0][0])
        title = self._title(_TITLE) + f'<c:autoTitleDeleted val="{int(_TITLE not in self._titles)}"/>'
        legend = f'<c:legend><c:legendPos val="{self._legend}"/><c:overlay val="0"/></c:legend>' if self._legend else ""
        rest = '<c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/>'
        spaces = f'xmlns:c="{_MAIN}chart" xmlns:a="{_MAIN}main"'
        plot = f"<c:plotArea><c:layout/>{inside}</c:plotArea>"
        return f'<c:chartSpace {spaces}><c:roundedCorners val="0"/><c:chart>{title}{plot}{legend}{rest}</c:chart></c:chartSpace>'

    def _title(self, which: int) -> str:
        said = self._titles.get(which)
        if not said:
            return ""
        lines = "".join(f"<a:p><a:r><a:t>{markup.content(line)}</a:t></a:r></a:p>" for line in said.split("\n"))
        return f'<c:title><c:tx><c:rich><a:bodyPr/>{lines}</c:rich></c:tx><c:overlay val="0"/></c:title>'

    def _axes(self, group: _Group) -> str:
        if group.kind == _PIE:
            return ""
        lying = group.kind == _BAR and group.flags & 1
        first, second = ("l", "b") if lying else ("b", "l")
        kind = "valAx" if group.kind == _SCATTER else "catAx"
        lines = "<c:majorGridlines/>"
        return _axis(kind, 0, first, self._title(_CATEGORY_AXIS)) + _axis("valAx", 1, second, lines + self._title(_VALUE_AXIS))


def _axis(kind: str, which: int, place: str, inside: str) -> str:
    scale = '<c:scaling><c:orientation val="minMax"/></c:scaling><c:delete val="0"/>'
    ids = f'<c:axId val="{_AXES[which]}"/>{scale}<c:axPos val="{place}"/>{inside}'
    marks = '<c:majorTickMark val="out"/><c:minorTickMark val="none"/><c:tickLblPos val="nextTo"/>'
    form = f'<c:numFmt formatCode="General" sourceLinked="1"/>{marks}'
    return f'<c:{kind}>{ids}{form}<c:crossAx val="{_AXES[1 - which]}"/><c:crosses val="autoZero"/></c:{kind}>'


def _axes_of(group: _Group) -> tuple[bool, bool, bool]:
    """What groups must have in common to share a pair of axes."""
    return group.kind == _SCATTER, group.kind in (_RADAR, _FILLED_RADAR), group.kind == _BAR and bool(group.flags & 1)


def _grouping(flags: int, plain: str) -> str:
    """`flags`: stacked, and to a hundred in every place."""
    return f'<c:grouping val="{"percentStacked" if flags & 2 else "stacked" if flags & 1 else plain}"/>'


def _drawn(group: _Group, members: list[tuple[int, _Series]]) -> str:  # noqa: PLR0911 - one for each kind of chart
    varied = f'<c:varyColors val="{int(group.varied)}"/>'
    inside = "".join(_written(number, one, group.kind) for number, one in members)
    axes = "".join(f'<c:axId val="{one}"/>' for one in _AXES)
    if group.kind == _BAR:
        stacked = group.flags >> 1
        head = f'<c:barDir val="{"bar" if group.flags & 1 else "col"}"/>{_grouping(stacked, "clustered")}{varied}'
        overlap = '<c:overlap val="100"/>' if stacked & 3 else ""
        return f'<c:barChart>{head}{inside}<c:gapWidth val="{min(group.gap, 500)}"/>{overlap}{axes}</c:barChart>'
    if group.kind == _PIE and group.hole:
        hole = f'<c:firstSliceAng val="0"/><c:holeSize val="{min(max(group.hole, 10), 90)}"/>'
        return f"<c:doughnutChart>{varied}{inside}{hole}</c:doughnutChart>"
    if group.kind == _PIE:
        return f'<c:pieChart>{varied}{inside}<c:firstSliceAng val="0"/></c:pieChart>'
    if group.kind == _LINE:
        return f'<c:lineChart>{_grouping(group.flags, "standard")}{varied}{inside}<c:marker val="1"/>{axes}</c:lineChart>'
    if group.kind == _AREA:
        return f'<c:areaChart>{_grouping(group.flags, "standard")}{varied}{inside}{axes}</c:areaChart>'
    if group.kind == _SCATTER:
        return f'<c:scatterChart><c:scatterStyle val="lineMarker"/>{varied}{inside}{axes}</c:scatterChart>'
    style = "filled" if group.kind == _FILLED_RADAR else "marker"
    return f'<c:radarChart><c:radarStyle val="{style}"/>{varied}{inside}{axes}</c:radarChart>'


def _written(number: int, one: _Series, kind: int) -> str:
    name = ""
    if _NAME in one.said:
        name = f"<c:tx><c:strRef><c:f>{markup.content(one.said[_NAME])}</c:f></c:strRef></c:tx>"
    elif one.name:
        name = f"<c:tx><c:v>{markup.content(one.name)}</c:v></c:tx>"
    look = _shown(number, one, kind)
    across, values = ("xVal", "yVal") if kind == _SCATTER else ("cat", "val")
    said = one.said.get(_CATEGORIES)
    reference = "numRef" if kind == _SCATTER else "strRef"
    categories = f"<c:{across}><c:{reference}><c:f>{markup.content(said)}</c:f></c:{reference}></c:{across}>" if said else ""
    measured = f"<c:{values}><c:numRef><c:f>{markup.content(one.said[_VALUES])}</c:f></c:numRef></c:{values}>"
    return f'<c:ser><c:idx val="{number}"/><c:order val="{number}"/>{name}{look}{categories}{measured}</c:ser>'


def _shown(number: int, one: _Series, kind: int) -> str:
    """The colours of a series; each piece of a pie has its own."""
    if kind in (_LINE, _SCATTER, _RADAR):
        colour = one.line or _LINES[number % len(_LINES)]
        return f'<c:spPr><a:ln w="19050">{_solid(colour)}</a:ln></c:spPr>'
    if kind != _PIE:
        return f"<c:spPr>{_solid(one.fill or _FILLS[number % len(_FILLS)])}</c:spPr>"
    looks = [f"<c:spPr>{_solid(colour)}</c:spPr>" for colour in _FILLS]
    return "".join(f'<c:dPt><c:idx val="{at}"/><c:bubble3D val="0"/>{looks[at % len(looks)]}</c:dPt>' for at in range(_POINTS))


def _solid(colour: str) -> str:
    return f'<a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'
