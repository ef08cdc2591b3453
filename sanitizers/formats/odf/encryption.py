"""Members under a password: ODF 1.3 part 2 §3.4 with AES-256-CBC and PBKDF2, as every office suite since 2011 writes.

Older Blowfish files and the whole-package encryption of LibreOffice 24.2 (Argon2id, AES-GCM) stay locked: they are held.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sanitizers import xml
from sanitizers import zip as archive
from sanitizers.formats.odf.vocabulary import SPACES, clark
from sanitizers.model import Encrypted, LimitExceeded, Malformed

_DATA: Final = clark("manifest:encryption-data")
_ALGORITHM: Final = clark("manifest:algorithm")
_DERIVATION: Final = clark("manifest:key-derivation")
_START_KEY: Final = clark("manifest:start-key-generation")
_MANIFEST: Final = f"{{{SPACES['manifest']}}}"
_AES: Final = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
_START_KEYS: Final = {
    "http://www.w3.org/2000/09/xmldsig#sha256": hashlib.sha256,
    "http://www.w3.org/2001/04/xmlenc#sha256": hashlib.sha256,
    "SHA1": hashlib.sha1,
    "http://www.w3.org/2000/09/xmldsig#sha1": hashlib.sha1,
}
_CHECKSUMS: Final = {"sha256-1k": hashlib.sha256, "SHA1/1K": hashlib.sha1, "sha1-1k": hashlib.sha1}
_MOST_ROUNDS: Final = 1_000_000     # LibreOffice writes 100,000
_BLOCK: Final = 16


class Lock(NamedTuple):
    """What the manifest says of one encrypted member. `size` in bytes, of the plain content."""

    size: int
    vector: bytes
    salt: bytes
    rounds: int
    start: str
    checksum: bytes
    checksum_type: str


def lock(entry: xml.Element, path: str) -> Lock | None:
    """None for a plain member. Raises Encrypted for other ways of encryption, Malformed, LimitExceeded."""
    data = next(entry.iter(_DATA), None)
    if data is None:
        return None
    algorithm, derivation, start = (next(data.iter(tag), None) for tag in (_ALGORITHM, _DERIVATION, _START_KEY))
    if algorithm is None or derivation is None or algorithm.get(f"{_MANIFEST}algorithm-name") != _AES:
        raise Encrypted("encryption of an unusual kind", where=path)
    if "pbkdf2" not in (derivation.get(f"{_MANIFEST}key-derivation-name") or "").lower():
        raise Encrypted("key derivation of an unusual kind", where=path)
    rounds, size = _number(derivation, "iteration-count", path), _number(entry, "size", path)
    if rounds > _MOST_ROUNDS:
        raise LimitExceeded(f"{rounds} rounds of password hashing", where=path)
    return Lock(
        size,
        _decoded(algorithm, "initialisation-vector", path),
        _decoded(derivation, "salt", path),
        rounds,
        (start.get(f"{_MANIFEST}start-key-generation-name") if start is not None else None) or "SHA1",
        _decoded(data, "checksum", path),
        (data.get(f"{_MANIFEST}checksum-type") or "").rpartition("#")[2],
    )


def unlock(content: bytes, how: Lock, passwords: tuple[str, ...], path: str) -> bytes:
    """The plain member. Raises Encrypted when no password fits."""
    if len(content) % _BLOCK or not content or len(how.vector) != _BLOCK or how.start not in _START_KEYS:
        raise Malformed("encrypted member of an impossible size", where=path, code="odf.package")
    for password in passwords:
        packed = _decrypt(content, how, password)
        check = _CHECKSUMS.get(how.checksum_type, hashlib.sha256)
        if packed is not None and check(packed[:1024]).digest() == how.checksum:
            return archive.inflate(packed, how.size, path)
    raise Encrypted("none of the passwords opens it", where=path)


def _decrypt(content: bytes, how: Lock, password: str) -> bytes | None:
    start = _START_KEYS[how.start](password.encode()).digest()
    key = hashlib.pbkdf2_hmac("sha1", start, how.salt, how.rounds, 32)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(how.vector)).decryptor()
    padded = decryptor.update(content) + decryptor.finalize()
    return padded[: -padded[-1]] if 1 <= padded[-1] <= _BLOCK else None


def _number(element: xml.Element, name: str, path: str) -> int:
    text = element.get(_MANIFEST + name) or ""
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 12) or int(text) < 1:
        raise Malformed(f"{name} {text[:20]!r}", where=path, code="odf.package")
    return int(text)


def _decoded(element: xml.Element, name: str, path: str) -> bytes:
    try:
        return base64.b64decode(element.get(_MANIFEST + name) or "", validate=True)
    except ValueError:   # binascii.Error, or letters that are not ASCII
        raise Malformed(f"{name} is no base64", where=path, code="odf.package") from None
