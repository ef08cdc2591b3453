"""一太郎 with frames and what else nobody knows: held, or the text alone by policy, as whole as ever, with a word about what stays behind."""

from __future__ import annotations

import struct

import pytest

from sanitizers.context import Outcome
from sanitizers.model import Kind, Reason, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import old_words
from tests.build import jtd as build
from tests.build.cfb import compound
from tests.build.context import context, run
from tests.build.jtd import document, record, store, streams, units, words

CANARY = "CANARY-71E4"
FRAMES = {**streams(DocumentText=words("本文\nつづき")), "LayoutBox": CANARY.encode()}


def body(*pieces: str | int) -> bytes:
    return document({**streams(DocumentText=store(build.text(units(*pieces)))), "LayoutBox": b"x"})


def text(data: bytes, name: str = "文書.jtd", **treatment: object) -> tuple[str, Outcome]:
    outcome = run(data, name, **({"unrebuilt_as_text": True} | treatment))
    assert outcome.content is not None, outcome.report
    assert outcome.report.output is not None
    assert (outcome.report.output.kind, outcome.report.output.name) == (Kind.TEXT, "文書.txt")
    return outcome.content.bytes().decode(), outcome


def found(outcome: Outcome) -> set[tuple[str, str]]:
    return {(one.code, one.where) for one in outcome.report.findings}


def test_it_is_held_where_policy_says_nothing() -> None:
    outcome = run(document(FRAMES), "文書.jtd")
    assert (outcome.report.verdict, outcome.report.reason) == (Verdict.HELD, Reason.UNSUPPORTED_KIND)


def test_a_document_that_can_be_rebuilt_is_rebuilt() -> None:
    outcome = run(document(streams()), "文書.jtd", unrebuilt_as_text=True)
    assert outcome.report.output is not None
    assert outcome.report.output.kind is Kind.JTD


def test_the_text_goes_out_and_what_stays_behind_is_said() -> None:
    said, outcome = text(document(FRAMES))
    assert said == "本文\r\nつづき\r\n\r\n［ヘッダー・フッター］\r\n- ? -\r\n"
    assert found(outcome) == {("jtd.as_text", ""), ("jtd.part_left", "LayoutBox")}
    assert run(said.encode(), "文書.txt", unrebuilt_as_text=True).report.verdict is Verdict.CLEAN


def test_notes_cells_and_ruby_are_words_too() -> None:
    given = streams(
        DocumentText=store(build.text(units("甲", *record(0x30, 0, 0, 20, 0, 0), "乙", 0x0E, *build.ruby("漢字", "かんじ"), 0x0C, "丙", 0))),
        Footnote=words("注"), Header=store(),
    )  # fmt: skip
    assert text(document({**given, "Frame": b"x"}))[0] == "甲\t乙\r\n漢字かんじ\r\n丙\r\n\r\n［脚注］\r\n注\r\n"


def test_macros_and_objects_and_what_is_said_about_it_stay_behind() -> None:
    beside = {"DocumentMacro/Macros/Own": CANARY.encode(), "Embedding 1/\x01Ole10Native": b"x", "\x04JSRV_SummaryInformation": b"x", "LineMark": b"x"}
    said, outcome = text(document({**FRAMES, **beside}))
    assert CANARY not in said
    assert found(outcome) == {
        ("jtd.as_text", ""), ("jtd.part_left", "LayoutBox"), ("jtd.macro", "DocumentMacro"), ("jtd.object", "Embedding 1"),
        ("file.metadata", "\x04JSRV_SummaryInformation"),
    }  # fmt: skip


def test_what_was_said_before_it_became_text_is_said_once() -> None:
    """Macros and objects are found on the way to a document, and again on the way to its text."""
    beside = {"DocumentMacro/Macros/Own": CANARY.encode(), "DocumentMacro/Macros/More": b"x", "Embedding 1/\x01Ole10Native": b"x", "\x04JSRV_SummaryInformation": b"x"}
    for given in (document({**FRAMES, **beside}), document({**streams(DocumentText=store(build.text(units(*record(0x77, 1), "後")))), **beside})):
        _, outcome = text(given)
        said = [one.code for one in outcome.report.findings]
        assert sorted(said) == ["file.metadata", "jtd.as_text", "jtd.macro", "jtd.object", "jtd.part_left"]


def test_a_record_that_nobody_knows_stays_behind_if_it_says_how_long_it_is() -> None:
    hidden = struct.unpack(">4H", units("秘密の枠"))
    said, outcome = text(body("前", *record(0x77, *hidden), "後"))
    assert said.startswith("前後\r\n")
    assert ("jtd.part_left", "record 0077") in found(outcome)


def test_records_of_very_many_classes_are_counted() -> None:
    """A hundred are named: a report is for people."""
    said, outcome = text(body("前", *(unit for kind in range(0x100, 0x100 + 150) for unit in record(kind, 1) * 2), "後"))
    assert said.startswith("前後\r\n")
    left = {one.where: one.detail for one in outcome.report.findings if one.code == "jtd.part_left" and one.where.startswith("record")}
    assert (len(left), left["record 0100"], left["records"]) == (101, "2", "50 more classes")


def test_a_compressed_document_is_unpacked_first() -> None:
    said, outcome = text(build.packed(document(FRAMES)))
    assert said.startswith("本文\r\nつづき")
    assert ("jtd.unpacked", "") in found(outcome)


HELD = {
    "an unknown control": (body("前", 0x05, "後"), Reason.UNSUPPORTED_KIND),
    "a record that contradicts itself": (body("前", 0x1C, 0x77, 9, 1, 2, 8, 0, 0x77, 0x1F), Reason.MALFORMED),
    "looks that do not cover the text": (document({**FRAMES, "DocumentText": store(build.text(units("ab"), b"\0\0\0\0\x01"))}), Reason.MALFORMED),
    "a table of other sizes": (document(FRAMES, said=build.table({**FRAMES, "DocumentText": b"x"})), Reason.MALFORMED),
    "no text": (document({**FRAMES, "DocumentText": store()}), Reason.MALFORMED),
    "something else than text": (document({**FRAMES, "DocumentText": store(b"Other.01" + bytes(9))}), Reason.UNSUPPORTED_KIND),
    "no table": (compound({**FRAMES}), Reason.MALFORMED),
    "a text whose name is written otherwise": (document({**streams(DocumentText=None), "DOCUMENTTEXT": words("本文")}), Reason.MALFORMED),
}


@pytest.mark.parametrize("case", HELD)
def test_what_cannot_be_proven_is_held_all_the_same(case: str) -> None:
    outcome = run(HELD[case][0], "文書.jtd", unrebuilt_as_text=True)
    assert (outcome.content, outcome.report.reason) == (None, HELD[case][1]), outcome.report.findings


def test_the_second_opinion_finds_letters_that_are_new_and_those_that_are_lost() -> None:
    given = Source(body("本文", *record(0x10, 0, 0xFFFF, 0), *build.ruby("漢", "かん"), "末"))
    told = context("a.jtd", Kind.JTD)
    head = "［ヘッダー・フッター］"
    old_words.compare(f"本文漢かん末{head}", given, told)
    with pytest.raises(VerificationFailed, match="letters that the document"):
        old_words.compare(f"本文漢かん末山{head}", given, told)
    with pytest.raises(VerificationFailed, match="are lost"):
        old_words.compare(f"本文漢かん{head}", given, told)
    with pytest.raises(VerificationFailed, match="olefile"):
        old_words.compare("本文", Source(document({"DocumentText": b"x" * 9})), told)
    pieces = store(b"QLSTV.01" + struct.pack(">IIIII", 2, 1, 2, 1, 1), units("乙"), units("甲"))
    old_words.compare("甲乙", Source(document({"DocumentText": pieces})), told)
    with pytest.raises(VerificationFailed, match="are lost"):
        old_words.compare("甲", Source(document({"DocumentText": pieces})), told)
    old_words.compare("何でも", Source(build.packed(document(FRAMES))), told)
