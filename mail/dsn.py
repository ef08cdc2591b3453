"""Delivery status notifications: what a sender is told of his mail. RFC 3464, 3461, 6522, 6533.

Text only, in Japanese and English, without a word of the original's content, also where RET=FULL asks for it: it is what this
gateway exists to keep from crossing. Never made for a null reverse-path, so that no two servers can throw notices at each other.
Written by hand, line by line: no sender address is parsed again on the way, and no form of it can break the notice.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Sequence
from email.utils import format_datetime
from typing import Final, Literal, NamedTuple

from mail.envelope import Notify
from mail.outbox import Delivery, Result
from mail.parameters import unquoted

Event = Literal["FAILURE", "DELAY", "SUCCESS"]

_BASE64_LINE: Final = 76
# RFC 2047 2: an encoded word has 75 characters at most; 42 octets of UTF-8 are 56 of base64.
_WORD_OCTETS: Final = 42
_LONGEST_FIELD: Final = 900


class Told(NamedTuple):
    """One recipient and what is told of him."""

    result: Result
    event: Event


class _Words(NamedTuple):
    """What is said of one kind of event. `action` is the word of RFC 3464 2.3.3."""

    action: str
    subject: str
    ja: tuple[str, str]
    en: tuple[str, str]


# The gravest first: it gives the notice its subject.
_WORDS: Final[dict[Event, _Words]] = {
    "FAILURE": _Words(
        "failed",
        "配送できませんでした / Undelivered mail",
        (
            "は、次の宛先に配送できませんでした。",
            "宛先をご確認のうえ、必要であれば改めてお送りください。お問い合わせには受付番号を添えてください。",
        ),
        ("could not be delivered to the following recipients.", "Check the addresses, and give the receipt number when you ask about it."),
    ),
    "DELAY": _Words(
        "delayed",
        "配送が遅れています / Delayed mail",
        ("は、次の宛先への配送が遅れています。", "引き続き配送を試みます。送り直す必要はありません。"),
        ("has not yet been delivered to the following recipients.", "Delivery will be tried again. You need not send it again."),
    ),
    "SUCCESS": _Words(
        "relayed",
        "配送しました / Relayed mail",
        ("は、次の宛先のメールサーバーに引き渡しました。", "以降の配送については、このサーバーからは通知されません。"),
        ("was handed to the mail server of the following recipients.", "Nothing will be reported about what becomes of it after that."),
    ),
}


def event_of(result: Result, *, late: bool) -> Event | None:
    """What there is to tell of one result; `late`: this is the attempt after which a delay is told."""
    if result.status == "failed":
        return "FAILURE"
    if result.status == "deferred":
        return "DELAY" if late else None
    # Whoever took the sender's wishes over tells him himself (RFC 3461 5.2.1, 5.2.2).
    return None if result.passed_on else "SUCCESS"


def notice(delivery: Delivery, told: Sequence[Told], *, hostname: str, postmaster: str, now: float) -> bytes | None:
    """The notice as octets with CR LF; None if there is nobody to tell or nothing to say."""
    if not delivery.sender or not told:
        return None
    boundary = "=_" + hashlib.sha256(f"{delivery.receipt_no} {delivery.id} {now}".encode()).hexdigest()[:32]
    gravest = next(words for event, words in _WORDS.items() if any(one.event == event for one in told))
    lines = [
        f"From: Mail Delivery System <{postmaster}>",
        # An address beyond ASCII cannot stand in a header that every next hop can carry; the envelope has it.
        f"To: <{delivery.sender}>" if delivery.sender.isascii() else "To: undisclosed-recipients:;",
        *_subject(f"{gravest.subject} （受付番号 {delivery.receipt_no}）"),
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
        *_base64(_text(delivery, told)),
        "",
        f"--{boundary}",
        "Content-Type: message/delivery-status",
        "",
        *_status(delivery, told, hostname, now),
        f"--{boundary}--",
    ]
    return "\r\n".join(lines).encode("ascii", "replace") + b"\r\n"


def _text(delivery: Delivery, told: Sequence[Told]) -> str:
    lines = ["このメールは自動送信です。", ""]
    for event, words in _WORDS.items():
        results = [one.result for one in told if one.event == event]
        if not results:
            continue
        lines += [f"お送りいただいたメール（受付番号 {delivery.receipt_no}）{words.ja[0]}", words.ja[1], ""]
        lines += [f"The mail that you sent (receipt number {delivery.receipt_no}) {words.en[0]}", words.en[1], ""]
        for result in results:
            lines += [f"  <{_printable(result.address)}>", f"    {result.enhanced} {_printable(result.text)}".rstrip(), ""]
    return "\r\n".join(lines)


def _status(delivery: Delivery, told: Sequence[Told], hostname: str, now: float) -> list[str]:
    """One block for the message, one for each recipient, each ended by an empty line."""
    lines = [f"Original-Envelope-Id: {delivery.wishes.envelope_id}"] if delivery.wishes.envelope_id else []
    lines += [f"Reporting-MTA: dns; {hostname}", f"X-Sekisho-Receipt: {delivery.receipt_no}"]
    lines += [f"Arrival-Date: {_date(delivery.first_at)}", ""]
    for one in told:
        lines += [*_of_recipient(one, delivery.wishes.notify(one.result.address), now), ""]
    return lines


def _of_recipient(one: Told, wishes: Notify, now: float) -> list[str]:
    result = one.result
    status = _permanent(result.enhanced) if one.event == "FAILURE" else result.enhanced
    kind, _, original = wishes.original.partition(";")
    # RFC 3464 2.3.1 writes the address as it was before it became xtext; what that may be was checked when it came.
    lines = _folded(f"Original-Recipient: {kind}; {_ascii(unquoted(original) or '')}") if original else []
    lines += [f"Final-Recipient: {_recipient(result.address)}", f"Action: {_WORDS[one.event].action}", f"Status: {status}"]
    if result.code:
        lines += _folded(f"Diagnostic-Code: smtp; {result.code} {result.enhanced} {_ascii(result.text)}".rstrip())
    return [*lines, f"Last-Attempt-Date: {_date(now)}"]


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
