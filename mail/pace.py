"""How long a client may take: a pure account of the time spent waiting for it. Seconds; the caller brings the clock.

Only waiting counts: while we write to disk, or hold a client back, its time stands still.
"""

from __future__ import annotations

from dataclasses import dataclass

from mail.replies import Trouble


@dataclass(frozen=True, slots=True)
class Times:
    """Of one session, in seconds; `least_rate` in octets per second after a grace.

    `idle_seconds` for a whole command, `stress_seconds` instead when slots run short; `reply_seconds` for a client to take our
    replies; `commit_seconds` for the intake to commit, well below the ten minutes after which clients ask again (RFC 5321
    4.5.3.2.6); `linger_seconds` for the last reply to be read.
    """

    idle_seconds: float = 300.0
    stress_seconds: float = 10.0
    data_seconds: float = 1800.0
    least_rate: float = 500.0
    rate_grace_seconds: float = 30.0
    reply_seconds: float = 120.0
    commit_seconds: float = 300.0
    linger_seconds: float = 1.0


class Pace:
    """Of one session. A whole command has to come within the idle time: a letter now and then does not start it anew."""

    def __init__(self, settings: Times) -> None:
        self._settings = settings
        self._waited = 0.0
        self._octets = 0
        self._content = False

    def turn(self, *, content: bool) -> None:
        """The client is to speak: a command, or content (which goes on as long as it is content)."""
        if content and self._content:
            return
        self._content, self._waited, self._octets = content, 0.0, 0

    def waited(self, seconds: float) -> None:
        self._waited += seconds

    def heard(self, octets: int) -> None:
        self._octets += octets

    def patience(self, *, stressed: bool = False) -> float:
        """How much longer to wait if nothing more is heard."""
        settings = self._settings
        if not self._content:
            return (min(settings.stress_seconds, settings.idle_seconds) if stressed else settings.idle_seconds) - self._waited
        slow = max(settings.rate_grace_seconds, self._octets / settings.least_rate) if settings.least_rate else settings.data_seconds
        return min(settings.data_seconds, slow) - self._waited

    def verdict(self, *, stressed: bool = False) -> Trouble | None:
        """What to end the session with; None as long as it is in time."""
        if self.patience(stressed=stressed) > 0:
            return None
        return Trouble.TOO_SLOW if self._content else Trouble.TIMED_OUT
