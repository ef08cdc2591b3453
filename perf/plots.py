"""Small drawings as SVG text, without a library: bars, curves, flame graphs. Each is one element, to stand in a page or in a file."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

_COLOURS: Final = ("#0017c1", "#b60000", "#197a4b", "#7a4b19", "#6a1b9a", "#00838f", "#ad1457", "#4e6b00")
_ROW: Final = 22
_FRAME: Final = 16
_WIDE: Final = 1200
# About what a letter takes at the size of a flame graph's text.
_LETTER: Final = 6.2


class Bar(NamedTuple):
    """`aim`: where a mark stands; None for none."""

    name: str
    value: float
    aim: float | None = None


def bars(given: Sequence[Bar], unit: str = "×") -> str:
    """Horizontal, the longest first."""
    most, rows = max((max(bar.value, bar.aim or 0.0) for bar in given), default=1.0), []
    for number, bar in enumerate(sorted(given, key=lambda bar: -bar.value)):
        y, wide = 4 + _ROW * number, 330 * bar.value / most
        rows.append(
            f'<text x="0" y="{y + 13}">{html.escape(bar.name)}</text><rect x="200" y="{y}" width="{wide:.1f}" height="16" '
            f'fill="{_COLOURS[0]}"/><text x="{206 + wide:.1f}" y="{y + 13}">{bar.value:.2f} {unit}</text>'
        )
        if bar.aim is not None:
            rows.append(f'<path d="M{200 + 330 * bar.aim / most:.1f} {y - 2}v20" stroke="{_COLOURS[1]}" stroke-width="2"/>')
    return _svg(640, 8 + _ROW * len(rows), rows)


def curves(given: Mapping[str, Sequence[tuple[float, float]]], told: Mapping[str, str]) -> str:
    """Each scaled to its own largest point: a straight line from the corner is linear growth. `told`: words beside each name."""
    drawn = ['<path d="M20 20V240H400" fill="none" stroke="#555"/>']
    for number, (name, points) in enumerate(given.items()):
        (far, high), colour = points[-1], _COLOURS[number % len(_COLOURS)]
        scaled = " ".join(f"{20 + 380 * x / far:.1f},{240 - 220 * y / high:.1f}" for x, y in ((0.0, 0.0), *points))
        drawn.append(f'<polyline points="{scaled}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.append(f'<text x="420" y="{40 + 24 * number}" fill="{colour}">{html.escape(f"{name}: {told[name]}")}</text>')
    return _svg(860, 250, drawn)


# ------------------------------------------------------------------------------------------------------------ flame graphs


class Frame:
    """Samples of one function under one way to it."""

    def __init__(self) -> None:
        self.weight = 0.0
        self.below: dict[str, Frame] = {}


def tree(stacks: Mapping[str, float]) -> Frame:
    """Of collapsed stacks, `outermost;…;innermost` with their weight."""
    root = Frame()
    for stack, weight in stacks.items():
        frame = root
        frame.weight += weight
        for name in stack.split(";"):
            frame = frame.below.setdefault(name, Frame())
            frame.weight += weight
    return root


def flames(given: Mapping[str, Mapping[str, float]], unit: str, *, thinnest: float = 0.004) -> str:
    """One flame graph below the other, all on one scale: half the work is half as wide. Frames thinner than that share are left out."""
    roots = {title: tree(stacks) for title, stacks in given.items()}
    most = max((root.weight for root in roots.values()), default=1.0) or 1.0
    y, drawn = 0, list[str]()
    for title, root in roots.items():
        y += 20
        drawn.append(f'<text x="2" y="{y - 5}" font-size="13">{html.escape(title)}: {root.weight:.2f} {unit}</text>')
        deepest = _flame(drawn, root, (0.0, y), (_WIDE / most, unit), most * thinnest)
        y = deepest + 14
    return _svg(_WIDE, y, drawn, size=11)


def _flame(drawn: list[str], frame: Frame, at: tuple[float, int], scale: tuple[float, str], least: float) -> int:
    """Draws what is below the frame, outermost on top, by name so that two graphs compare. Returns the lowest edge."""
    x, y = at
    lowest = y
    for name, below in sorted(frame.below.items()):
        if below.weight < least:
            continue
        wide = below.weight * scale[0]
        shown = html.escape(name[: max(0, int(wide / _LETTER) - 1)]) if wide > 4 * _LETTER else ""
        text = f'<text x="{x + 2:.1f}" y="{y + 11}">{shown}</text>' if shown else ""
        drawn.append(
            f'<g><title>{html.escape(name)}: {below.weight:.2f} {scale[1]}</title><rect x="{x:.1f}" y="{y}" width="{wide:.1f}" '
            f'height="{_FRAME - 1}" fill="{_warm(name)}"/>{text}</g>'
        )
        lowest = max(lowest, y + _FRAME, _flame(drawn, below, (x, y + _FRAME), scale, least))
        x += wide
    return lowest


def _warm(name: str) -> str:
    """The same colour for the same room wherever it stands; warm for ours, grey for libraries."""
    ours = ("gateway", "mail", "sanitizers")
    room = next((number for number, one in enumerate(ours) if f"({one}/" in name), None)
    return "#ddd" if room is None else ("#ffd08a", "#ffb3a0", "#ffe58a")[room]


def _svg(wide: int, high: int, drawn: Sequence[str], *, size: int = 13) -> str:
    start = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="{size}">'
    return f"{start}{''.join(drawn)}</svg>"
