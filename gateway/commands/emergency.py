"""`sekisho emergency stop|resume|status`: 緊急停止 of intake, delivery or both, 中継停止 of a sender, at once and for every process."""

from __future__ import annotations

import argparse
import getpass
import time

import uvloop

from gateway.commands import Usage, stores
from gateway.model import rfc3339
from gateway.storage import senders
from gateway.storage.halts import Halt
from gateway.storage.journal import Journal


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("emergency", help="緊急停止と再開、差出人の中継停止 / stop intake, delivery or a sender at once, resume")
    command.add_argument("what", choices=("stop", "resume", "status"))
    command.add_argument("which", nargs="?", choices=("both", *(str(halt) for halt in Halt)), default="both")
    command.add_argument("--sender", default="", metavar="ADDRESS", help="mail of this sender alone: taken in and held")
    command.add_argument("--reason", default="", metavar="TEXT", help="why; kept in the audit record")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.what == "stop" and not arguments.reason:
        raise Usage("emergency stop: why? (--reason)")
    if arguments.sender and (arguments.which != "both" or "@" not in arguments.sender):
        raise Usage("emergency --sender: one address, and nothing else beside it")
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with stores.opened(arguments) as (_, journal, _blobs):
        actor, at = f"command:{getpass.getuser()}", time.time()
        if arguments.sender:
            await _sender(journal, arguments, at, actor)
        else:
            await _halts(journal, arguments, at, actor)
        await _status(journal, as_json=arguments.json)
    return 0


async def _halts(journal: Journal, arguments: argparse.Namespace, at: float, actor: str) -> None:
    for halt in Halt if arguments.which == "both" else (Halt(arguments.which),):
        if arguments.what == "stop":
            await journal.halt(halt, at=at, actor=actor, reason=arguments.reason)
        elif arguments.what == "resume":
            await journal.resume(halt, at=at, actor=actor, reason=arguments.reason)


async def _sender(journal: Journal, arguments: argparse.Namespace, at: float, actor: str) -> None:
    change = {"stop": senders.stop, "resume": senders.release}.get(arguments.what)
    if change is not None:
        await journal.write(lambda connection: change(connection, arguments.sender, at=at, actor=actor, reason=arguments.reason))


async def _status(journal: Journal, *, as_json: bool) -> None:
    standing = await journal.halted()
    for halt in Halt:
        found = standing.get(halt)
        row: dict[str, object] = {"what": halt, "stopped": found is not None}
        line = f"{halt:<9} 稼働中 / running"
        if found is not None:
            row |= {"since": rfc3339(found.since), "actor": found.actor, "reason": found.reason}
            line = f"{halt:<9} 停止中 / stopped since {rfc3339(found.since)} by {found.actor}: {found.reason}"
        stores.say(row, line, as_json=as_json)
    for stop in await journal.ask(senders.listed):
        row = {"what": "sender", "stopped": True, "sender": stop.sender}
        row |= {"since": rfc3339(stop.since), "actor": stop.actor, "reason": stop.reason}
        line = f"sender    停止中 / stopped since {rfc3339(stop.since)} by {stop.actor}: {stop.sender}: {stop.reason}"
        stores.say(row, line, as_json=as_json)
