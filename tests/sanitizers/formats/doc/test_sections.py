"""Page set-up, lists and form fields of Word by themselves: each property says in WordprocessingML what it said."""

from __future__ import annotations

import struct

import pytest

from sanitizers.formats.doc import forms, numbering, sections, sprms
from sanitizers.formats.doc.fib import Part
from sanitizers.formats.doc.sections import Section
from sanitizers.model import Malformed
from tests.build.doc import sprm

LINE = struct.pack("<BBBBBBH", 255, 0, 0, 0, 8, 1, 24)          # half a point of red, 24 points away
OLD_LINE = bytes((8, 1, 6, 4))


def _written(*changes: bytes, references: str = "") -> str:
    grpprl = b"".join(changes)
    return sections.write(Section(1, sprms.merged(grpprl), grpprl), references)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((sprm(0x3009, 0),), '<w:type w:val="continuous"/>'), ((sprm(0x3009, 4),), '<w:type w:val="oddPage"/>'), ((), '<w:type w:val="nextPage"/>'),
        ((sprm(0xB01F, 11906), sprm(0xB020, 16838)), '<w:pgSz w:w="11906" w:h="16838"/>'), ((sprm(0x301D, 2),), ' w:orient="landscape"/>'),
        ((sprm(0xB01F, 5),), '<w:pgSz w:w="144" w:h="15840"/>'), ((sprm(0x9023, -500),), '<w:pgMar w:top="-500" w:right="1800"'),
        ((sprm(0xB017, 33_000),), 'w:header="720"'), ((sprm(0x3006, 1),), '<w:formProt w:val="0"/>'), ((sprm(0x301A, 2),), '<w:vAlign w:val="both"/>'),
        ((sprm(0x300A, 1),), "<w:titlePg/>"), ((sprm(0x5033, 1),), '<w:textDirection w:val="tbRl"/>'), ((sprm(0x3228, 1),), "<w:bidi/>"),
        ((sprm(0x5015, 5), sprm(0x501B, 2), sprm(0x3013, 1), sprm(0x9016, 100)), '<w:lnNumType w:countBy="5" w:start="2" w:distance="100" w:restart="newSection"/>'),
        ((sprm(0x300E, 1),), '<w:pgNumType w:fmt="upperRoman"/>'), ((sprm(0x3011, 1), sprm(0x501C, 7)), '<w:pgNumType w:start="7"/>'),
        ((sprm(0x3011, 1), sprm(0x7044, 70_000), sprm(0x501C, 7)), '<w:pgNumType w:start="70000"/>'),
        ((sprm(0x500B, 1),), '<w:cols w:num="2" w:space="720"/>'), ((sprm(0x3019, 1), sprm(0x900C, 200)), '<w:cols w:space="200" w:sep="1"/>'),
        ((sprm(0xD234, LINE), sprm(0x522F, 1 | 1 << 3 | 1 << 5)),
         '<w:pgBorders w:zOrder="back" w:display="firstPage" w:offsetFrom="page"><w:top w:val="single" w:sz="8" w:space="24" w:color="FF0000"/></w:pgBorders>'),
        ((sprm(0x702E, OLD_LINE), sprm(0x522F, 2)),
         '<w:pgBorders w:zOrder="front" w:display="notFirstPage" w:offsetFrom="text"><w:right w:val="single" w:sz="8" w:space="4" w:color="FF0000"/></w:pgBorders>'),
        ((sprm(0x5040, 2), sprm(0x503F, 3), sprm(0x303C, 1)),
         '<w:footnotePr><w:numFmt w:val="lowerRoman"/><w:numStart w:val="3"/><w:numRestart w:val="eachSect"/></w:footnotePr>'),
        ((sprm(0x303E, 2),), '<w:endnotePr><w:numRestart w:val="eachPage"/></w:endnotePr>'),
    ],
)  # fmt: skip
def test_a_section_says_what_it_said(changes: tuple[bytes, ...], said: str) -> None:
    assert said in _written(*changes)


def test_a_plain_section_says_little() -> None:
    plain = _written(references="<r/>")
    assert plain.startswith('<w:sectPr><r/><w:type w:val="nextPage"/><w:pgSz ')
    for word in ("pgBorders", "lnNumType", "pgNumType", "formProt", "titlePg", "textDirection", "bidi", "footnotePr", "endnotePr"):
        assert word not in plain
    assert "w:type " not in _written(sprm(0x3009, 9))
    assert "lnNumType" not in _written(sprm(0x501B, 2))


def test_columns_of_their_own_widths() -> None:
    widths = [sprm(0xF203, struct.pack("<BH", number, width)) for number, width in enumerate((3000, 4000))]
    said = _written(sprm(0x500B, 1), sprm(0x3005, 0), *widths, sprm(0xF204, struct.pack("<BH", 0, 300)))
    assert 'w:equalWidth="0"' in said
    assert '<w:col w:w="3000" w:space="300"/>' in said
    assert '<w:col w:w="4000"' in said


# -------------------------------------------------------------------------------------------------------------------- lists


class Streams:
    """As much as lists need."""

    def __init__(self, lists: bytes, behind: bytes, overrides: bytes = b"") -> None:
        self.parts = {Part.LISTS: lists, Part.LIST_OVERRIDES: overrides}
        self._behind = behind

    def part(self, which: Part) -> bytes:
        return self.parts[which]

    def behind(self, _which: Part) -> bytes:
        return self._behind


def _level(text: str, *, form: int = 0, start: int = 1, flags: int = 0, following: int = 0, restart: int = 0, look: bytes = b"", around: bytes = b"") -> bytes:
    head = struct.pack("<iBB", start, form, flags) + bytes(9) + struct.pack("<B8xBBB", following, len(look), len(around), restart) + b"\0"
    assert len(head) == 28
    return head + around + look + struct.pack("<H", len(text)) + text.encode("utf-16-le")


def _lists(*simple: bool) -> bytes:
    return struct.pack("<H", len(simple)) + b"".join(struct.pack("<i22xBx", 100 + number, one) for number, one in enumerate(simple))


def _uses(*uses: tuple[int, bytes]) -> bytes:
    """(identity, what is changed) of each."""
    heads = b"".join(struct.pack("<i8xB3x", identity, bool(changed)) for identity, changed in uses)
    return struct.pack("<I", len(uses)) + heads + b"".join(b"\xff" * 4 + changed for _, changed in uses)


def _numbering(lists: bytes, behind: bytes, overrides: bytes) -> numbering.Numbering:
    return numbering.Numbering(Streams(lists, behind, overrides))  # type: ignore[arg-type]


def test_a_list_of_one_level() -> None:
    made = _numbering(_lists(True), _level("第\0条", form=11, start=3, flags=1 | 4, following=1, look=sprm(0x0835, 1)), _uses((100, b"")))
    assert (
        '<w:abstractNum w:abstractNumId="0"><w:multiLevelType w:val="singleLevel"/><w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="japaneseCounting"/>'
        '<w:isLgl/><w:suff w:val="space"/><w:lvlText w:val="第%1条"/><w:lvlJc w:val="center"/><w:rPr><w:b/>'
    ) in made.xml(["Mincho"])
    assert '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>' in made.xml([])
    assert made.relation(1, 0) == '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    assert made.relation(0, 3) == '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="0"/></w:numPr>'
    assert made.relation(2, 0) == ""


def test_a_list_of_nine_levels_that_begin_again() -> None:
    behind = b"".join(_level("\0.\1", restart=1, flags=8) if number == 2 else _level("", form=255) for number in range(9))
    made = _numbering(_lists(False), behind, _uses((100, b""))).xml([])
    assert made.count("<w:lvl ") == 9
    assert '<w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlRestart w:val="1"/><w:lvlText w:val="%1.%2"/>' in made
    assert '<w:numFmt w:val="none"/><w:suff w:val="nothing"/>' in made


def test_a_use_of_a_list_may_begin_elsewhere_or_look_otherwise() -> None:
    start = struct.pack("<iI", 5, 0x10 | 2)
    made = _numbering(_lists(True), _level("a"), _uses((100, start), (999, b"")))
    said = made.xml([])
    assert '<w:num w:numId="1"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="2"><w:startOverride w:val="5"/></w:lvlOverride></w:num>' in said
    assert '<w:abstractNum w:abstractNumId="1"/>' in said, "a use of no list"
    assert '<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>' in said
    own = struct.pack("<iI", 0, 0x20 | 0x10) + _level("*", form=23)
    assert '<w:lvlOverride w:ilvl="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="bullet"/>' in _numbering(
        _lists(True), _level("a"), _uses((100, own))
    ).xml([])


def test_lists_that_are_not_there_or_cut_off() -> None:
    assert _numbering(b"", b"", b"").xml([]) == ""
    assert _numbering(_lists(True), _level("a"), b"").xml([]) == ""
    for lists, behind, overrides in (
        (_lists(True)[:-1], _level("a"), b""), (_lists(True), _level("a")[:20], b""), (_lists(True), _level("abc")[:-2], b""),
        (_lists(True), _level("a"), struct.pack("<I", 2) + bytes(16)), (_lists(True), _level("a"), _uses((100, b"x"))),
        (struct.pack("<H", 9000) + bytes(28 * 9000), b"", b""),
    ):  # fmt: skip
        with pytest.raises(Malformed):
            _numbering(lists, behind, overrides)


@pytest.mark.parametrize(("number", "name"), [(0, "decimal"), (4, "lowerLetter"), (18, "decimalEnclosedCircle"), (57, "numberInDash"), (255, "none"), (99, "decimal"), (44, "koreanDigital2")])
def test_numbers_are_named(number: int, name: str) -> None:
    assert numbering.number_format(number) == name


# -------------------------------------------------------------------------------------------------------------------- forms


def _string(text: str) -> bytes:
    return struct.pack("<H", len(text)) + text.encode("utf-16-le") + b"\0\0"


def _field(bits: int, *, name: str = "欄", longest: int = 0, height: int = 0, default: bytes = b"", entry: str = "", leave: str = "", more: bytes = b"", form: str = "") -> bytes:
    body = struct.pack("<IHHH", 0xFFFF_FFFF, bits, longest, height) + _string(name) + default
    body += _string(form) + _string("") + _string("") + _string(entry) + _string(leave) + more
    return struct.pack("<iH", 6 + len(body), 6) + body


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_field(0, default=_string("市"), longest=9), '<w:textInput><w:default w:val="市"/><w:maxLength w:val="9"/></w:textInput>'),
        (_field(2 << 11, default=_string(""), form="yyyy"), '<w:textInput><w:type w:val="date"/><w:format w:val="yyyy"/></w:textInput>'),
        (_field(1 | 25 << 2, default=b"\1\0"), "<w:checkBox><w:sizeAuto/><w:default/></w:checkBox>"),
        (_field(1 | 0x400, height=20, default=b"\1\0"), '<w:checkBox><w:size w:val="20"/><w:default w:val="0"/></w:checkBox>'),
        (_field(2 | 1 << 2, default=b"\0\0", more=struct.pack("<HHH", 0xFFFF, 2, 0) + struct.pack("<H", 1) + "男".encode("utf-16-le") + struct.pack("<H", 1) + "女".encode("utf-16-le")),
         '<w:ddList><w:result w:val="1"/><w:listEntry w:val="男"/><w:listEntry w:val="女"/></w:ddList>'),
        (_field(0x200 | 0x4000, default=_string("")), '<w:enabled w:val="0"/><w:calcOnExit/>'),
    ],
)  # fmt: skip
def test_a_form_field_says_what_may_be_filled_in(data: bytes, said: str) -> None:
    made, macros = forms.write(b"x" * 5 + data, 5)
    assert made.startswith('<w:ffData><w:name w:val="欄"/>')
    assert said in made
    assert not macros


def test_a_form_field_that_names_macros_says_so() -> None:
    for field in (_field(0, default=_string(""), entry="Run"), _field(0, default=_string(""), leave="Run")):
        made, macros = forms.write(field, 0)
        assert macros
        assert "Run" not in made


def test_a_form_field_that_cannot_be_read_is_none() -> None:
    whole = _field(0, default=_string("x"))
    for data in (whole[:-4], b"", struct.pack("<iH", 6, 6), struct.pack("<iH", 60, 6) + bytes(60)):
        assert forms.write(data, 0) == ("", False)
