"""The bytes of one part, read-only, whether they lie in a mapped descriptor or in memory."""

from __future__ import annotations

import builtins
import hashlib
import io
from functools import cached_property
from typing import BinaryIO


class Source:
    """A read-only run of bytes. Slices of `view` cost nothing; `bytes()` copies."""

    def __init__(self, data: builtins.bytes | bytearray | memoryview) -> None:
        self.view = memoryview(data).toreadonly().cast("B")

    def __len__(self) -> int:
        return len(self.view)

    def bytes(self) -> builtins.bytes:
        """All of it, copied unless it is already one bytes object."""
        whole = self.view.obj
        if isinstance(whole, builtins.bytes) and len(whole) == len(self.view):
            return whole
        return builtins.bytes(self.view)

    def head(self, size: int) -> builtins.bytes:
        return builtins.bytes(self.view[:size])

    def tail(self, size: int) -> builtins.bytes:
        return builtins.bytes(self.view[-size:]) if size else b""

    def stream(self) -> BinaryIO:
        """A seekable reader of its own position."""
        return io.BytesIO(self.bytes())

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.view).hexdigest()
