"""DocuWorks is read object by object; other programs' documents that nobody can rebuild are called by their names."""

from __future__ import annotations

import pytest

from sanitizers.model import Kind, LimitExceeded, Limits, Reason, Verdict
from tests.build import docuworks as build
from tests.build import kinds, metafile
from tests.build.context import run
from tests.build.corpus import CORPUS
from tests.build.docuworks import DRAWING, document, drawing, item, objects, value

KINDS = ("xdw", "xbd")
BINDER = document(item(0, build.BINDER) + item(1, "1401") + item(2, "1402") + item(3, build.DOCUMENT) + item(4, "1303"), kind=build.BINDER)
CALL = metafile.emf(metafile.record(105, b"\0" * 8), metafile.rectangle(1, 1, 2, 2))      # EMR_DRAWESCAPE


def codes(data: bytes, name: str = "x.xdw") -> list[str]:
    outcome = run(data, name, confirmed_kinds=KINDS, confirmed_by="課長")
    assert (outcome.content is None) == (outcome.report.verdict is Verdict.HELD)
    return [finding.code for finding in outcome.report.findings]


@pytest.mark.parametrize(("data", "name", "counted"), [(document(), "文書.xdw", "7 objects, 2 drawings"), (BINDER, "束.xbd", "5 objects, 0 drawings")])
def test_the_original_goes_out_where_policy_and_a_person_let_it(data: bytes, name: str, counted: str) -> None:
    for treatment, code in (({}, "file.unsupported_kind"), ({"confirmed_kinds": KINDS}, "confirm.approval_needed")):
        outcome = run(data, name, **treatment)
        assert (outcome.content, outcome.report.reason) == (None, Reason.UNSUPPORTED_KIND)
        first, last = outcome.report.findings
        assert (first.code, first.detail, last.code) == ("confirm.structure", counted, code)
    outcome = run(data, name, confirmed_kinds=KINDS, confirmed_by="課長")
    assert outcome.report.verdict is Verdict.CONFIRMED
    assert outcome.content is not None
    assert outcome.content.bytes() == data


BAD: dict[str, tuple[bytes, str]] = {
    "an object of another class": (document(objects(item(4, "008077"))), "confirm.foreign"),
    "a value of another kind": (document(objects(item(4, "008045", value("9f9001", b"x")))), "confirm.foreign"),
    "a long value": (document(objects(item(4, "008045", value("84", bytes(70_000))))), "confirm.foreign"),
    "a share": (document(objects(item(4, "008045", value("84", b"\\\\host\\share\\x")))), "confirm.foreign"),
    "a path": (document(objects(item(4, "008045", value("84", "c:\\x".encode("utf-16-le"))))), "confirm.foreign"),
    "a link behind one byte": (document(objects(item(4, "008045", value("84", b"\1" + "http://x".encode("utf-16-le"))))), "confirm.foreign"),
    "a program for a drawing": (document(objects(item(4, "008045", drawing(b"MZ" * 90)))), "confirm.foreign"),
    "a text for a drawing": (document(objects(item(4, "008045", drawing(b"plain text\r\n")))), "confirm.foreign"),
    "a drawing that calls a driver": (document(objects(item(4, "008045", drawing(CALL)))), "confirm.foreign"),
    "a drawing packed in another way": (document(objects(item(4, "008045", drawing(method=b"\5")))), "confirm.foreign"),
    "a drawing with more": (document(objects(item(4, "008045", drawing(more=value("92", b"x"))))), "confirm.foreign"),
    "two sizes of a drawing": (document(objects(item(4, "008045", drawing(more=value("81", b"\1"))))), "confirm.foreign"),
    "a drawing of another size": (document(objects(item(4, "008045", drawing(size=len(DRAWING) - 4)))), "file.malformed"),
    "a packed drawing of another size": (document(objects(item(4, "008045", drawing(packed=9)))), "file.malformed"),
    "something beside the objects": (document(beside=value("69", b"hidden")), "confirm.foreign"),
    "bytes behind the end": (document(tail=b"hidden"), "file.malformed"),
    "a value behind the end": (document(tail=value("6a", b"hidden")), "file.unsupported_kind"),
    "bytes behind the last code": (document(waste=b"hidden"), "file.malformed"),
    "objects behind the last one": (document(objects() + item(1, "1304"), size=len(objects())), "file.malformed"),
    "more than there is": (document(size=len(objects()) + 9), "file.malformed"),
    "another packed size": (document(packed=20), "file.malformed"),
    "line ends that were changed": (document(ends=b"\1\n\1\1"), "file.unsupported_kind"),
    "sizes of another kind": (document(measure="87"), "file.unsupported_kind"),
    "a version of two bytes": (document(version=b"\1\2"), "file.unsupported_kind"),
    "an object too deep": (document(objects(item(6, "1302"))), "file.malformed"),
    "a value among the objects": (document(objects(value("84", b"x"))), "file.malformed"),
    "an object without a class": (document(objects(value("62", value("80", b"\1")))), "file.malformed"),
    "an object that is cut off": (document(objects()[:-1]), "file.malformed"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_has_no_place_in_it_is_held_even_with_an_approval(case: str) -> None:
    data, code = BAD[case]
    assert code in codes(data)


@pytest.mark.parametrize("length", range(30, len(document()), 97))
def test_no_truncation_passes(length: int) -> None:
    assert codes(document()[:length])[-1] != "confirm.approved"


@pytest.mark.parametrize("at", range(0, len(document()), 41))
def test_every_flipped_byte_ends_well(at: int) -> None:
    data = bytearray(document())
    data[at] ^= 0xFF
    assert codes(bytes(data))


def test_packed_objects_are_bounded() -> None:
    with pytest.raises(LimitExceeded):
        run(document(size=1 << 31), "x.xdw")
    with pytest.raises(LimitExceeded):
        run(document(objects(item(4, "008045", *[value("84")] * 100_001))), "x.xdw")
    with pytest.raises(LimitExceeded):
        run(document(objects(*[item(4, "008045", drawing())] * 40)), "x.xdw", limits=Limits(parts=20))


@pytest.mark.corpus
@pytest.mark.skipif(not (CORPUS / "jp-formats").is_dir(), reason="the shared corpus is absent")
@pytest.mark.parametrize("name", ["test_xdw_ver9.xdw", "test_xbd_ver9.xbd"])
def test_real_ones_pass(name: str) -> None:
    assert codes((CORPUS / "jp-formats" / "fess-testdata" / name).read_bytes(), name) == ["confirm.structure", "confirm.approved"]


UNBUILT = {Kind.VSD: "confirm.visio", Kind.PUB: "confirm.publisher", Kind.MPP: "confirm.project", Kind.ACCDB: "confirm.access", Kind.JHD: "confirm.hanako", Kind.JAW: "confirm.old_ichitaro"}


@pytest.mark.parametrize("kind", UNBUILT)
@pytest.mark.parametrize("named", ["own", "文書.doc"])
def test_what_nobody_rebuilds_is_held_under_its_own_name(kind: Kind, named: str) -> None:
    """L07: by what is inside of the compound file, also where it is called .doc."""
    name, data = kinds.SAMPLES[kind]
    outcome = run(data, name if named == "own" else named, confirmed_kinds=(str(kind),), confirmed_by="課長")
    assert (outcome.content, outcome.report.verdict, outcome.report.reason, outcome.report.input.kind) == (None, Verdict.HELD, Reason.UNSUPPORTED_KIND, kind)
    assert outcome.report.findings[-1].code == UNBUILT[kind]
    assert "ask the sender" in outcome.report.findings[-1].detail


@pytest.mark.parametrize("named", ["own", "文書.doc"])
def test_onenote_is_blocked(named: str) -> None:
    name, data = kinds.SAMPLES[Kind.ONE]
    outcome = run(data, name if named == "own" else named)
    assert (outcome.content, outcome.report.verdict, outcome.report.reason) == (None, Verdict.BLOCKED, Reason.FORBIDDEN_KIND)
