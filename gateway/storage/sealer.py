"""Short secrets at rest, under the key of the installation: AES-256-GCM, each bound to what it belongs to.

    base64( nonce (12 octets) · ciphertext and tag )
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.storage.sealed import SealBrokenError

_NONCE: Final = 12


class Sealer:
    """`key`: asked for once, at the first need, 32 octets as `keys.sealing_key` gives; without one, a key that ends with the process."""

    def __init__(self, key: Callable[[], bytes] = lambda: secrets.token_bytes(32)) -> None:
        self._key = key

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(self._key())

    def seal(self, secret: bytes, about: str) -> str:
        """`about`: to whom it belongs; the same has to be said to open it."""
        nonce = secrets.token_bytes(_NONCE)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, secret, about.encode())).decode()

    def open(self, sealed: str, about: str) -> bytes:
        """Raises SealBrokenError."""
        try:
            data = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(data[:_NONCE], data[_NONCE:], about.encode())
        except (InvalidTag, ValueError, binascii.Error):
            raise SealBrokenError("a secret of another key, of somebody else, or damaged") from None
