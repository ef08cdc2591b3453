"""What looks after the house by itself: registers, the audit record and its anchors, retention, reports, letters. One place joins it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509

from gateway.auditing.anchors import Anchoring, Place
from gateway.auditing.inspections import Customs
from gateway.auditing.investigations import Investigations
from gateway.auditing.places import FilePlace, SyslogPlace, TimestampPlace
from gateway.auditing.retention import Kept, Retention
from gateway.auditing.verification import Verification
from gateway.config import Config, ConfigError
from gateway.overview import Light
from gateway.registers.escalation import Escalation
from gateway.registers.incidents import Incidents, Kind
from gateway.registers.reminders import Reminders
from gateway.registers.reviews import Reviews
from gateway.registers.watch import Watch
from gateway.reports import kinds
from gateway.reports.reporting import Reporting, Times
from gateway.storage.journal import Journal
from gateway.telling.letters import LettersOutbox
from gateway.telling.notices import Office
from mail.queue import Deliverer, Queue, QueueSettings

_SYSLOG_PORT = 514


class Caretaking:
    """Everything that needs no transfer to be at work. `relay` carries its letters; `clock`: seconds since 1970."""

    def __init__(
        self, settings: Config, journal: Journal, office: Office, clock: Callable[[], float], *, relay: Deliverer, queue: QueueSettings
    ) -> None:
        self.journal, self.office, self.clock = journal, office, clock
        self.letters = Queue(LettersOutbox(journal, clock=clock), relay, queue, clock)
        self.incidents = Incidents(journal, clock)
        self.customs = customs(settings)
        self.kept = Kept(settings["retention.audit"], settings["retention.documents"], settings["retention.transfers"])
        self.reviews = Reviews(journal, clock, self.customs)
        self.anchoring = Anchoring(
            journal, places(settings, clock), clock, organisation=office.organisation, every=settings["audit.anchor_every"],
            trusted=trusted(settings),
        )  # fmt: skip
        self.verification = Verification(journal, self.anchoring, clock, at=settings["audit.verify_at"], broken=self._broken)
        self.investigations = Investigations(journal, clock)
        self.retention = Retention(journal, self.kept, clock)
        to = {kind: tuple(settings[f"reports.{kind}"]) for kind in kinds.Kind}
        times = Times(settings["reports.at"], to)
        self.reporting = Reporting(journal, office, self.reviews, clock, times, prove=self.verification.fresh, told=self.letters.wake)
        self._escalation = Escalation(journal, office, clock, self.letters.wake, page=settings["admin.url"])
        self._reminders = Reminders(journal, self.reviews, office, clock, self.letters.wake)

    async def _broken(self, why: str) -> None:
        await self.incidents.alert(Kind.RECORD, why)

    def chores(self, lights: Callable[[], Awaitable[Sequence[Light]]] | None) -> list[Coroutine[Any, Any, None]]:
        """What ends at once when the service stops. `lights`: None on a node that does not look after the others."""
        watch = [] if lights is None else [Watch(self.incidents, lights, self._halted).run()]
        return [
            self.anchoring.run(), self.verification.run(), self.reporting.run(), self._escalation.run(), self._reminders.run(), *watch,
        ]  # fmt: skip

    async def _halted(self) -> bool:
        return bool(await self.journal.halted())


def customs(settings: Config) -> Customs:
    """Raises ConfigError."""
    hours = settings["audit.hours"]
    if len(hours) != 2 or hours[0] >= hours[1]:
        raise ConfigError("audit.hours: must be two times of day, the first before the second")
    return Customs(hours[0], hours[1], settings["audit.failures"], settings["audit.downloads"], _closed(settings["audit.closed"]))


def _closed(given: Sequence[str]) -> frozenset[tuple[int, int]]:
    """Month and day of each. Raises ConfigError."""
    try:
        # In a year that has a 29th of February.
        days = [dt.date.fromisoformat(f"2000-{one}") for one in given]
    except ValueError:
        raise ConfigError("audit.closed: must be days of the year, as 12-29") from None
    return frozenset((day.month, day.day) for day in days)


def places(settings: Config, clock: Callable[[], float]) -> list[Place]:
    """Where the record is anchored. Raises ConfigError."""
    found: list[Place] = []
    if settings["audit.anchor_file"]:
        found.append(FilePlace(Path(settings.path("audit.anchor_file"))))
    if where := settings["audit.anchor_syslog"]:
        found.append(_syslog(where, settings["service.hostname"], clock))
    if url := settings["audit.anchor_timestamp"]:
        if not url.startswith(("http://", "https://")):
            raise ConfigError("audit.anchor_timestamp: must be http://… or https://…")
        found.append(TimestampPlace(url, trusted(settings)))
    return found


def trusted(settings: Config) -> list[x509.Certificate]:
    """Who stands behind time stamps. Raises ConfigError."""
    if not settings["audit.anchor_trusted"]:
        return []
    path = Path(settings.path("audit.anchor_trusted"))
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"audit.anchor_trusted: {path}: {error}") from None


def _syslog(where: str, hostname: str, clock: Callable[[], float]) -> Place:
    """`udp://host`, `tcp://host:6514`."""
    how, _, rest = where.partition("://")
    host, _, port = rest.rpartition(":") if ":" in rest and not rest.endswith("]") else (rest, "", str(_SYSLOG_PORT))
    if how not in ("udp", "tcp") or not host or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise ConfigError("audit.anchor_syslog: must be udp://host[:port] or tcp://host[:port]")
    return SyslogPlace(host.strip("[]"), int(port), tcp=how == "tcp", hostname=hostname, clock=clock)
