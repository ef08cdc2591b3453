"""The warm parent: loads every library and the rules once, then forks one disposable child per transfer.

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
import fcntl
import gc
import importlib
import io
import os
import pkgutil
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pikepdf

from sanitizers import child, scan, wire
from sanitizers.jail import walls

# Between the asking signal and the killing one.
_GRACE_SECONDS: Final = 1.0
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
_OUT_OF_THE_WAY: Final = 64
_MAX_DESCRIPTOR: Final = 4_096


@dataclass(slots=True)
class _Running:
    id: int
    pidfd: int
    pid: int
    deadline: float
    asked: bool = False


class Parent:
    """One select loop over the road's socket and the children's pidfds."""

    def __init__(self, control: socket.socket, scanner: scan.Scanner, ring: walls.OuterRing, random_device: int) -> None:
        self._control = control
        self._random_device = random_device
        self._scanner = scanner
        self._ring = ring
        self._children: dict[int, _Running] = {}
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def serve(self) -> None:
        """Until the road closes its end."""
        while True:
            for fd, _ in self._poll.poll(self._patience_ms()):
                if fd != self._control.fileno():
                    self._reap(self._children[fd])
                elif not self._accept():
                    return
            self._enforce_deadlines()

    def _patience_ms(self) -> int | None:
        if not self._children:
            return None
        nearest = min(running.deadline for running in self._children.values())
        return max(0, round((nearest - time.monotonic()) * 1000) + 1)

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
        source, output, report, job = fds
        pid = os.fork()
        if pid == 0:
            _take_descriptors(source, output, report, job, self._random_device)
            child.run(self._scanner, self._ring)
        pidfd = os.pidfd_open(pid)
        self._poll.register(pidfd, select.POLLIN)
        self._children[pidfd] = _Running(request.id, pidfd, pid, time.monotonic() + request.wall_seconds)

    def _reap(self, running: _Running) -> None:
        _, status, usage = os.wait4(running.pid, 0)
        self._poll.unregister(running.pidfd)
        os.close(running.pidfd)
        del self._children[running.pidfd]
        cpu = usage.ru_utime + usage.ru_stime
        self._control.send(wire.encode_message(wire.Ended(running.id, status, running.asked, cpu, usage.ru_maxrss)))

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for running in self._children.values():
            if now < running.deadline:
                continue
            signal.pidfd_send_signal(running.pidfd, signal.SIGKILL if running.asked else signal.SIGTERM)
            running.asked = True
            running.deadline = now + _GRACE_SECONDS


def _take_descriptors(source: int, output: int, report: int, job: int, random_device: int) -> None:
    """Only the child's own descriptors and qpdf's random device survive; standard input, output and error lead nowhere already."""
    # First out of the way of the final numbers, so that no dup2 closes one that is still needed.
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, _OUT_OF_THE_WAY) for fd in (source, output, report, job)]
    for target, fd in zip((child.SOURCE_FD, child.OUTPUT_FD, child.REPORT_FD, child.JOB_FD), moved, strict=True):
        os.dup2(fd, target, inheritable=False)
    os.closerange(child.JOB_FD + 1, random_device)
    os.closerange(random_device + 1, _MAX_DESCRIPTOR)


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
    placeholders = [os.open(os.devnull, os.O_RDONLY) for _ in range(child.JOB_FD + 1)]
    secret = pikepdf.Encryption(owner="warm", user="up", R=6)
    with pikepdf.new() as document:
        document.save(io.BytesIO(), encryption=secret)
    for fd in placeholders:
        os.close(fd)
    found = [int(entry.name) for entry in Path("/proc/self/fd").iterdir() if _leads_to(entry) == "/dev/urandom"]
    return next(fd for fd in found if fd > child.JOB_FD)


def _leads_to(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""  # the descriptor of the listing itself, gone by now


def main() -> int:
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
    ring = walls.put_up_outer()
    standing, broken = walls.trial(ring)
    control.send(wire.encode_message(wire.Ready(standing, broken, scan.version(sources))))
    # Children share these pages until they write to them; a collection in a child would touch them all.
    gc.collect()
    gc.freeze()
    Parent(control, scanner, ring, random_device).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
