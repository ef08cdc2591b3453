"""What a file says: its lines, its sheets as tables, the targets of its links. No look of it, and nothing that could be followed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Final, NamedTuple

import pypdfium2

from sanitizers import charset
from sanitizers.formats.message import htmltext, rtf
from sanitizers.model import Kind, Refused
from sanitizers.preview import mail, office, pages, parts
from sanitizers.preview.room import Room
from sanitizers.preview_words import MOST_LINES, Table, lines, links, table, tables
from sanitizers.source import Source

_TEXTS: Final = frozenset((
    Kind.TEXT, Kind.XML, Kind.JSON, Kind.ICS, Kind.VCF, Kind.SLK, Kind.SCRIPT, Kind.URL, Kind.DXF, Kind.SFC, Kind.P21, Kind.EPS, Kind.MBOX,
))  # fmt: skip
_WORDS: Final = frozenset((Kind.DOCX, Kind.DOCM, Kind.DOTX, Kind.DOTM))
_SHEETS: Final = frozenset((Kind.XLSX, Kind.XLSM, Kind.XLTX, Kind.XLTM, Kind.XLAM))
_SLIDES: Final = frozenset((Kind.PPTX, Kind.PPTM, Kind.PPSX, Kind.PPSM, Kind.POTX, Kind.POTM, Kind.PPAM))
_OPEN_DOCUMENTS: Final = frozenset((Kind.ODT, Kind.ODS, Kind.ODP, Kind.ODG, Kind.ODF))
# What our own sanitizer says in a kind that is read here.
_TRANSLATED: Final = frozenset((
    Kind.DOC, Kind.XLS, Kind.XLSB, Kind.FLAT_OPC, Kind.WORD2003XML, Kind.EXCEL2003XML, Kind.FODT, Kind.FODS, Kind.FODP, Kind.MHT,
    Kind.OOXML_ENCRYPTED,
))  # fmt: skip
_MOST_BYTES: Final = 8 << 20    # of one text
_MOST_PAGES: Final = 300        # whose words are read
_CSV_ROWS: Final = 400


class Read(NamedTuple):
    """`fault`: why there is nothing, a Reason."""

    head: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    links: tuple[str, ...] = ()
    cut: bool = False
    fault: str = ""


def read(source: Source, kind: Kind, name: str, room: Room) -> Read:
    """Raises what the readers of that kind raise."""
    if kind in _TRANSLATED:
        made = room.rebuilt(source, kind, name)
        source, kind = made.content, made.kind
    reader = _READERS.get(kind)
    return reader(source, kind, room) if reader is not None else Read()


def _plain(source: Source, _kind: Kind, _room: Room) -> Read:
    return _said(charset.decode(source.head(_MOST_BYTES)).text, len(source) > _MOST_BYTES)


def _markup(source: Source, _kind: Kind, _room: Room) -> Read:
    """As it is written: whoever looks wants to see what hides in it."""
    return _said(charset.decode_html(source.head(_MOST_BYTES)).text, len(source) > _MOST_BYTES)


def _said(text: str, more: bool = False, *, targets: list[str] | None = None) -> Read:
    found, cut = lines(text)
    return Read(lines=found, cut=cut or more, links=links(targets or []))


def _csv(source: Source, _kind: Kind, _room: Room) -> Read:
    text = charset.decode(source.head(_MOST_BYTES)).text
    tabbed = text.split("\n", 1)[0].count("\t") > text.split("\n", 1)[0].count(",")
    rows = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter="\t" if tabbed else ","):
            rows.append(row)
            if len(rows) > _CSV_ROWS:
                break
    except csv.Error:
        return _said(text)
    return Read(tables=tables([table("", rows)])[0])


def _pdf(source: Source, _kind: Kind, room: Room) -> Read:
    said: list[str] = []
    length = 0
    with pages.opened(source, room) as document:
        count = len(document)
        for index in range(min(count, _MOST_PAGES)):
            try:
                words = document[index].get_textpage().get_text_range()
            except pypdfium2.PdfiumError:
                words = ""
            said.append(words)
            length += words.count("\n") + 1
            if length > MOST_LINES:
                break
        return _said("\n".join(said), count > len(said), targets=pages.targets(document))


def _letter(source: Source, kind: Kind, room: Room) -> Read:
    letter = mail.read(source, kind, room)
    return _said(letter.text)._replace(head=letter.head)


def _rich(source: Source, _kind: Kind, _room: Room) -> Read:
    return _said(rtf.read(source.head(4 * _MOST_BYTES)).text)


def _package(read_parts: Callable[[dict[str, bytes]], office.Told]) -> Callable[[Source, Kind, Room], Read]:
    def read_package(source: Source, _kind: Kind, room: Room) -> Read:
        found = {part.name: part.content.bytes() for part in parts.members(source, room) if part.name.lower().endswith((".xml", ".rels"))}
        told = read_parts(found)
        said, cut = lines("\n".join(told.lines))
        sheets, fewer = tables(told.tables)
        return Read(lines=said, tables=sheets, links=links(told.targets), cut=cut or fewer)

    return read_package


def _old_slides(source: Source, _kind: Kind, room: Room) -> Read:
    return _said(office.old_slides({part.name: part.content.bytes() for part in parts.streams(source, room)}))


def _book(source: Source, _kind: Kind, room: Room) -> Read:
    """Chapter by chapter, by their names."""
    said: list[str] = []
    for part in parts.members(source, room):
        if part.name.lower().endswith((".xhtml", ".html", ".htm")):
            said += [f"── {part.name} ──", htmltext.render(charset.decode_html(part.content.head(_MOST_BYTES)).text, ()).text]
    return _said("\n".join(said))


def _archive(source: Source, kind: Kind, room: Room) -> Read:
    """The names of its members and how many bytes they have."""
    said: list[str] = []
    parts.unfold("", source, kind, room, lambda part: said.append(f"{part.name}　{len(part.content):,}"))
    return _said("\n".join(name.replace("\n", " ") for name in said))


def _ichitaro(source: Source, kind: Kind, room: Room) -> Read:
    """A compressed document (jtdc) is unpacked by its sanitizer."""
    found = {part.name: part.content.bytes() for part in parts.streams(source, room)}
    if office.ICHITARO_TEXT not in found:
        found = {part.name: part.content.bytes() for part in parts.streams(room.rebuilt(source, kind, "").content, room)}
    return _said(office.ichitaro(found))


_READERS: Final[dict[Kind, Callable[[Source, Kind, Room], Read]]] = {
    **dict.fromkeys(_TEXTS, _plain),
    Kind.HTML: _markup,
    Kind.SVG: _markup,
    Kind.CSV: _csv,
    Kind.PDF: _pdf,
    Kind.RTF: _rich,
    **dict.fromkeys(mail.KINDS, _letter),
    **dict.fromkeys(_WORDS, _package(office.document)),
    **dict.fromkeys(_SHEETS, _package(office.workbook)),
    **dict.fromkeys(_SLIDES, _package(office.slides)),
    **dict.fromkeys(_OPEN_DOCUMENTS, _package(office.open_document)),
    Kind.PPT: _old_slides,
    Kind.JTD: _ichitaro,
    Kind.EPUB: _book,
    **dict.fromkeys(parts.ARCHIVES - _TRANSLATED, _archive),
}


def told(source: Source, kind: Kind, name: str, room: Room) -> tuple[tuple[str, ...], bool, str]:
    """All that it says as lines, tables row by row; whether that is not all; and why there is nothing."""
    try:
        found = read(source, kind, name, room)
    except Refused as refusal:
        return (), False, refusal.reason
    said = [*(f"{field}: {value}" for field, value in found.head), *found.lines]
    for sheet in found.tables:
        said += [f"[{sheet.name}]"] if sheet.name else []
        said += [" | ".join(row).rstrip(" |") for row in sheet.rows]
    all_lines, cut = lines("\n".join(said))
    return all_lines, cut or found.cut or any(sheet.cut for sheet in found.tables), found.fault

