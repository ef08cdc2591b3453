"""A back-test over six hundred transfers that are kept: exactly those differ that should, in a real jail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from gateway import policy
from gateway.model import Door
from gateway.policy import Policy
from gateway.publishing import rulesets
from gateway.publishing.backtest import Summary
from gateway.publishing.trials import Trials, TrialState
from gateway.publishing.versions import POLICY_FILE, Publishing, Subject
from gateway.road.pipeline import Pipeline
from gateway.road.workers import Workers
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from tests.build.transfer import arrival, digest, signer

TRANSFERS = 600
ORGANISATIONS = ("関町", "沖町", "山村")
MARK, WORD = "見本 marker 4711", "powershell.exe -nop -w hidden -enc " + "QUJD" * 20
NEW_RULE = 'rule Newer {{ meta: severity = "{severity}" strings: $a = "marker 4711" condition: $a }}\n'


def content(number: int) -> bytes:
    """Every seventh has what the new rule looks for, every tenth what a rule that is to be switched off finds."""
    lines = [f"文書 {number}", MARK if number % 7 == 0 else "本文", WORD if number % 10 == 0 else "以上"]
    return "\r\n".join(lines).encode()


async def taken_in(journal: Journal, blobs: LocalBlobs, pipeline: Pipeline) -> None:
    """All of them down the road, two at a time."""
    at = time.time()
    for number in range(TRANSFERS):
        body = content(number)
        await blobs.put(body)
        came = arrival(body, door=Door.DROP, name=f"{number}.txt", organisation=ORGANISATIONS[number % 3], received_at=at)
        await journal.accept(came)
    while claims := await journal.claim(2, at=at, lease_until=at + 3600):
        await asyncio.gather(*(pipeline.process(claim) for claim in claims))


@pytest.mark.slow
@pytest.mark.parametrize("severity", ["medium", "high"])
async def test_six_hundred(tmp_path: Path, severity: str, record_property: Callable[[str, object], None]) -> None:
    journal, blobs = Journal(tmp_path / "sekisho.db"), LocalBlobs(tmp_path / "blobs", reserve=0)
    rules = rulesets.read(rulesets.builtin_folder())
    workers = Workers(rules, 2)
    await blobs.start()
    await journal.start()
    await workers.start()
    try:
        publishing = Publishing(journal, time.time, policy.load)
        await publishing.seen_on_disk({Subject.RULES: rules, Subject.POLICY: {POLICY_FILE: ""}})
        begin = time.monotonic()
        await taken_in(journal, blobs, Pipeline(journal, blobs, workers, Policy(), signer()))
        took = time.monotonic() - begin
        files = rulesets.with_states(rules, {"Script_EncodedPowerShell": "disabled"}) | {"newer.yar": NEW_RULE.format(severity=severity)}
        version = await publishing.draft(Subject.RULES, files, actor="kanri")
        trials = Trials(journal, blobs, publishing, policy.load, time.time, new_workers=lambda given: Workers(given, 2), jobs=2)
        asked = await trials.ask(version, actor="kanri")
        begin = time.monotonic()
        done = await trials.run_one(asked.id)
        record_property("taken in per second", round(TRANSFERS / took))
        record_property("tried per second", round(TRANSFERS / (time.monotonic() - begin)))
        assert done is not None
        assert done.state is TrialState.DONE
        summary = msgspec.json.decode(done.summary, type=Summary)
        marked, worded = {n for n in range(TRANSFERS) if n % 7 == 0}, {n for n in range(TRANSFERS) if n % 10 == 0}
        assert (summary.tested, summary.gone, summary.failed) == (TRANSFERS, 0, 0)
        assert summary.new == {"Newer": len(marked)}
        assert summary.lost == {"Script_EncodedPowerShell": len(worded)}
        assert summary.changed == len(marked | worded)
        assert summary.organisations == {name: len([n for n in marked | worded if n % 3 == at]) for at, name in enumerate(ORGANISATIONS)}
        assert summary.clean_hits == {}
        found = {one.name: one for one in await trials.differences(done.id, 10_000)}
        listed = {one.receipt_no: one for one in [await journal.transfer(number + 1) for number in marked | worded]}
        assert found.keys() == listed.keys(), "exactly these, each with its number"
        blocked = {name for name, one in found.items() if one.after == "blocked"}
        assert blocked == ({name for name, one in listed.items() if int(one.name.removesuffix(".txt")) in marked} if severity == "high" else set())
        assert {one.sha256 for one in listed.values()} <= {digest(content(number)) for number in range(TRANSFERS)}
    finally:
        await workers.stop()
        await journal.stop()
        await blobs.stop()
