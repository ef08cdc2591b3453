"""Workbooks under a password: [MS-OFFCRYPTO] 2.3.5 to 2.3.7, [MS-XLS] 2.2.10. Each record is encrypted by itself, its head stays plain."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Final

from msoffcrypto.exceptions import DecryptionError
from msoffcrypto.format.common import _parse_header_RC4CryptoAPI
from msoffcrypto.method.rc4 import DocumentRC4
from msoffcrypto.method.rc4_cryptoapi import DocumentRC4CryptoAPI
from msoffcrypto.method.xor_obfuscation import DocumentXOR

from sanitizers.context import Context
from sanitizers.formats.xls import records
from sanitizers.model import Action, Encrypted, Malformed

DEFAULT_PASSWORD: Final = "VelvetSweatshop"  # noqa: S105 - Excel opens with it unasked, so it hides nothing

_PLAIN: Final = frozenset({records.BOF, records.FILEPASS, 0x00E1, 0x0194, 0x0195, 0x0138, 0x0196})  # never encrypted, [MS-XLS] 2.2.10
_BOUNDSHEET: Final = 0x0085  # its first four bytes stay plain
_BLOCK: Final = 1024  # bytes under one key
_LONGEST_XOR: Final = 15  # characters of a password
_TURNED: Final = bytes((n << 3 | n >> 5) & 0xFF for n in range(256))
_BROKEN: Final = (struct.error, ValueError, KeyError, IndexError, TypeError, DecryptionError)

_Decrypt = Callable[[str], bytes | None]


def plain(stream: bytes, context: Context) -> bytes:
    """The stream with its records in the clear. Raises Encrypted when no password fits, Malformed."""
    said = _file_pass(stream)
    if said is None:
        return stream
    try:
        for password in (DEFAULT_PASSWORD, *context.passwords):
            opened = _open(stream, said, password)
            if opened is not None:
                context.found("file.decrypted", "", Action.REWRITTEN)
                context.scan_layer(opened, "decrypted")
                return opened
    except _BROKEN as error:
        raise Malformed(f"encryption: {type(error).__name__}", code="xls.malformed") from None
    raise Encrypted("none of the passwords opens it")


def _file_pass(stream: bytes) -> bytes | None:
    """It stands behind the BOF, perhaps with what protects against writing between."""
    for number, (kind, at, size) in enumerate(records.heads(stream)):
        if kind == records.FILEPASS:
            return stream[at : at + size]
        if number > 4:
            break
    return None


def _open(stream: bytes, said: bytes, password: str) -> bytes | None:
    """None for a wrong password."""
    (kind,) = struct.unpack_from("<H", said)
    if kind == 0 or len(said) == 4:
        (verifier,) = struct.unpack_from("<H", said, len(said) - 2)
        if len(password) > _LONGEST_XOR or not password.isascii() or not DocumentXOR.verifypw(password, verifier):
            return None
        return _unmasked(stream, bytes(DocumentXOR.create_xor_array_method1(password)))
    major, minor = struct.unpack_from("<HH", said, 2)
    if (major, minor) == (1, 1):
        salt, verifier_, hashed = said[6:22], said[22:38], said[38:54]
        if not DocumentRC4.verifypw(password, salt, verifier_, hashed):
            return None
        return _woven(stream, DocumentRC4.decrypt(password, salt, io.BytesIO(stream), blocksize=_BLOCK).read())
    if minor != 2:
        raise Encrypted("encryption of an unusual kind")
    info = _parse_header_RC4CryptoAPI(io.BytesIO(said[6:]))
    size = info["keySize"]
    if size not in range(40, 129, 8):
        raise Malformed("size of a key", code="xls.malformed")
    if not DocumentRC4CryptoAPI.verifypw(password, info["salt"], size, info["encryptedVerifier"], info["encryptedVerifierHash"]):
        return None
    return _woven(stream, DocumentRC4CryptoAPI.decrypt(password, info["salt"], size, io.BytesIO(stream), blocksize=_BLOCK).read())


def _woven(stream: bytes, decrypted: bytes) -> bytes:
    """The cipher runs over heads and plain records too; of them the given bytes count."""
    made = bytearray(stream)
    for kind, at, size in records.heads(stream):
        if kind not in _PLAIN:
            start = at + 4 if kind == _BOUNDSHEET else at
            made[start : at + size] = decrypted[start : at + size]
    return bytes(made)


def _unmasked(stream: bytes, mask: bytes) -> bytes:
    """The mask of sixteen bytes begins anew with each record, at a place that its end decides."""
    made = bytearray(stream)
    for kind, at, size in records.heads(stream):
        if kind in _PLAIN:
            continue
        start, end = (at + 4 if kind == _BOUNDSHEET else at), at + size
        first = (end + (4 if kind == _BOUNDSHEET else 0)) % 16
        length = max(end - start, 0)
        keys = (mask[first:] + mask * (length // 16 + 1))[:length]
        mixed = int.from_bytes(made[start:end], "big") ^ int.from_bytes(keys, "big")
        made[start:end] = mixed.to_bytes(length, "big").translate(_TURNED)
    return bytes(made)
