"""The `sekisho` command. Exit status: 0 done · 1 failed · 2 wrong usage, with one line on standard error."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from gateway import structs
from gateway.commands import Failure, Usage
from gateway.config import ConfigError
from gateway.road.warm_parent import JailUnavailable

_COMMANDS = (
    "sanitize", "inspect", "serve", "transfer", "user", "department", "box", "rules", "policy", "bundle", "audit", "receipt",
    "emergency", "exception", "backup", "restore", "migrate", "keys", "config", "flows", "sbom", "doctor",
)  # fmt: skip
_MODULES = {"inspect": "sanitize", "restore": "backup"}


class _Parser(argparse.ArgumentParser):
    """Wrong usage is told in one line, as by every command."""

    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message} ({self.prog} --help)")


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command; `words` without the program's name. Returns the exit status."""
    words = sys.argv[1:] if words is None else words
    parser = _Parser(prog="sekisho", description="関所: ファイルとメールの無害化 / file and mail sanitisation gateway")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    # Only the command that was named is loaded: most of them need a database, `sanitize` does not.
    for name in _named(words):
        importlib.import_module(f"gateway.commands.{name}").add(commands)
    try:
        arguments = parser.parse_args(words)
        structs.learn()
        status: int = arguments.run(arguments)
    except (Usage, ConfigError) as error:
        return _say(2, error)
    except (Failure, JailUnavailable) as error:
        return _say(1, error)
    except KeyboardInterrupt:
        return 130
    return status


def _named(words: Sequence[str]) -> Sequence[str]:
    """Modules of the commands that these words can mean: one, or all when none is named first."""
    if words and words[0] in _COMMANDS:
        return (_MODULES.get(words[0], words[0]),)
    return tuple(dict.fromkeys(_MODULES.get(name, name) for name in _COMMANDS))


def _say(status: int, error: Exception) -> int:
    print("sekisho:", " ".join(str(error).split()), file=sys.stderr)  # noqa: T201 - the one line of a command that did not work
    return status


if __name__ == "__main__":
    sys.exit(main())
