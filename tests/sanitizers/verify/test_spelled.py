"""Every name of a plain document is seen, whatever it is spelled like and however much stands before it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sanitizers.model import VerificationFailed
from sanitizers.verify import spelled

PIECES = ("<a>", "</a>", "<b/>", '<b x="1"/>', "<b x='<' />", '<c  y="1"/>', '<d x="a>b" y="c"\n/>', "<e>t</e>", '<f:g f:h="&quot;" xmlns:f="urn:f"/>', "t", "é", '"', ">")


def _expected(data: bytes) -> tuple[set[str], set[str]] | None:
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError:
        return None
    every = list(root.iter())
    return {etree.QName(one).localname for one in every}, {etree.QName(name).localname for one in every for name in one.attrib}


def _seen(data: bytes) -> tuple[set[str], set[str]]:
    names = spelled.names(data)
    attributes = {name for name in names.attributes if not name.startswith(b"xmlns")}
    return {name.rpartition(b":")[2].decode() for name in names.elements}, {name.rpartition(b":")[2].decode() for name in attributes}


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_all_names_are_seen(pieces: list[str]) -> None:
    data = f"<r>{''.join(pieces)}</r>".encode()
    expected = _expected(data)
    if expected is not None:
        assert _seen(data) == expected


@pytest.mark.parametrize("piece", ["<b/>", '<b x="1"/>', "<z x='1'/>", '<z x="1" y="2"></z>'])
def test_names_far_behind_are_seen(piece: str) -> None:
    data = f"<r>{'<z/>' * 30_000}{piece}</r>".encode()
    assert _seen(data) == _expected(data)


def test_names_by_the_thousand_are_seen() -> None:
    data = ("<r>" + "".join(f'<a{number} b{number}="1"/>' for number in range(3000)) + "</r>").encode()
    assert _seen(data) == _expected(data)


@pytest.fixture
def learnt(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many shapes are known, each time that a pattern is made of them."""
    found: list[int] = []
    make = spelled._patterns

    def watched(shapes: set[tuple[bytes, tuple[bytes, ...]]]) -> Iterable[bytes]:
        found.append(len(shapes))
        return make(shapes)

    monkeypatch.setattr(spelled, "_patterns", watched)
    return found


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The name of each tag that is looked at."""
    found: list[bytes] = []
    shape = spelled._shape

    def watched(tag: re.Match[bytes]) -> tuple[bytes, tuple[bytes, ...]]:
        found.append(tag[1])
        return shape(tag)

    monkeypatch.setattr(spelled, "_shape", watched)
    return found


FAR = "t" * (1 << 16)


def test_what_was_learnt_is_not_looked_at_again(learnt: list[int], looked: list[bytes]) -> None:
    data = f"<r>{FAR}{'<a/><b/>' * 40_000}<c/>{FAR}<a/></r>".encode()
    assert _seen(data) == _expected(data)
    assert learnt == [1, 3, 4]
    assert len(looked) < 40_000


def test_forty_patterns_are_made_at_most(learnt: list[int], looked: list[bytes]) -> None:
    data = f"<r>{FAR.join(f'<a{number}/>' for number in range(45))}<z/><z/></r>".encode()
    assert _seen(data) == _expected(data)
    assert learnt == [*range(2, 42)]
    assert looked[-7:] == [b"a40", b"a41", b"a42", b"a43", b"a44", b"z", b"z"]


@pytest.mark.parametrize(("shapes", "patterns"), [(399, 2), (400, 1), (401, 1)])
def test_no_more_are_learnt_when_there_are_four_hundred(shapes: int, patterns: int, learnt: list[int], looked: list[bytes]) -> None:
    data = f"<r>{''.join(f'<a{number}/>' for number in range(shapes - 1))}{FAR}<y/><z/></r>".encode()
    assert _seen(data) == _expected(data)
    assert learnt == [shapes, shapes + 2][:patterns]
    assert looked[-2:] == [b"y", b"z"]


def test_what_is_spelled_otherwise_is_looked_at_by_itself(learnt: list[int], looked: list[bytes]) -> None:
    data = b"<r>" + b"<b x='1'/>" * 5 + b"</r>"
    assert _seen(data) == _expected(data)
    assert learnt == [2]
    assert len(looked) == 6 + 5 + 4 + 3 + 2 + 1


@pytest.mark.parametrize("text", ["<a>", "<a/><!-- c -->", "<!DOCTYPE a><a/>", "<a><![CDATA[x]]></a>", "<?p i?><a/>", "<a/>\0", "<a b='1' b='1'/>"])
def test_what_is_not_plain_is_refused(text: str) -> None:
    with pytest.raises(VerificationFailed):
        spelled.prove_plain("a.xml", text.encode())


def test_declarations_of_namespaces() -> None:
    data = b'<a xmlns="urn:a" xmlns:b="urn:b"><b:c xmlns:b="urn:c" d="1"/></a>'
    assert spelled.spaces(data) == {(b"", b"urn:a"), (b"b", b"urn:b"), (b"b", b"urn:c")}


@given(st.binary(max_size=40).map(lambda data: data.replace(b"<", b"x")), st.binary(max_size=40), st.integers(0, 3))
def test_common_ends_are_left_out(before: bytes, after: bytes, blocks: int) -> None:
    tail = b"<t/>" * (1 << 16) * blocks
    first, second = before + tail, after + tail
    head, other = spelled.unlike(first, second)
    assert first.startswith(head)
    assert second.startswith(other)
    assert first[len(head) :] == second[len(other) :]
    assert first[len(head) :][:1] in (b"", b"<") or first == second
    assert len(head) <= (1 << 18) + len(before) + 4 or not blocks or first == second


def test_ends_are_common_as_far_as_every_byte_is_the_same() -> None:
    block = b"<t/>" * (1 << 16)
    assert spelled.unlike(block + b"x", block + b"y") == (block + b"x", block + b"y")
    for between in (b"<a/>", b"<a/>" + block, block + b"<a/>" + block, block * 2 + b"<a/>"):
        before, after = between + block, between.replace(b"<a/>", b"<b/>") + block
        head, other = spelled.unlike(before, after)
        assert b"<a/>" in head
        assert b"<b/>" in other
        assert len(head) == len(other) <= len(between)
        assert before[len(head) :] == after[len(other) :]
    assert spelled.unlike(block, block) == spelled.unlike(block * 2, block * 2) == (b"", b"")
    assert spelled.unlike(b"<a>" + block, block) == (b"<a>", b"")
    assert spelled.unlike(b"<a/>", b"<b/>") == (b"<a/>", b"<b/>")
    assert spelled.unlike(b"", b"<b/>") == (b"", b"<b/>")


@given(st.lists(st.sampled_from(["<a x", "<b>", ">", "</b>", " x", "x ", 'y="x"']), max_size=20))
def test_what_stands_in_tags(pieces: list[str]) -> None:
    content = "".join(pieces).encode()
    found = [one.start() for one in spelled.in_tags(content, re.finditer(b"x", content))]
    assert found == [at for at, sign in enumerate(content) if sign == ord("x") and content.rfind(b"<", 0, at) > content.rfind(b">", 0, at)]


@pytest.mark.parametrize("data", [b"<r>< a/></r>", b"<r><a b></r>", b"<r"])
def test_a_tag_that_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationFailed, match="cannot be read"):
        spelled.names(data)


def test_what_only_looks_like_a_declaration_is_passed_over() -> None:
    assert spelled.spaces(b'<a xmlns="urn:a">xmlns xmlns= xmlns:1</a>') == {(b"", b"urn:a")}
    assert spelled.spaces(b'xmlns="urn:a"') == spelled.spaces(b'<xmlnsxmlns="urn:a"') == {(b"", b"urn:a")}


def test_names_are_asked_for_under_any_prefix() -> None:
    found = spelled.names(b'<r><a:b c:d="1"/></r>')
    assert found.has_element(b"b")
    assert found.has_element(b"x", b"r")
    assert found.has_attribute(b"d")
    for name in (b"a", b"a:b", b"d", b"x"):
        assert not found.has_element(name)
    for name in (b"c", b"c:d", b"b"):
        assert not found.has_attribute(name)
