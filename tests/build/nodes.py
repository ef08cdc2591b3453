"""Several nodes on one database, and what may happen to them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Nodes:
    """Processes of `tests.build.node`, by name."""

    def __init__(self, folder: Path, url: str, **settings: Any) -> None:
        self.folder = folder
        self._settings = {"url": url, "folder": str(folder), "rate": 10.0, "lease": 3.0} | settings
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, **settings: Any) -> None:
        given = json.dumps(self._settings | {"name": name} | settings)
        with (self.folder / f"{name}.log").open("ab") as told:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.build.node", given], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=told, stderr=told
            )

    def kill(self, name: str) -> None:
        process = self._running.pop(name)
        process.kill()
        process.wait(10)

    def pause(self, name: str) -> None:
        self._running[name].send_signal(signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        self._running[name].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """As an upgrade would: all finish what they have in hand."""
        for process in self._running.values():
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait(10)
        self._running.clear()

    def lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def wait(self, for_what: Callable[[], bool], seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if for_what():
                return True
            time.sleep(0.05)
        return False

    # ------------------------------------------------------------------------------------------------ what came of it

    @property
    def accepted(self) -> set[str]:
        return set(self.lines("accepted"))

    @property
    def delivered(self) -> Counter[str]:
        return Counter(line.split()[0] for line in self.lines("delivered"))

    @property
    def digests(self) -> set[str]:
        return {line.split()[1] for line in self.lines("delivered")}


@contextlib.contextmanager
def nodes(folder: Path, url: str, **settings: Any) -> Iterator[Nodes]:
    os.makedirs(folder, exist_ok=True)
    several = Nodes(folder, url, **settings)
    try:
        yield several
    finally:
        several.stop()
