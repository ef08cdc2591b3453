"""ICC profiles (ICC.1:2022): the header checked, known tags copied in order, nothing between or after them."""

from __future__ import annotations

import struct
from typing import Final

_HEADER: Final = 128
_SIGNATURE_AT: Final = 36
_SPACES: Final = {b"GRAY": 1, b"RGB ": 3, b"Lab ": 3, b"XYZ ": 3, b"YCbr": 3, b"HSV ": 3, b"CMY ": 3, b"CMYK": 4}
_TAGS: Final = frozenset(
    b"desc cprt wtpt bkpt rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC chad A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 gamt lumi meas view tech "
    b"chrm clro cicp D2B0 D2B1 D2B2 B2D0 B2D1 B2D2 rig0 ciis pre0 pre1 pre2".split()
)
# Type signatures of those tags (§10).
_TYPES: Final = frozenset((
    b"desc", b"mluc", b"text", b"XYZ ", b"curv", b"para", b"sf32", b"uf32", b"mft1", b"mft2", b"mAB ", b"mBA ", b"mpet", b"meas", b"view",
    b"sig ", b"chrm", b"clro", b"cicp", b"ui08", b"ui16", b"ui32", b"data",
))
_MAX_TAGS: Final = 100


def rebuild(data: bytes, count: int) -> bytes | None:
    """The profile anew, or None if it is none for `count` components. Data outside the known tags is dropped."""
    if len(data) < _HEADER + 4 or data[_SIGNATURE_AT : _SIGNATURE_AT + 4] != b"acsp" or _SPACES.get(data[16:20]) != count:
        return None
    (tags,) = struct.unpack_from(">I", data, _HEADER)
    if tags > _MAX_TAGS or len(data) < _HEADER + 4 + 12 * tags:
        return None
    rows: list[tuple[bytes, bytes]] = []
    for index in range(tags):
        tag, offset, size = struct.unpack_from(">4sII", data, _HEADER + 4 + 12 * index)
        body = data[offset : offset + size]
        if tag not in _TAGS:
            continue
        if len(body) != size or size < 8 or body[:4] not in _TYPES:
            return None
        rows.append((tag, body))
    return _write(data[:_HEADER], rows) if rows else None


def _write(header: bytes, rows: list[tuple[bytes, bytes]]) -> bytes:
    """Tags with the same body share it, as the format allows."""
    table, bodies = bytearray(struct.pack(">I", len(rows))), bytearray()
    start = _HEADER + 4 + 12 * len(rows)
    placed: dict[bytes, int] = {}
    for tag, body in rows:
        if body not in placed:
            placed[body] = start + len(bodies)
            bodies += body + bytes(-len(body) % 4)
        table += struct.pack(">4sII", tag, placed[body], len(body))
    size = struct.pack(">I", start + len(bodies))
    # Bytes 84–99 would hold a digest of the old profile, 100–127 are reserved.
    return size + header[4:84] + bytes(44) + bytes(table) + bytes(bodies)
