"""The PROXY protocol, versions 1 and 2 (haproxy proxy-protocol.txt): a trusted balancer says whom it speaks for. Pure."""

from __future__ import annotations

import ipaddress
from typing import Final, NamedTuple

_SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_LONGEST_LINE: Final = 107
_LONGEST_HEADER: Final = 536
_ADDRESS_OCTETS: Final = {0x11: 4, 0x21: 16}


class Header(NamedTuple):
    """`client_ip` is empty when the balancer speaks for itself; `length` in octets."""

    client_ip: str
    length: int


def read(data: bytes) -> Header | None:
    """The header at the beginning of a connection; None while it is not whole. Raises ValueError when it is none."""
    if data.startswith(_SIGNATURE[: len(data)]):
        return _binary(data)
    if data.startswith(b"PROXY "[: len(data)]):
        return _line(data)
    raise ValueError("no PROXY header")


def _line(data: bytes) -> Header | None:
    end = data.find(b"\r\n", 0, _LONGEST_LINE)
    if end < 0:
        if len(data) >= _LONGEST_LINE:
            raise ValueError("PROXY line too long")
        return None
    words = data[:end].decode("ascii").split(" ")
    if words[1] == "UNKNOWN":
        return Header("", end + 2)
    if len(words) != 6 or words[1] not in ("TCP4", "TCP6"):
        raise ValueError("bad PROXY line")
    address = ipaddress.ip_address(words[2])
    if address.version != int(words[1][3]):
        raise ValueError("bad PROXY line")
    return Header(str(address), end + 2)


def _binary(data: bytes) -> Header | None:
    if len(data) < 16:
        return None
    command, family, length = data[12], data[13], int.from_bytes(data[14:16], "big")
    if command not in (0x20, 0x21) or length > _LONGEST_HEADER:
        raise ValueError("bad PROXY header")
    if len(data) < 16 + length:
        return None
    octets = _ADDRESS_OCTETS.get(family, 0)
    if command == 0x20 or not octets:
        return Header("", 16 + length)
    if length < 2 * octets + 4:
        raise ValueError("bad PROXY header")
    return Header(str(ipaddress.ip_address(data[16 : 16 + octets])), 16 + length)
