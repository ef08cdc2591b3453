"""Type 1 font programs (Adobe Type 1 Font Format; ISO 32000-2 §9.9): PostScript of which only the words of a font are let through."""

from __future__ import annotations

import re
import struct
from typing import Final

from sanitizers.model import Malformed

_EEXEC: Final = re.compile(rb"currentfile\s+eexec[ \t]?(?:\r\n|[\r\n \t])")
_ZEROS: Final = 512
_C1, _C2 = 52845, 22719
_TRAILER: Final = b"\n" + (b"0" * 64 + b"\n") * 8 + b"cleartomark\n"


def rebuild(data: bytes) -> tuple[bytes, int, int]:
    """The program anew, and the lengths of its clear and its encrypted part. Raises Malformed."""
    if data[:1] == b"\x80":
        data = _without_segments(data)
    start = data.find(b"%!")
    match = _EEXEC.search(data, max(0, start))
    if start < 0 or match is None:
        raise Malformed("Type 1: no encrypted part")
    clear = data[start : match.end()]
    encrypted = _binary(data[match.end() :])
    plain = decrypt(encrypted, 55665)[4:]
    if b"/Private" not in plain[:4096] and b"/CharStrings" not in plain:
        raise Malformed("Type 1: the encrypted part is none")
    return clear + encrypted + _TRAILER, len(clear), len(encrypted)


def _without_segments(data: bytes) -> bytes:
    """The parts of a PFB file joined."""
    out, position = bytearray(), 0
    while position + 6 <= len(data) and data[position] == 0x80 and data[position + 1] in (1, 2):
        (length,) = struct.unpack_from("<I", data, position + 2)
        out += data[position + 6 : position + 6 + length]
        position += 6 + length
    return bytes(out)


def _binary(data: bytes) -> bytes:
    """The encrypted part without the zeros after it; hexadecimal becomes binary."""
    end = data.rfind(b"cleartomark")
    if end >= 0:
        data = _without_zeros(data[:end])
    if re.match(rb"[0-9A-Fa-f\s]{8}", data):
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", data)
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
    return data


def _without_zeros(data: bytes) -> bytes:
    """Without the 512 zeros before `cleartomark`, however they are broken into lines."""
    end, zeros = len(data), 0
    while end and zeros < _ZEROS and data[end - 1 : end] in (b"0", b"\r", b"\n", b" ", b"\t"):
        end -= 1
        zeros += data[end : end + 1] == b"0"
    return data[:end].removesuffix(b"\n")


def decrypt(data: bytes, key: int) -> bytes:
    """Adobe Type 1 Font Format §7.3."""
    out = bytearray(len(data))
    for index, cipher in enumerate(data):
        out[index] = cipher ^ (key >> 8)
        key = ((cipher + key) * _C1 + _C2) & 0xFFFF
    return bytes(out)
