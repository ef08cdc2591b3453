"""Which stretches of a large member need no tree: paragraphs and rows that no rule but the vocabulary speaks of.

Formulas and addresses are judged by their values, tag by tag. An element with a rule of its own, a link, copies of what has content, and
an attribute of an extension that could be a place make their stretch one that is rebuilt as a tree.
"""

from __future__ import annotations

import re
from typing import Final

from sanitizers import xml
from sanitizers.context import Context
from sanitizers.formats.odf import cells, comments, named, page, values, vocabulary
from sanitizers.formats.odf.vocabulary import clark, clarks
from sanitizers.formats.office import excerpt
from sanitizers.formats.office.excerpt import Excerpt
from sanitizers.formats.office.tags import PLAIN_VALUE, Harmless

_BLANKS: Final = clark("text:c")
_NUMBER: Final = rb"[0-9]{1,5}"          # fewer than the most blanks in one run
_NO_SIGN: Final = rb'[^"<>&\t\n\r:\\]{0,512}+'      # none of `values.SIGNS`
_PLACE: Final = re.compile(r"(\.\$?[A-Z]{1,3}\$?)[0-9]+(?=[:\]])")     # a cell, in a formula
_FIRST_ROW: Final = r"\g<1>1"
_MOST_JUDGED: Final = 100_000
_WATCHED: Final = frozenset((*named.NAMED, *page.UNWRAPPED, *clarks("office:scripts table:data-pilot-table form:property")))
_LOUD: Final = frozenset((page.HREF, cells.ROW_COUNT))
_JUDGED: Final = frozenset(filter(vocabulary.is_attribute, values.WATCHED))
_PASSED: Final = frozenset({"body", "text", "spreadsheet", "table", "table-row-group", "section", "list"})


def parse(data: bytes, context: Context, where: str) -> tuple[xml.Element, Excerpt | None]:
    """The root of a member, or of an excerpt of it, and that excerpt. Raises Malformed and LimitExceeded."""
    apart = _take(data, context)
    if apart is not None:
        if not context.second_pass:     # then the second opinion has just found it well-formed
            xml.check(data, where)
        root = xml.parse(apart.frame, context.budget, where)
        if not named.bad(root, context.treatment.link_schemes):     # then formulas anywhere may have to go
            return root, apart
    return xml.parse(data, context.budget, where), None


def _take(data: bytes, context: Context) -> Excerpt | None:
    watched = _WATCHED if context.treatment.comments_kept else _WATCHED.union(comments.MARKS)
    judge = _Judge(context.treatment.link_schemes)
    return excerpt.take(data, Harmless(vocabulary.ELEMENTS - watched, _value, _JUDGED, judge), _PASSED)


def _value(name: str, empty: bool) -> bytes | None:
    if name in _LOUD or not vocabulary.is_attribute(name) or (name == cells.COLUMN_COUNT and not empty):
        return None
    return _NO_SIGN if vocabulary.is_extension(name) else _NUMBER if name == _BLANKS else PLAIN_VALUE


class _Judge:
    """Formulas that differ in nothing but the rows of cells are judged once."""

    def __init__(self, schemes: tuple[str, ...]) -> None:
        self._schemes = schemes
        self._judged: dict[tuple[str, str], bool] = {}

    def __call__(self, attributes: dict[str, str]) -> bool:
        return all(self._is_harmless(name, value) for name, value in attributes.items())

    def _is_harmless(self, name: str, value: str) -> bool:
        key = name, value if '"' in value or "'" in value else _PLACE.sub(_FIRST_ROW, value)
        if key not in self._judged:
            if len(self._judged) > _MOST_JUDGED:
                self._judged.clear()
            self._judged[key] = values.danger(name, value, self._schemes) is None
        return self._judged[key]
