"""Seccomp: the system calls that computing on handed descriptors needs, and no other.

A call on the list passes. A look-up of a path, a device control or a new process fails with an errno, because libraries try those in good
faith and go on without. Every other call kills the whole process: a child that wants a socket is a child under foreign control.

A thread may be started, because libheif decodes in one; nothing else that clone can do. It is born with the filter and the rules of the
thread that starts it, and RLIMIT_NPROC bounds their number.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from typing import Final, NamedTuple

from sanitizers.jail import kernel

_ARCH: Final = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
_X32_BIT: Final = 0x4000_0000

# Name -> number on (x86-64, aarch64); None where the architecture has no such call.
_NUMBERS: Final[dict[str, tuple[int | None, int | None]]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "poll": (7, None),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "ioctl": (16, 29),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "readv": (19, 65),
    "writev": (20, 66),
    "access": (21, None),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "dup": (32, 23),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "clone": (56, 220),
    "exit": (60, 93),
    "uname": (63, 160),
    "fcntl": (72, 25),
    "ftruncate": (77, 46),
    "getcwd": (79, 17),
    "open": (2, None),
    "stat": (4, None),
    "lstat": (6, None),
    "readlink": (89, None),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "times": (100, 153),
    "getuid": (102, 174),
    "getgid": (104, 176),
    "geteuid": (107, 175),
    "getegid": (108, 177),
    "getppid": (110, 173),
    "sigaltstack": (131, 132),
    "statfs": (137, 43),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "openat": (257, 56),
    "newfstatat": (262, 79),
    "readlinkat": (267, 78),
    "faccessat": (269, 48),
    "ppoll": (271, 73),
    "set_robust_list": (273, 99),
    "prlimit64": (302, 261),
    "getcpu": (309, 168),
    "getrandom": (318, 278),
    "statx": (332, 291),
    "rseq": (334, 293),
    "clone3": (435, 435),
    "faccessat2": (439, 439),
}

_ALLOWED: Final = (
    "read", "write", "close", "fstat", "lseek", "munmap", "brk", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
    "pread64", "pwrite64", "readv", "writev", "sched_yield", "mremap", "madvise", "dup", "nanosleep", "getpid", "exit", "uname", "fcntl",
    "ftruncate", "getcwd", "gettimeofday", "getrusage", "sysinfo", "times", "getuid", "getgid", "geteuid", "getegid", "getppid",
    "sigaltstack", "gettid", "futex", "sched_getaffinity", "restart_syscall", "clock_gettime", "clock_getres", "clock_nanosleep",
    "exit_group", "poll", "ppoll", "set_robust_list", "getcpu", "getrandom", "rseq",
)  # fmt: skip

_REFUSED: Final[dict[str, int]] = {
    "open": errno.EACCES,
    "openat": errno.EACCES,
    "stat": errno.EACCES,
    "lstat": errno.EACCES,
    "statx": errno.ENOSYS,
    "statfs": errno.EACCES,
    "access": errno.EACCES,
    "faccessat": errno.EACCES,
    "faccessat2": errno.EACCES,
    "readlink": errno.EACCES,
    "readlinkat": errno.EACCES,
    "ioctl": errno.ENOTTY,
    "clone3": errno.ENOSYS,
    "prlimit64": errno.EPERM,
}

_PROT_EXEC: Final = 4
_AT_EMPTY_PATH: Final = 0x1000
# What pthread_create of glibc asks for, bit for bit: VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, PARENT_SETTID, CHILD_CLEARTID. clone3
# hides its flags from a filter; told that it is not there, glibc uses clone. The kernel looks at the low half of the flags alone.
_NEW_THREAD: Final = 0x003D_0F00
_DATA_NR, _DATA_ARCH = 0, 4
_LD_ABS, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL, _ERRNO, _ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000
_SET_MODE_FILTER: Final = 1


class _Step(NamedTuple):
    """One BPF instruction: jumps are counted from the next one."""

    code: int
    jump_true: int
    jump_false: int
    value: int


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _number(name: str) -> int | None:
    x86, arm = _NUMBERS[name]
    return x86 if kernel.MACHINE == "x86_64" else arm


def _argument(index: int) -> int:
    """Offset of the low half of an argument in struct seccomp_data (little-endian)."""
    return 16 + 8 * index


def _when(name: str, *answer: _Step) -> list[_Step]:
    """If the call is `name`, run `answer` (which must return on every path); the number is in the accumulator before and after."""
    number = _number(name)
    if number is None:
        return []
    return [_Step(_JEQ, 0, len(answer), number), *answer]


def _returns(value: int) -> _Step:
    return _Step(_RET, 0, 0, value)


def _program() -> list[_Step]:
    steps = [
        _Step(_LD_ABS, 0, 0, _DATA_ARCH),
        _Step(_JEQ, 1, 0, _ARCH[kernel.MACHINE]),
        _returns(_KILL),
        _Step(_LD_ABS, 0, 0, _DATA_NR),
        _Step(_JGE, 0, 1, _X32_BIT),
        _returns(_KILL),
    ]
    # No memory that can be run: code that was not there when the walls went up stays data.
    for name in ("mmap", "mprotect"):
        steps += _when(
            name,
            _Step(_LD_ABS, 0, 0, _argument(2)),
            _Step(_JSET, 0, 1, _PROT_EXEC),
            _returns(_ERRNO | errno.EACCES),
            _returns(_ALLOW),
        )
    # glibc spells fstat as newfstatat with an empty path; a real path is refused.
    steps += _when(
        "newfstatat",
        _Step(_LD_ABS, 0, 0, _argument(3)),
        _Step(_JSET, 0, 1, _AT_EMPTY_PATH),
        _returns(_ALLOW),
        _returns(_ERRNO | errno.EACCES),
    )
    steps += _when(
        "clone",
        _Step(_LD_ABS, 0, 0, _argument(0)),
        _Step(_JEQ, 0, 1, _NEW_THREAD),
        _returns(_ALLOW),
        _returns(_ERRNO | errno.EAGAIN),
    )
    for name in _ALLOWED:
        steps += _when(name, _returns(_ALLOW))
    for name, code in _REFUSED.items():
        steps += _when(name, _returns(_ERRNO | code))
    return [*steps, _returns(_KILL)]


def supported() -> bool:
    return kernel.MACHINE in _ARCH


def _packed() -> bytes:
    return b"".join(struct.pack("<HBBI", *step) for step in _program())


_FILTER: Final = ctypes.create_string_buffer(_packed()) if supported() else None


def lock() -> None:
    """Put the filter on this process for good. Needs no-new-privs. Raises OSError."""
    if _FILTER is None:
        raise OSError(errno.ENOSYS, f"no seccomp table for {kernel.MACHINE}")
    program = _Program(length=(len(_FILTER) - 1) // 8, filter=ctypes.cast(_FILTER, ctypes.c_void_p))
    kernel.syscall(kernel.SECCOMP, ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(0), ctypes.byref(program))
