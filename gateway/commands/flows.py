"""`sekisho flows`: every connection that an installation opens or takes, and with `--nft` the packet filter made of it."""

from __future__ import annotations

import argparse
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gateway import config
from gateway.commands import Usage, stores
from gateway.doctor.flows import HEAD, Flow, flows, ruleset
from gateway.fittings import read_shares
from gateway.house import ROLES


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("flows", help="通信表 / the flow table, and the packet filter made of it")
    command.add_argument("--config", type=Path, metavar="FILE")
    command.add_argument("--role", default=",".join(ROLES), metavar="ROLES", help=f"some of {','.join(ROLES)}")
    command.add_argument("--json", action="store_true", help="one JSON object per line")
    command.add_argument("--nft", action="store_true", help="rules for nft -f")
    command.add_argument("--user", default="sekisho", metavar="NAME", help="with --nft: whom the service runs as")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    roles = frozenset(role.strip() for role in arguments.role.split(","))
    if unknown := roles - set(ROLES):
        raise Usage(f"--role: {', '.join(sorted(unknown))}: not a role; there are {', '.join(ROLES)}")
    settings = config.load(arguments.config)
    rows = flows(settings, roles, read_shares(settings))
    if arguments.nft:
        sys.stdout.write(ruleset(rows, user=arguments.user))
    elif arguments.json:
        for row in rows:
            stores.say(msgspec.to_builtins(row), "", as_json=True)
    else:
        sys.stdout.write(_table(rows))
    return 0


def _table(rows: Sequence[Flow]) -> str:
    lines = [HEAD, *(row.words() for row in rows)]
    widths = [max(_wide(line[column]) for line in lines) for column in range(len(HEAD))]
    return "".join(
        "  ".join(cell + " " * (width - _wide(cell)) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )


def _wide(text: str) -> int:
    """Columns on a terminal."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
