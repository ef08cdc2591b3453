"""Mails, more tolerantly than the sanitizer reads them: this shows also what mail programs would read in different ways.

By the parser of the standard library, which refuses nothing; the jail bounds what that may cost.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from typing import Final, NamedTuple

from sanitizers import charset
from sanitizers.formats.message import htmltext, mapi, outlook, tnef
from sanitizers.model import Kind
from sanitizers.preview.room import Room
from sanitizers.preview_words import line
from sanitizers.source import Source

KINDS: Final = frozenset((Kind.EML, Kind.MSG, Kind.TNEF))
_FIELDS: Final = frozenset((
    "from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "return-path", "authentication-results", "received",
    "x-mailer",
))  # fmt: skip
_MOST_FIELDS: Final = 40
_MOST_PARTS: Final = 500
_SCHEMES: Final = ("http", "https", "mailto", "tel", "ftp", "file", "javascript", "data")


class _Tolerant(email.policy.Compat32):
    """Bytes without a label in a header are told by what they look like, where the standard library would only say that they are some."""

    def header_fetch_parse(self, name: str, value: str) -> str:     # noqa: ARG002 - the library's signature
        return value if value.isascii() else charset.decode(value.encode("utf-8", "surrogateescape")).text


_TOLERANT: Final = _Tolerant()


class Letter(NamedTuple):
    """Its header and its text, in the order of its parts."""

    head: tuple[tuple[str, str], ...]
    text: str


def read(source: Source, kind: Kind, room: Room) -> Letter:
    """Raises what Outlook's formats raise."""
    root = _parsed(source, kind, room)
    fields = [(name, _words(str(value))) for name, value in root.items() if name.lower() in _FIELDS]
    head = tuple((line(name, 100), line(value)) for name, value in fields[:_MOST_FIELDS])
    return Letter(head, "\n".join(_said(leaf) for leaf in _leaves(root) if not _is_file(leaf)))


def attachments(source: Source, kind: Kind, room: Room) -> Iterator[tuple[str, Source]]:
    """Name and bytes of each, as they were sent."""
    for number, leaf in enumerate(_leaves(_parsed(source, kind, room)), 1):
        if _is_file(leaf):
            content = _content(leaf)
            room.budget.spend_bytes(len(content))
            yield _name(leaf) or f"part-{number}", Source(content)


def _parsed(source: Source, kind: Kind, room: Room) -> Message:
    data = source.bytes()
    if kind is Kind.TNEF:
        data = mapi.message(tnef.read(data), room.budget)
    elif kind is Kind.MSG:
        data = mapi.message(outlook.read(source, room.budget), room.budget)
    return email.message_from_bytes(data, policy=_TOLERANT)


def _leaves(root: Message) -> Iterator[Message]:
    """A message inside another is a file of its own, not opened here."""
    waiting = [root]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        if part is not root and part.get_content_maintype() == "message":
            yield part
        elif part.is_multipart() and part.get_content_maintype() != "message":
            waiting.extend(reversed(_below(part)))
        else:
            yield part


def _below(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _is_file(leaf: Message) -> bool:
    return leaf.get_content_maintype() != "text" or leaf.get_content_disposition() == "attachment" or bool(_name(leaf))


def _content(leaf: Message) -> bytes:
    if leaf.get_content_maintype() == "message":
        inner = _below(leaf)
        return inner[0].as_bytes() if inner else b""
    content = leaf.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _said(leaf: Message) -> str:
    content = _content(leaf)
    declared = leaf.get_content_charset()
    if leaf.get_content_subtype() == "html":
        return htmltext.render(charset.decode_html(content, declared).text, _SCHEMES).text
    return charset.decode(content, declared).text


def _name(leaf: Message) -> str:
    return _words(leaf.get_filename() or "")


def _words(value: str) -> str:
    """An encoded header as text; one that breaks the rules as it stands."""
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError, LookupError):
        return value
    said = []
    for piece, label in pieces:
        raw = piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece     # 8-bit bytes without a label
        said.append(charset.decode(raw, label).text)
    return " ".join("".join(said).split())
