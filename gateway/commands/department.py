"""`sekisho department list|add|close|place`: the departments (課) of the installation."""

from __future__ import annotations

import argparse
import getpass
import time

import uvloop

from gateway.commands import Usage, stores
from gateway.people.roles import RefusedError
from gateway.people.staff import Staff


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("department", help="課 / departments")
    command.add_argument("what", choices=("list", "add", "close", "place"))
    command.add_argument("name", nargs="?", metavar="NAME")
    command.add_argument("--below", default="", metavar="NAME", help="add, place: the department it belongs to")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.what != "list" and not arguments.name:
        raise Usage(f"department {arguments.what}: which NAME?")
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with stores.opened(arguments) as (settings, journal, _blobs):
        staff, actor = Staff(journal, time.time, settings["service.organisation"]), f"command:{getpass.getuser()}"
        try:
            if arguments.what == "list":
                await _list(staff, as_json=arguments.json)
            elif arguments.what == "add":
                await staff.add_department(arguments.name, actor, arguments.below)
            elif arguments.what == "close":
                await staff.close_department(arguments.name, actor)
            else:
                await staff.place_department(arguments.name, arguments.below, actor)
        except RefusedError as refusal:
            raise Usage(str(refusal)) from None
    return 0


async def _list(staff: Staff, *, as_json: bool) -> None:
    found = await staff.departments()
    names = {one.id: one.name for one in found}
    for one in found:
        members = [each.account.login for each in await staff.members(one)]
        row: dict[str, object] = {"name": one.name, "below": names.get(one.parent_id or 0, ""), "closed": one.closed, "members": members}
        stores.say(row, f"{one.name:<24} {row['below']!s:<24} {len(members):>4}{'  closed' if one.closed else ''}", as_json=as_json)
