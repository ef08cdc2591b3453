"""Every real RTF file is delivered, and LibreOffice reads the same text and draws the same pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from oletools import rtfobj

from tests.build import libreoffice
from tests.corpus.conftest import CORPUS, Run

pytestmark = pytest.mark.corpus

FEWEST_ALIKE = 0.95
LOOKS_OTHERWISE: dict[str, str] = {}
NOT_READ = {"issue_251.rtf"}        # LibreOffice does not open it; what it said is an object only


def _pairs(run: Run) -> dict[Path, Path]:
    """What came, and what went out."""
    rows = [row for row in run.reports if row["path"].startswith("rtf/")]
    return {CORPUS / row["path"]: run.output / row["output"]["path"] for row in rows if row["output"]}


def test_all_are_delivered(corpus_run: Run) -> None:
    assert len(_pairs(corpus_run)) == 10


def test_no_object_is_left(corpus_run: Run) -> None:
    for made in _pairs(corpus_run).values():
        parser = rtfobj.RtfObjParser(made.read_bytes())
        parser.parse()
        assert not parser.objects, made


@libreoffice.needed
def test_text_and_pages_are_the_same(corpus_run: Run, tmp_path: Path) -> None:
    pairs = _pairs(corpus_run)
    read = libreoffice.to_text([*pairs, *pairs.values()], tmp_path)
    assert {given.name for given in pairs if given not in read} <= NOT_READ
    pairs = {given: made for given, made in pairs.items() if given in read}
    assert {given.name for given, made in pairs.items() if read[made] != read[given]} == set()
    drawn = libreoffice.to_pdf([*pairs, *pairs.values()], tmp_path)
    least = {given: min(libreoffice.similarity(drawn[given], drawn[made]), default=1.0) for given, made in pairs.items()}
    assert {given.name for given, value in least.items() if value < FEWEST_ALIKE} == set(LOOKS_OTHERWISE), least
