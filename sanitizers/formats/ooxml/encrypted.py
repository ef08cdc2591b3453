"""Office packages under a password: opened with the passwords at hand, then rebuilt as any other.

Removes: the encryption (the result crosses in plain form, as the report says), and what the sanitizer of the kind inside removes
Keeps: what the sanitizer of the kind inside keeps
Refuses: files that no password opens, content that is no Office package of ours
Spec: [MS-OFFCRYPTO] 2.3.4 (standard, extensible and agile encryption)
"""

from __future__ import annotations

import io
import struct
from typing import Any, Final
from xml.dom import expatbuilder  # noqa: F401 - the library under minidom loads it late; here it is loaded before the jail
from xml.parsers.expat import ExpatError

import msoffcrypto
import olefile
from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm
from msoffcrypto import exceptions
from msoffcrypto.format import ooxml as _ooxml_format  # noqa: F401 - chosen lazily inside the library; loaded here, before the jail
from msoffcrypto.method import ecma376_agile, ecma376_extensible, ecma376_standard  # noqa: F401 - as above

from sanitizers import identify, xml
from sanitizers.context import Context, Rebuilt
from sanitizers.formats import ooxml
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Encrypted, Kind, LimitExceeded, Malformed, Unsupported
from sanitizers.source import Source

DEFAULT_PASSWORD: Final = "VelvetSweatshop"  # noqa: S105 - Excel opens with it unasked, so it hides nothing

_AGILE: Final = b"\x04\0\x04\0"
_LARGEST_INFO: Final = 1 << 20      # bytes
_MOST_ROUNDS: Final = 1_000_000     # Office writes 100,000; [MS-OFFCRYPTO] allows 10,000,000
_BROKEN: Final = (
    exceptions.FileFormatError, exceptions.DecryptionError, exceptions.ParseError, struct.error, ValueError, KeyError, IndexError,
    TypeError, AttributeError, OSError, ExpatError, UnsupportedAlgorithm,
)  # fmt: skip
_WRONG: Final = (exceptions.InvalidKeyError, InvalidKey)


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Encrypted when no password fits, Unsupported, and what the sanitizer of the inner kind raises."""
    opened = _decrypt(source, context)
    inner = Source(opened)
    kind = identify.identify(inner, context.name)
    if kind not in ooxml.KINDS:
        raise Unsupported(f"{kind} under a password")
    context.found("file.decrypted", "", Action.REWRITTEN)
    context.scan_layer(opened, "decrypted")
    return ooxml.sanitize(inner, context)


def _decrypt(source: Source, context: Context) -> bytes:
    """The plain package. The cipher does not expand, so its size is bounded by the input's."""
    _check_info(source, context)
    try:
        file: Any = msoffcrypto.OfficeFile(source.stream())
    except _BROKEN as error:
        raise Malformed(f"encryption: {type(error).__name__}", code="ooxml.package") from None
    for password in (DEFAULT_PASSWORD, *context.passwords):
        plain = _attempt(file, password)
        if plain is not None:
            context.budget.spend_bytes(len(plain))
            return plain
    raise Encrypted("none of the passwords opens it")


def _check_info(source: Source, context: Context) -> None:
    """The description of the encryption, before a library works through it: no DTD, no more rounds of hashing than Office ever uses."""
    try:
        with olefile.OleFileIO(source.stream()) as compound:
            info = compound.openstream("EncryptionInfo").read(_LARGEST_INFO)
    except (OSError, *_BROKEN) as error:
        raise Malformed(f"encryption: {type(error).__name__}", code="ooxml.package") from None
    if info[:4] != _AGILE:
        return
    for element in xml.parse(info[8:], context.budget, "EncryptionInfo").iter():
        rounds = element.get("spinCount", "0")
        if not rounds.isdecimal() or int(rounds) > _MOST_ROUNDS:
            raise LimitExceeded(f"{rounds[:20]} rounds of password hashing", where="EncryptionInfo")


def _attempt(file: Any, password: str) -> bytes | None:
    """What the password opens; None for a wrong one.

    The verifier in the file is not asked: some writers get it wrong, and Office and we alike see at once whether a package comes out.
    """
    out = io.BytesIO()
    try:
        file.load_key(password=password, verify_password=False)
        file.decrypt(out)
    except (*_WRONG, exceptions.DecryptionError):
        return None
    except _BROKEN as error:
        raise Malformed(f"encryption: {type(error).__name__}", code="ooxml.package") from None
    return out.getvalue() if out.getvalue().startswith(b"PK") else None


SANITIZER: Final = Sanitizer(
    family="ooxml",
    kinds=frozenset({Kind.OOXML_ENCRYPTED}),
    sanitize=sanitize,
    removes="the encryption, then as the kind inside",
    keeps="as the kind inside",
    refuses="files that no password opens",
    spec="MS-OFFCRYPTO",
)
