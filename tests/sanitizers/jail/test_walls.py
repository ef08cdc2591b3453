"""Which walls are put up, in which order, with which numbers. Whether they hold is shown in tests/contract/test_jail.py, with the real ones."""

from __future__ import annotations

import functools
import mmap
import os
import resource
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from sanitizers.jail import kernel, landlock, seccomp, walls
from sanitizers.model import Limits

RING = walls.OuterRing(("unprivileged-user",), 0, 1 << 20)
ALL_SPACES = 0x10000000 | 0x40000000 | 0x20000 | 0x8000000 | 0x4000000 | 0x2000000
Told = list[tuple[Any, ...]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What would be done to this process, in order; nothing of it is."""
    said: Told = []

    def note(name: str) -> Callable[..., None]:
        return lambda *arguments: said.append((name, *arguments))

    for holder, name in (
        (kernel, "prctl"), (kernel, "unshare"), (landlock, "deny_all"), (seccomp, "lock"), (resource, "setrlimit"), (signal, "signal"),
        (os, "setgroups"), (os, "setresgid"), (os, "setresuid"),
    ):  # fmt: skip
        monkeypatch.setattr(holder, name, note(name))
    return said


# ------------------------------------------------------------------------------------------------------------ the outer ring


def outer(monkeypatch: pytest.MonkeyPatch, user: int) -> walls.OuterRing:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(landlock, "version", lambda: 5)
    return walls.put_up_outer()


def test_root_becomes_nobody_before_all_else(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = outer(monkeypatch, 0)
    nobody = (65534, 65534, 65534)
    assert told == [("setgroups", []), ("setresgid", *nobody), ("setresuid", *nobody), ("unshare", ALL_SPACES), ("prctl", 4, 0)]
    spaces = [f"{name}-namespace" for name in ("user", "network", "mount", "ipc", "uts", "cgroup")]
    assert (ring.standing, ring.landlock_abi) == (("unprivileged-user", *spaces), 5)


def test_who_is_not_root_stays_who_he_is(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = outer(monkeypatch, 1000)
    assert told == [("unshare", ALL_SPACES), ("prctl", 4, 0)]
    assert ring.standing[0] == "unprivileged-user"


def test_a_host_without_user_namespaces_is_told_as_it_is(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_flags: int) -> None:
        raise PermissionError

    monkeypatch.setattr(kernel, "unshare", refuse)
    assert outer(monkeypatch, 1000).standing == ("unprivileged-user",)
    assert told == [("prctl", 4, 0)]


def test_the_address_space_is_what_this_process_has(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, and not what of it is in memory."""
    with mmap.mmap(-1, 256 << 20):
        before = walls._address_space()
        assert outer(monkeypatch, 1000).address_space >= before > 256 << 20
        with open("/proc/self/status", encoding="ascii") as status:
            size = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmSize:"))
        assert abs(before - size) < 32 << 20


# ------------------------------------------------------------------------------------------------------------ the inner ring


@pytest.mark.parametrize("abi", [0, 3])
def test_the_first_walls_of_a_child(abi: int, told: Told) -> None:
    walls.put_up_first(RING._replace(landlock_abi=abi))
    assert told == [("prctl", 1, signal.SIGKILL), ("prctl", 38, 1), *([("deny_all", abi)] if abi else [])]


def test_the_last_walls_are_the_limits_and_then_the_filter(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 3.9)
    walls.put_up_last(Limits(memory_bytes=1 << 30, cpu_seconds=7, expanded_bytes=1 << 29), RING)
    memory = (1 << 30) + (1 << 20)
    assert told == [
        ("signal", signal.SIGXFSZ, signal.SIG_IGN),
        ("setrlimit", resource.RLIMIT_AS, (memory, memory)),
        ("setrlimit", resource.RLIMIT_CPU, (10, 12)),       # what was used up before the job came is not the job's
        ("setrlimit", resource.RLIMIT_FSIZE, (1 << 29, 1 << 29)),
        ("setrlimit", resource.RLIMIT_NOFILE, (16, 16)),
        ("setrlimit", resource.RLIMIT_NPROC, (128, 128)),
        ("setrlimit", resource.RLIMIT_CORE, (0, 0)),
        ("setrlimit", resource.RLIMIT_MEMLOCK, (0, 0)),
        ("setrlimit", resource.RLIMIT_MSGQUEUE, (0, 0)),
        ("lock",),
    ]


def test_both_halves_are_the_whole(told: Told) -> None:
    walls.put_up_inner(Limits(), RING._replace(landlock_abi=1))
    names = [name for name, *_ in told]
    assert names[:4] == ["prctl", "prctl", "deny_all", "signal"]
    assert names[-1] == "lock"
    assert names.count("setrlimit") == 8


# ------------------------------------------------------------------------------------------------------------------ the trial


class Left(BaseException):
    """The end of what would be a child."""


@pytest.fixture
def child(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """`os.fork` makes this process the child; its end is `Left`."""

    def leave(code: int) -> None:
        raise Left(code)

    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(os, "_exit", leave)


def fail() -> None:
    raise PermissionError


@pytest.mark.parametrize(("attempt", "code"), [(fail, 1), (lambda: None, 0)])
@pytest.mark.usefixtures("child")
def test_a_child_says_whether_the_deed_failed(attempt: Callable[[], None], code: int) -> None:
    with pytest.raises(Left) as left:
        walls._contained(RING, attempt)
    assert left.value.args == (code,)


@pytest.mark.usefixtures("child")
def test_walls_that_do_not_go_up_hold_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "lock", fail)
    with pytest.raises(Left) as left:
        walls._contained(RING, fail)
    assert left.value.args == (0,)


@pytest.mark.parametrize(("status", "held"), [(1 << 8, True), (0, False), (2 << 8, False), (signal.SIGSYS, True), (signal.SIGKILL, True)])
def test_the_parent_believes_an_error_or_a_death_after_the_walls(status: int, held: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []
    monkeypatch.setattr(os, "fork", lambda: 4711)
    monkeypatch.setattr(os, "waitpid", lambda child, options: (waited.append((child, options)), status))
    assert walls._contained(RING, fail) is held
    assert waited == [(4711, 0)]


DEEDS = ("open a file", "create a file", "open a socket", "start a process", "run a program", "signal the parent", "map memory that can be run")


def test_a_trial_names_the_walls_that_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    monkeypatch.setattr(walls, "_contained", lambda ring, attempt: (tried.append((ring, attempt)), True)[1])
    assert walls.trial(RING) == (("unprivileged-user", "no-new-privs", "limits", "seccomp"), ())
    assert walls.trial(RING._replace(landlock_abi=3)) == (("unprivileged-user", "no-new-privs", "limits", "seccomp", "landlock-3"), ())
    assert walls.REQUIRED == ("no-new-privs", "limits", "seccomp")
    assert {ring for ring, _ in tried} == {RING, RING._replace(landlock_abi=3)}
    assert len({attempt for _, attempt in tried}) == len(DEEDS) + 1


def test_a_trial_names_the_deeds_that_succeeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walls, "_contained", lambda _ring, _attempt: False)
    assert walls.trial(RING._replace(landlock_abi=3)) == (("unprivileged-user",), DEEDS)


def test_walls_that_refuse_to_go_up_do_not_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walls, "_contained", lambda _ring, attempt: attempt is not walls._nothing_is_wrong)
    assert walls.trial(RING) == (("unprivileged-user",), ())
    with pytest.raises(PermissionError):
        walls._nothing_is_wrong()


def test_the_deeds_are_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is really tried, so that a trial without walls finds every one of them."""
    done: Told = []
    monkeypatch.setattr(os, "open", lambda *arguments: done.append(("open", *arguments)))
    monkeypatch.setattr(os, "execv", lambda *arguments: done.append(("execv", *arguments)))
    monkeypatch.setattr(os, "kill", lambda *arguments: done.append(("kill", *arguments)))
    monkeypatch.setattr(kernel, "syscall", lambda *arguments: done.append(("syscall", *arguments)))
    deeds = dict(walls._TRIALS)
    for name in DEEDS:
        if name not in ("start a process", "map memory that can be run"):
            deeds[name]()
    assert done == [
        ("open", "/etc/passwd", os.O_RDONLY),
        ("open", "/tmp/sekisho-trial", os.O_WRONLY | os.O_CREAT),
        ("syscall", {"x86_64": 41, "aarch64": 198}[kernel.MACHINE], 2, 1, 0),      # socket(AF_INET, SOCK_STREAM)
        ("execv", "/bin/true", ["true"]),
        ("kill", os.getppid(), 0),
    ]


def test_a_process_is_started_and_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(os, "fork", lambda: 4711)
    walls._try_fork()
    assert ended == [], "the parent goes on"
    monkeypatch.setattr(os, "fork", lambda: 0)
    walls._try_fork()
    assert ended == [0]


class Libc:
    """An mmap that answers as told."""

    def __init__(self, answer: int) -> None:
        self.answer, self.asked = answer, ()

    def mmap(self, *arguments: int | None) -> int:
        self.asked = arguments      # type: ignore[assignment]
        return self.answer


@pytest.mark.parametrize("granted", [True, False])
def test_memory_that_can_be_run_is_asked_for(granted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    libc = Libc(4096 if granted else (1 << 64) - 1)
    monkeypatch.setattr(walls.ctypes, "CDLL", lambda *_arguments, **_options: libc)
    monkeypatch.setattr(libc, "mmap", functools.partial(libc.mmap))      # as of a library, it can be given a result type
    if granted:
        walls._try_run_memory()
    else:
        with pytest.raises(PermissionError):
            walls._try_run_memory()
    assert libc.asked == (None, 4096, 7, 0x22, -1, 0)       # read, write and run; private and of no file
