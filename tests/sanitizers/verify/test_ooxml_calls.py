"""The second opinion on what the words in Office packages do, piece by piece: fields, links of fields, formulas, references."""

from __future__ import annotations

import pytest

from sanitizers.model import VerificationFailed
from sanitizers.verify import ooxml_calls, ooxml_markup

DOCUMENT, SHEET = "word/document.xml", "xl/worksheets/sheet1.xml"
SCHEMES = ("https", "http", "mailto")
TRANSITIONAL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"


def _char(kind: str) -> bytes:
    return f'<w:fldChar w:fldCharType="{kind}"/>'.encode()


def _piece(text: str) -> bytes:
    return f"<w:instrText>{text}</w:instrText>".encode()


def _field(*pieces: bytes) -> bytes:
    return b"".join([_char("begin"), *pieces, _char("end")])


def _refused(content: bytes, what: str) -> None:
    with pytest.raises(VerificationFailed, match=what):
        ooxml_calls.check_fields(DOCUMENT, content, SCHEMES)


def test_what_follows_a_field_within_belongs_to_the_field_around_it() -> None:
    for shown in (b"", _char("separate")):
        inner = _field(_piece("PAGE"), shown)
        _refused(_field(_piece("HYPERLINK "), inner, _piece('"file:///c"')), "link of a field")
        ooxml_calls.check_fields(DOCUMENT, _field(_piece("HYPERLINK "), inner, _piece('"https://a.jp/"')), SCHEMES)


def test_an_empty_field_does_nothing() -> None:
    for text in ("", "  "):
        ooxml_calls.check_fields(DOCUMENT, _field(_piece(text)), SCHEMES)
        ooxml_calls.check_fields(DOCUMENT, f'<w:fldSimple w:instr="{text}">'.encode(), SCHEMES)


@pytest.mark.parametrize("text", ['"PAGE"', "123", "\\* PAGE", "一"])
def test_an_instruction_without_a_word_is_refused(text: str) -> None:
    _refused(_field(_piece(text)), "field in")


@pytest.mark.parametrize("target", ["file:///c:/x", '"file:///c:/x"', "\\\\host\\x", '"\\\\host\\x"', "a.docx", "http:a.jp", '" file:///c"', '" "', 'https://a.jp/ "file:///c"'])
def test_a_field_links_nowhere_else(target: str) -> None:
    _refused(_field(_piece(f"HYPERLINK {target}")), "link of a field")


@pytest.mark.parametrize("target", ["https://a.jp/", '" https://a.jp/"', '"https://a.jp/" \\n', "https://a.jp/ \\m", '"" \\l "place"', '\\l "place"', '"#place"', '"mailto:a@b.jp"', '"https://a.jp/" \\o "a \\"tip\\" of it"'])
def test_switches_and_places_are_no_targets(target: str) -> None:
    ooxml_calls.check_fields(DOCUMENT, _field(_piece(f"HYPERLINK {target}")), SCHEMES)


def test_texts_of_cells_are_no_formulas() -> None:
    ooxml_calls.check_formulas(SHEET, b"<t>CALL(A1)</t><f>A1</f>", frozenset({b"t", b"f"}), SCHEMES)
    with pytest.raises(VerificationFailed, match="formula in"):
        ooxml_calls.check_formulas(SHEET, b"<t>A1</t><f>CALL(A1)</f>", frozenset({b"t", b"f"}), SCHEMES)


@pytest.mark.parametrize(
    ("target", "leads"), [("#A1", True), ("https://a.jp/", True), ("http:a.jp", False), ("http://a.jp/", True), ("file:///c", False), ("[b.xlsx]S!A1", False)]
)
def test_links_of_formulas(target: str, leads: bool) -> None:
    formula = f"<f>HYPERLINK(&quot;{target}&quot;,1)</f>".encode()
    if leads:
        ooxml_calls.check_formulas(SHEET, formula, frozenset({b"f"}), SCHEMES)
        return
    with pytest.raises(VerificationFailed, match="formula in"):
        ooxml_calls.check_formulas(SHEET, formula, frozenset({b"f"}), SCHEMES)


def test_what_a_pivot_table_calculates_is_a_formula() -> None:
    cache = "xl/pivotCache/pivotCacheDefinition1.xml"
    for formula in ("'a' + 1", "SUM(b)"):
        ooxml_markup.check(cache, f'<a><cacheField name="x" formula="{formula}"/> formula="CALL(1)"</a>'.encode(), frozenset(), SCHEMES)
    for formula in ("'[b.xlsx]S'!A1", "CALL(A1)", "cmd|'/c'!A0"):
        with pytest.raises(VerificationFailed, match="formula in"):
            ooxml_markup.check(cache, f'<a><cacheField name="x" formula="{formula}"/></a>'.encode(), frozenset(), SCHEMES)


@pytest.mark.parametrize("space", [TRANSITIONAL, STRICT])
def test_references_of_both_conformance_classes_are_followed(space: str) -> None:
    def checked(identity: str) -> None:
        ooxml_markup.check(DOCUMENT, f'<a xmlns:r="{space}" r:id="{identity}"/>'.encode(), frozenset({"rId1"}), SCHEMES)

    checked("rId1")
    checked("")             # Office writes an empty one where there is nothing to name
    with pytest.raises(VerificationFailed, match="leads nowhere"):
        checked("rId2")


def test_no_namespace_is_no_strange_one() -> None:
    ooxml_markup.check(DOCUMENT, b'<a xmlns=""/>', frozenset(), SCHEMES)
    with pytest.raises(VerificationFailed, match="namespace"):
        ooxml_markup.check(DOCUMENT, b'<a xmlns="urn:x"/>', frozenset(), SCHEMES)
