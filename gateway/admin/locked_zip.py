"""One file in a zip that only a password opens: AES-256 as WinZip and 7-Zip read it, made as it is sent and never read.

An original that somebody has to look at elsewhere may be malware: in a locked archive no scanner on the way takes it for an attack, and
no double click runs it.

Source: WinZip, "AES Encryption Information" (AE-2); the file is stored, its length stays as it is.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import AsyncIterator
from typing import Final

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

_SALT: Final = 16                       # bytes; of AES-256
_KEY: Final = 32
_CHECK: Final = 2
_CODE: Final = 10                       # of the HMAC-SHA1 over the encrypted bytes
_ROUNDS: Final = 1_000
_BLOCK: Final = 16
_FLAGS: Final = 0x0801                  # encrypted, UTF-8 name
_NEEDED: Final = 51
_METHOD: Final = 99
_DATE: Final = 0x0021                   # 1980-01-01
_EXTRA: Final = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 0)
_LARGEST: Final = 0xFFFF_0000           # no zip64 here: nothing is taken in that is as large

# No letter that looks like another: it is read aloud and typed.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def password() -> str:
    """A new one of five groups: more than 120 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(5))


async def stream(name: str, size: int, blocks: AsyncIterator[bytes], word: str, salt: bytes | None = None) -> AsyncIterator[bytes]:
    """The archive in pieces. Raises ValueError for a file that is too large, or not as long as it was said to be."""
    if size > _LARGEST:
        raise ValueError("too large for this archive")
    salt = secrets.token_bytes(_SALT) if salt is None else salt
    keys = PBKDF2HMAC(hashes.SHA1(), 2 * _KEY + _CHECK, salt, _ROUNDS).derive(word.encode())  # noqa: S303 - the format's own
    written, stored = name.encode()[:0xFFFF], size + _SALT + _CHECK + _CODE
    fields = (_NEEDED, _FLAGS, _METHOD, 0, _DATE, 0, stored, size, len(written), len(_EXTRA))
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, *fields) + written + _EXTRA
    yield local + salt + keys[2 * _KEY :]
    code, left = hmac.HMAC(keys[_KEY : 2 * _KEY], hashes.SHA1()), size  # noqa: S303
    hidden = _Hidden(keys[:_KEY])
    async for block in blocks:
        left -= len(block)
        covered = hidden.cover(block)
        code.update(covered)
        yield covered
    if left:
        raise ValueError("the file is not as long as it was")
    yield code.finalize()[:_CODE]
    central = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, _NEEDED, *fields, 0, 0, 0, 0, 0) + written + _EXTRA
    yield central + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(central), len(local) + stored, 0)


class _Hidden:
    """AES in counter mode, the counter little-endian from 1 on, which no library's own mode counts."""

    def __init__(self, key: bytes) -> None:
        self._encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - of counters, each once
        self._counted = 0
        self._left = b""

    def cover(self, data: bytes) -> bytes:
        missing = max(0, len(data) - len(self._left))
        blocks = -(-missing // _BLOCK)
        counters = b"".join(number.to_bytes(_BLOCK, "little") for number in range(self._counted + 1, self._counted + blocks + 1))
        self._counted += blocks
        stream = self._left + self._encryptor.update(counters)
        self._left = stream[len(data) :]
        covered = int.from_bytes(data, "little") ^ int.from_bytes(stream[: len(data)], "little")
        return covered.to_bytes(len(data), "little")
