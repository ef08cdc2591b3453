"""Workbooks under the mask of Excel 95 and under keys of every size: opened with their password, else held."""

from __future__ import annotations

import io
import struct

import msoffcrypto
import openpyxl
import pytest

from sanitizers.model import Reason
from tests.build import corpus, xls_older
from tests.build import xls as build
from tests.build.cfb import compound
from tests.build.context import run
from tests.build.xls import record, sheet

PASSWORD = "shiyakusho"


def _locked(*, older: bool, password: str = PASSWORD) -> bytes:
    if older:
        return compound({"Book": build.masked(xls_older.stream(), password, short=True)})
    return compound({"Workbook": build.masked(build.stream(sheet(build.number(3, 3, 7))), password)})


@pytest.mark.parametrize("older", [False, True])
def test_the_mask_comes_off_with_its_password(older: bool) -> None:
    given = _locked(older=older)
    assert run(given, "x.xls").report.reason is Reason.ENCRYPTED
    assert run(given, "x.xls", passwords=("other", "春の市役所", "x" * 16)).report.reason is Reason.ENCRYPTED
    outcome = run(given, "x.xls", passwords=("other", PASSWORD))
    assert outcome.content is not None, outcome.report.findings
    assert [finding.code for finding in outcome.report.findings] == ["file.decrypted"]
    made = openpyxl.load_workbook(io.BytesIO(outcome.content.bytes())).worksheets[0]
    assert (made["A1"].value, made["B1"].value) == ("本文", 12.5)


def test_another_reader_opens_the_same_mask() -> None:
    """What the tests lock is what Excel locks."""
    opened, given = io.BytesIO(), msoffcrypto.OfficeFile(io.BytesIO(_locked(older=False)))
    given.load_key(password=PASSWORD)
    given.decrypt(opened)
    outcome = run(opened.getvalue(), "x.xls")
    assert outcome.content is not None, outcome.report.findings
    assert openpyxl.load_workbook(io.BytesIO(outcome.content.bytes())).worksheets[0]["D4"].value == 7


MASKED = [row["path"] for row in corpus.manifest() if "xor_password" in row["path"]]


@pytest.mark.skipif(not MASKED, reason="no corpus")
def test_the_mask_of_excel_itself_comes_off() -> None:
    """A file whose name says its password."""
    script = f"""
import io, json, sys, openpyxl
from pathlib import Path
from tests.build.context import run
outcome = run((Path(sys.argv[1]) / {MASKED[0]!r}).read_bytes(), "x.xls", passwords=("123456789012345",))
sheet = openpyxl.load_workbook(io.BytesIO(outcome.content.bytes())).worksheets[0]
print(json.dumps({{"codes": [one.code for one in outcome.report.findings], "values": [sheet.cell(row, 1).value for row in (1, 2, 3)]}}))
"""
    answer = corpus.ask(script)
    assert "file.decrypted" in answer["codes"]
    assert answer["values"] == [1, 2, 3]


def test_the_password_that_excel_uses_unasked() -> None:
    assert run(_locked(older=False, password="VelvetSweatshop"), "x.xls").content is not None


def test_a_record_that_is_too_short_for_its_plain_part() -> None:
    """The entry of a sheet keeps four bytes in the clear; one of two bytes has nothing under the mask."""
    locked = build.masked(build.stream(), PASSWORD)
    first = 4 + struct.unpack_from("<H", locked, 2)[0]
    given = compound({"Workbook": locked[: first + 10] + record(0x85, b"\0\0") + locked[first + 10 :]})
    outcome = run(given, "x.xls", passwords=(PASSWORD,))
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)


def _header(size: int) -> bytes:
    """RC4 of the CryptoAPI with a key of that many bits."""
    header = struct.pack("<8I", 4, 0, 0x6801, 0x8004, size, 1, 0, 0) + "x\0".encode("utf-16-le")
    return struct.pack("<HHHII", 1, 2, 2, 4, len(header)) + header + struct.pack("<I", 16) + bytes(32) + struct.pack("<I", 20) + bytes(20)


@pytest.mark.parametrize(
    ("said", "reason"),
    [(b"\1\0\2\0\3\0" + bytes(60), Reason.ENCRYPTED), (_header(512), Reason.MALFORMED), (_header(41), Reason.MALFORMED), (_header(128), Reason.ENCRYPTED)],
    ids=["kind", "a large key", "no whole bytes", "a wrong password"],
)
def test_unusual_keys_are_held(said: bytes, reason: Reason) -> None:
    given = build.stream()
    outcome = run(compound({"Workbook": given[:20] + record(0x2F, said) + given[20:]}), "x.xls", passwords=("a",))
    assert (outcome.content, outcome.report.reason) == (None, reason)
