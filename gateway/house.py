"""The one place that joins the rooms: builds every part from the settings, starts and stops roles."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import msgspec

from gateway import config, log, policy, rulesets
from gateway.admin.app import admin
from gateway.admin.conformity import ConformityDesk
from gateway.admin.overview import OverviewDesk
from gateway.admin.people import PeopleDesk
from gateway.admin.publishing import PublishingDesk
from gateway.admin.transfers import TransfersDesk
from gateway.alarm import Alarm
from gateway.approvals import Approvals
from gateway.bringing import Bringing, Usage
from gateway.config import Config, ConfigError
from gateway.conformity.facts import Gathering
from gateway.drop.app import Drop
from gateway.exceptions import Exceptions
from gateway.in_force import InForce
from gateway.later_mail import LaterMail
from gateway.model import Transfer
from gateway.notices import Office
from gateway.notifier import Notifier
from gateway.operating import Operating
from gateway.overview import Overview
from gateway.people import reception
from gateway.people.staff import Staff
from gateway.pickup.app import Pickup
from gateway.pipeline import Pipeline
from gateway.policy import Policy
from gateway.post import MailIntake, MailOutbox, SenderCheck
from gateway.publishing import POLICY_FILE, NotNowError, Publishing, Subject, files_in_force, lists_of, policy_text
from gateway.publishing_requests import PublishingRequests
from gateway.receipts import Signer
from gateway.request_mails import RequestMails
from gateway.rescan import Rescans
from gateway.results import Results
from gateway.scanners.clamd import Clamd
from gateway.scanners.hashlists import HashListError, HashLists
from gateway.scanners.icap import Icap
from gateway.scanners.panel import Panel, Seat
from gateway.shares.courier import Courier
from gateway.shares.document import Share
from gateway.shares.document import load as load_shares
from gateway.storage import upkeep
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.storage.keys import signing_key
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.unfinished import Unfinished
from gateway.trials import Trials, low_priority
from gateway.unlocking import Unlocking
from gateway.uploads import Uploads
from gateway.web.approval_pages import ApprovalPages
from gateway.web.desks import Desk
from gateway.web.events import Events
from gateway.web.exception_pages import ExceptionPages
from gateway.web.face import Listener
from gateway.workers import JailUnavailable, Workers
from mail.authentication import Checker
from mail.queue import Queue, QueueSettings
from mail.receiver import ReceiverSettings
from mail.relay import Relay, RelaySettings, Tls
from mail.retry import Schedule
from mail.server import Server, ServerSettings

_log = log.get(__name__)

ROLES: Final = ("smtp", "drop", "pickup", "admin", "worker", "deliver")
_UPKEEP_SECONDS: Final = 3600.0
_CARRY_UP_SECONDS: Final = 60.0
# How long an upload that was cut may be resumed.
_UNFINISHED_SECONDS: Final = 86_400.0


def stores(settings: Config) -> tuple[Journal, LocalBlobs]:
    """Journal and blobs of an installation, not started. The commands use them beside a running service."""
    folder = settings.path("storage.path")
    return Journal(settings["storage.database"] or folder / "sekisho.db"), LocalBlobs(folder / "blobs", reserve=settings["storage.reserve"])


def read_policy_text(settings: Config) -> str:
    """The policy document of the settings; without one the empty document, which is the built-in policy. Raises ConfigError."""
    try:
        return settings.path("policy.file").read_text("utf-8") if settings["policy.file"] else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"policy.file: {error}") from None


def read_policy(settings: Config, text: str | None = None) -> Policy:
    """The policy that a document says here; without one, that of the settings. Raises ConfigError."""
    try:
        chosen = policy.load(read_policy_text(settings) if text is None else text)
    except ValueError as error:
        raise ConfigError(f"policy.file: {error}") from None
    return fitted(chosen, settings)


def fitted(chosen: Policy, settings: Config) -> Policy:
    """With what the settings say for all policies."""
    treatment = msgspec.structs.replace(chosen.treatment, language=settings["service.language"])
    return msgspec.structs.replace(chosen, treatment=treatment, attempts=settings["workers.attempts"])


def read_rules(settings: Config) -> dict[str, str]:
    """The rule files of the settings. Raises ConfigError."""
    folder: Path = settings.path("policy.rules") if settings["policy.rules"] else rulesets.builtin_folder()
    try:
        return rulesets.read(folder)
    except (OSError, ValueError) as error:
        raise ConfigError(f"policy.rules: {error}") from None


def read_recipients(settings: Config) -> frozenset[str] | None:
    """The addresses that exist; None where no list is set. Lines that are empty or begin with # say nothing. Raises ConfigError."""
    if not settings["smtp.recipients"]:
        return None
    try:
        lines = settings.path("smtp.recipients").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"smtp.recipients: {error}") from None
    addresses = frozenset(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    wrong = next((address for address in sorted(addresses) if "@" not in address), None)
    if wrong is not None:
        raise ConfigError(f"smtp.recipients: {wrong!r} is no address")
    return addresses


def read_shares(settings: Config) -> dict[str, Share]:
    """The shares of the inner side. Raises ConfigError."""
    if not settings["shares.file"]:
        return {}
    try:
        return load_shares(settings.path("shares.file"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"shares.file: {error}") from None


def read_panel(settings: Config) -> Panel:
    """The scanners from outside. Raises ConfigError."""
    seats, required, limit = [], set(settings["scanners.required"]), settings["scanners.timeout"]
    try:
        if where := settings["scanners.clamd"]:
            clamd = Clamd(where if "/" in where else config.address(where), seconds=limit, largest=settings["scanners.largest"])
            seats.append(Seat(clamd, clamd.name in required, limit, settings["scanners.stale"]))
        if where := settings["scanners.icap"]:
            server = Icap(where, seconds=limit)
            # ICAP tells no age of signatures.
            seats.append(Seat(server, server.name in required, limit))
    except ValueError as error:
        raise ConfigError(f"scanners: {error}") from None
    if missing := required - {seat.scanner.name for seat in seats}:
        raise ConfigError(f"scanners.required: {min(missing)} is not set up")
    return Panel(seats, read_lists(settings))


def read_lists(settings: Config) -> HashLists:
    """The lists of digests that the settings name. Raises ConfigError."""
    deny, allow = ([settings.folder / name for name in settings[f"scanners.{which}"]] for which in ("deny", "allow"))
    try:
        return HashLists.load(deny, allow)
    except HashListError as error:
        raise ConfigError(f"scanners: {error}") from None


async def what_is_in_force(settings: Config, journal: Journal) -> tuple[dict[str, str], Policy, Panel]:
    """Rules, policy and panel for a road of a command's own, beside the service: what was published, else what the settings name.

    Raises ConfigError.
    """
    rules, text, lists = [await files_in_force(journal, subject) for subject in (Subject.RULES, Subject.POLICY, Subject.LISTS)]
    panel = read_panel(settings)
    if lists is not None:
        panel.lists = panel.lists.beside(*lists_of(lists))
    chosen = read_policy(settings, None if text is None else policy_text(text))
    return read_rules(settings) if rules is None else rules, chosen, panel


class House:
    """A whole service in one process tree. `roles`: some of ROLES."""

    def __init__(self, settings: Config, roles: frozenset[str] = frozenset(ROLES), clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._roles = roles
        self._clock = clock
        self._jail = settings["jail.required"]
        self.journal, self.blobs = stores(settings)
        self._unfinished = Unfinished(settings.path("storage.path") / "uploads", reserve=settings["storage.reserve"])
        self._panel = read_panel(settings)
        self._results = Results(self.journal, self.blobs, seconds=settings["workers.reuse"], clock=clock)
        self.publishing = Publishing(
            self.journal,
            clock,
            lambda text: fitted(policy.load(text), settings),
            four_eyes=settings["policy.four_eyes"],
            jail_required=self._jail,
        )
        self._trials = Trials(
            self.journal,
            self.blobs,
            self.publishing,
            lambda text: fitted(policy.load(text), settings),
            clock,
            new_workers=self._behind,
            clean=settings.path("policy.clean_set") if settings["policy.clean_set"] else None,
            days=settings["policy.backtest_days"],
            jail_required=self._jail,
        )
        self._rescans: Rescans | None = None
        self._in_force = InForce(
            self.publishing,
            self._panel,
            lambda text: fitted(policy.load(text), settings),
            self._new_workers,
            policy=read_policy(settings),
            workers=self._new_workers(read_rules(settings)),
        )
        self.publishing.changed = self._in_force.take
        self._in_force.changed = self._changed
        self._shares = read_shares(settings)
        self.accounts = reception.accounts(settings, self.journal, clock)
        self.approvals = Approvals(
            self.journal, clock, patience=settings["approvals.patience"], unavoidable=settings["approvals.unavoidable"]
        )
        self.exceptions = Exceptions(self.journal, self.approvals, clock)
        self._tls = _certificate(settings, None)
        self._relay = Relay(_relay_settings(settings))
        self.queue = Queue(MailOutbox(self.journal, self.blobs, clock=clock), self._relay, _queue_settings(settings), clock)
        self._office = office = Office(
            _notice_sender(settings),
            settings["service.hostname"],
            settings["service.organisation"],
            settings["service.language"],
            settings["pickup.url"],
        )
        self._notifier = Notifier(
            self.journal,
            self.blobs,
            office,
            at_once=settings["notices.at_once"],
            digest_at=settings["notices.digest"],
            clock=clock,
            queued=self.queue.wake,
        )
        self.approvals.heard = RequestMails(self.journal, self.blobs, office, clock, self.queue.wake).tell
        self._pipeline: Pipeline | None = None
        self._later_mail: LaterMail | None = None
        self._courier: Courier | None = None
        self._intake: MailIntake | None = None
        self._server: Server | None = None
        self._listeners: list[Listener] = []
        self._draining = False

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

        A bad file changes nothing and is logged. What becomes of another file than before: `Publishing.seen_on_disk`.
        """
        try:
            known = read_recipients(self._settings)
            tls = _certificate(self._settings, self._tls)
            lists = read_lists(self._settings)
            await self.publishing.seen_on_disk(self._on_disk())
            await self._in_force.take()
        except (ConfigError, ValueError, OSError, JailUnavailable, NotNowError) as error:
            _log.error("nothing was reloaded", why=str(error))
            return
        self._tls = tls
        self._in_force.own_lists(lists)
        if self._intake is not None:
            self._intake.know(known)
        _log.info("settings were read again", rules=self.workers.rules_version, policy=self._policy.version)

    def _on_disk(self) -> dict[Subject, dict[str, str]]:
        return {Subject.RULES: read_rules(self._settings), Subject.POLICY: {POLICY_FILE: read_policy_text(self._settings)}}

    @property
    def workers(self) -> Workers:
        """With the rules in force."""
        return self._in_force.workers

    @property
    def _policy(self) -> Policy:
        return self._in_force.policy

    def _changed(self) -> None:
        """Something else came in force."""
        self._say_dangers()
        if self._pipeline is not None:
            self._pipeline.policy = self._policy
        if self._rescans is not None:
            self._rescans.wake()

    def _say_dangers(self) -> None:
        """What the policy in force lets through that somebody should look at twice."""
        for warning in policy.warnings(self._policy):
            _log.warning("the policy in force is unsafe", policy=self._policy.version, why=warning)
        if self._panel.seats and not any(seat.required for seat in self._panel.seats):
            _log.warning("no scanner is required: while they are silent everything passes without their word")

    def _new_workers(self, rules: Mapping[str, str]) -> Workers:
        return Workers(rules, self._settings["workers.jobs"], jail_required=self._jail)

    def _behind(self, rules: Mapping[str, str]) -> Workers:
        return low_priority(rules, 1, jail_required=self._jail)

    # ---------------------------------------------------------------------------------------------------------- parts

    async def _open(self, opened: AsyncExitStack) -> None:
        """Stores first, then the jail: a service that cannot keep or cannot sanitise does not start."""
        await self.blobs.start()
        opened.push_async_callback(self.blobs.stop)
        await self.journal.start()
        opened.push_async_callback(self.journal.stop)
        # What a dead predecessor had in hand, each role its own: another may be at work beside us.
        returned = 0
        if "worker" in self._roles and not self.journal.shared:
            returned += await self.journal.requeue_transfers(at=self._clock(), attempts=self._policy.attempts)
            await self._results.forget(everything=True)
        if "deliver" in self._roles and not self.journal.shared:
            returned += await self.journal.requeue_deliveries(at=self._clock())
        await self._in_force.start(self._on_disk())
        self._say_dangers()
        opened.push_async_callback(self.workers.stop)
        self._signer = signer = Signer(signing_key(self._settings.path("storage.path")))
        self._pipeline = Pipeline(
            self.journal,
            self.blobs,
            self.workers,
            self._policy,
            signer,
            concurrency=self._settings["workers.jobs"],
            pickup_url=self._settings["pickup.url"],
            authenticate=_sender_check(self._settings),
            panel=self._panel,
            results=self._results,
            alarm=Alarm(self.journal, self.blobs, self._office, clock=self._clock, told=self.queue.wake),
            clock=self._clock,
            released=self._released,
            stayed=self._notifier.wake,
            passwords_seen=self._heard,
        )
        self._later_mail = LaterMail(self.journal, self._pipeline, self._clock)
        self._rescans = Rescans(
            self.journal,
            self.blobs,
            self._panel,
            self._office,
            self.publishing,
            new_workers=self._behind,
            policy=lambda: self._policy,
            clock=self._clock,
            days=self._settings["policy.rescan_days"],
            told=self.queue.wake,
        )
        schedule = Schedule(self._settings["relay.retry"], self._settings["relay.expire"])
        self._courier = Courier(
            self.journal, self.blobs, self._shares, schedule=schedule, public_key=signer.public_key, clock=self._clock
        )
        _log.info("stores and jail stand", returned=returned, walls=self.workers.walls, rules=self.workers.rules_version)

    def _heard(self, mail: Transfer, passwords: tuple[str, ...]) -> None:
        if self._later_mail is not None:
            self._later_mail.heard(mail, passwords)

    def _released(self) -> None:
        self.queue.wake()
        if self._courier is not None:
            self._courier.wake()

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
            recipients=read_recipients(settings),
            organisation=settings["service.organisation"],
            clock=self._clock,
            accepted=self._wake,
        )
        limits = ServerSettings(
            max_connections=settings["smtp.max_connections"],
            max_per_client=settings["smtp.max_per_client"],
            connections_per_minute=settings["smtp.connections_per_minute"],
            messages_per_minute=settings["smtp.messages_per_minute"],
            trusted_hops=settings["smtp.trusted_hops"],
            proxy_protocol=settings["smtp.proxy_protocol"],
        )
        self._server = Server(self._intake, _receiver_settings(settings), limits, self._tls)
        await self._server.start(settings["smtp.listen"])

    def _faces(self) -> list[Listener]:
        settings, jail = self._settings, self._jail
        uploads = Uploads(
            self.blobs,
            self.journal,
            self._clock,
            self._wake,
            most=self._policy.limits.input_bytes,
            organisation=settings["service.organisation"],
        )
        assert self._pipeline is not None
        unlocking = Unlocking(self.journal, self._pipeline, self._clock)
        operating = Operating(self.journal, self._signer, self._clock, self._pipeline, self._work_to_do)
        events = Events(self.journal, self._pipeline.progress)
        faces = {
            "drop": Drop(
                uploads,
                self.journal,
                unlocking,
                self.accounts,
                unfinished=self._unfinished,
                readiness=self._not_ready,
                events=events,
                bringing=Bringing(
                    self.journal, self.approvals, operating, _usage(settings), {one.address: one.title for one in self._shares.values()}
                ),
                desks=[ApprovalPages(self.approvals), ExceptionPages(self.exceptions, self._clock)],
                jail=jail,
            ).application,
            "pickup": Pickup(
                self.blobs,
                self.journal,
                unlocking,
                self.accounts,
                self._not_ready,
                clock=self._clock,
                events=events,
                days=settings["pickup.days"],
                jail=jail,
            ).application,
            "admin": admin(self.accounts, self._not_ready, self._desks(operating), jail=jail),
        }
        return [Listener(face, settings[f"{role}.listen"]) for role, face in faces.items() if role in self._roles]

    def _desks(self, operating: Operating) -> list[Desk]:
        overview = Overview(
            self.journal,
            self._panel,
            versions=self._versions,
            ready=self._not_ready,
            folder=self._settings.path("storage.path"),
            clock=self._clock,
        )
        return [
            OverviewDesk(self.journal, overview),
            ConformityDesk(self._gathering()),
            TransfersDesk(self.journal, operating, self._clock),
            self._publishing_desk(),
            ApprovalPages(self.approvals, overseen=True),
            PeopleDesk(self.accounts, Staff(self.journal, self._clock, self._settings["service.organisation"]), self._clock),
            ExceptionPages(self.exceptions, self._clock),
        ]

    def _work_to_do(self) -> None:
        self._wake()
        self._released()

    def _publishing_desk(self) -> PublishingDesk:
        requests = PublishingRequests(self.publishing, self.approvals)
        return PublishingDesk(self.journal, self.publishing, self._trials, requests, self._clock)

    def _gathering(self) -> Gathering:
        def in_force() -> tuple[Policy, tuple[str, ...], str]:
            return self._policy, self.workers.walls, self.workers.rules_version

        return Gathering(
            self.journal,
            self._settings.values,
            customs=self.accounts.customs,
            panel=self._panel,
            in_force=in_force,
            clock=self._clock,
        )

    def _versions(self) -> dict[str, str]:
        return {"walls": "、".join(self.workers.walls), "rules": self.workers.rules_version, "policy": self._policy.version}

    async def _not_ready(self) -> list[str]:
        """Whether it can take in, scan and store right now."""
        if self._draining:
            return ["stopping"]
        try:
            halted = await self.journal.halted()
            writer = await self.blobs.begin()
            await writer.abort()
        except StorageError as error:
            return [str(error)]
        if halted:
            return [f"{what} is stopped" for what in halted]
        if "worker" in self._roles:
            silent = [f"{one.scanner}: {one.trouble}" for one in await self._panel.standing() if one.required and one.trouble]
            if silent:
                return silent
        return [] if self._server is not None or "smtp" not in self._roles else ["starting"]

    def _work(self) -> list[Coroutine[None, None, None]]:
        work: list[Coroutine[None, None, None]] = []
        if "worker" in self._roles and self._pipeline is not None:
            work.append(self._pipeline.run())
        if "deliver" in self._roles:
            work.append(self.queue.run())
        if "deliver" in self._roles and self._courier is not None and self._shares:
            work.append(self._courier.run())
        return work

    def _chores(self) -> list[Coroutine[None, None, None]]:
        """What ends at once when the service stops."""
        later = [self._later_mail.run()] if "worker" in self._roles and self._later_mail is not None else []
        if "worker" in self._roles and self._rescans is not None:
            later += [self._trials.run(), self._rescans.run()]
        return [self._notifier.run(), self._upkeep(), self._in_force.follow(), *later]

    async def _carry_up(self) -> None:
        """Requests that nobody answers."""
        while True:
            try:
                await self.approvals.tick()
            except StorageError as error:
                _log.error("requests have to wait", error=str(error))
            await asyncio.sleep(_CARRY_UP_SECONDS)

    async def _upkeep(self) -> None:
        """Now and then: retention, blobs without a row."""
        while True:
            try:
                await upkeep.dispose_over_age(self.journal, self._policy.original_days, self._clock())
                await upkeep.sweep(self.journal, self.blobs, self._clock())
                await self._results.forget()
                await asyncio.to_thread(self._unfinished.sweep, self._clock() - _UNFINISHED_SECONDS)
            except StorageError as error:
                _log.error("upkeep has to wait", error=str(error))
            await asyncio.sleep(_UPKEEP_SECONDS)

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
        if self._courier is not None:
            self._courier.drain()


# ------------------------------------------------------------------------------------------- settings of the post's parts


def _usage(settings: Config) -> Usage:
    return Usage(
        classifications=settings["drop.classifications"], approval=settings["drop.approval"], required=settings["drop.required"]
    )


def _notice_sender(settings: Config) -> str:
    sender: str = settings["relay.notice_sender"]
    return sender or f"postmaster@{settings['smtp.domains'][0]}"


def _sender_check(settings: Config) -> SenderCheck:
    """Raises ConfigError when a server upstream is to be believed and is not named."""
    how = settings["mail.authentication"]
    if how == "upstream" and not settings["mail.authserv_id"]:
        raise ConfigError("mail.authserv_id: must name the server whose results are believed")
    checker = Checker(settings["mail.resolvers"], limit=settings["mail.dns_timeout"]) if how == "check" else None
    return SenderCheck(settings["service.hostname"], checker, upstream=settings["mail.authserv_id"] if how == "upstream" else "")


def _certificate(settings: Config, context: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """For STARTTLS, where a certificate is set; `context` is given it anew, so that a renewed one needs no restart. Raises ConfigError."""
    if not settings["smtp.tls_certificate"]:
        return None
    context = context or ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        key = settings.path("smtp.tls_key") if settings["smtp.tls_key"] else None
        context.load_cert_chain(settings.path("smtp.tls_certificate"), key)
    except OSError as error:        # ssl.SSLError is one
        raise ConfigError(f"smtp.tls_certificate: {error}") from None
    return context


def _receiver_settings(settings: Config) -> ReceiverSettings:
    return ReceiverSettings(
        hostname=settings["service.hostname"],
        size_limit=settings["smtp.size_limit"],
        refuse_bare_newlines=settings["smtp.bare_newline"] == "reject",
        strict_pipelining=settings["smtp.strict_pipelining"],
        postmaster_domain=settings["smtp.domains"][0],
        dsn=True,
    )


def _relay_settings(settings: Config) -> RelaySettings:
    host, port = settings["relay.next_hop"]
    return RelaySettings(
        host, port, hostname=settings["service.hostname"], tls=Tls(settings["relay.tls"]), concurrency=settings["relay.concurrency"]
    )


def _queue_settings(settings: Config) -> QueueSettings:
    return QueueSettings(
        hostname=settings["service.hostname"],
        postmaster=_notice_sender(settings),
        concurrency=settings["relay.concurrency"],
        schedule=Schedule(settings["relay.retry"], settings["relay.expire"]),
    )
