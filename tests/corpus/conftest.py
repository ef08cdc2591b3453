"""The whole engine, in its jail, over the shared corpus of real files: one run, looked at by all tests of this folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
import pytest

CORPUS = Path(os.environ.get("SEKISHO_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))


class Run(NamedTuple):
    """What one `sekisho sanitize` over the corpus gave."""

    status: int
    reports: list[dict[str, Any]]
    output: Path
    errors: str
    started: int  # processes
    left_behind: list[int]


@pytest.fixture(scope="session")
def corpus_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Made by the first worker that asks for it; the others wait until it is there."""
    if not CORPUS.is_dir():
        pytest.skip("the shared corpus is not here")
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "corpus"
    folder.mkdir(exist_ok=True)
    made = folder / "run.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.write_bytes(msgspec.json.encode(_sanitized(folder), enc_hook=str))
    return msgspec.json.decode(made.read_bytes(), type=Run, dec_hook=lambda kind, text: kind(text))


def _sanitized(folder: Path) -> Run:
    command = [sys.executable, "-m", "gateway.cli", "sanitize", str(CORPUS), "-o", str(folder / "out"), "--report", str(folder / "report.jsonl"),
               "--jobs", "2", "--no-progress"]  # fmt: skip
    errors = folder / "errors.txt"
    with errors.open("w") as told, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=told) as running:
        started = _descendants_until_it_ends(psutil.Process(running.pid))
    _, alive = psutil.wait_procs(started, timeout=5)
    reports = [json.loads(line) for line in (folder / "report.jsonl").read_text("utf-8").splitlines()]
    left_behind = [process.pid for process in alive]
    return Run(running.returncode, reports, folder / "out", errors.read_text("utf-8"), len(started), left_behind)


def _descendants_until_it_ends(command: psutil.Process, limit: float = 280.0) -> list[psutil.Process]:
    """Every process seen below this one while it ran: other tests start the same programs, so names alone tell nothing.

    Raises: TimeoutError, after it was killed, where it outlasts `limit` seconds.
    """
    seen: set[psutil.Process] = set()
    end = time.monotonic() + limit
    while command.is_running() and command.status() != psutil.STATUS_ZOMBIE:
        with contextlib.suppress(psutil.NoSuchProcess):
            seen.update(command.children(recursive=True))
        if time.monotonic() > end:
            command.kill()
            raise TimeoutError(f"the corpus took more than {limit} s")
        time.sleep(0.05)
    return list(seen)


def delivered(run: Run, *kinds: str) -> list[Path]:
    """The output files of these kinds."""
    return [run.output / row["output"]["path"] for row in run.reports if row["output"] and row["output"]["kind"] in kinds]
