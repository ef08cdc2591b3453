"""Memory descriptors: files without a name, for what the road hands to the jail and takes back from it."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ALLOW_SEALING: Final = 0x0002
_NOEXEC_SEAL: Final = 0x0008     # since Linux 6.3: can never be run as a program
_PR_SET_DUMPABLE: Final = 4
# mallopt(3): two heaps, not one for each thread; and what is larger than this is mapped by itself.
_M_ARENA_MAX: Final = -8
_M_MMAP_THRESHOLD: Final = -3
_ALLOCATOR: Final = {_M_ARENA_MAX: 2, _M_MMAP_THRESHOLD: 512 << 10}
_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def create(name: str) -> int:
    """An empty one, open for reading and writing; the caller closes it."""
    flags = os.MFD_CLOEXEC | _ALLOW_SEALING
    try:
        return os.memfd_create(name, flags | _NOEXEC_SEAL)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.memfd_create(name, flags)


@contextmanager
def filled(name: str, content: bytes) -> Iterator[int]:
    """One that holds `content`, at its start, closed at the end."""
    fd = create(name)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(fd, view) :]
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)


def seal(fd: int) -> None:
    """From now on nobody can change it, whoever still holds it. Raises OSError when somebody has it mapped for writing."""
    present = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
    if present & _SEALS != _SEALS:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS & ~present)


def give_back() -> None:
    """What was freed goes back to the kernel. Called before there are threads.

    Mails of many megabytes come and go, and by themselves glibc's heaps, one for each thread, keep the most that there ever was
    (mallopt(3)). Under mixed mails the service takes 117 MB with it and took 170 without.
    """
    library = ctypes.CDLL(None)
    for option, value in _ALLOCATOR.items():
        library.mallopt(option, value)      # 0 where the library has no such option: then it only costs memory


def keep_out_of_dumps() -> None:
    """No core file of this process, neither written nor piped to a collector: passwords pass through its memory (prctl(2), core(5)).

    Raises OSError.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A limit of 0 does not stop a core_pattern that is a pipe; this does.
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_DUMPABLE")
