"""JPEG pictures in PDF (DCTDecode, ISO 32000-2 §7.4.8), decoded and encoded again with their own quantization tables."""

from __future__ import annotations

import io
import struct
from typing import Final

from PIL import Image, UnidentifiedImageError

from sanitizers.budget import Budget

_ADOBE: Final = struct.pack(">2sH5sHHHB", b"\xff\xee", 14, b"Adobe", 100, 0, 0, 0)
_BROKEN: Final = (OSError, UnidentifiedImageError, SyntaxError, ValueError, struct.error, IndexError, KeyError, TypeError, EOFError)
_MODES: Final = {"L": 1, "RGB": 3, "CMYK": 4}
# Optimised Huffman tables cost a second pass over the picture.
_OPTIMIZE_BELOW: Final = 4_000_000


def rebuild(data: bytes, transform: object, budget: Budget) -> tuple[bytes, int] | None:
    """The picture anew and its number of components; None when it cannot be decoded.

    `transform`: DecodeParms' ColorTransform; it counts only for pictures without an Adobe marker. Raises LimitExceeded.
    """
    plain = transform == 0 and b"Adobe" not in data[:4096]
    start = data.find(b"\xff\xd8")
    if start < 0:
        return None
    if plain:
        data = data[start : start + 2] + _ADOBE + data[start + 2 :]
    # A picture that stops early is drawn as far as it goes: an end marker lets the decoder do so.
    stream = io.BytesIO(data[start:] + b"\xff\xd9" * 2)
    try:
        with Image.open(stream, formats=("JPEG",)) as image:
            budget.check_frame(*image.size)
            image.load()
            return _encode(image, plain), _MODES[image.mode]
    except _BROKEN:
        return None


def _encode(image: Image.Image, plain: bool) -> bytes:
    out = io.BytesIO()
    image.info.pop("comment", None)
    image.info.pop("dpi", None)
    image.save(
        out,
        "JPEG",
        quality="keep",
        subsampling="keep",
        keep_rgb=plain or image.info.get("adobe_transform") == 0,
        progressive=bool(image.info.get("progressive")),
        optimize=image.width * image.height < _OPTIMIZE_BELOW,
        exif=b"",
    )
    return out.getvalue()
