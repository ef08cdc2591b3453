"""LibreOffice draws a result as it draws what was given, and asks nobody for anything while it does so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build import libreoffice
from tests.build import ooxml as build
from tests.build.context import run
from tests.build.listener import listening
from tests.build.ooxml import Pack
from tests.build.ooxml_kept import document, show, workbook

pytestmark = libreoffice.needed
FEWEST_ALIKE = 0.97


def _reaching_out(url: str) -> dict[str, Pack]:
    body = build.inline_picture("rIdB", "link") + build.field(f'INCLUDEPICTURE "{url}/field.png" \\d')
    linked = '<p:pic><p:nvPicPr><p:cNvPr id="5" name="図"/><p:cNvPicPr/><p:nvPr/></p:nvPicPr><p:blipFill><a:blip r:link="rIdB"/></p:blipFill><p:spPr/></p:pic>'
    return {
        "out.docx": build.docx(body).link("word/document.xml", "rIdB", "image", f"{url}/picture.png", external=True),
        "out.xlsx": build.xlsx(f'<row r="1"><c r="A1"><f>WEBSERVICE("{url}/function")</f><v>42</v></c></row>'),
        "out.pptx": build.pptx(linked).link("ppt/slides/slide1.xml", "rIdB", "image", f"{url}/slide.png", external=True),
    }


def _written(folder: Path, given: dict[str, bytes]) -> list[Path]:
    folder.mkdir()
    for name, data in given.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in given]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pages_are_alike_and_nobody_is_asked(tmp_path: Path) -> None:
    kept = {"a.docx": document(), "b.xlsx": workbook(), "c.pptx": show()}
    with listening() as listener:
        packs = {**kept, **_reaching_out(listener.url)}
        given = {name: pack.bytes() for name, pack in packs.items()}
        before = libreoffice.to_pdf(_written(tmp_path / "given", given), tmp_path / "before", isolated=False)
        assert listener.requests, "nothing was asked for by what was given, so this test would show nothing"
        listener.requests.clear()
        made = {name: content.bytes() for name, data in given.items() if (content := run(data, name).content) is not None}
        after = libreoffice.to_pdf(_written(tmp_path / "made", made), tmp_path / "after", isolated=False)
        assert listener.requests == []
    assert len(before) == len(after) == len(packs)
    for name in kept:
        alike = libreoffice.similarity(before[tmp_path / "given" / name], after[tmp_path / "made" / name])
        assert min(alike) >= FEWEST_ALIKE, (name, alike)
