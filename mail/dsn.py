"""Delivery status notifications: what a sender is told when his mail could not be delivered. RFC 3464, 3462, 3461.

Text only, in Japanese and English, without a word of the original's content. Never made for a null reverse-path, so that no two servers can throw
notices at each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from email.message import EmailMessage, Message
from email.utils import format_datetime

from mail.outbox import Delivery, Result


def notice(delivery: Delivery, failed: Sequence[Result], *, hostname: str, postmaster: str, now: float) -> bytes | None:
    """The notice about `failed` recipients as octets with CR LF; None if there is nobody to tell or nothing to say."""
    if not delivery.sender or not failed:
        return None
    message = EmailMessage()
    message["From"] = f"Mail Delivery System <{postmaster}>"
    message["To"] = delivery.sender
    message["Subject"] = f"配送できませんでした / Undelivered mail (受付番号 {delivery.receipt_no})"
    message["Date"] = format_datetime(dt.datetime.fromtimestamp(now, dt.UTC))
    message["Message-ID"] = f"<{delivery.receipt_no}.{delivery.id}.dsn@{hostname}>"
    message["Auto-Submitted"] = "auto-replied"
    message.set_content(_words(delivery, failed), cte="base64")
    message.make_mixed()
    status = Message()
    status["Content-Type"] = "message/delivery-status"
    status.set_payload([_fields(*_per_message(delivery, hostname)), *(_fields(*_per_recipient(result)) for result in failed)])
    message.attach(status)  # type: ignore[arg-type]  # the status part is no EmailMessage: its payload is a list of field blocks
    message.set_type("multipart/report")
    message.set_param("report-type", "delivery-status")
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n", max_line_length=78))


def _words(delivery: Delivery, failed: Sequence[Result]) -> str:
    lines = [
        f"受付番号 {delivery.receipt_no} のメールを次の宛先に配送できませんでした。",
        f"The mail with receipt number {delivery.receipt_no} could not be delivered to:",
        "",
    ]
    lines += [f"  {result.address}: {result.enhanced} {result.text}" for result in failed]
    return "\n".join(lines) + "\n"


def _per_message(delivery: Delivery, hostname: str) -> list[tuple[str, str]]:
    arrived = format_datetime(dt.datetime.fromtimestamp(delivery.first_at, dt.UTC))
    return [("Reporting-MTA", f"dns; {hostname}"), ("X-Sekisho-Receipt", delivery.receipt_no), ("Arrival-Date", arrived)]


def _per_recipient(result: Result) -> list[tuple[str, str]]:
    kind = "rfc822" if result.address.isascii() else "utf-8"
    fields = [("Final-Recipient", f"{kind}; {result.address}"), ("Action", "failed"), ("Status", _permanent(result.enhanced))]
    if result.code:
        fields.append(("Diagnostic-Code", f"smtp; {result.code} {result.enhanced} {result.text}"[:900]))
    return fields


def _permanent(enhanced: str) -> str:
    """A failure is permanent once it is reported, also when time ran out on a temporary one (RFC 3463 class 5)."""
    return f"5{enhanced[1:]}" if enhanced[:1] == "4" else enhanced


def _fields(*pairs: tuple[str, str]) -> Message:
    block = Message()
    for name, value in pairs:
        block[name] = "".join(char if char.isprintable() and char.isascii() else "?" for char in value)
    return block
