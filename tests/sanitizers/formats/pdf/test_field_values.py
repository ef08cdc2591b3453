"""PDF fields without looks of their own: what they hold is drawn into the page, or kept in the field, in each way of saying it."""

from __future__ import annotations

import io

import pikepdf
import pytest

from sanitizers.context import Outcome
from sanitizers.formats.pdf import forms
from sanitizers.model import LimitExceeded, Verdict
from tests.build import pdf_views
from tests.build.context import run
from tests.build.pdf_bytes import document, one_page, stream

LOOKS = b"/Type/XObject/Subtype/Form/BBox[0 0 99 19]"


def form(field: bytes, more: dict[int, bytes] | None = None, *, rect: bytes = b"20 20 280 60", content: bytes = b"", resources: bytes = b"", needed: bytes = b"true") -> bytes:
    """One page with the field in object 6, whose looks the viewer is to make."""
    catalog = b"/AcroForm<</Fields[6 0 R]/NeedAppearances %b>>" % needed
    return document(one_page(content, resources, {6: b"<</Subtype/Widget/Rect[%b]/T(a)%b>>" % (rect, field), **(more or {})}, b"/Annots[6 0 R]", catalog))


def delivered(outcome: Outcome) -> bytes:
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def flat(data: bytes) -> bytes:
    outcome = run(data, "a.pdf", pdf_forms_flattened=True)
    assert "pdf.form_flattened" in {finding.code for finding in outcome.report.findings}
    return delivered(outcome)


def ink(data: bytes) -> int:
    return pdf_views.inked(pdf_views.pictures(data)[0])


NOTHING = ink(document(one_page()))
SHOWN: dict[str, tuple[bytes, list[str]]] = {
    "a text": (form(b"/FT/Tx/V(Komoro)"), ["Komoro"]), "a text in Japanese": (form(b"/FT/Tx/V<FEFF5C0F8AF8>"), ["小諸"]),
    "a text in a stream": (form(b"/FT/Tx/V 7 0 R", {7: stream(b"Komoro")}), ["Komoro"]),
    "a password": (form(b"/FT/Tx/Ff 8192/V(Komoro)"), ["******"]), "a button": (form(b"/FT/Btn/Ff 65536/MK<</CA(Send)>>"), ["Send"]),
    "a long text in lines": (
        form(b"/FT/Tx/Ff 4096/DA(/Helv 20 Tf)/V(the quick brown fox jumps over the lazy dog)"), ["the quick brown fox", "jumps over the lazy dog"],
    ),
    "a long word in lines": (form(b"/FT/Tx/Ff 4096/DA(/Helv 20 Tf)/V(%b)" % (b"x" * 30)), ["x" * 24, "x" * 6]),
    "several of a list": (form(b"/FT/Ch/V[(k)(u)]/Opt[[(k)(Komoro)][(u)(Ueda)][(s)7](x)]"), ["Komoro", "Ueda"]),
    "a field with a value by its parent": (form(b"/FT/Tx/Parent 7 0 R", {7: b"<</V(Komoro)/T(p)>>"}), ["Komoro"]),
    "a turned rectangle": (form(b"/FT/Tx/V(Komoro)", rect=b"280 60 20 20"), ["Komoro"]),
    "a name that the page has taken": (form(b"/FT/Tx/V(Komoro)", {7: stream(b"", LOOKS)}, content=b"/Field2 Do", resources=b"/XObject<</Field2 7 0 R>>"), ["Komoro"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHOWN)
def test_what_a_field_holds_is_drawn_into_the_page(kind: str) -> None:
    data, wanted = SHOWN[kind]
    after = flat(data)
    assert pdf_views.text(after)[0].split("\r\n")[1:] == wanted
    with pikepdf.open(io.BytesIO(after)) as kept:
        assert "/AcroForm" not in kept.Root
        assert "/Annots" not in kept.pages[0].obj


@pytest.mark.parametrize(("said", "drawn"), [(b"/AS/Yes", True), (b"/V/Yes", True), (b"/AS/Off", False), (b"", False), (b"/V/Yes/Ff 32768", False)])
def test_a_box_without_looks_is_ticked_as_its_state_says(said: bytes, drawn: bool) -> None:
    assert (ink(flat(form(b"/FT/Btn" + said))) > NOTHING) is drawn


UNSEEN: dict[str, bytes] = {
    "no room": form(b"/FT/Tx/V(Komoro)", rect=b"20 20 20 60"), "no value": form(b"/FT/Tx"), "a signature that is to come": form(b"/FT/Sig"),
    "looks of no width": form(b"/FT/Btn/AS/Yes/AP<</N 7 0 R>>", {7: stream(b"0 0 99 19 re f", LOOKS.replace(b"99", b"0"))}),
    "a value of a hundred parents": form(
        b"/FT/Tx/Parent 7 0 R", {**{at: b"<</Parent %d 0 R>>" % (at + 1) for at in range(7, 110)}, 110: b"<</V(Komoro)>>"},
    ),
    "a value in a stream that cannot be read": form(b"/FT/Tx/V 7 0 R", {7: stream(b"Komoro", b"/Filter/X")}),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNSEEN)
def test_a_field_that_shows_nothing_leaves_the_page_as_it_was(kind: str) -> None:
    after = flat(UNSEEN[kind])
    assert ink(after) == NOTHING
    assert pdf_views.text(after) == ["visible"]


def test_a_value_in_a_stream_becomes_a_string() -> None:
    outcome = run(form(b"/FT/Tx/V 7 0 R", {7: stream(b"Komoro")}, needed=b"false"), "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN
    with pikepdf.open(io.BytesIO(delivered(outcome))) as kept:
        assert str(kept.Root.AcroForm.Fields[0].V) == "Komoro"


def test_what_a_signed_field_does_is_reported_with_it() -> None:
    script = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"
    data = form(b"/FT/Sig/V<</Type/Sig/Name(x)>>/A%b/AA<</E%b>>/Lock<</Fields[]>>/SV<</Ff 1>>" % (script, script), needed=b"false")
    outcome = run(data, "a.pdf")
    found = {(finding.code, finding.where) for finding in outcome.report.findings}
    assert {("pdf.signature", "form/a"), ("pdf.javascript", "page 1/annotation 1/A"), ("pdf.additional_actions", "page 1/annotation 1/AA")} <= found
    assert {("pdf.signature", "page 1/annotation 1/Lock"), ("pdf.signature", "page 1/annotation 1/SV")} <= found
    assert b"JavaScript" not in delivered(outcome)


def test_nodes_of_the_field_tree_that_are_no_fields_are_left_behind() -> None:
    data = form(b"/FT/Tx/V(a)", {7: b"<</X 1>>"}, needed=b"false").replace(b"/Fields[6 0 R]", b"/Fields[6 0 R 7 0 R null 7 0 R 6 0 R]")
    outcome = run(data, "a.pdf")
    with pikepdf.open(io.BytesIO(delivered(outcome))) as kept:
        assert [str(field.T) for field in kept.Root.AcroForm.Fields] == ["a"]


def test_a_widget_outside_the_tree_keeps_the_options_of_its_parent() -> None:
    data = form(b"/FT/Ch/Parent 7 0 R", {7: b"<</T(p)/Ff 131072/Opt[(a)[(b)(c)]]>>"}, needed=b"false").replace(b"/Fields[6 0 R]", b"/Fields[]/Q 0")
    with pikepdf.open(io.BytesIO(delivered(run(data, "a.pdf")))) as kept:
        (note,) = kept.pages[0].obj.Annots
        assert [str(note.Opt[0]), [str(item) for item in note.Opt[1]]] == ["a", ["b", "c"]]


def test_a_field_tree_is_walked_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = {at: b"<</T(x)/Kids[%d 0 R]>>" % (at + 1) for at in range(7, 110)}
    with pytest.raises(LimitExceeded, match="form fields"):
        run(form(b"/FT/Tx", {**deep, 110: b"<</T(x)/FT/Tx>>"}).replace(b"/Fields[6 0 R]", b"/Fields[7 0 R]"), "a.pdf")
    monkeypatch.setattr(forms, "_MAX_FIELDS", 2)
    many = dict.fromkeys((7, 8, 9), b"<</T(x)/FT/Tx>>")
    with pytest.raises(LimitExceeded, match="form fields"):
        run(form(b"/FT/Tx", many).replace(b"/Fields[6 0 R]", b"/Fields[7 0 R 8 0 R 9 0 R]"), "a.pdf")
