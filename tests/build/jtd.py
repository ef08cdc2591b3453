"""一太郎 documents stream by stream: the block store, text with records and looks, fonts, styles, the table of streams, compressed ones."""

from __future__ import annotations

import struct

from tests.build.archive import crc16
from tests.build.cfb import compound

CLASS = bytes.fromhex("01705978841dcf1197130020afd806f4")
TABLE = "\x04JSRV_SegmentInformation"
KINDS = {"DocumentText": 2, "DocumentEditStyles": 2, "DocumentViewStyles": 2}


def store(*runs: bytes, numbers: tuple[int, ...] = (), slack: bytes = b"\0") -> bytes:
    """Blocks of 256 bytes, filled up with `slack`, the last run first."""
    blocks, directory = b"", b""
    for index in reversed(range(len(runs))):
        run = runs[index]
        first, count = len(blocks) // 256, -(-len(run) // 256)
        blocks += (run + slack * 256)[: count * 256]
        number = numbers[index] if numbers else index
        directory = struct.pack(f">IIIII{count}I", number, 0, len(run), count, count, *range(first, first + count)) + directory
    return struct.pack(">8sIII", b"SsmgV.01", len(runs), 256, len(blocks) // 256) + blocks + directory + bytes(4)


def units(*pieces: str | int) -> bytes:
    return b"".join(piece.encode("utf-16-be") if isinstance(piece, str) else struct.pack(">H", piece) for piece in pieces)


def text(content: bytes, looks: bytes | None = None) -> bytes:
    """`TextV.01`: units, and looks for all of them."""
    count = len(content) // 2
    return b"TextV.01" + struct.pack(">I", count) + content + (struct.pack(">BI", 0, count) if looks is None else looks)


def words(said: str) -> bytes:
    return store(text(units(said)))


def record(kind: int, *payload: int) -> tuple[int, ...]:
    length = len(payload) + 7
    return (0x1C, kind, length, *payload, length, 0, kind, 0x1F)


def ruby(base: str, reading: str) -> tuple[str | int, ...]:
    foot = (0x1E, 5, 0, 1, 0x1F)
    return (0x1C, 1, 7, 0, 0, 3, 0x1D, base, *foot, 0x1C, 1, 7, 0, 1, 0x82, 0x1D, reading, *foot)


def look(count: int, properties: dict[int, bytes], before: int = 0) -> bytes:
    """A change on the unit behind `before` others, kept for the rest of `count`."""
    change = b"".join(bytes((number, len(value))) + value for number, value in properties.items())
    return struct.pack(">BI", 0, before) + b"\xfe" + change + b"\xff\0" + struct.pack(">BI", 0, count - before - 1) + b"\xff"


def fonts(*names: str) -> bytes:
    def name(said: str) -> bytes:
        return said.encode("utf-16-be") + b"\0\0"

    entries = (struct.pack(">H", index) + bytes(28) + name(one) + bytes(12) + name("標準") for index, one in enumerate(names))
    return b"FontV.01" + struct.pack(">H", len(names)) + b"".join(entries)


def sections(*found: dict[int, bytes]) -> bytes:
    made = b"\0\1\0\2"
    for index, one in enumerate(found):
        inside = b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in one.items()) + b"\xff\xff\0\0"
        made += struct.pack(">HI", 0x1000 + index, len(inside)) + inside
    return made


def table(streams: dict[str, bytes], slack: bytes = b"\0") -> bytes:
    """Of streams and storages at the top."""
    sizes = {path.partition("/")[0]: 0 if "/" in path else len(data) for path, data in streams.items()}
    entries = [
        name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<III", 0, size, KINDS.get(name, 1) if size else 0) + slack * 20 for name, size in sizes.items()
    ]
    head = b"VDA_DOC\0" + bytes.fromhex("00010110f018") + struct.pack("<HHH", 0x90, 0x60, len(entries)) + bytes.fromhex("00000100") + bytes(12) + slack * 0x78
    return head[:0x90].ljust(0x90, b"\0") + b"".join(entry.ljust(0x60, b"\0")[:0x60] for entry in entries)


def streams(**changed: bytes | None) -> dict[str, bytes]:
    """Of a whole document; None leaves one out."""
    made: dict[str, bytes | None] = {
        "Font": fonts("ＭＳ 明朝", "Times New Roman"),
        "Header": words("- ? -"),
        "DocumentText": words("本文\nつづき"),
        "DocumentViewStyles": sections({0x1002: b"\0\xd8" + bytes(8)}, {0x2004: bytes(16)}),
        "DocumentEditStyles": sections({0: bytes(20)}),
        "DocumentPeripheralThree": store(b"\0\1\0\1", b"\0\7" * 90, numbers=(3, 7)),
        **changed,
    }
    return {name: data for name, data in made.items() if data is not None}


def document(given: dict[str, bytes] | None = None, *, said: bytes | None = None, class_id: bytes = CLASS, **layout: bytes) -> bytes:
    """`said`: the table of streams, when it is not to say the truth; `layout`: of the compound file."""
    given = streams() if given is None else given
    made = compound({TABLE: table(given) if said is None else said, **given}, **layout)
    at = 512 * (1 + struct.unpack_from("<I", made, 48)[0]) + 80
    return made[:at] + class_id + made[at + 16 :]


def packed(inner: bytes, *, tail: bytes = b"\0", method: bytes = b"-lh5-", crc: int = 0, more: bytes = b"\0\0", **beside: bytes) -> bytes:
    """A compressed document: one LHa member of level 1 under a path of its author's. `crc`: what is wrong about its checksum."""
    content, name = squeezed(inner), b"C:\\Users\\CANARY-71E4"
    fixed = method + struct.pack("<IIIBBB", len(content), len(inner), 0, 0x20, 1, len(name)) + name
    fixed += struct.pack("<H", crc16(inner) ^ crc) + b" " + more
    stream = b"\x26\0JustCompressedDocument" + bytes(14) + bytes((len(fixed), sum(fixed) & 0xFF)) + fixed + content + tail
    return document({"JSCompDocument": stream, **beside})


def squeezed(data: bytes) -> bytes:
    """-lh5- without any saving: in every block each byte has a code of eight bits, which is itself."""
    bits = ""
    for at in range(0, len(data), 0xFFFF):
        block = data[at : at + 0xFFFF]
        bits += f"{len(block):016b}{0:05b}{10:05b}{256:09b}{0:08b}" + "".join(f"{byte:08b}" for byte in block)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")
