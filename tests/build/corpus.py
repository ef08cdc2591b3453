"""The shared corpus of real files, some of them hostile: looked at only by a child process with little memory and time."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("SEKISHO_CORPUS", TOP.parent / "shared" / "corpus"))
_LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"


def manifest() -> list[dict[str, str]]:
    """Its rows; none where the corpus is absent."""
    if not (CORPUS / "MANIFEST.tsv").is_file():
        return []
    with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def ask(script: str) -> dict[str, Any]:
    """Run `script`, which finds the corpus in `sys.argv[1]` and prints one JSON object of path → answer."""
    done = subprocess.run([sys.executable, "-c", _LIMIT + script, str(CORPUS)], cwd=TOP, capture_output=True, timeout=60, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
