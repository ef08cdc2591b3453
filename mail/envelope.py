"""The envelope of one message: who hands it in, from whom, for whom. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Notify:
    """What a sender wants to hear of one recipient (RFC 3461 4.1, 4.2): NEVER, or some of SUCCESS, FAILURE, DELAY; empty: the usual."""

    on: tuple[str, ...] = ()
    original: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """`sender` is empty for the null reverse-path. `size` in octets as declared with SIZE=, 0 if it was not.

    `client_ip`, `client_name` and `helo` are those of the machine that brought the mail to us, or of the one before where a trusted
    hop says so (XFORWARD, PROXY); `client_name` is empty where nobody said it. The last three fields are the wishes of RFC 3461,
    empty unless it is offered.
    """

    sender: str
    recipients: tuple[str, ...]
    client_ip: str
    helo: str
    client_name: str = ""
    tls: bool = False
    size: int = 0
    eight_bit: bool = False
    smtputf8: bool = False
    notify: Mapping[str, Notify] = field(default_factory=dict)
    ret: str = ""
    envelope_id: str = ""
