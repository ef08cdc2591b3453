"""The ESMTP parameters of MAIL and RCPT (RFC 1870, 6152, 6531, 3461) and the attributes of XFORWARD (Postfix), read strictly."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from mail.envelope import Notify
from mail.replies import Trouble

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_XTEXT: Final = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_HEX: Final = re.compile(r"\+([0-9A-F]{2})")
_NOTIFY: Final = frozenset({"SUCCESS", "FAILURE", "DELAY"})
_UNKNOWN: Final = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})

XFORWARD_NAMES: Final = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")


@dataclass(frozen=True, slots=True)
class Mail:
    """The parameters of MAIL. `size` in octets, 0 if not declared."""

    size: int = 0
    eight_bit: bool = False
    smtputf8: bool = False
    ret: str = ""
    envelope_id: str = ""


def of_mail(words: str, *, dsn: bool) -> Mail | Trouble:
    """`dsn`: whether RET and ENVID are offered."""
    if not words:
        return Mail()
    found = _pairs(words)
    if found is None or not found.keys() <= {"SIZE", "BODY", "SMTPUTF8"} | ({"RET", "ENVID"} if dsn else set()):
        return Trouble.UNKNOWN_PARAMETER
    size, body = found.get("SIZE", "0"), found.get("BODY", "7BIT").upper()
    if body not in ("7BIT", "8BITMIME"):
        return Trouble.UNKNOWN_PARAMETER
    ret, envelope_id = found.get("RET", ""), unquoted(found.get("ENVID", ""))
    written = size.isascii() and size.isdigit() and len(size) <= 20 and not found.get("SMTPUTF8")
    if not written or ret.upper() not in ("", "FULL", "HDRS") or envelope_id is None or len(envelope_id) > 100:
        return Trouble.SYNTAX
    return Mail(int(size), body == "8BITMIME", "SMTPUTF8" in found, ret.upper(), envelope_id)


def of_recipient(words: str, *, dsn: bool) -> Notify | Trouble:
    """`dsn`: whether NOTIFY and ORCPT are offered."""
    if not words:
        return Notify()
    found = _pairs(words)
    if found is None or not found.keys() <= ({"NOTIFY", "ORCPT"} if dsn else set()):
        return Trouble.UNKNOWN_PARAMETER
    on = tuple(dict.fromkeys(found["NOTIFY"].upper().split(","))) if "NOTIFY" in found else ()
    original = found.get("ORCPT", "")
    kind, separated, value = original.partition(";")
    if (on and on != ("NEVER",) and not set(on) <= _NOTIFY) or (original and (not separated or not _KEY.fullmatch(kind))):
        return Trouble.SYNTAX
    if len(original) > 500 or unquoted(value) is None:
        return Trouble.SYNTAX
    return Notify(on, original)


def of_xforward(words: str) -> dict[str, str] | None:
    """Attributes by upper-cased name, values decoded, unknown ones empty; None for a form or a name that is not offered."""
    found = _pairs(words)
    if not found or not found.keys() <= set(XFORWARD_NAMES):
        return None
    values = {key: "" if value.upper() in _UNKNOWN else unquoted(value) for key, value in found.items()}
    address = values.get("ADDR")
    if address:
        values["ADDR"] = _ip(address)
    if any(value is None or len(value) > 255 or not value.isprintable() for value in values.values()):
        return None
    return {key: value for key, value in values.items() if value is not None}


def _ip(text: str) -> str | None:
    """An address as Postfix writes it: IPv6 with a prefix."""
    text = text[5:] if text[:5].upper() == "IPV6:" else text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def unquoted(value: str) -> str | None:
    """RFC 3461 section 4: `+` and two hexadecimal digits stand for an octet; only printable ASCII may come out."""
    if not _XTEXT.fullmatch(value):
        return None
    text = _HEX.sub(lambda match: chr(int(match[1], 16)), value)
    return text if text.isascii() and text.isprintable() else None


def xtext(text: str) -> str:
    """The way back, of printable ASCII."""
    return "".join(char if "!" <= char <= "~" and char not in "+=" else f"+{ord(char):02X}" for char in text)


def _pairs(words: str) -> dict[str, str] | None:
    """Values by upper-cased keyword; None for a keyword that is written twice or wrongly."""
    found: dict[str, str] = {}
    for word in words.split(" "):
        if not word:
            continue
        key, _, value = word.partition("=")
        if not _KEY.fullmatch(key) or key.upper() in found:
            return None
        found[key.upper()] = value
    return found
