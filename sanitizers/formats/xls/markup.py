"""Text as SpreadsheetML has it."""

from __future__ import annotations

import re
from typing import Final

from sanitizers.formats.office.markup import attribute, content, plain

__all__ = ["attribute", "content", "element", "plain"]

_BLANKS: Final = re.compile(r"^\s|\s$|\n|\s\s")
_ESCAPED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def element(tag: str, text: str) -> str:
    """An element of SpreadsheetML's string type: blanks are kept, and `_x0041_` is text, no character. ECMA-376 part 1 §22.9.2.19."""
    space = ' xml:space="preserve"' if _BLANKS.search(text) else ""
    return f"<{tag}{space}>{content(_ESCAPED.sub('_x005F_', text))}</{tag}>"
