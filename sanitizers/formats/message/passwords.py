"""Words in a mail that look like the password of a file sent before it (PPAP: パスワード付きZIP and a second mail with its password).

Only read where policy asks for it. What is found goes to the road beside the report, never into it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MOST: Final = 8
LONGEST: Final = 64
_SHORTEST: Final = 4

_WORD: Final = re.compile(
    r"パスワード|ﾊﾟｽﾜｰﾄﾞ|パスコード|パスフレーズ|暗証番号|解凍キー|\bpass(?:word|code|phrase)?\b|\bP/?W\b|[PＰ][WＷ](?=[\s:：は])",
    re.IGNORECASE,
)
# Between the word and the password: は, a colon, brackets, a line end, or nothing but a space.
_BETWEEN: Final = re.compile(
    r"[」』】)）\]>]?[^\S\n]*(?:は、?(?:(?:以下|次|下記)の?(?:通り|とおり)?(?:です|になります)?)?|です|is|as follows)?"
    r"[\s:：=＝⇒→。、,.\-–—_*#]*[「『【\[(（<\"'“]?\s*",
    re.IGNORECASE,
)
_TOKEN: Final = re.compile(r"[!-~]{4,64}")
_CLOSING: Final = re.compile(r"(?:[)\]>\"'”」』】）。、,]|です|になります)+$")


def candidates(text: str) -> tuple[str, ...]:
    """Up to MOST passwords, the likeliest first: each run of printable ASCII that follows a word for it, as written and half-width."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(text):
        between = _BETWEEN.match(text, match.end())
        start = between.end() if between else match.end()
        line = text[start : start + 2 * LONGEST].split("\n", 1)[0]
        for spelling in (line, unicodedata.normalize("NFKC", line)):
            token = _TOKEN.match(spelling)
            if token is None:
                continue
            found.setdefault(_CLOSING.sub("", token[0]))
            found.setdefault(token[0])
        if len(found) >= MOST:
            break
    return tuple(one for one in found if _SHORTEST <= len(one) <= LONGEST)[:MOST]
