"""Records that say less or more than they may: each is left behind and said, and everything around it stays; what nobody needs goes without a word."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import olefile
import pytest

from sanitizers.formats.ppt import persist, records
from sanitizers.model import Action, LimitExceeded, Reason, Verdict
from tests.build import ppt as build
from tests.build.cfb import compound
from tests.build.context import run
from tests.build.image import png_with
from tests.build.ppt import box, click, data, options, record, shape, slide, sound, string, words


def _shown(*inside: bytes) -> bytes:
    return build.presentation(slide(shapes=(shape(words("題名")), shape(*inside, number=1027))))


def _said(*inside: bytes) -> bytes:
    """In a text of two characters."""
    return _shown(words("文字", *inside))


def _with(*inside: bytes) -> bytes:
    return build.presentation(slide(*inside))


def _environment(*inside: bytes) -> bytes:
    return build.presentation(more=(box(0x03F2, *inside),))


def _store(*entries: bytes) -> bytes:
    return build.presentation(pictures=(box(0xF001, *entries, instance=len(entries)), b""))


def _animated(*inside: bytes) -> bytes:
    return _with(build.tag("___PPT10", box(0xF144, record(0xF127, bytes(32)), *inside, instance=1)))


def _run(count: int, mask: int, *fields: int) -> bytes:
    return struct.pack(f"<II{len(fields)}H", count, mask, *fields)


TABS = 0x0010_0000
MASTER_9 = record(0x0FAD, struct.pack("<H", 1) + struct.pack("<IHI", 0x0080_0000, 3, 0), 0, 1)
BROKEN: dict[str, Callable[[], bytes]] = {
    "numbers of shapes": lambda: build.presentation(pictures=(record(0xF006, bytes(9)), b"")),
    "how the show runs": lambda: build.presentation(more=(record(0x0401, bytes(9), 1),)),
    "slides of a show": lambda: build.presentation(more=(box(0x0410, box(0x0411, string("短い版"), record(0x0412, bytes(5)))),)),
    "a list of nobody knows what": lambda: build.presentation(more=(box(0x0FF0, instance=7),)),
    "how a slide comes": lambda: _with(record(0x03F9, bytes(15))),
    "a container of another place": lambda: _with(box(0x0FD9, record(0x0FDA, bytes(4)), instance=9)),
    "a shape": lambda: _shown(record(0xF00A, bytes(7), 2, 1)),
    "a shape of no kind": lambda: _shown(record(0xF00A, bytes(8), 2, 999)),
    "an animation": lambda: _shown(data(box(0x1014, record(0x0FF1, bytes(27), 1)))),
    "what an animation moves": lambda: _animated(box(0xF13C, record(0x2AFB, bytes(19)))),
    "words of an animation": lambda: _animated(box(0xF131, record(0xF142, b""))),
    "an action": lambda: _shown(data(click(record(0x0FF3, bytes(15))))),
    "a jump to nowhere": lambda: _shown(data(click(sound(jump=9)))),
    "an action that nobody knows": lambda: _shown(data(click(sound(action=9)))),
    "the characters of a link": lambda: _said(click(sound(jump=1)), record(0x0FDF, bytes(7))),
    "more properties than there are": lambda: _shown(record(0xF122, bytes(5), 3, 1)),
    "points without number": lambda: _shown(options((0x145, b"\1\0"), kind=0xF122)),
    "points of no size": lambda: _shown(options((0x145, struct.pack("<HHHI", 1, 1, 3, 0)), kind=0xF122)),
    "fewer points than said": lambda: _shown(options((0x145, struct.pack("<HHHI", 9, 9, 4, 0)), kind=0xF122)),
    "half a character": lambda: _shown(options((0x380, b"abc"), kind=0xF122)),
    "too many tabs": lambda: _said(record(0x0FA6, struct.pack("<IH", 4, 1001) + bytes(4004))),
    "tabs that are cut off": lambda: _said(record(0x0FA6, struct.pack("<IHI", 4, 2, 0))),
    "too many tabs of a paragraph": lambda: _said(record(0x0FA1, struct.pack("<IHIH", 3, 0, TABS, 1001) + bytes(4004) + _run(3, 0))),
    "levels": lambda: _said(record(0x0FA2, bytes(7))),
    "languages": lambda: _said(record(0x0FAA, struct.pack("<II", 2, 2))),
    "languages of all texts": lambda: _environment(record(0x0FA9, struct.pack("<I", 6) + b"\x11\4")),
    "characters of all texts": lambda: _environment(record(0x0FA4, struct.pack("<I", 0x20000))),
    "paragraphs of all texts": lambda: _environment(record(0x0FA5, struct.pack("<HI", 0, 0x8000_0000))),
    "formats of too many levels": lambda: _environment(record(0x0FA3, struct.pack("<H", 9), 0, 1)),
    "formats of a text that nobody knows": lambda: _environment(record(0x0FA3, struct.pack("<H", 0), 0, 9)),
    "formats that are cut off": lambda: _environment(record(0x0FA3, struct.pack("<HI", 1, 0), 0, 1)),
    "numbers before paragraphs": lambda: _shown(data(build.tag("___PPT9", record(0x0FAC, struct.pack("<I", 0x0080_0000))))),
    "the format of a date": lambda: _said(record(0x1015, bytes(131))),
    "an entry of the table of pictures": lambda: _store(record(0xF007, bytes(35), 2)),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_record_that_cannot_be_read_is_left_and_said(case: str) -> None:
    outcome = run(BROKEN[case](), "x.ppt")
    assert outcome.content is not None, outcome.report.findings
    assert [(one.code, one.action) for one in outcome.report.findings] == [("ppt.broken_record", Action.REMOVED)]
    assert "題名".encode("utf-16-le") in _document(outcome.content.bytes())
    again = run(outcome.content.bytes(), "x.ppt")
    assert again.report.verdict is Verdict.CLEAN, again.report.findings


def test_words_that_end_within_a_letter_are_held() -> None:
    """They cannot be read, and they may not be lost."""
    outcome = run(_shown(box(0xF00D, record(0x0F9F, bytes(4)), record(0x0FA0, b"abc"))), "x.ppt")
    assert (outcome.content, outcome.report.reason) == (None, Reason.VERIFICATION_FAILED)


def _document(made: bytes) -> bytes:
    with olefile.OleFileIO(io.BytesIO(made)) as opened:
        found: bytes = opened.openstream("PowerPoint Document").read()
        return found


KEPT: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "languages of all texts": (lambda: _environment(record(0x0FA9, struct.pack("<IHH", 6, 0x0411, 0x0409))), record(0x0FA9, struct.pack("<IHH", 6, 0x0411, 0x0409))),
    "languages beside what is told of words": (
        lambda: _said(record(0x0FAA, struct.pack("<IIHI2I", 2, 0x202, 0x0411, 2, 7, 8))), record(0x0FAA, struct.pack("<IIH", 2, 2, 0x0411))),
    "characters of all texts": (lambda: _environment(record(0x0FA4, struct.pack("<IH", 0x20000, 24))), record(0x0FA4, struct.pack("<IH", 0x20000, 24))),
    "paragraphs of all texts": (lambda: _environment(record(0x0FA5, struct.pack("<HIH", 0, 0x800, 1))), record(0x0FA5, struct.pack("<HIH", 0, 0x800, 1))),
    "formats of levels that say their number": (
        lambda: _environment(record(0x0FA3, struct.pack("<HHII", 1, 0, 0, 0), 0, 5)), record(0x0FA3, struct.pack("<HHII", 1, 0, 0, 0), 0, 5)),
    "numbers of a master": (lambda: _with(build.tag("___PPT9", MASTER_9)), MASTER_9),
    "tabs of a paragraph": (
        lambda: _said(record(0x0FA1, struct.pack("<IHIHI", 3, 0, TABS, 1, 576) + _run(3, 0))), struct.pack("<IHIHI", 3, 0, TABS, 1, 576)),
}  # fmt: skip


@pytest.mark.parametrize("case", KEPT)
def test_formats_of_many_texts_stay(case: str) -> None:
    make, wanted = KEPT[case]
    outcome = run(make(), "x.ppt")
    assert outcome.content is not None, outcome.report.findings
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert wanted in _document(outcome.content.bytes())


QUIET: dict[str, tuple[Callable[[], bytes], int]] = {
    "a click that does nothing": (lambda: _shown(data(click(sound(action=0)))), 0x0FF2),
    "colours of a menu": (lambda: _with(box(0x040C, box(0xF002, record(0xF118, bytes(16))))), 0xF118),
    "points of no line": (lambda: _shown(options((0x145, b""), (0x180, 0), kind=0xF122)), 0x0145),
}


@pytest.mark.parametrize("case", QUIET)
def test_what_nobody_misses_goes_without_a_word(case: str) -> None:
    make, kind = QUIET[case]
    outcome = run(make(), "x.ppt")
    assert outcome.content is not None, outcome.report.findings
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert struct.pack("<H", kind) not in _document(outcome.content.bytes())


def test_a_second_head_of_a_document_is_refused() -> None:
    outcome = run(build.presentation(more=(record(0x03E9, bytes(9), 1),)), "x.ppt")
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)


def _pictures(given: bytes, codes: tuple[str, ...] = ()) -> bytes:
    outcome = run(given, "x.ppt")
    assert outcome.content is not None, outcome.report.findings
    assert tuple(one.code for one in outcome.report.findings) == codes
    with olefile.OleFileIO(io.BytesIO(outcome.content.bytes())) as opened:
        found: bytes = opened.openstream("Pictures").read()
        return found


def test_pictures_that_lie_in_their_table() -> None:
    """A picture in place of its entry, and one behind its entry and its name; both come to lie in the stream."""
    picture = build.blip(png_with())
    entry = struct.pack("<BB16sHIIIBBBB", 6, 6, bytes(16), 0xFF, len(picture), 1, 0, 0, 4, 0, 0) + b"a\0\0\0" + picture
    made = _pictures(_store(picture, record(0xF007, entry, 2, 6)))
    assert made.count(b"\x89PNG\r\n\x1a\n") == 2


def test_a_picture_outside_of_the_stream_is_replaced() -> None:
    entry = record(0xF007, struct.pack("<BB16sHIIIBBBB", 6, 6, bytes(16), 0xFF, 99, 1, 5000, 0, 0, 0, 0), 2, 6)
    assert b"\x89PNG\r\n\x1a\n" in _pictures(build.presentation(pictures=(box(0xF001, entry, instance=1), b"\0" * 90)), ("ppt.picture_replaced",))


def test_pictures_are_counted() -> None:
    empty = record(0xF007, bytes(28) + b"\xff" * 4 + bytes(4), 2)
    with pytest.raises(LimitExceeded):
        run(build.presentation(pictures=(box(0xF001, *[empty] * 4096), b"")), "x.ppt")


def test_records_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before more of them are held than the limit allows."""
    monkeypatch.setattr(records, "_MOST", 40)
    assert len(records.children(record(0x03EA) * 40)) == 40
    with pytest.raises(LimitExceeded):
        run(_with(*[record(0x03F9, bytes(16))] * 41), "x.ppt")


def test_parts_have_no_more_numbers_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persist, "_MOST_IDS", 3)
    outcome = run(build.presentation(), "x.ppt")
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)


def _streams(document: bytes, user: bytes, pictures: bytes = b"") -> bytes:
    return compound({"PowerPoint Document": document, "Current User": user, **({"Pictures": pictures} if pictures else {})})


def test_two_revisions_with_one_directory_are_refused() -> None:
    made, user = build.stream(build.document(1), build.master(), slide())
    first = struct.unpack_from("<I", user, 16)[0]
    listed = struct.unpack_from("<I", made, first + 8 + 12)[0]
    edit = record(0x0FF5, struct.pack("<IHBBIIIIHH", 256, 0, 0, 3, first, listed, 1, 3, 1, 0))
    outcome = run(_streams(made + edit, build.current_user(len(made))), "x.ppt")
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)


def _moved(given: bytes, number: int, offset: int) -> bytes:
    """A locked presentation whose directory says that a part lies elsewhere."""
    with olefile.OleFileIO(io.BytesIO(given)) as opened:
        document, user = (bytearray(opened.openstream(name).read()) for name in ("PowerPoint Document", "Current User"))
    edit = struct.unpack_from("<I", user, 16)[0]
    directory = struct.unpack_from("<I", document, edit + 8 + 12)[0]
    struct.pack_into("<I", document, directory + 8 + 4 * number, offset)
    return _streams(bytes(document), bytes(user))


@pytest.mark.parametrize(("number", "offset"), [(2, 4), (3, 90_000)], ids=["in another part", "behind the stream"])
def test_locked_parts_that_cannot_be_right_are_refused(number: int, offset: int) -> None:
    outcome = run(_moved(build.locked("春"), number, offset), "x.ppt", passwords=("春",))
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)


def test_a_locked_part_that_is_cut_off_is_refused() -> None:
    """Under the key of another number its head says another size."""
    given = build.locked("春")
    with olefile.OleFileIO(io.BytesIO(given)) as opened:
        document, user = (bytearray(opened.openstream(name).read()) for name in ("PowerPoint Document", "Current User"))
    document[4:8] = b"\x55\xaa\x55\xaa"
    outcome = run(_streams(bytes(document), bytes(user)), "x.ppt", passwords=("春",))
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)


@pytest.mark.parametrize("size", [512, 41])
def test_keys_of_unusual_sizes_are_refused(size: int) -> None:
    header = struct.pack("<8I", 4, 0, 0x6801, 0x8004, size, 1, 0, 0) + "x\0".encode("utf-16-le")
    said = struct.pack("<HHII", 2, 2, 4, len(header)) + header + struct.pack("<I", 16) + bytes(32) + struct.pack("<I", 20) + bytes(20)
    made, user = build.stream(build.document(1), build.master(), slide(), box(0x2F14, said), lock=4)
    outcome = run(_streams(made, user), "x.ppt", passwords=("a",))
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)


def test_what_is_no_picture_stays_locked() -> None:
    """And with it what follows; the shape gets a neutral one."""
    picture = build.blip(png_with())
    pictures = build.store(picture)[0], record(0xF00D, picture[8:])
    outcome = run(build.locked("春", slide(), pictures=pictures), "x.ppt", passwords=("春",))
    assert outcome.content is not None, outcome.report.findings
    assert {one.code for one in outcome.report.findings} == {"file.decrypted", "ppt.picture_replaced"}
