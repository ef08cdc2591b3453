"""What was made of the same bytes before: the same file brought by three thousand people goes through the jail once.

A result is given again only where nothing that it depends on is another: the bytes, the name (its extension says what they are taken for),
the door, the organisation, limits, treatment, passwords (none), versions of policy, rules and engine. The scanners from outside are
not in the key: they are asked about the original and the result each time.

Mails are never in it. Their bytes carry the receipt number, and no two of them are alike; what is attached to them is met inside the
jail, which knows nothing of other transfers, and that is worth more than the time. The same goes for whatever has a mail inside, and
for archives with a note about a member that was left out.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec
from prometheus_client import Counter

from gateway.model import Door, Transfer
from gateway.storage import results as rows
from gateway.storage.blobs import Blobs
from gateway.storage.faults import BlobDamagedError, BlobMissingError
from gateway.storage.journal import Journal
from gateway.storage.settling import unpack
from gateway.telemetry import log
from sanitizers.findings import CODES
from sanitizers.model import ENGINE_VERSION, Action, Finding, Job, Kind, Report, Verdict

_log = log.get(__name__)

# Facts about one transfer that change no byte of a result, because only mails and notes about what was left out say them.
_ITS_OWN: Final = {"receipt_no": "", "received_at": "", "original_until": "", "pickup_url": ""}
# Results of these say whom they are for.
_MAILS: Final = frozenset({Kind.EML, Kind.MSG, Kind.TNEF, Kind.MBOX})
_GIVEN: Final = (Verdict.CLEAN, Verdict.SANITIZED)
_REUSED: Final = CODES["road.reused"]

_asked = Counter("sekisho_results_asked", "同じファイルの結果を使えたか / uploads that could have had a result from before", ["found"])


class Found(NamedTuple):
    """A result of before: the report, as it is about this transfer, and a descriptor of the checked bytes, which is the caller's."""

    report: Report
    output_fd: int


class Results:
    """`seconds`: how long a result may be given again; 0: never. `clock`: seconds since 1970."""

    def __init__(self, journal: Journal, blobs: Blobs, *, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._blobs = blobs
        self._seconds = seconds
        self._clock = clock

    def key(self, transfer: Transfer, job: Job) -> str:
        """Under what its result would be found; empty: it is for itself alone."""
        if transfer.door is Door.SMTP or job.passwords or job.treatment.confirmed_by or self._seconds <= 0:
            return ""
        treatment = msgspec.structs.replace(job.treatment, **_ITS_OWN)
        depends = (transfer.sha256, transfer.size, transfer.name, transfer.door, transfer.lane, transfer.organisation,
                   job.limits, treatment, job.policy, job.rules, ENGINE_VERSION)  # fmt: skip
        return hashlib.sha256(msgspec.json.encode(depends, order="deterministic")).hexdigest()

    @staticmethod
    def keepable(report: Report) -> bool:
        """Whether its result would be the same for everybody."""
        return all(part.verdict in _GIVEN and part.input.kind not in _MAILS for part in report.tree())

    async def find(self, key: str, transfer: Transfer) -> Found | None:
        """None: it has to be made."""
        began, since = time.monotonic(), self._clock() - self._seconds
        kept = await self._journal.ask(lambda connection: rows.find(connection, key, since))
        found = None
        if kept is not None:
            found = await self._checked(key, kept, transfer)
        _asked.labels("yes" if found else "no").inc()
        if found is None:
            return None
        elapsed = round((time.monotonic() - began) * 1000)
        note = Finding(code=_REUSED.code, severity=_REUSED.severity, action=Action.KEPT, where="")
        return Found(msgspec.structs.replace(found.report, findings=(*found.report.findings, note), elapsed_ms=elapsed), found.output_fd)

    async def _checked(self, key: str, kept: rows.Kept, transfer: Transfer) -> Found | None:
        """Its bytes are read and compared with their digest, its report is believed as far as it agrees with both."""
        report = unpack(kept.packed)
        agrees = report.output is not None and (report.output.sha256, report.output.size) == kept.blob
        if not agrees or report.input.sha256 != transfer.sha256 or not self.keepable(report):
            return None
        try:
            fd = await self._blobs.open(kept.blob.digest, check=True)
        except (BlobMissingError, BlobDamagedError) as error:
            _log.warning("a result of before is not to be had", why=str(error))
            await self.drop(key)
            return None
        if os.fstat(fd).st_size != kept.blob.size:
            os.close(fd)
            return None
        return Found(report, fd)

    async def drop(self, key: str) -> None:
        await self._journal.write(lambda connection: rows.drop(connection, key))

    async def forget(self, *, everything: bool = False) -> int:
        """What is too old; at the start of a service everything: its libraries may be others than those of its predecessor."""
        before = float("inf") if everything else self._clock() - self._seconds
        return await self._journal.write(lambda connection: rows.forget(connection, before))
