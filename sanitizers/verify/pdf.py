"""The second opinion on PDF: PDFium counts and measures the pages, and a walk over the bytes looks at every name, however written.

The walk has its own tokenizer and its own inflater and trusts no cross-reference table: it reads the file from the first byte to the
last as a row of objects, unpacks every object stream, and compares every name with what may not be there and every filter with what may.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

import pypdfium2

from sanitizers.context import Context
from sanitizers.model import VerificationFailed
from sanitizers.source import Source

# Names that only active, foreign or unneeded things have. A verifier may name dangers: the sanitizer copies by an allow-list.
_FORBIDDEN: Final = frozenset((
    b"JS", b"JavaScript", b"Launch", b"EmbeddedFile", b"EmbeddedFiles", b"EF", b"AF", b"OpenAction", b"AA", b"XFA", b"RichMedia",
    b"RichMediaContent", b"RichMediaSettings", b"RichMediaExecute", b"GoToR", b"GoToE", b"GoTo3DView", b"SubmitForm", b"ImportData", b"3DD",
    b"JBIG2Decode", b"JBIG2Globals", b"JPXDecode", b"Filespec", b"FFilter", b"FDecodeParms", b"PieceInfo", b"OPI", b"Encrypt", b"XRefStm",
    b"FileAttachment", b"Renditions", b"SpiderInfo", b"ByteRange",
))
# Words that a font or a layer may bear too: looked for only where they say what a thing is.
_FORBIDDEN_KINDS: Final = frozenset((
    b"Movie", b"Sound", b"Rendition", b"Screen", b"3D", b"ResetForm", b"Collection", b"SetOCGState", b"Named", b"Hide", b"Thread", b"Trans",
    b"Metadata", b"PrinterMark", b"TrapNet", b"Redact", b"PS", b"Sig", b"Projection",
))
_FILTERS: Final = frozenset((b"FlateDecode", b"DCTDecode", b"CCITTFaxDecode"))
_URI: Final = re.compile(rb"/URI[ \n]*(?:\(((?:[^()\\]|\\.)*)\)|<([0-9a-fA-F]*)>)", re.DOTALL)
_OBJECT: Final = re.compile(rb"([0-9]+) 0 obj\n(<<.*?>>)\nstream\n", re.DOTALL)
_LENGTH: Final = re.compile(rb"/Length ([0-9]+)")
_HEADER: Final = re.compile(rb"%PDF-(?:1\.7|2\.0)\n%\xe2\xe3\xcf\xd3\n")
_TRAILER: Final = re.compile(rb"startxref\n([0-9]+)\n%%EOF\n\Z")
_SKIPPED: Final = re.compile(rb"\((?:[^()\\]++|\\[\x00-\xff])*+\)|<[0-9A-Fa-f]*+>")
_KIND: Final = re.compile(rb"/(?:S|Subtype|Type)[ \n]*/([^\x00\t\n\f\r ()<>\[\]{}/%]*+)")
_NAME: Final = re.compile(rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]*+)")
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_MAX_INFLATED: Final = 1 << 30
_TOLERANCE: Final = 0.01
_BODY_END: Final = b"\nendstream\nendobj\n"


def verify(output: Source, original: Source, context: Context) -> None:
    """Raises VerificationFailed when anything active or foreign is left, or the pages are not those of the original."""
    data = output.bytes()
    for fields, body in _objects(data):
        _check_names(fields)
        _check_links(fields, context)
        if b"/Type/ObjStm" in fields:
            text = _inflate(body) if b"/FlateDecode" in fields else body
            _check_names(text)
            _check_links(text, context)
    _compare_pages(data, original, context)


def _objects(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Dictionary and data of each stream object, in the order of the bytes; nothing may stand before, between or after them."""
    header, trailer = _HEADER.match(data), _TRAILER.search(data, max(0, len(data) - 64))
    if header is None or trailer is None:
        raise VerificationFailed("not one header and one trailer")
    position, last = header.end(), 0
    while position < trailer.start():
        match = _OBJECT.match(data, position)
        length = _LENGTH.search(match[2]) if match else None
        if match is None or length is None:
            raise VerificationFailed("foreign bytes between objects")
        last, end = position, match.end() + int(length[1])
        if data[end : end + len(_BODY_END)] != _BODY_END:
            raise VerificationFailed("a stream with a wrong length")
        yield match[2], data[match.end() : end]
        position = end + len(_BODY_END)
    if position != trailer.start() or int(trailer[1]) != last:
        raise VerificationFailed("the cross-reference is not the last object")


def _inflate(body: bytes) -> bytes:
    try:
        machine = zlib.decompressobj()
        text = machine.decompress(body, _MAX_INFLATED)
    except zlib.error as error:
        raise VerificationFailed("an object stream cannot be inflated") from error
    if machine.unconsumed_tail or machine.unused_data:
        raise VerificationFailed("an object stream with more behind it")
    return text


def _check_names(text: bytes) -> None:
    """Every name outside strings, with its escapes undone."""
    bare = _SKIPPED.sub(b" ", text)
    if b"%" in bare or b"(" in bare:
        raise VerificationFailed("a comment or a broken string between objects")
    names = _unescaped(_NAME.findall(bare))
    kinds = _unescaped(_KIND.findall(bare))
    if found := sorted((names & _FORBIDDEN) | (kinds & _FORBIDDEN_KINDS)):
        raise VerificationFailed(f"/{found[0].decode('latin-1')} is left")
    if b"XRef" in kinds and b"Prev" in names:
        raise VerificationFailed("an older revision is left")
    for name in names:
        if name.endswith(b"Decode") and name != b"Decode" and name not in _FILTERS:
            raise VerificationFailed(f"filter {name[:40].decode('latin-1')} is left")


def _unescaped(names: list[bytes]) -> set[bytes]:
    return {_ESCAPED.sub(lambda match: bytes((int(match[1], 16),)), name) for name in set(names)}


def _check_links(text: bytes, context: Context) -> None:
    """Every URI has a scheme that policy allows."""
    for match in _URI.finditer(text):
        uri = bytes.fromhex(match[2].decode()) if match[2] is not None else match[1]
        scheme = uri.partition(b":")[0].lower().decode("latin-1")
        if scheme not in context.treatment.link_schemes:
            raise VerificationFailed(f"a link to {scheme[:40]} is left")


def _compare_pages(data: bytes, original: Source, context: Context) -> None:
    """Page count and sizes as PDFium sees them. An original that PDFium does not open cannot be compared."""
    try:
        new = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise VerificationFailed("PDFium does not open the result") from error
    old = _open(original.bytes(), context)
    try:
        _compare(new, old)
    finally:
        new.close()
        if old is not None:
            old.close()


def _open(data: bytes, context: Context) -> pypdfium2.PdfDocument | None:
    for password in (None, *context.passwords):
        try:
            return pypdfium2.PdfDocument(data, password=password)
        except pypdfium2.PdfiumError:
            continue
    return None


def _compare(new: pypdfium2.PdfDocument, old: pypdfium2.PdfDocument | None) -> None:
    count = len(new)
    if count == 0:
        raise VerificationFailed("no pages")
    if old is not None and len(old) != count:
        raise VerificationFailed(f"{len(old)} pages became {count}")
    for index in range(count):
        try:
            size = new.get_page_size(index)
        except pypdfium2.PdfiumError as error:
            raise VerificationFailed(f"page {index + 1} cannot be opened") from error
        if old is None:
            continue
        try:
            before = old.get_page_size(index)
        except pypdfium2.PdfiumError:
            continue
        if any(abs(a - b) > max(_TOLERANCE, _TOLERANCE * b) for a, b in zip(size, before, strict=True)):
            raise VerificationFailed(f"page {index + 1}: {before} became {size}")
