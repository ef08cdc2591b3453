"""Fields: those with a meaning inside the document stay, of any other only what it last showed (RTF 1.9.1, "Fields"; ECMA-376-1 §17.16)."""

from __future__ import annotations

import re
from typing import Final

from sanitizers.formats.office import links

_ALLOWED: Final = frozenset(
    """
    = ADVANCE AUTONUM AUTONUMLGL AUTONUMOUT BIDIOUTLINE COMPARE CREATEDATE DATE EDITTIME EQ FILESIZE FORMCHECKBOX FORMDROPDOWN FORMTEXT
    GOTOBUTTON HYPERLINK IF INDEX KEYWORDS LISTNUM MERGEFIELD NOTEREF NUMCHARS NUMPAGES NUMWORDS PAGE PAGEREF PRINTDATE REF REVNUM SAVEDATE
    SECTION SECTIONPAGES SEQ SHAPE STYLEREF SUBJECT SYMBOL TA TC TIME TITLE TOA TOC XE
    """.split()
)
_DDE: Final = frozenset({"DDE", "DDEAUTO"})
_OUTSIDE: Final = frozenset("INCLUDE INCLUDEPICTURE INCLUDETEXT LINK IMPORT EMBED DATABASE RD HTMLCONTROL CONTROL".split())
_MACRO: Final = frozenset({"MACROBUTTON", "MACRO"})
_NAME: Final = re.compile(r"\s*(=|[A-Za-z]+)(?=[\s\\\"]|$)|\s*(=)")


def is_local(instruction: str, schemes: tuple[str, ...], *, nested: bool) -> bool:
    """Whether a field may stay. `nested`: another field takes part in the instruction."""
    name = _name(instruction)
    if name not in _ALLOWED:
        return False
    return name != "HYPERLINK" or (not nested and links.field_allowed(instruction, schemes))


def code(instruction: str) -> str:
    """The finding code of a field that goes."""
    name = _name(instruction)
    if name in _DDE:
        return "rtf.dde"
    if name in _MACRO:
        return "rtf.macro"
    if name == "HYPERLINK":
        return "rtf.link"
    return "rtf.external_field" if name in _OUTSIDE else "rtf.field"


def _name(instruction: str) -> str:
    found = _NAME.match(instruction)
    return (found[1] or found[2]).upper() if found else ""
