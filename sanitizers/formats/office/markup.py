"""Text as it may stand in XML: no controls, line ends as XML knows them, the rest escaped."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def plain(text: str) -> str:
    return _CONTROLS.sub("", text)


def attribute(text: str) -> str:
    """With its quotes."""
    return quoteattr(plain(text))


def content(text: str) -> str:
    return escape(plain(text).replace("\r\n", "\n").replace("\r", "\n"))
