"""受取箱の容量: how full each box is, that nothing more goes into a full one, and that its people hear of it at 80 and at 100 percent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from sqlalchemy import Connection

from gateway.model import DEPARTMENT, GROUP, PERSON, SHARE
from gateway.people.roles import RefusedError
from gateway.storage import boxes as rows
from gateway.storage import letters as letter_rows
from gateway.storage.accounts import Account
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.telemetry import log
from gateway.telling import letters
from gateway.telling.notices import Office, Words

_log = log.get(__name__)

_DAY: Final = 86_400.0
_LOOK_SECONDS: Final = 300.0
_LEVELS: Final = (100, 80)
_FULL: Final = (
    "受取箱「{ja}」がいっぱいです（{percent}％）。受け取ったファイルの期限が過ぎるのを待つか、システム担当へ相談してください"
    " / the box “{en}” is full ({percent} %): wait until older files run out, or ask the system staff"
)


class Quotas(NamedTuple):
    """Bytes that may lie in a box; 0: any number. `person`: one's own; `shared`: of a department or a group."""

    person: int = 0
    shared: int = 0


class Fill(NamedTuple):
    """How full a box is, in bytes; `quota` 0: it cannot be full."""

    address: str
    title: str
    used: int
    quota: int

    @property
    def names(self) -> Words:
        """Its title in each of the two languages."""
        ja, _, en = self.title.partition(" / ")
        return Words(ja, en or ja)

    @property
    def percent(self) -> int:
        return self.used * 100 // self.quota if self.quota else 0

    @property
    def level(self) -> int:
        """100, 80 or 0."""
        return next((level for level in _LEVELS if self.percent >= level), 0)


class Boxes:
    """`days`: how long a file lies in a box; `clock`: seconds since 1970."""

    def __init__(self, journal: Journal, quotas: Quotas, *, days: int, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._quotas = quotas
        self._days = days
        self._clock = clock

    async def of(self, account: Account) -> list[Fill]:
        """All boxes of this person; what is for him alone lies in his own."""

        def found(connection: Connection) -> list[Fill]:
            own = rows.of(connection, account)
            return [one for one in self._fills(connection, own) if not one.address.startswith(PERSON)]

        return await self._journal.ask(found)

    async def roomy(self, account: Account, addresses: Iterable[str]) -> None:
        """Raises RefusedError where one of them, or the person's own, is full."""
        if not any(self._quotas) and not await self._journal.ask(rows.any_quota):
            return
        wanted = [account.login, *(one.removeprefix(PERSON) for one in addresses if not one.startswith(SHARE))]
        fills = await self._journal.ask(lambda connection: self._fills(connection, rows.titles(connection, wanted)))
        full = next((one for one in fills if one.level >= 100), None)
        if full is not None:
            raise RefusedError(_FULL.format(ja=full.names.ja, en=full.names.en, percent=full.percent))

    async def above(self, level: int) -> list[Fill]:
        """Every box that is at least so full."""

        def found(connection: Connection) -> list[Fill]:
            lying = rows.used(connection, self._since())
            return [one for one in self._fills(connection, rows.titles(connection, lying), lying) if one.level >= level]

        return await self._journal.ask(found)

    def _fills(self, connection: Connection, titles: dict[str, str], lying: dict[str, int] | None = None) -> list[Fill]:
        if lying is None:
            lying = rows.used(connection, self._since(), titles)
        kept = rows.kept(connection, titles)
        return [
            Fill(address, title, lying.get(address, 0), self._quota(address, kept.get(address, rows.Kept())))
            for address, title in titles.items()
        ]

    def _quota(self, address: str, kept: rows.Kept) -> int:
        if kept.quota is not None:
            return kept.quota
        return self._quotas.shared if address.startswith((DEPARTMENT, GROUP)) else self._quotas.person

    def _since(self) -> float:
        return self._clock() - self._days * _DAY


class BoxKeeper:
    """Tells the people of a box once when it comes to 80 percent and once when it comes to 100."""

    def __init__(self, journal: Journal, boxes: Boxes, office: Office, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._boxes = boxes
        self._office = office
        self._clock = clock

    async def run(self) -> None:
        while True:
            try:
                await self.run_once()
            except StorageError as error:
                _log.error("how full boxes are could not be looked at", error=str(error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def run_once(self) -> int:
        """How many mails were queued."""
        fills = {one.address: one for one in await self._boxes.above(80)}
        before = await self._journal.ask(rows.all_told)
        sent = 0
        for address in sorted({*fills, *before}):
            level = fills[address].level if address in fills else 0
            if level != before.get(address, 0):
                rises = level > before.get(address, 0)
                sent += await self._tell(address, level, fills[address] if rises else None)
        return sent

    async def _tell(self, address: str, level: int, fill: Fill | None) -> int:
        at = self._clock()

        def told(connection: Connection) -> int:
            rows.told(connection, address, level)
            queued = 0
            if fill is not None:
                for mail in rows.mails(connection, address):
                    letter = self._written(mail, fill, level, at)
                    queued += letter_rows.queue(connection, [mail], letter, about=f"box {address}", at=at)
            return queued

        return await self._journal.write(told)

    def _written(self, mail: str, fill: Fill, level: int, at: float) -> bytes:
        ja, en = fill.names
        subject = Words(f"【受取箱】{ja}が{level}％を超えました", f"[box] {en} is more than {level} % full")
        if level >= 100:
            subject = Words(f"【受取箱】{ja}がいっぱいです", f"[box] {en} is full")
        numbers = f"{fill.used / 1e6:,.0f} MB / {fill.quota / 1e6:,.0f} MB（{fill.percent}%）"
        bodies = [
            f"{subject.ja}。\n\n{numbers}\n\nいっぱいになると、新しいファイルを入れられません。期限の過ぎたファイルは自動的に片付きます。",
            f"{subject.en}.\n\n{numbers}\n\nNothing more goes into a full box. Files whose time is over leave by themselves.",
        ]
        return letters.written(mail, subject, bodies, self._office, at, about=f"box {fill.address}")
