"""Presentations under a password: [MS-PPT] 2.3.7, [MS-OFFCRYPTO] 2.3.5. Each part is encrypted by itself, under its own number."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Final

from msoffcrypto.exceptions import DecryptionError
from msoffcrypto.format.common import _parse_header_RC4CryptoAPI
from msoffcrypto.method.rc4_cryptoapi import DocumentRC4CryptoAPI

from sanitizers.context import Context
from sanitizers.formats.office import blips
from sanitizers.formats.ppt import records
from sanitizers.formats.ppt.persist import Edit
from sanitizers.model import Action, Encrypted, Malformed

# [MS-PPT] 2.3.7: PowerPoint opens with it unasked what only needs a password for writing.
DEFAULT_PASSWORD: Final = "/01Hannes Ruescher/01"  # noqa: S105 - it hides nothing

_SESSION: Final = 0x2F14
_BROKEN: Final = (struct.error, ValueError, KeyError, IndexError, TypeError, DecryptionError)

_Decrypt = Callable[[bytes, int], bytes]  # data, number of the block


def plain(stream: bytes, pictures: bytes, edit: Edit, context: Context) -> tuple[bytes, bytes]:
    """Both streams in the clear. Raises Encrypted when no password fits, Malformed."""
    session = records.one(stream, edit.offsets.get(edit.lock, len(stream)))
    if session.kind != _SESSION:
        raise Malformed("no session of encryption", code="ppt.malformed")
    for password in (DEFAULT_PASSWORD, *context.passwords):
        decrypt = _opened(bytes(session.data), password)
        if decrypt is not None:
            made = _parts(stream, edit, decrypt), _pictures(pictures, decrypt)
            context.found("file.decrypted", "", Action.REWRITTEN)
            context.scan_layer(made[0], "decrypted")
            return made
    raise Encrypted("none of the passwords opens it")


def _opened(said: bytes, password: str) -> _Decrypt | None:
    """None for a wrong password. Raises Encrypted for other ways of encryption, Malformed."""
    if len(said) < 4 or struct.unpack_from("<H", said, 2)[0] != 2:
        raise Encrypted("encryption of an unusual kind")
    try:
        info = _parse_header_RC4CryptoAPI(io.BytesIO(said[4:]))
        salt, size = info["salt"], info["keySize"]
        if size not in range(40, 129, 8):
            raise Malformed("size of a key", code="ppt.malformed")
        if not DocumentRC4CryptoAPI.verifypw(password, salt, size, info["encryptedVerifier"], info["encryptedVerifierHash"]):
            return None
    except _BROKEN as error:
        raise Malformed(f"encryption: {type(error).__name__}", code="ppt.malformed") from None

    def decrypt(data: bytes, block: int) -> bytes:
        made: bytes = DocumentRC4CryptoAPI.decrypt(password, salt, size, io.BytesIO(data), blocksize=len(data) + 1, block=block).read()
        return made

    return decrypt


def _parts(stream: bytes, edit: Edit, decrypt: _Decrypt) -> bytes:
    """Every part under its number. Two that overlap cannot both be right."""
    made = bytearray(stream)
    end = 0
    for number, at in sorted(edit.offsets.items(), key=lambda one: one[1]):
        if number == edit.lock:
            continue
        if at < end or at + records.HEAD > len(stream):
            raise Malformed("encrypted parts that overlap", code="ppt.malformed")
        size: int = struct.unpack_from("<4xI", decrypt(stream[at : at + records.HEAD], number))[0]
        end = at + records.HEAD + size
        if end > len(stream):
            raise Malformed("an encrypted part that is cut off", code="ppt.malformed")
        made[at:end] = decrypt(stream[at:end], number)
    return bytes(made)


def _pictures(stream: bytes, decrypt: _Decrypt) -> bytes:
    """Each field of each picture starts the cipher again. What follows something that is no picture stays locked."""
    made = bytearray()
    while len(stream) - len(made) >= records.HEAD:
        start = len(made)
        head = b"".join(decrypt(stream[start + at : start + at + size], 0) for at, size in ((0, 2), (2, 2), (4, 4)))
        instance, kind, size = struct.unpack("<HHI", head)
        fields = blips.fields(kind, instance >> 4)
        if not fields or start + records.HEAD + size > len(stream):
            break
        made += head
        at = start + records.HEAD
        end = at + size
        for length in fields:
            made += decrypt(stream[at : min(at + length, end)], 0)
            at += length
        made += decrypt(stream[at:end], 0)
    return bytes(made)
