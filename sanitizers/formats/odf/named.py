"""Names of expressions: one that reaches out of the document goes, and with it whatever is calculated from it. ODF 1.3 part 3 §9.4.12."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from sanitizers import xml
from sanitizers.formats.odf import formulas, values
from sanitizers.formats.odf.vocabulary import clark, clarks
from sanitizers.formats.office import tree

NAMED: Final = clarks("table:named-expression table:named-range")
_EXPRESSION: Final = clark("table:expression")
_RANGE: Final = clark("table:cell-range-address")
_NAME: Final = clark("table:name")


def remove(root: xml.Element, schemes: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Cut the definitions that may not stay; the same as `bad`."""
    names = bad(root, schemes)
    for element in list(root.iter(*NAMED)) if names else ():
        if _name(element) in names:
            tree.remove(element)
    return names


def bad(root: xml.Element, schemes: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Name in lower case of each definition that may not stay → finding code and the first bad definition."""
    elements = list(root.iter(*NAMED))
    users: defaultdict[str, set[str]] = defaultdict(set)     # name → names that are defined by it
    found: dict[str, tuple[str, str]] = {}
    for element in elements:
        name, expression = _name(element), element.get(_EXPRESSION) or ""
        for used in formulas.names(expression):
            users[used].add(name)
        for attribute, value in ((_EXPRESSION, expression), (_RANGE, element.get(_RANGE) or "")):
            if why := values.danger(attribute, value, schemes):
                found.setdefault(name, (why, value))
    waiting = list(found)
    while waiting:
        name = waiting.pop()
        for user in users[name]:
            if user not in found:
                found[user] = found[name]
                waiting.append(user)
    return found


def _name(element: xml.Element) -> str:
    return (element.get(_NAME) or "").lower()
