"""The second opinion on text kinds refuses what a sanitizer might have missed."""

from __future__ import annotations

import pytest

from sanitizers.model import Action, Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.text import VERIFIERS
from tests.build.context import context
from tests.build.text import ENCODINGS, TEXT, encoded, without_twins


def check(kind: Kind, output: bytes, original: bytes | None = None, *findings: str) -> None:
    given = context("a", kind)
    for code in findings:
        given.found(code, "", Action.REMOVED)
    VERIFIERS[kind](Source(output), Source(output if original is None else original), given)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.CSV])
def test_clean_japanese_text_passes(encoding: str, kind: Kind) -> None:
    check(kind, encoded(without_twins(TEXT), encoding))


@pytest.mark.parametrize(
    "text", ["葛\U000e0100", "❤\ufe0f 👨\u200d👩", "می\u200cخ", "a\tb\r\nc", "café naïve", "\u0600 \u06dd", "ﾊﾟﾝ", "\u3164".replace("\u3164", "ㄱ")]
)
def test_what_belongs_to_scripts_passes(text: str) -> None:
    check(Kind.TEXT, text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b", "a\x07b", "\x0c", "\x1b[31mred", "\x1b]0;t\x07", "a\x85b", "a\x9bb", "x\u202ey", "x\u2066y", "x\u200by", "x\ufeffy", "x\u00ady",
        "x\u2060y", "x\U000e0041y", "\x7f", "a\x1a",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.CSV, Kind.JSON])
def test_hidden_characters_are_refused(text: str, kind: Kind) -> None:
    with pytest.raises(VerificationFailed):
        check(kind, text.encode())
    with pytest.raises(VerificationFailed):
        check(kind, text.encode("utf-16"))


def test_a_lost_or_added_character_is_refused() -> None:
    check(Kind.TEXT, "日本".encode(), "日\u200b本".encode())
    with pytest.raises(VerificationFailed, match="less"):
        check(Kind.TEXT, "日本".encode(), "日本語".encode())
    with pytest.raises(VerificationFailed, match="more"):
        check(Kind.TEXT, "日本語".encode(), "日本".encode())
    with pytest.raises(VerificationFailed, match="more"):
        check(Kind.TEXT, b"'=1", b"=1")
    check(Kind.CSV, b"'=1", b"=1")
    check(Kind.TEXT, b"a red", b"a \x1b[31mred", "text.control_characters")


@pytest.mark.parametrize(
    "table",
    [
        "=1", "x,=1", 'x,"=1"', "x\n@a", "x,+a", "＝1,x", "x;=1", "x\t=1", "x|=1", "x, =1", 'x,""=1', "x,\t=1", "x\r=1", "x,-cmd|a!b", "x,＋a",
        "sep=^\nx^=1", "x,-SUM(1)", "a;b;+c", "x," + "y" * 200_000 + ",=1",
    ],
)  # fmt: skip
def test_cells_that_would_run_are_refused(table: str) -> None:
    with pytest.raises(VerificationFailed):
        check(Kind.CSV, table.encode())


@pytest.mark.parametrize(
    "table", ["-1,+81-3-1234", "'=1,x", "x,-12.5%,－,-", "\tabc\tdef\n\t-1\tx", "a;-b,c", "-1;x 5,y", "+1;5 abc,z", "a=b,c@d", '"-1,234.5"', "sep=;\na;'=1"]
)
def test_tables_without_formulas_pass(table: str) -> None:
    check(Kind.CSV, table.encode())


@pytest.mark.parametrize(
    "text",
    [
        "<a>", "<!DOCTYPE a><a/>", '<a><?xml-stylesheet href="x"?></a>', "<a><!-- x --></a>", '<a xmlns:h="http://www.w3.org/1999/xhtml"><h:script/></a>',
        '<a><svg xmlns="http://www.w3.org/2000/svg"/></a>', '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="x"/>', "<a>&b;</a>",
    ],
)  # fmt: skip
def test_active_xml_is_refused(text: str) -> None:
    with pytest.raises(VerificationFailed):
        check(Kind.XML, text.encode())


def test_a_lost_element_or_text_is_refused() -> None:
    check(Kind.XML, b"<a><b/>x</a>", b"<a><!-- c --><b/>x</a>")
    with pytest.raises(VerificationFailed):
        check(Kind.XML, b"<a>x</a>", b"<a><b/>x</a>")
    with pytest.raises(VerificationFailed):
        check(Kind.XML, b"<a><b/></a>", b"<a><b/>x</a>")
    check(Kind.XML, b"<a>x</a>", b"<a><b/>x</a>", "markup.active_element")


def test_shift_jis_xml_is_read() -> None:
    data = '<?xml version="1.0" encoding="Shift_JIS"?>\n<工事>①髙</工事>'.encode("cp932")
    check(Kind.XML, data, '<?xml version="1.0"?><工事>①髙</工事>'.encode())
    with pytest.raises(VerificationFailed):
        check(Kind.XML, data, "<工事>①</工事>".encode())


@pytest.mark.parametrize("text", ["[1,", "{'a': 1}", "", "[" * 100_000])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(VerificationFailed):
        check(Kind.JSON, text.encode())


def test_json_passes() -> None:
    check(Kind.JSON, ('{"氏名": [1, 2.5, ' + "9" * 5000 + "]}").encode())
