"""PDF annotations: those that show or point stay, the others leave at most their looks; what any of them did is gone."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, String

from sanitizers.context import Outcome
from sanitizers.model import Action, Verdict
from tests.build import pdf as build
from tests.build import pdf_forms as forms
from tests.build import pdf_views as views
from tests.build.context import run

CANARY = build.CANARY.encode()


def content(outcome: Outcome) -> bytes:
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings if finding.action is not Action.KEPT}


def subtypes(document: Pdf) -> list[str]:
    return [str(note.Subtype)[1:] for note in document.pages[0].obj.get("/Annots", [])]


def alike(before: bytes, after: bytes) -> None:
    assert views.difference(views.pictures(before)[0], views.pictures(after)[0]) < 0.02


@pytest.mark.parametrize("shown", [False, True], ids=["bare", "with looks"])
@pytest.mark.parametrize("subtype", forms.KEPT)
def test_what_shows_or_points_stays_as_it_was(subtype: str, shown: bool) -> None:
    document = forms.annotated(subtype, shown=shown)
    data = build.saved(document)
    outcome = run(data, "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    after = content(outcome)
    alike(data, after)
    with pikepdf.open(io.BytesIO(after)) as kept:
        notes = kept.pages[0].obj.Annots
        assert subtypes(kept) == subtypes(document)
        assert set(forms.KEPT[subtype]) <= {key[1:] for key in notes[0]}
        if subtype != "Link":
            assert notes[0].Popup.objgen == notes[1].objgen
            assert notes[1].Parent.objgen == notes[0].objgen


@pytest.mark.parametrize("shown", [False, True], ids=["bare", "with looks"])
@pytest.mark.parametrize("subtype", forms.KEPT)
def test_what_a_kept_annotation_did_is_gone(subtype: str, shown: bool, tmp_path: Path) -> None:
    data = build.saved(forms.annotated(subtype, shown=shown, acting=True))
    assert CANARY in views.everything(data, tmp_path)
    outcome = run(data, "a.pdf")
    after = content(outcome)
    assert CANARY not in views.everything(after, tmp_path)
    assert {"pdf.javascript", "pdf.launch", "pdf.additional_actions"} <= codes(outcome)
    alike(data, after)
    with pikepdf.open(io.BytesIO(after)) as kept:
        assert {"/AA", "/PA"}.isdisjoint(kept.pages[0].obj.Annots[0].keys())
        assert ("/A" in kept.pages[0].obj.Annots[0]) is (subtype == "Link")


@pytest.mark.parametrize("shown", [False, True], ids=["bare", "with looks"])
@pytest.mark.parametrize("subtype", forms.FLATTENED)
def test_what_plays_carries_or_is_unheard_of_leaves_only_its_looks(subtype: str, shown: bool, tmp_path: Path) -> None:
    data = build.saved(forms.annotated(subtype, shown=shown, acting=True))
    outcome = run(data, "a.pdf")
    after = content(outcome)
    assert CANARY not in views.everything(after, tmp_path)
    places = {finding.where for finding in outcome.report.findings if finding.action is Action.REMOVED}
    assert "page 1/annotation 1" in places
    assert {"pdf.javascript", "pdf.launch"} <= codes(outcome)
    with pikepdf.open(io.BytesIO(after)) as kept:
        assert subtypes(kept) == (["Stamp"] if shown else [])
    if shown:
        assert views.inked(views.pictures(after)[0]) > 300
        alike(data, after)


@pytest.mark.parametrize("key", ["A", "AA", "PA"])
def test_each_place_of_an_action_is_looked_at(key: str) -> None:
    document = forms.annotated("Square", shown=True)
    document.pages[0].obj.Annots[0][f"/{key}"] = forms.actions()[key]
    assert codes(run(build.saved(document), "a.pdf")) & {"pdf.launch", "pdf.javascript", "pdf.unsafe_link"}


def test_looks_may_have_a_state_and_their_own_dangers(tmp_path: Path) -> None:
    """An appearance is content like any other: what it refers to is rebuilt or left behind."""
    document = forms.annotated("Stamp", shown=True)
    looks = document.pages[0].obj.Annots[0].AP.N
    looks.Resources.XObject = Dictionary(X=document.make_stream(CANARY, Subtype=Name.PS, Type=Name.XObject))
    looks.PieceInfo = Dictionary(X=String(build.CANARY))
    looks.write(looks.read_bytes() + b" /X Do")
    outcome = run(build.saved(document), "a.pdf")
    assert {"pdf.postscript_xobject", "pdf.piece_info"} <= codes(outcome)
    assert CANARY not in views.everything(content(outcome), tmp_path)


def test_a_popup_without_its_annotation_goes() -> None:
    document = forms.annotated("Square", shown=True)
    document.pages[0].obj.Annots = Array([document.pages[0].obj.Annots[1]])
    del document.pages[0].obj.Annots[0]["/Parent"]
    outcome = run(build.saved(document), "a.pdf")
    with pikepdf.open(io.BytesIO(content(outcome))) as kept:
        assert subtypes(kept) == []
    assert "pdf.annotation_dropped" in codes(outcome)


def test_no_annotation_that_was_dropped_is_pointed_at() -> None:
    """A reply to, and a popup of, something that is gone."""
    document = forms.annotated("Movie", shown=False)
    page = document.pages[0].obj
    page.Annots.append(document.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=[0, 0, 9, 9], IRT=page.Annots[0], RT=Name.R)))
    with pikepdf.open(io.BytesIO(content(run(build.saved(document), "a.pdf")))) as kept:
        assert subtypes(kept) == ["Text"]
        assert "/IRT" not in kept.pages[0].obj.Annots[0]


def linked(uri: str) -> bytes:
    document = forms.annotated("Link", shown=False)
    document.pages[0].obj.Annots[0].A = Dictionary(S=Name.URI, URI=String(uri))
    inner = document.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], Dest=Array([document.pages[1].obj, Name.Fit])))
    document.pages[0].obj.Annots.append(inner)
    return build.saved(document)


def test_links_stay_unless_policy_removes_them() -> None:
    data = linked("https://town.example.jp/form")
    assert run(data, "a.pdf").report.verdict is Verdict.CLEAN
    outcome = run(data, "a.pdf", pdf_links_removed=True)
    assert [(finding.code, finding.detail) for finding in outcome.report.findings] == [("pdf.link", "https://town.example.jp/form")]
    assert b"town.example.jp" not in b"".join([content(outcome), *views.inflated(content(outcome))])
    assert views.text(content(outcome)) == views.text(data)
    alike(data, content(outcome))
    with pikepdf.open(io.BytesIO(content(outcome))) as kept:
        assert kept.pages[0].obj.Annots[1].Dest[0].objgen == kept.pages[1].objgen


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "search-ms:x", "javascript:x", "\\\\192.0.2.1\\s", "/relative", "http\x01s://x"])
def test_links_of_other_schemes_go(uri: str) -> None:
    outcome = run(linked(uri), "a.pdf")
    assert codes(outcome) == {"pdf.unsafe_link"}
    with pikepdf.open(io.BytesIO(content(outcome))) as kept:
        assert "/A" not in kept.pages[0].obj.Annots[0]
