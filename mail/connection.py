"""One connection to the next hop: greeting, TLS, one transaction after the other. aiosmtplib speaks, this decides.

Addresses and content go out as they are, checked by `mail.address` and stuffed by `mail.data`: no library reads them anew. A reply
counts only for the command that asked for it; one reply too many, and nothing said on this connection is believed any more.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, cast

import aiosmtplib
from aiosmtplib import SMTPException, SMTPHeloError, SMTPResponse, SMTPServerDisconnected

from mail.answer import NO_SMTPUTF8, NO_TLS, OUT_OF_STEP, Verdict, of_error, of_reply
from mail.data import stuffed
from mail.envelope import Notify, Wishes
from mail.parameters import xtext

_BROKEN: Final = (SMTPException, OSError, ValueError)
_UNSPEAKABLE: Final = re.compile(r"[\x00-\x20\x7f<>]")
_QUOTED: Final = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*"@[^\x00-\x20\x7f<>]+')
_BAD_ADDRESS: Final = Verdict("failed", 0, "5.1.3", "not an address that SMTP can carry")
_QUIT_SECONDS: Final = 2.0


class Tls(StrEnum):
    """STARTTLS towards the next hop. Opportunistic: taken where offered, whatever the certificate; in the clear where it fails."""

    NEVER = "never"
    OPPORTUNISTIC = "opportunistic"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Times in seconds.

    `final_seconds` for the reply to the end of the content (RFC 5321 4.5.3.2.6), `delivery_seconds` for all that one message needs, be it
    several transactions: shorter than an outbox's lease.
    """

    host: str
    port: int
    hostname: str = "localhost"
    tls: Tls = Tls.OPPORTUNISTIC
    concurrency: int = 10
    connect_seconds: float = 10.0
    reply_seconds: float = 120.0
    final_seconds: float = 600.0
    delivery_seconds: float = 1500.0
    idle_seconds: float = 60.0
    messages_per_connection: int = 100
    recipients_per_transaction: int = 100


class Outgoing(NamedTuple):
    """What one transaction carries. `content` with CR LF, not yet stuffed."""

    sender: str
    recipients: Sequence[str]
    content: bytes
    smtputf8: bool = False
    wishes: Wishes = Wishes()


class Refusal(Exception):  # noqa: N818 - says what is the case
    """The connection stands no transaction, for a reason that is no exception of the network."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.text)
        self.verdict = verdict


class Connection:
    """`used`: transactions so far; `rested_at`: when the last one ended, by the relay's clock."""

    def __init__(self, settings: RelaySettings, tls: ssl.SSLContext) -> None:
        self._settings = settings
        self._tls = tls
        self._client = self._fresh()
        self.used = 0
        self.rested_at = 0.0

    async def open(self) -> None:
        """Raises SMTPException, OSError, ValueError, Refusal."""
        await self._greet()
        if self._settings.tls is not Tls.NEVER:
            await self._secure()
        self._client.timeout = self._settings.reply_seconds

    async def rested(self) -> bool:
        """Whether it still stands after a pause. Never raises."""
        try:
            await self._client.rset(timeout=self._settings.connect_seconds)
        except _BROKEN:
            return False
        return self.usable

    @property
    def usable(self) -> bool:
        return self._client.is_connected and self._in_step() and self.used < self._settings.messages_per_connection

    async def transact(self, mail: Outgoing, said: dict[str, Verdict]) -> None:
        """MAIL, RCPT for each, DATA. Puts into `said` whatever it learns as it learns it; raises as `open` does."""
        self.used += 1
        verdict = await self._mail(mail)
        if verdict is None:
            accepted = await self._recipients(mail, said)
            if accepted:
                verdict = await self._content(mail.content)
                passed_on = verdict.status == "delivered" and self._client.supports_extension("dsn")
                said.update(dict.fromkeys(accepted, verdict._replace(passed_on=passed_on)))
        else:
            said.update(dict.fromkeys(mail.recipients, verdict))
        if self._client.is_connected and (verdict is None or verdict.status != "delivered"):
            await self._client.rset()

    async def close(self) -> None:
        """Never raises."""
        with suppress(*_BROKEN):
            if self._client.is_connected:
                await self._client.quit(timeout=_QUIT_SECONDS)
        self.drop()

    def drop(self) -> None:
        """At once, without a word: what a next hop that hangs has not taken yet must not keep the socket open."""
        transport = self._client.transport
        if transport is not None:
            cast("asyncio.WriteTransport", transport).abort()
        self._client.close()

    # ------------------------------------------------------------------------------------------------------ beginning

    def _fresh(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            local_hostname=settings.hostname,
            timeout=settings.connect_seconds,
            use_tls=False,
            start_tls=False,
        )

    async def _greet(self) -> None:
        await self._client.connect()
        try:
            await self._client.ehlo()
        except SMTPHeloError:
            await self._client.helo()

    async def _secure(self) -> None:
        required = self._settings.tls is Tls.REQUIRED
        if not self._client.supports_extension("starttls"):
            if required:
                raise Refusal(NO_TLS)
            return
        try:
            await self._client.starttls(tls_context=self._tls, server_hostname=self._settings.host)
            await self._client.ehlo()
        except _BROKEN:
            self.drop()
            if required:
                raise
            # A next hop whose TLS is broken gets its mail all the same, as from a sender that knows no TLS.
            self._client = self._fresh()
            await self._greet()

    # ----------------------------------------------------------------------------------------------------- transaction

    async def _mail(self, mail: Outgoing) -> Verdict | None:
        """None when the sender was accepted."""
        offers = self._client.supports_extension
        smtputf8 = mail.smtputf8 or not all(address.isascii() for address in (mail.sender, *mail.recipients))
        if not offers("smtputf8") and not mail.sender.isascii():
            return NO_SMTPUTF8
        if not _speakable(mail.sender):
            return _BAD_ADDRESS
        options = [f"SIZE={len(mail.content)}"] if offers("size") else []
        options += ["BODY=8BITMIME"] if not mail.content.isascii() and offers("8bitmime") else []
        options += ["SMTPUTF8"] if smtputf8 and offers("smtputf8") else []
        options += _of_message(mail.wishes) if offers("dsn") else []
        reply = await self._said(" ".join([f"MAIL FROM:<{mail.sender}>", *options]))
        return None if 200 <= reply.code < 300 else of_reply(reply.code, reply.message)

    async def _recipients(self, mail: Outgoing, said: dict[str, Verdict]) -> list[str]:
        accepted = []
        for address in mail.recipients:
            if not _speakable(address):
                said[address] = _BAD_ADDRESS
                continue
            if not address.isascii() and not self._client.supports_extension("smtputf8"):
                said[address] = NO_SMTPUTF8
                continue
            options = _of_recipient(mail.wishes.notify(address)) if self._client.supports_extension("dsn") else []
            reply = await self._said(" ".join([f"RCPT TO:<{address}>", *options]))
            if 200 <= reply.code < 300:
                accepted.append(address)
            else:
                said[address] = of_reply(reply.code, reply.message)
        return accepted

    async def _content(self, content: bytes) -> Verdict:
        reply = await self._said("DATA")
        if reply.code != 354:
            return of_reply(reply.code, reply.message)
        protocol = self._client.protocol
        if protocol is None:
            raise SMTPServerDisconnected("Connection lost")
        protocol.write(stuffed(content))
        reply = await protocol.read_response(timeout=self._settings.final_seconds)
        return of_reply(reply.code, reply.message, final=True)

    async def _said(self, command: str) -> SMTPResponse:
        if not self._in_step():
            raise Refusal(OUT_OF_STEP)
        reply = await self._client.execute_command(command.encode())
        if not self._in_step():
            raise Refusal(OUT_OF_STEP)
        return reply

    def _in_step(self) -> bool:
        """A reply that nobody asked for would be taken for the next command's, and a mail for delivered that never went."""
        protocol = self._client.protocol
        return protocol is None or not protocol._buffer  # noqa: SLF001 - the library keeps the surplus and does not tell


def _speakable(address: str) -> bool:
    """Whether it fits between angle brackets of a command line. The receiver has checked it long ago; this is the last gate."""
    return not _UNSPEAKABLE.search(address) or bool(_QUOTED.fullmatch(address))


def _of_message(wishes: Wishes) -> list[str]:
    """RFC 3461 4.3, 4.4."""
    return ([f"RET={wishes.ret}"] if wishes.ret else []) + ([f"ENVID={xtext(wishes.envelope_id)}"] if wishes.envelope_id else [])


def _of_recipient(notify: Notify) -> list[str]:
    """RFC 3461 4.1, 4.2."""
    return ([f"NOTIFY={','.join(notify.on)}"] if notify.on else []) + ([f"ORCPT={notify.original}"] if notify.original else [])


def verdict_of(error: Exception) -> Verdict:
    """Of anything that `open` and `transact` raise."""
    return error.verdict if isinstance(error, Refusal) else of_error(error)


def not_reached(error: Exception) -> Verdict:
    """Of anything that `open` raises: whatever it was, no transaction was begun."""
    verdict = verdict_of(error)
    return verdict if isinstance(error, Refusal) else verdict._replace(code=0, enhanced="4.4.1")


BROKEN: Final = (*_BROKEN, Refusal)
