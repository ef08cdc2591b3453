"""VBA projects are never copied. They are opened only to tell users which macros were there, and to let the rules see their source.

[MS-OVBA] §2.3 (project streams) and §2.4.1 (compression).
"""

from __future__ import annotations

import codecs
import io
import re
import struct
from typing import Final

import olefile

from sanitizers.context import Context
from sanitizers.model import LimitExceeded

for _name in ("cp932", "utf-16-le", "latin-1"):   # codecs load themselves late; inside the jail it would be too late
    codecs.lookup(_name)

_MODULE: Final = re.compile(rb"^(?:Module|Class|Document|BaseClass)=([^\r\n/]{1,100})", re.MULTILINE)
_SIGNATURE: Final = 1
_CHUNK: Final = 4096
_LARGEST: Final = 8 << 20           # bytes of one stream
_MOST_STREAMS: Final = 1000


def describe(data: bytes, where: str, context: Context) -> str:
    """The names of the modules, for the report; the source of each goes to the rules. "" for what is no readable project."""
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as compound:
            streams = compound.listdir(streams=True, storages=False)[:_MOST_STREAMS]
            for path in streams:
                if len(path) >= 2 and path[-2].upper() == "VBA" and compound.get_size(path) <= _LARGEST:
                    _scan(compound.openstream(path).read(), f"{where}/{path[-1]}", context)
            project = next((path for path in streams if path[-1].upper() == "PROJECT"), None)
            text = compound.openstream(project).read(_LARGEST) if project else b""
    except (OSError, ValueError, IndexError, TypeError, AttributeError, KeyError, struct.error):
        return ""     # broken on purpose or not: it stays behind all the same
    names = (name.decode("cp932", "replace") for name in _MODULE.findall(text))
    return ", ".join("".join(char for char in name if char.isprintable()) for name in names)


def _scan(stream: bytes, where: str, context: Context) -> None:
    """Every compressed container in a stream of the project: a module's source begins at an offset that only `dir` knows."""
    for start in _containers(stream):
        source = decompress(stream[start:], min(_LARGEST, context.budget.expanded_left))
        context.budget.spend_bytes(len(source))
        if b"Attribute VB" in source or b"Sub " in source or b"Function " in source:
            context.scan_layer(source, where)
            return


def _containers(stream: bytes) -> list[int]:
    """Where containers may begin: a signature byte before a chunk header whose three bits are right; the last few are tried."""
    found = [match.start() for match in re.finditer(rb"\x01.[\x30-\x3f\xb0-\xbf]", stream, re.DOTALL)]
    sources = [at for at in found if stream[at + 3 : at + 12].startswith(b"\x00Attribut")]
    return (sources or found)[:8]


def decompress(data: bytes, cap: int) -> bytes:
    """[MS-OVBA] §2.4.1.3: chunks of literals and of copies from the chunk's own start. Stops quietly where the data stop making sense.

    Raises LimitExceeded past `cap` bytes.
    """
    if not data or data[0] != _SIGNATURE:
        return b""
    out = bytearray()
    at = 1
    while at + 2 <= len(data):
        header, = struct.unpack_from("<H", data, at)
        end = min(at + (header & 0x0FFF) + 3, len(data))
        if header & 0x7000 != 0x3000:
            break
        if header & 0x8000:
            _chunk(data, at + 2, end, out)
        else:
            out += data[at + 2 : at + 2 + _CHUNK]
        at = end
        if len(out) > cap:
            raise LimitExceeded("macro source")
    return bytes(out)


def _chunk(data: bytes, at: int, end: int, out: bytearray) -> None:
    start = len(out)
    while at < end:
        flags = data[at]
        at += 1
        for bit in range(8):
            if at >= end:
                return
            if not flags >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            if at + 2 > end or len(out) == start:
                return
            token, = struct.unpack_from("<H", data, at)
            at += 2
            bits = max((len(out) - start - 1).bit_length(), 4)
            length, offset = (token & (0xFFFF >> bits)) + 3, (token >> (16 - bits)) + 1
            if offset > len(out) - start:
                return
            for _ in range(length):
                out.append(out[-offset])
