"""Stretches are set aside, keep their places, and come back where those have gone."""

from __future__ import annotations

import pytest

from sanitizers import xml
from sanitizers.formats.office import excerpt
from sanitizers.formats.office.excerpt import Excerpt
from sanitizers.formats.office.tags import PLAIN_VALUE, Harmless
from tests.build.apart import apart

HARMLESS = Harmless(frozenset({"a", "b", "p", "r"}), lambda name, _: PLAIN_VALUE if name == "x" else None)
LONG = "<b>" * 300 + "<no/>" + "</b>" * 300


def _take(text: str, passed: str = "p", hold: excerpt.Hold | None = None) -> Excerpt | None:
    with apart():
        return excerpt.take(text.encode(), HARMLESS, frozenset(passed.split()), hold)


def _runs(text: str, passed: str = "p", hold: excerpt.Hold | None = None) -> list[str]:
    taken = _take(text, passed, hold)
    assert taken is not None
    assert taken.fill(taken.frame) == text.encode()
    return [run.decode() for run in taken.runs]


@pytest.mark.parametrize(("inside", "runs"), [
    ("<a/><b>t</b>", ["<a/><b>t</b>"]),
    ("<a/><no/><b/>", ["<a/>", "<b/>"]),
    ("<a/><b><no/></b>t<b/>", ["<a/>", "t<b/>"]),
    ("<p><a/><no/><b/></p><a/>", ["<a/>", "<b/>", "<a/>"]),
    ("<p x='1'><a/><no/><b/></p><a/>", ["<a/>"]),
    ("<p><p><a/><no/></p><b/></p>", ["<a/>", "<b/>"]),
    ("<b><b><b/><no/></b><b/></b><a/>", ["<a/>"]),
    ("<a/><b><c>&#65;</c></b><a/>", ["<a/>", "<a/>"]),
    ("<a/><b>1 > 2</b><a/>", ["<a/>", "<a/>"]),
])  # fmt: skip
def test_what_is_set_aside(inside: str, runs: list[str]) -> None:
    assert _runs(f"<r>{inside}</r>") == runs


@pytest.mark.parametrize("text", [
    "<r/>", "r", "<r>", "<r><!-- c --><a/></r>", "<r><a/></r><r/>", "<r><a/></r><!-- c -->", "<!DOCTYPE r><r><a/></r>", "<?p i?><r><a/></r>",
    "<?xml version='1.0' encoding='utf-16'?><r><a/></r>", "<r>&quot;<a/></r>", "<r><b><no/></r>", "<r><b><no/><b></r>",
])  # fmt: skip
def test_what_is_taken_whole(text: str) -> None:
    assert _take(text) is None


def test_small_documents_are_taken_whole() -> None:
    assert excerpt.take(b"<r>" + b"<a/>" * 100 + b"</r>", HARMLESS, frozenset()) is None


def test_many_elements_in_one_another_are_not_passed_through() -> None:
    deep = "<p><a/>" * 5000 + "<no/>" + "</p>" * 5000
    assert len(_runs(f"<r>{deep}</r>")) < 100
    assert _runs(f"<r>{LONG}<a/></r>") == ["<a/>"]


def test_what_follows_may_be_held_back() -> None:
    seen: list[bytes] = []

    def hold(content: bytes) -> bool:
        seen.append(content)
        return content == b"<no/>"

    assert _runs("<r><a/><no/><b/><no>2</no><a/></r>", hold=hold) == ["<a/>", "<a/>"]
    assert seen == [b"<no/>", b"<no>2</no>"]


@pytest.mark.parametrize("text", ["\U000f0000", "&#xF0000;", "&#xf0000;", "&#983040;", "&#0000000000983040;", "&#x00000000000F0000;"])
def test_no_text_is_taken_for_a_mark(text: str) -> None:
    taken = _take(f"<r><a/><no>{text}0{text}</no><b/></r>")
    assert taken is not None
    written = xml.serialize(xml.parse(taken.frame))
    assert taken.fill(written).endswith(f"<r><a/><no>{chr(0xF0000)}0{chr(0xF0000)}</no><b/></r>".encode())


def test_a_stretch_goes_with_its_place() -> None:
    taken = _take("<r><p><a/><no/></p><b/></r>")
    assert taken is not None
    root = xml.parse(taken.frame)
    root.remove(root[0])
    assert taken.fill(xml.serialize(root)).endswith(b"<r/>")
    root = xml.parse(taken.frame)
    root.append(root[0])
    assert taken.fill(xml.serialize(root)).endswith(b"<r><p><a/><no/></p><b/></r>")
