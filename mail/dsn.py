"""Delivery status notifications: what a sender is told when his mail could not be delivered. RFC 3464, 6522, 6533.

Text only, in Japanese and English, without a word of the original's content. Never made for a null reverse-path, so that no two
servers can throw notices at each other. Written by hand, line by line: no sender address is parsed again on the way, and no form of
it can break the notice.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Sequence
from email.utils import format_datetime
from typing import Final

from mail.outbox import Delivery, Result

_BASE64_LINE: Final = 76
# RFC 2047 2: an encoded word has 75 characters at most; 42 octets of UTF-8 are 56 of base64.
_WORD_OCTETS: Final = 42
_LONGEST_FIELD: Final = 900


def notice(delivery: Delivery, failed: Sequence[Result], *, hostname: str, postmaster: str, now: float) -> bytes | None:
    """The notice about `failed` recipients as octets with CR LF; None if there is nobody to tell or nothing to say."""
    if not delivery.sender or not failed:
        return None
    boundary = "=_" + hashlib.sha256(f"{delivery.receipt_no} {delivery.id} {now}".encode()).hexdigest()[:32]
    lines = [
        f"From: Mail Delivery System <{postmaster}>",
        # An address beyond ASCII cannot stand in a header that every next hop can carry; the envelope has it.
        f"To: <{delivery.sender}>" if delivery.sender.isascii() else "To: undisclosed-recipients:;",
        *_subject(f"配送できませんでした / Undelivered mail （受付番号 {delivery.receipt_no}）"),
        f"Date: {_date(now)}",
        f"Message-ID: <{delivery.receipt_no}.{boundary[2:14]}.dsn@{hostname}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f' boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        *_base64(_words(delivery, failed)),
        "",
        f"--{boundary}",
        "Content-Type: message/delivery-status",
        "",
        *_status(delivery, failed, hostname, now),
        f"--{boundary}--",
    ]
    return "\r\n".join(lines).encode("ascii", "replace") + b"\r\n"


def _words(delivery: Delivery, failed: Sequence[Result]) -> str:
    lines = [
        "このメールは自動送信です。",
        "",
        f"お送りいただいたメール（受付番号 {delivery.receipt_no}）は、次の宛先に配送できませんでした。",
        "宛先をご確認のうえ、必要であれば改めてお送りください。お問い合わせの際は受付番号をお知らせください。",
        "",
        f"The mail that you sent (receipt number {delivery.receipt_no}) could not be delivered to the following recipients.",
        "Please check the addresses and send it again if needed. Mention the receipt number when you ask about it.",
        "",
    ]
    for result in failed:
        lines += [f"  <{_printable(result.address)}>", f"    {result.enhanced} {_printable(result.text)}".rstrip(), ""]
    return "\r\n".join(lines)


def _status(delivery: Delivery, failed: Sequence[Result], hostname: str, now: float) -> list[str]:
    """One block for the message, one for each recipient, each ended by an empty line."""
    lines = [f"Reporting-MTA: dns; {hostname}", f"X-Sekisho-Receipt: {delivery.receipt_no}"]
    lines += [f"Arrival-Date: {_date(delivery.first_at)}", ""]
    for result in failed:
        lines += [f"Final-Recipient: {_recipient(result.address)}", "Action: failed", f"Status: {_permanent(result.enhanced)}"]
        if result.code:
            lines += _folded(f"Diagnostic-Code: smtp; {result.code} {result.enhanced} {_ascii(result.text)}".rstrip())
        lines += [f"Last-Attempt-Date: {_date(now)}", ""]
    return lines


def _recipient(address: str) -> str:
    """With its address type; letters beyond ASCII as RFC 6533 section 3 writes them where ASCII has to do."""
    if address.isascii():
        return f"rfc822; {_ascii(address)}"
    special = "\\+="
    written = "".join(char if char.isascii() and char not in special else f"\\x{{{ord(char):02X}}}" for char in address)
    return f"utf-8; {_ascii(written)}"


def _permanent(enhanced: str) -> str:
    """A failure is permanent once it is reported, also when time ran out on a temporary one (RFC 3463 class 5)."""
    return f"5{enhanced[1:]}" if enhanced[:1] == "4" else enhanced


def _subject(text: str) -> list[str]:
    """RFC 2047, no character cut in two."""
    words, rest = [], text
    while rest:
        length = next(length for length in range(len(rest), 0, -1) if len(rest[:length].encode()) <= _WORD_OCTETS)
        words.append(f"=?utf-8?B?{base64.b64encode(rest[:length].encode()).decode()}?=")
        rest = rest[length:]
    return [f"Subject: {words[0]}", *(f" {word}" for word in words[1:])]


def _folded(line: str) -> list[str]:
    """At spaces, below the 78 characters of RFC 5322; a word that is longer stays whole."""
    lines, rest = [], line[:_LONGEST_FIELD]
    while len(rest) > 78 and (cut := rest.rfind(" ", 1, 78)) > 0:
        lines.append(rest[:cut])
        rest = rest[cut:]
    return [*lines, rest]


def _base64(text: str) -> list[str]:
    encoded = base64.b64encode(text.encode()).decode()
    return [encoded[start : start + _BASE64_LINE] for start in range(0, len(encoded), _BASE64_LINE)]


def _date(seconds: float) -> str:
    return format_datetime(dt.datetime.fromtimestamp(seconds, dt.UTC))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _ascii(text: str) -> str:
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in text)
