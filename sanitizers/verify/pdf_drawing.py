"""Pages drawn small by PDFium, and how alike two drawings are.

Drawn is what stands in the content of a page: annotations and form fields are left out, because the sanitizer may remove them and says so,
unless policy makes them content. The drawing may be given up: PDFium asks after every hundred objects whether it shall go on.
"""

from __future__ import annotations

import ctypes
import time
from typing import Final

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageChops

# The longer side in pixels and by how much it is then reduced. An A4 page at 44 dpi, where a letter of 10 points is six pixels high.
CONTENT: Final = (512, 2)
# Where pictures of pages are compared with pages: letters drawn small and pictures of letters made small differ in every pixel.
PICTURES: Final = (1536, 8)
_FLAGS: Final = pdfium.FPDF_GRAYSCALE | pdfium.FPDF_RENDER_LIMITEDIMAGECACHE | pdfium.FPDF_RENDER_FORCEHALFTONE
_WHITE: Final = 0xFFFFFFFF

_TILES: Final = 8
# A picture that was encoded anew differs by this many of 255 levels in places where nothing is missing.
_TOLERATED: Final = 6
# A tile with hardly any ink counts as if this part of it were full: one odd pixel is no lost word.
_LEAST_INK: Final = 0.02
_EXCESS: Final = [max(0, level - _TOLERATED) for level in range(256)]


class _Allowance:
    """Processor time of this process at which drawing ends."""

    end = 0.0

    def passed(self, _pause: object = None) -> bool:
        return time.process_time() > self.end


_ALLOWANCE: Final = _Allowance()
# Made when the module is loaded: a jailed process may not map memory that can be run, which a callback from C is.
_ASK: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(pdfium.IFSDK_PAUSE))(_ALLOWANCE.passed)
_PAUSE: Final = pdfium.IFSDK_PAUSE(version=1, NeedToPauseNow=_ASK)


def allow(seconds: float) -> None:
    """How much processor time all drawings from now on may take together."""
    _ALLOWANCE.end = time.process_time() + seconds


def draw(document: pypdfium2.PdfDocument, index: int, side: int, *, annotated: bool) -> Image.Image | None:
    """Page `index` in 8-bit grey on white, `side` pixels on the longer side. None when PDFium cannot draw it or the time is up.

    `annotated`: with annotations and form fields.
    """
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return None
    try:
        width, height = page.get_size()
        scale = side / max(width, height, 1.0)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return _draw(page, size, annotated)
    finally:
        page.close()


def _draw(page: pypdfium2.PdfPage, size: tuple[int, int], annotated: bool) -> Image.Image | None:
    flags = _FLAGS | pdfium.FPDF_ANNOT if annotated else _FLAGS
    stride = (size[0] + 3) // 4 * 4
    pixels = ctypes.create_string_buffer(stride * size[1])
    bitmap = pdfium.FPDFBitmap_CreateEx(*size, pdfium.FPDFBitmap_Gray, pixels, stride)
    if not bitmap:
        return None
    pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, *size, _WHITE)
    status = pdfium.FPDF_RenderPageBitmap_Start(bitmap, page, 0, 0, *size, 0, flags, _PAUSE)
    while status == pdfium.FPDF_RENDER_TOBECONTINUED and not _ALLOWANCE.passed():
        status = pdfium.FPDF_RenderPage_Continue(page, _PAUSE)
    pdfium.FPDF_RenderPage_Close(page)
    if annotated and page.formenv is not None:
        pdfium.FPDF_FFLDraw(page.formenv, bitmap, page, 0, 0, *size, 0, flags)
    pdfium.FPDFBitmap_Destroy(bitmap)
    if status != pdfium.FPDF_RENDER_DONE:
        return None
    return Image.frombuffer("L", size, pixels, "raw", "L", stride, 1)  # type: ignore[arg-type]  # any buffer will do


def likeness(before: Image.Image, after: Image.Image, reduction: int) -> float:
    """1 for the same picture, 0 for one in which some part has nothing of the other.

    Both are reduced, which evens out what an encoder does to single pixels, and compared in 8 x 8 tiles: the least alike one counts, so a
    lost word weighs as much on a full page as on an empty one. In a tile it is the part of the ink that did not move: one less the sum of
    the differences over the sum of the ink of either. Ink is what differs from the commonest level of the page before, so white text on a
    dark slide counts like black on paper. Differences of up to 6 of 255 levels, which encoding anew makes, are none.
    """
    if before.size != after.size:
        after = after.resize(before.size)
    elif before.tobytes() == after.tobytes():
        return 1.0
    levels = before.histogram()
    ground = levels.index(max(levels))
    before, after = before.reduce(reduction), after.reduce(reduction)
    excess = ImageChops.difference(before, after).point(_EXCESS)
    if excess.getbbox() is None:
        return 1.0
    contrast = [abs(level - ground) for level in range(256)]
    ink = ImageChops.lighter(before.point(contrast), after.point(contrast))
    return min(_tile(excess.crop(box), ink.crop(box)) for box in _boxes(*before.size))


def _boxes(width: int, height: int) -> list[tuple[int, int, int, int]]:
    across, down = min(_TILES, width), min(_TILES, height)
    return [
        (width * column // across, height * row // down, width * (column + 1) // across, height * (row + 1) // down)
        for row in range(down)
        for column in range(across)
    ]


def _tile(excess: Image.Image, ink: Image.Image) -> float:
    least = _LEAST_INK * 255 * excess.width * excess.height
    return max(0.0, 1.0 - _total(excess) / max(_total(ink), least))


def _total(image: Image.Image) -> int:
    return sum(level * count for level, count in enumerate(image.histogram()))
