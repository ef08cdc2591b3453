"""The walk over the bytes of a rebuilt PDF, byte by byte: what it takes for an object, and where it stops."""

from __future__ import annotations

import zlib

import pytest

from sanitizers.model import VerificationFailed
from sanitizers.verify import pdf_walk
from sanitizers.verify.pdf_walk import walk
from tests.build import pdf_outputs as outputs

ORIGINAL = outputs.document()


def _refused(data: bytes, words: str) -> None:
    with pytest.raises(VerificationFailed, match=words):
        walk(data)


def test_a_file_without_an_object_is_refused() -> None:
    _refused(outputs.HEADER + b"startxref\n%d\n%%%%EOF\n" % len(outputs.HEADER), "not the last object")


def test_the_trailer_is_short() -> None:
    """Of 64 bytes at most, however its number is padded."""
    head, _, tail = ORIGINAL.rpartition(b"startxref\n")
    number = int(tail.split()[0])
    assert walk(head + b"startxref\n%047d\n%%%%EOF\n" % number) == walk(ORIGINAL)
    _refused(head + b"startxref\n%048d\n%%%%EOF\n" % number, "one trailer")


def test_the_root_is_the_one_that_the_cross_reference_names() -> None:
    assert walk(ORIGINAL).root == 1
    assert walk(ORIGINAL.replace(b"/Root 1 0 R", b"/Rood 1 0 R")).root == 0


def test_a_stream_without_a_length_is_refused() -> None:
    _refused(outputs.document(between=b"12 0 obj\n<<>>\nstream\n\nendstream\nendobj\n"), "foreign bytes")


def test_the_objects_of_a_stream_are_cut_where_its_head_says() -> None:
    plain = {13: b"<</A 1>>", 14: b"[1 2 3]", 15: b"null"}
    walked = walk(outputs.document(more={12: b"0", **plain}))
    assert {number: walked.plain[number].strip() for number in plain} == plain


@pytest.mark.parametrize("head", [b"13 0 14 0\n", b"13 0 14 9\n", b"13 0 14 10\n", b"13 5 14 0\n"])
def test_no_object_of_a_stream_is_empty_or_lies_over_another(head: bytes) -> None:
    """Their text is nine bytes long."""
    words = "broken head" if head.startswith(b"13 5") else "empty or overlapping"
    _refused(outputs.document(between=outputs.packed(12, {13: b"null", 14: b"null"}, head=head)), words)


def test_the_head_of_an_object_stream_has_two_numbers_for_each_object() -> None:
    two = {13: b"null", 14: b"null"}
    _refused(outputs.document(between=outputs.packed(12, two, head=b"13 0 14\n")), "broken head")
    for word in (b"/N ", b"/First "):
        nameless = outputs.packed(12, two).replace(word, b"/M ")
        assert nameless != outputs.packed(12, two)
        _refused(outputs.document(between=nameless), "without a head")


def test_a_stream_that_was_cut_off_is_refused() -> None:
    whole = zlib.compress(bytes(range(256)))
    assert pdf_walk.inflate(whole) == bytes(range(256))
    for data in (whole[:-1], whole[:-5], whole + b"x"):
        with pytest.raises(VerificationFailed):
            pdf_walk.inflate(data)


@pytest.mark.parametrize(("width", "good"), [(3, True), (8, True), (9, False), (2, True)])
def test_offsets_have_eight_bytes_at_most(width: int, good: bool) -> None:
    rows = {0: (0, 0, 65535), 1: (1, 17, 0)}
    body = b"".join(bytes((kind,)) + where.to_bytes(width, "big") + extra.to_bytes(2, "big") for kind, where, extra in rows.values())
    fields = b"<</Type/XRef/W[1 %d 2]>>" % width
    if good:
        pdf_walk._check_table(fields, zlib.compress(body), rows)
        return
    with pytest.raises(VerificationFailed, match="other objects"):
        pdf_walk._check_table(fields, zlib.compress(body), rows)
