"""`sekisho audit verify|export`: is the record whole, and a copy for whoever wants to check that himself."""

from __future__ import annotations

import argparse
import sys

import uvloop

from gateway import audit
from gateway.commands import Failure, stores


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("audit", help="監査ログの検証と出力 / verify or export the audit record")
    command.add_argument("what", choices=("verify", "export"))
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with stores.opened(arguments) as (_, journal, _blobs):
        if arguments.what == "export":
            async for line in audit.export(journal):
                sys.stdout.write(line + "\n")
            return 0
        found = await audit.verify(journal)
        row = {"entries": found.entries, "seq": found.head.seq, "hash": found.head.hash, "broken": found.broken, "why": found.why}
        good = f"監査ログの検証：正常（{found.entries}件、最終 {found.head.hash[:16]}） / the record is whole"
        bad = f"監査ログの検証：異常（{found.broken}件目：{found.why}） / the record is broken"
        if found.broken is None or arguments.json:
            stores.say(row, good, as_json=arguments.json)
        if found.broken is not None:
            raise Failure(bad)
        return 0
