"""One picture in every encoding, and a PDF page that shows it."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

from tests.build import pdf_bytes

WIDTH, HEIGHT = 64, 48


def picture(mode: str = "RGB") -> Image.Image:
    """Soft colours with a hard black bar."""
    image = Image.merge("RGB", [Image.linear_gradient("L").resize((WIDTH, HEIGHT)).rotate(90 * turn).resize((WIDTH, HEIGHT)) for turn in range(3)])
    ImageDraw.Draw(image).rectangle((10, 10, 40, 20), fill="black")
    return image.convert(mode) if mode != "1" else image.convert("L").point(lambda level: 255 if level > 90 else 0).convert("1")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def fields(space: bytes = b"/DeviceRGB", bits: int = 8, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    return b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace%b/BitsPerComponent %d" % (width, height, space, bits)


def page(image: bytes, more: dict[int, bytes] | None = None) -> bytes:
    """A page that shows object 6."""
    return pdf_bytes.document(pdf_bytes.one_page(b"q 256 0 0 192 20 20 cm /I Do Q", b"/XObject<</I 6 0 R>>", {6: image, **(more or {})}))
