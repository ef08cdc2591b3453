"""Every real picture and drawing: delivered, or held for the right reason, and what is delivered looks the same to Pillow and Chromium."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.async_api import Page, async_playwright

from tests.build import eyes, libreoffice
from tests.corpus.conftest import CORPUS, Run

pytestmark = pytest.mark.corpus

HELD = {
    "Bad_shortfile.bmp": "malformed",                    # four fifths of its rows are missing
    "Bad_smile-incorrect-image-length.ico": "malformed",  # its directory names half of the bytes that the picture needs
    "Bad_width.bmp": "limit_exceeded",                   # 2,147,483,647 pixels wide
    "SVG_XSS2.svg": "malformed",                         # not well-formed XML
}
METAFILES = frozenset({".emf", ".wmf"})
NOT_READ_BY_PILLOW = frozenset({"rle_overflow.bmp"})  # Chromium does, and so do we
LOOKS_OTHERWISE = {
    "SVG_XSS_red_lightning.svg": "its picture is HTML in a foreign object, a script and an animation",
    "ssrf_iframe.svg": "its picture is HTML in a foreign object, and without a namespace no browser draws it",
}
LEAST_ALIKE = 0.98
CHROMIUM = Path("/usr/bin/chromium")


def _rows(run: Run, folder: str) -> list[dict[str, Any]]:
    return [row for row in run.reports if row["path"].startswith(f"{folder}/")]


def _pairs(run: Run, folder: str, *, metafiles: bool = False) -> dict[Path, Path]:
    pairs = {CORPUS / row["path"]: run.output / row["output"]["path"] for row in _rows(run, folder) if row["output"] is not None}
    return {before: after for before, after in pairs.items() if (before.suffix.lower() in METAFILES) == metafiles}


def test_held_for_the_right_reason(corpus_run: Run) -> None:
    rows = _rows(corpus_run, "image") + _rows(corpus_run, "svg")
    assert len(rows) > 30
    assert {Path(row["path"]).name: row["reason"] for row in rows if row["output"] is None} == HELD


def test_pictures_look_the_same_to_pillow(corpus_run: Run) -> None:
    pairs = {before: after for before, after in _pairs(corpus_run, "image").items() if before.name not in NOT_READ_BY_PILLOW}
    paths = [str(path) for pair in pairs.items() for path in pair]
    done = subprocess.run([sys.executable, "-m", "tests.corpus.pictures", *paths], capture_output=True, timeout=120, check=True)
    alike = dict(zip((before.name for before in pairs), json.loads(done.stdout), strict=True))
    assert len(alike) > 15
    assert {name: value for name, value in alike.items() if value < LEAST_ALIKE} == {}


def test_nothing_but_structure_is_said(corpus_run: Run) -> None:
    for before, after in _pairs(corpus_run, "image").items():
        assert eyes.beyond_structure(after.read_bytes()) <= {"ExifIFD:DateTimeOriginal"}, before.name


@libreoffice.needed
def test_metafiles_look_the_same_to_libreoffice(corpus_run: Run, tmp_path: Path) -> None:
    pairs = _pairs(corpus_run, "image", metafiles=True)
    drawn = libreoffice.to_pdf([*pairs, *pairs.values()], tmp_path)
    alike = {before.name: min(libreoffice.similarity(drawn[before], drawn[after])) for before, after in pairs.items()}
    assert len(alike) == 2
    assert {name: value for name, value in alike.items() if value < LEAST_ALIKE} == {}


async def test_drawings_look_the_same_to_chromium(corpus_run: Run) -> None:
    if not CHROMIUM.exists():
        pytest.skip("chromium is not here")
    otherwise = {}
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(java_script_enabled=False, viewport={"width": 600, "height": 600})
        await page.context.set_offline(True)
        for before, after in _pairs(corpus_run, "svg").items():
            old, new = await _drawn(page, before), await _drawn(page, after)
            alike = 1 - sum(ImageStat.Stat(ImageChops.difference(old, new)).mean) / (3 * 255)
            if alike < LEAST_ALIKE:
                otherwise[before.name] = alike
        await browser.close()
    assert otherwise.keys() <= LOOKS_OTHERWISE.keys(), otherwise


async def _drawn(page: Page, path: Path) -> Image.Image:
    """As a picture of a page: such a drawing neither runs nor loads anything."""
    address = f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"
    await page.set_content(f'<body style="margin:0"><img src="{address}" style="max-width:600px;max-height:600px">')
    await page.wait_for_timeout(200)
    return Image.open(io.BytesIO(await page.screenshot())).convert("RGB")


def test_no_drawing_names_another_place(corpus_run: Run) -> None:
    for after in _pairs(corpus_run, "svg").values():
        text = after.read_text("utf-8").replace("http://www.w3.org/", "")
        assert not re.search(r"(?:href|src)=\"(?!#|data:image/(?:png|jpeg|gif|webp);base64,|https?:|mailto:|tel:)", text)
        assert not re.search(r"<(?!/?(?:a|svg|g|defs|path|rect|circle|ellipse|line|poly\w+|t\w+|use|symbol|style|\w*Gradient|stop|image|desc|\?xml)\b)", text)
