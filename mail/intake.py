"""What the receiver hands messages to. The road implements it; the post knows nothing else of the road."""

from __future__ import annotations

from typing import Protocol

from mail.envelope import Envelope


class Overloaded(Exception):  # noqa: N818 - says what is the case
    """Nothing more can be taken in now: disk or queue is full. The client is told to come again (452 4.3.1)."""


class Incoming(Protocol):
    """One message on its way in. Any exception is temporary to the client (451) and leaves nothing behind."""

    async def write(self, chunk: bytes) -> None:
        """The next octets of the message, dots unstuffed."""

    async def commit(self) -> str:
        """When it returns, message and envelope are durable: the receipt number."""

    async def abort(self) -> None:
        """Forget everything. Never raises."""


class Intake(Protocol):
    """Where messages go."""

    def accepts(self, recipient: str) -> bool:
        """Whether this recipient is one of ours; anything else would be relaying."""

    def knows(self, recipient: str) -> bool:
        """Whether there is such a person; asked only of what is accepted."""

    def admits(self, recipient: str) -> bool:
        """Whether that person may receive mail; asked only of who is known."""

    async def begin(self, envelope: Envelope) -> Incoming:
        """Raises Overloaded."""
