"""Every real Office file: delivered or held for the right reason, opened by other readers and, looking the same, by LibreOffice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from docx.opc.package import OpcPackage as WordPackage
from pptx.opc.package import OpcPackage as ShowPackage

from tests.build import libreoffice
from tests.corpus.conftest import CORPUS, Run

pytestmark = pytest.mark.corpus

HELD = {
    "crash-f2efd9eaeb86cda597d07b5e3c3d81363633c2da": "malformed",      # its ZIP directory is broken
    "test.vsdx": "unsupported_kind",
    "presentation.xps": "unsupported_kind",
    "dde-test.xlsb": "unsupported_kind",
    "embedded-simple-2007.xlsb": "unsupported_kind",
    "excel4_sample_macro.xlsb": "unsupported_kind",
    "dde-test-encrypt-standardpassword.xlsb": "unsupported_kind",       # opened by Excel's own password, then as any .xlsb
    "embedded-simple-2007.xlam": "forbidden_kind",                      # an add-in
    "dde-in-excel2003.xml": "unsupported_kind",
    "embedded-simple-2007-as2003.xml": "unsupported_kind",
    "harmless-clean-2003.xml": "unsupported_kind",
    "example_password.docx": "encrypted",
    "example_password.xlsx": "encrypted",
    "encrypted.docm": "encrypted",
    "encrypted.pptm": "encrypted",
    "encrypted.pptx": "encrypted",
}
ICON = "LibreOffice draws the icon of the OLE object, a metafile of raster operations, otherwise"
CONTROL = "a control is shown by its picture; LibreOffice draws the control itself"
LOOKS_OTHERWISE = {
    "embedded-simple-2007.docm": ICON,
    "embedded-simple-2007.docx": ICON,
    "embedded-simple-2007.dotm": ICON,
    "act-props.pptm": ICON,
    "vba-test.xlsm": CONTROL,
    "rlink.docx": "a picture from outside is drawn grey; LibreOffice without a network draws nothing",
    "shp-inline-shape-access.docx": "as above",
    "errors.xlsx": "a formula of another workbook shows the error it last had, LibreOffice shows its own",
    "dde-test.xlsx": "a DDE formula shows the value it last had",
    "dde-test-encrypt-standardpassword.xlsm": "as above",
    "excel4_sample_macro.xlsm": "LibreOffice draws the macro sheet",
    "excel4_sample_macro.xltm": "as above",
    "shp-movie-props.pptx": "LibreOffice lays the first frame of the film over its picture",
}
UNREADABLE_AS_GIVEN = {"issue_530.xlsx"}    # LibreOffice opens the result only
UNREADABLE_FOR_OPENPYXL = {"pivots.xlsx"}   # a kind of pivot table that it does not know, before and after
NO_OFFICE_FILE = {"null_archive.xlsx"}      # an empty ZIP, delivered as one
FEWEST_ALIKE = 0.97


def _rows(run: Run) -> list[dict[str, Any]]:
    return [row for row in run.reports if row["path"].startswith("ooxml") and Path(row["path"]).name not in NO_OFFICE_FILE]


def _delivered(run: Run) -> dict[Path, Path]:
    """Each input with its result."""
    return {CORPUS / row["path"]: run.output / row["output"]["path"] for row in _rows(run) if row["output"] is not None}


def test_held_for_the_right_reason(corpus_run: Run) -> None:
    assert {Path(row["path"]).name: row["reason"] for row in _rows(corpus_run) if row["output"] is None} == HELD


def test_an_empty_archive_is_no_workbook(corpus_run: Run) -> None:
    kinds = {row["output"]["kind"] for row in corpus_run.reports if Path(row["path"]).name in NO_OFFICE_FILE}
    assert kinds == {"zip"}


@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
def test_other_readers_open_every_result(corpus_run: Run) -> None:
    readers = {
        ".docx": docx.Document, ".dotx": WordPackage.open, ".xlsx": openpyxl.load_workbook, ".xltx": openpyxl.load_workbook,
        ".pptx": pptx.Presentation, ".ppsx": ShowPackage.open, ".potx": ShowPackage.open,
    }  # fmt: skip
    made = [path for path in _delivered(corpus_run).values() if path.name not in UNREADABLE_FOR_OPENPYXL]
    assert len(made) > 35
    for path in made:
        assert readers[path.suffix](str(path)) is not None, path


def test_macros_are_named(corpus_run: Run) -> None:
    said = {Path(row["path"]).name: [f["detail"] for f in row["findings"] if f["code"] == "ooxml.vba"] for row in _rows(corpus_run)}
    assert said["vba+comments.xlsm"] == ["Module1, ThisWorkbook, Sheet1"]
    assert said["vba-test.xlsm"] == ["Sheet1, ThisWorkbook, Calculations, AutoComp, EditNoncomps, Sorting, Formatting"]
    assert all(any(said[name]) for name in ("vba.xlsm", "oleform-PR314.docm", "act-props.pptm"))


def test_encrypted_files_open_with_their_password(tmp_path: Path) -> None:
    folder = CORPUS / "ooxml-encrypted" / "msoffcrypto-tool"
    if not folder.is_dir():
        pytest.skip("the shared corpus is not here")
    passwords = tmp_path / "passwords"
    passwords.write_text("wrong\nPassword1234_\n", "utf-8")
    command = [sys.executable, "-m", "gateway.cli", "sanitize", str(folder), "-o", str(tmp_path / "out"), "--password-file", str(passwords), "--no-progress"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    opened = docx.Document(str(tmp_path / "out" / "example_password.docx"))
    assert any(paragraph.text for paragraph in opened.paragraphs)
    assert openpyxl.load_workbook(tmp_path / "out" / "example_password.xlsx").sheetnames


@pytest.mark.slow
@libreoffice.needed
def test_pages_look_the_same(corpus_run: Run, tmp_path: Path) -> None:
    pairs = _delivered(corpus_run)
    drawn = libreoffice.to_pdf([*pairs, *pairs.values()], tmp_path)
    assert {path.name for path in pairs if path not in drawn} == UNREADABLE_AS_GIVEN
    assert all(made in drawn for made in pairs.values())
    otherwise: dict[str, float] = {}
    for given, made in pairs.items():
        if given in drawn and (least := min(libreoffice.similarity(drawn[given], drawn[made]), default=1.0)) < FEWEST_ALIKE:
            otherwise[given.name] = least
    assert set(otherwise) == set(LOOKS_OTHERWISE), otherwise
