"""The warm parent: loads every library and the rules once, then forks one disposable child per transfer, each ahead of its transfer.

Started by the road with one SEQPACKET socket. It opens no file that came from outside, keeps no secret and reads no transfer's
bytes: it only hands descriptors to children, watches their clocks and says how they ended. If it dies, the kernel kills its children
(PDEATHSIG).

    road → parent   Start with four descriptors (source, output, report pipe, job) · Kill
    parent → road   Ready once · Ended for every Start
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import email.mime
import encodings
import gc
import importlib
import io
import math
import os
import pkgutil
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import pikepdf

from sanitizers import large_pages, scan, spare, warming, wire
from sanitizers.jail import walls
from sanitizers.spare import Spare

# Between the asking signal and the killing one.
_GRACE_SECONDS: Final = 1.0
# The next child is forked when one has ended, or this long after a job began: a fork beside a short job would only slow that down.
_AHEAD_SECONDS: Final = 0.01
_MAX_MESSAGE: Final = 65_536
_WINDOWS_CODECS: Final = frozenset({"mbcs", "oem"})
# Imported inside functions of the standard library or of a format's library.
_LAZY_MODULES: Final = (
    "cryptography.hazmat.backends", "cryptography.hazmat.backends.openssl", "cryptography.hazmat.backends.openssl.backend",
    "bisect", "calendar", "colorsys", "concurrent.futures", "copy", "csv", "decimal", "difflib", "fractions", "heapq", "html.entities",
    "html.parser", "http.client", "json", "linecache", "locale", "lzma", "mimetypes", "ntpath", "numbers", "pickle", "plistlib",
    "pprint", "quopri", "random", "reprlib", "shlex", "shutil", "statistics", "string", "stringprep", "tarfile", "textwrap", "tokenize",
    "unicodedata", "urllib.parse", "uuid", "xml.dom.expatbuilder", "xml.dom.minidom", "xml.etree.ElementTree", "xml.parsers.expat",
    "zipfile", "zoneinfo",
)  # fmt: skip


@dataclass(slots=True)
class _Running:
    id: int
    pidfd: int
    pid: int
    deadline: float
    asked: bool = False


class Parent:
    """One select loop over the road's socket and the children's pidfds. `fork`: makes a child that waits for its job."""

    def __init__(self, control: socket.socket, fork: Callable[[], Spare]) -> None:
        self._control = control
        self._fork = fork
        self._spare: Spare | None = None
        self._spare_due = 0.0       # when the next one is forked, by the clock of this process
        self._children: dict[int, _Running] = {}
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def serve(self) -> None:
        """Until the road closes its end."""
        while True:
            if self._spare is None and time.monotonic() >= self._spare_due:
                self._fork_ahead()
            for fd, _ in self._poll.poll(self._patience_ms()):
                if fd in self._children:
                    self._reap(self._children[fd])
                elif self._spare is not None and fd == self._spare.pidfd:
                    self._bury(self._spare)
                    self._spare, self._spare_due = None, math.inf
                elif fd == self._control.fileno() and not self._accept():
                    return
            self._enforce_deadlines()

    def _patience_ms(self) -> int | None:
        due = [running.deadline for running in self._children.values()]
        if self._spare is None:
            due.append(self._spare_due)
        nearest = min(due, default=math.inf)
        return None if nearest == math.inf else max(0, round((nearest - time.monotonic()) * 1000) + 1)

    def _fork_ahead(self) -> None:
        """A machine that has no room for one more now may have it when the next job comes."""
        self._spare_due = math.inf
        with contextlib.suppress(OSError):
            self._spare = self._forked()

    def _accept(self) -> bool:
        message, fds, _, _ = socket.recv_fds(self._control, _MAX_MESSAGE, 4)
        if not message:
            return False
        try:
            request = wire.decode_request(message)
            if isinstance(request, wire.Start):
                self._start(request, fds)
            else:
                self._kill(request)
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def _kill(self, request: wire.Kill) -> None:
        for running in self._children.values():
            if running.id == request.id:
                signal.pidfd_send_signal(running.pidfd, signal.SIGKILL)

    def _start(self, request: wire.Start, fds: list[int]) -> None:
        """The job goes to the child that waits, or to a new one where that has died. Its time begins now."""
        taken, self._spare = self._spare or self._forked(), None
        if not taken.hand_over(fds):
            self._bury(taken)
            taken = self._forked()
            taken.hand_over(fds)        # should this one be dead too, then its end is told like any other
        now = time.monotonic()
        self._spare_due = now + _AHEAD_SECONDS
        self._children[taken.pidfd] = _Running(request.id, taken.pidfd, taken.pid, now + request.wall_seconds)

    def _forked(self) -> Spare:
        made = self._fork()
        self._poll.register(made.pidfd, select.POLLIN)
        return made

    def _bury(self, dead: Spare) -> None:
        """Without a job. No next one is forked before the next job comes: a fault that kills each makes no endless row."""
        signal.pidfd_send_signal(dead.pidfd, signal.SIGKILL)
        dead.door.close()
        os.waitpid(dead.pid, 0)
        self._forget(dead.pidfd)

    def _reap(self, running: _Running) -> None:
        pid, status, usage = os.wait4(running.pid, os.WNOHANG)
        if pid == 0:
            return      # the event was about another child, whose descriptor had this number
        self._forget(running.pidfd)
        del self._children[running.pidfd]
        self._spare_due = 0.0
        cpu = usage.ru_utime + usage.ru_stime
        self._control.send(wire.encode_message(wire.Ended(running.id, status, running.asked, cpu, usage.ru_maxrss)))

    def _forget(self, pidfd: int) -> None:
        self._poll.unregister(pidfd)
        os.close(pidfd)

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for running in self._children.values():
            if now < running.deadline:
                continue
            signal.pidfd_send_signal(running.pidfd, signal.SIGKILL if running.asked else signal.SIGTERM)
            running.asked = True
            running.deadline = now + _GRACE_SECONDS


def _load_lazy_modules() -> None:
    """Python loads text codecs, and some of its modules, when they are first used: from files that a child cannot open any more."""
    for name in _LAZY_MODULES:
        importlib.import_module(name)
    for package in (email, email.mime):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in _WINDOWS_CODECS:
            importlib.import_module(f"encodings.{module.name}")
            with contextlib.suppress(LookupError):
                codecs.lookup(module.name)


def _open_random_device() -> int:
    """The descriptor of /dev/urandom that qpdf opens once and keeps: without it no child could read a PDF under AES-256.

    It must not lie where a child's own descriptors go. Raises OSError or StopIteration where there is no such device.
    """
    placeholders = [os.open(os.devnull, os.O_RDONLY) for _ in range(spare.DOOR_FD + 1)]
    secret = pikepdf.Encryption(owner="warm", user="up", R=6)
    with pikepdf.new() as document:
        document.save(io.BytesIO(), encryption=secret)
    for fd in placeholders:
        os.close(fd)
    found = [int(entry.name) for entry in Path("/proc/self/fd").iterdir() if _leads_to(entry) == "/dev/urandom"]
    return next(fd for fd in found if fd > spare.DOOR_FD)


def _leads_to(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""  # the descriptor of the listing itself, gone by now


def main() -> int:
    """The warm parent's life. Returns the exit status."""
    arguments = argparse.ArgumentParser(prog="sekisho-parent")
    arguments.add_argument("--control", type=int, required=True, help="descriptor of the road's socket")
    arguments.add_argument("--rules", type=int, required=True, help="descriptor of the rules: a JSON object of name and source")
    given = arguments.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the road's to handle: it drains
    with os.fdopen(given.rules, "rb") as stream:
        sources = msgspec.json.decode(stream.read(), type=dict[str, str])
    scanner = scan.compile_rules(sources)
    control = socket.socket(fileno=given.control)
    _load_lazy_modules()
    random_device = _open_random_device()
    warming.warm_up(scanner)
    ring = walls.put_up_outer()
    standing, broken = walls.trial(ring)
    # Children share these pages until they write to them; a collection in a child would touch them all.
    gc.collect()
    gc.freeze()
    large_pages.gather()
    control.send(wire.encode_message(wire.Ready(standing, broken, scan.version(sources))))
    Parent(control, partial(spare.fork, scanner, ring, random_device)).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
