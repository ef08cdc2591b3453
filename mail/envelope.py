"""The envelope of one message: who hands it in, from whom, for whom. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Notify:
    """What a sender wants to hear of one recipient (RFC 3461 4.1, 4.2): NEVER, or some of SUCCESS, FAILURE, DELAY; empty: the usual.

    `original`: the address that the sender wrote at first, as `type;xtext`.
    """

    on: tuple[str, ...] = ()
    original: str = ""

    def wants(self, event: str) -> bool:
        """Whether `event` is to be told. The usual is to hear of failures alone (RFC 3461 4.1 leaves DELAY to us)."""
        return event in (self.on or ("FAILURE",))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a sender wants to hear of one message (RFC 3461). `envelope_id` is decoded; `ret` is FULL, HDRS or empty.

    `of` has those recipients only with whom something unusual is wanted.
    """

    envelope_id: str = ""
    ret: str = ""
    of: Mapping[str, Notify] = field(default_factory=dict)

    def notify(self, address: str) -> Notify:
        return self.of.get(address, _USUAL)


_USUAL: Final = Notify()


@dataclass(frozen=True, slots=True)
class Envelope:
    """`sender` is empty for the null reverse-path. `size` in octets as declared with SIZE=, 0 if it was not.

    `client_ip`, `client_name` and `helo` are those of the machine that brought the mail to us, or of the one before where a trusted
    hop says so (XFORWARD, PROXY); `client_name` is empty where nobody said it.
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
    wishes: Wishes = field(default_factory=Wishes)
