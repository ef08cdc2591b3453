"""DocuWorks documents and binders (.xdw, .xbd): a head, one packed list of objects and its sizes, each object to its last byte.

Objects of those classes pass that text, markers and pages are made of. Scanned pages, originals that are attached, links and what is
under a password are of other classes, about which nothing is known: such a document is held.

Refuses: objects and values of unknown classes; drawings that would not go out as they are; names of files and machines elsewhere
Spec: none is published; values are tagged as in ITU-T X.690 (BER), packed data are -lh5-
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sanitizers import lh5
from sanitizers.context import Context
from sanitizers.model import Kind, LimitExceeded, Malformed, Unsupported, Verdict
from sanitizers.source import Source

_HEAD, _BODY, _PACKED, _SIZES, _OBJECT = b"\x60", b"\x61", b"\x63", b"\x68", b"\x62"
_LINE_ENDS: Final = bytes.fromhex("010d0a01")  # a transfer as text would have changed them
_DOCUMENT, _BINDER = bytes.fromhex("00c013"), bytes.fromhex("00c014")
# Lists of annotations, of pages and of the documents in a binder; sizes of pages; a marker and a text.
_CLASSES: Final = frozenset(
    bytes.fromhex(one) for one in ("00c013", "00c014", "1301", "1302", "1303", "1304", "1305", "1306", "1401", "1402", "008011", "008045")
)
_DEPTH, _PICTURE = b"\x80", b"\x87"
# A name, a number, a size; names of properties; and the properties of annotations.
_VALUES: Final = frozenset(
    {b"\x83", b"\x84", b"\x85", b"\x9f\x33", b"\x9f\x34", b"\x9f\x44"} | {bytes((0x9F, 0x8F, n)) for n in range(0x51, 0x6F)}
)
_OF_PICTURE: Final = frozenset(bytes((tag,)) for tag in (0x80, 0x81, 0x84, 0x85, 0x86, 0x89, 0x8D, 0x90, 0x91))
_OF_SIZES: Final = tuple(bytes((tag,)) for tag in (0x80, 0x82, 0x83, 0x84, 0x85, 0x86))
_METHOD: Final = b"\x04"
_LONGEST: Final = 1 << 16  # bytes of one value
_DEEPEST: Final = 16
_MOST: Final = 100_000
_PICTURES: Final = frozenset({Kind.EMF, Kind.WMF, Kind.JPEG, Kind.PNG, Kind.TIFF, Kind.BMP})
_ELSEWHERE: Final = re.compile(r"\\\\[^\s\\]|://|[a-z]:\\|file:|javascript:|mailto:", re.IGNORECASE)

_Values = Iterator[tuple[bytes, bytes]]


def check(source: Source, context: Context) -> str:
    """Raises Malformed, Unsupported (`confirm.foreign`, other versions), LimitExceeded."""
    context.budget.spend_bytes(len(source))
    found = list(_values(source.bytes()))
    if [tag for tag, _ in found] != [_HEAD, _BODY]:
        raise Unsupported("a document of an unknown layout")
    _check_head(found[0][1], context.kind)
    objects = _unfolded(found[1][1], context)
    context.scan_layer(objects, "objects")
    return _walk(objects, context)


def _values(data: bytes) -> _Values:
    """Tag and content of each value up to the last byte. Raises Malformed, LimitExceeded."""
    at = count = 0
    while at < len(data):
        count += 1
        if count > _MOST:
            raise LimitExceeded(f"more than {_MOST} values")
        start = at
        at += 1
        if data[start] & 0x1F == 0x1F:
            while at < len(data) and at - start < 4 and data[at] & 0x80:
                at += 1
            at += 1
        tag, length = data[start:at], data[at : at + 1]
        at += 1
        if length > b"\x80":
            more = length[0] & 0x7F
            length, at = data[at : at + more], at + more
        end = at + int.from_bytes(length, "big")
        if length in (b"", b"\x80") or end > len(data):
            raise Malformed("a value that is cut off")
        yield tag, data[at:end]
        at = end


def _check_head(head: bytes, kind: Kind) -> None:
    said = dict(_values(head))
    if len(said) != 3 or said.get(b"\x83") != _LINE_ENDS or len(said.get(b"\x82", b"")) != 1:
        raise Unsupported("a head of an unknown version")
    if said.get(_DEPTH) != (_BINDER if kind is Kind.XBD else _DOCUMENT):
        raise Unsupported("neither a document nor a binder")


def _unfolded(body: bytes, context: Context) -> bytes:
    """The list of objects: packed, and behind it the sizes before and after."""
    found = list(_values(body))
    if [tag for tag, _ in found] != [_PACKED, _SIZES]:
        raise Unsupported("a body of an unknown layout", code="confirm.foreign")
    packed, sizes = found[0][1], list(_values(found[1][1]))
    if tuple(tag for tag, _ in sizes) != _OF_SIZES:
        raise Unsupported("sizes of an unknown layout")
    said = dict(sizes)
    if int.from_bytes(said[b"\x84"], "big") != len(packed):
        raise Malformed("packed objects of another size")
    return lh5.unpacked(packed, int.from_bytes(said[b"\x83"], "big"), context.budget).bytes()


def _walk(objects: bytes, context: Context) -> str:
    depth = count = pictures = 0
    for tag, content in _values(objects):
        values = list(_values(content)) if tag == _OBJECT else []
        if [one for one, _ in values[:2]] != [_DEPTH, _OBJECT] or len(values[0][1]) != 1:
            raise Malformed(f"object {count + 1}")
        level = values[0][1][0]
        if level > min(depth + 1, _DEEPEST):
            raise Malformed(f"object {count + 1} below none")
        if values[1][1] not in _CLASSES:
            raise Unsupported(f"object of class {values[1][1].hex()[:8]}", code="confirm.foreign")
        for name, value in values[2:]:
            pictures += _check_value(name, value, context)
        depth, count = level, count + 1
    return f"{count} objects, {pictures} drawings"


def _check_value(name: bytes, value: bytes, context: Context) -> bool:
    """True for a picture."""
    if name == _PICTURE:
        _check_picture(value, context)
        return True
    if name not in _VALUES or len(value) > _LONGEST:
        raise Unsupported(f"value {name.hex()[:8]} of {len(value)} bytes", code="confirm.foreign")
    for text in (value.decode("cp932", "replace"), value.decode("utf-16-le", "replace"), value[1:].decode("utf-16-le", "replace")):
        if found := _ELSEWHERE.search(text):
            raise Unsupported(f"names something elsewhere: {found[0]}", code="confirm.foreign")
    return False


def _check_picture(value: bytes, context: Context) -> None:
    """What an annotation looks like: a drawing, its size before and after it was packed."""
    parts = list(_values(value))
    said = dict(parts)
    if len(said) != len(parts) or not said.keys() <= _OF_PICTURE or said.get(b"\x80") != _METHOD or b"\x86" not in said:
        raise Unsupported("a drawing of an unknown layout", code="confirm.foreign")
    if int.from_bytes(said.get(b"\x89", b""), "big") != len(said[b"\x86"]):
        raise Malformed("a packed drawing of another size")
    drawing = lh5.unpacked(said[b"\x86"], int.from_bytes(said.get(b"\x81", b""), "big"), context.budget)
    seen = context.embed("drawing", drawing, "drawing").report
    if seen.input.kind not in _PICTURES or seen.verdict is not Verdict.CLEAN:
        raise Unsupported(f"a drawing that is {seen.input.kind}, {seen.verdict}", code="confirm.foreign")
