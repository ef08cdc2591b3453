"""From the compound file to the new package."""

from __future__ import annotations

from typing import Final

from sanitizers import cfb
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.doc import encryption, fib, older, older_head, parts, plc, sections, settings, styles, templates
from sanitizers.formats.doc.document import Document
from sanitizers.formats.doc.fib import Part, Streams
from sanitizers.formats.doc.sections import Section
from sanitizers.formats.doc.story import SECTION_MARK, Story
from sanitizers.formats.office import beside, properties
from sanitizers.formats.office.package import Package, Relation, Relations
from sanitizers.model import Action, Kind, Malformed, Unsupported
from sanitizers.source import Source

# Name of a storage or stream below the root, in lower case → what it is.
_CODES: Final = {
    "macros": "doc.macro", "_vba_project_cur": "doc.macro", "objectpool": "doc.object", "msodatastore": "file.metadata",
    "\x01ole10native": "doc.object", "package": "doc.object",
}  # fmt: skip
_QUIET: Final = frozenset(
    {"worddocument", "0table", "1table", "data", "\x01compobj", "\x01ole", "\x05summaryinformation", "\x05documentsummaryinformation"}
)
# Parts of the table stream that are left behind with a word.
_REPORTED: Final = {Part.MERGE: "doc.mail_merge", Part.SUB_DOCUMENTS: "doc.sub_document", Part.VARIABLES: "doc.variables"}
_TEMPLATE, _SOURCES = 1, (10, 11)  # of the associated strings
_MAIN: Final = {Kind.DOCX: "document.main", Kind.DOTX: "template.main"}
# Readers lay a document out as the application did that wrote it.
_APPLICATION: Final = "<Application>Microsoft Office Word</Application><AppVersion>12.0000</AppVersion>"
_NO_COMMANDS: Final = 2  # bytes of a list of commands that is empty


def rebuild(source: Source, context: Context) -> Rebuilt:
    """The new document, or template. Raises Malformed, Unsupported, Encrypted, LimitExceeded."""
    if source.head(8) != cfb.MAGIC:
        raise Unsupported("a document of Word 2 or older")
    compound = cfb.Compound(source, context.budget)
    main = _main(compound)
    if context.treatment.unrebuilt_as_text and older_head.is_older(main):
        _report_beside(source, compound, context)
        return older.rebuild(main, compound, context)
    streams, kind = _streams(main, compound, context)
    _report_beside(source, compound, context)
    _report_parts(streams, context)
    package = Package("word", "wordprocessingml")
    document = Document(streams, package, context)
    context.scan_layer(document.text.units.encode("utf-8", "replace"), "text")
    said = properties.read(compound, context, template=False)
    templates.report(said.template, "SummaryInformation", context)
    package.relate("", [Relation("officeDocument", "word/document.xml"), *properties.parts(package, said, _APPLICATION)])
    _write(document, package, kind)
    return Rebuilt(Source(package.finish()), kind)


def _main(compound: cfb.Compound) -> bytes:
    path = compound.find("WordDocument")
    if path is None:
        raise Malformed("no document in the compound file", code="doc.malformed")
    return compound.read(path)


def _report_beside(source: Source, compound: cfb.Compound, context: Context) -> None:
    beside.report(source, compound, _QUIET, lambda name: _CODES.get(name, "doc.unknown_stream"), context)


def _streams(main: bytes, compound: cfb.Compound, context: Context) -> tuple[Streams, Kind]:
    """In the clear, and the kind of the new file."""
    base = fib.base(main)
    if base.glossary:
        context.found("doc.glossary", "", Action.REMOVED)
    table, data = compound.find(base.table), compound.find("Data")
    if table is None:
        raise Malformed("no table stream", code="doc.malformed")
    main, said, pictures = encryption.plain(base, (main, compound.read(table), compound.read(data) if data else b""), context)
    return Streams(fib.read(main), main, said, pictures), Kind.DOTX if base.is_template else Kind.DOCX


def _report_parts(streams: Streams, context: Context) -> None:
    for which, code in _REPORTED.items():
        if len(streams.part(which)) > 4 or (streams.part(which) and which is Part.SUB_DOCUMENTS and any(streams.part(which))):
            context.found(code, which.name.lower().replace("_", " "), Action.REMOVED)
    if _has_macros(streams.part(Part.COMMANDS)):
        context.found("doc.macro", "commands", Action.REMOVED)
    if len(streams.part(Part.SAVED_BY)) > 10:
        context.found("file.metadata", "saved by", Action.REMOVED)
    said = plc.strings(streams.part(Part.ASSOCIATED))
    if len(said) > _TEMPLATE:
        templates.report(said[_TEMPLATE], "associated strings", context)
    if any(said[n] for n in _SOURCES if n < len(said)):
        context.found("doc.mail_merge", "associated strings", Action.REMOVED, " ".join(said[n] for n in _SOURCES if n < len(said)))


def _has_macros(commands: bytes) -> bool:
    """A list of commands names macros where it has a part for them: [MS-DOC] 2.9.297 (Tcg)."""
    return len(commands) > _NO_COMMANDS and any(kind in commands[1:2] for kind in (b"\x01", b"\x10", b"\x11"))


def _write(document: Document, package: Package, kind: Kind) -> None:
    main = Relations()
    boxes = parts.TextBoxes(document)
    document.drawings.text_box = boxes.write
    body = Story(document, main, 0, document.streams.fib.counts.main)
    body.breaks, last = _sections(document, parts.headers(document, main))
    inside = body.xml() + last
    parts.notes(document, "footnote", document.footnotes.values(), main)
    parts.notes(document, "endnote", document.endnotes.values(), main)
    parts.comments(document, main)
    package.add("word/styles.xml", document.styles.xml(document.numbering.relation), "styles")
    main.add("styles", "styles.xml")
    if numbering := document.numbering.xml(document.styles.fonts):
        package.add("word/numbering.xml", numbering, "numbering")
        main.add("numbering", "numbering.xml")
    package.add("word/fontTable.xml", styles.font_table(document.styles.fonts), "fontTable")
    main.add("fontTable", "fontTable.xml")
    package.add("word/settings.xml", settings.write(document), "settings")
    main.add("settings", "settings.xml")
    package.add("word/document.xml", f"<w:document {parts.SPACES}><w:body>{inside}</w:body></w:document>", _MAIN[kind], main.made)


def _sections(document: Document, references: list[parts.References]) -> tuple[dict[int, str], str]:
    """w:sectPr by place of the mark that ends a section, and the last one. A section without a mark leaves its headers to the next."""
    breaks: dict[int, str] = {}
    left: parts.References = {}
    looks = document.sections or [Section(0, {}, b"")]
    for look, found in zip(looks[:-1], references, strict=False):
        left |= found
        if document.text.units[look.end - 1 : look.end] == SECTION_MARK:
            breaks[look.end - 1] = sections.write(look, "".join(left.values()))
            left = {}
    left |= references[-1] if references else {}
    return breaks, sections.write(looks[-1], "".join(left.values()))
