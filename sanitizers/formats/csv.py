"""Tables as text: CSV and TSV.

Removes: what plain text removes.
Keeps:   delimiter, quoting, line ends, encoding, every value; plain numbers, dates and telephone numbers stay as they are.
Refuses: nothing; a cell that a spreadsheet would run gets an apostrophe in front and is reported with its place.
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
from sanitizers.source import Source

_DELIMITERS: Final = ",;\t|"
_SAMPLE: Final = 16_384
_MOST_PLACES: Final = 20
# After the opening quote and blanks, what makes a spreadsheet calculate: the signs, their full-width forms, a tab or a return.
_TRIGGER: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20\u2212\uff3c\t\r"
_MINUS: Final = "-\u2212\uff0d"
# Values that begin with a sign and are only numbers: -1, +81-3-1234-5678, -1,234.50, -12.5%, −3, -2026/11/20, -1.5E+10.
_NUMBER: Final = re.compile(r"[+\-−＋－]?[\s¥￥\\$]?(?:\d[\d,.\-/: ()]*)(?:[eE][+\-]?\d+)?\s*[%％]?\s*[-−]?")
_DASHES: Final = re.compile(r"[-+−－＋ー]{1,10}")


def sanitize(source: Source, context: Context) -> Rebuilt:
    text, encoding, bom = plain.read(source, context)
    text = plain.clean(text, context)
    return Rebuilt(Source(plain.write(_neutralised(text, context), encoding, bom, context)), context.kind)


def _neutralised(text: str, context: Context) -> str:
    """Every cell start of every reading: a reader may take any of the usual delimiters, so a cell begins after each of them."""
    delimiter = _delimiter(text)
    cell = re.compile(rf'(?:(?<=\A)|(?<=[\n{re.escape(_DELIMITERS)}])|(?<=\r))(?P<open>[ \u3000]*"?[ \u3000]*)(?P<sign>[{_TRIGGER}])')
    places: list[str] = []
    rows = _Rows(text, delimiter)

    def guard(match: re.Match[str]) -> str:
        quoted = '"' in match["open"]
        before = text[match.start() - 1 : match.start()]
        # A reader that takes another delimiter than this file's sees a cell here too; a dash there is only punctuation.
        if match["sign"] in _MINUS and before in _DELIMITERS and before != delimiter:
            return match[0]
        if _harmless(text, match.start("sign"), delimiter, quoted=quoted):
            return match[0]
        if len(places) < _MOST_PLACES:
            places.append(rows.address(match.start()))
        else:
            places.append("")
        return f"{match['open']}'{match['sign']}"

    guarded = cell.sub(guard, text)
    for place in places[:_MOST_PLACES]:
        context.found("csv.formula", place, Action.REWRITTEN)
    if len(places) > _MOST_PLACES:
        context.found("csv.formula", "", Action.REWRITTEN, f"{len(places) - _MOST_PLACES} more")
    context.budget.spend_cells(text.count(delimiter) + text.count("\n") + 1)
    return guarded


def _harmless(text: str, at: int, delimiter: str, *, quoted: bool) -> bool:
    """The sign at `at` begins a number or is a lone dash; a tab that is the delimiter, or a line end, begins nothing."""
    if text[at] == "\r":
        return not quoted and text[at + 1 : at + 2] in ("\n", "")
    if text[at] == "\t" and delimiter == "\t":
        return True
    stop = re.compile('["\r\n]' if quoted else rf"[\r\n{re.escape(delimiter)}]").search(text, at)
    value = text[at : stop.start() if stop else len(text)].rstrip()
    return bool(_NUMBER.fullmatch(value) or _DASHES.fullmatch(value))


def _delimiter(text: str) -> str:
    counts = Counter(char for char in text[:_SAMPLE] if char in _DELIMITERS)
    return counts.most_common(1)[0][0] if counts else ","


class _Rows:
    """Turns an offset into `row 3 column 2`; asked in rising order, so the text is walked once."""

    def __init__(self, text: str, delimiter: str) -> None:
        self._text = text
        self._delimiter = delimiter
        self._row = 1
        self._line_start = 0
        self._at = 0

    def address(self, offset: int) -> str:
        self._row += self._text.count("\n", self._at, offset)
        start = self._text.rfind("\n", self._line_start, offset)
        self._line_start = max(self._line_start, start + 1)
        self._at = offset
        column = 1 + self._text.count(self._delimiter, self._line_start, offset)
        return f"row {self._row} column {column}"


SANITIZER: Final = Sanitizer(
    family="csv",
    kinds=frozenset({Kind.CSV}),
    sanitize=sanitize,
    removes="control and invisible characters; cells that would run get an apostrophe",
    keeps="delimiter, quoting, line ends, encoding, plain numbers and dates",
    refuses="more cells than the limit",
    spec="RFC 4180, OWASP CSV injection",
)
