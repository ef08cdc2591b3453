"""Word 6 and 95: held, or the text alone by policy, proven from the head, the pieces and the character set; what stays behind is said."""

from __future__ import annotations

import struct

import pytest

from sanitizers.context import Outcome
from sanitizers.formats.doc.fib import Part
from sanitizers.model import Action, Kind, LimitExceeded, Reason, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import old_words
from tests.build import doc_older as build
from tests.build.cfb import compound
from tests.build.context import context, run
from tests.build.doc_older import DELETED, ROW_END, document

CANARY = "CANARY-71E4"


def text(data: bytes, name: str = "古い文書.doc", **treatment: object) -> tuple[str, Outcome]:
    outcome = run(data, name, **({"unrebuilt_as_text": True} | treatment))
    assert outcome.content is not None, outcome.report
    assert outcome.report.output is not None
    assert (outcome.report.output.kind, outcome.report.output.name) == (Kind.TEXT, "古い文書.txt")
    return outcome.content.bytes().decode(), outcome


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.report.findings]


def test_it_is_held_where_policy_says_nothing() -> None:
    outcome = run(document("本文\r"), "古い文書.doc")
    assert (outcome.report.verdict, outcome.report.reason) == (Verdict.HELD, Reason.UNSUPPORTED_KIND)


def test_the_text_of_a_clean_document_goes_out_with_one_word_about_it() -> None:
    said, outcome = text(document("第１条　本文\r\x0b改行\x0c次頁\x1e\x1f\r"))
    assert said == "第１条　本文\r\n\r\n改行\r\n次頁-\r\n"
    assert [(one.code, one.action) for one in outcome.report.findings] == [("doc.as_text", Action.REWRITTEN)]
    assert outcome.report.verdict is Verdict.SANITIZED


def test_twice_is_once() -> None:
    said, _ = text(document("本文\r"))
    again = run(said.encode(), "古い文書.txt", unrebuilt_as_text=True)
    assert again.report.verdict is Verdict.CLEAN
    assert again.content is not None
    assert again.content.bytes().decode() == said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "日本語ｶﾅ①"),
        ({"language": 0x0409, "characters": 128}, "日本語"),
        ({"language": 0x0409, "codec": "cp1252"}, "naïve “text”"),
        ({"language": 0x0409, "characters": 0x100, "codec": "mac_roman"}, "naïve “text”"),
        ({"language": 0x0419, "characters": 204, "codec": "cp1251"}, "текст"),
        ({"language": 0x0804, "codec": "cp936"}, "中文"),
        ({"wide": True}, "Wide 日本語①ひらがな"),
        ({"version": 101}, "Word 6"),
    ],
)
def test_the_set_of_the_characters_is_told_by_the_head(options: dict[str, object], said: str) -> None:
    assert text(document(f"{said}\r", **options))[0] == f"{said}\r\n"    # type: ignore[arg-type]


SEVERAL = {Part.FONTS: build.fonts(("Times New Roman", 0), ("MS Mincho", 128))}


@pytest.mark.parametrize(
    "data",
    [
        document("漢字\r", language=0x0409, parts=SEVERAL),
        document("abc\r", language=0x0409, characters=77),
        document("abc\r", characters=0x100),
        document("abc\r", language=0x0409, wide=True),
        document("abc\r", wide=True, cuts=(2,)),
        document("ｶﾅ\r", wide=True),
        document("\u3042\u3044\r", codec="utf-16-le", flags=0x1000, counts={"main": 3}),
        document("é\r", codec="mac_roman"),
        document("\u3042\r", wide=True, codec="euc_jp"),
        document("abc\r", flags=0x0100),
    ],
    ids=["several sets", "unknown set", "Macintosh", "wide western", "wide in pieces", "wide kana", "UTF-16", "no such character", "a pair that is two letters", "locked"],
)
def test_what_two_readers_could_read_otherwise_is_held(data: bytes) -> None:
    outcome = run(data, "古い文書.doc", unrebuilt_as_text=True)
    assert (outcome.content, outcome.report.reason) == (None, Reason.UNSUPPORTED_KIND)


def test_fonts_of_other_sets_do_not_matter_to_plain_letters() -> None:
    assert text(document("plain\r", language=0x0409, parts=SEVERAL))[0] == "plain\r\n"


def test_pieces_in_any_order_are_one_text() -> None:
    assert text(document("一二三四五六七八九十\r", cuts=(4, 10, 16)))[0] == "一二三四五六七八九十\r\n"


def test_all_stories_come_along_but_that_of_macros() -> None:
    stories = {
        "footnotes": "\x02 脚注文\r", "headers": "頭\r", "macros": f"{CANARY}\r", "comments": "\x05私見\r", "endnotes": "末\r",
        "text_boxes": "箱\r", "header_text_boxes": "上箱\r",
    }  # fmt: skip
    said, outcome = text(document("本文\x02\r", stories=stories))
    assert said.split("\r\n\r\n") == [
        "本文＊", "［脚注］\r\n＊ 脚注文", "［ヘッダー・フッター］\r\n頭", "［コメント］\r\n私見", "［文末脚注］\r\n末", "［テキストボックス］\r\n箱",
        "［ヘッダーのテキストボックス］\r\n上箱\r\n",
    ]  # fmt: skip
    assert "doc.macro" in codes(outcome)


def test_comments_stay_behind_where_policy_wants_none() -> None:
    said, outcome = text(document("本文\r", stories={"comments": f"{CANARY}\r"}), comments_kept=False)
    assert CANARY not in said
    assert "doc.comments" in codes(outcome)


def test_what_fields_are_told_stays_behind_and_what_they_showed_stays() -> None:
    ruby = '\x13EQ \\* jc2 \\* "Font:ＭＳ 明朝" \\* hps10 \\o\\ad(\\s\\up 9(かん),漢)\x15'
    said, outcome = text(document(f"甲\x13 PAGE \x147\x15乙\x13 DDEAUTO {CANARY} x \x14結果\x15{ruby}\x13MACROBUTTON {CANARY} 押す\x15\r"))
    assert said == "甲7乙結果漢（かん）押す\r\n"
    assert sorted(codes(outcome)) == ["doc.as_text", "doc.dde", "doc.macro"]


def test_what_was_deleted_stays_behind() -> None:
    data = "前消した部分後\r"
    said, outcome = text(document(data, looks=[(0, 2, b""), (2, 12, DELETED), (12, 15, b"\x55\x01")]))
    assert said == "前後\r\n"
    assert "doc.comments" in codes(outcome)


def test_what_was_deleted_in_several_pieces_and_said_twice() -> None:
    """Each letter is counted once, in whatever piece it lies."""
    data = "前一二三四後\r"
    looks = [(0, 2, b""), (2, 4, DELETED), (4, 8, b""), (8, 10, DELETED), (10, 13, b"")]
    said, outcome = text(document(data, cuts=(6,), looks=looks[:3]))
    assert said == "前二三四後\r\n"
    assert "doc.comments" in codes(outcome)
    stream = build.stream(data, looks=looks)
    start, size = struct.unpack_from("<II", stream, 0x58 + 8 * Part.CHARACTER_PAGES)
    first, last, number = struct.unpack("<IIH", stream[start : start + size])
    twice = struct.pack("<IIIHH", first, last, last, number, number)
    again = _placed(stream, Part.CHARACTER_PAGES, len(stream), len(twice)) + twice
    assert text(compound({"WordDocument": again}))[0] == "前二三後\r\n"


def test_cells_are_divided_by_tabs_and_rows_by_lines() -> None:
    table = "甲\x07\x07\x07乙\x07丙\x07\x07後\r"
    rows = [(0, 4, b""), (4, 5, ROW_END), (5, 11, b""), (11, 12, b"\x05\x01" + ROW_END), (12, 15, b"\x05\x01")]
    assert text(document(table, paragraphs=rows))[0] == "甲\r\n乙\t丙\r\n後\r\n"
    ragged = [(0, 3, b""), (3, 4, b"\x19\x00"), (4, 5, ROW_END), (5, 15, b"\x63\x01\x19\x01")]
    assert text(document(table, paragraphs=ragged))[0] == "甲\r\n乙\t丙\t\t後\r\n"
    assert text(document("甲\x07乙\x07\x07丙\x07丁\x07\x07\r"))[0] == "甲\t乙\r\n丙\t丁\r\n", "without looks two marks end a row"


def test_pictures_macros_and_what_lies_beside_are_said() -> None:
    beside = {"Macros/VBA/x": CANARY.encode(), "ObjectPool/_1/x": b"x", "Odd": b"x", "\x05SummaryInformation": b"x"}
    said, outcome = text(document("図\x01と\x08\r", streams=beside, parts={Part.COMMANDS: b"\xff\x01\x02"}))
    assert said == "図と\r\n"
    found = {(one.code, one.where) for one in outcome.report.findings}
    assert {
        ("doc.macro", "Macros"), ("doc.macro", "commands"), ("doc.object", "ObjectPool"), ("doc.unknown_stream", "Odd"), ("doc.picture_left", ""),
        ("file.metadata", "SummaryInformation"),
    } <= found  # fmt: skip


def _placed(main: bytes, which: Part, start: int, size: int) -> bytes:
    """A head that says of a part that it lies elsewhere."""
    at = 0x58 + 8 * which
    return main[:at] + struct.pack("<II", start, size) + main[at + 8 :]


BROKEN = {
    "more characters than text": document("abc\r", counts={"main": 5}),
    "less than none": document("abc\r", counts={"main": -1 & 0xFFFFFFFF}),
    "pieces that are not all": document("abc\r", cuts=(2,), counts={"main": 9}),
    "no pieces": document("abc\r", flags=0x0004),
    "pieces cut off": document("abc\r", cuts=(2,), parts={Part.FONTS: b""}).replace(b"\x02\x1c\0\0\0", b"\x02\x1d\0\0\0"),
    "a page outside": document("abc\r", parts={Part.CHARACTER_PAGES: struct.pack("<IIH", 0, 9, 99)}),
    "too many pages": document("abc\r", parts={Part.PARAGRAPH_PAGES: struct.pack("<I", 0) * 100}),
    "a page too full": document("abc\r" + "x" * 600, parts={Part.PARAGRAPH_PAGES: struct.pack("<IIH", 0, 9, 2)}),
    "a field that never ends": document("\x13 PAGE\r"),
    "pieces of no whole number": document("abc\r", flags=0x0004, parts={Part.PIECES: b"\x02\x0f\0\0\0" + bytes(15)}),
    "no piece": document("abc\r", flags=0x0004, parts={Part.PIECES: b"\x02\x04\0\0\0" + bytes(4)}),
    "a part outside": compound({"WordDocument": _placed(build.stream("abc\r"), Part.CHARACTER_PAGES, 9000, 9)}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_contradicts_itself_is_refused(case: str) -> None:
    outcome = run(BROKEN[case], "古い文書.doc", unrebuilt_as_text=True)
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED), outcome.report.findings


def test_pieces_that_repeat_the_text_are_too_much() -> None:
    main = bytearray(build.stream("x" * 3000 + "\r", cuts=(1500,)))
    count = 20_000
    table = struct.pack(f"<{count + 1}I", *range(0, 3000 * (count + 1), 3000)) + struct.pack("<HIH", 0, 1024, 0) * count
    clx = b"\x02" + struct.pack("<I", len(table)) + table
    struct.pack_into("<II", main, 0x160, len(main), len(clx))
    with pytest.raises(LimitExceeded, match="repeat"):
        run(compound({"WordDocument": bytes(main) + clx}), "古い文書.doc", unrebuilt_as_text=True)


def test_the_second_opinion_finds_letters_that_are_new_and_those_that_are_lost() -> None:
    data = Source(document("本文の一行\x13 PAGE \x147\x15\r", stories={"footnotes": "脚の注\r"}))
    told = context("a.doc", Kind.DOC)
    old_words.compare("本文の一行7\r\n\r\n［脚注］\r\n脚の注\r\n", data, told)
    with pytest.raises(VerificationFailed, match="1 letters that the document"):
        old_words.compare("本文の一行7山", data, told)
    with pytest.raises(VerificationFailed, match="1 of 6 letters are lost"):
        old_words.compare("本文の一行", data, told)
    told.found("doc.comments")
    old_words.compare("本文の一行", data, told)
    with pytest.raises(VerificationFailed, match="olefile"):
        old_words.compare("本文", Source(b"x"), told)
    for other in (document("本文\r", wide=True), document("本文\r", cuts=(2,)), document("本文\r", characters=128)):
        old_words.compare("本文", Source(other), context("a.doc", Kind.DOC))
        with pytest.raises(VerificationFailed, match="lost"):
            old_words.compare("本", Source(other), context("a.doc", Kind.DOC))
