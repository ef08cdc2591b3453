"""A prefecture's installation in a network of its own: three nodes of the real service, a database with a synchronous standby, an object
store, a sender on the Internet side and a next hop that writes down what it was given.

Every mail has a number of its own and something in it that must not arrive. A mail counts as accepted when its sender heard 250; one whose
sender heard nothing after its end may arrive once or not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import os
import random
import shutil
import signal
import smtplib
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.demo import samples
from tests.build import swift
from tests.build.network import Network, Place, network
from tests.build.postgres import Pair, pair
from tests.e2e.service import Service

NAMES = ("a", "b", "c")
# Mails that one node hands on at a time.
CONCURRENCY = 4
_SMTP_PORT = 2525
_MONITOR_PORT = 8083
_SENDERS = 8
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 60.0
_START_SECONDS = 300.0
# None of these may be in what arrives, in no attachment either.
_POISON = (b"<script", b"vbaProject", b"/JavaScript", b"This program stands in", b"GPSLatitude")


# ------------------------------------------------------------------------------------------------------------------ mails


def _kinds() -> list[tuple[int, list[tuple[str, str, bytes]]]]:
    """How many of a hundred mails have which attachments."""
    by_name = {name.rpartition(".")[2]: (name, kind, data) for name, kind, data in samples.attachments()}
    return [(60, []), (15, [by_name["docm"]]), (12, [by_name["pdf"]]), (8, [by_name["jpg"]]), (5, [by_name["docm"], by_name["pdf"]])]


def mail(number: int, dice: random.Random, kinds: list[tuple[int, list[tuple[str, str, bytes]]]]) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "partner@partner.example", f"kakari{number % 20}@town{number % 30}.example.jp"
    message["Subject"], message["Message-ID"] = f"見積 No. {number}", f"<{number}@partner.example>"
    text = "いつもお世話になっております。" * dice.choice((3, 30, 3_000))
    message.set_content(text)
    message.add_alternative(f"<html><head><script>alert({number})</script></head><body><p>{text}</p></body></html>", subtype="html")
    (attached,) = dice.choices([attached for _, attached in kinds], [share for share, _ in kinds])
    for name, kind, data in attached:
        main, _, sub = kind.partition("/")
        message.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return message


# ---------------------------------------------------------------------------------------------------------- who takes them


@dataclass
class NextHop:
    """`arrived`: how often each number came; `dirty`: what was in a mail that must not be; `files`: attachments that came."""

    arrived: Counter[int] = field(default_factory=Counter)
    others: int = 0
    dirty: list[str] = field(default_factory=list)
    files: int = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's hook
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        number, _, where = str(message["Message-ID"]).strip("<>").partition("@")
        if where != "partner.example":
            self.others += 1        # a notice of the gateway itself
            return "250 2.0.0 Ok"
        for part in message.walk():
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                self.dirty += [f"{number}: {poison.decode()}" for poison in _POISON if poison in content]
                self.files += part.get_content_disposition() == "attachment"
        self.arrived[int(number)] += 1
        return "250 2.0.0 Ok"


@contextlib.contextmanager
def next_hop(place: Place) -> Iterator[NextHop]:
    hop, loop, listening = NextHop(), asyncio.new_event_loop(), place.listening(25)
    server = loop.run_until_complete(loop.create_server(lambda: SMTP(hop, loop=loop, data_size_limit=64 << 20, enable_SMTPUTF8=True), sock=listening))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield hop
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


# -------------------------------------------------------------------------------------------------------- who sends them


@dataclass
class Sender:
    """Mails at random moments to whichever node answers, while no more than `most` of those before are still under way: a busy machine gets
    less to do. `accepted`: numbers that were answered with 250; `unanswered`: cut before it."""

    place: Place
    nodes: list[tuple[str, int]]
    rate: float
    under_way: Callable[[set[int]], int]
    most: int = 60
    seed: int = 11
    accepted: set[int] = field(default_factory=set)
    unanswered: set[int] = field(default_factory=set)
    refused: int = 0
    sent: int = 0
    _number: int = 0
    _due: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        self._due = time.monotonic()
        crew = [threading.Thread(target=self._work, daemon=True) for _ in range(_SENDERS)]
        for one in crew:
            one.start()
        try:
            yield
        finally:
            self._stop.set()
            for one in crew:
                one.join(_ANSWER_SECONDS + 3 * _CONNECT_SECONDS)

    def _work(self) -> None:
        kinds = _kinds()
        with self.place.inside():
            while not self._stop.is_set():
                with self._turn:
                    self._number += 1
                    number = self._number
                    dice = random.Random(self.seed * 1_000_003 + number)
                    # Nobody catches up after a time in which all were waiting.
                    self._due = max(self._due, time.monotonic() - 10.0) + dice.expovariate(self.rate)
                    due = self._due
                if self._stop.wait(max(0.0, due - time.monotonic())):
                    return
                while self.under_way(self.accepted) > self.most:
                    if self._stop.wait(1.0):
                        return
                self._send(number, dice, mail(number, dice, kinds))

    def _send(self, number: int, dice: random.Random, message: EmailMessage) -> None:
        self.sent += 1
        for host, port in dice.sample(self.nodes, len(self.nodes)):
            try:
                client = smtplib.SMTP(host, port, local_hostname="mx.partner.example", timeout=_CONNECT_SECONDS)
            except (OSError, smtplib.SMTPException):
                continue
            client.sock.settimeout(_ANSWER_SECONDS)
            try:
                client.send_message(message)
            except smtplib.SMTPServerDisconnected:
                self.unanswered.add(number)
            except smtplib.SMTPException:
                self.refused += 1
            except OSError:
                self.unanswered.add(number)
            else:
                self.accepted.add(number)
            with contextlib.suppress(OSError, smtplib.SMTPException):
                client.quit()
            return
        self.refused += 1


# ---------------------------------------------------------------------------------------------------------- the installation


class Cluster:
    """Everything, by name: the nodes `a`, `b`, `c`, the databases `first` and `second`, `objects`, `internet` and `town`."""

    def __init__(self, net: Network, folder: Path, database: Pair, objects: swift.Swift, places: dict[str, Place]) -> None:
        self.network, self.folder, self.database, self.objects = net, folder, database, objects
        self._places = places
        self.nodes = {name: self._node(name) for name in NAMES}

    def _node(self, name: str) -> Service:
        address = self._places[name].address
        return Service(
            self.folder / name, 25,
            {
                "SEKISHO_SERVICE_HOSTNAME": f"{name}.gate.example.jp",
                "SEKISHO_STORAGE_URL": self.database.address,
                "SEKISHO_STORAGE_BLOBS": "s3://kept/prod",
                "SEKISHO_STORAGE_S3_ENDPOINT": self.objects.endpoint,
                "SEKISHO_STORAGE_S3_REGION": "ap-northeast-1",
                "SEKISHO_STORAGE_S3_CREDENTIALS": str(self.folder / "credentials"),
                "SEKISHO_STORAGE_KEY": f"file:{self.folder / 'master'}",
                "SEKISHO_SMTP_LISTEN": f"{address}:{_SMTP_PORT}",
                "SEKISHO_SMTP_DOMAINS": ",".join(f"town{number}.example.jp" for number in range(30)),
                "SEKISHO_RELAY_NEXT_HOP": f"{self._places['town'].address}:25",
                "SEKISHO_RELAY_RETRY": "2s,5s,10s",
                "SEKISHO_RELAY_CONCURRENCY": str(CONCURRENCY),
                "SEKISHO_MONITOR_LISTEN": f"{address}:{_MONITOR_PORT}",
                "SEKISHO_MAIL_AUTHENTICATION": "off",
                "SEKISHO_NOTICES_AT_ONCE": "false",
                "SEKISHO_NOTICES_DIGEST": "",
                # A transfer that was lost as often as this test loses nodes is not a bad one.
                "SEKISHO_WORKERS_ATTEMPTS": "1000",
                # Three nodes share two cores here.
                "SEKISHO_WORKERS_JOBS": "1",
            },
        )  # fmt: skip

    def prepare(self) -> None:
        """All nodes at work, with the keys of one installation."""
        (self.folder / "credentials").write_text(f"{swift.KEY_ID}\n{swift.SECRET}\n")
        (self.folder / "master").write_bytes(os.urandom(32))
        first, *others = self.nodes
        self.start(first)
        for name in others:
            self.nodes[name].folder.mkdir()
            for key in ("receipt.key", "receipt.pub", "secrets.key"):
                if (held := self.nodes[first].folder / key).exists():
                    shutil.copy(held, self.nodes[name].folder / key)
            self.start(name)

    def sender(self, rate: float, hop: NextHop) -> Sender:
        """To all nodes. `rate`: mails a second."""

        def under_way(accepted: set[int]) -> int:
            return len(accepted) - len(hop.arrived)

        return Sender(self._places["internet"], [(self._places[name].address, _SMTP_PORT) for name in NAMES], rate, under_way)

    def inside(self, name: str) -> contextlib.AbstractContextManager[None]:
        return self._places[name].inside()

    def start(self, name: str) -> None:
        """Whether it is ready at once or only when what it needs is there again."""
        with self.inside(name):
            for _ in range(20):
                try:
                    return self.nodes[name].start(_START_SECONDS)
                except AssertionError:
                    # As systemd would: started anew until the database answers.
                    if self.alive(name):
                        raise
        raise AssertionError(self.nodes[name].log()[-2_000:])

    def alive(self, name: str) -> bool:
        process = self.nodes[name].process
        return process is not None and process.poll() is None

    def kill(self, name: str) -> None:
        self.nodes[name].kill()

    def signal(self, name: str, which: signal.Signals) -> None:
        process = self.nodes[name].process
        assert process is not None
        process.send_signal(which)

    def stop(self) -> None:
        """As an upgrade would: all finish what they have in hand."""
        for name in NAMES:
            if self.alive(name):
                self.signal(name, signal.SIGCONT)
                self.signal(name, signal.SIGTERM)
        for node in self.nodes.values():
            if node.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    node.process.wait(90)
                node.kill()

    def sees(self, one: str, other: str, port: int) -> bool:
        """Whether `one` gets a connection to that port of `other`."""
        return self._places[one].answers((self._places[other].address, port))


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[tuple[Cluster, NextHop]]:
    """Needs root, PostgreSQL and Swift. At work when it is handed out."""
    with contextlib.ExitStack() as opened:
        net = opened.enter_context(network())
        places = {name: net.place(name) for name in (*NAMES, "first", "second", "objects", "internet", "town")}
        database = opened.enter_context(pair((places["first"], places["second"])))
        objects = opened.enter_context(swift.server(places["objects"]))
        hop = opened.enter_context(next_hop(places["town"]))
        made = Cluster(net, folder, database, objects, places)
        opened.callback(made.stop)
        made.prepare()
        yield made, hop


def waited(until: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if until():
            return True
        time.sleep(0.2)
    return False
