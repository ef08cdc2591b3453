"""事案・障害の記録: what a page or an alert does with the register, and how far an incident reaches.

one = await incidents.open(transfer, Kind.SUSPICIOUS, "…", who="tanaka")
reach = await incidents.scope(one)              # who received it, when; who else got the same bytes
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from gateway.model import CARRYING, RecipientState, Transfer
from gateway.people.roles import RefusedError
from gateway.storage import deliveries, ledger, search, transfers
from gateway.storage import incidents as rows
from gateway.storage.faults import NoSuchTransferError, StorageError
from gateway.storage.incidents import ClosedError, Incident, Kind, NoSuchIncidentError, Register, Step
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.tables import late_hits
from gateway.telemetry import log

__all__ = ["CLOSED", "KINDS", "Incident", "Incidents", "Kind", "NoSuchIncidentError", "Reach", "Register", "Step"]

_log = log.get(__name__)

CLOSED: Final = rows.CLOSED
KINDS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.SUSPICIOUS: ("不審なメール・ファイル", "suspicious mail or file"),
    Kind.MALWARE: ("不正プログラム", "malware"),
    Kind.LATE_HIT: ("配送済みのものからの検知", "found in what was delivered"),
    Kind.LEAK: ("情報の漏えい", "leak"),
    Kind.MISDELIVERY: ("誤送信・誤配布", "sent to the wrong one"),
    Kind.ACCESS: ("不正アクセス", "unauthorised access"),
    Kind.RECORD: ("監査ログの異常", "the audit record is not whole"),
    Kind.OTHER: ("その他", "other"),
    Kind.SCANNER: ("ウイルス検査の停止", "a scanner is silent"),
    Kind.STORAGE: ("保存領域の異常", "trouble with the stores"),
    Kind.DELIVERY: ("配送先の停止", "the next hop is not reached"),
    Kind.CLOCK: ("時刻のずれ", "the clock is off"),
    Kind.SERVICE: ("サービスの異常", "trouble with the service"),
}
_MOST: Final = 500
_REASON: Final = "内容を入力してください。 / say what happened"
_NAMES: Final = {"response": "対応", "cause": "原因", "prevention": "再発防止"}


class Received(NamedTuple):
    """One who has it: `how` he got it, and when, if it is known (seconds since 1970)."""

    receipt_no: str
    who: str
    how: str
    at: float | None


class Reach(NamedTuple):
    """影響範囲. `same`: other transfers of the same bytes or with the same result; `sender`: how many more came from that sender."""

    received: tuple[Received, ...]
    waiting: tuple[str, ...]
    same: tuple[Transfer, ...]
    sender: int
    late: tuple[str, ...]


class Incidents:
    """`clock`: seconds since 1970."""

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._clock = clock

    async def open(self, transfer: Transfer | None, kind: Kind, text: str, *, who: str, title: str = "") -> Incident:
        """Raises RefusedError."""
        if not text.strip():
            raise RefusedError(_REASON)
        at = self._clock()
        return await self._journal.write(
            lambda connection: rows.open_incident(
                connection, transfer=transfer, kind=kind, text=text, who=who, moment=at, title=title or KINDS[kind][0]
            )
        )

    async def alert(self, kind: Kind, text: str, transfer: Transfer | None = None) -> None:
        """A critical alert of the house opens one, or adds to the one that stands. Never raises for a store."""
        try:
            await self.open(transfer, kind, text, who="road")
        except StorageError as error:
            _log.error("an alert could not be written into the register", kind=kind, error=str(error))

    async def recovered(self, kind: Kind, text: str) -> None:
        """It works again. Never raises for a store."""
        at = self._clock()
        try:
            await self._journal.write(lambda connection: rows.recovered(connection, kind, text, moment=at))
        except StorageError as error:
            _log.error("a recovery could not be written into the register", kind=kind, error=str(error))

    # ------------------------------------------------------------------------------------------------------- by hand

    async def change(self, number: str, changes: Mapping[str, Any], *, who: str) -> Incident:
        """Raises NoSuchIncidentError, RefusedError."""
        return await self._done(lambda connection, at: rows.change(connection, number, changes, who=who, moment=at))

    async def note(self, number: str, text: str, *, who: str) -> Incident:
        """Raises NoSuchIncidentError, RefusedError."""
        if not text.strip():
            raise RefusedError(_REASON)
        return await self._done(lambda connection, at: rows.note(connection, number, text, who=who, moment=at))

    async def acknowledge(self, number: str, text: str, *, who: str) -> Incident:
        """Raises NoSuchIncidentError, RefusedError."""
        return await self._done(lambda connection, at: rows.acknowledge(connection, number, text, who=who, moment=at))

    async def close(self, number: str, text: str, *, who: str) -> Incident:
        """Raises NoSuchIncidentError, RefusedError."""
        return await self._done(lambda connection, at: rows.close(connection, number, text, who=who, moment=at))

    async def reopen(self, number: str, text: str, *, who: str) -> Incident:
        """Raises NoSuchIncidentError, RefusedError."""
        if not text.strip():
            raise RefusedError(_REASON)
        return await self._done(lambda connection, at: rows.reopen(connection, number, text, who=who, moment=at))

    async def _done(self, deed: Callable[[Connection, float], Incident]) -> Incident:
        at = self._clock()
        try:
            return await self._journal.write(lambda connection: deed(connection, at))
        except ClosedError as refusal:
            raise RefusedError(_closed(str(refusal))) from None

    # --------------------------------------------------------------------------------------------------------- asking

    async def find(self, number: str) -> Incident:
        """Raises NoSuchIncidentError."""
        return await self._journal.ask(lambda connection: rows.find(connection, number))

    async def steps(self, one: Incident) -> list[Step]:
        return await self._journal.ask(lambda connection: rows.steps(connection, one))

    async def listed(self, register: Register | None = None) -> list[Incident]:
        return await self._journal.ask(lambda connection: rows.listed(connection, register))

    async def scope(self, one: Incident) -> Reach | None:
        """None for what was drawn from no transfer."""
        if not one.receipt_no:
            return None
        return await self._journal.ask(lambda connection: _reach(connection, one.receipt_no))


def _closed(why: str) -> str:
    if why in ("closed", "open"):
        return {"closed": "すでに完了しています。 / it is closed", "open": "完了していません。 / it is open"}[why]
    names = "、".join(_NAMES[name] for name in why.split(", "))
    return f"{names}を記入してから完了してください。 / write {why} before it is closed"


def _reach(connection: Connection, receipt_no: str) -> Reach | None:
    try:
        transfer = transfers.find(connection, receipt_no)
    except NoSuchTransferError:
        return None
    same = [other for other in search.matching(connection, Filter(sha256=transfer.sha256, limit=_MOST)) if other.id != transfer.id]
    received: list[Received] = []
    waiting: list[str] = []
    for each in (transfer, *same):
        got, waits = _who_has(connection, each)
        received += got
        waiting += waits
    others = search.matching(connection, Filter(sender=transfer.sender, limit=_MOST)) if transfer.sender else []
    late = connection.execute(select(late_hits.c.name).where(late_hits.c.transfer_id == transfer.id)).scalars()
    return Reach(tuple(received), tuple(waiting), tuple(same), len([one for one in others if one.id != transfer.id]), tuple(late))


def _who_has(connection: Connection, transfer: Transfer) -> tuple[list[Received], list[str]]:
    """By mail or share, as the deliveries say; and by hand, as the record says."""
    received, waiting = [], []
    told = [
        entry for entry in ledger.entries(connection, subject=transfer.receipt_no) if entry.action in ("delivery.result", "file.collected")
    ]
    for delivery in deliveries.of_transfer(connection, transfer.id):
        if delivery.purpose not in CARRYING:
            continue
        for one in delivery.recipients:
            if one.state is RecipientState.DELIVERED:
                received.append(Received(transfer.receipt_no, one.address, str(delivery.purpose), _told_at(told, one.address)))
            elif one.state is RecipientState.WAITING:
                waiting.append(f"{transfer.receipt_no}: {one.address}")
    for entry in told:
        if entry.action == "file.collected":
            at = dt.datetime.fromisoformat(entry.at).timestamp()
            received.append(Received(transfer.receipt_no, entry.actor, "pickup", at))
    return received, waiting


def _told_at(told: list[ledger.Entry], address: str) -> float | None:
    """When the next hop took it, as the record has it: not when it was tried before, nor when somebody of a like name got it."""
    for entry in told:
        said = json.loads(entry.detail).get("recipients", []) if entry.action == "delivery.result" else []
        if any(one["address"] == address and one["state"] == RecipientState.DELIVERED for one in said):
            return dt.datetime.fromisoformat(entry.at).timestamp()
    return None
