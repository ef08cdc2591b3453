"""Documents that PDFium opens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pypdfium2
import pypdfium2.raw as pdfium

from sanitizers.formats.pdf.passwords import spellings
from sanitizers.model import Encrypted, Malformed
from sanitizers.preview.room import Room
from sanitizers.source import Source


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
