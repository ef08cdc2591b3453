"""ログ点検: five questions to the record that the policies ask for, each with what it shows and why; pure but for the question itself.

noticed = await inspect(journal, BY_NAME["failures"], period, customs)
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from gateway.auditing.events import EVENTS, Class, said
from gateway.holidays import holiday
from gateway.model import rfc3339
from gateway.periods import Period
from gateway.storage import ledger
from gateway.storage.journal import Journal
from gateway.storage.ledger import Entry

_MOST: Final = 100_000
_SHOWN: Final = 160
_SATURDAY: Final = 5
_MACHINES: Final = frozenset({"road", "sekisho", "retention"})


class Customs(NamedTuple):
    """What is usual: office hours in minutes since midnight, the numbers from which something is much, and the days (month, day) on
    which the office is closed besides Saturdays, Sundays and holidays."""

    begins: int = 8 * 60 + 30
    ends: int = 17 * 60 + 15
    failures: int = 5
    downloads: int = 50
    closed: frozenset[tuple[int, int]] = frozenset()


USUAL: Final = Customs()


class Noticed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody should look at. `at` and `last`: the first and the last moment, RFC 3339 in the installation's own time."""

    at: str
    last: str
    actor: str
    what: str
    about: str
    count: int
    detail: str


class Inspection(NamedTuple):
    """One question. `actions`: what it looks through; `judge` picks."""

    name: str
    ja: str
    en: str
    why: str
    actions: tuple[str, ...]
    judge: Callable[[Sequence[Entry], Customs], list[Noticed]]


async def inspect(journal: Journal, inspection: Inspection, period: Period, customs: Customs) -> list[Noticed]:
    """The oldest first."""
    entries = await journal.ask(
        lambda connection: ledger.deeds(connection, inspection.actions, since=period.since, until=period.until, limit=_MOST)
    )
    return inspection.judge([entry for entry in entries if entry.actor not in _MACHINES], customs)


# -------------------------------------------------------------------------------------------------------------- judges


def _local(entry: Entry) -> dt.datetime:
    return dt.datetime.fromisoformat(entry.at).astimezone()


def _said_at(entry: Entry) -> str:
    """In the installation's own time: what is after hours has to look so."""
    return rfc3339(_local(entry).timestamp())


def _after_hours(entries: Sequence[Entry], customs: Customs) -> list[Noticed]:
    """On Saturdays, Sundays, holidays and days on which the office is closed, and outside of office hours."""
    return [_one(entry) for entry in entries if _outside(_local(entry), customs)]


def _outside(at: dt.datetime, customs: Customs) -> bool:
    free = at.weekday() >= _SATURDAY or bool(holiday(at.date())) or (at.month, at.day) in customs.closed
    return free or not customs.begins <= at.hour * 60 + at.minute < customs.ends


def _many_failures(entries: Sequence[Entry], customs: Customs) -> list[Noticed]:
    """Of one account, or from one address, on one day."""
    grouped: dict[tuple[str, dt.date], list[Entry]] = defaultdict(list)
    for entry in entries:
        day = _local(entry).date()
        grouped[entry.subject or entry.actor, day].append(entry)
        if client := str(json.loads(entry.detail).get("client", "")):
            grouped[client, day].append(entry)
    return [_several(group, who) for (who, _), group in grouped.items() if len(group) >= customs.failures]


def _each(entries: Sequence[Entry], _: Customs) -> list[Noticed]:
    return [_one(entry) for entry in entries]


def _many_downloads(entries: Sequence[Entry], customs: Customs) -> list[Noticed]:
    """Of one person on one day; whatever takes many at once or an original out, each time."""
    grouped: dict[tuple[str, dt.date], list[Entry]] = defaultdict(list)
    noticed = []
    for entry in entries:
        if entry.action == "file.collected":
            grouped[entry.actor, _local(entry).date()].append(entry)
        else:
            noticed.append(_one(entry))
    noticed += [_several(group, group[0].actor) for group in grouped.values() if len(group) >= customs.downloads]
    return sorted(noticed, key=lambda one: one.at)


def _one(entry: Entry) -> Noticed:
    detail = entry.detail if len(entry.detail) <= _SHOWN else entry.detail[:_SHOWN] + "…"
    return Noticed(
        at=_said_at(entry),
        last=_said_at(entry),
        actor=entry.actor,
        what=said(entry.action),
        about=entry.subject,
        count=1,
        detail="" if detail == "{}" else detail,
    )


def _several(entries: Sequence[Entry], who: str) -> Noticed:
    first, last = entries[0], entries[-1]
    about = ", ".join(dict.fromkeys(entry.subject for entry in entries))
    return Noticed(
        at=_said_at(first),
        last=_said_at(last),
        actor=who,
        what=said(first.action),
        about=about if len(about) <= _SHOWN else about[:_SHOWN] + "…",
        count=len(entries),
        detail="",
    )


# --------------------------------------------------------------------------------------------------------------- table

_POWER: Final = tuple(
    name for name, event in EVENTS.items() if event.of in (Class.PRIVILEGE, Class.POLICY) and not name.startswith(("absence.", "factor."))
)
_HANDS: Final = ("transfer.released", "transfer.held", "transfer.disposed", "transfer.processing", "emergency.", "original.taken")
_TAKEN: Final = ("file.collected", "transfers.exported", "audit.exported", "guarded.exported", "original.taken")

INSPECTIONS: Final = (
    Inspection("after_hours", "時間外の管理操作", "administration after hours",
               "職員の勤務時間外に行われた特権・ルール・保留品の操作", (*_POWER, *_HANDS), _after_hours),
    Inspection("failures", "繰り返されたログイン失敗", "repeated failures to log in",
               "同じ利用者または同じ端末から1日に多数回失敗したログイン", ("login.failed",), _many_failures),
    Inspection("self_approvals", "自己承認（止むを得ない場合）", "approved alone",
               "別の人の承認を経ずに進めたもの。すべて表示します", ("request.approved_alone",), _each),
    Inspection("exceptions", "例外措置の許可と適用", "exceptions granted and used",
               "例外措置の許可、取消し、適用。すべて表示します", ("exception.",), _each),
    Inspection("downloads", "大量の受取り・出力", "mass downloads",
               "1日に多数のファイルを受け取った利用者、一覧や原本の取出し", _TAKEN, _many_downloads),
)  # fmt: skip
BY_NAME: Final[Mapping[str, Inspection]] = {one.name: one for one in INSPECTIONS}
