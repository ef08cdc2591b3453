"""Paths of MAIL and RCPT (RFC 5321 4.1.2, RFC 6531 3.3), read so that no spelling of a recipient can mean two destinations.

What other servers have taken as a wish to relay (`user%other@ours`, `other!user@ours`, `@ours:user@other`, `"user@other"@ours`) is
refused here by form, before any domain is looked at. A sender only has to be a place that a notice can go to: there the forms are
wider, because real ones are (`foo..bar.@docomo.ne.jp`, `bounce-a%b@list`, quoted local parts, underscores in host names).

Case: domains are lower-cased, local parts are kept as written (RFC 5321 2.4).
"""

from __future__ import annotations

import re
from typing import Final

_ATOM: Final = r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+"
_WIDE: Final = r"[^\x00-\x20\x7f-\xa0\xad\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\"(),.:;<>@\[\\\]!%]+"
_LABEL: Final = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LOCAL_UTF8: Final = re.compile(rf"{_WIDE}(?:\.{_WIDE})*")
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")

_SENDER_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+|\"(?:[ !#-\[\]-~]|\\[ -~])*\"")
_SENDER_LOCAL_UTF8: Final = re.compile(rf"(?:{_WIDE}|[.!%])+")
_LITERAL: Final = r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|[Ii][Pp][Vv]6:[0-9A-Fa-f:.]{2,45})\]"
_SENDER_DOMAIN: Final = re.compile(rf"[A-Za-z0-9_-]{{1,63}}(?:\.[A-Za-z0-9_-]{{1,63}})*|{_LITERAL}")
_SENDER_DOMAIN_UTF8: Final = re.compile(rf"{_WIDE}(?:\.{_WIDE})*")
_LONGEST: Final = 254
_LONGEST_LOCAL: Final = 64


def recipient(path: str, *, smtputf8: bool = False) -> str | None:
    """`local@domain` of a path without brackets, the domain in lower case; None for any other form.

    Domains are ASCII here even under SMTPUTF8: a letter that only becomes ours by case folding (U+212A) is not ours.
    """
    return _read(path, _LOCAL_UTF8 if smtputf8 else _LOCAL, _DOMAIN)


def sender(path: str, *, smtputf8: bool = False) -> str | None:
    """The same for a reverse-path; the empty one is the null sender."""
    if not path:
        return ""
    plain = _read(path, _SENDER_LOCAL, _SENDER_DOMAIN)
    if plain is None and smtputf8:
        return _read(path, _SENDER_LOCAL_UTF8, _SENDER_DOMAIN_UTF8)
    return plain


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


def _read(path: str, local_form: re.Pattern[str], domain_form: re.Pattern[str]) -> str | None:
    if len(path) > _LONGEST:  # characters first: what is far too long is not even encoded
        return None
    local, at, domain = path.rpartition("@")
    if not at or not local_form.fullmatch(local) or not domain_form.fullmatch(domain):
        return None
    if len(path.encode()) > _LONGEST or len(local.encode()) > _LONGEST_LOCAL:
        return None
    return f"{local}@{domain.lower()}"
