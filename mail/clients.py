"""Limits per client address: connections, their rate, messages. Bounded memory; pure, the caller brings the clock."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mail.replies import Trouble

_MOST_BUCKETS: Final = 10_000
_MINUTE: Final = 60.0
_MOST_READ: Final = 4_096


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """`max_connections` over all clients; the others per client, 0 for no limit.

    `trusted_hops`: addresses or networks that only the first one binds.
    """

    max_connections: int = 200
    max_per_client: int = 50
    connections_per_minute: int = 0
    messages_per_minute: int = 0
    trusted_hops: Sequence[str] = ()


class Clients:
    """Keyed by address; IPv6 by its /64, since one subscriber has as many addresses as he likes in it."""

    def __init__(self, limits: ClientLimits, clock: Callable[[], float]) -> None:
        """Raises ValueError when a trusted hop is not an address or a network."""
        self._limits = limits
        self._connected: Counter[str] = Counter()
        self._networks = [ipaddress.ip_network(hop, strict=False) for hop in limits.trusted_hops]
        self._connections = _Rate(limits.connections_per_minute, clock)
        self._messages = _Rate(limits.messages_per_minute, clock)

    def trusts(self, client_ip: str) -> bool:
        address = _address(client_ip)
        return address is not None and any(address in network for network in self._networks)

    @property
    def stressed(self) -> bool:
        """Four fifths of all slots are taken: whoever dawdles has to go sooner."""
        return self._connected.total() * 5 >= self._limits.max_connections * 4

    def admit(self, client_ip: str) -> Trouble | None:
        """Counts a new connection, to be followed by `left`; or says why there is none."""
        key = _key(client_ip)
        if self._connected.total() >= self._limits.max_connections:
            return Trouble.TOO_MANY_CONNECTIONS
        if not self.trusts(client_ip):
            if self._limits.max_per_client and self._connected[key] >= self._limits.max_per_client:
                return Trouble.TOO_MANY_CONNECTIONS
            if not self._connections.allows(key):
                return Trouble.TOO_MANY_CONNECTIONS
        self._connected[key] += 1
        return None

    def left(self, client_ip: str) -> None:
        key = _key(client_ip)
        self._connected[key] -= 1
        if not self._connected[key]:
            del self._connected[key]

    def message(self, client_ip: str) -> Trouble | None:
        """Counts a message, or says why it has to wait."""
        if not self._limits.messages_per_minute or self.trusts(client_ip) or self._messages.allows(_key(client_ip)):
            return None
        return Trouble.TOO_MANY_MESSAGES


class _Rate:
    """A bucket of a minute's worth per key that refills steadily."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._most = per_minute
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def allows(self, key: str) -> bool:
        if not self._most:
            return True
        now = self._clock()
        level, at = self._buckets.pop(key, (float(self._most), now))
        level = min(float(self._most), level + (now - at) * self._most / _MINUTE)
        allowed = level >= 1
        self._buckets[key] = (level - 1 if allowed else level, now)
        if len(self._buckets) > _MOST_BUCKETS:
            # Put in last when used last: the first is the one that has rested longest.
            del self._buckets[next(iter(self._buckets))]
        return allowed


@lru_cache(_MOST_READ)
def _address(client_ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(client_ip.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


@lru_cache(_MOST_READ)
def _key(client_ip: str) -> str:
    address = _address(client_ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return client_ip if address is None else str(address)
