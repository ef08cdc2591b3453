"""Attached files and document scripts: left behind, counted and named (ISO 32000-2 §7.11.4, §12.6.4.17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import leftovers, trees
from sanitizers.formats.pdf.values import Dictionary, Value

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_MOST: Final = 1000


def report_scripts(copier: Copier, value: Value) -> None:
    """The document-level scripts; their text goes to the scanner."""
    where = "catalog/Names/JavaScript"
    copier.drop("pdf.javascript", where)
    for count, (_, action) in enumerate(trees.walk(copier.reader, value, "Names")):
        if count >= _MOST:
            break
        leftovers.actions(copier, action, where)


def report_attachments(copier: Copier, value: Value) -> None:
    """One finding for each attached file, with its name."""
    for count, (key, specification) in enumerate(trees.walk(copier.reader, value, "Names")):
        if count >= _MOST:
            break
        fields = copier.reader.dictionary(specification)
        copier.drop("pdf.embedded_file", f"catalog/Names/EmbeddedFiles/{count + 1}", file_name(copier, fields) or text(key))


def file_name(copier: Copier, specification: Dictionary) -> str:
    """The name that a file specification gives, the Unicode one first."""
    for key in ("UF", "F"):
        found = copier.resolve(specification.get(key))
        if isinstance(found, bytes):
            return text(found)
    return ""


def text(value: Value) -> str:
    """A text string (§7.9.2.2) for people."""
    if not isinstance(value, bytes):
        return ""
    if value[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return value.decode("utf-16", "replace")
    return value.removeprefix(b"\xef\xbb\xbf").decode("utf-8" if value[:3] == b"\xef\xbb\xbf" else "latin-1", "replace")
