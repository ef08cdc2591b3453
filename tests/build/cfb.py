"""Compound files stream by stream, as [MS-CFB] lays them out: sectors of 512 bytes, small streams in the mini stream."""

from __future__ import annotations

import struct
from typing import NamedTuple

SECTOR, MINI, CUTOFF = 512, 64, 4096
END, FREE, FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
ROOT_CLASS = bytes.fromhex("2008020000000000c000000000000046")


class _Node(NamedTuple):
    name: str
    kind: int
    children: dict[str, _Node]
    data: bytes


def compound(streams: dict[str, bytes], *, slack: bytes = b"\0", tail: bytes = b"") -> bytes:
    """Streams by path with `/`; what fills up their last sectors is `slack`, what stands behind the file `tail`."""
    root = _Node("Root Entry", 5, {}, b"")
    for path, data in streams.items():
        *folders, name = path.split("/")
        place = root
        for folder in folders:
            place = place.children.setdefault(folder, _Node(folder, 1, {}, b""))
        place.children[name] = _Node(name, 2, {}, data)
    return _Writer(slack).write(root) + tail


class _Writer:
    def __init__(self, slack: bytes) -> None:
        self._slack = slack
        self._fat: list[int] = []
        self._sectors: list[bytes] = []
        self._mini_fat: list[int] = []
        self._mini = b""
        self._entries: list[bytes] = []

    def write(self, root: _Node) -> bytes:
        self._place(root)
        mini = self._chain(self._mini)
        self._entries[0] = self._entries[0][:116] + struct.pack("<IQ", mini, len(self._mini))
        while len(self._entries) % 4:
            self._entries.append(bytes(68) + struct.pack("<III", FREE, FREE, FREE) + bytes(48))
        directory = self._chain(b"".join(self._entries))
        table = b"".join(struct.pack("<I", one) for one in self._mini_fat)
        mini_fat = self._chain(table, b"\xff") if table else END
        count = 1
        while count * 128 < len(self._sectors) + count:
            count += 1
        first = len(self._sectors)
        fat = [*self._fat, *[FAT] * count]
        fat += [FREE] * (count * 128 - len(fat))
        places = [*range(first, first + count), *[FREE] * (109 - count)]
        head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
        head += struct.pack("<IIIIIIIIII", 0, count, directory, 0, CUTOFF, mini_fat, -(-len(table) // SECTOR), END, 0, places[0])
        return head + struct.pack("<108I", *places[1:]) + b"".join(self._sectors) + struct.pack(f"<{len(fat)}I", *fat)

    def _chain(self, data: bytes, filling: bytes = b"") -> int:
        if not data:
            return END
        start = len(self._sectors)
        pieces = [data[at : at + SECTOR] for at in range(0, len(data), SECTOR)]
        filler = (filling or self._slack) * SECTOR
        pieces[-1] = (pieces[-1] + filler)[:SECTOR]
        self._sectors += pieces
        self._fat += [*range(start + 1, start + len(pieces)), END]
        return start

    def _mini_chain(self, data: bytes) -> int:
        start = len(self._mini_fat)
        count = -(-len(data) // MINI)
        self._mini += (data + self._slack * MINI)[: count * MINI]
        self._mini_fat += [*range(start + 1, start + count), END]
        return start

    def _place(self, node: _Node) -> int:
        """Siblings hang to the right of each other: a poor tree, but one."""
        number = len(self._entries)
        self._entries.append(b"")
        start = END if not node.data else self._chain(node.data) if len(node.data) >= CUTOFF else self._mini_chain(node.data)
        ordered = sorted(node.children.values(), key=lambda child: (len(child.name), child.name.upper()))
        numbers = [self._place(child) for child in ordered]
        for at, following in zip(numbers, [*numbers, FREE][1:], strict=True):
            self._entries[at] = self._entries[at][:72] + struct.pack("<I", following) + self._entries[at][76:]
        name = node.name.encode("utf-16-le")
        entry = name.ljust(64, b"\0") + struct.pack("<HBBIII", len(name) + 2, node.kind, 1, FREE, FREE, numbers[0] if numbers else FREE)
        entry += (ROOT_CLASS if node.kind == 5 else bytes(16)) + bytes(20)
        self._entries[number] = entry + struct.pack("<IQ", start if node.kind == 2 else 0, len(node.data))
        return number
