"""The globals of a workbook: sheets, names, references, shared strings, styles. [MS-XLS] 2.1.7.20.3."""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import ClassVar, Final, NamedTuple

from sanitizers.context import Context
from sanitizers.formats.office import blips, pictures
from sanitizers.formats.office import formulas as excel
from sanitizers.formats.office.functions import FUNCTIONS
from sanitizers.formats.xls import escher, formulas, strings
from sanitizers.formats.xls.formulas import Lost
from sanitizers.formats.xls.records import BIFF5, BIFF8, BOF, GLOBALS, Record
from sanitizers.formats.xls.strings import Text
from sanitizers.formats.xls.styles import FONT, FORMAT, PALETTE, XF, Styles
from sanitizers.model import Action, LimitExceeded, Malformed, Unsupported

CODEPAGE, BOUNDSHEET, SUPBOOK, EXTERNSHEET, EXTERNNAME, NAME, SST = 0x42, 0x85, 0x1AE, 0x17, 0x23, 0x18, 0xFC
DATEMODE, TEMPLATE, WINDOW1, OBPROJ, DRAWING_GROUP, PROTECT, WINDOW_PROTECT, DCONN = 0x22, 0x60, 0x3D, 0xD3, 0xEB, 0x12, 0x19, 0x876
_STYLES: Final = frozenset({FONT, FORMAT, PALETTE, XF})

_SHEET, _MACRO, _CHART, _VBA = 0, 1, 2, 6
_HIDDEN: Final = ("visible", "hidden", "veryHidden")
_FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_PLAIN_SHEET: Final = re.compile(r"[^\W\d]\w*")
_LIKE_A_PLACE: Final = re.compile(r"[A-Za-z]{1,3}\d+|[Rr]\d*[Cc]\d*")
_LONGEST_SHEET: Final = 31
_BUILT_IN: Final = {
    0: "Consolidate_Area", 3: "Extract", 4: "Database", 5: "Criteria", 6: "Print_Area", 7: "Print_Titles", 12: "Sheet_Title",
    13: "_FilterDatabase",
}  # fmt: skip
_AUTO: Final = re.compile(r"auto_?(?:open|close|activate|deactivate)", re.IGNORECASE)
_PLAIN_NAME: Final = re.compile(r"[^\W\d][\w.?\\]{0,254}")
_LATER: Final = "_xlfn."  # functions younger than the format stand as names
_OF_2007: Final = frozenset({"_xlfn.iferror", "_xlfn.countifs", "_xlfn.sumifs", "_xlfn.averageif", "_xlfn.averageifs"})
_MACRO_NAME: Final = 0x02 | 0x04 | 0x08  # function, Visual Basic, procedure
_SELF, _ADD_INS = b"\x01\x04", b"\x01\x3a"
_SHOWN: Final = {kind: name for kind, name in pictures.TYPES.items() if kind != "svg"}
_GONE: Final = 0xFFFF
_MOST_SHEETS: Final = 4096


class SheetEntry(NamedTuple):
    """One sheet of the table: `at` is the offset of its BOF; `kept` only if it is a worksheet."""

    name: str
    at: int
    state: str
    kept: bool
    code: str


class DefinedName(NamedTuple):
    """`scope`: index of a sheet, or -1 for the workbook."""

    name: str
    scope: int
    hidden: bool
    tokens: bytes
    extra: bytes
    macro: bool


class Supporting(NamedTuple):
    """Where references lead: `kind` "self", "add-ins" or the finding code of what is outside; `names` are its own."""

    kind: str
    names: list[str]


class Workbook:
    """Collects the records of the globals; then answers what formulas ask (`formulas.Book`)."""

    def __init__(self, records: Iterable[Record], context: Context) -> None:
        self.context = context
        self.encoding: str | None = None
        self.date1904 = self.protected = self.template = False
        self.active = 0
        self.sheet_entries: list[SheetEntry] = []
        self._taken: set[str] = set()  # their names, in small letters
        self.defined: list[DefinedName] = []
        self.strings: tuple[Text, ...] = ()
        self._drawings: list[bytes] = []
        self._blips: list[blips.Blip | None] | None = None
        self._pictures: dict[int, pictures.Picture] = {}
        self._supporting: list[Supporting] = []
        self._references: list[tuple[int, int, int]] = []
        self._used: set[int] = set()
        self.lost_names: dict[int, Lost] = {}
        self.name_texts: dict[int, str] = {}
        self._read(records)
        self._settle_names()

    # what formulas ask

    def name(self, index: int) -> str:
        if not 1 <= index <= len(self.defined):
            raise Lost("xls.formula", "a name that does not exist")
        self._used.add(index - 1)
        if index - 1 in self.lost_names:
            raise self.lost_names[index - 1]
        name = self.defined[index - 1].name
        return name[len(_LATER) :] if name.lower() in _OF_2007 else name

    def sheets(self, index: int) -> str:
        if index >= len(self._references):
            raise Lost("xls.formula", "a reference that does not exist")
        book, first, last = self._references[index]
        kind = self._supporting[book].kind if book < len(self._supporting) else "xls.formula"
        if kind != "self":
            raise Lost(kind if "." in kind else "xls.formula", "another workbook")
        return self.sheets_between(first, last)

    def sheets_between(self, first: int, last: int) -> str:
        if _GONE in (first, last):
            return "#REF!"
        if not first <= last < len(self.sheet_entries):
            raise Lost("xls.formula", "a sheet that does not exist")
        gone = [entry for entry in self.sheet_entries[first : last + 1] if not entry.kept]
        if gone:
            raise Lost(gone[0].code.replace("macro_sheet", "macro_link"), f"sheet {gone[0].name}")
        names = [self.sheet_entries[number].name for number in dict.fromkeys((first, last))]
        plain = all(_PLAIN_SHEET.fullmatch(name) and not _LIKE_A_PLACE.fullmatch(name) for name in names)
        joined = ":".join(names)
        return f"{joined}!" if plain else "'" + joined.replace("'", "''") + "'!"

    def other_name(self, index: int, number: int) -> str:
        if self.encoding is not None and index < 0:  # what BIFF5 says of its own sheets
            return self.name(number)
        if self.encoding is not None or index >= len(self._references):
            raise Lost("xls.external_link", "a name of another workbook")
        book = self._references[index][0]
        found = self._supporting[book] if book < len(self._supporting) else Supporting("xls.formula", [])
        if found.kind == "self":
            return self.name(number)
        if found.kind != "add-ins" or not 1 <= number <= len(found.names):
            raise Lost(found.kind if "." in found.kind else "xls.formula", "a name of another workbook")
        return found.names[number - 1]

    def picture(self, number: int, where: str) -> pictures.Picture | None:
        """A picture of the drawing group, from 1 on, made anew; None for one that is not there or of a kind that nobody shows."""
        if self._blips is None:
            self._blips = escher.pictures(b"".join(self._drawings), self.context.budget)
        blip = self._blips[number - 1] if 0 < number <= len(self._blips) else None
        if blip is None:
            return None
        if number not in self._pictures:
            name = f"image{number}.{blip.ending}"
            self._pictures[number] = pictures.rebuild(name, blip.content, where, self.context, "xls.picture_replaced", _SHOWN)
        return self._pictures[number]

    def text(self, tokens: bytes, extra: bytes, base: tuple[int, int] = (0, 0)) -> str:
        """A formula as text that only calculates from this workbook. Raises Lost."""
        found, called = formulas.text(tokens, extra, self, base)
        if unknown := [name for name in called if name.upper().removeprefix(_LATER.upper()) not in FUNCTIONS]:
            raise Lost("xls.formula", f"{unknown[0]} in {found}"[:200])
        if "HYPERLINK" in called and excel.danger(found, self.context.treatment.link_schemes):
            raise Lost("xls.hyperlink", found[:200])
        return found

    # reading

    def _read(self, records: Iterable[Record]) -> None:
        iterator = iter(records)
        self._begin(next(iterator))
        self.styles = Styles(self.encoding)
        for record in iterator:
            if record.kind in _STYLES:
                self.styles.add(record)
            elif record.kind in self.READERS:
                self.READERS[record.kind](self, record)
            elif record.kind in _REPORTED:
                self.context.found(_REPORTED[record.kind], "Workbook", Action.REMOVED)

    def _begin(self, record: Record) -> None:
        version, kind = record.unpack("<HH")
        if record.kind != BOF or kind != GLOBALS:
            raise Malformed("no workbook", code="xls.malformed")
        if version not in (BIFF5, BIFF8):
            raise Unsupported(f"BIFF {version:04X}")
        self.encoding = None if version == BIFF8 else "cp1252"

    def _code_page(self, record: Record) -> None:
        if self.encoding is not None:
            self.encoding = self.styles.encoding = strings.codec(record.unpack("<H")[0])

    def _dates(self, record: Record) -> None:
        self.date1904 = record.unpack("<H")[0] == 1

    def _window(self, record: Record) -> None:
        self.active = record.unpack("<5HH")[5]

    def _protect(self, record: Record) -> None:
        self.protected = record.unpack("<H")[0] == 1

    def _template(self, _: Record) -> None:
        self.template = True

    def _drawing(self, record: Record) -> None:
        self._drawings.append(record.data)

    def _sheet(self, record: Record) -> None:
        if len(self.sheet_entries) >= _MOST_SHEETS:
            raise LimitExceeded(f"more than {_MOST_SHEETS} sheets")
        at, hidden, kind = record.unpack("<IBB")
        name = _FORBIDDEN.sub("_", strings.short(record.data, 6, self.encoding)[0])[:_LONGEST_SHEET].strip("'") or "Sheet"
        unique, number = name, 1
        while unique.lower() in self._taken:
            number += 1
            unique = f"{name[: _LONGEST_SHEET - 6]}_{number}"
        self._taken.add(unique.lower())
        code = {_SHEET: "", _CHART: "xls.chart"}.get(kind, "xls.macro_sheet")
        self.sheet_entries.append(SheetEntry(unique, at, _HIDDEN[min(hidden & 3, 2)], kind == _SHEET, code))

    def _support(self, record: Record) -> None:
        data = record.data
        if data[2:4] == _SELF and len(data) == 4:
            self._supporting.append(Supporting("self", []))
        elif data[2:4] == _ADD_INS and len(data) == 4:
            self._supporting.append(Supporting("add-ins", []))
        else:
            path, _ = strings.long(data, 2, None)
            # A file begins with 01 and has 03 between its folders; else 03 stands between a program and its topic ([MS-XLS] 2.5.277).
            code = "xls.dde" if "\x03" in path and not path.startswith("\x01") else "xls.external_link"
            self.context.found(code, "Workbook", Action.REMOVED, path.replace("\x03", "|"))
            self._supporting.append(Supporting(code, []))

    def _reference(self, record: Record) -> None:
        if self.encoding is None:
            count = min(record.unpack("<H")[0], (len(record.data) - 2) // 6)
            self._references += struct.iter_unpack("<HHH", record.data[2 : 2 + 6 * count])
            return
        name = record.data[1:2]
        if name not in (b"\x02", b"\x03", b"\x04", b":", b""):
            self.context.found("xls.external_link", "Workbook", Action.REMOVED, record.data[1:].decode(self.encoding, "replace"))

    def _external_name(self, record: Record) -> None:
        if self.encoding is None and self._supporting:
            name, _ = strings.short(record.data, 6, None) if self._supporting[-1].kind == "add-ins" else ("", 0)
            self._supporting[-1].names.append(name)

    def _name(self, record: Record) -> None:
        flags, _, length, size, _, scope = record.unpack("<HBBHHH")
        name, at = strings.characters(record.data, 14, length, self.encoding)
        macro = bool(flags & _MACRO_NAME)
        if flags & 0x20:
            number = ord(name[0]) if name else 0xFF
            name = f"_xlnm.{_BUILT_IN.get(number, 'Auto_Open')}"
            macro = macro or number not in _BUILT_IN
        macro = macro or bool(_AUTO.match(name))
        self.defined.append(DefinedName(name, scope - 1, bool(flags & 1), record.data[at : at + size], record.data[at + size :], macro))

    def _shared_strings(self, record: Record) -> None:
        reader = strings.Reader(record.pieces, 4)
        (count,) = record.unpack("<I", 4)
        reader.at = 8
        if count > self.context.budget.expanded_left:
            raise LimitExceeded(f"{count} texts")
        found: list[Text] = []
        while len(found) < count and not reader.is_at_end:
            found.append(reader.text())
        self.strings = tuple(found)

    # names

    def _settle_names(self) -> None:
        """Names that start macros or reach out of the workbook go, and with them those that are defined by them."""
        users: defaultdict[int, list[int]] = defaultdict(list)
        for index, defined in enumerate(self.defined):
            if defined.macro and not defined.name.lower().startswith(_LATER):
                self.lost_names[index] = Lost("xls.macro_name", defined.name)
        macros = dict(self.lost_names)
        for index, defined in enumerate(self.defined):
            if defined.name.lower().startswith(_LATER):
                continue
            self._used = set()
            try:
                self.name_texts[index] = self._definition(defined)
            except Lost as lost:
                self.lost_names.setdefault(index, lost)
            for used in self._used:
                users[used].append(index)
        waiting = list(self.lost_names)
        while waiting:
            number = waiting.pop()
            for user in users[number]:
                if user not in self.lost_names:
                    self.lost_names[user] = self.lost_names[number]
                    waiting.append(user)
        for index, why in self.lost_names.items():
            if index in macros or self.defined[index].tokens:
                self.context.found(why.code, f"name {self.defined[index].name}", Action.REMOVED, why.detail)

    def _definition(self, defined: DefinedName) -> str:
        if not _PLAIN_NAME.fullmatch(defined.name) or _LIKE_A_PLACE.fullmatch(defined.name):
            raise Lost("xls.formula", f"name {defined.name}")
        if defined.scope >= 0 and not (defined.scope < len(self.sheet_entries) and self.sheet_entries[defined.scope].kept):
            raise Lost("xls.macro_name", defined.name)
        found = self.text(defined.tokens, defined.extra)
        if "#REF!" in found and defined.name.startswith("_xlnm."):
            raise Lost("xls.formula", "a place that does not exist")
        return found

    READERS: ClassVar[dict[int, Callable[[Workbook, Record], None]]] = {
        CODEPAGE: _code_page,
        DATEMODE: _dates,
        WINDOW1: _window,
        PROTECT: _protect,
        TEMPLATE: _template,
        DRAWING_GROUP: _drawing,
        BOUNDSHEET: _sheet,
        SUPBOOK: _support,
        EXTERNSHEET: _reference,
        EXTERNNAME: _external_name,
        NAME: _name,
        SST: _shared_strings,
    }


_REPORTED: Final = {OBPROJ: "xls.macro", DCONN: "xls.connection"}
