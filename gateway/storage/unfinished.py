"""Uploads that are not whole yet: kept across a cut connection or a restart, until their sender goes on or a day has passed.

    uploads/<id>.json   what it will be: owner, name, length
    uploads/<id>.part   what has come so far; its length is how far it came

Nothing here is a transfer: only when all of it is there does it become a blob and a row. Every append is flushed before it is told.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from gateway.model import Slip
from gateway.storage.disk import Disk, blocks
from gateway.storage.faults import StorageError, StorageFullError

_ID: Final = re.compile(r"[0-9a-f]{32}")


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody began to bring in. `length` in bytes; `at`: seconds since 1970; `to` and `slip`: as for a whole upload."""

    owner: str
    name: str
    length: int
    at: float
    to: tuple[str, ...] = ()
    slip: Slip = Slip()


class NoSuchUploadError(Exception):
    """No upload of that id: never begun, finished, or given up."""


class WrongOffsetError(Exception):
    """The next byte is another than the sender thinks."""


class Unfinished:
    """The folder. `reserve`: free bytes that stay. Calls block; each raises StorageError when the disk does."""

    def __init__(self, folder: Path, *, reserve: int = 0, disk: Disk | None = None) -> None:
        self._folder = folder
        self._reserve = reserve
        self._disk = disk or Disk()

    def begin(self, begun: Begun) -> str:
        """The id of a new one. Raises StorageFullError when it would not fit."""
        number = secrets.token_hex(16)
        try:
            self._disk.make_folder(self._folder)
            if self._disk.free_bytes(self._folder) - begun.length < self._reserve:
                raise StorageFullError("uploads: no room")
            for ending, content in ((".part", b""), (".json", msgspec.json.encode(begun))):
                fd = self._disk.create(self._folder / (number + ending))
                try:
                    self._disk.write(fd, content)
                    self._disk.flush(fd)
                finally:
                    self._disk.close(fd)
            self._disk.flush_folder(self._folder)
        except OSError as error:
            raise StorageError(f"uploads: {error.strerror}") from error
        return number

    def about(self, number: str) -> tuple[Begun, int]:
        """What it will be and how many bytes of it are there. Raises NoSuchUploadError."""
        path = self._path(number)
        try:
            return msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Begun), path.stat().st_size
        except (FileNotFoundError, msgspec.DecodeError):
            raise NoSuchUploadError(number) from None
        except OSError as error:
            raise StorageError(f"uploads: {error.strerror}") from error

    def append(self, number: str, offset: int, content: bytes) -> int:
        """The new length. Raises WrongOffsetError when `offset` is not the old one, NoSuchUploadError."""
        begun, length = self.about(number)
        if offset != length or offset + len(content) > begun.length:
            raise WrongOffsetError(number)
        try:
            with self._path(number).open("ab") as stream:
                self._disk.write(stream.fileno(), content)
                self._disk.flush(stream.fileno())
        except OSError as error:
            raise StorageError(f"uploads: {error.strerror}") from error
        return offset + len(content)

    def blocks(self, number: str) -> Iterator[bytes]:
        fd = self._disk.open(self._path(number))
        try:
            yield from blocks(fd)
        finally:
            self._disk.close(fd)

    def remove(self, number: str) -> None:
        for ending in (".json", ".part"):
            self._disk.remove(self._path(number).with_suffix(ending))

    def of(self, owner: str) -> int:
        """How many somebody has open."""
        return sum(1 for number in self._numbers() if (found := self._known(number)) is not None and found.owner == owner)

    def sweep(self, before: float) -> int:
        """Give up what was begun before then; how many."""
        old = [number for number in self._numbers() if (found := self._known(number)) is None or found.at < before]
        for number in old:
            self.remove(number)
        return len(old)

    def _known(self, number: str) -> Begun | None:
        try:
            return self.about(number)[0]
        except NoSuchUploadError:
            return None

    def _numbers(self) -> list[str]:
        return sorted({path.stem for path in self._folder.iterdir() if _ID.fullmatch(path.stem)}) if self._folder.exists() else []

    def _path(self, number: str) -> Path:
        if not _ID.fullmatch(number):
            raise NoSuchUploadError(number)
        return self._folder / f"{number}.part"
