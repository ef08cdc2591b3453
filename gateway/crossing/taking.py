"""The inner side lets something in: papers first, then the receipt, then every octet, and only then is anything kept.

In this order: who signed and for which lane, when, whether these papers were used, what the receipt says; then the report by its
digest; then the content, into a store that forgets it unless its digest is the one that was signed. What does not agree is refused,
counted, written into the audit record and told to the operator. What merely breaks off leaves nothing behind and comes again.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.crossing import papers as crossing
from gateway.crossing.papers import OPENING, Papers, RefusedError
from gateway.model import Arrival, Decision, Lane, Purpose
from gateway.storage import crossings as rows
from gateway.storage.blobs import Blob, Blobs
from gateway.storage.crossings import Crossing
from gateway.storage.journal import Journal
from gateway.storage.settling import Settlement
from gateway.telemetry import log, metrics, tracing
from sanitizers.model import Report

_log = log.get(__name__)

# The clocks of two machines that are looked after differ by less.
_AHEAD_SECONDS: Final = 600.0
# A report inflated; a message of ours.
_LARGEST_INFLATED: Final = 256 << 20
_LARGEST_MESSAGE: Final = 8 << 20
_NAMES: Final = msgspec.json.Decoder(tuple[str, ...])     # not made in a thread (gateway.structs)


class BrokenOffError(Exception):
    """It ended before it was whole. Nothing of it is kept, and it comes again."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`keys`: of the outer sides that are believed, by their ids. `window`: seconds for which papers are good; `largest`: octets."""

    keys: Mapping[str, Ed25519PublicKey]
    lane: Lane
    window: float = 7 * 86_400.0
    largest: int = 1 << 30


class Taken(NamedTuple):
    """`again`: it was here already. `nonce`: of the papers it came with this time."""

    crossing: str
    nonce: str
    again: bool


class Taking:
    """`let_in` is told that something may have to be sent on; `told` of what was refused: why, what, and who brought it."""

    def __init__(
        self,
        journal: Journal,
        blobs: Blobs,
        terms: Terms,
        *,
        clock: Callable[[], float] = time.time,
        let_in: Callable[[], None] = lambda: None,
        told: Callable[[str, str, str], None] = lambda _why, _text, _via: None,
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._terms = terms
        self._clock = clock
        self._let_in = let_in
        self._told = told

    async def take(self, chunks: AsyncIterator[bytes], *, via: str, file: bool = False) -> Taken:
        """`via`: who brings it; `file`: as a file that lies there until it is put away (`put_away`).

        Raises RefusedError, BrokenOffError, StorageError (NotNowError among them: it may come again).
        """
        try:
            taken = await self._whole(_Stream(chunks), file=file)
        except RefusedError as error:
            await self._refused(error, via)
            raise
        metrics.crossings.labels("again" if taken.again else "taken").inc()
        _log.info("something came over", crossing=taken.crossing, again=taken.again, via=via)
        if not taken.again:
            self._let_in()
        return taken

    async def put_away(self, taken: Taken) -> None:
        """The file that brought it is no more: whoever brings the same once more is not its first messenger."""
        at = self._clock()
        await self._journal.write(lambda connection: rows.cleared(connection, taken.nonce, at))

    async def forget(self) -> int:
        """Papers that their age alone would spoil; twice the window, so that no clock makes them good again."""
        before = self._clock() - 2 * self._terms.window
        return await self._journal.write(lambda connection: rows.forget(connection, before))

    # ------------------------------------------------------------------------------------------------------------- steps

    async def _whole(self, stream: _Stream, *, file: bool) -> Taken:
        """A file lies there whole or not at all: one that breaks off was cut by somebody."""
        try:
            return await self._take(stream, file=file)
        except BrokenOffError as error:
            if file:
                raise RefusedError("format", "the file is shorter than was signed") from error
            raise

    async def _take(self, stream: _Stream, *, file: bool) -> Taken:
        papers = crossing.read(await stream.exactly(crossing.opening(await stream.exactly(OPENING.size))), self._terms.keys)
        at = self._clock()
        self._addressed(papers, at)
        with tracing.step("come over", papers.receipt_no, size=papers.size):
            return await self._believed(papers, stream, at, file=file)

    async def _believed(self, papers: Papers, stream: _Stream, at: float, *, file: bool) -> Taken:
        crossing.check_receipt(papers, self._terms.keys)
        before = await self._journal.ask(lambda connection: rows.with_papers(connection, papers.nonce))
        if before is not None:
            return self._used(before, papers)
        record = Crossing(
            nonce=papers.nonce,
            crossing=papers.crossing,
            key=papers.key,
            sha256=papers.sha256,
            sent_at=papers.sent_at,
            at=at,
            cleared=None if file else at,
        )
        if await self._journal.ask(lambda connection: rows.came(connection, papers.crossing)):
            await self._journal.write(lambda connection: rows.again(connection, record))
            return Taken(papers.crossing, papers.nonce, again=True)
        packed = await stream.exactly(papers.report_size)
        if hashlib.sha256(packed).hexdigest() != papers.report_sha256:
            raise RefusedError("report", "the report is not the one that was signed")
        if papers.purpose.carries_transfer:
            await self._keep(papers, record, packed, stream)
        elif papers.purpose is Purpose.RECALL:
            await self._recall(papers, record, stream)
        else:
            await self._pass_on(papers, record, stream)
        return Taken(papers.crossing, papers.nonce, again=False)

    def _addressed(self, papers: Papers, at: float) -> None:
        lane = self._terms.lane
        if (papers.lane, papers.source, papers.target) != (lane.name, lane.source.name, lane.target.name):
            raise RefusedError("lane", f"meant for {papers.lane[:40]}, from {papers.source[:40]} to {papers.target[:40]}")
        if not at - self._terms.window <= papers.sent_at <= at + _AHEAD_SECONDS:
            raise RefusedError("time", f"papers of {papers.sent_at:.0f}, and now it is {at:.0f}")
        if papers.size > self._terms.largest:
            raise RefusedError("large", f"{papers.size} octets, at most {self._terms.largest}")

    @staticmethod
    def _used(before: Crossing, papers: Papers) -> Taken:
        """A file that was taken in and not yet put away when the service stopped is seen twice, and nothing else is."""
        if before.cleared is not None or before.crossing != papers.crossing:
            raise RefusedError("replay", f"these papers were used before: {papers.receipt_no}")
        return Taken(papers.crossing, papers.nonce, again=True)

    async def _keep(self, papers: Papers, record: Crossing, packed: bytes, stream: _Stream) -> None:
        settlement = _settlement(papers, packed)
        blob = await self._content(papers, stream)
        arrival = _arrival(papers)
        await self._journal.write(lambda connection: rows.take(connection, record, arrival, papers.receipt_no, settlement))
        _log.info("a transfer came over", receipt_no=papers.receipt_no, size=blob.size)

    async def _content(self, papers: Papers, stream: _Stream) -> Blob:
        """Durable when this returns, and what was signed; a row will refer to it, or the next sweep takes it."""
        digest, left = hashlib.sha256(), papers.size
        writer = await self._blobs.begin(owner=papers.organisation)
        try:
            async for chunk in stream.rest(left):
                digest.update(chunk)
                left -= len(chunk)
                await writer.write(chunk)
            await stream.end()
            if digest.hexdigest() != papers.sha256:
                raise RefusedError("content", "the content is not what was signed")
            return await writer.commit()
        except BaseException:
            await writer.abort()
            raise

    async def _recall(self, papers: Papers, record: Crossing, stream: _Stream) -> None:
        try:
            names = _NAMES.decode(await self._message(papers, stream))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RefusedError("format", f"a recall that cannot be read: {error}") from None
        stopped = await self._journal.write(lambda connection: rows.recall(connection, record, names, papers.receipt_no))
        _log.error("found late by the outer side", receipt_no=papers.receipt_no, found=list(names), stopped=stopped)

    async def _message(self, papers: Papers, stream: _Stream) -> bytes:
        if papers.size > _LARGEST_MESSAGE:
            raise RefusedError("large", f"a message of {papers.size} octets")
        content = await stream.exactly(papers.size)
        await stream.end()
        if hashlib.sha256(content).hexdigest() != papers.sha256:
            raise RefusedError("content", "the content is not what was signed")
        return content

    async def _pass_on(self, papers: Papers, record: Crossing, stream: _Stream) -> None:
        content = await self._message(papers, stream)
        await self._journal.write(lambda connection: rows.pass_on(connection, record, papers.recipients, content, papers.receipt_no))

    async def _refused(self, error: RefusedError, via: str) -> None:
        metrics.receipts_refused.labels(error.why).inc()
        text, at = str(error), self._clock()
        _log.error("something was refused at the inner side", why=error.why, text=text, via=via)
        self._told(error.why, text, via)
        await self._journal.write(lambda connection: rows.refused(connection, why=error.why, text=text, via=via, at=at))


class _Stream:
    """What comes, in pieces of the length that is asked for."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    async def exactly(self, size: int) -> bytes:
        """Raises BrokenOffError."""
        return b"".join([piece async for piece in self.rest(size)])

    async def rest(self, size: int) -> AsyncIterator[bytes]:
        """The next `size` octets as they come. Raises BrokenOffError."""
        while size:
            piece = self._rest or await self._next()
            self._rest, piece = piece[size:], piece[:size]
            size -= len(piece)
            yield piece

    async def end(self) -> None:
        """Nothing may follow."""
        if not self._rest:
            try:
                await self._next()
            except BrokenOffError:
                return
        raise RefusedError("format", "more than was signed")

    async def _next(self) -> bytes:
        async for chunk in self._chunks:
            if chunk:
                return chunk
        raise BrokenOffError("it broke off")


def _arrival(papers: Papers) -> Arrival:
    return Arrival(
        door=papers.door,
        name=papers.name,
        size=papers.input_size,
        sha256=papers.input_sha256,
        received_at=papers.received_at,
        sender=papers.sender,
        recipients=papers.recipients,
        organisation=papers.organisation,
        lane=papers.lane,
        smtputf8=papers.smtputf8,
        wishes=papers.wishes,
        slip=papers.slip,
    )


def _settlement(papers: Papers, packed: bytes) -> Settlement:
    """Raises RefusedError when the report speaks of something else than the papers."""
    report = _unpacked(packed)
    if report.input.sha256 != papers.input_sha256:
        raise RefusedError("report", "the report speaks of another file")
    return Settlement(
        decision=Decision(verdict=papers.verdict, reason=papers.reason),
        policy=papers.policy,
        rules=papers.rules,
        packed=packed,
        result=papers.result,
        receipt=papers.receipt,
        message_id=papers.message_id,
        subject=papers.subject,
        matches=frozenset(match.rule for part in report.tree() for match in part.matches),
        names=tuple(part.input.name for part in report.tree()),
    )


def _unpacked(packed: bytes) -> Report:
    """As `storage.settling.pack` made it, bounded."""
    inflating = zlib.decompressobj()
    try:
        document = inflating.decompress(packed, _LARGEST_INFLATED)
        if inflating.unconsumed_tail or not inflating.eof:
            raise RefusedError("report", "the report is larger than any")
        return msgspec.json.decode(document, type=Report)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError("report", f"the report cannot be read: {error}") from None
