"""The second opinion on rich text: spelt as ours, braces that match, no word that acts, the same letters."""

from __future__ import annotations

import pytest

from sanitizers.model import Action, Kind, PartInfo, Report, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import rtf
from tests.build.context import context

PICTURE = bytes(range(256))


def check(body: str, original: str | None = None, *codes: str, picture: bytes = b"", start: str = "{\\rtf1 ", end: str = "}\r\n") -> None:
    given = context("a.rtf", Kind.RTF)
    for code in codes:
        given.found(code, "", Action.REMOVED)
    if picture:
        info = PartInfo(name="p", size=len(picture), sha256=Source(picture).sha256, kind=Kind.PNG)
        given.parts.append(Report(path="p", verdict=Verdict.CLEAN, reason=None, input=info, output=info))
    data = f"{start}{body}{end}".encode("latin-1")
    rtf.verify(Source(data), Source(data if original is None else f"{{\\rtf1 {original}}}".encode("latin-1")), given)


@pytest.mark.parametrize(
    "body",
    [
        "", "text", "{\\b bold}", "\\u26085?\\u26412?", "\\'93\\'fa", "\\~\\_\\-", "{\\*\\bkmkstart a}", "{\\field{\\*\\fldinst PAGE}{\\fldrslt 1}}",
        '{\\field{\\*\\fldinst HYPERLINK "https://a.jp/"}{\\fldrslt 1}}', "{\\pict\\pngblip 00ff}",
    ],
)  # fmt: skip
def test_plain_text_passes(body: str) -> None:
    check(body)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("\x07", "not spelt"), ("\xe9", "not spelt"), ("a}{b", "braces|not spelt"), ("{a", "braces"), ("a}", "braces"), ("\\'zz", "braces"), ("\\", "braces"),
        ("\\;a", "braces"), ("{\\object x}", "object"), ("{\\*\\objdata 00}", "objdata"), ("{\\*\\template x}", "template"), ("{\\*\\unheard x}", "unheard"), ("{\\* x}", r"\\\*"),
        ("{\\field{\\*\\fldinst DDEAUTO x}{\\fldrslt 1}}", "not allowed"), ("{\\field{\\*\\fldinst{\\b D}DE x}}", "not allowed"),
        ("{\\field{\\*\\fldinst \\u68?DE x}}", "not allowed"), ('{\\field{\\*\\fldinst HYPERLINK "file:x"}}', "not allowed"),
        ("{\\field{\\*\\fldinst HYPERLINK \\'5c\\'5chost}}", "not allowed"), ("{\\pict\\pngblip " + PICTURE.hex() + "}", "not rebuilt"),
        ("{\\pict\\dibitmap0 " + PICTURE.hex() + "}", "not rebuilt"), ("00 " * 2_100, "no picture"), ("{\\pict\\macpict " + "0" * 4_097 + "}", "no picture"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(body: str, why: str) -> None:
    with pytest.raises(VerificationFailed, match=why):
        check(body)


@pytest.mark.parametrize(("start", "end"), [("{\\rtf ", "}\r\n"), (" {\\rtf1 ", "}\r\n"), ("{\\rtf1 ", "}"), ("{\\rtf1 ", "}\r\nx}\r\n"), ("{\\rtf1 ", "}{}\r\n"), ("{\\rtf1 ", "} \r\n}\r\n")])
def test_another_frame_is_refused(start: str, end: str) -> None:
    with pytest.raises(VerificationFailed):
        check("a", start=start, end=end)


def test_pictures_are_those_of_the_engine() -> None:
    check("{\\pict\\pngblip " + PICTURE.hex() + "}", picture=PICTURE)
    check("{\\pict\\dibitmap0 " + PICTURE.hex() + "}", picture=b"BM" + bytes(12) + PICTURE)
    check("{\\pict\\pngblip " + PICTURE[:128].hex() + "}")
    check("0 " * 2_048 + "z" + "0" * 100)
    with pytest.raises(VerificationFailed, match="not rebuilt"):
        check("{\\pict\\pngblip " + PICTURE[:129].hex() + "}")


@pytest.mark.parametrize(
    ("body", "original", "same"),
    [
        ("one", "one", True), ("one", "o{\\b n}e", True), ("one", "two", False), ("one", "{\\*\\comment two}one", True), ("one", "o\\'6ee", True),
        ("\\u26085?", "\\uc2\\u26085 xx", True), ("\\u26085?", "\\u-39451 x", True), ("\\u26085?", "\\u26086?", False), ("one", "\\bin3 xyzone", True),
        ("one", "{\\upr{two}{\\*\\ud{one}}}", True), ("one", "{\\info{\\title x}}one", True), ("a\\'7bb", "a\\{b", True), ("ab", "a\\{b", False), ("one", "one}two", True),
        ("one", "\\uc1{\\u26085}one", False), ("", "\\u", False), ("a", "\\uc0\\u97a", False), ("one", "o\\~n\\_e", True),
    ],
)  # fmt: skip
def test_the_letters_are_the_same(body: str, original: str, same: bool) -> None:
    if same:
        check(body, original)
        return
    with pytest.raises(VerificationFailed, match="words"):
        check(body, original)
    check(body, original, "rtf.object")


def test_a_file_that_ends_within_a_group_says_what_it_says() -> None:
    assert rtf._said(b"{\\rtf1 one") == rtf._said(b"{\\rtf1 one}two")
