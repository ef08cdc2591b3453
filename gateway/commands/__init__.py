"""The `sekisho` commands, one module each: `add(commands)` declares it, its `run(arguments)` returns the exit status.

`run` raises Usage and Failure, which `gateway.cli` turns into a line and a status.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Usage(Exception):  # noqa: N818 - the caller's mistake, told in one line, exit status 2
    """Wrong usage; the text says what."""


class Failure(Exception):  # noqa: N818 - ours or the machine's, told in one line, exit status 1
    """The command could not do its work; the text says why."""


def reading(read: Callable[[], T]) -> T:
    """What `read` returns; a file or value that the caller named and that cannot be read is wrong usage. Raises Usage."""
    try:
        return read()
    except (OSError, ValueError) as error:
        raise Usage(str(error)) from None
