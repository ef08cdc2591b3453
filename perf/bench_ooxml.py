"""What rebuilding a large Office file costs beside the least that any rebuilding must do, and beside LibreOffice: files built here.

    python perf/bench_ooxml.py [--rounds N] [--profile] [--cells N]

`floor`: inflate, parse with lxml, serialise, deflate with isal; no looking, no checking. Prints milliseconds of processor time (the
least of calls in a warm process; of LibreOffice one run that converts the file to its own kind), the ratio to the floor, the size of the
result and the peak of resident memory above the process at rest, also as a multiple of the largest part. Aims: at most 1.5 x the floor,
LibreOffice at least 20 x slower, memory at most 12 x the largest part. `--cells N` builds the workbook with N cells (1500000 is the
largest that offices send about).
"""

from __future__ import annotations

import io
import random
import zipfile
from typing import Final

from perf import office

# Of so many ideographs that text packs about as real text does.
_LETTERS: Final = "".join(map(chr, range(0x4E00, 0x9E00)))
_WORDS: Final = [a + b for a, b in zip(_LETTERS[::2], _LETTERS[1::2], strict=True)]
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_R: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_X: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def document(xml_bytes: int = 23 << 20) -> bytes:
    """Paragraphs and tables as Word writes them: runs with properties, revision ids, every twentieth a bookmark or a field."""
    rng = random.Random(1)
    pieces: list[str] = []
    size = 0
    while size < xml_bytes:
        piece = _table(rng) if rng.random() < 0.05 else _paragraph(rng, len(pieces))
        pieces.append(piece)
        size += len(piece.encode())
    body = f'{_HEAD}<w:document xmlns:w="{_W}" xmlns:r="{_R}"><w:body>{"".join(pieces)}<w:sectPr/></w:body></w:document>'
    return _package("word/document.xml", f"{_OFFICE}wordprocessingml.document.main+xml", {"word/document.xml": body})


def _paragraph(rng: random.Random, number: int) -> str:
    runs = "".join(
        '<w:r w:rsidRPr="00A77B3E"><w:rPr><w:rFonts w:ascii="ＭＳ 明朝" w:eastAsia="ＭＳ 明朝" w:hAnsi="ＭＳ 明朝" w:hint="eastAsia"/>'
        '<w:sz w:val="21"/><w:szCs w:val="21"/></w:rPr>'
        f'<w:t xml:space="preserve">{"".join(rng.choices(_WORDS, k=rng.randrange(4, 30)))}</w:t></w:r>'
        for _ in range(rng.randrange(1, 5))
    )
    mark = f'<w:bookmarkStart w:id="{number}" w:name="_Toc{number}"/><w:bookmarkEnd w:id="{number}"/>' if number % 20 == 0 else ""
    return (
        f'<w:p w:rsidR="00A77B3E" w:rsidRDefault="{rng.randrange(1 << 32):08X}"><w:pPr><w:spacing w:line="360" w:lineRule="auto"/>'
        f'<w:ind w:firstLineChars="100" w:firstLine="210"/></w:pPr>{mark}{runs}</w:p>'
    )


def _table(rng: random.Random) -> str:
    cell = '<w:tc><w:tcPr><w:tcW w:w="2000" w:type="dxa"/></w:tcPr>{}</w:tc>'
    grid = '<w:gridCol w:w="2000"/>' * 3
    rows = "".join(f'<w:tr>{"".join(cell.format(_paragraph(rng, 1)) for _ in range(3))}</w:tr>' for _ in range(5))
    return f'<w:tbl><w:tblPr><w:tblW w:w="0" w:type="auto"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>'


def workbook(cells: int = 600_000) -> bytes:
    """Rows of thirty cells: shared texts, numbers in a style, a formula in the last column."""
    rng = random.Random(2)
    rows = "".join(_row(rng, number, 30) for number in range(1, cells // 30 + 1))
    sheet = f'{_HEAD}<worksheet xmlns="{_X}"><sheetData>{rows}</sheetData></worksheet>'
    texts = "".join(f"<si><t>{''.join(rng.choices(_WORDS, k=4))}{number}</t></si>" for number in range(5000))
    strings = f'{_HEAD}<sst xmlns="{_X}" count="5000" uniqueCount="5000">{texts}</sst>'
    book = f'{_HEAD}<workbook xmlns="{_X}" xmlns:r="{_R}"><sheets><sheet name="表" sheetId="1" r:id="rId1"/></sheets></workbook>'
    parts = {"xl/workbook.xml": book, "xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": strings}
    return _package("xl/workbook.xml", f"{_OFFICE}spreadsheetml.sheet.main+xml", parts)


def _row(rng: random.Random, number: int, width: int) -> str:
    cells = []
    for column in range(width - 1):
        place = f"{_column(column)}{number}"
        text = column % 5 == 0
        kind = ' t="s"' if text else ""
        cells.append(f'<c r="{place}" s="{column % 4}"{kind}><v>{rng.randrange(5000) if text else rng.randrange(10**6)}</v></c>')
    cells.append(f'<c r="{_column(width - 1)}{number}"><f>SUM(B{number}:E{number})*1.1</f><v>{rng.randrange(10**6)}</v></c>')
    return f'<row r="{number}" spans="1:{width}">{"".join(cells)}</row>'


def _column(number: int) -> str:
    return chr(65 + number) if number < 26 else chr(64 + number // 26) + chr(65 + number % 26)


_TYPES: Final = {"xl/worksheets/sheet1.xml": "spreadsheetml.worksheet+xml", "xl/sharedStrings.xml": "spreadsheetml.sharedStrings+xml"}


def _package(main: str, kind: str, parts: dict[str, str]) -> bytes:
    space = "http://schemas.openxmlformats.org/package/2006"
    override = "".join(f'<Override PartName="/{name}" ContentType="{_OFFICE}{_TYPES[name]}"/>' for name in parts if name in _TYPES)
    types = (
        f'{_HEAD}<Types xmlns="{space}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/{main}" ContentType="{kind}"/>{override}</Types>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", _relationships(space, [("rId1", "officeDocument", main)]))
        for name, text in parts.items():
            archive.writestr(name, text)
        if main.startswith("xl/"):
            inside = [("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "sharedStrings", "sharedStrings.xml")]
            archive.writestr("xl/_rels/workbook.xml.rels", _relationships(space, inside))
    return out.getvalue()


def _relationships(space: str, lines: list[tuple[str, str, str]]) -> str:
    inside = "".join(f'<Relationship Id="{name}" Type="{_R}/{kind}" Target="{target}"/>' for name, kind, target in lines)
    return f'{_HEAD}<Relationships xmlns="{space}/relationships">{inside}</Relationships>'


def main() -> None:
    arguments = office.options()
    arguments.add_argument("--cells", type=int, default=600_000)
    given = arguments.parse_args()
    office.compare(given, lambda: {"document.docx": document(), "workbook.xlsx": workbook(given.cells)})


if __name__ == "__main__":
    main()
