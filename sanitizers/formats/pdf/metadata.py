"""Document information (ISO 32000-2 §14.3): what policy names and the marks of a classification stay, persons stay behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sanitizers import xml
from sanitizers.formats.office.classification import MARK
from sanitizers.formats.pdf.files import text_string
from sanitizers.formats.pdf.shapes import OMIT, string
from sanitizers.formats.pdf.values import Dictionary, Stream
from sanitizers.model import Malformed

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

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
# Part of Microsoft's labels, and a person.
_OWNER: Final = re.compile(r"MSIP_.*_(?:Owner|Extended_MSFT_Method)", re.IGNORECASE)
_PDFX: Final = "{http://ns.adobe.com/pdfx/1.3/}"
_RDF: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_FROM_XMP: Final = {"{http://purl.org/dc/elements/1.1/}title": "Title", "{http://ns.adobe.com/pdf/1.3/}Keywords": "Keywords"}
_LARGEST_XMP: Final = 1 << 20
_LONGEST: Final = 4096


def information(copier: Copier, catalog: Dictionary) -> Dictionary:
    """The new Info dictionary. Persons are reported as `file.metadata`, a document type in XMP as `pdf.metadata`."""
    info = copier.reader.dictionary(copier.reader.trailer.get("Info"))
    new: Dictionary = {}
    personal = []
    for key, value in info.items():
        text = string(copier, value, "")
        if _is_kept(copier, key) and text is not OMIT:
            new[key] = text
        elif key not in _IMPERSONAL and text not in (OMIT, b"", b"\xfe\xff"):
            personal.append(key)
    xmp = copier.resolve(catalog.get("Metadata"))
    if isinstance(xmp, Stream):
        data = copier.content_of(xmp, "catalog/Metadata") or b""
        if _DECLARATION.search(data):
            copier.drop("pdf.metadata", "catalog/Metadata", "DOCTYPE")
        if _PERSONAL.search(data):
            personal.append("XMP")
        new = {**_lifted(copier, data), **new}
    if personal:
        copier.drop("file.metadata", "Info", ", ".join(personal)[:200])
    return new


def _is_kept(copier: Copier, key: str) -> bool:
    return key in copier.context.treatment.pdf_properties_kept or (MARK.match(key) is not None and _OWNER.match(key) is None)


def _lifted(copier: Copier, data: bytes) -> Dictionary:
    """What of the XMP, which stays behind, is kept where Info does not say it: title, keywords, marks of a classification."""
    if len(data) > _LARGEST_XMP:
        return {}
    try:
        root = xml.parse(data.strip(b"\x00\t\n\r "))
    except Malformed:
        return {}
    found: dict[str, str] = {}
    for element in root.iter(f"{_RDF}Description"):
        for name, value in [*element.items(), *((child.tag, "".join(child.itertext())) for child in element)]:
            key = _FROM_XMP.get(name, name.removeprefix(_PDFX) if name.startswith(_PDFX) else "")
            if value.strip() and _is_kept(copier, key):
                found.setdefault(key, value.strip()[:_LONGEST])
    return {key: text_string(value) for key, value in found.items()}
