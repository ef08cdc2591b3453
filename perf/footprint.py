"""What a process tree of the product takes of the machine's memory, while something else loads it; and alone, for one large archive.

    python perf/footprint.py [--count N] [--megabytes N]

The service and its warm parent are counted by their share of what they map (PSS, so that a page that two processes have is not counted
twice), a jailed child by what is its own (private pages): the pages of the warm parent that it has too are there once for all children.
`resident` of a child counts those as well. Aims: service and warm parent at most 150 MB and a child at most 250 MB for 99 of 100
transfers of the reference mix; an archive of 500 MB at most 400 MB, its mapped input (which the kernel can drop) not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from perf import bench_archive
from perf.percentiles import waits

_LOOK_SECONDS: Final = 0.02
# The service grows slowly, and to add up its pages costs a millisecond.
_SERVICE_EVERY: Final = 15
# A child's own pages are added up again when it has so many bytes more.
_GROWN: Final = 1 << 20
_SANITIZE: Final = ("-m", "gateway.cli", "sanitize", "--no-progress", "--jobs", "1")


@dataclass
class Footprint:
    """Largest bytes of the service (PSS), of its warm parents (PSS), and of each child (private, resident), by process number."""

    pid: int
    service: int = 0
    parents: int = 0
    together: int = 0
    children: dict[int, tuple[int, int]] = field(default_factory=dict)
    _looks: int = 0
    _done: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        parents = children_of(self.pid)
        if self._looks % _SERVICE_EVERY == 0:
            service, warm = _shared(self.pid), sum(map(_shared, parents))
            self.service, self.parents = max(self.service, service), max(self.parents, warm)
            self.together = max(self.together, service + warm)
        for child in (below for parent in parents for below in children_of(parent)):
            own, resident = self.children.get(child, (0, 0))
            if (now := _resident(child)) > resident + _GROWN or child not in self.children:
                self.children[child] = max(own, _own(child)), max(resident, now)
        self._looks += 1

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """In a thread of its own, which ends with the block."""

        def look() -> None:
            while not self._done.wait(_LOOK_SECONDS):
                self.look()

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()
            self._looks = 0
            self.look()

    def table(self) -> dict[str, float]:
        """Megabytes."""
        own, resident = ([each[column] / 1e6 for each in self.children.values()] for column in (0, 1))
        return {
            "service": round(self.service / 1e6, 1), "warm parent": round(self.parents / 1e6, 1),
            "service and warm parent": round(self.together / 1e6, 1), "children seen": len(own),
            "child p50": round(waits(own).p50, 1), "child p99": round(waits(own).p99, 1), "child largest": round(waits(own).longest, 1),
            "child resident p99": round(waits(resident).p99, 1),
        }  # fmt: skip


def children_of(pid: int) -> list[int]:
    """Of all its threads; proc(5)."""
    with contextlib.suppress(OSError):
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return []


def _rollup(pid: int) -> dict[str, int]:
    """Bytes by name; empty for one that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]
    except OSError:
        return {}
    return {name: int(value.split()[0]) << 10 for name, _, value in (line.partition(":") for line in lines)}


def _shared(pid: int) -> int:
    return _rollup(pid).get("Pss", 0)


def _own(pid: int) -> int:
    found = _rollup(pid)
    return found.get("Private_Dirty", 0) + found.get("Private_Clean", 0)


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) << 12
    return 0


def archive(megabytes: int) -> dict[str, Any]:
    """One archive whose only member has so many megabytes, by the command. Raises AssertionError when it is not delivered."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = folder / "large.zip"
        given.write_bytes(bench_archive.large(megabytes))
        process = subprocess.Popen([sys.executable, *_SANITIZE, "-o", str(folder / "out"), str(given)], stdout=subprocess.DEVNULL)
        watch = Footprint(process.pid)
        with watch.looking():
            status = process.wait(timeout=300)
        assert status == 0, f"the archive was not delivered: {status}"
        return {"megabytes": megabytes, **watch.table()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=500)
    for name, value in archive(parser.parse_args().megabytes).items():
        print(f"{name:26} {value}")


if __name__ == "__main__":
    main()
