"""Ports for servers of tests: free, each once, and none that the kernel may give to a connection meanwhile."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.build.ports import free_port


def test_each_is_free_and_handed_out_once() -> None:
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == 200
    with socket.create_server(("127.0.0.1", ports[-1])):
        pass
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(ports) < first


def test_one_that_is_taken_is_passed_over() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port + 1)):
        assert free_port() not in (port, port + 1)
