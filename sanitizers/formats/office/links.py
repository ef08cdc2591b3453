"""Where a link may lead: a scheme from the policy, or a place inside the same document."""

from __future__ import annotations

import re
from typing import Final

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# Nothing that a reader may drop, and so read another scheme or host than we did.
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\\]")
_LONGEST: Final = 4096
_AUTHORITY: Final = frozenset({"http", "https", "ftp"})


def allowed(target: str, schemes: tuple[str, ...]) -> bool:
    """An absolute URL of an allowed scheme, or `#fragment`. No relative paths: they are files beside the document."""
    target = target.strip(" ")
    if len(target) > _LONGEST or _FORBIDDEN.search(target.replace(" ", "%20")):
        return False
    if target.startswith("#"):
        return True
    scheme = _SCHEME.match(target)
    if scheme is None or scheme[1].lower() not in schemes:
        return False
    return scheme[1].lower() not in _AUTHORITY or target[scheme.end() :].startswith("//")


def is_place(name: str) -> bool:
    """A bookmark, a cell or a defined name of this document: not a path and not a URL."""
    return "\\" not in name and "//" not in name and "[" not in name and len(name) <= _LONGEST
