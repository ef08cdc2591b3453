"""Values of any other kind in any place of a document: delivered or refused, and never a stumble."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Object, Pdf, String

from sanitizers.formats.pdf import SANITIZER
from sanitizers.model import Kind, Refused
from tests.build import pdf as build
from tests.build import pdf_catalog, pdf_drawings, pdf_fonts, pdf_forms
from tests.build.context import sanitize

OTHERS: tuple[Callable[[], Object | int | bool], ...] = (
    lambda: Array([Name("/x")]), lambda: Dictionary(X=1), lambda: 5, lambda: -1, lambda: True, lambda: Name("/Zed"), lambda: String("s"), lambda: Array([]),
    lambda: Array([Array([Array([1])])]), lambda: Object.parse(b"9" * 400 + b".5"),
)  # fmt: skip
DOCUMENTS: dict[str, Callable[[], Pdf]] = {
    "drawn": pdf_drawings.drawn, "guided": pdf_catalog.guided, "form": lambda: pdf_forms.form(acting=True),
    "own map": lambda: pdf_fonts.japanese_document("CMap of its own"), "vertical": lambda: pdf_fonts.japanese_document("Identity-V, W2 and DW2"),
}  # fmt: skip


def _keys(found: Object) -> list[int | str]:
    if isinstance(found, Array):
        return list(range(len(found)))
    return [key for key in sorted(found.keys()) if key not in ("/Length", "/Filter")] if isinstance(found, Dictionary | pikepdf.Stream) else []


def _changed(data: bytes, dice: random.Random) -> bytes:
    """With one value, somewhere, of another kind."""
    with pikepdf.open(io.BytesIO(data)) as document:
        holder = dice.choice([found for found in document.objects if _keys(found)])
        key = dice.choice(_keys(holder))
        while _keys(inner := holder[key]) and not inner.is_indirect and dice.random() < 0.6:    # type: ignore[index]
            holder, key = inner, dice.choice(_keys(inner))
        holder[key] = dice.choice(OTHERS)()    # type: ignore[index]
        return build.saved(document)


@pytest.mark.parametrize("flattened", [False, True])
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_any_value_may_be_of_another_kind(kind: str, flattened: bool) -> None:
    dice, data = random.Random(f"{kind} {flattened}"), build.saved(DOCUMENTS[kind]())
    done = 0
    for _ in range(25):
        try:
            rebuilt, _context = sanitize(SANITIZER, _changed(data, dice), Kind.PDF, pdf_forms_flattened=flattened)
        except Refused:
            continue
        assert rebuilt.content.bytes().startswith(b"%PDF-")
        done += 1
    assert done > 5
