"""Ports on loopback for what a test starts, each handed out once by this process.

They lie below those from which the kernel takes one for a connection that goes out: between the moment when one is seen to be free and the
moment when a server listens there, nothing else takes it by chance. Each process begins at a place of its own.
"""

from __future__ import annotations

import os
import socket
from itertools import count
from typing import Final

_FIRST: Final = 10_000
_PORTS: Final = 22_000  # to the first of net.ipv4.ip_local_port_range
_STRIDE: Final = 1_009  # between processes of neighbouring numbers

_numbers = count()


def free_port() -> int:
    """Raises OSError where none is free."""
    for _ in range(_PORTS):
        port = _FIRST + (os.getpid() * _STRIDE + next(_numbers)) % _PORTS
        if _is_free(port):
            return port
    raise OSError("no port is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
