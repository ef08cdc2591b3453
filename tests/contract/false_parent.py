"""A warm parent that lies: the first argument says how. Started by tests in place of `sanitizers.parent`; it forks nobody.

What a child would write comes from itself, through the pipe that the road handed over for the child.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import socket
import sys
import time

import msgspec

from sanitizers import wire
from sanitizers.jail import kernel  # noqa: F401 - what it stands in for has its modules loaded too
from sanitizers.model import Job, Kind, PartInfo, Report, Verdict
from sanitizers.wire import Ended, FrameType, Ready, Start

_WALLS = ("no-new-privs", "limits", "seccomp")
_F_SETPIPE_SZ = 1031
_LARGE_PIPE = 1 << 20
_FRAMES = 1_600         # of 405 bytes: more than the road reads while it hears that a child has ended


def _said(control: socket.socket, number: int, status: int = 0) -> None:
    control.send(wire.encode_message(Ended(number, status, deadline=False, cpu=0.0, rss_kb=0)))


def _report(job: Job, size: int) -> bytes:
    about = PartInfo(name=job.name, size=size, sha256="0" * 64, kind=Kind.TEXT)
    empty = PartInfo(name=job.name, size=0, sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", kind=Kind.TEXT)
    return wire.encode_report(Report(path=job.name, verdict=Verdict.CLEAN, reason=None, input=about, output=empty, policy="", rules=""))


def _answer(how: str, control: socket.socket, number: int, fds: list[int]) -> None:
    source, _, pipe, job_fd = fds
    job, size = wire.decode_job(os.pread(job_fd, 1 << 20, 0)), os.fstat(source).st_size
    if how == "nonsense":
        control.send(b"{}")
        time.sleep(60)
    elif how == "echoes":
        for other in (number + 1_000, number, number):
            _said(control, other, signal.SIGKILL)
    elif how == "another size":
        os.write(pipe, wire.encode_frame(FrameType.REPORT, _report(job, size + 1)))
        _said(control, number)
    elif how == "passwords":
        os.write(pipe, wire.encode_passwords(["ひらけごま", "x" * 65]))
        os.write(pipe, wire.encode_frame(FrameType.REPORT, _report(job, size)))
        _said(control, number)
    elif how == "says much and ends":
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, _LARGE_PIPE)
        os.write(pipe, wire.encode_frame(FrameType.PROGRESS, b"p" * 400) * _FRAMES + wire.encode_frame(FrameType.REPORT, _report(job, size)))
        _said(control, number)
    # "patient" answers when it is asked to kill.


def _serve(how: str, control: socket.socket) -> None:
    requests = msgspec.json.Decoder(Start | wire.Kill)
    while True:
        message, fds, _, _ = socket.recv_fds(control, 65_536, 4)
        if not message:
            break
        request = requests.decode(message)
        if isinstance(request, Start):
            _answer(how, control, request.id, fds)
        else:
            _said(control, request.id, signal.SIGKILL)
        for fd in fds:
            os.close(fd)
    if how == "deaf":
        time.sleep(60)


def main() -> None:
    reading = argparse.ArgumentParser()
    reading.add_argument("how")
    reading.add_argument("--control", type=int, required=True)
    reading.add_argument("--rules", type=int, required=True)
    given = reading.parse_args()
    control = socket.socket(fileno=given.control)
    if given.how == "silent":
        time.sleep(60)
    if given.how == "not ready":
        _said(control, 1)
        time.sleep(60)
    walls = _WALLS[:2] if given.how == "no seccomp" else _WALLS
    control.send(wire.encode_message(Ready(walls, (), "rules-1")))
    _serve(given.how, control)


if __name__ == "__main__":
    sys.exit(main())
