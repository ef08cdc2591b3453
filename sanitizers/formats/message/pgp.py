"""PGP inside plain text: a signed text is unwrapped, an encrypted block is taken out and held like any file that nobody here can read.

Signatures are not checked: the keys are with the readers.
Spec: RFC 9580 §6.2 (ASCII armor), §7 (cleartext signatures).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

SEALED: Final = "-----BEGIN PGP MESSAGE-----"
_SEALED: Final = re.compile(
    r"^-----BEGIN PGP MESSAGE-----[ \t]*\n(?:(?!-----)[^\n]*\n)*-----END PGP MESSAGE-----[ \t]*(?:\n|\Z)", re.MULTILINE
)
_NESTED: Final = 8  # signed texts inside signed texts
_SIGNED: Final = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Za-z]+: [^\n]*\n)*[ \t]*\n(?P<text>(?:(?!-----)[^\n]*\n)*)"
    r"-----BEGIN PGP SIGNATURE-----[ \t]*\n(?:(?!-----)[^\n]*\n)*-----END PGP SIGNATURE-----[ \t]*(?:\n|\Z)",
    re.MULTILINE,
)


class Opened(NamedTuple):
    """Text without armor, the encrypted blocks that were in it, and how many signatures were taken off."""

    text: str
    sealed: list[str]
    signatures: int


def opened(text: str) -> Opened:
    """`text` with LF line ends."""
    if "-----BEGIN PGP " not in text:
        return Opened(text, [], 0)
    signatures = 0
    for _ in range(_NESTED):
        text, found = _SIGNED.subn(lambda match: re.sub(r"^- ", "", match["text"], flags=re.MULTILINE), text)
        signatures += found
        if not found:
            break
    sealed = _SEALED.findall(text)
    return Opened(_SEALED.sub("", text), sealed, signatures)
