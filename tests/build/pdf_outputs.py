"""Files in the very form that the PDF sanitizer writes, from raw bytes, so that each can be wrong in one place."""

from __future__ import annotations

import zlib

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
A4 = b"[0 0 595 842]"

Streams = dict[int, tuple[bytes, bytes]]


def file(plain: dict[int, bytes], streams: Streams, *, root: int = 1, between: bytes = b"", stray: dict[int, int] | None = None) -> bytes:
    """Plain objects packed in one object stream, streams with their dictionaries as given but for Length, a cross-reference stream.

    `between`: bytes before the object stream; `stray`: offsets that the cross-reference gives instead of the true ones.
    """
    out, rows = bytearray(HEADER), {0: (0, 0, 65535)}
    for number, (fields, data) in streams.items():
        rows[number] = (1, (stray or {}).get(number, len(out)), 0)
        out += _object(number, fields, data)
    out += between
    container = max([*plain, *streams]) + 1
    rows[container] = (1, len(out), 0)
    out += packed(container, plain)
    rows |= {number: (2, container, index) for index, number in enumerate(plain)}
    start, own = len(out), container + 1
    rows[own] = (1, start, 0)
    table = b"".join(bytes((kind,)) + where.to_bytes(3, "big") + extra.to_bytes(2, "big") for _, (kind, where, extra) in sorted(rows.items()))
    fields = b"/Filter/FlateDecode/Size %d/Type/XRef/W[1 3 2]/Root %d 0 R" % (own + 1, root)
    return bytes(out + _object(own, fields, zlib.compress(table)) + b"startxref\n%d\n%%%%EOF\n" % start)


def packed(number: int, plain: dict[int, bytes], behind: bytes = b"", head: bytes = b"") -> bytes:
    """An object stream; `behind`: bytes after its compressed data that still count as its length; `head`: other offsets than the true ones."""
    head = head or " ".join(f"{key} {sum(len(text) + 1 for text in list(plain.values())[:index])}" for index, key in enumerate(plain)).encode() + b"\n"
    fields = b"/Filter/FlateDecode/First %d/N %d/Type/ObjStm" % (len(head), len(plain))
    return _object(number, fields, zlib.compress(head + b"\n".join(plain.values())) + behind)


def _object(number: int, fields: bytes, data: bytes) -> bytes:
    return b"%d 0 obj\n<<%b/Length %d>>\nstream\n%b\nendstream\nendobj\n" % (number, fields, len(data), data)


def document(
    *, catalog: bytes = b"", page: bytes = b"", stream: bytes = b"", box: bytes = A4, pages: int = 1, text: bytes = b"visible text",
    more: dict[int, bytes] | None = None, streams: Streams | None = None, between: bytes = b"", stray: dict[int, int] | None = None,
) -> bytes:  # fmt: skip
    """Pages with one line of text; extra entries for the catalog, for each page and for the dictionary of the first content stream."""
    numbers = range(10, 10 + 2 * pages, 2)
    plain = {
        1: b"<<%b/Pages 2 0 R/Type/Catalog>>" % catalog,
        2: b"<</Count %d/Kids[%b]/Type/Pages>>" % (pages, b" ".join(b"%d 0 R" % number for number in numbers)),
        3: b"<</BaseFont/Helvetica/Subtype/Type1/Type/Font>>",
    }
    contents: Streams = {}
    for number in numbers:
        resources = b"/Resources<</Font<</F1 3 0 R>>>>" if b"/Resources" not in page else b""
        plain[number] = b"<<%b/Contents %d 0 R/MediaBox%b/Parent 2 0 R%b/Type/Page>>" % (page, number + 1, box, resources)
        contents[number + 1] = (stream if number == 10 else b"", b"BT /F1 24 Tf 72 700 Td (%b) Tj ET" % text)
    used = {*plain, *contents, *(more or {}), *(streams or {})}
    filler = {number: b"null" for number in range(1, max(used) + 1) if number not in used}
    return file({**plain, **(more or {}), **filler}, {**contents, **(streams or {})}, between=between, stray=stray)
