"""From the compound file to the new package."""

from __future__ import annotations

from typing import Final

from sanitizers import cfb
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.office import beside, pictures, properties
from sanitizers.formats.office.package import Package, Relation
from sanitizers.formats.xls import drawing, encryption, markup, records
from sanitizers.formats.xls.book import DefinedName, SheetEntry, Workbook
from sanitizers.formats.xls.shared import SharedStrings
from sanitizers.formats.xls.sheet import Sheet
from sanitizers.model import Action, Kind, Malformed, Unsupported
from sanitizers.source import Source

_MAIN: Final = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_FILTER: Final = "_xlnm._FilterDatabase"
# Name of a storage or stream below the root, in lower case → what it is.
_CODES: Final = {"_vba_project_cur": "xls.macro", "macros": "xls.macro", "_sx_db_cur": "xls.pivot", "msodatastore": "file.metadata"}
_QUIET: Final = frozenset({"workbook", "book", "\x01compobj", "\x01ole", "\x05summaryinformation", "\x05documentsummaryinformation"})


def rebuild(source: Source, context: Context) -> Rebuilt:
    """The new workbook, or template. Raises Malformed, Unsupported, Encrypted, LimitExceeded."""
    if source.head(8) != cfb.MAGIC:
        raise Unsupported("a workbook of Excel 4 or older")
    compound = cfb.Compound(source, context.budget)
    path = compound.find("Workbook") or compound.find("Book")
    if path is None:
        raise Malformed("no workbook in the compound file", code="xls.malformed")
    stream = encryption.plain(compound.read(path), context)
    beside.report(source, compound, _QUIET, _code, context)
    book = Workbook(records.substream(stream, 0), context)
    shared = SharedStrings(book.strings, book.styles)
    sheets = _sheets(stream, book, shared)
    package = Package("xl", "spreadsheetml")
    said = properties.read(compound, context)
    package.relate("", [Relation("officeDocument", "xl/workbook.xml"), *properties.parts(package, said, _application(said))])
    package.add("xl/workbook.xml", _workbook(book, sheets), "template.main" if book.template else "sheet.main")
    parts = [Relation("worksheet", f"worksheets/sheet{sheet.number}.xml") for _, sheet in sheets]
    package.relate(
        "xl/workbook.xml", [*parts, Relation("styles", "styles.xml"), Relation("sharedStrings", "sharedStrings.xml")]
    )
    active = _active(book, sheets)
    for index, sheet in sheets:
        name = f"xl/worksheets/sheet{sheet.number}.xml"
        package.add(name, sheet.xml(active=sheet.number == active + 1, filtered=_filtered(book, index)), "worksheet")
        if sheet.relations:
            package.relate(name, sheet.relations)
        _add_drawings(package, sheet)
    package.add("xl/styles.xml", book.styles.xml(), "styles")
    package.add("xl/sharedStrings.xml", shared.xml(), "sharedStrings")
    return Rebuilt(Source(package.finish()), Kind.XLTX if book.template else Kind.XLSX)


def _application(said: properties.Properties) -> str:
    """Readers lay a workbook out as the application did that wrote it, so its name stays."""
    known = "<Application>Microsoft Excel</Application>" if said.application == "Microsoft Excel" else ""
    return f"{known}<AppVersion>16.0000</AppVersion>"


def _add_drawings(package: Package, sheet: Sheet) -> None:
    """The parts that the sheet's relationships name."""
    if sheet.shapes:
        name = f"xl/drawings/drawing{sheet.number}.xml"
        package.add(name, drawing.part(sheet.shapes), "application/vnd.openxmlformats-officedocument.drawing+xml")
        shown = [_add_shown(package, sheet, number, one) for number, one in enumerate(sheet.drawing.shown, 1)]
        if shown:
            package.relate(name, shown)
    if sheet.comments:
        package.add(f"xl/comments{sheet.number}.xml", drawing.comments_part(sheet.comments), "comments")
        package.add_notes(f"xl/drawings/vmlDrawing{sheet.number}.vml", drawing.notes_part(sheet.comments))


def _add_shown(package: Package, sheet: Sheet, number: int, one: pictures.Picture | str) -> Relation:
    """A picture, or the XML of a chart."""
    if not isinstance(one, str):
        return Relation("image", f"../{package.add_picture(one)}")
    name = f"charts/chart{sheet.number}_{number}.xml"
    package.add(f"xl/{name}", one, "application/vnd.openxmlformats-officedocument.drawingml.chart+xml")
    return Relation("chart", f"../{name}")


def _code(name: str) -> str:
    return _CODES.get(name) or ("xls.object" if name.startswith(("mbd", "lnk")) else "xls.unknown_stream")


def _sheets(stream: bytes, book: Workbook, shared: SharedStrings) -> list[tuple[int, Sheet]]:
    """The worksheets, with their index in the old table. Two sheets in one place are refused: the second reading could be endless."""
    made: list[tuple[int, Sheet]] = []
    _check_places(book.sheet_entries)
    for index, entry in enumerate(book.sheet_entries):
        if not entry.kept:
            book.context.found(entry.code, entry.name, Action.REMOVED)
            continue
        sheet = Sheet(len(made) + 1, entry.name, book, shared)
        if not sheet.read(stream, entry.at):
            raise Malformed(f"sheet {entry.name} is no worksheet", code="xls.malformed")
        made.append((index, sheet))
    if not made:
        raise Unsupported("no worksheet but macro sheets and charts")
    return made


def _check_places(entries: list[SheetEntry]) -> None:
    if len({entry.at for entry in entries}) != len(entries):
        raise Malformed("two sheets in one place", code="xls.malformed")


def _active(book: Workbook, sheets: list[tuple[int, Sheet]]) -> int:
    """The position of the sheet in front, which must be one that shows."""
    visible = [at for at, (index, _) in enumerate(sheets) if book.sheet_entries[index].state == "visible"] or [0]
    return next((at for at in visible if sheets[at][0] == book.active), visible[0])


def _workbook(book: Workbook, sheets: list[tuple[int, Sheet]]) -> str:
    all_hidden = all(book.sheet_entries[index].state != "visible" for index, _ in sheets)
    lines: list[str] = []
    for at, (index, sheet) in enumerate(sheets):
        state = book.sheet_entries[index].state
        hidden = "" if state == "visible" or (all_hidden and at == 0) else f' state="{state}"'
        lines.append(f'<sheet name={markup.attribute(sheet.name)} sheetId="{at + 1}"{hidden} r:id="rId{at + 1}"/>')
    origin = '<fileVersion appName="xl" lastEdited="7" lowestEdited="7"/>'  # else some readers work out the heights of rows anew
    dates = '<workbookPr date1904="1"/>' if book.date1904 else "<workbookPr/>"
    protection = '<workbookProtection lockStructure="1"/>' if book.protected else ""
    view = f'<bookViews><workbookView activeTab="{_active(book, sheets)}"/></bookViews>'
    settings = f"{origin}{dates}{protection}{view}"
    return f'<workbook {_MAIN} xmlns:r="{_OFFICE}">{settings}<sheets>{"".join(lines)}</sheets>{_names(book, sheets)}</workbook>'


def _names(book: Workbook, sheets: list[tuple[int, Sheet]]) -> str:
    """Each once in its scope: readers take a second one for damage."""
    places = {index: at for at, (index, _) in enumerate(sheets)}
    seen: set[tuple[str, int]] = set()
    lines: list[str] = []
    for index, text in book.name_texts.items():
        defined = book.defined[index]
        if index in book.lost_names or (defined.name.lower(), defined.scope) in seen or not text:
            continue
        seen.add((defined.name.lower(), defined.scope))
        lines.append(f"<definedName name={markup.attribute(defined.name)}{_scope(defined, places)}>{markup.content(text)}</definedName>")
    return f"<definedNames>{''.join(lines)}</definedNames>" if lines else ""


def _scope(defined: DefinedName, places: dict[int, int]) -> str:
    local = f' localSheetId="{places[defined.scope]}"' if defined.scope >= 0 else ""
    return local + (' hidden="1"' if defined.hidden else "")


def _filtered(book: Workbook, index: int) -> str:
    """The area of a sheet's autofilter: what its hidden name says, without the sheet and the marks."""
    for number, text in book.name_texts.items():
        defined = book.defined[number]
        if defined.name == _FILTER and defined.scope == index and number not in book.lost_names:
            return text.rpartition("!")[2].replace("$", "")
    return ""
