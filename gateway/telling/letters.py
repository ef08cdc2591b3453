"""Mails of the house that speak of no transfer: reports, reminders, calls for somebody. Written down with what they are about, then sent.

    letter = written("kakari@town.example.jp", Words("…", "…"), ["日本語の本文", "English body"], office, at, about="IN-2026-0001")
    await journal.write(lambda connection: rows.queue(connection, ["kakari@town.example.jp"], letter, about="IN-2026-0001", at=at))

`LettersOutbox` is what a `mail.queue.Queue` sends from: the same retries, the same next hop, and no bounce, for nobody is the sender.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from gateway.storage import letters as rows
from gateway.storage.faults import LeaseLostError
from gateway.storage.journal import Journal
from gateway.storage.letters import Letter
from gateway.telling import notices
from gateway.telling.notices import Office, Words
from mail.outbox import Delivery, Recipient, Result

# Longer than the slowest conversation that the relay allows itself.
_LEASE_SECONDS: Final = 1800.0


class Enclosure(NamedTuple):
    """A file that goes with a letter. `name` is ASCII."""

    name: str
    media_type: str
    content: bytes


def written(
    address: str, subject: Words, bodies: Sequence[str], office: Office, at: float, *, about: str, enclosed: Sequence[Enclosure] = ()
) -> bytes:
    """To one person: RFC 5322, ASCII, CRLF. `about` goes into the message id, hashed."""
    mark = hashlib.sha256(f"{about} {address} {at}".encode()).hexdigest()[:24]
    head = [*notices.opening(address, subject, office, at), ("Message-ID", f"<{mark}.letter@{office.hostname}>")]
    if not enclosed:
        return notices.written(head, bodies)
    boundary = f"=_{mark}"
    first = notices.written([], bodies).removeprefix(b"MIME-Version: 1.0\r\n")
    parts = [first, *(_part(one) for one in enclosed)]
    head += [("MIME-Version", "1.0"), ("Content-Type", f'multipart/mixed; boundary="{boundary}"')]
    opened = "".join(f"{name}: {value}\r\n" for name, value in head).encode("ascii")
    cut = f"--{boundary}".encode()
    return opened + b"\r\n" + b"".join(cut + b"\r\n" + part + b"\r\n" for part in parts) + cut + b"--\r\n"


def _part(one: Enclosure) -> bytes:
    head = (
        f'Content-Type: {one.media_type}; name="{one.name}"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="{one.name}"\r\n\r\n'
    )
    return head.encode("ascii") + base64.encodebytes(one.content).replace(b"\n", b"\r\n")


class LettersOutbox:
    """What the journal has of letters, in the post's words (`mail.outbox.Outbox`)."""

    def __init__(self, journal: Journal, *, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._clock = clock
        self._leased: dict[str, Letter] = {}

    async def claim(self, limit: int, now: float) -> list[Delivery]:
        claimed = await self._journal.write(lambda connection: rows.claim(connection, limit, now, now + _LEASE_SECONDS))
        self._leased |= {letter.token: letter for letter in claimed}
        return [_as_mail(letter) for letter in claimed]

    async def read(self, delivery: Delivery) -> bytes:
        letter = self._known(delivery)
        return await self._journal.ask(lambda connection: rows.content(connection, letter.id))

    async def settle(self, delivery: Delivery, results: Sequence[Result], notice: bytes | None) -> None:  # noqa: ARG002 - nobody to tell
        """Raises LeaseLostError when the lease ran out."""
        letter, at = self._known(delivery), self._clock()
        result = results[0] if results else Result(letter.recipient, "deferred", 0, "4.3.0", "no answer", retry_at=at + 60.0)
        state = {"delivered": rows.DELIVERED, "failed": rows.FAILED, "deferred": rows.WAITING}[result.status]
        again = (result.retry_at or at + 60.0) if result.status == "deferred" else None
        text = f"{result.code} {result.enhanced} {result.text}"
        await self._end(delivery, self._journal.write(lambda connection: rows.settle(connection, letter, state, text, again=again, at=at)))

    async def next_due(self) -> float | None:
        return await self._journal.ask(rows.next_due)

    async def release(self, delivery: Delivery) -> None:
        letter = self._known(delivery)
        await self._end(delivery, self._journal.write(lambda connection: rows.give_back(connection, letter)))

    async def _end(self, delivery: Delivery, step: Awaitable[None]) -> None:
        """The lease is over with this step, or was before; if the journal fails, the post may come again."""
        try:
            await step
        except LeaseLostError:
            del self._leased[delivery.id]
            raise
        del self._leased[delivery.id]

    def _known(self, delivery: Delivery) -> Letter:
        try:
            return self._leased[delivery.id]
        except KeyError:
            raise LeaseLostError(delivery.id) from None


def _as_mail(letter: Letter) -> Delivery:
    return Delivery(
        id=letter.token,
        receipt_no=letter.about,
        sender="",
        recipients=(Recipient(letter.recipient, letter.attempts),),
        first_at=letter.first_at,
        size=letter.size,
        smtputf8=not letter.recipient.isascii(),
    )
