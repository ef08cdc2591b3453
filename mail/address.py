"""Paths of MAIL and RCPT (RFC 5321 4.1.2), read so strictly that no spelling of an address can mean two destinations.

What other servers have taken as a wish to relay (`user%other@ours`, `other!user@ours`, `@ours:user@other`, `"user@other"@ours`) is refused
here by form, before any domain is looked at.
"""

from __future__ import annotations

import re
from typing import Final

_ATOM: Final = r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+"
_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LOCAL_UTF8: Final = re.compile(r"[^\x00-\x20\x7f\"(),.:;<>@\[\\\]!%]+(?:\.[^\x00-\x20\x7f\"(),.:;<>@\[\\\]!%]+)*")
_LABEL: Final = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST: Final = 254
_LONGEST_LOCAL: Final = 64


def split(path: str, *, smtputf8: bool = False) -> tuple[str, str] | None:
    """Local part and lower-cased domain of `local@domain` without brackets; None for any other form."""
    local, at, domain = path.rpartition("@")
    if not at or len(path.encode()) > _LONGEST or len(local.encode()) > _LONGEST_LOCAL:
        return None
    pattern = _LOCAL_UTF8 if smtputf8 else _LOCAL
    if not pattern.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        return None
    return local, domain.lower()


def argument(text: str, keyword: str) -> tuple[str, str] | None:
    """`FROM:<path> parameters` → path, parameters; None when it is not written so. One space after the colon is forgiven."""
    head = text[: len(keyword)]
    rest = text[len(keyword) :].removeprefix(" ")
    if head.upper() != keyword or not rest.startswith("<"):
        return None
    path, closed, parameters = rest[1:].partition(">")
    if not closed or (parameters and not parameters.startswith(" ")):
        return None
    return path, parameters.strip(" ")
