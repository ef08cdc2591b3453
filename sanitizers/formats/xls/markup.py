"""Text as it may stand in XML: no controls, the rest escaped."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BLANKS: Final = re.compile(r"^\s|\s$|\n|\s\s")
_ESCAPED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def plain(text: str) -> str:
    return _CONTROLS.sub("", text)


def attribute(text: str) -> str:
    """With its quotes."""
    return quoteattr(plain(text))


def content(text: str) -> str:
    return escape(plain(text).replace("\r\n", "\n").replace("\r", "\n"))


def element(tag: str, text: str) -> str:
    """An element of SpreadsheetML's string type: blanks are kept, and `_x0041_` is text, no character. ECMA-376 part 1 §22.9.2.19."""
    space = ' xml:space="preserve"' if _BLANKS.search(text) else ""
    return f"<{tag}{space}>{content(_ESCAPED.sub('_x005F_', text))}</{tag}>"
