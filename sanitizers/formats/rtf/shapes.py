"""Properties of shapes (`\\sp`): a number under any name, texts, points and pictures under those that hold them (MS-ODRAW §2.3)."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,10}")
_POINT: Final = r"(?:;(?:\(-?[0-9]{1,10},-?[0-9]{1,10}\)|-?[0-9]{1,10}))"
_POINTS: Final = re.compile(rf"([0-9]{{1,5}});([0-9]{{1,5}})({_POINT}*+)")     # bytes of one point, how many points, the points
_LISTS: Final = frozenset({"pVertices", "pWrapPolygonVertices", "pSegmentInfo", "pAdjustHandles", "pConnectionSites", "lineDashStyle"})
_WIDTHS: Final = frozenset({1, 2, 4, 8, 0xFFF0})      # bytes of one point: CVE-2010-3333 was in a length that did not fit
TEXTS: Final = frozenset({"wzName", "wzDescription", "gtextUNICODE", "gtextFont"})
PICTURES: Final = frozenset({"pib", "fillBlip", "lineFillBlip"})
# The same shape once more for newer programs, as a packed file.
SILENT: Final = frozenset({"metroBlob"})


def is_plain(name: str, value: str) -> bool:
    """Whether a value that is no text and no picture may stay under this name."""
    if not _NAME.fullmatch(name):
        return False
    if _NUMBER.fullmatch(value):
        return True
    found = _POINTS.fullmatch(value) if name in _LISTS else None
    return found is not None and int(found[1]) in _WIDTHS and int(found[2]) == found[3].count(";")
