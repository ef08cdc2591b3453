"""What somebody filled in: the fields of a form or of a JSON object, all of them text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.web.signin import posted


async def fields(request: web.Request) -> dict[str, str]:
    """Raises ValueError for a body that is not an object of texts, numbers and booleans."""
    if request.content_type == "application/json":
        said: Any = await request.json()
        if not isinstance(said, dict) or not all(isinstance(value, str | int | float | bool) for value in said.values()):
            raise ValueError("an object of texts")
        return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in said.items()}
    return {name: str(value) for name, value in (await posted(request)).items()}


def moment(text: str) -> float:
    """Seconds since 1970 of RFC 3339 or of a browser's `2026-12-01T09:00`; where no zone is said, the installation's. Raises ValueError."""
    try:
        return dt.datetime.fromisoformat(text.strip()).timestamp()
    except (OverflowError, OSError):
        raise ValueError(text) from None


def local(at: float | None) -> str:
    """As a browser's field of date and time has it; empty for None."""
    return "" if at is None else f"{dt.datetime.fromtimestamp(at, dt.UTC).astimezone():%Y-%m-%dT%H:%M}"


def needed(given: Mapping[str, str], *names: str) -> list[str]:
    """These fields, without blanks around. Raises ValueError for one that is missing or empty."""
    found = [given.get(name, "").strip() for name in names]
    if not all(found):
        raise ValueError(", ".join(name for name, value in zip(names, found, strict=True) if not value))
    return found
