"""Rules, policy and lists of one installation: what the settings name, what is published, what is in force, what is tried beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway import fittings, policy
from gateway.config import Config
from gateway.policy import Policy
from gateway.publishing.in_force import InForce
from gateway.publishing.trials import Trials
from gateway.publishing.versions import POLICY_FILE, Publishing, Subject
from gateway.road.workers import Workers
from gateway.scanners.panel import Panel
from gateway.storage.blobs import Blobs
from gateway.storage.journal import Journal
from gateway.telemetry import log

_log = log.get(__name__)

NewWorkers = Callable[[Mapping[str, str]], Workers]


class Rulebook:
    """`new_workers` makes those that do the work, `behind` those of low priority. `changed` is told when something else came in force.

    Raises ConfigError when it is made: for what the settings name and nobody can read.
    """

    def __init__(
        self,
        settings: Config,
        journal: Journal,
        blobs: Blobs,
        panel: Panel,
        clock: Callable[[], float],
        *,
        new_workers: NewWorkers,
        behind: NewWorkers,
    ) -> None:
        self._settings = settings
        self._panel = panel
        self.changed: Callable[[], None] = lambda: None
        jail, clean = settings["jail.required"], settings["policy.clean_set"]
        self.publishing = Publishing(journal, clock, self._fitted, four_eyes=settings["policy.four_eyes"], jail_required=jail)
        self.trials = Trials(
            journal,
            blobs,
            self.publishing,
            self._fitted,
            clock,
            new_workers=behind,
            clean=settings.path("policy.clean_set") if clean else None,
            days=settings["policy.backtest_days"],
            jail_required=jail,
        )
        self.in_force = InForce(
            self.publishing,
            panel,
            self._fitted,
            new_workers,
            policy=fittings.read_policy(settings),
            workers=new_workers(fittings.read_rules(settings)),
        )
        self.publishing.changed = self.in_force.take
        self.in_force.changed = self._changed

    @property
    def policy(self) -> Policy:
        """The one in force."""
        return self.in_force.policy

    @property
    def workers(self) -> Workers:
        """With the rules in force."""
        return self.in_force.workers

    async def start(self) -> None:
        """Raises ConfigError, JailUnavailable, StorageError."""
        await self.in_force.start(self._on_disk())
        self._say_dangers()

    async def reload(self) -> None:
        """The files of the settings again. What becomes of another file than before: `Publishing.seen_on_disk`.

        Raises ConfigError, ValueError, OSError, JailUnavailable, NotNowError; then nothing has changed.
        """
        lists = fittings.read_lists(self._settings)
        await self.publishing.seen_on_disk(self._on_disk())
        await self.in_force.take()
        self.in_force.own_lists(lists)

    def _fitted(self, text: str) -> Policy:
        """The policy that a document says in this installation. Raises ValueError."""
        return fittings.fitted(policy.load(text), self._settings)

    def _on_disk(self) -> dict[Subject, dict[str, str]]:
        document = {POLICY_FILE: fittings.read_policy_text(self._settings)}
        return {Subject.RULES: fittings.read_rules(self._settings), Subject.POLICY: document}

    def _changed(self) -> None:
        self._say_dangers()
        self.changed()

    def _say_dangers(self) -> None:
        """What the policy in force lets through that somebody should look at twice."""
        for warning in policy.warnings(self.policy):
            _log.warning("the policy in force is unsafe", policy=self.policy.version, why=warning)
        if self._panel.seats and not any(seat.required for seat in self._panel.seats):
            _log.warning("no scanner is required: while they are silent everything passes without their word")
