"""Pieces of WordprocessingML as text: what may stand in XML, and elements with one value."""

from __future__ import annotations

from sanitizers.formats.office.markup import attribute, content

__all__ = ["attribute", "content", "switch", "text", "value"]


def value(name: str, val: object) -> str:
    """`<w:name w:val="val"/>`; the value is one of ours, never the document's."""
    return f'<w:{name} w:val="{val}"/>'


def switch(name: str, *, on: bool) -> str:
    return f"<w:{name}/>" if on else f'<w:{name} w:val="0"/>'


def text(tag: str, said: str) -> str:
    """Blanks stay."""
    return f'<w:{tag} xml:space="preserve">{content(said)}</w:{tag}>' if said else ""
