"""PDF: bookmarks, page labels, named places, layers, structure and preferences say the same after as before, to other readers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, String

from sanitizers.context import Outcome
from sanitizers.model import Action, Verdict
from tests.build import pdf as build
from tests.build import pdf_catalog as guides
from tests.build import pdf_views as views
from tests.build.context import run


def content(outcome: Outcome) -> bytes:
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings if finding.action is not Action.KEPT}


@contextmanager
def catalog(data: bytes) -> Iterator[pikepdf.Object]:
    with pikepdf.open(io.BytesIO(data)) as document:
        yield document.Root


def labels(data: bytes) -> list[str]:
    with pypdfium2.PdfDocument(data) as document:
        return [document.get_page_label(index) for index in range(len(document))]


def bookmarks(data: bytes) -> list[tuple[int, str, int, int | None]]:
    """Level, title, how many are under it (negative: closed) and the page, as PDFium has them."""
    with pypdfium2.PdfDocument(data) as document:
        return [
            (item.level, item.get_title(), item.get_count(), target.get_index() if (target := item.get_dest()) else None)
            for item in document.get_toc()
        ]


@pytest.fixture(scope="module")
def before() -> bytes:
    return build.saved(guides.guided())


@pytest.fixture(scope="module")
def after(before: bytes) -> bytes:
    outcome = run(before, "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    return content(outcome)


def test_bookmarks_lead_where_they_led(before: bytes, after: bytes, tmp_path: Path) -> None:
    expected = [(0, "第1章", -1, 1), (1, "第1節", 0, 1), (0, "第2章", 0, 1), (0, "町の頁", 0, None)]
    assert bookmarks(after) == bookmarks(before) == expected
    assert views.outline(after, tmp_path) == views.outline(before, tmp_path)
    with catalog(after) as root:
        assert ([int(part) for part in root.Outlines.First.C], int(root.Outlines.First.F)) == ([1, 0, 0], 2)
        assert str(root.Outlines.Last.A.URI) == "https://town.example.jp/"


def test_pages_keep_their_labels(before: bytes, after: bytes) -> None:
    assert labels(after) == labels(before) == guides.LABELS


def test_named_places_stay(after: bytes, tmp_path: Path) -> None:
    assert views.destinations(after, tmp_path) == {"new": 2}
    document = guides.guided()
    guides.named_of_old(document)
    outcome = run(build.saved(document), "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN
    assert views.destinations(content(outcome), tmp_path) == {"old": 1, "new": 2}


def test_layers_show_what_they_showed(before: bytes, after: bytes, tmp_path: Path) -> None:
    for draw in (lambda data: views.pictures(data)[0], lambda data: views.mupdf_pictures(data, tmp_path)[0]):
        was, now = draw(before), draw(after)
        assert views.difference(was, now) < 0.02
        shown = {colour for _, colour in now.getcolors(1 << 20) or []}
        assert {(255, 0, 0), (0, 255, 0)} <= shown
        assert (0, 0, 255) not in shown
    with catalog(after) as root:
        kept = root.OCProperties
        assert [str(group.Name) for group in kept.OCGs] == ["赤", "青"]
        assert [group.objgen for group in kept.D.OFF] == [kept.OCGs[1].objgen]
        assert [group.objgen for group in kept.D.Order[1]] == [group.objgen for group in kept.OCGs]
        assert (str(kept.D["/AS"][0].Event), str(kept.OCGs[1].Usage.Print.PrintState)) == ("/Print", "/OFF")


def test_a_layer_that_is_off_is_said() -> None:
    outcome = run(build.saved(guides.guided()), "a.pdf")
    assert [(found.code, found.action) for found in outcome.report.findings] == [("pdf.hidden_layer", Action.KEPT)]


def test_readers_aloud_find_the_structure(before: bytes, after: bytes, tmp_path: Path) -> None:
    seen = views.structure(after, tmp_path)
    assert seen == views.structure(before, tmp_path)
    assert all(word in seen for word in ("Document", "H1 <h>", '"visible 1"', "Figure", "/Placement /Block"))
    with catalog(after) as root:
        tree = root.StructTreeRoot
        assert (str(root.Lang), bool(root.MarkInfo.Marked), str(tree.RoleMap.Midashi)) == ("ja-JP", True, "/H1")
        assert [item.objgen for item in tree.ParentTree.Nums[1]] == [item.objgen for item in tree.K[0].K]
        assert tree.IDTree.Names[1].objgen == tree.K[0].K[0].objgen
        assert (str(tree.K[0].K[1].Alt), str(tree.K[0].K[1].ActualText), str(tree.K[0].Lang)) == ("図の説明", "図", "ja")


def test_preferences_stay(after: bytes) -> None:
    with catalog(after) as root:
        assert (str(root.PageLayout), str(root.PageMode)) == ("/TwoColumnRight", "/UseOutlines")
        preferences = {key[1:]: str(value) for key, value in root.ViewerPreferences.items()}
    assert preferences == {"DisplayDocTitle": "True", "Direction": "/R2L", "PrintScaling": "/None", "Duplex": "/Simplex"}


def test_nothing_acts_in_any_of_them(tmp_path: Path) -> None:
    document = guides.guided()
    guides.script_everywhere(document)
    data = build.saved(document)
    outcome = run(data, "a.pdf")
    output = content(outcome)
    assert build.CANARY.encode() not in views.everything(output, tmp_path)
    assert {"pdf.javascript", "pdf.additional_actions", "pdf.unknown_key"} <= codes(outcome)
    assert bookmarks(output) == bookmarks(data)
    assert labels(output) == labels(data)
    assert views.structure(output, tmp_path) == views.structure(data, tmp_path)


def _circle(document: Pdf) -> None:
    first = document.Root.Outlines.First
    first.Next.Next = first


def _circle_downwards(document: Pdf) -> None:
    first = document.Root.Outlines.First
    first.First.First = first


@pytest.mark.parametrize("circle", [_circle, _circle_downwards])
def test_bookmarks_in_a_circle_end(circle: object) -> None:
    document = guides.guided()
    assert callable(circle)
    circle(document)
    outcome = run(build.saved(document), "a.pdf")
    assert "pdf.loop" in codes(outcome)
    assert [title for _, title, _, _ in bookmarks(content(outcome))][:2] == ["第1章", "第1節"]


def test_a_structure_element_that_is_its_own_child_is_taken_once() -> None:
    document = guides.guided()
    whole = document.Root.StructTreeRoot.K
    whole.K.append(whole)
    with catalog(content(run(build.saved(document), "a.pdf"))) as root:
        assert len(root.StructTreeRoot.K[0].K) == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [("PageMode", Name.Evil), ("PageLayout", String("x")), ("Lang", Name.ja), ("ViewerPreferences", Dictionary(Direction=Name.Up))],
)
def test_what_is_not_one_of_the_known_values_stays_behind(key: str, value: object) -> None:
    document = build.clean()
    document.Root[f"/{key}"] = value
    outcome = run(build.saved(document), "a.pdf")
    assert codes(outcome) == {"pdf.invalid_value"}
    with catalog(content(outcome)) as root:
        assert f"/{key}" not in root or "/Direction" not in root[f"/{key}"]


def test_a_destination_outside_the_document_leads_nowhere() -> None:
    document = build.clean()
    guides.bookmarks(document)
    document.Root.Outlines.First.Dest = Array([99, Name.Fit])
    document.Root.Outlines.Last.A = Dictionary(S=Name.GoTo, D=String("unknown"))
    assert [page for *_, page in bookmarks(content(run(build.saved(document), "a.pdf")))] == [None, None, 1, None]
