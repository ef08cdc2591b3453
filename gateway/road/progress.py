"""What the jail is at, transfer by transfer, for whoever watches. In the memory of the process that works; others see the states only."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """How many parts were begun, and the name of the last."""

    parts: int
    name: str


class Progress:
    """The transfers at work in this process."""

    def __init__(self) -> None:
        self._steps: dict[int, Step] = {}

    def part(self, transfer_id: int, name: str) -> None:
        """One more part is begun."""
        self._steps[transfer_id] = Step(self.of(transfer_id).parts + 1, name)

    def over(self, transfer_id: int) -> None:
        self._steps.pop(transfer_id, None)

    def of(self, transfer_id: int) -> Step:
        return self._steps.get(transfer_id, Step(0, ""))
