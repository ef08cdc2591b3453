"""What an operator asks for and does not get: each refusal in one line for him, and the transfer stays as it was."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pytest

from gateway.model import State, Transfer
from gateway.requests import unlocking
from gateway.requests.operating import Deed, Operating, Way
from gateway.requests.unlocking import Unlocking
from gateway.storage.settling import NotAllowedError
from sanitizers.model import Action, Finding, Job, Kind, Reason, Report, Severity, Verdict
from tests.build.face import Town, quick_passwords, town
from tests.build.transfer import BODY, NOW, held, report


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        yield made


def awaiting(source: bytes = BODY) -> Report:
    """An original that policy lets through on a person's word."""
    made = report(Verdict.HELD, Reason.UNSUPPORTED_KIND, source=source, kind=Kind.DWG)
    finding = Finding(code="confirm.approval_needed", severity=Severity.INFO, action=Action.REFUSED, where="")
    return msgspec.structs.replace(made, findings=(finding,))


PDF = report(Verdict.HELD, Reason.MALFORMED, kind=Kind.PDF)
MALWARE = report(Verdict.BLOCKED, Reason.MALWARE)


class Wrong(NamedTuple):
    """What stands there, what is asked for by whom, and what is said."""

    given: Report
    deed: Deed
    why: str
    note: str = "理由"
    actor: str = "sousa"
    more: Mapping[str, Any] = MappingProxyType({})


REFUSED = {
    "evidence for no reason": Wrong(held(), Deed.KEEP, "evidence needs a reason", note=""),
    "let go what is not kept": Wrong(held(), Deed.LET_GO, "not kept"),
    "release what was not rebuilt": Wrong(held(), Deed.RELEASE, "no rebuilt result"),
    "confirm what is clean": Wrong(report(), Deed.CONFIRM, "nothing of it waits for an approval"),
    "confirm for no reason": Wrong(awaiting(), Deed.CONFIRM, "an approval needs a reason", note=""),
    "confirm one's own": Wrong(awaiting(), Deed.CONFIRM, "nobody approves what he brought himself", actor="tanaka"),
    "confirm what stays": Wrong(awaiting(), Deed.CONFIRM, "policy lets no original of it through"),
    "again for no reason": Wrong(held(), Deed.AGAIN, "processing it again needs a reason", note=""),
    "again one's own": Wrong(held(), Deed.AGAIN, "his own file", actor="tanaka"),
    "again what is malware": Wrong(MALWARE, Deed.AGAIN, "only what rests, with its original"),
    "again with a password for nothing": Wrong(PDF, Deed.AGAIN, "nothing waits for a password", more={"password": "x"}),
    "again with no password at all": Wrong(held(), Deed.AGAIN, "nothing waits for a password", more={"password": "a\0b"}),
    "again with too long a one": Wrong(held(), Deed.AGAIN, "nothing waits for a password", more={"password": "x" * 100_000}),
    "again with a wrong one": Wrong(held(), Deed.AGAIN, "nothing better came of it", more={"password": "x", "way": Way.STANDARD}),
    "as pictures what is none": Wrong(report(), Deed.AS_PIXELS, "no PDF that could not be rebuilt"),
    "as pictures what cannot be drawn": Wrong(PDF, Deed.AS_PIXELS, "its pages cannot be drawn either"),
}


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED)
async def test_what_an_operator_does_not_get(place: Town, wrong: Wrong) -> None:
    receipt_no = await place.settled("tanaka", wrong.given)
    before = await place.journal.find(receipt_no)
    place.workers.answer = lambda job, source: msgspec.structs.replace(wrong.given, policy=job.policy)
    operating = Operating(place.journal, place.seal, place.clock, place.pipeline)
    with pytest.raises(NotAllowedError, match=wrong.why):
        await operating.act(wrong.deed, before, actor=wrong.actor, note=wrong.note, **wrong.more)
    after = await place.journal.find(receipt_no)
    assert (after.state, after.verdict, after.result) == (before.state, before.verdict, before.result)


@pytest.mark.parametrize(("deed", "given"), [(Deed.CONFIRM, awaiting()), (Deed.AS_PIXELS, PDF), (Deed.AGAIN, held())])
async def test_without_a_jail_nothing_goes_through_one(place: Town, deed: Deed, given: Report) -> None:
    """At the command line there may be none."""
    receipt_no = await place.settled("tanaka", given)
    with pytest.raises(NotAllowedError, match=receipt_no):
        await Operating(place.journal, place.seal, place.clock).act(deed, await place.journal.find(receipt_no), actor="sousa", note="x")


async def test_what_was_disposed_of_is_no_evidence_and_what_is_evidence_stays(place: Town) -> None:
    operating = Operating(place.journal, place.seal, place.clock, place.pipeline)

    async def done(deed: Deed, receipt_no: str) -> Transfer:
        await operating.act(deed, await place.journal.find(receipt_no), actor="sousa", note="x")
        return await place.journal.find(receipt_no)

    first, second = await place.settled(), await place.settled()
    assert (await done(Deed.DELETE, first)).state is State.DISPOSED
    with pytest.raises(NotAllowedError, match="it was disposed of"):
        await done(Deed.KEEP, first)
    await done(Deed.KEEP, second)
    for deed, why in ((Deed.KEEP, "kept already"), (Deed.DELETE, "kept as evidence")):
        with pytest.raises(NotAllowedError, match=why):
            await done(deed, second)
    with pytest.raises(NotAllowedError, match="one at a time"):
        await operating.act_on_many(Deed.AGAIN, [], actor="sousa", note="x")
    wanted = [await place.journal.find(one) for one in (first, second)]
    refused = await operating.act_on_many(Deed.DELETE, wanted, actor="sousa", note="x")
    assert refused.keys() == {first, second}
    assert "kept as evidence" in refused[second]


async def test_passwords_of_many_transfers_are_not_remembered_for_ever(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two locked parts, each its own password: the first counts for the second try, unless too many came in between."""
    monkeypatch.setattr(unlocking, "_REMEMBERED", 1)
    assert place.pipeline is not None
    desk = Unlocking(place.journal, place.pipeline, place.clock)

    def answer(job: Job, source: bytes) -> Report:
        parts = tuple(
            msgspec.structs.replace(one, input=msgspec.structs.replace(one.input, name=name))
            for name, key in (("a.zip", "asa"), ("b.zip", "ban"))
            for one in [report(source=name.encode()) if key in job.passwords else report(Verdict.HELD, Reason.ENCRYPTED, source=name.encode())]
        )
        return report(source=source, parts=parts, policy=job.policy)

    place.workers.answer = answer
    numbers = [await place.settled("tanaka", answer(Job(name="x", passwords=()), BODY)) for _ in range(2)]
    for receipt_no, password in itertools.product(numbers, ["asa"]):
        tried = await desk.attempt(await place.journal.find(receipt_no), password, actor="tanaka")
        assert (tried.opened, tried.locked) == (True, ("b.zip",))
    tried = await desk.attempt(await place.journal.find(numbers[1]), "ban", actor="tanaka")
    assert (tried.opened, tried.locked) == (True, ())
    tried = await desk.attempt(await place.journal.find(numbers[0]), "ban", actor="tanaka")
    assert tried.opened is False or tried.locked == ("a.zip",), "its first password is forgotten"
    gone = await place.journal.find(numbers[1])
    await place.journal.dispose(gone.id, at=NOW, actor="test")
    assert await desk.waiting(await place.journal.find(numbers[1])) == ()
