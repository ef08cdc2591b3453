"""マクロ付き取込み: a file passes with its macros by an exception for its very digest, after all of it was read and scanned."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

from deploy.demo import samples
from sanitizers.context import Outcome
from sanitizers.engine import Engine
from sanitizers.model import Job, Reason, Treatment, Verdict
from sanitizers.scan import compile_rules
from sanitizers.source import Source
from tests.build import cfb, ooxml
from tests.build.context import run
from tests.build.zip import Entry, build

SOURCE = b'Attribute VB_Name = "Module1"\r\nSub AutoOpen()\r\nMsgBox "sekisho-test-mark"\r\nEnd Sub\r\n'


def packed(source: bytes) -> bytes:
    """[MS-OVBA] 2.4.1, nothing of it compressed."""
    groups = b"".join(b"\0" + source[at : at + 8] for at in range(0, len(source), 8))
    return b"\x01" + struct.pack("<H", 0xB000 | (len(groups) - 1)) + groups


def docm(*, listed: bytes = b"Module=Module1\r\n", source: bytes = SOURCE) -> bytes:
    project = cfb.compound({"VBA/Module1": packed(source), "PROJECT": listed})
    pack = ooxml.docx(kind="application/vnd.ms-word.document.macroEnabled.main+xml")
    pack.attach("word/document.xml", "rIdV", f"{ooxml.MS}/vbaProject", "word/vbaProject.bin", project, "application/vnd.ms-office.vbaProject")
    return pack.bytes()


DOCM = docm()
CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "ooxml"
BY = "例外措置 EX-2026-0001（承認 kacho）"


def excepted(data: bytes, name: str = "様式1.docm", *, of: bytes | None = None, **more: object) -> Outcome:
    digest = hashlib.sha256(data if of is None else of).hexdigest()
    return run(data, name, confirmed_digests=((digest, BY),), **more)


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.report.findings]


def test_without_an_exception_the_macros_go() -> None:
    for outcome in (run(DOCM, "様式1.docm"), run(DOCM, "様式1.docm", confirmed_kinds=("docm",), confirmed_by="kacho"), excepted(DOCM, of=b"x")):
        assert outcome.report.verdict is Verdict.SANITIZED
        assert "ooxml.vba" in codes(outcome)


def test_with_one_the_original_passes_and_says_by_whose_word() -> None:
    outcome = excepted(DOCM)
    assert outcome.content is not None
    assert outcome.content.bytes() == DOCM
    assert outcome.report.verdict is Verdict.CONFIRMED
    assert codes(outcome) == ["confirm.structure", "confirm.approved"]
    assert outcome.report.findings[-1].detail == BY
    assert outcome.report.output is not None
    assert outcome.report.output.name == "様式1.docm"


def test_one_byte_more_is_another_file() -> None:
    assert excepted(DOCM + b"\0", of=DOCM).report.verdict is not Verdict.CONFIRMED


def test_an_exception_opens_no_broken_file() -> None:
    broken = DOCM[:-40]
    outcome = excepted(broken)
    assert (outcome.content, outcome.report.verdict) == (None, Verdict.HELD)


def test_an_exception_opens_nothing_for_kinds_that_have_no_macros() -> None:
    plain = samples.docx(macro=False)
    assert excepted(plain, "様式1.docx").report.verdict is not Verdict.CONFIRMED
    archive = build(Entry(b"a.txt", b"x\r\n"))
    assert excepted(archive, "a.zip").report.verdict is not Verdict.CONFIRMED


@pytest.mark.parametrize(
    "data",
    [
        docm(listed=b"Module=Module1\r\nModule=Hidden\r\n"),
        docm(listed=b""),
        docm(source=b"no source at all"),
    ],
    ids=["a module that is not there", "no names", "no source (VBA stomping)"],
)
def test_what_cannot_be_looked_at_does_not_pass(data: bytes) -> None:
    assert run(data, "様式1.docm").report.verdict is Verdict.SANITIZED
    outcome = excepted(data)
    assert (outcome.content, outcome.report.reason) == (None, Reason.UNSUPPORTED_KIND)


def test_malware_in_the_macro_stops_it() -> None:
    """The rules see the source of the macros, which the archive and VBA's compression hide."""
    rule = 'rule Mark { meta: severity = "high" strings: $a = "sekisho-test-mark" condition: $a }'
    treatment = Treatment(confirmed_digests=((hashlib.sha256(DOCM).hexdigest(), BY),))
    engine = Engine(Job(name="様式1.docm", treatment=treatment), compile_rules({"a.yar": rule}), len(DOCM))
    outcome = engine.run(Source(DOCM))
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALWARE)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus")
def test_a_real_workbook_with_macros() -> None:
    data = (CORPUS / "openpyxl" / "vba+comments.xlsm").read_bytes()
    outcome = excepted(data, "調査票.xlsm")
    assert outcome.content is not None, outcome.report
    assert outcome.content.bytes() == data
    assert outcome.report.findings[0].detail == "Module1, ThisWorkbook, Sheet1"
