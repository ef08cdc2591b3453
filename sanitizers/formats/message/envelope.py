"""The header of the new message: an allow-list, each field written anew from what was understood.

Kept: From (exactly one), To, Cc, Reply-To, Subject, Date, Message-ID, In-Reply-To, References, Auto-Submitted. Everything else
stays behind: it speaks to machines of other networks (Received, DKIM-Signature), to ours (X-*), or asks for something (receipts).
Spec: RFC 5322 §3.6, RFC 2047, RFC 3834.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

from sanitizers.charset import encode
from sanitizers.context import Context
from sanitizers.formats.message.address import ADDRESS_LIMIT, NOBODY, Mailbox, read_addresses, spoofed_name
from sanitizers.formats.message.header import Header
from sanitizers.formats.message.words import header_text, plain
from sanitizers.model import Action, MailFacts

REFERENCES_LIMIT: Final = 50
HOPS_LIMIT: Final = 100
JIS_MS: Final = "iso-2022-jp-ms"
_JIS_PIECE: Final = 10  # letters of a word; each may cost five bytes where kana of two widths and letters alternate
_MESSAGE_ID: Final = re.compile(rb"<([!-;=?-~]{1,240})>")
_AUTOMATIC: Final = re.compile(rb"auto-(?:generated|replied|notified)\b")
_ATEXT: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WANTS_RECEIPT: Final = ("disposition-notification-to", "return-receipt-to", "x-confirm-reading-to")


def facts(header: Header) -> MailFacts:
    """What the journal keeps of a mail."""
    author = next(iter(read_addresses(header.first("from"))), None)
    return MailFacts(
        message_id=header_text(header.first("message-id")),
        subject=header_text(header.first("subject")),
        author="" if author is None else _shown(author),
    )


def _shown(mailbox: Mailbox) -> str:
    return f"{mailbox.name} <{mailbox.address}>" if mailbox.name else mailbox.address


class Envelope:
    """Reads the old header and writes the new one; what is odd about it becomes findings and `warnings` (reply_to, spoof)."""

    def __init__(self, header: Header, context: Context) -> None:
        self._header = header
        self._context = context
        self.warnings: list[tuple[str, str]] = []
        author = self._author()
        self._people = [("From", [author])]
        self._people += [(name, boxes) for name in ("To", "Cc") if (boxes := self._boxes(name))]
        if reply := self._reply_to(author):
            self._people.append(("Reply-To", reply))
        self._subject = self._marked(header_text(self._header.first("subject")))
        self._rest = self._date() + self._ids()
        automatic = _AUTOMATIC.match(self._header.first("auto-submitted").lower())
        if automatic:
            self._rest.append(f"Auto-Submitted: {automatic[0].decode()}")
        for name in _WANTS_RECEIPT:
            if self._header.first(name):
                self._context.found("mail.receipt_request", name)

    def _marked(self, subject: str) -> str:
        mark = "" if self._context.depth else plain(self._context.treatment.mail_subject_mark, 40)
        return subject if subject.startswith(mark) else mark + subject

    @property
    def said(self) -> str:
        """All that is said in the senders' and receivers' own letters."""
        return self._subject + "".join(box.name for _, boxes in self._people for box in boxes)

    def lines(self, charset: str = "utf-8") -> list[str]:
        """The new header's fields, each with its folds as `\\r\\n`, without the fields that describe the body."""
        people = [_addresses(name, boxes, charset) for name, boxes in self._people]
        return [*people, _unstructured("Subject", self._subject, charset), *self._rest]

    def _boxes(self, name: str) -> list[Mailbox]:
        boxes = [box for value in self._header.every(name.lower()) for box in read_addresses(value)]
        if len(boxes) > ADDRESS_LIMIT:
            self._context.found("mail.addresses_cut", name, Action.REMOVED, f"{len(boxes) - ADDRESS_LIMIT} addresses")
        kept = boxes[:ADDRESS_LIMIT]
        for box in kept:
            if not box.valid and not _already(box, self._header.first(name.lower())):
                self._context.found("mail.invalid_address", name, Action.REWRITTEN, box.name)
        return kept

    def _author(self) -> Mailbox:
        boxes = self._boxes("From")
        if len(boxes) > 1:
            self._context.found("mail.several_from", "From", Action.REMOVED, ", ".join(_shown(box) for box in boxes[1:4]))
        author = next((box for box in boxes if box.valid), boxes[0] if boxes else Mailbox("", NOBODY))
        if spoofed := spoofed_name(author):
            self._context.found("mail.name_spoof", "From", Action.KEPT, f"{spoofed} / {author.address}")
            self.warnings.append(("spoof", spoofed))
        return author

    def _reply_to(self, author: Mailbox) -> list[Mailbox]:
        boxes = self._boxes("Reply-To")
        if any(box.address.lower() != author.address.lower() for box in boxes):
            shown = ", ".join(box.address for box in boxes[:3])
            self._context.found("mail.reply_to_differs", "Reply-To", Action.KEPT, shown)
            self.warnings.append(("reply_to", shown))
        return boxes

    def _date(self) -> list[str]:
        raw = self._header.first("date")
        written = rewrite_date(header_text(raw, 200)) if raw else ""
        if raw and not written:
            self._context.found("mail.header_dropped", "Date", Action.REMOVED, header_text(raw, 100))
        return [f"Date: {written}"] if written else []

    def _ids(self) -> list[str]:
        lines = []
        for name in ("Message-ID", "In-Reply-To", "References"):
            ids = [match.decode("ascii") for match in _MESSAGE_ID.findall(self._header.first(name.lower()))]
            ids = ids[:1] if name == "Message-ID" else ids[-REFERENCES_LIMIT:]
            if ids:
                lines.append(f"{name}: " + "\r\n ".join(f"<{one}>" for one in ids))
        return lines


def _already(box: Mailbox, raw: bytes) -> bool:
    """An address that we ourselves replaced on an earlier way through."""
    return NOBODY.encode() in raw and box.address == NOBODY


def rewrite_date(text: str) -> str:
    """A date in the one form of RFC 5322, or '' for one that is none."""
    parsed = parsedate_tz(text)
    if parsed is None:
        return ""
    offset = parsed[9]
    try:
        zone = timezone(timedelta(seconds=offset or 0))
        moment = datetime(*parsed[:5], min(parsed[5], 59), tzinfo=zone)
    except (ValueError, OverflowError):
        return ""
    return written_date(moment, known=offset is not None)


def written_date(moment: datetime, *, known: bool = True) -> str:
    """A moment as RFC 5322 writes it; without a `known` zone as -0000."""
    offset = moment.utcoffset() or timedelta(0)
    minutes = abs(int(offset.total_seconds())) // 60
    sign = "-" if not known or offset < timedelta(0) else "+"
    day = f"{_DAYS[moment.weekday()]}, {moment.day:02} {_MONTHS[moment.month - 1]} {moment.year:04}"
    return f"{day} {moment:%H:%M:%S} {sign}{minutes // 60:02}{minutes % 60:02}"


def encoded_words(text: str, charset: str = "utf-8") -> list[str]:
    """Text as RFC 2047 words, each at most 64 characters and never cut inside a character or an escape state."""
    if charset != "utf-8":
        pieces = [text[at : at + _JIS_PIECE] for at in range(0, len(text), _JIS_PIECE)]
        return [f"=?ISO-2022-JP?B?{b64encode(encode(piece, JIS_MS)).decode()}?=" for piece in pieces]
    words: list[str] = []
    piece: list[str] = []
    size = 0
    for char in text:
        width = len(char.encode())
        if size + width > 39:  # 52 letters of base64 and 12 of clothing fit behind a field's name in 76 columns
            words.append("".join(piece))
            piece, size = [], 0
        piece.append(char)
        size += width
    words.append("".join(piece))
    return [f"=?UTF-8?B?{b64encode(word.encode()).decode()}?=" for word in words if word]


def _unstructured(name: str, text: str, charset: str) -> str:
    if text.isascii() and "=?" not in text and "  " not in text and len(text) <= 66:
        return f"{name}: {text}"
    return f"{name}: " + "\r\n ".join(encoded_words(text, charset))


def _phrase(name: str, charset: str) -> str:
    """A display name: as it is, in quotes, or as encoded words, one to a line."""
    if len(name) <= 60 and name.isascii() and "=?" not in name:
        if _ATEXT.fullmatch(name) and "  " not in name:
            return name
        if '"' not in name and "\\" not in name:
            return f'"{name}"'
    return "\r\n ".join(encoded_words(name, charset))


def _addresses(name: str, boxes: Iterable[Mailbox], charset: str) -> str:
    return f"{name}: " + ",\r\n ".join(f"{_phrase(box.name, charset)} <{box.address}>" if box.name else box.address for box in boxes)
