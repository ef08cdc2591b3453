"""Pieces of WordprocessingML as text: what may stand in XML, and elements with one value."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")


def content(text: str) -> str:
    return escape(_CONTROLS.sub("", text))


def attribute(text: str) -> str:
    """With its quotes."""
    return quoteattr(_CONTROLS.sub("", text))


def value(name: str, val: object) -> str:
    """`<w:name w:val="val"/>`; the value is one of ours, never the document's."""
    return f'<w:{name} w:val="{val}"/>'


def switch(name: str, *, on: bool) -> str:
    return f"<w:{name}/>" if on else f'<w:{name} w:val="0"/>'


def text(tag: str, said: str) -> str:
    """Blanks stay."""
    return f'<w:{tag} xml:space="preserve">{content(said)}</w:{tag}>' if said else ""
