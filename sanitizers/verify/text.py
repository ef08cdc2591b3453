"""The second opinion on text kinds: Python's own codecs, Unicode categories, csv, expat and json look at the result."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final
from xml.parsers import expat

from sanitizers.context import Context
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Folded, Source
from sanitizers.verify import old_words

_ENCODINGS: Final = ("utf-8", "cp932", "euc_jp", "gb18030")      # the last one reads whatever Big5 does
_LINE_CHARACTERS: Final = frozenset("\t\n\r")
_JOINERS: Final = frozenset("\u200c\u200d")
# Format characters that show all the same: number signs of Arabic, Syriac and Kaithi, the stacking of hieroglyphs.
_SHOWN: Final = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f]")
_CHARACTER_SETS: Final = (b"(B", b"(J", b"(I", b"$@", b"$B")
_FILLERS: Final = "\u115f\u1160\u3164\uffa0"    # letters without a shape
# Findings after which the visible characters are not the same any more, each for its own reason.
_REWRITES: Final = frozenset({
    "text.control_characters", "text.undecodable", "text.encoding", "html.as_text", "mht.converted", "doc.as_text", "jtd.as_text",
})  # fmt: skip

def _is_hidden(char: str) -> bool:
    """Obeyed by a terminal or a reader instead of being shown."""
    category = unicodedata.category(char)
    if category in ("Cc", "Cs"):
        return char not in _LINE_CHARACTERS
    return category == "Cf" and char not in _JOINERS and not _SHOWN.match(char)


def _class(chars: Iterable[str]) -> str:
    """A character class of ranges, which the matcher walks many times as fast as single characters."""
    runs: list[list[int]] = []
    for number in map(ord, chars):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return "[" + "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in runs) + "]"


_HIDDEN: Final = re.compile(_class(filter(_is_hidden, map(chr, range(sys.maxunicode + 1)))))
# A run of what may be seen is matched ten times as fast as what may not is searched for.
_SEEN: Final = re.compile(_class(char for char in map(chr, range(0x10000)) if not _is_hidden(char)) + "*")

_TRIGGERS: Final = tuple("=+@\uff1d\uff0b\uff20")
_DASHES: Final = tuple("-\uff0d\u2212")
_BLANKS: Final = ' "\t\r\u00a0\u3000'
_NUMERIC: Final = frozenset("+-＋－−,./:()%％eEー\\")
_CONSTANT: Final = re.compile(r'=(?:"[^"=(!|,;\t\r\n]{0,40}"|""[^"=(!|,;\t\r\n]{0,40}""")(?:$|[,;\t\r\n])')
_SEPARATORS: Final = ",\t;|"
_DECLARED: Final = re.compile(r'"?sep=([^\r\n])', re.IGNORECASE)

_XML_ENCODING: Final = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"'][^>]{0,100}\?>")
_XML_CODECS: Final = {"shift_jis": "cp932", "windows-31j": "cp932", "euc-jp": "euc_jp"}     # which expat does not read
_DELIVERY_DTD: Final = re.compile(r"[A-Z_]{3,14}[0-9]{0,4}\.DTD")
_BROWSER: Final = ("www.w3.org/1999/xhtml", "www.w3.org/2000/svg", "/MathML", "XInclude", "/XSL/", "mozilla.org", "winfx/2006/xaml")


def verify(output: Source, original: Source, context: Context) -> None:
    """Nothing in it that a terminal or a reader obeys instead of showing, and every visible character of the original.

    Raises VerificationFailed.
    """
    for text in _texts(output):
        if hidden := _hidden(text):
            raise VerificationFailed(f"{unicodedata.name(hidden, 'control character')} U+{ord(hidden):04X}")
    if context.kind in old_words.KINDS:
        old_words.compare(decoded(output.bytes()), original, context)
    if output.sha256 == original.sha256 or _REWRITES & {finding.code for finding in context.findings}:
        return
    now, before = (Counter(chain.from_iterable(_texts(source))) for source in (output, original))
    _same_characters(now, before, may_add="'" if context.kind is Kind.CSV else "")


def _hidden(text: str) -> str:
    """The first character of its kind, if there is one."""
    seen = _SEEN.match(text)
    assert seen is not None         # it may be empty
    found = _HIDDEN.search(text, seen.end())
    return found[0] if found else ""


def _texts(source: Source) -> Iterator[str]:
    """The text; of a folded source by runs of lines."""
    for run in source.runs_of_lines() if isinstance(source, Folded) else (source.bytes(),):
        yield decoded(run)


def _same_characters(now: Counter[str], before: Counter[str], *, may_add: str) -> None:
    more, less = now - before, before - now
    more.pop(may_add, None)
    for char in (*more, *less):
        if unicodedata.category(char)[0] not in "CZM" and char not in _FILLERS:
            raise VerificationFailed(f"U+{ord(char):04X}: {more[char]} more and {less[char]} less than before")


def decoded(data: bytes) -> str:
    """Text by the first of Python's codecs that reads all of it without inventing control characters."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").removeprefix("\ufeff")
    if b"\x1b" in data:
        if any(piece[:2] not in _CHARACTER_SETS for piece in data.split(b"\x1b")[1:]):
            return data.decode("latin-1")  # escapes for a terminal: the caller finds them
        return data.decode("iso2022_jp_ext", "replace")
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or not re.search("[\x80-\x9f\uf8f0-\uf8f3]", text):
            return text.removeprefix("\ufeff")
    return data.decode("cp1252", "replace")


def verify_csv(output: Source, original: Source, context: Context) -> None:
    """Read as a spreadsheet reads it, no cell begins with a sign that calculates, plain numbers apart. Raises VerificationFailed."""
    verify(output, original, context)
    text = decoded(output.bytes())
    declared = _DECLARED.match(text)
    separators = "".join(dict.fromkeys((declared[1] if declared else "") + _SEPARATORS))
    split = re.compile(f"[{re.escape(separators)}\r\n]")
    usual = csv.field_size_limit(len(text))       # a cell may be as long as the file
    try:
        for delimiter in separators:
            if delimiter == "," or delimiter in text:
                for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
                    _check_row(row, number, split)
    except csv.Error as error:
        raise VerificationFailed(f"csv: {error}") from None
    finally:
        csv.field_size_limit(usual)


def _check_row(row: Iterable[str], number: int, split: re.Pattern[str]) -> None:
    for cell in row:
        start = cell.lstrip(_BLANKS)
        runs = start.startswith(_TRIGGERS) or (start.startswith(_DASHES) and any(char in start for char in "(!|"))
        if runs and not _constant(start) and not _number(split.split(start.strip(), maxsplit=1)[0]):
            raise VerificationFailed(f"row {number}: a cell begins with {start[:1]!r}")


def _constant(cell: str) -> bool:
    """`="00123"`, and if another delimiter makes the cell longer, nothing behind it that could call or refer."""
    return _CONSTANT.match(cell) is not None and not any(char in cell for char in "(!|")


def _number(value: str) -> bool:
    """Signs, digits and the punctuation of numbers, dates and telephone numbers only."""
    return all(char in _NUMERIC or unicodedata.category(char) in ("Nd", "Pd", "Sc", "Zs") for char in value.strip(_BLANKS))


def verify_xml(output: Source, original: Source, context: Context) -> None:
    """expat, not libxml2: well-formed, neither declaration, instruction nor entity, nothing for a browser, as many elements as before.

    Raises VerificationFailed.
    """
    now = _Census(strict=True)
    now.read(output.bytes())
    if any(finding.code == "markup.active_element" for finding in context.findings):
        return
    before = _Census(strict=False)
    try:
        before.read(original.bytes())
    except (VerificationFailed, UnicodeError):
        return  # an encoding that only the sanitizer reads
    if now.elements != before.elements or now.characters != before.characters:
        raise VerificationFailed(f"{now.elements} elements, {before.elements} before")


class _Census:
    """Counts elements and the characters between them; `strict`: refuses what a cleaned document has not."""

    def __init__(self, *, strict: bool) -> None:
        self.elements = 0
        self.characters = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.CharacterDataHandler = self._data
        self._strict = strict
        if strict:
            self._parser.StartDoctypeDeclHandler = self._doctype
            self._parser.EntityDeclHandler = self._refuse
            self._parser.ProcessingInstructionHandler = self._refuse
            self._parser.CommentHandler = self._refuse

    def read(self, data: bytes) -> None:
        stated = _XML_ENCODING.match(data.removeprefix(b"\xef\xbb\xbf"))
        if stated and (codec := _XML_CODECS.get(stated[1].decode("ascii").lower())):
            data = data[stated.end() :].decode(codec).encode("utf-8")
        try:
            self._parser.Parse(data, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise VerificationFailed(f"expat: {error}") from None

    def _start(self, name: str, _: dict[str, str]) -> None:
        self.elements += 1
        if self._strict and any(mark in name for mark in _BROWSER):
            raise VerificationFailed(f"active element {name[:80]}")

    def _data(self, text: str) -> None:
        self.characters += len(text)

    def _doctype(self, name: str, system: str | None, public: str | None, inside: int) -> None:
        """Only the bare name of a file that the rules for electronic delivery prescribe; expat does not open it."""
        if inside or public is not None or _DELIVERY_DTD.fullmatch(system or "") is None or not name.isidentifier():
            raise VerificationFailed(f"document type {system or name}"[:100])

    def _refuse(self, *_: object) -> int:
        raise VerificationFailed("document type, entity, comment or processing instruction")


def verify_json(output: Source, original: Source, context: Context) -> None:
    """As text, and parsed as JSON. Raises VerificationFailed."""
    verify(output, original, context)
    try:
        json.loads(decoded(output.bytes()), parse_int=len, parse_float=len)
    except (ValueError, RecursionError) as error:
        raise VerificationFailed(f"json: {str(error)[:100]}") from None


VERIFIERS: Final = {Kind.TEXT: verify, Kind.CSV: verify_csv, Kind.XML: verify_xml, Kind.JSON: verify_json}
