"""The new file: one header, one revision, object streams and one cross-reference stream (ISO 32000-2 §7.5)."""

from __future__ import annotations

import hashlib
import zlib
from typing import Final

from isal import isal_zlib

from sanitizers.formats.pdf.syntax import serialize
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Value

_BINARY_MARK: Final = b"%\xe2\xe3\xcf\xd3\n"
_PER_OBJECT_STREAM: Final = 200
# Beyond this size the fast compressor costs a tenth of the time for a few per cent of size.
_FAST_FROM: Final = 1 << 20


def deflate(data: bytes) -> bytes:
    """Compressed the same way every time."""
    if len(data) >= _FAST_FROM:
        return isal_zlib.compress(data, 3)
    return zlib.compress(data, 6)


class Writer:
    """Collects the objects of the new file. `reserve` gives a reference before its object is known, for cycles."""

    def __init__(self) -> None:
        self._plain: dict[int, Value] = {}
        self._streams: dict[int, tuple[Dictionary, bytes]] = {}
        self._next = 1

    def reserve(self) -> Ref:
        ref = Ref(self._next)
        self._next += 1
        return ref

    def put(self, ref: Ref, value: Value) -> Ref:
        self._plain[ref.number] = value
        return ref

    def add(self, value: Value) -> Ref:
        return self.put(self.reserve(), value)

    def put_stream(self, ref: Ref, fields: Dictionary, data: bytes) -> Ref:
        """`data` already encoded as `fields` says; Length is set here."""
        self._streams[ref.number] = ({**fields, "Length": len(data)}, data)
        return ref

    def add_stream(self, fields: Dictionary, data: bytes) -> Ref:
        return self.put_stream(self.reserve(), fields, data)

    def put_deflated(self, ref: Ref, fields: Dictionary, data: bytes) -> Ref:
        """Compresses `data` unless that makes it longer."""
        packed = deflate(data)
        if len(packed) < len(data):
            return self.put_stream(ref, {**fields, "Filter": Name("FlateDecode")}, packed)
        return self.put_stream(ref, fields, data)

    def add_deflated(self, fields: Dictionary, data: bytes) -> Ref:
        return self.put_deflated(self.reserve(), fields, data)

    def finish(self, root: Ref, info: Dictionary, version: bytes) -> bytes:
        """The whole file. The identifier is a digest of its content."""
        info_ref = self.add(info) if info else None
        packed = self._pack()
        body = bytearray(b"%PDF-" + version + b"\n" + _BINARY_MARK)
        rows: dict[int, tuple[int, int, int]] = {0: (0, 0, 65535)}
        for number in sorted(self._streams):
            fields, data = self._streams[number]
            rows[number] = (1, len(body), 0)
            body += b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (number, serialize(fields), data)
        rows.update(packed)
        self._cross_reference(body, rows, root, info_ref)
        return bytes(body)

    def _pack(self) -> dict[int, tuple[int, int, int]]:
        """Objects that are no streams go into object streams; returns their rows of the cross-reference table."""
        rows = {}
        numbers = sorted(self._plain)
        for start in range(0, len(numbers), _PER_OBJECT_STREAM):
            group = numbers[start : start + _PER_OBJECT_STREAM]
            container = self.reserve()
            offsets, texts, length = [], [], 0
            for index, number in enumerate(group):
                text = serialize(self._plain[number])
                offsets.append(b"%d %d" % (number, length))
                texts.append(text)
                length += len(text) + 1
                rows[number] = (2, container.number, index)
            head = b" ".join(offsets) + b"\n"
            fields = {"Type": Name("ObjStm"), "N": len(group), "First": len(head)}
            self.put_deflated(container, fields, head + b"\n".join(texts))
        return rows

    def _cross_reference(self, body: bytearray, rows: dict[int, tuple[int, int, int]], root: Ref, info: Ref | None) -> None:
        digest = hashlib.sha256(body).digest()[:16]
        own, start = self.reserve(), len(body)
        rows[own.number] = (1, start, 0)
        width = max(2, (start.bit_length() + 7) // 8)
        free = (0, 0, 65535)
        table = b"".join(
            kind.to_bytes(1, "big") + where.to_bytes(width, "big") + extra.to_bytes(2, "big")
            for kind, where, extra in (rows.get(number, free) for number in range(self._next))
        )
        fields: Dictionary = {"Type": Name("XRef"), "Size": self._next, "W": [1, width, 2], "Root": root}
        if info is not None:
            fields["Info"] = info
        packed = zlib.compress(table, 9)
        fields |= {"ID": [digest, digest], "Filter": Name("FlateDecode"), "Length": len(packed)}
        body += b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (own.number, serialize(fields), packed)
        body += b"startxref\n%d\n%%%%EOF\n" % start
