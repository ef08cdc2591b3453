"""The road of mail without its jail, in processes that can be killed many times a second: intake, journal, blobs, pipeline, queue.

`python -m tests.e2e.road` loads everything once and then forks a road for each `start` it reads: one JSON object a line on standard
input, one line on standard output when it is ready. What is sanitised is copied; everything else is the product's own code.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from gateway.policy import Policy
from gateway.road import memory
from gateway.road.pipeline import Pipeline
from gateway.road.post import MailIntake, MailOutbox
from gateway.road.workers import Sanitized
from gateway.storage import upkeep
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from gateway.telling.notices import Office
from gateway.telling.notifier import Notifier
from mail.queue import Queue, QueueSettings
from mail.receiver import ReceiverSettings
from mail.relay import Relay, RelaySettings
from mail.retry import Schedule
from mail.server import Server, ServerSettings
from sanitizers.model import Job
from tests.build.transfer import FaultyDisk, report, signer

_log = logging.getLogger(__name__)

DISK_STEPS: Final = ("create", "write", "flush", "move", "flush_folder", "open", "remove")
COMMIT_STEPS: Final = ("before", "after")


@dataclass(frozen=True)
class Start:
    """Where the road stands, and what goes wrong on it.

    `disk`: a step of DISK_STEPS that fails with `error` from the `nth` time on, `times` times. `commit`: the `nth` commit fails, before
    or after it was done. `lock`: seconds for which somebody else holds the database.
    """

    folder: str
    port: int
    next_hop: int
    disk: str = ""
    error: int = errno.EIO
    nth: int = 0
    times: int = 1
    commit: str = ""
    lock: float = 0.0


class _Copying:
    """Workers without a jail."""

    rules_version = "rules-1"

    async def sanitize(self, source_fd: int, job: Job, progress: Callable[[str], None] = lambda _: None) -> Sanitized:
        content = os.pread(source_fd, os.fstat(source_fd).st_size, 0)
        fd = memory.create("output")
        os.write(fd, content)
        memory.seal(fd)
        return Sanitized(report(source=content, output=content, policy=job.policy), fd)


async def walk(start: Start, ready: Callable[[], None]) -> None:
    """Until the process is killed."""
    folder = Path(start.folder)
    journal = Journal(folder / "sekisho.db", busy_seconds=0.3)
    disk = FaultyDisk()
    blobs = LocalBlobs(folder / "blobs", disk=disk)
    await blobs.start()
    await journal.start()
    await journal.requeue_transfers(at=_now(), attempts=5)
    await journal.requeue_deliveries(at=_now())
    schedule = Schedule((0.05, 0.1, 0.2))
    relay = Relay(RelaySettings("127.0.0.1", start.next_hop, connect_seconds=2, reply_seconds=2, final_seconds=2))
    queue = Queue(MailOutbox(journal, blobs), relay, QueueSettings(schedule=schedule))
    notifier = Notifier(journal, blobs, Office("postmaster@town.example.jp", "mx.example.jp"), queued=queue.wake)
    pipeline = Pipeline(journal, blobs, _Copying(), Policy(), signer(), released=queue.wake, stayed=notifier.wake)
    server = Server(MailIntake(journal, blobs, ["town.example.jp"], accepted=pipeline.wake), ReceiverSettings(), ServerSettings())
    await server.start([("127.0.0.1", start.port)])
    _break(start, disk)
    ready()
    async with asyncio.TaskGroup() as crew:
        for work in (queue.run(), pipeline.run(), notifier.run(), _sweeping(journal, blobs)):
            crew.create_task(work)


async def _sweeping(journal: Journal, blobs: LocalBlobs) -> None:
    """The sweep runs far more often than in the service: it must never take what somebody still needs."""
    while True:
        await asyncio.sleep(0.05)
        try:
            await upkeep.sweep(journal, blobs, _now())
        except StorageError as error:
            _log.warning("sweep: %s", error)


def _now() -> float:
    return time.time()


def _break(start: Start, disk: FaultyDisk) -> None:
    if start.disk:
        disk.step, disk.error, disk.after, disk.times = start.disk, start.error, start.nth, start.times
    if start.commit:
        _break_commits(start.commit, start.nth, start.times)
    if start.lock:
        threading.Thread(target=_hold, args=(Path(start.folder) / "sekisho.db", start.lock), daemon=True).start()


def _break_commits(step: str, nth: int, times: int) -> None:
    """At the level of the driver's connection, where a full disk and a broken one are felt."""
    left = {"before": nth, "times": times}
    @event.listens_for(Engine, "commit")
    def commit(connection: Connection) -> None:
        if left["before"] > 0:
            left["before"] -= 1
            return
        if left["times"] <= 0:
            return
        left["times"] -= 1
        if step == "after":
            connection.exec_driver_sql("COMMIT")
        error = sqlite3.OperationalError("database or disk is full" if step == "before" else "disk I/O error")
        raise OperationalError("COMMIT", None, error)


def _hold(path: Path, seconds: float) -> None:
    other = sqlite3.connect(path, timeout=5, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    threading.Event().wait(seconds)
    other.execute("ROLLBACK")
    other.close()


# ------------------------------------------------------------------------------------------------------------ processes


def _main() -> None:
    """Reads starts, forks roads. A killed road is waited for when the next one starts."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    children: list[int] = []
    for line in sys.stdin:
        start = Start(**json.loads(line))
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        children = [_forked(start)]
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _forked(start: Start) -> int:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            random.seed()
            asyncio.run(walk(start, lambda: _say(writing)))
        except BaseException:  # noqa: BLE001 - it ends here, whatever it was
            _log.exception("the road ended")
        finally:
            os._exit(1)
    os.close(writing)
    word = os.read(reading, 5)
    os.close(reading)
    # A road that fell over while it started says nothing; the next start finds what it left.
    print(json.dumps({"pid": child, "ready": word == b"ready"}), flush=True)  # noqa: T201 - the answer to `start`
    return child


def _say(fd: int) -> None:
    os.write(fd, b"ready")
    os.close(fd)


class Roads:
    """From the side of a test: `start` ends the road before it with SIGKILL and begins the next."""

    def __init__(self, log: Path) -> None:
        self._log = log

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.e2e.road", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def start(self, start: Start) -> bool:
        """Whether it came up."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(start)).encode() + b"\n")
        async with asyncio.timeout(30):
            answer = json.loads(await self._process.stdout.readline())
        return bool(answer["ready"])


if __name__ == "__main__":
    _main()
