"""The one place that joins the rooms: builds every part from the settings, starts and stops roles."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Final

from gateway import fittings
from gateway.caretaking import Caretaking
from gateway.chores import now_and_then
from gateway.config import Config, ConfigError
from gateway.crossing import segments
from gateway.doctor.readiness import troubles
from gateway.faces import Parts, listeners, overview
from gateway.model import Transfer
from gateway.people import reception
from gateway.policy import Policy
from gateway.publishing.rescan import Rescans
from gateway.publishing.trials import low_priority
from gateway.publishing.versions import NotNowError, Publishing
from gateway.receipts import Signer
from gateway.requests.approvals import Approvals
from gateway.requests.delegates import Delegates
from gateway.requests.disposing import Disposing
from gateway.requests.exceptions import Exceptions
from gateway.requests.later_mail import LaterMail
from gateway.requests.pointless import Pointless
from gateway.road.boxes import BoxKeeper
from gateway.road.pipeline import Pipeline
from gateway.road.post import MailIntake
from gateway.road.previews import AT_ONCE, Previews
from gateway.road.results import Results
from gateway.road.senders import Senders
from gateway.road.workers import JailUnavailable, Workers
from gateway.rulebook import Rulebook
from gateway.storage import bells, nodes, permits, upkeep
from gateway.storage.bells import Bell
from gateway.storage.keys import signing_key
from gateway.storage.leader import Leader
from gateway.telemetry import log
from gateway.telling.account_mails import AccountMails
from gateway.telling.alarm import Alarm
from gateway.telling.notifier import Notifier
from gateway.telling.request_mails import RequestMails
from gateway.web.face import Listener
from mail.queue import Queue
from mail.relay import Relay
from mail.server import Server
from sanitizers.model import ENGINE_VERSION

_log = log.get(__name__)

ROLES: Final = ("smtp", "drop", "pickup", "admin", "worker", "deliver", "gate")
_UPKEEP_SECONDS: Final = 3600.0
_CARRY_UP_SECONDS: Final = 60.0
_SHUT_SECONDS: Final = 10.0
# How long an upload that was cut may be resumed.
_UNFINISHED_SECONDS: Final = 86_400.0


class House:
    """A whole service in one process tree. `roles`: some of ROLES."""

    def __init__(self, settings: Config, roles: frozenset[str] = frozenset(ROLES), clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._roles = roles
        self._clock = clock
        self.journal, self.blobs = fittings.stores(settings)
        self._unfinished = fittings.unfinished(settings)
        self._panel = fittings.read_panel(settings)
        self._results = Results(self.journal, self.blobs, seconds=settings["workers.reuse"], clock=clock)
        self._rulebook = Rulebook(
            settings, self.journal, self.blobs, self._panel, clock, new_workers=self._new_workers, behind=self._behind
        )
        self._rulebook.changed = self._changed
        self._shares = fittings.read_shares(settings)
        self._previews = Previews(self.blobs, lambda rules: Workers(rules, AT_ONCE, jail_required=settings["jail.required"]))
        self._tls = fittings.certificate(settings, None)
        self._relay = Relay(fittings.relay_settings(settings))
        outbox = fittings.outbox(settings, self.journal, self.blobs, clock)
        self.queue = Queue(outbox, self._relay, fittings.queue_settings(settings), clock)
        self._office = fittings.office(settings)
        self.leader = Leader(self.journal.url)
        self._people()
        self._beside_the_road()
        self._pipeline: Pipeline | None = None
        self._later_mail: LaterMail | None = None
        self._ways: segments.Ways | None = None
        self._intake: MailIntake | None = None
        self._server: Server | None = None
        self._listeners: list[Listener] = []
        self._draining = False

    def _people(self) -> None:
        """Who may do what, and that they hear of it."""
        settings, clock = self._settings, self._clock
        self.accounts = reception.accounts(settings, self.journal, clock)
        self.approvals = Approvals(
            self.journal, clock, patience=settings["approvals.patience"], unavoidable=settings["approvals.unavoidable"]
        )
        self.exceptions = Exceptions(self.journal, self.approvals, clock)
        Delegates(self.approvals, self.accounts.absences, clock)
        self.disposing = Disposing(self.journal, self.approvals, clock)
        Pointless(self.journal, self.approvals)
        self.accounts.heard = AccountMails(self.journal, self._office, clock).tell
        self.approvals.heard = RequestMails(self.journal, self.blobs, self._office, clock, self.queue.wake).tell

    def _beside_the_road(self) -> None:
        """What speaks of transfers, or looks at them again, without moving any."""
        settings, clock = self._settings, self._clock
        told = {"at_once": settings["notices.at_once"], "digest_at": settings["notices.digest"]}
        self._notifier = Notifier(self.journal, self.blobs, self._office, **told, clock=clock, queued=self.queue.wake)
        self.care = Caretaking(
            settings,
            self.journal,
            self._office,
            clock,
            relay=Relay(fittings.relay_settings(settings)),
            queue=fittings.queue_settings(settings),
        )
        self._rescans = Rescans(
            self.journal,
            self.blobs,
            self._panel,
            self._office,
            self.publishing,
            new_workers=self._behind,
            policy=lambda: self._policy,
            clock=clock,
            days=settings["policy.rescan_days"],
            crosses=segments.crosses(settings),
            told=self.queue.wake,
        )

    async def serve(self, stop: asyncio.Event, started: Callable[[], None] = lambda: None) -> None:
        """Run all roles until `stop`, then drain. Raises JailUnavailable, StorageError, OSError (an address is taken), ConfigError."""
        async with AsyncExitStack() as opened:
            await self._open(opened)
            self._listeners = self._faces()
            for listener in self._listeners:
                opened.push_async_callback(listener.stop)
                await listener.start()
            await self._listen_smtp()
            async with asyncio.TaskGroup() as crew:
                running = [crew.create_task(work) for work in self._work()]
                chores = [crew.create_task(work) for work in self._chores()]
                started()
                await stop.wait()
                await self._drain()
                for chore in chores:
                    chore.cancel()
                if running:
                    _, late = await asyncio.wait(running, timeout=self._settings["service.drain"])
                    for task in late:
                        task.cancel()

    async def reload(self) -> None:
        """Read recipients, certificate, and the files of rules and policy again; what is at work keeps what it began with.

        A bad file changes nothing and is logged.
        """
        try:
            known = fittings.read_recipients(self._settings)
            tls = fittings.certificate(self._settings, self._tls)
            await self._rulebook.reload()
        except (ConfigError, ValueError, OSError, JailUnavailable, NotNowError) as error:
            _log.error("nothing was reloaded", why=str(error))
            return
        self._tls = tls
        if self._intake is not None:
            self._intake.know(known)
        _log.info("settings were read again", rules=self.workers.rules_version, policy=self._policy.version)

    @property
    def workers(self) -> Workers:
        """With the rules in force."""
        return self._rulebook.workers

    @property
    def publishing(self) -> Publishing:
        return self._rulebook.publishing

    @property
    def _policy(self) -> Policy:
        return self._rulebook.policy

    def _changed(self) -> None:
        """Something else came in force."""
        if self._pipeline is not None:
            self._pipeline.policy = self._policy
        self._rescans.wake()

    def _new_workers(self, rules: Mapping[str, str]) -> Workers:
        return Workers(rules, self._settings["workers.jobs"], jail_required=self._settings["jail.required"])

    def _behind(self, rules: Mapping[str, str]) -> Workers:
        return low_priority(rules, 1, jail_required=self._settings["jail.required"])

    # ---------------------------------------------------------------------------------------------------------- parts

    async def _open(self, opened: AsyncExitStack) -> None:
        """Stores first, then the jail: a service that cannot keep or cannot sanitise does not start."""
        await self.journal.start()
        opened.push_async_callback(self.journal.stop)
        await self.blobs.start()
        opened.push_async_callback(self.blobs.stop)
        returned = await self._taken_back()
        await self._rulebook.start()
        opened.push_async_callback(self.workers.stop)
        opened.push_async_callback(self._previews.stop)
        self._signer = Signer(signing_key(self._settings.path("storage.path")))
        self._pipeline = self._road(self._signer)
        self._later_mail = LaterMail(self.journal, self._pipeline, self._clock)
        self._ways = segments.Ways(
            self._settings,
            self.journal,
            self.blobs,
            self._signer,
            self._shares,
            roles=self._roles,
            relay=self._relay,
            ready=self._not_ready,
            let_in=self._released,
            clock=self._clock,
        )
        _log.info("stores and jail stand", returned=returned, walls=self.workers.walls, rules=self.workers.rules_version)

    async def _taken_back(self) -> int:
        """What a dead predecessor had in hand, each role its own: another may be at work beside us. Returns how many."""
        returned = 0
        if "worker" in self._roles and not self.journal.shared:
            returned += await self.journal.requeue_transfers(at=self._clock(), attempts=self._policy.attempts)
            await self._results.forget(everything=True)
        if "deliver" in self._roles and not self.journal.shared:
            returned += await self.journal.requeue_deliveries(at=self._clock())
        return returned

    def _road(self, signer: Signer) -> Pipeline:
        return Pipeline(
            self.journal,
            self.blobs,
            self.workers,
            self._policy,
            signer,
            concurrency=self._settings["workers.jobs"],
            pickup_url=self._settings["pickup.url"],
            authenticate=fittings.sender_check(self._settings),
            panel=self._panel,
            results=self._results,
            alarm=Alarm(self.journal, self.blobs, self._office, clock=self._clock, told=self.queue.wake),
            clock=self._clock,
            released=self._released,
            stayed=self._notifier.wake,
            passwords_seen=self._heard,
        )

    def _heard(self, mail: Transfer, passwords: tuple[str, ...]) -> None:
        if self._later_mail is not None:
            self._later_mail.heard(mail, passwords)

    def _released(self) -> None:
        self.queue.wake()
        if self._ways is not None:
            self._ways.wake()

    def _wake(self) -> None:
        if self._pipeline is not None:
            self._pipeline.wake()

    async def _listen_smtp(self) -> None:
        if "smtp" not in self._roles:
            return
        settings = self._settings
        self._intake = MailIntake(
            self.journal,
            self.blobs,
            settings["smtp.domains"],
            recipients=fittings.read_recipients(settings),
            organisation=settings["service.organisation"],
            lane=segments.lane(settings).name,
            clock=self._clock,
            accepted=self._wake,
            beside=Senders(fittings.sender_limits(settings), self._office),
        )
        await self._shut_addresses()
        intake = self._intake if self._ways is None else self._ways.intake(self._intake)
        self._server = Server(intake, fittings.receiver_settings(settings), fittings.server_settings(settings), self._tls)
        await self._server.start(settings["smtp.listen"])

    async def _shut_addresses(self) -> None:
        """Whose mail is not taken in any more, or is again: another node or a command may have said so."""
        if self._intake is not None:
            self._intake.shut(await self.journal.ask(permits.shut_addresses))

    def _faces(self) -> list[Listener]:
        assert self._pipeline is not None
        assert self._ways is not None
        parts = Parts(
            settings=self._settings,
            journal=self.journal,
            blobs=self.blobs,
            accounts=self.accounts,
            approvals=self.approvals,
            exceptions=self.exceptions,
            disposing=self.disposing,
            publishing=self.publishing,
            trials=self._rulebook.trials,
            panel=self._panel,
            pipeline=self._pipeline,
            signer=self._signer,
            shares=self._shares,
            previews=self._previews,
            in_force=self._rulebook.in_force,
            care=self.care,
            ready=self._not_ready,
            taken_in=self._wake,
            work_to_do=self._work_to_do,
            clock=self._clock,
        )
        self._lights = overview(parts).lights
        return [*listeners(parts, self._roles), *self._ways.listeners(), *fittings.monitor(self._settings, self._not_ready)]

    def _work_to_do(self) -> None:
        self._wake()
        self._released()

    async def _not_ready(self) -> list[str]:
        """Whether it can take in, scan and store right now."""
        if self._draining:
            return ["stopping"]
        if found := await troubles(self.journal, self.blobs, self._panel if "worker" in self._roles else None):
            return found
        return [] if self._server is not None or "smtp" not in self._roles else ["starting"]

    def _work(self) -> list[Coroutine[None, None, None]]:
        work: list[Coroutine[None, None, None]] = []
        if "worker" in self._roles and self._pipeline is not None:
            work.append(self._pipeline.run())
        if "deliver" in self._roles:
            work += [self.queue.run(), self.care.letters.run()]
        if self._ways is not None:
            work += self._ways.work()
        return work

    def _chores(self) -> list[Coroutine[None, None, None]]:
        """What ends at once when the service stops."""
        later = [self._later_mail.run()] if "worker" in self._roles and self._later_mail is not None else []
        if "worker" in self._roles:
            later += [self._rulebook.trials.run(), self._rescans.run()]
        watch = fittings.watch(self._settings, self.journal, self._rulebook.in_force, self._not_ready, self._clock)
        beside = [] if self._ways is None else self._ways.chores()
        if "deliver" in self._roles:
            later.append(self.leader.only(lambda: asyncio.gather(*self.care.chores(self._lights))))
            boxes = fittings.boxes(self._settings, self.journal, self._clock)
            later.append(self.leader.only(BoxKeeper(self.journal, boxes, self._office, self._clock).run))
        if self.journal.url is not None:
            beside.append(nodes.keep(self.journal, ",".join(sorted(self._roles)), ENGINE_VERSION))
            beside += [self.leader.run(), bells.listen(self.journal.url, {Bell.WORK: self._wake, Bell.POST: self._released})]
        # Requests that nobody answers are carried up.
        later += [
            self.leader.only(lambda: now_and_then("requests", _CARRY_UP_SECONDS, self.approvals.tick)),
            self.leader.only(lambda: now_and_then("upkeep", _UPKEEP_SECONDS, self._upkeep)),
        ]
        beside += fittings.traces(self._settings)
        beside += fittings.soc(self._settings, self.journal, lambda: self.leader.leads)
        beside.append(now_and_then("addresses without mail", _SHUT_SECONDS, self._shut_addresses))
        tidy = now_and_then("unfinished uploads", _UPKEEP_SECONDS, self._tidy)
        return [self._notifier.run(), tidy, self._rulebook.in_force.follow(), watch.run(), *later, *beside]

    async def _upkeep(self) -> None:
        """Retention, blobs without a row. Of several nodes one does it."""
        await upkeep.dispose_over_age(self.journal, self._policy.original_days, self._clock())
        await upkeep.sweep(self.journal, self.blobs, self._clock())
        await self._results.forget()
        await self.care.retention.run_once()

    async def _tidy(self) -> None:
        """What lies on this machine only: uploads that nobody went on with."""
        await asyncio.to_thread(self._unfinished.sweep, self._clock() - _UNFINISHED_SECONDS)

    async def _drain(self) -> None:
        """No new mail, no new file, no new work; what is in hand is finished or goes back into the queue."""
        self._draining = True
        _log.info("draining")
        await asyncio.gather(*(listener.stop() for listener in self._listeners))
        if self._server is not None:
            await self._server.stop(min(10.0, self._settings["service.drain"]))
        if self._pipeline is not None:
            self._pipeline.drain()
        self.queue.drain()
        self.care.letters.drain()
        if self._ways is not None:
            self._ways.drain()
