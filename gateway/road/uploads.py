"""Files that staff bring: streamed into a sealed blob, then a transfer of the journal. The road's half of the drop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from gateway.model import INBOUND, Arrival, Door, Slip
from gateway.storage.blobs import Blobs
from gateway.storage.journal import Journal
from gateway.telemetry import metrics, tracing


class TooLargeError(Exception):
    """More bytes than policy takes in; the text says how many are allowed."""


class Uploads:
    """`wake` tells the pipeline that there is work; `most` bytes per file."""

    def __init__(
        self,
        blobs: Blobs,
        journal: Journal,
        clock: Callable[[], float],
        wake: Callable[[], None],
        *,
        most: int,
        organisation: str,
        lane: str = INBOUND.name,
    ) -> None:
        self._blobs = blobs
        self._journal = journal
        self._clock = clock
        self._wake = wake
        self.most = most
        self._organisation = organisation
        self._lane = lane

    def now(self) -> float:
        return self._clock()

    async def take(
        self, login: str, name: str, client: str, chunks: AsyncIterator[bytes], *, to: Sequence[str] = (), slip: Slip | None = None
    ) -> str:
        """The receipt number, once the file is durable. `to`: where it goes besides the own box; `slip`: what was said of it.

        Raises TooLargeError, StorageError; then it is no transfer, and bytes that were sealed before the journal failed go with the
        next sweep.
        """
        writer = await self._blobs.begin(owner=self._organisation)
        size = 0
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > self.most:
                    raise TooLargeError(f"ファイルの上限（{self.most >> 20}MB）を超えています / at most {self.most >> 20} MiB")
                await writer.write(chunk)
            blob = await writer.commit()
        except BaseException:
            await writer.abort()
            raise
        arrival = Arrival(
            door=Door.DROP,
            name=_shown_name(name),
            size=blob.size,
            sha256=blob.digest,
            received_at=self._clock(),
            sender=login,
            recipients=(login, *to),
            organisation=self._organisation,
            lane=self._lane,
            client=client,
            slip=slip,
        )
        _, receipt_no = await self._journal.accept(arrival)
        metrics.received(Door.DROP, blob.size)
        tracing.taken_in(receipt_no, arrival.received_at, door=Door.DROP.value, size=blob.size)
        self._wake()
        return receipt_no


def _shown_name(name: str) -> str:
    """The browser's file name without any folder, bounded; the jail makes it safe, and no path is ever made of it."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c if c.isprintable() else "_" for c in last)[:255] or "file"
