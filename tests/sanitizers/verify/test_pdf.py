"""The second opinion on PDF refuses whatever the sanitizer would never write, wherever it stands and however it is written."""

from __future__ import annotations

import io
import re
import zlib
from typing import Any

import pytest
from PIL import Image

from sanitizers.context import Context
from sanitizers.formats.pdf import SANITIZER
from sanitizers.model import Kind, PartInfo, Report, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import pdf, pdf_attached
from sanitizers.verify.pdf_walk import walk
from tests.build import pdf as build
from tests.build import pdf_outputs as outputs
from tests.build.context import context, sanitize

ORIGINAL = outputs.document()
NAMES = sorted(pdf._FORBIDDEN | pdf._ATTACHING)
KINDS = sorted(pdf._FORBIDDEN_KINDS)


def check(output: bytes, original: bytes = ORIGINAL, **treatment: Any) -> None:
    pdf.verify(Source(output), Source(original), context("a.pdf", Kind.PDF, **treatment))


def refused(output: bytes, words: str, original: bytes = ORIGINAL, **treatment: Any) -> None:
    with pytest.raises(VerificationFailed, match=re.escape(words)):
        check(output, original, **treatment)


def test_what_the_sanitizer_makes_passes() -> None:
    data = build.saved(build.clean())
    output = sanitize(SANITIZER, data, Kind.PDF)[0].content.bytes()
    check(output, data)


def test_a_file_made_by_hand_in_the_same_form_passes() -> None:
    check(ORIGINAL)


# ------------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize("position", ["catalog", "page", "stream"])
@pytest.mark.parametrize("name", NAMES, ids=bytes.decode)
def test_a_forbidden_name_is_refused_everywhere(name: bytes, position: str) -> None:
    refused(outputs.document(**{position: b"/%b null" % name}), f"/{name.decode()} is left")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES, ids=bytes.decode)
def test_a_forbidden_name_is_refused_however_deep_and_written(name: bytes) -> None:
    oddly = b"#%02x" % name[0] + name[1:]
    for written in (name, oddly, b"".join(b"#%02X" % byte for byte in name)):
        refused(outputs.document(catalog=b"/Outlines<</A<</K[<</X/%b>>]>>>>" % written), f"/{name.decode()} is left")


@pytest.mark.parametrize("key", [b"S", b"Subtype", b"Type"], ids=bytes.decode)
@pytest.mark.parametrize("kind", KINDS, ids=bytes.decode)
def test_a_forbidden_kind_is_refused(kind: bytes, key: bytes) -> None:
    refused(outputs.document(page=b"/Annots[<</%b/%b>>]" % (key, kind)), f"/{kind.decode()} is left")


# Places where any word may stand, since the author of the document chose it.
CHOSEN = {
    "font": b"/Resources<</Font<</F1 3 0 R/WORD 3 0 R>>>>", "layer": b"/Resources<</Font<</F1 3 0 R>>/Properties<</WORD 3 0 R>>>>",
    "glyph": b"/X<</CharProcs<</WORD 4 0 R>>/Encoding<</Differences[65/A/WORD 70/WORD]>>>>", "typeface": b"/X<</BaseFont/WORD>>",
    "ink": b"/X[/Separation/WORD/DeviceGray 3 0 R]", "inks": b"/X[/DeviceN[/Cyan/WORD]/DeviceGray 3 0 R]",
    "state": b"/X<</AP<</N<</Off 3 0 R/WORD 3 0 R>>>>/AS/WORD>>", "role": b"/X<</RoleMap<</WORD/P/Other/WORD>>>>",
    "element": b"/X<</P 1 0 R/K[]/S/WORD>>", "class": b"/X<</C/WORD>>/Y<</C[/A/WORD]>>",
}  # fmt: skip
NOT_CHOSEN = {
    "in a font": b"/X<</Font<</F1<</WORD 3 0 R>>>>>>", "after a word": b"/X[/Font<</WORD 3 0 R>>]", "beside": b"/X<</Font<<>>/WORD 3 0 R>>",
    "value of a font": b"/X<</Font<</F1/WORD>>>>", "in a state": b"/X<</AP<</N<</On<</WORD 1>>>>>>>>", "first ink": b"/X[/WORD/Separation]",
    "in an ink": b"/X[/Separation/A<</WORD 1>>]", "beside an ink": b"/X[/Separation/A<</Y[/WORD]>>]", "text before": b"/X<</Lang(/Font<<)/WORD(>>)>>", "bare": b"/X/WORD", "key after": b"/X 1/WORD 2",
    "after an end": b"/X<</Font<<>>>>>>/WORD 3 0 R<<",
}  # fmt: skip


@pytest.mark.parametrize("word", [*NAMES, *KINDS], ids=bytes.decode)
def test_a_forbidden_word_may_be_a_name_that_the_author_chose(word: bytes) -> None:
    for place in CHOSEN.values():
        check(outputs.document(page=place.replace(b"WORD", word)))


@pytest.mark.parametrize("place", NOT_CHOSEN.values(), ids=list(NOT_CHOSEN))
def test_a_forbidden_name_near_a_chosen_one_is_refused(place: bytes) -> None:
    for word in (b"JS", b"AA", b"Launch"):
        refused(outputs.document(page=place.replace(b"WORD", word)), f"/{word.decode()} is left")


@pytest.mark.parametrize("fields", [b"/S/Hide/P 1 0 R/H true", b"/S/Hide/T(x)", b"/Type/Sound/P 1 0 R", b"/P 1 0 R/S/Thread/D 0"])
def test_what_only_resembles_an_element_of_the_structure_is_refused(fields: bytes) -> None:
    refused(outputs.document(page=b"/X<<%b>>" % fields), "is left")


def test_a_forbidden_name_in_an_object_without_its_end_is_refused() -> None:
    refused(outputs.document(more={4: b"<</S/JavaScript"}), "/JavaScript is left")
    refused(outputs.document(more={4: b"]]>>/S/JavaScript"}), "/JavaScript is left")


def test_a_forbidden_word_in_a_text_is_no_name() -> None:
    check(outputs.document(catalog=b"/Lang(/JavaScript /JS \\(/Launch\\))"))


@pytest.mark.parametrize("name", [b"LZWDecode", b"JBIG2Decode", b"JPXDecode", b"ASCIIHexDecode", b"RunLengthDecode", b"Jav#61Decode"])
def test_only_three_filters_may_be_there(name: bytes) -> None:
    with pytest.raises(VerificationFailed, match="is left"):
        check(outputs.document(stream=b"/Filter/%b" % name))


def test_a_name_that_is_written_oddly_is_refused() -> None:
    refused(outputs.document(catalog=b"/P#61geMode/UseNone"), "written oddly")
    refused(outputs.document(catalog=b"/X#zz null"), "written oddly")
    check(outputs.document(page=b"/Resources<</Font<</F1 3 0 R/F#231 3 0 R/F#E3#81 3 0 R>>>>"))


def test_a_name_in_the_dictionary_of_a_cross_reference_is_written_plainly_too() -> None:
    refused(outputs.document(stream=b"/XRefs 1/P#61geMode/UseNone"), "written oddly")


def test_bookmarks_may_lead_back_and_pictures_may_be_faxes() -> None:
    check(outputs.document(catalog=b"/Outlines<</First 3 0 R/Prev 3 0 R>>"))
    check(outputs.document(streams={4: (b"/Decode[1 0]/Filter/CCITTFaxDecode", b"x")}))


@pytest.mark.parametrize("text", [b"% comment\n", b"(open", b"shut)", b"<</X(a)b)>>"])
def test_what_hides_between_objects_is_refused(text: bytes) -> None:
    refused(outputs.document(more={4: text}), "a comment or a broken string")


@pytest.mark.parametrize("name", sorted(pdf._ATTACHING), ids=bytes.decode)
def test_attached_files_are_refused_where_policy_does_not_attach_them(name: bytes) -> None:
    output = outputs.document(catalog=b"/Names<</%b null>>" % name)
    refused(output, f"/{name.decode()} is left")
    try:
        check(output, pdf_attachments=True)
    except VerificationFailed as refusal:
        assert "is left" not in refusal.detail


# ------------------------------------------------------------------------------------------------------------------- links


@pytest.mark.parametrize(
    "link",
    [
        b"/URI(javascript:alert\\(1\\))", b"/URI(file:///c:/x)", b"/URI(\\\\\\\\192.0.2.1\\\\s)", b"/URI(search-ms:x)", b"/URI()",
        b"/URI(JaVaScRiPt:x)", b"/URI<66696c653a2f2f78>", b"/URI( https://town.example.jp/)", b"/URI(\\146ile:x)",
    ],
)  # fmt: skip
@pytest.mark.parametrize("position", ["page", "stream"])
def test_a_link_outside_the_allowed_schemes_is_refused(link: bytes, position: str) -> None:
    refused(outputs.document(**{position: b"/Annots[<</A<</S/URI%b>>>>]" % link}), "a link to")  # type: ignore[arg-type]


@pytest.mark.parametrize("link", [b"/URI 3 0 R", b"/URI<</Base(x)>>", b"/URI[(https://x)]", b"/URI/https:"])
def test_a_link_that_cannot_be_read_is_refused(link: bytes) -> None:
    refused(outputs.document(page=b"/Annots[<</A<</S/URI%b>>>>]" % link), "a link that cannot be read")


def test_allowed_links_pass_and_policy_narrows_them() -> None:
    output = outputs.document(page=b"/Annots[<</A<</S/URI/URI(https://town.example.jp/?a=\\(b\\))>>>><</A<</S/URI/URI<6D61696C746F3A61>>>>>]")
    check(output)
    refused(output, "a link to https", link_schemes=("mailto",))
    refused(output, "a link to https", pdf_links_removed=True)
    refused(outputs.document(page=b"/Annots[<</A<</S/URI/URI(mailtox)>>>>]"), "a link to mailtox")


def test_a_text_that_speaks_of_links_is_no_link() -> None:
    check(outputs.document(catalog=b"/Lang(/URI\\(javascript:x\\))"))


# ----------------------------------------------------------------------------------------------------------------- streams


@pytest.mark.parametrize("fields", [b"/F(x.bin)", b"/F<</F(x)>>", b"/F 3 0 R", b"/F<61>", b"/Ref<</F(x)>>", b"/Ref 3 0 R"])
def test_a_stream_with_data_from_outside_is_refused(fields: bytes) -> None:
    refused(outputs.document(stream=fields), "data from outside")


def test_a_font_named_f_is_no_data_from_outside() -> None:
    check(outputs.document(stream=b"/Resources<</Font<</F 3 0 R>>>>"))


def test_more_than_a_picture_in_a_jpeg_is_refused() -> None:
    stream = io.BytesIO()
    Image.new("L", (8, 8), 99).save(stream, "JPEG")
    check(outputs.document(streams={4: (b"/Filter/DCTDecode", stream.getvalue())}))
    for data in (stream.getvalue() + b"PK\x03\x04", b"MZ" + stream.getvalue(), b""):
        refused(outputs.document(streams={4: (b"/Filter/DCTDecode", data)}), "more than a picture")


# --------------------------------------------------------------------------------------------------------------- structure


def test_bytes_outside_the_objects_are_refused() -> None:
    for output in (b"GIF89a" + ORIGINAL, ORIGINAL + b"PK\x03\x04", ORIGINAL.replace(outputs.HEADER, outputs.HEADER + b"%x\n")):
        with pytest.raises(VerificationFailed):
            check(output)
    refused(outputs.document(between=b"%PDF-1.4\n"), "foreign bytes between objects")
    refused(outputs.document(between=b"99 0 obj\n<</JS(x)>>\nendobj\n"), "foreign bytes between objects")


def test_a_second_revision_is_refused() -> None:
    start = len(ORIGINAL)
    update = b"1 0 obj\n<</Type/Catalog>>\nendobj\nxref\n0 1\n0000000000 65535 f \ntrailer\n<</Prev 9>>\nstartxref\n%d\n%%%%EOF\n" % start
    with pytest.raises(VerificationFailed):
        check(ORIGINAL + update)
    with pytest.raises(VerificationFailed):
        check(ORIGINAL + ORIGINAL)
    refused(outputs.document(stream=b"/Prev 9/Type/XRef"), "an older revision is left")


def test_a_cross_reference_that_leads_elsewhere_is_refused() -> None:
    hidden = b"BT ET 11 0 obj\n<</S/JavaScript>>\nendobj"
    refused(outputs.document(streams={12: (b"", hidden)}, stray={12: 40}), "the cross-reference names other objects")
    moved = ORIGINAL.replace(b"startxref\n", b"startxref\n1")
    with pytest.raises(VerificationFailed, match="not the last object"):
        check(moved)


def test_an_object_that_is_there_twice_is_refused() -> None:
    double = outputs.packed(1, {3: b"<</BaseFont/Other>>"})
    refused(outputs.document(between=double), "is there twice")


def test_a_stream_with_a_wrong_length_is_refused() -> None:
    refused(ORIGINAL.replace(b"/Length ", b"/Length 1", 1), "wrong length")


def test_more_behind_the_end_of_an_object_stream_is_refused() -> None:
    refused(outputs.document(between=outputs.packed(12, {13: b"null"}, behind=b"MZ")), "more behind it")
    broken = outputs.packed(12, {13: b"null"}).replace(zlib.compress(b"13 0\nnull"), b"x" * len(zlib.compress(b"13 0\nnull")))
    refused(outputs.document(between=broken), "cannot be inflated")


@pytest.mark.parametrize("head", [b"13 x\n", b"13 0 14\n", b"13 0 14 0\n", b"13 1\n", b"\n"])
def test_an_object_stream_with_a_broken_head_is_refused(head: bytes) -> None:
    refused(outputs.document(between=outputs.packed(12, {13: b"null"}, head=head)), "a broken head")


def test_objects_of_an_object_stream_that_overlap_are_refused() -> None:
    refused(outputs.document(between=outputs.packed(12, {13: b"null", 14: b"null"}, head=b"13 0 14 90\n")), "empty or overlapping objects")


def test_a_cross_reference_of_another_form_is_refused() -> None:
    for written, other in ((b"/W[1 3 2]", b"/W[1 1 2]"), (b"/W[1 3 2]", b"/W[2 3 2]"), (b"/W[1", b"/Index[0 9]/W[1"), (b"/XRef", b"/Xref")):
        refused(ORIGINAL.replace(written, other), "a cross-reference of another form")
    refused(outputs.document(between=outputs.packed(40, {41: b"null"})), "a cross-reference of another form")


# ---------------------------------------------------------------------------------------------------------- attached files


@pytest.mark.parametrize("fields", [b"/EF<</F 4 0 R>>", b"/EF 4 0 R", b"/EF<</F 4 0 R/UF 10 0 R>>", b"/EF<</UF 4 0 R/F 4 0 R>>"])
def test_a_file_that_is_attached_in_another_form_is_refused(fields: bytes) -> None:
    catalog = b"/Names<</EmbeddedFiles<</Names[(a)<<%b/Type/Filespec>>]>>>>" % fields
    output = outputs.document(catalog=catalog, streams={4: (b"/Type/EmbeddedFile", b"x")})
    refused(output, "a file is attached in another form", pdf_attachments=True)


def test_an_attached_file_that_no_list_names_is_refused() -> None:
    refused(outputs.document(streams={4: (b"/Type/EmbeddedFile", b"x")}), "a file is attached that no list names", pdf_attachments=True)


LISTED = b"/Names<</EmbeddedFiles<</Names[(a)<</EF<</F 4 0 R/UF 4 0 R>>/F(a)/Type/Filespec/UF(a)>>]>>>>"


def given_file(content: bytes) -> Context:
    """A context whose engine delivered `content` as an attachment."""
    given = context("a.pdf", Kind.PDF, pdf_attachments=True)
    info = PartInfo(name="a", size=len(content), sha256=Source(content).sha256, kind=Kind.TEXT)
    given.parts.append(Report(path="a", verdict=Verdict.CLEAN, reason=None, input=info, output=info))
    return given


@pytest.mark.parametrize("packed", [False, True])
def test_an_attached_file_is_the_one_that_the_engine_delivered(packed: bool) -> None:
    stream = (b"/Filter/FlateDecode/Type/EmbeddedFile", zlib.compress(b"one")) if packed else (b"/Type/EmbeddedFile", b"one")
    walked = walk(outputs.document(catalog=LISTED, streams={4: stream}))
    pdf_attached.check(walked, given_file(b"one"))
    with pytest.raises(VerificationFailed, match="was not rebuilt"):
        pdf_attached.check(walked, given_file(b"two"))
    with pytest.raises(VerificationFailed, match="was not rebuilt"):
        pdf_attached.check(walk(outputs.document(catalog=LISTED)), given_file(b"one"))
