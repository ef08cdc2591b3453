"""PDF: structure trees, places, bookmarks and layers as some programs write them, with what no tree should have."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pikepdf
import pytest

from sanitizers.context import Outcome
from sanitizers.formats.pdf import layers, outlines, structure
from sanitizers.model import LimitExceeded, Verdict
from tests.build import pdf as build
from tests.build.context import run
from tests.build.pdf_bytes import document, one_page, stream

CANARY = build.CANARY.encode()


def findings(outcome: Outcome) -> set[tuple[str, str]]:
    return {(finding.code, finding.detail) for finding in outcome.report.findings}


@contextmanager
def kept(outcome: Outcome) -> Iterator[pikepdf.Pdf]:
    assert outcome.content is not None, outcome.report.findings
    assert CANARY not in outcome.content.bytes()
    with pikepdf.open(io.BytesIO(outcome.content.bytes())) as opened:
        yield opened


def tree(root: bytes, more: dict[int, bytes] | None = None) -> bytes:
    return document(one_page(b"/P <</MCID 0>> BDC EMC", catalog=b"/StructTreeRoot<<%b>>" % root, more=more))


def test_a_tree_keeps_its_elements_and_nothing_else() -> None:
    """Elements met twice, content of pages that are not there, keys of no number and owners of nothing."""
    data = tree(
        b"/K[6 0 R 6 0 R null (x)]/ParentTree<</Nums[(x)[6 0 R]0[6 0 R 9 0 R null]1 6 0 R 2 7]>>/RoleMap<</A/P/B[1]>>"
        b"/ClassMap<</C<</O/Layout>>/D(x)/E[<</O/Layout>>(x)]>>/ParentTreeNextKey 3/Namespaces[7 0 R(x)]",
        {
            6: b"<</S/P/Pg 3 0 R/ID(one)/NS 7 0 R/A[<</O/Layout/BBox[0 0 1[1(a)[1]]]/Width[[[[[1]]]]]>>2(x)<</O(x)>>]/C[/k 1(x)]"
               b"/K[0<</Type/MCR/Pg 9 0 R/MCID 0>><</Type/OBJR/Obj 9 0 R>><</X/%b>>[1]]>>" % CANARY,
            7: b"<</Type/Namespace/NS(http://www.w3.org/1999/xhtml)/X/%b>>" % CANARY,
        },
    )  # fmt: skip
    outcome = run(data, "a.pdf")
    assert outcome.report.verdict is Verdict.SANITIZED
    assert findings(outcome) == {("pdf.unknown_key", ""), ("pdf.invalid_value", "/Width")}
    with kept(outcome) as after:
        root = after.Root.StructTreeRoot
        (element,) = root.K
        assert (str(element.ID), element.Pg.objgen, str(element.NS.NS)) == ("one", after.pages[0].obj.objgen, "http://www.w3.org/1999/xhtml")
        assert [element.K[0], element.K[1].MCID, len(element.K)] == [0, 0, 2]
        assert "/Pg" not in element.K[1]
        assert (set(root.RoleMap.keys()), set(root.ClassMap.keys()), root.ParentTreeNextKey, len(root.Namespaces)) == ({"/A"}, {"/C", "/E"}, 3, 1)
        numbers = list(root.ParentTree.Nums)
        assert [numbers[0], numbers[2]] == [0, 1]
        assert [item is None or item.objgen == element.objgen for item in numbers[1]] == [True, True, True]


@pytest.mark.parametrize("root", [b"/K null", b"/K[]", b"/K[(x)]", b"/K<</X 1>>", b"/Type/StructTreeRoot"])
def test_a_tree_without_an_element_is_none(root: bytes) -> None:
    with kept(run(tree(root), "a.pdf")) as after:
        assert "/StructTreeRoot" not in after.Root


@pytest.mark.parametrize("said", [b"/NS<</NS(x)>>", b"/NS 9 0 R/A 7", b"/A(x)", b"/A<</O/Layout/Width[(a)<<>>]>>"])
def test_what_says_nothing_of_an_element_is_left_behind(said: bytes) -> None:
    with kept(run(tree(b"/K<</S/P%b/X/%b>>" % (said, CANARY)), "a.pdf")) as after:
        (element,) = after.Root.StructTreeRoot.K
        assert "/NS" not in element
        assert str(element.S) == "/P"


def test_elements_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "_MAX_ELEMENTS", 1)
    with pytest.raises(LimitExceeded, match="structure elements"):
        run(tree(b"/K[<</S/P>><</S/P>>]"), "a.pdf")


def bookmarks(items: dict[int, bytes]) -> bytes:
    return document(one_page(catalog=b"/Outlines<</First 6 0 R/Last 6 0 R>>", more=items))


def test_bookmarks_end_where_the_next_is_none() -> None:
    data = bookmarks({6: b"<</Title(a)/Dest[3 0 R/Fit]/Next 7 0 R>>", 7: b"(x)"})
    with kept(run(data, "a.pdf")) as after, after.open_outline() as outline:
        assert [item.title for item in outline.root] == ["a"]


def test_bookmarks_are_counted_and_do_not_go_round(monkeypatch: pytest.MonkeyPatch) -> None:
    round_ = bookmarks({6: b"<</Title(a)/Next 7 0 R>>", 7: b"<</Title(b)/Next 6 0 R>>"})
    assert ("pdf.loop", "") in findings(run(round_, "a.pdf"))
    monkeypatch.setattr(outlines, "_MAX_ITEMS", 1)
    with pytest.raises(LimitExceeded, match="outline items"):
        run(bookmarks({6: b"<</Title(a)/Next 7 0 R>>", 7: b"<</Title(b)>>"}), "a.pdf")


def test_named_places_that_lead_nowhere_are_left_behind() -> None:
    names = b"/Names<</Dests<</Names[(a)[3 0 R/Fit](b)[9 0 R/Fit](c)<</D[3 0 R/XYZ 1 2 3]>>(d)(x)(a)[3 0 R/FitB]7[3 0 R/Fit]]>>>>"
    page = b"/Annots[<</Rect[0 0 9 9]/Subtype/Link/Dest(b)>><</Rect[0 0 9 9]/Subtype/Link/Dest(c)>>]"
    outcome = run(document(one_page(page=page, catalog=names)), "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN
    with kept(outcome) as after:
        places = after.Root.Names.Dests.Names
        assert {str(places[at]): str(places[at + 1][1]) for at in range(0, len(places), 2)} == {"a": "/Fit", "c": "/XYZ"}
        assert ["/Dest" in note for note in after.pages[0].obj.Annots] == [False, True]


def test_layers_nested_too_deep_and_groups_of_nothing_are_left_behind() -> None:
    deep = b"[" * 40 + b"6 0 R" + b"]" * 40
    data = document(one_page(
        b"/OC /L BDC EMC /OC /M BDC EMC", b"/Properties<</L 6 0 R/M 7 0 R>>",
        {6: b"<</Type/OCG/Name(a)>>", 7: b"<</Type/OCMD/OCGs[6 0 R 8 0 R]/VE[/And 6 0 R[/Not 6 0 R]]>>", 8: b"<</Type/X>>"},
        catalog=b"/OCProperties<</OCGs[6 0 R]/D<</Order%b/ON[6 0 R (x)]>>>>" % deep,
    ))  # fmt: skip
    outcome = run(data, "a.pdf")
    with kept(outcome) as after:
        assert [str(group.Name) for group in after.Root.OCProperties.OCGs] == ["a"]
        assert len(after.Root.OCProperties.D.ON) == 1
        assert str(after.pages[0].obj.Resources.Properties.M.VE[0]) == "/And"
    assert layers._DEPTH < 40


@pytest.mark.parametrize("filters", [b"/Filter/X", b"/Filter/DCTDecode", b"/F(elsewhere)"])
@pytest.mark.parametrize("attached", [True, False])
def test_an_attached_file_that_cannot_be_read_is_named(filters: bytes, attached: bool) -> None:
    names = b"/Names<</EmbeddedFiles<</Names[(a.txt)<</Type/Filespec/F(a.txt)/EF<</F 6 0 R>>>>]>>>>"
    outcome = run(document(one_page(catalog=names, more={6: stream(CANARY, filters)})), "a.pdf", pdf_attachments=attached)
    assert ("pdf.embedded_file", "a.txt") in findings(outcome)
    with kept(outcome) as after:
        assert "/Names" not in after.Root


def test_what_follows_an_action_in_a_row_is_named() -> None:
    data = document(one_page(page=b"/Annots[<</Rect[0 0 9 9]/Subtype/Square/A<</S/Named/N/NextPage>>/PA[<</S/Launch/F(%b)>>]/AF[<</F(x)>>]>>]/OpenAction<</S/ImportData>>" % CANARY, catalog=b"/OpenAction<</S/JavaScript/JS 6 0 R/Next<</S/Hide>>>>", more={6: stream(CANARY)}))
    outcome = run(data, "a.pdf")
    assert {("pdf.launch", "/S /Launch"), ("pdf.other_action", "/S /Named"), ("pdf.javascript", "/S /JavaScript"), ("pdf.other_action", "/S /Hide"), ("pdf.import_data", "/S /ImportData")} <= findings(outcome)
    with kept(outcome) as after:
        assert "/OpenAction" not in after.Root


@pytest.mark.parametrize("gap", [b"<0>", b"<zz>", b"(zz)", b"<>"])
def test_a_signature_whose_gap_is_no_number_cannot_be_checked(gap: bytes) -> None:
    field = b"<</Subtype/Widget/Rect[0 0 9 9]/FT/Sig/T(a)/V<</Type/Sig/SubFilter/adbe.pkcs7.detached/ByteRange[0 AAAA BBBB CCCC]/Contents%b>>>>"
    data = document(one_page(page=b"/Annots[6 0 R]", catalog=b"/AcroForm<</Fields[6 0 R]>>", more={6: field % (b"\xab" * len(gap))}))
    start = data.index(b"\xab")
    end = start + len(gap)
    data = data.replace(b"AAAA", b"%4d" % start).replace(b"BBBB", b"%4d" % end).replace(b"CCCC", b"%4d" % (len(data) - end)).replace(b"\xab" * len(gap), gap)
    (finding,) = [finding for finding in run(data, "a.pdf").report.findings if finding.code == "pdf.signature"]
    assert "cannot be checked" in finding.detail
