"""Every reply that the receiver gives, in one table: code, enhanced code (RFC 3463), public text. What went wrong with us is for the log only."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Reply(NamedTuple):
    """One reply line. `enhanced` is empty where the RFC gives none (220, 221, 354, EHLO)."""

    code: int
    enhanced: str
    text: str

    def line(self, more: str = "") -> bytes:
        """As it goes over the wire."""
        words = [str(self.code), self.enhanced, self.text + more]
        return " ".join(word for word in words if word).encode("ascii", "replace") + b"\r\n"


class Trouble(Enum):
    """What a client is told, from best to worst."""

    OK = Reply(250, "2.0.0", "Ok")
    SENDER_OK = Reply(250, "2.1.0", "Sender ok")
    RECIPIENT_OK = Reply(250, "2.1.5", "Recipient ok")
    QUEUED = Reply(250, "2.0.0", "Ok: queued as ")
    CANNOT_VERIFY = Reply(252, "2.5.0", "Send some mail, I will try my best")
    BYE = Reply(221, "2.0.0", "Bye")
    GO_AHEAD = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
    READY_FOR_TLS = Reply(220, "2.0.0", "Ready to start TLS")
    CLOSING = Reply(421, "4.3.2", "Service is closing, come again")
    TIMED_OUT = Reply(421, "4.4.2", "Timed out, closing")
    TOO_SLOW = Reply(421, "4.4.2", "Too slow, closing")
    TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors, closing")
    TOO_MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections, come again")
    NOT_NOW = Reply(451, "4.3.0", "Not now, come again")
    FULL = Reply(452, "4.3.1", "No room now, come again")
    TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients")
    UNKNOWN_COMMAND = Reply(500, "5.5.2", "Command not recognised")
    LINE_TOO_LONG = Reply(500, "5.5.2", "Line too long")
    BARE_NEWLINE_COMMAND = Reply(500, "5.5.2", "Lines end with CR LF")
    SYNTAX = Reply(501, "5.5.4", "Syntax error in arguments")
    BAD_SENDER = Reply(501, "5.1.7", "Bad sender address")
    NO_SUCH_COMMAND = Reply(502, "5.5.1", "Command not implemented")
    BAD_SEQUENCE = Reply(503, "5.5.1", "Bad sequence of commands")
    NO_RECIPIENTS = Reply(554, "5.5.1", "No valid recipients")
    UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognised")
    NO_RELAY = Reply(550, "5.7.1", "Relaying denied")
    BARE_NEWLINE = Reply(550, "5.5.2", "Message has bare CR or LF")
    NUL = Reply(550, "5.6.0", "Message has NUL")
    TOO_LARGE = Reply(552, "5.3.4", "Message is larger than the limit")
    BAD_RECIPIENT = Reply(553, "5.1.3", "Bad recipient address")
    LOOP = Reply(554, "5.4.6", "Too many hops")
    EARLY_DATA = Reply(554, "5.5.0", "Data sent before the reply")
