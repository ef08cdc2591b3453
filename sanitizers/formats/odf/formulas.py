"""OpenFormula: which formulas only calculate from the document they stand in. ODF 1.3 part 4."""

from __future__ import annotations

import re
from typing import Final

from sanitizers.formats.office import formulas as excel
from sanitizers.formats.office import links
from sanitizers.formats.office.functions import FUNCTIONS

_EXTRA: Final = frozenset(
    """
    B CHISQDIST CHISQINV COLOR CURRENT DAYSINMONTH DAYSINYEAR EASTERSUNDAY ERRORTYPE FDIST FINV FOURIER GCD_ADD ISLEAPYEAR JIS ASC LCM_ADD
    MODE MONTHS MULTIPLE.OPERATIONS NEGATION OPT_BARRIER OPT_PROB_HIT OPT_PROB_INMONEY OPT_TOUCH RAWSUBTRACT ROT13 STYLE WEEKS WEEKSINYEAR
    YEARS ZGZ STDEVP VARP FORMULA DATEDIF SHEET SHEETS ISFORMULA NUMBERVALUE REGEX UNICODE UNICHAR FORECAST.EXP.ADD
    """.split()
)
_VENDOR: Final = re.compile(
    r"(?:ORG\.OPENOFFICE\.|ORG\.LIBREOFFICE\.|COM\.MICROSOFT\.|LEGACY\.|_XLFN\.|COM\.SUN\.STAR\.SHEET\.ADDIN\."
    r"(?:ANALYSIS|DATEFUNCTIONS|PRICINGFUNCTIONS)\.GET)(.+)"
)
_TOKEN: Final = re.compile(
    r"""
      "(?:[^"]|"")*"
    | '(?:[^']|'')*'(?P<outside>\#)?
    | (?P<call>[^\W\d][\w.\-]*)\s*\(
    | (?P<name>[^\W\d][\w.]*)
    | \[(?P<place>(?:[^\]']|'(?:[^']|'')*')*)\]
    """,
    re.VERBOSE,
)
_ELSEWHERE: Final = re.compile(r"'#|://|file:|\\\\", re.IGNORECASE)
_HYPERLINK: Final = re.compile(r'\s*"((?:[^"]|"")*)"\s*[;,)]')
_LONGEST: Final = 65_536


def danger(formula: str, schemes: tuple[str, ...], forbidden: frozenset[str] = frozenset()) -> tuple[str, str] | None:
    """Finding code and detail of the first reason why a formula or condition may not stay; None for one that may.

    `forbidden`: names, in lower case, that are no longer defined.
    """
    if len(formula) > _LONGEST:
        return "odf.formula", "too long"
    prefix, _, rest = formula.partition(":=")
    if prefix == "msoxl" and rest:
        found = excel.danger(rest, schemes, forbidden)
        return ("odf.formula", formula) if found else None
    for token in _TOKEN.finditer(formula):
        if token["outside"] or (token["place"] and _ELSEWHERE.search(token["place"])):
            return "odf.external_reference", formula
        if token["name"] and token["name"].lower() in forbidden:
            return "odf.external_reference", formula
        if token["call"] and (code := _call(token["call"], formula, token.end(), schemes)):
            return code, formula
    return None


def names(formula: str) -> set[str]:
    """The names that a formula uses, in lower case."""
    return {token["name"].lower() for token in _TOKEN.finditer(formula[:_LONGEST]) if token["name"]}


def _call(name: str, formula: str, at: int, schemes: tuple[str, ...]) -> str | None:
    if name.startswith(("cell-content", "is-true-formula", "value", "formula-is")) and name.islower():
        return None   # the words of conditions, ODF 1.3 part 3 §19.603
    plain = name.upper()
    vendor = _VENDOR.fullmatch(plain)
    plain = vendor[1] if vendor else plain
    if plain == "DDE":
        return "odf.dde"
    if plain == "HYPERLINK":
        literal = _HYPERLINK.match(formula, at)
        return None if literal and links.allowed(literal[1].replace('""', '"'), schemes) else "odf.hyperlink"
    known = plain in FUNCTIONS or plain in _EXTRA or (vendor is not None and ".ADDIN." in name.upper())
    return None if known else "odf.formula"
