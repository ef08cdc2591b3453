"""Every real presentation of PowerPoint 97 to 2003: delivered or held for the right reason; other tools find nothing, pages are the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import olefile
import pypdfium2
import pytest
from oletools import oleobj
from oletools.olevba import VBA_Parser

from tests.build import libreoffice
from tests.corpus.conftest import CORPUS, Run

pytestmark = pytest.mark.corpus

HELD = {"rc4cryptoapi_password.ppt": "encrypted"}
FEWEST_ALIKE = 0.95


def _rows(run: Run) -> list[dict[str, Any]]:
    return [row for row in run.reports if row["path"].startswith("ole2/") and Path(row["path"]).suffix in (".ppt", ".pps", ".pot")]


def _pairs(run: Run) -> dict[Path, Path]:
    return {CORPUS / row["path"]: run.output / row["output"]["path"] for row in _rows(run) if row["output"] is not None}


def test_held_for_the_right_reason(corpus_run: Run) -> None:
    assert {Path(row["path"]).name: row["reason"] for row in _rows(corpus_run) if row["output"] is None} == HELD
    assert {row["output"]["kind"] for row in _rows(corpus_run) if row["output"]} == {"ppt"}
    assert len(_pairs(corpus_run)) == 4


def test_what_was_removed_is_named(corpus_run: Run) -> None:
    found = {Path(row["path"]).name: {one["code"] for one in row["findings"]} for row in _rows(corpus_run)}
    assert "ppt.macro" in found["sample_with_vba.ppt"]
    assert "ppt.object" in found["embedded-simple-2007.pps"]
    assert "ppt.object" in found["sample_with_lnk_file.pps"]
    assert found["test.ppt"] == {"file.metadata"}


def test_other_tools_find_nothing(corpus_run: Run) -> None:
    for made in _pairs(corpus_run).values():
        parser = VBA_Parser(str(made))
        assert not parser.detect_vba_macros(), made
        parser.close()
        assert not any(True for _ in oleobj.find_ole(str(made), made.read_bytes()) if _ is not None and _.listdir(storages=True, streams=False)), made
        with olefile.OleFileIO(str(made)) as compound:
            assert compound.listdir(streams=False, storages=True) == []


def test_it_opens_with_its_password(tmp_path: Path) -> None:
    given = CORPUS / "ole2" / "msoffcrypto-tool" / "rc4cryptoapi_password.ppt"
    if not given.is_file():
        pytest.skip("the shared corpus is not here")
    passwords = tmp_path / "passwords"
    passwords.write_text("wrong\nPassword1234_\n", "utf-8")
    command = [sys.executable, "-m", "gateway.cli", "sanitize", str(given), "-o", str(tmp_path / "out"), "--password-file", str(passwords), "--no-progress"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / given.name).read_bytes().startswith(b"\xd0\xcf\x11\xe0")


@libreoffice.needed
def test_pages_and_words_are_the_same(corpus_run: Run, tmp_path: Path) -> None:
    pairs = _pairs(corpus_run)
    drawn = libreoffice.to_pdf([*pairs, *pairs.values()], tmp_path)
    for given, made in pairs.items():
        assert min(libreoffice.similarity(drawn[given], drawn[made])) >= FEWEST_ALIKE, given.name
        assert _words(drawn[given]) == _words(drawn[made]), given.name


def _words(path: Path) -> list[str]:
    pages: Any = pypdfium2.PdfDocument(str(path))
    try:
        return [page.get_textpage().get_text_range() for page in pages]
    finally:
        pages.close()
