"""Time-based one-time codes: RFC 6238 over RFC 4226, SHA-1, six digits, thirty seconds, as every authenticator does them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from typing import Final
from urllib.parse import quote

STEP: Final = 30
_DIGITS: Final = 6
_SECRET_BYTES: Final = 20
# A clock may be half a minute wrong either way.
_SKEW: Final = 1


def new_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def code(secret: bytes, step: int) -> str:
    """The code of that time step (RFC 4226, 5.3)."""
    digest = hmac.digest(secret, struct.pack(">Q", step), hashlib.sha1)
    offset = digest[-1] & 0x0F
    (number,) = struct.unpack_from(">I", digest, offset)
    return f"{(number & 0x7FFFFFFF) % 10**_DIGITS:0{_DIGITS}d}"


def matching_step(secret: bytes, given: str, at: float, after: int) -> int | None:
    """The time step whose code was given, if it is near `at` and later than `after`, the last that was used (RFC 6238, 5.2)."""
    now, found = int(at // STEP), None
    for step in range(now - _SKEW, now + _SKEW + 1):
        if hmac.compare_digest(code(secret, step).encode(), given.encode("utf-8", "replace")) and step > after:
            found = step
    return found


def shown(secret: bytes) -> str:
    """For typing: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def address(secret: bytes, login: str, issuer: str) -> str:
    """What the QR code says: the key URI that authenticators read."""
    key = base64.b32encode(secret).decode().rstrip("=")
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(login, safe='')}?secret={key}&issuer={quote(issuer, safe='')}"
