"""What the receiver asks of its shell. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mail.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Send:
    """Write these octets to the client. `reason` is why something was refused: for the log, never for the client."""

    octets: bytes
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Begin:
    """Open an incoming message; report with `begun` or `refused`."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Write:
    """The next content of the incoming message; report a failure with `refused`."""

    content: bytes


class Act(Enum):
    """Actions without a value. COMMIT: report with `committed` or `refused`. STARTTLS: report with `secured`."""

    COMMIT = "commit"
    ABORT = "abort"
    CLOSE = "close"
    STARTTLS = "starttls"


Action = Send | Begin | Write | Act
