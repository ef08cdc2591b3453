"""XOR obfuscation, which older programs call a password: [MS-OFFCRYPTO] 2.3.7.1, 2.3.7.2, 2.3.7.4 to 2.3.7.6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_LONGEST: Final = 15  # bytes of a password
_PADDING: Final = bytes.fromhex("bbffffbaffffb98000be0f00bf0f00")
_TAPS: Final = 0x1020
_MARK: Final = 0xCE4B


def spellings(password: str) -> Iterator[bytes]:
    """How programs make single bytes of it: the lower half of each UTF-16 unit, or the upper where that is zero; and ANSI of Japan."""
    units = password.encode("utf-16-le", "surrogatepass")
    yield bytes(low or high for low, high in zip(units[::2], units[1::2], strict=True))[:_LONGEST]
    yield password.encode("cp932", "replace")[:_LONGEST]


def verifier(password: bytes) -> int:
    """32 bits, the key in the upper half."""
    found = 0
    for byte in (*reversed(password), len(password)):
        found = ((found << 1 & 0x7FFF) | found >> 14 & 1) ^ byte
    return _key(password) << 16 | found ^ _MARK


def _key(password: bytes) -> int:
    """Two registers of sixteen bits that are shifted for every bit of the password; one of them takes part where the bit is set."""
    key, base, end = 0, 0x8000, 0xFFFF
    for byte in reversed(password):
        for bit in range(8):
            base, end = _turned(base), _turned(end)
            if byte & 0x7F & 1 << bit:
                key ^= base
    return key ^ end if password else 0


def _turned(register: int) -> int:
    register = (register << 1 | register >> 15) & 0xFFFF
    return register ^ _TAPS if register & 1 else register


def unmasked(stream: bytes, password: bytes) -> bytes:
    """The stream in the clear. A byte that is zero, or would become it, stands as it is."""
    key = _key(password).to_bytes(2, "little")
    made = bytearray(stream)
    for index, byte in enumerate((password + _PADDING)[:16]):
        mask = byte ^ key[index & 1]
        mask = mask >> 1 | (mask & 1) << 7
        table = bytes((one ^ mask) or one if one else 0 for one in range(256))
        made[index::16] = made[index::16].translate(table)
    return bytes(made)
