"""The packed streams of a 7z archive: chains of AES-256, copy, LZMA, LZMA2, bzip2 and deflate, undone one after the other.

Other coders (BCJ2, PPMd …) are Unsupported together with encryption.
Source: 7zFormat.txt of the LZMA SDK; key derivation as in 7-Zip's 7zAes.cpp.
"""

from __future__ import annotations

import bz2
import hashlib
import lzma
import zlib
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sanitizers.model import Encrypted, LimitExceeded, Malformed, Unsupported

_COPY, _LZMA2, _LZMA, AES = b"\x00", b"\x21", b"\x03\x01\x01", b"\x06\xf1\x07\x01"
_DEFLATE, _BZIP2 = b"\x04\x01\x08", b"\x04\x02\x02"
UNREADABLE: Final = "locked in a way that cannot be opened here even with its password: ask the sender for a ZIP with a password"
_MOST_ROUNDS: Final = 22           # 2 ** 22 hashes take two seconds; 7-Zip writes 2 ** 19
_LARGEST_WINDOW: Final = 256 << 20


class Coder(NamedTuple):
    method: bytes
    properties: bytes


@dataclass(slots=True)
class Folder:
    """A chain of coders, from the packed stream outwards. `sizes[i]` is what coder i gives, in bytes."""

    coders: list[Coder]
    sizes: list[int] = field(default_factory=list)
    crc: int | None = None
    start: int = 0            # of the packed stream in the file
    packed: int = 0           # its size
    parts: list[tuple[int, int | None]] = field(default_factory=list)   # size and CRC of each file in it


class Keys:
    """The password candidates and the keys made of them; the first that fits a folder is tried first on the next."""

    def __init__(self, passwords: tuple[str, ...]) -> None:
        self._passwords = list(passwords)
        self._made: dict[tuple[str, int, bytes], bytes] = {}

    def candidates(self) -> tuple[str, ...]:
        return tuple(self._passwords)

    def fits(self, password: str) -> None:
        self._passwords.remove(password)
        self._passwords.insert(0, password)

    def key(self, password: str, rounds: int, salt: bytes) -> bytes:
        """SHA-256 over 2 ** rounds times salt, password (UTF-16) and a counter."""
        wanted = (password, rounds, salt)
        if wanted not in self._made:
            self._made[wanted] = _derived(salt + password.encode("utf-16-le"), rounds)
        return self._made[wanted]


def _derived(seed: bytes, rounds: int) -> bytes:
    digest = hashlib.sha256()
    step = 1 << min(rounds, 12)
    for first in range(0, 1 << rounds, step):
        digest.update(b"".join(seed + number.to_bytes(8, "little") for number in range(first, first + step)))
    return digest.digest()


def is_locked(folder: Folder) -> bool:
    """Whether a password is needed."""
    return any(coder.method == AES for coder in folder.coders)


def decoded(data: bytes, folder: Folder, keys: Keys, cap: int) -> bytes:
    """A folder's whole content, with the first password that gives one whose checksum is right. Raises Encrypted, LimitExceeded."""
    if max(folder.sizes) > cap:
        raise LimitExceeded(f"7z folder of {max(folder.sizes)} bytes")
    packed = data[folder.start : folder.start + folder.packed]
    if not is_locked(folder):
        return _undone(packed, folder, keys, "")
    for password in keys.candidates():
        try:
            content = _undone(packed, folder, keys, password)
        except Malformed:
            continue
        if _sound(content, folder):
            keys.fits(password)
            return content
    raise Encrypted("no password opens it" if keys.candidates() else "needs a password")


def _sound(content: bytes, folder: Folder) -> bool:
    if folder.crc is not None:
        return zlib.crc32(content) == folder.crc
    size, crc = folder.parts[0] if folder.parts else (0, None)
    return crc is not None and zlib.crc32(content[:size]) == crc


def _undone(content: bytes, folder: Folder, keys: Keys, password: str) -> bytes:
    for coder, size in zip(folder.coders, folder.sizes, strict=True):
        if coder.method == AES:
            content = _deciphered(content, coder.properties, keys, password)
        elif coder.method in (_LZMA, _LZMA2, _DEFLATE, _BZIP2):
            content = _unsqueezed(content, coder, size)
        elif coder.method != _COPY:
            raise Unsupported(UNREADABLE, code="archive.locked") if is_locked(folder) else Unsupported("7z coder")
        if len(content) < size:
            raise Malformed("7z stream is cut short", code="archive.malformed")
        content = content[:size]
    return content


def _deciphered(content: bytes, properties: bytes, keys: Keys, password: str) -> bytes:
    if len(properties) < 2 or len(content) % 16:
        raise Malformed("7z encryption", code="archive.malformed")
    rounds = properties[0] & 0x3F
    if rounds > _MOST_ROUNDS:
        raise LimitExceeded(f"7z key of 2 ** {rounds} rounds")
    salt_size = (properties[0] >> 7) + (properties[1] >> 4)
    vector_size = (properties[0] >> 6 & 1) + (properties[1] & 0x0F)
    if len(properties) != 2 + salt_size + vector_size:
        raise Malformed("7z encryption", code="archive.malformed")
    salt = properties[2 : 2 + salt_size]
    vector = properties[2 + salt_size :].ljust(16, b"\0")
    coder = Cipher(algorithms.AES(keys.key(password, rounds, salt)), modes.CBC(vector)).decryptor()
    return coder.update(content) + coder.finalize()


def _unsqueezed(content: bytes, coder: Coder, size: int) -> bytes:
    if not size:
        return b""
    try:
        if coder.method == _DEFLATE:
            return zlib.decompressobj(-15).decompress(content, size)
        if coder.method == _BZIP2:
            return bz2.BZ2Decompressor().decompress(content, size)
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_filter(coder)]).decompress(content, size)
    except (lzma.LZMAError, zlib.error, OSError, EOFError, MemoryError) as error:
        raise Malformed(f"7z stream: {error}", code="archive.malformed") from None


def _filter(coder: Coder) -> dict[str, Any]:
    properties = coder.properties
    if coder.method == _LZMA2:
        if len(properties) != 1 or properties[0] > 40:
            raise Malformed("7z LZMA2 properties", code="archive.malformed")
        made: dict[str, Any] = {"id": lzma.FILTER_LZMA2, "dict_size": (2 | properties[0] & 1) << (properties[0] // 2 + 11)}
    else:
        if len(properties) != 5 or properties[0] >= 9 * 5 * 5:
            raise Malformed("7z LZMA properties", code="archive.malformed")
        rest, lc = divmod(properties[0], 9)
        pb, lp = divmod(rest, 5)
        made = {"id": lzma.FILTER_LZMA1, "dict_size": int.from_bytes(properties[1:], "little"), "lc": lc, "lp": lp, "pb": pb}
    if made["dict_size"] > _LARGEST_WINDOW:
        raise LimitExceeded(f"7z window of {made['dict_size']} bytes")
    made["dict_size"] = max(made["dict_size"], 4096)
    return made
