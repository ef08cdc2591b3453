"""Landlock: no path, no TCP port, no abstract socket, no signal to others (Linux 5.13; network 6.7, scopes 6.12)."""

from __future__ import annotations

import ctypes
import os
from typing import Final

from sanitizers.jail import kernel

_VERSION_FLAG: Final = 1
# Every access right that the interface version knows is handled, and none is granted by any rule: deny all.
_FS_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NET_RIGHTS_SINCE: Final = 4
_SCOPES_SINCE: Final = 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def version() -> int:
    """The kernel's Landlock interface version, 0 where there is none."""
    try:
        return kernel.syscall(kernel.LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    except OSError:
        return 0


def deny_all(abi: int) -> None:
    """Take every path and port from this process for good. Needs no-new-privs. Raises OSError."""
    ruleset = _Ruleset(fs=(1 << _FS_RIGHTS[min(abi, 5)]) - 1)
    size = 8
    if abi >= _NET_RIGHTS_SINCE:
        ruleset.net = 0b11
        size = 16
    if abi >= _SCOPES_SINCE:
        ruleset.scoped = 0b11
        size = 24
    fd = kernel.syscall(kernel.LANDLOCK_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        kernel.syscall(kernel.LANDLOCK_RESTRICT_SELF, ctypes.c_int(fd), ctypes.c_uint32(0))
    finally:
        os.close(fd)
