"""A year of a city's transfers in a database, and how long the administration's questions take: p50 and p95 of 20 askings each, of its
charts and a year's report of 3.

    python perf/search.py [--transfers 5800000] [--keep FOLDER] [--postgresql ADDRESS]

The rows are made by code from a seed and written straight into the tables, as the journal would leave them.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from sqlalchemy import Connection, Engine, Table, event, insert, inspect

from gateway.model import State
from gateway.periods import Every, Period
from gateway.reports import figures
from gateway.storage import database, postgresql, text_search
from gateway.storage import statistics as sums
from gateway.storage.disk import Disk
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.tables import rule_matches, search_texts, transfer_recipients, transfers
from sanitizers.model import Reason, Verdict

_YEAR = 365 * 86_400.0
_BEGAN = 1_764_500_000.0
_BATCH = 5_000
_DAY = 86_400.0
_ASKED = 20
_CHARTS_ASKED = 3
SUBJECTS = (
    "見積書の送付について",
    "【重要】会議資料",
    "令和8年度 予算要求",
    "Re: 打合せの日程",
    "お知らせ",
    "請求書（11月分）",
    "住民票の件",
    "工事写真の提出",
)
NAMES = ("資料.pdf", "様式第1号.docx", "予算書.xlsx", "説明会.pptx", "図面一式.zip", "写真.jpg", "message.eml", "契約書（案）.docx")
DOMAINS = ("partner.example", "pref.example.jp", "kensetsu.example.co.jp", "mail.example.ne.jp", "shimbun.example.com")
FAMILIES = ("tanaka", "suzuki", "takahashi", "sato", "watanabe", "ito", "yamamoto", "nakamura", "kobayashi", "kato")
RULES = ("Pdf_ScriptOnOpen", "Office_RemoteTemplate", "Link_NetworkShare", "Html_Smuggling", "Lure_Invoice")


FILLED = (transfers, transfer_recipients, rule_matches, search_texts)

# A transfer's row, its recipients, and a rule that matched in it.
Made = tuple[dict[str, Any], list[str], str | None]


def rows(count: int) -> Iterator[Made]:
    """From a seed: the same each time."""
    dice = random.Random(20261121)
    for number in range(1, count + 1):
        at = _BEGAN + _YEAR * number / count
        day = time.strftime("%Y%m%d", time.gmtime(at))
        sender = f"{dice.choice(FAMILIES)}{dice.randrange(3000)}@{dice.choice(DOMAINS)}"
        name = f"{dice.randrange(10_000):04d}_{dice.choice(NAMES)}"
        held = dice.random() < 0.02
        digest = hashlib.sha256(b"%d" % dice.randrange(count)).hexdigest()
        row: dict[str, Any] = {
            "id": number,
            "receipt_no": f"{day}-{number:07d}",
            "organisation": f"団体{dice.randrange(30):02d}",
            "lane": "inbound",
            "door": "smtp",
            "state": State.HELD if held else State.DELIVERED,
            "verdict": Verdict.HELD if held else Verdict.SANITIZED,
            "reason": dice.choice((Reason.ENCRYPTED, Reason.MALFORMED, Reason.POLICY)) if held else None,
            "received_at": at,
            "changed_at": at + 2,
            "sender": sender,
            "subject": f"{dice.choice(SUBJECTS)} {dice.randrange(100_000)}",
            "name": name,
            "size": dice.randrange(10**6),
            "sha256": digest,
            "result_kind": None if held else name.rsplit(".", 1)[-1].replace("jpg", "jpeg"),
            "attempts": 1,
            "client": "192.0.2.1",
            "smtputf8": False,
            "policy": "p",
            "rules": "r",
            "note": "",
        }
        recipients = [f"{dice.choice(FAMILIES)}{dice.randrange(200)}@city.example.jp" for _ in range(1 + (dice.random() < 0.2))]
        yield row, recipients, dice.choice(RULES) if dice.random() < 0.01 else None


def fill(where: Path | str, count: int) -> None:
    """Nothing here has to survive a power cut: the switches of SQLite are turned for as long as it is filled. Indexes come last."""
    engine = _sqlite(where) if isinstance(where, Path) else postgresql.writer_engine(where)
    database.migrate(engine)
    began, made = time.perf_counter(), rows(count)
    with engine.connect() as connection:
        with connection.begin():
            indexes = _taken_down(connection)
        while batch := list(itertools.islice(made, _BATCH)):
            with connection.begin():
                _insert(connection, batch)
        print(f"{count} transfers in {time.perf_counter() - began:.0f} s", flush=True)
        for made_by in indexes:
            with connection.begin():
                connection.exec_driver_sql(made_by)
        with connection.begin():
            if isinstance(where, Path):
                text_search.renew(connection)
            connection.exec_driver_sql("ANALYZE" if isinstance(where, str) else "PRAGMA optimize")
    size = f", {where.stat().st_size / 2**30:.2f} GiB" if isinstance(where, Path) else ""
    print(f"with their indexes in {time.perf_counter() - began:.0f} s{size}", flush=True)


def _taken_down(connection: Connection) -> list[str]:
    """The indexes of the tables that are filled, keys apart; how each is made again."""
    filled = ", ".join(f"'{table.name}'" for table in FILLED)
    if connection.dialect.name == "sqlite":
        asked = f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({filled})"
    else:
        asked = f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({filled}) AND indexdef NOT LIKE '%% UNIQUE %%'"
    found = connection.exec_driver_sql(asked).all()
    for name, _ in found:
        connection.exec_driver_sql(f'DROP INDEX "{name}"')
    return [str(made_by) for _, made_by in found]


def _sqlite(path: Path) -> Engine:
    database.prepare(path, Disk())
    engine = database.writer_engine(path)

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        for switch in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000", "wal_autocheckpoint=20000"):
            connection.execute(f"PRAGMA {switch}")

    return engine


def _insert(connection: Connection, batch: list[Made]) -> None:
    _put(connection, transfers, [row for row, _, _ in batch])
    addressed = [(row["id"], position, address) for row, addresses, _ in batch for position, address in enumerate(addresses)]
    _put(connection, transfer_recipients, [dict(zip(("transfer_id", "position", "address"), one, strict=True)) for one in addressed])
    _put(connection, rule_matches, [{"transfer_id": row["id"], "rule": rule, "at": row["received_at"]} for row, _, rule in batch if rule])
    texts = [(row["id"], text_search.joined(_known(row, addresses))) for row, addresses, _ in batch]
    _put(connection, search_texts, [{"transfer_id": number, "text": text} for number, text in texts])


def _put(connection: Connection, table: Table, given: list[dict[str, Any]]) -> None:
    """Rows that name the same columns, as quickly as the database takes them in."""
    if not given:
        return
    raw = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        connection.execute(insert(table), given)
        return
    columns = ", ".join(given[0])
    with raw.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in given:
            copy.write_row(tuple(row.values()))


def _known(row: dict[str, Any], addresses: list[str]) -> tuple[str, ...]:
    return row["receipt_no"], row["sender"], *addresses, row["name"], row["sha256"], row["subject"]


def questions(dice: random.Random, count: int) -> dict[str, Filter]:
    """The ten commonest; what varies is drawn anew at each asking."""
    number = dice.randrange(1, count)
    at = _BEGAN + _YEAR * number / count
    address = f"{dice.choice(FAMILIES)}{dice.randrange(200)}@city.example.jp"
    return {
        "the youngest page": Filter(),
        "receipt number": Filter(text=f"{time.strftime('%Y%m%d', time.gmtime(at))}-{number:07d}"),
        "sender": Filter(sender=f"{dice.choice(FAMILIES)}{dice.randrange(3000)}@{dice.choice(DOMAINS)}"),
        "recipient": Filter(recipient=address),
        "words of a subject": Filter(text=f"見積書 {dice.randrange(100_000)}"),
        "a common word": Filter(text="会議"),
        "part of a file name": Filter(text=f"{dice.randrange(10_000):04d}_契約書"),
        "digest": Filter(sha256=hashlib.sha256(b"%d" % dice.randrange(count)).hexdigest()),
        "held, one reason": Filter(states=(State.HELD,), reason=Reason.ENCRYPTED),
        "a rule": Filter(rule=dice.choice(RULES)),
        "one body's week": Filter(organisation=f"団体{dice.randrange(30):02d}", since=at, until=at + 7 * 86_400),
        "a word, one old week": Filter(text="会議", since=at, until=at + 7 * 86_400),
        "rare words, one month": Filter(text=f"見積書 {dice.randrange(100_000)}", since=at, until=at + 30 * 86_400),
        "one verdict's week": Filter(verdict=Verdict.HELD, since=at, until=at + 7 * 86_400),
        "one day": Filter(since=at, until=at + 86_400),
    }


async def ask(where: Path | str, count: int) -> None:
    """Processor time beside it, as waiting for others is no fault of a question's; PostgreSQL's own is not in it."""
    journal = Journal(where)
    await journal.start()
    dice, took = random.Random(7), dict[str, list[tuple[float, float]]]()
    for _ in range(_ASKED):
        for name, wanted in questions(dice, count).items():
            began, worked = time.perf_counter(), time.process_time()
            await journal.transfers(wanted)
            took.setdefault(name, []).append((time.perf_counter() - began, time.process_time() - worked))
    for name, looked in charts().items():
        for _ in range(_CHARTS_ASKED):
            began, worked = time.perf_counter(), time.process_time()
            await journal.ask(looked)
            took.setdefault(name, []).append((time.perf_counter() - began, time.process_time() - worked))
    await journal.stop()
    print(f"{'question':24} {'p50 ms':>9} {'p95 ms':>9} {'processor p50':>14}")
    for name, each in took.items():
        wall, worked_on = sorted(1000 * one for one, _ in each), sorted(1000 * one for _, one in each)
        print(f"{name:24} {statistics.median(wall):9.1f} {wall[int(0.95 * len(wall))]:9.1f} {statistics.median(worked_on):14.1f}")


def charts() -> dict[str, Callable[[Connection], object]]:
    """What the overview asks for, and a report of the fiscal year."""
    until = _BEGAN + _YEAR
    month, year = until - 30 * _DAY, Period(Every.YEAR, "", until - _YEAR, until)
    return {
        "chart of a day": lambda connection: sums.over_time(connection, until - _DAY, 3_600.0, 24),
        "chart of 30 days": lambda connection: sums.over_time(connection, month, _DAY, 30),
        "ranks of 30 days": lambda connection: sums.ranks(connection, month, until, 8),
        "a fiscal year's figures": lambda connection: figures.gathered(connection, year, year, rows=True),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transfers", type=int, default=200_000)
    parser.add_argument("--keep", type=Path, help="folder in which the database stays for the next time")
    parser.add_argument("--postgresql", default="", help="an empty database, or one that was filled before")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (arguments.keep or Path(folder)) / "sekisho.db"
        where = arguments.postgresql or path
        if not _filled(where):
            fill(where, arguments.transfers)
        asyncio.run(ask(where, arguments.transfers))


def _filled(where: Path | str) -> bool:
    if isinstance(where, Path):
        return where.exists()
    with postgresql.reader_engine(where).begin() as connection:
        return inspect(connection).has_table("transfers")


if __name__ == "__main__":
    main()
