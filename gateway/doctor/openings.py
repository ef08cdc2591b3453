"""What takes connections on this machine, as the kernel has it, and whether the machine passes on what is not for it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_FORWARDING: Final = (Path("/proc/sys/net/ipv4/ip_forward"), Path("/proc/sys/net/ipv6/conf/all/forwarding"))
_LISTENS: Final = "0A"          # TCP_LISTEN of net/tcp_states.h


class Openings(NamedTuple):
    """`listening`: address and port of each socket that others can reach; `forwards`: whether packets for others are passed on."""

    listening: frozenset[tuple[str, int]]
    forwards: bool


def openings(tables: tuple[Path, ...] = _TABLES, forwarding: tuple[Path, ...] = _FORWARDING) -> Openings | None:
    """None where the kernel does not say."""
    try:
        found = frozenset(one for table in tables if table.exists() for one in _listening(table.read_text("ascii")))
        passed = any(one.read_text("ascii").strip() != "0" for one in forwarding if one.exists())
    except (OSError, ValueError):
        return None
    return Openings(found, passed) if any(table.exists() for table in tables) else None


def _listening(table: str) -> Iterator[tuple[str, int]]:
    """Of proc_net_tcp(5): the local address in the machine's own order of octets, four by four, and the port in hexadecimal digits."""
    for line in table.splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state != _LISTENS:
            continue
        digits, _, port = local.partition(":")
        octets = b"".join(bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8))
        address = ipaddress.ip_address(octets)
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if not address.is_loopback:
            yield str(address), int(port, 16)
