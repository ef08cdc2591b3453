"""The PROXY header, whole, in pieces, and forged."""

from __future__ import annotations

import ipaddress

import pytest

from mail.proxy import Header, read

V2 = b"\r\n\r\n\0\r\nQUIT\n"
V4 = bytes([192, 0, 2, 7, 192, 0, 2, 1]) + b"\x10\x00\x00\x19"
V6 = ipaddress.ip_address("2001:db8::7").packed * 2 + b"\x10\x00\x00\x19"


def binary(command: int, family: int, body: bytes) -> bytes:
    return V2 + bytes([command, family]) + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize(
    ("octets", "client"),
    [
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 4096 25\r\n", "192.0.2.7"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 4096 25\r\n", "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n", ""),
        (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", ""),
        (binary(0x21, 0x11, V4), "192.0.2.7"),
        (binary(0x21, 0x11, V4 + b"\x03\x00\x04abcd"), "192.0.2.7"),
        (binary(0x21, 0x21, V6), "2001:db8::7"),
        (binary(0x20, 0x00, b""), ""),
        (binary(0x21, 0x31, b"/sock" + bytes(211)), ""),
    ],
)
def test_headers(octets: bytes, client: str) -> None:
    for length in range(len(octets)):
        assert read(octets[:length]) is None
    assert read(octets + b"EHLO x\r\n") == Header(client, len(octets))


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO x\r\n", b"PROXY TCP4 192.0.2.7\r\n", b"PROXY TCP4 2001:db8::7 x 1 2\r\n", b"PROXY TCP6 192.0.2.7 x 1 2\r\n", b"PROXY  \r\n",
        b"PROXY SCTP a b 1 2\r\n", b"PROXY \xff\r\n", b"PROXY TCP4 nonsense x 1 2\r\n", b"PROXY TCP4 " + b"1" * 200,
        binary(0x21, 0x11, V4[:6]), binary(0x11, 0x11, V4), binary(0x22, 0x11, V4), V2 + b"\x21\x11\xff\xff" + V4,
    ],
)  # fmt: skip
def test_forgeries(octets: bytes) -> None:
    with pytest.raises(ValueError):
        read(octets)
