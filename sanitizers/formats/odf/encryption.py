"""Members under a password: ODF 1.3 part 2 §3.4, as every office program has written it.

AES-256-CBC with PBKDF2 (since 2011), Blowfish in cipher feedback of 64 bits (before; the specification says 8, programs do not), and
AES-256-GCM with Argon2id over the whole package (LibreOffice 24.8). Whatever is locked by a key of OpenPGP stays locked: it is held.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import Blowfish
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from sanitizers import xml
from sanitizers import zip as archive
from sanitizers.formats.odf.vocabulary import SPACES, clark
from sanitizers.model import Encrypted, LimitExceeded, Malformed

_DATA: Final = clark("manifest:encryption-data")
_ALGORITHM: Final = clark("manifest:algorithm")
_DERIVATION: Final = clark("manifest:key-derivation")
_START_KEY: Final = clark("manifest:start-key-generation")
_MANIFEST: Final = f"{{{SPACES['manifest']}}}"
_EXTENSION: Final = f"{{{SPACES['loext']}}}"

_AES_CBC: Final = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
_AES_GCM: Final = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
_BLOWFISH: Final = "Blowfish CFB"
_BLOWFISHES: Final = frozenset({_BLOWFISH, "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0#blowfish"})
# Algorithm → bytes of its vector and of its key, the latter where the manifest does not say.
_SIZES: Final = {_AES_CBC: (16, 32), _AES_GCM: (12, 32), _BLOWFISH: (8, 16)}
_KEY_SIZES: Final = {_AES_CBC: (32,), _AES_GCM: (32,), _BLOWFISH: (16, 20, 32)}
_START_KEYS: Final = {
    "http://www.w3.org/2000/09/xmldsig#sha256": hashlib.sha256,
    "http://www.w3.org/2001/04/xmlenc#sha256": hashlib.sha256,
    "SHA1": hashlib.sha1,
    "http://www.w3.org/2000/09/xmldsig#sha1": hashlib.sha1,
}
_CHECKSUMS: Final = {"sha256-1k": hashlib.sha256, "SHA1/1K": hashlib.sha1, "sha1-1k": hashlib.sha1}
_MOST_ROUNDS: Final = 1_000_000         # LibreOffice writes 100,000, and 600,000 over a whole package
_MOST_PASSES: Final = 16                # Argon2id; LibreOffice writes 3 …
_MOST_MEMORY: Final = 256 << 10         # … over 65,536 KiB …
_MOST_LANES: Final = 16                 # … in 4 lanes
_BLOCK: Final = 16
_TAG: Final = 16


class Derivation(NamedTuple):
    """How a password becomes a key. `memory` in KiB and `lanes` are 0 for PBKDF2."""

    start: str
    salt: bytes
    rounds: int
    memory: int
    lanes: int
    size: int

    def key(self, password: str) -> bytes:
        """From the password as the package says: PBKDF2 (ODF 1.2 part 3, 4.8) or Argon2id (LibreOffice 24.2 and later)."""
        start = _START_KEYS[self.start](password.encode()).digest()
        if not self.memory:
            return hashlib.pbkdf2_hmac("sha1", start, self.salt, self.rounds, self.size)
        kdf = Argon2id(salt=self.salt, length=self.size, iterations=self.rounds, lanes=self.lanes, memory_cost=self.memory)
        return kdf.derive(start)


class Lock(NamedTuple):
    """What the manifest says of one encrypted member. `size` in bytes, of the plain content; `checksum` may be empty."""

    size: int
    algorithm: str
    vector: bytes
    derivation: Derivation
    checksum: bytes
    checksum_type: str


class Keys:
    """Passwords and the keys already made of them: the members of one package share a salt, and hashing is slow by design."""

    def __init__(self, passwords: tuple[str, ...]) -> None:
        self._passwords = list(passwords)
        self._keys: dict[tuple[str, Derivation], bytes] = {}

    def open(self, content: bytes, how: Lock, path: str) -> bytes:
        """The plain member. Raises Encrypted when no password fits, Malformed."""
        _check_shape(content, how, path)
        for password in self._passwords:
            packed = _decrypt(content, how, self._key(password, how.derivation))
            plain = None if packed is None else _inflate(packed, how, path)
            if plain is not None:
                self._passwords.remove(password)
                self._passwords.insert(0, password)
                return plain
        raise Encrypted("none of the passwords opens it", where=path)

    def _key(self, password: str, derivation: Derivation) -> bytes:
        if (password, derivation) not in self._keys:
            self._keys[password, derivation] = derivation.key(password)
        return self._keys[password, derivation]


def lock(entry: xml.Element, path: str) -> Lock | None:
    """None for a plain member. Raises Encrypted for other ways of encryption, Malformed, LimitExceeded."""
    data = next(entry.iter(_DATA), None)
    if data is None:
        return None
    algorithm, derivation = (next(data.iter(tag), None) for tag in (_ALGORITHM, _DERIVATION))
    name = (algorithm.get(f"{_MANIFEST}algorithm-name") if algorithm is not None else "") or ""
    name = _BLOWFISH if name in _BLOWFISHES else name
    if algorithm is None or derivation is None or name not in _SIZES:
        raise Encrypted("encryption of an unusual kind", where=path)
    return Lock(
        _number(entry, "size", path),
        name,
        _decoded(algorithm, "initialisation-vector", path),
        _derivation(derivation, next(data.iter(_START_KEY), None), name, path),
        _decoded(data, "checksum", path),
        (data.get(f"{_MANIFEST}checksum-type") or "").rpartition("#")[2],
    )


def _derivation(element: xml.Element, start: xml.Element | None, algorithm: str, path: str) -> Derivation:
    said = (element.get(f"{_MANIFEST}key-derivation-name") or "").lower()
    size = _number(element, "key-size", path) if element.get(f"{_MANIFEST}key-size") else _SIZES[algorithm][1]
    start_name = (start.get(f"{_MANIFEST}start-key-generation-name") if start is not None else None) or "SHA1"
    if size not in _KEY_SIZES[algorithm] or start_name not in _START_KEYS:
        raise Encrypted("keys of an unusual kind", where=path)
    salt = _decoded(element, "salt", path)
    if "pbkdf2" in said:
        rounds = _number(element, "iteration-count", path)
        if rounds > _MOST_ROUNDS:
            raise LimitExceeded(f"{rounds} rounds of password hashing", where=path)
        return Derivation(start_name, salt, rounds, 0, 0, size)
    if not said.endswith("argon2id"):
        raise Encrypted("key derivation of an unusual kind", where=path)
    passes, memory, lanes = (_number(element, f"argon2-{name}", path, _EXTENSION) for name in ("iterations", "memory", "lanes"))
    if passes > _MOST_PASSES or memory > _MOST_MEMORY or lanes > _MOST_LANES:
        raise LimitExceeded(f"password hashing of {passes} passes over {memory} KiB", where=path)
    if memory < 8 * lanes or len(salt) < 8:     # RFC 9106 §3.1
        raise Malformed("password hashing with impossible numbers", where=path, code="odf.package")
    return Derivation(start_name, salt, passes, memory, lanes, size)


def _check_shape(content: bytes, how: Lock, path: str) -> None:
    impossible = len(how.vector) != _SIZES[how.algorithm][0] or not content
    impossible = impossible or (how.algorithm == _AES_CBC and len(content) % _BLOCK != 0)
    impossible = impossible or (how.algorithm == _AES_GCM and (len(content) < 12 + _TAG or content[:12] != how.vector))
    if impossible:
        raise Malformed("encrypted member of an impossible shape", where=path, code="odf.package")


def _decrypt(content: bytes, how: Lock, key: bytes) -> bytes | None:
    """The compressed member; None for a wrong key, as far as the cipher itself tells."""
    if how.algorithm == _AES_GCM:
        try:
            return AESGCM(key).decrypt(content[:12], content[12:], None)
        except InvalidTag:
            return None
    if how.algorithm == _BLOWFISH:
        stream = Cipher(Blowfish(key), CFB(how.vector)).decryptor()
        return stream.update(content) + stream.finalize()
    decryptor = Cipher(algorithms.AES(key), modes.CBC(how.vector)).decryptor()
    padded = decryptor.update(content) + decryptor.finalize()
    return padded[: -padded[-1]] if 1 <= padded[-1] <= _BLOCK else None


def _inflate(packed: bytes, how: Lock, path: str) -> bytes | None:
    """None for what the checksum, or deflate where there is none, shows to be noise."""
    if how.algorithm == _AES_GCM:
        return archive.inflate(packed, how.size, path)
    check = _CHECKSUMS.get(how.checksum_type, hashlib.sha256)
    if how.checksum:
        return archive.inflate(packed, how.size, path) if check(packed[:1024]).digest() == how.checksum else None
    try:
        return archive.inflate(packed, how.size, path)
    except Malformed:
        return None


def _number(element: xml.Element, name: str, path: str, space: str = _MANIFEST) -> int:
    text = element.get(space + name) or ""
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 12) or int(text) < 1:
        raise Malformed(f"{name} {text[:20]!r}", where=path, code="odf.package")
    return int(text)


def _decoded(element: xml.Element, name: str, path: str) -> bytes:
    try:
        return base64.b64decode(element.get(_MANIFEST + name) or "", validate=True)
    except ValueError:   # binascii.Error, or letters that are not ASCII
        raise Malformed(f"{name} is no base64", where=path, code="odf.package") from None
