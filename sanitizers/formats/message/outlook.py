"""A .msg file: a compound file whose storages hold the properties of a message, its recipients and its attachments.

Spec: MS-OXMSG, MS-CFB (read by olefile).
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from typing import Final

import olefile

from sanitizers.budget import Budget
from sanitizers.formats.message import mapi
from sanitizers.formats.message.mapi import File, Item, Properties
from sanitizers.model import LimitExceeded, Malformed
from sanitizers.source import Source

_STREAM: Final = re.compile(r"__substg1\.0_([0-9A-Fa-f]{4})([0-9A-Fa-f]{4})")
_WHOLE: Final = (0x2, 0x3, 0xB, 0x14, 0x40)
_TOP, _INNER, _BELOW = 32, 24, 8  # bytes before the first property: of the file, of an attached message, of anything else
_STREAMS: Final = 20_000
_BROKEN: Final = (OSError, ValueError, IndexError, TypeError, AttributeError, KeyError, RecursionError, struct.error)

Path = tuple[str, ...]


def read(source: Source, budget: Budget) -> Item:
    """The item in a .msg file. Raises Malformed and LimitExceeded."""
    try:
        with olefile.OleFileIO(source.stream()) as compound:
            return _File(compound, budget).item((), _TOP, 0)
    except _BROKEN as error:
        raise Malformed(f"compound file: {type(error).__name__}", code="mail.outlook_broken") from None


class _File:
    """The storages of one compound file by their path. Every stream that is read counts: many may point at the same bytes."""

    def __init__(self, compound: olefile.OleFileIO, budget: Budget) -> None:
        self._compound = compound
        self._budget = budget
        self._below: dict[Path, list[str]] = defaultdict(list)
        paths = compound.listdir(streams=True, storages=True)
        if len(paths) > _STREAMS:
            raise LimitExceeded(f"compound file of {len(paths)} streams")
        for path in paths:
            self._below[tuple(path[:-1])].append(path[-1])

    def item(self, path: Path, start: int, depth: int) -> Item:
        if depth > mapi.DEPTH_LIMIT:
            raise LimitExceeded(f"Outlook items nested more than {mapi.DEPTH_LIMIT} levels")
        item = Item(self._properties(path, start))
        for name in self._below[path]:
            if name.startswith("__recip_version1.0_"):
                item.recipients.append(self._properties((*path, name), _BELOW))
            elif name.startswith("__attach_version1.0_"):
                item.files.append(self._file((*path, name), depth))
        return item

    def _file(self, path: Path, depth: int) -> File:
        file = File(self._properties(path, _BELOW))
        content = file.properties.pop(mapi.DATA, b"")
        file.content = content if isinstance(content, bytes) else b""
        storage = (*path, f"__substg1.0_{mapi.DATA:04X}{mapi.OBJECT:04X}")
        if f"{storage[-1]}" in self._below[path] and "__properties_version1.0" in self._below[storage]:
            file.item = self.item(storage, _INNER, depth + 1)
        return file

    def _properties(self, path: Path, start: int) -> Properties:
        found: Properties = {}
        names = self._below[path]
        if "__properties_version1.0" in names:
            table = self._read((*path, "__properties_version1.0"))
            for at in range(start, len(table) - 15, 16):
                kind, tag, value = struct.unpack_from("<HH4xQ", table, at)
                if kind in _WHOLE:
                    found[tag] = value & ((1 << 32) - 1) if kind == 0x3 else value
        for name in names:
            if match := _STREAM.fullmatch(name):
                value = self._value((*path, name), int(match[2], 16))
                if value is not None:
                    found[int(match[1], 16)] = value
        return found

    def _value(self, path: Path, kind: int) -> str | bytes | None:
        if kind not in (mapi.STRING8, mapi.UNICODE, mapi.BINARY) or self._compound.get_type(list(path)) != olefile.STGTY_STREAM:
            return None
        data = self._read(path)
        return data.decode("utf-16-le", "ignore" if len(data) % 2 else "surrogatepass") if kind == mapi.UNICODE else data

    def _read(self, path: Path) -> bytes:
        self._budget.spend_bytes(self._compound.get_size(list(path)))
        return bytes(self._compound.openstream(list(path)).read())
