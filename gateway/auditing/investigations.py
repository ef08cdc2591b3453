"""調査: questions to the record of people's deeds, each under the number of an investigation, each recorded."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from gateway.auditing.events import said
from gateway.people.roles import RefusedError
from gateway.storage import investigations as rows
from gateway.storage import ledger
from gateway.storage.investigations import Investigation, NoSuchInvestigationError
from gateway.storage.journal import Journal
from gateway.storage.ledger import Entry

__all__ = ["Asked", "Investigation", "Investigations", "NoSuchInvestigationError"]

_LONGEST: Final = 500
MOST: Final = 1_000
_MOST_EXPORTED: Final = 100_000
_WHY: Final = "目的と依頼元を入力してください。 / say what for, and on whose order"
_CLOSED: Final = "開いている調査の番号が必要です。 / the number of an open investigation is needed"
# What a spreadsheet would run as a formula.
_RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One question; empty: does not matter. `action` may end in `.`; moments are seconds since 1970."""

    since: float
    until: float
    actor: str = ""
    action: str = ""
    subject: str = ""
    text: str = ""

    def conditions(self) -> dict[str, str]:
        """As they are recorded."""
        told = {"since": ledger.moment(self.since), "until": ledger.moment(self.until)}
        return told | {name: value for name in ("actor", "action", "subject", "text") if (value := getattr(self, name))}


class Investigations:
    """`clock`: seconds since 1970."""

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._clock = clock

    async def begin(self, purpose: str, ordered_by: str, who: str) -> Investigation:
        """Raises RefusedError."""
        purpose, ordered_by = purpose.strip()[:_LONGEST], ordered_by.strip()[:_LONGEST]
        if not purpose or not ordered_by:
            raise RefusedError(_WHY)
        at = self._clock()
        return await self._journal.write(lambda connection: rows.begin(connection, purpose=purpose, ordered_by=ordered_by, who=who, at=at))

    async def listed(self) -> list[Investigation]:
        return await self._journal.ask(rows.listed)

    async def find(self, number: str) -> Investigation:
        """Raises NoSuchInvestigationError."""
        return await self._journal.ask(lambda connection: rows.find(connection, number))

    async def query(self, number: str, asked: Asked, who: str, *, most: int = MOST) -> list[Entry]:
        """The oldest first. What was asked is written down before anything is shown. Raises RefusedError."""
        actions = (asked.action,) if asked.action else ()
        found = await self._journal.ask(
            lambda connection: ledger.deeds(
                connection, actions, since=asked.since, until=asked.until, actor=asked.actor, subject=asked.subject, text=asked.text,
                limit=most, everybody=True,
            )
        )  # fmt: skip
        at = self._clock()
        try:
            await self._journal.write(lambda connection: rows.queried(connection, number, asked.conditions(), len(found), who=who, at=at))
        except NoSuchInvestigationError:
            raise RefusedError(_CLOSED) from None
        return found

    async def export(self, number: str, asked: Asked, who: str) -> tuple[bytes, str]:
        """The same as CSV with every hash, and its SHA-256, which stands in the record. Raises RefusedError."""
        found = await self.query(number, asked, who, most=_MOST_EXPORTED)
        content = as_csv(found)
        digest = hashlib.sha256(content).hexdigest()
        detail: dict[str, object] = {**asked.conditions(), "entries": len(found), "sha256": digest}
        await self._journal.record(at=self._clock(), actor=who, action="audit.exported", subject=number, detail=detail)
        return content, digest

    async def end(self, number: str, who: str) -> None:
        """Raises RefusedError."""
        at = self._clock()
        try:
            await self._journal.write(lambda connection: rows.end(connection, number, who=who, at=at))
        except NoSuchInvestigationError:
            raise RefusedError(_CLOSED) from None


def as_csv(entries: Sequence[Entry]) -> bytes:
    """As a spreadsheet of a Japanese desk opens it: UTF-8 with a mark, CR LF, nothing that it would run."""
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(("番号", "日時（UTC）", "操作者", "操作", "意味", "対象", "詳細", "前のハッシュ", "ハッシュ"))
    for entry in entries:
        row = (
            str(entry.seq),
            entry.at,
            entry.actor,
            entry.action,
            said(entry.action),
            entry.subject,
            entry.detail,
            entry.prev_hash,
            entry.hash,
        )
        table.writerow(["'" + value if value.startswith(_RUNS) else value for value in row])
    return written.getvalue().encode("utf-8-sig", "replace")


def asked_of(given: Mapping[str, str], now: float, moment: Callable[[str], float]) -> Asked:
    """What a form says; without moments the last thirty days. Raises ValueError."""
    texts = {name: given.get(name, "").strip()[:_LONGEST] for name in ("actor", "action", "subject", "text")}
    since = moment(given["since"]) if given.get("since", "").strip() else now - 30 * 86_400
    until = moment(given["until"]) if given.get("until", "").strip() else now
    if until <= since:
        raise ValueError("until")
    return Asked(since=since, until=until, **texts)
