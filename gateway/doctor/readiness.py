"""Whether a service can take in, scan and store right now: for load balancers, and for whoever asks why nothing moves."""

from __future__ import annotations

from gateway.scanners.panel import Panel
from gateway.storage.blobs import Blobs
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal


async def troubles(journal: Journal, blobs: Blobs, panel: Panel | None) -> list[str]:
    """One line each; none when all is well. `panel`: None where nothing is scanned."""
    try:
        halted = await journal.halted()
        writer = await blobs.begin()
        await writer.abort()
    except StorageError as error:
        return [str(error)]
    if halted:
        return [f"{what} is stopped" for what in halted]
    heard = await panel.standing() if panel is not None else ()
    return [f"{one.scanner}: {one.trouble}" for one in heard if one.required and one.trouble]
