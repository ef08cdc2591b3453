"""The envelope of one message: who hands it in, from whom, for whom. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """`sender` is empty for the null reverse-path. `size` in octets as declared with SIZE=, 0 if it was not."""

    sender: str
    recipients: tuple[str, ...]
    client_ip: str
    helo: str
    tls: bool = False
    size: int = 0
    eight_bit: bool = False
    smtputf8: bool = False
