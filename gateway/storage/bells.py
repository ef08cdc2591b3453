"""Between nodes: who takes something in or lets something go rings, and every node wakes. LISTEN and NOTIFY of PostgreSQL.

A bell says nothing but "look": what there is stands in the tables. So one that is not heard costs only the time until the next look, which
everybody takes now and then all the same. With SQLite there is one process tree, and it wakes itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, make_url, text

from gateway.storage.narrow import put_off
from gateway.storage.postgresql import ALIVE
from gateway.telemetry import log

_log = log.get(__name__)

_AGAIN_SECONDS: Final = 2.0
_CONNECT_SECONDS: Final = 10


class Bell(StrEnum):
    """What there is to look for."""

    WORK = "sekisho_work"       # something was taken in, or went back into the queue
    POST = "sekisho_post"       # something is to be delivered


def ring(connection: Connection, bell: Bell) -> None:
    """Heard once the transaction is committed, and only then."""
    if connection.dialect.name != "postgresql":
        return
    if (later := put_off(connection)) is not None:
        later.add(_ring, bell)
    else:
        _ring(connection, [bell])


def _ring(connection: Connection, bells: list[Bell]) -> None:
    for bell in dict.fromkeys(bells):
        connection.execute(text("SELECT pg_notify(:bell, '')"), {"bell": bell})


async def connected(url: str, **options: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
    """A connection of its own, outside of every transaction. Raises psycopg.Error."""
    said = " ".join(f"-c {name}={value}" for name, value in options.items())
    address = make_url(url).set(drivername="postgresql+psycopg")
    dialect: Any = address.get_dialect()()
    told: dict[str, Any] = dialect.create_connect_args(address)[1]
    told |= {"connect_timeout": _CONNECT_SECONDS, "application_name": "sekisho", "options": said, **ALIVE}
    return await psycopg.AsyncConnection.connect(make_conninfo("", **told), autocommit=True)


async def listen(url: str, wake: Mapping[Bell, Callable[[], None]]) -> None:
    """For ever. Whatever rang while nobody could hear is looked for at the next connection."""
    while True:
        try:
            async with await connected(url) as connection:
                for bell in wake:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(bell)))
                for call in wake.values():
                    call()
                async for notice in connection.notifies():
                    wake[Bell(notice.channel)]()
        except psycopg.Error as error:
            _log.warning("the other nodes are not heard; work is looked for now and then", error=str(error))
        await asyncio.sleep(_AGAIN_SECONDS)
