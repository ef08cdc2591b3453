"""Limits per client, without a clock."""

from __future__ import annotations

import pytest

from mail.clients import ClientLimits, Clients
from mail.replies import Trouble


def clients(**limits: object) -> tuple[Clients, list[float]]:
    now = [0.0]
    return Clients(ClientLimits(**limits), lambda: now[0]), now  # type: ignore[arg-type]


def test_connections_of_one_and_of_all() -> None:
    known, _ = clients(max_connections=3, max_per_client=2)
    assert [known.admit("192.0.2.1") for _ in range(3)] == [None, None, Trouble.TOO_MANY_CONNECTIONS]
    assert known.admit("192.0.2.2") is None
    assert known.admit("192.0.2.3") is Trouble.TOO_MANY_CONNECTIONS
    known.left("192.0.2.1")
    assert known.admit("192.0.2.3") is None


def test_an_ipv6_subscriber_is_one_client_and_a_mapped_address_is_the_ipv4_one() -> None:
    known, _ = clients(max_per_client=1)
    assert known.admit("2001:db8::1") is None
    assert known.admit("2001:db8::ffff:2") is Trouble.TOO_MANY_CONNECTIONS
    assert known.admit("2001:db8:0:1::1") is None
    assert known.admit("::ffff:192.0.2.1") is None
    assert known.admit("192.0.2.1") is Trouble.TOO_MANY_CONNECTIONS
    assert known.admit("fe80::1%eth0") is None
    assert known.admit("") is None


def test_a_trusted_hop_is_only_bound_by_the_number_of_all() -> None:
    known, _ = clients(max_connections=5, max_per_client=1, messages_per_minute=1, connections_per_minute=1, trusted_hops=["192.0.2.0/28"])
    assert [known.admit("192.0.2.1") for _ in range(6)] == [None] * 5 + [Trouble.TOO_MANY_CONNECTIONS]
    assert [known.message("192.0.2.1") for _ in range(5)] == [None] * 5
    assert known.trusts("::ffff:192.0.2.15")
    assert not known.trusts("192.0.2.16")
    assert not known.trusts("nonsense")


@pytest.mark.parametrize("what", ["messages", "connections"])
def test_rates_refill_steadily(what: str) -> None:
    known, now = clients(**{f"{what}_per_minute": 6})

    def once() -> bool:
        return (known.message("192.0.2.1") if what == "messages" else known.admit("192.0.2.1")) is None

    assert [once() for _ in range(7)] == [True] * 6 + [False]
    assert known.message("192.0.2.2") is None
    now[0] = 9.9
    assert not once()
    now[0] = 20.1
    assert [once() for _ in range(3)] == [True, True, False]
    now[0] = 1000.0
    assert [once() for _ in range(7)] == [True] * 6 + [False]


def test_memory_of_many_clients_is_bounded() -> None:
    known, _ = clients(messages_per_minute=5)
    for number in range(30_000):
        known.message(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(known._messages._buckets) <= 10_000


def test_stress_begins_at_four_fifths() -> None:
    known, _ = clients(max_connections=5)
    for number in range(3):
        known.admit(f"192.0.2.{number}")
    assert not known.stressed
    known.admit("192.0.2.9")
    assert known.stressed
