"""The way over by mail, where nothing but SMTP is allowed between the sides: what travels is the body of a mail to one address.

The outer side gives it to its next hop and calls it delivered when that has it; whatever stands between keeps it as it keeps any mail. The
inner side reads it at its SMTP door by the very letters that the outer one writes: no parser of mails meets it. A server on the way may
add lines to the head; the body is base64 in lines of 76, and nothing else is one.
"""

from __future__ import annotations

import base64
import binascii
import email.utils
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

from gateway.crossing.papers import RefusedError
from gateway.crossing.pushing import CarryError, Load
from gateway.crossing.taking import Taking
from gateway.road.post import MailIntake
from mail.answer import Answer
from mail.connection import Outgoing
from mail.envelope import Envelope
from mail.intake import Incoming, Overloaded

_TYPE: Final = "application/vnd.sekisho.crossing"
_LINE: Final = 57       # octets that make 76 letters
_PIECE: Final = 1 << 16


class Deliverer(Protocol):
    """`mail.relay.Relay`."""

    async def deliver(self, mail: Outgoing) -> list[Answer]: ...


class ByMail:
    """The outer end (`pushing.Carrier`). `largest`: octets of a mail that the next hop takes. `clock`: seconds since 1970."""

    def __init__(self, relay: Deliverer, sender: str, address: str, *, largest: int, clock: Callable[[], float]) -> None:
        self._relay = relay
        self._sender = sender
        self._address = address
        self._largest = largest
        self._clock = clock

    async def carry(self, load: Load) -> None:
        if load.length * 78 // _LINE + 4_096 > self._largest:
            raise CarryError(f"too large for a mail: {load.length} octets")
        whole = b"".join([piece async for piece in load.chunks()])
        (answer,) = await self._relay.deliver(Outgoing(self._sender, [self._address], self._written(whole)))
        if answer.status != "delivered":
            raise CarryError(f"{answer.code} {answer.enhanced} {answer.text}"[:300])

    def _written(self, whole: bytes) -> bytes:
        host = self._sender.rpartition("@")[2]
        head = {
            "From": self._sender,
            "To": self._address,
            "Subject": "sekisho crossing",
            "Date": email.utils.formatdate(self._clock()),
            "Message-ID": f"<{secrets.token_hex(16)}@{host}>",
            "Auto-Submitted": "auto-generated",
            "MIME-Version": "1.0",
            "Content-Type": _TYPE,
            "Content-Transfer-Encoding": "base64",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items()).encode("ascii")
        return lines + b"\r\n" + base64.encodebytes(whole).replace(b"\n", b"\r\n")

    async def close(self) -> None:
        """The relay is the post's."""


class Sorting:
    """The inner end: an intake (`mail.intake.Intake`) that takes mail to `address` as what came over, and leaves all other to `others`."""

    def __init__(self, taking: Taking, address: str, others: MailIntake, *, largest: int) -> None:
        self._taking = taking
        self._address = address.lower()
        self._others = others
        self._largest = largest

    def accepts(self, recipient: str) -> bool:
        return recipient.lower() == self._address or self._others.accepts(recipient)

    def knows(self, recipient: str) -> bool:
        return recipient.lower() == self._address or self._others.knows(recipient)

    def admits(self, recipient: str) -> bool:
        return recipient.lower() == self._address or self._others.admits(recipient)

    async def begin(self, envelope: Envelope) -> Incoming:
        """Raises Overloaded: also for a mail to that address and to others, which no outer side sends."""
        if self._address not in {one.lower() for one in envelope.recipients}:
            return await self._others.begin(envelope)
        if len(envelope.recipients) != 1:
            raise Overloaded("one at a time")
        return _Package(self._taking, envelope.client_ip, self._largest)


class _Package:
    """One on its way in (`mail.intake.Incoming`), in memory: the door's size limit bounds it."""

    def __init__(self, taking: Taking, via: str, largest: int) -> None:
        self._taking = taking
        self._via = via
        self._largest = largest
        self._content = bytearray()

    async def write(self, chunk: bytes) -> None:
        if len(self._content) + len(chunk) > self._largest:
            raise Overloaded("larger than any")
        self._content += chunk

    async def commit(self) -> str:
        """Raises RefusedError: then the client is told to come again, and somebody is called."""
        taken = await self._taking.take(_unpacked(bytes(self._content)), via=self._via, file=False)
        return taken.crossing[:16]

    async def abort(self) -> None:
        self._content.clear()


async def _unpacked(message: bytes) -> AsyncIterator[bytes]:
    """The body, without its letters. Raises RefusedError."""
    _, empty, body = message.partition(b"\r\n\r\n")
    if not empty:
        raise RefusedError("format", "a mail without a body")
    try:
        whole = base64.b64decode(body.replace(b"\r\n", b""), validate=True)
    except binascii.Error:
        raise RefusedError("format", "not what an outer side sends") from None
    for start in range(0, len(whole), _PIECE):
        yield whole[start : start + _PIECE]
