"""督促: who signs a review is written to when its time is over, once for each period."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from sqlalchemy import Connection

from gateway.chores import now_and_then
from gateway.people.roles import Role
from gateway.registers.reviews import Due, Reviews
from gateway.storage import accounts, ledger
from gateway.storage import letters as letter_rows
from gateway.storage.journal import Journal
from gateway.telling import letters
from gateway.telling.notices import Office, Words

_EVERY_SECONDS: Final = 3_600.0
_OVERDUE: Final = Words(
    "点検の期限が過ぎています。管理画面の「点検」で確認してください。", "A review is overdue. Sign it on the page of reviews."
)


class Reminders:
    """`told` is told of letters. `clock`: seconds since 1970."""

    def __init__(
        self, journal: Journal, reviews: Reviews, office: Office, clock: Callable[[], float], told: Callable[[], None] = lambda: None
    ) -> None:
        self._journal = journal
        self._reviews = reviews
        self._office = office
        self._clock = clock
        self._told = told

    async def run(self) -> None:
        """Until cancelled."""
        await now_and_then("reminders", _EVERY_SECONDS, self.tick, whatever=True)

    async def tick(self) -> int:
        """How many letters."""
        late = [one for one in await self._reviews.due(signed=False) if one.overdue]
        queued = sum([await self._journal.write(partial(self._remind, one)) for one in late])
        if queued:
            self._told()
        return queued

    def _remind(self, one: Due, connection: Connection) -> int:
        about, at = f"{one.subject.name} {one.period.name}", self._clock()
        if letter_rows.written_about(connection, about):
            return 0
        signers = [account for account in accounts.listed(connection) if Role(account.role) in one.subject.signers]
        mails = sorted({account.mail for account in signers if account.mail and not account.disabled}) or [self._office.sender]
        subject = Words(f"【督促】{one.subject.ja}（{one.period.ja}）", f"[overdue] {one.subject.en} ({one.period.name})")
        bodies = [_OVERDUE.said(language) for language in ("ja", "en")]
        for mail in mails:
            letter_rows.queue(connection, [mail], letters.written(mail, subject, bodies, self._office, at, about=about), about=about, at=at)
        detail: dict[str, object] = {"period": one.period.name, "told": mails}
        ledger.append(connection, at=at, actor="road", action="inspection.overdue", subject=one.subject.name, detail=detail)
        return len(mails)
