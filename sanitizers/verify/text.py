"""The second opinion on text kinds: Python's own codecs, Unicode categories, csv, expat and json look at the result."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections import Counter
from typing import Final
from xml.parsers import expat

from sanitizers.context import Context
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source

_ENCODINGS: Final = ("utf-8-sig", "cp932", "euc_jp", "gb18030", "latin-1")
_LINE_CHARACTERS: Final = frozenset("\t\n\r\x0c\x85")
_JOINERS: Final = frozenset("\u200c\u200d")
_TRIGGERS: Final = tuple("=+@\uff1d\uff0b\uff20\t\r")


def verify(output: Source, original: Source, context: Context) -> None:  # noqa: ARG001 - one signature for all verifiers
    """Nothing in it that a terminal or a reader obeys instead of showing."""
    data = output.bytes()
    if b"\x1b" in data:
        _only_character_set_escapes(data)
        return
    for char, count in Counter(_decoded(data)).items():
        category = unicodedata.category(char)
        if category == "Cc" and char not in _LINE_CHARACTERS:
            raise VerificationFailed(f"{count} control characters U+{ord(char):04X}")
        if category == "Cf" and unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"):
            raise VerificationFailed(f"direction control U+{ord(char):04X}")


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise VerificationFailed("no encoding reads it")  # latin-1 reads everything: only a change of the list brings us here


def _only_character_set_escapes(data: bytes) -> None:
    """ISO-2022-JP: every escape designates a character set (RFC 1468, JIS X 0201 kana); none talks to a terminal."""
    for piece in data.split(b"\x1b")[1:]:
        if piece[:2] not in (b"(B", b"(J", b"(I", b"$@", b"$B"):
            raise VerificationFailed("escape sequence")


def verify_csv(output: Source, original: Source, context: Context) -> None:
    """Read as a spreadsheet reads it, no cell begins with a sign that calculates, plain numbers apart."""
    verify(output, original, context)
    text = _decoded(output.bytes())
    for delimiter in ",\t":
        try:
            for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
                for cell in row:
                    if cell.lstrip(" \u3000").startswith(_TRIGGERS) and not _number(cell):
                        raise VerificationFailed(f"row {number}: a cell begins with {cell.strip()[:1]!r}")
        except csv.Error as error:
            # A field longer than the module takes is only long; anything else no spreadsheet reads either.
            if "field larger" not in str(error):
                raise VerificationFailed(f"csv: {error}") from None


def _number(cell: str) -> bool:
    """Signs, digits and the punctuation of numbers, dates and telephone numbers only."""
    return all(unicodedata.category(char) in ("Nd", "Pd", "Sc", "Zs") or char in "+-−,./:()%％eE ー" for char in cell.strip())


def verify_xml(output: Source, original: Source, context: Context) -> None:  # noqa: ARG001 - one signature for all verifiers
    """expat, not libxml2: well-formed, UTF-8, and neither declaration, instruction nor entity."""
    parser = expat.ParserCreate()

    def refuse(*_: object) -> int:
        raise VerificationFailed("document type, entity or processing instruction")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ProcessingInstructionHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(output.bytes(), True)
    except expat.ExpatError as error:
        raise VerificationFailed(f"expat: {error}") from None


def verify_json(output: Source, original: Source, context: Context) -> None:
    verify(output, original, context)
    try:
        json.loads(_decoded(output.bytes()))
    except (ValueError, RecursionError) as error:
        raise VerificationFailed(f"json: {str(error)[:100]}") from None


VERIFIERS: Final = {Kind.TEXT: verify, Kind.CSV: verify_csv, Kind.XML: verify_xml, Kind.JSON: verify_json}
