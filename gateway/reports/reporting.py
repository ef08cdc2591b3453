"""Makes reports, keeps them under a number, and sends them when their time has come: a report is made once for each period by itself, and
again whenever somebody asks for it.

    reporting = Reporting(journal, office, clock, …)
    made = await reporting.make(Kind.MONTHLY, periods.named("2026-11"), "kansa")
    await reporting.run()
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection

from gateway import periods
from gateway.auditing.verification import Proof
from gateway.chores import now_and_then
from gateway.periods import Period
from gateway.printing.document import printed
from gateway.registers.reviews import Reviews
from gateway.reports.figures import gathered
from gateway.reports.kinds import FORMS, Kind, Told, paper_of
from gateway.reports.tables import as_csv
from gateway.storage import documents, ledger
from gateway.storage import letters as letter_rows
from gateway.storage.documents import Document
from gateway.storage.journal import Journal
from gateway.telling import letters
from gateway.telling.letters import Enclosure
from gateway.telling.notices import Office, Words

_EVERY_SECONDS: Final = 60.0
_DAY: Final = 86_400.0
PDF: Final = "application/pdf"
CSV: Final = "text/csv"
_ROAD: Final = "road"
# What was made late is still sent, within this time: a report of long ago is on its page.
_LATE_SECONDS: Final = {Kind.DAILY: 3 * _DAY, Kind.MONTHLY: 20 * _DAY, Kind.YEARLY: 60 * _DAY}
_ENCLOSED_BYTES: Final = 5 << 20
_BODY: Final = Words(
    "報告を添付します。管理画面の「報告」からも取り出せます。", "The report is attached; it stands on the page of reports too."
)
_LARGE: Final = Words("報告ができました。大きいため添付していません。", "The report is ready. It is too large to be attached.")
_WHERE: Final = Words("管理画面の「報告」から取り出してください。", "Fetch it from the page of reports.")


class Times(NamedTuple):
    """When and to whom: `at` in minutes since midnight; kind → addresses."""

    at: int
    to: Mapping[Kind, tuple[str, ...]]


class Made(NamedTuple):
    """A report as it is kept: the paper and its tables."""

    paper: Document
    tables: Document


class Reporting:
    """`prove` walks the record, for the reports that say how it was found; `told` is told of each letter. `clock`: seconds since 1970."""

    def __init__(
        self,
        journal: Journal,
        office: Office,
        reviews: Reviews,
        clock: Callable[[], float],
        times: Times,
        *,
        prove: Callable[[], Awaitable[Proof]],
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._office = office
        self._reviews = reviews
        self._clock = clock
        self._times = times
        self._prove = prove
        self._told = told

    async def run(self) -> None:
        """Until cancelled."""
        await now_and_then("reports", _EVERY_SECONDS, self.tick, whatever=True)

    async def tick(self) -> list[Made]:
        """What is due by now and was not made by itself before."""
        now, made = self._clock(), []
        first = await self._journal.ask(ledger.first)
        begun = now if first is None else dt.datetime.fromisoformat(first.at).timestamp()
        for kind, form in FORMS.items():
            period = periods.before(periods.of(form.every, now))
            if not period.until + 60 * self._times.at <= now < period.until + _LATE_SECONDS[kind]:
                continue
            if begun >= period.until or await self._is_made(kind, period):
                continue
            if (one := await self._made(kind, period, _ROAD, once=True)) is not None:
                made.append(one)
        return made

    async def make(self, kind: Kind, period: Period, actor: str) -> Made:
        """Now, of a period that may not be over. Raises ValueError for a period of another length."""
        if period.every is not FORMS[kind].every:
            raise ValueError(period.name)
        made = await self._made(kind, period, actor)
        assert made is not None
        return made

    async def listed(self) -> list[Document]:
        """The youngest first."""
        return await self._journal.ask(lambda connection: documents.listed(connection, kinds=tuple(map(_kept_as, Kind))))

    # ----------------------------------------------------------------------------------------------------------- steps

    async def _is_made(self, kind: Kind, period: Period) -> bool:
        return await self._journal.ask(lambda connection: _by_itself(connection, kind, period))

    async def _made(self, kind: Kind, period: Period, actor: str, *, once: bool = False) -> Made | None:
        told = await self._gather(kind, period)
        sheets = await asyncio.to_thread(lambda: as_csv(FORMS[kind].sheets(told.figures)))
        while True:
            # The number stands on the paper, and drawing it takes longer than the writer should wait.
            number = await self._journal.ask(lambda connection: documents.next_number(connection, told.at))
            content = await asyncio.to_thread(lambda: printed(paper_of(kind, told, number)))  # noqa: B023 - awaited here
            draft = _Draft(kind, period, actor, number, content, sheets, told.at, once)
            made = await self._journal.write(lambda connection: _kept(connection, draft))  # noqa: B023 - awaited here
            if made is not _Later:
                break
        if isinstance(made, Made) and once and self._times.to.get(kind):
            await self._send(draft, made)
        return made if isinstance(made, Made) else None

    async def _gather(self, kind: Kind, period: Period) -> Told:
        before, whole = periods.before(period), kind is Kind.YEARLY
        figures = await self._journal.ask(lambda connection: gathered(connection, period, before, rows=whole))
        proof = await self._prove() if kind is not Kind.DAILY else None
        due = [one for one in await self._reviews.due() if one.period.until <= period.until + 1 and _concerns(kind, one.period, period)]
        return Told(period, before, figures, tuple(due), proof, self._office.organisation, self._clock())

    async def _send(self, draft: _Draft, made: Made) -> None:
        form, at, number = FORMS[draft.kind], self._clock(), draft.number
        enclosed = [Enclosure(f"{number}.pdf", PDF, draft.content), Enclosure(f"{made.tables.number}.csv", CSV, draft.sheets)]
        fits = len(draft.content) + len(draft.sheets) <= _ENCLOSED_BYTES
        subject = Words(f"【報告】{form.ja} {draft.period.ja}（{number}）", f"[report] {form.en} {draft.period.name} ({number})")
        words = (_BODY,) if fits else (_LARGE, _WHERE)
        bodies = ["\n".join(one.said(language) for one in words) for language in ("ja", "en")]

        def queue(connection: Connection) -> None:
            for address in self._times.to[draft.kind]:
                letter = letters.written(address, subject, bodies, self._office, at, about=number, enclosed=enclosed if fits else ())
                letter_rows.queue(connection, [address], letter, about=number, at=at)

        await self._journal.write(queue)
        self._told()


class _Draft(NamedTuple):
    """A report that waits to be kept. `once`: not if there is one that was made by itself."""

    kind: Kind
    period: Period
    actor: str
    number: str
    content: bytes
    sheets: bytes
    at: float
    once: bool


class _Later:
    """Another document has taken the number meanwhile."""


def _kept(connection: Connection, draft: _Draft) -> Made | type[_Later] | None:
    if draft.once and _by_itself(connection, draft.kind, draft.period):
        return None
    if documents.next_number(connection, draft.at) != draft.number:
        return _Later
    title, about, kind = f"{FORMS[draft.kind].ja}　{draft.period.ja}", draft.period.name, _kept_as(draft.kind)
    pieces = ((draft.content, title, PDF), (draft.sheets, f"{title}（表）", CSV))
    paper, tables = (
        documents.keep(connection, content, kind=kind, subject=about, title=words, media_type=media, at=draft.at, actor=draft.actor)
        for content, words, media in pieces
    )
    return Made(paper, tables)


def _kept_as(kind: Kind) -> str:
    return f"report.{kind}"


def _by_itself(connection: Connection, kind: Kind, period: Period) -> bool:
    found = documents.listed(connection, kinds=(_kept_as(kind),), subject=period.name)
    return any(one.actor == _ROAD for one in found)


def _concerns(kind: Kind, inspected: Period, reported: Period) -> bool:
    """A month tells of all that is still open, a year of what lies in it; a day of what is late."""
    if kind is Kind.YEARLY:
        return inspected.since >= reported.since
    return inspected.until > reported.until - 100 * _DAY


def said_name(document: Document) -> str:
    """A file name: `DOC-2026-0001_2026-11.pdf`."""
    ending = "pdf" if document.media_type == PDF else "csv"
    return f"{document.number}_{re.sub(r'[^A-Za-z0-9-]', '_', document.subject)}.{ending}"
