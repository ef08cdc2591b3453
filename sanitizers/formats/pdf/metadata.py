"""Document information (ISO 32000-2 §14.3): title, subject and keywords stay, who and with what stays behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf.shapes import OMIT, string
from sanitizers.formats.pdf.values import Dictionary, Stream

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_KEPT: Final = ("Title", "Subject", "Keywords")
# What programs write about themselves: nobody is known by it.
_IMPERSONAL: Final = frozenset({
    "Creator", "Producer", "CreationDate", "ModDate", "Trapped", "Type", "PTEX.Fullbanner", "ICNAppName", "ICNAppPlatform", "ICNAppVersion",
    "SourceModified", "GTS_PDFXVersion", "GTS_PDFXConformance", "GTS_PDFA1Version", "Application", "PXCViewerInfo",
})
# A person in XMP: the creator, the one who changed it, a manager, a company.
_PERSONAL: Final = re.compile(
    rb"<(?:dc:creator|dc:contributor|pdf:Author|xmp:Author|pdfx:Author|pdfx:Company|pdfx:Manager|photoshop:AuthorsPosition)[\s>]"
)
_DECLARATION: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


def information(copier: Copier, catalog: Dictionary) -> Dictionary:
    """The new Info dictionary. Persons are reported as `file.metadata`, a document type in XMP as `pdf.metadata`."""
    info = copier.reader.dictionary(copier.reader.trailer.get("Info"))
    new: Dictionary = {}
    personal = []
    for key, value in info.items():
        text = string(copier, value, "")
        if key in _KEPT and text is not OMIT:
            new[key] = text
        elif key not in _IMPERSONAL and key not in _KEPT and text not in (OMIT, b"", b"\xfe\xff"):
            personal.append(key)
    xmp = copier.resolve(catalog.get("Metadata"))
    if isinstance(xmp, Stream):
        data = copier.content_of(xmp, "catalog/Metadata") or b""
        if _DECLARATION.search(data):
            copier.drop("pdf.metadata", "catalog/Metadata", "DOCTYPE")
        if _PERSONAL.search(data):
            personal.append("XMP")
    if personal:
        copier.drop("file.metadata", "Info", ", ".join(personal)[:200])
    return new
