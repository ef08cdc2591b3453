"""Real PDF files: all that a reader opens are delivered, look and read as before, do not grow, and do not change when they come again."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.corpus.conftest import CORPUS

pytestmark = pytest.mark.corpus

# Files that are not delivered, and why not.
NOT_DELIVERED = {
    "cycle.pdf": "malformed",                       # its page tree has no page
    "378014596.pdf": "malformed",                   # found by fuzzing; no reader opens it
    "polymorph.pdf": "verification_failed",         # made to show other pages in each reader
    "test_open_password.pdf": "encrypted",
    "r2-user-password.pdf": "encrypted",
    "libreoffice-writer-password.pdf": "encrypted",
}
# Delivered, but PDFium does not open the original: nothing to compare with.
NOT_COMPARED = {
    "r6-user-password.pdf",                         # AES-256 with an empty password
}
# An attack whose pages need not come out as they were, if they come out: its FontMatrix is a script.
HOSTILE = {"payload8.pdf"}
SIMILARITY = 0.98
SIZE_RATIO = 1.2


class Pair(NamedTuple):
    """One corpus file, its report, what came out, and what came out of that again."""

    path: Path
    report: dict[str, Any]
    output: Path
    again: dict[str, Any] | None


def _sanitize(folder: Path, source: Path, *options: str) -> dict[str, dict[str, Any]]:
    report = folder / "report.jsonl"
    command = [sys.executable, "-m", "gateway.cli", "sanitize", str(source), "-o", str(folder / "out"), "--report", str(report)]
    subprocess.run([*command, "--jobs", "2", "--no-progress", *options], capture_output=True, timeout=200, check=False)
    return {row["path"]: row for row in map(json.loads, report.read_text("utf-8").splitlines())}


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    if not CORPUS.is_dir():
        pytest.skip("the shared corpus is not here")
    once, twice, inputs = (tmp_path_factory.mktemp(name) for name in ("once", "twice", "inputs"))
    names = {}
    for number, path in enumerate(sorted(path for path in CORPUS.rglob("*.pdf") if path.name not in HOSTILE)):
        names[f"{number}/{path.name}"] = path
        (inputs / str(number)).mkdir()
        (inputs / str(number) / path.name).symlink_to(path)
    first = _sanitize(once, inputs)
    second = _sanitize(twice, once / "out")
    return [Pair(path, first[name], once / "out" / name, second.get(name)) for name, path in names.items()]


@pytest.fixture(scope="session")
def delivered(pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.report["output"] is not None]


@pytest.fixture(scope="session")
def texts(delivered: list[Pair]) -> dict[str, tuple[list[str] | None, list[str] | None]]:
    """By file name: what PDFium reads on each page before and after."""

    def read(pair: Pair) -> tuple[list[str] | None, list[str] | None]:
        command = [sys.executable, "-m", "tests.corpus.pages", str(pair.path), str(pair.output)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        before, after = json.loads(done.stdout)
        return before, after

    with ThreadPoolExecutor(2) as pool:
        return dict(zip((pair.path.name for pair in delivered), pool.map(read, delivered), strict=True))


def test_every_file_that_a_reader_opens_is_delivered(pairs: list[Pair]) -> None:
    assert len(pairs) > 60
    assert {pair.path.name: pair.report["reason"] for pair in pairs if pair.report["reason"]} == NOT_DELIVERED


def test_every_page_that_was_drawn_looks_as_before(delivered: list[Pair]) -> None:
    alike = {pair.path.name: pair.report["similarity"] for pair in delivered}
    assert {name for name, similarity in alike.items() if similarity is None} == NOT_COMPARED
    assert {name: similarity for name, similarity in alike.items() if similarity is not None and similarity < SIMILARITY} == {}


def test_every_page_reads_as_before(texts: dict[str, tuple[list[str] | None, list[str] | None]]) -> None:
    assert {name for name, (before, _) in texts.items() if before is None} == NOT_COMPARED
    assert {name for name, (before, after) in texts.items() if before is not None and before != after} == set()


def test_files_do_not_grow(delivered: list[Pair]) -> None:
    ratios = [pair.report["output"]["size"] / pair.report["input"]["size"] for pair in delivered]
    assert statistics.median(ratios) <= SIZE_RATIO


def test_what_comes_again_comes_out_clean_and_the_same(delivered: list[Pair]) -> None:
    """To the byte, but for photographs: a JPEG is decoded and encoded each time."""
    changed = {}
    for pair in delivered:
        assert pair.again is not None, pair.path
        assert pair.again["output"] is not None, pair.path
        same = pair.again["output"]["sha256"] == pair.report["output"]["sha256"] or b"/DCTDecode" in pair.output.read_bytes()
        if pair.again["verdict"] != "clean" or not same:
            changed[pair.path.name] = (pair.again["verdict"], [finding["code"] for finding in pair.again["findings"]])
    assert changed == {}
