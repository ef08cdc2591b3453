"""`sekisho box list|quota`: how full boxes (受取箱) are, and what one may hold beyond what the settings say."""

from __future__ import annotations

import argparse
import getpass
import time
from typing import Final

import uvloop
from sqlalchemy import Connection

from gateway import config, fittings
from gateway.commands import Failure, Usage, stores
from gateway.model import DEPARTMENT, GROUP
from gateway.road.boxes import Fill
from gateway.storage import boxes as rows
from gateway.storage import people
from gateway.storage.accounts import by_login

_DEFAULT: Final = "default"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("box", help="受取箱 / boxes")
    command.add_argument("what", choices=("list", "quota"))
    command.add_argument("box", nargs="?", metavar="BOX", help="a log-in name, or the name of a department or a group")
    command.add_argument("size", nargs="?", metavar="SIZE", help=f"such as 50 GiB; 0: any number; {_DEFAULT}: that of the settings")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.what == "quota" and not (arguments.box and arguments.size):
        raise Usage("box quota: which BOX, and what SIZE?")
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with stores.opened(arguments) as (settings, journal, _blobs):
        if arguments.what == "list":
            found = await fittings.boxes(settings, journal, time.time).above(0)
            for one in sorted(found, key=lambda one: -one.percent):
                line = f"{one.address:<24} {one.used:>16,} {one.quota:>18,} {one.percent:>4}%  {one.title}"
                stores.say(_row(one), line, as_json=arguments.json)
            return 0
        quota, actor = _quota(arguments.size), f"command:{getpass.getuser()}"

        def limited(connection: Connection) -> None:
            rows.limit(connection, _address(connection, arguments.box), quota, at=time.time(), actor=actor)

        await journal.write(limited)
    return 0


def _row(one: Fill) -> dict[str, object]:
    return {"box": one.address, "title": one.title, "used": one.used, "quota": one.quota, "percent": one.percent}


def _quota(text: str) -> int | None:
    try:
        return None if text == _DEFAULT else config.size(text)
    except ValueError as error:
        raise Usage(f"SIZE: {error}") from None


def _address(connection: Connection, name: str) -> str:
    """Raises Failure."""
    if by_login(connection, name) is not None:
        return name
    if (found := people.department_named(connection, name)) is not None:
        return f"{DEPARTMENT}{found.id}"
    if (group := rows.group_named(connection, name)) is not None:
        return f"{GROUP}{group}"
    raise Failure(f"{name}: no such person, department or group")
