"""The strict mode: every page drawn to pixels, and a document made of the pictures with the text over them (policy `pdf_strict_pixels`).

Only pictures that we encoded and the text that PDFium reads go into the new document, so nothing else of the original can. It is then
rebuilt like any other, and the second pass knows it by its build: pages with one picture, and the font without glyphs as the only one.
"""

from __future__ import annotations

import io
import logging
import re
from typing import Final, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageChops

from sanitizers.context import Context
from sanitizers.formats.pdf import bilevel, filters, images, passwords, pixel_text, typefaces
from sanitizers.formats.pdf.reader import Reader, open_pdf
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Stream, Value
from sanitizers.formats.pdf.writer import Writer, deflate
from sanitizers.model import Action, Encrypted, LimitExceeded, Malformed, Unsupported
from sanitizers.source import Source

_DPI: Final = 200               # of colours and grey
_FAX_DPI: Final = 300           # of pages that are black on white
_MOST_PIXELS: Final = 25_000_000    # of one page: a larger one is drawn less finely
_QUALITY: Final = 85
_COLOURS: Final = 128           # of a page of text and plain areas; a photograph needs more
_COLOURFUL: Final = 24          # levels between the channels of a pixel
_SHIFT: Final = 25              # levels by which a table of colours may miss
_BLACK: Final = 160             # the lightest grey that becomes black
_SPECKS: Final = 0.0005         # so small a part of the page is no colour and no grey


class Picture(NamedTuple):
    """One page as an image: the keys that say how it is encoded, and the bytes."""

    fields: Dictionary
    data: bytes
    width: int
    height: int


def draw(source: Source, context: Context) -> Source:
    """As pictures. Raises Malformed, Encrypted, LimitExceeded, and Unsupported where a CJK font is wanted and none installed."""
    data = source.bytes()       # PDFium reads from it as long as the document is open
    document = _open(data, context)
    try:
        _report(document, context)
        return Source(_draw(document, context))
    finally:
        document.close()


# PDFium's wrapper warns of XFA, which is left behind.
logging.getLogger("pypdfium2").setLevel(logging.ERROR)


def _open(data: bytes, context: Context) -> pypdfium2.PdfDocument:
    for password in ("", *context.passwords):
        for spelling in passwords.spellings(password):
            opened = pdfium.FPDF_LoadMemDocument64(data, len(data), spelling)
            if opened:
                document = pypdfium2.PdfDocument(opened)
                if pdfium.FPDF_GetSecurityHandlerRevision(document) >= 0:
                    context.found("file.decrypted" if password else "pdf.encryption", "", Action.REWRITTEN)
                return document
            if pdfium.FPDF_GetLastError() != pdfium.FPDF_ERR_PASSWORD:
                raise Malformed("no reader can open it")
    raise Encrypted("none of the passwords opens it")


def _report(document: pypdfium2.PdfDocument, context: Context) -> None:
    """What the pictures do not show and the reader may miss."""
    context.found("pdf.pixels", "", Action.REWRITTEN)
    if pdfium.FPDFDoc_GetJavaScriptActionCount(document) > 0:
        context.found("pdf.javascript", "catalog/Names/JavaScript")
    for index in range(min(1000, document.count_attachments())):
        name = document.get_attachment(index).get_name()
        context.found("pdf.embedded_file", f"catalog/Names/EmbeddedFiles/{index + 1}", Action.REMOVED, name)


def _draw(document: pypdfium2.PdfDocument, context: Context) -> bytes:
    writer = Writer()
    font, parent, pages = pixel_text.TextFont(writer), writer.reserve(), list[Ref]()
    document.init_forms()
    context.budget.spend_pages(len(document))
    for index in range(len(document)):
        try:
            page = document[index]
        except pypdfium2.PdfiumError as error:
            raise Malformed(f"page {index + 1} cannot be opened") from error
        try:
            pages.append(_page(page, writer, font, parent, context))
        finally:
            page.close()
    if not pages:
        raise Malformed("no pages")
    if typefaces.MISSED:
        raise Unsupported(f"no font to draw {min(typefaces.MISSED).decode('latin-1')[:60]} with is installed", code="pdf.font_missing")
    font.finish()
    writer.put(parent, {"Type": Name("Pages"), "Kids": list(pages), "Count": len(pages)})
    return writer.finish(writer.add({"Type": Name("Catalog"), "Pages": parent}), {}, b"1.7")


def _page(page: pypdfium2.PdfPage, writer: Writer, font: pixel_text.TextFont, parent: Ref, context: Context) -> Ref:
    width, height = page.get_size()
    picture = _picture(page, context)
    head = {"Type": Name("XObject"), "Subtype": Name("Image"), "Width": picture.width, "Height": picture.height}
    image = writer.add_stream({**head, **picture.fields}, picture.data)
    text = font.layer(pixel_text.glyphs(page), _place(page))
    content = b"q %.4f 0 0 %.4f 0 0 cm /P Do Q\n%b" % (width, height, text)
    resources: Dictionary = {"XObject": {"P": image}}
    if text:
        resources["Font"] = font.resources
    return writer.add({
        "Type": Name("Page"), "Parent": parent, "MediaBox": [0, 0, round(width, 4), round(height, 4)], "Resources": resources,
        "Contents": writer.add_deflated({}, content),
    })  # fmt: skip


def _place(page: pypdfium2.PdfPage) -> tuple[float, ...]:
    """The matrix from the page's own coordinates to the upright page that starts at 0 (ISO 32000-2 §7.7.3.3, Rotate)."""
    left, bottom, right, top = page.get_bbox()
    return {
        0: (1, 0, 0, 1, -left, -bottom),
        90: (0, -1, 1, 0, -bottom, right),
        180: (-1, 0, 0, -1, right, top),
        270: (0, 1, -1, 0, top, -left),
    }[page.get_rotation()]


def _picture(page: pypdfium2.PdfPage, context: Context) -> Picture:
    """Black on white as a fax, few colours as samples with a table of them, everything else as a JPEG."""
    drawn = _pixels(page, _DPI, context)
    if not _is_colourful(drawn) and _is_bilevel(drawn.convert("L")):
        return _fax(_pixels(page, _FAX_DPI, context, grey=True))
    few = drawn.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    return _samples(few) if _is_like(few.convert("RGB"), drawn) else _jpeg(drawn)


def _pixels(page: pypdfium2.PdfPage, dpi: int, context: Context, *, grey: bool = False) -> Image.Image:
    """The page in RGB or grey with its annotations and form fields."""
    width, height = page.get_size()
    scale = min(dpi / 72, (min(_MOST_PIXELS, context.limits.pixels) / max(1.0, width * height)) ** 0.5)
    context.budget.check_frame(max(1, int(width * scale)), max(1, int(height * scale)))
    try:
        bitmap = page.render(scale=scale, rev_byteorder=True, grayscale=grey, may_draw_forms=True, draw_annots=True)
        drawn: Image.Image = bitmap.to_pil().convert("L" if grey else "RGB")   # a copy: what PDFium drew on is freed below
    except (pypdfium2.PdfiumError, ValueError) as error:
        raise LimitExceeded(f"a page of {width:.0f} x {height:.0f} points") from error
    bitmap.close()
    return drawn


def _is_colourful(drawn: Image.Image) -> bool:
    red, green, blue = drawn.split()
    apart = ImageChops.lighter(ImageChops.difference(red, green), ImageChops.difference(green, blue))
    return _more_than_specks(apart, _COLOURFUL)


def _is_bilevel(grey: Image.Image) -> bool:
    """Greys only as the soft edges of black: no square of 4 x 4 pixels is grey, and no light grey is without black beside it."""
    between = grey.point([255 if 16 <= level < 240 else 0 for level in range(256)])
    if _more_than_specks(between.reduce(4), 255):
        return False
    light = grey.point([255 if _BLACK < level < 240 else 0 for level in range(256)])
    alone = _darkest_around(grey).point([255 if level > _BLACK else 0 for level in range(256)])
    return not _more_than_specks(ImageChops.darker(light, alone), 255)


def _darkest_around(grey: Image.Image) -> Image.Image:
    """Of each pixel and its eight neighbours: as `ImageFilter.MinFilter(3)` does in ten times the time."""
    across = ImageChops.darker(ImageChops.darker(ImageChops.offset(grey, 1, 0), ImageChops.offset(grey, -1, 0)), grey)
    return ImageChops.darker(ImageChops.darker(ImageChops.offset(across, 0, 1), ImageChops.offset(across, 0, -1)), across)


def _is_like(few: Image.Image, drawn: Image.Image) -> bool:
    return not any(_more_than_specks(band, _SHIFT) for band in ImageChops.difference(few, drawn).split())


def _more_than_specks(image: Image.Image, level: int) -> bool:
    """Whether more than a few pixels of a grey picture are at `level` or above."""
    return sum(image.histogram()[level:]) > _SPECKS * image.width * image.height


def _fax(grey: Image.Image) -> Picture:
    bits = grey.point([255 if level > _BLACK else 0 for level in range(256)]).convert("1", dither=Image.Dither.NONE)
    data, parameters = bilevel.fax(bits), {"K": -1, "Columns": bits.width, "Rows": bits.height}
    images.remember(data, *bits.size)
    how = {"Filter": Name("CCITTFaxDecode"), "DecodeParms": parameters}
    return Picture({"ColorSpace": Name("DeviceGray"), "BitsPerComponent": 1, **how}, data, *bits.size)


def _samples(few: Image.Image) -> Picture:
    table = bytes(few.getpalette() or ())[: 3 * _COLOURS]
    space = [Name("Indexed"), Name("DeviceRGB"), len(table) // 3 - 1, table]
    return Picture({"ColorSpace": space, "BitsPerComponent": 8, "Filter": Name("FlateDecode")}, deflate(few.tobytes()), *few.size)


def _jpeg(drawn: Image.Image) -> Picture:
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=_QUALITY)
    images.remember(out.getvalue())
    fields: Dictionary = {"ColorSpace": Name("DeviceRGB"), "BitsPerComponent": 8, "Filter": Name("DCTDecode")}
    return Picture(fields, out.getvalue(), *drawn.size)


# ------------------------------------------------------------------------------------------------------------- recognised again

_SHOWN: Final = rb"/[HV] [-0-9.]+ Tf [-0-9.]+ Tc (?:[-0-9.]+ ){6}Tm \[[<>0-9A-F -]*+\] TJ\n"
_ONE_PICTURE: Final = re.compile(rb"q [0-9.]+ 0 0 [0-9.]+ 0 0 cm /P Do Q\n(?:BT 3 Tr\n(?:" + _SHOWN + rb")*+ET\n?)?")


def is_drawn(source: Source, context: Context) -> bool:
    """Whether every page is one picture and text in the font without glyphs, as `draw` makes them: then there is nothing left to draw."""
    try:
        reader = open_pdf(source, context)
    except (Malformed, Encrypted, LimitExceeded):
        return False
    catalog = reader.dictionary(reader.trailer.get("Root"))
    pages = reader.dictionary(catalog.get("Pages"))
    kids = reader.array(pages.get("Kids"))
    if reader.password is not None or catalog.keys() - {"Type", "Pages"} or not 0 < len(kids) <= context.limits.pages:
        return False
    return all(_is_one_picture(reader, reader.dictionary(kid), context) for kid in kids)


def _is_one_picture(reader: Reader, page: Dictionary, context: Context) -> bool:
    resources = reader.dictionary(page.get("Resources"))
    contents, pictures = reader.resolve(page.get("Contents")), reader.dictionary(resources.get("XObject"))
    if page.keys() - {"Type", "Parent", "MediaBox", "Resources", "Contents"} or resources.keys() - {"XObject", "Font"}:
        return False
    if not isinstance(contents, Stream) or pictures.keys() != {"P"} or reader.dictionary(pictures["P"]).get("Subtype") != "Image":
        return False
    if not all(_is_glyphless(reader, font, context) for font in reader.dictionary(resources.get("Font")).values()):
        return False
    return _ONE_PICTURE.fullmatch(_data(reader, contents, context)) is not None


def _is_glyphless(reader: Reader, font: Value, context: Context) -> bool:
    below = reader.array(reader.dictionary(font).get("DescendantFonts"))
    descriptor = reader.dictionary(reader.dictionary(below[0]).get("FontDescriptor")) if len(below) == 1 else {}
    program = reader.resolve(descriptor.get("FontFile2"))
    return isinstance(program, Stream) and _data(reader, program, context) == pixel_text.PROGRAM


def _data(reader: Reader, stream: Stream, context: Context) -> bytes:
    try:
        return filters.content(stream, reader, context.budget)
    except Malformed:
        return b""
