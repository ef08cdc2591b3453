"""The second opinion on presentations of PowerPoint 97: what may be in one, and the last revision's words, found by a walk of its own."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from sanitizers.formats.office.blips import write
from sanitizers.formats.office.pictures import NEUTRAL, Picture
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import ppt
from tests.build import ppt as build
from tests.build.cfb import compound
from tests.build.context import context, delivered
from tests.build.image import bmp
from tests.build.ppt import box, click, data, link, objects, record, shape, slide, sound, string, words

DOCUMENT, USER = "PowerPoint Document", "Current User"
PLACEABLE = b"\xd7\xcd\xc6\x9a" + bytes(18)
PICTURES = {
    "emf": b"drawing", "wmf": PLACEABLE + b"older drawing", "jpeg": b"photo", "png": b"figure", "tiff": b"fax", "bmp": bmp((1, 1), 24, b"abc\0"),
}  # fmt: skip
KINDS = (0xF01A, 0xF01B, 0xF01D, 0xF01E, 0xF01F, 0xF029)


def streams(*parts: bytes, **options: Any) -> dict[str, bytes]:
    made, user = build.stream(*parts, **options)
    return {DOCUMENT: made, USER: user}


def deck(*slides: bytes, first: bytes = b"", **options: Any) -> dict[str, bytes]:
    return streams(build.document(len(slides), first=first), build.master(), *slides, **options)


def opinion(made: dict[str, bytes], given: dict[str, bytes] | None = None, **treatment: Any) -> None:
    original = Source(compound(made if given is None else given))
    parts = delivered(context(**treatment), *PICTURES.values())
    delivered(parts, PICTURES["wmf"], kind=Kind.WMF)
    ppt.verify(Source(compound(made)), original, parts)


def refuse(why: str, made: dict[str, bytes], given: dict[str, bytes] | None = None) -> None:
    with pytest.raises(VerificationFailed, match=why):
        opinion(made, given)


SHOWN = deck(slide())
EMPTY = deck()


# --------------------------------------------------------------------------------------------------- what may be in a file


def test_streams_are_those_of_a_presentation() -> None:
    beside = {"Pictures": b"", "\x05SummaryInformation": b"x", "\x05DocumentSummaryInformation": b"y"}
    opinion(SHOWN | beside)
    for name, content in beside.items():
        opinion(SHOWN | {name: content})
        refuse("streams", SHOWN | {f"{name}2": b""}, SHOWN)
    for name in SHOWN:
        refuse("streams", {other: made for other, made in SHOWN.items() if other != name}, SHOWN)
    refuse("streams", SHOWN | {"ObjectPool/x": b""}, SHOWN)


@pytest.mark.parametrize(("at", "change"), [(0, 1), (4, 25), (8, 21), (12, 0xDF), (20, 1), (22, 0xF5), (24, 2), (25, 1), (26, 1), (28, 9)])
def test_nobody_is_named_as_the_last_user(at: int, change: int) -> None:
    user = bytearray(SHOWN[USER])
    user[at] = change
    refuse("named", SHOWN | {USER: bytes(user)}, SHOWN)
    refuse("named", SHOWN | {USER: SHOWN[USER] + b"x"}, SHOWN)
    refuse("named", SHOWN | {USER: build.current_user(struct.unpack_from("<I", SHOWN[USER], 16)[0], name="x")}, SHOWN)


CONTAINERS = (
    0x03F2, 0x0409, 0x040B, 0x040C, 0x0410, 0x0411, 0x07D0, 0x07D5, 0x0FC8, 0x0FD7, 0x0FD9, 0x0FF0, 0x0FF2, 0x1014, 0x1388, 0x138A, 0xF000, 0xF001,
    0xF002, 0xF003, 0xF004, 0xF005, 0xF00D, 0xF011,
)  # fmt: skip
ATOMS = (
    0x03E9, 0x03EA, 0x03EF, 0x03F1, 0x03F3, 0x03F9, 0x0401, 0x040A, 0x0412, 0x07F0, 0x0BC3, 0x0BDB, 0x0BDC, 0x0F9E, 0x0F9F, 0x0FA0, 0x0FA1, 0x0FA2,
    0x0FA3, 0x0FA4, 0x0FA5, 0x0FA6, 0x0FA8, 0x0FA9, 0x0FAA, 0x0FAB, 0x0FB7, 0x0FBA, 0x0FD2, 0x0FD3, 0x0FD8, 0x0FDA, 0x0FDF, 0x0FF1, 0x0FF7, 0x0FF8,
    0x0FF9, 0x0FFA, 0x1015, 0x138B, 0xF006, 0xF007, 0xF008, 0xF009, 0xF00A, 0xF00B, 0xF00F, 0xF010, 0xF012, 0xF014, 0xF017, 0xF121, 0xF122,
)  # fmt: skip
TAG_CONTAINERS = (
    *range(0xF12A, 0xF132), 0xF125, 0xF13C, 0xF13D, 0xF13E, 0xF13F, 0xF144, 0xF145, 0x2B02, 0x2B04, 0x2B06, 0x2B08, 0x07F8, 0x0FAE, 0x2EE0,
)  # fmt: skip
TAG_ATOMS = (
    0xF127, 0xF128, 0xF129, *range(0xF133, 0xF13B), 0xF140, 0xF141, 0xF142, 0xF143, 0x2AFB, 0x2B00, 0x2B01, 0x2B03, 0x2B05, 0x2B07, 0x2B09, 0x2B0A,
    0x2EEA, 0x07F9, 0x0FAC, 0x0FAD, 0x0FAF, 0x0FBA, 0x2EE1,
)  # fmt: skip


def beside(*tables: tuple[int, ...]) -> list[int]:
    """The kinds next to those of a table that are not in it."""
    return sorted({kind + step for table in tables for kind in table for step in (-1, 1)} - set().union(*tables))


def test_containers_hold_what_a_presentation_knows() -> None:
    opinion(deck(slide(*(box(kind) for kind in CONTAINERS), *(record(kind) for kind in ATOMS))))
    opinion(deck(slide(box(CONTAINERS[0], box(CONTAINERS[1], record(ATOMS[0]))))))


@pytest.mark.parametrize("deep", [False, True])
def test_containers_hold_nothing_else(deep: bool) -> None:
    bad = [box(kind) for kind in (*ATOMS, *beside(CONTAINERS))] + [record(kind) for kind in (*CONTAINERS, 0x0FF5, 0x1772, *beside(ATOMS, (0x0FF3, 0x0FF5)))]
    for one in bad:
        refuse("is left", deck(slide(box(0x0FD9, record(0x0FDA), one) if deep else one)), EMPTY)


def tagged(*inside: bytes) -> dict[str, bytes]:
    return deck(slide(build.tag("___PPT10", b"".join(inside))))


def test_tags_hold_animations_comments_and_looks() -> None:
    opinion(tagged(*(box(kind) for kind in TAG_CONTAINERS), *(record(kind) for kind in TAG_ATOMS)))
    opinion(tagged(box(0x2EE0, string("名"))))


@pytest.mark.parametrize("deep", [False, True])
def test_tags_hold_nothing_else(deep: bool) -> None:
    bad = [box(kind) for kind in (*TAG_ATOMS, *beside(TAG_CONTAINERS))] + [record(kind) for kind in (*TAG_CONTAINERS, *beside(TAG_ATOMS))]
    for one in bad:
        refuse("is left", tagged(box(0xF144, one) if deep else one), EMPTY)
    refuse("no record", tagged(b"bytes"), EMPTY)


def test_parts_are_slides_notes_masters_and_handouts() -> None:
    parts = (build.document(0), build.master(), slide(), build.notes(), box(0x0FC9))
    opinion(streams(*parts))
    for kind in (*beside((0x03E8, 0x03EE, 0x03F0, 0x03F8, 0x0FC9)), 0x03F2, 0x0FF5, 0x1772):
        refuse("a part of type", streams(*parts, box(kind)), EMPTY)
    for part in parts:
        refuse("is left", deck(slide(part)), EMPTY)


def test_there_is_one_revision_and_nothing_behind_it() -> None:
    made, user = SHOWN[DOCUMENT], SHOWN[USER]
    refuse("revision", deck(slide(), revisions=2), SHOWN)
    refuse("revision", SHOWN | {DOCUMENT: made + record(0x0FF5)}, SHOWN)
    refuse("revision", SHOWN | {DOCUMENT: made[: struct.unpack_from("<I", user, 16)[0]]}, SHOWN)
    refuse("revision", SHOWN | {DOCUMENT: b""}, SHOWN)
    refuse("no record", SHOWN | {DOCUMENT: made + bytes(7)}, SHOWN)
    refuse("no record", SHOWN | {DOCUMENT: made[:-1]}, SHOWN)
    for at in range(4):
        earlier = bytearray(made)
        earlier[struct.unpack_from("<I", user, 16)[0] + 16 + at] = 1
        refuse("revision", SHOWN | {DOCUMENT: bytes(earlier)}, SHOWN)


@pytest.mark.parametrize(("action", "good"), [(number, number in (3, 4, 7)) for number in range(9)])
def test_a_click_leads_to_a_place_and_runs_nothing(action: int, good: bool) -> None:
    made = deck(slide(shapes=(shape(data(click(sound(5, action))), words("題")),)))
    if good:
        opinion(made)
    else:
        refuse("action", made, EMPTY)


def test_a_click_that_does_not_say_what_it_does_is_refused() -> None:
    refuse("action", deck(slide(shapes=(shape(data(click(record(0x0FF3, b"\3" * 8)))),))), EMPTY)


@pytest.mark.parametrize(
    ("target", "good"),
    [
        ("https://www.example.jp/", True), ("HTTPS://example.jp", True), (" https://example.jp", True), ("mailto:a@example.jp", True), ("#place", True), ("javascript:x", False),
        ("file:///c:/x", False), ("\\\\host\\share", False), ("page.html", False), ("x https://example.jp", False), ("", False),
    ],
)  # fmt: skip
def test_links_have_a_scheme_of_the_policy(target: str, good: bool) -> None:
    made = deck(slide(), first=objects(box(0x0FD7, record(0x0FD3, bytes(4)), string(target, 1))))
    if good:
        opinion(made)
    else:
        refuse("scheme", made, SHOWN)


def test_only_the_target_of_a_link_is_an_address() -> None:
    opinion(deck(slide(), first=objects(link(1, "https://example.jp/", place="256,1,題", friendly="C:\\名前"))))
    opinion(deck(slide(), first=objects(box(0x0FD7, record(0x0FD3, b"x", instance=1)), string("C:\\", 1))))


def blip(kind: str, content: bytes | None = None) -> bytes:
    return write(Picture(PICTURES[kind] if content is None else content, kind)).record


def shown(pictures: bytes) -> dict[str, bytes]:
    return SHOWN | {"Pictures": pictures}


def test_pictures_are_those_of_the_engine() -> None:
    opinion(shown(b"".join(map(blip, PICTURES)) + write(NEUTRAL).record))
    opinion(shown(blip("wmf", PICTURES["wmf"].replace(b"older", b"other"))))  # its size is all that can be known
    for kind, content in PICTURES.items():
        refuse("a picture is not what was rebuilt", shown(blip("png") + blip(kind, content + b"x")))
        refuse("a picture is not what was rebuilt", shown(blip("png") + blip(kind, content[:-1])))
    refuse("a picture is no bitmap", shown(blip("bmp", PICTURES["bmp"][: 14 + 39])))
    refuse("no record", shown(blip("png") + b"x"))


def test_pictures_are_of_kinds_that_are_known() -> None:
    for kind in beside(KINDS):
        refuse("picture of type", shown(blip("png") + record(kind)))
    for kind in PICTURES:
        (head,) = struct.unpack_from("<H", made := blip(kind))
        for wrong in (head ^ 0x10, head | 15):
            refuse("picture of type", shown(struct.pack("<H", wrong) + made[2:]))


@pytest.mark.parametrize("kind", ["emf", "wmf"])
@pytest.mark.parametrize(
    ("at", "change", "why"),
    [(24, b"\0", "disagree"), (24, b"\xff", "disagree"), (52, b"\xff", "disagree"), (58, b"\0", "a packed picture"), (-1, b"?", "a packed picture")],
)
def test_the_head_of_a_packed_picture_says_what_it_is(kind: str, at: int, change: bytes, why: str) -> None:
    made = bytearray(blip(kind))
    made[at : at + 1 or None] = change
    refuse(why, shown(bytes(made)))


def test_a_packed_picture_is_one_whole_stream() -> None:
    made = blip("emf")
    for tail, packed in ((b"x", made[58:] + b"x"), (b"", made[58:-1]), (b"", b"")):
        body = made[8:52] + struct.pack("<I", len(packed)) + made[56:58] + packed
        refuse("disagree", shown(record(0xF01A, body, instance=0x3D4)))
        assert tail in packed
    refuse("a packed picture", shown(record(0xF01A, made[8:50], instance=0x3D4)))


def test_pictures_of_bullets_are_looked_at_as_well() -> None:
    def bullets(*pictures: bytes) -> dict[str, bytes]:
        listed = box(0x07F8, *(record(0x07F9, b"\6\0" + one, instance=number) for number, one in enumerate(pictures)))
        return deck(slide(), first=box(0x1388, box(0x138A, string("___PPT9"), record(0x138B, listed))))

    opinion(bullets(*map(blip, PICTURES)), SHOWN)
    refuse("a picture is not what was rebuilt", bullets(blip("png"), blip("png", b"another")), SHOWN)
    refuse("no record", bullets(blip("png") + b"x"), SHOWN)


# -------------------------------------------------------------------------------------------------------- what it shows


def test_the_same_show_passes() -> None:
    opinion(SHOWN, {name.upper(): made for name, made in SHOWN.items()})
    opinion(SHOWN, deck(slide(), revisions=3))
    opinion(SHOWN, deck(slide(), before=record(0x0FF5, bytes(28))))


def test_slides_and_words_are_not_lost() -> None:
    two = deck(slide(title="一"), slide(title="二"))
    opinion(two)
    refuse("2 slides before, 1 after", deck(slide(title="一")), two)
    refuse("1 slides before, 2 after", two, deck(slide(title="一")))
    refuse("words", deck(slide(title="二"), slide(title="一")), two)
    refuse("words", deck(slide(title="一"), slide(title="三")), two)
    refuse("words", SHOWN, deck(slide(), first=words("文書")))


def test_the_list_of_slides_holds_words_too() -> None:
    def outlined(said: str) -> dict[str, bytes]:
        return streams(build.document(1, texts=(record(0x0F9F, bytes(4)), record(0x0FA0, said.encode("utf-16-le")))), build.master(), slide())

    opinion(outlined("概要"))
    refuse("words", outlined("概要"), outlined("概略"))


def listed(which: int, said: str) -> dict[str, bytes]:
    """A part in the list of masters or notes, beside a slide."""
    lists = box(0x0FF0, record(0x03F3, struct.pack("<IIiII", 2, 0, 0, 0, 0)), instance=which)
    shown = box(0x0FF0, record(0x03F3, struct.pack("<IIiII", 1, 0, 0, 0, 0)))
    return streams(box(0x03E8, lists, shown, record(0x03EA)), slide(title=said))


@pytest.mark.parametrize("which", [1, 2])
def test_words_of_masters_and_notes_are_not_lost(which: int) -> None:
    opinion(listed(which, "甲"))
    refuse("words", listed(which, "甲"), listed(which, "乙"))


def test_a_locked_original_is_not_compared() -> None:
    user = bytearray(SHOWN[USER])
    user[12:16] = b"\xdf\xc4\xd1\xf3"
    opinion(SHOWN, {USER: bytes(user)})
    opinion(SHOWN, {USER.upper(): bytes(user)})
    refuse("what it shows", SHOWN, {"Other": bytes(user)})


@pytest.mark.parametrize("given", [{}, {USER: b""}, {**SHOWN, USER: bytes(20)}, {**SHOWN, DOCUMENT: b""}])
def test_an_original_whose_show_cannot_be_found_is_refused(given: dict[str, bytes]) -> None:
    refuse(r"what it shows|slides before", SHOWN, {"Other": b"", **given})


def test_revisions_in_a_circle_come_to_an_end() -> None:
    whole = SHOWN[DOCUMENT]
    (edit,) = struct.unpack_from("<I", SHOWN[USER], 16)
    for before in (edit, edit + 1):
        circle = bytearray(whole)
        struct.pack_into("<I", circle, edit + 16, before)
        assert ppt._show({**SHOWN, DOCUMENT: bytes(circle)}) == ppt._show(SHOWN)


def test_the_last_revision_counts_and_earlier_ones_fill_it_up() -> None:
    """The second revision has a new slide; its directory says nothing of the document. Its number is another one, too."""
    first = streams(build.document(1), build.master(), slide(title="旧"))
    made, (before,) = first[DOCUMENT], struct.unpack_from("<I", first[USER], 16)
    new = len(made)
    made += slide(title="新")
    directory = len(made)
    made += record(0x1772, struct.pack("<II", 1 << 20 | 3, new))
    last = len(made)
    made += record(0x0FF5, struct.pack("<IHBBIIIIHH", 256, 0, 0, 3, before, directory, 1, 3, 1, 0))
    assert ppt._show({DOCUMENT: made, USER: build.current_user(last)}).slides == ["新"]
    assert ppt._show(first).slides == ["旧"]


def test_a_directory_has_runs_of_numbers() -> None:
    numbers = (2 << 20 | 1, 10, 20, 1 << 20 | 0xFFFFF, 30, 3 << 20 | 7, 40, 50, 60)
    assert ppt._offsets(memoryview(struct.pack("<9I", *numbers))) == {1: 10, 2: 20, 0xFFFFF: 30, 7: 40, 8: 50, 9: 60}


def test_words_are_found_in_their_order_wherever_they_stand() -> None:
    narrow = record(0x0FA8, b"ab\xe9")
    inside = box(0x040C, box(0xF002, words("一"), box(0xF003, box(0xF004, words("二"), record(0xF010, bytes(8))), words("三")), narrow), words("四", narrow))
    other = box(0x0409, record(0x0FA0, b"x\0"))
    assert ppt._text(memoryview(inside + box(0x0FF0, words("五")) + other + record(0x0FA0))) == "一\n二\n三\nabé\n四\nabé\n五\n"
