"""SMTP out: one message to the next hop, and what it said about each recipient.

Where the connection breaks after the last dot the message may have arrived; it is tried again, because a duplicate is better than a
loss.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence

from mail.answer import NO_ANSWER, Answer, Verdict
from mail.connection import BROKEN, Connection, Outgoing, RelaySettings, Tls, not_reached, verdict_of

__all__ = ["Outgoing", "Relay", "RelaySettings", "Tls"]


class Relay:
    """Delivers to one next hop, over as many connections at a time as its settings allow; they are kept for the next message.

    `tls`: how to judge the next hop. Without it the system's authorities are trusted where TLS is required, and no name is looked
    at where not.
    """

    def __init__(self, settings: RelaySettings, tls: ssl.SSLContext | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._tls = tls or _context(settings.tls)
        self._clock = clock
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._resting: list[Connection] = []

    async def deliver(self, mail: Outgoing) -> list[Answer]:
        """One answer per recipient, in their order. Never raises for what the next hop or the network does."""
        said: dict[str, Verdict] = {}
        waiting = list(dict.fromkeys(mail.recipients))
        most = self._settings.recipients_per_transaction
        otherwise = NO_ANSWER
        async with self._slots:
            deadline = asyncio.get_running_loop().time() + self._settings.delivery_seconds
            while waiting:
                batch, waiting = waiting[:most], waiting[most:]
                broken = await self._transaction(mail._replace(recipients=batch), said, deadline)
                if broken is not None:
                    otherwise = broken
                    break
                spill = _too_many(batch, said)
                if spill:
                    # RFC 5321 4.5.3.1.10: these were not refused, they only come with the next transaction.
                    waiting, most = spill + waiting, len(batch) - len(spill)
        return [Answer(address, *said.get(address, otherwise)) for address in mail.recipients]

    async def close(self) -> None:
        """Ends the kept connections."""
        while self._resting:
            await self._resting.pop().close()

    async def _transaction(self, mail: Outgoing, said: dict[str, Verdict], deadline: float) -> Verdict | None:
        """What broke, if anything did: it is the answer for all about whom nothing was said."""
        connection = None
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self._connection()
                await connection.transact(mail, said)
        except BROKEN as error:
            if connection is None:
                return not_reached(error)
            connection.drop()
            return verdict_of(error)
        except asyncio.CancelledError:
            if connection is not None:
                connection.drop()
            raise
        await self._keep(connection)
        return None

    async def _connection(self) -> Connection:
        while self._resting:
            connection = self._resting.pop()
            if self._clock() - connection.rested_at < self._settings.idle_seconds and await connection.rested():
                return connection
            connection.drop()
        connection = Connection(self._settings, self._tls)
        try:
            await connection.open()
        except BaseException:
            connection.drop()
            raise
        return connection

    async def _keep(self, connection: Connection) -> None:
        if not connection.usable:
            await connection.close()
            return
        connection.rested_at = self._clock()
        self._resting.append(connection)


def _too_many(batch: Sequence[str], said: dict[str, Verdict]) -> list[str]:
    """Those who got 452 only because others were accepted before them; the next transaction overwrites it."""
    spill = [address for address in batch if said[address].code == 452 and said[address].enhanced in ("4.5.3", "4.0.0")]
    if not spill or len(spill) == len(batch) or not any(said[address].status == "delivered" for address in batch):
        return []
    return spill


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if tls is not Tls.REQUIRED:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
