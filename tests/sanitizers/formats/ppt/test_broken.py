"""Broken, locked and too large presentations: refused with a reason; what is locked opens with its password; no bytes make it fall."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import olefile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanitizers.model import LimitExceeded, Limits, Reason, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import ppt as opinion
from tests.build import ppt as build
from tests.build.cfb import compound
from tests.build.context import context, run
from tests.build.image import png_with
from tests.build.ppt import box, click, link, objects, record, shape, slide, sound, style, words


def _streams(document: bytes, user: bytes) -> bytes:
    return compound({"PowerPoint Document": document, "Current User": user})


def _whole(*, user: Callable[[int], bytes] = build.current_user) -> bytes:
    made, given_ = build.stream(build.document(1), build.master(), slide())
    return _streams(made, user(struct.unpack_from("<I", given_, 16)[0]))


def _parts(*parts: bytes) -> bytes:
    return _streams(*build.stream(*parts))


def _edit(before: int = 0, directory: int | None = None) -> bytes:
    """A last revision that says where the one before it lies."""
    made, _ = build.stream(build.document(1), build.master(), slide())
    at = len(made)
    listed = struct.unpack_from("<I", made, at - 16)[0] if directory is None else directory
    edit = struct.pack("<IHBBIIIIHH", 256, 0, 0, 3, at if before < 0 else before, listed, 1, 3, 1, 0)
    return _streams(made + record(0x0FF5, edit), build.current_user(at))


def _directory(content: bytes) -> bytes:
    listed = record(0x1772, content)
    edit = record(0x0FF5, struct.pack("<IHBBIIIIHH", 256, 0, 0, 3, 0, 0, 1, 3, 1, 0))
    return _streams(listed + edit, build.current_user(len(listed)))


BROKEN: dict[str, tuple[Callable[[], bytes], Reason]] = {
    "no user": (lambda: compound({"PowerPoint Document": b""}), Reason.UNSUPPORTED_KIND),
    "empty user": (lambda: _streams(b"", b""), Reason.MALFORMED),
    "user of another kind": (lambda: _whole(user=lambda at: record(0x0FF5, bytes(30))), Reason.MALFORMED),
    "user of no kind": (lambda: _whole(user=lambda at: build.current_user(at, token=7)), Reason.MALFORMED),
    "PowerPoint 95": (lambda: _whole(user=lambda at: build.current_user(at, version=0x0300)), Reason.UNSUPPORTED_KIND),
    "no revision": (lambda: _whole(user=lambda at: build.current_user(0)), Reason.MALFORMED),
    "revision behind the end": (lambda: _whole(user=lambda at: build.current_user(at + 9999)), Reason.MALFORMED),
    "revisions in a loop": (lambda: _edit(before=-1), Reason.MALFORMED),
    "revision of nothing": (lambda: _edit(before=8), Reason.MALFORMED),
    "no directory": (lambda: _edit(directory=0), Reason.MALFORMED),
    "directory that is cut off": (lambda: _directory(struct.pack("<I", 3 << 20 | 1)), Reason.MALFORMED),
    "directory of nothing": (lambda: _directory(bytes(8)), Reason.MALFORMED),
    "no parts": (lambda: _directory(b""), Reason.MALFORMED),
    "part that is cut off": (lambda: _directory(struct.pack("<II", 1 << 20 | 1, 9999)), Reason.MALFORMED),
    "no document": (lambda: _parts(slide(), build.master(), slide()), Reason.MALFORMED),
    "empty document": (lambda: _parts(box(0x03E8)), Reason.MALFORMED),
    "document of one record": (lambda: _parts(box(0x03E8, record(0x03EA))), Reason.MALFORMED),
    "slide that is missing": (lambda: _parts(build.document(2), build.master(), slide()), Reason.MALFORMED),
    "slide that is a master": (lambda: _parts(build.document(1), build.master(), build.master()), Reason.MALFORMED),
    "slide without a head": (lambda: _parts(build.document(1), build.master(), box(0x03EE, build.drawing())), Reason.MALFORMED),
    "slide that is shown twice": (lambda: build.presentation(texts=(record(0x03F3, struct.pack("<IIiII", 3, 4, 0, 999, 0)),)), Reason.MALFORMED),
    "slide that is a page of notes": (
        lambda: build.presentation(more=(box(0x0FF0, record(0x03F3, struct.pack("<IIiII", 3, 0, 0, 999, 0)), instance=2),)), Reason.MALFORMED
    ),
    "entry that is too short": (lambda: build.presentation(texts=(record(0x03F3, bytes(8)),)), Reason.MALFORMED),
    "font that is too short": (lambda: build.presentation(first=build.environment(box(0x07D5, record(0x0FB7, b"")))), Reason.MALFORMED),
    "two lists of slides": (lambda: build.presentation(more=(box(0x0FF0),)), Reason.MALFORMED),
    "slides in one place": (lambda: _directory_of_one_slide(20), Reason.MALFORMED),
    "directories in each other": (lambda: _nested_directories(50), Reason.MALFORMED),
    "pictures in each other": (lambda: build.presentation(pictures=_nested_pictures(30)), Reason.MALFORMED),
    "container as an atom": (lambda: build.presentation(slide(record(0x0FD9, record(0x0FDA, bytes(4))))), Reason.MALFORMED),
    "record that is cut off": (lambda: build.presentation(slide(box(0x1388, b"\0\0\0"))), Reason.MALFORMED),
    "record longer than its container": (lambda: build.presentation(slide(box(0x1388, struct.pack("<HHI", 0, 9, 99)))), Reason.MALFORMED),
}  # fmt: skip


def _directory_of_one_slide(slides: int) -> bytes:
    """Many numbers of one part: each reading would be cheap to write and dear to do."""
    first = build.document(slides)
    made = first + build.master() + slide()
    offsets = [0, len(first), *[len(first) + len(build.master())] * slides]
    listed = record(0x1772, struct.pack(f"<I{len(offsets)}I", len(offsets) << 20 | 1, *offsets))
    edit = record(0x0FF5, struct.pack("<IHBBIIIIHH", 256, 0, 0, 3, 0, len(made), 1, len(offsets), 1, 0))
    return _streams(made + listed + edit, build.current_user(len(made) + len(listed)))


def _nested_directories(count: int) -> bytes:
    """Each revision's directory holds the directory of the one before."""
    made, user = build.stream(build.document(1), build.master(), slide())
    before = struct.unpack_from("<I", user, 16)[0]
    inside = struct.pack("<II", 1 << 20 | 99, 7)
    starts: list[int] = []
    for _ in range(count):
        inside = struct.pack("<II", 1 << 20 | 98, 7) + struct.pack("<I", (2 + len(inside) // 4) << 20 | 1) + record(0x1772, inside)
    start = len(made) + 8
    made += record(0x1772, inside)
    starts = [start + 12 * number + 8 * number - 8 for number in range(count)]
    for at in starts:
        edit = record(0x0FF5, struct.pack("<IHBBIIIIHH", 256, 0, 0, 3, before, at, 1, 99, 1, 0))
        before = len(made)
        made += edit
    return _streams(made, build.current_user(before))


def _nested_pictures(count: int) -> tuple[bytes, bytes]:
    inside = b""
    for _ in range(count):
        inside = build.blip(inside + bytes(200))
    entries = [record(0xF007, struct.pack("<BB16sHIIIBBBB", 6, 6, bytes(16), 0xFF, 9, 1, 25 * number, 0, 0, 0, 0), 2, 6) for number in range(count)]
    return box(0xF001, *entries, instance=count), inside


@pytest.mark.parametrize("case", BROKEN)
def test_broken_presentations_are_refused(case: str) -> None:
    make, reason = BROKEN[case]
    outcome = run(make(), "x.ppt")
    assert outcome.content is None
    assert outcome.report.reason is reason, outcome.report.findings


def test_nothing_is_wrong_with_the_whole_one() -> None:
    """What the broken ones are made of."""
    assert run(_whole(), "x.ppt").report.verdict is Verdict.CLEAN


def test_groups_are_not_nested_without_end() -> None:
    group = shape(words("深"))
    for _ in range(100):
        group = box(0xF003, group)
    with pytest.raises(LimitExceeded):
        run(build.presentation(slide(shapes=(group,))), "x.ppt")


def test_slides_are_counted() -> None:
    with pytest.raises(LimitExceeded):
        run(build.presentation(*[slide()] * 12), "x.ppt", limits=Limits(pages=11))


def test_many_revisions_take_one_reading() -> None:
    made, user = build.stream(build.document(1), build.master(), slide(), revisions=500)
    assert run(_streams(made, user), "x.ppt").report.verdict is Verdict.CLEAN


def test_it_needs_its_password() -> None:
    pictures = build.store(build.blip(png_with()))
    locked = build.locked("春", slide(shapes=(shape(properties=((0x4104, 1),)), shape(words("極秘の題名")))), pictures=pictures)
    assert run(locked, "x.ppt").report.reason is Reason.ENCRYPTED
    assert run(locked, "x.ppt", passwords=("夏",)).report.reason is Reason.ENCRYPTED
    outcome = run(locked, "x.ppt", passwords=("夏", "春"))
    assert outcome.content is not None, outcome.report
    assert {one.code for one in outcome.report.findings} == {"file.decrypted"}
    assert [part.verdict for part in outcome.report.parts] == [Verdict.CLEAN]
    with olefile.OleFileIO(io.BytesIO(outcome.content.bytes())) as made:
        assert "極秘の題名".encode("utf-16-le") in made.openstream("PowerPoint Document").read()
    assert run(outcome.content.bytes(), "x.ppt").report.verdict is Verdict.CLEAN


def test_the_password_that_powerpoint_uses_unasked() -> None:
    assert run(build.locked("/01Hannes Ruescher/01"), "x.ppt").content is not None


@pytest.mark.parametrize("said", [b"", b"\2\0", b"\2\0\2\0", b"\2\0\2\0" + bytes(40), b"\2\0\2\0" + b"\xff" * 60, b"\4\0\4\0" + bytes(60)])
def test_broken_encryption_is_held(said: bytes) -> None:
    made, user = build.stream(build.document(1), build.master(), slide(), box(0x2F14, said), lock=4)
    assert run(_streams(made, user), "x.ppt", passwords=("a",)).report.reason in (Reason.MALFORMED, Reason.ENCRYPTED)


def test_encryption_without_its_session_is_held() -> None:
    made, user = build.stream(build.document(1), build.master(), slide(), lock=3)
    assert run(_streams(made, user), "x.ppt").report.reason is Reason.MALFORMED


def _bad(*slides: bytes, first: bytes = b"", revisions: int = 1, **streams: bytes) -> Source:
    """Written as if by the sanitizer, which would never write such a thing."""
    parts = slides or (slide(),)
    made, user = build.stream(build.document(len(parts), first=first), build.master(), *parts, revisions=revisions)
    return Source(compound({"PowerPoint Document": made, "Current User": user, **streams}))


OPINIONS: dict[str, Callable[[], Source]] = {
    "another stream": lambda: _bad(Payload=b"x"),
    "a storage": lambda: Source(compound({"PowerPoint Document": b"", "Current User": b"", "ObjectPool/x": b""})),
    "no stream": lambda: Source(compound({"Current User": b""})),
    "another record": lambda: _bad(slide(record(0x7777))),
    "a container in place of a number": lambda: _bad(slide(box(0x03F9))),
    "a macro by a click": lambda: _bad(slide(shapes=(shape(words("題名"), build.data(click(sound(action=1)))),))),
    "a link of another scheme": lambda: _bad(first=objects(link(1, "javascript:x"))),
    "a path": lambda: _bad(first=objects(link(1, "\\\\192.0.2.1\\x"))),
    "something in a tag": lambda: _bad(slide(build.tag("___PPT9", record(0x7777)))),
    "a picture of another kind": lambda: _bad(Pictures=record(0xF01C)),
    "bytes in the pictures": lambda: _bad(Pictures=b"1234"),
    "two revisions": lambda: _bad(revisions=2),
    "a lost slide": lambda: Source(build.presentation(slide(), slide())),
    "other words": lambda: Source(build.presentation(slide(title="別の題名"))),
    "no compound file": lambda: Source(b"\xd0\xcf\x11\xe0" * 200),
}  # fmt: skip


@pytest.mark.parametrize("case", OPINIONS)
def test_the_second_opinion_refuses(case: str) -> None:
    original = Source(build.presentation(slide()))
    opinion.verify(original, original, context())
    opinion.verify(_bad(), original, context())
    with pytest.raises(VerificationFailed):
        opinion.verify(OPINIONS[case](), original, context())


RICH = build.stream(
    build.document(1, first=objects(link(5, "https://www.example.jp/"), build.embedded(1, 4)), pictures=box(0xF001, record(0xF007, bytes(28) + b"\xff" * 4 + bytes(4), 2), instance=1)),
    build.master(),
    slide(
        build.tag("___PPT10", box(0xF144, record(0xF127, bytes(32)), record(0xF142, b"\3a\0\0\0"), instance=1)),
        shapes=(
            shape(build.data(click(sound(5, 4, 0, 8))), words("文字", style(2, struct.pack("<IH", 0x800, 1)), record(0x0FA6, struct.pack("<IH", 2, 3)))),
            shape(properties=((0x145, struct.pack("<HHH2h", 1, 1, 4, 5, 6)), (0x380, "名\0".encode("utf-16-le")))),
        ),
    ),
)


@pytest.mark.parametrize("length", range(0, len(RICH[0]), 41))
def test_every_cut_is_refused(length: int) -> None:
    outcome = run(_streams(RICH[0][:length], RICH[1]), "x.ppt")
    assert outcome.content is None
    assert outcome.report.reason is Reason.MALFORMED


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, len(RICH[0]) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_changed_bytes_end_well(changes: list[tuple[int, int]]) -> None:
    """Delivered or refused; anything else is raised."""
    made = bytearray(RICH[0])
    for at, value in changes:
        made[at] = value
    try:
        outcome = run(_streams(bytes(made), RICH[1]), "x.ppt")
    except LimitExceeded:
        return
    assert (outcome.content is None) == (outcome.report.reason is not None)
    held = [one.detail for one in outcome.report.findings if one.code == "file.verification_failed"]
    assert held in ([], ["words are lost"]), held
