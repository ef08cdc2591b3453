"""Groups, words and letters as they are seldom written, pictures without a file's header, properties of shapes."""

from __future__ import annotations

import struct

import pytest

from sanitizers.context import Outcome
from sanitizers.formats import rtf
from sanitizers.formats.rtf import tokens
from sanitizers.model import Kind, LimitExceeded, Malformed, Verdict
from tests.build import rtf as build
from tests.build.context import run, sanitize


def made(body: bytes) -> tuple[Outcome, bytes]:
    outcome = run(build.document(body), "a.rtf")
    assert outcome.content is not None, outcome.report.findings
    return outcome, outcome.content.bytes()


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


@pytest.mark.parametrize("data", [b"", b"words", b"words {\\rtf1 x}", b"\\rtf1"])
def test_what_has_no_group_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed, match="no group"):
        sanitize(rtf.SANITIZER, data, Kind.RTF, "a.rtf")


def test_tokens_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_MOST", 1000)
    with pytest.raises(LimitExceeded, match="more than 1000 tokens"):
        run(build.document(b"\\b\\b0" * 1000), "a.rtf")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (rb"\uc1 a\u26085\'93b", "a日b"),
        (rb"\uc1 a\u26085\b b", "a日b"),            # a word stands for the letter
        (rb"\uc1 a\u26085\~b", "a日b"),             # so does a sign
        (b"\\uc1 a\\u26085\\bin3 {}{b", "a日b"),    # and binary data
        (rb"\uc2 a\u26085\~\-b", "a日b"),
        (rb"\uc0 a\u b", "ab"),                     # no number, no letter
        (rb"\uc1 a\'zb", "azb"),                    # an escape that is none
        (b"a\\", "a"),
        (b"a\\\tb\\\nc", "abc"),
    ],
)
def test_letters_are_read_as_word_reads_them(body: bytes, said: str) -> None:
    """What stands for a letter in readers that know no Unicode is passed over."""
    root = tokens.read(b"{\\rtf1 " + body + (b"" if body.endswith(b"\\") else b"}")).root
    letters = [node.decode() if isinstance(node, bytes) else chr(node.unit) for node in root if isinstance(node, bytes | tokens.Letter)]
    assert "".join(letters) == said


def test_an_empty_picture_leaves_nothing() -> None:
    outcome, data = made(b"x{\\pict\\pngblip }y{\\pict\\pngblip zz}")
    assert outcome.report.verdict is Verdict.CLEAN
    assert b"\\pict" not in data


@pytest.mark.parametrize(("bits", "colours", "said"), [(8, 256, 0), (8, 2, 2), (24, 0, 0), (1, 2, 0)])
def test_bitmaps_without_a_files_header_are_pictures(bits: int, colours: int, said: int) -> None:
    """Where the pixels begin follows from the palette, whose size may go without saying."""
    row = {1: 4, 8: 4, 24: 8}[bits]
    header = struct.pack("<IiiHHIIiiII", 40, 2, 2, 1, bits, 0, row * 2, 0, 0, said, 0)
    palette = b"".join(bytes((shade, shade, shade, 0)) for shade in range(colours))
    outcome, data = made(b"{\\pict\\dibitmap0\\picw2\\pich2 " + (header + palette + bytes(row * 2)).hex().encode() + b"}")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert b"\\dibitmap0" in data


SHAPE = b"{\\shp{\\*\\shpinst{\\sp{\\sn shapeType}{\\sv 75}}%b}}"


@pytest.mark.parametrize(
    ("prop", "code", "stays"),
    [
        (b"{\\sp{\\sn pib}{\\sv " + build.picture() + b"}}", None, True),
        (b"{\\sp{\\sn pib}{\\sv words}}", None, False),
        (b"{\\sp{\\sn metroBlob}{\\sv 504b030414000600}}", None, False),
        (b"{\\sp{\\sn wzName}{\\sv \\'90\\'7d}}", None, True),
        (b"{\\sp{\\sn fillColor}{\\sv 99}}", None, True),
        (b"{\\sp{\\sn pVertices}{\\sv 8;2;(0,0)}}", "rtf.shape_property", False),     # fewer points than it says
        (b"{\\sp{\\sn 9name}{\\sv 1}}", "rtf.shape_property", False),                 # no name of a property
        (b"{\\sp{\\sv 1}}", "rtf.shape_property", False),
        (b"{\\sp words}", "rtf.shape_property", False),
        (b"{\\sp{\\sn pihlShape}{\\sv {\\*\\hl{\\hlsrc http://192.0.2.1/}}}}", "rtf.link", False),
    ],
)
def test_properties_of_shapes(prop: bytes, code: str | None, stays: bool) -> None:
    outcome, data = made(SHAPE.replace(b"%b", prop))
    assert codes(outcome) == ({code} if code else set())
    assert data.count(b"{\\sp {\\sn") == (2 if stays else 1)
    assert b"192.0.2.1" not in data


@pytest.mark.parametrize(("info", "code"), [(b"{\\info{\\author }{\\operator  }}", None), (b"{\\info{\\author Yamada}}", "file.metadata")])
def test_empty_meta_data_are_no_meta_data(info: bytes, code: str | None) -> None:
    outcome, data = made(info)
    assert codes(outcome) == ({code} if code else set())
    assert b"Yamada" not in data


@pytest.mark.parametrize("space", [b" ", rb"\~", rb"\tab ", rb"\line ", rb"\par "])
def test_an_instruction_is_read_and_told_whatever_spaces_its_words(space: bytes) -> None:
    outcome, data = made(b"{\\field{\\*\\fldinst DDE" + space + b'{\\b "cmd"}}{\\fldrslt shown}}')
    assert [(finding.code, finding.detail) for finding in outcome.report.findings] == [("rtf.dde", 'DDE "cmd"')]
    assert b"cmd" not in data
    assert b"shown" in data


def test_a_field_whose_name_another_field_makes_goes_and_the_file_passes() -> None:
    quoted = b"{\\field{\\*\\fldinst PAGE}{\\fldrslt 1}}"
    outcome, data = made(b"{\\field{\\*\\fldinst " + quoted + b" PAGE }{\\fldrslt shown}}")
    assert outcome.report.verdict is Verdict.SANITIZED
    assert [finding.code for finding in outcome.report.findings] == ["rtf.field"]
    assert b"fldinst" not in data
    assert b"shown" in data
    outcome, data = made(b"{\\field{\\*\\fldinst IF " + quoted + b' = 1 "a" "b"}{\\fldrslt shown}}')
    assert outcome.report.verdict is Verdict.CLEAN
    assert data.count(b"fldinst") == 2


def test_a_quote_in_the_tip_of_a_link_is_no_second_target() -> None:
    outcome, data = made(rb'{\field{\*\fldinst HYPERLINK "https://a.jp/" \\o "tip \\"x\\" of it"}{\fldrslt shown}}')
    assert outcome.report.verdict is Verdict.CLEAN
    assert b"https://a.jp/" in data
    outcome, data = made(rb'{\field{\*\fldinst HYPERLINK \\o "tip \\"x\\"" "file:///c:/x"}{\fldrslt shown}}')
    assert outcome.report.verdict is Verdict.SANITIZED
    assert b"file:" not in data
