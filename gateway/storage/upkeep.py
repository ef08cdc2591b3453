"""What has to be done from time to time so that the stores neither lose nor hoard: retention and the sweep of blobs."""

from __future__ import annotations

from typing import Final

from gateway import log
from gateway.model import IllegalTransitionError
from gateway.storage.blobs import Blobs
from gateway.storage.faults import LeaseLostError
from gateway.storage.journal import Journal

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
    """Give up what nothing happened to for `days` days, all of it; how many transfers."""
    disposed = 0
    while transfers := await journal.over_age(at - days * 86_400):
        before = disposed
        for transfer in transfers:
            try:
                await journal.dispose(transfer.id, at=at, actor=_ACTOR, note=f"{days} days")
                disposed += 1
            except (IllegalTransitionError, LeaseLostError):
                # An operator was quicker; the next round sees where it stands.
                continue
        if disposed == before:
            break
    return disposed
