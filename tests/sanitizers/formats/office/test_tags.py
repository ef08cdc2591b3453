"""Where a document needs a look: every tag of no harmless form, and every text that would not be written as it is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sanitizers.formats.office.tags import PLAIN_VALUE, Harmless, Tags

ROOT = b'<n:r xmlns:n="urn:n" xmlns:m="urn:n" xmlns:o="urn:o" xmlns="urn:d">'
VALUES = {"{urn:n}x": PLAIN_VALUE, "y": PLAIN_VALUE, "{urn:o}number": b"[0-9]{1,3}"}
NAMES = frozenset({"{urn:n}a", "{urn:n}b", "{urn:d}c"})


def _value(name: str, _empty: bool) -> bytes | None:
    return VALUES.get(name)


HARMLESS = Harmless(NAMES, _value, frozenset({"judged"}), lambda attributes: attributes["judged"] == "good & true")


def _others(text: str) -> list[int] | None:
    data = ROOT + text.encode() + b"</n:r>"
    found = Tags(ROOT, HARMLESS).others(data, len(ROOT), len(data) - len(b"</n:r>"))
    return None if found is None else [place - len(ROOT) for place in found]


@pytest.mark.parametrize("text", [
    '<n:a><n:b n:x="1" y="2"/>a &amp; b</n:a>', '<c n:x="é"/>', '<n:a o:number="12">x</n:a>', '<n:a judged="good &amp; true"/>', '<n:a n:x="&quot;&lt;"/>', '"text"',
])  # fmt: skip
def test_nothing_to_look_at(text: str) -> None:
    assert _others(text) == []


@pytest.mark.parametrize("text", [
    "<n:d/>", "<o:a/>", "<a/>", '<n:a x="1"/>', '<n:a o:x="1"/>', '<q:a xmlns:q="urn:n"/>', '<n:a xmlns:n="urn:q"/>', "<n:a n:x='1'/>", '<n:a  n:x="1"/>', '<n:a n:x ="1"/>',
    '<n:a n:x="1" />', "<n:a></n:a>", '<n:a n:x="a>b"/>', '<n:a n:x="a\nb"/>', '<n:a n:x="a\tb"/>', '<n:a n:x="&#65;"/>', '<n:a o:number="1234"/>', '<n:a o:number="1&amp;"/>',
    '<n:a judged="bad"/>', '<n:a judged="good &amp; true" n:z="1"/>', "<é/>", '<n:a n:x="1" m:x="1"/>', "<q:a/>", '<n:a q:x="1"/>',
])  # fmt: skip
def test_tags_to_look_at(text: str) -> None:
    found = _others(f"{text}<n:b/>")
    assert found is not None
    assert found[0] == 0
    assert max(found) < len(text)


@pytest.mark.parametrize(("text", "place"), [("a&quot;", 1), ("a\rb", 1), ("<n:b/>&#65;", 6), ("<n:a>a > b</n:a>", 7), ("<c/>&apos;", 4)])
def test_texts_to_look_at(text: str, place: int) -> None:
    assert _others(text) == [place]


@pytest.mark.parametrize("text", ["<!-- c -->", "<?p i?>", "<![CDATA[x]]>", "<n:a>x</n:a >", "<n:a>x</n:a\n>"])
def test_too_odd(text: str) -> None:
    assert _others(f"<n:b/>{text}") is None


def test_a_text_without_end_is_looked_at() -> None:
    assert _others("<n:b/>" + "x" * (9 << 20)) != []


def test_a_form_that_no_sample_shows_is_learned_where_it_stands() -> None:
    """And with it those that follow."""
    rare = '<n:a n:x="1">t</n:a><c y="2"/>' * 3
    plain = "<n:b/>" * 40_000
    assert _others(plain[:6000] + rare + plain + "<n:d/>") == [6000 + len(rare) + len(plain)]


def test_forms_without_end_are_looked_at() -> None:
    names = [f"{'n:x' if number & 1 else 'y'}" for number in range(2)]
    many = "".join(f'<n:a n:x="1" o:number="{number}"/><n:q{number}/>' for number in range(3000))
    found = _others(many + f'<n:b {names[0]}="1"/>')
    assert found is not None
    assert len(found) == 3000 + 2000      # unknown names, and numbers of four digits


@given(st.lists(st.sampled_from(['<n:a n:x="1">', "</n:a>", "<n:b/>", "<n:d/>", '<c y="2"/>', '<c z="2"/>', "t", "&amp;", "&quot;", "<n:a>", '<q xmlns="urn:d"/>']), max_size=30))
def test_what_needs_no_look_is_written_as_it_is_read(pieces: list[str]) -> None:
    text = "".join(pieces)
    data = ROOT + text.encode() + b"</n:r>"
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError:
        return
    if _others(text) != []:
        return
    assert etree.tostring(root) in (data, ROOT[:-1] + b"/>")
    assert {element.tag for element in root.iterdescendants()} <= NAMES
    assert {name for element in root.iterdescendants() for name in element.attrib} <= VALUES.keys()
