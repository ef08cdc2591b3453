"""Who sends more mail than he may (小諸市 対策基準 6.1(14)②): he is stopped with the mail that was one too many, and the postmaster hears
of it once, in the transaction that takes the mail in."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.model import Arrival
from gateway.storage import letters, senders
from gateway.storage.senders import Limits
from gateway.telemetry import log
from gateway.telling.notices import Office, sender_notice

_log = log.get(__name__)


class Senders:
    """What is written beside each mail that is taken in."""

    def __init__(self, limits: Limits, office: Office) -> None:
        self._limits = limits
        self._office = office

    def __call__(self, connection: Connection, arrival: Arrival) -> None:
        stop = senders.count(connection, arrival, self._limits)
        if stop is None:
            return
        _log.warning("a sender is stopped", sender=stop.sender, why=stop.reason)
        letters.queue(connection, (self._office.sender,), sender_notice(stop, self._office), about=stop.sender, at=stop.since)
