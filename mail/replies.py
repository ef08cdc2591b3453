"""Every reply that the receiver gives, in one table: code, enhanced code (RFC 3463), public text, private reason.

The public text is ASCII and says nothing of our inside; the reason is for the log only. The table goes from good to grave: where a
message has several flaws, the client is told the gravest, so that what can never be accepted is not tried again.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple


class Reply(NamedTuple):
    """One reply line. `enhanced` is empty where the RFC gives none (220, 354)."""

    code: int
    enhanced: str
    text: str
    reason: str = ""

    def line(self, more: str = "") -> bytes:
        """As it goes over the wire; `more` is added to the text."""
        return _encoded(self, more) if more else _alone(self)


@lru_cache(256)
def _alone(reply: Reply) -> bytes:
    return _encoded(reply, "")


def _encoded(reply: Reply, more: str) -> bytes:
    words = (str(reply.code), reply.enhanced, reply.text + more)
    return " ".join(word for word in words if word).encode("ascii", "replace") + b"\r\n"


HANG_UP: Final = Reply(0, "", "", "the connection is closed without a word")


class Trouble(Enum):
    """What a client is told, from good to grave."""

    OK = Reply(250, "2.0.0", "Ok")
    SENDER_OK = Reply(250, "2.1.0", "Sender ok")
    RECIPIENT_OK = Reply(250, "2.1.5", "Recipient ok")
    QUEUED = Reply(250, "2.0.0", "Ok: queued as ")
    CANNOT_VERIFY = Reply(252, "2.5.0", "Send some mail, I will try my best")
    BYE = Reply(221, "2.0.0", "Bye")
    GO_AHEAD = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
    READY_FOR_TLS = Reply(220, "2.0.0", "Ready to start TLS")

    CLOSING = Reply(421, "4.3.2", "Service is closing, come again", "the service stops")
    TIMED_OUT = Reply(421, "4.4.2", "Timed out, closing", "the client said nothing for too long")
    TOO_SLOW = Reply(421, "4.4.2", "Too slow, closing", "the content came below the least rate or past its deadline")
    TOO_MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections, come again", "limit of connections, of all or of this client")
    TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors, closing", "limit of errors or of idle commands in one session")
    TOO_MANY_MESSAGES = Reply(450, "4.7.1", "Too many messages, come again", "limit of messages a minute from this client")
    NOT_NOW = Reply(451, "4.3.0", "Not now, come again", "the intake failed")
    FULL = Reply(452, "4.3.1", "No room now, come again", "the intake has no room")
    TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients", "limit of recipients of one message")

    UNKNOWN_COMMAND = Reply(500, "5.5.2", "Command not recognised", "no such verb")
    LINE_TOO_LONG = Reply(500, "5.5.2", "Line too long", "a command line past the limit")
    BARE_NEWLINE_COMMAND = Reply(500, "5.5.2", "Lines end with CR LF", "CR, LF or NUL alone in a command line")
    SYNTAX = Reply(501, "5.5.4", "Syntax error in arguments", "an argument that is not of the form")
    BAD_SENDER = Reply(501, "5.1.7", "Bad sender address", "a reverse-path that is not of the form")
    NO_SUCH_COMMAND = Reply(502, "5.5.1", "Command not implemented", "a verb that is not offered")
    BAD_SEQUENCE = Reply(503, "5.5.1", "Bad sequence of commands", "a verb out of turn")
    NO_RECIPIENTS = Reply(554, "5.5.1", "No valid recipients", "DATA without an accepted recipient")
    UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognised", "an ESMTP parameter that is not offered")
    BAD_RECIPIENT = Reply(553, "5.1.3", "Bad recipient address", "a forward-path that is not of the form")
    NO_SUCH_RECIPIENT = Reply(550, "5.1.1", "No such recipient here", "a recipient that is in no list of ours")
    NO_MAIL = Reply(550, "5.7.1", "Delivery to this recipient is not authorized", "a person who may not receive mail")
    NO_RELAY = Reply(550, "5.7.1", "Relaying denied", "a recipient that is not ours")
    TOO_LARGE = Reply(552, "5.3.4", "Message is larger than the limit", "declared or sent octets past the limit")
    BARE_NEWLINE = Reply(550, "5.5.2", "Message has bare CR or LF", "a line end in the content that is not CR LF")
    NUL = Reply(550, "5.6.0", "Message has NUL", "a NUL octet in the content")
    LOOP = Reply(554, "5.4.6", "Too many hops", "limit of Received fields")
    EARLY_DATA = Reply(554, "5.5.0", "Data sent before the reply", "the client did not wait where it has to")


def gravest(troubles: Iterable[Trouble]) -> Trouble:
    """The last of them in the order of the table. At least one is needed."""
    order = list(Trouble)
    return max(troubles, key=order.index)
