"""一太郎: words, looks and styles stay; macros, objects and what hides goes; what contradicts itself is refused, what nobody knows is held."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import olefile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanitizers.formats.jtd import segments
from sanitizers.formats.office import property_sets
from sanitizers.model import Kind, LimitExceeded, Limits, Reason, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import jtd as opinion
from tests.build import jtd as build
from tests.build import xls as build_xls
from tests.build.context import context, run
from tests.build.jtd import document, look, record, store, streams, text, units, words

CANARY = "CANARY-71E4"
RAW = CANARY.encode()
SUMMARY = bytes.fromhex("e0859ff2f94f6810ab9108002b27b3d9").hex()


def seen(data: bytes) -> dict[str, bytes]:
    with olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_INCORRECT) as compound:
        return {"/".join(path): compound.openstream(path).read() for path in compound.listdir()}


def clean(data: bytes) -> dict[str, bytes]:
    """The streams of the result of a document about which there is nothing to tell."""
    outcome = run(data, "文書.jtd")
    assert outcome.content is not None, outcome.report
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert [one.code for one in outcome.report.findings] == ["jtd.values_kept"]
    return seen(outcome.content.bytes())


LINE = record(0x10, 0, 0x24, 1, 1, 0x26, 5, 0, 4, 0, 2, 0, 0xFFFF, 0)
KEPT: dict[str, bytes] = {
    "paragraphs": units("一行目\n二行目\t末尾\n", 0),
    "a head of a line": units(*LINE, "中央\n"),
    "a ruled line": units(*LINE, *record(0x30, 0, 0, 20, 0, 0), "欄", 0x0E, "\n"),
    "ruby": units(*build.ruby("漢字", "かんじ"), "\n"),
    "a context": units(*record(0, 1, 2), *record(0x20, 3), "語"),
    "a page break": units("前", 0x0C, "後"),
    "nothing": b"",
    "more than a block": units("長い文" * 300),
}


@pytest.mark.parametrize("case", KEPT)
def test_words_stay(case: str) -> None:
    given_ = store(text(KEPT[case]))
    made = clean(document(streams(DocumentText=given_)))
    assert opinion.runs(made["DocumentText"]) == opinion.runs(given_)


def test_two_headers_stay() -> None:
    given_ = store(text(units("左")), text(units("右")), numbers=(0, 1))
    assert opinion.runs(clean(document(streams(Header=given_)))["Header"]) == opinion.runs(given_)


def test_looks_stay() -> None:
    content = units("太い字")
    given_ = store(text(content, look(3, {20: b"\x84\0\0\0", 2: b"\x01\xa7"}, before=1)))
    assert opinion.runs(clean(document(streams(DocumentText=given_)))["DocumentText"]) == opinion.runs(given_)


def test_a_text_in_pieces_stays() -> None:
    """A record begins in one and ends in the next."""
    whole = units(*LINE, "語")
    first, second = whole[:10], whole[10:]
    pieces = [part + struct.pack(">BI", 0, len(part) // 2) for part in (first, second)]
    listed = b"QLSTV.01" + struct.pack(">IIIII", 2, 5, 1, len(second) // 2, 2)
    given_ = store(listed, *pieces)
    assert opinion.runs(clean(document(streams(DocumentText=given_)))["DocumentText"]) == opinion.runs(given_)


def test_styles_fonts_and_headers_stay() -> None:
    made = clean(document())
    for name, content in streams().items():
        if name.startswith("Document") and name.endswith("Styles"):
            assert made[name] == content
    assert made["Font"] == build.fonts("ＭＳ 明朝", "Times New Roman")
    assert opinion.runs(made["Header"]) == opinion.runs(words("- ? -"))
    assert [run for _, run in opinion.runs(made["DocumentPeripheralThree"])] == [b"\0\1\0\1", b"\0\7" * 90]


def test_the_table_of_streams_says_the_truth() -> None:
    """一太郎 opens nothing else. Caches of the layout are in it no more."""
    made = clean(document(streams(LineMark=b"1234", PageMark=b"56", PaperMark=b"7")))
    listed = {one.name: one.size for one in segments.read(made[build.TABLE])}
    assert listed == {name: len(content) for name, content in made.items() if name != build.TABLE}
    assert not {"LineMark", "PageMark", "PaperMark"} & made.keys()


def test_a_compressed_document_comes_out_unpacked() -> None:
    outcome = run(build.packed(document()), "文書.jtdc")
    assert outcome.content is not None, outcome.report
    assert outcome.report.output is not None
    assert (outcome.report.output.kind, outcome.report.output.name) == (Kind.JTD, "文書.jtd")
    assert {one.code for one in outcome.report.findings} == {"jtd.unpacked", "jtd.values_kept"}
    assert opinion.runs(seen(outcome.content.bytes())["DocumentText"]) == opinion.runs(words("本文\nつづき"))
    assert RAW not in outcome.content.bytes()


def _with(**beside: bytes) -> bytes:
    return document({**streams(), **beside})


def _beside(name: str, content: bytes = RAW * 9) -> bytes:
    return document({**streams(), name: content})


DANGERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "macros": (lambda: _beside("DocumentMacro/Macros/BaseStorage0/MacrosStream"), "jtd.macro"),
    "macros of another name": (lambda: _beside("DocumentMacro/Macros/Own"), "jtd.macro"),
    "embedded object": (lambda: _beside("Embedding 1/\x01Ole10Native"), "jtd.object"),
    "OLE object": (lambda: _beside("OleItem 1/CONTENTS"), "jtd.object"),
    "related documents": (lambda: _beside("RelatedDocuments"), "file.metadata"),
    "what else is said": (lambda: _beside("\x04JSRV_SummaryInformation"), "file.metadata"),
    "author and path": (lambda: _beside("\x05SummaryInformation", build_xls.properties(SUMMARY, {4: CANARY, 7: f"N:\\{CANARY}"})), "file.metadata"),
}
HIDDEN: dict[str, Callable[[], bytes]] = {
    "L05 slack": lambda: document(slack=RAW),
    "L05 behind the file": lambda: document(tail=RAW * 50),
    "a block that is not full": lambda: document(streams(DocumentText=store(text(units("a")), slack=RAW))),
    "the table of streams": lambda: document(said=build.table(streams(), slack=RAW)),
    "caches of the layout": lambda: _beside("LineMark"),
    "empty macros": lambda: document({**streams(), "DocumentMacro/Macros/BaseStorage0/MacrosStream": b"\0\0", "DocumentMacro/Macros/BaseStorage0/InfoStream": RAW}),
}


@pytest.mark.parametrize("case", [*DANGERS, *HIDDEN])
def test_it_is_gone(case: str) -> None:
    make = DANGERS[case][0] if case in DANGERS else HIDDEN[case]
    data = make()
    assert RAW in data or CANARY.encode("utf-16-le") in data
    outcome = run(data, "x.jtd")
    assert outcome.content is not None, outcome.report
    made = outcome.content.bytes()
    layers = [made, *seen(made).values()]
    assert not any(one in layer for layer in layers for one in (RAW, CANARY.encode("utf-16-le")))
    with olefile.OleFileIO(io.BytesIO(made)) as compound:
        assert compound.listdir(streams=False, storages=True) == []
    codes = {one.code for one in outcome.report.findings} - {"jtd.values_kept"}
    assert codes == ({DANGERS[case][1]} if case in DANGERS else set())
    again = run(made, "x.jtd")
    assert again.report.verdict is Verdict.CLEAN, again.report.findings
    assert again.content is not None
    assert again.content.bytes() == made


def _text(content: bytes, looks: bytes | None = None) -> bytes:
    return document(streams(DocumentText=store(text(content, looks))))


def _store(change: Callable[[bytearray], None]) -> bytes:
    made = bytearray(words("本文"))
    change(made)
    return document(streams(DocumentText=bytes(made)))


def _set(at: int, value: int) -> Callable[[bytearray], None]:
    def change(made: bytearray) -> None:
        struct.pack_into(">I", made, at, value)

    return change


TRUTH = build.table(streams())
REFUSED: dict[str, tuple[Callable[[], bytes], Reason]] = {
    "no text": (lambda: document(streams(DocumentText=None, JSSlip=b"x")), Reason.UNSUPPORTED_KIND),
    "no table of streams": (lambda: document({**streams()}, said=b""), Reason.MALFORMED),
    "a table of another size": (lambda: document(said=TRUTH + b"\0"), Reason.MALFORMED),
    "a size that is not true": (lambda: document(said=TRUTH.replace(struct.pack("<II", 0, len(streams()["Font"])), struct.pack("<II", 0, 7))), Reason.MALFORMED),
    "a stream that is not in the table": (lambda: document(said=build.table(streams(Font=None))), Reason.MALFORMED),
    "another class": (lambda: document(class_id=bytes(16)), Reason.MALFORMED),
    "a stream that nobody knows": (lambda: _beside("FrameName"), Reason.UNSUPPORTED_KIND),
    "a storage that nobody knows": (lambda: _beside("FigureData/1"), Reason.UNSUPPORTED_KIND),
    "sheets": (lambda: _beside("ObjectSheets/DocSheet/DOCS_0001/DocumentText"), Reason.UNSUPPORTED_KIND),
    "no block store": (lambda: document(streams(DocumentText=b"TextV.01" + bytes(40))), Reason.MALFORMED),
    "a store that is cut off": (lambda: document(streams(DocumentText=words("本文")[:-9])), Reason.MALFORMED),
    "bytes behind the directory": (lambda: document(streams(DocumentText=words("本文") + RAW)), Reason.MALFORMED),
    "a block in two runs": (lambda: document(streams(DocumentPeripheralThree=_doubled())), Reason.MALFORMED),
    "a block that is missing": (lambda: _store(_set(20 + 256 + 20, 9)), Reason.MALFORMED),
    "more blocks than there are": (lambda: _store(_set(16, 1 << 30)), Reason.MALFORMED),
    "a length that is not true": (lambda: _store(_set(20 + 256 + 8, 9999)), Reason.MALFORMED),
    "more units than there are": (lambda: _store(_set(28, 1 << 30)), Reason.MALFORMED),
    "a text of another form": (lambda: document(streams(DocumentText=store(b"TextV.02" + bytes(9)))), Reason.UNSUPPORTED_KIND),
    "no runs": (lambda: document(streams(DocumentText=store())), Reason.MALFORMED),
    "a run beside the text": (lambda: document(streams(DocumentText=store(text(units("a")), RAW))), Reason.UNSUPPORTED_KIND),
    "counts beside a header": (lambda: document(streams(Header=store(text(units("a")), b"TCntV.01" + bytes(9)))), Reason.UNSUPPORTED_KIND),
    "looks for too few": (lambda: _text(units("ab"), struct.pack(">BI", 0, 1)), Reason.MALFORMED),
    "looks for too many": (lambda: _text(units("ab"), struct.pack(">BI", 0, 3)), Reason.MALFORMED),
    "a look that nobody knows": (lambda: _text(units("ab"), b"\x07"), Reason.MALFORMED),
    "a property that is too long": (lambda: _text(units("a"), look(1, {2: RAW})), Reason.MALFORMED),
    "a property that nobody knows": (lambda: _text(units("a"), look(1, {200: b"\0"})), Reason.MALFORMED),
    "bytes behind the looks": (lambda: _text(units("a"), struct.pack(">BI", 0, 1) + b"\xff" + RAW), Reason.MALFORMED),
    "a record of another class": (lambda: _text(units(*record(0x40, 1))), Reason.UNSUPPORTED_KIND),
    "a record that ends otherwise": (lambda: _text(units(*record(0x10, 0, 0xFFFF, 0)[:-2], 0x30, 0x1F)), Reason.MALFORMED),
    "a record that is too long": (lambda: _text(units(0x1C, 0x10, 900)), Reason.MALFORMED),
    "a record that is too short": (lambda: _text(units(0x1C, 0x10, 2, 0x1F)), Reason.MALFORMED),
    "a line that goes on": (lambda: _text(units(*record(0x10, 0, 0x24, 99, 1, 0xFFFF, 0))), Reason.MALFORMED),
    "a cell of six": (lambda: _text(units(*record(0x30, 0, 0, 1, 0, 0, 0))), Reason.MALFORMED),
    "words in a record without end": (lambda: _text(units(0x1C, 1, 7, 0, 0, 3, 0x1D, "字")), Reason.MALFORMED),
    "numbers without end": (lambda: _text(units(*record(0, *range(99)))), Reason.MALFORMED),
    "a control that nobody knows": (lambda: _text(units("a", 0x05)), Reason.UNSUPPORTED_KIND),
    "a piece that nobody names": (lambda: document(streams(DocumentText=store(b"QLSTV.01" + bytes(4), b"x"))), Reason.MALFORMED),
    "fonts that are cut off": (lambda: document(streams(Font=build.fonts("明朝")[:-3])), Reason.MALFORMED),
    "bytes behind the fonts": (lambda: document(streams(Font=build.fonts("明朝") + RAW)), Reason.MALFORMED),
    "a name without end": (lambda: document(streams(Font=build.fonts("長" * 99))), Reason.MALFORMED),
    "styles that are cut off": (lambda: document(streams(DocumentEditStyles=build.sections({0: b"abc"})[:-5])), Reason.MALFORMED),
    "styles without end": (lambda: document(streams(DocumentEditStyles=b"\0\1\0\1" + struct.pack(">HIHH", 1, 4, 2, 0))), Reason.MALFORMED),
    "something behind the styles": (lambda: document(streams(DocumentEditStyles=b"\0\1\0\1" + struct.pack(">HIHHHHI", 1, 12, 0xFFFF, 0, 1, 4, 9))), Reason.MALFORMED),
    "compressed in another way": (lambda: build.packed(document(), method=b"-lh1-"), Reason.UNSUPPORTED_KIND),
    "compressed with a wrong sum": (lambda: build.packed(document(), crc=1), Reason.MALFORMED),
    "bytes behind the compressed": (lambda: build.packed(document(), tail=RAW), Reason.MALFORMED),
    "more heads of the compressed": (lambda: build.packed(document(), more=b"\5\0"), Reason.MALFORMED),
    "something beside the compressed": (lambda: build.packed(document(), Payload=RAW), Reason.UNSUPPORTED_KIND),
    "compressed twice": (lambda: build.packed(build.packed(document())), Reason.UNSUPPORTED_KIND),
    "compressed, but no document": (lambda: build.packed(b"MZ" * 900), Reason.MALFORMED),
    "no table at all": (lambda: document().replace("Segment".encode("utf-16-le"), "Segmenx".encode("utf-16-le")), Reason.MALFORMED),
    "two entries of one name": (lambda: document(said=build.table({**streams(), "Font": b"", "FonT": b""}).replace("FonT".encode("utf-16-le"), "Font".encode("utf-16-le"))), Reason.MALFORMED),
    "an entry of another kind": (lambda: document(said=TRUTH[:0x90 + 72] + b"\x09" + TRUTH[0x90 + 73 :]), Reason.MALFORMED),
    "an entry that is too large": (lambda: document(said=TRUTH[:0x90 + 64] + b"\x01" + TRUTH[0x90 + 65 :]), Reason.MALFORMED),
    "a store without head": (lambda: document(streams(DocumentText=b"SsmgV.01")), Reason.MALFORMED),
    "a store of other blocks": (lambda: _store(_set(12, 512)), Reason.MALFORMED),
    "styles without version": (lambda: document(streams(DocumentEditStyles=b"\0\1")), Reason.MALFORMED),
    "a section without head": (lambda: document(streams(DocumentEditStyles=b"\0\1\0\2\x10\0")), Reason.MALFORMED),
    "a style without length": (lambda: document(streams(DocumentEditStyles=b"\0\1\0\2" + struct.pack(">HI", 1, 2) + b"\0\1")), Reason.MALFORMED),
    "a table of fonts of another form": (lambda: document(streams(Font=b"FontV.02\0\0")), Reason.MALFORMED),
    "a list of pieces without number": (lambda: document(streams(DocumentText=store(b"QLSTV.01\0\0"))), Reason.MALFORMED),
    "a list of pieces that is cut off": (lambda: document(streams(DocumentText=store(b"QLSTV.01" + struct.pack(">II", 2, 1)))), Reason.MALFORMED),
    "a piece that is named twice": (lambda: document(streams(DocumentText=store(b"QLSTV.01" + struct.pack(">5I", 2, 0, 1, 0, 1), b""))), Reason.MALFORMED),
    "a piece that is missing": (lambda: document(streams(DocumentText=store(b"QLSTV.01" + struct.pack(">3I", 1, 0, 7)))), Reason.MALFORMED),
    "a text without length": (lambda: document(streams(DocumentText=store(b"TextV.01\0\0"))), Reason.MALFORMED),
    "a record without length": (lambda: _text(units("a", 0x1C, 0x10)), Reason.MALFORMED),
    "words in a record without head": (lambda: _text(units(0x1C, 1, 9, 0, 0, 3, 0x1D, "字")), Reason.MALFORMED),
    "words in a record with a control": (lambda: _text(units(0x1C, 1, 7, 0, 0, 3, 0x1D, 0x05, 0x1E, 5, 0, 1, 0x1F)), Reason.UNSUPPORTED_KIND),
    "no compressed document": (lambda: document({"JSCompDocument": b"x" * 90}), Reason.MALFORMED),
}  # fmt: skip


def _doubled() -> bytes:
    made = bytearray(store(b"\0" * 9, b"\1" * 9))
    struct.pack_into(">I", made, 20 + 512 + 20, 0)
    struct.pack_into(">I", made, 20 + 512 + 44, 0)
    return bytes(made)


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_judged_is_not_delivered(case: str) -> None:
    make, reason = REFUSED[case]
    outcome = run(make(), "x.jtd")
    assert outcome.content is None
    assert outcome.report.reason is reason, outcome.report.findings


def test_what_is_unpacked_is_counted() -> None:
    with pytest.raises(LimitExceeded):
        run(build.packed(document()), "x.jtdc", limits=Limits(expanded_bytes=20_000, expansion_floor=0, expansion_ratio=1))


def test_values_that_nobody_can_judge_have_a_limit() -> None:
    with pytest.raises(LimitExceeded):
        run(document(streams(DocumentEditStyles=build.sections({tag: bytes(60_000) for tag in range(20)}))), "x.jtd")


@pytest.mark.parametrize("name", ["DocumentEditStyles", "DocumentPeripheralThree"])
def test_values_that_nobody_can_judge_end_somewhere(name: str) -> None:
    with pytest.raises(LimitExceeded):
        run(document(streams(**{name: store(bytes(1 << 20))})), "x.jtd")


def test_what_a_document_is_called_stays_and_who_wrote_it_goes() -> None:
    said = {2: "題", 3: "件名", 5: "自治体機密性２"}
    given_ = {**streams(), "\x05SummaryInformation": build_xls.properties(SUMMARY, {**said, 4: CANARY})}
    outcome = run(document(given_), "文書.jtd")
    assert outcome.content is not None, outcome.report
    assert [(one.code, one.detail) for one in outcome.report.findings if one.code != "jtd.values_kept"] == [("file.metadata", "author")]
    (kept,) = property_sets.read(seen(outcome.content.bytes())["\x05SummaryInformation"])
    assert (kept.values, RAW in outcome.content.bytes()) == (said, False)
    assert run(outcome.content.bytes(), "文書.jtd").report.verdict is Verdict.CLEAN


OPINIONS: dict[str, Callable[[], bytes]] = {
    "another stream": lambda: _beside("Payload"),
    "a storage": lambda: _beside("DocumentMacro/x"),
    "a table that says something else": lambda: document(said=build.table(streams(Font=None))),
    "other words": lambda: document(streams(DocumentText=words("別の文"))),
    "no text": lambda: document(streams(DocumentText=None)),
    "no compound file": lambda: b"\xd0\xcf\x11\xe0" * 200,
}


@pytest.mark.parametrize("case", OPINIONS)
def test_the_second_opinion_refuses(case: str) -> None:
    original = Source(document())
    opinion.verify(original, original, context())
    with pytest.raises(VerificationFailed):
        opinion.verify(Source(OPINIONS[case]()), original, context())


RICH = streams(DocumentText=store(text(units(*LINE, *record(0x30, 0, 0, 20, 0, 0), *build.ruby("漢", "かん"), "語", 0x0E), None)))


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(RICH)), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=5))
def test_any_changed_bytes_end_well(name: str, changes: list[tuple[int, int]]) -> None:
    """Delivered or refused; anything else is raised."""
    made = bytearray(RICH[name])
    for at, value in changes:
        made[at % len(made)] = value
    outcome = run(document({**RICH, name: bytes(made)}), "x.jtd")
    assert (outcome.content is None) == (outcome.report.reason is not None)
    assert outcome.report.reason in (None, Reason.MALFORMED, Reason.UNSUPPORTED_KIND)
