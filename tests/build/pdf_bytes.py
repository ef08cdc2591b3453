"""PDF written byte by byte, for what no library would write: escaped names, wrong tables, several revisions, bombs."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping

_OBJECT = re.compile(rb"^([0-9]+) 0 obj$", re.MULTILINE)
_STREAM = re.compile(rb"(\nstream\n.*?\nendstream\n)", re.DOTALL)
_NAME = re.compile(rb"(\((?:[^()\\]|\\.)*\))|/([A-Za-z][A-Za-z0-9]*)")

Objects = Mapping[int, bytes]


def stream(data: bytes, fields: bytes = b"") -> bytes:
    """A stream object around data that is encoded already."""
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (fields, len(data), data)


def deflated(data: bytes, fields: bytes = b"") -> bytes:
    return stream(zlib.compress(data, 9), b"/Filter/FlateDecode" + fields)


def revision(before: bytes, objects: Objects, trailer: bytes = b"", size: int = 0) -> bytes:
    """`before` with one more body, cross-reference table and trailer behind it."""
    out, rows = bytearray(before), {}
    for number, body in objects.items():
        rows[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    previous = before.rfind(b"startxref\n")
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, offset in sorted(rows.items()):
        out += b"%d 1\n%010d 00000 n \n" % (number, offset)
    if previous >= 0:
        trailer += b"/Prev %d" % int(before[previous + 10 :].split()[0])
    return bytes(out) + b"trailer\n<</Root 1 0 R/Size %d%b>>\nstartxref\n%d\n%%%%EOF\n" % (size or max(rows) + 1, trailer, start)


def document(objects: Objects, header: bytes = b"%PDF-1.7\n") -> bytes:
    """A whole file of one revision; object 1 is the catalog."""
    return revision(header, objects)


def one_page(content: bytes = b"", resources: bytes = b"", more: Objects | None = None, page: bytes = b"", catalog: bytes = b"") -> dict[int, bytes]:
    """The objects of a file with one page: 1 catalog, 2 page tree, 3 page, 4 its content, 5 a font; `more` from 6 on."""
    return {
        1: b"<</Type/Catalog/Pages 2 0 R%b>>" % catalog,
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>%b>>%b>>" % (resources, page),
        4: stream(b"BT /F1 24 Tf 20 250 Td (visible) Tj ET\n" + content),
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        **(more or {}),
    }


def renamed(qdf: bytes, spell: Callable[[bytes], bytes]) -> bytes:
    """A file that qpdf wrote with --qdf, every name outside streams spelt anew, and a table that fits it again."""
    body = qdf[: qdf.rindex(b"\nxref\n") + 1]
    trailer = qdf[qdf.rindex(b"\ntrailer ") : qdf.rindex(b"startxref")]
    parts = _STREAM.split(body)
    body = b"".join(
        part if index % 2 else _NAME.sub(lambda match: match[1] or b"/" + spell(match[2]), part) for index, part in enumerate(parts)
    )
    offsets = {int(match[1]): match.start() for match in _OBJECT.finditer(body)}
    table = b"".join(b"%010d 00000 n \n" % offsets[number] for number in range(1, max(offsets) + 1))
    return body + b"xref\n0 %d\n0000000000 65535 f \n%b" % (max(offsets) + 1, table) + trailer + b"startxref\n%d\n%%%%EOF\n" % len(body)


def hexadecimal(name: bytes) -> bytes:
    """The first letter plain, the others as #xx."""
    return name[:1] + b"".join(b"#%02x" % byte for byte in name[1:])


def zeros(megabytes: int) -> bytes:
    """So many megabytes of zeros, deflated; made without ever holding them."""
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = machine.compress(bytes(1 << 20)) + machine.flush(zlib.Z_FULL_FLUSH)
    checksum = ((megabytes << 20) % 65521) << 16 | 1
    return b"\x78\xda" + block * megabytes + b"\x03\x00" + checksum.to_bytes(4, "big")
