"""What one transfer has spent of its Limits, counted over every part at every depth."""

from __future__ import annotations

from typing import Final

from sanitizers.model import LimitExceeded, Limits

# Of one transfer. Nobody reads more, and a file that makes them by the million would fill the report and the memory.
MOST_FINDINGS: Final = 100_000


class Budget:
    """One per transfer, shared by all its parts. Every `spend_*` raises LimitExceeded once the limit is passed."""

    def __init__(self, limits: Limits, input_bytes: int) -> None:
        self.limits = limits
        self._expanded_left = min(limits.expanded_bytes, max(limits.expansion_floor, limits.expansion_ratio * input_bytes))
        self._parts_left = limits.parts
        self._pages_left = limits.pages
        self._cells_left = limits.cells
        self._findings_left = MOST_FINDINGS
        if input_bytes > limits.input_bytes:
            raise LimitExceeded(f"input of {input_bytes} bytes, at most {limits.input_bytes}")

    @property
    def expanded_left(self) -> int:
        """Bytes that may still be decoded. Pass it as the cap of every decompressor, then `spend_bytes` what came out."""
        return self._expanded_left

    def spend_bytes(self, count: int) -> None:
        """Bytes that came out of any decoder: inflate, base64, an image's raw pixels are counted by `check_frame` instead.

        Raises LimitExceeded.
        """
        self._expanded_left -= count
        if self._expanded_left < 0:
            raise LimitExceeded("expanded bytes")

    def spend_part(self) -> None:
        """One more part of the transfer. Raises LimitExceeded."""
        self._parts_left -= 1
        if self._parts_left < 0:
            raise LimitExceeded(f"more than {self.limits.parts} parts")

    def spend_pages(self, count: int = 1) -> None:
        """Pages or slides, before they are rebuilt. Raises LimitExceeded."""
        self._pages_left -= count
        if self._pages_left < 0:
            raise LimitExceeded(f"more than {self.limits.pages} pages")

    def spend_cells(self, count: int = 1) -> None:
        """Cells of tables that have content. Raises LimitExceeded."""
        self._cells_left -= count
        if self._cells_left < 0:
            raise LimitExceeded(f"more than {self.limits.cells} cells")

    def spend_finding(self) -> None:
        """One more line of the report. Raises LimitExceeded."""
        self._findings_left -= 1
        if self._findings_left < 0:
            raise LimitExceeded(f"more than {MOST_FINDINGS} findings")

    def check_depth(self, depth: int) -> None:
        """Of a part inside parts; the file itself is 0. Raises LimitExceeded."""
        if depth > self.limits.depth:
            raise LimitExceeded(f"nested deeper than {self.limits.depth}")

    def check_frame(self, width: int, height: int, index: int = 0) -> None:
        """Width and height in pixels of frame `index` (from 0), before it is decoded. Raises LimitExceeded."""
        if width * height > self.limits.pixels:
            raise LimitExceeded(f"{width} x {height} pixels, at most {self.limits.pixels}")
        if index >= self.limits.frames:
            raise LimitExceeded(f"more than {self.limits.frames} frames")
