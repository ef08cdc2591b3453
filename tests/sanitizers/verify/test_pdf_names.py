"""The second opinion on PDF, piece by piece: names where an author chose them, objects by their numbers, attached files."""

from __future__ import annotations

import pytest

from sanitizers.model import Kind, PartInfo, Report, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import pdf_attached, pdf_walk
from sanitizers.verify.pdf_names import meant
from sanitizers.verify.pdf_walk import Walked, walk
from tests.build import pdf_outputs as outputs
from tests.build.context import context

ATTACHED = b"<</EF<</F 4 0 R/UF 4 0 R>>/F(a)/Type/Filespec/UF(a)>>"


def _meant(text: bytes) -> set[bytes]:
    return meant(text)[0]


@pytest.mark.parametrize(
    "holder", [b"Font", b"XObject", b"ExtGState", b"ColorSpace", b"Pattern", b"Shading", b"Properties", b"CharProcs", b"RoleMap", b"ClassMap"]
)
def test_the_keys_of_resources_are_chosen_and_what_lies_deeper_is_not(holder: bytes) -> None:
    assert b"JS" not in _meant(b"<</%b<</JS 3 0 R>>>>" % holder)
    assert b"JS" in _meant(b"<</%b<</A<</JS 3 0 R>>>>>>" % holder)
    assert b"JS" in _meant(b"<</%b[<</JS 3 0 R>>]>>" % holder), "an array is no dictionary of resources"


@pytest.mark.parametrize("key", [b"BaseFont", b"FontName", b"AS", b"C"])
def test_some_values_are_chosen_and_keys_beside_them_are_not(key: bytes) -> None:
    assert b"JS" not in _meant(b"<</%b/JS>>" % key)
    assert b"JS" in _meant(b"<</%b/A/JS 1>>" % key)
    assert b"JS" in _meant(b"<</JS/%b>>" % key)


def test_outside_of_a_dictionary_no_name_is_the_value_of_another() -> None:
    for text in (b"/AS/JS", b">>/AS/JS", b"]/AS/JS", b"[/AS/JS]", b"<<>>>>/AS/JS"):
        assert b"JS" in _meant(text)


def test_an_element_may_say_all_that_elements_say_and_no_more() -> None:
    every = b"/P 1 0 R/K 1/Pg 2 0 R/ID(a)/A 3 0 R/C/x/R 0/T(a)/Lang(a)/Alt(a)/E(a)/ActualText(a)/NS 4 0 R/PhoneticAlphabet/ipa/Phoneme(a)"
    assert meant(b"<<%b/S/JS>>" % every) == (_meant(b"<<%b/S/Other>>" % every), set())
    assert b"JS" in meant(b"<<%b/S/JS/F 1>>" % every)[1]
    assert b"JS" in meant(b"<<%b/S/JS>>" % every.replace(b"/P 1 0 R", b""))[1], "without a parent it is no element"


def test_an_object_is_found_by_its_number_whatever_it_is() -> None:
    walked = Walked({1: b"<</A 1>>", 2: b""}, {2: (b"<</B 1>>", b"data"), 3: (b"<</C 1>>", b"data")}, 1)
    assert [walked.dictionary(number) for number in (1, 2, 3, 4)] == [b"<</A 1>>", b"", b"<</C 1>>", b""]


def test_inflating_ends_at_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    import zlib

    monkeypatch.setattr(pdf_walk, "_MAX_INFLATED", 1000)
    assert pdf_walk.inflate(zlib.compress(bytes(1000))) == bytes(1000)
    with pytest.raises(VerificationFailed, match="more behind"):
        pdf_walk.inflate(zlib.compress(bytes(1001)))


def test_a_file_may_be_named_in_the_dictionary_of_a_stream_too() -> None:
    """And a part that was not delivered is no match for anything."""
    given = context("a.pdf", Kind.PDF, pdf_attachments=True)
    info = PartInfo(name="a", size=3, sha256=Source(b"one").sha256, kind=Kind.TEXT)
    given.parts.append(Report(path="b", verdict=Verdict.BLOCKED, reason=None, input=info, output=None))
    stream = (b"/Type/EmbeddedFile", b"one")
    walked = walk(outputs.document(stream=b"/X" + ATTACHED, streams={4: stream}))
    with pytest.raises(VerificationFailed, match="was not rebuilt"):
        pdf_attached.check(walked, given)
    given.parts.append(Report(path="a", verdict=Verdict.CLEAN, reason=None, input=info, output=info))
    pdf_attached.check(walked, given)
    with pytest.raises(VerificationFailed, match="another form"):
        pdf_attached.check(walk(outputs.document(stream=b"/X<</EF 4 0 R>>", streams={4: stream})), given)
