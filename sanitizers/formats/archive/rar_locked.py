"""RAR archives under a password: the same members in a RAR without encryption, for libarchive to read.

Only what a reader of members needs is carried over: the main header, files and links, the end. Comments, recovery and quick-open
records stay behind. RAR 2 and older lock in other ways: Unsupported.
Sources: RAR 5.0 archive format; the technote of RAR 2.x to 4.x; key derivation as in UnRAR's crypt5.cpp and crypt3.cpp.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from isal import isal_zlib

from sanitizers.formats.archive import rar
from sanitizers.formats.archive.rar import RAR4, RAR5, Block, number
from sanitizers.model import Encrypted, LimitExceeded, Malformed, Unsupported
from sanitizers.source import Source

_RESEND: Final = "ask the sender for a ZIP with a password"
_MOST_ROUNDS: Final = 1 << 24      # of hashing for one archive: some seconds; WinRAR asks for 3 × 2^15 a password
_MOST_SALTS: Final = 32            # of RAR 3 and 4, a fifth of a second each
_CRYPT, _HASH = 1, 2               # records of a RAR 5 extra area
_HAS_CRC: Final = 4
_TWEAKED: Final = 2                # checksums are made dependent on the password


class Sum(NamedTuple):
    """The checksum of a member; with `key` it is an HMAC of the CRC-32."""

    crc: int
    key: bytes

    def fits(self, content: Source) -> bool:
        crc = 0
        for block in content.blocks():
            crc = isal_zlib.crc32(block, crc)
        if not self.key:
            return crc == self.crc
        digest = hmac.digest(self.key, crc.to_bytes(4, "little"), "sha256")
        folded = 0
        for word in struct.unpack("<8I", digest):
            folded ^= word
        return folded == self.crc


class Opened(NamedTuple):
    """`data`: a RAR file without encryption. `sums`: of its files in their order, None where the file's own header tells it."""

    data: bytes
    sums: tuple[Sum | None, ...]


class _Lock(NamedTuple):
    """How a RAR 5 header or file is locked. `check`: eight bytes that tell whether a password fits."""

    flags: int
    rounds: int
    salt: bytes
    vector: bytes
    check: bytes


class _Keys:
    """The keys that the candidates make, within a bound of work."""

    def __init__(self, passwords: tuple[str, ...]) -> None:
        self._passwords = passwords
        self._rounds = 0
        self._salts: set[bytes] = set()
        self._found: dict[tuple[int, bytes, bytes], tuple[bytes, bytes]] = {}
        self._old: dict[tuple[str, bytes], tuple[bytes, bytes]] = {}

    def of(self, lock: _Lock) -> tuple[bytes, bytes]:
        """Key of the data and key of the checksums, by the first password that fits. Raises Encrypted, LimitExceeded."""
        wanted = (lock.rounds, lock.salt, lock.check)
        if wanted not in self._found:
            self._found[wanted] = self._fitting(lock)
        return self._found[wanted]

    def _fitting(self, lock: _Lock) -> tuple[bytes, bytes]:
        for password in self._passwords:
            self._rounds += 3 << lock.rounds
            if self._rounds > _MOST_ROUNDS:
                raise LimitExceeded(f"more than {_MOST_ROUNDS} rounds of hashing for a password")
            made = [hashlib.pbkdf2_hmac("sha256", password.encode(), lock.salt, (1 << lock.rounds) + more) for more in (0, 16, 32)]
            check = bytes(made[2][at] ^ made[2][at + 8] ^ made[2][at + 16] ^ made[2][at + 24] for at in range(8))
            if hmac.compare_digest(check, lock.check):
                return made[0], made[1]
        raise Encrypted("no password opens it")

    def old(self, password: str, salt: bytes) -> tuple[bytes, bytes]:
        """Key and initialisation vector of RAR 3 and 4: 2^18 rounds of SHA-1. Raises LimitExceeded."""
        if (password, salt) not in self._old:
            self._salts.add(salt)
            if len(self._salts) > _MOST_SALTS:
                raise LimitExceeded(f"more than {_MOST_SALTS} salts")
            self._old[password, salt] = _old_key(password, salt)
        return self._old[password, salt]


def _old_key(password: str, salt: bytes) -> tuple[bytes, bytes]:
    seed = password.encode("utf-16-le") + salt
    digest, vector = hashlib.sha1(usedforsecurity=False), b""
    for turn in range(16):
        for start in range(turn << 14, turn + 1 << 14, 1 << 10):
            numbers = range(start, start + (1 << 10))
            if start == turn << 14:         # the vector takes a byte of the state after the first round of each turn
                digest.update(seed + start.to_bytes(3, "little"))
                vector += digest.digest()[19:20]
                numbers = numbers[1:]
            digest.update(b"".join(seed + value.to_bytes(3, "little") for value in numbers))
    return struct.pack("<4I", *struct.unpack(">4I", digest.digest()[:16])), vector


def opened(data: bytes, passwords: tuple[str, ...]) -> Iterator[Opened]:
    """What each candidate makes of the archive; a RAR 5 tells which fits, a RAR 4 only by what comes out.

    Raises Encrypted where a RAR 5 tells that none does, Malformed, Unsupported (`archive.locked`), LimitExceeded.
    """
    if not passwords:
        raise Encrypted("needs a password")
    keys = _Keys(passwords)
    if rar.form(data) == "rar5":
        yield _opened5(data, keys)
    else:
        for password in passwords:
            with suppress(Encrypted):
                yield _opened4(data, keys, password)


# ---------------------------------------------------------------------------------------------------------------- RAR 5


def _opened5(data: bytes, keys: _Keys) -> Opened:
    out, sums = [RAR5], list[Sum | None]()
    for block in _unlocked_blocks(data, keys):
        if block.kind == rar.MAIN5:
            if number(block.body, 0)[0] & 1:
                raise Unsupported("split archive", code="archive.multi_volume")
            out.append(_written(rar.MAIN5, block.body, b"", b""))
        elif block.kind == rar.FILE5:
            written, known = _file5(data, block, keys)
            out.append(written)
            sums.append(known)
    out.append(_written(rar.END5, b"\0", b"", b""))
    return Opened(b"".join(out), tuple(sums))


def _unlocked_blocks(data: bytes, keys: _Keys) -> Iterator[Block]:
    """All headers; where they are locked themselves, each behind a vector of its own."""
    for block in rar.blocks5(data):
        if block.kind != rar.CRYPT5:
            yield block
            continue
        lock = _lock(block.body, vector=False)
        key, _ = keys.of(lock)
        at = block.end
        while at + 32 <= len(data):
            coder = Cipher(algorithms.AES(key), modes.CBC(data[at : at + 16])).decryptor()
            head = coder.update(data[at + 16 : at + 32])
            size, begin = number(head, 4)
            length = -(-(begin + size) // 16) * 16
            head += coder.update(data[at + 32 : at + 16 + length])
            if len(head) != length or zlib.crc32(head[4 : begin + size]) != int.from_bytes(head[:4], "little"):
                raise Malformed("locked RAR header", code="archive.malformed")
            inner = rar.block5(head, 0, begin + size)
            inner = inner._replace(start=at + 16 + length, end=at + 16 + length + inner.end - inner.start)
            yield inner
            if inner.kind == rar.END5:
                return
            at = inner.end
        return


def _lock(record: bytes, *, vector: bool) -> _Lock:
    """The encryption header's body, or the encryption record of a file, which has a vector too."""
    version, at = number(record, 0)
    flags, at = number(record, at)
    rounds, salt = record[at : at + 1], record[at + 1 : at + 17]
    at += 17
    begun = record[at : at + 16] if vector else b""
    at += len(begun)
    if version or not flags & 1 or len(record) < at + 12:
        raise Unsupported(f"locked in a way that is not known here: {_RESEND}", code="archive.locked")
    if rounds[0] > 24:
        raise Malformed("RAR key derivation", code="archive.malformed")
    check = record[at : at + 8]
    if hashlib.sha256(check).digest()[:4] != record[at + 8 : at + 12]:
        raise Malformed("RAR password check", code="archive.malformed")
    return _Lock(flags, rounds[0], salt, begun, check)


def _file5(data: bytes, block: Block, keys: _Keys) -> tuple[bytes, Sum | None]:
    packed = data[block.start : block.end]
    if len(packed) != block.end - block.start:
        raise Malformed("RAR member is cut short", code="archive.malformed")
    records = dict(rar.records(block.extra))
    if _CRYPT not in records:
        return _written(rar.FILE5, block.body, block.extra, packed), None
    lock = _lock(records.pop(_CRYPT), vector=True)
    key, sum_key = keys.of(lock)
    packed = _decrypted(key, lock.vector, packed)
    body, size, crc, method = _without_crc(block.body)
    if crc is None:
        raise Unsupported(f"locked, without a CRC: {_RESEND}", code="archive.locked")
    records.pop(_HASH, None)
    extra = b"".join(_vint(len(_vint(kind)) + len(content)) + _vint(kind) + content for kind, content in records.items())
    known = Sum(crc, sum_key if lock.flags & _TWEAKED else b"")
    return _written(rar.FILE5, body, extra, _unpadded(packed) if method else packed[:size]), known


def _unpadded(packed: bytes) -> bytes:
    """Compressed data up to the end of its last block, without what fills the cipher's last one: libarchive would read on into that."""
    at = 0
    while at + 3 <= len(packed):
        flags, width = packed[at], (packed[at] >> 3 & 3) + 1
        at += 2 + width + int.from_bytes(packed[at + 2 : at + 2 + width], "little")
        if flags & 0x40:
            return packed[:at]
    raise Malformed("RAR data without its last block", code="archive.malformed")


def _without_crc(body: bytes) -> tuple[bytes, int, int | None, int]:
    """A file header's body without its CRC; the size of its content, that CRC, and its compression method (0: stored)."""
    flags, start = number(body, 0)
    size, at = number(body, start)
    _, at = number(body, at)
    at += 4 if flags & 2 else 0
    stop = at + 4 if flags & _HAS_CRC else at
    crc = int.from_bytes(body[at:stop], "little") if flags & _HAS_CRC else None
    compression, _ = number(body, stop)
    return _vint(flags & ~_HAS_CRC) + body[start:at] + body[stop:], size, crc, compression >> 7 & 7


def _written(kind: int, body: bytes, extra: bytes, packed: bytes) -> bytes:
    flags = (1 if extra else 0) | (2 if kind == rar.FILE5 else 0)
    head = _vint(kind) + _vint(flags) + (_vint(len(extra)) if extra else b"") + (_vint(len(packed)) if flags & 2 else b"") + body + extra
    head = _vint(len(head)) + head
    return struct.pack("<I", zlib.crc32(head)) + head + packed


def _vint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


# ---------------------------------------------------------------------------------------------------------- RAR 3 and 4


def _opened4(data: bytes, keys: _Keys, password: str) -> Opened:
    out, sums = [RAR4], list[Sum | None]()
    for head, packed in _unlocked_headers(data, keys, password):
        flags, kind = int.from_bytes(head[3:5], "little"), head[2]
        if kind == rar.MAIN4:
            out.append(_sealed(head[:13], flags & ~(rar.LOCKED_HEADERS4 | 0x02)))
        elif kind == rar.FILE4:
            if flags & rar.LOCKED4:
                sums.append(Sum(int.from_bytes(head[16:20], "little"), b""))
                head, packed = _file4(head, packed, keys, password)  # noqa: PLW2901 - what takes its place
                flags &= ~(rar.LOCKED4 | rar.SALT4)
            else:
                sums.append(None)
            out += (_sealed(head, flags), packed)
    out.append(_sealed(struct.pack("<HBHH", 0, rar.END4, 0, 7), 0x4000))
    return Opened(b"".join(out), tuple(sums))


def _unlocked_headers(data: bytes, keys: _Keys, password: str) -> Iterator[tuple[bytes, bytes]]:
    """All headers with their data; where they are locked themselves, each behind a salt of its own."""
    at, locked = len(RAR4), False
    for _ in range(rar.MOST_BLOCKS):
        if at + 7 > len(data):
            return
        if locked:
            key, vector = keys.old(password, data[at : at + 8])
            coder = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
            first = coder.update(data[at + 8 : at + 24])
            size = int.from_bytes(first[5:7], "little")
            begin = at + 8 + -(-size // 16) * 16
            head = (first + coder.update(data[at + 24 : begin]))[:size]
            if len(head) != size or zlib.crc32(head[2:]) & 0xFFFF != int.from_bytes(head[:2], "little"):
                raise Encrypted("no password opens it")
        else:
            size = int.from_bytes(data[at + 5 : at + 7], "little")
            head, begin = data[at : at + size], at + size
        at = begin + (rar.packed4(head) if size >= 7 else 0)
        if size < 7 or at > len(data):
            raise Malformed("RAR header runs over", code="archive.malformed")
        yield head, data[begin:at]
        locked |= head[2] == rar.MAIN4 and bool(int.from_bytes(head[3:5], "little") & rar.LOCKED_HEADERS4)
        if head[2] == rar.END4:
            return
    raise LimitExceeded(f"more than {rar.MOST_BLOCKS} blocks")


def _file4(head: bytes, packed: bytes, keys: _Keys, password: str) -> tuple[bytes, bytes]:
    """A file's header without its salt, and its data in the clear."""
    if len(head) < 32:
        raise Malformed("RAR header too short", code="archive.malformed")
    flags, version, method = int.from_bytes(head[3:5], "little"), head[24], head[25]
    salt_at = 32 + int.from_bytes(head[26:28], "little") + (8 if flags & rar.LARGE4 else 0)
    if version < 29 or not flags & rar.SALT4 or len(head) < salt_at + 8:
        raise Unsupported(f"locked by an old RAR: {_RESEND}", code="archive.locked")
    key, vector = keys.old(password, head[salt_at : salt_at + 8])
    clear = _decrypted(key, vector, packed)
    if method == 0x30:
        clear = clear[: int.from_bytes(head[11:15], "little")]
    head = head[:7] + struct.pack("<I", len(clear)) + head[11:salt_at] + head[salt_at + 8 :]
    return head, clear


def _sealed(head: bytes, flags: int) -> bytes:
    body = head[2:3] + struct.pack("<HH", flags, len(head)) + head[7:]
    return struct.pack("<H", zlib.crc32(body) & 0xFFFF) + body


def _decrypted(key: bytes, vector: bytes, secret: bytes) -> bytes:
    if len(secret) % 16:
        raise Malformed("locked RAR data of broken length", code="archive.malformed")
    return Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor().update(secret)
