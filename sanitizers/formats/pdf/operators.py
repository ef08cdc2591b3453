"""The operators of content streams (ISO 32000-2 Annex A) as one regular expression and one table.

`run` goes over as many well-formed instructions as it can; what it goes over is known operators with the right operands and nothing else,
so it may be copied. Where it stops, `content` reads one instruction by itself. The expression is RE2's, which needs one step for each byte
whatever the bytes are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import re2

from sanitizers.formats.pdf.syntax import REGULAR, WHITE

# Operator: kinds of its operands. n number, s string, a array of numbers and strings, d array of numbers, N name, P name or property list.
OPERANDS: Final[dict[bytes, str]] = {
    **dict.fromkeys((b"q", b"Q", b"h", b"W", b"W*", b"n", b"S", b"s", b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"), ""),
    **dict.fromkeys((b"BT", b"ET", b"T*", b"BX", b"EX", b"EMC"), ""),
    **dict.fromkeys((b"w", b"J", b"j", b"M", b"i", b"g", b"G", b"Tc", b"Tw", b"Tz", b"TL", b"Ts", b"Tr"), "n"),
    **dict.fromkeys((b"m", b"l", b"Td", b"TD", b"d0"), "nn"),
    **dict.fromkeys((b"rg", b"RG"), "nnn"),
    **dict.fromkeys((b"re", b"v", b"y", b"k", b"K"), "nnnn"),
    **dict.fromkeys((b"c", b"cm", b"Tm", b"d1"), "nnnnnn"),
    **dict.fromkeys((b"Tj", b"'"), "s"),
    b'"': "nns",
    b"TJ": "a",
    b"d": "dn",
    b"Tf": "Nn",
    **dict.fromkeys((b"gs", b"Do", b"cs", b"CS", b"sh", b"ri", b"BMC", b"MP"), "N"),
    **dict.fromkeys((b"BDC", b"DP"), "NP"),
}
# Colour operators take as many numbers as the colour space has components; the pattern ones may end with a name.
COLOURS: Final = frozenset({b"sc", b"SC", b"scn", b"SCN"})
PATTERN_COLOURS: Final = frozenset({b"scn", b"SCN"})
MAX_COMPONENTS: Final = 32

# What a property list of marked content may say (§14.6.2, §14.8.2.2, §14.9).
PROPERTIES: Final = frozenset({"MCID", "ActualText", "Alt", "E", "Lang", "Type", "Subtype", "BBox", "Attached", "O"})

_NUM: Final = rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_SPACE: Final = WHITE + rb"+"
_MAYBE: Final = WHITE + rb"*"
_NAME: Final = rb"/" + REGULAR + rb"+"
_INNER: Final = rb"\((?:[^()\\]|\\[\x00-\xff])*\)"
_STRING: Final = rb"(?:\((?:[^()\\]|\\[\x00-\xff]|" + _INNER + rb")*\)|<[0-9A-Fa-f\x00\t\n\f\r ]*>)"
_GAP: Final = rb"(?:" + WHITE + rb"|" + _STRING + rb")"
_ARRAY: Final = rb"\[" + _GAP + rb"*(?:" + _NUM + _GAP + rb"+)*(?:" + _NUM + rb")?\]"
_PLAIN: Final = (
    rb"\[" + _MAYBE + rb"(?:(?:" + _NUM + rb"|" + _NAME + rb")(?:" + _SPACE + _NUM + rb"|" + _MAYBE + _NAME + rb")*)?" + _MAYBE + rb"\]"
)
_PROPERTY: Final = (
    rb"/(?:" + b"|".join(sorted(name.encode() for name in PROPERTIES)) + rb")(?:" + _SPACE + _NUM + rb"|" + _MAYBE
    + rb"(?:" + _STRING + rb"|" + _NAME + rb"|" + _PLAIN + rb"))" + _MAYBE
)
_LIST: Final = rb"<<" + _MAYBE + rb"(?:" + _PROPERTY + rb")*>>"


def _any_of(names: Iterable[bytes]) -> bytes:
    return rb"(?:" + b"|".join(map(re.escape, sorted(names))) + rb")"


def _taking(kinds: str) -> list[bytes]:
    return [name for name, operands in OPERANDS.items() if operands == kinds]


_COLOUR: Final = rb"(?:" + _SPACE + _any_of(COLOURS) + rb"|" + _MAYBE + _NAME + _SPACE + _any_of(PATTERN_COLOURS) + rb")"


def _numeric(count: int) -> bytes:
    """What may follow `count` numbers: an operator that takes so many, or a further number."""
    choices = [_SPACE + _any_of(_taking("n" * count)), _COLOUR] if _taking("n" * count) else [_COLOUR]
    if count == 2:
        choices.append(_MAYBE + _STRING + _MAYBE + rb"\"")
    further = _SPACE + _NUM
    choices.append(further + (_numeric(count + 1) if count < 6 else rb"(?:" + further + rb"){0,%d}" % (MAX_COMPONENTS - 8) + _COLOUR))
    return rb"(?:" + rb"|".join(choices) + rb")"


# An instruction that begins with a regular character, which must stand apart from the operator before it, and one that begins with another.
_REGULARLY: Final = rb"(?:" + _any_of(_taking("")) + rb"|" + _NUM + _numeric(1) + rb")"
_OTHERWISE: Final = rb"(?:" + rb"|".join((
    _ARRAY + _MAYBE + rb"(?:TJ|" + _NUM + _SPACE + rb"d)",
    _STRING + _MAYBE + _any_of(_taking("s")),
    _NAME + _SPACE + rb"(?:" + _any_of([*_taking("N"), *PATTERN_COLOURS]) + rb"|" + _NUM + _SPACE + rb"Tf)",
    _NAME + _MAYBE + rb"(?:" + _LIST + _MAYBE + rb"|" + _NAME + _SPACE + rb")" + _any_of(_taking("NP")),
)) + rb")"  # fmt: skip
_FURTHER: Final = rb"(?:" + _SPACE + _REGULARLY + rb"|" + _MAYBE + _OTHERWISE + rb")*"
_LAST: Final = rb"(?:" + _SPACE + rb"|\z|[()<>\[\]{}/%])"     # an operator ends before white space, the end or a delimiter


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.longest_match = options.never_capture = True
    options.log_errors = False
    return options


_RUN: Final = re2.compile(_MAYBE + rb"(?:(?:" + _REGULARLY + rb"|" + _OTHERWISE + rb")" + _FURTHER + _LAST + rb")?", _options())
NAMES: Final = re.compile(rb"/(" + REGULAR + rb"++)")


def run(data: bytes, position: int) -> int:
    """Where the run of well-formed instructions from `position` ends: `position` when there is none."""
    end: int = _RUN.match(data, position).end()
    # Without looking ahead the expression can only take in the delimiter that ends an operator; no instruction ends with one.
    return end - 1 if end > position and data[end - 1] in b"()<>[]{}/%" else end
