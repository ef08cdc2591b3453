"""安全なプレビュー: what the road asks to be shown of a file, and what it is shown: plain data, both sides import it.

Nothing of the file itself comes back but letters, numbers and, in the output, the raw pixels of at most one picture (8-bit RGB, row after
row, no header): what the road writes into a PNG it never has to understand. Every bound below is checked as the answer is read.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

# Of a picture: pixels of a side, of which no more are asked for or believed.
WIDEST: Final = 2_400
TALLEST: Final = 4_800
MOST_LINES: Final = 3_000
LONGEST_LINE: Final = 1_000
MOST_PARTS: Final = 500
MOST_OCTETS: Final = 4_096
DEEPEST: Final = 8
MOST_COMPARED: Final = 12       # pages
_MOST_ROWS: Final = 300
_MOST_CELLS: Final = 60
_MOST_SHEETS: Final = 50
_MOST_LINKS: Final = 500
# Letters of all lines, and of all tables (a cell counts a few more): together an answer stays below what a frame may hold.
_MOST_LETTERS: Final = 1_000_000
_CELL: Final = 3
_LONGEST_CELL: Final = 200
_FINGERPRINT: Final = 1 << 20

# One line of text as a person may see it: no control characters, and none of those that turn the direction of what follows.
Line = Annotated[str, Meta(max_length=LONGEST_LINE)]
Lines = Annotated[tuple[Line, ...], Meta(max_length=MOST_LINES)]
Count = Annotated[int, Meta(ge=0, le=1 << 40)]
Place = Annotated[tuple[Annotated[int, Meta(ge=0, le=MOST_PARTS)], ...], Meta(max_length=DEEPEST)]
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Alike = Annotated[float, Meta(ge=0, le=1)]
_Pages = Annotated[tuple[Annotated[bytes, Meta(max_length=_FINGERPRINT)], ...], Meta(max_length=MOST_COMPARED)]
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_SPACES: Final = re.compile(r"[\t\v\f\u00a0]")


class View(StrEnum):
    """What is wanted: what it says, one page of it as a picture, its bytes, what it consists of; and, in two steps, what differs."""

    CONTENT = "content"
    PAGE = "page"
    BYTES = "bytes"
    PARTS = "parts"
    GIST = "gist"
    DIFFERENCE = "difference"


class Gist(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared of a file: its lines, and its first pages drawn small (compressed; only the jail unpacks them)."""

    lines: Lines = ()
    cut: bool = False
    pages: _Pages = ()
    count: Count = 0


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Road → jail. `part`: which one of the parts in it, an index for each depth; `page`: from 0; `start`: the first byte that is shown;
    `width`: how wide a picture may be; `before`: with what it is compared."""

    view: View
    part: Place = ()
    page: Annotated[int, Meta(ge=0, le=100_000)] = 0
    width: Annotated[int, Meta(ge=16, le=WIDEST)] = 1_000
    start: Count = 0
    before: Gist | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One sheet: its rows from the top, as far as they are shown."""

    name: Line
    rows: Annotated[tuple[Annotated[tuple[Line, ...], Meta(max_length=_MOST_CELLS)], ...], Meta(max_length=_MOST_ROWS)]
    cut: bool = False


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the structure. `part`: how to ask for it; `fault`: why nothing more is known of what lies in it."""

    part: Place
    name: Line
    kind: Annotated[str, Meta(max_length=40)]
    size: Count
    sha256: _Digest
    fault: Annotated[str, Meta(max_length=40)] = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a difference: in both (" "), only before ("-"), only after ("+"), or a run of equal lines that is left out ("…")."""

    sign: Annotated[str, Meta(pattern="^[ +…-]$")]
    text: Line


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """`alike`: of each page that both have and that was drawn, how alike (see `sanitizers.verify.pdf_drawing`). `lines`: before, after;
    `equal`: how many of them stand in both."""

    changes: Annotated[tuple[Change, ...], Meta(max_length=MOST_LINES)] = ()
    cut: bool = False
    lines: tuple[Count, Count] = (0, 0)
    equal: Count = 0
    pages: tuple[Count, Count] = (0, 0)
    alike: Annotated[tuple[_Alike, ...], Meta(max_length=MOST_COMPARED)] = ()


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Jail → road, once. `fault`: why there is nothing or not all, a `Reason`; `drawn`: width and height of the picture in the output."""

    name: Line = ""
    kind: Annotated[str, Meta(max_length=40)] = ""
    size: Count = 0
    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    fault: Annotated[str, Meta(max_length=40)] = ""
    pages: Count = 0
    drawn: tuple[Annotated[int, Meta(ge=1, le=WIDEST)], Annotated[int, Meta(ge=1, le=TALLEST)]] | None = None
    head: Annotated[tuple[tuple[Line, Line], ...], Meta(max_length=40)] = ()
    lines: Lines = ()
    tables: Annotated[tuple[Table, ...], Meta(max_length=_MOST_SHEETS)] = ()
    links: Annotated[tuple[Line, ...], Meta(max_length=_MOST_LINKS)] = ()
    cut: bool = False
    octets: Annotated[bytes, Meta(max_length=MOST_OCTETS)] = b""
    parts: Annotated[tuple[Piece, ...], Meta(max_length=MOST_PARTS)] = ()
    gist: Gist | None = None
    difference: Difference | None = None


_SHOWN: Final = msgspec.json.Decoder(Shown)


def encode(shown: Shown) -> bytes:
    return msgspec.json.encode(shown)


def decode(untrusted_bytes: bytes, output_bytes: int) -> Shown:
    """Raises ValueError for anything that is not within the bounds, and where the output has not just the pixels that are announced."""
    try:
        shown = _SHOWN.decode(untrusted_bytes)
    except RecursionError:
        raise ValueError("nested too deep") from None
    width, height = shown.drawn or (0, 0)
    if width * height * 3 != output_bytes:
        raise ValueError("output of another size than the picture")
    return shown


def line(text: str, longest: int = LONGEST_LINE) -> str:
    """One line that shows what it says: control characters, and those that turn or hide what follows, are told by their number."""
    cut = text[:longest + 1]
    plain = "".join(f"[U+{ord(c):04X}]" if unicodedata.category(c) in _HIDDEN else c for c in _SPACES.sub(" ", cut))
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def lines(text: str, most: int = MOST_LINES) -> tuple[tuple[str, ...], bool]:
    """At most that many, and no more letters than go out together; and whether there are more."""
    found = text[: _MOST_LETTERS].splitlines()
    told = [line(one) for one in found[:most]]
    whole = len(told)
    while sum(map(len, told)) > _MOST_LETTERS:      # characters that are told by their numbers are longer than they were
        told = told[: len(told) // 2]
    return tuple(told), len(found) > whole or len(told) < whole or len(text) > _MOST_LETTERS


def table(name: str, rows: list[list[str]], *, more: bool = False) -> Table:
    """As much of a sheet as is shown."""
    cut = more or len(rows) > _MOST_ROWS or any(len(row) > _MOST_CELLS for row in rows)
    shown = tuple(tuple(line(" / ".join(cell.splitlines()), _LONGEST_CELL) for cell in row[:_MOST_CELLS]) for row in rows[:_MOST_ROWS])
    return Table(name=line(name, 100), rows=shown, cut=cut)


def tables(found: list[Table]) -> tuple[tuple[Table, ...], bool]:
    """The first of them, as far as they go out together; and whether there are more."""
    told: list[Table] = []
    left = _MOST_LETTERS
    for one in found[:_MOST_SHEETS]:
        rows: list[tuple[str, ...]] = []
        for row in one.rows:
            left -= sum(len(cell) + _CELL for cell in row) + _CELL
            if left < 0:
                return (*told, Table(name=one.name, rows=tuple(rows), cut=True)), True
            rows.append(row)
        told.append(one)
    return tuple(told), len(told) < len(found)


def links(found: list[str]) -> tuple[str, ...]:
    """Each once, where they lead, as text."""
    return tuple(dict.fromkeys(line(one, 500) for one in found[: 4 * _MOST_LINKS]))[:_MOST_LINKS]


def octets(shown: Shown, start: int) -> list[tuple[str, str, str]]:
    """Rows of sixteen: offset, hexadecimal, letters."""
    rows = []
    for at in range(0, len(shown.octets), 16):
        row = shown.octets[at : at + 16]
        rows.append((f"{start + at:08x}", row.hex(" "), "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)))
    return rows


def key(look: Look) -> str:
    """The same for the same question."""
    return base64.b64encode(msgspec.json.encode(look)).decode("ascii")
