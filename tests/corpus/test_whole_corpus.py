"""Every real file gets one honest answer, and no delivered file shows what was to be removed to programs that are not ours."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from oletools.olevba import VBA_Parser

from tests.corpus.conftest import CORPUS, Run, delivered

pytestmark = pytest.mark.corpus

# Names of active content, as `qpdf --qdf` writes them; /OpenAction only where it is an action and not a mere destination.
_ACTIVE_PDF = re.compile(
    rb"/(?:JS|JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData|GoToE|GoToR|Rendition)\b|/OpenAction\s*(?:<<|\d+ \d+ R)"
)


def test_every_file_has_exactly_one_line(corpus_run: Run) -> None:
    files = sorted(str(path.relative_to(CORPUS)) for path in CORPUS.rglob("*") if path.is_file())
    assert sorted(row["path"] for row in corpus_run.reports) == files


def test_the_exit_status_tells_the_worst(corpus_run: Run) -> None:
    assert corpus_run.status == 4
    assert any(row["verdict"] == "blocked" for row in corpus_run.reports)


def test_no_child_is_left_behind(corpus_run: Run) -> None:
    assert corpus_run.started >= 2
    assert corpus_run.left_behind == []


def test_no_file_crashes_or_outlasts_a_child(corpus_run: Run) -> None:
    reasons = ("worker_crashed", "timeout", "verification_failed")
    bad = [(Path(row["path"]).name, row["reason"]) for row in corpus_run.reports if row["reason"] in reasons]
    # Made so that each reader shows another page: what qpdf reads is not what PDFium draws.
    assert bad == [("polymorph.pdf", "verification_failed")]


def test_exactly_the_delivered_files_are_written_as_reported(corpus_run: Run) -> None:
    expected = {row["output"]["path"]: row["output"]["sha256"] for row in corpus_run.reports if row["output"]}
    written = {str(path.relative_to(corpus_run.output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in corpus_run.output.rglob("*") if path.is_file()}
    assert written == expected
    assert len(expected) == len([row for row in corpus_run.reports if row["output"]])


def test_a_delivery_has_no_reason_and_anything_else_no_output(corpus_run: Run) -> None:
    for row in corpus_run.reports:
        delivers = row["verdict"] in ("clean", "sanitized")
        assert delivers == (row["output"] is not None) == (row["reason"] is None), row["path"]


def test_only_the_extension_of_a_name_changes(corpus_run: Run) -> None:
    for row in corpus_run.reports:
        if row["output"]:
            before, after = Path(row["path"]), Path(row["output"]["path"])
            assert after in (before, before.with_name(before.name + after.suffix)) or after.with_suffix("") == before.with_suffix("")


def test_no_delivered_pdf_is_active_to_qpdf(corpus_run: Run) -> None:
    found = Counter[str]()
    files = delivered(corpus_run, "pdf")
    assert len(files) > 40
    for path in files:
        done = subprocess.run(["qpdf", "--qdf", "--object-streams=disable", str(path), "-"], capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, (path, done.stderr[:300])
        # What is drawn may say anything: only dictionaries count.
        bare = re.sub(rb"\nstream\r?\n.*?\nendstream", b"", done.stdout, flags=re.DOTALL)
        bare = re.sub(rb"\((?:[^()\\]|\\.)*\)", b"()", bare)
        for match in _ACTIVE_PDF.finditer(bare):
            found[f"{path.name}: {match[0].decode()}"] += 1
    assert found == Counter()


def test_olevba_finds_no_macro_in_any_delivered_office_file(corpus_run: Run) -> None:
    files = delivered(corpus_run, "docx", "dotx", "xlsx", "xltx", "pptx", "ppsx", "potx", "doc", "xls", "ppt")
    assert len(files) > 20
    for path in files:
        parser = VBA_Parser(str(path))
        assert not parser.detect_vba_macros(), path
        assert not parser.detect_xlm_macros(), path
        parser.close()
