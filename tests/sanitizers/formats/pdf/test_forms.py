"""PDF forms: fields stay as they were to other readers, what they did is gone, and flattened ones are part of the picture."""

from __future__ import annotations

import ctypes
import io
from pathlib import Path

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, String

from sanitizers.context import Outcome
from sanitizers.model import Action, LimitExceeded, Limits, Reason, Verdict
from tests.build import pdf as build
from tests.build import pdf_forms as forms
from tests.build import pdf_views as views
from tests.build.context import run
from tests.build.corpus import CORPUS, ask

CANARY = build.CANARY.encode()


def opened(data: bytes) -> Pdf:
    return pikepdf.open(io.BytesIO(data))


def content(outcome: Outcome) -> bytes:
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings if finding.action is not Action.KEPT}


def seen(data: bytes) -> list[tuple[str, str, str, int, int]]:
    """Name, value, alternate name, type and flags of each field on the first page, as PDFium's form filler has them."""
    with pypdfium2.PdfDocument(data) as document:
        document.init_forms()
        environment, page = document.formenv, document[0]
        found = []
        for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
            note = pdfium.FPDFPage_GetAnnot(page, index)
            if pdfium.FPDFAnnot_GetSubtype(note) == pdfium.FPDF_ANNOT_WIDGET:
                texts = [_wide(call, environment, note) for call in (
                    pdfium.FPDFAnnot_GetFormFieldName, pdfium.FPDFAnnot_GetFormFieldValue, pdfium.FPDFAnnot_GetFormFieldAlternateName,
                )]
                kind = pdfium.FPDFAnnot_GetFormFieldType(environment, note)
                found.append((*texts, kind, pdfium.FPDFAnnot_GetFormFieldFlags(environment, note)))
            pdfium.FPDFPage_CloseAnnot(note)
        return found


def _wide(call: object, environment: object, note: object) -> str:
    size = call(environment, note, None, 0)  # type: ignore[operator]
    buffer = ctypes.create_string_buffer(size)
    call(environment, note, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)  # type: ignore[operator]
    return buffer.raw[: size - 2].decode("utf-16-le")


def alike(before: bytes, after: bytes) -> None:
    """Every page is the same picture to PDFium, forms and annotations drawn, and the first one shows something.

    Letters of fields have smoother edges to it than letters of pages: 0.05 for all of them, where one missing field is 0.15.
    """
    pairs = list(zip(views.pictures(before), views.pictures(after), strict=True))
    assert views.inked(pairs[0][0]) > 300
    assert max(views.difference(*pair) for pair in pairs) < 0.08


def test_a_filled_form_is_clean_and_other_readers_see_the_same_fields() -> None:
    document = forms.form()
    data = build.saved(document)
    outcome = run(data, "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    after = content(outcome)
    assert forms.values(opened(after)) == forms.values(document)
    assert len(forms.values(document)) == 10
    assert seen(after) == seen(data)
    assert {("name", "Taro", "氏名"), ("person.age", "42", ""), ("住所", "小諸市", "")} <= {row[:3] for row in seen(after)}
    alike(data, after)


def test_what_a_form_is_made_of_stays() -> None:
    kept = opened(content(run(build.saved(forms.form()), "a.pdf")))
    fields = {str(field.get("/T")): field for field in kept.Root.AcroForm.Fields}
    assert (fields["zip"].MaxLen, fields["zip"].Ff) == (7, forms.COMB)
    assert [[str(item) for item in pair] for pair in fields["town"].Opt] == [["k", "Komoro"], ["u", "Ueda"]]
    assert (str(fields["name"].DV), str(fields["name"].TU)) == ("?", "氏名")
    assert str(fields["press"].MK.CA) == "Send"
    assert kept.Root.AcroForm.DR.Font.Helv.BaseFont == Name.Helvetica
    assert "/RV" not in fields["person"].Kids[0]


def test_actions_and_scripts_of_fields_are_gone(tmp_path: Path) -> None:
    document = forms.form(acting=True)
    data = build.saved(document)
    assert CANARY in views.everything(data, tmp_path)
    outcome = run(data, "a.pdf")
    after = content(outcome)
    assert CANARY not in views.everything(after, tmp_path)
    assert {"pdf.javascript", "pdf.launch", "pdf.submit_form", "pdf.additional_actions", "pdf.xfa"} <= codes(outcome)
    assert "/CO" not in opened(after).Root.AcroForm
    assert seen(after) == seen(data)
    alike(data, after)


@pytest.mark.parametrize("where", ["A", "AA"])
@pytest.mark.parametrize("name", ["name", "agreed", "colour", "person", "press"])
def test_an_action_in_one_field_is_reported(name: str, where: str) -> None:
    document = forms.form()
    field = next(field for field in document.Root.AcroForm.Fields if str(field.get("/T")) == name)
    script = Dictionary(S=Name.JavaScript, JS=String("1"))
    field[f"/{where}"] = script if where == "A" else Dictionary(C=script)
    outcome = run(build.saved(document), "a.pdf")
    assert "pdf.javascript" in codes(outcome)
    assert b"JavaScript" not in content(outcome)


@pytest.mark.parametrize("outdated", [False, True], ids=["with looks", "looks to be made"])
def test_a_flattened_form_is_part_of_the_page(outdated: bool, tmp_path: Path) -> None:
    document = forms.form(acting=True)
    document.Root.AcroForm.NeedAppearances = outdated
    data = build.saved(document)
    outcome = run(data, "a.pdf", pdf_forms_flattened=True)
    after = content(outcome)
    kept = opened(after)
    assert "/AcroForm" not in kept.Root
    assert "/Annots" not in kept.pages[0].obj
    rewritten = [finding for finding in outcome.report.findings if finding.code == "pdf.form_flattened"]
    assert [(finding.action, finding.where, finding.detail) for finding in rewritten] == [
        (Action.REWRITTEN, "form", "10"), (Action.REWRITTEN, "page 1", "11"),
    ]
    assert CANARY not in views.everything(after, tmp_path)
    if not outdated:
        alike(data, after)
    assert {"Taro", "42"} <= set(views.text(after)[0].split())


def test_a_flattened_form_says_what_its_fields_hold() -> None:
    """With NeedAppearances the looks in the file are out of date: what is drawn is the value."""
    document = forms.form()
    document.Root.AcroForm.NeedAppearances = True
    document.Root.AcroForm.Fields[0].V = String("無害化 太郎")
    shown = views.text(content(run(build.saved(document), "a.pdf", pdf_forms_flattened=True)))[0]
    assert "無害化 太郎" in shown
    assert "小諸市" in shown
    assert "Komoro" in shown
    assert "".join(shown.split()).count("3848501") == 1


def test_a_value_that_is_too_long_is_written_smaller_when_flattened() -> None:
    """Where the field leaves the size of its letters open."""
    document = forms.form()
    document.Root.AcroForm.NeedAppearances = True
    field = document.Root.AcroForm.Fields[0]
    field.V, field.DA = String("a long value " * 3 + "endword"), String("/Helv 0 Tf 0 g")
    picture = views.pictures(content(run(build.saved(document), "a.pdf", pdf_forms_flattened=True)), scale=2)[0]
    left, bottom, right, top = (float(side) for side in field.Rect)
    shown = picture.crop((int(left * 2), int((842 - top) * 2), int(right * 2), int((842 - bottom) * 2)))
    assert views.inked(shown.crop((0, 0, 30, shown.height))) > 10
    assert views.inked(shown.crop((shown.width - 8, 0, shown.width, shown.height))) == 0


def test_a_box_that_is_not_ticked_keeps_its_border_when_flattened() -> None:
    """With NeedAppearances, and no looks for the state that it is in."""
    document = forms.form()
    document.Root.AcroForm.NeedAppearances = True
    box = document.pages[0].obj.Annots[4]
    assert str(box.T) == "other"
    del box.AP.N["/Off"]
    box.MK = Dictionary(BC=Array([1, 0, 0]))
    picture = views.pictures(content(run(build.saved(document), "a.pdf", pdf_forms_flattened=True)))[0]
    assert (255, 0, 0) in {colour for _, colour in picture.getcolors(1 << 20) or []}


@pytest.mark.parametrize("before", [b"", b"1 0 0 1 100 0 cm 0 0 1 rg ", b"q q 2 0 0 2 0 0 cm ", b"Q Q 1 0 0 rg Q 10 10 50 50 re f ", b"q (Q\\) Q Q) Tj Q Q "])
def test_flattening_starts_from_the_page_as_it_was(before: bytes) -> None:
    """Whatever graphics states the content leaves open or closes too often."""
    document = forms.form()
    page = document.pages[0].obj
    page.Contents = document.make_stream(before + page.Contents.read_bytes())
    data = build.saved(document)
    alike(data, content(run(data, "a.pdf", pdf_forms_flattened=True)))


def test_hidden_fields_are_not_drawn_and_turned_ones_are_turned() -> None:
    document = forms.form()
    first, second, third = document.Root.AcroForm.Fields[0:3]
    first.F, second.F = 2, 4 | 32
    third.AP.N.Matrix = [0, 1, -1, 0, 20, 0]
    data = build.saved(document)
    after = content(run(data, "a.pdf", pdf_forms_flattened=True))
    alike(data, after)


def test_a_field_of_a_hidden_layer_stays_hidden_when_flattened(tmp_path: Path) -> None:
    document = forms.form()
    layer = document.make_indirect(Dictionary(Type=Name.OCG, Name=String("x")))
    document.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array([layer])))
    document.Root.AcroForm.Fields[0].OC = layer
    data = build.saved(document)
    hidden = views.mupdf_pictures(data, tmp_path)[0]
    flat = views.mupdf_pictures(content(run(data, "a.pdf", pdf_forms_flattened=True)), tmp_path)[0]
    assert views.difference(hidden, flat) < 0.08
    del document.Root.AcroForm.Fields[0]["/OC"]
    assert views.difference(hidden, views.mupdf_pictures(build.saved(document), tmp_path)[0]) > 0.1


def test_structure_does_not_point_at_flattened_fields() -> None:
    document = forms.form()
    field = document.Root.AcroForm.Fields[0]
    field.StructParent = 0
    root = document.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    element = document.make_indirect(Dictionary(S=Name.Form, P=root, K=Dictionary(Type=Name.OBJR, Obj=field, Pg=document.pages[0].obj)))
    text = document.make_indirect(Dictionary(S=Name.P, P=root, Pg=document.pages[0].obj, K=0))
    root.K = Array([element, text])
    root.ParentTree = document.make_indirect(Dictionary(Nums=Array([0, element])))
    document.Root.StructTreeRoot = root
    data = build.saved(document)
    kept = opened(content(run(data, "a.pdf")))
    assert str(kept.Root.StructTreeRoot.K[0].K[0].Obj.T) == "name"
    flat = opened(content(run(data, "a.pdf", pdf_forms_flattened=True)))
    assert len(flat.Root.StructTreeRoot.K[0].K) == 0


def test_a_hybrid_xfa_form_keeps_its_fields(tmp_path: Path) -> None:
    document = forms.xfa(dynamic=True, fields=True)
    data = build.saved(document)
    outcome = run(data, "a.pdf")
    assert "pdf.xfa" in codes(outcome)
    assert CANARY not in views.everything(content(outcome), tmp_path)
    assert seen(content(outcome)) == seen(data)


@pytest.mark.parametrize("how", ["config", "catalog"])
def test_a_form_that_is_only_xfa_is_held_with_what_to_do(how: str) -> None:
    document = forms.xfa(dynamic=how == "config", fields=False)
    if how == "catalog":
        document.Root.NeedsRendering = True
    outcome = run(build.saved(document), "a.pdf")
    assert outcome.content is None
    assert outcome.report.reason is Reason.UNSUPPORTED_KIND
    refused = [finding for finding in outcome.report.findings if finding.code == "pdf.dynamic_xfa"]
    assert [finding.action for finding in refused] == [Action.REFUSED]
    assert "printed to PDF" in refused[0].detail


def test_pages_with_xfa_that_is_not_needed_are_delivered() -> None:
    outcome = run(build.saved(forms.xfa(dynamic=False, fields=False)), "a.pdf")
    assert views.text(content(outcome)) == ["visible 1", "visible 2"]
    assert "pdf.xfa" in codes(outcome)


def test_odd_field_trees_do_not_break() -> None:
    """Kids written in place, a widget with kids, a loop, a field twice, a widget that no field knows."""
    document = forms.form()
    fields = document.Root.AcroForm.Fields
    fields[0].Kids = Array([document.make_indirect(Dictionary(T=String("below"), V=String("x")))])
    fields.append(Dictionary(FT=Name.Tx, T=String("in place"), V=String("y")))
    fields.append(fields[1])
    fields[9].Kids.append(fields[9])
    forms.widget(document, [300, 300, 400, 320], FT=Name.Tx, T=String("orphan"), V=String("z"))
    outcome = run(build.saved(document), "a.pdf")
    kept = opened(content(outcome))
    found = forms.values(kept)
    assert found["name.below"].endswith("x")
    assert found["in place"].endswith("y")
    assert len(kept.pages[0].obj.Annots) == 12


def test_a_value_that_many_widgets_inherit_is_weighed() -> None:
    """A parent outside the tree of fields: each widget below it gets what it says."""
    document = build.clean()
    parent = document.make_indirect(Dictionary(FT=Name.Tx, T=String("x"), V=String("x" * 100_000)))
    for _ in range(20):
        forms.widget(document, [9, 9, 99, 30], Parent=parent)
    data = build.saved(document)
    assert run(data, "a.pdf").content is not None
    with pytest.raises(LimitExceeded):
        run(data, "a.pdf", limits=Limits(expansion_floor=1 << 20, expansion_ratio=1))


def test_a_value_that_is_drawn_often_is_weighed() -> None:
    document = build.clean()
    fields = [forms.widget(document, [9, 9, 99, 30], FT=Name.Tx, T=String(f"{index}"), V=String("x " * 9000)) for index in range(10)]
    document.Root.AcroForm = Dictionary(Fields=Array(fields), NeedAppearances=True)
    data = build.saved(document)
    assert run(data, "a.pdf", pdf_forms_flattened=True).content is not None
    with pytest.raises(LimitExceeded):
        run(data, "a.pdf", pdf_forms_flattened=True, limits=Limits(expansion_floor=300_000, expansion_ratio=1))


_REAL = """
import json, sys
from pathlib import Path
from tests.build import pdf_views as views
from tests.build.context import run
from tests.sanitizers.formats.pdf.test_forms import seen
found = {}
for name in ("pikepdf/form.pdf", "pikepdf/form_dd0293.pdf", "sample-files/pdflatex-forms.pdf"):
    data = (Path(sys.argv[1]) / "pdf" / name).read_bytes()
    kept, flat = (run(data, "a.pdf", pdf_forms_flattened=flat).content.bytes() for flat in (False, True))
    pairs = list(zip(views.pictures(data), views.pictures(kept), views.pictures(flat), strict=True))
    found[name] = [seen(data) == seen(kept), len(seen(kept)), max(views.difference(a, b) for a, b, _ in pairs),
                   max(views.difference(a, c) for a, _, c in pairs), len(seen(flat))]
print(json.dumps(found))
"""


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_real_forms_keep_their_fields_and_looks() -> None:
    """Flattened, a choice loses the arrow that only a form filler draws: up to 1.0 on a page with a dozen of them."""
    for name, (same, fields, kept, flat, left) in ask(_REAL).items():
        assert (same, left) == (True, 0), name
        assert fields > 0, name
        assert kept < 0.02, name
        assert flat < 1.0, name
