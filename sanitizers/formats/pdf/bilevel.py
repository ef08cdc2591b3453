"""Pictures that only a PDF engine reads well (JBIG2, CCITT fax, JPEG 2000), decoded by PDFium from a page of our own."""

from __future__ import annotations

import io
from typing import Final

import pypdfium2
from PIL import Image, ImageChops
from PIL.TiffImagePlugin import STRIPBYTECOUNTS, STRIPOFFSETS

from sanitizers.formats.pdf.values import Dictionary, Name, Ref
from sanitizers.formats.pdf.writer import Writer

_ROWS_PER_STRIP: Final = 278


def decode(fields: Dictionary, data: bytes, extra: bytes | None = None) -> Image.Image | None:
    """The samples of one image XObject, or None when PDFium cannot decode it.

    `fields`: a complete image dictionary of plain values; `extra`: the JBIG2 globals. 1-bit images come as mode L with 0 and 255.
    """
    try:
        document = pypdfium2.PdfDocument(_page(fields, data, extra))
    except pypdfium2.PdfiumError:
        return None
    try:
        for item in document[0].get_objects(max_depth=1):
            if isinstance(item, pypdfium2.PdfImage):
                picture: Image.Image = item.get_bitmap(render=False).to_pil().copy()
                return picture
    except (pypdfium2.PdfiumError, RuntimeError, ValueError):
        return None
    finally:
        document.close()
    return None


def _page(fields: Dictionary, data: bytes, extra: bytes | None) -> bytes:
    writer = Writer()
    if extra is not None:
        fields = {**fields, "DecodeParms": {**fields.get("DecodeParms", {}), "JBIG2Globals": writer.add_stream({}, extra)}}
    image = writer.add_stream({"Type": Name("XObject"), "Subtype": Name("Image"), **fields}, data)
    pages = writer.reserve()
    page = {
        "Type": Name("Page"), "Parent": pages, "MediaBox": [0, 0, 100, 100], "Resources": {"XObject": {"I": image}},
        "Contents": writer.add_stream({}, b"100 0 0 100 0 0 cm /I Do"),
    }
    writer.put(pages, {"Type": Name("Pages"), "Kids": [writer.add(page)], "Count": 1})
    root: Ref = writer.add({"Type": Name("Catalog"), "Pages": pages})
    return writer.finish(root, {}, b"1.7")


def fax(image: Image.Image) -> bytes:
    """CCITT group 4 of a mode 1 image, to be read with `K -1` and `BlackIs1 false`: a set bit is white."""
    out = io.BytesIO()
    ImageChops.invert(image).save(out, "TIFF", compression="group4", tiffinfo={_ROWS_PER_STRIP: image.height})
    with Image.open(out) as tiff:
        (start,), (size,) = tiff.tag_v2[STRIPOFFSETS], tiff.tag_v2[STRIPBYTECOUNTS]  # type: ignore[attr-defined]
    return out.getvalue()[start : start + size]
