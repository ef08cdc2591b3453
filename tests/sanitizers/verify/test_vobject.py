"""The second opinion on calendars and cards refuses what a sanitizer might have missed."""

from __future__ import annotations

import pytest

from sanitizers.model import Action, Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import vobject
from tests.build.context import context, delivered

FRAME = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:会議\r\n{}END:VEVENT\r\nEND:VCALENDAR\r\n"


def check(output: str, original: str | None = None, kind: Kind = Kind.ICS, *findings: str) -> None:
    given = delivered(context("a", kind), b"\xff\xd8\xff\0")
    for code in findings:
        given.found(code, "", Action.REMOVED)
    vobject.VERIFIERS[kind](Source(output.encode()), Source((output if original is None else original).encode()), given)


def test_clean_ones_pass() -> None:
    check(FRAME.format('ORGANIZER;CN="a: b":mailto:a@example.jp\r\nDESCRIPTION:long\r\n  text: x\r\n'))
    for photo in ("PHOTO;ENCODING=b:/9j/AA==", "PHOTO:data:image/jpeg;base64,/9j/AA=="):
        check(f"BEGIN:VCARD\r\n{photo}\r\nEND:VCARD\r\n", kind=Kind.VCF)


@pytest.mark.parametrize(("photo", "why"), [(":/9j/AQ==", "PHOTO is not what was rebuilt"), (":/9j/A===", "from elsewhere"), (":/9j/A", "not base64")])
def test_a_picture_is_the_one_of_the_engine(photo: str, why: str) -> None:
    with pytest.raises(VerificationFailed, match=why):
        check(f"BEGIN:VCARD\r\nPHOTO{photo}\r\nEND:VCARD\r\n", kind=Kind.VCF)


@pytest.mark.parametrize(
    "line",
    [
        "ATTACH:x", "att\r\n ach:x", "X-ALT-DESC:x", "item1.SOUND:x", "URL:javascript:x", "URL;VALUE=URI:file:///x", "URL:\\\\h\\x", "ACTION:EMAIL",
        "PHOTO:AAAA", "PHOTO:/9j/AA==", "BEGIN:X-A\r\nEND:X-A", "no colon", "a\x1b:b", "END:VEVENT", "BEGIN:VALARM",
    ],
)  # fmt: skip
def test_anything_active_is_refused(line: str) -> None:
    with pytest.raises(VerificationFailed):
        check(FRAME.format(line + "\r\n"))


def test_a_remote_picture_is_refused() -> None:
    with pytest.raises(VerificationFailed):
        check("BEGIN:VCARD\r\nPHOTO:https://a/x.png\r\nEND:VCARD\r\n", kind=Kind.VCF)


def test_a_lost_block_is_refused_unless_it_was_reported() -> None:
    whole = FRAME.format("BEGIN:VALARM\r\nEND:VALARM\r\n")
    with pytest.raises(VerificationFailed, match="missing"):
        check(FRAME.format(""), whole)
    check(FRAME.format(""), whole, Kind.ICS, "vobject.component")
    with pytest.raises(VerificationFailed, match="more"):
        check(whole, FRAME.format(""))


@pytest.mark.parametrize("lines", ["END:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", "BEGIN:VCALENDAR\r\n"])
def test_blocks_that_do_not_match_are_refused(lines: str) -> None:
    with pytest.raises(VerificationFailed, match="do not match"):
        check(lines)


@pytest.mark.parametrize("name", ["URL", "ATTENDEE", "ORGANIZER", "IMPP", "MEMBER", "RELATED"])
def test_no_address_starts_anything(name: str) -> None:
    check(FRAME.format(f"{name}:mailto:a@example.jp\r\n"))
    with pytest.raises(VerificationFailed, match=f"{name} starts something"):
        check(FRAME.format(f"{name}:javascript:x\r\n"))


@pytest.mark.parametrize("line", ["SUMMARY:EMAIL", "SUMMARY:javascript: what it is", "ACTION:DISPLAY", "ACTION:AUDIO"])
def test_words_that_only_look_active_pass(line: str) -> None:
    check(FRAME.format(line + "\r\n"))


@pytest.mark.parametrize("action", ["EMAIL", "PROCEDURE", " procedure "])
def test_an_alarm_that_does_something_is_refused(action: str) -> None:
    with pytest.raises(VerificationFailed, match="does something"):
        check(FRAME.format(f"ACTION:{action}\r\n"))


def test_a_block_that_nobody_knows_may_go_without_a_word() -> None:
    check(FRAME.format(""), FRAME.format("BEGIN:X-A\r\nEND:X-A\r\n"))


def test_a_colon_in_quotes_parts_nothing() -> None:
    assert vobject._parted('A;B="x:y":v:w') == ('A;B="x:y"', ":", "v:w")
    assert vobject._parted('A;B="x:y') == ('A;B="x:y', "", "")
