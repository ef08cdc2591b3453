"""HTML before a parser sees it: how deep it nests, and its text piece by piece."""

from __future__ import annotations

import pytest

from sanitizers import markup


@pytest.mark.parametrize(
    ("html", "depth"),
    [
        ("", 0), ("a < b", 0), ("<div>", 1), ("<div><span></span></div>", 2), ("<div></div><div></div>", 1), ("</div></div><div>", 1),
        ("<p><p><p>", 0), ("<li><td><br><IMG>", 0), ("<DIV><div/>", 2), ("<b>" * 7, 7), ("<html><body><table><tr><td>", 1),
    ],
)  # fmt: skip
def test_depth_is_counted_without_what_closes_itself(html: str, depth: int) -> None:
    assert markup.nesting(html) == depth


def test_a_page_that_nests_too_deep_is_not_parsed() -> None:
    assert markup.parsable("<div>" * markup.NESTING_LIMIT)
    assert not markup.parsable("<div>" * (markup.NESTING_LIMIT + 1))


def test_an_element_of_too_many_attributes_is_not_parsed() -> None:
    many = " ".join(f"attribute{number}" for number in range(600))
    assert not markup.parsable(f"<p {many}>")
    assert not markup.parsable("<p " + "x='1234567890'" * 501 + ">")
    assert markup.parsable("<p title='" + "x" * 9000 + "'>")
    assert markup.parsable(f"<p>{many}</p>"), "words of a text are no attributes"


@pytest.mark.parametrize(
    ("html", "pieces"),
    [
        ("a", [("a", "")]),
        ("a<br>b", [("a", "br"), ("b", "")]),
        ("1 < 2<p x='y'>b</p>", [("1 <", ""), (" 2", "p x='y'"), ("b", "/p"), ("", "")]),
        ("a<!-- <b> -->c", [("a", "!-- <b"), ("c", "")]),
        ("a<!-- never closed", [("a", "!-- never closed"), (" never closed", "")]),
        ("a<script>x<y</SCRIPT>b", [("a", "script"), ("", "/SCRIPT"), ("b", "")]),
        ("<style>p{}</style>b", [("", "style"), ("", "/style"), ("b", "")]),
        ("<script>never closed", [("", "script"), ("never closed", "")]),
        ("a<b", [("a", "b"), ("b", "")]),
        ("<?php x?>a", [("", "?php x?"), ("a", "")]),
    ],
)
def test_text_is_read_in_pieces(html: str, pieces: list[tuple[str, str]]) -> None:
    assert list(markup.pieces(html)) == pieces


def test_an_end_that_does_not_come_is_looked_for_once() -> None:
    found = list(markup.pieces("<script>a" * 50 + "<!-- b" * 50))
    assert "".join(text for text, _ in found).count("a") == 50
    assert len(found) == 101
