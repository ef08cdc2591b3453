"""The parts beside the body: headers and footers, footnotes, endnotes, comments, text boxes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sanitizers.formats.doc import markup, plc
from sanitizers.formats.doc.document import Document, Note
from sanitizers.formats.doc.drawings import Spot
from sanitizers.formats.doc.fib import Part
from sanitizers.formats.doc.story import Story
from sanitizers.formats.office.package import Relations

SPACES: Final = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_SEPARATORS: Final = 6  # stories before the first header
_OF_SECTION: Final = (
    ("header", "even"), ("header", "default"), ("footer", "even"), ("footer", "default"), ("header", "first"), ("footer", "first"),
)  # fmt: skip
_BOX: Final = 22  # bytes for each text box
_DEEPEST: Final = 4  # text boxes in text boxes


References = dict[tuple[str, str], str]


def headers(document: Document, main: Relations) -> list[References]:
    """Adds the parts; returns the references of each section. A story that is empty is that of the section before."""
    places = plc.read(document.streams.part(Part.HEADERS), 0).places if document.streams.part(Part.HEADERS) else ()
    start = document.starts["headers"]
    references: list[References] = []
    counts = {"header": 0, "footer": 0}
    for number in range(len(document.sections)):
        found: References = {}
        for index, (kind, which) in enumerate(_OF_SECTION):
            story = _SEPARATORS + number * len(_OF_SECTION) + index
            if story + 1 >= len(places) or places[story] >= places[story + 1]:
                continue
            counts[kind] += 1
            name = f"{kind}{counts[kind]}.xml"
            _header(document, name, kind, start + places[story], start + places[story + 1])
            found[kind, which] = f'<w:{kind}Reference w:type="{which}" r:id="{main.add(kind, name)}"/>'
        references.append(found)
    return references


def _header(document: Document, name: str, kind: str, start: int, end: int) -> None:
    """The mark that ends each story is none of its paragraphs."""
    relations = Relations()
    inside = Story(document, relations, start, _without_guard(document, start, end)).xml()
    tag = "hdr" if kind == "header" else "ftr"
    document.package.add(f"word/{name}", f"<w:{tag} {SPACES}>{inside}</w:{tag}>", kind, relations.made)


def _without_guard(document: Document, start: int, end: int) -> int:
    return end - 1 if end - 1 > start and document.text.units[end - 1 : end] == "\r" else end


def notes(document: Document, kind: str, found: Iterable[Note], main: Relations) -> None:
    """footnotes.xml or endnotes.xml, with the lines above them."""
    found = list(found)
    if not found:
        return
    relations = Relations()
    lines = "".join(
        f'<w:{kind} w:type="{name}" w:id="{number}"><w:p><w:r><w:{name}/></w:r></w:p></w:{kind}>'
        for name, number in (("separator", -1), ("continuationSeparator", 0))
    )
    for note in found:
        story = Story(document, relations, note.start, note.end, own=f"<w:{kind}Ref/>")
        lines += f'<w:{kind} w:id="{note.number}">{story.xml()}</w:{kind}>'
    name = f"{kind}s.xml"
    document.package.add(f"word/{name}", f"<w:{kind}s {SPACES}>{lines}</w:{kind}s>", f"{kind}s", relations.made)
    main.add(f"{kind}s", name)


def comments(document: Document, main: Relations) -> None:
    if not document.comments or not document.context.treatment.comments_kept:
        return
    relations = Relations()
    lines = ""
    for comment in document.comments.values():
        note = comment.note
        who = f"w:author={markup.attribute(comment.author)} w:initials={markup.attribute(comment.initials)}"
        story = Story(document, relations, note.start, note.end, own="<w:annotationRef/>")
        lines += f'<w:comment w:id="{note.number}" {who}>{story.xml()}</w:comment>'
    document.package.add("word/comments.xml", f"<w:comments {SPACES}>{lines}</w:comments>", "comments", relations.made)
    main.add("comments", "comments.xml")


class TextBoxes:
    """What stands in the text boxes that shapes name by their number, from 1. Each is written once, where it is first shown."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._depth = 0
        self._seen: set[tuple[int, bool]] = set()
        self._found = {
            header: plc.read(document.streams.part(Part.HEADER_TEXT_BOXES if header else Part.TEXT_BOXES), _BOX) for header in (False, True)
        }

    def write(self, number: int, spot: Spot) -> str:
        name, found = "header_text_boxes" if spot.header else "text_boxes", self._found[spot.header]
        if not 1 <= number <= len(found.items) or (number, spot.header) in self._seen or self._depth >= _DEEPEST:
            return ""
        self._seen.add((number, spot.header))
        start = self._document.starts[name]
        first, last = start + found.places[number - 1], start + found.places[number]
        self._depth += 1
        inside = Story(self._document, spot.relations, first, _without_guard(self._document, first, last)).xml()
        self._depth -= 1
        return inside
