"""SpreadsheetML: sheets, names, formulas, pivot tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from sanitizers import xml
from sanitizers.context import Context
from sanitizers.formats.office import formulas, links, tree
from sanitizers.formats.ooxml.page import Handler, Page, prune
from sanitizers.formats.ooxml.vocabulary import clark
from sanitizers.model import Action, Malformed, Unsupported

# A cell of any row: formulas that differ in nothing else are judged once.
_PLACE: Final = re.compile(r"(?<![\w.\[])(\$?[A-Z]{1,3}\$?)\d+(?![\w.(!\]])")
_FIRST_ROW: Final = r"\g<1>1"
_NONE: Final = "\0"     # stands in no document
_WORKBOOK: Final = clark("x:workbook")
_SHEET: Final = clark("x:sheet")
_VIEW: Final = clark("x:workbookView x:customWorkbookView")
_DEFINED_NAME: Final = clark("x:definedName")
_CELL_FORMULA: Final = clark("x:f")
SETTLED: Final = _SHEET | _VIEW | _DEFINED_NAME | _CELL_FORMULA     # what `prepare` looks at
_SHEET_KINDS: Final = frozenset({"worksheet", "chartsheet"})
_BUILT_IN: Final = frozenset(
    f"_xlnm.{name}"
    for name in ("print_area", "print_titles", "_filterdatabase", "criteria", "extract", "database", "sheet_title", "consolidate_area")
)
_AUTO: Final = re.compile(r"(?:_xlnm\.)?auto_?(?:open|close|activate|deactivate)", re.IGNORECASE)
_MOST_ROUNDS: Final = 64
_MACRO_MARKS: Final = ("function", "vbProcedure", "xlm", "macro")
_SOURCE: Final = clark("x:cacheSource")
_WORKSHEET_SOURCE: Final = clark("x:worksheetSource")


@dataclass(slots=True)
class Workbook:
    """What the workbook part decided, for the parts after it: names and sheets, in lower case, that formulas may not use any more."""

    gone: set[str] = field(default_factory=set)


def count_cells(data: bytes) -> int:
    """At least the cells of a worksheet, before it is parsed: every tag whose name begins with c is counted, few are no cells."""
    return data.count(b"<c") + data.count(b":c")


def is_local_cache(data: bytes, context: Context, where: str) -> bool:
    """A pivot cache whose source is a range of this workbook."""
    root = xml.parse(data, context.budget, where)
    source = next(root.iter(*_SOURCE), None)
    if source is None or source.get("type") != "worksheet":
        return False
    return all(not any("}" in name for name in inner.attrib) for inner in root.iter(*_WORKSHEET_SOURCE))


def prepare(page: Page) -> None:
    """Sheets and names of a workbook, formulas of a worksheet."""
    if page.root.tag in _WORKBOOK:
        _settle_sheets(page)
        _settle_names(page)
        return
    if any(page.root.tag.endswith(f"}}{name}") for name in ("worksheet", "macrosheet")):
        _settle_formulas(page)


def _settle_sheets(page: Page) -> None:
    """Macro and dialog sheets go; what counts sheets by their number is counted anew."""
    sheets = list(page.root.iter(*_SHEET))
    stays: list[bool] = []
    for sheet in sheets:
        relation = page.relation(sheet)
        fits = relation is not None and relation.key in _SHEET_KINDS and page.keeps(relation)
        stays.append(fits)
        if not fits:
            page.rebuild.workbook.gone.add((sheet.get("name") or "").lower())
            tree.remove(sheet)
    if not any(stays):
        raise Unsupported("no worksheet but macro sheets", where=page.name)
    if all(stays):
        return
    new = {old: sum(stays[:old]) for old in range(len(stays)) if stays[old]}
    _renumber(page, new)
    left = [sheet for sheet, stay in zip(sheets, stays, strict=True) if stay]
    if all(sheet.get("state", "visible") != "visible" for sheet in left):
        left[0].attrib.pop("state", None)


def _renumber(page: Page, new: dict[int, int]) -> None:
    for view in page.root.iter(*_VIEW):
        for name in ("activeTab", "firstSheet"):
            if (value := view.get(name)) is not None:
                view.set(name, str(new.get(_index(value), 0)))
    for defined in list(page.root.iter(*_DEFINED_NAME)):
        value = defined.get("localSheetId")
        if value is None:
            continue
        place = new.get(_index(value))
        if place is None:
            tree.remove(defined)
        else:
            defined.set("localSheetId", str(place))


def _index(value: str) -> int:
    """Of a sheet; −1 for what is none. Longer numbers are no sheets, and Python refuses very long ones."""
    return int(value) if value.isdecimal() and len(value) < 10 else -1


def _settle_names(page: Page) -> None:
    """Names that start macros or reach out of the workbook go, and then those that use them."""
    left = list(page.root.iter(*_DEFINED_NAME))
    for _ in range(_MOST_ROUNDS):
        stay = [defined for defined in left if not _drop_name(defined, page)]
        if len(stay) == len(left):
            return
        left = stay
    raise Malformed(f"names that hang on one another more than {_MOST_ROUNDS} deep", where=page.name, code="ooxml.package")


def _drop_name(defined: xml.Element, page: Page) -> bool:
    """Removed, if it may not stay."""
    if (why := _name_danger(defined, page)) is None:
        return False
    parent = defined.getparent()
    tree.remove(defined)
    prune(parent)
    page.found(why, defined.get("name") or "", detail=defined.text or "")
    page.rebuild.workbook.gone.add((defined.get("name") or "").lower())
    return True


def _name_danger(defined: xml.Element, page: Page) -> str | None:
    name = (defined.get("name") or "").lower()
    if _AUTO.match(name) or any(defined.get(mark) in ("1", "true") for mark in _MACRO_MARKS):
        return "ooxml.macro_name"
    if name.startswith("_xlnm.") and name not in _BUILT_IN:
        return "ooxml.macro_name"
    found = _danger(defined.text, page)
    return found[0] if found else None


def _danger(formula: str | None, page: Page) -> tuple[str, str] | None:
    if not formula:
        return None
    return formulas.danger(formula, page.context.treatment.link_schemes, page.rebuild.workbook.gone)


def formulas_stay(texts: list[str], page: Page) -> bool:
    """No formula of some rows goes, and none of the sheet went whose copies could stand there."""
    judged = page.formulas.judged
    plain = _PLACE.sub(_FIRST_ROW, _NONE.join(text for text in texts if '"' not in text)).split(_NONE)
    for text in {*plain, *(text for text in texts if '"' in text)}:
        if text not in judged:
            judged[text] = _danger(text, page)
        if judged[text] is not None:
            return False
    return not page.formulas.lost


def _settle_formulas(page: Page) -> None:
    """A formula that may not stay leaves the value it last had. The copies of a shared formula go with it."""
    judged, lost = page.formulas.judged, page.formulas.lost
    followers: list[xml.Element] = []
    for element in page.elements(_CELL_FORMULA):
        text = element.text or ""
        shared = element.get("si") if element.get("t") == "shared" else None
        if not text and shared is not None:
            followers.append(element)
            continue
        alike = text if '"' in text else _PLACE.sub(_FIRST_ROW, text)
        if alike not in judged:
            judged[alike] = _danger(text, page)
        if (why := judged[alike]) is not None:
            _drop_formula(element, (why[0], text), page)
            if shared is not None:
                lost.add(shared)
    for element in followers:
        if element.get("si") in lost:
            tree.remove(element)


def _drop_formula(element: xml.Element, why: tuple[str, str], page: Page) -> None:
    cell = element.getparent()
    place = cell.get("r") or "" if cell is not None else ""
    tree.remove(element)
    page.found(why[0], place, detail=why[1])


def _formula_element(element: xml.Element, page: Page) -> None:
    """Any other formula: of a condition, a validation, a table column. What it belongs to goes with it if it may not stay."""
    why = _danger(element.text, page)
    if why is None:
        return
    page.found(why[0], element.tag.rpartition("}")[2], detail=why[1])
    owner = tree.enclosing(element, _OWNERS)
    parent = owner.getparent() if owner is not None else None
    if parent is None:
        tree.remove(element)
        return
    tree.remove(owner)
    if parent.tag in _COUNTED:
        parent.set("count", str(len(parent)))
    if not len(parent) and parent.getparent() is not None:
        tree.remove(parent)


def _chart_formula(element: xml.Element, page: Page) -> None:
    """A series of another workbook: its cached values stay, its place becomes a broken reference as Excel writes it."""
    if why := _danger(element.text, page):
        page.found(why[0], "f", Action.REWRITTEN, detail=why[1])
        element.text = "#REF!"


def _formula_attributes(element: xml.Element, page: Page) -> None:
    for name in _FORMULA_ATTRIBUTES:
        if why := _danger(element.get(name), page):
            page.found(why[0], name, detail=why[1])
            del element.attrib[name]


def _hyperlink(element: xml.Element, page: Page) -> None:
    location = element.get("location")
    if location is not None and not links.is_place(location):
        del element.attrib["location"]
        page.found("ooxml.hyperlink", element.get("ref") or "", detail=location)
        if page.relation(element) is None:
            parent = element.getparent()
            tree.remove(element)
            prune(parent)


def _table(element: xml.Element, _page: Page) -> None:
    """A table filled by a query becomes a table of its last values: the query does not come along."""
    if element.get("tableType", "worksheet") != "worksheet":
        del element.attrib["tableType"]


def _table_parts(element: xml.Element, page: Page) -> None:
    """Its count is read by Excel, so it is counted."""
    for part in list(element):
        if not page.keeps(page.relation(part)):
            tree.remove(part)
    element.set("count", str(len(element)))
    prune(element)


_FORMULA_ATTRIBUTES: Final = (
    "textlink", "fmlaLink", "fmlaRange", "fmlaGroup", "fmlaTxbx", "fmlaPict", "linkedCell", "listFillRange", "formula", "macro"
)  # fmt: skip
_OWNERS: Final = clark("x:cfRule x14:cfRule x:dataValidation x14:dataValidation x14:sparkline x:calculatedColumnFormula x:totalsRowFormula")
_COUNTED: Final = clark("x:dataValidations x14:dataValidations")

HANDLERS: Final[dict[str, Handler]] = {
    **dict.fromkeys(
        clark("x:formula x:formula1 x:formula2 x:calculatedColumnFormula x:totalsRowFormula x16:f vx:FmlaLink vx:FmlaRange vx:FmlaPict "
              "vx:FmlaGroup vx:FmlaTxbx"),
        _formula_element,
    ),
    **dict.fromkeys(clark("c:f cx:f"), _chart_formula),
    **dict.fromkeys(clark("x14:formControlPr x:calculatedItem x:cacheField x:control"), _formula_attributes),
    **dict.fromkeys(clark("x:hyperlink"), _hyperlink),
    **dict.fromkeys(clark("x:tableParts"), _table_parts),
    **dict.fromkeys(clark("x:table"), _table),
}  # fmt: skip
