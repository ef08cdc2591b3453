"""An Outlook item (the model behind winmail.dat and .msg), and the internet message that says the same.

The message is written for our own reader only: it goes the same road as any other mail, so that there is one road.
Spec: MS-OXPROPS, MS-OXCMAIL, MS-OXCDATA §2.11.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sanitizers.budget import Budget
from sanitizers.charset import decode
from sanitizers.formats.message import rtf
from sanitizers.formats.message.address import NOBODY
from sanitizers.formats.message.envelope import encoded_words, written_date
from sanitizers.formats.message.header import read_header
from sanitizers.formats.message.words import plain

DEPTH_LIMIT: Final = 8
PROPERTY_LIMIT: Final = 20_000

# Property types (MS-OXCDATA §2.11.1) and identifiers (MS-OXPROPS).
STRING8: Final = 0x001E
UNICODE: Final = 0x001F
BINARY: Final = 0x0102
OBJECT: Final = 0x000D
SUBJECT: Final = 0x0037
BODY: Final = 0x1000
RTF: Final = 0x1009
HTML: Final = 0x1013
MESSAGE_ID: Final = 0x1035
REFERENCES: Final = 0x1039
IN_REPLY_TO: Final = 0x1042
TRANSPORT_HEADERS: Final = 0x007D
NAME: Final = 0x3001
EMAIL: Final = 0x3003
SMTP: Final = 0x39FE
RECIPIENT_TYPE: Final = 0x0C15
DATA: Final = 0x3701
SHORT_NAME: Final = 0x3704
LONG_NAME: Final = 0x3707
MIME: Final = 0x370E
CODE_PAGES: Final = (0x3FFD, 0x3FDE)  # of strings, and of the internet message
DATES: Final = (0x0039, 0x0E06, 0x3007)  # sent, delivered, created
_SENDERS: Final = ((0x5D01, 0x0C1F, 0x0C1A), (0x5D02, 0x0065, 0x0042))  # SMTP address, address, name: of the sender, of the author
_DISPLAYED: Final = {"To": (1, 0x0E04), "Cc": (2, 0x0E03)}
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,90}")
_ASCII_ADDRESS: Final = re.compile(r"[!-;=?-~]{1,200}@[!-;=?-~]{1,200}")
_IDS: Final = re.compile(r"<[!-;=?-~]{1,240}>")

Properties = dict[int, str | bytes | int]


@dataclass(slots=True)
class File:
    """An attachment: its properties, and its bytes or the item that it is."""

    properties: Properties = field(default_factory=dict)
    content: bytes = b""
    item: Item | None = None


@dataclass(slots=True)
class Item:
    """One message, contact or appointment. Strings without Unicode stay bytes in `code_page`."""

    properties: Properties = field(default_factory=dict)
    recipients: list[Properties] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    code_page: int = 0

    def text(self, tag: int, properties: Properties | None = None) -> str:
        value = (self.properties if properties is None else properties).get(tag, "")
        if isinstance(value, bytes):
            value = decode(value.rstrip(b"\0"), self._charset).text
        return rtf.joined(value.rstrip("\0")) if isinstance(value, str) else ""

    @property
    def _charset(self) -> str | None:
        pages = [self.code_page, *(self.properties.get(tag, 0) for tag in CODE_PAGES)]
        page = next((page for page in pages if isinstance(page, int) and page > 0), 0)
        return {0: None, 1200: None, 65001: "utf-8", 50220: "iso-2022-jp", 50221: "iso-2022-jp", 51932: "euc-jp"}.get(page, f"cp{page}")


def message(item: Item, budget: Budget, depth: int = 0) -> bytes:
    """The internet message. How deep items may be nested was checked where they were read."""
    parts = [_bodies(item, budget, depth)]
    for number, file in enumerate(item.files, 1):
        parts.append(_file(item, file, number, budget, depth))
    boundary = f"item-{depth}-mixed"
    head = "\r\n".join([*_header(item), f"Content-Type: multipart/mixed; boundary={boundary}", "", ""])
    return head.encode("ascii") + _joined(parts, boundary)


def _joined(parts: list[bytes], boundary: str) -> bytes:
    line = b"--" + boundary.encode("ascii")
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def _leaf(kind: str, content: bytes, *fields: str) -> bytes:
    head = "\r\n".join([f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", *fields, "", ""])
    return head.encode("ascii") + encodebytes(content).replace(b"\n", b"\r\n")


# header


def _header(item: Item) -> list[str]:
    raw = item.text(TRANSPORT_HEADERS).encode("utf-8", "replace")
    carried, _ = read_header(raw.lstrip(), 0, len(raw.lstrip())) if raw.strip() else read_header(b"", 0, 0)
    lines = [f"From: {_sender(item, carried.first('from'))}"]
    for name, (kind, displayed) in _DISPLAYED.items():
        if boxes := _recipients(item, kind, displayed):
            lines.append(f"{name}: " + ",\r\n ".join(boxes))
    lines.append("Subject: " + _words(plain(item.text(SUBJECT))))
    date = next((value for tag in DATES if isinstance(value := item.properties.get(tag), int) and value), 0)
    if date and (written := _date(date)):
        lines.append(f"Date: {written}")
    for name, tag in (("Message-ID", MESSAGE_ID), ("In-Reply-To", IN_REPLY_TO), ("References", REFERENCES)):
        if ids := _IDS.findall(item.text(tag)):
            lines.append(f"{name}: " + "\r\n ".join(ids[-50:]))
    return [*lines, "MIME-Version: 1.0"]


def _words(text: str) -> str:
    return text if text.isascii() and "=?" not in text and len(text) <= 900 else "\r\n ".join(encoded_words(text))


def _mailbox(name: str, *addresses: str) -> str:
    """A mailbox; addresses of Exchange's directory, which nobody outside can use, are given as unknown."""
    address = next((one for one in addresses if _ASCII_ADDRESS.fullmatch(one)), NOBODY)
    name = plain(name.replace(f"<{address}>", "").strip("'\" "), 200)
    return f"<{address}>" if not name or name == address else "\r\n ".join(encoded_words(name)) + f"\r\n <{address}>"


def _sender(item: Item, carried: bytes) -> str:
    for smtp, address, name in reversed(_SENDERS):
        box = _mailbox(item.text(name), item.text(smtp), item.text(address))
        if NOBODY not in box:
            return box
    if carried and carried.isascii() and b"@" in carried:
        return carried.decode("ascii")
    return _mailbox(item.text(0x0C1A) or item.text(0x0042))


def _recipients(item: Item, kind: int, displayed: int) -> list[str]:
    rows = [row for row in item.recipients if row.get(RECIPIENT_TYPE) == kind]
    if rows:
        return [_mailbox(item.text(NAME, row), item.text(SMTP, row), item.text(EMAIL, row)) for row in rows[:2000]]
    return [_mailbox(name, name) for one in item.text(displayed).split(";")[:2000] if (name := plain(one))]


def _date(ticks: int) -> str:
    """A FILETIME: tenths of microseconds since 1601."""
    try:
        return written_date(_EPOCH + timedelta(microseconds=ticks // 10))
    except OverflowError:
        return ""


# bodies and files


def _bodies(item: Item, budget: Budget, depth: int) -> bytes:
    """The text and the HTML; RTF only speaks where one of them is missing."""
    plain_text, html = item.text(BODY), _html(item)
    if compressed := item.properties.get(RTF):
        assert isinstance(compressed, bytes)
        if not html or not plain_text:
            raw = rtf.decompress(compressed, budget.expanded_left)
            budget.spend_bytes(len(raw))
            told = rtf.read(raw)
            words = rtf.joined(told.text)
            html = html or (words.encode() if told.html else b"")
            plain_text = plain_text or ("" if html else words)
    forms = [_leaf("text/plain; charset=utf-8", plain_text.encode("utf-8", "replace"))] if plain_text.strip() or not html else []
    if html:
        forms.append(_leaf("text/html" + ("; charset=utf-8" if not isinstance(item.properties.get(HTML), bytes) else ""), html))
    boundary = f"item-{depth}-forms"
    return f"Content-Type: multipart/alternative; boundary={boundary}\r\n\r\n".encode("ascii") + _joined(forms, boundary)


def _html(item: Item) -> bytes:
    value = item.properties.get(HTML, b"")
    return value if isinstance(value, bytes) else rtf.joined(str(value)).encode("utf-8", "replace")


def _file(item: Item, file: File, number: int, budget: Budget, depth: int) -> bytes:
    if file.item is not None:
        if not file.item.code_page:
            file.item.code_page = item.code_page
        return b"Content-Type: message/rfc822\r\n\r\n" + message(file.item, budget, depth + 1)
    name = plain(item.text(LONG_NAME, file.properties) or item.text(SHORT_NAME, file.properties) or item.text(NAME, file.properties), 300)
    kind = item.text(MIME, file.properties).lower()
    if kind.startswith("multipart/"):  # a signed message is kept whole as its only attachment (MS-OXOSMIME)
        return _leaf("message/rfc822", file.content)
    kind = kind if _TYPE.fullmatch(kind) and not kind.startswith("message/") else "application/octet-stream"
    words = "\r\n ".join(encoded_words(name or f"attachment{number}"))
    return _leaf(kind, file.content, f'Content-Disposition: attachment; filename="{words}"')
