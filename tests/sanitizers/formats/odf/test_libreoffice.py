"""LibreOffice draws a result as it draws what was given, and asks nobody for anything while it does so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build import libreoffice
from tests.build import odf as build
from tests.build.context import run
from tests.build.listener import listening
from tests.build.odf import Pack
from tests.build.ooxml import png

pytestmark = libreoffice.needed
FEWEST_ALIKE = 0.97

_PICTURE = '<draw:frame svg:width="3cm" svg:height="2cm"><draw:image xlink:href="{}" xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"/></draw:frame>'


def _reaching_out(url: str) -> dict[str, Pack]:
    return {
        "picture.odt": build.odt(f"<text:p>{_PICTURE.format(f'{url}/a.png')}</text:p>"),
        "section.odt": build.odt(f'<text:section text:name="s"><text:section-source xlink:href="{url}/a.odt"/><text:p>節</text:p></text:section>'),
        "function.ods": build.ods(f'<table:table-cell table:formula="of:=WEBSERVICE(&quot;{url}/a&quot;)" office:value-type="float" office:value="4"/>'),
        "frame.odp": build.odp(_PICTURE.format(f"{url}/b.png")),
    }


def _kept() -> dict[str, Pack]:
    table = '<table:table table:name="t"><table:table-column/><table:table-row><table:table-cell><text:p>升</text:p></table:table-cell></table:table-row></table:table>'
    inside = f'<text:h text:outline-level="1">見出し</text:h>{table}<text:p>{_PICTURE.format("Pictures/a.png")}</text:p>'
    return {
        "a.odt": build.odt(inside).member("Pictures/a.png", png(), "image/png"),
        "b.ods": build.ods('<table:table-cell table:formula="of:=1+2" office:value-type="float" office:value="3"><text:p>3</text:p></table:table-cell>'),
        "c.odp": build.odp('<draw:ellipse svg:x="3cm" svg:y="4cm" svg:width="5cm" svg:height="2cm"><text:p>図</text:p></draw:ellipse>'),
    }


def _written(folder: Path, given: dict[str, bytes]) -> dict[str, Path]:
    folder.mkdir()
    for name, data in given.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in given}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pages_are_alike_and_nobody_is_asked(tmp_path: Path) -> None:
    with listening() as listener:
        packs = {**_kept(), **_reaching_out(listener.url)}
        given = {name: pack.bytes() for name, pack in packs.items()}
        sources = _written(tmp_path / "given", given)
        before = libreoffice.to_pdf(list(sources.values()), tmp_path / "before", isolated=False)
        assert listener.requests, "nothing was asked for by what was given, so this test would show nothing"
        listener.requests.clear()
        made = {name: content.bytes() for name, data in given.items() if (content := run(data, name).content) is not None}
        results = _written(tmp_path / "made", made)
        after = libreoffice.to_pdf(list(results.values()), tmp_path / "after", isolated=False)
        assert listener.requests == []
    assert len(before) == len(after) == len(packs)
    for name in _kept():
        alike = libreoffice.similarity(before[sources[name]], after[results[name]])
        assert min(alike) >= FEWEST_ALIKE, (name, alike)
