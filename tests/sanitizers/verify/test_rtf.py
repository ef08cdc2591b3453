"""The second opinion on rich text: spelt as ours, braces that match, no word that acts, the same letters."""

from __future__ import annotations

import msgspec
import pytest

from sanitizers.findings.rtf import CODES
from sanitizers.formats.office.pictures import NEUTRAL
from sanitizers.model import Action, Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import rtf
from tests.build.context import context, delivered
from tests.build.image import bmp

PICTURE = bytes(range(256))
BITMAP = bmp((2, 2), 24, bytes(range(16)))


def check(body: str, original: str | None = None, *codes: str, picture: bytes = b"", start: str = "{\\rtf1 ", end: str = "}\r\n") -> None:
    given = context("a.rtf", Kind.RTF)
    for code in codes:
        given.found(code, "", Action.REMOVED)
    if picture:
        (report,) = delivered(given, picture).parts
        given.parts.append(msgspec.structs.replace(report, output=None))
    data = f"{start}{body}{end}".encode("latin-1")
    rtf.verify(Source(data), Source(data if original is None else f"{{\\rtf1 {original}}}".encode("latin-1")), given)


@pytest.mark.parametrize(
    "body",
    [
        "", "text", "{\\b bold}", "\\u26085?\\u26412?", "\\'93\\'fa", "\\~\\_\\-", "{\\*\\bkmkstart a}", "{\\field{\\*\\fldinst PAGE}{\\fldrslt 1}}",
        '{\\field{\\*\\fldinst HYPERLINK "https://a.jp/"}{\\fldrslt 1}}', "{\\pict\\pngblip " + NEUTRAL.content.hex() + "}",
    ],
)  # fmt: skip
def test_plain_text_passes(body: str) -> None:
    check(body)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("\x07", "not spelt"), ("\xe9", "not spelt"), ("a}{b", "braces|not spelt"), ("{a", "braces"), ("a}", "braces"), ("\\'zz", "braces"), ("\\", "braces"),
        ("\\;a", "braces"), ("{\\object x}", "object"), ("{\\*\\objdata 00}", "objdata"), ("{\\*\\template x}", "template"), ("{\\*\\unheard x}", "unheard"), ("{\\* x}", r"\\\*"),
        ("{\\pict\\pngblip " + PICTURE.hex() + "}", "not what was rebuilt"),
        ("{\\pict\\dibitmap0 " + PICTURE.hex() + "}", "not what was rebuilt"), ("{\\pict\\dibitmap0 " + PICTURE[:39].hex() + "}", "no bitmap"), ("00 " * 2_100, "no picture"), ("{\\pict\\macpict " + "0" * 4_097 + "}", "no picture"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(body: str, why: str) -> None:
    with pytest.raises(VerificationFailed, match=why):
        check(body)


def field(instruction: str) -> str:
    return "{\\field{\\*\\fldinst " + instruction + "}{\\fldrslt 1}}"


NESTED = field("SEQ a")


@pytest.mark.parametrize(
    "instruction",
    [
        "PAGE", "{\\b P}AGE", "\\u80?AGE", "\\'50AGE", "{{{\\b P}\\b1 A\\-G\\_E\\:}}", "\r\nPA\r\nGE ", "{PAGE}", "= 1 + 1", "IF " + NESTED + " = 1", "",
        'HYPERLINK "https://a.jp/"', 'HYPERLINK " https://a.jp/ "', 'HYPERLINK "#a"', "HYPERLINK \\'5c\\'5cl \"a\"", "HYPERLINK \\u92?l a", "HYPERLINK\\tab mailto:a@b.jp", "PAGEREF\\~a", "REF\\line b",
        "REF\\par\r\nb", "\\tab2 PAGE",
    ],
)  # fmt: skip
def test_fields_that_ask_nobody_pass(instruction: str) -> None:
    check(field(instruction))
    check(field("IF 1 = " + field(instruction)))


@pytest.mark.parametrize(
    "instruction",
    [
        "DDEAUTO x", "{\\b D}DE x", "\\u68?DE x", "\\'44DE x", "D\\-DE x", "{{{\\b D}}}DE x", "{{{DDE}}}", "{{}{{}DDE}}", "PA\\tab GE x", "\\'5cPAGE", "PAGEx", NESTED + "PAGE", "\\u-1?PAGE",
        "\\u65616?DE", 'HYPERLINK "file:x"', "HYPERLINK \\'5c\\'5chost", "HYPERLINK \\u92?\\u92?host", "HYPERLINK {{{file:x}}}", "HYPERLINK " + NESTED, "HYPERLINK " + NESTED.replace("rslt 1", "rslt #a"), NESTED.replace("rslt 1", "rslt PAGE") + " a", 'HYPERLINK "' + NESTED + '"',
        "HYPERLINK\\tab file:x",
    ],
)  # fmt: skip
def test_other_fields_are_refused_however_they_are_spelt(instruction: str) -> None:
    for body in (field(instruction), field("IF 1 = " + field(instruction)), field("IF " + NESTED + field(instruction)), NESTED + field(instruction)):
        with pytest.raises(VerificationFailed, match=r"field in|field in the text"):
            check(body)


def test_what_stands_behind_a_field_is_not_its_instruction() -> None:
    check("{\\field{\\*\\fldinst PAGE}{\\fldrslt 1}} DDE x")
    check("{\\b {\\*\\fldinst PAGE} DDE x}")


@pytest.mark.parametrize(("start", "end"), [("{\\rtf ", "}\r\n"), (" {\\rtf1 ", "}\r\n"), ("{\\rtf1 ", "}"), ("{\\rtf1 ", "}\r\nx}\r\n"), ("{\\rtf1 ", "}{}\r\n"), ("{\\rtf1 ", "} \r\n}\r\n")])
def test_another_frame_is_refused(start: str, end: str) -> None:
    with pytest.raises(VerificationFailed):
        check("a", start=start, end=end)


def test_pictures_are_those_of_the_engine() -> None:
    check("{\\pict\\pngblip " + PICTURE.hex() + "}", picture=PICTURE)
    check("{\\pict\\dibitmap0 " + BITMAP[14:].hex() + "}", picture=BITMAP)
    check("0 " * 2_048 + "z" + "0" * 100)
    check("{\\i " + "0 \r\n" * 4_096 + "}")
    with pytest.raises(VerificationFailed, match="no picture"):
        check("{\\i " + "0 \r\n" * 4_097 + "}")
    for kind, picture in (("pngblip", PICTURE), ("dibitmap0", BITMAP[14:])):
        with pytest.raises(VerificationFailed, match="not what was rebuilt"):
            check(f"{{\\pict\\{kind} {picture[:-1].hex()}}}", picture=picture if kind == "pngblip" else BITMAP)


@pytest.mark.parametrize(
    ("body", "original", "same"),
    [
        ("one", "one", True), ("one", "o{\\b n}e", True), ("one", "two", False), ("one", "{\\*\\comment two}one", True), ("one", "o\\'6ee", True),
        ("\\u26085?", "\\uc2\\u26085 xx", True), ("\\u26085?", "\\u-39451 x", True), ("\\u26085?", "\\u26086?", False), ("one", "\\bin3 xyzone", True),
        ("one", "{\\upr{two}{\\*\\ud{one}}}", True), ("one", "{\\info{\\title x}}one", True), ("a\\'7bb", "a\\{b", True), ("ab", "a\\{b", False), ("one", "one}two", True),
        ("one", "\\uc1{\\u26085}one", False), ("", "\\u", False), ("a", "\\uc0\\u97a", False), ("one", "o\\~n\\_e", True),
        ("\\u26085?y", "\\u26085 xy", True), ("\\u0?", "\\u ?", True), ("abc", "\\bin abc", True), ("abc", "\\bin0 abc", True), ("abc", "\\bin-2 abc", True),
        ("\\u26085?one", "\\uc1\\u26085\\pict one", True), ("\\u26085?one", "\\u26085\\*one", True), ("\\u26085?one", "\\uc2\\u26085\\~xone", True),
        ("one", "{\\info{\\upr{a}{\\*\\ud b}}}two", False), ("one", "one!", False), ("one", "one\\'80", False), ("\\u26085?one", "{\\uc1\\u26085}one", True),
        ("one", "{\\b\\b0}one", True), ("\\u-9999?", "\\u55537?", True), ("\\u26085?", "\\uc1{\\uc3}\\u26085 x", True), ("one", "{\\pict 00}one", True),
    ],
)  # fmt: skip
def test_the_letters_are_the_same(body: str, original: str, same: bool) -> None:
    if same:
        check(body, original)
        return
    with pytest.raises(VerificationFailed, match="words"):
        check(body, original)
    check(body, original, "rtf.object")


@pytest.mark.parametrize("sign", [*range(0x21), 0x7F])
def test_spaces_and_controls_are_no_letters(sign: int) -> None:
    check("one", f"o\\'{sign:02x}ne")
    check("one", f"o{chr(sign)}ne")


REWRITES = (
    "object", "unknown_destination", "field", "comment", "custom_xml", "binary", "old_drawing", "private_data", "protection", "html", "link", "external_field", "macro",
    "dde", "unbalanced", "trailing_data", "shape_property", "document_variable", "external_file",
)  # fmt: skip


def test_words_differ_only_where_a_finding_says_why() -> None:
    for name in REWRITES:
        check("one", "two", f"rtf.{name}")
    for code in {code.code for code in CODES} - {f"rtf.{name}" for name in REWRITES}:
        with pytest.raises(VerificationFailed, match="words"):
            check("one", "two", code)


def test_letters_are_read_from_the_first_brace_on() -> None:
    assert rtf._said(b"{one}") == rtf._said(b"x{one}") == rtf._said(b"{o{\\b n}e}") == rtf._said(b"{{one}}")
    assert rtf._said(b"{one}") != rtf._said(b"{ne}")
    assert rtf._said(b"}") == rtf._said(b"")


def test_a_file_that_ends_within_a_group_says_what_it_says() -> None:
    assert rtf._said(b"{\\rtf1 one") == rtf._said(b"{\\rtf1 one}two")
