"""Outlook's own containers built byte by byte: winmail.dat (MS-OXTNEF), .msg (MS-OXMSG in MS-CFB), compressed RTF (MS-OXRTFCP)."""

from __future__ import annotations

import struct
from typing import Any

Tree = dict[str, Any]   # of a compound file: name -> bytes of a stream or Tree of a storage
Values = dict[int, Any]  # of an item: property identifier -> str, bytes (8-bit text), bytearray (binary) or int

_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_IMESSAGE = bytes.fromhex("0703020000000000c000000000000046")
TNEF = b"\x78\x9f\x3e\x22\x01\x00"


# --------------------------------------------------------------------------------------------------------- compound files


def compound(tree: Tree) -> bytes:
    """A compound file of version 3; streams below 4096 bytes are in the mini stream, entries of a storage form a chain."""
    rows: list[list[Any]] = [["Root Entry", 5, tree, _FREE, _FREE]]
    _rows(tree, 0, rows)
    mini, mini_fat, sectors, fat = bytearray(), list[int](), list[bytes](), list[int]()

    def place(data: bytes) -> int:
        start, count = len(sectors), -(-len(data) // 512)
        sectors.extend(data[at : at + 512].ljust(512, b"\0") for at in range(0, len(data), 512))
        fat.extend([*range(start + 1, start + count), _END] if count else [])
        return start if count else _END

    placed = []
    for _, kind, content, _, _ in rows[1:]:
        if kind == 1:
            placed.append((0, 0))
        elif len(content) >= 4096:
            placed.append((place(content), len(content)))
        else:
            start, count = len(mini_fat), -(-len(content) // 64)
            mini += content.ljust(count * 64, b"\0")
            mini_fat += [*range(start + 1, start + count), _END] if count else []
            placed.append((start if count else _END, len(content)))
    placed.insert(0, (place(bytes(mini)), len(mini)))
    directory = b"".join(_row(row, *where) for row, where in zip(rows, placed, strict=True))
    first_directory = place(directory.ljust(-(-len(directory) // 512) * 512, b"\0"))
    first_mini = place(struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(-(-len(mini_fat) * 4 // 512) * 512, b"\xff"))
    count = next(n for n in range(1, 110) if (len(fat) + n) * 4 <= n * 512)
    first_fat = len(sectors)
    fat += [_FAT] * count
    fat += [_FREE] * (count * 128 - len(fat))
    packed = struct.pack(f"<{len(fat)}I", *fat)
    difat = [first_fat + n if n < count else _FREE for n in range(109)]
    mini_count = -(-len(mini_fat) * 4 // 512)
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, count, first_directory, 0, 4096, first_mini, mini_count, _END, 0)
    return header + struct.pack("<109I", *difat) + b"".join(sectors) + packed


def _rows(tree: Tree, parent: int, rows: list[list[Any]]) -> None:
    ordered = sorted(tree, key=lambda name: (len(name), name.upper()))
    first = len(rows)
    for number, name in enumerate(ordered):
        right = first + number + 1 if number + 1 < len(ordered) else _FREE
        rows.append([name, 1 if isinstance(tree[name], dict) else 2, tree[name], right, _FREE])
    if ordered:
        rows[parent][4] = first
    for number, name in enumerate(ordered):
        if isinstance(tree[name], dict):
            _rows(tree[name], first + number, rows)


def _row(row: list[Any], start: int, size: int) -> bytes:
    name, kind, _, right, child = row
    raw = name.encode("utf-16-le") + b"\0\0"
    return raw.ljust(64, b"\0") + struct.pack("<HBBIII", len(raw), kind, 1, _FREE, right, child) + bytes(36) + struct.pack("<IQ", start, size)


# ------------------------------------------------------------------------------------------------------------------- .msg


def msg(values: Values, *, recipients: tuple[Values, ...] = (), files: tuple[Values | tuple[Values, Tree], ...] = ()) -> bytes:
    return compound(msg_tree(values, recipients=recipients, files=files))


def msg_tree(
    values: Values, *, recipients: tuple[Values, ...] = (), files: tuple[Values | tuple[Values, Tree], ...] = (), start: int = 32
) -> Tree:
    """`files`: properties of an attachment, or those and the tree of an attached message (made with `start=24`)."""
    tree = _storage(values, start)
    for number, row in enumerate(recipients):
        tree[f"__recip_version1.0_#{number:08X}"] = _storage(row, 8)
    for number, file in enumerate(files):
        row, inner = file if isinstance(file, tuple) else (file, None)
        storage = _storage(row, 8)
        if inner is not None:
            storage["__substg1.0_3701000D"] = inner
        tree[f"__attach_version1.0_#{number:08X}"] = storage
    return tree


def _storage(values: Values, start: int) -> Tree:
    tree: Tree = {}
    table = bytearray(start)
    for tag, value in values.items():
        kind = _kind(value)
        if isinstance(value, int):
            table += struct.pack("<HHIQ", kind, tag, 6, value)
        else:
            tree[f"__substg1.0_{tag:04X}{kind:04X}"] = _raw(value)
            table += struct.pack("<HHIII", kind, tag, 6, len(_raw(value)), 0)
    tree["__properties_version1.0"] = bytes(table)
    return tree


def _kind(value: Any) -> int:
    if isinstance(value, int):
        return 0x40 if value >= 1 << 32 else 0x3
    return 0x1F if isinstance(value, str) else 0x102 if isinstance(value, bytearray) else 0x1E


def _raw(value: str | bytes | bytearray) -> bytes:
    return value.encode("utf-16-le", "surrogatepass") if isinstance(value, str) else bytes(value)


# ------------------------------------------------------------------------------------------------------------ winmail.dat


def attribute(tag: int, value: bytes, *, attached: bool = False, checksum: int | None = None) -> bytes:
    level = 2 if attached else 1
    total = sum(value) & 0xFFFF if checksum is None else checksum
    return struct.pack("<BHHI", level, tag & 0xFFFF, tag >> 16, len(value)) + value + struct.pack("<H", total)


def tnef(values: Values, *files: tuple[str, bytes] | Values, page: int = 932, tail: bytes = b"") -> bytes:
    """`files`: (title in `page`, content), or the properties of an attachment."""
    codec = {932: "cp932", 65001: "utf-8"}.get(page, f"cp{page}")
    out = TNEF + attribute(0x00069007, struct.pack("<II", page, 0)) + attribute(0x00069003, mapi(values))
    for file in files:
        out += attribute(0x00069002, bytes(14), attached=True)
        if isinstance(file, tuple):
            out += attribute(0x00018010, file[0].encode(codec) + b"\0", attached=True) + attribute(0x0006800F, file[1], attached=True)
        else:
            out += attribute(0x00069005, mapi(file), attached=True)
    return out + tail


def mapi(values: Values) -> bytes:
    out = struct.pack("<I", len(values))
    for tag, value in values.items():
        kind = 0x0D if isinstance(value, tuple) else _kind(value)
        out += struct.pack("<HH", kind, tag)
        if isinstance(value, int):
            out += struct.pack("<Q", value) if kind == 0x40 else struct.pack("<I", value)
        else:
            raw = _IMESSAGE + value[0] if isinstance(value, tuple) else _raw(value)
            out += struct.pack("<II", 1, len(raw)) + raw + bytes(-len(raw) % 4)
    return out


# --------------------------------------------------------------------------------------------------------------------- RTF


def compressed(rtf: bytes) -> bytearray:
    """LZFu with letters only: right, if not small."""
    runs = b"".join(b"\0" + rtf[at : at + 8] for at in range(0, len(rtf), 8))
    return bytearray(struct.pack("<II4sI", len(runs) + 12, len(rtf), b"LZFu", 0) + runs)


def uncompressed(rtf: bytes) -> bytearray:
    return bytearray(struct.pack("<II4sI", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf)
