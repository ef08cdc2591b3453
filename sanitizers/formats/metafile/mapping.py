"""From page units to the pixels of the device: MS-WMF 2.1.1.16 (MapMode), MS-EMF 2.1.21."""

from __future__ import annotations

from typing import Final

from sanitizers.formats.metafile.canvas import Point, State, unsupported

_PIXELS, _EQUAL, _ANY = 1, 7, 8
# Millimetres of one unit; the y of these modes runs up.
_METRIC: Final = {2: 0.1, 3: 0.01, 4: 0.254, 5: 0.0254, 6: 25.4 / 1440}


def remap(state: State, density: Point) -> None:
    """`density`: pixels of the device in one millimetre. Raises Unsupported for a mapping that shows nothing."""
    if state.mode == _PIXELS:
        across = down = 1.0
    elif state.mode in _METRIC:
        across, down = _METRIC[state.mode] * density[0], -_METRIC[state.mode] * density[1]
    elif state.mode in (_EQUAL, _ANY):
        across, down = _stretched(state, density)
    else:
        raise unsupported(f"mapping {state.mode}")
    ox, oy = state.window_origin
    vx, vy = state.viewport_origin
    state.page = (across, 0.0, 0.0, down, vx - ox * across, vy - oy * down)


def _stretched(state: State, density: Point) -> tuple[float, float]:
    if not all((*state.window, *state.viewport)):
        raise unsupported("a window without a size")
    across, down = state.viewport[0] / state.window[0], state.viewport[1] / state.window[1]
    if state.mode == _EQUAL:
        # A unit is as long down as across: the longer side gives way.
        along = min(abs(across) / density[0], abs(down) / density[1])
        across = along * density[0] * (1 if across > 0 else -1)
        down = along * density[1] * (1 if down > 0 else -1)
    return across, down


def scaled(size: Point, numbers: tuple[int, int, int, int]) -> Point:
    """By two fractions, as ScaleWindowExtEx and ScaleViewportExtEx have them: x numerator, x denominator, y numerator, y denominator."""
    if not numbers[1] or not numbers[3]:
        raise unsupported("a scale by nothing")
    return size[0] * numbers[0] / numbers[1], size[1] * numbers[2] / numbers[3]
