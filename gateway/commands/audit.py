"""`sekisho audit verify|anchor|export`: is the record whole, a head of it put elsewhere, a copy for whoever checks that himself."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import uvloop

from gateway import audit, caretaking
from gateway.auditing.anchors import Anchoring
from gateway.auditing.places import FilePlace
from gateway.commands import Failure, stores
from gateway.config import Config
from gateway.storage.journal import Journal


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("audit", help="監査ログの検証、アンカー、出力 / verify, anchor or export the audit record")
    command.add_argument("what", choices=("verify", "anchor", "export"))
    command.add_argument("--anchors", type=Path, metavar="FILE", help="anchors kept elsewhere, beside those of the settings")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with stores.opened(arguments) as (settings, journal, _blobs):
        if arguments.what == "export":
            async for line in audit.export(journal):
                sys.stdout.write(line + "\n")
            return 0
        anchoring = _anchoring(settings, journal, arguments.anchors)
        return await (_anchor(anchoring, arguments) if arguments.what == "anchor" else _verify(anchoring, arguments))


def _anchoring(settings: Config, journal: Journal, file: Path | None) -> Anchoring:
    places = caretaking.places(settings, time.time)
    if file is not None:
        places.append(FilePlace(file))
    return Anchoring(journal, places, time.time, organisation=settings["service.organisation"], trusted=caretaking.trusted(settings))


async def _verify(anchoring: Anchoring, arguments: argparse.Namespace) -> int:
    found, anchors, faults = await anchoring.verify()
    row: dict[str, object] = {
        "entries": found.entries, "seq": found.head.seq, "hash": found.head.hash, "broken": found.broken, "why": found.why,
        "anchors": len(anchors), "unreadable": faults,
    }  # fmt: skip
    good = f"監査ログの検証：正常（{found.entries}件、最終 {found.head.hash[:16]}、アンカー {len(anchors)}件） / the record is whole"
    bad = f"監査ログの検証：異常（{found.broken}件目：{found.why}） / the record is broken"
    if found.broken is None or arguments.json:
        stores.say(row, good, as_json=arguments.json)
    if found.broken is not None:
        raise Failure(bad)
    if faults:
        raise Failure("アンカーを読めません / anchors cannot be read: " + "; ".join(f"{name}: {why}" for name, why in faults.items()))
    return 0


async def _anchor(anchoring: Anchoring, arguments: argparse.Namespace) -> int:
    if not anchoring.places:
        raise Failure("アンカーの保管先がありません（audit.anchor_file） / there is no place for anchors (audit.anchor_file, --anchors)")
    said = await anchoring.anchor()
    if wrong := {name: why for name, why in said.items() if why}:
        raise Failure("; ".join(f"{name}: {why}" for name, why in wrong.items()))
    stores.say(dict(said), "アンカーを置きました / anchored" if said else "変わりはありません / nothing new", as_json=arguments.json)
    return 0
