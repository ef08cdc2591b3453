"""Instructions of Word's fields: which name stands there, whether it means something inside the document alone, and what it reaches for."""

from __future__ import annotations

import pytest

from sanitizers.formats.office.instructions import LOCAL, Reach, is_local, name_of, reach

SCHEMES = ("https",)


@pytest.mark.parametrize(
    ("instruction", "name"),
    [
        (" PAGE ", "PAGE"), ("page", "PAGE"), ('TOC\\o "1-3"', "TOC"), ('HYPERLINK"https://example.jp"', "HYPERLINK"), ("\tDate\t", "DATE"),
        ("= 1 + 2", "="), ("=SUM(ABOVE)", "="), ("", ""), ("  ", ""), ("PAGE1", ""), ("PAGE_", ""), ("DATE.x", ""), ("ＰＡＧＥ", ""), ("頁 PAGE", ""),
    ],
)  # fmt: skip
def test_a_name_ends_where_word_ends_it(instruction: str, name: str) -> None:
    assert name_of(instruction) == name
    assert is_local(instruction, SCHEMES, nested=False) == bool(name)


@pytest.mark.parametrize("name", sorted(LOCAL - {"HYPERLINK"}))
def test_what_means_something_inside_stays_whatever_takes_part_in_it(name: str) -> None:
    assert is_local(f" {name} \\* MERGEFORMAT", SCHEMES, nested=True)
    assert is_local(f" {name}X", SCHEMES, nested=False) == (name == "="), "what follows an equals sign is the formula"


@pytest.mark.parametrize(
    ("instruction", "reached"),
    [
        ("DDE excel", Reach.DDE), ("ddeauto x", Reach.DDE), ("LINK Excel.Sheet", Reach.EXTERNAL), ("INCLUDEPICTURE x", Reach.EXTERNAL),
        ("INCLUDE x", Reach.EXTERNAL), ("INCLUDETEXT x", Reach.EXTERNAL), ("IMPORT x", Reach.EXTERNAL), ("DATABASE", Reach.EXTERNAL),
        ("RD x", Reach.EXTERNAL), ("EMBED Package", Reach.OBJECT), ("CONTROL x", Reach.CONTROL), ("HTMLCONTROL x", Reach.CONTROL),
        ("OCX x", Reach.CONTROL), ("MACROBUTTON run x", Reach.MACRO), ("MACRO x", Reach.MACRO), ("NEXT", Reach.MERGE), ("NEXTIF", Reach.MERGE),
        ("SKIPIF", Reach.MERGE), ("MERGEREC", Reach.MERGE), ("MERGESEQ", Reach.MERGE), ("ADDRESSBLOCK", Reach.MERGE), ("GREETINGLINE", Reach.MERGE),
        ("HYPERLINK file:x", Reach.LINK), ("AUTOTEXT x", Reach.UNKNOWN), ("DDEX", Reach.UNKNOWN), ("", Reach.UNKNOWN),
    ],
)  # fmt: skip
def test_what_reaches_outside_goes_and_is_told_apart(instruction: str, reached: Reach) -> None:
    assert not is_local(instruction, SCHEMES, nested=False)
    assert reach(instruction) is reached


def test_a_link_stays_by_its_scheme_and_if_nothing_else_takes_part() -> None:
    link = 'HYPERLINK "https://example.jp/"'
    assert is_local(link, SCHEMES, nested=False)
    assert not is_local(link, SCHEMES, nested=True)
    assert not is_local(link, (), nested=False)
