"""A second look: only when something changed, over all that is kept; a late hit names who has it, stops what has not left, tells the house."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from gateway import policy
from gateway.model import ACROSS, BY_POST, Delivery, Door, IllegalTransitionError, Purpose, RecipientState, State, Way
from gateway.publishing import rescan
from gateway.publishing.rescan import Cause, Rescans
from gateway.publishing.versions import Publishing, Subject
from gateway.requests.operating import Deed, Operating, possible
from gateway.road.workers import JailUnavailable
from gateway.scanners.hashlists import HashLists
from gateway.scanners.interface import Answer, Clean, Found
from gateway.scanners.panel import Panel, Seat
from gateway.storage import crossings, forgetting
from gateway.storage import rescans as rows
from gateway.storage.deliveries import SHARES
from gateway.storage.faults import NoSuchTransferError, StorageError
from gateway.storage.rescans import LateHit, Rescan
from gateway.telling.notices import Office
from sanitizers.model import Job, Match, Report, Severity
from tests.build.face import Town, client, quick_passwords, town
from tests.build.publishing import NEW_RULE, RULES
from tests.build.transfer import BODY, DAY, NOW, RESULT, FakeWorkers, arrival, claimed, digest, report, settlement


class Scanner:
    """Knows `bad` once it is told; its signatures are of `made`."""

    name = "clamav"

    def __init__(self, place: Town) -> None:
        self.place = place
        self.made = place.clock()
        self.bad = b""

    async def scan(self, fd: int, size: int) -> Answer:
        content = await self.place.blobs.read(digest(BODY)) if size == len(BODY) else b""
        return Found("Test.Marker") if self.bad and self.bad in content else Clean()

    async def age(self) -> float | None:
        return self.place.clock() - self.made


class Looks:
    """A second look over a town; `severity` of what its workers find."""

    def __init__(self, place: Town) -> None:
        self.place = place
        self.scanner = Scanner(place)
        self.panel = Panel([Seat(self.scanner, required=False)])
        self.publishing = Publishing(place.journal, place.clock, policy.load, four_eyes=False)
        self.severity: Severity | None = None
        self.told = 0
        self.looks = Rescans(
            place.journal, place.blobs, self.panel, Office("postmaster@town.example.jp", "sekisho.town.example.jp"), self.publishing,
            new_workers=self._workers, policy=policy.Policy, clock=place.clock, days=7, told=self._tell,
        )  # fmt: skip

    def _tell(self) -> None:
        self.told += 1

    def _workers(self, _: Mapping[str, str]) -> FakeWorkers:
        def answer(job: Job, source: bytes) -> Report:
            made = report(source=source, policy=job.policy)
            found = () if self.severity is None or source != BODY else (Match(rule="Newer", severity=self.severity, where=""),)
            return Report(**{name: getattr(made, name) for name in Report.__struct_fields__ if name not in ("matches", "schema")}, matches=found)

        class Jailless(FakeWorkers):
            async def start(self) -> None: ...

            async def stop(self) -> None: ...

        return Jailless(answer)

    async def changed(self) -> None:
        """Other rules come in force."""
        await self.publishing.seen_on_disk({Subject.RULES: RULES | {"b.yar": NEW_RULE + f"// {self.place.clock()}\n"}})

    async def hits(self) -> list[LateHit]:
        return await self.place.journal.ask(lambda connection: rows.late_hits(connection, 100))

    async def last(self) -> Rescan:
        last = await self.place.journal.ask(rows.last)
        assert last is not None
        return last


@pytest.fixture
async def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Looks]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as place:
        made = Looks(place)
        await made.publishing.seen_on_disk({Subject.RULES: RULES})
        await made.looks.look()
        yield made


async def test_nothing_is_looked_at_while_nothing_changes(looks: Looks) -> None:
    await looks.place.settled()
    assert await looks.looks.look() is None
    looks.place.clock.pass_by(3600)
    assert await looks.looks.look() is None
    await looks.changed()
    done = await looks.looks.look()
    assert done is not None
    assert (done.scanned, done.hits) == (1, 0)
    assert done.ended_at is not None
    assert await looks.looks.look() is None
    looks.scanner.made += DAY
    done = await looks.looks.look()
    assert done is not None
    assert done.scanned == 1, "newer signatures are a reason too"


async def test_a_late_hit_says_who_has_it(looks: Looks) -> None:
    fetched, waiting = await looks.place.settled("tanaka"), await looks.place.settled("suzuki")
    await looks.place.journal.collected(await looks.place.journal.find(fetched), at=looks.place.clock(), actor="tanaka")
    looks.severity = Severity.HIGH
    await looks.changed()
    done = await looks.looks.look()
    assert done is not None
    assert (done.scanned, done.hits) == (2, 2)
    found = {hit.receipt_no: hit for hit in await looks.hits()}
    assert {hit.name for hit in found.values()} == {"Newer"}
    assert (found[fetched].received_by.collected, found[waiting].received_by.collected) == (("tanaka",), ())
    assert (await looks.place.journal.find(waiting)).state is State.HELD, "what nobody has fetched is fetched no more"
    (entry,) = [one async for one in looks.place.journal.entries(subject=fetched) if one.action == "transfer.late_hit"]
    assert '"tanaka"' in entry.detail
    notices = await looks.place.journal.deliveries((await looks.place.journal.find(fetched)).id)
    assert [(one.purpose, one.recipients[0].address) for one in notices] == [(Purpose.NOTICE, "postmaster@town.example.jp")]
    assert b"20261" in await looks.place.blobs.read(notices[0].blob)
    assert looks.told == 2
    looks.place.clock.pass_by(60)
    await looks.changed()
    await looks.looks.look()
    assert (len(await looks.hits()), looks.told) == (2, 2), "once"


async def test_what_is_on_the_inner_side_already_is_recalled(looks: Looks) -> None:
    looks.looks._crosses = True
    there, here = await looks.place.settled("tanaka"), await looks.place.settled("suzuki")
    transfer = await looks.place.journal.find(there)
    await looks.place.journal.write(lambda connection: crossings.queue_boxes(connection, NOW, 1))
    (delivery,) = await looks.place.journal.claim_deliveries(1, at=NOW, lease_until=NOW + 60, way=Way(ACROSS))
    await put_there(looks.place, delivery)
    looks.severity = Severity.HIGH
    await looks.changed()
    await looks.looks.look()
    (recall,) = [one for one in await looks.place.journal.deliveries(transfer.id) if one.purpose is Purpose.RECALL]
    assert await looks.place.blobs.read(recall.blob) == b'["Newer"]'
    others = await looks.place.journal.deliveries((await looks.place.journal.find(here)).id)
    assert Purpose.RECALL not in {one.purpose for one in others}, "it has not left, and does not"
    assert Purpose.RECALL not in BY_POST, "nobody reads it as a mail"


async def bound_for_a_share(place: Town) -> tuple[str, Delivery]:
    """A file for its own box and a share, the courier at work on it."""
    await place.blobs.put(BODY)
    await place.blobs.put(RESULT)
    _, receipt_no = await place.journal.accept(arrival(door=Door.DROP, sender="tanaka", recipients=("tanaka", "share:zeimu")))
    claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
    await place.journal.settle(claim, place.signed(receipt_no, settlement(), None), at=NOW)
    (delivery,) = await place.journal.claim_deliveries(1, at=NOW, lease_until=NOW + 60, way=SHARES)
    return receipt_no, delivery


async def put_there(place: Town, delivery: Delivery) -> None:
    done = [msgspec.structs.replace(one, state=RecipientState.DELIVERED, due=None) for one in delivery.recipients]
    await place.journal.settle_delivery(delivery, done, None, at=place.clock())


@pytest.mark.parametrize("when", ["on its share", "on its way to its share"])
async def test_a_file_on_a_share_is_fetched_from_its_box_no_more(looks: Looks, when: str) -> None:
    place = looks.place
    receipt_no, delivery = await bound_for_a_share(place)
    if when == "on its share":
        await put_there(place, delivery)
    tanaka, file = await place.token("tanaka"), f"/api/v1/transfers/{receipt_no}/file"
    async with client(place.faces["pickup"]) as browser:
        assert (await browser.get(file, headers=tanaka)).status == 200
        looks.severity = Severity.HIGH
        await looks.changed()
        await looks.looks.look()
        if when != "on its share":
            await put_there(place, delivery)
        assert (await browser.get(file, headers=tanaka)).status == 409
        assert (await place.journal.find(receipt_no)).state is State.HELD
        await Operating(place.journal, place.seal, place.clock).act(Deed.RELEASE, await place.journal.find(receipt_no), actor="sousa", note="found wrongly")
        assert (await browser.get(file, headers=tanaka)).status == 200, "an operator's word lets it go again"
    place.clock.pass_by(1)
    (again,) = await place.journal.claim_deliveries(1, at=place.clock(), lease_until=place.clock() + 60, way=SHARES)
    assert again.recipients == (), "what is on the share is not put there twice"
    await put_there(place, again)
    assert (await place.journal.find(receipt_no)).state is State.DELIVERED


async def test_a_mail_that_was_sent_is_gone(looks: Looks) -> None:
    receipt_no = await looks.place.settled("sender@partner.example.jp", door=Door.SMTP)
    (delivery,) = await looks.place.journal.claim_deliveries(1, at=NOW, lease_until=NOW + 60)
    await put_there(looks.place, delivery)
    looks.severity = Severity.HIGH
    await looks.changed()
    await looks.looks.look()
    mail = await looks.place.journal.find(receipt_no)
    assert mail.state is State.DELIVERED
    with pytest.raises(IllegalTransitionError):
        await looks.place.journal.hold(mail.id, at=NOW, actor="sousa", note="too late")
    assert Deed.HOLD not in possible(mail, await looks.place.journal.report(mail.id))


async def test_what_a_rule_only_notes_alarms_nobody(looks: Looks) -> None:
    await looks.place.settled()
    looks.severity = Severity.MEDIUM
    await looks.changed()
    await looks.looks.look()
    assert await looks.hits() == []


async def test_scanners_and_lists_are_asked_again(looks: Looks) -> None:
    receipt_no = await looks.place.settled("clerk@town.example.jp", door=Door.SMTP)
    looks.scanner.bad, looks.scanner.made = BODY, looks.place.clock() + DAY
    await looks.looks.look()
    assert [(hit.receipt_no, hit.name) for hit in await looks.hits()] == [(receipt_no, "clamav: Test.Marker")]
    looks.panel.lists = HashLists(deny={bytes.fromhex(digest(BODY)): "known bad"})
    await looks.publishing.put_in_force(Subject.LISTS, {"deny.txt": f"{digest(BODY)} known bad\n"}, actor="kanri", reason="x")
    await looks.looks.look()
    assert {hit.name for hit in await looks.hits()} == {"clamav: Test.Marker", "deny list: known bad"}


async def test_what_is_too_old_is_left(looks: Looks) -> None:
    await looks.place.settled()
    looks.place.clock.pass_by(8 * DAY)
    looks.severity = Severity.HIGH
    await looks.changed()
    done = await looks.looks.look()
    assert done is not None
    assert done.scanned == 0


async def test_a_look_that_was_cut_short_goes_on_where_it_was(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        await looks.place.settled()
    await looks.changed()
    one, seen = looks.looks._one, []

    async def dying(transfer_id: int, workers: object) -> bool:
        seen.append(transfer_id)
        if len(seen) == 3:
            raise ValueError("the process dies here")
        return await one(transfer_id, workers)  # type: ignore[arg-type]

    monkeypatch.setattr(looks.looks, "_one", dying)
    with pytest.raises(ValueError, match="dies"):
        await looks.looks.look()
    assert await looks.looks.look() is None, "until its lease is over"
    looks.place.clock.pass_by(601)
    done = await looks.looks.look()
    assert done is not None
    assert (seen, done.scanned) == ([4, 3, 2, 2, 1], 4)


async def test_a_newer_change_makes_a_newer_look(looks: Looks) -> None:
    await looks.changed()
    at = looks.place.clock()
    await looks.place.journal.write(lambda connection: rows.begin(connection, '{"rules":99}', at=at))
    taken = await looks.place.journal.write(lambda connection: rows.take(connection, at=at, lease_until=at + 60))
    assert taken is not None
    await looks.looks.look()
    assert not await looks.place.journal.write(
        lambda connection: rows.advance(connection, taken.id, next_id=1, scanned=1, found=0, lease_until=at + 60)
    )
    assert (await looks.last()).id > taken.id


def test_a_date_that_wavers_is_one_date() -> None:
    one = Cause(rules=1, signatures={"clamav": 1000.0})
    assert one.same(Cause(rules=1, signatures={"clamav": 1300.0}))
    for other in (Cause(rules=2, signatures={"clamav": 1000.0}), Cause(rules=1, signatures={"clamav": 5000.0}), Cause(rules=1), Cause(rules=1, lists=3)):
        assert not one.same(other)


# ----------------------------------------------------------------------------------------------------- meanwhile


def meanwhile(looks: Looks, monkeypatch: pytest.MonkeyPatch, deed: Callable[[], Awaitable[object]]) -> None:
    """`deed` is done once, while the scanner looks at the first bytes."""
    scan, done = looks.scanner.scan, list[object]()

    async def scanning(fd: int, size: int) -> Answer:
        if not done:
            done.append(await deed())
        return await scan(fd, size)

    monkeypatch.setattr(looks.scanner, "scan", scanning)


async def test_what_is_given_up_while_it_is_looked_at_is_passed_over(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    place = looks.place
    older, younger = await place.settled(), await place.settled()
    transfers = [await place.journal.find(one) for one in (older, younger)]
    assert {one.blob for one in transfers} == {digest(BODY)}
    looks.severity = Severity.HIGH
    await looks.changed()

    async def forget() -> None:
        await place.journal.dispose(transfers[0].id, at=NOW, actor="test")
        await place.journal.write(lambda connection: forgetting.forget(connection, before=NOW + DAY, limit=10))

    meanwhile(looks, monkeypatch, forget)
    done = await looks.looks.look()
    with pytest.raises(NoSuchTransferError):
        await place.journal.find(older)
    assert done is not None
    assert (done.scanned, done.hits) == (2, 1)
    assert [hit.receipt_no for hit in await looks.hits()] == [younger]


@pytest.mark.parametrize("how", ["gone", "damaged"])
async def test_bytes_that_are_not_there_hide_no_others(looks: Looks, how: str) -> None:
    """The result is gone; the original still says what is in it."""
    place, receipt_no = looks.place, await looks.place.settled()
    if how == "gone":
        await place.blobs.delete(digest(RESULT))
    else:
        (path,) = [one for one in (place.folder / "blobs").rglob(f"*{digest(RESULT)[2:]}*") if one.is_file()]
        path.write_bytes(path.read_bytes()[:-1])
    looks.severity = Severity.HIGH
    await looks.changed()
    await looks.looks.look()
    assert [hit.receipt_no for hit in await looks.hits()] == [receipt_no]


async def test_what_begins_to_leave_while_it_is_looked_at_is_told_of_all_the_same(
    looks: Looks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place = looks.place
    receipt_no = await place.settled("clerk@town.example.jp", door=Door.SMTP)
    looks.severity = Severity.HIGH
    await looks.changed()
    meanwhile(looks, monkeypatch, lambda: place.journal.claim_deliveries(1, at=NOW, lease_until=NOW + 60))
    with caplog.at_level(logging.WARNING):
        await looks.looks.look()
    assert "it is leaving just now" in [record.getMessage() for record in caplog.records]
    assert (await place.journal.find(receipt_no)).state is State.DELIVERING
    assert ([hit.receipt_no for hit in await looks.hits()], looks.told) == ([receipt_no], 1)


async def test_an_older_look_ends_where_a_newer_began(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    place = looks.place
    for _ in range(2):
        await place.settled()
    await looks.changed()
    meanwhile(looks, monkeypatch, lambda: place.journal.write(lambda connection: rows.begin(connection, '{"rules":99}', at=NOW)))
    await looks.looks.look()
    assert (await looks.last()).scanned == 0
    listed = await place.journal.ask(lambda connection: rows.listed(connection, 9))
    assert [one.scanned for one in listed] == [0, 0, 0], "the newer one looks at all of it itself"


async def test_what_was_taken_in_and_never_looked_at_has_no_former_matches(looks: Looks) -> None:
    """Held before it was processed (緊急停止): a late hit of it is written down, and it stays where it is."""
    place = looks.place
    await place.blobs.put(BODY)
    transfer_id, receipt_no = await place.journal.accept(arrival(door=Door.DROP, sender="tanaka", recipients=("tanaka",)))
    claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
    await place.journal.put_back(claim, at=NOW, note="lost", attempts=1)
    assert (await place.journal.find(receipt_no)).state is State.HELD
    assert await place.journal.report(transfer_id) is None
    looks.severity = Severity.HIGH
    await looks.changed()
    await looks.looks.look()
    assert ([hit.receipt_no for hit in await looks.hits()], looks.told) == ([receipt_no], 0)


async def test_it_goes_on_after_a_store_that_failed(looks: Looks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(rescan, "_LOOK_SECONDS", 0)
    look, failures = looks.looks.look, [StorageError("busy"), JailUnavailable("no walls")]

    async def failing() -> Rescan | None:
        if failures:
            raise failures.pop(0)
        return await look()

    monkeypatch.setattr(looks.looks, "look", failing)
    await looks.place.settled()
    await looks.changed()
    running = asyncio.ensure_future(looks.looks.run())
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(20):
            while (await looks.last()).scanned != 1:
                await asyncio.sleep(0)
    looks.looks.wake()
    running.cancel()
    assert [record.getMessage() for record in caplog.records] == ["what is kept cannot be looked at again"] * 2
