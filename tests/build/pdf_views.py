"""PDF as programs that did not clean it see it: qpdf, MuPDF and Poppler as commands, PDFium as a library."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from PIL import Image, ImageChops

_SECONDS = 60
_STRING = re.compile(rb"\((?:[^()\\]|\\.|\([^()]*\))*\)|<[0-9A-Fa-f]*>(?!>)")
_NAME = re.compile(rb"/([^\s()<>\[\]{}/%]+)")
_ADDRESS = re.compile(rb"/(?:URI|UF|F)(\((?:[^()\\]|\\.)*\)|<[0-9A-Fa-f]*>)")


def _asked(command: list[str], data: bytes, folder: Path) -> bytes:
    """What a command prints about a file. Skips the test where the command is not installed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    path = folder / "asked.pdf"
    path.write_bytes(data)
    done = subprocess.run([part.replace("FILE", str(path)) for part in command], capture_output=True, timeout=_SECONDS, check=False)
    assert done.returncode in (0, 3), done.stderr  # 3: qpdf has warnings
    return done.stdout


def qdf(data: bytes, folder: Path) -> bytes:
    """Every object in the open and every stream decoded that qpdf can decode."""
    return _asked(
        ["qpdf", "--qdf", "--object-streams=disable", "--decode-level=all", "--warning-exit-0", "FILE", "-"], data, folder
    )


def everything(data: bytes, folder: Path) -> bytes:
    """The file's own bytes and, by qpdf and by zlib, all that is folded up in it: a canary that is not in here is nowhere."""
    return data + qdf(data, folder) + b"\n".join(inflated(data))


def inflated(data: bytes) -> list[bytes]:
    """Whatever inflates behind a `stream` keyword, read without any PDF library."""
    found = []
    for match in re.finditer(rb"stream\r?\n", data):
        machine = zlib.decompressobj()
        try:
            found.append(machine.decompress(data[match.end() :], 64 << 20))
        except zlib.error:
            continue
    return found


def mupdf_text(data: bytes, folder: Path) -> str:
    return _asked(["mutool", "draw", "-q", "-F", "text", "FILE"], data, folder).decode()


def poppler_text(data: bytes, folder: Path) -> str:
    return _asked(["pdftotext", "-enc", "UTF-8", "FILE", "-"], data, folder).decode()


def objects(data: bytes, folder: Path) -> list[bytes]:
    """Every object to MuPDF, a line each, escapes in names undone."""
    return _asked(["mutool", "show", "-g", "FILE", "grep"], data, folder).splitlines()


def names(data: bytes, folder: Path) -> set[str]:
    """Every name outside strings in any object, to MuPDF."""
    bare = (_STRING.sub(b"", line) for line in objects(data, folder))
    return {name.decode("latin-1") for line in bare for name in _NAME.findall(line)}


def addresses(data: bytes, folder: Path) -> list[bytes]:
    """What follows /URI, /F and /UF in any object, to MuPDF."""
    return [found for line in objects(data, folder) for found in _ADDRESS.findall(line)]


def attachments(data: bytes, folder: Path) -> bytes:
    """The attached files to qpdf, a line each."""
    listed = _asked(["qpdf", "--list-attachments", "--warning-exit-0", "FILE"], data, folder)
    return b"" if b"has no embedded files" in listed else listed


def annotations(data: bytes) -> list[int]:
    """The subtypes of all annotations, as numbers of PDFium."""
    with pypdfium2.PdfDocument(data) as document:
        return [
            pdfium.FPDFAnnot_GetSubtype(pdfium.FPDFPage_GetAnnot(page, index))
            for page in document for index in range(pdfium.FPDFPage_GetAnnotCount(page))
        ]  # fmt: skip


def outline(data: bytes, folder: Path) -> str:
    """The bookmarks to MuPDF, a line each."""
    return _asked(["mutool", "show", "FILE", "outline"], data, folder).decode()


def destinations(data: bytes, folder: Path) -> dict[str, int]:
    """Named places with the number of their page, to Poppler."""
    lines = _asked(["pdfinfo", "-dests", "FILE"], data, folder).decode().splitlines()[1:]
    return {line.split('"')[1]: int(line.split()[0]) for line in lines if '"' in line}


def structure(data: bytes, folder: Path) -> str:
    """The structure tree with attributes and text, to Poppler, which prints titles as they are encoded."""
    return _asked(["pdfinfo", "-struct-text", "FILE"], data, folder).decode("utf-8", "replace")


def text(data: bytes) -> list[str]:
    """The text of each page to PDFium."""
    with pypdfium2.PdfDocument(data) as document:
        return [page.get_textpage().get_text_range().strip() for page in document]


def pictures(data: bytes, scale: float = 1.0) -> list[Image.Image]:
    """Each page as PDFium draws it, annotations too."""
    with pypdfium2.PdfDocument(data) as document:
        document.init_forms()
        return [page.render(scale=scale).to_pil().convert("RGB") for page in document]


def mupdf_pictures(data: bytes, folder: Path) -> list[Image.Image]:
    """Each page as MuPDF draws it."""
    printed = _asked(["mutool", "draw", "-q", "-F", "ppm", "-r", "50", "-o", "-", "FILE"], data, folder)
    found, position = [], 0
    while position < len(printed):
        image = Image.open(io.BytesIO(printed[position:]))
        size = len(b"P6\n%d %d\n255\n" % image.size) + image.width * image.height * 3
        found.append(image.convert("RGB"))
        position += size
    return found


def difference(before: Image.Image, after: Image.Image) -> float:
    """Mean difference of two pictures in levels of 255; 255 when their sizes differ."""
    if before.size != after.size:
        return 255.0
    levels = ImageChops.difference(before, after).convert("L").histogram()
    return sum(level * count for level, count in enumerate(levels)) / (before.width * before.height)


def inked(picture: Image.Image) -> int:
    """How many pixels are not white: a test that compares pictures must know that there is one."""
    return sum(picture.convert("L").histogram()[:200])
