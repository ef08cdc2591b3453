"""Every real OpenDocument file: delivered or held for the right reason, opened by odfpy and, looking the same, by LibreOffice."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from odf import opendocument

from tests.build import libreoffice
from tests.build.odf import walk
from tests.corpus.conftest import CORPUS, Run

pytestmark = pytest.mark.corpus

HELD = {"pass_protected.ods": "encrypted", "issue_594_dos.ods": "limit_exceeded"}
LOOKS_OTHERWISE = {
    "embedded-simple-2007.odp": "LibreOffice draws the icon of the OLE object, a metafile of raster operations, otherwise",
    "embedded-simple-2007.ods": "as above",
    "embedded-simple-2007.odt": "as above",
}
UNREADABLE_AS_GIVEN = {"embedded.odt"}    # LibreOffice opens the result only
UNDRAWN = {".odf"}                        # a formula of its own needs LibreOffice Math
FEWEST_ALIKE = 0.97


def _rows(run: Run) -> list[dict[str, Any]]:
    return [row for row in run.reports if row["path"].startswith("odf/")]


def test_held_for_the_right_reason(corpus_run: Run) -> None:
    held = {Path(row["path"]).name: row["reason"] for row in _rows(corpus_run) if row["output"] is None}
    assert held == HELD


def test_odfpy_opens_every_result(corpus_run: Run) -> None:
    for row in _rows(corpus_run):
        if row["output"] is not None:
            path = corpus_run.output / row["output"]["path"]
            with zipfile.ZipFile(path) as package:
                assert opendocument.load(str(path)).mimetype == package.read("mimetype").decode()


def test_nothing_active_is_left(corpus_run: Run) -> None:
    active = {"event-listener", "object-ole", "plugin", "script", "section-source", "dde-source", "binary-data"}
    for row in _rows(corpus_run):
        if row["output"] is not None:
            assert active.isdisjoint(node.local for node in walk((corpus_run.output / row["output"]["path"]).read_bytes())), row["path"]


@libreoffice.needed
def test_pages_look_the_same(corpus_run: Run, tmp_path: Path) -> None:
    delivered = [row for row in _rows(corpus_run) if row["output"] is not None and Path(row["path"]).suffix not in UNDRAWN]
    pairs = {CORPUS / row["path"]: corpus_run.output / row["output"]["path"] for row in delivered}
    drawn = libreoffice.to_pdf([*pairs, *pairs.values()], tmp_path)
    assert {path.name for path in pairs if path not in drawn} == UNREADABLE_AS_GIVEN
    assert all(made in drawn for made in pairs.values())
    otherwise: dict[str, float] = {}
    for given, made in pairs.items():
        if given in drawn and (least := min(libreoffice.similarity(drawn[given], drawn[made]), default=1.0)) < FEWEST_ALIKE:
            otherwise[given.name] = least
    assert set(otherwise) == set(LOOKS_OTHERWISE), otherwise
