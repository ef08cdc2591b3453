"""The second opinion on what the words in Office packages do: fields, formulas and actions that reach out of the document.

Works on bytes that expat has proved to be plain XML, without any tree.
"""

from __future__ import annotations

import re
from typing import Final

from sanitizers.model import VerificationFailed
from sanitizers.verify import spelled

_FIELDS: Final = frozenset(
    b"""
    = ADVANCE AUTHOR AUTONUM AUTONUMLGL AUTONUMOUT BARCODE BIBLIOGRAPHY BIDIOUTLINE CITATION COMMENTS COMPARE CREATEDATE DATE DISPLAYBARCODE
    DOCPROPERTY EDITTIME EQ FILENAME FILESIZE FORMCHECKBOX FORMDROPDOWN FORMTEXT GOTOBUTTON HYPERLINK IF INDEX INFO KEYWORDS LASTSAVEDBY
    LISTNUM MERGEFIELD NOTEREF NUMCHARS NUMPAGES NUMWORDS PAGE PAGEREF PRINTDATE REF REVNUM SAVEDATE SECTION SECTIONPAGES SEQ SHAPE
    STYLEREF SUBJECT SYMBOL TA TC TEMPLATE TIME TITLE TOA TOC XE
    """.split()
)
_FIELD_NAME: Final = re.compile(rb"=|[A-Za-z]+")
_FORBIDDEN_FIELD: Final = re.compile(
    rb"(?:DDE|DDEAUTO|INCLUDE\w*|LINK|IMPORT|EMBED|DATABASE|MACROBUTTON|AUTOTEXT\w*|QUOTE|HTMLCONTROL|CONTROL)(?=[\x00-\x20\\\"]|$)",
    re.IGNORECASE,
)
# A place inside, a tip, the name of a window, a format.
_NO_TARGET: Final = re.compile(rb'\\(?:[lot]\s*(?:"(?:[^"\\]|\\.)*"|\S+)|\*\s*(?:MERGEFORMAT|CHARFORMAT))', re.IGNORECASE)
_ARGUMENT: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\S+)')
_FIELD: Final = re.compile(rb"<(?:\w+:)?(fldChar|instrText|delInstrText|fldSimple)(\s[^>]*)?>([^<]*)")
FIELDS: Final = (b"instrText", b"delInstrText", b"fldSimple")
_FIELD_CHARACTER: Final = re.compile(rb'fldCharType="(\w+)"')
_INSTRUCTION: Final = re.compile(rb'\s(?:\w+:)?instr="([^"]*)"')

_FORMULAS: Final = frozenset(b"f definedName formula formula1 formula2 calculatedColumnFormula totalsRowFormula".split())
FORMULA_ATTRIBUTES: Final = tuple(b"formula textlink linkedCell listFillRange fmlaLink fmlaRange fmlaGroup fmlaTxbx fmlaPict".split())
_FORMULA_ATTRIBUTE: Final = re.compile(rb'\s(?:%b)="([^"]+)"' % b"|".join(FORMULA_ATTRIBUTES))
_SUSPECT: Final = re.compile(     # in each formula that is forbidden, and in few others
    rb"CALL|REGISTER|EXEC|RTD|WEBSERVICE|FILTERXML|IMAGE|SQL|HYPERLINK|_XLL|_XLUDF|![\w.]+\s*\(|[|\\\[]", re.IGNORECASE
)
_FORBIDDEN_FORMULA: Final = re.compile(
    rb"(?<![\w.])(?:_xl\w+\.)*(?:CALL|REGISTER(?:\.ID)?|EXEC|RTD|WEBSERVICE|FILTERXML|IMAGE|SQL\.REQUEST)\s*\(|\|.{0,200}!"
    rb"|(?:^|[^\w\])'])\[\d+\]|'[^']*[\[\]\\/|][^']*'!|_xll\.|_xludf\.|![\w.]+\s*\(",
    re.IGNORECASE,
)
_HYPERLINK: Final = re.compile(rb'(?<![\w.])HYPERLINK\s*\(\s*(?:"([^"]*)")?', re.IGNORECASE)
_SCHEME: Final = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*):")
_CLICK: Final = re.compile(rb'hlink(?:Click|Hover|MouseOver)(?=\s)[^<>]*?\saction="([^"]*)"')
_JUMP: Final = re.compile(
    rb"(?:ppaction://(?:noaction|hlinksldjump|hlinkshowjump\?jump=[a-z]+|customshow\?id=\d+(?:&amp;return=true)?)?)?", re.IGNORECASE
)
_CLICK_MACRO: Final = re.compile(rb'\smacro="[^"][^<>]*>')
_LOADED: Final = re.compile(
    rb'\s(?:\w+:)?(?:(?:href|althref|src)="[^"]|style="[^"]*(?:url\s*\(|expression|behaviou?r|@import|\\))', re.IGNORECASE
)
_DEFINED_NAME: Final = re.compile(rb"<(?:\w+:)?definedName(?=\s)([^>]*)>")
_NAME_THAT_STARTS: Final = re.compile(
    rb'\sname="(?:(?:_xlnm\.)?auto_?(?:open|close|activate|deactivate)|_xlnm\.(?!(?:print_area|print_titles|_filterdatabase|criteria|extract'
    rb'|database|sheet_title|consolidate_area)"))|\s(?:function|vbProcedure|xlm|macro)="(?:1|true)"',
    re.IGNORECASE,
)


def check_actions(name: str, content: bytes) -> None:
    """Clicks only jump inside a show, and start no macro. Raises VerificationFailed."""
    if not all(_JUMP.fullmatch(action) for action in _CLICK.findall(content)):
        raise VerificationFailed(f"action in {name}")
    if any(spelled.in_tags(content, _CLICK_MACRO.finditer(content))):
        raise VerificationFailed(f"macro of a shape in {name}")


def check_loading(name: str, content: bytes) -> None:
    """No address that VML would load: the pictures of all readers lie inside, behind a relationship. Raises VerificationFailed."""
    if any(spelled.in_tags(content, _LOADED.finditer(content))):
        raise VerificationFailed(f"address that is loaded in {name}")


def check_names(name: str, content: bytes) -> None:
    """No name of a workbook that is a macro or starts one. Raises VerificationFailed."""
    if any(_NAME_THAT_STARTS.search(attributes) for attributes in _DEFINED_NAME.findall(content)):
        raise VerificationFailed(f"name that starts a macro in {name}")


def check_fields(name: str, content: bytes, schemes: tuple[str, ...]) -> None:
    """The instruction of every field, put together from its pieces, however far they stand apart; and of each piece alone.

    Raises VerificationFailed.
    """
    told: list[bytes] = []
    open_fields: list[list[bytes]] = []
    for kind, attributes, text in _FIELD.findall(content):
        if kind == b"fldSimple":
            told.append(b"".join(_INSTRUCTION.findall(attributes)))
        elif kind != b"fldChar":
            if _FORBIDDEN_FIELD.match(text.lstrip()):
                raise VerificationFailed(f"field in {name}")
            if open_fields:
                open_fields[-1].append(text)
        elif _FIELD_CHARACTER.findall(attributes) == [b"begin"]:
            open_fields.append([])
        elif open_fields and _FIELD_CHARACTER.findall(attributes) == [b"end"]:
            told.append(b"".join(open_fields.pop()))
    for instruction in (*told, *map(b"".join, open_fields)):
        check_instruction(name, instruction.replace(b"&quot;", b'"').replace(b"&amp;", b"&"), schemes)


def check_instruction(name: str, instruction: bytes, schemes: tuple[str, ...]) -> None:
    """What one field of Word is told, in plain words. Raises VerificationFailed."""
    instruction = instruction.strip()
    word = _FIELD_NAME.match(instruction)
    if instruction and (word is None or word[0].upper() not in _FIELDS):
        raise VerificationFailed(f"field in {name}: {instruction[:80]!r}")
    if word is None or word[0].upper() != b"HYPERLINK":
        return
    arguments = _ARGUMENT.findall(_NO_TARGET.sub(b"", instruction[word.end() :]))
    targets = [quoted or bare for quoted, bare in arguments if not bare.startswith(b"\\") or bare.startswith(b"\\\\")]
    if not all(leads_nowhere_else(target.strip(b" "), schemes) for target in targets if target):
        raise VerificationFailed(f"link of a field in {name}: {instruction[:80]!r}")


def check_formulas(name: str, content: bytes, tags: frozenset[bytes], schemes: tuple[str, ...]) -> None:
    """No formula calls what is outside of the workbook. `tags`: the names of the elements, as they are spelled."""
    for tag in tags:
        if tag.rpartition(b":")[2] not in _FORMULAS:
            continue
        found = set(re.findall(rb"<%b(?:\s[^>]*)?>([^<]+)<" % re.escape(tag), content))
        if _SUSPECT.search(b"\n".join(found)):
            for formula in found:
                _check_formula(name, formula, schemes)


def check_formula_attributes(name: str, content: bytes, schemes: tuple[str, ...]) -> None:
    """The same for the formulas of controls, shapes and calculated fields of pivot tables. Raises VerificationFailed."""
    for formula in {found[1] for found in spelled.in_tags(content, _FORMULA_ATTRIBUTE.finditer(content))}:
        _check_formula(name, formula, schemes)


def _check_formula(name: str, formula: bytes, schemes: tuple[str, ...]) -> None:
    plain = formula.replace(b"&quot;", b'"').replace(b"&amp;", b"&")
    leading = all(leads_nowhere_else(target, schemes) for target in _HYPERLINK.findall(plain))
    if _FORBIDDEN_FORMULA.search(re.sub(rb'"[^"]*"', b'""', plain)) or not leading:
        raise VerificationFailed(f"formula in {name}: {formula[:80]!r}")


def leads_nowhere_else(target: bytes, schemes: tuple[str, ...]) -> bool:
    """A place in the same document, or an address of an allowed scheme; web addresses with their two slashes, none with a backslash."""
    if target.startswith(b"#"):
        return True
    scheme = _SCHEME.match(target)
    if scheme is None or scheme[1].decode().lower() not in schemes or b"\\" in target:
        return False
    return scheme[1].lower() not in (b"http", b"https", b"ftp") or target[scheme.end() :].startswith(b"//")
