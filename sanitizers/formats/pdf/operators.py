"""The operators of content streams (ISO 32000-2 Annex A) as one regular expression and one table.

`RUN` matches as many well-formed instructions as it can; what it matches is known operators with the right operands and nothing else, so
it may be copied. Where it stops, `content` reads one instruction by itself.
"""

from __future__ import annotations

import re
from typing import Final

from sanitizers.formats.pdf.syntax import HEX, LITERAL, NUMBER, REGULAR, WHITE

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

_SPACE: Final = WHITE + rb"++"
_MAYBE: Final = WHITE + rb"*+"
_END: Final = rb"(?!" + REGULAR + rb")" + _MAYBE
_NUM: Final = NUMBER + rb"(?:" + _SPACE + rb"|(?=[\[(/<]))"
_NAME: Final = rb"/" + REGULAR + rb"++" + _MAYBE
_STRING: Final = rb"(?:" + LITERAL + rb"|" + HEX + rb")" + _MAYBE
_ARRAY: Final = rb"\[(?:" + _SPACE + rb"|" + NUMBER + rb"(?=[\x00\t\n\f\r (<\]])|" + LITERAL + rb"|" + HEX + rb")*+\]" + _MAYBE
_PROPERTY: Final = (
    rb"/(?:MCID|ActualText|Alt|E|Lang|Type|Subtype|BBox|Attached|O)(?!" + REGULAR + rb")" + _MAYBE
    + rb"(?:" + NUMBER + rb"(?!" + REGULAR + rb")|" + LITERAL + rb"|" + HEX + rb"|/" + REGULAR + rb"++|\[(?:" + _SPACE + rb"|" + NUMBER
    + rb"(?!" + REGULAR + rb")|/" + REGULAR + rb"++)*+\])" + _MAYBE
)
_LIST: Final = rb"<<" + _MAYBE + rb"(?:" + _PROPERTY + rb")*+>>" + _MAYBE


def _any_of(names: list[bytes]) -> bytes:
    return rb"(?:" + b"|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) + rb")" + _END


def _taking(kinds: str) -> list[bytes]:
    return [name for name, operands in OPERANDS.items() if operands == kinds]


def _numeric(count: int) -> bytes:
    """What may follow `count` numbers: an operator that takes so many, or a further number."""
    colours = sorted(COLOURS) if count else []
    choices = [_any_of(_taking("n" * count) + colours)] if count in (1, 2, 3, 4, 6) else [_any_of(colours)]
    if count:
        choices.append(_NAME + _any_of(sorted(PATTERN_COLOURS)))
    if count == 2:
        choices.append(_STRING + rb"\"" + _END)
    if count < 6:
        choices.append(_NUM + _numeric(count + 1))
    return rb"(?:" + rb"|".join(choices) + rb")"


_NAMED: Final = (
    _NAME + rb"(?:" + _any_of(_taking("N") + sorted(PATTERN_COLOURS)) + rb"|" + _NUM + rb"Tf" + _END
    + rb"|(?:" + _LIST + rb"|" + _NAME + rb")" + _any_of(_taking("NP")) + rb")"
)
_SHOWN: Final = _STRING + rb"(?:Tj|')" + _END
_ARRAYED: Final = _ARRAY + rb"(?:TJ" + _END + rb"|" + NUMBER + _SPACE + rb"d" + _END + rb")"
_INSTRUCTION: Final = rb"|".join((_NUM + _numeric(1), _any_of(_taking("")), _ARRAYED, _SHOWN, _NAMED))

RUN: Final = re.compile(_MAYBE + rb"(?:" + _INSTRUCTION + rb")*+")
NAMES: Final = re.compile(rb"/(" + REGULAR + rb"++)")
