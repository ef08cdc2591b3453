"""How people are received: numbers, times and texts of an installation, read from its settings."""

from __future__ import annotations

from typing import NamedTuple

from gateway.people.roles import PRIVILEGED, Role
from gateway.storage.accounts import Account

_MINUTE = 60.0
_HOUR = 60 * _MINUTE


class Customs(NamedTuple):
    """Times in seconds. `second_factor`: `privileged`, `all` or `off`; `elevation`: how long, 0 for no such step; `secure`: browsers
    reach the faces by TLS; `notice`: shown at the log-in; `visits`: a vendor's account opens only for a visit."""

    failures: int = 5
    failures_privileged: int = 3
    locked: float = 15 * _MINUTE
    idle: float = 30 * _MINUTE
    idle_privileged: float = 15 * _MINUTE
    longest: float = 12 * _HOUR
    temporary: float = 72 * _HOUR
    second_factor: str = "privileged"
    elevation: float = 30 * _MINUTE
    secure: bool = False
    notice: str = ""
    visits: bool = True

    def failures_of(self, account: Account) -> int:
        """The wrong password that locks."""
        return self.failures_privileged if Role(account.role) in PRIVILEGED else self.failures

    def idle_of(self, account: Account) -> float:
        return self.idle_privileged if Role(account.role) in PRIVILEGED else self.idle

    def opens_by_visit(self, account: Account) -> bool:
        return self.visits and Role(account.role) is Role.CONTRACTOR

    def needs_second_factor(self, account: Account) -> bool:
        return self.second_factor == "all" or (self.second_factor == "privileged" and Role(account.role) in PRIVILEGED)
