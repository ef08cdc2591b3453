"""What rebuilding a large OpenDocument file costs beside the least that any rebuilding must do, and beside LibreOffice: files built here.

    python perf/bench_odf.py [--rounds N] [--profile] [--cells N]

The table is that of `bench_ooxml.py`, and so are the aims.
"""

from __future__ import annotations

import io
import random
import zipfile
from typing import Final

from perf import office

_WORDS: Final = "申請 住民 通知 様式 予算 決算 議会 水道 税務 課長 令和 年度 合計 金額 担当 番号 氏名 住所 電話 備考 report budget".split()
_ODF: Final = "urn:oasis:names:tc:opendocument:xmlns:"
_SPACES: Final = " ".join(f'xmlns:{name}="{_ODF}{name}:1.0"' for name in ("office", "text", "table"))


def text(xml_bytes: int) -> bytes:
    """Paragraphs of spans, as LibreOffice writes them. About `xml_bytes` of XML."""
    rng = random.Random(1)
    pieces: list[str] = []
    size = 0
    while size < xml_bytes:
        spans = "".join(
            f'<text:span text:style-name="T{rng.randrange(40)}">{"".join(rng.choices(_WORDS, k=rng.randrange(4, 30)))}</text:span>'
            for _ in range(rng.randrange(1, 5))
        )
        pieces.append(f'<text:p text:style-name="P{rng.randrange(40)}">{spans}<text:s text:c="2"/>{rng.randrange(10**9)}</text:p>')
        size += len(pieces[-1].encode())
    return _package("text", f"<office:text>{''.join(pieces)}</office:text>")


def sheet(cells: int) -> bytes:
    """Rows of thirty cells: texts, numbers and a formula in the last column."""
    rng = random.Random(2)
    rows: list[str] = []
    end = "</table:table-cell>"
    for number in range(1, cells // 30 + 1):
        row = [
            f'<table:table-cell table:style-name="ce{n % 4}" office:value-type="float" office:value="{v}"><text:p>{v}</text:p>{end}'
            if n % 5
            else f'<table:table-cell office:value-type="string"><text:p>{rng.choice(_WORDS)}{v}</text:p>{end}'
            for n in range(29)
            for v in (rng.randrange(10**6),)
        ]
        formula = f"of:=SUM([.B{number}:.E{number}])*1.1"
        row.append(f'<table:table-cell table:formula="{formula}" office:value-type="float" office:value="{number}"/>')
        rows.append(f'<table:table-row table:style-name="ro1">{"".join(row)}</table:table-row>')
    return _package("spreadsheet", f'<office:spreadsheet><table:table table:name="表">{"".join(rows)}</table:table></office:spreadsheet>')


def _package(kind: str, body: str) -> bytes:
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    root = "office:document-content"
    content = f'<?xml version="1.0" encoding="UTF-8"?><{root} {_SPACES} office:version="1.3"><office:body>{body}</office:body></{root}>'
    places = {"/": media_type, "content.xml": "text/xml"}
    entries = "".join(f'<m:file-entry m:full-path="{name}" m:media-type="{said}"/>' for name, said in places.items())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(zipfile.ZipInfo("mimetype"), media_type)
        package.writestr("content.xml", content)
        package.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{_ODF}manifest:1.0">{entries}</m:manifest>')
    return out.getvalue()


def main() -> None:
    arguments = office.options()
    arguments.add_argument("--cells", type=int, default=260_000)
    given = arguments.parse_args()
    office.compare(given, lambda: {"text.odt": text(23 << 20), "sheet.ods": sheet(given.cells)})


if __name__ == "__main__":
    main()
