"""A year of a city's transfers in a database, and how long the administration's questions take (p50 and p95 of 20 askings each).

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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import Connection, Engine, event, insert, inspect

from gateway.model import State
from gateway.storage import database, postgresql, text_search
from gateway.storage.disk import Disk
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.tables import rule_matches, transfer_recipients, transfers
from sanitizers.model import Reason, Verdict

_YEAR = 365 * 86_400.0
_BEGAN = 1_764_500_000.0
_BATCH = 5_000
_ASKED = 20
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
    """Nothing here has to survive a power cut: the switches of SQLite are turned for as long as it is filled."""
    engine = _sqlite(where) if isinstance(where, Path) else postgresql.writer_engine(where)
    database.migrate(engine)
    began, made = time.perf_counter(), rows(count)
    with engine.connect() as connection:
        while batch := list(itertools.islice(made, _BATCH)):
            with connection.begin():
                _insert(connection, batch)
    if isinstance(where, str):
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    size = f", {where.stat().st_size / 2**30:.2f} GiB" if isinstance(where, Path) else ""
    print(f"{count} transfers in {time.perf_counter() - began:.0f} s{size}", flush=True)


def _sqlite(path: Path) -> Engine:
    database.prepare(path, Disk())
    engine = database.writer_engine(path)

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        for switch in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000", "wal_autocheckpoint=20000"):
            connection.execute(f"PRAGMA {switch}")

    return engine


def _insert(connection: Connection, batch: list[Made]) -> None:
    connection.execute(insert(transfers), [row for row, _, _ in batch])
    connection.execute(insert(transfer_recipients), [
        {"transfer_id": row["id"], "position": position, "address": address}
        for row, addresses, _ in batch for position, address in enumerate(addresses)
    ])  # fmt: skip
    matched = [{"transfer_id": row["id"], "rule": rule, "at": row["received_at"]} for row, _, rule in batch if rule]
    if matched:
        connection.execute(insert(rule_matches), matched)
    text_search.put_new(connection, [(row["id"], _known(row, addresses)) for row, addresses, _ in batch])


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
    journal = Journal(where)
    await journal.start()
    dice, took = random.Random(7), {name: list[float]() for name in questions(random.Random(1), count)}
    for _ in range(_ASKED):
        for name, wanted in questions(dice, count).items():
            began = time.perf_counter()
            await journal.transfers(wanted)
            took[name].append(1000 * (time.perf_counter() - began))
    await journal.stop()
    print(f"{'question':24} {'p50 ms':>9} {'p95 ms':>9}")
    for name, each in took.items():
        print(f"{name:24} {statistics.median(each):9.1f} {sorted(each)[int(0.95 * len(each))]:9.1f}")


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
