"""Inputs made by atheris, which follows what they reach: `python -m tests.fuzz FAMILY [--minutes N] [--seeds FOLDER] [--keep FOLDER]`.

atheris is no package of the project: `pip install atheris` beside it. Every input must end in a result or a Refused, within seconds, in
little memory, and without opening a file, starting a process, asking the network or loading a module: none of it exists in the jail.
What does not is kept as a file, once for each place where it fails, and the run goes on. Ends with 1 if there was any. SIGTERM ends it early.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_MEMORY: Final = 4 << 30
_SLOW: Final = 4.0             # seconds of processor time for one input, with the tracing that makes it two or three times slower
_LONGEST: Final = 200_000
_IN_JAIL: Final = ("open", "import", "socket.", "subprocess.", "os.fork", "os.posix_spawn", "os.exec", "os.system", "ctypes.dlopen")


class Walls:
    """What the jail would not let happen is raised while an input is read."""

    def __init__(self) -> None:
        self.up = False
        sys.addaudithook(self._asked)

    def _asked(self, event: str, given: tuple[object, ...]) -> None:
        if self.up and event.startswith(_IN_JAIL):
            self.up = False
            raise PermissionError(f"{event} {given[:1]}")


class Run:
    """One family for a time. `ends` counts how inputs ended."""

    def __init__(self, families: ModuleType, name: str, seconds: float, keep: Path) -> None:
        self._families = families
        self._family = families.FAMILIES[name]
        self._until = time.process_time() + seconds
        self._keep = keep
        self._walls = Walls()
        self.ends: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def one(self, given: bytes) -> None:
        started = time.process_time()
        data = self._families.file(self._family, given)
        try:
            self._walls.up = True
            end = self._family.read(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run must go on
            self._walls.up = False
            self._note(f"{type(error).__name__} {_place(error)}", data, traceback.format_exc())
        else:
            self._walls.up = False
            self.ends[end] += 1
            if end.startswith("verification") and self.ends[end] == 1:
                self._store(end, data)
        if (taken := time.process_time() - started) > _SLOW:
            self._note(f"slow {int(taken)} s", data, "")
        if time.process_time() > self._until:
            self.finish()

    def _note(self, what: str, data: bytes, trace: str) -> None:
        self.failed[what] += 1
        if self.failed[what] == 1:
            sys.stdout.write(f"FAILED {what}: {self._store(what, data)}\n{trace}\n")
            sys.stdout.flush()

    def _store(self, what: str, data: bytes) -> Path:
        self._keep.mkdir(parents=True, exist_ok=True)
        path = self._keep / f"{self._family.name}-{hashlib.sha256(what.encode()).hexdigest()[:12]}"
        path.write_bytes(data)
        return path

    def finish(self) -> None:
        total = sum(self.ends.values()) + sum(self.failed.values())
        lines = [f"{self._family.name}: {total} inputs in {time.process_time():.0f} s of processor time, {sum(self.failed.values())} failed"]
        lines += [f"  {count:8} {end}" for end, count in self.ends.most_common(25)]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        os._exit(bool(self.failed))


def _place(error: BaseException) -> str:
    """Where in our code it came from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/sanitizers/" in frame.filename]
    return f"{Path(frames[-1].filename).stem}:{frames[-1].lineno}" if frames else "elsewhere"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family")
    parser.add_argument("--minutes", type=float, default=10, help="of processor time")
    parser.add_argument("--seeds", type=Path, help="a folder of more files to begin with")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "sekisho-fuzz", help="where inputs that fail are kept")
    options = parser.parse_args()
    atheris: Any = importlib.import_module("atheris")

    with atheris.instrument_imports(include=["sanitizers"]):
        from sanitizers import parent
        from tests.fuzz import families
    parent._load_lazy_modules()     # as before any child
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    run = Run(families, options.family, options.minutes * 60, options.keep)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for number, seed in enumerate(families.seeds(families.FAMILIES[options.family], options.seeds)):
            (folder / str(number)).write_bytes(seed)
        options.keep.mkdir(parents=True, exist_ok=True)
        fuzzer = (f"-max_len={_LONGEST}", "-timeout=600", "-rss_limit_mb=0", "-verbosity=1", "-handle_term=0", f"-artifact_prefix={options.keep}/")
        arguments: list[Any] = [sys.argv[0], *fuzzer, str(folder)]
        signal.signal(signal.SIGTERM, lambda *_: run.finish())
        atheris.Setup(arguments, run.one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
