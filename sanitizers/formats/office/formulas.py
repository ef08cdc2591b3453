"""Formulas in the words of Excel: which ones only calculate from the workbook they stand in.

Sources: ECMA-376 part 1 §18.17 and the file grammar of [MS-XLSX] §2.2.2.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Final

from sanitizers.formats.office import links
from sanitizers.formats.office.functions import FUNCTIONS

_PREFIX: Final = re.compile(r"(?:_xl(?:fn|ws|udf|pm)\.)+", re.IGNORECASE)
_LONGEST: Final = 65_536

# One token: text, a quoted sheet name, what stands in brackets, a call, a name (with the sheet it belongs to), or any other character.
_TOKEN: Final = re.compile(
    r"""
      (?P<text>"(?:[^"]|"")*")
    | (?P<quoted>'(?:[^']|'')*')
    | (?P<call>[^\W\d][\w.]*\s*\()
    | (?P<name>[\w.\\?$]+)
    | (?P<open>\[)
    | (?P<pipe>\|)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_HYPERLINK: Final = re.compile(r'\s*"((?:[^"]|"")*)"\s*[,)]')
_INSIDE: Final = re.compile(r'\s*"#[^"\\/:]*"')    # `HYPERLINK("#"&…`: whatever follows, it is a place in this workbook
_STRUCTURED: Final = re.compile(r"\[(?:[^\[\]']|'.|\[(?:[^\[\]']|'.)*\])*\]", re.DOTALL)


def danger(formula: str, schemes: tuple[str, ...], forbidden: AbstractSet[str] = frozenset()) -> tuple[str, str] | None:
    """Finding code and detail of the first reason why a formula may not stay; None for one that may.

    `forbidden`: names and sheets, in lower case, that are no longer there.
    """
    if len(formula) > _LONGEST:
        return "ooxml.formula", "too long"
    previous_is_name = False
    at = 0
    while at < len(formula):
        token = _TOKEN.match(formula, at)
        assert token is not None  # the last branch takes any character
        kind, text = token.lastgroup, token[0]
        at = token.end()
        if kind == "open":
            inside = _STRUCTURED.match(formula, token.start())
            if not previous_is_name or inside is None:
                return "ooxml.external_link", formula
            at = inside.end()   # a structured reference: Table1[[#This Row],[a column]]
            continue
        if (reason := _judge(kind, text, formula, at, schemes, forbidden)) is not None:
            return reason, formula
        previous_is_name = kind == "name"
    return None


def _judge(  # noqa: PLR0917 - one token and where it stands
    kind: str | None, text: str, formula: str, at: int, schemes: tuple[str, ...], forbidden: AbstractSet[str]
) -> str | None:
    if kind == "pipe":
        return "ooxml.dde"
    if kind == "quoted":
        plain = text[1:-1].replace("''", "'")
        if formula[at : at + 1] != "!":
            return None   # no sheet: a field of a pivot table, or a broken formula
        outside = any(sign in plain for sign in "[]\\/|")
        return "ooxml.external_link" if outside else "ooxml.macro_link" if plain.lower() in forbidden else None
    if kind == "name":
        return "ooxml.macro_link" if text.replace("$", "").lower() in forbidden else "ooxml.external_link" if "\\" in text else None
    if kind == "call":
        return _call(_PREFIX.sub("", text[:-1].strip()).upper(), formula, at, schemes)
    return None


def _call(name: str, formula: str, at: int, schemes: tuple[str, ...]) -> str | None:
    if name == "HYPERLINK":
        return _link(formula, at, schemes)
    return None if name in FUNCTIONS else "ooxml.formula"


def _link(formula: str, at: int, schemes: tuple[str, ...]) -> str | None:
    """A target that is put together while calculating cannot be judged, so it does not stay."""
    if _INSIDE.match(formula, at):
        return None
    literal = _HYPERLINK.match(formula, at)
    if literal is None:
        return "ooxml.hyperlink"
    target = literal[1].replace('""', '"')
    return None if links.allowed(target, schemes) else "ooxml.hyperlink"
