"""The `sekisho` command. Exit status: 0 done · 1 failed · 2 wrong usage, with one line on standard error."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from gateway.commands import Failure, Usage, audit, config, doctor, receipt, rules, sanitize, serve, transfer, user
from gateway.config import ConfigError
from gateway.workers import JailUnavailable

_COMMANDS = (sanitize, serve, transfer, user, rules, audit, receipt, config, doctor)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sekisho", description="関所: ファイルとメールの無害化 / file and mail sanitisation gateway")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add(commands)
    arguments = parser.parse_args(words)
    try:
        status: int = arguments.run(arguments)
    except (Usage, ConfigError) as error:
        return _say(2, error)
    except (Failure, JailUnavailable) as error:
        return _say(1, error)
    except KeyboardInterrupt:
        return 130
    return status


def _say(status: int, error: Exception) -> int:
    print("sekisho:", " ".join(str(error).split()), file=sys.stderr)  # noqa: T201 - the one line of a command that did not work
    return status


if __name__ == "__main__":
    sys.exit(main())
