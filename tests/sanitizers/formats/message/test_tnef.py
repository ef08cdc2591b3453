"""winmail.dat as many programs have written it: every shape of an attribute and of a property, and those that lie about their size."""

from __future__ import annotations

import struct

import pytest

from tests.build.context import run
from tests.build.message import attachment, by_smtp, parts_mail, read_message, text
from tests.build.outlook import Values, attribute, mapi, tnef
from tests.build.torture_structure import MEMO

ATT_SUBJECT, ATT_BODY = 0x00018004, 0x0002800C
ATT_PROPERTIES, ATT_RECIPIENTS, ATT_RENDERING, ATT_CONTENT, ATT_ATTACHMENT = 0x00069003, 0x00069004, 0x00069002, 0x0006800F, 0x00069005
BY_NUMBER = bytes(16) + struct.pack("<II", 0, 0x8501)
BY_TEXT = bytes(16) + struct.pack("<II", 1, 6) + "abc".encode("utf-16-le") + bytes(2)
SUBJECT = struct.pack("<HHII", 0x1F, 0x37, 1, 4) + "件名".encode("utf-16-le")


def _list(*properties: bytes) -> bytes:
    return struct.pack("<I", len(properties)) + b"".join(properties)


def _fixed(kind: int, *values: int, width: int = 4, tag: int = 0x0E17) -> bytes:
    many = struct.pack("<I", len(values)) if kind & 0x1000 else b""
    return struct.pack("<HH", kind, tag) + many + b"".join(value.to_bytes(width, "little") for value in values)


def _named(name: bytes, kind: int = 3, value: bytes = bytes(4)) -> bytes:
    return struct.pack("<HH", kind, 0x8001) + name + value


def _written(data: bytes) -> bytes:
    outcome = run(data, "winmail.dat")
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def test_subject_and_body_of_programs_before_mapi() -> None:
    item = tnef({}) + attribute(ATT_SUBJECT, "昔の件名".encode("cp932") + b"\0") + attribute(ATT_BODY, "昔の本文".encode("cp932") + b"\0")
    made = read_message(_written(item))
    assert (made.subject, made.body) == ("昔の件名", "昔の本文")


def test_what_mapi_says_goes_before_what_old_attributes_say() -> None:
    item = tnef({0x37: "新しい件名"}) + attribute(ATT_SUBJECT, b"old\0")
    assert read_message(_written(item)).subject == "新しい件名"


def test_recipients_of_a_table() -> None:
    rows: tuple[Values, ...] = ({0x3001: "総務課", 0x39FE: "soumu@town.example.jp", 0x0C15: 1}, {0x3001: "財政課", 0x39FE: "zaisei@town.example.jp", 0x0C15: 2}, {})
    item = tnef({0x37: "x"}) + attribute(ATT_RECIPIENTS, struct.pack("<I", len(rows)) + b"".join(mapi(row) for row in rows))
    written = _written(item)
    assert b"To: =?UTF-8?B?57eP5YuZ6Kqy?= <soumu@town.example.jp>\r\n" in written
    assert b"<zaisei@town.example.jp>" in written.partition(b"\r\nCc: ")[2]


@pytest.mark.parametrize(
    "before",
    [
        _named(BY_NUMBER),
        _named(BY_TEXT),
        struct.pack("<HH", 0, 0x0E17),                      # no type
        struct.pack("<HH", 1, 0x0E17),                      # nothing
        struct.pack("<HHI", 0x1F, 0x0E17, 0),               # no value of those that were to come
        _fixed(0x2, 7),
        _fixed(0xB, 1),
        _fixed(0x48, 7, width=16),                          # a GUID
        _fixed(0x1003, 1, 2, 3),                            # three numbers
        _fixed(0x1014, 1, 2, width=8),
        struct.pack("<HHIII", 0x101F, 0x0E17, 2, 2, 0x61) + struct.pack("<II", 2, 0x62),
        struct.pack("<HHII", 0x1F, 0x0E17, 1, 3) + b"a\0b\0",   # half a letter at its end
    ],
)
def test_what_stands_before_the_subject_is_passed_by_its_own_length(before: bytes) -> None:
    item = tnef({}) + attribute(ATT_PROPERTIES, _list(before, SUBJECT))
    assert read_message(_written(item)).subject == "件名"


@pytest.mark.parametrize(
    "properties",
    [
        struct.pack("<I", 1) + struct.pack("<HHI", 0x1003, 0x0E17, 100) + bytes(8),     # a hundred numbers in eight bytes
        struct.pack("<I", 1) + struct.pack("<HH", 0x48, 0x0E17) + bytes(8),             # half a GUID
        struct.pack("<I", 1) + struct.pack("<HH", 3, 0x8001) + BY_NUMBER[:10],          # half a name
        struct.pack("<I", 1) + struct.pack("<HH", 3, 0x8001) + bytes(16) + struct.pack("<II", 1, 1 << 30),
        struct.pack("<I", 1) + struct.pack("<HH", 0x0AAA, 0x0E17),                      # a type that nobody knows
        struct.pack("<I", 2) + SUBJECT,                                                 # one property less than it says
        b"\1\0",
        b"",
    ],
)
def test_lists_shorter_than_they_say_are_refused(properties: bytes) -> None:
    outcome = run(tnef({}) + attribute(ATT_PROPERTIES, properties), "winmail.dat")
    assert outcome.content is None
    assert [finding.code for finding in outcome.report.findings][-1] == "mail.tnef_broken"


def test_what_is_only_called_so_is_held() -> None:
    """A part of the type of winmail.dat that is none, among others."""
    ended = by_smtp(parts_mail(text("hello"), attachment(b"no such thing", b"winmail.dat", b"application/ms-tnef")))
    assert ended.content is not None
    assert read_message(ended.content.bytes()).names == ()
    assert [part.reason for part in ended.report.parts] == ["malformed"]


def test_an_object_that_is_no_message_is_a_file() -> None:
    attached = struct.pack("<I", 2) + mapi({0x3707: "資料.txt"})[4:] + struct.pack("<HHII", 0x0D, 0x3701, 1, 16 + len(MEMO)) + bytes(16) + MEMO
    item = tnef({0x37: "x"}) + attribute(ATT_RENDERING, bytes(14), attached=True) + attribute(ATT_ATTACHMENT, attached, attached=True)
    assert read_message(_written(item)).names == ("資料.txt",)


def test_an_attachment_without_its_rendering_data() -> None:
    item = tnef({0x37: "x"}) + attribute(0x00018010, b"a.txt\0", attached=True) + attribute(ATT_CONTENT, MEMO, attached=True)
    assert read_message(_written(item)).names == ("a.txt",)
