"""Files attached to a PDF: left out by default, with name and size; sent round the engine and attached again if policy says so."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, String

from sanitizers.context import Outcome
from sanitizers.model import Action, Kind, Reason, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import pdf as verifier
from tests.build import context as contexts
from tests.build import ooxml
from tests.build import pdf as build
from tests.build import pdf_views as views
from tests.build.context import run

CANARY = build.CANARY.encode()
PROGRAM = b"MZ" + CANARY
NOTE = "議事録の本文です。\n".encode()


def specification(document: Pdf, name: str, data: bytes, **more: object) -> Dictionary:
    stream = document.make_stream(
        data, Type=Name.EmbeddedFile, Params=Dictionary(Size=len(data), CheckSum=String("x" * 16), ModDate=String("D:2026")),
    )
    return document.make_indirect(Dictionary(  # type: ignore[return-value]
        Type=Name.Filespec, F=String(name), UF=String(name), EF=Dictionary(F=stream, UF=stream), **more,  # type: ignore[arg-type]
    ))


def listed(document: Pdf, name: str, data: bytes) -> None:
    """In the name tree, behind Kids."""
    names = document.Root.get("/Names", Dictionary())
    kids = Array([*names.get("/EmbeddedFiles", Dictionary(Kids=Array())).Kids])
    entry = Array([String(f"{len(kids)}"), specification(document, name, data, Desc=String("説明"))])
    kids.append(document.make_indirect(Dictionary(Names=entry, Limits=Array([entry[0], entry[0]]))))
    document.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Kids=kids))


def pinned(document: Pdf, name: str, data: bytes) -> None:
    """On a page, as an annotation."""
    page = document.pages[0].obj
    note = Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=[9, 9, 30, 30], FS=specification(document, name, data))
    page.Annots = Array([*page.get("/Annots", []), document.make_indirect(note)])


def associated(document: Pdf, name: str, data: bytes) -> None:
    document.Root.AF = Array([*document.Root.get("/AF", []), specification(document, name, data, AFRelationship=Name.Source)])


def of_a_page(document: Pdf, name: str, data: bytes) -> None:
    document.pages[1].obj.AF = Array([specification(document, name, data)])


PLACES: dict[str, Callable[[Pdf, str, bytes], None]] = {
    "listed": listed, "pinned": pinned, "associated": associated, "of a page": of_a_page,
}
PLACE = pytest.mark.parametrize("place", PLACES)


def content(outcome: Outcome) -> bytes:
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def attached(data: bytes) -> dict[str, bytes]:
    with pikepdf.open(io.BytesIO(data)) as document:
        return {name: file.get_file().read_bytes() for name, file in document.attachments.items()}


def details(outcome: Outcome) -> list[str]:
    return [finding.detail for finding in outcome.report.findings if finding.code == "pdf.embedded_file" and finding.action is Action.REMOVED]


@PLACE
def test_an_attached_file_is_left_out_with_name_and_size(place: str, tmp_path: Path) -> None:
    document = build.clean()
    PLACES[place](document, "実行.exe", PROGRAM)
    data = build.saved(document)
    assert CANARY in views.everything(data, tmp_path)
    outcome = run(data, "a.pdf")
    assert details(outcome) == [f"実行.exe, {len(PROGRAM)} bytes"]
    assert CANARY not in views.everything(content(outcome), tmp_path)
    assert attached(content(outcome)) == {}


@PLACE
def test_a_clean_attachment_is_attached_again_if_policy_says_so(place: str) -> None:
    document = build.clean()
    PLACES[place](document, "議事録.txt", NOTE)
    outcome = run(build.saved(document), "a.pdf", pdf_attachments=True)
    assert details(outcome) == []
    assert attached(content(outcome)) == {"議事録.txt": NOTE}
    assert [(part.input.name, part.verdict) for part in outcome.report.parts] == [("議事録.txt", Verdict.CLEAN)]
    if place == "listed":
        assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
        assert "説明".encode("utf-16-be").hex().encode() in b"".join(views.inflated(content(outcome))).lower()
    again = run(content(outcome), "a.pdf", pdf_attachments=True)
    assert again.report.verdict is Verdict.CLEAN, again.report.findings
    assert attached(content(again)) == {"議事録.txt": NOTE}


@PLACE
def test_a_program_is_not_attached_again(place: str, tmp_path: Path) -> None:
    document = build.clean()
    PLACES[place](document, "a.exe", PROGRAM)
    listed(document, "b.txt", NOTE)
    outcome = run(build.saved(document), "a.pdf", pdf_attachments=True)
    assert details(outcome) == [f"a.exe, {len(PROGRAM)} bytes: forbidden_kind"]
    assert attached(content(outcome)) == {"b.txt": NOTE}
    assert CANARY not in views.everything(content(outcome), tmp_path)


def test_an_attachment_is_sanitized(tmp_path: Path) -> None:
    document, script = build.clean(), build.clean()
    script.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String(build.CANARY))
    listed(document, "資料.pdf", build.saved(script))
    outcome = run(build.saved(document), "a.pdf", pdf_attachments=True)
    assert outcome.report.verdict is Verdict.SANITIZED
    inner = attached(content(outcome))["資料.pdf"]
    assert CANARY not in views.everything(inner, tmp_path)
    assert views.text(inner) == ["visible 1", "visible 2"]
    (part,) = outcome.report.parts
    assert part.output is not None
    assert part.output.sha256 == Source(inner).sha256


def test_names_are_made_safe_and_told_apart() -> None:
    document = build.clean()
    for number, name in enumerate(("..\\..\\evil\u202etxt.txt", "a.txt", "A.txt", "a.txt")):
        listed(document, name, NOTE + b"%d" % number)
    outcome = run(build.saved(document), "a.pdf", pdf_attachments=True)
    names = sorted(attached(content(outcome)))
    assert len({name.casefold() for name in names}) == 4
    assert not any("\\" in name or "/" in name or "\u202e" in name for name in names)
    assert "file.unsafe_name" in {finding.code for finding in outcome.report.findings}
    assert len(set(attached(content(outcome)).values())) == 4


def test_only_what_a_reader_needs_is_written() -> None:
    document = build.clean()
    listed(document, "a.txt", NOTE)
    with pikepdf.open(io.BytesIO(content(run(build.saved(document), "a.pdf", pdf_attachments=True)))) as kept:
        leaf = kept.Root.Names.EmbeddedFiles.Names[1]
        assert set(leaf.keys()) == {"/Type", "/F", "/UF", "/EF", "/Desc"}
        assert set(leaf.EF.keys()) == {"/F", "/UF"}
        assert dict(leaf.EF.F.Params) == {"/Size": len(NOTE)}
        assert set(leaf.EF.F.keys()) <= {"/Type", "/Params", "/Length", "/Filter"}


def test_two_streams_of_one_name_are_both_looked_at(tmp_path: Path) -> None:
    """A file specification may name one file for one reader and another for the next."""
    document = build.clean()
    listed(document, "a.txt", NOTE)
    entry = document.Root.Names.EmbeddedFiles.Kids[0].Names[1]
    entry.EF.UF = document.make_stream(PROGRAM, Type=Name.EmbeddedFile)
    data = build.saved(document)
    assert sorted(details(run(data, "a.pdf"))) == sorted((f"a.txt, {len(NOTE)} bytes", f"a.txt, {len(PROGRAM)} bytes"))
    outcome = run(data, "a.pdf", pdf_attachments=True)
    assert attached(content(outcome)) == {"a.txt": NOTE}
    assert CANARY not in views.everything(content(outcome), tmp_path)


def test_one_file_in_two_places_is_one_file() -> None:
    document = build.clean()
    listed(document, "a.txt", NOTE)
    document.Root.AF = Array([document.Root.Names.EmbeddedFiles.Kids[0].Names[1]])
    data = build.saved(document)
    assert details(run(data, "a.pdf")) == [f"a.txt, {len(NOTE)} bytes"]
    assert attached(content(run(data, "a.pdf", pdf_attachments=True))) == {"a.txt": NOTE}


@pytest.mark.parametrize("keeping", [False, True])
def test_a_portfolio_is_a_plain_file_with_its_list(keeping: bool) -> None:
    document = build.clean()
    listed(document, "a.txt", NOTE)
    listed(document, "b.exe", PROGRAM)
    document.Root.Collection = Dictionary(Type=Name.Collection, View=Name.D, Schema=Dictionary(n=Dictionary(Subtype=Name.F, N=String("x"))))
    outcome = run(build.saved(document), "a.pdf", pdf_attachments=keeping)
    assert "pdf.portfolio" in {finding.code for finding in outcome.report.findings}
    assert len(details(outcome)) == (1 if keeping else 2)
    assert list(attached(content(outcome))) == (["a.txt"] if keeping else [])
    assert b"/Collection" not in b"".join(views.inflated(content(outcome)))


@pytest.mark.parametrize("how", ["AFRelationship", "EP"])
def test_the_wrapper_of_an_encrypted_document_is_held(how: str) -> None:
    """ISO 32000-2 §7.6.7: all that is not encrypted is a page that says so."""
    document = build.clean()
    listed(document, "encrypted.pdf", b"%PDF-1.7 of a rights service")
    entry = document.Root.Names.EmbeddedFiles.Kids[0].Names[1]
    entry[f"/{how}"] = Name.EncryptedPayload if how == "AFRelationship" else Dictionary(Subtype=Name.MicrosoftIRMServices)
    outcome = run(build.saved(document), "a.pdf")
    assert outcome.content is None
    assert outcome.report.reason is Reason.ENCRYPTED


def test_a_name_without_a_file_is_said() -> None:
    document = build.clean()
    document.Root.AF = Array([Dictionary(Type=Name.Filespec, F=String(f"\\\\192.0.2.1\\{build.CANARY}"))])
    outcome = run(build.saved(document), "a.pdf")
    assert details(outcome) == [f"\\\\192.0.2.1\\{build.CANARY}, a name without a file"]


def test_a_document_inside_a_document_inside_is_cleaned() -> None:
    inner, middle, outer = build.clean(), build.clean(), build.clean()
    listed(inner, "a.exe", PROGRAM)
    listed(middle, "inner.pdf", build.saved(inner))
    listed(outer, "middle.pdf", build.saved(middle))
    outcome = run(build.saved(outer), "a.pdf", pdf_attachments=True)
    found = attached(attached(content(outcome))["middle.pdf"])["inner.pdf"]
    assert attached(found) == {}
    assert outcome.report.parts[0].parts[0].parts[0].reason is Reason.FORBIDDEN_KIND


def test_an_office_file_with_macros_comes_back_without() -> None:
    pack = ooxml.docx(ooxml.paragraph("本文"), kind="")
    pack.types["word/document.xml"] = "application/vnd.ms-word.document.macroEnabled.main+xml"
    pack.attach("word/document.xml", "rId9", "http://schemas.microsoft.com/office/2006/relationships/vbaProject", "word/vbaProject.bin", ooxml.OLE,
                "application/vnd.ms-office.vbaProject")
    document = build.clean()
    listed(document, "様式.docm", pack.bytes())
    outcome = run(build.saved(document), "a.pdf", pdf_attachments=True)
    assert list(attached(content(outcome))) == ["様式.docx"]


def _verified(output: bytes, **treatment: object) -> None:
    given = contexts.context("a.pdf", Kind.PDF, **treatment)  # type: ignore[arg-type]
    verifier.verify(Source(output), Source(output), given)


def test_the_verifier_knows_each_file_that_the_engine_delivered() -> None:
    """A file that no part of the report delivered fails; with the default policy any file does."""
    document = build.clean()
    listed(document, "a.txt", NOTE)
    outcome = run(build.saved(document), "a.pdf", pdf_attachments=True)
    output = content(outcome)
    given = contexts.context("a.pdf", Kind.PDF, pdf_attachments=True)
    given.parts.extend(outcome.report.parts)
    verifier.verify(Source(output), Source(output), given)
    with pytest.raises(VerificationFailed, match="not rebuilt"):
        _verified(output, pdf_attachments=True)
    with pytest.raises(VerificationFailed):
        _verified(output)
