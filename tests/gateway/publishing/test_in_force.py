"""What holds in a process: what cannot be used changes nothing, at the start as later, and is looked at again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from gateway import policy
from gateway.config import ConfigError
from gateway.policy import Policy
from gateway.publishing import in_force
from gateway.publishing.in_force import InForce
from gateway.publishing.trials import low_priority
from gateway.publishing.versions import DENY_FILE, POLICY_FILE, NotNowError, Publishing, Stage, Subject
from gateway.road.workers import JailUnavailable
from gateway.scanners.hashlists import HashLists
from gateway.scanners.panel import Panel
from gateway.storage.journal import Journal
from tests.build.publishing import NEW_RULE, RULES, FindingWorkers
from tests.build.transfer import NOW

BAD = "ab" * 32
ON_DISK = {Subject.RULES: RULES, Subject.POLICY: {POLICY_FILE: ""}}


class Workers(FindingWorkers):
    """They take no rules that say `tricky`, as where a newer compiler is; and none at all where there are no walls."""

    walls = True

    def __init__(self, rules: Mapping[str, str]) -> None:
        super().__init__(rules, "start")

    async def start(self) -> None:
        await self.reload(self.rules)

    async def reload(self, rules: Mapping[str, str]) -> None:
        if not Workers.walls:
            raise JailUnavailable("no walls")
        if any("tricky" in text for text in rules.values()):
            raise ValueError("a.yar: another compiler")
        self.rules, self.rules_version = dict(rules), str(sum(map(len, rules.values())))


@pytest.fixture
async def publishing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Publishing]:
    monkeypatch.setattr(Workers, "walls", True)
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    yield Publishing(journal, lambda: NOW, policy.load, four_eyes=False)
    await journal.stop()


def house(publishing: Publishing) -> InForce:
    return InForce(publishing, Panel(), policy.load, Workers, policy=Policy(), workers=Workers(RULES))  # type: ignore[arg-type]


async def published(publishing: Publishing, rules: Mapping[str, str]) -> None:
    """On one person's word."""
    await publishing.put_in_force(Subject.RULES, rules, actor="kanri", reason="test")


async def test_rules_that_cannot_be_used_leave_those_that_stand(publishing: Publishing) -> None:
    one = house(publishing)
    await one.start(ON_DISK)
    before = one.workers.rules_version
    await published(publishing, RULES | {"b.yar": NEW_RULE.replace("came in", "tricky")})
    for _ in range(2):
        with pytest.raises(ValueError, match="another compiler"):
            await one.take()
        assert one.workers.rules_version == before
    await published(publishing, RULES | {"b.yar": NEW_RULE})
    await one.take()
    assert one.workers.rules_version != before
    with pytest.raises(ConfigError, match=r"policy\.rules: a\.yar: another compiler"):
        await published(publishing, RULES | {"b.yar": NEW_RULE.replace("came in", "tricky")})
        await house(publishing).start(ON_DISK)


async def test_a_policy_that_cannot_be_read_any_more_starts_nothing(publishing: Publishing) -> None:
    await house(publishing).start(ON_DISK)
    strict = house(publishing)

    def nothing(_: str) -> Policy:
        raise policy.PolicyError("kinds.eml: not a treatment")

    strict._read_policy = nothing
    with pytest.raises(ConfigError, match=r"policy\.file: kinds\.eml"):
        await strict.start(ON_DISK)


async def test_files_of_the_settings_that_cannot_become_a_draft_keep_nobody_from_starting(
    publishing: Publishing, caplog: pytest.LogCaptureFixture
) -> None:
    await house(publishing).start(ON_DISK)
    one = house(publishing)
    with caplog.at_level(logging.ERROR):
        await one.start(ON_DISK | {Subject.RULES: {"a.yar": "rule Bad { condition: nonsense }"}})
    assert [record.getMessage() for record in caplog.records] == ["files of the settings cannot become a draft"]
    assert one.workers.rules == RULES  # type: ignore[attr-defined]
    assert [version.stage for version in await publishing.listed(Subject.RULES)] == [Stage.PUBLISHED]


async def test_it_is_tried_again_until_it_can_be_used(
    publishing: Publishing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(in_force, "_FOLLOW_SECONDS", 0)
    one, came = house(publishing), list[str]()
    await one.start(ON_DISK)
    one.changed = lambda: came.append(one.workers.rules_version)
    Workers.walls = False
    await published(publishing, RULES | {"b.yar": NEW_RULE})
    following = asyncio.ensure_future(one.follow())
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(20):
            while not caplog.records:
                await asyncio.sleep(0)
            assert came == []
            Workers.walls = True
            while not came:
                await asyncio.sleep(0)
    following.cancel()
    assert {record.getMessage() for record in caplog.records} == {"what was published cannot be used here"}
    assert came == [str(sum(map(len, (*RULES.values(), NEW_RULE))))]


async def test_lists_of_the_settings_stand_beside_those_that_were_published(publishing: Publishing) -> None:
    one = house(publishing)
    await one.start(ON_DISK)
    await publishing.put_in_force(Subject.LISTS, {DENY_FILE: f"{BAD} published\n"}, actor="kanri", reason="bundle")
    await one.take()
    own = "cd" * 32
    one.own_lists(HashLists(deny={bytes.fromhex(own): "own"}))
    assert [one._panel.lists.denied(digest) for digest in (BAD, own, "ef" * 32)] == ["published", "own", None]


async def test_nothing_is_changed_before_anything_was_published(publishing: Publishing) -> None:
    for deed in (
        publishing.change_rules({"b.yar": NEW_RULE}, actor="kanri"),
        publishing.set_states({"Known": "disabled"}, actor="kanri"),
        publishing.take_foreign({"b.yar": NEW_RULE}, actor="kanri"),
    ):
        with pytest.raises(NotNowError, match="nothing was published yet"):
            await deed
    assert await publishing.listed(Subject.RULES) == []


def test_back_tests_take_what_others_leave_over() -> None:
    workers = low_priority(RULES, 1, jail_required=True)
    assert workers._command[:3] == ("/usr/bin/nice", "-n", "10")
