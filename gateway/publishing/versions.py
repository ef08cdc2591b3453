"""The life of rules, policy and lists: written, looked at by the compiler, tried over the traffic kept, agreed to by a second person,
put in force, and taken back with one word.

    draft → submitted → approved → published        and from each of the first three: withdrawn

A version never changes; what is edited becomes another draft. What is in force is the last publication, in the database: the files that
the settings name are the first version, and a later change of them on disk is imported as a draft (or, where no second person is asked
for, published at once). A draft can be published only while what it was written against is still in force, so that nobody's word is
undone unseen.
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from sqlalchemy import Connection

from gateway.policy import Policy
from gateway.publishing import rule_check, rulesets
from gateway.scanners import hashlists
from gateway.storage import accounts, people, trials
from gateway.storage import publishing as rows
from gateway.storage.journal import Journal
from gateway.storage.publishing import NoSuchVersionError, NotNowError, Publication, Stage, Step, Subject, Version
from gateway.telemetry import log
from sanitizers.rule_words import RuleAnswer

__all__ = ["NoSuchVersionError", "NotAnotherPersonError", "NotNowError", "Publishing", "Stage", "Subject", "Version"]

_log = log.get(__name__)

POLICY_FILE: Final = "policy.toml"
DENY_FILE: Final = "deny.txt"
ALLOW_FILE: Final = "allow.txt"
SYSTEM: Final = "system"
_MOST_LINES: Final = 20_000


class NotAnotherPersonError(Exception):
    """Who approves has written or submitted it himself."""

    def __init__(self) -> None:
        super().__init__("承認者と申請者が同一です。承認できません（兼務の禁止）。 / the author may not approve; another person must")


class Publishing:
    """`clock`: seconds since 1970. `read_policy`: the policy that a document says in this installation; raises ValueError. `four_eyes`:
    whether a second person has to agree. `changed` is awaited after something else came in force."""

    def __init__(
        self,
        journal: Journal,
        clock: Callable[[], float],
        read_policy: Callable[[str], Policy],
        *,
        four_eyes: bool = True,
        jail_required: bool = True,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._read_policy = read_policy
        self._jail_required = jail_required
        self.four_eyes = four_eyes
        self.changed: Callable[[], Awaitable[None]] = _nothing

    # --------------------------------------------------------------------------------------------------------- writing

    async def draft(self, subject: Subject, files: Mapping[str, str], *, actor: str, note: str = "") -> Version:
        """Raises ValueError (RuleCheckError, PolicyError, …) for what cannot be put in force, NotNowError when nothing differs."""
        version = await self.read(subject, files)
        at = self._clock()
        return await self._journal.write(lambda connection: rows.add(connection, subject, files, version, at=at, author=actor, note=note))

    async def change_rules(self, changes: Mapping[str, str | None], *, actor: str, note: str = "") -> Version:
        """The rules in force with files put in or, where None, taken out. Raises as `draft` does."""
        return await self.draft(Subject.RULES, await self.rules_with(changes), actor=actor, note=note)

    async def rules_with(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        """The rules in force with files put in or, where None, taken out; nothing is written down. Raises ValueError, NotNowError."""
        return rulesets.changed(await self._rules(), changes)

    async def set_states(self, states: Mapping[str, str], *, actor: str, note: str = "") -> Version:
        """Rules in force in other states (enabled, evaluation, disabled). Raises as `draft` does."""
        return await self.draft(Subject.RULES, rulesets.with_states(await self._rules(), states), actor=actor, note=note)

    async def take_foreign(self, given: Mapping[str, str], *, actor: str, note: str = "") -> tuple[Version | None, RuleAnswer]:
        """Rule files from elsewhere beside those in force, in evaluation; None when nothing of it can be taken. The answer says of every
        rule that was left out why. Raises as `draft` does."""
        rulesets.changed({}, given)
        files = await self._rules()
        answer = await rule_check.foreign(files, given, jail_required=self._jail_required)
        if not answer.taken:
            return None, answer
        before = await rule_check.check(files, jail_required=self._jail_required)
        rules = {rule.name: rule.file for rule in answer.rules}
        gone = [rule.name for rule in before.rules if rule.file in answer.taken and rule.name not in rules]
        made = rulesets.with_foreign(files, answer.taken, rules, gone)
        return await self.draft(Subject.RULES, made, actor=actor, note=note), answer

    async def _rules(self) -> dict[str, str]:
        files = await self.files_in_force(Subject.RULES)
        if files is None:
            raise NotNowError("まだ何も公開されていません / nothing was published yet; start the service once")
        return files

    async def read(self, subject: Subject, files: Mapping[str, str]) -> str:
        """Whether it could be put in force; its version, as reports will name it. Raises as `draft` does for what could not."""
        if subject is Subject.RULES:
            return (await rule_check.check(rulesets.changed(files, {}), jail_required=self._jail_required)).version
        if subject is Subject.POLICY:
            return self._read_policy(policy_text(files)).version
        lists_of(files)
        return rows.packed(files)[1][:16]

    # ----------------------------------------------------------------------------------------------------------- steps

    async def submit(self, version_id: int, *, actor: str, note: str = "") -> Version:
        """A draft is handed over for approval. Raises NotNowError, NoSuchVersionError."""
        return await self._step(version_id, Stage.SUBMITTED, (Stage.DRAFT,), actor, note)

    async def withdraw(self, version_id: int, *, actor: str, reason: str = "") -> Version:
        """It will not be published. Raises NotNowError, NoSuchVersionError."""
        return await self._step(version_id, Stage.WITHDRAWN, (Stage.DRAFT, Stage.SUBMITTED, Stage.APPROVED), actor, reason)

    async def _step(self, version_id: int, stage: Stage, allowed: tuple[Stage, ...], actor: str, reason: str) -> Version:
        at = self._clock()

        def stepped(connection: Connection) -> Version:
            _must_be(rows.load(connection, version_id), allowed)
            return rows.step(connection, version_id, stage, at=at, actor=actor, reason=reason)

        return await self._journal.write(stepped)

    async def approve(self, version_id: int, *, actor: str, reason: str = "") -> Version:
        """A second person has seen difference and back-test; without a finished back-test only for a reason.

        Raises NotAnotherPersonError, NotNowError, NoSuchVersionError.
        """
        return await self._journal.write(lambda connection: self.approved(connection, version_id, actor=actor, reason=reason))

    def approved(self, connection: Connection, version_id: int, *, actor: str, reason: str, alone: bool = False) -> Version:
        """The same inside a transaction. `alone`: where there was no second person, which is reported upwards by who allows it."""
        version, tried = self._may_be_approved(connection, version_id, actor, reason, alone=alone)
        more = {"backtest": tried} | ({"alone": True} if alone else {})
        return rows.step(connection, version.id, Stage.APPROVED, at=self._clock(), actor=actor, reason=reason, **more)

    async def may_be_approved(self, version_id: int, *, actor: str, reason: str = "") -> None:
        """Raises as `approve` does, and does nothing else."""
        await self._journal.ask(lambda connection: self._may_be_approved(connection, version_id, actor, reason))

    def _may_be_approved(
        self, connection: Connection, version_id: int, actor: str, reason: str, *, alone: bool = False
    ) -> tuple[Version, bool]:
        version = rows.load(connection, version_id)
        _must_be(version, (Stage.SUBMITTED,))
        if self.four_eyes and not alone:
            another_person(connection, version, actor)
        return version, _tried(connection, version, reason)

    async def publish(self, version_id: int, *, actor: str, reason: str = "") -> Version:
        """Put it in force, everywhere. Raises NotNowError, NoSuchVersionError."""
        at = self._clock()

        def published(connection: Connection) -> Version:
            version = rows.load(connection, version_id)
            standing = rows.in_force(connection, version.subject)
            if version.stage is not Stage.APPROVED and (self.four_eyes or version.stage is not Stage.SUBMITTED):
                raise NotNowError("公開するには、別の管理者の確認が必要です / another person must approve it first")
            if version.stage is Stage.SUBMITTED:
                _tried(connection, version, reason)
            if standing is not None and standing.id != version.based_on:
                raise NotNowError("別の版が公開されました。起案し直してください / another version was published since; draft it anew")
            stepped = rows.step(connection, version_id, Stage.PUBLISHED, at=at, actor=actor, reason=reason)
            rows.put_in_force(connection, stepped, at=at, actor=actor, reason=reason, action="in_force")
            return stepped

        version = await self._journal.write(published)
        await self.changed()
        return version

    async def rollback(self, subject: Subject, *, actor: str, reason: str, version_id: int | None = None) -> Version:
        """Back to what was in force before, or to that version that once was: a second person agreed to it then. Raises NotNowError."""
        at = self._clock()

        def back(connection: Connection) -> Version:
            past = rows.history(connection, subject, 10_000)
            standing = past[0].version_id if past else None
            former = next((one.version_id for one in past if one.version_id != standing and version_id in (None, one.version_id)), None)
            if former is None:
                raise NotNowError("戻せる版がありません / there is no such version to go back to")
            version = rows.load(connection, former)
            rows.put_in_force(connection, version, at=at, actor=actor, reason=reason, action="rollback")
            return version

        version = await self._journal.write(back)
        await self.changed()
        return version

    async def put_in_force(self, subject: Subject, files: Mapping[str, str], *, actor: str, reason: str) -> Version | None:
        """At once, on a word that counts for two (a signed bundle). None when it is in force already. Raises ValueError."""
        version = await self.read(subject, files)
        made = await self._journal.write(
            lambda connection: self.in_force_at_once(connection, subject, files, version, actor=actor, reason=reason)
        )
        if made is not None:
            await self.changed()
        return made

    def in_force_at_once(
        self, connection: Connection, subject: Subject, files: Mapping[str, str], version: str, *, actor: str, reason: str
    ) -> Version | None:
        """The same inside a transaction; `version` says that it was looked at."""
        at = self._clock()
        standing = rows.in_force(connection, subject)
        if standing is not None and standing.sha256 == rows.packed(files)[1]:
            return None
        added = rows.add(connection, subject, files, version, at=at, author=actor, note=reason)
        stepped = rows.step(connection, added.id, Stage.PUBLISHED, at=at, actor=actor, reason=reason)
        rows.put_in_force(connection, stepped, at=at, actor=actor, reason=reason, action="in_force")
        return stepped

    # --------------------------------------------------------------------------------------------------- files on disk

    async def seen_on_disk(self, disk: Mapping[Subject, Mapping[str, str]]) -> None:
        """What the settings name: the first version, or, when it is not what it was the last time, a draft (published at once where no
        second person is asked for). All or nothing. Raises ValueError when some of it cannot be put in force."""
        fresh = {}
        for subject, files in disk.items():
            if not await self._known(subject, files):
                fresh[subject] = await self.read(subject, files)
        for subject, version in fresh.items():
            await self._from_disk(subject, disk[subject], version)

    async def first(self, disk: Mapping[Subject, Mapping[str, str]], versions: Mapping[Subject, str]) -> None:
        """Version 1 of what has none yet; `versions` as they were found to be by putting them in force."""
        for subject, files in disk.items():
            if await self.in_force(subject) is None:
                await self._from_disk(subject, files, versions[subject])

    async def _known(self, subject: Subject, files: Mapping[str, str]) -> bool:
        sha256 = rows.packed(files)[1]

        def known(connection: Connection) -> bool:
            seen = (rows.in_force(connection, subject), rows.last_by(connection, subject, SYSTEM))
            return sha256 in (version.sha256 for version in seen if version is not None)

        return await self._journal.ask(known)

    async def _from_disk(self, subject: Subject, files: Mapping[str, str], version: str) -> None:
        standing = await self.in_force(subject)
        if standing is None or not self.four_eyes:
            note = "設定のファイルから / from the files of the settings"
            await self._journal.write(
                lambda connection: self.in_force_at_once(connection, subject, files, version, actor=SYSTEM, reason=note)
            )
            return
        changed, at = "設定のファイルが変わりました / the files of the settings have changed", self._clock()
        drafted = await self._journal.write(
            lambda connection: rows.add(connection, subject, files, version, at=at, author=SYSTEM, note=changed)
        )
        _log.warning("files on disk differ from what is in force and became a draft", subject=subject, draft=drafted.id)

    # ---------------------------------------------------------------------------------------------------------- asking

    async def version(self, version_id: int, subject: Subject | None = None) -> Version:
        """Raises NoSuchVersionError."""
        return await self._journal.ask(lambda connection: rows.load(connection, version_id, subject))

    async def files(self, version_id: int) -> dict[str, str]:
        """Raises NoSuchVersionError."""
        return await self._journal.ask(lambda connection: rows.files_of(connection, version_id))

    async def listed(self, subject: Subject, limit: int = 100) -> list[Version]:
        """The youngest first."""
        return await self._journal.ask(lambda connection: rows.listed(connection, subject, limit))

    async def steps(self, version_id: int) -> list[Step]:
        return await self._journal.ask(lambda connection: rows.steps_of(connection, version_id))

    async def history(self, subject: Subject, limit: int = 100) -> list[Publication]:
        """What was in force, the youngest first."""
        return await self._journal.ask(lambda connection: rows.history(connection, subject, limit))

    async def in_force(self, subject: Subject) -> Version | None:
        return await self._journal.ask(lambda connection: rows.in_force(connection, subject))

    async def standing(self) -> dict[Subject, int]:
        """The number of the version in force, by subject."""
        return await self._journal.ask(rows.standing)

    async def files_in_force(self, subject: Subject) -> dict[str, str] | None:
        """None before the first start with this database."""
        return await files_in_force(self._journal, subject)

    async def difference(self, version_id: int) -> str:
        """What it changes in what it was written against, as a unified difference of all files. Raises NoSuchVersionError."""
        version = await self.version(version_id)
        before = {} if version.based_on is None else await self.files(version.based_on)
        return difference(before, await self.files(version_id))


async def files_in_force(journal: Journal, subject: Subject) -> dict[str, str] | None:
    """None before the first start with this database."""

    def asked(connection: Connection) -> dict[str, str] | None:
        version = rows.in_force(connection, subject)
        return None if version is None else rows.files_of(connection, version.id)

    return await journal.ask(asked)


def another_person(connection: Connection, version: Version, actor: str) -> None:
    """Neither who wrote it nor who submitted it. Raises NotAnotherPersonError."""
    behind = [version.author, *(step.actor for step in rows.steps_of(connection, version.id) if step.stage is Stage.SUBMITTED)]
    if _persons(connection, actor) & {person for one in behind for person in _persons(connection, one)}:
        raise NotAnotherPersonError


def _persons(connection: Connection, actor: str) -> set[str]:
    """The human beings who may have acted. A log-in and the same name at the command line are one."""
    login = actor.removeprefix("command:")
    account = accounts.by_login(connection, login)
    return {login} if account is None else {login, *people.persons_behind(connection, account)}


def policy_text(files: Mapping[str, str]) -> str:
    """Raises ValueError unless it is exactly a policy document."""
    if set(files) != {POLICY_FILE}:
        raise ValueError(f"a policy is one document, {POLICY_FILE}")
    return files[POLICY_FILE]


def lists_of(files: Mapping[str, str]) -> tuple[dict[bytes, str], dict[bytes, str]]:
    """What is denied and what is allowed. Raises ValueError."""
    if foreign := set(files) - {DENY_FILE, ALLOW_FILE}:
        raise ValueError(f"{min(foreign)[:100]!r}: lists are {DENY_FILE} and {ALLOW_FILE}")
    deny, allow = (hashlists.parse(files.get(name, "").encode(), name) for name in (DENY_FILE, ALLOW_FILE))
    return deny, allow


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Unified, of all files; a very long one is cut."""
    lines: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        names = (name if old is not None else "/dev/null", name if new is not None else "/dev/null")
        lines += difflib.unified_diff((old or "").splitlines(), (new or "").splitlines(), *names, lineterm="")
    cut = [f"… {len(lines) - _MOST_LINES} 行省略 / lines left out"] if len(lines) > _MOST_LINES else []
    return "\n".join(lines[:_MOST_LINES] + cut)


def _must_be(version: Version, allowed: tuple[Stage, ...]) -> None:
    if version.stage not in allowed:
        raise NotNowError(f"この版は {version.stage} です / this version is {version.stage}, not {' or '.join(allowed)}")


def _tried(connection: Connection, version: Version, reason: str) -> bool:
    """Whether it was tried over the traffic kept. Raises NotNowError when neither that nor a reason is there."""
    finished = trials.finished(connection, version.id)
    if not finished and not reason:
        raise NotNowError("試行が終わっていません。理由を入力してください / no back-test of it has finished: a reason is needed")
    return finished


async def _nothing() -> None:
    """Nobody has to be told."""
