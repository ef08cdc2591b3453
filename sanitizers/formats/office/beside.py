"""What lies beside the document in its compound file: it stays behind, and the rules see it first."""

from __future__ import annotations

from collections.abc import Callable, Container

from sanitizers import cfb
from sanitizers.context import Context
from sanitizers.formats.office import vba
from sanitizers.model import Action
from sanitizers.source import Source


def report(source: Source, compound: cfb.Compound, quiet: Container[str], code: Callable[[str], str], context: Context) -> None:
    """`quiet`: streams below the root that are worth no word; `code`: of the finding on a name below the root. All names are in lower case.

    A storage in which nothing lies is nothing. Macros are called by the names of their modules.
    """
    found = [(path, code(path[0].lower())) for path in compound.streams if len(path) > 1 or path[0].lower() not in quiet]
    modules = vba.describe(source.bytes(), "VBA", context) if any(one.endswith(".macro") for _, one in found) else ""
    for path, one in found:
        context.scan_layer(compound.read(path), "/".join(path))
        context.found(one, path[0], Action.REMOVED, modules if one.endswith(".macro") else "")
