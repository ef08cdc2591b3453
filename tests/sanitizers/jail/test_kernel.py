"""What the kernel refuses is an OSError with its own errno."""

from __future__ import annotations

import errno
import importlib.util
import mmap
import platform
from collections.abc import Callable

import pytest

from sanitizers.jail import kernel


@pytest.mark.parametrize(
    "call",
    [
        lambda: kernel.prctl(0x7FFFFFFF, 0),
        lambda: kernel.advise(1, 4096, 0),                  # not on a page
        lambda: kernel.unshare(0x7FFFFFFF),
        lambda: kernel.syscall(kernel.LANDLOCK_RESTRICT_SELF, -1, 0x7FFFFFFF),
    ],
)
def test_a_refusal_is_an_error(call: Callable[[], object]) -> None:
    with pytest.raises(OSError) as caught:
        call()
    assert caught.value.errno in (errno.EINVAL, errno.EPERM, errno.ENOSYS, errno.EBADFD, errno.EBADF)
    assert caught.value.strerror


def test_what_is_granted_returns() -> None:
    assert kernel.syscall({"x86_64": 39, "aarch64": 172}[kernel.MACHINE]) > 0       # getpid
    assert kernel.syscall({"x86_64": 24, "aarch64": 124}[kernel.MACHINE]) == 0      # sched_yield
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)                 # as it is
    kernel.prctl(42, 0)                                     # PR_GET_THP_DISABLE, which wants all further words to be zero
    kernel.unshare(0)
    with mmap.mmap(-1, 4096):
        kernel.advise(0, 0, 0)                              # nothing is advised about no bytes


@pytest.mark.parametrize(("machine", "number"), [("x86_64", 317), ("aarch64", 277), ("riscv64", -1)])
def test_the_filter_has_its_own_number_on_each_architecture(machine: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    spec = importlib.util.find_spec("sanitizers.jail.kernel")
    assert spec is not None
    assert spec.loader is not None
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    assert (machine, number) == (other.MACHINE, other.SECCOMP)


def test_the_numbers_are_those_of_the_kernel() -> None:
    """linux/prctl.h, linux/sched.h, asm/unistd.h."""
    assert (kernel.PR_SET_PDEATHSIG, kernel.PR_SET_DUMPABLE, kernel.PR_SET_NO_NEW_PRIVS) == (1, 4, 38)
    assert (kernel.LANDLOCK_CREATE_RULESET, kernel.LANDLOCK_RESTRICT_SELF) == (444, 446)
    assert {"x86_64": 317, "aarch64": 277}[kernel.MACHINE] == kernel.SECCOMP
    spaces = (kernel.CLONE_NEWNS, kernel.CLONE_NEWCGROUP, kernel.CLONE_NEWUTS, kernel.CLONE_NEWIPC, kernel.CLONE_NEWUSER, kernel.CLONE_NEWNET)
    assert spaces == (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x40000000)
