"""Documents that PDFium opens."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import pypdfium2
import pypdfium2.raw as pdfium

from sanitizers.formats.pdf.passwords import spellings
from sanitizers.model import Encrypted, Malformed
from sanitizers.preview.room import Room
from sanitizers.source import Source

_MOST_PAGES, _MOST_LINKS, _LONGEST = 100, 500, 2_048


@contextmanager
def opened(source: Source, room: Room) -> Iterator[pypdfium2.PdfDocument]:
    """No script of it runs: PDFium is built without an engine for that, and its forms are not begun. Raises Encrypted and Malformed."""
    data = source.bytes()       # PDFium reads from it as long as the document is open
    document = _document(data, room)
    try:
        yield document
    finally:
        document.close()


def _document(data: bytes, room: Room) -> pypdfium2.PdfDocument:
    for password in ("", *room.passwords):
        for spelling in spellings(password):
            handle = pdfium.FPDF_LoadMemDocument64(data, len(data), spelling)
            if handle:
                return pypdfium2.PdfDocument(handle)
            if pdfium.FPDF_GetLastError() != pdfium.FPDF_ERR_PASSWORD:
                raise Malformed("no reader can open it")
    raise Encrypted("none of the passwords opens it")


def targets(document: pypdfium2.PdfDocument) -> list[str]:
    """Where the links on its first pages lead, as text."""
    found: list[str] = []
    for index in range(min(len(document), _MOST_PAGES)):
        try:
            page = document[index]
        except pypdfium2.PdfiumError:
            continue
        place, link = ctypes.c_int(0), pdfium.FPDF_LINK()
        while len(found) < _MOST_LINKS and pdfium.FPDFLink_Enumerate(page, place, link):
            action = pdfium.FPDFLink_GetAction(link)
            if action and (target := _address(document, action)):
                found.append(target)
        page.close()
    return found


def _address(document: pypdfium2.PdfDocument, action: object) -> str:
    buffer = ctypes.create_string_buffer(_LONGEST)
    size = pdfium.FPDFAction_GetURIPath(document, action, buffer, _LONGEST)
    return buffer.raw[: min(size, _LONGEST)].rstrip(b"\0").decode("utf-8", "replace")
