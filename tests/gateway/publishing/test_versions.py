"""Versions: they never change, nobody agrees to his own, and one word brings the former back to the byte."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from gateway import policy
from gateway.people.accounts import Role
from gateway.publishing import rulesets
from gateway.publishing.rule_check import RuleCheckError
from gateway.publishing.versions import (
    ALLOW_FILE,
    DENY_FILE,
    POLICY_FILE,
    NoSuchVersionError,
    NotAnotherPersonError,
    NotNowError,
    Publishing,
    Stage,
    Subject,
    Version,
    difference,
    lists_of,
)
from gateway.storage import accounts, rule_matches
from gateway.storage import publishing as rows
from gateway.storage.journal import Journal
from tests.build.publishing import NEW_RULE, RULES
from tests.build.road import accepted
from tests.build.transfer import DAY, NOW


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = Journal(tmp_path / "sekisho.db")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def publishing(journal: Journal) -> Publishing:
    made = Publishing(journal, lambda: NOW, policy.load)
    await made.seen_on_disk({Subject.RULES: RULES, Subject.POLICY: {POLICY_FILE: ""}})
    return made


async def approved(publishing: Publishing, name: str = "b.yar") -> Version:
    """Rules one file richer, agreed to by two."""
    drafted = await publishing.change_rules({name: NEW_RULE.replace("Newer", name[0].upper())}, actor="kanri", note="test")
    await publishing.submit(drafted.id, actor="kanri")
    return await publishing.approve(drafted.id, actor="sousa", reason="seen")


# ------------------------------------------------------------------------------------------------------------ versions


async def test_no_version_ever_changes(journal: Journal, publishing: Publishing) -> None:
    await approved(publishing)
    for table in ("versions", "version_steps", "publications"):
        for deed in (f"UPDATE {table} SET at = 0", f"DELETE FROM {table}", f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"):

            def done(connection: Connection, deed: str = deed) -> None:
                connection.execute(text(deed))

            with pytest.raises(Exception, match="only grow"):
                await journal.write(done)


def test_a_content_has_one_digest() -> None:
    assert rows.packed({"a": "1", "b": "2"}) == rows.packed({"b": "2", "a": "1"})
    assert rows.packed({"a": "1"})[1] != rows.packed({"a": "2"})[1]


async def test_a_version_is_called_as_the_workers_call_it(publishing: Publishing) -> None:
    standing = await publishing.in_force(Subject.RULES)
    assert standing is not None
    assert standing.version == rulesets.version(RULES), "reports name it by the same digest"


async def test_what_stands_on_disk_is_the_first_version_once(publishing: Publishing) -> None:
    disk = {Subject.RULES: RULES, Subject.POLICY: {POLICY_FILE: ""}}
    await publishing.seen_on_disk(disk)
    assert [len(await publishing.listed(subject)) for subject in (Subject.RULES, Subject.POLICY)] == [1, 1]
    changed = disk | {Subject.RULES: RULES | {"b.yar": NEW_RULE}}
    for _ in range(2):
        await publishing.seen_on_disk(changed)
        assert [version.stage for version in await publishing.listed(Subject.RULES)] == [Stage.DRAFT, Stage.PUBLISHED]
    with pytest.raises(ValueError, match="nonsense"):
        await publishing.seen_on_disk({Subject.RULES: RULES | {"c.yar": NEW_RULE}, Subject.POLICY: {POLICY_FILE: "nonsense = 1"}})
    assert len(await publishing.listed(Subject.RULES)) == 2, "neither, when one of the two is bad"
    publishing.four_eyes = False
    await publishing.seen_on_disk({Subject.RULES: RULES | {"c.yar": NEW_RULE}})
    assert await publishing.files_in_force(Subject.RULES) == RULES | {"c.yar": NEW_RULE}


# --------------------------------------------------------------------------------------------------------- two persons


async def test_nobody_agrees_to_his_own(journal: Journal, publishing: Publishing) -> None:
    drafted = await publishing.change_rules({"b.yar": NEW_RULE}, actor="kanri")
    await publishing.submit(drafted.id, actor="command:hoka")
    for one in ("kanri", "command:kanri", "hoka", "command:hoka"):
        with pytest.raises(NotAnotherPersonError):
            await publishing.approve(drafted.id, actor=one, reason="x")
    assert (await publishing.approve(drafted.id, actor="sousa", reason="x")).stage is Stage.APPROVED


async def test_one_person_with_two_accounts_is_one(journal: Journal, publishing: Publishing) -> None:
    def add(connection: Connection) -> None:
        for login in ("kanri", "kanri2"):
            accounts.add(connection, login=login, name=login, mail="", role=Role.ADMINISTRATOR, password_hash="-", at=NOW, actor="test")
        connection.execute(text("UPDATE accounts SET person = 'one and the same'"))

    await journal.write(add)
    drafted = await publishing.change_rules({"b.yar": NEW_RULE}, actor="kanri")
    await publishing.submit(drafted.id, actor="kanri")
    with pytest.raises(NotAnotherPersonError):
        await publishing.approve(drafted.id, actor="kanri2", reason="x")


async def test_without_a_back_test_a_reason_is_needed(publishing: Publishing) -> None:
    drafted = await publishing.change_rules({"b.yar": NEW_RULE}, actor="kanri")
    with pytest.raises(NotNowError):
        await publishing.approve(drafted.id, actor="sousa", reason="x")
    await publishing.submit(drafted.id, actor="kanri")
    with pytest.raises(NotNowError, match="reason"):
        await publishing.approve(drafted.id, actor="sousa")


async def test_a_house_with_one_administrator(journal: Journal) -> None:
    alone = Publishing(journal, lambda: NOW, policy.load, four_eyes=False)
    await alone.seen_on_disk({Subject.RULES: RULES})
    drafted = await alone.change_rules({"b.yar": NEW_RULE}, actor="kanri")
    with pytest.raises(NotNowError):
        await alone.publish(drafted.id, actor="kanri", reason="x")
    await alone.submit(drafted.id, actor="kanri")
    with pytest.raises(NotNowError, match="reason"):
        await alone.publish(drafted.id, actor="kanri")
    assert (await alone.publish(drafted.id, actor="kanri", reason="x")).stage is Stage.PUBLISHED


# -------------------------------------------------------------------------------------------------- in force, and back


async def test_only_what_is_agreed_to_comes_in_force(publishing: Publishing) -> None:
    told = []

    async def changed() -> None:
        told.append(await publishing.standing())

    publishing.changed = changed
    drafted = await publishing.change_rules({"b.yar": NEW_RULE}, actor="kanri")
    for step in (publishing.publish, publishing.approve):
        with pytest.raises(NotNowError):
            await step(drafted.id, actor="sousa", reason="x")
    await publishing.withdraw(drafted.id, actor="kanri")
    for step in (publishing.publish, publishing.approve, publishing.withdraw):
        with pytest.raises(NotNowError):
            await step(drafted.id, actor="sousa", reason="x")
    assert told == []
    ready = await approved(publishing)
    await publishing.publish(ready.id, actor="kanri")
    assert [numbers[Subject.RULES] for numbers in told] == [ready.id]
    with pytest.raises(NotNowError):
        await publishing.publish(ready.id, actor="kanri")
    with pytest.raises(NoSuchVersionError):
        await publishing.version(ready.id, Subject.POLICY)


async def test_nobodys_word_is_undone_unseen(publishing: Publishing) -> None:
    one, other = await approved(publishing, "b.yar"), await approved(publishing, "c.yar")
    await publishing.publish(one.id, actor="kanri")
    with pytest.raises(NotNowError, match="another version was published"):
        await publishing.publish(other.id, actor="kanri")


async def test_back_to_the_byte_and_forth_again(publishing: Publishing) -> None:
    first = await publishing.in_force(Subject.RULES)
    ready = await approved(publishing)
    with pytest.raises(NotNowError):
        await publishing.rollback(Subject.RULES, actor="kanri", reason="x", version_id=ready.id)
    await publishing.publish(ready.id, actor="kanri")
    back = await publishing.rollback(Subject.RULES, actor="kanri", reason="誤検知")
    assert first is not None
    assert (back.id, back.sha256, back.version) == (first.id, first.sha256, first.version)
    assert await publishing.files_in_force(Subject.RULES) == RULES
    assert (await publishing.rollback(Subject.RULES, actor="kanri", reason="x")).id == ready.id
    assert (await publishing.rollback(Subject.RULES, actor="kanri", reason="x", version_id=first.id)).id == first.id
    with pytest.raises(NotNowError):
        await publishing.rollback(Subject.POLICY, actor="kanri", reason="nothing before it")
    assert [one.version_id for one in await publishing.history(Subject.RULES)] == [first.id, ready.id, first.id, ready.id, first.id]


# -------------------------------------------------------------------------------------------------------- what may be


async def test_what_cannot_be_put_in_force_is_no_draft(publishing: Publishing) -> None:
    with pytest.raises(RuleCheckError) as fault:
        await publishing.change_rules({"b.yar": "rule B {\n  condition: nonsense\n}"}, actor="kanri")
    assert [(one.file, one.line, one.rule) for one in fault.value.faults] == [("b.yar", 2, "B")]
    for files in ({"policy.toml": "nonsense = 1"}, {"other.toml": ""}, {}):
        with pytest.raises(ValueError, match=r"."):
            await publishing.draft(Subject.POLICY, files, actor="kanri")
    for files in ({"deny.txt": "no digest"}, {"other.txt": ""}):
        with pytest.raises(ValueError, match=r"."):
            await publishing.draft(Subject.LISTS, files, actor="kanri")
    with pytest.raises(NotNowError, match="the same"):
        await publishing.draft(Subject.RULES, RULES, actor="kanri")
    with pytest.raises(ValueError, match="no rule would be left"):
        await publishing.change_rules({"a.yar": None}, actor="kanri")


async def test_rules_from_elsewhere_begin_in_evaluation(publishing: Publishing) -> None:
    feed = {"feed.yar": 'import "pe"\n' + NEW_RULE + "rule Bad { condition: filename == 1 }\n"}
    made, answer = await publishing.take_foreign(feed, actor="kanri")
    assert made is not None
    assert [(fault.rule, fault.line) for fault in answer.faults] == [("Bad", 3)]
    files = await publishing.files(made.id)
    rows_ = rulesets.catalog(files)
    assert (rulesets.state_of(rows_, "Newer"), rulesets.state_of(rows_, "Known")) == ("evaluation", "enabled")
    assert files["a.yar"] == RULES["a.yar"]
    await publishing.submit(made.id, actor="kanri")
    await publishing.approve(made.id, actor="sousa", reason="x")
    await publishing.publish(made.id, actor="kanri")
    # The next edition of the feed: one rule gone, one more; what was enabled by hand stays so.
    other = NEW_RULE.replace("Newer", "Other")
    again, _ = await publishing.take_foreign({"feed.yar": other}, actor="kanri")
    assert again is not None
    catalog = rulesets.catalog(await publishing.files(again.id))
    assert "Newer" not in catalog
    assert rulesets.state_of(catalog, "Other") == "evaluation"


def test_a_difference_names_files() -> None:
    text_ = difference({"a": "1\n2\n", "b": "x\n"}, {"a": "1\n3\n", "c": "y\n"})
    assert text_.splitlines() == ["--- a", "+++ a", "@@ -1,2 +1,2 @@", " 1", "-2", "+3", "--- b", "+++ /dev/null", "@@ -1 +0,0 @@", "-x",
                                  "--- /dev/null", "+++ c", "@@ -0,0 +1 @@", "+y"]  # fmt: skip
    assert difference({"a": "1"}, {"a": "1"}) == ""


def test_lists() -> None:
    deny, allow = lists_of({DENY_FILE: "ab" * 32 + " bad\n", ALLOW_FILE: "cd" * 32})
    assert (list(deny.values()), list(allow.values())) == (["bad"], ["cd" * 32])


# ---------------------------------------------------------------------------------------------------------- statistics


async def test_matches_by_rule_and_day(journal: Journal) -> None:
    ids = [await accepted(journal, received_at=NOW - day * DAY) for day in (0, 0, 3)]
    for transfer_id, found, day in zip(ids, (("A", "B"), ("A",), ("A",)), (0, 0, 3), strict=True):
        await journal.write(lambda connection, one=transfer_id, found=found, day=day: rule_matches.keep(connection, one, found, NOW - day * DAY))
    await journal.write(lambda connection: rule_matches.keep(connection, ids[0], ["A"], NOW))
    assert await journal.ask(lambda connection: rule_matches.totals(connection, NOW - DAY)) == {"A": (2, NOW)}
    assert list((await journal.ask(lambda connection: rule_matches.daily(connection, "A", NOW - 9 * DAY))).values()) == [1, 2]
    recent = await journal.ask(lambda connection: rule_matches.recent(connection, "A", 2))
    assert [one.received_at for one in recent] == [NOW, NOW]


