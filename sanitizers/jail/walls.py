"""The walls around a jailed child, which of them this kernel has, and a trial that proves that they stand.

Two rings. The warm parent puts the outer one around itself once, and every child inherits it: another user, no capabilities, namespaces
without a network, a foreign mount table or shared memory. Each child adds the inner one before it sees a byte: no new privileges, limits on
memory, CPU, file size, descriptors and processes, Landlock that denies everything, and a seccomp allow-list that kills.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from sanitizers.jail import kernel, landlock, seccomp
from sanitizers.model import Limits

_NOBODY: Final = 65_534
# Descriptors a child may have: three standard ones, source, output, report, and a few that libraries duplicate.
_MAX_DESCRIPTORS: Final = 16
_CPU_GRACE_SECONDS: Final = 2
# Threads that all children of one warm parent may have together, itself and them included: the kernel counts by user and user namespace. A
# child that takes them all makes those beside it hold pictures that need one; it gains nothing else.
_MAX_TASKS: Final = 128
_NAMESPACES: Final = {
    "user": kernel.CLONE_NEWUSER,
    "network": kernel.CLONE_NEWNET,
    "mount": kernel.CLONE_NEWNS,
    "ipc": kernel.CLONE_NEWIPC,
    "uts": kernel.CLONE_NEWUTS,
    "cgroup": kernel.CLONE_NEWCGROUP,
}
# Without these there is no jail, whatever else stands.
REQUIRED: Final = ("no-new-privs", "limits", "seccomp")


class OuterRing(NamedTuple):
    """What stands around the warm parent."""

    standing: tuple[str, ...]
    landlock_abi: int
    address_space: int     # bytes of address space that the parent already has; children inherit it


def put_up_outer() -> OuterRing:
    """Called once in the warm parent, after all libraries are loaded and before the first child."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    standing = ["unprivileged-user"]
    try:
        kernel.unshare(sum(_NAMESPACES.values()))
        standing += [f"{name}-namespace" for name in _NAMESPACES]
    except OSError:
        pass  # a kernel or container that forbids user namespaces: the other walls and `trial` decide
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    return OuterRing(tuple(standing), landlock.version(), _address_space())


def put_up_first(ring: OuterRing) -> None:
    """The walls of a child that need not know its job: no new privileges, Landlock, and death with the parent. Raises OSError."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if ring.landlock_abi:
        landlock.deny_all(ring.landlock_abi)


def put_up_last(limits: Limits, ring: OuterRing) -> None:
    """Those that its job decides, and the filter, behind which no limit can be changed any more. Raises OSError."""
    _limit(limits, ring.address_space)
    seccomp.lock()


def put_up_inner(limits: Limits, ring: OuterRing) -> None:
    """Called in every child, as a whole or in its two halves, before it looks at a byte. Raises OSError: the child must then die.

    A fork has one thread, whatever its parent had; threads that it starts later are born behind these walls.
    """
    put_up_first(ring)
    put_up_last(limits, ring)


def _limit(limits: Limits, inherited: int) -> None:
    # A write past RLIMIT_FSIZE must fail with EFBIG, which the child reports, and not kill it.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # The kernel counts from the fork: what the child used while it waited for its job is not the job's.
    cpu_seconds = limits.cpu_seconds + int(time.process_time())
    for what, soft, hard in (
        (resource.RLIMIT_AS, inherited + limits.memory_bytes, inherited + limits.memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + _CPU_GRACE_SECONDS),
        (resource.RLIMIT_FSIZE, limits.expanded_bytes, limits.expanded_bytes),
        (resource.RLIMIT_NOFILE, _MAX_DESCRIPTORS, _MAX_DESCRIPTORS),
        (resource.RLIMIT_NPROC, _MAX_TASKS, _MAX_TASKS),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
    ):
        resource.setrlimit(what, (soft, hard))


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


# ---------------------------------------------------------------------------------------------------------------- the trial


def _try_open() -> None:
    os.open("/etc/passwd", os.O_RDONLY)


def _try_create() -> None:
    os.open("/tmp/sekisho-trial", os.O_WRONLY | os.O_CREAT)  # noqa: S108 - it must not work


def _try_socket() -> None:
    kernel.syscall({"x86_64": 41, "aarch64": 198}[kernel.MACHINE], 2, 1, 0)


def _try_fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _try_execute() -> None:
    os.execv("/bin/true", ["true"])


def _try_signal_parent() -> None:
    os.kill(os.getppid(), 0)


def _try_run_memory() -> None:
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    if libc.mmap(None, 4096, 7, 0x22, -1, 0) == ctypes.c_void_p(-1).value:
        raise PermissionError


_TRIALS: Final[tuple[tuple[str, Callable[[], None]], ...]] = (
    ("open a file", _try_open),
    ("create a file", _try_create),
    ("open a socket", _try_socket),
    ("start a process", _try_fork),
    ("run a program", _try_execute),
    ("signal the parent", _try_signal_parent),
    ("map memory that can be run", _try_run_memory),
)


def trial(ring: OuterRing) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Fork a child per forbidden deed and let it try. Returns the walls that stand and the deeds that succeeded (must be none)."""
    broken = tuple(deed for deed, attempt in _TRIALS if not _contained(ring, attempt))
    standing = [*ring.standing]
    if _contained(ring, _nothing_is_wrong):
        # The inner ring went up without an error; each of its walls raises when it does not.
        standing += REQUIRED
        if ring.landlock_abi:
            standing.append(f"landlock-{ring.landlock_abi}")
    return tuple(standing), broken


def _nothing_is_wrong() -> None:
    raise PermissionError


def _contained(ring: OuterRing, attempt: Callable[[], None]) -> bool:
    """True if a child with both rings failed at `attempt`: it got an error or was killed."""
    child = os.fork()
    if child == 0:
        code = 0
        try:
            put_up_inner(Limits(), ring)
            code = 2
            attempt()
        except OSError:
            # Before the walls stand an error means that there is no jail (0); afterwards that the jail held (1).
            os._exit(1 if code == 2 else 0)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 1
