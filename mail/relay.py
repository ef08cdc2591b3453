"""SMTP out: one message to the next hop, and what it said about each recipient.

Anything that is not a clear 2xx or 5xx of the next hop is temporary: a lost connection, a time-out, an answer that makes no sense. Where the
connection breaks after the last dot the message may have arrived; it is tried again, because a duplicate is better than a loss.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import aiosmtplib
from aiosmtplib import SMTPConnectError, SMTPException, SMTPResponseException, SMTPServerDisconnected, SMTPTimeoutError

from mail.outbox import Status

_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\s+")
_LONGEST_TEXT: Final = 500
_KEPT_CONNECTIONS: Final = 4
_MESSAGES_PER_CONNECTION: Final = 100


class Tls(StrEnum):
    """STARTTLS towards the next hop."""

    NEVER = "never"
    OPPORTUNISTIC = "opportunistic"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Times in seconds."""

    host: str
    port: int
    hostname: str = "localhost"
    tls: Tls = Tls.OPPORTUNISTIC
    concurrency: int = 10
    connect_seconds: float = 10.0
    reply_seconds: float = 300.0


class Answer(NamedTuple):
    """The next hop's word on one recipient. `code` 0: it never got to speak."""

    address: str
    status: Status
    code: int
    enhanced: str
    text: str


class Relay:
    """Delivers to one next hop; connections are kept for the next message."""

    def __init__(self, settings: RelaySettings, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._kept: list[tuple[aiosmtplib.SMTP, int]] = []

    async def deliver(self, sender: str, recipients: Sequence[str], message: bytes, *, smtputf8: bool = False) -> list[Answer]:
        """One answer per recipient, in their order. Never raises for what the next hop or the network does."""
        async with self._slots:
            try:
                client, used = await self._connection()
            except (SMTPException, OSError, ValueError) as error:
                return _all(recipients, _told(error))
            transaction = _Transaction(client, list(recipients))
            try:
                await transaction.run(sender, message, smtputf8=smtputf8)
            except (SMTPException, OSError, ValueError) as error:
                await _end(client)
                return transaction.answers(_told(error))
            await self._keep(client, used + 1)
            return transaction.answers()

    async def close(self) -> None:
        """Ends the kept connections."""
        while self._kept:
            await _end(self._kept.pop()[0])

    async def _connection(self) -> tuple[aiosmtplib.SMTP, int]:
        while self._kept:
            client, used = self._kept.pop()
            try:
                await client.rset(timeout=self._settings.connect_seconds)
            except (SMTPException, OSError):
                await _end(client)
                continue
            return client, used
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            local_hostname=settings.hostname,
            timeout=settings.connect_seconds,
            use_tls=False,
            start_tls={Tls.NEVER: False, Tls.REQUIRED: True}.get(settings.tls),
            tls_context=self._tls,
            validate_certs=self._tls is None and settings.tls is Tls.REQUIRED,
        )
        await client.connect()
        client.timeout = settings.reply_seconds
        return client, 0

    async def _keep(self, client: aiosmtplib.SMTP, used: int) -> None:
        if used < _MESSAGES_PER_CONNECTION and len(self._kept) < _KEPT_CONNECTIONS and client.is_connected:
            self._kept.append((client, used))
        else:
            await _end(client)


class _Transaction:
    """MAIL, RCPT for each, DATA: what was said so far, whatever breaks."""

    def __init__(self, client: aiosmtplib.SMTP, recipients: list[str]) -> None:
        self._client = client
        self._recipients = recipients
        self._said: dict[str, Answer] = {}

    async def run(self, sender: str, message: bytes, *, smtputf8: bool) -> None:
        options = [f"SIZE={len(message)}"] if self._client.supports_extension("size") else []
        if smtputf8:
            options.append("SMTPUTF8")
        encoding = "utf-8" if smtputf8 else "ascii"
        try:
            await self._client.mail(sender, options=options, encoding=encoding)
        except SMTPResponseException as error:
            self._all_still_waiting(_classified(error.code, error.message))
            await self._client.rset()
            return
        accepted = [address for address in self._recipients if await self._recipient(address, encoding)]
        if not accepted:
            await self._client.rset()
            return
        try:
            reply = await self._client.data(message)
        except SMTPResponseException as error:
            self._all_still_waiting(_classified(error.code, error.message))
            return
        self._all_still_waiting(_classified(reply.code, reply.message))

    def answers(self, otherwise: tuple[Status, int, str, str] | None = None) -> list[Answer]:
        """`otherwise`: for recipients about whom nothing was said."""
        missing = otherwise or ("deferred", 0, "4.4.2", "no answer")
        return [self._said.get(address) or Answer(address, *missing) for address in self._recipients]

    async def _recipient(self, address: str, encoding: str) -> bool:
        try:
            await self._client.rcpt(address, encoding=encoding)
        except SMTPResponseException as error:
            self._said[address] = Answer(address, *_classified(error.code, error.message))
            return False
        return True

    def _all_still_waiting(self, said: tuple[Status, int, str, str]) -> None:
        for address in self._recipients:
            self._said.setdefault(address, Answer(address, *said))


def _all(recipients: Sequence[str], said: tuple[Status, int, str, str]) -> list[Answer]:
    return [Answer(address, *said) for address in recipients]


def _classified(code: int, message: str) -> tuple[Status, int, str, str]:
    """Status, code, enhanced code, text without control characters."""
    text = "".join(char if char.isprintable() else " " for char in message)[:_LONGEST_TEXT].strip()
    match = _ENHANCED.match(text)
    status: Status = "delivered" if 200 <= code < 300 else "failed" if 500 <= code < 600 else "deferred"
    enhanced = match[1] if match and match[1][0] == str(code)[0] else f"{str(code)[0]}.0.0" if 200 <= code < 600 else "4.0.0"
    return status, code, enhanced, text[match.end() :] if match else text


def _told(error: Exception) -> tuple[Status, int, str, str]:
    """What broke, in a few words; always temporary, except an address that cannot be written to this next hop."""
    if isinstance(error, SMTPTimeoutError | TimeoutError):
        return "deferred", 0, "4.4.2", "timed out"
    if isinstance(error, SMTPServerDisconnected):
        return "deferred", 0, "4.4.2", "connection lost"
    if isinstance(error, SMTPConnectError | OSError):
        return "deferred", 0, "4.4.1", "cannot be reached"
    if isinstance(error, UnicodeEncodeError):
        return "failed", 0, "5.6.7", "address needs SMTPUTF8"
    return "deferred", 0, "4.3.0", "no sensible answer"


async def _end(client: aiosmtplib.SMTP) -> None:
    with suppress(SMTPException, OSError):
        await client.quit(timeout=2)
    client.close()
