"""Which nodes are at work on a journal that several share. Each says every quarter of a minute that it is there, by the database's clock.

A node that has said nothing for two minutes, longer than a stop takes, is lost, and what it had in hand goes back into the queue without
waiting for the leases to run out. That is safe also when it only slept: its tokens are not valid any more, and what it writes late is
fenced off.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.storage.faults import StorageError
from gateway.storage.tables import nodes
from gateway.telemetry import log

if TYPE_CHECKING:
    from gateway.storage.journal import Journal

_log = log.get(__name__)

# How the lease tokens of this process begin.
PROCESS: Final = secrets.token_hex(4)
LENGTH: Final = len(PROCESS)
_BEAT_SECONDS: Final = 15.0
_LOST_SECONDS: Final = 120.0
_FORGOTTEN_SECONDS: Final = 86_400.0
# Of the database: the clocks of the nodes may differ.
_NOW: Final = text("extract(epoch FROM clock_timestamp())::double precision")


class Node(NamedTuple):
    """Times in seconds since 1970; `lost`: it has said nothing for two minutes."""

    process: str
    name: str
    roles: str
    version: str
    started_at: float
    seen_at: float
    lost: bool


def token() -> str:
    """Of a new lease of this process."""
    return PROCESS + secrets.token_hex(12)


def beat(connection: Connection, roles: str, version: str) -> None:
    at = connection.execute(select(_NOW)).scalar_one()
    row = {"process": PROCESS, "name": socket.gethostname(), "roles": roles, "version": version, "started_at": at, "seen_at": at}
    connection.execute(insert(nodes).values(row).on_conflict_do_update(index_elements=["process"], set_={"seen_at": at}))


def all_of_them(connection: Connection) -> list[Node]:
    """None with SQLite, where one process tree is the whole installation."""
    if connection.dialect.name != "postgresql":
        return []
    at: float = connection.execute(select(_NOW)).scalar_one()
    rows = connection.execute(select(nodes).order_by(nodes.c.name, nodes.c.started_at))
    return [
        Node(row.process, row.name, row.roles, row.version, row.started_at, row.seen_at, row.seen_at < at - _LOST_SECONDS) for row in rows
    ]


def lost(connection: Connection) -> list[str]:
    """The beginnings of tokens that are not valid any more."""
    return [node.process for node in all_of_them(connection) if node.lost]


def forget(connection: Connection, processes: Iterable[str]) -> None:
    """After what they had in hand was returned, and a day later, so that it can be seen that they were lost."""
    old = nodes.c.process.in_(list(processes)) & (nodes.c.seen_at < func.extract("epoch", func.now()) - _FORGOTTEN_SECONDS)
    connection.execute(delete(nodes).where(old))


async def keep(journal: Journal, roles: str, version: str) -> None:
    """For ever, while the node is at work."""

    def say(connection: Connection) -> None:
        beat(connection, roles, version)
        forget(connection, lost(connection))

    while True:
        try:
            await journal.write(say, narrow=True)
        except StorageError as error:
            _log.warning("the other nodes do not hear of this one", error=str(error))
        await asyncio.sleep(_BEAT_SECONDS)
