"""What somebody asks of the list of transfers: the query of an address, read into a `Filter`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from gateway.model import Door, State
from gateway.storage.search import Filter
from gateway.web.given import moment
from sanitizers.model import Reason, Verdict

MOST: Final = 1_000
_USUAL: Final = 100
_LONGEST: Final = 500

# Name → meaning, as the interface's document says it.
QUERY: Final[Mapping[str, str]] = {
    "q": "words, each in the sender, recipients, subject, names, digest or receipt number",
    "state": "may be repeated",
    "verdict": "clean, sanitized, confirmed, held or blocked",
    "reason": "why it was held or blocked",
    "door": "smtp, drop, api or cli",
    "organisation": "the body it belongs to",
    "sender": "the whole address or log-in name",
    "recipient": "the whole address",
    "sha256": "of the original",
    "rule": "a rule that matched in it",
    "department": "of the person who brought it, or of one to whom the mail went",
    "since": "received at or after: a day (2026-11-20) or a moment (RFC 3339)",
    "until": "received before the end of that day, or before that moment",
    "before": "only older ones than this receipt number, for the next page",
    "limit": f"at most so many, up to {MOST}",
}


def read(request: web.Request, before_id: int | None = None) -> Filter:
    """Empty values mean nothing. Raises ValueError for a value that is none."""
    query = request.query
    given = {name: value.strip()[:_LONGEST] for name, value in query.items() if value.strip()}
    if unknown := given.keys() - QUERY.keys():
        raise ValueError(f"{min(unknown)}: no such condition")
    return Filter(
        states=tuple(State(value) for value in query.getall("state", []) if value),
        verdict=Verdict(given["verdict"]) if "verdict" in given else None,
        reason=Reason(given["reason"]) if "reason" in given else None,
        door=Door(given["door"]) if "door" in given else None,
        organisation=given.get("organisation"),
        sender=given.get("sender"),
        recipient=given.get("recipient"),
        sha256=given["sha256"].lower() if "sha256" in given else None,
        rule=given.get("rule"),
        department=given.get("department"),
        text=given.get("q"),
        since=_moment(given["since"]) if "since" in given else None,
        until=_moment(given["until"], end=True) if "until" in given else None,
        before_id=before_id,
        limit=max(1, min(int(given.get("limit", _USUAL)), MOST)),
    )


def _moment(text: str, *, end: bool = False) -> float:
    """Seconds since 1970; a day is the installation's own, from its beginning or, with `end`, up to its end. Raises ValueError."""
    at = moment(text)
    if len(text) > len("2026-11-20") or not end:
        return at
    return (dt.datetime.fromisoformat(text) + dt.timedelta(days=1)).timestamp()
