"""Where an upload goes besides the box of its owner: only to what is offered to him."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web


def chosen(asked: Sequence[str], offered: Mapping[str, str]) -> tuple[str, ...]:
    """The destinations asked for, once each; an empty one is none. Raises the 400 for one that is not offered."""
    wanted = tuple(dict.fromkeys(one for one in asked if one))
    for one in wanted:
        if one not in offered:
            raise web.HTTPBadRequest
    return wanted
