"""Fields that a mail carries for machines: how many stations it passed, and what the first of ours found out about its sender.

Stations keep their number and lose their words: the count is what stops a mail that runs in a circle (RFC 5321 §6.3), and it must
survive that the mail is written anew each time it passes here.
Spec: RFC 5321 §4.4 (Received), RFC 8601 (Authentication-Results).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from sanitizers.context import Context
from sanitizers.formats.message.envelope import HOPS_LIMIT, written_date
from sanitizers.formats.message.header import Header

RESULTS: Final = frozenset(("pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"))
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_NUMBER: Final = re.compile(r"[A-Za-z0-9-]{1,60}")


def lines(header: Header, context: Context) -> list[str]:
    """The fields, for a transfer that a road brought; none for a file."""
    if context.depth or not context.treatment.received_at:
        return []
    date = _date(context.treatment.received_at)
    number = context.treatment.receipt_no
    ours = "Received: by sekisho.invalid" + (f" id {number}" if _NUMBER.fullmatch(number) else "") + f"; {date}"
    before = min(len(header.every("received")), HOPS_LIMIT)
    return [ours, *[f"Received: by hop.invalid; {date}"] * before, *_authentication(context)]


def _date(received_at: str) -> str:
    try:
        return written_date(datetime.fromisoformat(received_at))
    except ValueError:
        return "Thu, 01 Jan 1970 00:00:00 -0000"


def _authentication(context: Context) -> list[str]:
    found = context.job.authentication
    if found is None or not _NAME.fullmatch(found.server):
        return []
    methods = (("spf", found.spf), ("dkim", found.dkim), ("dmarc", found.dmarc), ("arc", found.arc))
    results = [f"{method}={result}" for method, result in methods if result in RESULTS]
    return [f"Authentication-Results: {found.server}; " + "; ".join(results or ["none"])]
