"""The whole engine, in its jail, over the shared corpus of real files: one run, looked at by all tests of this folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

CORPUS = Path(os.environ.get("SEKISHO_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))


class Run(NamedTuple):
    """What one `sekisho sanitize` over the corpus gave."""

    status: int
    reports: list[dict[str, Any]]
    output: Path
    errors: str
    left_behind: list[int]


@pytest.fixture(scope="session")
def corpus_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    if not CORPUS.is_dir():
        pytest.skip("the shared corpus is not here")
    folder = tmp_path_factory.mktemp("corpus")
    before = {process.pid for process in psutil.process_iter()}
    command = [sys.executable, "-m", "gateway.cli", "sanitize", str(CORPUS), "-o", str(folder / "out"), "--report", str(folder / "report.jsonl"),
               "--jobs", "2", "--no-progress"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    children = [p.pid for p in psutil.process_iter(["cmdline"]) if p.pid not in before and "sanitizers.parent" in (p.info["cmdline"] or [])]
    reports = [json.loads(line) for line in (folder / "report.jsonl").read_text("utf-8").splitlines()]
    return Run(done.returncode, reports, folder / "out", done.stderr, children)


def delivered(run: Run, *kinds: str) -> list[Path]:
    """The output files of these kinds."""
    return [run.output / row["output"]["path"] for row in run.reports if row["output"] and row["output"]["kind"] in kinds]
