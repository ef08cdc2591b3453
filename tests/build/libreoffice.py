"""LibreOffice as a reader that is not ours: what it draws of a document, and how alike two drawings are."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import pypdfium2
import pytest
from PIL import Image, ImageChops

SOFFICE: Final = shutil.which("soffice")
needed = pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")

_DPI: Final = 48
_BLOCK: Final = 6               # pixels: an eighth of an inch, less than the difference that another version of a font makes
_SECONDS_EACH: Final = 30


def to_text(paths: list[Path], out: Path) -> dict[Path, str]:
    """Each given path → what LibreOffice reads in it."""
    made = to_pdf(paths, out, form="txt:Text (encoded):UTF8")
    return {path: text.read_text("utf-8-sig") for path, text in made.items()}


def to_pdf(
    paths: list[Path], out: Path, *, isolated: bool = True, environment: dict[str, str] | None = None, form: str = "pdf"
) -> dict[Path, Path]:
    """Each given path → its PDF in the folder `out`; a document that cannot be read is missing. One process for all of them.

    `isolated`: without any network, where the kernel lets us. Names may repeat: every file is converted under a number of its own.
    """
    assert SOFFICE is not None
    out.mkdir(parents=True, exist_ok=True)
    if not paths:
        return {}   # without any name it waits for somebody
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "in"
        given.mkdir()
        copies = {path: given / f"{number:04}{path.suffix.lower()}" for number, path in enumerate(paths)}
        for path, copied in copies.items():
            shutil.copyfile(path, copied)
        command = [SOFFICE, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--norestore", "--convert-to", form, "--outdir", str(out)]
        wrapped = [*(_no_network() if isolated else ()), *command, *map(str, copies.values())]
        variables = {**os.environ, "HOME": folder, **(environment or {})}
        subprocess.run(wrapped, capture_output=True, env=variables, timeout=60 + _SECONDS_EACH * len(paths), check=False)
    made = {path: out / f"{copied.stem}.{form.partition(':')[0]}" for path, copied in copies.items()}
    return {path: pdf for path, pdf in made.items() if pdf.is_file()}


@cache
def _no_network() -> tuple[str, ...]:
    command = ("unshare", "--map-root-user", "--net")
    if shutil.which("unshare") is None:
        return ()
    return command if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0 else ()


def similarity(one: Path, other: Path) -> list[float]:
    """Per page, 0 to 1: how much of the ink stands in the same blocks of the page. A page that only one of them has counts 0."""
    pairs = zip_longest(_pages(one), _pages(other))
    return [0.0 if first is None or second is None else _alike(first, second) for first, second in pairs]


def _pages(path: Path) -> list[Image.Image]:
    document: Any = pypdfium2.PdfDocument(str(path))
    try:
        return [_blocks(page.render(scale=_DPI / 72, grayscale=True).to_pil().convert("L")) for page in document]
    finally:
        document.close()


def _blocks(page: Image.Image) -> Image.Image:
    """Ink, not paper: 0 is white."""
    size = (max(page.width // _BLOCK, 1), max(page.height // _BLOCK, 1))
    return ImageChops.invert(page).resize(size, Image.Resampling.BOX)


def _alike(first: Image.Image, second: Image.Image) -> float:
    if first.size != second.size:
        return 0.0
    ink = _sum(ImageChops.lighter(first, second))
    return 1.0 if ink == 0 else 1.0 - _sum(ImageChops.difference(first, second)) / ink


def _sum(image: Image.Image) -> int:
    return sum(level * count for level, count in enumerate(image.histogram()))
