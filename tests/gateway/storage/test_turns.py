"""Whose turn it is: organisations take turns whatever they bring, small goes before large, and nobody waits for ever."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.dialects import postgresql

from gateway.model import Claim
from gateway.storage import database, transfers, turns
from gateway.storage.disk import Disk
from tests.build.transfer import NOW, arrival

MIB = 1 << 20


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    path = tmp_path / "sekisho.db"
    database.prepare(path, Disk())
    engine = database.writer_engine(path)
    database.migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        yield connection


def bring(connection: Connection, organisation: str, count: int = 1, *, at: float = NOW, size: int = 1000) -> list[int]:
    given = arrival(organisation=organisation, received_at=at, size=size, recipients=())
    return [transfers.accept(connection, given)[0] for _ in range(count)]


def claim(connection: Connection, limit: int = 1, weights: Mapping[str, float] | None = None) -> list[Claim]:
    return transfers.claim(connection, limit, NOW, NOW + 60, weights or {})


def organisations(claims: list[Claim]) -> list[str]:
    return [one.transfer.organisation for one in claims]


def test_organisations_take_turns(connection: Connection) -> None:
    bring(connection, "A", 20)
    bring(connection, "B", 20)
    bring(connection, "", 20)
    assert Counter(organisations(claim(connection, 30))) == {"A": 10, "B": 10, "": 10}
    one_by_one = [organisations(claim(connection))[0] for _ in range(6)]
    assert Counter(one_by_one) == {"A": 2, "B": 2, "": 2}


def test_an_organisation_alone_has_all_turns(connection: Connection) -> None:
    ids = bring(connection, "A", 5)
    assert [one.transfer.id for one in claim(connection, 9)] == ids


def test_weights_are_turns(connection: Connection) -> None:
    bring(connection, "A", 60)
    bring(connection, "B", 60)
    assert Counter(organisations(claim(connection, 40, {"A": 3.0}))) == {"A": 30, "B": 10}


def test_who_was_away_has_saved_nothing_up(connection: Connection) -> None:
    bring(connection, "A", 200)
    claim(connection, 100)
    bring(connection, "B", 50)
    got = Counter(organisations(claim(connection, 40)))
    assert abs(got["A"] - got["B"]) <= 1


def test_who_had_much_and_rested_is_not_punished_for_ever(connection: Connection) -> None:
    bring(connection, "A", 50)
    claim(connection, 50)
    bring(connection, "B", 50)
    claim(connection, 50)
    bring(connection, "A", 20)
    bring(connection, "B", 20)
    assert Counter(organisations(claim(connection, 20)))["A"] >= 9


def test_large_ones_cost_more_turns(connection: Connection) -> None:
    bring(connection, "A", 30, size=9 * MIB)
    bring(connection, "B", 300)
    got = Counter(organisations(claim(connection, 110)))
    assert got["B"] > 8 * got["A"], "each of A is worth ten of B"


def test_small_before_large_and_large_in_its_time(connection: Connection) -> None:
    (large,) = bring(connection, "A", size=30 * MIB, at=NOW)
    (soon,) = bring(connection, "A", at=NOW + 30)
    (late,) = bring(connection, "A", at=NOW + 90)
    assert [one.transfer.id for one in claim(connection, 9)] == [soon, large, late]


def test_the_largest_waits_ten_minutes_at_most() -> None:
    assert turns.turn(NOW, 1 << 40) == NOW + 600
    assert turns.turn(NOW, MIB - 1) == NOW


def test_what_was_put_back_is_next_in_its_organisation(connection: Connection) -> None:
    first, second = bring(connection, "A", 2)
    (given,) = claim(connection)
    transfers.put_back(connection, given, NOW + 5, "lost", None)
    assert [one.transfer.id for one in claim(connection, 2)] == [first, second]


def test_the_questions_go_along_the_index(connection: Connection) -> None:
    """However many wait, a claim reads as many rows as it takes."""
    bring(connection, "A", 3)
    plan = "\n".join(str(row) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {turns.ORGANISATIONS['sqlite'].text}")))
    assert plan.count("ix_transfers_waiting") == 2
    assert "SCAN transfers\n" not in plan
    asked: list[str] = []
    original = turns._first

    def first(connection: Connection, organisation: str, limit: int) -> list[object]:
        statement = "SELECT * FROM transfers WHERE state = 'received' AND organisation = 'A' ORDER BY turn, id LIMIT 1"
        asked.extend(str(row) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {statement}")))
        return original(connection, organisation, limit)  # type: ignore[return-value]

    first(connection, "A", 1)
    assert "ix_transfers_waiting" in asked[0]
    assert "TEMP B-TREE" not in " ".join(asked)


def test_on_postgresql_two_claims_at_once_get_rows_of_their_own() -> None:
    from sqlalchemy import select

    from gateway.storage.tables import transfers as table
    from gateway.storage.tables.travel import WAITING

    statement = select(table.c.id).where(WAITING).with_for_update(skip_locked=True)
    assert "FOR UPDATE SKIP LOCKED" in str(statement.compile(dialect=postgresql.dialect()))


# ------------------------------------------------------------------------------------------------------------- the flood


def simulated(engine: Engine, flood: int, *, lanes: int = 2, mails: int = 150) -> float:
    """95th percentile of the time from arrival to end of the transfers of B, each of which takes 0.5 to 1.5 to work on."""
    chance = random.Random(7)
    arrivals = sorted(NOW + chance.uniform(0, mails * 4) for _ in range(mails))
    came: dict[int, float] = {}
    took: list[float] = []
    with engine.begin() as connection:
        if flood:
            bring(connection, "A", flood)
        busy: list[float] = []
        free, at = lanes, NOW
        while len(took) < mails:
            while arrivals and arrivals[0] <= at:
                (new,) = bring(connection, "B", at=arrivals.pop(0))
                came[new] = at
            for one in claim(connection, free):
                ends = at + chance.uniform(0.5, 1.5)
                heapq.heappush(busy, ends)
                free -= 1
                if one.transfer.organisation == "B":
                    took.append(ends - one.transfer.received_at)
            at = min([*busy[:1], *arrivals[:1]], default=at)
            while busy and busy[0] <= at:
                heapq.heappop(busy)
                free += 1
    return sorted(took)[int(len(took) * 0.95)]


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[str], Engine]:
    def make(name: str) -> Engine:
        database.prepare(tmp_path / name, Disk())
        engine = database.writer_engine(tmp_path / name)
        database.migrate(engine)
        return engine

    return make


def test_a_flood_of_one_at_most_doubles_the_time_of_another(fresh: Callable[[str], Engine]) -> None:
    quiet = simulated(fresh("quiet.db"), 0)
    flooded = simulated(fresh("flooded.db"), 2_000)
    assert flooded <= 2 * quiet, (quiet, flooded)
