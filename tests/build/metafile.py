"""EMF and WMF files for tests, record by record."""

from __future__ import annotations

import struct
from collections.abc import Iterable

CANARY = b"SEKISHO-CANARY-2026"
FRAME = (0, 0, 199, 99), (0, 0, 5291, 2645)  # bounds in device units, frame in hundredths of a millimetre


def record(kind: int, body: bytes = b"") -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, 8 + len(body)) + body


END = record(14, struct.pack("<III", 0, 16, 20))


def emf(*records: bytes, handles: int = 8, description: str = "", tail: bytes = b"") -> bytes:
    """A drawing of 200 x 100 units with these records between header and end."""
    text = (description + "\0").encode("utf-16-le") if description else b""
    size = 108 + len(text) + -len(text) % 4
    body = b"".join([*records, END])
    bounds, frame = FRAME
    header = struct.pack("<8I", *bounds, *frame) + struct.pack("<IIIIHH", 0x464D4520, 0x10000, size + len(body), len(records) + 2, handles, 0)
    header += struct.pack("<IIIIIII", len(text) // 2, 108 if text else 0, 0, 1920, 1080, 508, 286) + struct.pack("<5I", 0, 0, 0, 508000, 286000)
    return struct.pack("<II", 1, size) + header + text + bytes(-len(text) % 4) + body + tail


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def create_brush(handle: int, colour: int) -> bytes:
    return record(39, struct.pack("<IIII", handle, 0, colour, 0))


def select(handle: int) -> bytes:
    return record(37, struct.pack("<I", handle))


def rectangle(left: int, top: int, right: int, bottom: int) -> bytes:
    return record(43, words(left, top, right, bottom))


def comment(data: bytes) -> bytes:
    return record(70, struct.pack("<I", len(data)) + data)


def emf_plus(*, dual: bool) -> bytes:
    return comment(b"EMF+" + struct.pack("<HHIIIIII", 0x4001, int(dual), 28, 16, 0xDBC01002, 0, 96, 96))


def font(handle: int, name: str, slack: bytes = b"") -> bytes:
    face = (name + "\0").encode("utf-16-le") + slack
    return record(82, struct.pack("<Iiiiii8B", handle, -20, 0, 0, 0, 400, 0, 0, 0, 128, 0, 0, 0, 0) + face[:64].ljust(64, b"\0") + slack.ljust(228, b"\0"))


def text(at: tuple[int, int], letters: str, gap: bytes = b"") -> bytes:
    """ExtTextOutW with the distance 12 after every letter; `gap`: bytes between the fields and the letters."""
    coded = letters.encode("utf-16-le")
    coded += bytes(-len(coded) % 4)
    distances = words(*[12] * len(letters))
    start = 76 + len(gap)
    fields = words(0, 0, -1, -1) + struct.pack("<Iff", 1, 1.0, 1.0) + words(*at)
    fields += struct.pack("<III", len(letters), start, 0) + words(0, 0, -1, -1) + struct.pack("<I", start + len(coded))
    return record(84, fields + gap + coded + distances)


def dib(rows: bytes, size: tuple[int, int], bits: int = 24, palette: bytes = b"") -> tuple[bytes, bytes]:
    """(header and palette, rows)."""
    return struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, 0, len(rows), 0, 0, len(palette) // 4, 0) + palette, rows


def stretch_dib(info: bytes, rows: bytes, target: tuple[int, int, int, int] = (10, 10, 50, 50), source: tuple[int, int, int, int] = (0, 0, 2, 2)) -> bytes:
    """Targets and sources as x, y, width, height."""
    x, y, width, height = target
    fields = words(0, 0, 199, 99) + words(x, y, *source[:2], *source[2:])
    fields += struct.pack("<4I", 80, len(info), 80 + len(info), len(rows)) + struct.pack("<II", 0, 0xCC0020) + words(width, height)
    return record(81, fields + info + rows)


def alpha_blend(info: bytes, rows: bytes, size: tuple[int, int]) -> bytes:
    identity = struct.pack("<6f", 1, 0, 0, 1, 0, 0)
    fields = words(0, 0, 199, 99) + words(100, 10, 50, 50) + struct.pack("<I", 0x01FF0000) + words(0, 0) + identity + struct.pack("<II", 0, 0)
    fields += struct.pack("<4I", 108, len(info), 108 + len(info), len(rows)) + words(*size)
    return record(114, fields + info + rows)


# -------------------------------------------------------------------------------------------------------------------------- EMF, more calls

IDENTITY = struct.pack("<6f", 1, 0, 0, 1, 0, 0)


def points(kind: int, *places: tuple[int, int], wide: bool = True) -> bytes:
    flat = [one for place in places for one in place]
    return record(kind, words(0, 0, 0, 0) + struct.pack("<I", len(places)) + (words(*flat) if wide else shorts(*flat)))


def pen(handle: int, style: int, width: int, colour: int) -> bytes:
    return record(38, struct.pack("<IIiiI", handle, style, width, 0, colour)) + select(handle)


def number(kind: int, value: int) -> bytes:
    return record(kind, struct.pack("<I", value))


def region(*boxes: tuple[int, int, int, int]) -> bytes:
    return struct.pack("<4I", 32, 1, len(boxes), 16 * len(boxes)) + words(0, 0, 0, 0) + b"".join(words(*one) for one in boxes)


def clip(mode: int, *boxes: tuple[int, int, int, int]) -> bytes:
    data = region(*boxes) if boxes else b""
    return record(75, struct.pack("<II", len(data), mode) + data)


def blit(operation: int, target: tuple[int, int, int, int], picture: tuple[bytes, bytes] | None = None, size: tuple[int, int] = (2, 2)) -> bytes:
    """STRETCHBLT, or BITBLT without a picture."""
    head = words(0, 0, 199, 99) + words(*target) + struct.pack("<I", operation) + words(0, 0) + IDENTITY + struct.pack("<II", 0, 0)
    if picture is None:
        return record(76, head + bytes(16))
    info, rows = picture
    return record(77, head + struct.pack("<4I", 108, len(info), 108 + len(info), len(rows)) + words(*size) + info + rows)


# -------------------------------------------------------------------------------------------------------------------------- WMF


def wmf_record(function: int, body: bytes = b"") -> bytes:
    body += bytes(len(body) & 1)
    return struct.pack("<IH", 3 + len(body) // 2, function) + body


def wmf(*records: bytes, placeable: bool = True, objects: int = 4, tail: bytes = b"", end: bool = True) -> bytes:
    body = [*records, wmf_record(0)] if end else [*records]
    head = struct.pack("<IHhhhhHI", 0x9AC6CDD7, 0, 0, 0, 200, 100, 96, 0)
    checksum = 0
    for word in struct.unpack("<10H", head):
        checksum ^= word
    size = 9 + sum(map(len, body)) // 2
    header = struct.pack("<HHHIHIH", 1, 9, 0x300, size, objects, largest(body), 0)
    return (head + struct.pack("<H", checksum) if placeable else b"") + header + b"".join(body) + tail


def largest(records: Iterable[bytes]) -> int:
    return max((len(one) // 2 for one in records), default=0)


def shorts(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}h", *values)


def escape(number: int, data: bytes) -> bytes:
    return wmf_record(0x0626, struct.pack("<HH", number, len(data)) + data)
