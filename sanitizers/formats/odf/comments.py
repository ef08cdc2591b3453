"""Comments and tracked changes, where policy does not want them to cross: comments go, changes are accepted.

Sources: ODF 1.3 part 3 §5.5, §9.9, §14.1.
"""

from __future__ import annotations

from typing import Final

from sanitizers import xml
from sanitizers.formats.odf.vocabulary import clarks
from sanitizers.formats.office import tree

# Deleted text stands only in the list of changes, inserted text only in the body: without the list every change is accepted.
MARKS: Final = clarks(
    "office:annotation office:annotation-end text:tracked-changes text:change text:change-start text:change-end table:tracked-changes"
)


def drop(root: xml.Element) -> bool:
    """Whether there were any."""
    marks = list(root.iter(*MARKS))
    for element in marks:
        tree.remove(element)
    return bool(marks)
