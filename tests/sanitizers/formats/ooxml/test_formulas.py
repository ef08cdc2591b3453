"""Which formulas, fields and links may stay: the rules at the words themselves."""

from __future__ import annotations

import pytest

from sanitizers.formats.office import formulas, links
from tests.build import ooxml as build
from tests.build.context import run

SCHEMES = ("http", "https", "mailto", "tel")


@pytest.mark.parametrize(
    "formula",
    [
        "SUM(A1:B2)", "'集計 表'!A1", "'a:b'!A1", "Table1[[#This Row],[金額 (円)]]", "表1[[#Headers],[a]:[b]]", 'IF(A1="[1]x|y!",1,2)', "{1,2;3,4}",
        "_xlfn._xlws.FILTER(A:A,B:B>0)", 'HYPERLINK("#表1!A1","x")', 'HYPERLINK("#\'"&A1&"\'!A1","x")', 'HYPERLINK("https://example.jp/a?b","x")',
        'HYPERLINK("mailto:a@example.jp")', "JIS(A1)&ASC(B1)", "DATESTRING(A1)", "PHONETIC(A1)", 'INDIRECT("A"&ROW())', "A1#", "'It''s'!$A$1", "税率*2",
        'SUMPRODUCT(--(A1:A9="x"),B1:B9)', "LET(x,1,x+1)", "@A1", "#REF!", "表1[@金額]", "表1[['#記号]]",
    ],
)  # fmt: skip
def test_local_formulas_stay(formula: str) -> None:
    assert formulas.danger(formula, SCHEMES) is None


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("[1]Sheet1!A1", "ooxml.external_link"), ("SUM([1]表!A1)", "ooxml.external_link"), ("'[1]a b'!A1", "ooxml.external_link"),
        ("'C:\\x\\[b.xlsx]S'!A1", "ooxml.external_link"), ("'\\\\host\\s\\[b.xlsx]S'!A1", "ooxml.external_link"), ("[1]!名前", "ooxml.external_link"),
        ("'http://h/[b.xlsx]S'!A1", "ooxml.external_link"), ("cmd|'/c calc'!A0", "ooxml.dde"), ("'cmd'|'/c calc'!A0", "ooxml.dde"),
        ("MSEXCEL|'\\..\\cmd.exe'!a", "ooxml.dde"), ('call ("k","f","J")', "ooxml.formula"), ('WEBSERVICE("x")', "ooxml.formula"),
        ("Book1!Macro()", "ooxml.formula"), ("_xludf.F(1)", "ooxml.formula"), ("GET.WORKSPACE(1)", "ooxml.formula"), ("EVALUATE(A1)", "ooxml.formula"),
        ('HYPERLINK("\\\\h\\s")', "ooxml.hyperlink"), ("HYPERLINK(A1)", "ooxml.hyperlink"), ('HYPERLINK("file:///c:/x","y")', "ooxml.hyperlink"),
        ('HYPERLINK("ht"&"tp://x")', "ooxml.hyperlink"), ("ＣＡＬＬ(1)", "ooxml.formula"), ("A" * 70_000, "ooxml.formula"),
    ],
)  # fmt: skip
def test_other_formulas_go(formula: str, code: str) -> None:
    found = formulas.danger(formula, SCHEMES)
    assert found is not None
    assert found[0] == code


def test_names_that_are_gone_take_their_formulas_along() -> None:
    assert formulas.danger("名前*2", SCHEMES, frozenset({"名前"})) is not None
    assert formulas.danger("'M 1'!A1", SCHEMES, frozenset({"m 1"})) is not None


@pytest.mark.parametrize("target", ["http://a.jp/", "HTTPS://a.jp/x?y=1#z", "mailto:a@a.jp", "tel:110", "#しおり", "https://日本.jp/様式.html"])
def test_allowed_links(target: str) -> None:
    assert links.allowed(target, SCHEMES)


@pytest.mark.parametrize(
    "target",
    ["", "a.docx", "../a", "/a", "//h/a", "\\\\h\\a", "http:\\\\h", "http:h", "file:///a", "javascript:1", "java\tscript:1", "\x01http://a", "http://a\x00",
     "http://\u202ea", "ms-word:ofe|u|http://a", "data:text/html,x", "vbscript:1", "https://" + "a" * 5000],
)  # fmt: skip
def test_other_links(target: str) -> None:
    assert not links.allowed(target, SCHEMES)


@pytest.mark.parametrize(
    ("instruction", "stays"),
    [
        ('HYPERLINK "https://a.jp"', True), ('HYPERLINK \\l "x" \\o "file:///tip"', True), ('HYPERLINK \\n "https://a.jp"', True),
        ('HYPERLINK \\t "_blank" "https://a.jp"', True), ('HYPERLINK \\n "file:///x"', False), ('HYPERLINK \\t "_blank" "file:///x"', False),
        ('HYPERLINK "https://a.jp" "file:///x"', False), ("HYPERLINK file:///x", False), ('HYPERLINK "\\\\\\\\h\\\\s"', False),
        ('HYPERLINK "https://a.jp" \\* MERGEFORMAT', True), ('HYPERLINK "https://a.jp" \\* file:///x', False),
        ('HYPERLINK \\l "x" "\\\\\\\\h"', False), ('HYPERLINK "https://a.jp', False), ("  page  ", True), ("PAGEREF x \\h", True), ("DDEAUTO", False),
        ("ASK x", False), ("SET x y", False), ("QUOTE 68 68 69", False), ("ADDIN ZOTERO", False), ("PRINT 27", False), ("INCLUDE x", False),
        ("RD x", False), ("AUTOTEXTLIST x", False), ("GOTOBUTTON x y", True), ("", True),
    ],
)  # fmt: skip
def test_fields(instruction: str, stays: bool) -> None:
    escaped = instruction.replace("&", "&amp;").replace('"', "&quot;")
    content = run(build.docx(build.field(escaped)).bytes(), "x").content
    assert content is not None
    document = build.members(content.bytes())["word/document.xml"]
    assert (b"fldChar" in document) is stays
    assert b"shown" in document
