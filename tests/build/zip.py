"""ZIP files byte by byte, so that every record can lie."""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

UTF8 = 0x0800
DESCRIPTOR = 0x0008


@dataclass
class Entry:
    """One member. `local` and `central` override single fields of its records: flags, method, crc, packed, size, name, extra…"""

    name: bytes
    data: bytes = b""
    method: int = 8
    flags: int = 0
    extra: bytes = b""
    attributes: int = 0
    packed: bytes | None = None
    crc: int | None = None
    descriptor: bytes = b""
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)
    before: bytes = b""  # bytes between the member before and this one
    offset: int | None = None  # said in the central record
    listed: bool = True  # has a central record
    written: bool = True  # has a local record
    comment: bytes = b""


@lru_cache(maxsize=8)
def deflate(data: bytes) -> bytes:
    """Remembered for a moment: both headers of a member, and members alike, ask for the same."""
    coder = zlib.compressobj(6, zlib.DEFLATED, -15)
    return coder.compress(data) + coder.flush()


def _fields(entry: Entry) -> dict[str, Any]:
    packed = entry.packed if entry.packed is not None else deflate(entry.data) if entry.method == 8 else entry.data
    crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
    return {
        "flags": entry.flags,
        "method": entry.method,
        "crc": crc,
        "packed": len(packed),
        "size": len(entry.data),
        "name": entry.name,
        "extra": entry.extra,
        "attributes": entry.attributes,
        "comment": entry.comment,
        "disk": 0,
        "body": packed,
    }


def local(entry: Entry) -> bytes:
    true = _fields(entry)
    said, packed = true | entry.local, true["body"]
    record = struct.pack(
        "<4s5H3I2H", b"PK\3\4", 20, said["flags"], said["method"], 0, 33,
        said["crc"], said["packed"], said["size"], len(said["name"]), len(said["extra"]),
    )  # fmt: skip
    return record + said["name"] + said["extra"] + packed + entry.descriptor


def central(entry: Entry, offset: int) -> bytes:
    said = _fields(entry) | entry.central
    record = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 20, 20, said["flags"], said["method"], 0, 33, said["crc"], said["packed"], said["size"],
        len(said["name"]), len(said["extra"]), len(said["comment"]), said["disk"], 0, said["attributes"],
        offset if entry.offset is None else entry.offset,
    )  # fmt: skip
    return record + said["name"] + said["extra"] + said["comment"]


def build(
    *entries: Entry,
    comment: bytes = b"",
    prefix: bytes = b"",
    gap: bytes = b"",
    suffix: bytes = b"",
    zip64: bool = False,
    end: dict[str, int] | None = None,
    end64: dict[str, int] | None = None,
) -> bytes:
    """`end` and `end64` override count, here, size, offset, disk and comment of the end records."""
    out, offsets = bytearray(prefix), []
    for entry in entries:
        out += entry.before
        offsets.append(len(out))
        if entry.written:
            out += local(entry)
    out += gap
    at = len(out)
    listed = [central(entry, offset) for entry, offset in zip(entries, offsets, strict=True) if entry.listed]
    out += b"".join(listed)
    true = {"count": len(listed), "here": len(listed), "size": len(out) - at, "offset": at, "disk": 0, "comment": len(comment)}
    if zip64:
        wide = true | (end64 or {})
        place = len(out)
        out += struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, wide["disk"], 0, wide["here"], wide["count"], wide["size"], wide["offset"])
        out += struct.pack("<4sIQI", b"PK\6\7", 0, place, 1)
        true |= {"count": 0xFFFF, "here": 0xFFFF, "size": 0xFFFFFFFF, "offset": 0xFFFFFFFF}
    said = true | (end or {})
    out += struct.pack(
        "<4s4H2IH",
        b"PK\5\6",
        said["disk"],
        said["disk"],
        said["here"],
        said["count"],
        said["size"],
        said["offset"],
        said["comment"],
    )
    return bytes(out + comment + suffix)


def plain(**members: bytes) -> bytes:
    """An ordinary archive: `a_txt=b"…"` becomes a.txt."""
    return build(*(Entry(name.replace("_", ".").encode(), data) for name, data in members.items()))


def unicode_path(raw: bytes, name: str, crc: int | None = None) -> bytes:
    """The 0x7075 extra field."""
    body = struct.pack("<BI", 1, zlib.crc32(raw) if crc is None else crc) + name.encode()
    return struct.pack("<HH", 0x7075, len(body)) + body


def traditional(entry: Entry, password: bytes, check: int | None = None) -> Entry:
    """The entry, encrypted with ZipCrypto. `check`: the byte that checks the password, by default the highest of the CRC."""
    said = _fields(entry)
    clear = b"0123456789A" + bytes([said["crc"] >> 24 if check is None else check]) + said["body"]
    keys = [0x12345678, 0x23456789, 0x34567890]
    for byte in password:
        _turn(keys, byte)
    secret = bytearray()
    for byte in clear:
        word = keys[2] | 2
        secret.append(byte ^ ((word * (word ^ 1)) >> 8) & 0xFF)
        _turn(keys, byte)
    return replace(entry, flags=entry.flags | 1, packed=bytes(secret))


def _turn(keys: list[int], byte: int) -> None:
    """APPNOTE 6.1.5, with zlib's CRC for one byte of its table."""
    keys[0] = _crc_step(keys[0], byte)
    keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
    keys[2] = _crc_step(keys[2], keys[1] >> 24)


def _crc_step(crc: int, byte: int) -> int:
    return zlib.crc32(bytes([byte]), crc ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def aes(entry: Entry, password: bytes, strength: int = 3, vendor: int = 2) -> Entry:
    """The entry, encrypted with WinZip's AES."""
    said = _fields(entry)
    salt, key_size = bytes(range(4 + 4 * strength)), 8 + 8 * strength
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, 1000, 2 * key_size + 2)
    coder = Cipher(algorithms.AES(keys[:key_size]), modes.ECB()).encryptor()
    body = said["body"]
    stream = b"".join(coder.update(number.to_bytes(16, "little")) for number in range(1, len(body) // 16 + 2))
    secret = bytes(a ^ b for a, b in zip(body, stream, strict=False))
    seal = hmac.new(keys[key_size : 2 * key_size], secret, "sha1").digest()[:10]
    extra = struct.pack("<HHH2sBH", 0x9901, 7, vendor, b"AE", strength, entry.method)
    crc = 0 if vendor == 2 else zlib.crc32(entry.data)
    return replace(entry, method=99, flags=entry.flags | 1, extra=extra, crc=crc, packed=salt + keys[2 * key_size :] + secret + seal)
