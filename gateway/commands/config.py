"""`sekisho config`: the whole configuration with its defaults, commented."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from gateway import config


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("config", help="設定の一覧 / print the commented configuration with its defaults")
    command.add_argument("--check", type=Path, metavar="FILE", help="read FILE and say whether every setting is right")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.check is not None:
        config.load(arguments.check)
    elif arguments.json:
        rows = [
            {"key": setting.name, "environment": setting.environment, "default": setting.default, "meaning": setting.meaning}
            for setting in config.SETTINGS
        ]
        json.dump(rows, sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(config.commented())
    return 0
