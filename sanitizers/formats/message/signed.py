"""S/MIME signatures: what is signed is taken out and read like any other part, and whether it still is what was signed is told.

The signature itself cannot go along, for the text that it covers is about to change. Whom a certificate belongs to is not judged.
Spec: RFC 8551 (S/MIME 4.0), RFC 5652 §5 (SignedData), RFC 1847 §2.1 (multipart/signed).
"""

from __future__ import annotations

from typing import NamedTuple

from sanitizers import cms
from sanitizers.cms import Check
from sanitizers.der import Broken


class Signed(NamedTuple):
    """What was signed, and what its signature says; None where that could not be checked."""

    content: bytes
    check: Check | None


def opaque(data: bytes) -> Signed | None:
    """An `smime.p7m` that is only signed; None for an encrypted one and other content. Raises Broken."""
    content = cms.enclosed(data)
    if content is None:
        return None
    try:
        return Signed(content, cms.check_enclosed(data))
    except Broken:
        return Signed(content, None)


def detached(signature: bytes, part: bytes) -> Check | None:
    """The second part of a multipart/signed over its first one as it was sent: header, body and CRLF; None where it cannot be checked."""
    if part.count(b"\n") != part.count(b"\r\n"):
        part = part.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    try:
        return cms.check_detached(signature, [part])
    except Broken:
        return None
