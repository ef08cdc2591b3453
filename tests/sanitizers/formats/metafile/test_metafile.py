"""Metafiles: what is drawn stays; what calls a driver, hides or points outside is gone."""

from __future__ import annotations

import struct
from collections.abc import Callable

import magic
import pytest

from sanitizers.context import Outcome
from sanitizers.formats.metafile import SANITIZER, emf, wmf
from sanitizers.model import Kind, LimitExceeded, Malformed, Reason, Refused, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import metafile as second
from tests.build import image as pictures
from tests.build import metafile as build
from tests.build.context import context, run, sanitize

CANARY = build.CANARY
RED, BLUE = 0x0000FF, 0xFF0000
INFO, ROWS = build.dib(bytes((1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12, 0, 0)), (2, 2))
PICTURE = build.stretch_dib(INFO, ROWS)
CLEAN_EMF = build.emf(
    build.create_brush(1, RED), build.select(1), build.rectangle(10, 10, 60, 60), build.font(2, "ＭＳ ゴシック"), build.select(2),
    build.text((20, 80), "関所 ABC"), build.record(4, build.words(0, 0, 9, 9, 3, 0, 0, 9, 9, 9, 0)), PICTURE,
    build.record(91, build.words(0, 0, 9, 9, 2, 5, 2, 3) + build.shorts(*range(10))), build.record(75, build.words(0, 5)),
    build.record(118, build.words(0, 0, 9, 9, 2, 1, 1) + bytes(32) + build.words(0, 1, 0)),
)  # fmt: skip
CLEAN_WMF = build.wmf(
    build.wmf_record(0x0103, build.shorts(8)), build.wmf_record(0x020C, build.shorts(100, 200)), build.wmf_record(0x02FC, struct.pack("<HIH", 0, RED, 0)),
    build.wmf_record(0x012D, build.shorts(0)), build.wmf_record(0x041B, build.shorts(60, 60, 10, 10)),
    build.wmf_record(0x02FB, build.shorts(-20, 0, 0, 0, 400) + struct.pack("<8B", 0, 0, 0, 128, 0, 0, 0, 0) + "ＭＳ ゴシック\0".encode("cp932").ljust(32, b"\0")),
    build.wmf_record(0x0521, build.shorts(4) + "関所".encode("cp932") + build.shorts(80, 20)),
    build.wmf_record(0x0A32, build.shorts(80, 20, 4, 0) + "関所".encode("cp932") + build.shorts(12, 0, 12, 0)),
    build.wmf_record(0x0324, build.shorts(3, 0, 0, 9, 9, 9, 0)), build.wmf_record(0x0538, build.shorts(2, 2, 3, *range(10))),
    build.wmf_record(0x0F43, struct.pack("<IH", 0xCC0020, 0) + build.shorts(2, 2, 0, 0, 50, 50, 10, 10) + INFO + ROWS),
)  # fmt: skip


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


def content(outcome: Outcome) -> bytes:
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def emf_records(data: bytes) -> list[tuple[int, bytes]]:
    """A walk of the tests' own."""
    found, at = [], struct.unpack_from("<I", data, 4)[0]
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        found.append((kind, data[at + 8 : at + size]))
        at += size
    return found


def wmf_records(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 22 + 18 if data[:4] == b"\xd7\xcd\xc6\x9a" else 18
    while at < len(data):
        size, function = struct.unpack_from("<IH", data, at)
        found.append((function, data[at + 6 : at + 2 * size]))
        at += 2 * size
    return found


@pytest.mark.parametrize(("name", "data"), [("a.emf", CLEAN_EMF), ("a.wmf", CLEAN_WMF), ("b.wmf", build.wmf(placeable=False))])
def test_a_clean_drawing_stays_as_it_is(name: str, data: bytes) -> None:
    outcome = run(data, name)
    output = content(outcome)
    assert codes(outcome) == set()
    assert "metafile" in magic.from_buffer(output).lower()
    walk = emf_records if name.endswith("emf") else wmf_records
    assert [kind for kind, _ in walk(output)] == [kind for kind, _ in walk(data)]
    assert content(run(output, name)) == output


def test_every_field_of_an_emf_is_taken_over() -> None:
    before, after = emf_records(CLEAN_EMF), emf_records(content(run(CLEAN_EMF, "a.emf")))
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new and old[0] not in (82, 81)] == []
    assert "ＭＳ ゴシック".encode("utf-16-le") in dict(after)[82]


def test_every_field_of_a_wmf_is_taken_over() -> None:
    output = content(run(CLEAN_WMF, "a.wmf"))
    assert output[:22] == CLEAN_WMF[:22]
    assert [(old, new) for old, new in zip(wmf_records(CLEAN_WMF), wmf_records(output), strict=True) if old != new and old[0] != 0x0F43] == []


EMF_DANGERS = {
    "comment": ("metafile.comment", build.comment(CANARY)),
    "embedded wmf": ("metafile.comment", build.comment(b"GDIC" + struct.pack("<I", 0x80000001) + CANARY)),
    "embedded eps": ("metafile.comment", build.comment(b"GDIC" + struct.pack("<I", 0x40000004) + b"%!PS" + CANARY)),
    "emf+": ("metafile.emfplus", build.emf_plus(dual=True)),
    "drawescape": ("metafile.escape", build.record(105, struct.pack("<II", 9, 20) + CANARY)),
    "extescape": ("metafile.escape", build.record(106, struct.pack("<II", 9, 20) + CANARY)),
    "namedescape": ("metafile.escape", build.record(110, struct.pack("<III", 9, 4, 20) + CANARY)),
    "opengl": ("metafile.escape", build.record(102, CANARY)),
    "pixel format": ("metafile.escape", build.record(104, CANARY * 3)),
    "profile by name": ("metafile.escape", build.record(113, struct.pack("<III", 0, 40, 0) + "\\\\192.0.2.1\\x".encode("utf-16-le") + CANARY)),
    "colour space": ("metafile.record", build.record(122, struct.pack("<I", 1) + CANARY * 20)),
    "unknown": ("metafile.record", build.record(0x7777, CANARY)),
    "object that is not there": ("metafile.record", build.create_brush(200, RED)),
    "object zero": ("metafile.record", build.create_brush(0, RED)),
    "selected object": ("metafile.record", build.select(0x80000050)),
    "too many points": ("metafile.record", build.record(4, build.words(0, 0, 9, 9, 1000, 0, 0))),
    "points of polygons": ("metafile.record", build.record(8, build.words(0, 0, 9, 9, 2, 5, 2, 4) + bytes(48))),
    "text outside": ("metafile.record", build.record(84, build.words(*[0] * 9, 1000, 76, 0, 0, 0, 0, 0, 0))),
    "region": ("metafile.record", build.record(75, build.words(48, 5, 32, 1, 1000, 16) + bytes(32))),
    "not a number": ("metafile.record", build.record(35, struct.pack("<6f", float("nan"), 0, 0, 1, 0, 0))),
    "vertex": ("metafile.record", build.record(118, build.words(0, 0, 9, 9, 2, 1, 1) + bytes(32) + build.words(0, 7, 0))),
    "bitmap outside": ("metafile.record", build.stretch_dib(INFO, ROWS)[:56] + struct.pack("<I", 1 << 30) + build.stretch_dib(INFO, ROWS)[60:]),
    "bitmap without rows": ("metafile.picture_dropped", build.stretch_dib(*build.dib(ROWS[:4], (2, 2)))),
    "mono brush": ("metafile.picture_dropped", build.record(93, build.words(3, 0, 32, len(INFO), 32 + len(INFO), len(ROWS)) + INFO + ROWS)),
    "logical palette": ("metafile.record", build.record(49, struct.pack("<IHH", 3, 0x300, 900) + CANARY)),
}


@pytest.mark.parametrize("name", EMF_DANGERS)
def test_dangers_of_an_emf_are_gone_and_named(name: str) -> None:
    """I10."""
    code, danger = EMF_DANGERS[name]
    outcome = run(build.emf(danger, build.rectangle(1, 2, 3, 4)), "a.emf")
    output = content(outcome)
    assert code in codes(outcome)
    assert codes(outcome) <= {code, "metafile.record"}
    assert CANARY not in output
    assert [kind for kind, _ in emf_records(output)][-2:] == [43, 14]
    assert content(run(output, "a.emf")) == output


def test_description_slack_and_tail_of_an_emf_are_gone() -> None:
    letters = CANARY.decode()
    data = build.emf(
        build.font(1, "Arial", slack=CANARY.decode().encode("utf-16-le")), build.text((1, 2), "ab", gap=CANARY + b"\0"),
        build.record(27, build.words(1, 2) + CANARY), description=letters, tail=CANARY,
    )  # fmt: skip
    outcome = run(data, "a.emf")
    assert codes(outcome) == {"metafile.metadata", "metafile.trailing_data"}
    assert CANARY not in content(outcome)
    assert letters.encode("utf-16-le") not in content(outcome)


def test_emf_plus_alone_is_held() -> None:
    outcome = run(build.emf(build.emf_plus(dual=False)), "a.emf")
    assert (outcome.content, outcome.report.reason) == (None, Reason.UNSUPPORTED_KIND)


def test_pictures_inside_are_rebuilt_and_keep_their_place() -> None:
    rows = bytes(range(1, 13)) * 2
    top_down = build.dib(rows, (2, -3))
    data = build.emf(build.stretch_dib(*top_down, source=(0, 0, 2, 1)), build.stretch_dib(INFO + CANARY, ROWS))
    outcome = run(data, "a.emf")
    output = content(outcome)
    assert CANARY not in output
    assert [part.output.kind for part in outcome.report.parts if part.output] == [Kind.BMP, Kind.BMP]
    (_, first), _ = [found for found in emf_records(output) if found[0] == 81]
    assert struct.unpack_from("<i", first, 36 - 8)[0] == 2      # row 0 of three from the top is row 2 from the bottom
    offset, length = struct.unpack_from("<II", first, 48)
    shown = pictures.opened(b"BM" + struct.pack("<IHHI", 0, 0, 0, offset - 80 + 14) + first[72:])
    assert shown.size == (2, 3)
    assert (length, shown.getpixel((0, 0))) == (24, (3, 2, 1))


def test_see_through_pictures_keep_their_alpha() -> None:
    rows = bytes((1, 2, 3, 128, 4, 5, 6, 255))
    output = content(run(build.emf(build.alpha_blend(*build.dib(rows, (2, 1), 32), (2, 1))), "a.emf"))
    ((_, body),) = [found for found in emf_records(output) if found[0] == 114]
    assert body.endswith(rows)
    assert struct.unpack_from("<HI", body, 100 + 14) == (32, 0)


WMF_DANGERS = {
    "abort procedure": ("metafile.escape", build.escape(9, CANARY)),
    "comment": ("metafile.comment", build.escape(15, CANARY)),
    "postscript": ("metafile.escape", build.escape(37, b"%!PS" + CANARY)),
    "unknown": ("metafile.record", build.wmf_record(0x0999, CANARY)),
    "too many points": ("metafile.record", build.wmf_record(0x0325, build.shorts(1000, 0, 0))),
    "short": ("metafile.record", build.wmf_record(0x0817, build.shorts(1))),
    "device bitmap": ("metafile.record", build.wmf_record(0x0922, CANARY * 3)),
    "long text": ("metafile.record", build.wmf_record(0x0521, build.shorts(900, 0, 0))),
    "bitmap without rows": ("metafile.picture_dropped", build.wmf_record(0x0F43, struct.pack("<IH", 0xCC0020, 0) + bytes(16) + INFO + ROWS[:2])),
}


@pytest.mark.parametrize("name", WMF_DANGERS)
def test_dangers_of_a_wmf_are_gone_and_named(name: str) -> None:
    """I10."""
    code, danger = WMF_DANGERS[name]
    outcome = run(build.wmf(danger, build.wmf_record(0x041B, build.shorts(1, 2, 3, 4))), "a.wmf")
    output = content(outcome)
    assert code in codes(outcome)
    assert codes(outcome) <= {code, "metafile.record"}
    assert CANARY not in output
    assert [function for function, _ in wmf_records(output)] == [0x041B, 0]
    assert content(run(output, "a.wmf")) == output


@pytest.mark.parametrize(
    "danger",
    [
        build.wmf_record(0x01F9, CANARY * 2),
        build.wmf_record(0x0142, struct.pack("<HH", 3, 0) + CANARY * 2),
        build.wmf_record(0x0142, struct.pack("<HH", 5, 0) + INFO + ROWS[:2]),
        build.wmf_record(0x06FF, build.shorts(0, 6, 0, 0, 0, 900, 0) + CANARY),
        build.wmf_record(0x00F7, build.shorts(0x300, 900) + CANARY),
    ],
)
def test_an_object_that_stays_behind_keeps_its_place(danger: bytes) -> None:
    output = content(run(build.wmf(danger, build.wmf_record(0x041B, build.shorts(1, 2, 3, 4))), "a.wmf"))
    assert wmf_records(output)[0] == (0x02FC, struct.pack("<HIH", 1, 0, 0))
    assert CANARY not in output


def test_a_tail_of_a_wmf_is_gone_and_a_missing_end_is_supplied() -> None:
    outcome = run(build.wmf(tail=CANARY), "a.wmf")
    assert codes(outcome) == {"metafile.trailing_data"}
    assert CANARY not in content(outcome)
    assert wmf_records(content(run(build.wmf(build.wmf_record(0x041B, bytes(8)), end=False), "a.wmf")))[-1] == (0, b"")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.emf", lambda: CLEAN_EMF[: len(CLEAN_EMF) // 2]),
        ("a.emf", lambda: build.emf(struct.pack("<II", 43, 4))),
        ("a.emf", lambda: build.emf(struct.pack("<II", 43, 1 << 31))),
        ("a.emf", lambda: CLEAN_EMF[:60]),
        ("a.wmf", lambda: CLEAN_WMF[: len(CLEAN_WMF) // 2]),
        ("a.wmf", lambda: build.wmf(struct.pack("<IH", 0, 0x041B))),
        ("a.wmf", lambda: CLEAN_WMF[:30]),
    ],
)
def test_broken_drawings_are_refused(name: str, make: Callable[[], bytes]) -> None:
    outcome = run(make(), name)
    assert outcome.content is None
    assert outcome.report.reason in (Reason.MALFORMED, Reason.UNSUPPORTED_KIND)


@pytest.mark.parametrize("data", [CLEAN_EMF, CLEAN_WMF])
def test_damage_at_any_place_is_refused_or_harmless(data: bytes) -> None:
    for at in range(0, len(data), 7):
        broken = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
        try:
            run(broken, "a.emf" if data is CLEAN_EMF else "a.wmf")
        except Refused:
            continue


@pytest.mark.parametrize("name", [name for name, (code, _) in EMF_DANGERS.items() if code in ("metafile.escape", "metafile.comment", "metafile.emfplus")])
def test_the_second_opinion_refuses_what_was_not_cleaned(name: str) -> None:
    data = build.emf(EMF_DANGERS[name][1])
    with pytest.raises(VerificationFailed):
        second.verify(Source(data), Source(data), context(kind=Kind.EMF))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Kind.EMF, build.emf(tail=b"\0\0\0\0")),
        (Kind.EMF, build.emf(description="x")),
        (Kind.WMF, build.wmf(tail=b"\0\0")),
        (Kind.WMF, build.wmf(build.escape(9, b"x"))),
        (Kind.WMF, build.wmf(end=False)),
        (Kind.WMF, build.wmf(build.wmf_record(0x0922, bytes(40)))),
        (Kind.WMF, build.wmf(build.wmf_record(0x0521, b"<script>"))),
    ],
)
def test_the_second_opinion_refuses_what_is_not_ours(kind: Kind, data: bytes) -> None:
    with pytest.raises(VerificationFailed):
        second.verify(Source(data), Source(data), context(kind=kind))


@pytest.mark.parametrize(("place", "value"), [(0, 2), (4, 90), (4, 1 << 30), (40, 0), (44, 0x2_0000)])
def test_a_head_that_is_none_is_refused(place: int, value: int) -> None:
    """Also where something else has said what the file is."""
    made = bytearray(CLEAN_EMF)
    struct.pack_into("<I", made, place, value)
    with pytest.raises(Malformed):
        emf.rebuild(memoryview(bytes(made)), context("a.emf", Kind.EMF))


def test_pixel_format_and_opengl_of_a_head_are_gone() -> None:
    made = bytearray(CLEAN_EMF)
    assert struct.unpack_from("<I", made, 4)[0] >= 100
    struct.pack_into("<III", made, 88, 40, 108, 1)
    assert content(run(bytes(made), "a.emf"))[88:100] == bytes(12)


def test_what_follows_the_name_of_a_font_is_gone() -> None:
    name = b"Arial\0" + CANARY
    font = build.shorts(-20, 0, 0, 0, 400) + struct.pack("<8B", 0, 0, 0, 128, 0, 0, 0, 0) + name[:32].ljust(32, b"\0")
    made = content(run(build.wmf(build.wmf_record(0x02FB, font), build.wmf_record(0x012D, build.shorts(0))), "a.wmf"))
    assert CANARY[:20] not in made
    assert b"Arial\0" in made


def test_a_placeable_head_is_written_anew() -> None:
    made = bytearray(CLEAN_WMF)
    made[4:6], made[16:20], made[20:22] = b"ab", b"cdef", b"\0\0"
    written = content(run(bytes(made), "a.wmf"))
    assert (written[4:6], written[16:20]) == (bytes(2), bytes(4))
    assert written[:22] == content(run(CLEAN_WMF, "a.wmf"))[:22]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (build.emf(*[build.rectangle(0, 0, 9, 9)] * 6), Kind.EMF),
        (build.wmf(*[build.wmf_record(0x041B, build.shorts(9, 9, 0, 0))] * 6), Kind.WMF),
    ],
    ids=["EMF", "WMF"],
)
def test_records_are_counted(data: bytes, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    for family in (emf, wmf):
        monkeypatch.setattr(family, "_MAX_RECORDS", 5)
    with pytest.raises(LimitExceeded, match="more than 5 records"):
        sanitize(SANITIZER, data, kind)


@pytest.mark.parametrize("length", [*range(4, 40, 3), 39])
def test_a_wmf_that_ends_inside_its_headers_is_refused(length: int) -> None:
    with pytest.raises(Malformed, match="ends inside the header"):
        sanitize(SANITIZER, build.wmf()[:length], Kind.WMF)


@pytest.mark.parametrize(
    ("place", "value"), [(0, 3), (0, 0), (2, 8), (2, 10), (4, 0x200)], ids=["kind", "no kind", "shorter", "longer", "version"]
)
def test_a_wmf_with_another_header_is_refused(place: int, value: int) -> None:
    data = bytearray(build.wmf())
    struct.pack_into("<H", data, 22 + place, value)
    with pytest.raises(Malformed, match="header"):
        sanitize(SANITIZER, bytes(data), Kind.WMF)


def test_an_old_header_of_emf_becomes_a_new_one() -> None:
    """Before Windows NT 4 it had neither pixel format nor micrometres, which follow from the millimetres."""
    data = build.emf(build.rectangle(0, 0, 9, 9))
    old = bytearray(data[:88] + data[108:])
    struct.pack_into("<I", old, 4, 88)
    struct.pack_into("<I", old, 48, len(old))
    made = content(run(bytes(old), "a.emf"))
    assert struct.unpack_from("<I", made, 4) == (108,)
    assert struct.unpack_from("<II", made, 100) == (508_000, 286_000)
