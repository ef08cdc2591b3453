"""連絡: an incident or a fault goes up the chain of the emergency contacts, each with its moment, until somebody takes it on.

Level 1 is told at once. Without a word the next level is told after the minutes of the one before. Whoever takes it on, or closes it,
ends that. Where nobody stands in the chain the postmaster is told, once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from gateway.chores import now_and_then
from gateway.registers.incidents import KINDS
from gateway.storage import contacts, incidents
from gateway.storage import letters as letter_rows
from gateway.storage.contacts import Contact
from gateway.storage.incidents import Incident, Register
from gateway.storage.journal import Journal
from gateway.telling import letters
from gateway.telling.notices import Office, Words

_EVERY_SECONDS: Final = 30.0
_WORDS: Final = {
    Register.INCIDENT: Words("【要対応】情報セキュリティ事案", "[act now] a security incident"),
    Register.FAULT: Words("【要対応】障害", "[act now] a fault"),
}
_WHAT: Final = Words("種別", "Kind")
_NUMBER: Final = Words("番号", "Number")
_RECEIPT: Final = Words("受付番号", "Receipt")
_TAKE: Final = Words(
    "管理画面の「事案・障害」で「対応を引き受ける」を押してください。応答がない場合は次の連絡先へ連絡します。",
    "Take it on at the page of incidents. Without an answer the next one is told.",
)


class Escalation:
    """`told` is told of each letter; `page`: address of the administration, empty if nobody knows it. `clock`: seconds since 1970."""

    def __init__(
        self, journal: Journal, office: Office, clock: Callable[[], float], told: Callable[[], None] = lambda: None, *, page: str = ""
    ) -> None:
        self._journal = journal
        self._office = office
        self._clock = clock
        self._told = told
        self._page = page

    async def run(self) -> None:
        """Until cancelled."""
        await now_and_then("calls", _EVERY_SECONDS, self.tick, whatever=True)

    async def tick(self) -> int:
        """Tell whoever is to be told by now; how many letters."""
        if not await self._journal.ask(incidents.unanswered):
            return 0
        queued = await self._journal.write(self._round)
        if queued:
            self._told()
        return queued

    def _round(self, connection: Connection) -> int:
        at, chain = self._clock(), contacts.listed(connection)
        return sum(self._raised(connection, one, chain, at) for one in incidents.unanswered(connection))

    def _raised(self, connection: Connection, one: Incident, chain: Sequence[Contact], at: float) -> int:
        levels = sorted({contact.level for contact in chain if contact.level > one.told_level and contact.mail})
        if one.told_at is not None:
            waits = [contact.minutes for contact in chain if contact.level == one.told_level]
            if not levels or at < one.told_at + 60 * max(waits, default=0):
                return 0
        level = levels[0] if levels else 1
        people = [contact for contact in chain if contact.level == level and contact.mail]
        named = [(contact.mail, f"{contact.title} {contact.name} <{contact.mail}>".strip()) for contact in people]
        named = named or [(self._office.sender, self._office.sender)]
        for mail, _ in named:
            letter_rows.queue(connection, [mail], self._letter(one, mail, at), about=one.number, at=at)
        incidents.told(connection, one, level, f"{level}: " + "、".join(name for _, name in named), moment=at)
        return len(named)

    def _letter(self, one: Incident, mail: str, at: float) -> bytes:
        ja, en = KINDS[one.kind]
        words = _WORDS[one.register]
        subject = Words(f"{words.ja} {one.number}（{ja}）", f"{words.en} {one.number}: {en}")
        bodies = [self._body(one, language) for language in (("en", "ja") if self._office.language == "en" else ("ja", "en"))]
        return letters.written(mail, subject, bodies, self._office, at, about=one.number)

    def _body(self, one: Incident, language: str) -> str:
        """No word of a sender or of a reporter: a letter leaves the house."""
        lines = [
            f"{_NUMBER.said(language)}: {one.number}",
            f"{_WHAT.said(language)}: {Words(*KINDS[one.kind]).said(language)}",
            *([f"{_RECEIPT.said(language)}: {one.receipt_no}"] if one.receipt_no else []),
            "",
            _TAKE.said(language),
            *([f"{self._page.rstrip('/')}/incidents/{one.number}"] if self._page else []),
            *([self._office.organisation] if self._office.organisation else []),
        ]
        return "\n".join(lines)
