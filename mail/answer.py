"""What the next hop's words mean for one recipient. Pure.

Only a clear 2xx at the right moment is a delivery and only a clear 5xx a failure. Everything else is temporary: a lost connection,
a time-out, a reply that makes no sense.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from aiosmtplib import SMTPConnectError, SMTPResponseException, SMTPServerDisconnected, SMTPTimeoutError

from mail.outbox import Status

_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
_LONGEST_TEXT: Final = 500


class Verdict(NamedTuple):
    """`code` 0: the next hop never got to speak about it. `passed_on`: see Answer."""

    status: Status
    code: int
    enhanced: str
    text: str
    passed_on: bool = False


class Answer(NamedTuple):
    """The verdict on one recipient. `passed_on`: the next hop took over what the sender wants to hear."""

    address: str
    status: Status
    code: int
    enhanced: str
    text: str
    passed_on: bool = False

    @property
    def unreached(self) -> bool:
        """No transaction was begun: it is the next hop that is in trouble, not this message."""
        return self.code == 0 and self.enhanced in ("4.4.1", "4.7.4")


NO_ANSWER: Final = Verdict("deferred", 0, "4.4.2", "no answer")
NO_SMTPUTF8: Final = Verdict("failed", 0, "5.6.7", "an address needs SMTPUTF8, which the next hop does not offer")
NO_TLS: Final = Verdict("deferred", 0, "4.7.4", "TLS is required and the next hop does not offer it")
OUT_OF_STEP: Final = Verdict("deferred", 0, "4.5.0", "more replies than commands")


def of_reply(code: int, text: str, *, final: bool = False) -> Verdict:
    """`final`: this reply answers the end of the content. Any other 2xx is no delivery yet, and out of place where it is judged."""
    words = plain(text)
    match = _ENHANCED.match(words)
    status: Status = "delivered" if 200 <= code < 300 and final else "failed" if 500 <= code < 600 else "deferred"
    digit = {"delivered": "2", "failed": "5", "deferred": "4"}[status]
    enhanced = match[1] if match and match[1][0] == digit else f"{digit}.0.0" if str(code)[0] == digit else f"{digit}.5.0"
    return Verdict(status, code, enhanced, words[match.end() :].strip() if match else words)


def of_error(error: Exception) -> Verdict:
    """What broke, in a few words; always temporary."""
    if isinstance(error, SMTPConnectError) and isinstance(error, SMTPResponseException):
        return Verdict("deferred", 0, "4.4.1", plain(f"not welcome at the next hop: {error.code} {error.message}"))
    if isinstance(error, SMTPConnectError):
        return Verdict("deferred", 0, "4.4.1", "the next hop cannot be reached")
    if isinstance(error, SMTPTimeoutError | TimeoutError):
        return Verdict("deferred", 0, "4.4.2", "timed out")
    if isinstance(error, SMTPServerDisconnected | OSError):
        return Verdict("deferred", 0, "4.4.2", "connection lost")
    if isinstance(error, SMTPResponseException):
        return Verdict("deferred", 0, "4.5.0", plain(f"no sensible reply: {error.code} {error.message}"))
    return Verdict("deferred", 0, "4.3.0", "no sensible answer")


def plain(text: str) -> str:
    """On one line, without control characters, not too long."""
    return "".join(char if char.isprintable() else " " for char in text[: 4 * _LONGEST_TEXT])[:_LONGEST_TEXT].strip()
