"""File specifications and text strings, read for people (ISO 32000-2 §7.11, §7.9.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sanitizers.formats.pdf.values import Dictionary, Value

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier


def file_name(copier: Copier, specification: Dictionary) -> str:
    """The name that a file specification gives, the Unicode one first."""
    for key in ("UF", "F"):
        found = copier.resolve(specification.get(key))
        if isinstance(found, bytes):
            return text(found)
    return ""


def text(value: Value) -> str:
    """A text string (§7.9.2.2) for people."""
    if not isinstance(value, bytes):
        return ""
    if value[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return value.decode("utf-16", "replace")
    if value[:3] == b"\xef\xbb\xbf":
        return value[3:].decode("utf-8", "replace")
    return value.decode("pdfdoc", "replace")    # the codec that pikepdf registers


def text_string(value: str) -> bytes:
    """A text string: plain where it can be."""
    return value.encode("ascii") if value.isascii() else b"\xfe\xff" + value.encode("utf-16-be", "surrogatepass")
