"""RAR files with stored members, under a password or not. Written from the formats' descriptions; shares nothing with the reader."""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from functools import cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_SALT, _VECTOR = b"0123456789abcdef", bytes(range(16, 32))


def _cbc(key: bytes, vector: bytes, data: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor().update(data + bytes(-len(data) % 16))


def _vint(value: int) -> bytes:
    low = value & 0x7F
    return bytes([low]) if value < 0x80 else bytes([low | 0x80]) + _vint(value >> 7)


# ---------------------------------------------------------------------------------------------------------------- RAR 5


def _keys5(password: str, rounds: int) -> tuple[bytes, bytes, bytes]:
    """Key, key of the checksums, and the check with its own checksum."""
    keys = [hashlib.pbkdf2_hmac("sha256", password.encode(), _SALT, (1 << rounds) + more) for more in (0, 16, 32)]
    check = bytearray(8)
    for index, byte in enumerate(keys[2]):
        check[index % 8] ^= byte
    return keys[0], keys[1], bytes(check) + hashlib.sha256(check).digest()[:4]


def _head5(kind: int, body: bytes, extra: bytes = b"", packed: int | None = None) -> bytes:
    flags = bool(extra) | (packed is not None) << 1
    inner = _vint(kind) + _vint(flags) + (_vint(len(extra)) if extra else b"") + (_vint(packed) if packed is not None else b"") + body + extra
    sized = _vint(len(inner)) + inner
    return struct.pack("<I", zlib.crc32(sized)) + sized


def rar5(
    members: dict[str, bytes], password: str = "", *, names_too: bool = False, tweaked: bool = True, rounds: int = 4,
    volume: bool = False, crc_off: int = 0, check_off: int = 0, said_rounds: int | None = None,
) -> bytes:  # fmt: skip
    said = bytes([rounds if said_rounds is None else said_rounds])
    key, sum_key, check = _keys5(password, rounds)
    check = bytes([check[0] ^ check_off]) + check[1:]
    blocks: list[tuple[bytes, bytes]] = [(_head5(1, _vint(volume)), b"")]
    for name, data in members.items():
        crc, extra, packed = zlib.crc32(data), b"", data
        if password:
            if tweaked:
                digest = hmac.new(sum_key, struct.pack("<I", crc), "sha256").digest()
                crc = 0
                for index, byte in enumerate(digest):
                    crc ^= byte << (index % 4 * 8)
            record = _vint(1) + _vint(0) + _vint(1 | tweaked << 1) + said + _SALT + _VECTOR + check
            extra, packed = _vint(len(record)) + record, _cbc(key, _VECTOR, data)
        raw = name.encode()
        body = _vint(4) + _vint(len(data)) + _vint(0x20) + struct.pack("<I", crc ^ crc_off) + _vint(0) + _vint(0) + _vint(len(raw)) + raw
        blocks.append((_head5(2, body, extra, len(packed)), packed))
    blocks.append((_head5(5, _vint(0)), b""))
    out = b"Rar!\x1a\x07\x01\x00"
    if names_too:
        out += _head5(4, _vint(0) + _vint(1) + said + _SALT + check)
        blocks = [(_VECTOR + _cbc(key, _VECTOR, head), packed) for head, packed in blocks]
    return out + b"".join(head + packed for head, packed in blocks)


# ---------------------------------------------------------------------------------------------------------- RAR 3 and 4


@cache
def _key4(password: str, salt: bytes) -> tuple[bytes, bytes]:
    state, vector = hashlib.sha1(), b""
    seed = password.encode("utf-16-le") + salt
    for turn in range(0x40000):
        state.update(seed + struct.pack("<I", turn)[:3])
        if turn % 0x4000 == 0:
            vector += state.copy().digest()[-1:]
    words = struct.unpack(">5I", state.digest())
    return struct.pack("<4I", *words[:4]), vector


def _head4(kind: int, flags: int, rest: bytes) -> bytes:
    inner = struct.pack("<BHH", kind, flags, 7 + len(rest)) + rest
    return struct.pack("<H", zlib.crc32(inner) & 0xFFFF) + inner


def rar4(
    members: dict[str, bytes], password: str = "", *, names_too: bool = False, locked: frozenset[str] | None = None, version: int = 29, crc_off: int = 0
) -> bytes:
    """`locked`: the names that are, by default all."""
    salt = _SALT[:8]
    key, vector = _key4(password, salt) if password else (b"", b"")
    out = b"Rar!\x1a\x07\x00" + _head4(0x73, 0x80 if names_too else 0, bytes(6))
    blocks: list[tuple[bytes, bytes]] = []
    for name, data in members.items():
        secret = bool(password) and (locked is None or name in locked)
        packed = _cbc(key, vector, data) if secret else data
        raw = name.encode()
        rest = struct.pack("<IIBIIBBHI", len(packed), len(data), 2, zlib.crc32(data) ^ crc_off, 0x5A21_0000, version, 0x30, len(raw), 0x20) + raw
        blocks.append((_head4(0x74, 0x8000 | 0x404 * secret, rest + salt * secret), packed))
    blocks.append((_head4(0x7B, 0x4000, b""), b""))
    return out + b"".join((salt + _cbc(key, vector, head) if names_too else head) + packed for head, packed in blocks)
