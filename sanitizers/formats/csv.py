"""Tables as text: CSV and TSV.

Removes: what plain text removes.
Keeps:   delimiter, quoting, line ends, encoding, every value; plain numbers, dates and telephone numbers stay as they are.
Refuses: more cells than the limit; a cell that a spreadsheet would run gets an apostrophe in front and is reported with its place.
Spec:    RFC 4180; OWASP CSV injection; ASVS 1.2.10; Excel and LibreOffice also read full-width signs as operators.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats import text as plain
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Kind
from sanitizers.names import extension
from sanitizers.source import Source

_DELIMITERS: Final = ",;\t|"
_SAMPLE: Final = 65_536
_MOST_PLACES: Final = 20
# What makes a spreadsheet calculate: the signs, their full-width forms, a tab or a return.
_SIGNS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20\u2212\t\r"
_MINUS: Final = "-\uff0d\u2212"
# What may stand between the start of a cell and the sign: quotes, and blanks, which some programs cut off.
_BEFORE: Final = '[" \u00a0\u2000-\u200a\u202f\u205f\u3000]*'
# Excel takes the delimiter of its own choice from a first line `sep=;`.
_DECLARED: Final = re.compile(r'"?sep=([^\r\n])"?(?=[\r\n])', re.IGNORECASE)

# Values that begin with a sign and are only numbers: -1, +81-3-1234-5678, -1,234.50, -12.5%, −3, -2026/11/20, -1.5E+10, ＋５.
_NUMBER: Final = re.compile(r"[+\-−＋－]?[ ]?[¥￥\\$]?[\d(][\d,.\-/: ()]*(?:[eE][+\-]?\d+)?[ ]?[%％]?")
_DASHES: Final = re.compile(r"[-+−－＋ー]{1,10}")
_LONGEST_NUMBER: Final = 40
# What Japanese systems write so that codes keep their zeros: `="00123"`, in a quoted cell `"=""00123"""`. A constant, whatever reads it.
_CONSTANT: Final = re.compile(r'="[\w./ \-]{0,40}"')
_QUOTED_CONSTANT: Final = re.compile(r'=""[\w./ \-]{0,40}""(?=")')
# What a calculation needs to do harm: a call, another program or sheet, a link.
_HARMFUL: Final = re.compile(r"[(!|]")


def sanitize(source: Source, context: Context) -> Rebuilt:
    text, encoding, bom = plain.read(source, context)
    text = plain.clean(text, context)
    return Rebuilt(Source(plain.write(_neutralised(text, context), encoding, bom, context)), context.kind)


def _neutralised(text: str, context: Context) -> str:
    """Every cell start of every reading: a program may take any of the usual delimiters, so a cell begins after each of them."""
    delimiter = _delimiter(text, context.name)
    context.budget.spend_cells(text.count(delimiter) + text.count("\n") + 1)
    others = re.escape("".join(dict.fromkeys(_DELIMITERS + delimiter)))
    # The sign is only looked at: a tab may be the sign of this cell and the delimiter before the next. Short numbers are passed over here.
    end = rf"(?:[\r\n{re.escape(delimiter)}]|\Z)"
    number = rf'(?:(?<=[\r\n{others}])[+-][\d.]{{1,30}}{end}|(?<=")[+-][\d.]{{1,30}}"{end})'
    cell = re.compile(rf"(?:\A|[\r\n{others}])(?P<before>{_BEFORE})(?!{number})(?=(?P<sign>[{_SIGNS}]))")
    guard = _Guard(text, delimiter)
    guarded = cell.sub(guard, text)
    for place in guard.places:
        context.found("csv.formula", place, Action.REWRITTEN)
    if guard.count > _MOST_PLACES:
        context.found("csv.formula", "", Action.REWRITTEN, f"{guard.count - _MOST_PLACES} more")
    return guarded


def _delimiter(text: str, name: str) -> str:
    """The one that the file declares, that its name says, or that is most frequent outside of quotes."""
    if declared := _DECLARED.match(text):
        return declared[1]
    if extension(name) == "tsv":
        return "\t"
    outside = "".join(text[:_SAMPLE].split('"')[::2])
    counts = Counter(char for char in outside if char in _DELIMITERS)
    return counts.most_common(1)[0][0] if counts else ","


class _Guard:
    """Puts an apostrophe before every sign that would be run, and remembers where. Called with rising offsets."""

    def __init__(self, text: str, delimiter: str) -> None:
        self.places: list[str] = []
        self.count = 0
        self._text = text
        self._delimiter = delimiter
        self._stops = {quoted: re.compile('["\r\n]' if quoted else rf"[\r\n{re.escape(delimiter)}]") for quoted in (True, False)}
        self._cells = _Cells(text, delimiter)
        self._at = 0
        self._inside = False    # a quoted cell

    def __call__(self, match: re.Match[str]) -> str:
        self._inside ^= self._text.count('"', self._at, match.start()) % 2 == 1
        self._at = match.start()
        start = match[0][: len(match[0]) - len(match["before"])]
        # Only a program that takes another delimiter, or breaks quoted cells at line ends, sees a cell start here.
        foreign = self._inside or start not in ("", "\n", "\r", self._delimiter)
        if not foreign and match["sign"] == "=" and self._constant(match.start("sign"), match["before"]):
            return match[0]
        if self._harmless(match.start("sign"), foreign=foreign, quoted='"' in match["before"]):
            return match[0]
        self.count += 1
        if self.count <= _MOST_PLACES:
            self.places.append(self._cells.address(match.end("before")))
        return match[0] + "'"

    def _harmless(self, at: int, *, foreign: bool, quoted: bool) -> bool:
        """The sign at `at` begins a number or is a lone dash; a tab that is the delimiter, or a line end, begins nothing."""
        text = self._text
        if text[at] == "\r":
            return not quoted
        if text[at] == "\t" and self._delimiter == "\t":
            return True
        stop = self._stops[quoted].search(text, at + 1, at + _LONGEST_NUMBER + 1)
        end = stop.start() if stop else min(len(text), at + _LONGEST_NUMBER + 1)
        value = text[at:end].strip()
        # `"-1"+cmd…` and a quoted `-1`, line end, `+cmd…` go on: a number is one only where its cell ends.
        whole = not quoted or (text[end : end + 1] == '"' and text[end + 1 : end + 2] in ("", "\r", "\n", self._delimiter))
        if whole and (_NUMBER.fullmatch(value) or _DASHES.fullmatch(value)):
            return len(value) <= _LONGEST_NUMBER
        # There, a dash is punctuation unless something could come of it.
        return foreign and text[at] in _MINUS and not _HARMFUL.search(self._line(at))

    def _constant(self, at: int, before: str) -> bool:
        """The cell is one constant and nothing else; nor does the line hold anything to a program that takes it for one cell."""
        shape = {"": _CONSTANT, '"': _QUOTED_CONSTANT}.get(before)
        match = shape.match(self._text, at) if shape else None
        if match is None:
            return False
        end = match.end() + len(before)
        whole = self._text[end : end + 1] in ("", "\r", "\n", self._delimiter)
        return whole and not _HARMFUL.search(self._line(match.end()))

    def _line(self, at: int) -> str:
        """The rest of the line, as far as a formula that does something would show itself."""
        return self._text[at : at + 1024].partition("\n")[0].partition("\r")[0]


class _Cells:
    """Turns an offset into a cell's address (`B3`); asked with rising offsets, so the text is walked once."""

    def __init__(self, text: str, delimiter: str) -> None:
        self._text = text
        self._delimiter = delimiter
        self._at = 0
        self._quoted = False
        self._row = 1
        self._column = 1

    def address(self, offset: int) -> str:
        for number, piece in enumerate(self._text[self._at : offset].split('"')):
            if number:
                self._quoted = not self._quoted
            if not self._quoted:
                self._walk(piece)
        self._at = offset
        return f"{_letters(self._column)}{self._row}"

    def _walk(self, piece: str) -> None:
        lines = piece.count("\n") or piece.count("\r")
        if lines:
            self._row += lines
            self._column = 1
        self._column += piece.rpartition("\n" if "\n" in piece else "\r")[2].count(self._delimiter)


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


SANITIZER: Final = Sanitizer(
    family="csv",
    kinds=frozenset({Kind.CSV}),
    sanitize=sanitize,
    removes="control and invisible characters; cells that would run get an apostrophe",
    keeps="delimiter, quoting, line ends, encoding, plain numbers and dates",
    refuses="more cells than the limit",
    spec="RFC 4180, OWASP CSV injection",
)
