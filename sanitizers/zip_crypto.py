"""The two encryptions of ZIP members that people use: PKWARE's traditional one (ZipCrypto) and WinZip's AES (AE-1, AE-2).

Sources: APPNOTE.TXT 6.3.10 section 6.1; WinZip "AES Encryption Information", version 1.04.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sanitizers import library
from sanitizers.model import Encrypted, LimitExceeded, Malformed
from sanitizers.source import Source
from sanitizers.zip_records import (
    CENTRAL,
    CENTRAL_RECORD,
    DESCRIPTOR,
    END,
    END_RECORD,
    FLAG_DESCRIPTOR,
    FLAG_ENCRYPTED,
    FLAG_MASKED,
    FLAG_STRONG,
    LOCAL,
    LOCAL_RECORD,
    STORED,
    Aes,
)

_HEADER: Final = 12               # random bytes before ZipCrypto data; the last one checks the password
_VERIFIER: Final = 2              # bytes that check an AES password
_AUTHENTICATOR: Final = 10        # HMAC-SHA1-80 after AES data
_ROUNDS: Final = 1000
_BLOCKS: Final = 1 << 16          # AES blocks per step: 1 MiB

Content = Callable[[bytes | memoryview, int, int, int | None, str], Source]


class Locked(NamedTuple):
    """What is needed to open one encrypted member. `packed` holds header, data and authenticator; sizes in bytes."""

    flags: int
    time: int
    crc: int
    size: int
    method: int
    aes: Aes | None
    packed: memoryview


def _table() -> tuple[int, ...]:
    rows = []
    for row in range(256):
        for _ in range(8):
            row = (row >> 1) ^ 0xEDB88320 if row & 1 else row >> 1  # noqa: PLW2901 - the usual CRC table
        rows.append(row)
    return tuple(rows)


_CRC: Final = _table()


def unlock(locked: Locked, passwords: tuple[str, ...], content: Content, where: str) -> Source:
    """The member's content with the first password that opens it. Raises Encrypted if none does."""
    if locked.flags & (FLAG_STRONG | FLAG_MASKED):
        raise Encrypted("PKWARE strong encryption", where=where)
    opened = _open_aes if locked.aes else _open_traditional
    for password in spellings(passwords):
        made = opened(locked, password, content, where)
        if made is not None:
            return made
    raise Encrypted("no password opens it" if passwords else "needs a password", where=where)


def spellings(passwords: tuple[str, ...]) -> Iterator[bytes]:
    """Each password as UTF-8 and, where that differs, as CP932, which Japanese tools use."""
    for password in passwords:
        yield password.encode()
        if not password.isascii():
            try:
                yield password.encode("cp932")
            except UnicodeEncodeError:
                continue


def _open_aes(locked: Locked, password: bytes, content: Content, where: str) -> Source | None:
    """None for a wrong password; what is authenticated and still broken raises Malformed."""
    assert locked.aes is not None
    salt_size, key_size = 4 + 4 * locked.aes.strength, 8 + 8 * locked.aes.strength
    data = locked.packed
    if len(data) < salt_size + _VERIFIER + _AUTHENTICATOR:
        raise Malformed("too short for its encryption", code="zip.size")
    keys = hashlib.pbkdf2_hmac("sha1", password, data[:salt_size], _ROUNDS, 2 * key_size + _VERIFIER)
    begin = salt_size + _VERIFIER
    if not hmac.compare_digest(keys[2 * key_size :], bytes(data[salt_size:begin])):
        return None
    body = data[begin : len(data) - _AUTHENTICATOR]
    seal = hmac.new(keys[key_size : 2 * key_size], body, "sha1").digest()[:_AUTHENTICATOR]
    if not hmac.compare_digest(seal, bytes(data[-_AUTHENTICATOR:])):
        return None
    crc = None if locked.aes.vendor == 2 else locked.crc
    return content(_count_mode(keys[:key_size], body), locked.method, locked.size, crc, where)


def _count_mode(key: bytes, body: memoryview) -> bytes:
    """AES in counter mode with WinZip's little-endian counter from 1."""
    coder = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the block function of the counter mode below
    pieces = []
    for at in range(0, len(body), 16 * _BLOCKS):
        piece = body[at : at + 16 * _BLOCKS]
        first = at // 16 + 1
        blocks = b"".join(number.to_bytes(16, "little") for number in range(first, first + (len(piece) + 15) // 16))
        stream = coder.update(blocks)[: len(piece)]
        mixed = int.from_bytes(piece, "little") ^ int.from_bytes(stream, "little")
        pieces.append(mixed.to_bytes(len(piece), "little"))
    return b"".join(pieces)


def _open_traditional(locked: Locked, password: bytes, content: Content, where: str) -> Source | None:
    """Checked here, decrypted by libarchive, which is fifty times as fast; None for a wrong password."""
    if len(locked.packed) < _HEADER:
        raise Malformed("too short for its encryption", code="zip.size")
    if b"\0" in password or not password or not _fits(locked, password):
        return None
    try:
        with library.reading(_alone(locked), "zip", passwords=(password,)) as opened:
            made = opened.first(locked.size)
        return content(made.view, STORED, locked.size, locked.crc, where)
    except (Malformed, Encrypted, LimitExceeded):     # one wrong password in 256 passes the check, and gives garbage
        return None


def _alone(locked: Locked) -> bytes:
    """An archive of this member alone, for a reader that checks the password against the CRC or, behind flag 3, the time."""
    shared = (20, locked.flags & (FLAG_ENCRYPTED | FLAG_DESCRIPTOR), locked.method, locked.time, 33,
              locked.crc, len(locked.packed), locked.size, 1, 0)  # fmt: skip
    record = LOCAL_RECORD.pack(LOCAL, *shared) + b"x"
    descriptor = DESCRIPTOR + struct.pack("<III", locked.crc, len(locked.packed), locked.size) if locked.flags & FLAG_DESCRIPTOR else b""
    directory = CENTRAL_RECORD.pack(CENTRAL, 20, *shared, 0, 0, 0, 0, 0) + b"x"
    at = len(record) + len(locked.packed) + len(descriptor)
    end = END_RECORD.pack(END, 0, 0, 1, 1, len(directory), at, 0)
    return b"".join((record, locked.packed, descriptor, directory, end))


def _fits(locked: Locked, password: bytes) -> bool:
    """The check byte is the CRC's highest, or with a data descriptor the time's (Info-ZIP); in the end the content's CRC decides."""
    key0, key1, key2 = 0x12345678, 0x23456789, 0x34567890
    for byte in password:
        key0, key1, key2 = _turned(key0, key1, key2, byte)
    plain = 0
    for byte in locked.packed[:_HEADER]:
        word = key2 | 2
        plain = byte ^ (((word * (word ^ 1)) >> 8) & 0xFF)
        key0, key1, key2 = _turned(key0, key1, key2, plain)
    return plain in (locked.crc >> 24, locked.time >> 8) if locked.flags & FLAG_DESCRIPTOR else plain == locked.crc >> 24


def _turned(key0: int, key1: int, key2: int, byte: int) -> tuple[int, int, int]:
    key0 = (key0 >> 8) ^ _CRC[(key0 ^ byte) & 0xFF]
    key1 = ((key1 + (key0 & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
    return key0, key1, (key2 >> 8) ^ _CRC[(key2 ^ (key1 >> 24)) & 0xFF]
