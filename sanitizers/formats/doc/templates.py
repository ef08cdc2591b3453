"""The template that a document names: most name the ordinary one, and a path on some server is a way to bring a program in."""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context
from sanitizers.model import Action

_ORDINARY: Final = frozenset({"normal", "normal.dot", "normal.dotm", "normal.dotx", "normal.wpt", ""})


def report(name: str, where: str, context: Context) -> None:
    """The template that every document has is none worth a word; one with a path is a reference, any other a name."""
    if name.lower() in _ORDINARY:
        return
    reaches_out = any(sign in name for sign in "/\\:")
    if (reaches_out and name.replace("\\", "/").rpartition("/")[2].lower() not in _ORDINARY) or "//" in name or name.startswith("\\\\"):
        context.found("doc.template", where, Action.REMOVED, name)
    else:
        context.found("file.metadata", where, Action.REMOVED, "template")
