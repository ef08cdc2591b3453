"""Documents under a password: [MS-OFFCRYPTO] 2.3.5 to 2.3.7, [MS-DOC] 2.2.6. Three streams are encrypted, each in blocks of 512 bytes."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import partial
from typing import Final

from msoffcrypto.exceptions import DecryptionError
from msoffcrypto.format.common import _parse_header_RC4CryptoAPI
from msoffcrypto.method.rc4 import DocumentRC4
from msoffcrypto.method.rc4_cryptoapi import DocumentRC4CryptoAPI

from sanitizers.context import Context
from sanitizers.formats.doc.fib import Base
from sanitizers.formats.office import masks
from sanitizers.model import Action, Encrypted, Malformed

_PLAIN: Final = 68  # bytes of the main stream that are never encrypted
_BLOCK: Final = 512
_BROKEN: Final = (struct.error, ValueError, KeyError, IndexError, TypeError, DecryptionError)

_Decrypt = Callable[[bytes], bytes]


def plain(base: Base, streams: tuple[bytes, bytes, bytes], context: Context) -> tuple[bytes, bytes, bytes]:
    """Main, table and data stream in the clear. Raises Encrypted when no password fits, Malformed."""
    if not base.is_encrypted:
        return streams
    main, table, data = streams
    try:
        for password in context.passwords:
            decrypt = _unmasked(base.key, password) if base.is_obfuscated else _opened(table[: base.key], password)
            if decrypt is not None:
                context.found("file.decrypted", "", Action.REWRITTEN)
                opened = (main[:_PLAIN] + decrypt(main)[_PLAIN:], decrypt(table), decrypt(data))
                for name, stream in zip(("WordDocument", base.table, "Data"), opened, strict=True):
                    context.scan_layer(stream, name)
                return opened
    except _BROKEN as error:
        raise Malformed(f"encryption: {type(error).__name__}", code="doc.malformed") from None
    raise Encrypted("none of the passwords opens it")


def _unmasked(verifier: int, password: str) -> _Decrypt | None:
    """None for a wrong password."""
    for spelling in masks.spellings(password):
        if masks.verifier(spelling) == verifier:
            return partial(masks.unmasked, password=spelling)
    return None


def _opened(head: bytes, password: str) -> _Decrypt | None:
    """None for a wrong password."""
    major, minor = struct.unpack_from("<HH", head)
    if (major, minor) == (1, 1):
        salt = head[4:20]
        if not DocumentRC4.verifypw(password, salt, head[20:36], head[36:52]):
            return None
        return lambda stream: DocumentRC4.decrypt(password, salt, io.BytesIO(stream), blocksize=_BLOCK).read()
    if minor != 2:
        raise Encrypted("encryption of an unusual kind")
    info = _parse_header_RC4CryptoAPI(io.BytesIO(head[4:]))
    size = info["keySize"]
    if size not in range(40, 129, 8):
        raise Malformed("size of a key", code="doc.malformed")
    if not DocumentRC4CryptoAPI.verifypw(password, info["salt"], size, info["encryptedVerifier"], info["encryptedVerifierHash"]):
        return None
    return lambda stream: DocumentRC4CryptoAPI.decrypt(password, info["salt"], size, io.BytesIO(stream), blocksize=_BLOCK).read()
