"""The same journal on PostgreSQL, for several nodes: engines, and the switches that are read back from every connection.

A transaction has the journal to itself, as with SQLite, or shares it with others that are narrow (`gateway.storage.narrow`): each takes
the same advisory lock first, alone or shared. So the record stays one chain over all nodes, and nothing above has to know how many
there are.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg.abc import Buffer
from psycopg.types.string import StrDumper
from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool, QueuePool

from gateway.storage import narrow
from gateway.storage.faults import JournalUnavailableError

SCHEME: Final = "postgresql://"
_PORT: Final = 5432
_CONNECT_SECONDS: Final = 10
# A line that was cut without a word is noticed so soon, not after the quarter of an hour that TCP tries by itself (tcp(7)).
ALIVE: Final = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
_READERS: Final = 10
# A transaction that its process forgot (SIGSTOP, a lost machine) would keep every other writer out.
_FORGOTTEN: Final = "10s"
# Commits that are not flushed to disk before they are answered are lost mails.
_DURABLE: Final = frozenset({"on", "remote_apply", "remote_write", "local"})
_LEAST_VERSION: Final = 150_000


def writer_engine(url: str) -> Engine:
    """For the one thread of this process that writes. Raises JournalUnavailableError for an address that is none."""
    engine = _engine(url, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        how = "" if narrow.put_off(connection) is None else "_shared"
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock{how}({narrow.WIDE})")

    return engine


def reader_engine(url: str) -> Engine:
    """For everybody else: transactions that see one moment and cannot write."""
    return _engine(
        url,
        poolclass=QueuePool,
        pool_size=_READERS,
        pool_pre_ping=True,
        execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    )


def servers(url: str) -> list[tuple[str, int]]:
    """Host and port of every server that an address names: it may name several, and none where a socket of this machine is meant.

    Raises JournalUnavailableError for an address that is none.
    """
    address = _address(url)
    try:
        told = address.get_dialect()().create_connect_args(address)[1]
        hosts, ports = (str(told.get(name) or "").split(",") for name in ("host", "port"))
        usual = [int(port or _PORT) for port in ports]
    except (ArgumentError, ValueError):
        raise JournalUnavailableError("database: not an address") from None
    places = zip(hosts, usual if len(usual) == len(hosts) else usual[:1] * len(hosts), strict=True)
    return [(host, port) for host, port in places if host and not host.startswith("/")]


def _address(url: str) -> URL:
    try:
        return make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise JournalUnavailableError("database: not an address") from None


def _engine(url: str, **options: Any) -> Engine:
    address = _address(url)
    # No compiling of questions: it takes seconds where the answer takes a tenth of one.
    told = {"connect_timeout": _CONNECT_SECONDS, "application_name": "sekisho", **ALIVE,
            "options": f"-c idle_in_transaction_session_timeout={_FORGOTTEN} -c timezone=UTC -c jit=off"}  # fmt: skip
    engine = create_engine(address, connect_args=told, **options)

    @event.listens_for(engine, "connect")
    def connected(connection: psycopg.Connection[Any], _: object) -> None:
        connection.adapters.register_dumper(str, _Text)
        with connection.cursor() as cursor:
            for switch, right in (("fsync", {"on"}), ("full_page_writes", {"on"}), ("synchronous_commit", _DURABLE)):
                if (seen := _shown(cursor, switch)) not in right:
                    raise JournalUnavailableError(f"database: {switch} is {seen}, must be {' or '.join(sorted(right))}")
            if connection.info.server_version < _LEAST_VERSION:
                raise JournalUnavailableError("database: PostgreSQL 15 or later is needed")
        connection.rollback()

    return engine


class _Text(StrDumper):
    """What no text of PostgreSQL can hold, a question or a name may have: a NUL, a half surrogate. SQLite takes them as they are."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd").encode("utf-8", "replace").decode())


def _shown(cursor: psycopg.Cursor[Any], switch: str) -> str:
    cursor.execute("SELECT current_setting(%s)", (switch,))
    row = cursor.fetchone()
    return str(row[0]) if row is not None else ""


def in_transaction(connection: PoolProxiedConnection) -> bool:
    """Whether the server still has the transaction open, be it one that has to be rolled back to a savepoint."""
    raw = connection.driver_connection
    return isinstance(raw, psycopg.Connection) and raw.info.transaction_status in (
        psycopg.pq.TransactionStatus.INTRANS,
        psycopg.pq.TransactionStatus.INERROR,
    )
