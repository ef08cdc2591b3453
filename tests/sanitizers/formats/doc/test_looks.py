"""Pages of looks, lists of changes, styles and marks that are unusual but whole: read as readers do, by what the docx says; those that lie are refused."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Sequence

import docx
import pytest

from sanitizers.formats.doc import fields, looks
from sanitizers.formats.doc.fib import Part
from sanitizers.model import LimitExceeded, Reason, Verdict
from tests.build import doc as build
from tests.build.cfb import compound
from tests.build.context import run
from tests.build.doc import SPECIAL, Run, cell, field, para, row, sprm

TEXT = 1024      # byte of the first character, of two bytes each
BOLD, ITALIC = sprm(0x0835, 1), sprm(0x0836, 1)
CENTRED, INDENTED = sprm(0x2403, 1), sprm(0x840F, 420)


def _part(given: bytes, name: str = "word/document.xml") -> str:
    outcome = run(given, "x.doc")
    assert outcome.content is not None, outcome.report.findings
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as archive:
        return archive.read(name).decode()


def _page(places: Sequence[int], said: Sequence[bytes], size: int = 1, count: int | None = None) -> bytes:
    page, end = bytearray(512), 511
    struct.pack_into(f"<{len(places)}I", page, 0, *places)
    for number, look in enumerate(said):
        if look:
            end = (end - len(look)) & ~1
            page[end : end + len(look)] = look
            page[4 * len(places) + size * number] = end // 2
    page[-1] = len(said) if count is None else count
    return bytes(page)


def _paged(*pages: bytes, which: Part = Part.CHARACTER_PAGES, body: Sequence[build.Para] = (), **options: object) -> bytes:
    """A document whose looks are those of pages of its own, behind all the rest."""
    numbers = [struct.pack("<I", 8 + number) for number in range(len(pages))]
    made = build.files(body or [para("一二三四")], {}, {which: build.plc(range(len(pages) + 1), numbers)}, **options)  # type: ignore[arg-type]
    assert len(made["WordDocument"]) == 4096
    return compound({**made, "WordDocument": made["WordDocument"] + b"".join(pages)})


def _look(look: bytes) -> bytes:
    return bytes((len(look),)) + look


def _runs(xml: str) -> list[tuple[str, str]]:
    return [(look, said) for look, said in re.findall(r"<w:r>(?:<w:rPr>(.*?)</w:rPr>)?<w:t [^>]*>(.*?)</w:t>", xml)]


def test_what_no_page_tells_of_is_plain() -> None:
    """Before, between and behind what two pages say."""
    xml = _part(_paged(_page([TEXT + 2, TEXT + 4], [_look(BOLD)]), _page([TEXT + 6, TEXT + 8], [_look(ITALIC)])))
    assert _runs(xml) == [("", "一"), ("<w:b/>", "二"), ("", "三"), ("<w:i/>", "四")]


def test_a_look_of_nothing_is_nobodys() -> None:
    xml = _part(_paged(_page([TEXT, TEXT + 2, TEXT + 2, TEXT + 10], [b"", _look(BOLD), _look(ITALIC)])))
    assert _runs(xml) == [("", "一"), ("<w:i/>", "二三四")]


def test_a_look_that_begins_in_the_middle_of_a_character() -> None:
    """It counts from the next one on."""
    xml = _part(_paged(_page([TEXT, TEXT + 3, TEXT + 10], [b"", _look(BOLD)])))
    assert _runs(xml) == [("", "一二"), ("<w:b/>", "三四")]


def test_changes_of_a_piece_stand_behind_those_of_its_characters() -> None:
    xml = _part(_paged(_page([TEXT + 2, TEXT + 4], [_look(BOLD)]), prm=0x56 << 1 | 1 << 8))
    assert _runs(xml) == [("<w:i/>", "一"), ("<w:b/><w:i/>", "二"), ("<w:i/>", "三四")]


def test_a_paragraph_of_which_nothing_is_said() -> None:
    assert '<w:pPr><w:pStyle w:val="s0"/></w:pPr>' in _part(_paged(_page([TEXT, TEXT + 10], [b""], 13), which=Part.PARAGRAPH_PAGES))


@pytest.mark.parametrize(("at", "centred"), [(0, True), (90_000, False)])
def test_changes_of_a_paragraph_that_lie_in_the_data_stream(at: int, centred: bool) -> None:
    data = struct.pack("<H", len(CENTRED)) + CENTRED
    xml = _part(build.document(para("文字", grpprl=struct.pack("<HI", 0x6646, at)), data=data))
    assert ('<w:jc w:val="center"/>' in xml) is centred


PAGES = {
    "too full": _page([TEXT, TEXT + 10], [b""], count=200),
    "places that fall": _page([TEXT + 4, TEXT], [_look(BOLD)]),
    "too many looks": _page([TEXT, TEXT + 2, TEXT + 4, TEXT + 6, TEXT + 10], [_look(BOLD), b"", _look(BOLD), b""]),
}


@pytest.mark.parametrize("case", PAGES)
def test_pages_of_looks_that_lie_are_refused(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "_MOST", 3)
    outcome = run(_paged(PAGES[case]), "x.doc")
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)


TABS = struct.pack("<HBB", 0xC615, 255, 1) + struct.pack("<hh", 3000, 25) + b"\x01" + struct.pack("<hB", 4000, 2)


@pytest.mark.parametrize(
    ("grpprl", "said"),
    [
        (TABS, '<w:tabs><w:tab w:val="clear" w:pos="3000"/><w:tab w:val="right" w:pos="4000"/></w:tabs>'),
        (sprm(0xC60D, b"\1" + struct.pack("<h", 3000)), '<w:tabs><w:tab w:val="clear" w:pos="3000"/></w:tabs>'),
        (INDENTED + struct.pack("<H", 0xC60D), '<w:ind w:left="420"/>'),
        (INDENTED + struct.pack("<H", 0xD608), '<w:ind w:left="420"/>'),
        (struct.pack("<HB", 0xC615, 255), ""),
        (struct.pack("<HBB", 0xC615, 255, 0), ""),
        (CENTRED + struct.pack("<HH", 0x6412, 9), '<w:jc w:val="center"/>'),
    ],
    ids=["more tabs than a byte can say", "only tabs that go", "no size", "no size of a row", "tabs without number", "tabs of none", "cut off"],
)
def test_lists_of_changes_that_are_cut_off(grpprl: bytes, said: str) -> None:
    """What is cut off at the end is left out, as readers do."""
    xml = _part(build.document(para("文字", grpprl=grpprl)))
    found = re.search(r'<w:pPr><w:pStyle w:val="s0"/>(.*?)</w:pPr>', xml)
    assert found is not None
    assert found[1] == said


def test_characters_that_are_made_plain_again() -> None:
    """Of what was said before only what the characters are stays."""
    plain = BOLD + sprm(0x0801, 1) + sprm(0x2A33, 0) + ITALIC
    assert re.search(r'<w:ins [^>]*><w:r><w:rPr><w:i/></w:rPr><w:t xml:space="preserve">文字<', _part(build.document(para(Run("文字", plain)))))


BETWEEN = sprm(0x6428, b"\x04\x01\x01\x01")


def _table_style(name: str, rows: bytes, paragraph: bytes, characters: bytes) -> bytes:
    data = struct.pack("<HHHHH", 0x0FFE, 0x0FFF << 4 | 3, 3, 0, 0) + struct.pack("<H", len(name)) + name.encode("utf-16-le") + b"\0\0"
    for one in (rows, b"\0\0" + paragraph, characters):
        data += b"\0" * (len(data) % 2) + struct.pack("<H", len(one)) + one
    return data


def test_styles_of_every_kind() -> None:
    """A table's, two of one name, one of a kind that is left out, one whose changes are cut off."""
    styles = {
        0: build.NORMAL, 10: build.DEFAULT_FONT, 1: build.style("甲"), 2: build.style("甲", paragraph=CENTRED), 3: build.style("列", kind=4),
        4: build.style("乙")[:-4], 11: _table_style("表", sprm(0xD613, b"\0\0\0\0\x04\x01\0\0" * 6), CENTRED, BOLD), 12: _table_style("空", b"", b"", b"")[:-8],
    }  # fmt: skip
    given = build.document(para("本文", style=2), cell("升"), row(0, 3000, more=sprm(0x563A, 11)), para(), styles=styles)
    xml = _part(given, "word/styles.xml")
    assert re.findall(r'w:styleId="(s\d+)"', xml) == ["s0", "s1", "s2", "s4", "s10", "s11", "s12"]
    assert re.findall(r'<w:name w:val="(甲.*?)"/>', xml) == ["甲", "甲 2"]
    assert re.search(r'w:styleId="s11"><w:name w:val="表"/><w:pPr><w:jc w:val="center"/></w:pPr><w:rPr><w:b/></w:rPr><w:tblPr><w:tblBorders><w:top w:val="single"', xml)
    assert '<w:tblStyle w:val="s11"/>' in _part(given)


@pytest.mark.parametrize("below", [0x0FFF, 1])
def test_a_line_between_paragraphs_that_a_style_says(below: int) -> None:
    """A paragraph that says there is none stays without; where nothing says one, the word is left out."""
    styles = {0: build.NORMAL, 10: build.DEFAULT_FONT, 1: build.style("甲", paragraph=BETWEEN), 2: build.style("乙", based=below)}
    xml = _part(build.document(para("文字", grpprl=sprm(0x6428, b"\x02\0\0\0"), style=2), styles=styles))
    assert ('<w:between w:val="none"/>' in xml) is (below == 1)


def test_fonts_and_strings_that_are_cut_off() -> None:
    """Those that are there count."""
    parts = {Part.FONTS: build.fonts("ＭＳ 明朝", "Symbol")[:-60], Part.REVISION_AUTHORS: build.strings("田中", "山田")[:-2]}
    added = [Run(said, sprm(0x0801, 1) + sprm(0x4804, number)) for number, said in enumerate("一二三")]
    xml = _part(build.document(para(*added), parts=parts))
    assert re.findall(r'w:author="(.*?)"', xml) == ["田中", "山", ""]
    for cut in (b"", b"\1", b"\1\0\0", struct.pack("<HH", 9, 0)):
        assert "<w:font " not in _part(build.document(para("文字"), parts={Part.FONTS: cut}), "word/fontTable.xml")
    for cut in (b"\1\0", struct.pack("<HH", 0xFFFF, 3), struct.pack("<HHHH", 0xFFFF, 2, 0, 1)):
        assert 'w:author=""' in _part(build.document(para(added[1]), parts={Part.REVISION_AUTHORS: cut}))


def test_marks_of_paragraphs_that_were_added_and_deleted() -> None:
    mark = sprm(0x0801, 1) + sprm(0x0800, 1)
    given = build.document(para("本文", mark_grpprl=mark), para("後"), parts={Part.REVISION_AUTHORS: build.strings("田中")})
    assert re.search(r'<w:rPr><w:ins w:id="\d+" w:author="田中"/><w:del w:id="\d+" w:author="田中"/></w:rPr>', _part(given))
    outcome = run(given, "x.doc", comments_kept=False)
    assert outcome.content is not None
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as archive:
        assert b"w:author" not in archive.read("word/document.xml")


def test_bookmarks_that_are_nowhere_stay_behind() -> None:
    names = build.strings("甲", "甲", "乙", "丙", "長" * 41, "丁")
    places = [(0, 0), (0, 1), (1, 9), (3, 2), (0, 3), (1, 4)]
    parts = {
        Part.BOOKMARK_NAMES: names, Part.BOOKMARK_STARTS: build.plc([*(start for start, _ in places), 9], [struct.pack("<HH", end, 0) for _, end in places]),
        Part.BOOKMARK_ENDS: build.plc([2, 2, 1, 2, 900, 900]),
    }  # fmt: skip
    assert re.findall(r'<w:bookmarkStart w:id="\d" w:name="(.*?)"/>', _part(build.document(para("一二三"), parts=parts))) == ["甲"]


def test_many_bookmarks_in_one_paragraph_of_many_looks() -> None:
    """Each stands where it stood, once; those at one place in their order."""
    words = "".join(chr(0x3041 + number % 80) for number in range(120))
    runs = [Run(one, BOLD if number % 2 else b"") for number, one in enumerate(words)]
    names = [f"m{number}" for number in range(110)]
    parts = {
        Part.BOOKMARK_NAMES: build.strings(*names), Part.BOOKMARK_STARTS: build.plc([*range(110), 200], [struct.pack("<HH", number, 0) for number in range(110)]),
        Part.BOOKMARK_ENDS: build.plc([*(number + 3 for number in range(110)), 200]),
    }  # fmt: skip
    xml = _part(build.document(para(*runs), parts=parts))
    assert re.findall(r'<w:bookmarkStart w:id="\d+" w:name="(m\d+)"/>', xml) == names
    assert "".join(said for _, said in _runs(xml)) == words
    assert [xml.count(f'<w:bookmarkEnd w:id="{number}"/>') for number in (1, 60, 110)] == [1, 1, 1]
    assert re.search(rf'w:name="m7"/><w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">{words[7]}<', re.sub(r'<w:bookmarkEnd w:id="\d+"/>', "", xml))


def test_a_list_to_choose_from_has_so_many_entries() -> None:
    """A field that claims all of the stream behind it is read no further than its texts can be."""
    def said(text: str) -> bytes:
        return struct.pack("<H", len(text)) + text.encode("utf-16-le") + b"\0\0"

    inside = struct.pack("<IHHH", 0xFFFFFFFF, 2 | 3 << 2, 0, 0) + said("欄") + struct.pack("<H", 0) + said("") * 3 + said("") * 2
    inside += struct.pack("<HHH", 0xFFFF, 90, 0) + b"".join(struct.pack("<H", 2) + f"{number:02}".encode("utf-16-le") for number in range(90))
    data = struct.pack("<iH", 68 + 900_000, 68).ljust(68, b"\0") + inside + bytes(1000)
    field_ = (Run("\x13", SPECIAL), " FORMDROPDOWN ", Run("\x01", SPECIAL + sprm(0x0806, 1) + sprm(0x6A03, 0)), Run("\x15", SPECIAL))
    xml = _part(build.document(para(*field_), data=data))
    assert re.findall(r'<w:listEntry w:val="(\d+)"/>', xml) == [f"{number:02}" for number in range(64)]
    assert '<w:result w:val="3"/>' in xml


def test_settings_that_are_cut_off() -> None:
    assert '<w:defaultTabStop w:val="720"/>' in _part(build.document(para("本文"), parts={Part.PROPERTIES: b"\1\0\0"}), "word/settings.xml")


def test_a_head_that_tells_of_fewer_parts() -> None:
    """Documents of Word 97 have no list of lists to come."""
    made = build.files([para("本文")], {}, {})
    main = made["WordDocument"]
    assert "本文" in _part(compound({**made, "WordDocument": main[:152] + struct.pack("<H", 60) + main[154:]}))


@pytest.mark.parametrize(
    "pieces",
    [(Run("\x14", SPECIAL), "本文", Run("\x15", SPECIAL)), (Run("\x13", SPECIAL), "  ", Run("\x15", SPECIAL), "本文"),
     (Run("\x13", SPECIAL), " PAGE ", Run("\x14", SPECIAL), "本", Run("\x14", SPECIAL), "文", Run("\x15", SPECIAL)),
     (Run("\x13", SPECIAL), " PAGE ", Run("\x14", SPECIAL), "本文")],
    ids=["ends alone", "nothing said", "two separators", "no end"],
)  # fmt: skip
def test_marks_of_fields_that_belong_to_none(pieces: tuple[Run | str, ...]) -> None:
    outcome = run(build.document(para(*pieces)), "x.doc")
    assert outcome.content is not None, outcome.report.findings
    assert docx.Document(io.BytesIO(outcome.content.bytes())).paragraphs[0].text == "本文"


def test_fields_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "_MOST", 2)
    with pytest.raises(LimitExceeded):
        run(build.document(para(*field(" PAGE ", "1"), *field(" PAGE ", "1"), *field(" PAGE ", "1"))), "x.doc")


def test_a_paragraph_inside_of_what_a_field_was_told() -> None:
    """It goes with the field, and the text behind stays in one piece."""
    given = build.document(para("前", Run("\x13", SPECIAL), " INCLUDETEXT a"), para("b ", Run("\x14", SPECIAL), "結果", Run("\x15", SPECIAL), "後"))
    outcome = run(given, "x.doc")
    assert outcome.content is not None
    assert [one.text for one in docx.Document(io.BytesIO(outcome.content.bytes())).paragraphs] == ["前結果後"]
    assert [one.code for one in outcome.report.findings] == ["doc.external_field"]


def test_a_form_field_without_data() -> None:
    for inside in (Run(""), Run("\x01", SPECIAL), Run("\x01", SPECIAL + sprm(0x0806, 1)), Run("\x01", SPECIAL + sprm(0x6A03, 0))):
        pieces = [one for one in (Run("\x13", SPECIAL), Run(" FORMTEXT "), inside, Run("\x14", SPECIAL), Run("値"), Run("\x15", SPECIAL)) if one.text]
        assert "<w:ffData>" not in _part(build.document(para(*pieces)))


def test_characters_that_show_nothing_where_nothing_is() -> None:
    """A picture without its place, one of a form, a shape and a comment that no list knows."""
    odd = [Run("\x01", SPECIAL), Run("\x01"), Run("\x01", SPECIAL + sprm(0x6A03, 0) + sprm(0x0806, 1)), Run("\x08", SPECIAL), Run("\x05", SPECIAL), Run("\x02", SPECIAL)]
    xml = _part(build.document(para("前", *odd, "後")))
    assert ("<w:drawing" in xml, _runs(xml)[0][1], _runs(xml)[-1][1]) == (False, "前", "後")


def test_an_object_whose_data_are_its_picture() -> None:
    """The number is that of its storage, which does not cross."""
    given = build.document(para("前", Run("\x01", SPECIAL + sprm(0x6A03, 7) + sprm(0x080A, 1)), "後"))
    outcome = run(given, "x.doc")
    assert [one.code for one in outcome.report.findings] == ["doc.object"]


def test_comments_that_policy_does_not_want_are_said_once() -> None:
    item = struct.pack("<H", 1) + bytes(28)
    given = build.document(para("本文", Run("\x05", SPECIAL)), stories={"comments": (para(Run("\x05", SPECIAL), "意見"),)},
                           parts={Part.COMMENT_REFERENCES: build.plc([2, 4], [item]), Part.COMMENT_TEXTS: build.plc([0, 4, 5])})  # fmt: skip
    outcome = run(given, "x.doc", comments_kept=False)
    assert outcome.content is not None
    assert [one.code for one in outcome.report.findings] == ["doc.comments"]
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as archive:
        assert "意見".encode() not in b"".join(map(archive.read, archive.namelist()))


def test_rows_with_fewer_looks_than_cells() -> None:
    xml = _part(build.document(cell("甲"), cell("乙"), row(0, 3000), para()))
    assert re.findall(r'<w:tcW w:w="(\d+)"', xml) == ["3000", "0"]


def test_a_row_that_ends_in_the_middle_of_a_cell() -> None:
    made = docx.Document(io.BytesIO(_content(build.document(cell("甲"), para("乙", grpprl=sprm(0x2416, 1)), row(0, 2000, 4000), row(0, 2000), para("後")))))
    assert [[one.text for one in line.cells] for line in made.tables[0].rows] == [["甲", "乙"]]


def _content(given: bytes) -> bytes:
    outcome = run(given, "x.doc")
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def test_a_piece_of_nothing() -> None:
    places = [0, 0, 5]
    table = build.plc(places, [struct.pack("<HIH", 0, TEXT, 0)] * 2)
    given = build.document(para("一二三四"), parts={Part.PIECES: b"\x02" + struct.pack("<I", len(table)) + table})
    assert _runs(_part(given)) == [("", "一二三四")]


def test_a_level_that_is_changed_twice_counts_once() -> None:
    changes = struct.pack("<iI", 5, 0x10) + struct.pack("<iI", 9, 0x10)
    uses = struct.pack("<I", 1) + struct.pack("<iIIBBBB", 77, 0, 0, 2, 0, 0, 0) + b"\xff" * 4 + changes
    given = build.document(para("目的", grpprl=sprm(0x260A, 0) + sprm(0x460B, 1)), parts={Part.LISTS: b"\0\0", Part.LIST_OVERRIDES: uses})
    assert re.findall(r'<w:startOverride w:val="(\d)"/>', _part(given, "word/numbering.xml")) == ["5"]
