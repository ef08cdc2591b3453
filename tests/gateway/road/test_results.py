"""A result of before: given again where nothing differs, never where anything could, and never when it is not what it was."""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from gateway import receipts
from gateway.model import Door, State, Transfer
from gateway.policy import Policy, load
from gateway.road.pipeline import Pipeline
from gateway.road.results import Results
from gateway.scanners.interface import Answer, Clean, Found
from gateway.scanners.panel import Panel, Seat
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.settling import pack
from gateway.storage.tables import reports, results, transfers
from sanitizers.model import Job, Kind, Reason, Report, Verdict
from tests.build.transfer import BODY, DAY, NOW, RESULT, FakeWorkers, MemoryBlobs, arrival, claimed, digest, info, report, signer

TOP = Path(__file__).resolve().parents[3]


def pdf(job: Job, source: bytes) -> Report:
    return report(source=source, kind=Kind.PDF, policy=job.policy)


@dataclass
class Shop:
    """A road with a memory, and a clock that the test turns."""

    journal: Journal
    blobs: MemoryBlobs | LocalBlobs
    workers: FakeWorkers = field(default_factory=lambda: FakeWorkers(pdf))
    now: float = NOW
    policy: Policy = field(default_factory=Policy)
    scanner: Callable[[bytes], Answer] | None = None
    days: float = 7
    signed = signer()

    async def bring(self, content: bytes = BODY, **changes: object) -> Transfer:
        await self.blobs.put(content)
        given = {"door": Door.DROP, "sender": "tanaka", "recipients": ("tanaka",), "name": "願書.pdf"}
        transfer_id = (await self.journal.accept(arrival(content, **(given | changes))))[0]
        results = Results(self.journal, self.blobs, seconds=self.days * DAY, clock=lambda: self.now)
        panel = Panel([Seat(self)] if self.scanner else [])  # type: ignore[list-item]
        pipeline = Pipeline(
            self.journal, self.blobs, self.workers, self.policy, self.signed, results=results, panel=panel, clock=lambda: self.now
        )
        await pipeline.process(claimed(await self.journal.claim(1, at=self.now, lease_until=self.now + 60)))
        return await self.journal.transfer(transfer_id)

    async def made(self, *ways: dict[str, object]) -> int:
        """How often the jail was at work for these."""
        before = len(self.workers.jobs)
        for way in ways:
            await self.bring(**way)  # type: ignore[arg-type]
        return len(self.workers.jobs) - before

    name = "other"

    async def scan(self, fd: int, size: int) -> Answer:
        assert self.scanner is not None
        return self.scanner(os.pread(fd, size, 0))

    async def age(self) -> float | None:
        return None


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    journal = Journal(tmp_path / "sekisho.db", busy_seconds=0.05)
    await journal.start()
    yield Shop(journal, MemoryBlobs())
    await journal.stop()


async def test_the_same_file_is_made_once_and_each_has_its_own_receipt(shop: Shop) -> None:
    first, second = await shop.bring(), await shop.bring()
    assert len(shop.workers.jobs) == 1
    assert (second.state, second.verdict, second.result) == (State.RELEASED, Verdict.SANITIZED, first.result)
    one, other = [msgspec.json.decode(await shop.journal.receipt(each.id) or "", type=receipts.Receipt) for each in (first, second)]
    assert (one.receipt_no, other.receipt_no) == (first.receipt_no, second.receipt_no)
    assert one.output_sha256 == other.output_sha256 == digest(RESULT)
    told, again = await shop.journal.report(first.id), await shop.journal.report(second.id)
    assert told is not None and again is not None
    assert [finding.code for finding in told.findings] == []
    assert [(finding.code, finding.action) for finding in again.findings] == [("road.reused", "kept")]
    assert (again.verdict, again.output, again.input) == (told.verdict, told.output, told.input)
    third = await shop.journal.report((await shop.bring()).id)
    assert third is not None
    assert len(third.findings) == 1, "what is given again is always the first one's"


DIFFERENT = [
    {"content": BODY + b"."},
    {"name": "願書.docx"},
    {"organisation": "B市"},
    {"door": Door.API},
    {"lane": "outbound"},
]


@pytest.mark.parametrize("other", DIFFERENT, ids=[next(iter(one)) for one in DIFFERENT])
async def test_what_differs_is_made_anew(shop: Shop, other: dict[str, object]) -> None:
    assert await shop.made({}, other, other) == 2


async def test_another_policy_or_other_rules_make_it_anew(shop: Shop) -> None:
    assert await shop.made({}) == 1
    shop.workers.rules_version = "rules-2"
    assert await shop.made({}) == 1
    shop.policy = load("[treatment]\ncomments_kept = false")
    assert await shop.made({}, {}) == 1


async def test_layers_of_one_document_do_not_share_results(shop: Shop) -> None:
    shop.policy = load("[groups.a]\nmembers = ['sato']\ntreatment = {pdf_links_removed = true}")
    assert await shop.made({}, {"sender": "sato", "recipients": ("sato",)}, {"sender": "suzuki", "recipients": ("suzuki",)}) == 2


async def test_mails_and_what_holds_one_are_never_given_again(shop: Shop) -> None:
    assert await shop.made({"door": Door.SMTP}, {"door": Door.SMTP}) == 2
    shop.workers.answer = lambda job, source: report(source=source, kind=Kind.ZIP, parts=(report(kind=Kind.MSG),), policy=job.policy)
    assert await shop.made({}, {}) == 2


@pytest.mark.parametrize("verdict", [Verdict.HELD, Verdict.BLOCKED])
async def test_what_is_not_wholly_delivered_is_made_anew(shop: Shop, verdict: Verdict) -> None:
    reason = Reason.MALFORMED if verdict is Verdict.HELD else Reason.MALWARE
    shop.workers.answer = lambda job, source: report(verdict, reason, source=source, policy=job.policy)
    assert await shop.made({}, {}) == 2
    part = report(verdict, reason)
    shop.workers.answer = lambda job, source: report(source=source, kind=Kind.ZIP, parts=(part,), policy=job.policy)
    assert await shop.made({"name": "b"}, {"name": "b"}) == 2


async def test_what_policy_holds_is_not_remembered(shop: Shop) -> None:
    shop.policy = load("[kinds]\npdf = 'hold'")
    assert await shop.made({}, {}) == 2


async def test_it_is_given_again_for_some_days_only(shop: Shop) -> None:
    assert await shop.made({}) == 1
    shop.now += 6 * DAY
    assert await shop.made({}) == 0
    shop.now += 1 * DAY
    assert await shop.made({}) == 1, "counted from when it was made, not from when it was last given"


async def test_never_where_that_is_set(shop: Shop) -> None:
    shop.days = 0
    assert await shop.made({}, {}) == 2


async def test_what_was_disposed_of_or_held_by_a_person_is_made_anew(shop: Shop) -> None:
    first = await shop.bring()
    await shop.journal.hold(first.id, at=shop.now, actor="sousa", note="疑わしい")
    assert await shop.made({}) == 1
    second = (await shop.journal.transfers())[0]
    await shop.journal.dispose(second.id, at=shop.now, actor="sousa")
    assert await shop.made({}) == 1


async def test_a_damaged_or_missing_blob_is_made_anew(shop: Shop) -> None:
    assert isinstance(shop.blobs, MemoryBlobs)
    assert await shop.made({}) == 1
    shop.blobs.kept[digest(RESULT)] = b"poison"
    assert await shop.made({}) == 1
    del shop.blobs.kept[digest(RESULT)]
    assert await shop.made({}, {}) == 1


async def test_a_report_that_was_changed_is_not_believed(shop: Shop) -> None:
    first = await shop.bring()

    def forge(connection: object) -> None:
        forged = pack(report(Verdict.CLEAN, source=BODY, kind=Kind.PDF))
        connection.execute(update(reports).where(reports.c.transfer_id == first.id).values(report=forged))  # type: ignore[attr-defined]

    await shop.journal.write(forge)
    assert await shop.made({}) == 1


async def test_scanners_are_asked_about_original_and_result_each_time(shop: Shop) -> None:
    seen: list[bytes] = []

    def clean(content: bytes) -> Answer:
        seen.append(content)
        return Clean()

    shop.scanner = clean
    assert await shop.made({}, {}) == 1
    assert seen == [BODY, RESULT, BODY, RESULT]
    shop.scanner = lambda content: Found("Late.Signature") if content == RESULT else Clean()
    late = await shop.bring()
    assert (late.state, late.reason) == (State.BLOCKED, Reason.MALWARE)


async def test_what_goes_between_finding_and_settling_is_made_anew(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await shop.bring()
    find = Results.find

    async def found_and_lost(self: Results, key: str, transfer: Transfer) -> object:
        found = await find(self, key, transfer)
        await shop.journal.dispose(first.id, at=shop.now, actor="sousa")
        return found

    monkeypatch.setattr(Results, "find", found_and_lost)
    again = await shop.bring()
    assert (again.state, len(shop.workers.jobs)) == (State.RELEASED, 2)


async def test_a_new_service_has_forgotten_everything(shop: Shop) -> None:
    await shop.bring()
    results = Results(shop.journal, shop.blobs, seconds=DAY, clock=lambda: shop.now)
    assert await results.forget() == 0
    assert await results.forget(everything=True) == 1
    assert await shop.made({}) == 1


def test_no_other_sanitizer_writes_facts_about_one_transfer() -> None:
    """Whoever begins to use them has to say in `gateway.road.results` for which results that matters."""
    facts = {"receipt_no", "received_at", "original_until", "pickup_url"}
    using = set()
    for path in (TOP / "sanitizers").rglob("*.py"):
        names = {node.attr for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
        if names & facts:
            using.add("/".join(path.relative_to(TOP / "sanitizers").parts[:2]))
    assert using == {"formats/message", "formats/archive", "verify/message.py"}


@pytest.mark.parametrize("also_the_report", [False, True])
async def test_a_size_that_is_not_the_files_is_not_believed(shop: Shop, also_the_report: bool) -> None:
    """Of the row alone, or of a report that says the same: the bytes have the last word, and no descriptor stays open."""
    first = await shop.bring()
    said = msgspec.structs.replace(report(source=BODY, kind=Kind.PDF), output=msgspec.structs.replace(info(RESULT, kind=Kind.PDF), size=999))

    def forge(connection: Any) -> None:
        connection.execute(update(transfers).where(transfers.c.id == first.id).values(result_size=999))
        if also_the_report:
            connection.execute(update(reports).where(reports.c.transfer_id == first.id).values(report=pack(said)))
            connection.execute(update(results).values(report_sha256=digest(pack(said))))

    await shop.journal.write(forge)
    assert await shop.made({}) == 1
    assert not [name for name in opened() if name.startswith("/memfd:blob")]


def opened() -> list[str]:
    """What the descriptors of this process are."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return found
