"""`sekisho serve`: the service, all roles in one process tree or some of them. SIGTERM drains, SIGHUP reads rules and policy again."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

import uvloop

from gateway import config
from gateway.commands import Failure, Usage
from gateway.config import Config
from gateway.house import ROLES, House
from gateway.road import memory
from gateway.storage.faults import StorageError
from gateway.telemetry import log

_log = log.get(__name__)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("serve", help="起動する / run the service")
    command.add_argument("--config", type=Path, metavar="FILE")
    command.add_argument("--role", default=",".join(ROLES), metavar="ROLES", help=f"some of {','.join(ROLES)}")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    roles = frozenset(role.strip() for role in arguments.role.split(","))
    if unknown := roles - set(ROLES):
        raise Usage(f"--role: {', '.join(sorted(unknown))}: not a role; there are {', '.join(ROLES)}")
    settings = config.load(arguments.config)
    warning = {} if settings["jail.required"] else {"jail": "NOT REQUIRED, development only"}
    log.start(settings["service.log_level"], **warning)
    memory.keep_out_of_dumps()
    memory.give_back()
    try:
        uvloop.run(_serve(settings, roles))
    except (StorageError, OSError) as error:
        raise Failure(str(error)) from None
    return 0


async def _serve(settings: Config, roles: frozenset[str]) -> None:
    house, stop, loop = House(settings, roles), asyncio.Event(), asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(house.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    await house.serve(stop, lambda: _log.info("serving", roles=sorted(roles)))
