"""The second opinion on calendars and cards refuses what a sanitizer might have missed."""

from __future__ import annotations

import pytest

from sanitizers.model import Action, Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.vobject import verify
from tests.build.context import context

FRAME = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:会議\r\n{}END:VEVENT\r\nEND:VCALENDAR\r\n"


def check(output: str, original: str | None = None, kind: Kind = Kind.ICS, *findings: str) -> None:
    given = context("a", kind)
    for code in findings:
        given.found(code, "", Action.REMOVED)
    verify(Source(output.encode()), Source((output if original is None else original).encode()), given)


def test_clean_ones_pass() -> None:
    check(FRAME.format('ORGANIZER;CN="a: b":mailto:a@example.jp\r\nDESCRIPTION:long\r\n  text: x\r\n'))
    check("BEGIN:VCARD\r\nPHOTO;ENCODING=b:/9j/AA==\r\nEND:VCARD\r\n", kind=Kind.VCF)


@pytest.mark.parametrize(
    "line",
    [
        "ATTACH:x", "att\r\n ach:x", "X-ALT-DESC:x", "item1.SOUND:x", "URL:javascript:x", "URL;VALUE=URI:file:///x", "URL:\\\\h\\x", "ACTION:EMAIL",
        "PHOTO:AAAA", "BEGIN:X-A\r\nEND:X-A", "no colon", "a\x1b:b", "END:VEVENT", "BEGIN:VALARM",
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
