"""Every attack of the catalogue (O01 to O28) is gone from the result, said so in the report, and the rest is still there."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from oletools import msodde
from oletools.oleobj import find_customUI, find_external_relationships
from oletools.olevba import VBA_Parser
from oletools.ooxml import XmlParser

from sanitizers.model import Kind, Reason, Verdict
from tests.build import ooxml as build
from tests.build.context import run
from tests.build.ooxml import CANARY, Pack
from tests.build.ooxml_cases import CASES, EVIL, cell, fallback, hyperlink, macro_sheet, ole_object, sheet_object


def _texts(content: bytes) -> bytes:
    return b"\n".join(name.encode() + b"\n" + data for name, data in build.members(content).items())


@pytest.mark.parametrize("case", CASES)
def test_is_gone_and_said(case: str, tmp_path: Path) -> None:
    make, code = CASES[case]
    pack = make()
    given = pack.bytes()
    assert CANARY.encode() in _texts(given), "the sample does not hold what it should"
    outcome = run(given, "様式")
    report = outcome.report
    assert report.verdict is Verdict.SANITIZED, (report.reason, [f for f in report.findings if f.action == "refused"])
    assert code in {"", *(finding.code for finding in report.findings)}
    assert outcome.content is not None
    content = outcome.content.bytes()
    everything = _texts(content)
    assert CANARY.encode() not in everything
    assert b"\xd0\xcf\x11\xe0" not in everything
    assert any(word.encode() in everything for word in ("本文", "表1", "題名"))
    _nothing_active(content, tmp_path / f"out.{report.output.kind if report.output else 'x'}")


def _nothing_active(content: bytes, path: Path) -> None:
    """What oletools see in the result: nothing."""
    path.write_bytes(content)
    parser = VBA_Parser(str(path), data=content)
    assert not parser.detect_vba_macros()
    assert not parser.detect_xlm_macros()
    parser.close()
    assert not msodde.process_file(str(path), msodde.FIELD_FILTER_DDE)
    relations = XmlParser(str(path))
    assert not list(find_external_relationships(relations))
    assert not list(find_customUI(relations))


@pytest.mark.parametrize("case", CASES)
def test_twice_is_once(case: str) -> None:
    once = run(CASES[case][0]().bytes(), "様式").content
    assert once is not None
    twice = run(once.bytes(), "様式")
    assert twice.report.verdict is Verdict.CLEAN, twice.report.findings
    assert twice.content is not None
    assert twice.content.bytes() == once.bytes()


def test_values_and_shown_text_stay() -> None:
    assert b"<v>42</v>" in _texts(_clean(cell(f'WEBSERVICE("{EVIL}")')))
    assert b"shown" in _texts(_clean(CASES["O08 plain DDE"][0]()))
    assert "押す".encode() in _texts(_clean(CASES["O09 MACROBUTTON"][0]()))
    assert "文字".encode() in _texts(_clean(hyperlink("file:///x")))
    assert "旧".encode() in _texts(_clean(fallback()))


def test_picture_of_an_object_stays() -> None:
    parts = build.members(_clean(ole_object("Package")))
    assert b"imagedata" in parts["word/document.xml"]
    assert any(name.endswith(".png") for name in parts)


def test_picture_of_an_object_in_a_sheet_stays_at_its_place() -> None:
    parts = build.members(_clean(sheet_object()))
    drawing = parts["xl/drawings/drawing1.xml"].decode()
    assert drawing.count("twoCellAnchor>") == 2
    assert "<xdr:pic>" in drawing
    assert "compatExt" not in drawing
    assert "media/image1.png" in parts["xl/drawings/_rels/drawing1.xml.rels"].decode()
    assert "xl/media/image1.png" in parts


def test_number_of_sheets_is_counted_anew() -> None:
    book = build.members(_clean(macro_sheet()))["xl/workbook.xml"].decode()
    assert 'localSheetId="0"' in book
    assert "M1" not in book


def _clean(pack: Pack) -> bytes:
    content = run(pack.bytes(), "x").content
    assert content is not None
    return content.bytes()


@pytest.mark.parametrize("where", ["word/document.xml", "docProps/core.xml", "_rels/.rels", "[Content_Types].xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_o21_doctype_anywhere_is_refused(where: str, encoding: str) -> None:
    pack = build.docx().attach("", "rIdC", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
                               "docProps/core.xml", '<cp:coreProperties xmlns:cp="urn:x"/>')  # fmt: skip
    parts = build.members(pack.bytes())
    text = parts[where].decode().partition("?>")[2]
    parts[where] = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY e "{CANARY}">]>{text}'.encode(encoding)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    outcome = run(out.getvalue(), "x.docx")
    assert outcome.content is None
    assert outcome.report.reason is Reason.MALFORMED


@pytest.mark.parametrize("twin", ["word/document.xml", "WORD/document.xml", "word\\document.xml"])
def test_o24_two_parts_of_one_name_are_refused(twin: str) -> None:
    out = io.BytesIO(build.docx().bytes())
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning) if twin == "word/document.xml" else _nothing():
        archive.writestr(twin, "<a/>")
    assert run(out.getvalue(), "x.docx").report.reason is Reason.MALFORMED


class _nothing:  # noqa: N801
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


MACRO_KINDS = {
    "application/vnd.ms-word.document.macroEnabled.main+xml": (build.docx, Kind.DOCX),
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml": (build.docx, Kind.DOTX),
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml": (build.xlsx, Kind.XLSX),
    "application/vnd.ms-excel.template.macroEnabled.main+xml": (build.xlsx, Kind.XLTX),
    "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml": (build.pptx, Kind.PPTX),
    "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml": (build.pptx, Kind.PPSX),
    "application/vnd.ms-powerpoint.template.macroEnabled.main+xml": (build.pptx, Kind.POTX),
}


@pytest.mark.parametrize("main", MACRO_KINDS)
def test_o28_macro_kinds_become_plain_kinds(main: str) -> None:
    make, kind = MACRO_KINDS[main]
    outcome = run(make(kind=main).bytes(), "様式.docx")
    assert outcome.report.output is not None
    assert outcome.report.output.kind is kind
    assert outcome.content is not None
    assert b"macroEnabled" not in _texts(outcome.content.bytes())
