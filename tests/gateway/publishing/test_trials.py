"""Back-tests that are asked for: what differs is kept, a word stops them, a lost one begins anew, and a rule that hits the clean set shows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from gateway.publishing import clean_set, trials
from gateway.publishing.backtest import Summary
from gateway.publishing.trials import NoSuchTrialError, Trial, TrialState
from gateway.publishing.versions import NotNowError, Subject, Version
from gateway.road.workers import Workers
from gateway.storage import trials as rows
from gateway.storage.faults import StorageError
from sanitizers.model import Reason, Verdict
from tests.build.face import Town, quick_passwords, town
from tests.build.publishing import NEW_RULE, Office, office
from tests.build.transfer import BODY, DAY, digest, lost, report


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        yield made


@pytest.fixture
async def desk(place: Town) -> Office:
    return await office(place)


async def drafted(desk: Office, rule: str = NEW_RULE) -> Version:
    return await desk.publishing.change_rules({"b.yar": rule}, actor="kanri")


def sums(trial: Trial | None) -> Summary:
    assert trial is not None
    return msgspec.json.decode(trial.summary, type=Summary)


async def test_what_differs_is_kept_by_rule_and_organisation(place: Town, desk: Office) -> None:
    receipts = [await place.settled() for _ in range(5)]
    version = await drafted(desk)
    asked = await desk.trials.ask(version, actor="kanri")
    done = await desk.trials.run_one()
    assert done is not None
    assert (done.id, done.state, done.done) == (asked.id, TrialState.DONE, done.total)
    summary = sums(done)
    assert (summary.tested, summary.changed, summary.new, summary.lost) == (5, 5, {"Newer": 5}, {})
    assert summary.organisations == {"": 5}
    assert summary.clean_tested == clean_set.count(None) > 5
    assert summary.clean_hits == {}
    found = await desk.trials.differences(done.id)
    assert [one.name for one in found] == receipts[::-1]
    assert {(one.new, one.before, one.after) for one in found} == {(("Newer",), "sanitized", "sanitized")}
    assert await desk.trials.run_one() is None


async def test_what_is_older_or_gone_is_not_tried(place: Town, desk: Office) -> None:
    await place.settled()
    await place.journal.dispose(1, at=place.clock(), actor="test")
    place.clock.pass_by(3 * DAY)
    version = await drafted(desk)
    await desk.trials.ask(version, actor="kanri", days=1)
    assert (sums(await desk.trials.run_one()).gone, sums((await desk.trials.of_version(version.id))[0]).tested) == (0, 0)
    await desk.trials.ask(version, actor="kanri", days=7)
    assert sums(await desk.trials.run_one()).gone == 1


async def test_a_rule_that_hits_the_clean_set_shows(place: Town, desk: Office) -> None:
    version = await drafted(desk, 'rule Broad { strings: $a = "%PDF" condition: $a }\n')
    await desk.trials.ask(version, actor="kanri")
    done = await desk.trials.run_one()
    assert sums(done).clean_hits == {"Broad": 1}
    assert done is not None
    (only,) = await desk.trials.differences(done.id)
    assert (only.name, only.transfer_id, only.new) == ("clean.pdf", None, ("Broad",))


def test_the_clean_set_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.txt").write_bytes(b"a")
    assert [sample.name for sample in clean_set.samples(tmp_path)][-1] == "a.txt"
    assert clean_set.count(tmp_path) == clean_set.count(None) + 1


async def test_one_word_stops_it(place: Town, desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await place.settled()
    monkeypatch.setattr("gateway.publishing.trials._WRITE_SECONDS", 0.0)
    version = await drafted(desk)
    asked = await desk.trials.ask(version, actor="kanri")
    progress, stopped = rows.progress, []

    def stopping(*given: object, **more: object) -> bool:
        if not stopped:
            stopped.append(rows.stop(given[0], asked.id, at=place.clock(), actor="sousa"))  # type: ignore[arg-type]
        return progress(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("gateway.storage.trials.progress", stopping)
    done = await desk.trials.run_one()
    assert done is not None
    assert (done.state, done.done) == (TrialState.STOPPED, 0)
    with pytest.raises(NotNowError):
        await desk.trials.stop(asked.id, actor="kanri")
    with pytest.raises(NotNowError, match="reason"):
        await desk.publishing.submit(version.id, actor="kanri")
        await desk.publishing.approve(version.id, actor="sousa")
    with pytest.raises(NoSuchTrialError):
        await desk.trials.stop(99, actor="kanri")


async def test_what_waits_is_stopped_before_it_began(place: Town, desk: Office) -> None:
    asked = await desk.trials.ask(await drafted(desk), actor="kanri")
    assert (await desk.trials.stop(asked.id, actor="kanri")).state is TrialState.STOPPED
    assert await desk.trials.run_one() is None


async def test_a_lost_one_begins_anew(place: Town, desk: Office) -> None:
    await place.settled()
    asked = await desk.trials.ask(await drafted(desk), actor="kanri")
    at = place.clock()
    await place.journal.write(lambda connection: rows.claim(connection, at=at, lease_until=at + 60))
    assert await desk.trials.run_one() is None, "another process is at it"
    place.clock.pass_by(61)
    done = await desk.trials.run_one()
    assert done is not None
    assert (done.id, done.state) == (asked.id, TrialState.DONE)


async def test_a_failure_is_told(place: Town, desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: object) -> None:
        raise ValueError("a.yar: syntax error")

    monkeypatch.setattr("tests.build.publishing.FindingWorkers.start", broken)
    await desk.trials.ask(await drafted(desk), actor="kanri")
    done = await desk.trials.run_one()
    assert done is not None
    assert (done.state, sums(done).error) == (TrialState.FAILED, "a.yar: syntax error")


async def test_only_what_may_still_come_in_force_is_tried(place: Town, desk: Office) -> None:
    standing = await desk.publishing.in_force(Subject.RULES)
    assert standing is not None
    with pytest.raises(NotNowError):
        await desk.trials.ask(standing, actor="kanri")
    lists = await desk.publishing.draft(Subject.LISTS, {"deny.txt": "ab" * 32}, actor="kanri")
    with pytest.raises(NotNowError):
        await desk.trials.ask(lists, actor="kanri")


async def test_a_policy_is_tried_with_the_rules_in_force(place: Town, desk: Office) -> None:
    receipt_no = await place.settled()
    version = await desk.publishing.draft(Subject.POLICY, {"policy.toml": "[kinds]\neml = 'hold'\n"}, actor="kanri")
    await desk.trials.ask(version, actor="kanri")
    done = await desk.trials.run_one()
    assert sums(done).verdicts == {"sanitized → held": 1}
    assert done is not None
    (only,) = await desk.trials.differences(done.id)
    assert (only.name, only.before, only.after) == (receipt_no, "sanitized", "held")


async def test_what_the_walls_did_to_it_says_nothing_of_the_rules(place: Town, desk: Office) -> None:
    """A crash and bytes that are gone are counted by themselves, and change nothing."""
    await place.settled()
    await place.settled(given=report(Verdict.HELD, Reason.ENCRYPTED, source=b"other"))
    version = await drafted(desk)
    await desk.trials.ask(version, actor="kanri")
    made = desk.trials._new_workers

    def crashing(rules: Mapping[str, str]) -> Workers:
        workers = made(rules)
        workers.answer = lost  # type: ignore[attr-defined]
        return workers

    desk.trials._new_workers = crashing
    summary = sums(await desk.trials.run_one())
    assert (summary.tested, summary.failed, summary.gone, summary.changed) == (0, 2, 0, 0)
    await place.blobs.delete(digest(BODY))
    await desk.trials.ask(version, actor="kanri")
    summary = sums(await desk.trials.run_one())
    assert (summary.tested, summary.failed, summary.gone, summary.changed) == (0, 0, 2, 0)


async def test_back_tests_wait_while_a_store_fails_and_write_as_they_go(
    place: Town, desk: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("_POLL_SECONDS", "_WRITE_SECONDS"):
        monkeypatch.setattr(trials, name, 0.0)
    for _ in range(3):
        await place.settled()
    asked = await desk.trials.ask(await drafted(desk), actor="kanri")
    one, progress, failures, written = desk.trials.run_one, rows.progress, [StorageError("busy")], list[int]()

    async def failing(trial_id: int | None = None) -> Trial | None:
        if failures:
            raise failures.pop()
        return await one(trial_id)

    def counted(*given: object, **more: object) -> bool:
        written.append(more["done"])  # type: ignore[arg-type]
        return progress(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.trials, "run_one", failing)
    monkeypatch.setattr("gateway.storage.trials.progress", counted)
    running = asyncio.ensure_future(desk.trials.run())
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(60):
            while (await desk.trials.find(asked.id)).state is not TrialState.DONE:
                await asyncio.sleep(0)
    running.cancel()
    assert [record.getMessage() for record in caplog.records] == ["back-tests have to wait"]
    assert written == sorted(written)
    assert len(set(written)) > 2, "somebody can watch it go on"
