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

from tests.corpus.conftest import CORPUS, Run

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
SIMILARITY = 0.98
# The strict mode, where PDFium must open the original itself.
NOT_DRAWN = {name: reason for name, reason in NOT_DELIVERED.items() if name != "polymorph.pdf"} | {"r6-user-password.pdf": "encrypted"}
# Drawn as pictures, their letters come in another order or number.
OTHER_TEXT = {
    "issue-1113-evil-xobjects.pdf",                 # the same form over and over at one place
    "Seige_of_Vicksburg_Sample_OCR.pdf",            # two words of a scanned page that overlap
    "form_dd0293.pdf",                              # a field is read with the page, where before it was not
}
Texts = tuple[list[str] | None, list[str] | None]
PICTURE_SIMILARITY = 0.8        # thin lines of grey or colour at the resolution of the picture
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
    subprocess.run([*command, "--jobs", "2", "--no-progress", *options], capture_output=True, timeout=400, check=False)
    return {row["path"]: row for row in map(json.loads, report.read_text("utf-8").splitlines())}


@pytest.fixture(scope="session")
def pairs(corpus_run: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    twice, inputs = (tmp_path_factory.mktemp(name) for name in ("twice", "inputs"))
    first = {CORPUS / row["path"]: row for row in corpus_run.reports if row["path"].endswith(".pdf")}
    made = {path: corpus_run.output / (row["output"] or {"path": "none"})["path"] for path, row in first.items()}
    names = {path: f"{number}/{path.name}" for number, path in enumerate(first)}
    for path, name in names.items():
        (inputs / name).parent.mkdir()
        if first[path]["output"]:
            (inputs / name).symlink_to(made[path])
    second = _sanitize(twice, inputs)
    return [Pair(path, row, made[path], second.get(names[path])) for path, row in first.items()]


@pytest.fixture(scope="session")
def delivered(pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.report["output"] is not None]


def _texts(files: list[tuple[Path, Path]]) -> dict[Path, Texts]:
    """What PDFium reads on each page before and after."""

    def read(before: Path, after: Path) -> Texts:
        command = [sys.executable, "-m", "tests.corpus.pages", str(before), str(after)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        first, second = json.loads(done.stdout)
        return first, second

    with ThreadPoolExecutor(2) as pool:
        return {before: texts for (before, _), texts in zip(files, pool.map(lambda pair: read(*pair), files), strict=True)}


def test_every_file_that_a_reader_opens_is_delivered(pairs: list[Pair]) -> None:
    assert len(pairs) > 60
    assert {pair.path.name: pair.report["reason"] for pair in pairs if pair.report["reason"]} == NOT_DELIVERED


def test_every_page_that_was_drawn_looks_as_before(delivered: list[Pair]) -> None:
    alike = {pair.path: pair.report["similarity"] for pair in delivered}
    assert {path.name for path, similarity in alike.items() if similarity is None} == NOT_COMPARED
    assert {path: similarity for path, similarity in alike.items() if similarity is not None and similarity < SIMILARITY} == {}


@pytest.mark.slow
def test_every_page_reads_as_before(delivered: list[Pair]) -> None:
    texts = _texts([(pair.path, pair.output) for pair in delivered])
    assert {path.name for path, (before, _) in texts.items() if before is None} == NOT_COMPARED
    assert {path for path, (before, after) in texts.items() if before is not None and before != after} == set()


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


@pytest.mark.slow
def test_every_page_can_be_drawn_as_a_picture_with_its_text(tmp_path: Path) -> None:
    """The strict mode: as before, so far as a picture can be, and read as before but for white space."""
    if not CORPUS.is_dir():
        pytest.skip("the shared corpus is not here")
    policy = tmp_path / "strict.toml"
    policy.write_text("[treatment]\npdf_strict_pixels = true\n", "utf-8")
    reports = _sanitize(tmp_path, CORPUS / "pdf", "--policy", str(policy))
    assert {Path(name).name: row["reason"] for name, row in reports.items() if row["reason"]} == NOT_DRAWN
    drawn = {CORPUS / "pdf" / name: row for name, row in reports.items() if row["output"]}
    assert {path.name: row["similarity"] for path, row in drawn.items() if row["similarity"] < PICTURE_SIMILARITY} == {}
    texts = _texts([(path, tmp_path / "out" / row["output"]["path"]) for path, row in drawn.items()])
    bare = {path: [["".join(page.split()) for page in pages or ()] for pages in both] for path, both in texts.items()}
    assert {path.name for path, (before, after) in bare.items() if before != after} == OTHER_TEXT
