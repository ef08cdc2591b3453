"""What each room is fitted with: settings, and the files that they name, turned into parts. Whatever is wrong is a ConfigError."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from gateway import config, policy
from gateway.config import Config, ConfigError
from gateway.crossing import segments
from gateway.policy import Policy
from gateway.publishing import rulesets
from gateway.publishing.in_force import InForce
from gateway.publishing.versions import Subject, files_in_force, lists_of, policy_text
from gateway.requests.bringing import Usage
from gateway.road.boxes import Boxes, Quotas
from gateway.road.post import MailOutbox, SenderCheck
from gateway.scanners.clamd import Clamd
from gateway.scanners.hashlists import HashListError, HashLists
from gateway.scanners.icap import Icap
from gateway.scanners.panel import Panel, Seat
from gateway.shares.document import Share
from gateway.shares.document import load as load_shares
from gateway.storage.blobs import Blobs
from gateway.storage.chosen import stores as stores  # noqa: PLC0414 - what the house and the commands ask for here
from gateway.storage.journal import Journal
from gateway.storage.senders import Limits
from gateway.storage.unfinished import Unfinished
from gateway.telemetry import tracing
from gateway.telemetry.soc import AddressError, Collector, Following
from gateway.telemetry.tracing import Traces
from gateway.telemetry.watch import Watch
from gateway.telling.notices import Office
from gateway.web.face import Listener, face
from mail.authentication import Checker
from mail.queue import QueueSettings
from mail.receiver import ReceiverSettings
from mail.relay import RelaySettings, Tls
from mail.retry import Schedule
from mail.server import ServerSettings
from sanitizers.model import ENGINE_VERSION


def unfinished(settings: Config) -> Unfinished:
    """Uploads that were cut, where they wait to go on."""
    return Unfinished(settings.path("storage.path") / "uploads", reserve=settings["storage.reserve"])


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


# ------------------------------------------------------------------------------------------- settings of the post and the faces


def boxes(settings: Config, journal: Journal, clock: Callable[[], float]) -> Boxes:
    quotas = Quotas(settings["pickup.quota"], settings["pickup.quota_shared"])
    return Boxes(journal, quotas, days=settings["pickup.days"], clock=clock)


def usage(settings: Config) -> Usage:
    return Usage(
        classifications=settings["drop.classifications"], approval=settings["drop.approval"], required=settings["drop.required"]
    )


def notice_sender(settings: Config) -> str:
    sender: str = settings["relay.notice_sender"]
    return sender or f"postmaster@{settings['smtp.domains'][0]}"


def sender_check(settings: Config) -> SenderCheck:
    """Raises ConfigError when a server upstream is to be believed and is not named."""
    how = settings["mail.authentication"]
    if how == "upstream" and not settings["mail.authserv_id"]:
        raise ConfigError("mail.authserv_id: must name the server whose results are believed")
    checker = Checker(settings["mail.resolvers"], limit=settings["mail.dns_timeout"]) if how == "check" else None
    return SenderCheck(settings["service.hostname"], checker, upstream=settings["mail.authserv_id"] if how == "upstream" else "")


def certificate(settings: Config, context: ssl.SSLContext | None) -> ssl.SSLContext | None:
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


def monitor(settings: Config, ready: Callable[[], Awaitable[list[str]]]) -> list[Listener]:
    """The address at which monitoring and load balancers ask, where there is one; of every node, whatever its roles. Not started."""
    where = settings["monitor.listen"]
    return [Listener(face(ready), config.address(where))] if where else []


def soc(settings: Config, journal: Journal, leads: Callable[[], bool]) -> list[Coroutine[None, None, None]]:
    """Who watches over many systems is told, where there is such. Raises ConfigError."""
    if not settings["log.syslog"]:
        return []
    authority = settings.path("log.syslog_authority") if settings["log.syslog_authority"] else None
    try:
        collector = Collector(settings["log.syslog"], settings["service.hostname"], authority=authority)
    except (AddressError, OSError) as error:
        raise ConfigError(f"log.syslog: {error}") from None
    return [Following(journal, collector, settings.path("storage.path") / "soc.seq", leads).run()]


def traces(settings: Config) -> list[Coroutine[None, None, None]]:
    """What happens to transfers is told to a collector, where there is such. Raises ConfigError."""
    where = settings["tracing.to"]
    if not where:
        return []
    parts = urlsplit(where)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("tracing.to: must be http://host:4318 or https://…")
    body, node = settings["service.organisation"], settings["service.hostname"]
    told = Traces(where, body=body, node=node, version=ENGINE_VERSION, one_in=settings["tracing.one_in"])
    tracing.tell(told)
    return [told.run()]


def outbox(settings: Config, journal: Journal, blobs: Blobs, clock: Callable[[], float]) -> MailOutbox:
    """What this side sends by post. Raises ConfigError."""
    segments.lane(settings)
    return MailOutbox(journal, blobs, way=segments.post_way(settings), clock=clock)


def watch(
    settings: Config, journal: Journal, in_force: InForce, ready: Callable[[], Awaitable[list[str]]], clock: Callable[[], float]
) -> Watch:
    """What looks up for /metrics how everything stands."""
    return Watch(
        journal,
        ready=ready,
        versions=lambda: (in_force.workers.rules_version, in_force.policy.version),
        walls=lambda: in_force.workers.walls,
        folder=settings.path("storage.path"),
        reserve=settings["storage.reserve"],
        shown=certificates_shown(settings),
        clock=clock,
    )


def certificates_shown(settings: Config) -> dict[str, Path]:
    """What the certificates are for that are watched for their end → their files."""
    smtp = {"smtp": settings.path("smtp.tls_certificate")} if settings["smtp.tls_certificate"] else {}
    return smtp | segments.shown(settings)


def server_settings(settings: Config) -> ServerSettings:
    """`smtp.*`, as far as it is about connections."""
    return ServerSettings(
        max_connections=settings["smtp.max_connections"],
        max_per_client=settings["smtp.max_per_client"],
        connections_per_minute=settings["smtp.connections_per_minute"],
        messages_per_minute=settings["smtp.messages_per_minute"],
        trusted_hops=settings["smtp.trusted_hops"],
        proxy_protocol=settings["smtp.proxy_protocol"],
    )


def office(settings: Config) -> Office:
    """Who signs what people are told."""
    return Office(
        notice_sender(settings),
        settings["service.hostname"],
        settings["service.organisation"],
        settings["service.language"],
        settings["pickup.url"],
    )


def sender_limits(settings: Config) -> Limits:
    """`smtp.sender_…`: what one sender may send in an hour."""
    return Limits(settings["smtp.sender_mails_per_hour"], settings["smtp.sender_recipients_per_hour"])


def receiver_settings(settings: Config) -> ReceiverSettings:
    """`smtp.*`, as far as it is about what is said in them."""
    return ReceiverSettings(
        hostname=settings["service.hostname"],
        size_limit=settings["smtp.size_limit"],
        refuse_bare_newlines=settings["smtp.bare_newline"] == "reject",
        strict_pipelining=settings["smtp.strict_pipelining"],
        postmaster_domain=settings["smtp.domains"][0],
        dsn=True,
    )


def relay_settings(settings: Config) -> RelaySettings:
    """`relay.*`: the next hop."""
    host, port = settings["relay.next_hop"]
    return RelaySettings(
        host, port, hostname=settings["service.hostname"], tls=Tls(settings["relay.tls"]), concurrency=settings["relay.concurrency"]
    )


def queue_settings(settings: Config) -> QueueSettings:
    """`relay.*`: when to try again, and in whose name a notice goes out."""
    return QueueSettings(
        hostname=settings["service.hostname"],
        postmaster=notice_sender(settings),
        concurrency=settings["relay.concurrency"],
        schedule=Schedule(settings["relay.retry"], settings["relay.expire"]),
    )
