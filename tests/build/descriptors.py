"""What this process holds open, for tests that show that nothing stays open."""

from __future__ import annotations

import os


def held() -> frozenset[str]:
    """Sockets, pipes and files, each by a name of its own. What earlier tests left to the collector of garbage may go at any time: nothing
    was left open where what is held afterwards is a part of what was held before."""
    names = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            names.add(f"{number} {os.readlink(f'/proc/self/fd/{number}')}")
        except FileNotFoundError:       # the listing itself
            continue
    return frozenset(names)
