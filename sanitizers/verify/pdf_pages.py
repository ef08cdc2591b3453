"""The pages of a rebuilt PDF beside those of its original: as many, as large, and to PDFium the same pictures.

All pages are drawn where there are at most twenty, of a longer document six: the first, the last and four at even distances between them.
They are fewer where pictures are large, so that drawing costs only a part of what rebuilding did. A page that would cost too much, a
bomb, is not drawn, and drawing stops after some seconds of processor time: what was not drawn is not compared.
"""

from __future__ import annotations

from typing import Final

import pypdfium2

from sanitizers.context import Context
from sanitizers.model import Action, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import pdf_drawing
from sanitizers.verify.pdf_walk import Walked
from sanitizers.verify.pdf_weights import Weights, page_numbers

_TOLERANCE: Final = 0.01        # of a side, or of a point
_ALL_UP_TO: Final = 20
_OF_MORE: Final = 6
# In bytes of content (see `pdf_weights`): what may be drawn of any file; of a large one a tenth.
_MOST_DRAWN: Final = 640 << 10
_SHARE: Final = 10
_HEAVIEST: Final = 8 << 20      # no single page beyond this is drawn at all
_SECONDS: Final = 5.0

# Below this a page does not show what it showed. Pages of real files, whatever their pictures were encoded with, are above 0.99.
FLOOR: Final = 0.9
# Pages that became pictures: a fax has no greys at the edges of letters.
PIXEL_FLOOR: Final = 0.6
# Findings that say that something drawn was left out, or drawn that was a field before: then the picture may differ.
_VISIBLE: Final = frozenset((
    "pdf.external_stream", "pdf.invalid_operator", "pdf.invalid_function", "pdf.invalid_cmap", "pdf.invalid_value", "pdf.unusable_font",
    "pdf.font_matrix", "pdf.unreadable_image", "pdf.unreadable_stream", "pdf.loop", "pdf.reference_xobject", "pdf.postscript_xobject",
    "pdf.opi", "pdf.alternate_image", "pdf.invalid_profile", "pdf.form_flattened",
))


def compare(data: bytes, original: Source, walked: Walked, context: Context) -> None:
    """Raises VerificationFailed; sets the context's similarity. An original that PDFium does not open cannot be compared."""
    try:
        new = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise VerificationFailed("PDFium does not open the result") from error
    old = _open(original.bytes(), context)
    try:
        _compare_sizes(new, old)
        if old is not None:
            context.similarity = _similarity(new, old, walked, context)
    finally:
        new.close()
        if old is not None:
            old.close()


def _open(data: bytes, context: Context) -> pypdfium2.PdfDocument | None:
    for password in (None, *context.passwords):
        try:
            return pypdfium2.PdfDocument(data, password=password)
        except pypdfium2.PdfiumError:
            pass    # the next one, perhaps
    return None


def _compare_sizes(new: pypdfium2.PdfDocument, old: pypdfium2.PdfDocument | None) -> None:
    count = len(new)
    if old is not None and len(old) != count:
        raise VerificationFailed(f"{len(old)} pages became {count}")
    for index in range(count):
        try:
            size = new.get_page_size(index)
        except pypdfium2.PdfiumError as error:
            raise VerificationFailed(f"page {index + 1} cannot be opened") from error
        if old is None:
            continue
        try:
            before = old.get_page_size(index)
        except pypdfium2.PdfiumError:
            continue
        if any(abs(a - b) > max(_TOLERANCE, _TOLERANCE * b) for a, b in zip(size, before, strict=True)):
            raise VerificationFailed(f"page {index + 1}: {before} became {size}")


def _similarity(new: pypdfium2.PdfDocument, old: pypdfium2.PdfDocument, walked: Walked, context: Context) -> float | None:
    """Of the least alike page that was drawn; None when none could be. Raises VerificationFailed below the floor."""
    pixels = context.treatment.pdf_strict_pixels
    annotated = pixels or context.treatment.pdf_forms_flattened
    if annotated:
        old.init_forms()
        new.init_forms()
    pdf_drawing.allow(_SECONDS)
    lowest: float | None = None
    for index in chosen(walked):
        alike = _likeness(new, old, index, pdf_drawing.PICTURES if pixels else pdf_drawing.CONTENT, annotated)
        if alike is None:
            continue
        if alike < (PIXEL_FLOOR if pixels else FLOOR) and not _left_out_something_drawn(context):
            raise VerificationFailed(f"page {index + 1} looks different: {alike}", code="pdf.looks_different")
        lowest = alike if lowest is None else min(lowest, alike)
    return lowest


def _likeness(
    new: pypdfium2.PdfDocument, old: pypdfium2.PdfDocument, index: int, scale: tuple[int, int], annotated: bool
) -> float | None:
    """Of one page, to four decimals; None when it cannot be drawn before or after."""
    side, reduction = scale
    before = pdf_drawing.draw(old, index, side, annotated=annotated)
    if before is None:
        return None
    after = pdf_drawing.draw(new, index, side, annotated=annotated)
    return None if after is None else round(pdf_drawing.likeness(before, after, reduction), 4)


def _left_out_something_drawn(context: Context) -> bool:
    return any(finding.code in _VISIBLE and finding.action is not Action.KEPT for finding in context.findings)


def chosen(walked: Walked) -> list[int]:
    """The pages to draw, counted from 0, the first and the last before those between them."""
    numbers = page_numbers(walked)
    count = len(numbers)
    most = count if count <= _ALL_UP_TO else _OF_MORE
    steps = {round(step * (count - 1) / max(1, most - 1)) for step in range(most)}
    spread = sorted(steps, key=lambda index: (index not in (0, count - 1), index))
    weights = Weights(walked)
    weighed = [(index, weights.page(numbers[index])) for index in spread]
    allowed = max(_MOST_DRAWN, sum(weight for _, weight in weighed) * count // max(1, most) // _SHARE)
    picked: list[int] = []
    for index, weight in weighed:
        if weight <= _HEAVIEST and (not picked or weight <= allowed):
            picked.append(index)
            allowed -= weight
    return picked
