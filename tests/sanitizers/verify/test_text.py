"""The second opinion on text kinds refuses what a sanitizer might have missed."""

from __future__ import annotations

import csv
import io

import pytest

from sanitizers.model import Action, Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import text as text_module
from sanitizers.verify.text import VERIFIERS, decoded
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


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xff\xfea\0", "a"), (b"\xfe\xff\0a", "a"), (b"\xff\xfe\xff\xfea\0", "a"), ("\ufeffa".encode(), "a"), ("日本".encode("cp932"), "日本"),
        ("日本語".encode("euc_jp"), "日本語"), (b"caf\xe9 \x80\xff", "café €ÿ"), (b"\x1b$BF|\x1b(B", "日"), (b"\x80", "€"), (b"\x1b[31mx\xe9", "\x1b[31mxé"), (b"\x1b(0x", "\x1b(0x"),
    ],
)  # fmt: skip
def test_text_is_read_by_the_first_codec_that_fits(data: bytes, text: str) -> None:
    assert decoded(data) == text


def test_a_table_that_no_reader_of_tables_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(io, "StringIO", lambda _text, newline: [b"bytes"])
    with pytest.raises(VerificationFailed, match="csv: iterator should return strings"):
        check(Kind.CSV, b"a,b")


@pytest.mark.parametrize("system", ["INDEX_D04.DTD", "KOUJI.DTD"])
def test_the_document_types_of_electronic_delivery_pass(system: str) -> None:
    check(Kind.XML, f'<!DOCTYPE a SYSTEM "{system}"><a/>'.encode())


@pytest.mark.parametrize("declared", ['SYSTEM "http://x/A_B.DTD"', 'PUBLIC "x" "A_B.DTD"', 'SYSTEM "A_B.DTD" []', "", 'SYSTEM "x.dtd"'])
def test_other_document_types_are_refused(declared: str) -> None:
    with pytest.raises(VerificationFailed, match=r"document type|entity"):
        check(Kind.XML, f"<!DOCTYPE a {declared}><a/>".encode())


@pytest.mark.parametrize("before", [b'<?xml version="1.0" encoding="Shift_JIS"?><a>\x81</a>', b'<?xml version="1.0" encoding="x-sjis"?><a>1</a>', b"<a>"])
def test_an_original_that_only_the_sanitizer_reads_is_not_counted(before: bytes) -> None:
    check(Kind.XML, b"<a>x</a>", before)


@pytest.mark.parametrize(
    "space",
    [
        "http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2001/XInclude",
        "http://www.w3.org/1999/XSL/Transform", "http://www.mozilla.org/keymaster/gatekeeper/there.is.only.xul",
        "http://schemas.microsoft.com/winfx/2006/xaml/presentation",
    ],
)  # fmt: skip
def test_what_a_browser_would_run_is_refused_in_any_place(space: str) -> None:
    for text in (f'<a xmlns="{space}"/>', f'<a><q:b xmlns:q="{space}"/></a>'):
        with pytest.raises(VerificationFailed, match="active element"):
            check(Kind.XML, text.encode())


@pytest.mark.parametrize(
    ("name", "codec"), [("Shift_JIS", "cp932"), ("Windows-31J", "cp932"), ("EUC-JP", "euc_jp"), ("utf-8", "utf-8"), ("US-ASCII", "ascii"), ("us-ascii", "ascii")]
)
def test_xml_is_read_in_the_encoding_that_it_states(name: str, codec: str) -> None:
    text = "ab" if codec == "ascii" else "①工" if codec == "cp932" else "工事"
    data = f'<?xml version="1.0" encoding="{name}"?><a>{text}</a>'.encode(codec)
    check(Kind.XML, data, f"<a>{text}</a>".encode())
    with pytest.raises(VerificationFailed):
        check(Kind.XML, data, f"<a>{text}x</a>".encode())


@pytest.mark.parametrize("escape", ["(B", "(J", "(I", "$@", "$B"])
def test_the_character_sets_of_mails_are_no_escapes_of_a_terminal(escape: str) -> None:
    check(Kind.TEXT, b"\x1b" + escape.encode() + (b"!!" if escape.startswith("$") else b"1") + b"\x1b(B")


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_each_separator_begins_a_cell(separator: str) -> None:
    check(Kind.CSV, f"a{separator}b".encode())
    for sign in "=+@＝＋＠":
        with pytest.raises(VerificationFailed, match="a cell begins"):
            check(Kind.CSV, f"a{separator}{sign}b".encode())
    for dash in "-－−":
        check(Kind.CSV, f"a{separator}{dash}b".encode())
        for call in "(!|":
            if call != separator:
                with pytest.raises(VerificationFailed, match="a cell begins"):
                    check(Kind.CSV, f"a{separator}{dash}b{call}c".encode())


def test_a_cell_may_be_as_long_as_the_file() -> None:
    usual = csv.field_size_limit(1_000)
    try:
        check(Kind.CSV, b"y" * 200_000)
        with pytest.raises(VerificationFailed):
            check(Kind.CSV, b"=1" + b"y" * 200_000)
        assert csv.field_size_limit() == 1_000
    finally:
        csv.field_size_limit(usual)


@pytest.mark.parametrize("code", ["text.control_characters", "text.undecodable", "text.encoding", "html.as_text", "mht.converted", "doc.as_text", "jtd.as_text"])
def test_after_what_was_said_the_characters_may_differ(code: str) -> None:
    check(Kind.TEXT, b"abc", b"xyz", code)
    with pytest.raises(VerificationFailed):
        check(Kind.TEXT, b"abc", b"xyz", "text.invisible")


def test_what_was_a_document_is_compared_with_its_words() -> None:
    for kind in (Kind.DOC, Kind.JTD):
        given = context("a", kind)
        given.found("doc.as_text", "", Action.REWRITTEN)
        with pytest.raises(VerificationFailed, match="olefile"):
            VERIFIERS[Kind.TEXT](Source(b"abc"), Source(b"no document"), given)


def test_letters_without_a_shape_may_go_and_a_quotation_mark_may_not() -> None:
    for filler in "\u115f\u1160\u3164\uffa0":
        check(Kind.TEXT, b"ab", f"a{filler}b".encode())
    with pytest.raises(VerificationFailed, match="U\\+0027: 0 more and 1 less"):
        check(Kind.CSV, b"a", b"'a")


@pytest.mark.parametrize("table", ['="00123",x', 'x,="a b"', "+¥100", "-1–2", "+1\u20032", "-$5", '="a";="b"', "+1–2", "+3\u200a4"])
def test_constants_and_numbers_of_all_countries_pass(table: str) -> None:
    check(Kind.CSV, table.encode())


@pytest.mark.parametrize("table", ['="a";b|c!d', '="a"b', '="a";b(c)', '="a=b"', '="' + "a" * 41 + '"'])
def test_what_only_begins_as_a_constant_is_refused(table: str) -> None:
    with pytest.raises(VerificationFailed, match="row 1: a cell begins with '='"):
        check(Kind.CSV, table.encode())


def test_the_row_is_named() -> None:
    with pytest.raises(VerificationFailed, match="row 3: "):
        check(Kind.CSV, b"a\nb\n=c\n")


def test_what_is_lost_beside_what_was_active_is_noticed() -> None:
    """The original is counted whatever it holds that the result may not."""
    for active in (b"<!-- c -->", b"<?x y?>", b'<svg xmlns="http://www.w3.org/2000/svg"/>'):
        with pytest.raises(VerificationFailed, match="elements"):
            check(Kind.XML, b"<a>x</a>", b"<a>" + active + b"<b/>x</a>")


def test_xml_in_an_encoding_that_expat_does_not_know_is_refused() -> None:
    for name in ("gb2312", "x-unknown", "euc-kr"):
        with pytest.raises(VerificationFailed, match="expat"):
            check(Kind.XML, f'<?xml version="1.0" encoding="{name}"?><a/>'.encode())


def test_the_document_type_names_the_first_element_plainly() -> None:
    check(Kind.XML, '<!DOCTYPE 工事 SYSTEM "INDEX_D04.DTD"><工事/>'.encode())
    with pytest.raises(VerificationFailed, match="document type"):
        check(Kind.XML, b'<!DOCTYPE a-b SYSTEM "INDEX_D04.DTD"><a-b/>')


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\u2066", "\U000e0041"])
def test_what_hides_in_json_is_refused(hidden: str) -> None:
    check(Kind.JSON, b'{"a": "b"}')
    with pytest.raises(VerificationFailed, match=f"U\\+{ord(hidden):04X}"):
        check(Kind.JSON, f'{{"a{hidden}": "b"}}'.encode())


@pytest.mark.parametrize("char", [chr(code) for code in (0, 8, 0x0B, 0x1F, 0x7F, 0x9F, 0xAD, 0x61C, 0x180E, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2067, 0x2068, 0x2069)])
def test_what_is_obeyed_is_hidden(char: str) -> None:
    """At the beginning, behind what is seen, and behind what is not on the first plane."""
    for text in (char, f"a{char}", f"\U00020b9fa{char}b"):
        assert text_module._hidden(text) == char


def test_what_is_seen_is_not_hidden() -> None:
    for text in ("", "\t\r\n", "\u200c\u200d", "\u0600\u06dd\U000110bd\U00013430", "漢字\U00020b9f", "\ufffd\uffff\U00010000\U0010ffff"):
        assert text_module._hidden(text) == ""
    assert text_module._hidden("\ud800") == "\ud800"


def test_the_last_character_of_all_is_looked_at() -> None:
    assert text_module._class("abdg") == "[a-bd-dg-g]"
    assert text_module._class("]-\\") == "[\\]-\\]\\--\\-\\\\-\\\\]"
