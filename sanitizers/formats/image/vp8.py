"""The quantiser of a VP8 key frame, read from its header, so that a picture is coded again no better and no worse than it was.

Spec: RFC 6386 sections 7 (bool decoder), 9 and 19.2 (frame header).
"""

from __future__ import annotations

from typing import Final

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


def quantiser(frame: bytes) -> int:
    """The index 0 (finest) to 127 that most of the frame uses: the mean of the segments' where it has segments."""
    bools = _Bools(frame[10:])
    bools.number(2)  # colour space, clamping
    segments: list[int] = []
    absolute = 0
    if bools.bit():
        segments, absolute = _segmentation(bools)
    bools.number(1 + 6 + 3)  # loop filter
    if bools.bit() and bools.bit():
        for _ in range(8):
            if bools.bit():
                bools.signed(6)
    bools.number(2)  # partitions
    base = bools.number(7)
    values = segments if absolute else [base + delta for delta in segments]
    return min(_STEPS, max(0, round(sum(values) / len(values)) if values else base))


def _segmentation(bools: _Bools) -> tuple[list[int], int]:
    new_map, new_data = bools.bit(), bools.bit()
    values: list[int] = []
    absolute = 0
    if new_data:
        absolute = bools.bit()
        values = [bools.signed(7) if bools.bit() else 0 for _ in range(4)]
        for _ in range(4):
            if bools.bit():
                bools.signed(6)
    if new_map:
        for _ in range(3):
            if bools.bit():
                bools.number(8)
    return values, absolute


def quality(frame: bytes) -> float:
    """libwebp's quality (0–100) whose base quantiser is this frame's: the inverse of its QualityToCompression."""
    linear = (1 - quantiser(frame) / _STEPS) ** 3
    wanted = 100 * (linear * 1.5 if linear < 0.5 else (linear + 1) / 2)
    return min(_BEST, max(_WORST, wanted))
