"""Where the post finds what has to go out, and where it writes what became of it. The road implements it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from mail.envelope import Wishes

Status = Literal["delivered", "deferred", "failed"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """One who still waits. `attempts`: how often it was tried before."""

    address: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to the next hop, leased to this post. `first_at`: seconds since 1970; `size` in octets."""

    id: str
    receipt_no: str
    sender: str
    recipients: tuple[Recipient, ...]
    first_at: float
    size: int
    smtputf8: bool
    wishes: Wishes = field(default_factory=Wishes)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one recipient. `text` is the next hop's word without control characters; `retry_at` only when deferred.

    `passed_on`: the next hop took the sender's wishes over with the message (RFC 3461 5.2.1).
    """

    address: str
    status: Status
    code: int
    enhanced: str
    text: str
    retry_at: float | None = None
    passed_on: bool = False


class Outbox(Protocol):
    """Any call may raise; the delivery's lease then runs out and it is tried again."""

    async def claim(self, limit: int, now: float) -> list[Delivery]:
        """Up to `limit` deliveries that are due, leased."""

    async def read(self, delivery: Delivery) -> bytes:
        """The message as it goes out."""

    async def settle(self, delivery: Delivery, results: Sequence[Result], notice: bytes | None) -> None:
        """All results at once; `notice` is a delivery status notification to queue to the delivery's sender."""

    async def next_due(self) -> float | None:
        """When the next delivery is due; None if none waits."""

    async def release(self, delivery: Delivery) -> None:
        """Give the lease back unchanged."""
