"""Marks of a mail that a machine sent on: what mailbox rules, filters and forwarding addresses write into a header, in one table.

A person's own 転送 (FW:) and a reply begin a header of their own and bear none of them. Neither are these marks, because mail that nobody
forwarded bears them too: X-MS-Exchange-MessageSentRepresentingType and X-LD-Processed (all mail of Exchange Online),
X-MS-Exchange-Transport-Rules-Loop (a rule of the administrator that adds a recipient), X-Forwarded-Encrypted (all mail of Gmail), X-Loop,
X-Sieve and Precedence (what a filter answers, and what a list sends out), Sender (who wrote for somebody else), List-Id.
Spec: RFC 3834 §5, RFC 5322 §3.6.6 and §4.5.6, RFC 5436 §2.7.1, RFC 2156 and 4021 (Autoforwarded), RFC 2919; MS-OXCMAIL 2.1.3.2.21;
«Loop prevention in Exchange Online demystified» (Microsoft, 2021); Postfix local(8), qmail-local(8), Exim §envelope_to_add.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from sanitizers.formats.message.address import read_addresses
from sanitizers.formats.message.header import Header
from sanitizers.formats.message.words import header_text

# Words of RFC 3834 for what was not sent on. Cron jobs and forms say auto-generated; what Exchange forwards says so too, and bears a field
# of its own. Vacation replies say auto-replied. All else is a mark: auto-forwarded (nowhere registered, yet written), auto-notified (a
# filter that tells somebody of mail that came), a word nobody knows, and what cannot be read.
_NOT_SENT_ON: Final = frozenset(("no", "auto-generated", "auto-replied"))
_DENIED: Final = frozenset(("false", "no", "0"))
_RULES_AGENT: Final = "mailbox rules agent"


class Found(NamedTuple):
    """One mark: the field that bears it, and what a person should know of it."""

    name: str
    detail: str


class Mark(NamedTuple):
    """A field, `*` standing for any ending; who writes it; which of its values count; and how many of them the post of a mailing list
    (RFC 2919) bears without having been forwarded."""

    name: str
    writer: str
    means: Callable[[bytes], bool]
    of_list: int = 0


def _any(_value: bytes) -> bool:
    return True


def _stated(value: bytes) -> bool:
    return _keyword(value) not in _DENIED


def _sent_on(value: bytes) -> bool:
    return _keyword(value) not in _NOT_SENT_ON


def _by_a_rule(value: bytes) -> bool:
    return _RULES_AGENT in header_text(value, len(value)).lower()


# Exchange does not say which rule it was: what a rule answers bears its marks as well, and waits for a person like what it forwards.
MARKS: Final = (
    Mark("Auto-Submitted", "RFC 3834", _sent_on),
    Mark("Resent-*", "RFC 5322: resent", _any),
    Mark("Autoforwarded", "X.400", _stated),
    Mark("X-Autoforward", "forwarder", _stated),
    Mark("X-Autoforwarded", "forwarder", _stated),
    Mark("X-Autoforwarded-By", "forwarder", _any),
    Mark("X-Forwarded", "Exchange, by rule", _stated),
    Mark("X-Forwarded-For", "Gmail", _any),
    Mark("X-Forwarded-To", "Gmail", _any),
    Mark("X-MS-Exchange-Organization-AutoForwarded", "Exchange", _stated),
    Mark("X-MS-Exchange-Inbox-Rules-Loop", "Exchange, mailbox rule", _any),
    Mark("X-MS-Exchange-Generated-Message-Source", "Exchange, mailbox rule", _by_a_rule),
    Mark("X-MS-Exchange-ForwardingLoop", "Exchange, mailbox forwarding", _any),
    Mark("X-Sieve-Redirected-From", "Dovecot Sieve", _any),
    Mark("X-Zimbra-Forwarded", "Zimbra", _any),
    Mark("Delivered-To", "delivered before: Postfix, qmail, Courier, Gmail", _any, of_list=1),
    Mark("X-Original-To", "delivered before: Postfix", _any, of_list=1),
    Mark("Envelope-To", "delivered before: Exim", _any, of_list=1),
    Mark("X-Sekisho-Result", "came in by this gateway", _any),
)


def marks(header: Header, author_domains: tuple[str, ...]) -> list[Found]:
    """All marks in a header, each field once. `author_domains`: those that mail of the house is from, with all below them; empty: any."""
    listed = bool(header.first("list-id"))
    found = []
    for mark in MARKS:
        pattern = mark.name.lower()
        bearing = [one for one in header.fields if fnmatchcase(one.name, pattern) and mark.means(one.value)]
        if len(bearing) > (mark.of_list if listed else 0):
            found.append(Found(mark.name, f"{mark.writer}: {header_text(bearing[0].value, 200)}"))
    strangers = _strangers(header, author_domains) if author_domains else []
    return [*found, Found("From", "sender is none of ours: " + ", ".join(strangers[:3]))] if strangers else found


def _strangers(header: Header, domains: tuple[str, ...]) -> list[str]:
    """The authors that are not of these domains; a mail without an author is from nobody of ours."""
    authors = [box.address for value in header.every("from") for box in read_addresses(value)]
    ours = tuple("." + domain.lower().removeprefix("@") for domain in domains)
    return [author for author in authors or ["nobody"] if not f".{author.rpartition('@')[2]}".lower().endswith(ours)]


def _keyword(value: bytes) -> str:
    """What stands before the parameters, without comments, in lower case; '' where a comment has no end."""
    kept: list[str] = []
    depth, escaped = 0, False
    for char in value.decode("latin-1"):
        if escaped:
            escaped = False
        elif depth:
            escaped = char == "\\"
            depth += (char == "(") - (char == ")")
        elif char == "(":
            depth = 1
            kept.append(" ")
        elif char == ";":
            break
        else:
            kept.append(char)
    return "" if depth else "".join(kept).strip(" \t").lower()
