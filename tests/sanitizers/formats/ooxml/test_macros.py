"""Macros are only described; comments go where policy says so."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from oletools.olevba import VBA_Parser, decompress_stream

from sanitizers.formats.office import vba
from sanitizers.model import LimitExceeded
from tests.build import ooxml as build
from tests.build.context import context, run
from tests.build.ooxml import OFFICE

CORPUS = Path(__file__).parents[5] / "shared" / "corpus" / "ooxml"

def test_decompression_by_the_examples_of_the_specification() -> None:
    """[MS-OVBA] §3.2.3: as much repetition as there can be."""
    assert vba.decompress(bytes.fromhex("0103b002614500"), 100) == b"a" * 73


def test_decompression_agrees_with_oletools() -> None:
    source = b'Attribute VB_Name = "Module1"\r\nSub Auto_Open()\r\nMsgBox 1\r\nEnd Sub\r\n' * 40
    packed = b"\x01" + b"".join(_literal_chunk(source[at : at + 3000]) for at in range(0, len(source), 3000))
    assert vba.decompress(packed, 1 << 20) == source
    assert bytes(decompress_stream(bytearray(packed))) == source


def _literal_chunk(data: bytes) -> bytes:
    groups = b"".join(b"\0" + data[at : at + 8] for at in range(0, len(data), 8))
    return struct.pack("<H", 0xB000 | (len(groups) - 1)) + groups


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x01\x00", b"\x01\xff\xff", b"\x01\x03\xb0\xff\xff\xff\xff", b"\x01\x05\xb0\x02a\xff\xff"])
def test_decompression_of_rubbish_ends(data: bytes) -> None:
    assert isinstance(vba.decompress(data, 100), bytes)


def test_decompression_has_a_cap() -> None:
    with pytest.raises(LimitExceeded):
        vba.decompress(b"\x01" + bytes.fromhex("03b002614500") * 100, 1000)


@pytest.mark.parametrize("data", [b"", build.OLE, b"\xd0\xcf\x11\xe0" * 200])
def test_no_project_has_no_modules(data: bytes) -> None:
    assert vba.describe(data, "x", context()) == ""


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus")
def test_real_modules_are_named_and_scanned() -> None:
    path = CORPUS / "openpyxl" / "vba+comments.xlsm"
    seen: list[bytes] = []
    given = context()
    given.scan = lambda source, where, kind: seen.append(source.bytes()) or []
    project = build.members(path.read_bytes())["xl/vbaProject.bin"]
    assert vba.describe(project, "xl/vbaProject.bin", given) == "Module1, ThisWorkbook, Sheet1"
    sources = [code for *_, code in VBA_Parser(str(path)).extract_macros()]
    for code in sources:
        assert any(code.splitlines()[-1].encode("cp1252") in text for text in seen if code.strip())


def test_comments_and_changes_go_where_policy_says_so() -> None:
    body = (
        '<w:p><w:commentRangeStart w:id="0"/><w:ins w:id="1" w:author="田中"><w:r><w:t>挿入</w:t></w:r></w:ins><w:del w:id="2" w:author="田中"><w:r>'
        '<w:delText>削除</w:delText></w:r></w:del><w:commentRangeEnd w:id="0"/><w:r><w:commentReference w:id="0"/></w:r></w:p><w:tbl><w:tblPr/><w:tblGrid/>'
        '<w:tr><w:trPr><w:del w:id="3" w:author="田中"/></w:trPr><w:tc><w:p><w:r><w:t>消えた行</w:t></w:r></w:p></w:tc></w:tr></w:tbl>'
    )
    pack = build.docx(body)
    text = f'<w:comments {build.SPACES}><w:comment w:id="0" w:author="田中">{build.paragraph("意見")}</w:comment></w:comments>'
    pack.attach("word/document.xml", "rIdC", "comments", "word/comments.xml", text, f"{OFFICE}wordprocessingml.comments+xml")
    outcome = run(pack.bytes(), "x", comments_kept=False)
    assert outcome.content is not None
    members = build.members(outcome.content.bytes())
    document = members["word/document.xml"].decode()
    assert "挿入" in document
    assert "word/comments.xml" not in members
    assert not any(word in document for word in ("削除", "消えた行", "田中", "comment"))
    assert "ooxml.comments" in {finding.code for finding in outcome.report.findings}
