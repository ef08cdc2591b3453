"""DocuWorks documents and binders value by value: a head, the packed list of objects, its sizes."""

from __future__ import annotations

from tests.build import jtd, metafile

DOCUMENT, BINDER = bytes.fromhex("00c013"), bytes.fromhex("00c014")
DRAWING = metafile.emf(metafile.rectangle(10, 10, 60, 60))


def value(tag: str, content: bytes = b"") -> bytes:
    """`tag` in hexadecimal; lengths above 127 take more bytes."""
    length = len(content)
    said = bytes((length,)) if length < 0x80 else bytes((0x82,)) + length.to_bytes(2, "big") if length < 1 << 16 else b"\x84" + length.to_bytes(4, "big")
    return bytes.fromhex(tag) + said + content


def item(depth: int, kind: bytes | str, *values: bytes) -> bytes:
    """An object: how deep it hangs, its class, its values."""
    kind = bytes.fromhex(kind) if isinstance(kind, str) else kind
    return value("62", value("80", bytes((depth,))) + value("62", kind) + b"".join(values))


def drawing(content: bytes = DRAWING, *, method: bytes = b"\x04", size: int | None = None, packed: int | None = None, more: bytes = b"") -> bytes:
    squeezed = jtd.squeezed(content)
    sizes = value("81", (len(content) if size is None else size).to_bytes(4, "big"))
    return value("87", value("80", method) + sizes + value("89", (packed or len(squeezed)).to_bytes(4, "big")) + more + value("86", squeezed))


def objects(*more: bytes, kind: bytes = DOCUMENT) -> bytes:
    """A page with a text and a marker, and what is added to it."""
    page = [item(1, "1303"), item(2, "1301", value("85", bytes(6)), value("83", b"\1")), item(3, "1302", value("9f8f51", bytes(6)))]
    text = item(4, "008011", value("9f8f52", "ＭＳ 明朝".encode("cp932") + b"\0"), value("9f8f6c", "本文".encode("utf-16-le") + b"\0\0"), drawing())
    return b"".join((item(0, kind, value("84", b"\0")), *page, text, item(4, "008045", value("9f8f54", b"\2\3"), drawing()), *more, item(1, "1304")))


def document(
    content: bytes | None = None, *, kind: bytes = DOCUMENT, ends: bytes = b"\1\r\n\1", version: bytes = b"\x0a", size: int | None = None, packed: int | None = None, tail: bytes = b"",
    beside: bytes = b"", waste: bytes = b"", measure: str = "86",
) -> bytes:  # fmt: skip
    """`size`, `packed`: what is said about the list of objects; `waste`: behind its last code."""
    content = objects(kind=kind) if content is None else content
    squeezed = jtd.squeezed(content) + waste
    said = value("83", (len(content) if size is None else size).to_bytes(4, "big")) + value("84", (packed or len(squeezed)).to_bytes(4, "big"))
    sizes = value("68", value("80", b"\0") + value("82", b"\0") + said + value("85", bytes(4)) + value(measure, b"\x1a\0\0\0"))
    head = value("60", value("82", version) + value("80", kind) + value("83", ends))
    return head + value("61", value("63", squeezed) + sizes + beside) + tail
