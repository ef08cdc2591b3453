"""Encrypted PDF: opened with what was given, in whatever spelling, and stored in the clear; else held."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest

from sanitizers.context import Outcome
from sanitizers.formats.pdf import passwords
from sanitizers.model import Action, Reason, Verdict
from tests.build import pdf as build
from tests.build import pdf_signing as signing
from tests.build import pdf_views as views
from tests.build.context import run

# revision: what qpdf is asked to write
REVISIONS = {
    "RC4 40": {"R": 2, "aes": False, "metadata": False}, "RC4 128": {"R": 3, "aes": False, "metadata": False},
    "AES 128": {"R": 4, "aes": True, "metadata": True}, "AES 256 R5": {"R": 5, "aes": True, "metadata": True},
    "AES 256 R6": {"R": 6, "aes": True, "metadata": True},
}
pytestmark = pytest.mark.filterwarnings("ignore:Encryption R=5 is deprecated")
EACH = pytest.mark.parametrize("revision", REVISIONS)


def locked(revision: str, user: str, owner: str) -> bytes:
    return build.saved(build.clean(), encryption=pikepdf.Encryption(user=user, owner=owner, **REVISIONS[revision]))  # type: ignore[arg-type]


def codes(outcome: Outcome) -> dict[str, Action]:
    return {finding.code: finding.action for finding in outcome.report.findings}


def in_the_clear(outcome: Outcome) -> None:
    """Other readers open it without a password, and see the pages."""
    assert outcome.report.verdict is Verdict.SANITIZED
    assert outcome.content is not None
    output = outcome.content.bytes()
    with pikepdf.open(io.BytesIO(output)) as document:
        assert not document.is_encrypted
    assert views.text(output) == ["visible 1", "visible 2"]


def held(outcome: Outcome) -> None:
    assert outcome.content is None
    assert (outcome.report.verdict, outcome.report.reason) == (Verdict.HELD, Reason.ENCRYPTED)
    assert codes(outcome) == {"file.encrypted": Action.REFUSED}


@EACH
def test_no_password_to_open_means_none_is_needed(revision: str) -> None:
    outcome = run(locked(revision, "", "owner"), "a.pdf")
    in_the_clear(outcome)
    assert codes(outcome) == {"pdf.encryption": Action.REWRITTEN}


@EACH
@pytest.mark.parametrize("given", ["user", "owner"])
def test_either_password_opens(revision: str, given: str) -> None:
    outcome = run(locked(revision, "user", "owner"), "a.pdf", passwords=("wrong", given))
    in_the_clear(outcome)
    assert codes(outcome) == {"file.decrypted": Action.REWRITTEN}


@EACH
@pytest.mark.parametrize("given", [(), ("wrong", "USER", "user ")], ids=["none", "wrong ones"])
def test_without_the_password_it_is_held(revision: str, given: tuple[str, ...]) -> None:
    held(run(locked(revision, "user", "owner"), "a.pdf", passwords=given))


def test_the_password_is_in_no_finding() -> None:
    outcome = run(locked("AES 256 R6", "himitsu-4711", "o"), "a.pdf", passwords=("himitsu-4711",))
    assert "himitsu-4711" not in repr(outcome.report)


@pytest.mark.parametrize("revision", ["AES 256 R5", "AES 256 R6"])
@pytest.mark.parametrize("given", ["小諸市役所", "こもろ-0123", "ｱｲｳ"])
def test_a_japanese_password_opens(revision: str, given: str) -> None:
    held(run(locked(revision, given, "o"), "a.pdf", passwords=("小諸",)))
    in_the_clear(run(locked(revision, given, "o"), "a.pdf", passwords=(given,)))


@pytest.mark.parametrize("given", ["Ｐａｓｓ１２３", "pass\u00ad123", "カ\u3099キ"])
def test_a_password_is_prepared_as_writers_prepare_it(given: str) -> None:
    """SASLprep: full width is plain, invisible is nothing, composed is composed; one written without it opens too."""
    prepared = passwords.prepared(given)
    assert prepared != given
    for written in (prepared, given):
        in_the_clear(run(locked("AES 256 R6", written, "o"), "a.pdf", passwords=(given,)))


_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def _rc4(key: bytes, data: bytes) -> bytes:
    state, out, index, other = list(range(256)), bytearray(), 0, 0
    for step in range(256):
        other = (other + state[step] + key[step % len(key)]) % 256
        state[step], state[other] = state[other], state[step]
    other = 0
    for byte in data:
        index = (index + 1) % 256
        other = (other + state[index]) % 256
        state[index], state[other] = state[other], state[index]
        out.append(byte ^ state[(state[index] + state[other]) % 256])
    return bytes(out)


def by_hand(password: bytes) -> bytes:
    """RC4 of 40 bits (algorithms 2, 3 and 4 of ISO 32000-2 §7.6.4) under any bytes for a password, as programs for Windows wrote it."""
    padded = (password + _PADDING)[:32]
    identity = hashlib.md5(b"id").digest()
    owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
    key = hashlib.md5(padded + owner + b"\xfc\xff\xff\xff" + identity).digest()[:5]
    own = hashlib.md5(key + b"\5\0\0\0\0").digest()[:10]
    content = _rc4(own, b"BT /F1 24 Tf 72 720 Td (visible 1) Tj ET")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</Font<</F1 4 0 R>>>>>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Length %d>>\nstream\n%b\nendstream" % (len(content), content),
        b"<</Filter/Standard/V 1/R 2/P -4/O<%b>/U<%b>>>" % (owner.hex().encode(), _rc4(key, _PADDING).hex().encode()),
    ]
    out, table = bytearray(b"%PDF-1.3\n"), b"0000000000 65535 f \n"
    for number, body in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    trailer = b"<</Root 1 0 R/Size 7/Encrypt 6 0 R/ID[<%b><%b>]>>" % (identity.hex().encode(), identity.hex().encode())
    return bytes(out) + b"xref\n0 7\n" + table + b"trailer\n" + trailer + b"\nstartxref\n%d\n%%%%EOF\n" % start


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "utf-8"])
def test_an_old_file_under_a_japanese_password_opens(encoding: str) -> None:
    data = by_hand("小諸市".encode(encoding))
    held(run(data, "a.pdf", passwords=("小諸",)))
    outcome = run(data, "a.pdf", passwords=("小諸市",))
    assert outcome.content is not None
    assert views.text(outcome.content.bytes()) == ["visible 1"]


def test_an_old_file_under_letters_of_its_own_encoding_opens() -> None:
    """PDFDocEncoding has letters where Latin-1 has none."""
    given = "š€é"
    outcome = run(by_hand(given.encode("pdfdoc")), "a.pdf", passwords=(given,))
    assert outcome.content is not None
    assert given.encode("pdfdoc") not in (given.encode("utf-8"), given.encode("latin-1", "replace"))


@pytest.mark.parametrize("name", ["Adobe.PubSec", "MicrosoftIRMServices", "FoxitConnectedPDFDRM"])
def test_what_no_password_opens_is_held_as_encrypted(name: str) -> None:
    data = by_hand(b"").replace(b"/Filter/Standard", b"/Filter/%b" % name.encode())
    outcome = run(data, "a.pdf", passwords=("x",))
    held(outcome)
    assert "no password" in outcome.report.findings[0].detail


def test_each_spelling_is_tried_once() -> None:
    assert passwords.spellings("abc") == [b"abc"]
    assert len(passwords.spellings("小諸")) == len(set(passwords.spellings("小諸"))) == 3
    assert all(len(spelling) <= 127 for spelling in passwords.spellings("x" * 500)[:1])


def test_passwords_from_a_file_open_in_the_jail(tmp_path: Path) -> None:
    """Also: what is needed to check a signature is there before the walls are up."""
    inputs = tmp_path / "in"
    inputs.mkdir()
    (inputs / "new.pdf").write_bytes(locked("AES 256 R6", "小諸市", "o"))
    (inputs / "old.pdf").write_bytes(by_hand("小諸市".encode("cp932")))
    (inputs / "other.pdf").write_bytes(locked("AES 128", "other", "o"))
    (inputs / "signed.pdf").write_bytes(signing.signed(signing.by_hand(stamp=signing.time_stamp())))
    (tmp_path / "passwords").write_text("wrong\n小諸市\n", "utf-8")
    command = [sys.executable, "-m", "gateway.cli", "sanitize", str(inputs), "-o", str(tmp_path / "out"), "--report", "-", "--no-progress"]
    done = subprocess.run([*command, "--password-file", str(tmp_path / "passwords")], capture_output=True, timeout=100, check=False)
    reports = {report["path"]: report for report in map(json.loads, done.stdout.splitlines())}
    assert {path: (report["verdict"], report["reason"]) for path, report in reports.items()} == {
        "new.pdf": ("sanitized", None), "old.pdf": ("sanitized", None), "other.pdf": ("held", "encrypted"), "signed.pdf": ("sanitized", None),
    }
    assert done.returncode == 3
    assert "; intact; " in reports["signed.pdf"]["findings"][0]["detail"]
    assert views.text((tmp_path / "out" / "old.pdf").read_bytes()) == ["visible 1"]


@EACH
def test_the_result_is_compared_with_the_opened_original(revision: str) -> None:
    """The verifier draws both: it has the password too."""
    assert run(locked(revision, "user", "owner"), "a.pdf", passwords=("user",)).report.similarity == 1.0
