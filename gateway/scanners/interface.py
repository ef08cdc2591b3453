"""What a scanner from outside is to the road: it is handed a descriptor and answers with one of three plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Clean:
    """The scanner has looked at all of it and knows nothing against it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Malware, by the scanner's own name for it."""

    name: str


@dataclass(frozen=True, slots=True)
class Failed:
    """No opinion. `text`: one line for the operator. `lasting`: it lies in the file (too large, locked), asking again will not help."""

    text: str
    lasting: bool = False


Answer = Clean | Found | Failed


class OutsideScanner(Protocol):
    """One scanner. Whatever goes wrong with it is a `Failed`, never a `Clean` and never an exception."""

    @property
    def name(self) -> str:
        """As it stands in the settings, in the log and on the page of the operators."""

    async def scan(self, fd: int, size: int) -> Answer:
        """The `size` bytes of a regular file. The descriptor stays the caller's, and so does its position."""

    async def age(self) -> float | None:
        """How old its signatures are, in seconds; None when that cannot be told."""
