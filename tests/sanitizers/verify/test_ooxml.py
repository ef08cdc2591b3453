"""The second opinion on Office packages finds whatever a broken sanitizer could let through: each danger is put into a result by hand."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

import pytest

from sanitizers import zip as archive
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.ooxml import verify
from tests.build import ooxml as build
from tests.build.context import context, run
from tests.build.ooxml import MS, OFFICE, OLE, Pack, R
from tests.build.ooxml_cases import CASES

Parts = dict[str, bytes]
DOCUMENT, SHEET, SLIDE = "word/document.xml", "xl/worksheets/sheet1.xml", "ppt/slides/slide1.xml"


def _result(pack: Pack) -> bytes:
    content = run(pack.bytes(), "x").content
    assert content is not None
    return content.bytes()


def _packed(parts: Parts) -> bytes:
    writer = archive.Writer()
    for name, data in parts.items():
        writer.add(name, data)
    return writer.finish()


def _opinion(data: bytes, original: bytes | None = None) -> None:
    verify(Source(data), Source(data if original is None else original), context("x", Kind.DOCX))


def _inside(name: str, before: bytes, added: bytes) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        assert before in parts[name]
        parts[name] = parts[name].replace(before, added + before, 1)

    return change


def _linked(parts: Parts, owner: str, kind: str, target: str, mode: str = "") -> None:
    folder, _, base = owner.rpartition("/")
    rels = f"{folder}/_rels/{base}.rels"
    empty = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
    line = f'<Relationship Id="rIdBad" Type="{kind if ":" in kind else f"{R}/{kind}"}" Target="{target}"{mode}/>'.encode()
    parts[rels] = parts.get(rels, empty).replace(b"</Relationships>", line + b"</Relationships>")


def _external(kind: str, target: str) -> Callable[[Parts], None]:
    return lambda parts: _linked(parts, DOCUMENT, kind, target, ' TargetMode="External"')


def _part(kind: str, name: str, content: bytes, content_type: str = "image/png") -> Callable[[Parts], None]:
    """A part that hangs on the document."""

    def change(parts: Parts) -> None:
        parts[name] = content
        line = f'<Override PartName="/{name}" ContentType="{content_type}"/></Types>'.encode()
        parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(b"</Types>", line)
        _linked(parts, DOCUMENT, kind, f"/{name}")

    return change


def _field(*pieces: str) -> Callable[[Parts], None]:
    return _inside(DOCUMENT, b"<w:sectPr", build.field(*pieces).encode())


def _cell(formula: str) -> Callable[[Parts], None]:
    return _inside(SHEET, b"</row>", f'<c r="B1"><f>{formula}</f><v>1</v></c>'.encode())


def _word(xml: str) -> Callable[[Parts], None]:
    return _inside(DOCUMENT, b"<w:sectPr", xml.encode())


IN_DOCUMENTS: dict[str, Callable[[Parts], None]] = {
    "OLE object": _word("<w:p><w:r><w:object><o:OLEObject/></w:object></w:r></w:p>"),
    "altChunk": _word("<w:altChunk/>"),
    "altChunk, other prefix": _word(f'<q:altChunk xmlns:q="{build.W}"/>'),
    "sub-document": _word("<w:subDoc/>"),
    "foreign namespace": _word('<q:anything xmlns:q="urn:q"/>'),
    "alternatives": _word("<mc:AlternateContent><mc:Fallback/></mc:AlternateContent>"),
    "dangling reference": _word('<w:p><w:hyperlink r:id="rId77"/></w:p>'),
    "instruction": _word("<?x y?>"),
    "comment": _word("<!-- x -->"),
    "CDATA": _word("<w:p><![CDATA[x]]></w:p>"),
    "not well-formed": _word("<w:p>"),
    "DTD": lambda parts: parts.update({DOCUMENT: parts[DOCUMENT].replace(b"?>", b"?><!DOCTYPE w:document []>", 1)}),
    **{
        f"field {word}": _field(f"{word} x y")
        for word in ("DDE", "ddeauto", "INCLUDEPICTURE", "INCLUDETEXT", "LINK", "IMPORT", "EMBED", "DATABASE", "MACROBUTTON", "QUOTE", "AUTOTEXT")
    },
    "field in pieces": _field("D", "D", "E x"),
    "simple field": _word('<w:p><w:fldSimple w:instr=" DDE x"/></w:p>'),
    "instruction outside of a field": _word("<w:p><w:r><w:instrText>DDE x</w:instrText></w:r></w:p>"),
    "field without an end": _word('<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>D</w:instrText><w:instrText>DE x</w:instrText></w:r></w:p>'),
    "action": _word('<w:p><a:hlinkClick action="ppaction://program"/></w:p>'),
    "macro of a shape": _word('<w:p><w:sp macro="x"/></w:p>'),
    "VBA": _part(f"{MS}/vbaProject", "word/vbaProject.bin", OLE, "application/vnd.ms-office.vbaProject"),
    "VBA under a harmless name and type": _part("image", "word/media/a.png", OLE),
    "program under a harmless name": _part("image", "word/media/a.png", b"MZ" + bytes(100)),
    "harmless part by a dangerous relationship": _part("oleObject", "word/media/a.png", build.png()),
    "name of a control": _part("image", "word/media/activeX1.png", build.png()),
    "foreign content type": _part("image", "word/media/a.png", build.png(), "application/x-foo"),
    "name that climbs": _part("image", "word/../a.png", build.png()),
    **{
        f"outside: {kind}": _external(kind, "https://example.jp/")
        for kind in ("image", "oleObject", "attachedTemplate", "frame", "subDocument", "aFChunk", "mailMergeSource", "externalLinkPath", "video")
    },
    "link to a file": _external("hyperlink", "file:///c:/x"),
    "link to a share": _external("hyperlink", "\\\\host\\x"),
    "target that is missing": lambda parts: _linked(parts, DOCUMENT, "header", "header9.xml"),
    "part that nothing names": lambda parts: parts.update({"word/media/a.png": build.png()}),
    "relationships of no part": lambda parts: parts.update({"word/_rels/none.xml.rels": parts["_rels/.rels"]}),
    "content type of no part": lambda parts: parts.update(
        {"[Content_Types].xml": parts["[Content_Types].xml"].replace(b"</Types>", b'<Override PartName="/none.xml" ContentType="application/xml"/></Types>')}),
    "macro kind": lambda parts: parts.update({"[Content_Types].xml": parts["[Content_Types].xml"].replace(
        f"{OFFICE}wordprocessingml.document.main+xml".encode(), b"application/vnd.ms-word.document.macroEnabled.main+xml")}),
    "no main part": lambda parts: parts.update({"_rels/.rels": parts["_rels/.rels"].replace(b'/officeDocument"', b'/theme"')}),
    "the same id twice": lambda parts: parts.update({"_rels/.rels": parts["_rels/.rels"].replace(
        b"<Relationship ", b'<Relationship Id="rId1" Type="x/theme" Target="word/document.xml"/><Relationship ')}),
}  # fmt: skip
IN_WORKBOOKS = {
    formula: _cell(formula)
    for formula in ("WEBSERVICE(A1)", "1+call(A1)", "_xlfn.IMAGE(A1)", "RTD(1)", "EXEC(A1)", "cmd|'/c'!A0", "[1]S!A1", "'[1]S 1'!A1")
}


@pytest.fixture(scope="module")
def document() -> Parts:
    return build.members(_result(build.docx(build.inline_picture("rIdP")).attach(DOCUMENT, "rIdP", "image", "word/media/image1.png", build.png())))


@pytest.fixture(scope="module")
def workbook() -> Parts:
    return build.members(_result(build.xlsx()))


@pytest.mark.parametrize("make", [build.docx, build.xlsx, build.pptx])
def test_a_result_is_fine(make: Callable[[], Pack]) -> None:
    _opinion(_packed(build.members(_result(make()))))


@pytest.mark.parametrize("case", IN_DOCUMENTS)
def test_what_is_put_into_a_document_is_found(case: str, document: Parts) -> None:
    parts = dict(document)
    IN_DOCUMENTS[case](parts)
    with pytest.raises(VerificationFailed):
        _opinion(_packed(parts))


@pytest.mark.parametrize("case", IN_WORKBOOKS)
def test_what_is_put_into_a_workbook_is_found(case: str, workbook: Parts) -> None:
    parts = dict(workbook)
    IN_WORKBOOKS[case](parts)
    with pytest.raises(VerificationFailed):
        _opinion(_packed(parts))


def test_harmless_formulas_and_fields_are_fine(document: Parts, workbook: Parts) -> None:
    parts = dict(workbook)
    _cell('SUM(A1:A9)&amp;"CALL(1) cmd|x!y [1]a"')(parts)
    _opinion(_packed(parts))
    parts = dict(document)
    _field(" PAGE", "REF LINK ")(parts)
    _field('HYPERLINK "https://example.jp/a" \\o "c:\\x" \\* MERGEFORMAT')(parts)
    _opinion(_packed(parts))


# Pictures have a second opinion of their own; what an unknown function, element or attribute does, or a place by name, no list of bad words tells.
ELSEWHERE = (
    "O07 place in another file", "O07 place in another workbook","O23 EMF", "O23 WMF", "O23 EPS", "O23 SVG", "O11 SUM(1,Unknow", "O22 unknown element", "O22 unknown attribute",
)  # fmt: skip


@pytest.mark.parametrize("case", [case for case in CASES if case not in ELSEWHERE])
def test_no_attack_passes_unsanitized(case: str) -> None:
    """What the sanitizer is given is refused by the second opinion, were it to come out as it is."""
    given = build.members(CASES[case][0]().bytes())
    with pytest.raises(VerificationFailed):
        _opinion(_packed(given))


def test_lost_text_is_noticed(document: Parts) -> None:
    original = _result(build.docx(build.paragraph("文") * 9))
    with pytest.raises(VerificationFailed, match="text is lost"):
        _opinion(_packed(document), original)


def test_lost_cells_are_noticed(workbook: Parts) -> None:
    original = _result(build.xlsx('<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>1</v></c></row>'))
    with pytest.raises(VerificationFailed, match="cells"):
        _opinion(_packed(workbook), original)


def _at(data: bytes, place: int, change: bytes) -> bytes:
    return data[:place] + change + data[place + len(change) :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"MZ" + data,
        lambda data: data + b"tail",
        lambda data: _at(data, 6, b"\x01"),                                # flags of the first local record
        lambda data: _at(data, 8, b"\x00"),                                # its method
        lambda data: _at(data, 14, b"\xff\xff"),                           # its CRC
        lambda data: _at(data, 30, b"x"),                                  # its name
        lambda data: data[:-2] + b"\x04\x00" + b"note",
        lambda data: data[: data.index(b"PK\x01\x02")] + b"gap" + data[data.index(b"PK\x01\x02") :],
        lambda data: data[:100],
        lambda _data: b"",
    ],
)  # fmt: skip
def test_any_other_layout_of_the_zip_is_refused(damage: Callable[[bytes], bytes], document: Parts) -> None:
    with pytest.raises(VerificationFailed):
        _opinion(damage(_packed(document)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_part_twice_is_refused(document: Parts) -> None:
    import io

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, data in [*document.items(), (DOCUMENT, document[DOCUMENT])]:
            package.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    with pytest.raises(VerificationFailed):
        _opinion(out.getvalue())
