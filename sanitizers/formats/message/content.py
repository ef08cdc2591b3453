"""What a message says, gathered out of its parts: text, files, and what the notice must mention."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from sanitizers.model import Reason


class Attachment(NamedTuple):
    """A file on its way to the engine, or, with `reason`, one that is not sent there because it cannot be read."""

    name: str
    content: bytes
    where: str
    reason: Reason | None = None


@dataclass(slots=True)
class Content:
    """What a message says: text blocks in order, files, and what the banner must mention."""

    texts: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    converted: bool = False  # some text came out of HTML
    html_dropped: bool = False  # an HTML form was left out because its text form is delivered
    mismatches: int = 0  # links that say one address and lead to another
    hidden: int = 0
    unseen: int = 0  # passages in the colour of their background, which are shown and marked
    signed: bool = False
    signers: list[str] = field(default_factory=list)  # whose signatures fit what they were sent with
    forged: bool = False  # a signature does not fit
    unknown: int = 0  # characters shown as 〓
