"""What has to be done from time to time so that the stores neither lose nor hoard: retention and the sweep of blobs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from gateway.model import IllegalTransitionError
from gateway.storage import disposals
from gateway.storage.blobs import Blobs
from gateway.storage.faults import LeaseLostError
from gateway.storage.journal import Journal
from gateway.telemetry import log

_log = log.get(__name__)

# Between "body durable" and "row durable" a blob belongs to nobody; no intake takes as long as this.
GRACE_SECONDS: Final = 3600.0
_ACTOR: Final = "retention"


async def sweep(journal: Journal, blobs: Blobs, at: float, grace: float = GRACE_SECONDS) -> int:
    """Put aside the blobs that no row refers to: of a crash between body and row, and of what was disposed of; how many."""
    swept = await blobs.sweep(journal.blob_in_use, at - grace)
    if swept:
        _log.info("blobs without a row were put aside", blobs=swept)
    return swept


async def dispose_over_age(journal: Journal, days: int, at: float) -> int:
    """Give up what nothing happened to for `days` days, all of it, with one record of the disposal (廃棄記録); how many transfers."""
    gone: list[str] = []
    while transfers := await journal.over_age(at - days * 86_400):
        before = len(gone)
        for transfer in transfers:
            try:
                await journal.dispose(transfer.id, at=at, actor=_ACTOR, note=f"{days} days")
                gone.append(transfer.receipt_no)
            except (IllegalTransitionError, LeaseLostError):
                # An operator was quicker; the next round sees where it stands.
                continue
        if len(gone) == before:
            break
    if gone:
        await journal.write(lambda connection: _disposed(connection, gone, days, at))
    return len(gone)


def _disposed(connection: Connection, gone: Sequence[str], days: int, at: float) -> None:
    """Each transfer has its own entry in the audit record; the digest of their receipt numbers, a line each, ties the two together."""
    detail: dict[str, object] = {"days": days, "sha256": hashlib.sha256("\n".join(gone).encode()).hexdigest()}
    disposals.add(connection, what="originals", count=len(gone), oldest=gone[0], youngest=gone[-1], at=at, actor=_ACTOR, detail=detail)
