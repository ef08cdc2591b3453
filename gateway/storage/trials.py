"""Back-tests that were asked for: one row each, taken by whoever works, begun anew when he is lost. Inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from gateway.storage import ledger
from gateway.storage.publishing import NotNowError, Version, in_force
from gateway.storage.tables import backtest_differences, backtests


class TrialState(StrEnum):
    """Where a back-test stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


_UNFINISHED: Final = (TrialState.WAITING, TrialState.RUNNING)


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One back-test of a version. `since`: transfers received from then on; `summary`: JSON, `gateway.publishing.backtest.Summary`."""

    id: int
    version_id: int
    against: int | None
    state: TrialState
    asked_by: str
    asked_at: float
    since: float
    ended_at: float | None
    done: int
    total: int
    summary: str


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer that would have gone another way, or one clean sample (`transfer_id` is None) that would not pass as clean."""

    transfer_id: int | None
    name: str
    organisation: str
    new: tuple[str, ...]
    lost: tuple[str, ...]
    before: str | None
    after: str


class NoSuchTrialError(Exception):
    """No back-test of that number."""


def ask(connection: Connection, version: Version, *, since: float, at: float, actor: str) -> Trial:
    """Raises NotNowError when one of this version is under way, or the version is closed."""
    if not version.open:
        raise NotNowError(f"{version.stage} の版です / this version is {version.stage}")
    running = select(backtests.c.id).where(backtests.c.version_id == version.id, backtests.c.state.in_(_UNFINISHED))
    if connection.execute(running).first() is not None:
        raise NotNowError("この版の試行はすでに始まっています / a back-test of this version is under way")
    standing = in_force(connection, version.subject)
    row = {
        "version_id": version.id,
        "against": None if standing is None else standing.id,
        "state": TrialState.WAITING,
        "asked_by": actor,
        "asked_at": at,
        "since": since,
        "done": 0,
        "total": 0,
        "summary": "{}",
    }
    added = connection.execute(insert(backtests).returning(backtests.c.id), row).scalar_one()
    action, about = f"{version.subject}.backtest", f"{version.subject}-{version.id}"
    ledger.append(connection, at=at, actor=actor, action=action, subject=about, detail={"backtest": added, "since": since})
    return load(connection, added)


def claim(connection: Connection, *, at: float, lease_until: float, trial_id: int | None = None) -> Trial | None:
    """The oldest that waits, or one whose worker was lost; it begins anew."""
    lost = (backtests.c.state == TrialState.RUNNING) & (backtests.c.lease_until < at)
    wanted = or_(backtests.c.state == TrialState.WAITING, lost)
    if trial_id is not None:
        wanted = wanted & (backtests.c.id == trial_id)
    found = connection.execute(select(backtests.c.id).where(wanted).order_by(backtests.c.id).limit(1)).scalar_one_or_none()
    if found is None:
        return None
    connection.execute(delete(backtest_differences).where(backtest_differences.c.backtest_id == found))
    begun = {"state": TrialState.RUNNING, "lease_until": lease_until, "done": 0, "total": 0, "summary": "{}"}
    connection.execute(update(backtests).where(backtests.c.id == found).values(begun))
    return load(connection, found)


def progress(
    connection: Connection, trial_id: int, found: Sequence[Changed], *, done: int, total: int, summary: str, lease_until: float
) -> bool:
    """What was found since the last time. False: somebody stopped it, or it is another's now, and nothing was written."""
    running = (backtests.c.id == trial_id) & (backtests.c.state == TrialState.RUNNING)
    values = {"done": done, "total": total, "summary": summary, "lease_until": lease_until}
    if connection.execute(update(backtests).where(running).values(values)).rowcount != 1:
        return False
    rows = [_row(trial_id, one) for one in found]
    if rows:
        connection.execute(insert(backtest_differences), rows)
    return True


def end(connection: Connection, trial_id: int, state: TrialState, *, at: float, summary: str) -> None:
    """Of what runs; what was stopped stays so."""
    running = (backtests.c.id == trial_id) & (backtests.c.state == TrialState.RUNNING)
    connection.execute(update(backtests).where(running).values(state=state, ended_at=at, summary=summary, lease_until=None))


def stop(connection: Connection, trial_id: int, *, at: float, actor: str) -> Trial:
    """Raises NoSuchTrialError, NotNowError when it has ended."""
    trial = load(connection, trial_id)
    if trial.state not in _UNFINISHED:
        raise NotNowError(f"試行は終わっています / this back-test is {trial.state}")
    connection.execute(update(backtests).where(backtests.c.id == trial_id).values(state=TrialState.STOPPED, ended_at=at, lease_until=None))
    ledger.append(connection, at=at, actor=actor, action="backtest.stop", subject=f"backtest-{trial_id}", detail={"done": trial.done})
    return load(connection, trial_id)


# -------------------------------------------------------------------------------------------------------------- asking


def load(connection: Connection, trial_id: int) -> Trial:
    """Raises NoSuchTrialError."""
    row = connection.execute(select(backtests).where(backtests.c.id == trial_id)).one_or_none()
    if row is None:
        raise NoSuchTrialError(f"no back-test {trial_id}")
    return _trial(row)


def of_version(connection: Connection, version_id: int) -> list[Trial]:
    """The youngest first."""
    rows = connection.execute(select(backtests).where(backtests.c.version_id == version_id).order_by(backtests.c.id.desc()))
    return [_trial(row) for row in rows]


def finished(connection: Connection, version_id: int) -> bool:
    """Whether one ran to its end."""
    done = select(backtests.c.id).where(backtests.c.version_id == version_id, backtests.c.state == TrialState.DONE)
    return connection.execute(done).first() is not None


def differences(connection: Connection, trial_id: int, *, limit: int) -> list[Changed]:
    """In the order in which they were found."""
    statement = select(backtest_differences).where(backtest_differences.c.backtest_id == trial_id)
    rows = connection.execute(statement.order_by(backtest_differences.c.id).limit(limit))
    return [
        Changed(
            transfer_id=row.transfer_id,
            name=row.name,
            organisation=row.organisation,
            new=tuple(msgspec.json.decode(row.new)),
            lost=tuple(msgspec.json.decode(row.lost)),
            before=row.before,
            after=row.after,
        )
        for row in rows
    ]


def _row(trial_id: int, one: Changed) -> dict[str, Any]:
    names = {side: msgspec.json.encode(getattr(one, side)).decode() for side in ("new", "lost")}
    return msgspec.structs.asdict(one) | names | {"backtest_id": trial_id}


def _trial(row: Row[Any]) -> Trial:
    known = {name: getattr(row, name) for name in Trial.__struct_fields__}
    return Trial(**known | {"state": TrialState(row.state)})
