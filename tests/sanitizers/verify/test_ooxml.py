"""The second opinion on Office packages finds whatever a broken sanitizer could let through: each danger is put into a result by hand."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable

import pytest

from sanitizers import zip as archive
from sanitizers.formats.office.pictures import NEUTRAL
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import ooxml, ooxml_calls, ooxml_markup, ooxml_package
from sanitizers.verify.ooxml import verify
from tests.build import ooxml as build
from tests.build.context import context, delivered, run
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


def _pictures(parts: Parts) -> tuple[bytes, ...]:
    return tuple(content for name, content in parts.items() if not ooxml_package.is_xml(name))


def _opinion(data: bytes, original: bytes | None = None, pictures: tuple[bytes, ...] | None = None) -> None:
    """`pictures`: what the engine delivered; if not given, whatever lies in the package and is not XML."""
    pictures = _pictures(build.members(data)) if pictures is None else pictures
    verify(Source(data), Source(data if original is None else original), delivered(context("x", Kind.DOCX), *pictures))


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


@pytest.mark.parametrize("content", [OLE, b"MZ" + bytes(100), build.png(), NEUTRAL.content + b"x"])
def test_pictures_are_those_of_the_engine(content: bytes, document: Parts) -> None:
    made = next(content for name, content in document.items() if name.startswith("word/media/"))
    for good in (made, NEUTRAL.content):
        parts = dict(document)
        _part("image", "word/media/a.png", good)(parts)
        _opinion(_packed(parts), None, (made,))
    parts = dict(document)
    _part("image", "word/media/a.png", content)(parts)
    with pytest.raises(VerificationFailed, match=r"word/media/a\.png is not what was rebuilt"):
        _opinion(_packed(parts), None, (made,))


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
        _opinion(damage(_packed(document)), None, _pictures(document))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_part_twice_is_refused(document: Parts) -> None:
    import io

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, data in [*document.items(), (DOCUMENT, document[DOCUMENT])]:
            package.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    with pytest.raises(VerificationFailed):
        _opinion(out.getvalue())


def test_queries_beside_the_document_are_found() -> None:
    ooxml_markup.check("customXml/item1.xml", b"<a>x</a>", frozenset(), ())
    with pytest.raises(VerificationFailed, match="queries in"):
        ooxml_markup.check("customXml/item1.xml", b"<DataMashup>x</DataMashup>", frozenset(), ())


def test_alternatives_stay_around_the_controls_of_a_worksheet_only(workbook: Parts) -> None:
    spaces = b'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    control = b'<mc:AlternateContent %b><mc:Choice Requires="x14"><control></control></mc:Choice></mc:AlternateContent>' % spaces
    alone = b"<mc:AlternateContent %b><mc:Choice/></mc:AlternateContent>" % spaces
    for name, content in (("word/document.xml", alone), (SHEET, alone), (SHEET, control + alone)):
        with pytest.raises(VerificationFailed, match="AlternateContent"):
            ooxml_markup._check_alternatives(name, content)
    found = len(ooxml_markup._CONTROL.findall(control))
    assert found == 1, "the pattern knows a control"
    ooxml_markup._check_alternatives(SHEET, control)
    with pytest.raises(VerificationFailed, match="AlternateContent"):
        ooxml_markup._check_alternatives(SHEET, control.replace(b"</mc:Alt", b"<mc:Fallback/></mc:Alt"))


@pytest.mark.parametrize("name", ["_xlnm.Auto_Open", "Auto_Close", "auto_activate"])
def test_a_name_that_starts_a_macro_is_found(name: str, workbook: Parts) -> None:
    book = "xl/workbook.xml"
    harmless, bad = (f'<definedNames><definedName name="{one}">Sheet1!$A$1</definedName></definedNames>'.encode() for one in ("Plain", name))
    ooxml_calls.check_names(book, harmless)
    with pytest.raises(VerificationFailed, match="starts a macro"):
        ooxml_calls.check_names(book, bad)


def test_an_address_that_vml_loads_is_found() -> None:
    ooxml_calls.check_loading(DOCUMENT, b'<v:imagedata o:title="src"/>text src="http://x"')
    with pytest.raises(VerificationFailed, match="is loaded"):
        ooxml_calls.check_loading(DOCUMENT, b'<v:imagedata src="http://x/"/>')


@pytest.mark.parametrize(
    ("target", "leads"),
    [
        (b"#place", True), (b"https://a.jp/", True), (b"HTTPS://a.jp/", True), (b"mailto:a@b.jp", True), (b"https:a.jp", False), (b"https:/a.jp", False),
        (b"https://a.jp\\x", False), (b"file:///c:/x", False), (b"a.docx", False), (b"ftp:a", False), (b"ftp://a", True), (b"javascript:x", False), (b"", False),
    ],
)  # fmt: skip
def test_where_an_address_leads(target: bytes, leads: bool) -> None:
    assert ooxml_calls.leads_nowhere_else(target, ("https", "mailto", "ftp")) is leads


def test_fields_within_fields_are_put_together_each_for_itself() -> None:
    def char(kind: str) -> bytes:
        return f'<w:fldChar w:fldCharType="{kind}"/>'.encode()

    inner = char("begin") + b"<w:instrText> PAGE </w:instrText>" + char("end")
    outer = char("begin") + b"<w:instrText> IF </w:instrText>" + inner + b"<w:instrText> = 1</w:instrText>" + char("separate") + char("end") + char("end")
    ooxml_calls.check_fields(DOCUMENT, outer.replace(b" IF ", b" REF a "), ())
    with pytest.raises(VerificationFailed, match="field in"):
        ooxml_calls.check_fields(DOCUMENT, outer.replace(b" IF ", b" SHELL "), ())
    with pytest.raises(VerificationFailed, match="link of a field"):
        ooxml_calls.check_fields(DOCUMENT, char("begin") + b'<w:instrText>HYPERLINK "file:///c"</w:instrText>' + char("end"), ("https",))


@pytest.mark.parametrize("name", ["[Content_Types].xml", "_rels/.rels"])
@pytest.mark.parametrize("content", [b"<a", b'<Relationships><Relationship Id="x"/></Relationships>', b"<Types><Default/></Types>", b"<Types><Override/></Types>"])
def test_lists_that_cannot_be_read_are_refused(name: str, content: bytes, document: Parts) -> None:
    with pytest.raises(VerificationFailed):
        _opinion(_packed({**document, name: content}))


def test_a_list_of_types_may_say_more_than_we_look_at() -> None:
    types = ooxml_package._content_types({"[Content_Types].xml": b'<Types><Other/><Default Extension="a" ContentType="b"/></Types>'})
    assert types == {".a": "b"}
    assert ooxml_package._relationships(b"<Relationships><Other/></Relationships>") == {}


@pytest.mark.parametrize("original", [b"\xd0\xcf\x11\xe0 locked", b"PK\x03\x04 but cut"])
def test_an_original_that_cannot_be_opened_is_not_compared(original: bytes, document: Parts) -> None:
    _opinion(_packed(document), original)


def test_an_original_in_utf_16_is_compared(document: Parts) -> None:
    parts = dict(document)
    parts[DOCUMENT] = parts[DOCUMENT].decode().replace("UTF-8", "UTF-16").encode("utf-16")
    _opinion(_packed(document), _packed(parts))
    parts[DOCUMENT] = (b"<w:t>x</w:t>" * 99).decode().encode("utf-16")
    with pytest.raises(VerificationFailed, match="text is lost"):
        _opinion(_packed(document), _packed(parts))


def test_workbooks_and_documents_of_old_are_counted_by_their_own_readers(document: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(ooxml.xls, "compare", lambda _parts, _original: asked.append("xls"))
    monkeypatch.setattr(ooxml.doc, "compare", lambda _parts, _original, deleted_kept: asked.append(f"doc {deleted_kept}"))
    data = Source(_packed(document))
    for kind in (Kind.XLS, Kind.DOC):
        verify(data, data, delivered(context("x", kind, comments_kept=False), *_pictures(document)))
    verify(data, data, delivered(context("x", Kind.DOC, comments_kept=True), *_pictures(document)))
    assert asked == ["xls", "doc False", "doc True"]


def test_a_harmless_instruction_outside_of_a_field_is_nothing() -> None:
    ooxml_calls.check_fields(DOCUMENT, b"<w:instrText> PAGE </w:instrText>", ())
    ooxml_calls.check_formulas(SHEET, b"<f>A1+1</f><v>1</v>", frozenset({b"f", b"v"}), ())


def test_a_member_that_is_not_there_is_refused() -> None:
    with pytest.raises(VerificationFailed, match="ends within"):
        ooxml_package._check_layout(bytes(29), [zipfile.ZipInfo("a")])


def test_lists_of_relationships_belong_to_parts() -> None:
    ooxml_package._check_reached({"_rels/.rels": b"", "[Content_Types].xml": b""}, {})
    with pytest.raises(VerificationFailed, match="belongs to no part"):
        ooxml_package._check_reached({"word/_rels/none.xml.rels": b""}, {})
    with pytest.raises(VerificationFailed, match="nothing refers"):
        ooxml_package._check_reached({"a.xml": b""}, {})


def test_links_lead_where_policy_lets_them() -> None:
    def linked(kind: str, target: str, external: bool) -> None:
        ooxml_package._check_links("word/_rels/document.xml.rels", {"rId1": ooxml_package.Link(f"{R}/{kind}", target, external)}, {"word/a.xml": b""}, ("https",))

    linked("hyperlink", "https://a.jp/", True)
    linked("hyperlink", "#place", False)
    linked("header", "a.xml", False)
    for kind, target, external in (("hyperlink", "http://a.jp/", True), ("image", "https://a.jp/", True), ("image", "#a", False), ("header", "b.xml", False)):
        with pytest.raises(VerificationFailed):
            linked(kind, target, external)


@pytest.mark.parametrize("error", [zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError])
def test_whatever_zipfile_stumbles_over_is_a_refusal(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_file: object) -> None:
        raise error("x")

    monkeypatch.setattr(zipfile, "ZipFile", stumble)
    with pytest.raises(VerificationFailed, match="zipfile"):
        ooxml_package.read(b"")
    ooxml.ooxml_meaning.compare({}, Source(b"PK\x03\x04"))     # of an original it is no reason
