"""Broken, locked and too large documents: refused with a reason; what is locked opens with its password."""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Callable

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msoffcrypto.method.xor_obfuscation import DocumentXOR

from sanitizers.formats import doc
from sanitizers.formats.doc.fib import Part
from sanitizers.formats.office import masks
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed, Reason, Refused, Unsupported, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import doc as opinion
from tests.build import doc as build
from tests.build.cfb import compound
from tests.build.context import run, sanitize
from tests.build.doc import SPECIAL, Run, cell, field, para, row, sprm

HEAD = 898      # bytes of the head that the builder writes


def _files(*more: build.Para, **options: object) -> dict[str, bytes]:
    return build.files([para("本文"), *more], {}, {}, **options)  # type: ignore[arg-type]


def _with(name: str, at: int, new: bytes) -> Callable[[], bytes]:
    def make() -> bytes:
        made = _files()
        return compound({**made, name: made[name][:at] + new + made[name][at + len(new) :]})

    return make


def _place(which: Part) -> int:
    """Of the pair in the head that says where a part is."""
    return 154 + 8 * which


def _part(which: Part, data: bytes) -> Callable[[], bytes]:
    return lambda: build.document(para("本文"), parts={which: data})


def _pieces(places: list[int], at: int = 1024) -> bytes:
    table = build.plc(places, [struct.pack("<HIH", 0, at, 0)] * (len(places) - 1))
    return b"\x02" + struct.pack("<I", len(table)) + table


BROKEN: dict[str, tuple[Callable[[], bytes], Reason]] = {
    "no stream": (lambda: compound({"WordDocument": b""}), Reason.MALFORMED),
    "no table": (lambda: compound({"WordDocument": _files()["WordDocument"]}), Reason.MALFORMED),
    "the other table": (lambda: compound({"WordDocument": _files()["WordDocument"], "0Table": _files()["1Table"]}), Reason.MALFORMED),
    "rubbish": (lambda: compound({"WordDocument": bytes(range(256)) * 20, "1Table": b""}), Reason.MALFORMED),
    "a head that is cut off": (lambda: compound({**_files(), "WordDocument": _files()["WordDocument"][:600]}), Reason.MALFORMED),
    "Word 95": (_with("WordDocument", 2, b"\x68\0"), Reason.UNSUPPORTED_KIND),
    "Word 6": (_with("WordDocument", 0, b"\xdc\xa5\x65\0"), Reason.UNSUPPORTED_KIND),
    "less than no characters": (_with("WordDocument", 76, struct.pack("<i", -5)), Reason.MALFORMED),
    "more characters than pieces": (_with("WordDocument", 76, struct.pack("<i", 5000)), Reason.MALFORMED),
    "a part outside of the table": (_with("WordDocument", _place(Part.STYLES), struct.pack("<I", 1 << 30)), Reason.MALFORMED),
    "no pieces": (_part(Part.PIECES, b""), Reason.MALFORMED),
    "pieces that are cut off": (_part(Part.PIECES, _pieces([0, 3])[:-2]), Reason.MALFORMED),
    "pieces that fall": (_part(Part.PIECES, _pieces([0, 9, 3])), Reason.MALFORMED),
    "pieces that begin later": (_part(Part.PIECES, _pieces([1, 3])), Reason.MALFORMED),
    "a piece outside of the stream": (_part(Part.PIECES, _pieces([0, 3], 1 << 20)), Reason.MALFORMED),
    "a page of looks outside": (_part(Part.CHARACTER_PAGES, build.plc([0, 9], [struct.pack("<I", 9999)])), Reason.MALFORMED),
    "looks that overlap": (
        _part(Part.PARAGRAPH_PAGES, build.plc([0, 9, 9], [struct.pack("<I", 4)] * 2)), Reason.MALFORMED),
    "styles that are cut off": (_part(Part.STYLES, b"\x12\0\1\0\x0a\0" + bytes(8)), Reason.MALFORMED),
    "a style that is cut off": (_part(Part.STYLES, b"\4\0\1\0\x0a\0\2\0\0\0"), Reason.MALFORMED),
    "no styles": (_part(Part.STYLES, b""), Reason.MALFORMED),
    "lists that are cut off": (_part(Part.LISTS, b"\x09\0" + bytes(20)), Reason.MALFORMED),
    "sections that fall": (_part(Part.SECTIONS, build.plc([0, 9, 3], [bytes(12)] * 2)), Reason.MALFORMED),
    "a section outside": (_part(Part.SECTIONS, build.plc([0, 3], [struct.pack("<HIHI", 0, 1 << 20, 0, 0)])), Reason.MALFORMED),
    "a list of places of a broken length": (_part(Part.SECTIONS, bytes(19)), Reason.MALFORMED),
    "a row without cells": (lambda: build.document(cell("甲"), row(0, 1000)._replace(grpprl=sprm(0x2416, 1) + sprm(0x2417, 1) + sprm(0xD608, b"\x05"))),
                            Reason.MALFORMED),
    "a head that counts nothing": (_with("WordDocument", 62, b"\5\0"), Reason.MALFORMED),
    "styles without number": (_part(Part.STYLES, struct.pack("<H9H", 18, 5000, 10, *[0] * 7)), Reason.MALFORMED),
    "styles without head": (_part(Part.STYLES, struct.pack("<H9H", 18, 1, 2, *[0] * 7)), Reason.MALFORMED),
    "lists in use that are cut off": (lambda: build.document(para("本文"), parts={Part.LISTS: b"\0\0", Part.LIST_OVERRIDES: b"\x09\0\0\0"}), Reason.MALFORMED),
    "more sections than a document can have": (_part(Part.SECTIONS, build.plc([0] * 16_386, [struct.pack("<HIHI", 0, 0xFFFFFFFF, 0, 0)] * 16_385)), Reason.MALFORMED),
    "a mask without its password": (_with("WordDocument", 10, struct.pack("<H", 0x8300)), Reason.ENCRYPTED),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_documents_are_refused(case: str) -> None:
    make, reason = BROKEN[case]
    outcome = run(make(), "x.doc")
    assert outcome.content is None
    assert outcome.report.reason is reason, outcome.report.findings


@pytest.mark.parametrize(("data", "refusal"), [(b"\xdb\xa5\x2d\0" + bytes(600), Unsupported), (compound({"Other": b"x"}), Malformed)], ids=["Word 2", "another document"])
def test_what_is_no_document_inside_is_refused(data: bytes, refusal: type[Refused]) -> None:
    """Whatever it was taken for."""
    with pytest.raises(refusal):
        sanitize(doc.SANITIZER, data, Kind.DOC)


def test_a_section_that_says_nothing_of_itself() -> None:
    assert run(build.document(para("本文"), parts={Part.SECTIONS: build.plc([0, 3], [struct.pack("<HIHI", 0, 0xFFFFFFFF, 0, 0)])}), "x.doc").content is not None


def _everything() -> dict[str, bytes]:
    """A little of all that a document has."""
    item = struct.pack("<H", 1) + bytes(28)
    mark = Run("\x02", SPECIAL)
    return build.files(
        [para("本文", mark, *field(" PAGE ", "1")), cell("甲"), row(0, 3000, 6000), para("絵", Run("\x01", SPECIAL + sprm(0x6A03, 0)), mark=chr(12)), para("終")],
        {"footnotes": [para(mark, "脚注")], "headers": [para("頭"), para()], "comments": [para("意見")], "text_boxes": [para("枠"), para()]},
        {
            Part.FOOTNOTE_REFERENCES: build.plc([2, 20], [b"\1\0"]), Part.FOOTNOTE_TEXTS: build.plc([0, 4, 5]),
            Part.COMMENT_REFERENCES: build.plc([1, 20], [item]), Part.COMMENT_TEXTS: build.plc([0, 3, 4]),
            Part.HEADERS: build.plc([0] * 8 + [3] * 6), Part.TEXT_BOXES: build.plc([0, 2, 3], [bytes(22)] * 2),
            Part.BOOKMARK_NAMES: build.strings("印"), Part.BOOKMARK_STARTS: build.plc([1, 5], [bytes(4)]), Part.BOOKMARK_ENDS: build.plc([2, 5]),
        },
        (b"", b""), (17,),
    )  # fmt: skip


EVERYTHING = _everything()


def test_a_little_of_everything_is_delivered() -> None:
    assert run(compound(EVERYTHING), "x.doc").content is not None


@pytest.mark.parametrize("name", sorted(EVERYTHING))
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=8), cut=st.integers(0, 4000))
def test_whatever_is_broken_ends_well(name: str, changes: list[tuple[int, int]], cut: int) -> None:
    """Delivered or refused; anything else is raised."""
    data = bytearray(EVERYTHING[name])
    for at, value in changes:
        data[at % min(len(data), HEAD if value % 2 else len(data))] = value
    if cut < 100:
        del data[len(data) - 8 * cut :]
    with contextlib.suppress(LimitExceeded):
        outcome = run(compound({**EVERYTHING, name: bytes(data)}), "x.doc")
        assert (outcome.content is None) == (outcome.report.reason is not None)


def test_a_header_behind_the_text_is_empty() -> None:
    """Found by fuzzing."""
    places = build.plc([*[0] * 7, 5000, 9000, *[9000] * 5])
    assert run(build.document(para("本文"), parts={Part.HEADERS: places}), "x.doc").content is not None


def test_styles_that_stand_on_each_other_without_end() -> None:
    styles = {n: build.style(f"s{n}", based=n + 1) for n in range(1500)}
    assert run(build.document(para("本文", style=3), styles=styles), "x.doc").content is not None


def test_fields_that_are_nested_without_end() -> None:
    many = para(*[Run("\x13", SPECIAL)] * 300, *[Run("\x15", SPECIAL)] * 300)
    with pytest.raises(LimitExceeded):
        run(build.document(many), "x.doc")


def test_cells_are_counted() -> None:
    rows = [one for _ in range(60) for one in (cell("甲"), cell("乙"), row(0, 1000, 2000))]
    with pytest.raises(LimitExceeded):
        run(build.document(*rows, para()), "x.doc", limits=Limits(cells=100))


def test_tables_that_are_nested_without_end() -> None:
    with pytest.raises(LimitExceeded):
        run(build.document(para("本文", grpprl=sprm(0x2416, 1) + sprm(0x6649, 500))), "x.doc")


def test_one_piece_a_thousand_times_is_too_much() -> None:
    places = [3 * n for n in range(1001)]
    with pytest.raises(LimitExceeded):
        run(build.document(para("本文"), parts={Part.PIECES: _pieces(places)}), "x.doc", limits=Limits(expansion_floor=4096, expansion_ratio=0))


def test_a_text_that_is_longer_than_its_stream_may_be() -> None:
    """Said before anything is put together."""
    with pytest.raises(LimitExceeded):
        run(_part(Part.PIECES, _pieces([0, 9_000_000]))(), "x.doc")


def test_the_second_opinion_counts_letters() -> None:
    source = Source(build.document(para("この文章は十文字", *field(" PAGE ", "二"))))
    whole = {"word/document.xml": '<w:t>この文章は</w:t><w:delText xml:space="preserve">十文字二</w:delText>'.encode()}
    opinion.compare(whole, source, deleted_kept=True)
    for text in ("<w:t>この文章は十文</w:t>", "", "<w:instrText>この文章は十文字二</w:instrText>"):
        with pytest.raises(VerificationFailed):
            opinion.compare({"word/document.xml": text.encode()}, source, deleted_kept=True)


@pytest.mark.parametrize("crypto_api", [False, True])
def test_it_needs_its_password(crypto_api: bool) -> None:
    given_ = compound(build.locked({**_files(), "Data": bytes(600)}, "春", crypto_api=crypto_api))
    assert run(given_, "x.doc").report.reason is Reason.ENCRYPTED
    assert run(given_, "x.doc", passwords=("夏",)).report.reason is Reason.ENCRYPTED
    outcome = run(given_, "x.doc", passwords=("夏", "春"))
    assert outcome.content is not None, outcome.report.findings
    assert {finding.code for finding in outcome.report.findings} == {"file.decrypted"}
    assert docx.Document(io.BytesIO(outcome.content.bytes())).paragraphs[0].text == "本文"


def _masked(password: bytes) -> bytes:
    """By the other library's tables."""
    mask = bytes(DocumentXOR.create_xor_array_method1(password.decode("latin-1")))
    key = DocumentXOR.create_xor_key_method1(password.decode("latin-1")) << 16 | masks.verifier(password) & 0xFFFF

    def under(stream: bytes) -> bytes:
        return bytes(byte ^ mask[at % 16] or byte if byte else 0 for at, byte in enumerate(stream))

    made = _files()
    main = made["WordDocument"]
    head = main[:10] + struct.pack("<HHI", struct.unpack_from("<H", main, 10)[0] | 0x8100, 0, key)
    return compound({"WordDocument": head + main[18:68] + under(main)[68:], "1Table": under(made["1Table"]), "Data": under(bytes(range(256)))})


@pytest.mark.parametrize(("password", "stored"), [("openme", b"openme"), ("Aä", "Aä".encode("latin-1")), ("春", b"\x25"), ("ab" * 9, b"ab" * 7 + b"a")])
def test_a_mask_opens_with_its_password(password: str, stored: bytes) -> None:
    given_ = _masked(stored)
    assert run(given_, "x.doc", passwords=("夏", "wrong")).report.reason is Reason.ENCRYPTED
    outcome = run(given_, "x.doc", passwords=("夏", password))
    assert outcome.content is not None, outcome.report.findings
    assert {finding.code for finding in outcome.report.findings} == {"file.decrypted"}
    assert docx.Document(io.BytesIO(outcome.content.bytes())).paragraphs[0].text == "本文"


def test_passwords_are_spelled_in_two_ways() -> None:
    assert [*masks.spellings("春a")] == [b"\x25a", "春a".encode("cp932")]
    assert DocumentXOR.verifypw("openme", masks.verifier(b"openme") & 0xFFFF)
    assert masks.verifier(b"") == 0xCE4B


@pytest.mark.parametrize("size", [512, 41])
def test_keys_of_unusual_sizes_are_refused(size: int) -> None:
    header = struct.pack("<8I", 4, 0, 0x6801, 0x8004, size, 1, 0, 0) + "x\0".encode("utf-16-le")
    said = struct.pack("<HHII", 2, 2, 4, len(header)) + header + struct.pack("<I", 16) + bytes(32) + struct.pack("<I", 20) + bytes(20)
    made = build.locked(_files(), "春")
    main = made["WordDocument"][:14] + struct.pack("<I", len(said)) + made["WordDocument"][18:]
    outcome = run(compound({"WordDocument": main, "1Table": said + made["1Table"][len(said) :]}), "x.doc", passwords=("a",))
    assert outcome.report.reason is Reason.MALFORMED


@pytest.mark.parametrize("said", [b"", b"\1\0\1\0", b"\2\0\2\0" + bytes(40), b"\3\0\2\0" + b"\xff" * 60, b"\4\0\4\0" + bytes(60)])
def test_broken_encryption_is_held(said: bytes) -> None:
    made = build.locked(_files(), "春")
    main = made["WordDocument"][:14] + struct.pack("<I", len(said)) + made["WordDocument"][18:]
    outcome = run(compound({"WordDocument": main, "1Table": said + made["1Table"][len(said) :]}), "x.doc", passwords=("a",))
    assert outcome.report.reason in (Reason.MALFORMED, Reason.ENCRYPTED)
