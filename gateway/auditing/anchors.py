"""Heads of the audit record in other places, so that a cut end and a chain written anew are found: who has the database has not those.

    anchoring = Anchoring(journal, places, clock)
    await anchoring.run()                       # now and then, as long as the service runs
    known = await anchoring.known()             # what the places that can be read still have

A place is a file on another path (of the other side, of a write-once share), a syslog server (RFC 5424) or a timestamping authority
(RFC 3161); the answer of the last is kept in the file as well.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec
from cryptography import x509

from gateway import audit
from gateway.audit import Head
from gateway.auditing.timestamps import TimestampError, verified
from gateway.chores import now_and_then
from gateway.model import rfc3339
from gateway.storage import ledger
from gateway.storage.journal import Journal
from gateway.telemetry import log

_log = log.get(__name__)

ANCHORED: Final = "audit.anchored"


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A head of the record at a moment (RFC 3339). `proof`: what a timestamping authority said, base64 of DER."""

    at: str
    organisation: str
    seq: int
    hash: str
    proof: str = ""

    @property
    def head(self) -> Head:
        return Head(self.seq, self.hash)


class PlaceError(Exception):
    """An anchor could not be put there, in one line."""


class Place(Protocol):
    """Somewhere else."""

    name: str

    async def put(self, anchor: Anchor) -> Anchor:
        """As it stands there, with a proof if the place gives one. Raises PlaceError."""

    async def read(self) -> list[Anchor]:
        """What can be read back, the oldest first; empty where nothing can. Raises PlaceError."""


class Anchoring:
    """`every`: seconds. `clock`: seconds since 1970. `trusted`: whose time stamps count; empty: anybody's."""

    def __init__(
        self,
        journal: Journal,
        places: Sequence[Place],
        clock: Callable[[], float],
        *,
        organisation: str = "",
        every: float = 3600.0,
        trusted: Sequence[x509.Certificate] = (),
    ) -> None:
        self._journal = journal
        self.places = tuple(places)
        self._clock = clock
        self._organisation = organisation
        self._every = every
        self._trusted = tuple(trusted)

    async def run(self) -> None:
        """Until cancelled."""
        if self.places:
            await now_and_then("anchors", self._every, self.anchor, whatever=True)

    async def anchor(self) -> dict[str, str]:
        """Put the head into every place; place → what went wrong, empty if nothing. Nothing to say: no anchor."""
        head = await self._journal.ask(ledger.head)
        if head is None or head.action == ANCHORED:
            return {}
        at = self._clock()
        anchor = Anchor(at=rfc3339(at), organisation=self._organisation, seq=head.seq, hash=head.hash)
        said: dict[str, str] = {}
        for place in sorted(self.places, key=lambda one: not isinstance(one, Prover)):
            try:
                anchor = await place.put(anchor)
                said[place.name] = ""
            except PlaceError as error:
                said[place.name] = str(error)
                _log.error("an anchor of the audit record could not be put away", place=place.name, error=str(error))
        detail: dict[str, object] = {"seq": head.seq, "hash": head.hash, "places": said}
        await self._journal.record(at=at, actor="road", action=ANCHORED, subject=str(head.seq), detail=detail)
        return said

    async def known(self) -> tuple[list[Anchor], dict[str, str]]:
        """All anchors that can be read back, the oldest first, and place → why one cannot."""
        found, faults = [], {}
        for place in self.places:
            try:
                found += await place.read()
            except PlaceError as error:
                faults[place.name] = str(error)
        return sorted(found, key=lambda one: one.seq), faults

    async def verify(self, progress: Callable[[int], None] = lambda _: None) -> tuple[audit.Verified, list[Anchor], dict[str, str]]:
        """The whole record against every anchor that can be read back."""
        anchors, faults = await self.known()
        wrong = _disagreeing(anchors), "the places do not say the same"
        if wrong[0] is None:
            wrong = await asyncio.to_thread(_unproven, anchors, self._trusted)
        if wrong[0] is not None:
            return audit.Verified(0, wrong[0].head, wrong[0].seq, wrong[1]), anchors, faults
        return await audit.verify(self._journal, anchors=[one.head for one in anchors], progress=progress), anchors, faults


class Prover:
    """What a place derives from whose anchors carry a proof: it is asked first, so that the others keep the proof."""


def _disagreeing(anchors: Sequence[Anchor]) -> Anchor | None:
    """The first that says another hash of a row than one before it."""
    said: dict[int, str] = {}
    return next((one for one in anchors if said.setdefault(one.seq, one.hash) != one.hash), None)


def _unproven(anchors: Sequence[Anchor], trusted: Sequence[x509.Certificate]) -> tuple[Anchor | None, str]:
    """The first whose proof does not prove it, and why."""
    for one in anchors:
        try:
            if one.proof:
                verified(base64.b64decode(one.proof, validate=True), bytes.fromhex(one.hash), trusted)
        except (ValueError, TimestampError) as error:
            return one, str(error)
    return None, ""
