"""A process that has every module of the `sekisho` command loaded and forks itself for each command: what a start costs is paid once.

What it forks is a process of its own with its own end, environment and descriptors, as the command started anew would be; only the
imports are behind it. Whoever looks at the start itself, or joins another network first, starts the command plainly.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

_MESSAGE: Final = 1 << 17
_TOP: Final = Path(__file__).parents[2]


class Forked:
    """As much of subprocess.Popen as tests ask for."""

    def __init__(self, pid: int, launcher: Launcher) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._launcher = launcher
        self._end = os.pidfd_open(pid)

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, seconds: float = 60.0) -> int:
        """Raises: subprocess.TimeoutExpired."""
        status = self._ended(seconds)
        if status is None:
            raise subprocess.TimeoutExpired("sekisho", seconds)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, seconds: float) -> int | None:
        ended = select.poll()
        if self.returncode is None:
            ended.register(self._end, select.POLLIN)
        if self.returncode is None and ended.poll(seconds * 1_000):
            self.returncode = self._launcher.reap(self.pid)
            os.close(self._end)
        return self.returncode


class Launcher:
    """Our end of it. Threads may share one."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._one_at_a_time = threading.Lock()

    def start(self, words: Sequence[str], environment: Mapping[str, str], stdin: int, stdout: int, stderr: int) -> Forked:
        """`sekisho` with these words. The descriptors stay the caller's."""
        asked = {"words": list(words), "environment": dict(environment), "folder": str(Path.cwd())}
        with self._one_at_a_time:
            socket.send_fds(self._control, [json.dumps(asked).encode()], [stdin, stdout, stderr])
            return Forked(self._answer(), self)

    def run(self, words: Sequence[str], environment: Mapping[str, str], text: str = "", seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        """To its end, with this text as its standard input. Raises: subprocess.TimeoutExpired, after it was killed."""
        with contextlib.ExitStack() as files:
            stdin, stdout, stderr = (files.enter_context(os.fdopen(os.memfd_create(name), "w+b")) for name in ("in", "out", "err"))
            stdin.write(text.encode())
            stdin.seek(0)
            running = self.start(words, environment, stdin.fileno(), stdout.fileno(), stderr.fileno())
            try:
                status = running.wait(seconds)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
                raise
            said = [os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode() for file in (stdout, stderr)]
        return subprocess.CompletedProcess(list(words), status, *said)

    def reap(self, pid: int) -> int:
        """How that one ended: its status, or the negative number of the signal."""
        with self._one_at_a_time:
            self._control.send(json.dumps({"reap": pid}).encode())
            return self._answer()

    def _answer(self) -> int:
        answer = self._control.recv(_MESSAGE)
        if not answer:
            raise RuntimeError("the launcher is gone")
        return int(answer)


@contextlib.contextmanager
def launcher() -> Iterator[Launcher]:
    """What it forked ends with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-m", "tests.build.launcher", str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=_TOP, stdin=subprocess.DEVNULL)
    try:
        yield Launcher(ours)
    finally:
        ours.close()
        process.wait(60)


def _words_of_a_child(control: socket.socket) -> list[str]:
    """Returns in each child, never in the launcher itself: that ends when nobody can ask any more."""
    children: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, _MESSAGE, 3)
        if not message:
            break
        asked = json.loads(message)
        if "reap" in asked:
            children.discard(asked["reap"])
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["reap"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                os.close(control.detach())
                return _become(asked, descriptors)
            children.add(answer)
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(b"%d" % answer)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    sys.exit()


def _become(asked: Mapping[str, object], descriptors: Sequence[int]) -> list[str]:
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(asked["environment"])  # type: ignore[call-overload]
    os.chdir(str(asked["folder"]))
    words: list[str] = asked["words"]  # type: ignore[assignment]
    sys.argv = ["sekisho", *words]
    return words


def _load() -> None:
    """All that the commands would import one after the other."""
    commands = importlib.import_module("gateway.commands")
    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"gateway.commands.{module.name}")
    importlib.import_module("gateway.house")
    importlib.import_module("gateway.structs").learn()
    gc.freeze()


if __name__ == "__main__":
    from gateway import cli

    _load()
    sys.exit(cli.main(_words_of_a_child(socket.socket(fileno=int(sys.argv[1])))))
