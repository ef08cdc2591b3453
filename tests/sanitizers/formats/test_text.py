"""Plain text: nothing readable changes, nothing hidden stays."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizers import source as module
from sanitizers.formats import text as subject
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed, Reason, Verdict
from sanitizers.source import Folded, Folding, Source
from sanitizers.verify import text as verifier
from tests.build.context import context, run, sanitize
from tests.build.text import ENCODINGS, LINES, TEXT, encoded, without_twins


def clean(data: bytes) -> tuple[bytes, list[str]]:
    rebuilt, context = sanitize(subject.SANITIZER, data, Kind.TEXT, "a.txt")
    assert rebuilt.kind is Kind.TEXT
    return rebuilt.content.bytes(), [finding.code for finding in context.findings]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_japanese_text_keeps_every_byte(encoding: str) -> None:
    data = encoded(without_twins(TEXT), encoding)
    assert clean(data) == (data, [])
    outcome = run(data, "a.txt")
    assert outcome.report.verdict is Verdict.CLEAN
    assert outcome.report.findings == ()


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "iso-2022-jp-ms"])
def test_each_line_alone_keeps_every_character(line: str, encoding: str) -> None:
    line = "お知らせ：" + without_twins(line)
    out, codes = clean(encoded(line, encoding))
    assert out == encoded(line, encoding)
    assert codes == []


def test_there_are_sixty_lines() -> None:
    assert len(LINES) == len(set(LINES)) == 60


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp932"])
def test_characters_of_ones_own_stay(encoding: str) -> None:
    """外字: the private characters of an office, which only its own fonts can show."""
    data = "氏名：\ue000\ue001\ue757田\r\n".encode(encoding)
    assert clean(data) == (data, [])


@pytest.mark.parametrize("encoding", ["cp932", "euc-jp", "iso-2022-jp-ms", "utf-16"])
@pytest.mark.parametrize(("name", "mark"), [("a.txt", ""), ("a.csv", "\ufeff")])
def test_policy_may_want_utf_8(encoding: str, name: str, mark: str) -> None:
    text = without_twins(TEXT).replace("－－－－キリトリ", "キリトリ")      # which a table may not begin a cell with
    outcome = run(encoded(text, encoding), name, text_as_utf8=True)
    assert outcome.content is not None
    assert outcome.content.bytes() == (mark + text).encode()
    assert [finding.code for finding in outcome.report.findings] == ["text.encoding"]
    assert run(outcome.content.bytes(), name, text_as_utf8=True).report.verdict is Verdict.CLEAN


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_tabs_stay(end: str) -> None:
    data = end.join(["一\t二", "", "三", ""]).encode()
    assert clean(data) == (data, [])


@pytest.mark.parametrize(
    ("dirty", "left"),
    [
        ("red \x1b[31mtext\x1b[0m.", "red text."),
        ("\x1b]0;title\x07shown", "shown"),
        ("\x1b]8;;https://evil.example/\x1b\\shown\x1b]8;;\x1b\\", "shown"),
        ("\x1b]0;never closed\r\nnext line", "\r\nnext line"),
        ("\x1b(0q\x1b7\x1bcshown\x1b", "qshown"),
        ("a\x00b\x07c\x08d\x1ae\x7ff", "abcdef"),
        ("page\r\n\x0cnext\r\n", "page\r\nnext\r\n"),
        ("page\x0cnext", "page\nnext"),
        ("a\r\nb\x0bc", "a\r\nb\r\nc"),
    ],
)
def test_controls_and_escapes_go(dirty: str, left: str) -> None:
    assert clean(dirty.encode()) == (left.encode(), ["text.control_characters"])


def test_eight_bit_controls_go_too() -> None:
    assert clean("日本\x9b31m語\x85次\x90".encode()) == ("日本語\n次".encode(), ["text.control_characters"])


@pytest.mark.parametrize("char", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
def test_direction_controls_go(char: str) -> None:
    assert clean(f"請求書{char}fdp.exe".encode()) == ("請求書fdp.exe".encode(), ["text.bidi_override"])


@pytest.mark.parametrize(
    "char",
    ["\u200b", "\u00ad", "\u2060", "\u2063", "\ufeff", "\u180e", "\u3164", "\uffa0", "\u115f", "\U000e0041", "\ufffe", "\ufff9", "\U0001d173", "\u2065"],
)
def test_invisible_characters_go(char: str) -> None:
    assert clean(f"秘{char}密".encode()) == ("秘密".encode(), ["text.invisible"])


@pytest.mark.parametrize(
    "text",
    [
        "葛\U000e0100城市", "辻\ufe00", "❤\ufe0f ☎\ufe0e", "1\ufe0f\u20e3 #\ufe0f\u20e3", "👨\u200d👩\u200d👧\u200d👦", "👩🏽\u200d🚒", "🏳\ufe0f\u200d🌈",
        "می\u200cخواهم", "क्\u200dष", "नमस्\u200cते", "外字\ue000\uf8ff", "か\u3099", "ﷺ", "\u2800点字", "\u3000全角", "¥ \u00a5 \\",
    ],
)  # fmt: skip
def test_what_belongs_to_a_script_or_an_emoji_stays(text: str) -> None:
    assert clean(text.encode()) == (text.encode(), [])


@pytest.mark.parametrize(
    ("dirty", "left"),
    [
        ("❤\ufe0f\ufe01\ufe02\ufe03", "❤\ufe0f"), ("葛\U000e0100\U000e0101\U000e0102", "葛\U000e0100"), ("a\ufe0fb", "ab"), ("\ufe0fx日", "x日"),
        ("a\u200db", "ab"), ("日\u200d本", "日本"), ("👨\u200d x", "👨 x"), ("日\u200c本", "日本"), ("a\U000e0100日", "a日"),
        ("❤\u200b\ufe0f", "❤"), ("❤\u200d\ufe0f", "❤"), ("x\ufe0f\u200d❤", "x❤"), ("क\u200c\u180b", "क"),
    ],
)  # fmt: skip
def test_chains_and_strays_of_them_go(dirty: str, left: str) -> None:
    assert clean(dirty.encode()) == (left.encode(), ["text.invisible"])


def test_single_unreadable_bytes_become_a_geta() -> None:
    data = "日本語の文章です。".encode("cp932") * 20
    out, codes = clean(data[:90] + b"\xff" + data[90:])
    assert "〓" in out.decode("cp932")
    assert codes == ["text.undecodable"]


def test_mostly_unreadable_bytes_are_refused() -> None:
    with pytest.raises(Malformed):
        clean(b"\x80\xff\xfe\x81\x20" * 40)


def test_utf_16_without_a_mark_and_utf_32_become_utf_8() -> None:
    assert clean("plain words".encode("utf-16-le")) == (b"plain words", ["text.encoding"])
    assert clean("日本".encode("utf-32")) == ("日本".encode(), ["text.encoding"])


def test_a_host_computers_last_byte_goes() -> None:
    outcome = run("表示能力\r\n\x1a".encode("cp932"), "a.txt")
    assert outcome.content is not None
    assert outcome.content.bytes() == "表示能力\r\n".encode("cp932")
    assert outcome.report.verdict is Verdict.SANITIZED


def test_binary_under_a_text_name_is_held() -> None:
    assert run(bytes(range(256)) * 4, "a.txt").report.reason is Reason.UNSUPPORTED_KIND


def test_bytes_are_counted() -> None:
    with pytest.raises(LimitExceeded):
        sanitize(subject.SANITIZER, b"x" * 11, Kind.TEXT, "a.txt", limits=Limits(expanded_bytes=10))


ALPHABET = st.sampled_from("aA1 日本語ｱ①髙\r\n\t\x00\x07\x0b\x0c\x1b[]m;\x85\x9b\u200b\u200c\u200d\u202e\u2066\ufeff\ufe0f\U000e0100葛❤👨میक्\u3164\u00ad\ufffe")


@settings(max_examples=400, deadline=None)
@given(st.text(ALPHABET, max_size=40), st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]))
def test_twice_is_once_and_nothing_hidden_is_left(text: str, encoding: str) -> None:
    once, _ = clean(("見本" + text).encode(encoding))
    assert clean(once) == (once, [])
    left = once.decode("utf-16" if once[:2] == b"\xff\xfe" else "utf-8-sig")
    assert not [char for char in left if unicodedata.category(char) == "Cc" and char not in "\t\r\n"]
    assert not [char for char in left if unicodedata.bidirectional(char) in ("RLO", "LRI") or char in "\u200b\ufeff\u3164"]


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_categories=("C", "M")), max_size=30))
def test_visible_characters_never_change(text: str) -> None:
    visible = text.translate(dict.fromkeys((0x115F, 0x1160, 0x3164, 0xFFA0)))
    out, _ = clean(("見本：" + visible).encode())
    assert out == ("見本：" + visible).encode()


@pytest.mark.parametrize(
    "data", [b"\x1b[" * 300_000, b"\x1b]" * 300_000, b"\x0c" * 500_000, ("❤" + "\ufe0f" * 200_000).encode(), b"\x1b[" + b"1;" * 300_000, b"\x1b " * 300_000]
)
def test_hostile_text_takes_linear_time(data: bytes) -> None:
    out, codes = clean(data)
    assert b"\x1b" not in out
    assert codes


def test_the_quick_look_passes_nothing_that_the_close_one_would_stop() -> None:
    for number in range(sys.maxunicode + 1):
        ordinary = subject._ORDINARY.match(chr(number))
        assert ordinary is not None
        assert not (ordinary.end() and subject._SPECIAL.match(chr(number))), hex(number)
        seen = verifier._SEEN.match(chr(number))
        assert seen is not None
        assert not (seen.end() and verifier._HIDDEN.match(chr(number))), hex(number)


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than this comes folded out of an archive."""
    monkeypatch.setattr(module, "FOLDED_FROM", 1 << 14)
    monkeypatch.setattr(module, "BLOCK", 1 << 15)


def folded(*lines: str, codecs: tuple[str, ...], last: int = 0) -> Source:
    """A text of a few runs; each line many times over, in its encoding; the last one `last` times."""
    made = Folding()
    for number, (line, codec) in enumerate(zip(lines, codecs, strict=True), 1):
        data = line.encode(codec)
        made.add(data * (last if last and number == len(lines) else 3 * module.BLOCK // 2 // len(data)))
    source = made.source()
    assert isinstance(source, Folded)
    return source


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    ("lines", "codecs", "utf8", "codes"),
    [
        (("plain words\r\n",), ("ascii",), False, []),
        (("無害化の試験\r\n",), ("utf-8",), False, []),
        (("無害化の試験\r\n",), ("cp932",), False, []),
        (("無害化の試験\r\n",), ("cp932",), True, ["text.encoding"]),
        (("plain words\r\n", "無害化の試験\r\n"), ("ascii", "utf-8"), True, []),
        (("plain words\r\n", "無害化の試験\r\n"), ("ascii", "cp932"), False, []),
        (("無害化の\u202e試験\r\n",), ("utf-8",), False, ["text.bidi_override"]),
    ],
)
def test_a_large_text_is_rebuilt_some_lines_at_a_time(lines: tuple[str, ...], codecs: tuple[str, ...], utf8: bool, codes: list[str]) -> None:
    source = folded(*lines, codecs=codecs)
    given = context("a.txt", Kind.TEXT, size=len(source), text_as_utf8=utf8)
    made = subject.SANITIZER.sanitize(source, given).content
    assert [finding.code for finding in given.findings] == codes
    assert (made is source) == (not codes)
    first, last = lines[0].replace("\u202e", ""), lines[-1].replace("\u202e", "")
    text = made.bytes().decode("utf-8" if utf8 or codecs[-1] == "utf-8" else codecs[-1])
    assert text.startswith(first)
    assert text.endswith(last)
    assert set(text.splitlines()) == {first.strip(), last.strip()}


@pytest.mark.usefixtures("_small")
def test_a_large_text_of_two_encodings_is_seen_whole() -> None:
    """Lines of Shift_JIS below lines of UTF-8: no run by itself could tell."""
    few = folded("無害化の試験です\r\n", "末尾\r\n", codecs=("utf-8", "cp932"), last=1)
    given = context("a.txt", Kind.TEXT, size=len(few))
    made = subject.SANITIZER.sanitize(few, given).content
    assert [finding.code for finding in given.findings] == ["text.undecodable"]
    assert made.bytes().decode().startswith("無害化の試験です\r\n")
    half = folded("無害化の試験です\r\n", "無害化の試験です\r\n", codecs=("utf-8", "cp932"))
    with pytest.raises(Malformed, match="mean nothing"):
        subject.SANITIZER.sanitize(half, context("a.txt", Kind.TEXT, size=len(half)))
