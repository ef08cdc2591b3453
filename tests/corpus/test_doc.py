"""Every real document of Word 97 to 2003: delivered or held for the right reason; LibreOffice reads the same text and draws the same pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from oletools import msodde, oleobj
from oletools.olevba import VBA_Parser

from tests.build import libreoffice
from tests.corpus.conftest import CORPUS, Run

pytestmark = pytest.mark.corpus

HELD = {"badfile-01-bad-header.doc": "unsupported_kind"}    # no sector of it is whole
LOOKS_OTHERWISE = {
    "test06.doc": "LibreOffice does not clear a tab of a style in the old one, and loses borders in the new one",
    "test19.doc": "a chart shows its stored picture, a table stands a hair's breadth lower",
    "embedded-simple-2007.doc": "LibreOffice shows the embedded object, not its stored picture",
    "embedded-simple-2007.dot": "as above",
    "sample_with_lnk_file.doc": "LibreOffice paints what is transparent in an icon of the old one black",
}
FEWEST_ALIKE = 0.95
_NUMBERS = re.compile(r"^[ \t]*(?:[▪•◦–\-]\s+)?")           # LibreOffice writes the signs of lists for docx only
_OWN_NAME = re.compile(r"\d{4}\.do[ct]x?")                  # a field shows the name of the file


def _rows(run: Run) -> list[dict[str, Any]]:
    return [row for row in run.reports if row["path"].startswith("ole2/") and Path(row["path"]).suffix in (".doc", ".dot")]


def _pairs(run: Run) -> dict[Path, Path]:
    return {CORPUS / row["path"]: run.output / row["output"]["path"] for row in _rows(run) if row["output"] and row["output"]["kind"] in ("docx", "dotx")}


def _plain(text: str) -> list[str]:
    return [_NUMBERS.sub("", _OWN_NAME.sub("", line)) for line in text.splitlines()]


def test_held_for_the_right_reason(corpus_run: Run) -> None:
    assert {Path(row["path"]).name: row["reason"] for row in _rows(corpus_run) if row["output"] is None} == HELD
    assert len(_pairs(corpus_run)) == 6


def test_nothing_active_is_left(corpus_run: Run) -> None:
    for made in _pairs(corpus_run).values():
        parser = VBA_Parser(str(made))
        assert not parser.detect_vba_macros(), made
        parser.close()
        assert msodde.process_docx(str(made), field_filter_mode=msodde.FIELD_FILTER_DDE).strip() == ""
        assert not list(oleobj.find_ole(str(made), None)), made


@libreoffice.needed
def test_the_text_is_the_same(corpus_run: Run, tmp_path: Path) -> None:
    pairs = _pairs(corpus_run)
    read = libreoffice.to_text([*pairs, *pairs.values()], tmp_path)
    for given, made in pairs.items():
        assert _plain(read[made]) == _plain(read[given]), given.name


@libreoffice.needed
def test_pages_look_alike(corpus_run: Run, tmp_path: Path) -> None:
    pairs = _pairs(corpus_run)
    drawn = libreoffice.to_pdf([*pairs, *pairs.values()], tmp_path)
    assert all(made in drawn for made in pairs.values())
    least = {given.name: min(libreoffice.similarity(drawn[given], drawn[made]), default=1.0) for given, made in pairs.items()}
    assert {name for name, value in least.items() if value < FEWEST_ALIKE} == set(LOOKS_OTHERWISE), least
