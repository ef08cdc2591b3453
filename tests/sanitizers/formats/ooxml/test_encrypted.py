"""Office packages under a password in all their forms: opened, refused as none, or held for a password."""

from __future__ import annotations

import re

import pytest

from sanitizers.model import Reason, Verdict
from tests.build import locked
from tests.build import ooxml as build
from tests.build.context import run
from tests.build.outlook import Tree, compound

PASSWORD = "合言葉"
STANDARD = locked.standard(build.docx().bytes(), PASSWORD)
INFO = STANDARD["EncryptionInfo"]
AGILE = locked.word(PASSWORD)


def _standard(info: bytes) -> bytes:
    return compound({**STANDARD, "EncryptionInfo": info})


def _agile(old: bytes, new: bytes) -> bytes:
    """Of the same length: the description lies somewhere in the file."""
    (said,) = set(re.findall(old, AGILE))
    assert len(new) <= len(said)
    return AGILE.replace(said, new.ljust(len(said)))


def test_standard_encryption_of_office_2007_is_opened() -> None:
    outcome = run(compound(STANDARD), "様式.docx", passwords=("wrong", PASSWORD))
    assert outcome.report.verdict is Verdict.SANITIZED
    assert [finding.code for finding in outcome.report.findings] == ["file.decrypted"]
    assert outcome.content is not None
    assert "本文".encode() in build.members(outcome.content.bytes())["word/document.xml"]


@pytest.mark.parametrize("data", [compound(STANDARD), AGILE])
def test_without_its_password_it_waits_for_one(data: bytes) -> None:
    outcome = run(data, "様式.docx", passwords=("wrong",))
    assert (outcome.content, outcome.report.reason) == (None, Reason.ENCRYPTED)


BROKEN: dict[str, bytes | Tree] = {
    "no description": {"EncryptedPackage": bytes(100)},
    "a description that is a folder": {"EncryptedPackage": bytes(100), "EncryptionInfo": {"x": b"y"}},
    "an empty description": _standard(b""),
    "a version that nobody wrote": _standard(b"\x09\0\x09\0" + INFO[4:]),
    "a description cut off": _standard(INFO[:60]),
    "a package cut off": {**STANDARD, "EncryptedPackage": b"\x01\0\0"},
    "a hash that is none": _agile(rb'hashAlgorithm="\w+"', b'hashAlgorithm="MD0"'),
    "a size that is none": _agile(rb'blockSize="\d+"', b'blockSize="x"'),
    "markup that ends early": _agile(rb"</encryption>", b""),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_descriptions_are_refused(case: str) -> None:
    data = BROKEN[case]
    outcome = run(data if isinstance(data, bytes) else compound(data), "様式.docx", passwords=(PASSWORD,))
    assert outcome.content is None
    assert outcome.report.reason in (Reason.MALFORMED, Reason.UNSUPPORTED_KIND), outcome.report
    assert outcome.report.findings[-1].code in ("ooxml.package", "xml.malformed", "file.unsupported_kind")


def test_what_is_no_package_of_ours_inside_is_not_opened() -> None:
    data = compound(locked.standard(locked.zip_aes("x"), PASSWORD))
    outcome = run(data, "様式.docx", passwords=(PASSWORD,))
    assert (outcome.content, outcome.report.reason) == (None, Reason.UNSUPPORTED_KIND)
