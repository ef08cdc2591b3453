"""PDF signatures: what was signed, by whom and whether it still is so is said, before the rebuilding voids it."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest

from sanitizers import cms, der
from sanitizers.context import Outcome
from sanitizers.model import Action, Finding
from tests.build import pdf as build
from tests.build import pdf_signing as signing
from tests.build import pdf_views as views
from tests.build.context import run

WHOLE = "covers the whole file"
GOOD = {
    "rsa": (signing.detached(), "adbe.pkcs7.detached"),
    "pss": (signing.detached(pss=True), "ETSI.CAdES.detached"),
    "ec": (signing.detached("ec"), "ETSI.CAdES.detached"),
    "sha1": (signing.of_sha1, "adbe.pkcs7.sha1"),
    "by hand": (signing.by_hand(), "adbe.pkcs7.detached"),
    "no attributes": (signing.by_hand(attributes=False), "adbe.pkcs7.detached"),
    "indefinite lengths": (signing.by_hand(endless=True), "ETSI.CAdES.detached"),
    "key identifier": (signing.by_hand(by_key=True), "ETSI.CAdES.detached"),
    "time stamp": (signing.time_stamp(), "ETSI.RFC3161"),
}


def found(outcome: Outcome, code: str = "pdf.signature") -> list[Finding]:
    return [finding for finding in outcome.report.findings if finding.code == code]


def detail(data: bytes) -> str:
    """What is said about the one signature; the file is delivered without it."""
    outcome = run(data, "a.pdf")
    assert outcome.content is not None, outcome.report.findings
    (finding,) = found(outcome)
    assert finding.action is Action.REMOVED
    assert bool(found(outcome, "pdf.signature_broken")) is ("BROKEN" in finding.detail)
    with pikepdf.open(io.BytesIO(outcome.content.bytes())) as kept:
        assert "/AcroForm" not in kept.Root
        assert "/V" not in kept.pages[0].obj.Annots[0]
    return finding.detail


@pytest.mark.parametrize("case", GOOD)
def test_an_intact_signature_is_called_so(case: str) -> None:
    sign, subfilter = GOOD[case]
    said = detail(signing.signed(sign, subfilter))
    assert said.startswith(signing.SIGNER)
    assert "; intact; " in said
    assert WHOLE in said
    assert "not judged" in said


@pytest.mark.parametrize("case", GOOD)
def test_a_byte_changed_after_signing_breaks_it(case: str) -> None:
    sign, subfilter = GOOD[case]
    data = signing.signed(sign, subfilter)
    changed = data.replace(b"(visible 1)", b"(changed 1)")
    assert changed != data
    assert "BROKEN" in detail(changed)


@pytest.mark.parametrize("case", GOOD)
def test_a_signature_value_of_someone_else_breaks_it(case: str) -> None:
    """The last byte of the signature value, or of what stands behind it, is another one."""
    sign, subfilter = GOOD[case]

    def forged(content: bytes) -> bytes:
        value = bytearray(sign(content).rstrip(b"\0"))
        value[-1 if case != "ec" else -3] ^= 1
        return bytes(value)

    said = detail(signing.signed(forged, subfilter))
    assert "BROKEN" in said or "cannot be checked" in said
    assert "intact" not in said


def test_what_was_added_after_signing_is_counted() -> None:
    data = signing.signed(signing.detached())
    said = detail(signing.added(data))
    assert "; intact; " in said
    assert f"; {len(signing.added(data).rstrip()) - len(data)} bytes were added after signing" in said
    assert WHOLE not in said


def test_the_time_is_the_signers_or_a_stamps() -> None:
    assert "by signer's clock" in detail(signing.signed(signing.detached()))
    stamped = signing.by_hand(stamp=signing.time_stamp())
    assert "2026-11-20T01:02:03Z by time stamp" in detail(signing.signed(stamped))
    assert "2026-11-20T01:02:03Z by time stamp" in detail(signing.signed(signing.time_stamp(), "ETSI.RFC3161"))
    assert "time not signed, said to be D:20261120100203+09'00'" in detail(signing.signed(signing.by_hand()))


def test_a_time_stamp_over_another_signature_does_not_count() -> None:
    elsewhere = signing.by_hand(stamp=lambda _: signing.time_stamp()(b"something else"))
    said = detail(signing.signed(elsewhere))
    assert "time stamp" not in said
    assert "; intact; " in said


@pytest.mark.parametrize("case", ["subfilter", "not cms", "wrong type", "attached", "range", "gap", "no range"])
def test_what_cannot_be_checked_is_not_called_intact(case: str) -> None:
    data = signing.signed(signing.detached())
    if case == "subfilter":
        data = signing.signed(signing.detached(), "adbe.x509.rsa_sha1")
    elif case == "not cms":
        data = signing.signed(lambda _: b"\x30\x84\xff\xff\xff\xff")
    elif case == "wrong type":
        data = signing.signed(signing.by_hand(said="1.2.3"))
    elif case == "attached":
        data = signing.signed(signing.by_hand(content=lambda content: content[:100]))
    elif case == "range":
        data = data.replace(b"/ByteRange [0", b"/ByteRange [1", 1)
    elif case == "gap":
        start = data.index(b"/ByteRange [0 ") + 14
        number = data[start:].split()[0]
        data = data[:start] + b"%0*d" % (len(number), int(number) - 3) + data[start + len(number) :]
    elif case == "no range":
        data = data.replace(b"/ByteRange", b"/BiteRange", 1)
    said = detail(data)
    assert ("BROKEN" if case == "wrong type" else "cannot be checked") in said
    assert "intact" not in said


def test_two_signatures_are_two_findings() -> None:
    first = signing.signed(signing.detached(), data=signing.placed("adbe.pkcs7.detached"))
    with pikepdf.open(io.BytesIO(first)) as document:
        both = signing.signed(signing.detached("ec"), data=signing.placed("ETSI.CAdES.detached", document, "Signature2", static_id=True))
    said = sorted(finding.detail for finding in found(run(both, "a.pdf")))
    assert len(said) == 2
    assert sum("; intact; " in one for one in said) == 1        # rewriting the file broke the first


def test_the_looks_of_a_signature_stay(tmp_path: Path) -> None:
    data = signing.signed(signing.detached())
    outcome = run(data, "a.pdf")
    assert outcome.content is not None
    after = outcome.content.bytes()
    assert views.inked(views.pictures(after)[0]) > 300
    assert views.difference(views.pictures(data)[0], views.pictures(after)[0]) < 0.05
    assert b"ByteRange" not in views.everything(after, tmp_path)


def test_an_unsigned_signature_field_stays_to_be_signed() -> None:
    with pikepdf.open(io.BytesIO(signing.placed("adbe.pkcs7.detached"))) as document:
        del document.Root.AcroForm.Fields[0]["/V"]
        outcome = run(build.saved(document), "a.pdf")
    assert not found(outcome)
    assert outcome.content is not None
    with pikepdf.open(io.BytesIO(outcome.content.bytes())) as kept:
        assert kept.Root.AcroForm.Fields[0].FT == "/Sig"


def test_a_signature_in_an_encrypted_file_is_checked_too() -> None:
    locked = signing.placed("adbe.pkcs7.detached", encryption=pikepdf.Encryption(user="", owner="o", R=6))
    assert "; intact; " in detail(signing.signed(signing.detached(), data=locked))


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x80" * 60, b"\x30\x80" + b"\x30\x80" * 20 + b"\0\0" * 21, b"\x1f\x01\x00", b"\x30\x85\xff\xff\xff\xff\xff"])
def test_broken_encodings_are_refused(data: bytes) -> None:
    with pytest.raises(der.Broken):
        cms.check_detached(data, [b""])


@pytest.mark.parametrize("step", [1, 7])
def test_no_shortened_or_changed_signature_is_anything_but_broken(step: int) -> None:
    content = b"content"
    good = signing.by_hand(stamp=signing.time_stamp())(content)
    assert cms.check_detached(good, [content]).intact
    for index in range(0, len(good), step * 3):
        bad = bytearray(good)
        bad[index] ^= 0x55
        for data in (bytes(bad), good[:index]):
            try:
                cms.check_detached(data, [content])
            except der.Broken:
                continue


def test_times_are_read_as_they_stand() -> None:
    assert der.time(der.parse(signing.der(0x17, b"260102030405Z"))) == "2026-01-02T03:04:05Z"
    assert der.time(der.parse(signing.der(0x17, b"9901020304+0900"))) == "1999-01-02T03:04:00+09:00"
    assert der.time(der.parse(signing.der(0x18, b"20260102030405.678Z"))) == "2026-01-02T03:04:05Z"
    with pytest.raises(der.Broken):
        der.time(der.parse(signing.der(0x17, b"2026-01-02")))


def test_signatures_past_the_limit_are_not_checked() -> None:
    """One signature in many fields: each is reported, the first ones are checked."""
    with pikepdf.open(io.BytesIO(signing.signed(signing.detached()))) as document:
        value = document.Root.AcroForm.Fields[0].V
        for index in range(220):
            field = pikepdf.Dictionary(FT=pikepdf.Name.Sig, T=pikepdf.String(f"s{index}"), V=value)
            document.Root.AcroForm.Fields.append(document.make_indirect(field))
        said = [finding.detail for finding in found(run(build.saved(document), "a.pdf"))]
    assert len(said) == 221
    assert sum("too many signatures" in one for one in said) == 21
