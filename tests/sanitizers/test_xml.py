"""The one XML reader: what it refuses, what it drops, what it writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizers import xml
from sanitizers.budget import Budget
from sanitizers.model import LimitExceeded, Limits, Malformed

LAUGHS = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["<!DOCTYPE a><a/>", LAUGHS, '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'])
def test_refuses_every_doctype(text: str, encoding: str) -> None:
    data = ("\ufeff" + text).encode(encoding) if encoding.endswith(("le", "be")) else text.encode(encoding)
    with pytest.raises(Malformed) as caught:
        xml.parse(data)
    assert caught.value.code == "xml.dtd"


@pytest.mark.parametrize("data", [b"", b"<a>", b"<a></b>", b"<a b='1' b='2'/>", b"<x:a/>", b"<a>&foo;</a>", b"<a>\0</a>", b"\xff\xfe", b"<a/><b/>"])
def test_refuses_what_is_not_well_formed(data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        xml.parse(data)
    assert caught.value.code == "xml.malformed"


def test_refuses_unknown_encodings() -> None:
    with pytest.raises(Malformed):
        xml.parse(b"<?xml version='1.0' encoding='no-such'?><a/>")


def test_depth_is_limited() -> None:
    assert xml.parse(b"<a>" * 200 + b"</a>" * 200).tag == "a"
    with pytest.raises(Malformed):
        xml.parse(b"<a>" * (xml.DEPTH_LIMIT + 1) + b"</a>" * (xml.DEPTH_LIMIT + 1))


def test_tree_is_limited_before_parsing() -> None:
    with pytest.raises(LimitExceeded):
        xml.parse(b"<a>" + b"x" * 2000 + b"</a>", Budget(Limits(memory_bytes=10_000), 1))


def test_comments_and_instructions_are_dropped_and_their_text_stays() -> None:
    root = xml.parse(b"<?xml-stylesheet href='x'?><a>1<!-- c -->2<?p i?>3<b/>4</a><!-- d -->")
    assert xml.serialize(root) == b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n<a>123<b/>4</a>"


def test_japanese_encodings_are_read_and_utf8_is_written() -> None:
    root = xml.parse('<?xml version="1.0" encoding="Shift_JIS"?><a>関所</a>'.encode("cp932"))
    assert "関所".encode() in xml.serialize(root)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), min_size=1))
def test_any_text_survives_twice(text: str) -> None:
    root = xml.parse(b"<a/>")
    root.text = text
    root.set("b", text)
    once = xml.serialize(root)
    assert xml.parse(once).text == text
    assert xml.serialize(xml.parse(once)) == once


@given(st.lists(st.sampled_from(["<a>", "</a>", "<b/>", "<b x='1'/>", "<b x='1' x='2'/>", "&amp;", "&x;", "]]>", "<", "\0", "é", "<!-- -->", "<?p?>", "<![CDATA[<]]>"])))
def test_check_refuses_what_parse_refuses(pieces: list[str]) -> None:
    data = f"<r>{''.join(pieces)}</r>".encode()
    try:
        xml.parse(data)
    except Malformed as refusal:
        with pytest.raises(Malformed) as caught:
            xml.check(data)
        assert caught.value.code == refusal.code
    else:
        xml.check(data)


@pytest.mark.parametrize(("text", "code"), [("<!DOCTYPE a><a>", "xml.dtd"), ("<a>" * 300 + "</a>" * 300, "xml.malformed"), ("<a/><b/>", "xml.malformed")])
def test_check_names_what_it_refuses(text: str, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        xml.check(text.encode())
    assert caught.value.code == code
