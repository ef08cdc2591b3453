"""The second opinion on Office packages counts what is said, and only that: texts and cells of the parts that people read."""

from __future__ import annotations

import codecs

import pytest

from sanitizers import zip as archive
from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.ooxml_meaning import compare

DOCUMENT, SHEET, STRINGS = "word/document.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


def _texts(count: int, word: str = "a") -> bytes:
    return b"<x>" + f"<t>{word}</t>".encode() * count + b"</x>"


def _compared(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    writer = archive.Writer()
    for name, data in before.items():
        writer.add(name, data)
    compare(after, Source(writer.finish()))


def _is_lost(what: str, before: dict[str, bytes], after: dict[str, bytes]) -> None:
    with pytest.raises(VerificationFailed, match=what):
        _compared(before, after)


def test_what_policy_leaves_behind_is_not_missed() -> None:
    """A whole part, and what stands in no part that is read: properties, data of other programs, lists, pictures."""
    _compared({DOCUMENT: _texts(2), "word/comments.xml": _texts(9)}, {DOCUMENT: _texts(2)})
    for name in ("docProps/app.xml", "customXml/item1.xml", "[Content_Types].xml", "word/media/image1.png", "word/_rels/document.xml.rels"):
        _compared({DOCUMENT: _texts(2), name: _texts(9)}, {DOCUMENT: _texts(2), name: _texts(0)})


@pytest.mark.parametrize(("before", "after", "lost"), [(1, 0, True), (5, 2, False), (5, 1, True), (10, 4, False), (10, 3, True), (0, 0, False)])
def test_two_fifths_of_the_texts_are_the_least(before: int, after: int, lost: bool) -> None:
    if lost:
        _is_lost(f"{before} runs before, {after} after", {STRINGS: _texts(before)}, {STRINGS: _texts(after)})
    else:
        _compared({STRINGS: _texts(before)}, {STRINGS: _texts(after)})


def test_texts_that_are_as_they_were_count_for_the_whole() -> None:
    """One part lost three of four, another none of ten: of the whole little is lost. Of more it is too much again."""
    same = {STRINGS: _texts(10)}
    _compared({**same, DOCUMENT: _texts(4)}, {**same, DOCUMENT: _texts(1)})
    _compared({**same, DOCUMENT: _texts(15)}, {**same, DOCUMENT: _texts(0)})     # ten of twenty-five are the least
    same = {STRINGS: _texts(15)}
    _is_lost("text is lost", {**same, DOCUMENT: _texts(40)}, {**same, DOCUMENT: _texts(0)})


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_an_original_of_wide_letters_is_counted(mark: bytes) -> None:
    coding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    before = mark + _texts(5).decode().encode(coding)
    _compared({DOCUMENT: before}, {DOCUMENT: _texts(5)})
    _is_lost("text is lost", {DOCUMENT: before}, {DOCUMENT: _texts(1)})


@pytest.mark.parametrize(
    ("sheet", "cell"),
    [(b"<sheetData>%b</sheetData>", b'<c r="A1"/>'), (b"<sheetData>%b</sheetData>", b"<c>1</c>"), (b"<sheetData>%b</sheetData>", b"<c/>"),
     (b"<x:sheetData>%b</x:sheetData>", b'<x:c r="A1"/>'), (b"<x:sheetData>%b</x:sheetData>", b"<x:c/>")],
)  # fmt: skip
def test_every_cell_counts(sheet: bytes, cell: bytes) -> None:
    for more, fewer in ((2, 1), (1, 0), (9, 8)):
        _is_lost("cells", {SHEET: sheet % (cell * more)}, {SHEET: sheet % (cell * fewer)})
    _compared({SHEET: sheet % (cell * 2)}, {SHEET: sheet % (cell * 2) + b" "})


def test_cells_of_all_spellings_count_alike() -> None:
    sheet = b"<sheetData>%b</sheetData>"
    for one, other in ((b"<c/>", b'<c r="A1"/>'), (b"<c></c>", b'<c r="A1"/>'), (b"<c/>", b"<c></c>")):
        _compared({SHEET: sheet % (one + other)}, {SHEET: sheet % (other + one)})
        _is_lost("cells", {SHEET: sheet % (one + other)}, {SHEET: sheet % b""})


def test_what_is_called_as_a_cell_elsewhere_is_none() -> None:
    chain = "xl/calcChain.xml"
    _compared({chain: b'<calcChain><c r="A1"/><c r="A2"/></calcChain>'}, {chain: b'<calcChain><c r="A1"/></calcChain>'})
