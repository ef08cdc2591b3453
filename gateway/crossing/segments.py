"""Which half of the road this installation is: both, or the outer one that hands over, or the inner one that takes in; by its settings.

    both     [crossing] says nothing
    outer    to = "https://inner.example.jp:8443", a folder or "mailto:…"       what is released goes there; bounces alone leave by post
    inner    listen = "10.0.0.5:8443", folder = "…" or address = "…"            what comes from there goes on by post, to shares and boxes
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway import config, receipts
from gateway.config import Config, ConfigError
from gateway.crossing.folder import FromFolder, IntoFolder
from gateway.crossing.letter import ByMail, Deliverer, Sorting
from gateway.crossing.line import Certificates, Gate, Line, client_context, server_context
from gateway.crossing.pushing import Carrier, Pushing
from gateway.crossing.taking import Taking, Terms
from gateway.model import BOUNCES, BY_POST, TO_SHARES, Lane, Way, Zone
from gateway.receipts import ReceiptError, Signer
from gateway.road.post import MailIntake
from gateway.shares.courier import Courier
from gateway.shares.document import Share
from gateway.storage.blobs import Blobs
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.telemetry import log
from gateway.web.face import Listener
from mail.intake import Intake
from mail.retry import Schedule

_log = log.get(__name__)

_FORGET_SECONDS: Final = 3600.0


def lane(settings: Config) -> Lane:
    """Raises ConfigError: nothing goes into the zone of the individual numbers, and nothing from a zone into itself."""
    source, target = settings["lane.source"], settings["lane.target"]
    if settings["lane.target_class"] == "mynumber":
        raise ConfigError("lane.target_class: マイナンバー利用事務系へは何も通さない / nothing is let into that zone")
    if source == target:
        raise ConfigError(f"lane.target: the same as lane.source, {source!r}")
    return Lane(name=settings["lane.name"], source=Zone(name=source), target=Zone(name=target))


def crosses(settings: Config) -> bool:
    """Whether the inner side is another installation."""
    return bool(settings["crossing.to"])


def post_way(settings: Config) -> Way:
    """What the post of this side takes out."""
    return Way(BOUNCES) if crosses(settings) else Way(BY_POST, settings["lane.hold"])


def certificates(settings: Config) -> Certificates:
    """What this side shows the other. Raises ConfigError."""
    for name in ("crossing.certificate", "crossing.authority"):
        if not settings[name]:
            raise ConfigError(f"{name}: must be set where there is a line to the other side")
    key = settings.path("crossing.key") if settings["crossing.key"] else None
    return Certificates(settings.path("crossing.certificate"), key, settings.path("crossing.authority"))


def pushing(
    settings: Config, journal: Journal, blobs: Blobs, signer: Signer, *, relay: Deliverer, clock: Callable[[], float]
) -> Pushing:
    """The outer half. Raises ConfigError."""
    schedule = Schedule(settings["relay.retry"], settings["relay.expire"])
    return Pushing(
        journal, blobs, _carrier(settings, relay, clock), signer, lane(settings), schedule=schedule, hold=settings["lane.hold"], clock=clock
    )


def _carrier(settings: Config, relay: Deliverer, clock: Callable[[], float]) -> Carrier:
    where: str = settings["crossing.to"]
    if where.startswith("mailto:"):
        sender = settings["relay.notice_sender"] or f"postmaster@{settings['smtp.domains'][0]}"
        return ByMail(relay, sender, where.removeprefix("mailto:"), largest=settings["smtp.size_limit"], clock=clock)
    if not where.startswith("https://"):
        if "://" in where:
            raise ConfigError("crossing.to: https://host:port, mailto:address, or a folder")
        return IntoFolder(settings.path("crossing.to"))
    files = certificates(settings)
    _proved(lambda: client_context(files))
    return Line(where, lambda: client_context(files))


def keys(settings: Config) -> dict[str, Ed25519PublicKey]:
    """The outer sides that are believed, by the ids of their keys. Raises ConfigError."""
    found = {}
    for name in settings["crossing.keys"]:
        try:
            key = receipts.public((settings.folder / name).read_bytes())
        except (OSError, ReceiptError) as error:
            raise ConfigError(f"crossing.keys: {name}: {error}") from None
        found[receipts.key_id(key)] = key
    return found


def receipt_keys(settings: Config, signer: Signer) -> Mapping[str, Ed25519PublicKey]:
    """Whose receipts a file may have that leaves this side."""
    return {signer.id: receipts.public(signer.public_key)} | keys(settings)


class Inner:
    """The inner half. Raises ConfigError."""

    def __init__(
        self,
        settings: Config,
        journal: Journal,
        blobs: Blobs,
        *,
        ready: Callable[[], Awaitable[list[str]]],
        let_in: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        believed = keys(settings)
        if not believed:
            raise ConfigError("crossing.keys: the inner side must know whom to believe")
        largest: int = settings["crossing.largest"]
        terms = Terms(believed, lane(settings), settings["crossing.window"], largest)
        self._settings = settings
        self._taking = Taking(journal, blobs, terms, clock=clock, let_in=let_in)
        self._gate = Gate(self._taking, settings["crossing.clients"], ready, largest=largest)

    def listener(self) -> Listener | None:
        """Not started; None where no line leads here."""
        if not self._settings["crossing.listen"]:
            return None
        files = certificates(self._settings)
        tls = _proved(lambda: server_context(files))
        return Listener(self._gate.application, config.address(self._settings["crossing.listen"]), tls=tls)

    def intake(self, others: MailIntake) -> Intake:
        """The SMTP door's, where the outer side hands over there."""
        address = self._settings["crossing.address"]
        return Sorting(self._taking, address, others, largest=self._settings["smtp.size_limit"]) if address else others

    def chores(self) -> list[Coroutine[None, None, None]]:
        """What ends at once when the service stops."""
        folder = self._settings["crossing.folder"]
        taking = [FromFolder(self._settings.path("crossing.folder"), self._taking).run()] if folder else []
        return [self._forgetting(), *taking]

    async def _forgetting(self) -> None:
        while True:
            try:
                await self._taking.forget()
            except StorageError as error:
                _log.error("old papers cannot be forgotten", error=str(error))
            await asyncio.sleep(_FORGET_SECONDS)


class Ways:
    """All ways out and in beside the post: to the shares or over to the inner side, and from the outer one. Raises ConfigError.

    `let_in` is told that something came over; the post may have to send it on.
    """

    def __init__(
        self,
        settings: Config,
        journal: Journal,
        blobs: Blobs,
        signer: Signer,
        shares: Mapping[str, Share],
        *,
        roles: frozenset[str],
        relay: Deliverer,
        ready: Callable[[], Awaitable[list[str]]],
        let_in: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._pushing = self._courier = self._inner = None
        if "deliver" in roles and crosses(settings):
            self._pushing = pushing(settings, journal, blobs, signer, relay=relay, clock=clock)
        elif "deliver" in roles and shares:
            schedule = Schedule(settings["relay.retry"], settings["relay.expire"])
            believed, way = receipt_keys(settings, signer), Way(TO_SHARES, settings["lane.hold"])
            self._courier = Courier(journal, blobs, shares, schedule=schedule, public_key=believed, way=way, clock=clock)
        if "gate" in roles and any(settings[f"crossing.{way}"] for way in ("listen", "folder", "address")):
            self._inner = Inner(settings, journal, blobs, ready=ready, let_in=let_in, clock=clock)

    def wake(self) -> None:
        """Something was released."""
        for one in (self._pushing, self._courier):
            if one is not None:
                one.wake()

    def drain(self) -> None:
        for one in (self._pushing, self._courier):
            if one is not None:
                one.drain()

    def work(self) -> list[Coroutine[None, None, None]]:
        """What ends by itself after `drain`."""
        return [one.run() for one in (self._pushing, self._courier) if one is not None]

    def chores(self) -> list[Coroutine[None, None, None]]:
        return [] if self._inner is None else self._inner.chores()

    def intake(self, others: MailIntake) -> Intake:
        """What the SMTP door hands mail to: `others`, or a sorting one before it."""
        return others if self._inner is None else self._inner.intake(others)

    def listeners(self) -> list[Listener]:
        """Not started."""
        listener = None if self._inner is None else self._inner.listener()
        return [] if listener is None else [listener]


def _proved(make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    try:
        return make()
    except OSError as error:        # ssl.SSLError is one
        raise ConfigError(f"crossing.certificate: {error}") from None


def shown(settings: Config) -> dict[str, Path]:
    """The certificate that this side shows the other, by its use."""
    return {"crossing": settings.path("crossing.certificate")} if settings["crossing.certificate"] else {}
