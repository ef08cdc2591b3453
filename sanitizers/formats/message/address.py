"""Address lists, read in one pass and written again from what was understood.

Spec: RFC 5322 §3.4 with the obsolete forms, and what is sent without regard to it. Only ASCII addresses are written.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sanitizers.formats.message.words import decode_words, plain, raw_text

ADDRESS_LIMIT: Final = 1000  # addresses kept of one field
_ATOM: Final = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_QUOTED: Final = r'"[\x20\x21\x23-\x5b\x5d-\x7e]{1,62}"'
_DOMAIN: Final = r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9-]{1,63}|\[[0-9A-Fa-f:.]{3,45}\]|\[IPv6:[0-9A-Fa-f:.]{2,45}\]"
_ADDRESS: Final = re.compile(rf"(?:{_ATOM}|{_QUOTED})@(?:{_DOMAIN})")
_ANY_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})")
NOBODY: Final = "unknown@invalid"  # RFC 2606: a domain that can never exist


class Mailbox(NamedTuple):
    """A display name, already decoded and clean, and an address that is valid, or `unknown@invalid`."""

    name: str
    address: str

    @property
    def valid(self) -> bool:
        return self.address != NOBODY


_DOT_ATOM: Final = re.compile(r"[^.\"]+(?:\.[^.\"]+)*")


def standard(address: str) -> str:
    """The address as RFC 5322 wants it: `abc..d.@docomo.ne.jp`, which exists, needs quotes around its local part."""
    local, at, domain = address.rpartition("@")
    return address if local.startswith('"') or _DOT_ATOM.fullmatch(local) else f'"{local}"{at}{domain}'


def read_addresses(raw: bytes) -> list[Mailbox]:
    """The mailboxes of an address field; group names are left out, their members kept."""
    return [_mailbox(*item) for item in _split(raw_text(raw)) if any(item)]


def _split(text: str) -> list[tuple[str, str, str]]:
    """(phrase, address in angle brackets, comment) of each item. A state machine: nesting and missing ends cost nothing extra."""
    items: list[tuple[str, str, str]] = []
    phrase: list[str] = []
    address: list[str] = []
    comment: list[str] = []
    depth, quoted, angle, escaped, at_sign = 0, False, False, False, False
    for char in text:
        if escaped:
            (comment if depth else address if angle else phrase).append(char)
            escaped = False
        elif char == "\\" and (quoted or depth):
            escaped = True
        elif depth:
            depth += (char == "(") - (char == ")")
            comment.append(char if depth else "")
        elif char == '"':
            quoted = not quoted
            (address if angle else phrase).append(char)
        elif quoted:
            (address if angle else phrase).append(char)
        elif char == "(":
            depth = 1
        elif char == "<":
            angle = True
            address.clear()  # the last bracket wins, as in every mail program
        elif char == ">":
            angle = False
        elif char in ",;" and not angle:
            items.append(("".join(phrase).strip(), "".join(address).strip(), "".join(comment).strip()))
            phrase, address, comment, at_sign = [], [], [], False
        elif char == ":" and not angle and not at_sign and not address:
            phrase.clear()  # the name of a group
        else:
            at_sign = at_sign or char == "@"
            (address if angle else phrase).append(char)
    items.append(("".join(phrase).strip(), "".join(address).strip(), "".join(comment).strip()))
    return items


def _mailbox(phrase: str, address: str, comment: str) -> Mailbox:
    if not address and "@" in phrase:
        address, phrase = phrase.replace(" ", ""), comment
    name = plain(decode_words(_unquoted(phrase)) or decode_words(comment), 200)
    address = address.rpartition(":")[2] if address.startswith("@") else address  # a source route (RFC 5322 §4.4)
    address = address.rstrip(".")
    if len(address) <= 254 and "=?" not in address and _ADDRESS.fullmatch(address):
        address = standard(address)
        return Mailbox("" if name == address else name, address)
    return Mailbox(plain(" ".join(filter(None, (name, address))), 200), NOBODY)


def _unquoted(phrase: str) -> str:
    return phrase.replace('"', "").strip()


def spoofed_name(mailbox: Mailbox) -> str:
    """The address of another domain that the display name shows instead of the real one, or ''."""
    shown = _ANY_ADDRESS.search(mailbox.name)
    if shown and mailbox.valid and shown[1].lower() != mailbox.address.rpartition("@")[2].lower():
        return shown[0]
    return ""
