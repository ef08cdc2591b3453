"""`sekisho policy …`: the policy document, what is in force, and its drafts on their way.

    check FILE                  can it be read, what does it leave dangerous
    show [N]                    the document in force, or of that version; --all: every key written out
    draft FILE                  a new draft of it
    versions | diff N | try N | submit N | approve N | publish N | withdraw N | rollback [N] | history
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvloop

from gateway import policy
from gateway.commands import Usage, reading, stores, versions
from gateway.commands.versions import Desk
from gateway.publishing.versions import POLICY_FILE, Subject, policy_text


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("policy", help="ポリシー / the policy document: check, show, draft, try, publish")
    command.add_argument("what", choices=("check", "show", "draft", *versions.STEPS))
    command.add_argument("names", nargs="*", metavar="NAME", help="a file, or the number of a version")
    command.add_argument("--all", action="store_true", help="show: every key, also those that the document does not name")
    versions.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.days is not None and arguments.days < 1:
        raise Usage("--days: at least 1")
    if arguments.what in ("check", "draft") and len(arguments.names) != 1:
        raise Usage(f"policy {arguments.what}: which FILE?")
    return _check(arguments) if arguments.what == "check" else uvloop.run(_run(arguments))


def _check(arguments: argparse.Namespace) -> int:
    chosen = reading(lambda: policy.load(_text(arguments)))
    row: dict[str, object] = {"name": chosen.name, "version": chosen.version}
    stores.say(row, f"{chosen.name}, version {chosen.version}", as_json=arguments.json)
    for warning in policy.warnings(chosen):
        stores.say({"warning": str(warning)}, f"! {warning}", as_json=arguments.json)
    return 0


async def _run(arguments: argparse.Namespace) -> int:
    async with versions.opened(arguments) as desk:
        if arguments.what == "show":
            return await _show(desk, arguments)
        if arguments.what != "draft":
            return await versions.step(desk, Subject.POLICY, arguments)
        text = reading(lambda: _text(arguments))
        await versions.begin(desk)
        files = {POLICY_FILE: text}
        made = await desk.publishing.draft(Subject.POLICY, files, actor=versions.actor(), note=arguments.note)
        return versions.drafted(made, as_json=arguments.json)


async def _show(desk: Desk, arguments: argparse.Namespace) -> int:
    if not arguments.names:
        text = policy_text(await versions.files_in_force(desk, Subject.POLICY))
    elif arguments.names[0].isdigit():
        version = await desk.publishing.version(int(arguments.names[0]), Subject.POLICY)
        text = policy_text(await desk.publishing.files(version.id))
    else:
        raise Usage("policy show: the NUMBER of a version")
    sys.stdout.write(policy.dump(policy.load(text)) if arguments.all else text)
    return 0


def _text(arguments: argparse.Namespace) -> str:
    return Path(arguments.names[0]).read_text("utf-8")
