"""What msgspec has to know of our types before there are threads.

It learns a type where it first reads one. Two threads that do so at the same moment meet a half-learnt type, and the process dies of it
(msgspec 0.22, SIGSEGV). So all are learnt at once, by the one thread that there is at the start.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


def learn() -> None:
    """Every struct that is defined by now."""
    for struct in _below(msgspec.Struct):
        try:
            msgspec.json.Decoder(struct)
        except (TypeError, NameError):
            pass    # one that is never read: it holds what no document can say


def _below(struct: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in struct.__subclasses__():
        yield one
        yield from _below(one)
