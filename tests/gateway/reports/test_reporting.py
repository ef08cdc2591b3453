"""Reports: what stands in them is what happened; made once for each period, sent to whom the settings say."""

from __future__ import annotations

import asyncio
import email
import email.policy
import io
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pikepdf
import pytest

from gateway import periods
from gateway.audit import Head, Verified
from gateway.auditing.verification import Proof
from gateway.periods import Every
from gateway.registers.incidents import Incidents, Kind
from gateway.registers.reviews import Reviews
from gateway.reports import kinds
from gateway.reports.figures import gathered
from gateway.reports.reporting import Reporting, Times
from gateway.reports.tables import Sheet, as_csv
from gateway.storage import documents
from gateway.storage.journal import Journal
from gateway.telling.letters import LettersOutbox
from gateway.telling.notices import Office
from mail.queue import Queue, QueueSettings
from sanitizers.model import Reason, Verdict
from tests.build.face import Clock, Post
from tests.build.road import kept_inside, released
from tests.build.transfer import DAY, NOW

OFFICE = Office("sekisho@town.example.jp", "gate.town.example.jp", "関町")
TODAY = periods.of(Every.DAY, NOW)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    yield journal
    await journal.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def _proved() -> Proof:
    return Proof(Verified(7, Head(7, "f" * 64)), (), {}, NOW)


def reporting(journal: Journal, clock: Clock, **to: tuple[str, ...]) -> Reporting:
    times = Times(7 * 60, {kind: to.get(kind.value, ()) for kind in kinds.Kind})
    return Reporting(journal, OFFICE, Reviews(journal, clock), clock, times, prove=_proved)


async def test_the_numbers_are_those_of_the_journal(journal: Journal, clock: Clock) -> None:
    for _ in range(3):
        await released(journal)
    await kept_inside(journal)
    await kept_inside(journal, Reason.MALWARE)
    await released(journal, received_at=NOW - DAY)
    await Incidents(journal, clock).open(None, Kind.SCANNER, "clamd", who="road")
    figures = await journal.ask(lambda connection: gathered(connection, TODAY, periods.before(TODAY), rows=True))
    assert (figures.received, figures.kept, figures.verdicts[Verdict.SANITIZED]) == (5, 2, 3)
    assert figures.verdicts_before[Verdict.SANITIZED] == 1
    assert figures.reasons == {"encrypted": 1, "malware": 1}
    assert figures.doors == {"smtp": 5}
    assert [one.kind for one in figures.incidents] == [Kind.SCANNER]
    assert figures.ranks.senders == [("sender@example.com", 5)]


@pytest.mark.parametrize("kind", kinds.Kind)
async def test_a_paper_says_what_its_table_says(journal: Journal, clock: Clock, kind: kinds.Kind) -> None:
    await released(journal)
    await kept_inside(journal)
    period = periods.of(kinds.FORMS[kind].every, NOW)
    made = await reporting(journal, clock).make(kind, period, "kansa")
    assert (made.paper.number, made.tables.number, made.paper.subject) == ("DOC-2026-0001", "DOC-2026-0002", period.name)
    _, content = await journal.ask(lambda connection: documents.find(connection, made.paper.number))
    with pikepdf.open(io.BytesIO(content)) as paper:
        assert len(paper.pages) >= (1 if kind is kinds.Kind.DAILY else 2)
        assert period.ja in str(paper.docinfo["/Title"])
    _, table = await journal.ask(lambda connection: documents.find(connection, made.tables.number))
    lines = table.decode("utf-8-sig").split("\r\n")
    assert lines[:2] == ["通過と判定 / traffic", "判定,件数,前の期間"]
    assert "計,2,0" in lines
    assert "パスワードで保護されています,1" in lines


async def test_a_report_of_another_length_is_refused(journal: Journal, clock: Clock) -> None:
    with pytest.raises(ValueError, match="2026-11"):
        await reporting(journal, clock).make(kinds.Kind.DAILY, periods.named("2026-11"), "kansa")


async def test_each_is_made_once_when_its_time_has_come(journal: Journal, clock: Clock) -> None:
    await released(journal)
    maker, other = reporting(journal, clock), reporting(journal, clock)
    clock.now = TODAY.until + 7 * 3600 - 1
    assert [one.paper.subject for one in await maker.tick()] == []
    clock.now += 1
    assert [one.paper.subject for one in await maker.tick()] == [TODAY.name]
    assert await other.tick() == [], "another node sees that it is made"
    clock.now = periods.named("2026-11").until + 7 * 3600
    assert [one.paper.subject for one in await maker.tick()] == ["2026-11-30", "2026-11"]
    clock.now = periods.named("FY2026").until + 8 * 3600
    assert [one.paper.subject for one in await maker.tick()] == ["2027-03-31", "2027-03", "FY2026"]


async def test_nothing_is_reported_of_a_house_that_stood_empty(journal: Journal, clock: Clock) -> None:
    clock.now = TODAY.until + 8 * 3600
    assert await reporting(journal, clock).tick() == []


async def test_a_report_is_sent_with_its_paper_and_its_table(journal: Journal, clock: Clock) -> None:
    await released(journal)
    clock.now = TODAY.until + 7 * 3600
    (made,) = await reporting(journal, clock, daily=("a@town.example.jp", "b@town.example.jp")).tick()
    post = Post()
    queue = Queue(LettersOutbox(journal, clock=clock), post, QueueSettings(), clock)
    running = asyncio.ensure_future(queue.run())
    async with asyncio.timeout(20):
        while len(post.taken) < 2:
            await asyncio.sleep(0.01)
    queue.drain()
    await asyncio.wait_for(running, 20)
    assert sorted(mail.recipients[0] for mail in post.taken) == ["a@town.example.jp", "b@town.example.jp"]
    read = email.message_from_bytes(post.taken[0].content, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    assert not read.defects
    assert made.paper.number in str(read["Subject"])
    assert "日次報告" in str(read["Subject"])
    names = [part.get_filename() for part in read.iter_attachments()]
    assert names == [f"{made.paper.number}.pdf", f"{made.tables.number}.csv"]
    assert next(iter(read.iter_attachments())).get_content()[:5] == b"%PDF-"
    body = read.get_body()
    assert body is not None
    assert "報告を添付します" in body.get_content()
    results = [entry.detail async for entry in journal.entries() if entry.action == "letter.result"]
    assert len(results) == 2
    assert all("delivered" in detail for detail in results)


def test_a_table_runs_nothing() -> None:
    sheet = Sheet("x", "題", ("名",), (("=1+1",), ("＠x",), ("ok",)))
    assert as_csv([sheet, sheet]).decode("utf-8-sig").split("\r\n")[:5] == ["題", "名", "'=1+1", "'＠x", "ok"]
