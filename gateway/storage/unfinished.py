"""Uploads that are not whole yet: kept across a cut connection or a restart, until their sender goes on or a day has passed.

    uploads/<id>.json   what it will be: owner, name, length
    uploads/<id>.part   what has come so far; its length is how far it came

Nothing here is a transfer: only when all of it is there does it become a blob and a row. Every append is flushed before it is told.
What became a transfer is remembered for as long, with its receipt number and without its bytes: a sender whose line was cut before he
read the last answer asks again, and does not bring the same file twice.
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
    """What somebody began to bring in. `length` in bytes; `at`: seconds since 1970; `to` and `slip`: as for a whole upload;
    `receipt_no`: what it has become."""

    owner: str
    name: str
    length: int
    at: float
    to: tuple[str, ...] = ()
    slip: Slip = Slip()
    receipt_no: str = ""


_BEGUN: Final = msgspec.json.Decoder(Begun)     # not made in a thread (gateway.structs)


class NoSuchUploadError(Exception):
    """No upload of that id: never begun, given up, or too long ago."""


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
                self._keep(self._folder / (number + ending), content)
            self._disk.flush_folder(self._folder)
        except OSError as error:
            raise StorageError(f"uploads: {error.strerror}") from error
        return number

    def about(self, number: str) -> tuple[Begun, int]:
        """What it will be and how many bytes of it are there. Raises NoSuchUploadError."""
        path = self._path(number)
        try:
            begun = _BEGUN.decode(path.with_suffix(".json").read_bytes())
            return begun, begun.length if begun.receipt_no else path.stat().st_size
        except (FileNotFoundError, msgspec.DecodeError):
            raise NoSuchUploadError(number) from None
        except OSError as error:
            raise StorageError(f"uploads: {error.strerror}") from error

    def append(self, number: str, offset: int, content: bytes) -> int:
        """The new length. Raises WrongOffsetError when `offset` is not the old one, NoSuchUploadError."""
        begun, length = self.about(number)
        if offset != length or offset + len(content) > begun.length or begun.receipt_no:
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

    def become(self, number: str, receipt_no: str) -> None:
        """It is a transfer now; its bytes are given up here."""
        begun, path = self.about(number)[0], self._path(number)
        try:
            self._keep(path.with_suffix(".new"), msgspec.json.encode(msgspec.structs.replace(begun, receipt_no=receipt_no)))
            self._disk.move(path.with_suffix(".new"), path.with_suffix(".json"))
            self._disk.flush_folder(self._folder)
            self._disk.remove(path)
        except OSError as error:
            raise StorageError(f"uploads: {error.strerror}") from error

    def remove(self, number: str) -> None:
        for ending in (".json", ".part", ".new"):
            self._disk.remove(self._path(number).with_suffix(ending))

    def of(self, owner: str) -> int:
        """How many somebody has open."""
        known = (self._known(number) for number in self._numbers())
        return sum(1 for found in known if found is not None and found.owner == owner and not found.receipt_no)

    def sweep(self, before: float) -> int:
        """Give up what was begun before then; how many."""
        old = [number for number in self._numbers() if (found := self._known(number)) is None or found.at < before]
        for number in old:
            self.remove(number)
        return len(old)

    def _keep(self, path: Path, content: bytes) -> None:
        fd = self._disk.create(path)
        try:
            self._disk.write(fd, content)
            self._disk.flush(fd)
        finally:
            self._disk.close(fd)

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
