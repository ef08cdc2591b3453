"""What stays: slides, words with their formats, shapes, pictures, links, jumps, notes; a clean presentation is told to be clean."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import olefile
import pypdfium2
import pytest
from PIL import Image

from sanitizers.formats.office import property_sets
from sanitizers.model import Action, Kind, Verdict
from sanitizers.verify import ppt as opinion
from tests.build import libreoffice
from tests.build import ppt as build
from tests.build import xls as build_xls
from tests.build.context import run
from tests.build.ppt import box, click, link, objects, options, record, shape, slide, sound, string, style, words


def picture(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(out, "PNG")
    return out.getvalue()


def clean(data: bytes, name: str = "発表.ppt", **options: object) -> bytes:
    """The result of a presentation about which there is nothing to tell."""
    outcome = run(data, name, **options)
    assert outcome.content is not None, outcome.report
    assert outcome.report.verdict is Verdict.CLEAN, [(one.code, one.where, one.detail) for one in outcome.report.findings]
    assert outcome.report.output is not None
    assert outcome.report.output.kind is Kind.PPT
    return outcome.content.bytes()


def document(data: bytes) -> bytes:
    with olefile.OleFileIO(io.BytesIO(data)) as compound:
        found: bytes = compound.openstream("PowerPoint Document").read()
        return found


def tree(data: bytes) -> list[tuple[int, int, bytes]]:
    """Every record of a presentation as another walker sees it: type, instance, content of those without children."""
    return [(one.kind, one.instance, b"" if one.container else bytes(one.data)) for one in opinion._tree(memoryview(document(data)))]


BOLD = struct.pack("<IHHI", 0x0006_0001, 1, 44, 0xFE00_00FF)
CENTRED = struct.pack("<IH", 0x0800, 1)
KEPT: dict[str, Callable[[], tuple[bytes, ...]]] = {
    "text of one byte": lambda: (shape(box(0xF00D, record(0x0F9F, struct.pack("<I", 4)), record(0x0FA8, b"plain"))),),
    "bold, large, centred": lambda: (shape(words("太字", style(2, CENTRED, BOLD))),),
    "tabs and bullets": lambda: (shape(words("・", style(1, struct.pack("<IHHHhIHHH", 0x0010_00FF, 0xF, 0x2022, 0, 100, 0, 1, 500, 0)))),),
    "ruler": lambda: (shape(words("a", record(0x0FA6, struct.pack("<IHHHHhh", 0x000F, 5, 576, 1, 300, 1, 20)))),),
    "language": lambda: (shape(words("語", record(0x0FAA, struct.pack("<IIHH", 2, 6, 0x0411, 0x0409)))),),
    "number of the slide": lambda: (shape(words("*", record(0x0FD8, bytes(4)))),),
    "date": lambda: (shape(words("*", record(0x0FF7, struct.pack("<IB3x", 0, 3)), record(0x1015, bytes(4) + "yyyy".encode("utf-16-le").ljust(128, b"\0")))),),
    "levels": lambda: (shape(words("ab", record(0x0FA2, struct.pack("<IH", 3, 1)))),),
    "placeholder": lambda: (shape(build.data(record(0x0BC3, struct.pack("<iBBH", 0, 13, 0, 0))), words("題")),),
    "jump": lambda: (shape(build.data(click(sound(jump=2))), words("次へ")),),
    "jump from text": lambda: (shape(words("次へ", click(sound(jump=1)), record(0x0FDF, struct.pack("<II", 0, 2)))),),
    "simple animation": lambda: (shape(build.data(box(0x1014, record(0x0FF1, struct.pack("<IIIIHHBBBBBxxx", 7, 0x4, 0, 9, 1, 0, 0, 3, 1, 0, 0), 1)))),),
    "group": lambda: (box(0xF003, shape(words("中")), shape(words("側"), number=1027)),),
    "line, filled": lambda: (shape(kind=20, properties=((4, 90 << 16), (0x181, 0x0800_0004), (0x1BF, 0x10_0010), (0x1CB, 12700), (0x1FF, 0x8_0008))),),
    "free form": lambda: (shape(kind=0, properties=((0x145, struct.pack("<HHH4h", 2, 2, 4, 0, 0, 9, 9)), (0x146, struct.pack("<HHH2H", 2, 2, 2, 0x4000, 0x8000)))),),
    "words as a drawing": lambda: (shape(kind=136, properties=((0xC0, "祝\0".encode("utf-16-le")), (0xC5, "Arial\0".encode("utf-16-le")), (0xFF, 0x4000_4000))),),
    "alternative text": lambda: (shape(properties=((0x380, "図 1\0".encode("utf-16-le")), (0x381, "説明\0".encode("utf-16-le")))),),
    "table": lambda: (box(0xF003, shape(options((0x39F, 1), (0x3A0, struct.pack("<HHHI", 1, 1, 4, 400)), kind=0xF122), kind=0)),),
    "numbers before paragraphs": lambda: (
        shape(build.data(build.tag("___PPT9", record(0x0FAC, struct.pack("<IHHHII", 0x0300_0000, 1, 3, 1, 0, 0)))), words("一つ")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", KEPT)
def test_shapes_stay_as_they_are(case: str) -> None:
    """Every record of the slide comes out as it went in, or with bytes that nobody reads set to zero."""
    given = slide(shapes=KEPT[case]())
    made = tree(clean(build.presentation(given)))
    wanted = [(one.kind, one.instance, b"" if one.container else bytes(one.data)) for one in opinion._tree(memoryview(given))]
    assert [one for one in wanted if one not in made] == []


def test_a_text_keeps_its_languages() -> None:
    """Without the state of its spelling."""
    info = record(0x0FAA, struct.pack("<IIHHH", 2, 7, 1, 0x0411, 0x0409))
    assert (0x0FAA, 0, struct.pack("<IIHH", 2, 6, 0x0411, 0x0409)) in tree(clean(build.presentation(slide(shapes=(shape(words("語", info)),)))))


def test_allowed_links_stay() -> None:
    given = slide(shapes=(shape(build.data(click(sound(5, 4, 0, 8))), words("市役所", click(sound(6, 4, 0, 7)), record(0x0FDF, struct.pack("<II", 0, 3)))),))
    made = tree(clean(build.presentation(given, first=objects(link(5, "https://www.example.jp/a"), link(6, place="256,1,[参考] //題名")))))
    texts = {content.decode("utf-16-le") for kind, _, content in made if kind == 0x0FBA}
    assert {"https://www.example.jp/a", "256,1,[参考] //題名"} <= texts
    assert [content[8] for kind, _, content in made if kind == 0x0FF3] == [4, 4]


def test_a_pointer_that_does_nothing_is_not_worth_a_word() -> None:
    """As LibreOffice writes it beside every link of a shape."""
    nothing = box(0x0FF2, record(0x0FF2, bytes(16)), instance=1)
    made = tree(clean(build.presentation(slide(shapes=(shape(build.data(click(sound(jump=2)), nothing)),)))))
    assert [instance for kind, instance, _ in made if kind == 0x0FF2] == [0]


def test_custom_shows_stay() -> None:
    show = box(0x0410, box(0x0411, string("短い版"), record(0x0412, struct.pack("<I", 256))))
    play = record(0x0401, bytes(12) + "短い版".encode("utf-16-le").ljust(64, b"\0") + bytes(4), 1)
    made = tree(clean(build.presentation(slide(shapes=(shape(build.data(click(sound(1, 7, 0, 6), string("短い版", 2)))),)), more=(show, play))))
    assert [content.decode("utf-16-le") for kind, _, content in made if kind == 0x0FBA].count("短い版") == 2
    assert (0x0412, 0, struct.pack("<I", 256)) in made


def test_notes_stay_with_their_slides() -> None:
    listed = box(0x0FF0, record(0x03F3, struct.pack("<IIiII", 4, 0, 0, 256, 0)), instance=2)
    made = document(clean(build.presentation(slide(), more=(listed,), parts=(build.notes(shape(words("読み上げる文"))),))))
    assert "読み上げる文".encode("utf-16-le") in made


def test_the_masters_of_notes_and_handouts_stay() -> None:
    """Under new numbers: what lay between is gone."""
    handout = box(0x0FC9, build.drawing(shape(words("配付資料"))), build.colours())
    parts = (build.document(1, notes_at=5, handout_at=6), build.master(), slide(), record(0x7777), build.notes(shape(words("型")), slide_id=0), handout)
    made, user = build.stream(*parts)
    shown = document(clean(build.compound({"PowerPoint Document": made, "Current User": user})))
    numbers = next(bytes(one.data) for one in opinion._tree(memoryview(shown)) if one.kind == 0x03E9)[24:32]
    assert sorted(struct.unpack("<II", numbers)) == [2, 3]
    assert "配付資料".encode("utf-16-le") in shown
    assert "型".encode("utf-16-le") in shown


def test_a_text_in_the_outline_belongs_to_its_slide() -> None:
    outline = (record(0x0F9F, bytes(4)), record(0x0FA0, "要点".encode("utf-16-le")), style(2, CENTRED))
    made = tree(clean(build.presentation(slide(shapes=(shape(box(0xF00D, record(0x0F9E, bytes(4)))),)), texts=outline)))
    assert (0x0FA0, 0, "要点".encode("utf-16-le")) in made
    assert (0x0F9E, 0, bytes(4)) in made


def test_pictures_are_made_anew() -> None:
    given = build.store(build.blip(picture()), build.blip(picture("blue")))
    shown = slide(shapes=(shape(kind=75, properties=((0x4104, 2),)),))
    made = clean(build.presentation(shown, pictures=given))
    with olefile.OleFileIO(io.BytesIO(made)) as compound:
        stream = compound.openstream("Pictures").read()
    entries = [content for kind, _, content in tree(made) if kind == 0xF007]
    assert len(entries) == 2
    for entry, colour in zip(entries, ((255, 0, 0), (0, 0, 255)), strict=True):
        size, _, at = struct.unpack_from("<III", entry, 20)
        found = Image.open(io.BytesIO(stream[at + 8 + 17 : at + size]))
        assert found.convert("RGB").getpixel((1, 1)) == colour
    assert (0xF00B, 1, struct.pack("<HI", 0x4104, 2)) in tree(made)


def test_pictures_before_paragraphs_are_made_anew() -> None:
    blob = box(0x07F8, record(0x07F9, b"\6\0" + build.blip(picture())), instance=1)
    numbers = record(0x0FAC, struct.pack("<IHII", 0x0080_0000, 0, 0, 0))
    shown = slide(shapes=(shape(build.data(build.tag("___PPT9", numbers)), words("一つ")),))
    made = tree(clean(build.presentation(shown, more=(box(0x07D0, build.tag("___PPT9", blob)),))))
    found = [content for kind, _, content in made if kind == 0x138B]
    assert numbers in found
    bullet = next(content for content in found if content != numbers)
    assert Image.open(io.BytesIO(bullet[8 + 8 + 2 + 8 + 17 :])).getpixel((0, 0)) is not None


def test_a_picture_that_nobody_can_show_leaves_its_place() -> None:
    given = build.store(build.blip(b"no picture", kind=0xF01C), build.blip(picture()))
    outcome = run(build.presentation(slide(shapes=(shape(properties=((0x4104, 2),)),)), pictures=given), "x.ppt")
    assert outcome.content is not None
    assert [one.code for one in outcome.report.findings] == ["ppt.picture_replaced"]
    assert (0xF00B, 1, struct.pack("<HI", 0x4104, 2)) in tree(outcome.content.bytes())


def test_slides_keep_their_order_and_their_titles() -> None:
    made = clean(build.presentation(*(slide(title=f"第{number}章") for number in range(1, 8))))
    show = opinion._show({"PowerPoint Document": document(made), "Current User": olefile.OleFileIO(io.BytesIO(made)).openstream("Current User").read()})
    assert show.slides == [f"第{number}章" for number in range(1, 8)]


def test_comments_stay_unless_policy_says_otherwise() -> None:
    comment = box(0x2EE0, string("総務課"), string("要確認", 1), string("総", 2), record(0x2EE1, struct.pack("<I8H2i", 1, *range(8), 10, 10)))
    given = build.presentation(slide(build.tag("___PPT10", comment)))
    assert "要確認".encode("utf-16-le") in document(clean(given))
    outcome = run(given, "x.ppt", comments_kept=False)
    assert outcome.content is not None
    assert [(one.code, one.action) for one in outcome.report.findings] == [("ppt.comments", Action.REMOVED)]
    assert "要確認".encode("utf-16-le") not in document(outcome.content.bytes())


def test_marks_of_a_classification_stay() -> None:
    given = build.presentation(
        streams={
            "\x05SummaryInformation": build_xls.properties(build.SUMMARY.hex(), {2: "会議資料"}),
            "\x05DocumentSummaryInformation": build_xls.properties(build.USER.hex(), {2: "機密性2"}, {2: "情報分類"}),
        }
    )
    with olefile.OleFileIO(io.BytesIO(clean(given))) as compound:
        summary = property_sets.read(compound.openstream("\x05SummaryInformation").read())
        document_ = property_sets.read(compound.openstream("\x05DocumentSummaryInformation").read())
        assert compound.get_metadata().title == "会議資料".encode()
    assert [one.values for one in summary] == [{2: "会議資料"}]
    assert [(one.names, one.values) for one in document_][1] == ({2: "情報分類"}, {2: "機密性2"})


def test_older_revisions_are_one_afterwards() -> None:
    """The last revision is what every reader shows."""
    old, new = slide(title=build.CANARY), slide(title="新しい題名")
    made, user = build.stream(build.document(1), build.master(), old)
    at = len(made)
    last = struct.unpack_from("<I", user, 16)[0]
    listed = record(0x1772, struct.pack("<II", 1 << 20 | 3, at))
    made += new + listed + record(0x0FF5, struct.pack("<IHBBIIIIHH", 256, 0, 0, 3, last, at + len(new), 1, 3, 1, 0))
    given = build.compound({"PowerPoint Document": made, "Current User": build.current_user(at + len(new) + len(listed))})
    shown = document(clean(given))
    assert "新しい題名".encode("utf-16-le") in shown
    assert build.CANARY.encode("utf-16-le") not in shown


def test_animations_stay() -> None:
    target = box(0xF13C, record(0x2AFB, struct.pack("<5I", 0, 1, 1026, 0, 0)))
    behaviour = box(0xF12A, record(0xF133, bytes(16)), box(0xF13E, record(0xF142, b"\3" + "style.visibility\0".encode("utf-16-le"), 0, 1)), target)
    change = box(0xF131, record(0xF13A, bytes(8)), record(0xF142, b"\3" + "visible\0".encode("utf-16-le"), 0, 1), behaviour)
    condition = box(0xF125, record(0xF128, struct.pack("<IIIi", 0, 0, 0, -1)), instance=1)
    moment = box(0xF144, record(0xF127, bytes(32)), box(0xF13D, record(0xF142, b"\1" + bytes(4), 0, 9)), condition, change, record(0xF141, bytes(20)), instance=1)
    builds = box(0x2B02, box(0x2B08, record(0x2B03, bytes(16)), record(0x2B09, bytes(16), 1)))
    blob = record(0x2B00, bytes(4)) + box(0xF144, record(0xF127, bytes(32)), moment, instance=1) + builds
    made = tree(clean(build.presentation(slide(build.tag("___PPT10", blob)))))
    assert [content for kind, _, content in made if kind == 0x138B] == [blob]


@pytest.mark.parametrize("ending", ["ppt", "pps", "pot"])
def test_the_name_keeps_its_ending(ending: str) -> None:
    outcome = run(build.presentation(), f"発表.{ending}")
    assert outcome.report.output is not None
    assert outcome.report.output.name == f"発表.{ending}"


@libreoffice.needed
def test_libreoffice_shows_the_same_pages(tmp_path: Path) -> None:
    given, made = list[Path](), list[Path]()
    for number, make in enumerate(KEPT.values()):
        content = build.presentation(slide(shapes=make()))
        given.append(tmp_path / f"{number}.ppt")
        made.append(tmp_path / f"made{number}.ppt")
        given[-1].write_bytes(content)
        made[-1].write_bytes(clean(content))
    drawn = libreoffice.to_pdf([*given, *made], tmp_path / "pdf")
    for case, before, after in zip(KEPT, given, made, strict=True):
        assert _words(drawn[before]) == _words(drawn[after]), case
        assert min(libreoffice.similarity(drawn[before], drawn[after])) >= 0.95, case


def _words(path: Path) -> list[str]:
    pages: Any = pypdfium2.PdfDocument(str(path))
    try:
        return [page.get_textpage().get_text_range() for page in pages]
    finally:
        pages.close()
