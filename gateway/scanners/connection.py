"""A line to a scanner, as long as one question takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(opening: Awaitable[Line]) -> AsyncIterator[Line]:
    """Raises OSError. Cut off at the end: nothing of it is wanted any more, least of all to wait for what a stalled server has not read."""
    reader, writer = await opening
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
