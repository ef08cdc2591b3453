"""`sekisho rules check|list`: whether the YARA rules compile, and which there are."""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path

import uvloop

from gateway import rulesets
from gateway.commands import Failure, reading
from gateway.workers import Workers


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("rules", help="YARAルール / check and list the YARA rules")
    command.add_argument("what", choices=("check", "list"))
    command.add_argument("--rules", type=Path, metavar="DIR", help="a folder instead of the built-in rules")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    files = reading(lambda: rulesets.read(arguments.rules or rulesets.builtin_folder()))
    if arguments.what == "list":
        return _list(files, as_json=arguments.json)
    version = uvloop.run(_compile(files))
    count = sum(name.endswith(".yar") for name in files)
    _print({"files": count, "version": version}, f"{count} files compile, version {version}", as_json=arguments.json)
    return 0


async def _compile(files: dict[str, str]) -> str:
    """In a warm parent, as in the service. Raises Failure with rule file and line."""
    workers = Workers(files, 1)
    try:
        await workers.start()
    except ValueError as error:
        raise Failure(str(error)) from None
    await workers.stop()
    return workers.rules_version


def _list(files: dict[str, str], *, as_json: bool) -> int:
    catalog = reading(lambda: tomllib.loads(files.get("catalog.toml", "")))
    for name, row in sorted(catalog.items()):
        _print({"rule": name, **row}, f"{row.get('state', '?'):<11} {name:<40} {row.get('why_ja', '')}", as_json=as_json)
    return 0


def _print(row: dict[str, object], line: str, *, as_json: bool) -> None:
    sys.stdout.write((json.dumps(row, ensure_ascii=False) if as_json else line) + "\n")
