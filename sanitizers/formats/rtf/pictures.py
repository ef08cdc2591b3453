"""Pictures (`\\pict`): hexadecimal or binary data, sent round the engine and written in again."""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.context import Context
from sanitizers.formats.office import pictures
from sanitizers.formats.rtf import writer
from sanitizers.formats.rtf.tokens import Binary, Node, Word
from sanitizers.formats.rtf.words import fits

# What a picture is, and the name under which it goes round the engine.
_NAMES: Final = {
    "pngblip": "picture.png", "jpegblip": "picture.jpg", "emfblip": "picture.emf", "wmetafile": "picture.wmf", "dibitmap": "picture.bmp",
    "wbitmap": "picture.ddb", "macpict": "picture.pict", "pmmetafile": "picture.met",
}  # fmt: skip
# What may come back, and what it is called here.
_WORDS: Final = {"png": "pngblip", "jpeg": "jpegblip", "emf": "emfblip", "wmf": "wmetafile", "bmp": "dibitmap"}
_NUMBERS: Final = {"wmetafile": 8, "dibitmap": 0}       # the map mode that is fitted to the size; the kind of bitmap
_GOALS: Final = frozenset("picwgoal pichgoal picscalex picscaley piccropt piccropb piccropl piccropr picscaled".split())
_SIZES: Final = frozenset({"picw", "pich"})
_NOT_HEXADECIMAL: Final = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))
_DIB: Final = 14                # bytes before a bitmap in a file
_LEAST_DIB: Final = 16


def picture(nodes: list[Node], context: Context, where: str) -> bytes:
    """What stands in the group. `nodes`: what follows `\\pict`; groups inside only describe the picture and are left out."""
    words = {node.name: node.number for node in nodes if isinstance(node, Word)}
    kind = next((name for name in words if name in _NAMES), "pngblip")
    data = _data(nodes)
    if not data:
        return b""
    made = pictures.rebuild(_NAMES[kind], _as_file(kind, data), where, context, "rtf.picture_replaced", _WORDS)
    name = _WORDS[made.kind]
    kept = _GOALS | (_SIZES if name == kind else frozenset())
    sizes = b"".join(writer.word(word, value) for word, value in words.items() if word in kept and fits(word, value))
    content = made.content[_DIB:] if name == "dibitmap" else made.content
    return b"\\pict " + sizes + writer.word(name, _NUMBERS.get(name)).strip() + b"\r\n" + writer.hexadecimal(content)


def _data(nodes: list[Node]) -> bytes:
    """Binary data if there is any, else what the digits say; readers skip whatever is none."""
    if binary := b"".join(node.data for node in nodes if isinstance(node, Binary)):
        return binary
    digits = b"".join(node for node in nodes if isinstance(node, bytes)).translate(None, _NOT_HEXADECIMAL)
    return bytes.fromhex(digits[: len(digits) & ~1].decode())


def _as_file(kind: str, data: bytes) -> bytes:
    """A bitmap gets the header that it has in a file: where its pixels begin depends on its own header and palette."""
    if kind != "dibitmap" or data[:2] == b"BM" or len(data) < _LEAST_DIB:
        return data
    size, bits = struct.unpack_from("<I10xH", data)
    colours = struct.unpack_from("<I", data, 32)[0] if size >= 40 and len(data) >= 36 else 0
    if not colours and bits <= 8:
        colours = 1 << bits
    masks = 12 if size == 40 and len(data) >= 20 and struct.unpack_from("<I", data, 16)[0] == 3 else 0
    start = _DIB + size + masks + min(colours, 1 << 16) * (3 if size == 12 else 4)
    return struct.pack("<2sIHHI", b"BM", (_DIB + len(data)) & 0xFFFFFFFF, 0, 0, start & 0xFFFFFFFF) + data

