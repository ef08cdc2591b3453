"""A file handed to a browser: always as an attachment that it does not open by itself, in pieces from a descriptor."""

from __future__ import annotations

import asyncio
import os
from typing import Final
from urllib.parse import quote

from aiohttp import web

_PIECE: Final = 1 << 20


def attachment(name: str, size: int | None = None) -> web.StreamResponse:
    """Its head. `size` in bytes, where it is known before the last of them."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return web.StreamResponse(headers=headers if size is None else headers | {"Content-Length": str(size)})


async def handed(request: web.Request, fd: int, name: str, size: int) -> web.StreamResponse:
    """All that the descriptor holds, from its beginning: `size` bytes."""
    response = attachment(name, size)
    await response.prepare(request)
    offset = 0
    while piece := await asyncio.to_thread(os.pread, fd, _PIECE, offset):
        await response.write(piece)
        offset += len(piece)
    await response.write_eof()
    return response
