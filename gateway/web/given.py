"""What somebody filled in: the fields of a form or of a JSON object, all of them text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from gateway.web.signin import posted

# Up to the year 3000: whatever is kept can be said again in every time zone.
_LATEST: Final = 32_503_680_000.0


async def sent(request: web.Request) -> dict[str, Any]:
    """The JSON object that a machine sent. Raises ValueError for whatever else there is, also for what nests too deep."""
    try:
        said = await request.json()
    except (RecursionError, LookupError):       # the latter: an encoding that nobody knows
        raise ValueError("cannot be read") from None
    if not isinstance(said, dict):
        raise ValueError("not an object")
    return said


async def an_object(request: web.Request) -> dict[str, Any]:
    """The same; whatever else there is is a bad request."""
    try:
        return await sent(request)
    except ValueError:
        raise web.HTTPBadRequest from None


async def fields(request: web.Request) -> dict[str, str]:
    """A body that is not an object of texts, numbers and booleans is a bad request."""
    if request.content_type == "application/json":
        said = await an_object(request)
        if not all(isinstance(value, str | int | float | bool) for value in said.values()):
            raise web.HTTPBadRequest
        return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in said.items()}
    return {name: str(value) for name, value in (await posted(request)).items()}


def moment(text: str) -> float:
    """Seconds since 1970 of RFC 3339 or of a browser's `2026-12-01T09:00`; where no zone is said, the installation's. Raises ValueError,
    also for a time before 1970 or in more than a thousand years."""
    try:
        at = dt.datetime.fromisoformat(text.strip()).timestamp()
    except OverflowError:
        raise ValueError(text) from None
    if not 0 <= at < _LATEST:
        raise ValueError(text)
    return at


def local(at: float | None) -> str:
    """As a browser's field of date and time has it; empty for None."""
    return "" if at is None else f"{dt.datetime.fromtimestamp(at, dt.UTC).astimezone():%Y-%m-%dT%H:%M}"


def needed(given: Mapping[str, str], *names: str) -> list[str]:
    """These fields, without blanks around. Raises ValueError for one that is missing or empty."""
    found = [given.get(name, "").strip() for name in names]
    if not all(found):
        raise ValueError(", ".join(name for name, value in zip(names, found, strict=True) if not value))
    return found
