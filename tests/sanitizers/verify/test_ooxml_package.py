"""The second opinion on Office packages, rule by rule: the records of the ZIP, names and kinds of parts, and what hangs together."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from sanitizers.model import Kind, VerificationFailed
from sanitizers.verify import ooxml, ooxml_package
from sanitizers.verify.ooxml_package import TYPES_PART, Link, Package

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TOP = "_rels/.rels"


def _info(**said: int) -> zipfile.ZipInfo:
    """What the directory says of a member of one byte."""
    info = zipfile.ZipInfo("a")
    info.CRC, info.compress_size, info.file_size, info.header_offset = 5, 1, 1, 0
    for name, value in said.items():
        setattr(info, name, value)
    return info


def _record(signature: bytes = b"PK\x03\x04", flags: int = 0, extra: bytes = b"") -> bytes:
    """The member's own record."""
    return struct.pack("<4s5H3I2H", signature, 20, flags, 0, 0, 0, 5, 1, 1, 1, len(extra)) + b"a" + extra + b"x"


def _end(start: int, size: int = 0, signature: bytes = b"PK\x05\x06") -> bytes:
    return struct.pack("<4s4H2IH", signature, 0, 0, 1, 1, size, start, 0)


def _layout(record: bytes, end: bytes, **said: int) -> None:
    ooxml_package._check_layout(record + end, [_info(**said)])


def test_a_member_is_said_alike_by_its_record_and_by_the_directory() -> None:
    plain = _record()
    _layout(plain, _end(len(plain)))
    _layout(_record(flags=0x0800), _end(len(plain)), flag_bits=0x0800)      # its name in UTF-8
    for record, said in (
        (_record(signature=b"PK\x03\x05"), {}), (plain, {"header_offset": 1}), (_record(extra=b"more"), {}), (_record(flags=1), {"flag_bits": 1}),
        (_record(flags=8), {"flag_bits": 8}), (plain, {"CRC": 6}), (plain, {"file_size": 2}), (_record(flags=0x0800), {}),
    ):  # fmt: skip
        with pytest.raises(VerificationFailed, match="disagree"):
            _layout(record, _end(len(record)), **said)


def test_a_record_that_is_cut_off_is_no_record() -> None:
    with pytest.raises(VerificationFailed, match="ends within"):
        ooxml_package._check_layout(bytes(29), [_info()])
    with pytest.raises(VerificationFailed, match="disagree"):
        ooxml_package._check_layout(bytes(30), [_info()])


@pytest.mark.parametrize("end", [_end(32, signature=b"PK\x05\x07"), _end(33), _end(31), _end(32, size=1), _end(31, size=1), b"more" + _end(32)])
def test_the_directory_follows_the_last_member_and_ends_the_file(end: bytes) -> None:
    _layout(_record(), _end(32))
    with pytest.raises(VerificationFailed, match="not a plain ZIP"):
        _layout(_record(), end)


@pytest.mark.parametrize("field", ["comment", "extra"])
def test_what_only_the_directory_says_is_refused(field: str) -> None:
    """Its comments, and extra fields that the member's own record does not have."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("a.xml", b"<a/>")
        setattr(package.infolist()[0], field, struct.pack("<2H", 0x7777, 0))
    with pytest.raises(VerificationFailed, match="comments or extra fields"):
        ooxml_package.read(out.getvalue())


def test_every_kind_of_package_has_its_second_opinion() -> None:
    assert set(ooxml.VERIFIERS) == {Kind.DOCX, Kind.DOTX, Kind.XLSX, Kind.XLTX, Kind.PPTX, Kind.PPSX, Kind.POTX}
    for main in ("wordprocessingml.document", "wordprocessingml.template", "spreadsheetml.sheet", "spreadsheetml.template", "presentationml.presentation",
                 "presentationml.slideshow", "presentationml.template"):  # fmt: skip
        ooxml_package._check_main(_package(f"application/vnd.openxmlformats-officedocument.{main}.main+xml"))


def _package(main: str) -> Package:
    return Package({}, {"a.xml": main}, {TOP: {"rId1": Link(f"{OFFICE}/officeDocument", "a.xml", False)}})


def test_the_main_part_is_of_a_plain_kind() -> None:
    macros = WORD.replace("openxmlformats-officedocument.wordprocessingml.document", "ms-word.document.macroEnabled")
    for package in (_package("application/xml"), _package(macros), Package({}, {}, {}), _package(WORD)._replace(types={})):
        with pytest.raises(VerificationFailed, match="no main part"):
            ooxml_package._check_main(package)


@pytest.mark.parametrize("kind", ["chart", "chartshapes", "diagramData", "diagramLayout", "diagramLayoutHeader", "diagramStyle", "diagramColors"])
def test_charts_and_diagrams_are_known(kind: str) -> None:
    ooxml_package._check_part("a.xml", {"a.xml": f"application/vnd.openxmlformats-officedocument.drawingml.{kind}+xml"})


def test_the_list_of_types_needs_none_itself() -> None:
    ooxml_package._check_part(TYPES_PART, {})
    with pytest.raises(VerificationFailed, match="content type"):
        ooxml_package._check_part("other.xml", {})


def test_no_name_begins_at_the_root() -> None:
    ooxml_package._check_part("a.png", {".png": "image/png"})
    with pytest.raises(VerificationFailed, match="name of a part"):
        ooxml_package._check_part("/a.png", {".png": "image/png"})


def test_what_is_read_as_xml() -> None:
    assert all(ooxml_package.is_xml(name) for name in (TYPES_PART, TOP, "xl/drawings/vmlDrawing1.vml"))
    assert not ooxml_package.is_xml("word/media/image1.png")


@pytest.mark.parametrize("cut", [b"<a", b"<a>", b"<a></a"])
def test_a_list_that_ends_within_is_refused(cut: bytes) -> None:
    with pytest.raises(VerificationFailed, match="relationships:"):
        ooxml_package._relationships(cut)
    with pytest.raises(VerificationFailed, match="content types:"):
        ooxml_package._content_types({TYPES_PART: cut})


@pytest.mark.parametrize(
    "space", [OFFICE, "http://purl.oclc.org/ooxml/officeDocument/relationships", "http://schemas.microsoft.com/office/2011/relationships"]
)
def test_relationships_of_every_edition_are_known(space: str) -> None:
    ooxml_package._check_links(TOP, {"rId1": Link(f"{space}/theme", "a.xml", False)}, {"a.xml": b""}, ())
    with pytest.raises(VerificationFailed, match="relationship"):
        ooxml_package._check_links(TOP, {"rId1": Link(f"x{space}/theme", "a.xml", False)}, {"a.xml": b""}, ())


def test_an_address_outside_reaches_no_part() -> None:
    ooxml_package._check_reached({"a.xml": b""}, {TOP: {"rId1": Link(f"{OFFICE}/hyperlink", "a.xml", False)}})
    with pytest.raises(VerificationFailed, match="nothing refers"):
        ooxml_package._check_reached({"a.xml": b""}, {TOP: {"rId1": Link(f"{OFFICE}/hyperlink", "a.xml", True)}})
