"""How true this machine's clock is, as its kernel knows: whether somebody disciplines it, how far it is off, how far at most.

Source: adjtimex(2), a call that changes nothing when `modes` is 0. Records that shall count as evidence need it.
"""

from __future__ import annotations

import ctypes
from typing import Final, NamedTuple

_TIME_ERROR: Final = 5              # what adjtimex returns while nobody synchronises the clock
_UNSYNCHRONISED: Final = 0x0040     # STA_UNSYNC
_NANO: Final = 0x2000               # STA_NANO: offset in nanoseconds, else in microseconds


class _Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", ctypes.c_long * 2),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    )


class Clock(NamedTuple):
    """Seconds. `error`: the most that it may be off; it grows while nobody synchronises it."""

    synchronised: bool
    offset: float
    error: float


def clock() -> Clock | None:
    """None where the kernel does not tell."""
    timex = _Timex()
    try:
        state = _LIBC.adjtimex(ctypes.byref(timex))
    except AttributeError:
        return None
    return None if state < 0 else _read(state, timex.status, timex.offset, timex.maxerror)


def _read(state: int, status: int, offset: int, error: int) -> Clock:
    unit = 1e9 if status & _NANO else 1e6
    return Clock(state != _TIME_ERROR and not status & _UNSYNCHRONISED, offset / unit, error / 1e6)


_LIBC: Final = ctypes.CDLL(None, use_errno=True)
