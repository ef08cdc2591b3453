"""How a file comes into a folder that others look into: under a name of our own, read back, and only then under its real one.

Nothing that is there is ever replaced. The same file put twice (our process died between the rename and the journal) is there once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

_MOST_NAMES: Final = 1_000


class Folder(Protocol):
    """What a destination has to be able to do. Every call blocks and raises OSError."""

    def size(self, name: str) -> int | None:
        """In bytes; None where there is no such file."""

    def read(self, name: str) -> Iterator[bytes]:
        """Its content."""

    def write(self, name: str, content: Iterable[bytes]) -> None:
        """A new file, on disk when this returns; one of that name is thrown away first."""

    def rename(self, old: str, new: str) -> None:
        """Raises FileExistsError rather than replace anything."""

    def remove(self, name: str) -> None:
        """No error if it is not there."""


class ChangedOnTheWayError(OSError):
    """What was read back is not what was written."""


def place(folder: Folder, name: str, content: Iterable[bytes], *, size: int, digest: str) -> str:
    """Put the file there; the name that it has now. Raises OSError, ChangedOnTheWayError, FileExistsError."""
    passing = f".sekisho-{digest[:32]}.part"
    written = False
    for candidate in _names(name):
        there = folder.size(candidate)
        if there == size and _digest(folder, candidate) == digest:
            if written:
                folder.remove(passing)
            return candidate
        if there is not None:
            continue
        if not written:
            folder.write(passing, content)
            if folder.size(passing) != size or _digest(folder, passing) != digest:
                folder.remove(passing)
                raise ChangedOnTheWayError("what was read back is not what was written")
            written = True
        try:
            folder.rename(passing, candidate)
        except FileExistsError:
            continue
        return candidate
    raise FileExistsError(f"{_MOST_NAMES} files of that name are there")


def _names(name: str) -> Iterator[str]:
    yield name
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    for number in range(2, _MOST_NAMES + 1):
        yield f"{stem} ({number}){dot}{extension}"


def _digest(folder: Folder, name: str) -> str:
    seen = hashlib.sha256()
    for block in folder.read(name):
        seen.update(block)
    return seen.hexdigest()
