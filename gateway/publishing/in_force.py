"""What holds in this process: the policy, the rules in its workers, the lists of its panel; kept in step with what is published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from gateway.config import ConfigError
from gateway.policy import Policy, PolicyError
from gateway.publishing.versions import NotNowError, Publishing, Subject, lists_of, policy_text
from gateway.road.workers import JailUnavailable, Workers
from gateway.scanners.hashlists import HashLists
from gateway.scanners.panel import Panel
from gateway.storage.faults import StorageError
from gateway.telemetry import log

_log = log.get(__name__)
_FOLLOW_SECONDS: Final = 2.0

Files = Mapping[Subject, Mapping[str, str]]


class InForce:
    """`policy` and `workers` are those of the settings until `start`. `read_policy`: what a document says here; raises ValueError.
    `changed` is called after something else came in force."""

    def __init__(
        self,
        publishing: Publishing,
        panel: Panel,
        read_policy: Callable[[str], Policy],
        new_workers: Callable[[Mapping[str, str]], Workers],
        *,
        policy: Policy,
        workers: Workers,
    ) -> None:
        self.policy = policy
        self.workers = workers
        self.changed: Callable[[], None] = lambda: None
        self._publishing = publishing
        self._panel = panel
        self._own_lists = panel.lists
        self._published: tuple[Mapping[bytes, str], Mapping[bytes, str]] = {}, {}
        self._read_policy = read_policy
        self._new_workers = new_workers
        self._numbers: dict[Subject, int] = {}
        self._taking = asyncio.Lock()

    async def start(self, on_disk: Files) -> None:
        """Workers with the rules in force. The files of the settings become the first version where there is none, and are looked at for
        a change. Raises ConfigError, JailUnavailable."""
        rules, policy = [await self._publishing.files_in_force(subject) for subject in (Subject.RULES, Subject.POLICY)]
        try:
            if policy is not None:
                self.policy = self._read_policy(policy_text(policy))
            if rules is not None:
                self.workers = self._new_workers(rules)
            await self.workers.start()
        except ValueError as error:
            raise ConfigError(f"policy.{'file' if isinstance(error, PolicyError) else 'rules'}: {error}") from None
        await self._publishing.first(on_disk, {Subject.RULES: self.workers.rules_version, Subject.POLICY: self.policy.version})
        self._numbers = {subject: number for subject, number in (await self._publishing.standing()).items() if subject is not Subject.LISTS}
        try:
            await self._publishing.seen_on_disk(on_disk)
        except (ValueError, JailUnavailable, NotNowError) as error:
            _log.error("files of the settings cannot become a draft", why=str(error))
        await self.take()

    async def take(self) -> None:
        """What was published since, here or in another process; if it cannot be used, what stands goes on.

        Raises ValueError, JailUnavailable.
        """
        async with self._taking:
            numbers = await self._publishing.standing()
            new = [subject for subject, number in numbers.items() if self._numbers.get(subject) != number]
            if not new:
                return
            fresh = {subject: await self._publishing.files(numbers[subject]) for subject in new}
            policy = self._read_policy(policy_text(fresh[Subject.POLICY])) if Subject.POLICY in fresh else self.policy
            self._published = lists_of(fresh[Subject.LISTS]) if Subject.LISTS in fresh else self._published
            lists = self._own_lists.beside(*self._published)
            if Subject.RULES in fresh:
                await self.workers.reload(fresh[Subject.RULES])
            self.policy, self._panel.lists, self._numbers = policy, lists, numbers
        self.changed()
        _log.info("rules, policy or lists came in force", new=new, rules=self.workers.rules_version, policy=self.policy.version)

    def own_lists(self, lists: HashLists) -> None:
        """Those of the settings, read again; what was published stands beside them as before."""
        self._own_lists = lists
        self._panel.lists = lists.beside(*self._published)

    async def follow(self) -> None:
        """Until it is cancelled: other processes publish too."""
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            try:
                await self.take()
            except (ValueError, OSError, JailUnavailable, StorageError) as error:
                _log.error("what was published cannot be used here", error=str(error))
