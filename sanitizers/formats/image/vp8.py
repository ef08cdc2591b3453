"""The quantiser of a VP8 key frame, read from its header, so that a picture is coded again no better and no worse than it was.

Spec: RFC 6386 sections 7 (bool decoder), 9 and 19.2 (frame header).
"""

from __future__ import annotations

from typing import Final, NamedTuple

_STEPS: Final = 127
# libwebp lowers the quantiser of flat parts below the base; the best quality is not reached again by asking for it.
_BEST, _WORST = 97.0, 30.0


class _Bools:
    """RFC 6386 section 7.3, for even odds only (headers have no others up to the quantiser)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 2
        self._value = int.from_bytes(data[:2].ljust(2, b"\0"), "big")
        self._range = 255
        self._count = 0

    def bit(self) -> int:
        split = 1 + ((self._range - 1) * 128 >> 8)
        if self._value >= split << 8:
            bit, self._range, self._value = 1, self._range - split, self._value - (split << 8)
        else:
            bit, self._range = 0, split
        while self._range < 128:
            self._value <<= 1
            self._range <<= 1
            self._count += 1
            if self._count == 8:
                self._count = 0
                self._value |= self._data[self._at] if self._at < len(self._data) else 0
                self._at += 1
        return bit

    def number(self, bits: int) -> int:
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit()
        return value

    def signed(self, bits: int) -> int:
        size = self.number(bits)
        return -size if self.bit() else size


class _Segments(NamedTuple):
    """Quantisers (or their difference from the base) and how much of the frame has each, as the coder's probabilities tell."""

    values: list[int]
    shares: list[float]
    absolute: bool


def quantiser(frame: bytes) -> float:
    """The index 0 (finest) to 127 that the frame uses on the average."""
    bools = _Bools(frame[10:])
    bools.number(2)  # colour space, clamping
    segments = _segmentation(bools) if bools.bit() else None
    bools.number(1 + 6 + 3)  # loop filter
    if bools.bit() and bools.bit():
        for _ in range(8):
            if bools.bit():
                bools.signed(6)
    bools.number(2)  # partitions
    base = bools.number(7)
    if segments is None:
        return base
    mean = sum(value * share for value, share in zip(segments.values, segments.shares, strict=True))
    return min(_STEPS, max(0, mean if segments.absolute else base + mean))


def _segmentation(bools: _Bools) -> _Segments:
    new_map, new_data = bools.bit(), bools.bit()
    values, odds, absolute = [0, 0, 0, 0], [1.0, 1.0, 1.0], False
    if new_data:
        absolute = bool(bools.bit())
        values = [bools.signed(7) if bools.bit() else 0 for _ in range(4)]
        for _ in range(4):
            if bools.bit():
                bools.signed(6)
    if new_map:
        odds = [bools.number(8) / 256 if bools.bit() else 1.0 for _ in range(3)]
    low, first, third = odds
    return _Segments(values, [low * first, low * (1 - first), (1 - low) * third, (1 - low) * (1 - third)], absolute)


def quality(frame: bytes) -> float:
    """libwebp's quality (0–100) whose base quantiser is this frame's: the inverse of its QualityToCompression."""
    linear = (1 - quantiser(frame) / _STEPS) ** 3
    wanted = 100 * (linear * 1.5 if linear < 0.5 else (linear + 1) / 2)
    return min(_BEST, max(_WORST, wanted))
