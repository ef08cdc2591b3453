"""A small but real vbaProject.bin with one inert auto-open macro: a compound file (MS-CFB) that holds a VBA project (MS-OVBA)."""

from __future__ import annotations

import itertools
import struct

_FREE, _END, _FAT_SECTOR, _NONE = 0xFFFF_FFFF, 0xFFFF_FFFE, 0xFFFF_FFFD, 0xFFFF_FFFF
_SECTOR, _MINI = 512, 64

MACRO = """Attribute VB_Name = "Module1"
Sub AutoOpen()
    ' stands in for an attack: it only says hello
    Dim words As String
    words = "Shell(""calc.exe"") would stand here"
    MsgBox words
End Sub
"""


def project() -> bytes:
    """The whole compound file."""
    module = compress(MACRO.replace("\n", "\r\n").encode("cp932"))
    return compound(
        {
            "VBA": {"dir": compress(_dir_stream()), "Module1": module, "_VBA_PROJECT": struct.pack("<HHBH", 0x61CC, 0xFFFF, 0, 0)},
            "PROJECT": b'ID="{00000000-0000-0000-0000-000000000000}"\r\nModule=Module1\r\nName="VBAProject"\r\n',
        }
    )


def compress(data: bytes) -> bytes:
    """MS-OVBA 2.4.1 with literal tokens only."""
    out = bytearray(b"\x01")
    for start in range(0, len(data), 3600):
        chunk = bytearray()
        piece = data[start : start + 3600]
        for group in range(0, len(piece), 8):
            chunk += b"\x00" + piece[group : group + 8]
        out += struct.pack("<H", 0xB000 | (len(chunk) + 2 - 3)) + chunk
    return bytes(out)


def _record(number: int, payload: bytes) -> bytes:
    return struct.pack("<HI", number, len(payload)) + payload


def _dir_stream() -> bytes:
    """MS-OVBA 2.3.4.2: project information, no references, one procedural module whose source starts at offset 0."""
    name, wide = b"Module1", "Module1".encode("utf-16-le")
    information = [
        _record(0x01, struct.pack("<I", 1)), _record(0x02, struct.pack("<I", 0x409)), _record(0x14, struct.pack("<I", 0x409)),
        _record(0x03, struct.pack("<H", 932)), _record(0x04, b"VBAProject"), _record(0x05, b""), _record(0x40, b""),
        _record(0x06, b""), _record(0x3D, b""), _record(0x07, struct.pack("<I", 0)), _record(0x08, struct.pack("<I", 0)),
        struct.pack("<HIIH", 0x09, 4, 1, 0), _record(0x0C, b""), _record(0x3C, b""),
    ]  # fmt: skip
    module = [
        _record(0x0F, struct.pack("<H", 1)), _record(0x13, struct.pack("<H", 0xFFFF)),
        _record(0x19, name), _record(0x47, wide), _record(0x1A, name), _record(0x32, wide), _record(0x1C, b""), _record(0x48, b""),
        _record(0x31, struct.pack("<I", 0)), _record(0x1E, struct.pack("<I", 0)), _record(0x2C, struct.pack("<H", 0xFFFF)),
        _record(0x21, b""), _record(0x2B, b""),
    ]  # fmt: skip
    return b"".join(information + module) + _record(0x10, b"")


def compound(tree: dict[str, bytes | dict[str, bytes]]) -> bytes:
    """A version 3 compound file of small streams (each below 4,096 bytes) in at most one level of storages."""
    entries: list[dict[str, object]] = [{"name": "Root Entry", "type": 5, "child": _NONE, "right": _NONE}]
    mini, minifat = bytearray(), []

    def stream(name: str, data: bytes) -> int:
        first = len(mini) // _MINI
        count = -(-len(data) // _MINI)
        mini.extend(data.ljust(count * _MINI, b"\0"))
        minifat.extend([first + i + 1 for i in range(count - 1)] + [_END])
        entries.append({"name": name, "type": 2, "child": _NONE, "right": _NONE, "start": first, "size": len(data)})
        return len(entries) - 1

    def level(children: dict[str, bytes | dict[str, bytes]]) -> int:
        """Siblings as a chain to the right, in the order that MS-CFB 2.6.4 asks for."""
        numbers = []
        for name, content in sorted(children.items(), key=lambda pair: (len(pair[0]), pair[0].upper())):
            if isinstance(content, bytes):
                numbers.append(stream(name, content))
                continue
            entries.append({"name": name, "type": 1, "child": _NONE, "right": _NONE})
            own = len(entries) - 1
            entries[own]["child"] = level(dict(content))
            numbers.append(own)
        for left, right in itertools.pairwise(numbers):
            entries[left]["right"] = right
        return numbers[0]

    entries[0]["child"] = level(tree)
    return _lay_out(entries, bytes(mini), minifat)


def _lay_out(entries: list[dict[str, object]], mini: bytes, minifat: list[int]) -> bytes:
    entries += [{"name": "", "type": 0, "child": _NONE, "right": _NONE}] * (-len(entries) % 4)
    directory_sectors, mini_sectors = len(entries) // 4, -(-len(mini) // _SECTOR)
    directory_at, minifat_at, mini_at = 1, 1 + directory_sectors, 2 + directory_sectors
    fat = [_FAT_SECTOR]
    for length in (directory_sectors, 1, mini_sectors):
        fat += [len(fat) + i + 1 for i in range(length - 1)] + [_END]
    entries[0] |= {"start": mini_at, "size": len(mini)}
    header = struct.pack("<8s16sHHHHH6xIIIIIIIII", bytes.fromhex("D0CF11E0A1B11AE1"), b"", 0x3E, 3, 0xFFFE, 9, 6,
                         0, 1, directory_at, 0, 4096, minifat_at, 1, _END, 0)  # fmt: skip
    header += struct.pack("<I", 0) + struct.pack("<I", _FREE) * 108
    tables = _table(fat) + b"".join(_entry(entry) for entry in entries) + _table(minifat)
    return header + tables + mini.ljust(mini_sectors * _SECTOR, b"\0")


def _table(numbers: list[int]) -> bytes:
    return b"".join(struct.pack("<I", number) for number in numbers).ljust(_SECTOR, b"\xff")


def _entry(entry: dict[str, object]) -> bytes:
    name = str(entry["name"]).encode("utf-16-le")
    length = len(name) + 2 if name else 0
    return struct.pack("<64sHBBIII16sIQQIQ", name, length, entry["type"], 1, _NONE, entry["right"], entry["child"], b"", 0, 0, 0,
                       entry.get("start", 0), entry.get("size", 0))  # fmt: skip
