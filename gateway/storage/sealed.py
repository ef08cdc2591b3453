"""A stream of bytes under a passphrase: AES-256-GCM in blocks, each bound to its number and to whether it is the last.

    "SEKISHO SEALED 1\\n" · salt (16 octets) · blocks of: length (4 octets, big-endian, of what follows) · ciphertext and tag

The key is argon2id of the passphrase (RFC 9106, second recommended parameters: 64 MiB, 3 passes, 4 lanes). Block n has the nonce n; the
last one is marked in the nonce, so that a stream cut at a block's end is noticed (STREAM: Hoang, Reyhanitabar, Rogaway, Vizár, 2015).
"""

from __future__ import annotations

import secrets
import struct
from typing import BinaryIO, Final

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MAGIC: Final = b"SEKISHO SEALED 1\n"
_SALT: Final = 16
_BLOCK: Final = 1 << 20
_TAG: Final = 16
_LENGTH: Final = struct.Struct(">I")


class SealBrokenError(Exception):
    """Not a sealed stream, another passphrase, or not the bytes that were sealed."""


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    key = hash_secret_raw(passphrase.encode(), salt, time_cost=3, memory_cost=64 << 10, parallelism=4, hash_len=32, type=Type.ID)
    return AESGCM(key)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class Sealing:
    """What is put in comes out sealed, block by block."""

    def __init__(self, cipher: AESGCM) -> None:
        self._cipher = cipher
        self._pending = bytearray()
        self._number = 0

    def add(self, data: bytes) -> bytes:
        """The blocks that are whole now."""
        self._pending += data
        sealed = []
        # One block is always kept back: only `end` knows which is the last.
        while len(self._pending) > _BLOCK:
            sealed.append(self._block(bytes(self._pending[:_BLOCK]), last=False))
            del self._pending[:_BLOCK]
        return b"".join(sealed)

    def end(self) -> bytes:
        """The last block."""
        return self._block(bytes(self._pending), last=True)

    def _block(self, data: bytes, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._number, last=last), data, None)
        self._number += 1
        return _LENGTH.pack(len(sealed)) + sealed


class SealedWriter:
    """A file to write into. `close` writes the last block; the target stays the caller's."""

    def __init__(self, target: BinaryIO, passphrase: str) -> None:
        salt = secrets.token_bytes(_SALT)
        target.write(_MAGIC + salt)
        self._target = target
        self._sealing = Sealing(_cipher(passphrase, salt))

    def write(self, data: bytes) -> int:
        self._target.write(self._sealing.add(data))
        return len(data)

    def close(self) -> None:
        self._target.write(self._sealing.end())


class Opening:
    """The blocks of a sealed stream, opened. Raises SealBrokenError, before any byte of a block that was tampered with is handed out."""

    def __init__(self, source: BinaryIO, cipher: AESGCM) -> None:
        self._source = source
        self._cipher = cipher
        self._number = 0
        self._ended = False

    def next(self) -> bytes:
        """Of one block; empty at the end."""
        if self._ended:
            return b""
        head = self._source.read(_LENGTH.size)
        length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
        if not _TAG <= length <= _BLOCK + _TAG:
            raise SealBrokenError("cut off or damaged")
        opened = self._opened(self._source.read(length))
        self._number += 1
        return opened

    def _opened(self, sealed: bytes) -> bytes:
        for last in (False, True):
            try:
                opened = self._cipher.decrypt(_nonce(self._number, last=last), sealed, None)
            except InvalidTag:
                continue
            self._ended = last
            return opened
        raise SealBrokenError("wrong passphrase, or damaged" if self._number == 0 else "cut off or damaged")


class SealedReader:
    """A file to read from. Raises SealBrokenError."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        head = source.read(len(_MAGIC) + _SALT)
        if len(head) != len(_MAGIC) + _SALT or not head.startswith(_MAGIC):
            raise SealBrokenError("not a sealed file")
        self._source = source
        self._opening = Opening(source, _cipher(passphrase, head[len(_MAGIC) :]))
        self._pending = b""

    def read(self, size: int) -> bytes:
        """Up to `size` octets; fewer only at the end."""
        pieces, wanted = [], size
        while wanted and (self._pending or self._next()):
            pieces.append(self._pending[:wanted])
            self._pending = self._pending[wanted:]
            wanted -= len(pieces[-1])
        return b"".join(pieces)

    def finish(self) -> None:
        """Raises SealBrokenError unless everything was read and it was everything."""
        if self._pending or self._next() or self._source.read(1):
            raise SealBrokenError("more than was expected")

    def _next(self) -> bool:
        self._pending = self._opening.next()
        return bool(self._pending)
