"""Instructions of Word's fields, the same in doc, docx and rtf: which mean something inside the document alone, and what others reach for.

Spec: ECMA-376 part 1 §17.16; [MS-DOC] 2.9.90 for the older names.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

from sanitizers.formats.office import links

# What shows the document's own text, numbers, facts and form fields. The second opinions keep lists of their own.
LOCAL: Final = frozenset(
    """
    = ADVANCE AUTHOR AUTONUM AUTONUMLGL AUTONUMOUT BARCODE BIBLIOGRAPHY BIDIOUTLINE CITATION COMMENTS COMPARE CREATEDATE DATE DISPLAYBARCODE
    DOCPROPERTY EDITTIME EQ FILENAME FILESIZE FORMCHECKBOX FORMDROPDOWN FORMTEXT GOTOBUTTON HYPERLINK IF INDEX INFO KEYWORDS LASTSAVEDBY
    LISTNUM MERGEFIELD NOTEREF NUMCHARS NUMPAGES NUMWORDS PAGE PAGEREF PRINTDATE REF REVNUM SAVEDATE SECTION SECTIONPAGES SEQ SHAPE
    STYLEREF SUBJECT SYMBOL TA TC TEMPLATE TIME TITLE TOA TOC XE
    """.split()
)
# A name ends where Word ends it; one that runs on into something else is no name.
_NAME: Final = re.compile(r"\s*(=|[A-Za-z]+(?=[\s\\\"]|$))")


class Reach(Enum):
    """What a field that goes reaches for."""

    DDE = auto()
    EXTERNAL = auto()
    OBJECT = auto()
    CONTROL = auto()
    MACRO = auto()
    MERGE = auto()
    LINK = auto()
    UNKNOWN = auto()


_REACHES: Final = {
    Reach.DDE: "DDE DDEAUTO",
    Reach.EXTERNAL: "INCLUDE INCLUDEPICTURE INCLUDETEXT LINK IMPORT DATABASE RD",
    Reach.OBJECT: "EMBED",
    Reach.CONTROL: "CONTROL HTMLCONTROL OCX",
    Reach.MACRO: "MACROBUTTON MACRO",
    Reach.MERGE: "NEXT NEXTIF SKIPIF MERGEREC MERGESEQ ADDRESSBLOCK GREETINGLINE",
    Reach.LINK: "HYPERLINK",
}
_REACH_OF: Final = {name: reach for reach, names in _REACHES.items() for name in names.split()}


def name_of(instruction: str) -> str:
    """In capitals; empty where it begins with no name."""
    found = _NAME.match(instruction)
    return found[1].upper() if found else ""


def is_local(instruction: str, schemes: tuple[str, ...], *, nested: bool) -> bool:
    """Whether a field may stay. `schemes`: of links; `nested`: another field takes part in the instruction."""
    name = name_of(instruction)
    if name != "HYPERLINK":
        return name in LOCAL
    return not nested and links.field_allowed(instruction, schemes)


def reach(instruction: str) -> Reach:
    """Of a field that may not stay."""
    return _REACH_OF.get(name_of(instruction), Reach.UNKNOWN)
