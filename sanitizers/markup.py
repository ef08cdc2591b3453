"""HTML before any parser sees it: how deep it nests, and its text when it nests too deep to be parsed.

Lexbor's tree builder is quadratic in the depth of the tree (50,000 nested `div` take seconds), so the depth is counted first,
in one pass over the characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

NESTING_LIMIT: Final = 400  # elements; real pages stay below 60

_TAG: Final = re.compile(r"<(/?)([A-Za-z][^\s/>]{0,30})")
# Void elements and those that the next of their kind closes: unclosed ones do not nest.
_NEVER_NESTED: Final = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "p", "li",
    "td", "th", "tr", "dd", "dt", "option", "optgroup", "thead", "tbody", "tfoot", "colgroup", "rb", "rt", "rtc", "rp", "html",
    "head", "body", "script", "style", "title",
))  # fmt: skip
_RAW: Final = ("script", "style")


_LONG_TAG: Final = re.compile(r"<[A-Za-z][^<>]{5000,}")
ATTRIBUTE_LIMIT: Final = 500  # of one element: looking for double ones is quadratic in their number


def parsable(html: str) -> bool:
    """False where the parser would take more than linear time: too deep, or an element of too many attributes."""
    if any(tag.count("=") > ATTRIBUTE_LIMIT or len(tag.split()) > ATTRIBUTE_LIMIT for tag in _LONG_TAG.findall(html)):
        return False
    return nesting(html) <= NESTING_LIMIT


def nesting(html: str) -> int:
    """An upper bound of the depth of the tree: opened minus closed elements, without those that close themselves."""
    depth = deepest = 0
    for closing, name in _TAG.findall(html):
        if name.lower() in _NEVER_NESTED:
            continue
        if closing:
            depth -= depth > 0
        else:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def pieces(html: str) -> Iterator[tuple[str, str]]:
    """(text, the first letters of the tag after it) from start to end; comments, scripts and styles are skipped whole."""
    at = 0
    missing: set[str] = set()  # endings that do not come any more: looked for once only
    while (start := html.find("<", at)) >= 0:
        word = html[start + 1 : start + 8].lower()
        if not (word[:1].isalpha() or word[:1] in ("/", "!", "?")):
            yield html[at : start + 1], ""
            at = start + 1
            continue
        yield html[at:start], html[start + 1 : start + 40].partition(">")[0]
        ending = "-->" if word.startswith("!--") else ">"
        stop = _find(html, ending, start, missing)
        at = len(ending) + stop if stop >= 0 else start + 1 + word.startswith("!--") * 3
        for raw in _RAW:
            if word.startswith(raw) and (stop := _find(html, f"</{raw}", at, missing)) >= 0:
                at = stop
    yield html[at:], ""


def _find(html: str, ending: str, at: int, missing: set[str]) -> int:
    if ending in missing:
        return -1
    if ending.startswith("</"):
        match = re.compile(re.escape(ending), re.IGNORECASE).search(html, at)
        stop = match.start() if match else -1
    else:
        stop = html.find(ending, at)
    if stop < 0:
        missing.add(ending)
    return stop
