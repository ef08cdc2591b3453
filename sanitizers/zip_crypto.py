"""The two encryptions of ZIP members that people use: PKWARE's traditional one (ZipCrypto) and WinZip's AES (AE-1, AE-2).

Sources: APPNOTE.TXT 6.3.10 section 6.1; WinZip "AES Encryption Information", version 1.04.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sanitizers.model import Encrypted, Malformed
from sanitizers.zip_records import FLAG_DESCRIPTOR, FLAG_MASKED, FLAG_STRONG, Aes

_HEADER: Final = 12               # random bytes before ZipCrypto data; the last one checks the password
_VERIFIER: Final = 2              # bytes that check an AES password
_AUTHENTICATOR: Final = 10        # HMAC-SHA1-80 after AES data
_ROUNDS: Final = 1000
_BLOCKS: Final = 1 << 16          # AES blocks per step: 1 MiB

Content = Callable[[bytes | memoryview, int, int, int | None, str], bytes]


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


def unlock(locked: Locked, passwords: tuple[str, ...], content: Content, where: str) -> bytes:
    """The member's content with the first password that opens it. Raises Encrypted if none does."""
    if locked.flags & (FLAG_STRONG | FLAG_MASKED):
        raise Encrypted("PKWARE strong encryption", where=where)
    opened = _open_aes if locked.aes else _open_traditional
    for password in spellings(passwords):
        data = opened(locked, password)
        if data is None:
            continue
        crc = None if locked.aes and locked.aes.vendor == 2 else locked.crc
        try:
            return content(data, locked.method, locked.size, crc, where)
        except Malformed:
            if locked.aes:      # authenticated: the password is right and the content is broken
                raise
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


def _open_aes(locked: Locked, password: bytes) -> bytes | None:
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
    return _count_mode(keys[:key_size], body)


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


def _open_traditional(locked: Locked, password: bytes) -> bytes | None:
    if len(locked.packed) < _HEADER:
        raise Malformed("too short for its encryption", code="zip.size")
    keys = _keys(password)
    head, keys = _decipher(bytes(locked.packed[:_HEADER]), keys)
    # The check byte is the CRC's highest, or with a data descriptor the time's (Info-ZIP); in the end the content's CRC decides.
    checks = (locked.crc >> 24, locked.time >> 8) if locked.flags & FLAG_DESCRIPTOR else (locked.crc >> 24,)
    if head[-1] not in checks:
        return None
    return _decipher(bytes(locked.packed[_HEADER:]), keys)[0]


def _keys(password: bytes) -> tuple[int, int, int]:
    key0, key1, key2 = 0x12345678, 0x23456789, 0x34567890
    for byte in password:
        key0 = (key0 >> 8) ^ _CRC[(key0 ^ byte) & 0xFF]
        key1 = ((key1 + (key0 & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        key2 = (key2 >> 8) ^ _CRC[(key2 ^ (key1 >> 24)) & 0xFF]
    return key0, key1, key2


def _decipher(data: bytes, keys: tuple[int, int, int]) -> tuple[bytes, tuple[int, int, int]]:
    key0, key1, key2 = keys
    table = _CRC
    clear = bytearray(len(data))
    for index, byte in enumerate(data):
        word = key2 | 2
        plain = byte ^ (((word * (word ^ 1)) >> 8) & 0xFF)
        key0 = (key0 >> 8) ^ table[(key0 ^ plain) & 0xFF]
        key1 = ((key1 + (key0 & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        key2 = (key2 >> 8) ^ table[(key2 ^ (key1 >> 24)) & 0xFF]
        clear[index] = plain
    return bytes(clear), (key0, key1, key2)
