"""Where a link may lead: a scheme from the policy, or a place inside the same document."""

from __future__ import annotations

import re
from typing import Final

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# Nothing that a reader may drop, and so read another scheme or host than we did.
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\\]")
_LONGEST: Final = 4096
_ARGUMENT: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|(\S+))')
_FORMATS: Final = frozenset({"MERGEFORMAT", "CHARFORMAT"})
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


def field_allowed(instruction: str, schemes: tuple[str, ...]) -> bool:
    """`HYPERLINK "target" \\l "place" \\o "tip"`: the target, if there is one, by scheme; the place inside this document.

    Fields of Word in any of its formats: ECMA-376 part 1 §17.16.5.25.
    """
    rest = instruction.strip()[len("HYPERLINK") :]
    switch = ""
    while found := _ARGUMENT.match(rest):
        rest = rest[found.end() :]
        quoted, bare = found[1], found[2]
        if bare is not None and bare.startswith("\\"):
            switch = bare[1:].lower()
            continue
        value = (quoted if quoted is not None else bare).replace("\\\\", "\\").replace('\\"', '"')
        if switch == "l":
            fits = is_place(value)
        else:   # a target, unless it is the text that a switch takes
            formats = switch == "*" and value.upper() in _FORMATS
            fits = formats or switch in ("o", "t") or not value or allowed(value, schemes)
        if not fits:
            return False
        switch = ""
    return not rest.strip()


def is_place(name: str) -> bool:
    """A bookmark, a cell or a defined name of this document: not a path and not a URL."""
    return "\\" not in name and "//" not in name and "[" not in name and len(name) <= _LONGEST
