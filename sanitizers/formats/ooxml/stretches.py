"""Which stretches of a large part need no tree: text, properties, rows and cells that no rule but the vocabulary speaks of.

An element that any rule looks at (handlers, references, alternatives, fields, marks of comments where those go) and an attribute with a
meaning beyond its element (references, CSS, prefixes) makes its stretch one that is rebuilt as a tree.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Final

from sanitizers import xml
from sanitizers.context import Context
from sanitizers.formats.office import excerpt
from sanitizers.formats.office.excerpt import Excerpt
from sanitizers.formats.office.tags import PLAIN_VALUE, Harmless, Tags
from sanitizers.formats.ooxml import comments, drawing, fields, objects, page, sheet, slide, word
from sanitizers.formats.ooxml.page import Handler
from sanitizers.formats.ooxml.rows import Sheet
from sanitizers.formats.ooxml.vocabulary import ATTRIBUTES, ELEMENTS, SPACES, clark

HANDLERS: Final[dict[str, Handler]] = {**drawing.HANDLERS, **word.HANDLERS, **sheet.HANDLERS, **slide.HANDLERS, **objects.HANDLERS}
_FORMULA: Final = clark("x:f")
_WATCHED: Final = page.ALTERNATIVES | HANDLERS.keys() | drawing.REFERRERS | fields.MARKS | sheet.SETTLED
_POINTING: Final = tuple(f"{{{uri}}}" for uri in SPACES["r"] + SPACES["mc"])
_QUIET: Final = frozenset(name for name in ATTRIBUTES if not name.startswith(_POINTING)) - clark("o:relid") - {"style", "Requires"}
_PASSED: Final = frozenset({"body", "tbl", "sdt", "sdtContent"})
# Roles of parts that grow large, and whose elements no rule of the whole part speaks of but that of fields.
_FIT: Final = frozenset({"officeDocument", "footnotes", "endnotes", "comments", "sharedStrings", "pivotCacheRecords"})

# Every paragraph that Word writes has ids of the editing sessions. They are left out of any document, here as in a tree: where they follow
# the name of an element, or the two ids of a paragraph behind it. What stands before them is looked for from their first letters on,
# because those are found much faster.
_BEFORE: Final = rb"<W:p", rb"<W:r", rb"<W:tr", rb"<W:sectPr", *(
    rb'<W:%b w14:paraId="[0-9A-F]{8}" w14:textId="[0-9A-F]{8}"' % name for name in (b"p", b"tr")
)  # fmt: skip
_REVISION: Final = rb'W:rsid(?:R|RPr|RDefault|P|Sect|Tr|Del)="[0-9A-Fa-f]{0,8}"'
_REVISIONS: Final = rb" W:rsid(?:%b)%b(?: %b)*(?=[ />])" % (
    b"|".join(rb"(?<=%b W:rsid)" % before for before in _BEFORE), _REVISION.removeprefix(b"W:rsid"), _REVISION,
)  # fmt: skip
_HEAD: Final = 1 << 16
_WORD_PREFIX: Final = re.compile(rb'\sxmlns:([A-Za-z]\w*)="(?:%b)"' % b"|".join(re.escape(uri.encode()) for uri in SPACES["w"]))


def _value(name: str, _empty: bool) -> bytes | None:
    return PLAIN_VALUE if name in _QUIET else None


_HARMLESS: Final = Harmless(ELEMENTS - _WATCHED, _value)
_WITHOUT_COMMENTS: Final = Harmless(ELEMENTS - _WATCHED - comments.MARKS, _value)
# Formulas of cells are judged apart.
_CELLS: Final = Harmless((ELEMENTS - _WATCHED) | _FORMULA, _value)


def take(data: bytes, key: str, context: Context, where: str) -> Excerpt | None:
    """The part without what needs no tree; None where it is taken whole. `key`: its role. Raises Malformed."""
    if len(data) < excerpt.LARGE or key not in _FIT:
        return None
    prefix = _word_prefix(data)
    # Each "<" begins a tag: `excerpt` takes no document where that is not so.
    shorter = re.sub(_REVISIONS.replace(b"W:", prefix + b":"), b"", data) if prefix else data
    harmless = _HARMLESS if context.treatment.comments_kept else _WITHOUT_COMMENTS
    taken = excerpt.take(shorter, harmless, _PASSED, fields.Open(prefix).see)
    if taken is not None:
        xml.check(data, where)
    return taken


def _word_prefix(data: bytes) -> bytes:
    """What stands for WordprocessingML everywhere in the document; nothing if that is not one prefix that means nothing else."""
    declared = _WORD_PREFIX.findall(data, 0, _HEAD)
    if len(declared) != 1:
        return b""
    first, again = data.find(b"xmlns:%b=" % declared[0]), re.compile(rb"xmlns:%b\s*=" % declared[0])
    return declared[0] if again.search(data, first + 1) is None else b""


def quiet_rows(apart: Sheet) -> Callable[[int, int], bool]:
    """Tells of rows of a large worksheet, by where they begin and end, whether nothing but formulas among them is to be judged."""
    others = Tags(apart.root, _CELLS).others(apart.data, apart.start, apart.end)

    def are_quiet(start: int, end: int) -> bool:
        return others is not None and bisect_left(others, start) == bisect_left(others, end)

    return are_quiet
