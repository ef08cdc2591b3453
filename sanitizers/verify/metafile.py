"""The second opinion on rebuilt metafiles: the records walked by other code, with lists of its own, from the header to the last byte."""

from __future__ import annotations

import re
import struct
from typing import Final

from sanitizers.context import Context
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source

# Records that only draw: no comment, escape, OpenGL, pixel format, profile, or printer call is among them.
_EMF: Final = frozenset({*range(2, 69), *range(71, 78), *range(80, 96), 98, 108, 114, 115, 116, 118, 120})
_WMF: Final = frozenset(
    int(word, 16)
    for word in "0000 001E 0035 0037 00F7 0102 0103 0104 0105 0106 0107 0108 0127 012A 012B 012C 012D 012E 0139 0142 0149 01F0 0201 0209 "
    "020A 020B 020C 020D 020E 020F 0211 0213 0214 0220 0228 0231 0234 02FA 02FB 02FC 0324 0325 0410 0412 0415 0416 0418 0419 041B 041F "
    "0429 0436 0521 0538 0548 061C 061D 06FF 0817 081A 0830 0922 0940 0A32 0B23 0B41 0D33 0F43".split()
)
_END_OF_EMF, _END_OF_WMF = 14, 0
_EMF_SIZES: Final = {_END_OF_EMF: 20}
_WMF_SIZES: Final = {_END_OF_WMF: 3, 0x0922: 12, 0x0B23: 14}      # those that copy a bitmap: of one that is not there
_MARK_UP: Final = re.compile(rb"<(?:script|\?php|html|iframe|!doctype|body|svg[\s>])|%PDF-|%!PS", re.IGNORECASE)


def verify(output: Source, original: Source, context: Context) -> None:
    """Raises VerificationFailed for anything but listed records that fill the file, and for a drawing that has lost its bounds."""
    data = output.bytes()
    try:
        (_check_emf if context.kind is Kind.EMF else _check_wmf)(data)
        if context.kind is Kind.EMF:
            _require(data[8:40] == bytes(original.view[8:40]), "bounds")
        elif data[:4] == b"\xd7\xcd\xc6\x9a":
            _require(data[6:16] == bytes(original.view[6:16]), "bounds")
    except struct.error as error:
        raise VerificationFailed(f"ends too early: {error}") from None
    _require(_MARK_UP.search(data) is None, "the bytes read as mark-up or as a document")


def _check_emf(data: bytes) -> None:
    number, length = struct.unpack_from("<II", data)
    signature, _, whole, records, _, _, described, _, colours = struct.unpack_from("<IIIIHHIII", data, 40)
    _require((number, length, signature, described, colours, whole) == (1, 108, 0x464D4520, 0, 0, len(data)), "header")
    at, seen = 108, 1
    while at < len(data):
        number, size = struct.unpack_from("<II", data, at)
        _require(number in _EMF and _EMF_SIZES.get(number, size) == size >= 8 and size % 4 == 0, f"record {number}")
        at, seen = at + size, seen + 1
        _require((number == _END_OF_EMF) == (at == len(data)), "end")
    _require(number == _END_OF_EMF and seen == records, "end, or number of records")


def _check_wmf(data: bytes) -> None:
    at = 22 if data[:4] == b"\xd7\xcd\xc6\x9a" else 0
    function, length, version, words, _, largest, _ = struct.unpack_from("<HHHIHIH", data, at)
    _require((function, length, version) == (1, 9, 0x300) and 2 * words == len(data) - at, "header")
    at += 18
    sizes = []
    while at < len(data):
        size, function = struct.unpack_from("<IH", data, at)
        _require(function in _WMF and _WMF_SIZES.get(function, size) == size >= 3, f"record {function:04X}")
        at += 2 * size
        sizes.append(size)
        _require((function == _END_OF_WMF) == (at == len(data)), "end")
    _require(function == _END_OF_WMF and max(sizes) == largest, "end, or length of the longest record")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise VerificationFailed(what)


VERIFIERS: Final = {Kind.EMF: verify, Kind.WMF: verify}
