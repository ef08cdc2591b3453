"""Attributes whose value can reach out of the document: formulas, cell addresses, links that are no `xlink:href`, names of programs."""

from __future__ import annotations

import re
from typing import Final

from sanitizers.formats.odf import formulas
from sanitizers.formats.odf.vocabulary import clark, clarks
from sanitizers.formats.office import links

_FORMULAS: Final = frozenset(clarks(
    "table:formula text:formula table:expression table:condition calcext:value text:condition style:condition"
))  # fmt: skip
_ADDRESSES: Final = frozenset(clarks(
    "table:cell-address table:base-cell-address table:cell-range-address table:target-range-address table:source-cell-range-addresses "
    "table:cell-range table:condition-source-range-address table:data-cell-range-address table:label-cell-range-address table:print-ranges "
    "table:scenario-ranges table:target-cell-address table:end-cell-address form:linked-cell form:source-cell-range form:list-source "
    "chart:values-cell-range-address chart:label-cell-address chart:error-lower-range chart:error-upper-range"
))  # fmt: skip
_URL: Final = clark("text:url")
_IMAGE: Final = clark("form:image-data")
_IMPLEMENTATION: Final = clark("form:control-implementation")
_FIELD: Final = clark("field:type")
_SERVICE: Final = "ooo:com.sun.star.form.component."
_FORM_FIELDS: Final = tuple(f"vnd.oasis.opendocument.field.{name}" for name in ("FORM", "DATE", "TOC", "PAGEREF", "HYPERLINK", "UNHANDLED"))

WATCHED: Final = _FORMULAS | _ADDRESSES | {_URL, _IMAGE, _IMPLEMENTATION, _FIELD}

_ELSEWHERE: Final = re.compile(r"'#|://|file:|\\\\", re.IGNORECASE)
_LEADS_OUT: Final = re.compile(r"://|\\\\|^\s*(?:file|macro|vnd\.[\w.-]+|javascript|data|private|slot|ms-[\w-]+|search-ms):", re.IGNORECASE)


SIGNS: Final = ":\\"      # one of them stands in all that leads out


def danger(name: str, value: str, schemes: tuple[str, ...], forbidden: frozenset[str] = frozenset()) -> str | None:
    """Finding code of the reason why the attribute may not stay; None for one that may."""
    if name in _FORMULAS:
        found = formulas.danger(value, schemes, forbidden)
        return found[0] if found else None
    if name in _ADDRESSES:
        return "odf.external_reference" if _ELSEWHERE.search(value) else None
    if name == _URL:
        return None if not value or links.allowed(value, schemes) else "odf.hyperlink"
    if name == _IMAGE:
        return "odf.external_image" if value else None
    if name == _IMPLEMENTATION:
        return None if value.startswith(_SERVICE) else "odf.macro"
    return None if value.startswith(_FORM_FIELDS) else "odf.external_reference"


def leads_out(value: str) -> bool:
    """Looks like a URL, a path of the network or a command of the office program."""
    return bool(_LEADS_OUT.search(value))
