"""Embedded font programs (ISO 32000-2 §9.9): told apart by their bytes, parsed and written anew."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Final, NamedTuple

from PIL import ImageFont

from sanitizers.formats.pdf import cff, sfnt, type1
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Stream, Value
from sanitizers.model import Malformed

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier


class Rewritten(NamedTuple):
    """A font program anew: the key, the extra fields of its stream, the bytes, and how many glyphs could not be kept."""

    key: str
    fields: Dictionary
    data: bytes
    emptied: int


def program(copier: Copier, value: Value, where: str) -> tuple[str, Ref] | None:
    """The key of the descriptor and the new program; None when no viewer could use it.

    Raises Malformed for a program that viewers use but that does not parse here.
    """
    stream = copier.resolve(value)
    if not isinstance(stream, Stream):
        return None
    ref = value if isinstance(value, Ref) else stream.ref
    if ref not in copier.programs:
        copier.programs[ref] = _program(copier, stream, where)
    return copier.programs[ref]


# Programs that this process has written without leaving out a glyph, by digest and subtype: they would be written the same again.
_OWN: Final[dict[tuple[bytes, str | None], Rewritten]] = {}
_MAX_OWN: Final = 10_000


def _program(copier: Copier, stream: Stream, where: str) -> tuple[str, Ref] | None:
    data = copier.content_of(stream, where)
    if not data:
        return None
    subtype = copier.resolve(stream.fields.get("Subtype"))
    try:
        new = _rewritten(data, subtype if isinstance(subtype, Name) else None)
    except Malformed as refusal:
        if _usable(data):
            raise Malformed(f"font program: {refusal.detail}", where=where, code="pdf.invalid_font") from refusal
        copier.drop("pdf.unusable_font", where, refusal.detail)
        return None
    if new.emptied:
        copier.drop("pdf.broken_glyph", where, f"{new.emptied}")
    ref = copier.writer.add_deflated(new.fields, new.data)
    return new.key, ref


def _rewritten(data: bytes, subtype: Name | None) -> Rewritten:
    known = _OWN.get((hashlib.sha256(data).digest(), subtype))
    if known is not None:
        return known._replace(data=data)
    new = _rewrite(data, subtype)
    if not new.emptied and len(_OWN) < _MAX_OWN:
        _OWN[hashlib.sha256(new.data).digest(), new.fields.get("Subtype")] = new._replace(data=b"")
    return new


def _rewrite(data: bytes, subtype: Name | None) -> Rewritten:
    head = data[:4]
    if head in (b"\x00\x01\x00\x00", b"true", b"OTTO", b"ttcf"):
        new, emptied = sfnt.rebuild(data)
        if head == b"OTTO" or subtype == "OpenType":
            return Rewritten("FontFile3", {"Subtype": Name("OpenType")}, new, emptied)
        return Rewritten("FontFile2", {"Length1": len(new)}, new, emptied)
    if head[:1] == b"\x80" or b"%!" in data[:128]:
        new, clear, encrypted, emptied = type1.rebuild(data)
        return Rewritten("FontFile", {"Length1": clear, "Length2": encrypted, "Length3": len(new) - clear - encrypted}, new, emptied)
    if head[:1] == b"\x01":
        new, keyed, emptied = cff.rebuild(data)
        kind = Name("CIDFontType0C" if keyed or subtype == "CIDFontType0C" else "Type1C")
        return Rewritten("FontFile3", {"Subtype": kind}, new, emptied)
    raise Malformed("no known font format")


def _usable(data: bytes) -> bool:
    """Whether FreeType, which most viewers use, opens it at all."""
    try:
        ImageFont.truetype(io.BytesIO(data), 10)
    except (OSError, ValueError):
        return False
    return True
