"""One child ahead: forked and behind its first walls before there is a job, so that no transfer waits for that.

It holds one end of a socket and nothing of any transfer. One message brings the descriptors of one job; then the socket is closed for good.
"""

from __future__ import annotations

import fcntl
import os
import socket
from typing import Final, NamedTuple, NoReturn

from sanitizers import child
from sanitizers.jail import walls
from sanitizers.scan import Scanner

_JOB_FDS: Final = (child.SOURCE_FD, child.OUTPUT_FD, child.REPORT_FD, child.JOB_FD)
# Where the socket lies in the child, right behind the places of the job's descriptors.
DOOR_FD: Final = child.JOB_FD + 1
_OUT_OF_THE_WAY: Final = 64
_MAX_DESCRIPTOR: Final = 4_096
_FAILED: Final = 71


class Spare(NamedTuple):
    """A child that waits, seen from the parent."""

    pid: int
    pidfd: int
    door: socket.socket

    def hand_over(self, fds: list[int]) -> bool:
        """Source, output, report pipe and job, of the only job that it will ever have. False when it is dead."""
        with self.door:
            try:
                socket.send_fds(self.door, [b"\0"], fds)
            except OSError:
                return False
        return True


def fork(scanner: Scanner, ring: walls.OuterRing, random_device: int) -> Spare:
    """Raises OSError. The descriptors of the result are the caller's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        pid = os.fork()
        if pid == 0:
            _live(theirs.fileno(), scanner, ring, random_device)
    return Spare(pid, os.pidfd_open(pid), ours)


def _live(door: int, scanner: Scanner, ring: walls.OuterRing, random_device: int) -> NoReturn:
    """The whole life of a child. Whatever goes wrong before its job, nothing of the parent's code may run in it: it ends."""
    try:
        _keep_only(door, random_device)
        child.prepare(ring)
        _wait_for_job(random_device)
        child.run(scanner, ring)
    finally:
        os._exit(_FAILED)


def _keep_only(door: int, random_device: int) -> None:
    """Of all that the parent has open: the door, and qpdf's random device. Standard input, output and error lead nowhere already."""
    os.dup2(fcntl.fcntl(door, fcntl.F_DUPFD, _OUT_OF_THE_WAY), DOOR_FD, inheritable=False)
    os.closerange(child.SOURCE_FD, DOOR_FD)
    os.closerange(DOOR_FD + 1, random_device)
    os.closerange(random_device + 1, _MAX_DESCRIPTOR)


def _wait_for_job(random_device: int) -> None:
    """Blocks until there is one; its descriptors then lie in their places, and nothing else is open."""
    with socket.socket(fileno=DOOR_FD) as door:
        message, fds, _, _ = socket.recv_fds(door, 1, len(_JOB_FDS))
    if not message or len(fds) != len(_JOB_FDS):
        os._exit(0)     # the parent has gone, or has no job for it
    # First out of the way of the final numbers, so that no dup2 closes one that is still needed.
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, _OUT_OF_THE_WAY) for fd in fds]
    for target, fd in zip(_JOB_FDS, moved, strict=True):
        os.dup2(fd, target, inheritable=False)
    os.closerange(DOOR_FD, random_device)
    os.closerange(random_device + 1, _MAX_DESCRIPTOR)
